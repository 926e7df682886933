import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.experiment import Experiment
    from specialize.reports.export import export_model

    export_model(
        Experiment(snakemake.config),
        Path(),
        snakemake.wildcards.language,
        snakemake.wildcards.representation,
        Path(snakemake.output.config).parent,
    )
