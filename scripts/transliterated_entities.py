import checkout  # noqa: F401
from snakemake.iocontainers import Snakemake

from specialize.errors import reported

snakemake: Snakemake

with reported(snakemake.log[0]):
    from collections import Counter
    from functools import partial
    from pathlib import Path

    from specialize.datasets import (
        LARGEST_SHARE_LEFT,
        count_left,
        require_latin,
        transliterate_entities,
        transliterate_token,
        transliterator,
    )

    transliteration = dict(snakemake.params.transliteration)
    largest = transliteration.pop("largest_share_left", LARGEST_SHARE_LEFT)
    convert = transliterator(**transliteration)
    words: Counter[str] = Counter()
    for source, destination in zip(snakemake.input, snakemake.output, strict=True):
        words += transliterate_entities(Path(source), Path(destination), convert)
    left = count_left(words, partial(transliterate_token, convert))
    require_latin(Path(snakemake.input[0]).parent, left, transliteration["scheme"], largest)
