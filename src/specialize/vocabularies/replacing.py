"""New pieces in place of the base's least used ones, so that the vocabulary does not grow."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Collection, Mapping
from typing import NamedTuple

from tokenizers import Tokenizer

from specialize.vocabularies.kinds import Growth, freed, kind_of
from specialize.vocabularies.kinds.holes import HOLE_NAME
from specialize.vocabularies.settings import PieceChoice


class Replacement(NamedTuple):
    """A base vocabulary with new pieces in place of others.

    Attributes:
        growth: with the new ones; every id that it does not replace is as it was.
        replaced: the pieces that have given way, in the order in which they did.
    """

    growth: Growth
    replaced: list[str]


def replace_pieces(
    base: Tokenizer,
    words: Counter[str],
    number: int,
    choice: PieceChoice,
    elsewhere: Mapping[str, Counter[str]],
) -> Replacement:
    """Have the n least used pieces of a base give way to n new ones, which `Kind.grow` chooses.

    A piece that gives way and that the new ones have again stays after all, and the next one gives way.

    Args:
        base, words, number, choice, elsewhere: as of `Kind.grow`; what the words of other languages are cut into stays.
    """
    kind = kind_of(base)
    text = kind.uses(base, words)
    stay = {piece for its_words in elsewhere.values() for piece in kind.uses(base, its_words)}
    while True:
        replaced = least_used(base, text, stay, number)
        growth = kind.grow(freed(base, replaced), words, len(replaced), choice, elsewhere) if replaced else None
        if growth is None:
            return Replacement(Growth(base, [], []), [])
        if again := set(replaced) & set(growth.pieces):
            stay |= again
        elif len(growth.pieces) < len(replaced):
            number = len(growth.pieces)
        else:
            return Replacement(growth, replaced)


def least_used(base: Tokenizer, uses: Mapping[str, int], stay: Collection[str], number: int) -> list[str]:
    """The n pieces of a base that are used the least; of those alike the highest ids first, which were learned last.

    Tokens, letters, bytes, free slots and whatever a remaining piece is made of stay.

    Args:
        base: the vocabulary.
        uses: how often the text is cut into each piece; see `Kind.uses`.
        stay: further pieces that do, with what they are made of.
        number: how many; there may be fewer.
    """
    kind, ids = kind_of(base), base.get_vocab()
    kept = kind.fixed(base) | kind.letters(base).keys() | set(kind.free_slots(base)) | set(stay)
    made_of = kind.made_of(base, ids)
    needed = Counter(part for parts in made_of.values() for part in parts)
    others = [piece for piece in ids if piece not in kept and not HOLE_NAME.fullmatch(piece)]
    waiting = [_rank(piece, uses, ids) for piece in others if not needed[piece]]
    heapq.heapify(waiting)
    may, found = set(others), list[str]()
    while waiting and len(found) < number:
        *_, piece = heapq.heappop(waiting)
        found.append(piece)
        for part in made_of[piece]:
            needed[part] -= 1
            if not needed[part] and part in may:
                heapq.heappush(waiting, _rank(part, uses, ids))
    return found


def _rank(piece: str, uses: Mapping[str, int], ids: Mapping[str, int]) -> tuple[int, int, str]:
    return uses.get(piece, 0), -ids[piece], piece
