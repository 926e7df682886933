import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.datasets import transliterate_word_list

    source, destination = (Path(paths[0]) for paths in (snakemake.input, snakemake.output))
    transliterate_word_list(source, destination, **snakemake.params.transliteration)
