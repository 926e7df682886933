import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.sources import fetch, treebank_files

    place = snakemake.wildcards
    for part, source in treebank_files(place.name, place.release, place.prefix, snakemake.params.sha256).items():
        fetch(source, Path(snakemake.output[part]), snakemake.config["mirror"])
