import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.datasets import PARTS, write_share

    write_share(
        {part: Path(snakemake.input[part]) for part in PARTS},
        Path(snakemake.output.train).parent,
        int(snakemake.wildcards.share),
        int(snakemake.wildcards.seed),
    )
