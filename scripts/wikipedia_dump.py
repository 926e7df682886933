import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.sources import fetch, wikipedia_dump

    source = wikipedia_dump(snakemake.wildcards.code, snakemake.wildcards.date, snakemake.params.sha256)
    fetch(source, Path(snakemake.output[0]), snakemake.config["mirror"])
