import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.datasets import PARTS, prepare_treebank
    from specialize.experiment import Experiment
    from specialize.experiment.treebanks import learned_tasks
    from specialize.sources import listed_parts

    # The grid is no parameter: a further regime must not make the data, and all models, anew. See `check_treebanks`.
    experiment, language = Experiment(snakemake.config), snakemake.wildcards.language
    if hasattr(snakemake.input, "files"):
        parts = listed_parts(Path(snakemake.input.files), all_parts=True)
    else:
        parts = {part: [Path(snakemake.input[part])] for part in PARTS}
    prepare_treebank(
        parts,
        Path(snakemake.output.statistics).parent,
        learned_tasks(experiment, language),
        experiment.languages[language].tags,
    )
