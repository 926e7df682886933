"""How new pieces are learned."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WordPieceTraining:
    """How a new vocabulary is learned (fact 11; sizes: paper, Table 5)."""

    size: int = 5000
    min_frequency: int = 5
    limit_alphabet: int = 1000


@dataclass(frozen=True)
class BytePieceTraining:
    """How a byte-level vocabulary is learned (fact 20)."""

    size: int = 52_000
    min_frequency: int = 2
