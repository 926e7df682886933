import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from pathlib import Path

    from specialize.datasets import transliterate_entities, transliterate_parts

    paths = zip(map(Path, snakemake.input), map(Path, snakemake.output), strict=True)
    transliterate_parts(transliterate_entities, paths, **snakemake.params.transliteration)
