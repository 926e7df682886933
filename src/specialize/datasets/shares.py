"""A share of labeled data, to measure how much annotation is enough."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from specialize.datasets.layout import blocks
from specialize.files import atomic_path, atomic_text, read_text


def write_share(parts: Mapping[str, Path], folder: Path, share: int, seed: int) -> None:
    """Write one in so many training sentences, and the development and test part as they are.

    All sentences are put in an order that is drawn with the seed, and the first ones are taken, so that a smaller share
    of the same seed is a part of a larger one. They are written in the order of the treebank.

    Args:
        parts: prepared files of train, dev and test.
        folder: of the new ones, which have the same names; it exists.
        share: one in how many sentences, rounded down, but at least one sentence.
        seed: of the draw.
    """
    import numpy  # takes time, and each start of the workflow reads this module

    for part in ("dev", "test"):
        with atomic_path(folder / parts[part].name) as temporary:
            shutil.copyfile(parts[part], temporary)
    sentences = [block for _, block in blocks(read_text(parts["train"]))]
    drawn = numpy.random.default_rng(seed).permutation(len(sentences))[: max(1, len(sentences) // share)]
    with atomic_text(folder / parts["train"].name) as stream:
        for place in sorted(drawn):
            stream.write("\n".join(sentences[place]) + "\n\n")
    print(f"{len(drawn):,} of {len(sentences):,} training sentences")
