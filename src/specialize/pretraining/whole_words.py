"""Masks of whole words, after BERT's whole word masking.

Words are drawn until an example has as many masked pieces as it shall have; one that does not fit is passed over
(`create_masked_lm_predictions` of `create_pretraining_data.py`, google-research/bert, 2019). What becomes of each piece
of a word is drawn for itself, as it is without whole words.
"""

from __future__ import annotations

from typing import Any

import numpy
from numpy.typing import NDArray
from tokenizers import Tokenizer

from specialize.vocabularies import kind_of

ABSENT = 2.0  # ranks are below 1


def beginnings(pieces: NDArray[numpy.int32], line_starts: NDArray[Any], tokenizer: Tokenizer) -> NDArray[numpy.bool]:
    """Which pieces of a text begin a word: those that say so, and the first of a line, which may have no space.

    Args:
        pieces: (n,) ids of the pieces of all lines.
        line_starts: places of the first piece of each line.
        tokenizer: whose kind knows what its pieces say.
    """
    kind, vocabulary = kind_of(tokenizer), tokenizer.get_vocab()
    begins = numpy.ones(1 + max(vocabulary.values()), dtype=numpy.bool)
    for piece, number in vocabulary.items():
        begins[number] = kind.begins_word(tokenizer, piece)
    found: NDArray[numpy.bool] = begins[pieces]
    found[line_starts] = True
    return found


def drawn_words(
    ranks: NDArray[Any], begins: NDArray[numpy.bool], wanted: NDArray[numpy.int64]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """The places of some whole words of each example.

    An example in which no word fits has as many masked pieces as it shall have, drawn one by one.

    Args:
        ranks: (examples, length) random numbers below 1, more where an example has no piece; words come in the order
            of those of their first pieces.
        begins: (examples, length) whether a piece begins a word; the first of an example does.
        wanted: (examples,) how many pieces are masked, or somewhat fewer.

    Returns:
        (examples, most) places, those that are masked first and from left to right, and which of them are masked.
    """
    rows, present = numpy.arange(len(ranks)), ranks < 1
    begins = begins & present
    word = numpy.cumsum(begins, axis=1, dtype=numpy.int32) - 1
    number = begins.sum(axis=1)
    width, some = int(number.max()), numpy.nonzero(begins)
    words_before = (rows * width)[:, None] + word
    sizes = numpy.bincount(words_before[present], minlength=len(ranks) * width).reshape(len(ranks), width)
    word_ranks = numpy.full((len(ranks), width), ABSENT)
    word_ranks[some[0], word[some]] = ranks[some]
    order = numpy.argsort(word_ranks, axis=1)
    fitting = numpy.zeros((len(ranks), width), dtype=numpy.bool)
    left = wanted.copy()
    for turn in range(width):
        candidate = order[:, turn]
        size = sizes[rows, candidate]  # 0 beyond an example's words, which changes nothing
        fits = size <= left
        fitting[rows, candidate] = fits
        left -= size * fits
        if not left.any():
            break
    masked = fitting[rows[:, None], word] & present
    without = numpy.nonzero(left == wanted)[0]
    if len(without):
        turns = numpy.argsort(numpy.argsort(ranks[without], axis=1), axis=1)
        masked[without] = turns < wanted[without, None]
    places = numpy.argsort(~masked, axis=1, kind="stable")[:, : int(wanted.max())]
    return places, numpy.take_along_axis(masked, places, axis=1)
