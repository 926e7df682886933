"""In which order pieces of a new vocabulary are taken into a base's."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from tokenizers import Tokenizer

from specialize.vocabularies.kinds.kind import Kind
from specialize.vocabularies.settings import Choose


class Choice(NamedTuple):
    """New pieces of a vocabulary.

    Attributes:
        pieces: that are taken, in the order in which they go into it.
        passed_over: that would have been, but that no word is cut into then.
    """

    pieces: list[str]
    passed_over: list[str]


def candidates(
    kind: Kind,
    words: Counter[str],
    base: Tokenizer,
    new: Tokenizer,
    choose: Choose = "unknown",
    least: float = 0.0,
    lettered: Tokenizer | None = None,
) -> list[str]:
    """The new vocabulary's pieces that the base lacks, in the order in which they are taken.

    Args:
        kind: of both vocabularies.
        words: of the text, with their counts.
        base: the vocabulary that they go into.
        new: the one that they are from.
        choose: unknown: see `by_unknown_words`; compression: see `by_saved_pieces`; both: those that make unknown words
            known in the order of the first, then the others in that of the second.
        least: share of the words that a piece makes known, or it is none of the first.
        lettered: the base as it is when pieces are saved, with letters that it gets in any case.
    """
    if choose == "unknown":
        first, others = by_unknown_words(kind, words, base, new, least)
        return [*first, *others]
    saving = by_saved_pieces(kind, words, lettered or base, new)
    first = by_unknown_words(kind, words, base, new, least)[0] if choose == "both" else []
    taken = set(first)
    return [*first, *(piece for piece in saving if piece not in taken)]


def by_unknown_words(
    kind: Kind, words: Counter[str], base: Tokenizer, new: Tokenizer, least: float = 0.0
) -> tuple[list[str], list[str]]:
    """The new vocabulary's pieces that make unknown words known, and its others (paper §2.1, fact 12).

    Of every word in which the base vocabulary gives more unknown pieces than the new one, the new vocabulary's
    pieces are counted unless the base segmentation has them; pieces that the base vocabulary knows are dropped;
    the most frequent come first. The new vocabulary's most frequent other pieces follow. Distinct words are segmented
    once and weighed by their counts; ties are broken by the piece itself.
    """
    distinct = sorted(words)
    passed_by = _passed_by(base, new)
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
    enough = [piece for piece in rescuing if rescuing[piece] >= least * words.total()]
    first = sorted(enough, key=lambda piece: (-rescuing[piece], piece))
    others = sorted(frequent.keys() - set(first), key=lambda piece: (-frequent[piece], piece))
    return first, others


def by_saved_pieces(kind: Kind, words: Counter[str], base: Tokenizer, new: Tokenizer) -> list[str]:
    """The new vocabulary's pieces that the base lacks, by how many pieces the text has less because of them.

    What a word saves is shared by its new pieces. A word that is unknown to one of the vocabularies saves nothing: one
    piece that stands for all its letters is no short spelling of it.
    """
    distinct = sorted(words)
    passed_by = _passed_by(base, new)
    unknown = {kind.unknown(base), kind.unknown(new)}
    saved: dict[str, float] = {}
    segmented = zip(distinct, kind.segment(base, distinct), kind.segment(new, distinct), strict=True)
    for word, old_pieces, new_pieces in segmented:
        its_new = [piece for piece in new_pieces if piece not in passed_by]
        known = unknown.isdisjoint(old_pieces) and unknown.isdisjoint(new_pieces)
        less = max(len(old_pieces) - len(new_pieces), 0) if known else 0
        for piece in its_new:
            saved[piece] = saved.get(piece, 0.0) + words[word] * less / len(its_new)
    return sorted(saved, key=lambda piece: (-saved[piece], piece))


def _passed_by(base: Tokenizer, new: Tokenizer) -> set[str]:
    return base.get_vocab().keys() | {token.content for token in new.get_added_tokens_decoder().values()}
