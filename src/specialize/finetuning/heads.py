"""The three task heads: a linear tagger, a CRF entity tagger, a biaffine parser."""

from __future__ import annotations

import math
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from ufal.chu_liu_edmonds import chu_liu_edmonds

from specialize.finetuning.crf import crf_log_likelihood, crf_viterbi
from specialize.finetuning.layout import Layout

Decoded = list[Any]  # for each sentence, for each word, a label number; for parsing a pair of head and label number


class Tagger(nn.Module):
    """Dropout and a linear layer (fact 29).

    Args:
        width: of the word vectors.
        labels: the tags.
        dropout: probability, applied to the word vectors.
    """

    def __init__(self, width: int, labels: list[str], dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.projection = nn.Linear(width, len(labels))

    def loss(self, vectors: Tensor, layout: Layout, tags: Tensor) -> Tensor:
        """Mean cross-entropy over words.

        Args:
            vectors: (sentences, longest, width).
            layout: where the words stand.
            tags: (words,) tag numbers.
        """
        logits = self.projection(self.dropout(layout.flat(vectors)))
        return nn.functional.cross_entropy(logits, tags)

    def loss_denominator(self, sentences: int, words: int) -> int:
        """What the loss of a batch of this size is divided by."""
        return words

    def decode(self, vectors: Tensor, layout: Layout) -> Decoded:
        """The best tag of each word; arguments as of `loss`."""
        best = self.projection(vectors).argmax(-1).tolist()
        return [row[:length] for row, length in zip(best, layout.lengths, strict=True)]


class EntityTagger(nn.Module):
    """Dropout, a linear layer, and a CRF without start and end transitions (fact 30).

    Args:
        width: of the word vectors.
        labels: IOB2 labels.
        dropout: probability, applied to the word vectors.
        loss: how the losses of a batch's sentences are reduced: `mean`, or `sum` as in the paper's code.
    """

    def __init__(self, width: int, labels: list[str], dropout: float, loss: str = "mean") -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.projection = nn.Linear(width, len(labels))
        self.transitions = nn.Parameter(torch.empty(len(labels), len(labels)))
        nn.init.xavier_normal_(self.transitions)
        self.reduction = loss
        forbidden = [[not _may_follow(before, after) for after in labels] for before in labels]
        self.register_buffer("forbidden", torch.tensor(forbidden), persistent=False)
        starts = [not _may_follow("O", label) for label in labels]
        self.register_buffer("forbidden_start", torch.tensor(starts), persistent=False)

    def loss(self, vectors: Tensor, layout: Layout, labels: Tensor) -> Tensor:
        """Negative log-likelihood of label sequences.

        Args:
            vectors: (sentences, longest, width).
            layout: where the words stand.
            labels: (words,) label numbers.
        """
        emissions = self.projection(self.dropout(vectors))
        likelihood = crf_log_likelihood(emissions, self.transitions, layout.mask, layout.padded(labels))
        if self.reduction == "mean":
            return -likelihood.mean()
        return -likelihood.sum()

    def loss_denominator(self, sentences: int, words: int) -> int:
        """What the loss of a batch of this size is divided by; 1 if it is a sum."""
        return sentences if self.reduction == "mean" else 1

    def decode(self, vectors: Tensor, layout: Layout) -> Decoded:
        """The best valid IOB2 label sequence of each sentence; arguments as of `loss`."""
        assert isinstance(self.forbidden, Tensor) and isinstance(self.forbidden_start, Tensor)
        emissions = self.projection(vectors)
        emissions[:, 0] = emissions[:, 0].masked_fill(self.forbidden_start, -math.inf)
        return crf_viterbi(emissions, self.transitions.masked_fill(self.forbidden, -math.inf), layout.mask)


def _may_follow(before: str, after: str) -> bool:
    """Whether one label may follow another in IOB2: I- continues an entity of its own type."""
    if not after.startswith("I-"):
        return True
    return before != "O" and before[2:] == after[2:]


class VariationalDropout(nn.Module):
    """Dropout with one mask for all words of a sentence."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, vectors: Tensor) -> Tensor:
        """Drop features of vectors (sentences, words, width)."""
        if not self.training:
            return vectors
        ones = vectors.new_ones(vectors.shape[0], 1, vectors.shape[2])
        return vectors * nn.functional.dropout(ones, self.probability)


class Parser(nn.Module):
    """A biaffine dependency parser after Dozat and Manning (2017), with the sizes of fact 31 and Table 5.

    Args:
        width: of the word vectors.
        labels: the relations.
        input_dropout: probability, applied to the word vectors.
        dropout: probability of variational dropout, applied to the states and to each MLP's output.
        arc_dimension, label_dimension: output sizes of the MLPs.
        single_root: whether each tree has exactly one word attached to the root, as UD requires.
    """

    def __init__(
        self,
        width: int,
        labels: list[str],
        input_dropout: float,
        dropout: float,
        arc_dimension: int,
        label_dimension: int,
        single_root: bool = True,
    ) -> None:
        super().__init__()
        self.single_root = single_root
        self.root = nn.Parameter(torch.randn(1, 1, width) / width**0.5)
        self.input_dropout = nn.Dropout(input_dropout)
        self.dropout = VariationalDropout(dropout)
        self.arc_head, self.arc_child = (nn.Linear(width, arc_dimension) for _ in range(2))
        self.label_head, self.label_child = (nn.Linear(width, label_dimension) for _ in range(2))
        # Initialized with zeros as by Dozat and Manning: random ones take many epochs to unlearn.
        self.arc = nn.Parameter(torch.zeros(arc_dimension + 1, arc_dimension + 1))
        self.arc_bias = nn.Parameter(torch.zeros(1))
        self.label = nn.Parameter(torch.zeros(len(labels), label_dimension, label_dimension))
        self.label_bias = nn.Parameter(torch.zeros(len(labels)))

    def loss(self, vectors: Tensor, layout: Layout, heads: Tensor, labels: Tensor) -> Tensor:
        """Mean over words of the negative log-likelihoods of arc and label (the label's given the gold head).

        Args:
            vectors: (sentences, longest, width).
            layout: where the words stand.
            heads: (words,) word numbers, 0 for the root.
            labels: (words,) relation numbers.
        """
        arcs, head_states, child_states = (one.flatten(0, 1) for one in self.scores(vectors, layout.mask))
        longest = layout.mask.shape[1]
        sentences = layout.places.div(longest, rounding_mode="floor")
        children = layout.places + sentences + 1  # each sentence has one place more: the root comes first
        gold_heads = sentences * (longest + 1) + heads
        arc_loss = nn.functional.cross_entropy(arcs.index_select(0, children), heads)
        by_label = torch.einsum("nc,lch->nlh", child_states.index_select(0, children), self.label)
        logits = torch.einsum("nlh,nh->nl", by_label, head_states.index_select(0, gold_heads)) + self.label_bias
        return arc_loss + nn.functional.cross_entropy(logits, labels)

    def loss_denominator(self, sentences: int, words: int) -> int:
        """What the loss of a batch of this size is divided by."""
        return words

    def decode(self, vectors: Tensor, layout: Layout) -> Decoded:
        """The best tree of each sentence: a head and a relation for each word; arguments as of `loss`."""
        arcs, head_states, child_states = self.scores(vectors, layout.mask)
        arcs = arcs[:, 1:]
        sentences, children, heads = arcs.shape
        labels, states = len(self.label), head_states.shape[-1]
        # Two plain matrix products, since einsum would copy the scores of all pairs.
        by_label = child_states[:, 1:] @ self.label.transpose(0, 1).reshape(states, labels * states)
        pairs = by_label.view(sentences, children * labels, states) @ head_states.transpose(1, 2)
        pairs = pairs.view(sentences, children, labels, heads).add_(self.label_bias[:, None])
        # An arc's energy is its log-probability plus that of its best label; shifted so that the best logit is 0.
        highest, best = pairs.max(2)
        pairs -= highest.unsqueeze(2)
        energy = torch.log_softmax(arcs, -1) - pairs.exp().sum(2).log()
        # One copy of all that is needed makes a GPU wait once: arcs' energies, and the best label of each.
        energies, best_labels = torch.stack([energy, best.to(energy.dtype)]).cpu().numpy().astype(numpy.float64)
        trees = []
        for scores, names, length in zip(energies, best_labels.astype(numpy.int64), layout.lengths, strict=True):
            tree = maximum_tree(scores[:length, : length + 1], self.single_root)
            trees.append(list(zip(tree, names[numpy.arange(length), tree].tolist(), strict=True)))
        return trees

    def scores(self, vectors: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Arc scores (sentences, children, heads), and the label MLPs' outputs; child and head 0 are the root."""
        states = torch.cat([self.root.expand(len(vectors), -1, -1), self.input_dropout(vectors)], dim=1)
        states = self.dropout(states)
        arc_head, arc_child, label_head, label_child = (
            self.dropout(nn.functional.elu(layer(states)))
            for layer in (self.arc_head, self.arc_child, self.label_head, self.label_child)
        )
        arcs = _append_one(arc_child) @ self.arc @ _append_one(arc_head).transpose(1, 2) + self.arc_bias
        heads = torch.cat([mask.new_ones(len(mask), 1), mask], dim=1)
        self_loops = torch.eye(arcs.shape[1], dtype=torch.bool, device=arcs.device)
        arcs = arcs.masked_fill(~heads[:, None, :] | self_loops, -1e4)
        return arcs, label_head, label_child


def _append_one(states: Tensor) -> Tensor:
    """Append a constant feature, so that a bilinear form has linear and bias terms too."""
    return torch.cat([states, states.new_ones(*states.shape[:-1], 1)], dim=-1)


def maximum_tree(scores: NDArray[numpy.float64], single_root: bool = True) -> list[int]:
    """Heads of the highest-scoring tree.

    Args:
        scores: (words, words + 1), the score of each word's arc from each head, column 0 being the root.
        single_root: exactly one word is attached to the root, as UD requires.
    """
    size = len(scores) + 1
    matrix = numpy.full((size, size), numpy.nan)
    matrix[1:] = scores
    if single_root:  # a second root would cost more than all other arcs together can gain
        matrix[1:, 0] -= 1 + size * (scores.max() - scores.min())
    heads, _ = chu_liu_edmonds(matrix)
    return list(heads[1:])
