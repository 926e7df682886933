import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.sources import extract_archive, fetch, wikiann_archive

    code, destination = snakemake.wildcards.code, Path(snakemake.output[0])
    if mirror := snakemake.config["mirror"]:
        fetch(wikiann_archive(code), destination, mirror)
    else:
        extract_archive(Path(snakemake.input.collection[0]), code, destination)
