import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.datasets import PARTS
    from specialize.sources import fetch_treebank

    place = snakemake.wildcards
    destinations = {part: Path(snakemake.output[part]) for part in PARTS}
    pinned, mirror = snakemake.params.sha256, snakemake.config["mirror"]
    fetch_treebank(place.name, place.release, place.prefix, pinned, destinations, mirror)
