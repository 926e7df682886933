import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.corpora import transliterate_corpus
    from specialize.datasets import transliterator

    convert = transliterator(**snakemake.params.transliteration)
    transliterate_corpus(Path(snakemake.input[0]).parent, Path(snakemake.output[0]).parent, convert)
