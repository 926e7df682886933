"""Batches of labeled sentences: of similar length within a data set, and from several data sets in turn."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

import numpy
import torch
from numpy.typing import NDArray

from specialize.finetuning.layout import EncodedSentences, flat_array
from specialize.finetuning.model import Pieces, Targets, Words

LENGTH_NOISE = 0.1  # relative; without it the same sentences would always share a batch

Indices = NDArray[Any]  # of a batch's sentences
TaskBatch = tuple[int, Indices]  # the index of a data set, and of its sentences


class TrainingSentences:
    """The training sentences of a data set in batches of similar length, in a different order each epoch.

    Args:
        pieces: collates sentences.
        sentences: for each sentence, for each word, its pieces.
        targets: by task, for each sentence, the target numbers of its loss; see `tasks.Task.targets`.
        batch_size: in sentences.
        longest: the most pieces of a segment.
        seed: of the order.
        loss_denominator: what the loss of a batch is divided by, given its numbers of sentences and words.
    """

    def __init__(
        self,
        pieces: Pieces,
        sentences: list[list[list[int]]],
        targets: dict[str, list[list[list[int]]]],
        batch_size: int,
        longest: int,
        seed: int,
        loss_denominator: Callable[[int, int], int],
    ) -> None:
        self.pieces, self.sentences = pieces, EncodedSentences.of(sentences)
        self.batch_size, self.longest, self.seed = batch_size, longest, seed
        self.loss_denominator = loss_denominator
        # A task may have several targets per sentence, such as heads and relations: each is one array of all words.
        self.targets = {
            task: [flat_array(chain.from_iterable(rows)) for rows in zip(*numbers, strict=True)]
            for task, numbers in targets.items()
        }

    def steps(self) -> int:
        """Batches in an epoch."""
        return math.ceil(len(self.sentences) / self.batch_size)

    def epoch(self, number: int) -> Iterator[Indices]:
        """The batches of one epoch, as indices of sentences."""
        generator = numpy.random.default_rng([self.seed, number])
        noise = generator.uniform(1 - LENGTH_NOISE, 1 + LENGTH_NOISE, len(self.sentences))
        order = numpy.argsort(self.sentences.sizes * noise, kind="stable")
        for step in generator.permutation(self.steps()):
            yield order[step * self.batch_size : (step + 1) * self.batch_size]

    def micro_batches(self, batch: Indices, number: int) -> list[tuple[float, Indices]]:
        """Split a batch into micro-batches with loss weights; see `training.loop.Loader`."""
        micro_batches = numpy.array_split(batch, min(number, len(batch)))
        whole = self._denominator_of(batch)
        return [(self._denominator_of(indices) / whole, indices) for indices in micro_batches]

    def _denominator_of(self, indices: Indices) -> int:
        return self.loss_denominator(len(indices), int(self.sentences.lengths[indices].sum()))

    def tensors(self, indices: Indices) -> tuple[Words, Targets]:
        """A batch's words, and its targets by task, each (words,), sentence after sentence; in the host's memory."""
        places = self.sentences.words_of(indices)
        targets = {task: [torch.from_numpy(one[places]) for one in its] for task, its in self.targets.items()}
        return self.pieces.collate(self.sentences.chosen(indices), self.longest), targets


class MixedBatches:
    """Batches from one or several data sets; each batch is from one of them (paper §3.1, fact 33).

    Args:
        datasets: at least one.
        upsample: repeat smaller data sets, each time in a different order, until they have as many batches as the
            largest; else each batch comes once.
        order: `shuffled`, or `round-robin`: one batch of each data set in turn, as long as they last.
        seed: of the shuffling.
    """

    def __init__(self, datasets: Sequence[TrainingSentences], upsample: bool, order: str, seed: int) -> None:
        self.datasets, self.order, self.seed = datasets, order, seed
        self.batches = [dataset.steps() for dataset in datasets]  # of each data set in an epoch
        if upsample:
            self.batches = [max(self.batches)] * len(datasets)

    def steps(self) -> int:
        """Batches in an epoch."""
        return sum(self.batches)

    def sentences(self) -> int:
        """The approximate number of sentences in an epoch, repetitions by upsampling included."""
        total = 0.0
        for batches, dataset in zip(self.batches, self.datasets, strict=True):
            repetitions = batches / dataset.steps()
            total += repetitions * len(dataset.sentences)
        return round(total)

    def epoch(self, number: int) -> Iterator[TaskBatch]:
        """The batches of one epoch."""
        streams = [self._batches_of(index, number) for index in range(len(self.datasets))]
        for index in self._turns(number):
            yield index, next(streams[index])

    def _batches_of(self, index: int, number: int) -> Iterator[Indices]:
        """The batches of one data set in an epoch, which spans several of the data set's own epochs if upsampled."""
        dataset, batches = self.datasets[index], self.batches[index]
        repetitions = math.ceil(batches / dataset.steps())
        own_epochs = range((number - 1) * repetitions + 1, number * repetitions + 1)
        return islice(chain.from_iterable(map(dataset.epoch, own_epochs)), batches)

    def _turns(self, number: int) -> list[int]:
        """The data set of each batch in an epoch."""
        turns = []
        for turn in range(max(self.batches)):
            turns += [index for index, batches in enumerate(self.batches) if turn < batches]
        if self.order == "round-robin":
            return turns
        # The third number makes this generator independent of the data sets' own, which have two.
        generator = numpy.random.default_rng([self.seed, number, 1])
        return [int(index) for index in generator.permutation(turns)]

    def micro_batches(self, batch: TaskBatch, number: int) -> list[tuple[float, TaskBatch]]:
        """Split a batch into micro-batches with loss weights; see `training.loop.Loader`."""
        index, indices = batch
        return [(weight, (index, chosen)) for weight, chosen in self.datasets[index].micro_batches(indices, number)]

    def tensors(self, batch: TaskBatch) -> tuple[Words, Targets]:
        """A batch's words and targets; see `TrainingSentences.tensors`."""
        index, indices = batch
        return self.datasets[index].tensors(indices)
