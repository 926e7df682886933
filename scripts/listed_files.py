import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.experiment import Experiment
    from specialize.experiment.treebanks import listed_publication
    from specialize.sources import fetch_listed

    destination = snakemake.output[0]
    publication, all_parts = listed_publication(Experiment(snakemake.config), snakemake.params.section, destination)
    fetch_listed(publication, Path(destination), snakemake.params.sha256, snakemake.config["mirror"], all_parts)
