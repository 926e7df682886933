import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.experiment import Experiment
    from specialize.tables.write import write_all

    write_all(Experiment(snakemake.config), Path(), [snakemake.wildcards.table])
