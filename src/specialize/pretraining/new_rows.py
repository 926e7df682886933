"""Room for new pieces in a model, and where their rows start from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers.modeling_utils import PreTrainedModel

from specialize.bases.architectures import architecture_of
from specialize.vocabularies import kind_of


@dataclass(frozen=True)
class NewPieces:
    """Pieces that a base vocabulary lacks.

    Attributes:
        base: the tokenizer of the base model.
        ids: of each of them.
        slots: ids that free slots of the base have, whose rows it has never used.
    """

    base: Tokenizer
    ids: Mapping[str, int]
    slots: frozenset[int]

    @classmethod
    def of(cls, base: Tokenizer, ids: Mapping[str, int]) -> NewPieces:
        """Those of a vocabulary that has grown from the base's."""
        known = base.get_vocab()
        return cls(base, ids, frozenset(known[slot] for slot in kind_of(base).free_slots(base)))

    def parts(self, beyond_slots: bool) -> Sources:
        """The pieces that the base had cut new ones into; see `Sources`.

        Args:
            beyond_slots: only of those that have taken no free slot.
        """
        wanted = {number: piece for piece, number in self.ids.items() if not (beyond_slots and number in self.slots)}
        numbers = sorted(wanted)
        cut = kind_of(self.base).base_pieces(self.base, [wanted[number] for number in numbers])
        return dict(zip(numbers, cut, strict=True))


# Of new rows, by id, the ids of the base's rows whose mean they start from: all rows, if there is none. A row that is
# not there stays as it is: a slot's as the base model has it, one beyond as the architecture's first ones were drawn.
Sources = Mapping[int, list[int]]

INITIALISATIONS: dict[str, Callable[[NewPieces], Sources]] = {
    "slot": lambda pieces: pieces.parts(beyond_slots=True),
    "mean": lambda pieces: pieces.parts(beyond_slots=False),
    "random": lambda pieces: {},
}


def make_room(model: PreTrainedModel, rows: int) -> None:
    """Have at least so many rows in each matrix, and entries in the output bias; those that there are stay.

    Further ones are drawn by torch's random numbers, as the architecture's first ones were.
    """
    architecture = architecture_of(model.config)
    before = [tensor.detach() for tensor in _tables(model)]
    if rows > len(before[0]):
        model.resize_token_embeddings(rows, mean_resizing=False)
        architecture.join_biases(model)
        after = _tables(model)
        assert len(before) == len(after)
        assert all(
            len(new) == rows and torch.equal(new[: len(old)], old) for old, new in zip(before, after, strict=True)
        )


def initialise(model: PreTrainedModel, pieces: NewPieces, how: str) -> int:
    """Have the rows of new pieces start from others, in every matrix and in the output bias.

    Args:
        model: with room for them.
        pieces: the new ones.
        how: a key of `INITIALISATIONS`.

    Returns:
        How many of them the base cuts into nothing that it knows, so that they start from the mean of all its rows.
    """
    sources = INITIALISATIONS[how](pieces)
    without_parts = [number for number, parts in sources.items() if not parts]
    if how == "random":
        _draw_replaced(model, pieces)
    known = torch.tensor(sorted(set(pieces.base.get_vocab().values()) - pieces.slots))
    with torch.no_grad():
        for table in _tables(model):
            # All are read before any is written: a replaced piece's row may be part of another's start.
            means = {number: table[parts].mean(0) for number, parts in sources.items() if parts}
            if without_parts:  # else no copy of a large matrix is made
                means |= dict.fromkeys(without_parts, table.index_select(0, known).mean(0))
            for number, mean in means.items():
                table[number] = mean
    return len(without_parts)


def _draw_replaced(model: PreTrainedModel, pieces: NewPieces) -> None:
    """Draw the rows of new pieces that stand in place of the base's, as those beyond all others were drawn."""
    known = set(pieces.base.get_vocab().values()) - pieces.slots
    replaced = sorted(number for number in pieces.ids.values() if number in known)
    with torch.no_grad():
        for table in _tables(model) if replaced else ():
            drawn = torch.zeros_like(table[replaced])
            table[replaced] = drawn.normal_(0.0, model.config.initializer_range) if drawn.ndim > 1 else drawn


def _tables(model: PreTrainedModel) -> list[Tensor]:
    """Everything that has a row, or a number, for each piece."""
    architecture = architecture_of(model.config)
    bias = architecture.output_bias(model)
    return [*architecture.matrices(model), *([] if bias is None else [bias])]
