"""Sentences as flat arrays of numbers, and where the words of a batch stand; all of it is made on the host."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from specialize.training.ragged import Integers, items_of


@dataclass(frozen=True)
class EncodedSentences:
    """Sentences as the numbers of their words' pieces, without a Python object for each.

    Attributes:
        pieces: (pieces,) of all words.
        counts: (words,) pieces of each word; a word may have none.
        lengths: (sentences,) words of each sentence.
        sizes: (sentences,) pieces of each sentence.
    """

    pieces: Integers
    counts: Integers
    lengths: Integers
    sizes: Integers

    @classmethod
    def of(cls, sentences: Iterable[list[list[int]]]) -> EncodedSentences:
        """Of each sentence, for each word, its pieces."""
        words = list(sentences)
        return cls(
            pieces=flat_array(chain.from_iterable(chain.from_iterable(words))),
            counts=flat_array(len(word) for sentence in words for word in sentence),
            lengths=flat_array(map(len, words)),
            sizes=flat_array(sum(map(len, sentence)) for sentence in words),
        )

    def __len__(self) -> int:
        """Number of sentences."""
        return len(self.lengths)

    def words_of(self, sentences: NDArray[Any]) -> Integers:
        """The indices of all words of some sentences, in an array of all words."""
        return items_of(self.lengths, sentences)

    def chosen(self, sentences: NDArray[Any]) -> EncodedSentences:
        """Some sentences, in the order given."""
        return EncodedSentences(
            self.pieces[items_of(self.sizes, sentences)],
            self.counts[self.words_of(sentences)],
            self.lengths[sentences],
            self.sizes[sentences],
        )


def flat_array(numbers: Iterable[int]) -> Integers:
    """Whole numbers as an array."""
    return numpy.fromiter(numbers, dtype=numpy.int64)


@dataclass(frozen=True)
class Layout:
    """Where the words of a batch stand in a matrix of (sentences, longest).

    Places are made on the host, since an index by a mask would make a GPU wait for the number of words.

    Attributes:
        mask: (sentences, longest) True where there is a word.
        places: (words,) place of each word in the flattened matrix, sentence after sentence.
        order: (sentences,) from the longest one to the shortest.
        back: (sentences,) where each sentence is in that order.
        lengths: of each sentence, in words; on the host.
    """

    mask: Tensor
    places: Tensor
    order: Tensor
    back: Tensor
    lengths: tuple[int, ...]

    @classmethod
    def of(cls, lengths: Iterable[int]) -> Layout:
        """Of sentences of so many words each."""
        words = numpy.asarray(lengths if isinstance(lengths, numpy.ndarray) else list(lengths), dtype=numpy.int64)
        mask = numpy.arange(words.max()) < words[:, None]
        order = numpy.argsort(-words, kind="stable")
        arrays = (mask, numpy.flatnonzero(mask), order, numpy.argsort(order))
        on_mask, places, by_length, back = map(torch.from_numpy, arrays)
        return cls(on_mask, places, by_length, back, tuple(words.tolist()))

    def padded(self, words: Tensor) -> Tensor:
        """(words, …) as (sentences, longest, …), zeros where there is no word."""
        rows = words.new_zeros(self.mask.numel(), *words.shape[1:]).index_copy(0, self.places, words)
        return rows.view(*self.mask.shape, *words.shape[1:])

    def flat(self, padded: Tensor) -> Tensor:
        """(sentences, longest, …) as (words, …)."""
        return padded.flatten(0, 1).index_select(0, self.places)
