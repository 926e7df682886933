"""Choose which new pieces go into a base vocabulary, and put them there."""

from __future__ import annotations

from collections import Counter

from tokenizers import Tokenizer

from specialize.vocabularies.kinds import kind_of


def choose_pieces(words: Counter[str], base: Tokenizer, new: Tokenizer, number: int | None) -> list[str]:
    """The n new pieces that replace the most unknown pieces (paper §2.1, fact 12).

    Of every word in which the base vocabulary gives more unknown pieces than the new one, the new vocabulary's
    pieces are counted unless the base segmentation has them; pieces that the base vocabulary knows are dropped;
    the n most frequent are taken. If there are fewer, the new vocabulary's most frequent other pieces follow, and
    without a number at last those that no word is cut into. Distinct words are segmented once and weighed by their
    counts; ties are broken by the piece itself.
    """
    distinct = sorted(words)
    known = base.get_vocab()
    old_unknown, new_unknown = (kind_of(tokenizer).unknown(tokenizer) for tokenizer in (base, new))
    rescuing: Counter[str] = Counter()
    frequent: Counter[str] = Counter()
    for word, old_pieces, new_pieces in zip(distinct, segment(base, distinct), segment(new, distinct), strict=True):
        rescues = old_pieces.count(old_unknown) > new_pieces.count(new_unknown)
        for piece in new_pieces:
            if piece in known:
                continue
            frequent[piece] += words[word]
            if rescues and piece not in old_pieces:
                rescuing[piece] += words[word]
    first = sorted(rescuing, key=lambda piece: (-rescuing[piece], piece))
    others = sorted(frequent.keys() - rescuing.keys(), key=lambda piece: (-frequent[piece], piece))
    unseen = sorted(new.get_vocab().keys() - known.keys() - frequent.keys())
    return [*first, *others, *unseen] if number is None else [*first, *others][:number]


def segment(tokenizer: Tokenizer, words: list[str]) -> list[list[str]]:
    """The pieces of each word; see `kinds.Kind.segment`."""
    return kind_of(tokenizer).segment(tokenizer, words)


def inject(base: Tokenizer, pieces: list[str]) -> Tokenizer:
    """A copy of a base vocabulary's tokenizer with new pieces; see `kinds.Kind.inject`."""
    return kind_of(base).inject(base, pieces)
