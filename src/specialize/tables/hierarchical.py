"""The difference of two methods over seeds and test sentences, both of which vary: a hierarchical bootstrap.

A test over seeds says how sure a difference is on the test sentences that there are; with others it would be another.
Sälevä et al. (2025) say that seeds alone understate what varies. To draw both with replacement and take percentiles
is no remedy where seeds are few: three values drawn with replacement vary too little, and where seeds vary most such
an interval covers 75 % for 95 % (benchmarks/significance.py). So each level is treated as its number allows:

- sentences, of which there are hundreds, are drawn with replacement, the same for both methods and all seeds;
- the mean over n seeds is drawn from Student's t with n - 1 degrees of freedom around each of these, with the standard
  error that the paired t-test has: a parametric bootstrap, which is right for few seeds of normal differences.

What a seed does to a sentence (their interaction) is in both; it is taken out of the sentences' variance. Without
variance between sentences all of this is the paired t-test, without variance between seeds it is the paired bootstrap.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import stdtr

from specialize.tables.scores import Key, Scores, Trial
from specialize.tables.verdicts import untested

DRAWS = 10_000
TOGETHER = 500  # draws of which the weights of all sentences are in memory at once
TAIL = 0.025  # beyond either end of a 95 % interval


@dataclass(frozen=True)
class Interval:
    """Of the difference of two methods on new seeds and new sentences.

    Attributes:
        low, high: of the 95 % interval, in points.
        p: two-sided, below 0.05 exactly where the interval leaves out 0.
        p_better: one-sided, that the first is not better.
    """

    low: float
    high: float
    p: float
    p_better: float


UNKNOWN = Interval(math.nan, math.nan, math.nan, math.nan)


class HierarchicalBootstrap:
    """Intervals of differences of a run's methods; a method's scores of drawn sentences are computed once.

    Args:
        scores: with sentences, of what is not cross-validated.
    """

    def __init__(self, scores: Scores) -> None:
        self._scores = scores
        self._drawn: dict[Key, dict[Trial, NDArray[numpy.float64]]] = {}

    def interval(self, better: Key, other: Key) -> Interval:
        """Of one method's difference from another, over the seeds that both have; `UNKNOWN` where that is not tested.

        The two may be of a language and its transliterated twin, which have the same sentences.
        """
        halves = [self._scores.sentences.get(key, {}) for key in (better, other)]
        shared = sorted(halves[0].keys() & halves[1].keys())
        if not shared or len({half[seed].shape for half in halves for seed in shared}) > 1:
            return UNKNOWN
        observed = [numpy.array([ratio(half[seed]) for seed in shared]) for half in halves]
        differences = observed[0] - observed[1]
        if untested([float(value) for value in differences], max(map(self._scores.step, (better, other)))):
            return UNKNOWN
        drawn = [self._of_drawn_sentences(key) for key in (better, other)]
        first, second = (numpy.array([of_seeds[seed] for seed in shared]) for of_seeds in drawn)
        return interval(differences, first - second)

    def _of_drawn_sentences(self, key: Key) -> dict[Trial, NDArray[numpy.float64]]:
        if key not in self._drawn:
            of_seeds = self._scores.sentences[key]
            self._drawn[key] = dict(zip(of_seeds, drawn_scores(numpy.array(list(of_seeds.values()))), strict=True))
        return self._drawn[key]


def ratio(counts: NDArray[numpy.float64]) -> float:
    """The score of all sentences, in points; 0 where there is nothing to find."""
    right, of = counts.sum(1)
    return float(100 * right / of) if of else 0.0


def drawn_scores(counts: NDArray[numpy.float64]) -> NDArray[numpy.float64]:
    """The scores of sentences that are drawn with replacement: the same ones whatever is scored.

    Args:
        counts: (seeds, 2, sentences), see `sentences.Counts`.

    Returns:
        (seeds, DRAWS), in points.
    """
    seeds, _, sentences = counts.shape
    flat = counts.reshape(2 * seeds, sentences).T
    sums = numpy.concatenate([weights @ flat for weights in drawn_weights(sentences)]).reshape(-1, seeds, 2)
    right, of = sums[..., 0], sums[..., 1]
    return numpy.asarray(100 * numpy.divide(right, of, out=numpy.zeros_like(right), where=of > 0).T)


def drawn_weights(sentences: int) -> Iterator[NDArray[numpy.float64]]:
    """How often each sentence is drawn, some draws at a time: (TOGETHER, sentences); always the same draws."""
    generator = numpy.random.default_rng(0)
    for _ in range(DRAWS // TOGETHER):
        places = generator.integers(0, sentences, (TOGETHER, sentences))
        places += sentences * numpy.arange(TOGETHER)[:, None]
        yield numpy.bincount(places.ravel(), minlength=TOGETHER * sentences).reshape(TOGETHER, sentences).astype(float)


def interval(differences: NDArray[numpy.float64], drawn: NDArray[numpy.float64]) -> Interval:
    """The interval of a difference from what varies over seeds and over sentences; see `share_below`."""
    below = share_below(differences, drawn)
    middle, error = float(differences.mean()), float(numpy.std(differences, ddof=1) / math.sqrt(len(differences)))

    def quantile(share: float) -> float:
        width = 2 * (error + float(numpy.ptp(drawn.mean(0))))
        while below(middle - width) > share or below(middle + width) < share:
            width *= 2
        return float(brentq(lambda value: below(value) - share, middle - width, middle + width, xtol=1e-6))

    better = below(0.0)
    return Interval(quantile(TAIL), quantile(1 - TAIL), min(1.0, 2 * min(better, 1 - better)), better)


def share_below(differences: NDArray[numpy.float64], drawn: NDArray[numpy.float64]) -> Callable[[float], float]:
    """The distribution of the difference on new seeds and new sentences: what share of it lies below a value.

    Args:
        differences: by seed on the test sentences that there are, two or more, not all alike, in points.
        drawn: (seeds, draws), of the same seeds on drawn sentences.
    """
    number = len(differences)
    error = float(numpy.std(differences, ddof=1)) / math.sqrt(number)
    of_mean = float(numpy.var(drawn.mean(0), ddof=1))  # of sentences, and a share of the interaction
    interaction = max(0.0, (float(numpy.var(drawn, axis=1, ddof=1).mean()) - of_mean) / (number - 1))
    kept = math.sqrt(max(0.0, 1 - interaction / of_mean)) if of_mean > 0 else 0.0
    centers = differences.mean() + kept * (drawn.mean(0) - drawn.mean())
    return lambda value: float(stdtr(number - 1, (value - centers) / error).mean())
