import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.datasets import transliterate_treebank, transliterator

    convert = transliterator(**snakemake.params.transliteration)
    for source, destination in zip(snakemake.input, snakemake.output, strict=True):
        transliterate_treebank(Path(source), Path(destination), convert)
