"""In which order pieces of a new vocabulary are taken into a base's."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from tokenizers import Tokenizer

from specialize.vocabularies.kinds.kind import Kind


class Choice(NamedTuple):
    """New pieces of a vocabulary.

    Attributes:
        pieces: that are taken, in the order in which they go into it.
        passed_over: that would have been, but that no word is cut into then.
    """

    pieces: list[str]
    passed_over: list[str]


def candidates(kind: Kind, words: Counter[str], base: Tokenizer, new: Tokenizer) -> list[str]:
    """The new vocabulary's pieces that the base lacks, in the order in which they are taken (paper §2.1, fact 12).

    Of every word in which the base vocabulary gives more unknown pieces than the new one, the new vocabulary's
    pieces are counted unless the base segmentation has them; pieces that the base vocabulary knows are dropped;
    the most frequent come first. The new vocabulary's most frequent other pieces follow. Distinct words are segmented
    once and weighed by their counts; ties are broken by the piece itself.
    """
    distinct = sorted(words)
    passed_by = base.get_vocab().keys() | {token.content for token in new.get_added_tokens_decoder().values()}
    old_unknown, new_unknown = kind.unknown(base), kind.unknown(new)
    rescuing: Counter[str] = Counter()
    frequent: Counter[str] = Counter()
    segmented = zip(distinct, kind.segment(base, distinct), kind.segment(new, distinct), strict=True)
    for word, old_pieces, new_pieces in segmented:
        rescues = old_pieces.count(old_unknown) > new_pieces.count(new_unknown)
        for piece in new_pieces:
            if piece in passed_by:
                continue
            frequent[piece] += words[word]
            if rescues and piece not in old_pieces:
                rescuing[piece] += words[word]
    first = sorted(rescuing, key=lambda piece: (-rescuing[piece], piece))
    others = sorted(frequent.keys() - rescuing.keys(), key=lambda piece: (-frequent[piece], piece))
    return [*first, *others]
