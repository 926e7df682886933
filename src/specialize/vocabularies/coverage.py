"""How well a vocabulary covers some words: pieces a word, unknown ones, letters that it lacks."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from tokenizers import Tokenizer

from specialize.unicode import letter_count
from specialize.vocabularies.kinds import kind_of
from specialize.vocabularies.normal_form import spellings
from specialize.vocabularies.words import WordCounts, letter_counts, script_shares, shares

SHOWN_LETTERS = 30
SHOWN_WORDS = 12


@dataclass(frozen=True)
class Coverage:
    """How well a vocabulary covers some words.

    Attributes:
        tokens: how many words, counted as often as they occur, marks and numbers among them.
        wordpieces_per_token: mean number of pieces (the paper's "# WP/Token").
        wordpieces_per_letter: the same by letter, for scripts in which tokens are whole phrases.
        unknown_token_rate: share of tokens with an unknown piece.
        unknown_wordpiece_rate: share of pieces that are unknown.
        continuation_rate: share of pieces that continue a word.
        words: how many of the tokens have a letter.
        unknown_words: how many of those have an unknown piece with a letter in it.
        unknown_word_rate: their share of the words.
        unknown_marks: how many other tokens have an unknown piece: dashes, symbols, digits.
        frequent_unknown_words, frequent_unknown_marks: the most frequent of both, with their counts.
        bytes_per_wordpiece: mean length of a piece in bytes of UTF-8, spaces not counted; None where words can be
            unknown.
    """

    tokens: int
    wordpieces_per_token: float
    wordpieces_per_letter: float
    unknown_token_rate: float
    unknown_wordpiece_rate: float
    continuation_rate: float
    words: int
    unknown_words: int
    unknown_word_rate: float
    unknown_marks: int
    frequent_unknown_words: dict[str, int]
    frequent_unknown_marks: dict[str, int]
    bytes_per_wordpiece: float | None = None


def coverage(tokenizer: Tokenizer, words: Counter[str]) -> Coverage:
    """How well a vocabulary covers words with counts."""
    distinct, kind = sorted(words), kind_of(tokenizer)
    segmented, unknown_piece = kind.segment(tokenizer, distinct), kind.unknown(tokenizer)
    pieces = unknown_pieces = continuations = 0
    unknown: Counter[str] = Counter()
    for word, its_pieces, continued in zip(distinct, segmented, kind.continuations(tokenizer, segmented), strict=True):
        count = words[word]
        pieces += count * len(its_pieces)
        continuations += count * continued
        if unknown_piece in its_pieces:
            unknown[word] = count
            unknown_pieces += count * its_pieces.count(unknown_piece)
    readable_but_for_marks = _unknown_by_marks_only(tokenizer, unknown_piece, sorted(unknown))
    unknown_marks = Counter({word: unknown.pop(word) for word in readable_but_for_marks})
    tokens, letters = words.total(), sum(count * letter_count(word) for word, count in words.items())
    bytes_ = sum(count * len(word.encode("utf-8")) for word, count in words.items())
    lettered = sum(count for word, count in words.items() if any(map(str.isalpha, word)))
    return Coverage(
        tokens=tokens,
        wordpieces_per_token=round(pieces / max(tokens, 1), 4),
        wordpieces_per_letter=round(pieces / max(letters, 1), 4),
        unknown_token_rate=round((unknown.total() + unknown_marks.total()) / max(tokens, 1), 6),
        unknown_wordpiece_rate=round(unknown_pieces / max(pieces, 1), 6),
        continuation_rate=round(continuations / max(pieces, 1), 4),
        words=lettered,
        unknown_words=unknown.total(),
        unknown_word_rate=round(unknown.total() / max(lettered, 1), 6),
        unknown_marks=unknown_marks.total(),
        frequent_unknown_words=_most_frequent(unknown),
        frequent_unknown_marks=_most_frequent(unknown_marks),
        bytes_per_wordpiece=None if unknown_piece else round(bytes_ / max(pieces, 1), 4),
    )


def _unknown_by_marks_only(tokenizer: Tokenizer, unknown_piece: str, words: list[str]) -> list[str]:
    """Those of words with an unknown piece of which none stands for a letter (with its marks), as of "1905–1917"."""
    number = tokenizer.token_to_id(unknown_piece)
    found = []
    for word, encoding in zip(words, tokenizer.encode_batch(words, add_special_tokens=False), strict=True):
        places = [place for piece, place in zip(encoding.ids, encoding.offsets, strict=True) if piece == number]
        lost = "".join(word[start:end] for start, end in places)
        if not (any(map(str.isalpha, word)) and any(unicodedata.category(character)[0] in "LM" for character in lost)):
            found.append(word)
    return found


def _most_frequent(words: Counter[str]) -> dict[str, int]:
    shown = sorted(words, key=lambda word: (-words[word], word))[:SHOWN_WORDS]
    return {word: words[word] for word in shown}


def missing_letters(tokenizer: Tokenizer, letters: Counter[str]) -> dict[str, float]:
    """Letters that a vocabulary has neither at the start of words nor within, by their share, the largest first."""
    missing = {letter: letters[letter] for letter in kind_of(tokenizer).missing_letters(tokenizer, letters)}
    return dict(islice(shares(Counter(missing), letters.total()).items(), SHOWN_LETTERS))


def coverage_statistics(counts: WordCounts, own: Tokenizer, base: Tokenizer | None = None) -> dict[str, Any]:
    """What statistics.json says of one data set: its scripts, and the coverage of a vocabulary and of its base."""
    words = spellings(counts.words, own.normalizer, parted=False)  # each counts once, however it is written
    letters = letter_counts(words)
    statistics = {"sentences": counts.sentences, "letters": letters.total(), "scripts": script_shares(letters)}
    if base is not None:
        statistics["missing_letters"] = missing_letters(base, letters)
        statistics["base"] = _measured(coverage(base, words))
    return {**statistics, "augmented": _measured(coverage(own, words))}


def _measured(coverage: Coverage) -> dict[str, Any]:
    """As statistics.json has it: without what a kind of vocabulary does not measure."""
    return {name: value for name, value in asdict(coverage).items() if value is not None}
