"""How well a vocabulary covers some words: pieces a word, unknown ones, letters that it lacks."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from tokenizers import Tokenizer

from specialize.vocabularies.kinds import kind_of
from specialize.vocabularies.normal_form import spellings
from specialize.vocabularies.words import WordCounts, letter_counts, script_shares, shares

SHOWN_LETTERS = 30


@dataclass(frozen=True)
class Coverage:
    """How well a vocabulary covers some words.

    Attributes:
        tokens: how many words, counted as often as they occur.
        wordpieces_per_token: mean number of pieces (the paper's "# WP/Token").
        unknown_token_rate: share of words with an unknown piece.
        unknown_wordpiece_rate: share of pieces that are unknown.
        continuation_rate: share of pieces that continue a word.
    """

    tokens: int
    wordpieces_per_token: float
    unknown_token_rate: float
    unknown_wordpiece_rate: float
    continuation_rate: float


def coverage(tokenizer: Tokenizer, words: Counter[str]) -> Coverage:
    """How well a vocabulary covers words with counts."""
    distinct, kind = sorted(words), kind_of(tokenizer)
    segmented, unknown_piece = kind.segment(tokenizer, distinct), kind.unknown(tokenizer)
    tokens = pieces = unknown_tokens = unknown_pieces = continuations = 0
    for word, its_pieces, continued in zip(distinct, segmented, kind.continuations(tokenizer, segmented), strict=True):
        count = words[word]
        unknown = its_pieces.count(unknown_piece)
        tokens += count
        pieces += count * len(its_pieces)
        unknown_tokens += count * (unknown > 0)
        unknown_pieces += count * unknown
        continuations += count * continued
    return Coverage(
        tokens=tokens,
        wordpieces_per_token=round(pieces / max(tokens, 1), 4),
        unknown_token_rate=round(unknown_tokens / max(tokens, 1), 6),
        unknown_wordpiece_rate=round(unknown_pieces / max(pieces, 1), 6),
        continuation_rate=round(continuations / max(pieces, 1), 4),
    )


def missing_letters(tokenizer: Tokenizer, letters: Counter[str]) -> dict[str, float]:
    """Letters that a vocabulary has neither at the start of words nor within, by their share, the largest first."""
    missing = {letter: letters[letter] for letter in kind_of(tokenizer).missing_letters(tokenizer, letters)}
    return dict(islice(shares(Counter(missing), letters.total()).items(), SHOWN_LETTERS))


def coverage_statistics(counts: WordCounts, own: Tokenizer, base: Tokenizer | None = None) -> dict[str, Any]:
    """What statistics.json says of one data set: its scripts, and the coverage of a vocabulary and of its base."""
    words = spellings(counts.words, own.normalizer, parted=False)  # each counts once, however it is written
    letters = letter_counts(words)
    statistics = {"sentences": counts.sentences, "scripts": script_shares(letters)}
    if base is not None:
        statistics["missing_letters"] = missing_letters(base, letters)
        statistics["base"] = asdict(coverage(base, words))
    return {**statistics, "augmented": asdict(coverage(own, words))}
