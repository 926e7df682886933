"""Whether a vocabulary that has grown still has every id of its base."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tokenizers import Tokenizer

from specialize.errors import SpecializeError
from specialize.vocabularies.kinds import kind_of


def check_ids(base: Tokenizer, grown: Tokenizer, pieces: Mapping[str, int], replaced: Iterable[str] = ()) -> None:
    """Check that every id of a base vocabulary is still its piece's, but for those that new pieces have taken.

    Args:
        base: of the base model.
        grown: with new pieces.
        pieces: the new ones, with their ids: of free slots, of replaced pieces, or after all others.
        replaced: the base's pieces that have given way, each to a new one.

    Raises:
        SpecializeError: if not.
    """
    before, after, gone = base.get_vocab(), grown.get_vocab(), set(replaced)
    free = gone | set(kind_of(base).free_slots(base))
    lost = {piece for piece, number in before.items() if after.get(piece) != number}
    new = {piece: number for piece, number in after.items() if before.get(piece) != number}
    taken = {before[piece] for piece in lost}
    strange = sorted(
        (lost - free) | (gone - lost) | {piece for piece, number in new.items() if pieces.get(piece) != number}
    )
    strange += sorted(pieces.keys() - new.keys())
    if strange or not taken <= set(new.values()) or len(set(after.values())) != len(after):
        raise SpecializeError(
            "ids of the base vocabulary do not stand for its pieces in the new one"
            f"{': ' if strange else ''}{', '.join(strange[:3])}; make both anew from one base model"
        )
