import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.datasets import PARTS, read_entities, unpack_wikiann, write_repaired

    if hasattr(snakemake.input, "archive"):
        repairs = unpack_wikiann(
            Path(snakemake.input.archive), snakemake.params.code, Path(snakemake.output.train).parent
        )
    else:
        repairs = sum(
            write_repaired(Path(snakemake.output[part]), read_entities(Path(snakemake.input[part]))) for part in PARTS
        )
    print(f"{repairs} labels repaired to be IOB2")
