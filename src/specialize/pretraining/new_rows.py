"""Room for new pieces in a model, and where their rows start from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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

    def kept(self) -> dict[str, int]:
        """The base's own pieces whose rows stay, by id: without free slots, special tokens and the unknown one."""
        gone = self.slots | set(self.ids.values())
        names = {token.content for token in self.base.get_added_tokens_decoder().values()}
        names.add(kind_of(self.base).unknown(self.base))
        stay = ((number, piece) for piece, number in self.base.get_vocab().items() if number not in gone)
        return {piece: number for number, piece in sorted(stay) if piece not in names}

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


@dataclass(frozen=True)
class Mixture:
    """New rows that start from weighted means of the base's.

    Attributes:
        ids: of the new ones.
        of: the base's, by id.
        weights: a row for each of `ids`, of as many numbers as `of` has, whose sum is 1.
    """

    ids: list[int]
    of: list[int]
    weights: Tensor

    def rows(self, table: Tensor, generator: torch.Generator) -> Tensor:
        """The new rows of a matrix, or entries of a bias."""
        return self.weights @ table[self.of]


@dataclass(frozen=True)
class Drawn:
    """New rows that are drawn from the normal distribution of the base's: its mean and deviation in each dimension.

    Attributes:
        ids: of the new ones.
        of: the base's, by id; two at least.
    """

    ids: list[int]
    of: list[int]

    def rows(self, table: Tensor, generator: torch.Generator) -> Tensor:
        """The new rows of a matrix, or entries of a bias."""
        deviation, mean = torch.std_mean(table[self.of], dim=0)
        shape = (len(self.ids), *mean.shape)
        return torch.normal(mean.expand(shape), deviation.expand(shape), generator=generator)


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


def start_rows(model: PreTrainedModel, starts: Iterable[Mixture | Drawn], seed: int) -> None:
    """Have new rows start as they are mixed or drawn, in every matrix and in the output bias.

    Args:
        model: with room for them.
        starts: each new row in one of them.
        seed: of what is drawn.
    """
    generator = torch.Generator().manual_seed(seed)
    tables = _tables(model)
    with torch.no_grad():
        # All before any is written: a new piece may have the id of one that another starts from.
        made = [(start.ids, [start.rows(table, generator) for table in tables]) for start in starts]
        for ids, rows_of_tables in made:
            for table, rows in zip(tables, rows_of_tables, strict=True):
                table[ids] = rows


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
