# Tables with significance tests, figures, exported models, and the named targets.

import shutil
import subprocess
import tomllib
from tempfile import TemporaryDirectory

from specialize import __version__
from specialize.experiment.resolved import model_description
from specialize.tables import screen
from specialize.tables.contents import FIGURES, TABLES, diagnosis_inputs, figure_inputs, table_inputs, tables_of
from specialize.tables.fold_files import caption_with_folds
from specialize.tables.parameters import table_parameters

METRICS = [cell.metrics for cell in experiment.cells]
LANGUAGES = [language.tag for language in experiment.grid_languages]
FIGURE_INPUTS = figure_inputs(experiment)
FIGURE_FILES = {name: [f"results/figures/{name}.{ending}" for ending in ("svg", "png")] for name in FIGURE_INPUTS}

# A report's description can read the configuration and nothing else, so it is copied with what made the run above it.
DESCRIPTION = Path(workflow.current_basedir).parents[1] / "workflow/report/workflow.rst"
if workflow.is_main_process:  # jobs make no report
    COMMIT = "git --no-optional-locks --git-dir=.git --work-tree=. describe --always --abbrev=40 --dirty --exclude=*"
    PINNED = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    SOFTWARE = [f"specialize=={__version__}"]
    if (CHECKOUT / ".git").exists() and shutil.which("git"):
        commit = subprocess.run(COMMIT.split(), cwd=CHECKOUT, capture_output=True, text=True).stdout.strip()
        SOFTWARE += [f"commit {commit}"] if commit else []
    SOFTWARE += [pin for pin in PINNED if pin.partition("==")[0] in ("snakemake", "torch", "transformers")]
    COPIED = TemporaryDirectory()  # goes with this process
    TEMPLATE = DESCRIPTION.read_text(encoding="utf-8")
    DESCRIPTION = Path(COPIED.name, "workflow.rst")
    DESCRIPTION.write_text(f"{{% set software = {SOFTWARE} %}}\n{TEMPLATE}", encoding="utf-8")


report: f"{DESCRIPTION}"


rule table:
    input:
        lambda wildcards: table_inputs(experiment, wildcards.table),
    output:
        markdown="results/tables/{table}.md",
        csv="results/tables/{table}.csv",
        latex="results/tables/{table}.tex",
        html=report(
            "results/tables/{table}.html",
            caption="../report/table.rst",
            category=lambda wildcards: TABLES[wildcards.table].category,
            labels={"table": "{table}"},
        ),
    log:
        "logs/tables/{table}.log",
    benchmark:
        "timings/tables/{table}.tsv"
    wildcard_constraints:
        table=one_of(TABLES),
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        settings=lambda wildcards: table_parameters(experiment, wildcards.table),
        caption=lambda wildcards: caption_with_folds(experiment, TABLES[wildcards.table].caption),
        version=STAGE_VERSIONS["tables"],
    script:
        f"{SCRIPTS}/table.py"


rule diagnose:
    input:
        diagnosis_inputs(experiment),
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
        settings=table_parameters(experiment, "diagnosis"),
        version=STAGE_VERSIONS["tables"],
    script:
        f"{SCRIPTS}/diagnose.py"


rule figure:
    input:
        lambda wildcards: FIGURE_INPUTS[wildcards.figure],
    output:
        svg="results/figures/{figure}.svg",
        png=report(
            "results/figures/{figure}.png",
            caption="../report/figure.rst",
            category=lambda wildcards: FIGURES[wildcards.figure].category,
            labels={"figure": "{figure}"},
        ),
    log:
        "logs/figures/{figure}.log",
    benchmark:
        "timings/figures/{figure}.tsv"
    wildcard_constraints:
        figure=one_of(FIGURE_INPUTS),
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        settings=lambda wildcards: table_parameters(experiment, wildcards.figure),
        caption=lambda wildcards: caption_with_folds(experiment, FIGURES[wildcards.figure].caption),
        version=STAGE_VERSIONS["tables"],
    script:
        f"{SCRIPTS}/figure.py"


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
        description=lambda wildcards: model_description(experiment, **wildcards),
        version=STAGE_VERSIONS["tables"],
    script:
        f"{SCRIPTS}/export_model.py"


use rule export_model as export_trimmed_model with:
    output:
        multiext(
            "results/export/{language}/{representation}/",
            config="config.json",
            weights="model.safetensors",
            card="README.md",
        ),
    wildcard_constraints:
        representation=with_method("trim"),


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
        [path for language in LANGUAGES for path in labeled_files_of_splits(language)],


rule corpora:
    input:
        [path for language in LANGUAGES for path in corpus_files(language)],


rule vocabularies:
    input:
        [f"results/vocabularies/{language}/{name}/statistics.json" for language, name in experiment.vocabularies],


rule pretraining:
    input:
        [f"results/pretraining/{language}/{name}/model.safetensors" for language, name in experiment.own_models],
        [f"results/pretraining/{language}/{name}/vectors.vec" for language, name in experiment.static_vectors],
        FIGURE_FILES.get("pretraining", []),


rule finetuning:
    input:
        METRICS,
        [f"{cell.folder}/model" for cell in experiment.cells if experiment.config["keep_models"]],


rule tables:
    input:
        table_files(*tables_of(experiment)),


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
        FIGURE_FILES.get("replication", []),


rule figures:
    input:
        list(FIGURE_FILES.values()),


rule curve:
    input:
        table_files("curve", "curve-reached"),
        multiext("results/figures/curve.", "svg", "png"),


rule diagnosis:
    input:
        rules.diagnose.output,


rule export:
    input:
        [f"results/export/{language}/{name}/README.md" for language, name in experiment.own_models],


onsuccess:
    if workflow.is_main_process and any(job.rule.name == "diagnose" for job in workflow.dag.jobs):
        print(f"\n{screen.diagnosis(Path())}\n", flush=True)
