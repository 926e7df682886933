"""Batches of labeled sentences: of one data set by length, and of several in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from specialize.finetuning.model import Pieces, Targets, Words

LENGTH_NOISE = 0.1  # batches are of similar, not of equal length

Chosen = NDArray[Any]  # the numbers of some sentences
TaskBatch = tuple[int, Chosen]  # of which data set


class TrainingSentences:
    """Training sentences of a data set in batches of similar length, in another order every epoch.

    Args:
        pieces: turns words into pieces.
        sentences: for each sentence, for each word, its pieces.
        targets: by task, for each sentence, the numbers that its loss takes.
        batch_size: sentences a batch.
        longest: the most pieces of a segment.
        seed: of the order.
        units: of how many units the loss of so many sentences with so many words is the mean.
    """

    def __init__(
        self,
        pieces: Pieces,
        sentences: list[list[list[int]]],
        targets: dict[str, list[list[list[int]]]],
        batch_size: int,
        longest: int,
        seed: int,
        units: Callable[[int, int], int],
    ) -> None:
        self.pieces, self.sentences, self.targets = pieces, sentences, targets
        self.batch_size, self.longest, self.seed, self.units = batch_size, longest, seed, units
        self.lengths = numpy.asarray([sum(map(len, sentence)) for sentence in sentences])

    def steps(self) -> int:
        """Batches in an epoch."""
        return -(-len(self.sentences) // self.batch_size)

    def epoch(self, number: int) -> Iterator[Chosen]:
        """Batches of one epoch: the numbers of their sentences."""
        generator = numpy.random.default_rng([self.seed, number])
        noise = generator.uniform(1 - LENGTH_NOISE, 1 + LENGTH_NOISE, len(self.lengths))
        order = numpy.argsort(self.lengths * noise, kind="stable")
        for step in generator.permutation(self.steps()):
            yield order[step * self.batch_size : (step + 1) * self.batch_size]

    def parts(self, batch: Chosen, number: int) -> list[tuple[float, Chosen]]:
        """A batch in so many parts with their shares of its loss; see `training.Loader`."""
        parts = numpy.array_split(batch, min(number, len(batch)))
        return [(self._units(part) / self._units(batch), part) for part in parts]

    def _units(self, chosen: Chosen) -> int:
        return self.units(len(chosen), sum(len(self.sentences[index]) for index in chosen))

    def tensors(self, chosen: Chosen) -> tuple[Words, Targets]:
        """Some sentences, and by task what its loss takes, each (sentences, longest), 0 where there is no word."""
        words = self.pieces.collate([self.sentences[index] for index in chosen], self.longest)
        targets = {}
        for task, numbers in self.targets.items():
            kinds = zip(*(numbers[index] for index in chosen), strict=True)
            targets[task] = [_padded(list(rows), words.mask) for rows in kinds]
        return words, targets


def _padded(rows: list[list[int]], mask: Tensor) -> Tensor:
    padded = torch.zeros(mask.shape, dtype=torch.int64)
    padded[mask.cpu()] = torch.tensor([number for row in rows for number in row], dtype=torch.int64)
    return padded.to(mask.device)


class MixedBatches:
    """The batches of one or several data sets, each of one of them (paper §3.1, fact 33).

    Args:
        datasets: at least one.
        upsample: the smaller ones are gone through again and again, in another order each time, until they have given
            as many batches as the largest has; else each gives its own.
        order: `shuffled`, or `round-robin`: one of each in turn, as long as they last.
        seed: of the shuffling.
    """

    def __init__(self, datasets: Sequence[TrainingSentences], upsample: bool, order: str, seed: int) -> None:
        self.datasets, self.order, self.seed = datasets, order, seed
        own = [dataset.steps() for dataset in datasets]
        self.batches = [max(own)] * len(own) if upsample else own

    def steps(self) -> int:
        """Batches in an epoch."""
        return sum(self.batches)

    def sentences(self) -> int:
        """About how many sentences an epoch has, those of upsampled data sets as often as they come."""
        shares = [batches / dataset.steps() for batches, dataset in zip(self.batches, self.datasets, strict=True)]
        return round(sum(share * len(one.sentences) for share, one in zip(shares, self.datasets, strict=True)))

    def epoch(self, number: int) -> Iterator[TaskBatch]:
        """Batches of one epoch: the number of a data set, and those of its sentences."""
        streams = [self._stream(index, number) for index in range(len(self.datasets))]
        for index in self._turns(number):
            yield index, next(streams[index])

    def _stream(self, index: int, number: int) -> Iterator[Chosen]:
        dataset, batches = self.datasets[index], self.batches[index]
        cycles = -(-batches // dataset.steps())
        own_epochs = range((number - 1) * cycles + 1, number * cycles + 1)
        return islice(chain.from_iterable(map(dataset.epoch, own_epochs)), batches)

    def _turns(self, number: int) -> list[int]:
        turns = [index for turn in range(max(self.batches)) for index, own in enumerate(self.batches) if turn < own]
        if self.order == "round-robin":
            return turns
        # With one number more than the data sets' own orders have, so that it does not go along with them.
        return [int(index) for index in numpy.random.default_rng([self.seed, number, 1]).permutation(turns)]

    def parts(self, batch: TaskBatch, number: int) -> list[tuple[float, TaskBatch]]:
        """A batch in so many parts with their shares of its loss; see `training.Loader`."""
        index, chosen = batch
        return [(share, (index, part)) for share, part in self.datasets[index].parts(chosen, number)]

    def tensors(self, batch: TaskBatch) -> tuple[Words, Targets]:
        """A batch's sentences and targets; see `TrainingSentences.tensors`."""
        index, chosen = batch
        return self.datasets[index].tensors(chosen)
