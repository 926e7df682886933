import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.experiment import Experiment
    from specialize.tables.curve import write_curve

    write_curve(Experiment(snakemake.config), Path())
