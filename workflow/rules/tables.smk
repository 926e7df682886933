# Tables with significance tests, and the named targets.


METRICS = [cell.metrics for cell in experiment.built_cells]
LANGUAGES = [language.tag for language in experiment.grid_languages]
STATISTICS = [f"results/corpora/{tag}/statistics.json" for tag in LANGUAGES if experiment.languages[tag].has_corpus] + [
    f"results/vocabularies/{tag}/{name}/statistics.json" for tag, name in experiment.vocabularies
]
TABLE_INPUTS = {
    "corpora": STATISTICS,
    "single-task": METRICS,
    "transliteration": METRICS,
    "comparisons": METRICS,
    "hyperparameters": [],
}
TABLES = [
    name
    for name, inputs in TABLE_INPUTS.items()
    if (METRICS or inputs is not METRICS) and (name != "transliteration" or any(map(is_twin, LANGUAGES)))
]


rule table:
    input:
        lambda wildcards: TABLE_INPUTS[wildcards.table],
    output:
        markdown="results/tables/{table}.md",
        csv="results/tables/{table}.csv",
        latex="results/tables/{table}.tex",
        html=report(
            "results/tables/{table}.html",
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "{table}"},
        ),
    log:
        "logs/tables/{table}.log",
    benchmark:
        "timings/tables/{table}.tsv"
    wildcard_constraints:
        table=one_of(TABLE_INPUTS),
    conda:
        "../../envs/tables.yaml"
    params:
        settings=lambda wildcards: experiment.table_settings(wildcards.table),
        version=STAGE_VERSIONS["tables"],
    script:
        f"{SCRIPTS}/table.py"


rule diagnose:
    input:
        STATISTICS,
    output:
        table_files("diagnosis")[:-1],
        "results/figures/coverage.svg",
        html=report(
            table_files("diagnosis")[-1],
            caption="../report/diagnosis.rst",
            category="Diagnosis",
            labels={"table": "diagnosis"},
        ),
        png=report(
            "results/figures/coverage.png",
            caption="../report/diagnosis.rst",
            category="Diagnosis",
            labels={"figure": "coverage"},
        ),
    log:
        "logs/tables/diagnosis.log",
    benchmark:
        "timings/tables/diagnosis.tsv"
    conda:
        "../../envs/tables.yaml"
    params:
        settings=experiment.table_settings("diagnosis"),
        version=STAGE_VERSIONS["tables"],
    script:
        f"{SCRIPTS}/diagnose.py"


rule sources:
    input:
        [source.destination for language in experiment.needed_languages for source in sources_of(language)],
        [
            f"{experiment.base_folder(name)}/config.json"
            for name in experiment.base_models_used
            if not experiment.pretrained_here(name)
        ],


rule datasets:
    input:
        [path for language in LANGUAGES for path in labeled_files(language)],


rule corpora:
    input:
        [path for language in LANGUAGES for path in corpus_files(language)],


rule vocabularies:
    input:
        [f"results/vocabularies/{language}/{name}/statistics.json" for language, name in experiment.vocabularies],


rule pretraining:
    input:
        [f"results/pretraining/{language}/{name}/model.safetensors" for language, name in experiment.adaptations],


rule finetuning:
    input:
        METRICS,
        [f"{cell.folder}/model/task.json" for cell in experiment.built_cells if experiment.config["keep_models"]],


rule tables:
    input:
        table_files(*TABLES),


rule table1:
    input:
        table_files("corpora"),


rule table2:
    input:
        table_files("single-task"),


rule table3:
    input:
        not_built("table 3 (multi-task learning)"),


rule table4:
    input:
        table_files("transliteration"),


rule table5:
    input:
        table_files("hyperparameters"),


rule table6:
    input:
        not_built("table 6 (all multi-task configurations)"),


rule figures:
    input:
        not_built("the target figures"),


rule diagnosis:
    input:
        rules.diagnose.output,


rule export:
    input:
        not_built("the target export"),
