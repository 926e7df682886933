"""Word vectors without a transformer: static vectors, and BiLSTMs over them (paper, Table 5; fact 21)."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from specialize.finetuning.layout import EncodedSentences, Layout
from specialize.pretraining.static_vectors import FILES, StaticVectors
from specialize.training.precision import use_precision


@dataclass(frozen=True)
class NumberedBatch:
    """Sentences as word numbers.

    Attributes:
        numbers: (sentences, longest) rows of the trained vectors followed by ``new``; 0 where there is no word.
        new: (words, width) vectors of the words that were not in the training data.
        layout: where the words stand.
    """

    numbers: Tensor
    new: Tensor
    layout: Layout


class StaticWords:
    """Maps words to numbers, and looks up the vectors of those that were not in the training data.

    Args:
        vectors: pretrained static vectors.
        words: those of the training data, whose vectors are trained; numbered in this order, without repetitions.
        unknown_words: `subwords` (a word without its own vector gets that of its subwords), or `shared` (all such
            words share one trained vector, as in the paper's code).
    """

    def __init__(self, vectors: StaticVectors, words: Iterable[str], unknown_words: str) -> None:
        self.vectors, self.unknown_words = vectors, unknown_words
        names = [self._name(word) for word in words]
        if unknown_words == "shared":
            names.insert(0, "")
        self.words = list(dict.fromkeys(names))
        self.description = {"words": self.words, "unknown_words": unknown_words}
        self._numbers = {word: number for number, word in enumerate(self.words)}
        self._new: list[NDArray[numpy.float32]] = []

    def _name(self, word: str) -> str:
        """The word as the vectors spell it, or an empty string if it has the shared vector of unknown words."""
        word = self.vectors.spelled(word)
        if self.unknown_words == "shared" and not self.vectors.has(word):
            return ""
        return word

    def first_vectors(self) -> NDArray[numpy.float32]:
        """(words, width) initial vectors; the shared one is the mean of all."""
        return numpy.stack([self.vectors.of(word) if word else self.vectors.mean() for word in self.words])

    def encode(self, words: list[str]) -> list[list[int]]:
        """The numbers of a sentence's words, each in a list as if it were a wordpiece."""
        return [[self._number(self._name(word))] for word in words]

    def _number(self, word: str) -> int:
        if word not in self._numbers:
            self._numbers[word] = len(self._numbers)
            self._new.append(self.vectors.of(word))
        return self._numbers[word]

    def collate(self, sentences: EncodedSentences, longest: int) -> NumberedBatch:
        """A batch of encoded sentences; `longest` has no effect, since there are no segments."""
        flat = sentences.pieces.copy()
        trained, new = len(self.words), numpy.empty((0, self.vectors.settings.dimension), dtype=numpy.float32)
        untrained = flat >= trained
        if untrained.any():
            chosen, rows = numpy.unique(flat[untrained], return_inverse=True)
            new = numpy.stack([self._new[number - trained] for number in chosen])
            flat[untrained] = trained + rows
        layout = Layout.of(sentences.lengths)
        return NumberedBatch(layout.padded(torch.from_numpy(flat)), torch.from_numpy(new), layout)


class StaticEncoder(nn.Module):
    """Static word vectors, which do not depend on the context; attributes as of `WordEncoder`.

    Args:
        vectors: (words, width) initial vectors of the words in the training data.
    """

    longest = 1 << 30  # words of a sentence; unlimited
    files = FILES
    saved_apart = ()
    undecayed: frozenset[str] = frozenset()

    def __init__(self, vectors: NDArray[numpy.float32]) -> None:
        super().__init__()
        words, self.width = vectors.shape
        self.pretrained = nn.Embedding(words, self.width, _weight=torch.from_numpy(vectors))
        self.added = nn.Identity()
        self.description: dict[str, str] = {}
        self.precision = use_precision("float32")
        self.frozen = False

    def forward(self, batch: NumberedBatch) -> Tensor:
        """Word vectors: (sentences, longest, width), zeros where there is no word."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            table = self.pretrained.weight
            if len(batch.new):
                table = torch.cat([table, batch.new])
            vectors = nn.functional.embedding(batch.numbers, table)
        return vectors * batch.layout.mask.unsqueeze(2)

    def save(self, folder: Path, source: Path) -> None:
        """Copy the pretrained vectors, for words that were not in the training data."""
        folder.mkdir()
        for name in FILES:
            shutil.copyfile(source / name, folder / name)


class TaskEncoder(nn.Module):
    """A BiLSTM that makes static vectors contextual.

    Args:
        width: of the vectors.
        layers, hidden_size: of the BiLSTM; its output is 2 · hidden_size wide.
        input_dropout: probability, applied to the vectors before the first layer.
        dropout: probability between layers; with ``highway``, of recurrent dropout.
        highway: highway connections around each layer, as in the paper's parser.
    """

    def __init__(
        self, width: int, layers: int, hidden_size: int, input_dropout: float, dropout: float, highway: bool
    ) -> None:
        super().__init__()
        self.input_dropout = nn.Dropout(input_dropout)
        kind = HighwayBiLstm if highway else BiLstm
        self.layers = kind(width, hidden_size, layers, dropout)

    def forward(self, vectors: Tensor, layout: Layout) -> Tensor:
        """(sentences, longest, width) to (sentences, longest, 2 · hidden size)."""
        states: Tensor = self.layers(self.input_dropout(vectors), layout)
        return states


class BiLstm(nn.Module):
    """A standard BiLSTM; arguments as of `TaskEncoder`."""

    def __init__(self, width: int, hidden_size: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.lstm = nn.LSTM(
            width, hidden_size, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0, bidirectional=True
        )

    def forward(self, vectors: Tensor, layout: Layout) -> Tensor:
        """(sentences, longest, width) to (sentences, longest, 2 · hidden size)."""
        lengths = sorted(layout.lengths, reverse=True)
        packed = nn.utils.rnn.pack_padded_sequence(vectors.index_select(0, layout.order), lengths, batch_first=True)
        states, _ = nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        return states.index_select(0, layout.back)


class HighwayBiLstm(nn.Module):
    """A BiLSTM with highway gates in every layer, and recurrent dropout with one mask per sentence.

    Both directions are computed together. The backward direction gets each sentence's words reversed, so that padding
    comes last in both directions and never influences a word.
    """

    def __init__(self, width: int, hidden_size: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.hidden_size, self.dropout = hidden_size, dropout
        widths = [width, *[2 * hidden_size] * (layers - 1)]
        self.inputs = nn.ParameterList([_orthogonal(2, each, 6, hidden_size) for each in widths])
        self.states = nn.ParameterList([_orthogonal(2, hidden_size, 5, hidden_size) for _ in widths])
        self.biases = nn.ParameterList([torch.zeros(2, 1, 6 * hidden_size) for _ in widths])
        for bias in self.biases:
            nn.init.ones_(bias[:, :, hidden_size : 2 * hidden_size])  # the forget gate

    def forward(self, vectors: Tensor, layout: Layout) -> Tensor:
        """(sentences, longest, width) to (sentences, longest, 2 · hidden size)."""
        mask = layout.mask
        length = mask.shape[1]
        positions = torch.arange(length, device=mask.device)
        lengths = mask.sum(1, keepdim=True)
        reverse = torch.where(mask, lengths - 1 - positions, positions).T  # (longest, sentences)
        sentences = torch.arange(len(mask), device=mask.device)
        states = vectors.transpose(0, 1)
        for inputs, recurrent, bias in zip(self.inputs, self.states, self.biases, strict=True):
            both = torch.stack([states, states[reverse, sentences]]).flatten(1, 2)
            projected = torch.baddbmm(bias, both, inputs).view(2, *states.shape[:2], -1)
            forward, backward = self._layer(projected, recurrent)
            states = torch.cat([forward, backward[reverse, sentences]], -1)
        return states.transpose(0, 1) * mask.unsqueeze(2)

    def _layer(self, projected: Tensor, recurrent: Tensor) -> Tensor:
        """(2, longest, sentences, 6 · hidden size) to (2, longest, sentences, hidden size)."""
        kept = None
        if self.training and self.dropout:
            ones = projected.new_ones(2, projected.shape[2], self.hidden_size)
            kept = nn.functional.dropout(ones, self.dropout)
        remember = torch.is_grad_enabled()
        states: Tensor = _HighwayLayer.apply(projected, recurrent, kept, remember)  # type: ignore[no-untyped-call]
        return states


class _HighwayLayer(torch.autograd.Function):
    """A highway layer with its gradient written out: 10 operations a word, and 7 for the gradient.

    As separate operations with torch's own gradient they were 54, for most of which a GPU starts a kernel. All words'
    values of a kind stand in one tensor, so that what need not go from word to word is computed at once, the gradient
    of the recurrent weights above all. A word's 6 · hidden size are in blocks: the gates that let in, forget, let out
    and let by; what is let in; and from the layer's input what is let by.
    """

    @staticmethod
    def forward(context: Any, projected: Tensor, recurrent: Tensor, kept: Tensor | None, remember: bool) -> Tensor:
        """The states of all words, (2, longest, sentences, hidden size).

        Args:
            context: torch's.
            projected: (2, longest, sentences, 6 · hidden size), what the layer's input adds to the blocks.
            recurrent: (2, hidden size, 5 · hidden size) weights.
            kept: (2, sentences, hidden size) what a state is multiplied with on its way to the next word.
            remember: whether a gradient will be asked for.
        """
        size, (directions, longest, sentences, _) = recurrent.shape[1], projected.shape

        def room(width: int, for_each: bool) -> Tensor:
            """For values of each word, or of one word after the other in the same place."""
            values = projected.new_empty(directions, longest if for_each else 1, sentences, width)
            return values.expand(-1, longest, -1, -1)

        blocks, cells, before = (room(width, remember) for width in (5 * size, size, size))
        states = room(size, True)
        sums = projected.new_empty(directions, sentences, 5 * size)
        sums_of_gates, sum_let_in = sums.split_with_sizes([4 * size, size], 2)
        output = projected.new_empty(directions, sentences, size)
        state = cell = torch.zeros_like(output)
        of_words = [projected[..., : 5 * size], projected[..., 5 * size :], blocks[..., : 4 * size]]
        of_words += [*blocks.chunk(5, 3), cells, before, states]
        for word in zip(*(values.unbind(1) for values in of_words), strict=True):
            added, skipped, gates, enter, forget, leave, pass_by, let_in, next_cell, dropped, next_state = word
            if kept is not None:
                state = torch.mul(state, kept, out=dropped)
            torch.baddbmm(added, state, recurrent, out=sums)
            torch.sigmoid(sums_of_gates, out=gates)
            torch.tanh(sum_let_in, out=let_in)
            torch.mul(enter, let_in, out=output)
            cell = torch.mul(forget, cell, out=next_cell).add_(output)
            torch.tanh(cell, out=output).mul_(leave)
            state = torch.lerp(skipped, output, pass_by, out=next_state)
        context.save_for_backward(projected, recurrent, kept, blocks, cells, before, states)
        return states

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        """Of `projected` and `recurrent`."""
        projected, recurrent, kept, blocks, cells, before, states = context.saved_tensors
        (of_states,), size = gradients, recurrent.shape[1]
        enter, forget, leave, pass_by, let_in = blocks.chunk(5, 3)
        tanhs, skipped = cells.tanh(), projected[..., 5 * size :]
        # What the gradient of a word's state, or of its cell, is multiplied with on its way to each block's sum.
        by_state = torch.stack(
            [pass_by * tanhs * leave * (1 - leave), (leave * tanhs - skipped) * pass_by * (1 - pass_by)], 3
        )
        by_cell = torch.stack([let_in * enter * (1 - enter), _shifted(cells) * forget * (1 - forget)], 3)
        by_let_in, to_cell = enter * (1 - let_in**2), pass_by * leave * (1 - tanhs**2)
        found = projected.new_empty(*projected.shape[:3], 6, size)
        entering_and_forgetting, leaving_and_passing, letting_in, skipping = found.split_with_sizes([2, 2, 1, 1], 3)
        sums, backwards = found.flatten(3)[..., : 5 * size], recurrent.transpose(1, 2)
        whole = torch.empty_like(states)  # of the states, what comes from the next word included
        of_cell = torch.zeros_like(states[:, 0])
        of_words = [of_states, whole, whole.unsqueeze(3), by_state, by_cell, by_let_in, to_cell, forget, sums]
        of_words += [entering_and_forgetting, leaving_and_passing, letting_in.squeeze(3)]
        from_next = None
        for word in reversed(list(zip(*(values.unbind(1) for values in of_words), strict=True))):
            gradient, of_state, of_both, leaves, enters, lets_in, into_cell, forgets, of_sums, *places = word
            if from_next is None:
                of_state.copy_(gradient)
            elif kept is None:
                torch.baddbmm(gradient, from_next, backwards, out=of_state)
            else:
                torch.addcmul(gradient, torch.bmm(from_next, backwards), kept, out=of_state)
            of_cell.addcmul_(of_state, into_cell)
            torch.mul(enters, of_cell.unsqueeze(2), out=places[0])
            torch.mul(leaves, of_both, out=places[1])
            torch.mul(lets_in, of_cell, out=places[2])
            of_cell *= forgets
            from_next = of_sums
        torch.mul(whole, 1 - pass_by, out=skipping.squeeze(3))
        if kept is None:
            before = _shifted(states)
        of_recurrent = before.flatten(1, 2).transpose(1, 2) @ sums.flatten(1, 2)
        return found.flatten(3), of_recurrent, None, None


def _shifted(values: Tensor) -> Tensor:
    """Each word's values at the next word, zeros at the first."""
    return nn.functional.pad(values[:, :-1], (0, 0, 0, 0, 1, 0))


def _orthogonal(directions: int, rows: int, blocks: int, columns: int) -> Tensor:
    """(directions, rows, blocks · columns) weights, each block orthogonal by itself."""
    matrices = [nn.init.orthogonal_(torch.empty(rows, columns)) for _ in range(directions * blocks)]
    return torch.cat(matrices, 1).view(rows, directions, -1).transpose(0, 1).contiguous()
