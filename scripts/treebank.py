import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.datasets import PARTS, read_treebank, write_treebank

    for part in PARTS:
        write_treebank(Path(snakemake.output[part]), read_treebank(Path(snakemake.input[part])))
