import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.datasets import PARTS, prepare_treebank_folds
    from specialize.experiment import Experiment
    from specialize.experiment.treebanks import learned_tasks
    from specialize.sources import listed_parts

    if hasattr(snakemake.input, "files"):
        parts = listed_parts(Path(snakemake.input.files))
    else:
        parts = {part: [Path(snakemake.input[part])] for part in PARTS if hasattr(snakemake.input, part)}
    experiment, language = Experiment(snakemake.config), snakemake.wildcards.language
    prepare_treebank_folds(
        parts,
        Path(snakemake.output.statistics).parent,
        learned_tasks(experiment, language),  # no parameter; see treebank.py
        experiment.languages[language].tags,
        snakemake.params.folds,
        snakemake.params.seed,
    )
