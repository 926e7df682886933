"""Word vectors without a transformer: static vectors, and BiLSTMs over them (paper, Table 5; fact 21)."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from specialize.pretraining.static_vectors import FILES, StaticVectors
from specialize.training.devices import device
from specialize.training.precision import use_precision


@dataclass(frozen=True)
class NumberedBatch:
    """Sentences as word numbers.

    Attributes:
        numbers: (sentences, longest) rows of the trained vectors followed by ``new``; 0 where there is no word.
        new: (words, width) vectors of the words that were not in the training data.
        mask: (sentences, longest) True where there is a word.
    """

    numbers: Tensor
    new: Tensor
    mask: Tensor


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

    def collate(self, sentences: list[list[list[int]]], longest: int) -> NumberedBatch:
        """A batch of encoded sentences; `longest` has no effect, since there are no segments."""
        lengths = numpy.asarray([len(sentence) for sentence in sentences])
        mask = numpy.arange(lengths.max()) < lengths[:, None]
        flat = numpy.asarray([number for sentence in sentences for (number,) in sentence], dtype=numpy.int64)
        trained, new = len(self.words), numpy.empty((0, self.vectors.settings.dimension), dtype=numpy.float32)
        untrained = flat >= trained
        if untrained.any():
            chosen, rows = numpy.unique(flat[untrained], return_inverse=True)
            new = numpy.stack([self._new[number - trained] for number in chosen])
            flat[untrained] = trained + rows
        numbers = numpy.zeros(mask.shape, dtype=numpy.int64)
        numbers[mask] = flat
        return NumberedBatch(*(torch.from_numpy(array).to(device()) for array in (numbers, new, mask)))


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
        return vectors * batch.mask.unsqueeze(2)

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

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """(sentences, longest, width) to (sentences, longest, 2 · hidden size)."""
        states: Tensor = self.layers(self.input_dropout(vectors), mask)
        return states


class BiLstm(nn.Module):
    """A standard BiLSTM; arguments as of `TaskEncoder`."""

    def __init__(self, width: int, hidden_size: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.lstm = nn.LSTM(
            width, hidden_size, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0, bidirectional=True
        )

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """(sentences, longest, width) to (sentences, longest, 2 · hidden size)."""
        lengths = mask.sum(1).cpu()
        packed = nn.utils.rnn.pack_padded_sequence(vectors, lengths, batch_first=True, enforce_sorted=False)
        states, _ = nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        return states


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

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """(sentences, longest, width) to (sentences, longest, 2 · hidden size)."""
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
        size = self.hidden_size
        state = cell = projected.new_zeros(2, projected.shape[2], size)
        dropout_mask = nn.functional.dropout(torch.ones_like(state), self.dropout, self.training)
        outputs = []
        for step in projected.unbind(1):
            gates = torch.baddbmm(step[..., : 5 * size], state * dropout_mask, recurrent)
            input_gate, forget_gate, output_gate, highway_gate = gates[..., : 4 * size].sigmoid().chunk(4, -1)
            cell = input_gate * gates[..., 4 * size :].tanh() + forget_gate * cell
            state = torch.lerp(step[..., 5 * size :], output_gate * cell.tanh(), highway_gate)
            outputs.append(state)
        return torch.stack(outputs, 1)


def _orthogonal(directions: int, rows: int, blocks: int, columns: int) -> Tensor:
    """(directions, rows, blocks · columns) weights, each block orthogonal by itself."""
    matrices = [nn.init.orthogonal_(torch.empty(rows, columns)) for _ in range(directions * blocks)]
    return torch.cat(matrices, 1).view(rows, directions, -1).transpose(0, 1).contiguous()
