import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.corpora import transliterate_corpus

    source, destination = (Path(paths[0]).parent for paths in (snakemake.input, snakemake.output))
    transliterate_corpus(source, destination, **snakemake.params.transliteration)
