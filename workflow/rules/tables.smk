# Tables with significance tests, figures, exported models, and the named targets.

import shutil
import subprocess
import tomllib
from tempfile import TemporaryDirectory

from specialize import __version__
from specialize.contents import TABLES, WITHOUT_SCORES, score_figures, table_cells

METRICS = [cell.metrics for cell in experiment.cells]
SINGLE_TASK_METRICS = [cell.metrics for cell in experiment.single_task_cells]
LANGUAGES = [language.tag for language in experiment.grid_languages]
STATISTICS = [f"results/corpora/{tag}/statistics.json" for tag in LANGUAGES if experiment.languages[tag].has_corpus] + [
    f"results/vocabularies/{tag}/{name}/statistics.json" for tag, name in experiment.vocabularies
]
TABLE_INPUTS = {
    **{name: [cell.metrics for cell in table_cells(experiment, name)] for name in TABLES},
    "corpora": STATISTICS,
}
SCORE_FIGURES = {name: [cell.metrics for cell in cells] for name, cells in score_figures(experiment).items()}
REPLICATED = [
    cell.metrics
    for cell in experiment.single_task_cells
    if (cell.language, cell.representation, cell.regime) in TABLE_2
]
FIGURES = [
    f"results/figures/{name}.{ending}"
    for name, there in {
        "pretraining": experiment.adaptations,
        "learning-curves": SINGLE_TASK_METRICS,
        "sweep": experiment.sweep,
        "replication": REPLICATED,
        **SCORE_FIGURES,
    }.items()
    for ending in ("svg", "png")
    if there
]

# A report's description can read the configuration and nothing else, so it is copied with what made the run above it.
CHECKOUT = Path(workflow.current_basedir).parents[1]
COMMIT = "git --no-optional-locks --git-dir=.git --work-tree=. describe --always --abbrev=40 --dirty --exclude=*"
PINNED = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
SOFTWARE = [f"specialize=={__version__}"]
if (CHECKOUT / ".git").exists() and shutil.which("git"):
    commit = subprocess.run(COMMIT.split(), cwd=CHECKOUT, capture_output=True, text=True).stdout.strip()
    SOFTWARE += [f"commit {commit}"] if commit else []
SOFTWARE += [pin for pin in PINNED if pin.partition("==")[0] in ("snakemake", "torch", "transformers")]
DESCRIPTION = TemporaryDirectory()  # goes with this process
TEMPLATE = (CHECKOUT / "workflow/report/workflow.rst").read_text(encoding="utf-8")
Path(DESCRIPTION.name, "workflow.rst").write_text(f"{{% set software = {SOFTWARE} %}}\n{TEMPLATE}", encoding="utf-8")


report: f"{DESCRIPTION.name}/workflow.rst"


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
            category=lambda wildcards: "Answers" if wildcards.table == "answers" else "Tables",
            labels={"table": "{table}"},
        ),
    log:
        "logs/tables/{table}.log",
    benchmark:
        "timings/tables/{table}.tsv"
    wildcard_constraints:
        table=one_of(TABLE_INPUTS),
    localrule: True
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
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        settings=experiment.table_settings("diagnosis"),
        version=STAGE_VERSIONS["tables"],
    script:
        f"{SCRIPTS}/diagnose.py"


rule pretraining_figure:
    input:
        [f"{experiment.encoder_folder(language, name)}/history.json" for language, name in experiment.adaptations],
    output:
        svg="results/figures/pretraining.svg",
        png=report(
            "results/figures/pretraining.png",
            caption="../report/pretraining.rst",
            category="Pretraining",
            labels={"figure": "pretraining"},
        ),
    log:
        "logs/figures/pretraining.log",
    benchmark:
        "timings/figures/pretraining.tsv"
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        models=experiment.adaptations,
        version=STAGE_VERSIONS["tables"],
    script:
        f"{SCRIPTS}/pretraining_figure.py"


rule learning_curves:
    input:
        [f"{cell.folder}/history.json" for cell in experiment.single_task_cells],
    output:
        svg="results/figures/learning-curves.svg",
        png=report(
            "results/figures/learning-curves.png",
            caption="../report/learning-curves.rst",
            category="Finetuning",
            labels={"figure": "learning curves"},
        ),
    log:
        "logs/figures/learning-curves.log",
    benchmark:
        "timings/figures/learning-curves.tsv"
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        settings=experiment.table_settings("single-task"),
        version=STAGE_VERSIONS["tables"],
    script:
        f"{SCRIPTS}/learning_curves.py"


rule sweep_figure:
    input:
        SINGLE_TASK_METRICS,
        STATISTICS,
    output:
        svg="results/figures/sweep.svg",
        png=report(
            "results/figures/sweep.png",
            caption="../report/sweep.rst",
            category="Tables",
            labels={"figure": "sweep"},
        ),
    log:
        "logs/figures/sweep.log",
    benchmark:
        "timings/figures/sweep.tsv"
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        settings=experiment.table_settings("single-task"),
        representations=[experiment.config["representations"][name] for name in experiment.sweep],
        version=STAGE_VERSIONS["tables"],
    script:
        f"{SCRIPTS}/sweep_figure.py"


rule replication_figure:
    input:
        REPLICATED,
    output:
        svg="results/figures/replication.svg",
        png=report(
            "results/figures/replication.png",
            caption="../report/replication.rst",
            category="Tables",
            labels={"figure": "replication"},
        ),
    log:
        "logs/figures/replication.log",
    benchmark:
        "timings/figures/replication.tsv"
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        settings=experiment.table_settings("single-task"),
        version=STAGE_VERSIONS["tables"],
    script:
        f"{SCRIPTS}/replication_figure.py"


rule score_figure:
    input:
        lambda wildcards: SCORE_FIGURES[wildcards.figure],
        lambda wildcards: STATISTICS if wildcards.figure == "gains" else [],
    output:
        svg="results/figures/{figure}.svg",
        png=report(
            "results/figures/{figure}.png",
            caption="../report/figure.rst",
            category="Tables",
            labels={"figure": "{figure}"},
        ),
    log:
        "logs/figures/{figure}.log",
    benchmark:
        "timings/figures/{figure}.tsv"
    wildcard_constraints:
        figure=one_of(SCORE_FIGURES),
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        settings=experiment.table_settings("single-task"),
        version=STAGE_VERSIONS["tables"],
    script:
        f"{SCRIPTS}/score_figure.py"


rule export_model:
    input:
        config=f"{MODEL}/config.json",
        weights=f"{MODEL}/model.safetensors",
        history=f"{MODEL}/history.json",
        card=f"{MODEL}/README.md",
        metrics=lambda wildcards: [
            cell.metrics
            for cell in experiment.cells
            if (cell.language, cell.representation) == (wildcards.language, wildcards.representation)
        ],
    output:
        multiext(
            "results/export/{language}/{representation}/",
            config="config.json",
            weights="model.safetensors",
            card="README.md",
            curve="loss.png",
        ),
    log:
        "logs/export/{language}/{representation}.log",
    benchmark:
        "timings/export/{language}/{representation}.tsv"
    wildcard_constraints:
        representation=with_method("adapt", "scratch"),
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        description=lambda wildcards: experiment.model_description(**wildcards),
        version=STAGE_VERSIONS["tables"],
    script:
        f"{SCRIPTS}/export_model.py"


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
        [f"results/pretraining/{language}/{name}/vectors.vec" for language, name in experiment.static_vectors],
        [path for path in FIGURES if "pretraining" in path],


rule finetuning:
    input:
        METRICS,
        [f"{cell.folder}/model" for cell in experiment.cells if experiment.config["keep_models"]],


rule tables:
    input:
        table_files(*(name for name in TABLES if TABLE_INPUTS[name] or name in WITHOUT_SCORES)),


rule table1:
    input:
        table_files("corpora"),


rule table2:
    input:
        table_files("single-task"),


rule table3:
    input:
        table_files("multi-task"),


rule table4:
    input:
        table_files("transliteration"),


rule table5:
    input:
        table_files("hyperparameters"),


rule table6:
    input:
        table_files("multi-task-all"),


rule replication:
    input:
        table_files("replication"),
        [path for path in FIGURES if "replication" in path],


rule figures:
    input:
        FIGURES,


rule diagnosis:
    input:
        rules.diagnose.output,


rule export:
    input:
        [f"results/export/{language}/{name}/README.md" for language, name in experiment.adaptations],
