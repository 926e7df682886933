import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.sources import fetch, wikiann_collection

    fetch(wikiann_collection(), Path(snakemake.output[0]), mirror=None)
