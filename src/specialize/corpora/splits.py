"""The splits of a corpus: which articles are sampled, which split each belongs to, and how a split is read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from specialize.corpora.settings import Cleaning

SPLITS = ("train", "valid", "test")


def share_of(identifier: str, seed: int, purpose: str) -> float:
    """A number in [0, 1) that depends on the article and the seed only, not on the order of the articles."""
    digest = hashlib.sha256(f"{purpose}\t{seed}\t{identifier}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def split_of(identifier: str, cleaning: Cleaning) -> str:
    """The split of an article (fact 4)."""
    share = share_of(identifier, cleaning.seed, "split")
    if share < cleaning.validation_share:
        return "valid"
    return "test" if share < cleaning.validation_share + cleaning.test_share else "train"


def read_corpus(path: Path) -> Iterator[list[str]]:
    """Articles of a split file, each a list of sentences."""
    sentences: list[str] = []
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            if line.strip():
                sentences.append(line.rstrip("\n"))
            elif sentences:
                yield sentences
                sentences = []
    if sentences:
        yield sentences
