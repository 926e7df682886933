from pathlib import Path

from snakemake.utils import min_version

min_version("9.27")


configfile: f"{workflow.current_basedir}/config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/sources.smk"
include: "workflow/rules/datasets.smk"
include: "workflow/rules/corpora.smk"
include: "workflow/rules/vocabularies.smk"
include: "workflow/rules/pretraining.smk"
include: "workflow/rules/finetuning.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/curve.smk"


rule all:
    default_target: True
    input:  # the early stages too: what a failed job has removed must be missed, although later files exist
        rules.datasets.input,
        rules.corpora.input,
        rules.pretraining.input,
        rules.finetuning.input,
        rules.tables.input,
        rules.figures.input,
