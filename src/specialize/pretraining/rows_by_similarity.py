"""New rows as weighted means of those of similar pieces: FOCUS (Dobler and de Melo, 2023).

Konstantin Dobler and Gerard de Melo: FOCUS: effective embedding initialization for monolingual specialization of
multilingual models (EMNLP 2023). Static vectors of the pieces are learned from the text, cut by the new tokenizer. The
weights of a new piece are the sparsemax of the cosines of its vector with those of the pieces that base and new
vocabulary share. A piece without a vector is drawn from the distribution of all rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from gensim.models.keyedvectors import KeyedVectors
from tokenizers import Tokenizer
from torch import Tensor

from specialize.corpora import read_corpus
from specialize.errors import warn
from specialize.pretraining.new_rows import Drawn, Mixture, NewPieces
from specialize.pretraining.rows_by_script import all_rows
from specialize.pretraining.settings import VectorSettings
from specialize.pretraining.static_vectors import untrained

# Continuous bag of words: dimension, epochs, min_count and negative as in the authors' code (deepfocus,
# fasttext_embs.py), the rest fastText's defaults, but for the buckets: there are 2,000,000, which take 0.8 GB, and a
# text has far fewer subwords of pieces than of words.
SETTINGS: dict[str, Any] = {
    "threads": 1,
    "dimension": 100,
    "epochs": 3,
    "window": 5,
    "min_count": 10,
    "negative": 10,
    "negative_exponent": 0.5,
    "sample": 1e-4,
    "learning_rate": 0.05,
    "shortest": 3,
    "longest": 6,
    "buckets": 200_000,
}
WEIGHTS_AT_ONCE = 1 << 24  # 64 MB


def by_similarity(
    pieces: NewPieces, grown: Tokenizer, text: Path, seed: int
) -> tuple[Iterator[Mixture | Drawn], dict[str, int]]:
    """What new rows are means of, and how many of them have a vector, or else are drawn from all rows.

    Args:
        pieces: the new ones.
        grown: the tokenizer that has them.
        text: of the language.
        seed: of the vectors.
    """
    vectors = piece_vectors(grown, text, seed)
    shared = {piece: number for piece, number in pieces.kept().items() if piece in vectors.key_to_index}
    ordered = sorted(pieces.ids.items(), key=lambda item: item[1])
    similar = {piece: number for piece, number in ordered if shared and piece in vectors.key_to_index}
    others = [number for piece, number in ordered if piece not in similar]
    if ordered and not similar:
        warn(
            "no new piece has a vector to compare (the text is too short, or shares no piece with the base): all rows "
            "are drawn from the distribution of the base's"
        )
    starts: Iterator[Mixture | Drawn] = chain(_mixtures(vectors, shared, similar), all_rows(pieces, others))
    return starts, {"similar_pieces": len(similar), "all_rows": len(others)}


def _mixtures(vectors: KeyedVectors, shared: dict[str, int], new: dict[str, int]) -> Iterator[Mixture]:
    """Some new rows at a time, since all weights together could be too many."""
    known, names = _unit_vectors(vectors, list(shared)), list(new)
    at_once = max(1, WEIGHTS_AT_ONCE // max(1, len(shared)))
    for first in range(0, len(names), at_once):
        some = names[first : first + at_once]
        weights = sparsemax(_unit_vectors(vectors, some) @ known.T)
        yield Mixture([new[piece] for piece in some], list(shared.values()), weights)


def _unit_vectors(vectors: KeyedVectors, pieces: list[str]) -> Tensor:
    found = torch.from_numpy(vectors.vectors[[vectors.key_to_index[piece] for piece in pieces]])
    return torch.nn.functional.normalize(found)


def sparsemax(scores: Tensor) -> Tensor:
    """The probabilities nearest to the scores of each row, of which most are 0 (Martins and Astudillo, 2016)."""
    ordered = scores.sort(dim=1, descending=True).values
    sums, places = ordered.cumsum(dim=1), torch.arange(1, scores.shape[1] + 1)
    within = (1 + places * ordered > sums).sum(dim=1, keepdim=True)
    threshold = (sums.gather(1, within - 1) - 1) / within
    return (scores - threshold).clamp(min=0)


def piece_vectors(tokenizer: Tokenizer, text: Path, seed: int) -> KeyedVectors:
    """Static vectors of the pieces that a text is cut into, of those that are frequent enough."""
    model = untrained(VectorSettings(seed=seed, **SETTINGS), skip_gram=False)
    sentences = _Sentences(tokenizer, text)
    model.build_vocab(sentences)
    if model.wv.index_to_key:
        model.train(sentences, total_examples=model.corpus_count, epochs=model.epochs)
    return model.wv


class _Sentences:
    """The sentences of a text as pieces, cut anew in each pass."""

    def __init__(self, tokenizer: Tokenizer, text: Path) -> None:
        self.tokenizer, self.text = tokenizer, text
        self.pieces = {number: piece for piece, number in tokenizer.get_vocab().items()}

    def __iter__(self) -> Iterator[list[str]]:
        for sentences in read_corpus(self.text):
            for encoding in self.tokenizer.encode_batch_fast(sentences, add_special_tokens=False):
                yield [self.pieces[number] for number in encoding.ids]
