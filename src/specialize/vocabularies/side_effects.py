"""What new pieces do: how many of them words are cut into, and which words of other languages are cut otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from tokenizers import Tokenizer

from specialize.vocabularies.kinds import kind_of


class Resegmented(NamedTuple):
    """Shares of words that a grown vocabulary cuts otherwise than its base; 0 of no words.

    Attributes:
        running: of all words, as often as they occur.
        distinct: of the different words.
    """

    running: float
    distinct: float


def pieces_in_use(tokenizer: Tokenizer, pieces: Iterable[str], words: Counter[str]) -> int:
    """How many of some pieces at least one of the words is cut into.

    Args:
        tokenizer: that has the pieces.
        pieces: such as those that a base vocabulary has grown by.
        words: of a text, each cut by itself; best of one that the pieces were not learned from.
    """
    used: set[str] = set()
    used.update(*kind_of(tokenizer).segment(tokenizer, sorted(words)))
    return len(used & set(pieces))


def resegmented(base: Tokenizer, grown: Tokenizer, words: Counter[str]) -> Resegmented:
    """Which share of words a grown vocabulary cuts otherwise than its base.

    Args:
        base: the vocabulary before, with the normalizer that the grown one has.
        grown: the same with new pieces.
        words: of another language, with their counts, each cut by itself.
    """
    distinct = sorted(words)
    before, after = (kind_of(tokenizer).segment(tokenizer, distinct) for tokenizer in (base, grown))
    changed = [word for word, old, new in zip(distinct, before, after, strict=True) if old != new]
    running = sum(words[word] for word in changed)
    return Resegmented(running / max(words.total(), 1), len(changed) / max(len(distinct), 1))
