"""Words to vectors: wordpieces through a transformer, a learned mix of its layers, the mean over each word's pieces."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import torch
from filelock import FileLock
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers.utils import logging

from specialize.bases.architectures import architecture_of
from specialize.files import atomic_path, file_hash
from specialize.finetuning.layout import EncodedSentences, Layout
from specialize.training.precision import matrix_products, use_precision
from specialize.training.ragged import Integers, within
from specialize.vocabularies import check_reload, copy_vocabulary, kind_of, set_positions

logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # a head that is not loaded is no news here
logging.disable_progress_bar()  # type: ignore[no-untyped-call]

DROPPED_LOGIT = -1e20


@dataclass(frozen=True)
class WordBatch:
    """Sentences as wordpieces, and which pieces make up each word.

    Attributes:
        ids: (segments, length) wordpiece ids, padded; a long sentence takes several segments (fact 23).
        attention: (segments, length) True where there is a piece.
        padded: whether it is False anywhere.
        pieces: indices of the pieces that words are the mean of in the flattened ids, word after word.
        offsets: (words,) where each word's pieces begin in ``pieces``; a word may have none.
        layout: where the words stand.
    """

    ids: Tensor
    attention: Tensor
    padded: bool
    pieces: Tensor
    offsets: Tensor
    layout: Layout


class WordPieces:
    """Turns words into wordpiece ids; each word is segmented on its own (fact 23).

    Attributes:
        description: what `predict` must know to do it in the same way.

    Args:
        folder: of the model.
        leading_space: whether a word has the space before it that byte-level pieces know it by; the paper's code left
            it out, which handicaps BERT.
    """

    def __init__(self, folder: Path, leading_space: bool = True) -> None:
        self.folder = folder
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        kind = kind_of(self.tokenizer, folder / "tokenizer.json")
        kind.set_leading_space(self.tokenizer, leading_space)
        self.leading_space, self.special = leading_space, kind.special_ids(self.tokenizer)
        self.bare_marks = numpy.asarray(sorted(kind.bare_marks(self.tokenizer)), dtype=numpy.int64)
        self.description = {"leading_space": leading_space}
        self._known: dict[str, list[int]] = {}

    def encode(self, words: list[str]) -> list[list[int]]:
        """The pieces of each word of a sentence."""
        new = sorted({word for word in words if word not in self._known})
        encoded = self.tokenizer.encode_batch_fast(new, add_special_tokens=False) if new else []
        self._known.update(zip(new, (encoding.ids for encoding in encoded), strict=True))
        return [self._known[word] for word in words]

    def share(self, words: Iterable[str], folder: Path) -> None:
        """Encode words, or take them from where a job with the same words and vocabulary has left them.

        Args:
            words: all that will be asked for.
            folder: of such files, each known by its content: the vocabulary and the words.
        """
        distinct = sorted(set(words))
        content = [file_hash(self.folder / "tokenizer.json"), self.leading_space, distinct]
        path = folder / f"{hashlib.sha256(json.dumps(content).encode()).hexdigest()}.safetensors"
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):  # all seeds of a cell may start at once
            if not path.is_file():
                encoded = self.encode(distinct)
                arrays: dict[str, NDArray[Any]] = {
                    "ids": numpy.asarray([piece for word in encoded for piece in word], dtype=numpy.int32),
                    "ends": numpy.cumsum([len(word) for word in encoded], dtype=numpy.int64),
                }
                with atomic_path(path) as temporary:
                    save_file(arrays, temporary)
        arrays = load_file(path)
        ids, ends = (arrays[name].tolist() for name in ("ids", "ends"))
        for word, start, end in zip(distinct, [0, *ends], ends, strict=False):
            self._known[word] = ids[start:end]

    def collate(self, sentences: EncodedSentences, longest: int) -> WordBatch:
        """Encoded sentences as one batch.

        Args:
            sentences: their pieces.
            longest: the most pieces a segment may have, the two special ones included.
        """
        room = longest - 2
        segments = numpy.maximum(-(-sentences.sizes // room), 1)  # of each sentence
        last = numpy.cumsum(segments) - 1
        lengths = numpy.full(last[-1] + 1, room)  # of each segment
        lengths[last] = sentences.sizes - (segments - 1) * room
        width = int(lengths.max()) + 2
        ids = numpy.full((len(lengths), width), self.special["pad"], dtype=numpy.int64)
        rows, columns = numpy.arange(len(lengths)), numpy.arange(width)
        ids[:, 0] = self.special["start"]
        ids[rows, lengths + 1] = self.special["end"]
        pieces = numpy.repeat(rows, lengths) * width + within(lengths) + 1  # those of a sentence go on in the next row
        ids.reshape(-1)[pieces] = sentences.pieces
        evidence, counts = self._evidence(sentences)
        offsets = numpy.cumsum(counts) - counts
        return WordBatch(
            ids=torch.from_numpy(ids),
            attention=torch.from_numpy(columns <= lengths[:, None] + 1),
            padded=int(lengths.min()) + 2 < width,
            pieces=torch.from_numpy(pieces[evidence]),
            offsets=torch.from_numpy(offsets),
            layout=Layout.of(sentences.lengths),
        )

    def _evidence(self, sentences: EncodedSentences) -> tuple[NDArray[numpy.bool_], Integers]:
        """Which pieces words are the mean of, and how many of each: all but bare marks, unless a word has no others.

        The model reads the marks, as in pretraining.
        """
        bare = numpy.isin(sentences.pieces, self.bare_marks)
        words = numpy.repeat(numpy.arange(len(sentences.counts)), sentences.counts)
        others = numpy.bincount(words[~bare], minlength=len(sentences.counts))
        return ~bare | (others == 0)[words], numpy.where(others == 0, sentences.counts, others)


class ScalarMix(nn.Module):
    """A weighted sum of layers: softmax weights that start equal, and a scale γ that starts at 1 (fact 22).

    Args:
        layers: how many.
        dropout: probability that a layer is left out of the mix.
        dropout_when_evaluating: also outside training, as the paper's code did.
    """

    def __init__(self, layers: int, dropout: float, dropout_when_evaluating: bool) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(layers))
        self.gamma = nn.Parameter(torch.ones(1))
        self.dropout = dropout
        self.dropout_when_evaluating = dropout_when_evaluating

    def forward(self, layers: tuple[Tensor, ...]) -> Tensor:
        """Mix tensors of one shape into one of that shape."""
        logits: Tensor = self.weights
        if self.dropout and (self.training or self.dropout_when_evaluating):
            dropped = torch.rand(len(logits), device=logits.device) < self.dropout
            logits = logits.masked_fill(dropped, DROPPED_LOGIT)
        weights = torch.softmax(logits, dim=0)
        mixed: Tensor = self.gamma * torch.stack([w * layer for w, layer in zip(weights, layers, strict=True)]).sum(0)
        return mixed


class WordEncoder(nn.Module):
    """Contextual word vectors from a pretrained transformer.

    Attributes:
        pretrained: what learns at the encoder's rate, and can be frozen.
        added: what learns at the head's.
        undecayed: names of the parameters within `pretrained` that do not decay.
        longest: the most pieces that it reads at once, the two special ones included.
        files: of the folder, that training depends on.
        saved_apart: names of the parameters that `save` writes.
        description: what must be known to make it anew, on a machine where the setting of precision may mean another.
        precision: what it means on this one.

    Args:
        folder: the model folder.
        layer_dropout, dropout_when_evaluating: see `ScalarMix`.
        precision: setting of the transformer's matrix products; see `training.precision`.
    """

    files = ("config.json", "model.safetensors", "tokenizer.json")
    saved_apart = ("encoder.pretrained.",)

    def __init__(
        self, folder: Path, layer_dropout: float, dropout_when_evaluating: bool, precision: str = "float32"
    ) -> None:
        super().__init__()
        architecture = architecture_of(folder)
        self.attention_inputs = architecture.attention_inputs
        self.pretrained = architecture.encoder(folder)
        self.undecayed = architecture.undecayed(self.pretrained)
        config = self.pretrained.config
        self.added = ScalarMix(config.num_hidden_layers, layer_dropout, dropout_when_evaluating)
        self.width: int = config.hidden_size
        self.longest = architecture.positions(config.to_dict())
        self.precision = use_precision(precision)
        self.description = {"precision": precision}
        self.frozen = False

    def forward(self, batch: WordBatch) -> Tensor:
        """Word vectors: (sentences, longest, width), zeros where there is no word or a word has no pieces."""
        learns = torch.is_grad_enabled() and not self.frozen
        with torch.set_grad_enabled(learns), matrix_products(self.precision, self.pretrained):
            attention = self.attention_inputs(batch.attention, batch.padded, self.pretrained.config)
            output = self.pretrained(input_ids=batch.ids, **attention, output_hidden_states=True)
        mixed = self.added(output.hidden_states[1:]).flatten(0, 1)  # the embeddings' output is not in the mix
        words = nn.functional.embedding_bag(batch.pieces, mixed, batch.offsets, mode="mean")
        return batch.layout.padded(words)

    def save(self, folder: Path, source: Path) -> None:
        """Write the transformer as a Hugging Face folder, with the tokenizer of the folder it is from."""
        self.pretrained.save_pretrained(folder)
        copy_vocabulary(source, folder)
        set_positions(folder, self.longest)
        check_reload(folder, positions=self.longest)
