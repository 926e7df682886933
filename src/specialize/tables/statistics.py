"""Paired tests over seeds or folds: the paper's, one for cross-validation, and those on request."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray
from scipy import stats

from specialize.experiment import TASKS, Experiment
from specialize.tables.scores import Key, Scores, Trial, by_fold, counted, folds_of, seeds_of, single_task_methods
from specialize.tables.verdicts import untested

LEVEL = 0.05  # paper §A.2.1
RESAMPLES = 10_000
ORDER_DRAWS = 1_000


@dataclass(frozen=True)
class Comparison:
    """A one-sided paired t-test over the seeds that two scores share (paper §A.2.1, fact 37), or over their folds.

    Attributes:
        better, other: keys of the scores; the hypothesis is that the first is higher.
        differences: for each shared seed, in points; of cross-validated data, for each fold, of means over those seeds.
        difference: of the means over the shared seeds, in points; NaN without any.
        error_reduction: the share of the other's errors that the better one does not make.
        t, p: of the test; NaN without one.
        corrected_p: p times `corrected_tasks` (Bonferroni), at most 1.
        seeds: how many they share; of folds, in each.
        untested: why there is no test: `FEW_SEEDS` or `NO_VARIANCE`; empty if there is one.
        folds: over how many folds they are compared; 0 without cross-validation.
    """

    better: Key
    other: Key
    differences: tuple[float, ...]
    difference: float
    error_reduction: float
    t: float
    p: float
    corrected_p: float
    seeds: int
    untested: str = ""
    folds: int = 0

    @property
    def language(self) -> str:
        """The tag of the language that the other one was measured on."""
        return self.other[0]

    @property
    def task(self) -> str:
        """The task that both were measured on."""
        return self.other[2]

    @property
    def counted(self) -> str:
        """How many seeds, or folds and seeds, they share, in words."""
        return counted(self.folds, self.seeds)

    @property
    def tested(self) -> bool:
        """Whether there are seeds (or folds) enough for a test, whose differences vary."""
        return not self.untested

    @property
    def two_seeds(self) -> bool:
        """Whether the test has one degree of freedom; see `TWO_SEEDS`."""
        return self.tested and len(self.differences) == 2

    @property
    def verdict(self) -> str:
        """Whether the first is significantly better, in words."""
        if self.untested:
            return f"not tested: {self.untested}"
        return ("yes" if self.significant else "no") + (" (two seeds only)" if self.two_seeds else "")

    @property
    def significant(self) -> bool:
        """Whether the first is better at the 5 % level after correction."""
        return self.corrected_p < LEVEL


@dataclass(frozen=True)
class Pairs:
    """Two scores of what both have, pair by pair: of a seed, or of a fold (means over the seeds that both have there).

    Attributes:
        first, second: in points.
        seeds: how many they share; of folds, in each.
        folds: how many they share; 0 without cross-validation.
    """

    first: tuple[float, ...]
    second: tuple[float, ...]
    seeds: int
    folds: int

    @property
    def differences(self) -> tuple[float, ...]:
        """By how many points the first is higher, pair by pair."""
        return tuple(one - other for one, other in zip(self.first, self.second, strict=True))


def paired(first: Mapping[Trial, float], second: Mapping[Trial, float]) -> Pairs:
    """Put the scores of the same seeds, or the same folds, together, in order."""
    shared = sorted(first.keys() & second.keys())
    halves = [{trial: scores[trial] for trial in shared} for scores in (first, second)]
    folds, seeds = len(folds_of(shared)), len(seeds_of(shared))
    of_one, of_other = (tuple((by_fold(half) if folds else half).values()) for half in halves)
    return Pairs(of_one, of_other, seeds, folds)


def scores_of(tested: Comparison, scores: Scores) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The two scores of a comparison, pair by pair."""
    first, second = (scores.converged(key) or {} for key in (tested.better, tested.other))
    pairs = paired(first, second)
    return pairs.first, pairs.second


def compare(
    first: Mapping[Trial, float], second: Mapping[Trial, float], step: float = 0.0
) -> tuple[float, int, float, float]:
    """One-sided paired t-test of first > second over the seeds that both have, or over folds.

    Args:
        first, second: scores in points by seed, or by fold and seed.
        step: by how many points one item of the test data changes a score; see `untested`.

    Returns:
        The difference of the means, the number of shared seeds (or folds), t, and p; the last two are NaN without a
        test.
    """
    pairs = paired(first, second)
    differences = numpy.asarray(pairs.differences)
    if untested(pairs.differences, step):
        mean = float(differences.mean()) if pairs.differences else math.nan
        return mean, len(pairs.differences), math.nan, math.nan
    if pairs.folds:
        t, p = corrected_t_test(pairs.differences)
    else:
        t, p = map(float, stats.ttest_rel(pairs.first, pairs.second, alternative="greater"))
    return float(differences.mean()), len(pairs.differences), t, p


def corrected_t_test(differences: Sequence[float]) -> tuple[float, float]:
    """One-sided t-test that the differences of folds are above 0, corrected for overlapping training sets.

    Differences of folds go together, as any two folds are trained on nearly the same sentences: their variance is that
    of the test data more than that of training, and too small. Nadeau and Bengio (2003, "Inference for the
    generalization error", §3) add the number of test sentences by that of training sentences to 1 / n:

        t = mean / sqrt((1 / n + test / train) * variance), with n - 1 degrees of freedom.

    Of n folds, one is tested on, one chooses the epoch, and n - 2 train: test / train is 1 / (n - 2). Those that choose
    the epoch teach the model something too; not to count them (1 / (n - 1) if they were) is the cautious choice.
    Folds of documents may differ in size (`datasets.in_folds`); the ratio is that of folds of their mean size.

    Args:
        differences: a mean over seeds for each fold, three or more.

    Returns:
        t and p.
    """
    n = len(differences)
    ratio = 1 / (n - 2)
    t = numpy.mean(differences) / math.sqrt((1 / n + ratio) * numpy.var(differences, ddof=1))
    return float(t), float(stats.t.sf(t, n - 1))


def compare_scores(experiment: Experiment, scores: Scores, better: Key, other: Key) -> Comparison:
    """The test of one score against another, also of a transliterated twin's against its original's.

    A twin has the folds of its original, sentence by sentence.
    """
    first, second = (scores.converged(key) or {} for key in (better, other))
    step = max(map(scores.step, (better, other)))
    difference, _, t, p = compare(first, second, step)
    pairs = paired(first, second)
    errors = 100 - numpy.mean(pairs.second) if pairs.second else math.nan
    corrected = math.nan if math.isnan(p) else min(1.0, p * corrected_tasks(experiment, other[0]))
    return Comparison(
        better=better,
        other=other,
        differences=pairs.differences,
        difference=difference,
        error_reduction=float(difference / errors) if errors else math.nan,
        t=t,
        p=p,
        corrected_p=corrected,
        seeds=pairs.seeds,
        untested=untested(pairs.differences, step),
        folds=pairs.folds,
    )


def corrected_tasks(experiment: Experiment, language: str) -> int:
    """What Bonferroni multiplies p by; as run always 3 (fact 37).

    It is the number of tasks that the language has labeled data for, whether the grid runs them or not.
    """
    if experiment.config["tables"]["correction"] == "all-tasks":
        return len(TASKS)
    return len(experiment.languages[language].tasks)


def correction(experiment: Experiment) -> str:
    """What p is multiplied by, in words; see `corrected_tasks`."""
    if experiment.config["tables"]["correction"] == "all-tasks":
        return f"{len(TASKS)} tasks, whatever the language has"
    return "the number of tasks that the language has labeled data for, whether the grid runs them or not"


def comparisons(experiment: Experiment, scores: Scores) -> list[Comparison]:
    """Of every two representations of a language and task, the one with the higher mean against the other."""
    found = []
    for language in experiment.grid_languages:
        for task in language.tasks:
            ranked = scores.ranked(language.tag, task, single_task_methods(experiment))
            for place, better in enumerate(ranked):
                for other in ranked[place + 1 :]:
                    keys = (language.tag, better, task), (language.tag, other, task)
                    found.append(compare_scores(experiment, scores, *keys))
    return found


# -- on request --------------------------------------------------------------------------------------------
# All but Holm's take seeds for independent of each other, which folds are not. What each is worth:
# benchmarks/significance.py.

# Of how many intervals for 95 % hold the true difference (percent), by number of seeds whose differences are normal.
PERCENTILE_COVERAGE = {2: 50, 3: 75, 4: 80, 5: 83, 6: 86, 7: 87, 8: 88, 9: 89, 10: 90}


def wilcoxon(differences: Sequence[float]) -> float:
    """p of the one-sided signed-rank test that the differences are above 0; NaN where they are not tested.

    Of n seeds it is never below 2^-n: five cannot reach 0.05 after a correction by more than one task.
    """
    if untested(differences):
        return math.nan
    return float(stats.wilcoxon(differences, alternative="greater").pvalue)


def bootstrap_interval(differences: Sequence[float]) -> tuple[float, float]:
    """The 95 % percentile interval of the mean difference, seeds drawn with replacement; NaN where not tested."""
    if untested(differences):
        return math.nan, math.nan
    interval = stats.bootstrap(
        (numpy.asarray(differences),),
        numpy.mean,
        n_resamples=RESAMPLES,
        method="percentile",
        rng=numpy.random.default_rng(0),  # the same interval every time
    ).confidence_interval
    return float(interval.low), float(interval.high)


def percentile_coverage(seeds: int) -> int:
    """What share of its 95 % intervals, in percent, hold the true difference; too few, as n seeds drawn with
    replacement vary less than seeds do, by (n - 1) / n, and have lighter tails than Student's t."""
    if seeds in PERCENTILE_COVERAGE:
        return PERCENTILE_COVERAGE[seeds]
    return round(100 * (1 - 2 * float(stats.t.sf(stats.norm.isf(0.025) * math.sqrt((seeds - 1) / seeds), seeds - 1))))


def almost_stochastic_order(first: Sequence[float], second: Sequence[float]) -> float:
    """How much the first violates being the higher one everywhere: a measure from 0 to 1, and no test.

    The first is stochastically higher if each quantile of its scores is at least as high as the other's. The violation
    ratio is the share of the squared distance of their quantile functions, over all quantiles, that lies where it is
    not (del Barrio et al. 2018): 0 if it is higher everywhere, 1 if it is lower, 1/2 if as often as not. Dror et al.
    (2019) report the upper bound that it is below with 95 % confidence: ratio + 1.645 deviations of the ratio of scores
    that are drawn with replacement, each method's on its own.

    Args:
        first, second: scores of the same number of seeds.

    Returns:
        The bound; NaN where differences are not tested.
    """
    if untested([one - other for one, other in zip(first, second, strict=True)]):
        return math.nan
    generator = numpy.random.default_rng(0)
    samples = [numpy.asarray(scores, dtype=float) for scores in (first, second)]
    drawn = [sample[generator.integers(0, len(sample), (ORDER_DRAWS, len(sample)))] for sample in samples]
    deviation = numpy.std(_violation_ratio(*drawn), ddof=1)
    bound = _violation_ratio(*samples) + stats.norm.isf(LEVEL) * deviation
    return float(numpy.clip(bound, 0, 1))


def _violation_ratio(first: NDArray[numpy.float64], second: NDArray[numpy.float64]) -> NDArray[numpy.float64]:
    """Of equally many scores of each, in the last axis, whose sorted values are the quantile functions."""
    apart = numpy.sort(first) - numpy.sort(second)
    total = (apart**2).sum(-1)
    violated = (numpy.minimum(apart, 0) ** 2).sum(-1)
    return numpy.asarray(numpy.divide(violated, total, out=numpy.full_like(total, 0.5), where=total > 0))


def effect_size(differences: Sequence[float]) -> float:
    """Cohen's d of paired differences: their mean in standard deviations (ddof 1); NaN where they are not tested."""
    if untested(differences):
        return math.nan
    return float(numpy.mean(differences) / numpy.std(differences, ddof=1))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's correction over all of them, step by step from the smallest; NaN stays and does not count."""
    values = numpy.asarray(p_values, dtype=float)
    known = numpy.flatnonzero(~numpy.isnan(values))
    order = known[numpy.argsort(values[known], kind="stable")]
    factors = numpy.arange(len(order), 0, -1)
    corrected = values.copy()
    corrected[order] = numpy.minimum(1, numpy.maximum.accumulate(values[order] * factors))
    return [float(value) for value in corrected]
