import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.experiment import Experiment
    from specialize.pretraining.static_vectors import train_static_vectors

    train_static_vectors(
        corpus=Path(snakemake.input.corpus).parent,
        settings=Experiment(snakemake.config).vectors(snakemake.wildcards.representation),
        folder=Path(snakemake.output.vectors).parent,
        normal_form=snakemake.params.normal_form,
    )
