"""A linear-chain CRF without scores for starts and ends: the likelihood of labels, and the best sequence of them.

Both are computed in one of two ways, with equal results up to rounding. Word by word takes labels² operations a word,
and several kernels for each word, which a GPU would spend its time starting. A scan combines neighbouring words in
pairs, then pairs of pairs, and so on: labels³ operations a word, but only about 20 kernels each time that a sentence
doubles. A CPU goes word by word: with 7 labels and 32 sentences of 20 words that took 3.2 ms of training, a scan 5.1.
"""

from __future__ import annotations

import math

import numpy
import torch
from torch import Tensor, nn

# A GPU decodes so many labels by a scan. For a batch of 256 sentences that writes and reads 34 MB of scores a word with
# 32 labels and 308 MB with 67, while word by word starts four kernels a word however many labels there are.
MOST_LABELS_SCANNED = 32
# The scan of the likelihood drops values below exp(-708). Before a product the highest value is 1, after it at least
# exp(-2 · 150) with transitions so far apart; the words on both sides of the product may favour what was dropped by
# another exp(2 · 150). So it is never more than exp(-108) of the whole, whatever the emissions.
WIDEST_TRANSITIONS = 150.0


def crf_log_likelihood(emissions: Tensor, transitions: Tensor, mask: Tensor, labels: Tensor) -> Tensor:
    """Log-likelihood of each sentence's labels under a linear-chain CRF.

    Args:
        emissions: (sentences, longest, labels) scores.
        transitions: (labels, labels) score of the row's label followed by the column's.
        mask: (sentences, longest) True where there is a word; each sentence has at least one, and padding comes last.
        labels: (sentences, longest) label numbers.

    Returns:
        (sentences,) values, at most 0.
    """
    labels = labels.clamp(min=0)
    score = emissions.gather(2, labels.unsqueeze(2)).squeeze(2).masked_fill(~mask, 0).sum(1)
    steps = transitions[labels[:, :-1], labels[:, 1:]].masked_fill(~mask[:, 1:], 0)
    score = score + steps.sum(1)
    partition = partition_by_word if emissions.device.type == "cpu" else partition_by_scan
    return score - partition(emissions, transitions, mask)


def partition_by_word(emissions: Tensor, transitions: Tensor, mask: Tensor) -> Tensor:
    """(sentences,) logarithms of the summed exponentials of all sequences' scores; arguments as above."""
    alpha, *following_words = emissions.unbind(1)
    for word, here in zip(following_words, mask.unsqueeze(2).unbind(1)[1:], strict=True):
        following = torch.logsumexp(alpha.unsqueeze(2) + transitions, dim=1) + word
        alpha = torch.where(here, following, alpha)
    return torch.logsumexp(alpha, dim=1)


def partition_by_scan(emissions: Tensor, transitions: Tensor, mask: Tensor) -> Tensor:
    """The same, by products of matrices of (labels before, labels after), scaled so that the highest value is 1.

    In double precision, whatever the emissions' type and the precision that torch is told to multiply with. A result is
    not a number where transitions are more than `WIDEST_TRANSITIONS` apart.
    """
    emissions, transitions = emissions.double(), transitions.double()
    labels = len(transitions)
    highest = transitions.detach().amax()
    tops = emissions.detach().amax(2, keepdim=True)
    words = (emissions - tops).exp()
    rise = (transitions - highest).exp()
    padded, is_word = _padded(words, mask)
    nothing = torch.eye(labels, dtype=rise.dtype, device=rise.device)
    matrices = torch.where(is_word, padded.unsqueeze(2) * rise, nothing).flatten(0, 1)
    scales = (tops.squeeze(2) + highest).masked_fill(~mask, 0).sum(1) - highest
    while len(matrices) > len(mask):
        before, after = matrices.view(-1, 2, labels, labels).unbind(1)
        matrices = torch.bmm(before, after)
        scale = matrices.detach().amax((1, 2), keepdim=True)
        matrices = matrices / scale
        scales = scales + scale.log().view(len(mask), -1).sum(1)
    partition = torch.bmm(words[:, :1], matrices).sum((1, 2)).log() + scales
    too_wide = highest - transitions.detach().amin() > WIDEST_TRANSITIONS
    return partition.masked_fill(too_wide, math.nan)


def crf_viterbi(emissions: Tensor, transitions: Tensor, mask: Tensor) -> list[list[int]]:
    """The highest-scoring label sequence of each sentence, any of them if there are several.

    Args:
        emissions, transitions, mask: as of `crf_log_likelihood`; a score of minus infinity forbids what it is of.
    """
    by_word = emissions.device.type == "cpu" or len(transitions) > MOST_LABELS_SCANNED
    return (best_by_word if by_word else best_by_scan)(emissions, transitions, mask)


def best_by_word(emissions: Tensor, transitions: Tensor, mask: Tensor) -> list[list[int]]:
    """`crf_viterbi`, following for each word and label the best label before it."""
    best, *following_words = emissions.unbind(1)
    backpointers = []
    for word, here in zip(following_words, mask.unsqueeze(2).unbind(1)[1:], strict=True):
        scores, previous = (best.unsqueeze(2) + transitions).max(1)
        best = torch.where(here, scores + word, best)
        backpointers.append(previous)
    # One copy of all that is needed makes a GPU wait once.
    last, lengths = best.argmax(1, keepdim=True), mask.sum(1, keepdim=True)
    copied = torch.cat([lengths, last, *backpointers], 1).cpu().numpy()
    ends, label = copied[:, 0], copied[:, 1]
    before = copied[:, 2:].reshape(len(mask), len(backpointers), len(transitions))
    rows = numpy.arange(len(mask))
    backwards = [label]
    for place in range(len(backpointers), 0, -1):
        label = numpy.where(place < ends, before[rows, place - 1, label], label)
        backwards.append(label)
    sequences = numpy.stack(backwards[::-1], 1).tolist()
    return [row[:end] for row, end in zip(sequences, ends.tolist(), strict=True)]


def best_by_scan(emissions: Tensor, transitions: Tensor, mask: Tensor) -> list[list[int]]:
    """`crf_viterbi`: the best scores from label to label over ever more words; then the labels between, ever closer."""
    (sentences, longest), labels = mask.shape, len(transitions)
    nothing = torch.full_like(transitions, -math.inf).fill_diagonal_(0)
    padded, is_word = _padded(emissions, mask)
    levels = [torch.where(is_word, padded.unsqueeze(2) + transitions, nothing).flatten(0, 1)]
    while len(levels[-1]) > sentences:
        before, after = levels[-1].view(-1, 2, labels, labels).unbind(1)
        levels.append((before.unsqueeze(3) + after.unsqueeze(1)).amax(2))
    whole = (emissions[:, 0].unsqueeze(2) + levels.pop()).flatten(1).argmax(1, keepdim=True)
    found = torch.cat([whole // labels, whole % labels], 1)  # labels of first and last word; then of those between
    while levels:
        before, after = levels.pop().view(-1, 2, labels, labels).unbind(1)
        left, right = found[:, :-1], found[:, 1:]
        to_middle = before.gather(1, left.reshape(-1, 1, 1).expand(-1, 1, labels)).squeeze(1)
        from_middle = after.gather(2, right.reshape(-1, 1, 1).expand(-1, labels, 1)).squeeze(2)
        middle = (to_middle + from_middle).argmax(1).view_as(left)
        found = torch.cat([torch.stack([left, middle], 2).flatten(1), found[:, -1:]], 1)
    rows: list[list[int]] = found[:, :longest].masked_fill(~mask, -1).tolist()
    return [[label for label in row if label >= 0] for row in rows]


def _padded(emissions: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Emissions and mask without the first word, padded to 1, 2, 4, 8 … words; the mask is (sentences, words, 1, 1)."""
    steps = mask.shape[1] - 1
    added = (1 << max(steps - 1, 0).bit_length()) - steps
    is_word = nn.functional.pad(mask[:, 1:], (0, added))
    return nn.functional.pad(emissions[:, 1:], (0, 0, 0, added)), is_word[:, :, None, None]
