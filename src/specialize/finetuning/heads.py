"""The three task heads: a linear tagger, a CRF entity tagger, a biaffine parser."""

from __future__ import annotations

from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from ufal.chu_liu_edmonds import chu_liu_edmonds

Decoded = list[Any]


class Tagger(nn.Module):
    """Dropout and a linear layer (fact 29).

    Args:
        width: of the word vectors.
        labels: the tags.
        dropout: of the word vectors.
    """

    def __init__(self, width: int, labels: list[str], dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.projection = nn.Linear(width, len(labels))

    def loss(self, vectors: Tensor, mask: Tensor, tags: Tensor) -> Tensor:
        """Mean cross-entropy over words; ``tags`` is (sentences, longest)."""
        logits = self.projection(self.dropout(vectors[mask]))
        return nn.functional.cross_entropy(logits, tags[mask])

    def units(self, sentences: int, words: int) -> int:
        """Of how many units the loss is the mean."""
        return words

    def decode(self, vectors: Tensor, mask: Tensor) -> Decoded:
        """For each sentence the best tag of each word."""
        best = self.projection(vectors).argmax(-1)
        return [row[: int(length)].tolist() for row, length in zip(best, mask.sum(1), strict=True)]


class EntityTagger(nn.Module):
    """Dropout, a linear layer, and a CRF without start and end transitions (fact 30).

    Args:
        width: of the word vectors.
        labels: IOB2 labels.
        dropout: of the word vectors.
        loss: `mean` over the sentences of a batch, or `sum` as the paper's code did.
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

    def loss(self, vectors: Tensor, mask: Tensor, labels: Tensor) -> Tensor:
        """Negative log-likelihood of label sequences; ``labels`` is (sentences, longest)."""
        likelihood = crf_log_likelihood(self.projection(self.dropout(vectors)), self.transitions, mask, labels)
        return -(likelihood.mean() if self.reduction == "mean" else likelihood.sum())

    def units(self, sentences: int, words: int) -> int:
        """Of how many units the loss is the mean; of one if it is their sum."""
        return sentences if self.reduction == "mean" else 1

    def decode(self, vectors: Tensor, mask: Tensor) -> Decoded:
        """For each sentence the best label sequence that is valid IOB2."""
        assert isinstance(self.forbidden, Tensor) and isinstance(self.forbidden_start, Tensor)
        emissions = self.projection(vectors)
        emissions[:, 0] = emissions[:, 0].masked_fill(self.forbidden_start, -1e4)
        return crf_viterbi(emissions, self.transitions.masked_fill(self.forbidden, -1e4), mask)


def _may_follow(before: str, after: str) -> bool:
    return not after.startswith("I-") or (before != "O" and before[2:] == after[2:])


def crf_log_likelihood(emissions: Tensor, transitions: Tensor, mask: Tensor, labels: Tensor) -> Tensor:
    """Log-likelihood of each sentence's labels under a linear-chain CRF.

    Args:
        emissions: (sentences, longest, labels) scores.
        transitions: (labels, labels) score of going from the row's label to the column's.
        mask: (sentences, longest) True where there is a word; at least one word a sentence.
        labels: (sentences, longest) label numbers.

    Returns:
        (sentences,) values, at most 0.
    """
    labels = labels.clamp(min=0)
    score = emissions.gather(2, labels.unsqueeze(2)).squeeze(2).masked_fill(~mask, 0).sum(1)
    steps = transitions[labels[:, :-1], labels[:, 1:]].masked_fill(~mask[:, 1:], 0)
    score = score + steps.sum(1)
    alpha = emissions[:, 0]
    for place in range(1, emissions.shape[1]):
        following = torch.logsumexp(alpha.unsqueeze(2) + transitions, dim=1) + emissions[:, place]
        alpha = torch.where(mask[:, place, None], following, alpha)
    return score - torch.logsumexp(alpha, dim=1)


def crf_viterbi(emissions: Tensor, transitions: Tensor, mask: Tensor) -> Decoded:
    """For each sentence the label sequence of the highest score; arguments as in `crf_log_likelihood`."""
    best = emissions[:, 0]
    pointers = []
    for place in range(1, emissions.shape[1]):
        scores, origin = (best.unsqueeze(2) + transitions).max(1)
        following = scores + emissions[:, place]
        best = torch.where(mask[:, place, None], following, best)
        pointers.append(origin)
    back = torch.stack(pointers, 1).tolist() if pointers else []
    sequences = []
    for row, (last, length) in enumerate(zip(best.argmax(1).tolist(), mask.sum(1).tolist(), strict=True)):
        sequence = [last]
        for place in range(length - 2, -1, -1):
            sequence.append(back[row][place][sequence[-1]])
        sequences.append(sequence[::-1])
    return sequences


class VariationalDropout(nn.Module):
    """Dropout with one mask for all words of a sentence."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, vectors: Tensor) -> Tensor:
        """Drop features of (sentences, words, width)."""
        if not self.training:
            return vectors
        ones = vectors.new_ones(vectors.shape[0], 1, vectors.shape[2])
        return vectors * nn.functional.dropout(ones, self.probability)


class Parser(nn.Module):
    """A biaffine dependency parser after Dozat and Manning (2017), with the sizes of fact 31 and Table 5.

    Args:
        width: of the word vectors.
        labels: the relations.
        input_dropout: of the word vectors.
        dropout: variational, of the states and of each MLP's output.
        arc_dimension, label_dimension: of the MLPs.
        single_root: whether a tree has exactly one word below the root, as UD demands.
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
        # Zero at first, as Dozat and Manning have them: drawn ones cost many epochs to unlearn.
        self.arc = nn.Parameter(torch.zeros(arc_dimension + 1, arc_dimension + 1))
        self.arc_bias = nn.Parameter(torch.zeros(1))
        self.label = nn.Parameter(torch.zeros(len(labels), label_dimension, label_dimension))
        self.label_bias = nn.Parameter(torch.zeros(len(labels)))

    def loss(self, vectors: Tensor, mask: Tensor, heads: Tensor, labels: Tensor) -> Tensor:
        """Mean over words of the arc's and the label's negative log-likelihood (gold head for the label).

        Args:
            vectors: (sentences, longest, width).
            mask: (sentences, longest).
            heads: (sentences, longest) word numbers, 0 for the root.
            labels: (sentences, longest) relation numbers.
        """
        arcs, head_states, child_states = self.scores(vectors, mask)
        rows, columns = mask.nonzero(as_tuple=True)
        gold_heads, gold_labels = heads[mask], labels[mask]
        arc_loss = nn.functional.cross_entropy(arcs[rows, columns], gold_heads)
        chosen = torch.einsum("nc,lch->nlh", child_states[rows, columns + 1], self.label)
        logits = torch.einsum("nlh,nh->nl", chosen, head_states[rows, gold_heads]) + self.label_bias
        return arc_loss + nn.functional.cross_entropy(logits, gold_labels)

    def units(self, sentences: int, words: int) -> int:
        """Of how many units the loss is the mean."""
        return words

    def decode(self, vectors: Tensor, mask: Tensor) -> Decoded:
        """For each sentence its best tree: a head and a relation for each word."""
        arcs, head_states, child_states = self.scores(vectors, mask)
        sentences, children, heads = arcs.shape
        labels, states = len(self.label), head_states.shape[-1]
        # As two plain matrix products, since einsum would move all pairs' scores about in memory.
        chosen = child_states[:, 1:] @ self.label.transpose(0, 1).reshape(states, labels * states)
        pairs = chosen.view(sentences, children * labels, states) @ head_states.transpose(1, 2)
        pairs = pairs.view(sentences, children, labels, heads).add_(self.label_bias[:, None])
        pairs -= pairs.amax(2, keepdim=True)  # so that the best label's score is 0
        energy = (torch.log_softmax(arcs, -1) - pairs.exp().sum(2).log()).double().cpu().numpy()
        lengths = mask.sum(1).tolist()
        trees = [
            maximum_tree(scores[:length, : length + 1], self.single_root)
            for scores, length in zip(energy, lengths, strict=True)
        ]
        padded = torch.tensor([tree + [0] * (children - len(tree)) for tree in trees], device=pairs.device)
        of_heads = pairs.gather(3, padded[:, :, None, None].expand(-1, -1, labels, 1)).squeeze(3)
        best = of_heads.argmax(2).tolist()
        return [list(zip(tree, row, strict=False)) for tree, row in zip(trees, best, strict=True)]

    def scores(self, vectors: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Arc scores (sentences, children, heads) with the root as head 0, and the label MLPs' states."""
        states = torch.cat([self.root.expand(len(vectors), -1, -1), self.input_dropout(vectors)], dim=1)
        states = self.dropout(states)
        arc_head, arc_child, label_head, label_child = (
            self.dropout(nn.functional.elu(layer(states)))
            for layer in (self.arc_head, self.arc_child, self.label_head, self.label_child)
        )
        arcs = _with_one(arc_child) @ self.arc @ _with_one(arc_head).transpose(1, 2) + self.arc_bias
        heads = torch.cat([mask.new_ones(len(mask), 1), mask], dim=1)
        itself = torch.eye(arcs.shape[1], dtype=torch.bool, device=arcs.device)
        arcs = arcs.masked_fill(~heads[:, None, :] | itself, -1e4)
        return arcs[:, 1:], label_head, label_child


def _with_one(states: Tensor) -> Tensor:
    return torch.cat([states, states.new_ones(*states.shape[:-1], 1)], dim=-1)


def maximum_tree(scores: NDArray[numpy.float64], single_root: bool = True) -> list[int]:
    """Heads of the highest-scoring tree.

    Args:
        scores: (words, words + 1), the score of each word's arc from each head, the root being column 0.
        single_root: with exactly one word below the root, as UD demands.
    """
    size = len(scores) + 1
    matrix = numpy.full((size, size), numpy.nan)
    matrix[1:] = scores
    if single_root:  # a second one would cost more than all other arcs together can gain
        matrix[1:, 0] -= 1 + size * (scores.max() - scores.min())
    heads, _ = chu_liu_edmonds(matrix)
    return list(heads[1:])
