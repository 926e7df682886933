"""Choose which new pieces go into a base vocabulary, and put them there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from tokenizers import Tokenizer

from specialize.errors import SpecializeError
from specialize.vocabularies.kinds import kind_of


class Choice(NamedTuple):
    """New pieces of a vocabulary.

    Attributes:
        pieces: that are taken, in the order in which they go into it.
        passed_over: that would have been, but that no word is cut into then.
    """

    pieces: list[str]
    passed_over: list[str]


def choose_pieces(words: Counter[str], base: Tokenizer, new: Tokenizer, number: int | None) -> Choice:
    """The n new pieces that replace the most unknown pieces, or all of them (paper §2.1, fact 12).

    A piece that is chosen may still be none that any word is cut into, because the base's own and other new pieces come
    before it. It is passed over for the next ones, until every piece is in use.

    Args:
        words: of the text, with their counts.
        base: the vocabulary that they go into.
        new: the one that they are from.
        number: how many; None takes all.
    """
    candidates = _candidates(words, base, new)
    if number is None:
        special = {token.content for token in new.get_added_tokens_decoder().values()}
        candidates += sorted(new.get_vocab().keys() - base.get_vocab().keys() - special - set(candidates))
    distinct = sorted(words)
    passed_over: dict[str, None] = {}
    while True:
        pieces = [piece for piece in candidates if piece not in passed_over][:number]
        used = {piece for cut in segment(inject(base, pieces), distinct) for piece in cut} if pieces else set()
        unused = [piece for piece in pieces if piece not in used]
        if not unused:
            return Choice(pieces, list(passed_over))
        passed_over |= dict.fromkeys(unused)


def _candidates(words: Counter[str], base: Tokenizer, new: Tokenizer) -> list[str]:
    """The new vocabulary's pieces that the base lacks, in the order in which they are taken.

    Of every word in which the base vocabulary gives more unknown pieces than the new one, the new vocabulary's
    pieces are counted unless the base segmentation has them; pieces that the base vocabulary knows are dropped;
    the most frequent come first. The new vocabulary's most frequent other pieces follow. Distinct words are segmented
    once and weighed by their counts; ties are broken by the piece itself.
    """
    distinct = sorted(words)
    passed_by = base.get_vocab().keys() | {token.content for token in new.get_added_tokens_decoder().values()}
    old_unknown, new_unknown = (kind_of(tokenizer).unknown(tokenizer) for tokenizer in (base, new))
    rescuing: Counter[str] = Counter()
    frequent: Counter[str] = Counter()
    for word, old_pieces, new_pieces in zip(distinct, segment(base, distinct), segment(new, distinct), strict=True):
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


def check_ids(base: Tokenizer, grown: Tokenizer, pieces: Mapping[str, int]) -> None:
    """Check that every id of a base vocabulary is still its piece's, but for the free slots that new pieces have taken.

    Args:
        base: of the base model.
        grown: with new pieces.
        pieces: the new ones, with their ids.

    Raises:
        SpecializeError: if not.
    """
    before, after, free = base.get_vocab(), grown.get_vocab(), set(kind_of(base).free_slots(base))
    lost = {piece for piece, number in before.items() if after.get(piece) != number}
    new = {piece: number for piece, number in after.items() if before.get(piece) != number}
    taken = {before[piece] for piece in lost}
    strange = sorted((lost - free) | {piece for piece, number in new.items() if pieces.get(piece) != number})
    strange += sorted(pieces.keys() - new.keys())
    if strange or not taken <= set(new.values()) or len(set(after.values())) != len(after):
        raise SpecializeError(
            "ids of the base vocabulary do not stand for its pieces in the new one"
            f"{': ' if strange else ''}{', '.join(strange[:3])}; make both anew from one base model"
        )


def segment(tokenizer: Tokenizer, words: list[str]) -> list[list[str]]:
    """The pieces of each word; see `kinds.Kind.segment`."""
    return kind_of(tokenizer).segment(tokenizer, words)


def inject(base: Tokenizer, pieces: list[str]) -> Tokenizer:
    """A copy of a base vocabulary's tokenizer with new pieces; see `kinds.Kind.inject`."""
    return kind_of(base).inject(base, pieces)
