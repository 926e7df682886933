import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.sources import extract_archive, fetch, fetch_wikiann_collection, wikiann_archive

    source = wikiann_archive(snakemake.wildcards.code, snakemake.params.sha256)
    destination = Path(snakemake.output[0])
    if mirror := snakemake.config["mirror"]:
        fetch(source, destination, mirror)
    else:
        extract_archive(fetch_wikiann_collection(destination.parent), source, destination)
