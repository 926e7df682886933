"""Paired tests over seeds: the paper's, and those on request."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy
from scipy import stats

from specialize.experiment import TASKS, Experiment
from specialize.tables.scores import Key, Scores, single_task_methods
from specialize.tables.verdicts import untested

LEVEL = 0.05  # paper §A.2.1
RESAMPLES = 10_000


@dataclass(frozen=True)
class Comparison:
    """A one-sided paired t-test over the seeds that two scores share (paper §A.2.1, fact 37).

    Attributes:
        better, other: keys of the scores; the hypothesis is that the first is higher.
        differences: for each shared seed, in points.
        difference: of the means over the shared seeds, in points; NaN without any.
        error_reduction: the share of the other's errors that the better one does not make.
        t, p: of the test; NaN without one.
        corrected_p: p times `corrected_tasks` (Bonferroni), at most 1.
        untested: why there is no test: `FEW_SEEDS` or `NO_VARIANCE`; empty if there is one.
    """

    better: Key
    other: Key
    differences: tuple[float, ...]
    difference: float
    error_reduction: float
    t: float
    p: float
    corrected_p: float
    untested: str = ""

    @property
    def language(self) -> str:
        """The tag of the language that the other one was measured on."""
        return self.other[0]

    @property
    def task(self) -> str:
        """The task that both were measured on."""
        return self.other[2]

    @property
    def seeds(self) -> int:
        """How many they share."""
        return len(self.differences)

    @property
    def tested(self) -> bool:
        """Whether there are seeds enough for a test, whose differences vary."""
        return not self.untested

    @property
    def two_seeds(self) -> bool:
        """Whether the test has one degree of freedom; see `TWO_SEEDS`."""
        return self.tested and self.seeds == 2

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


def compare(first: dict[int, float], second: dict[int, float], step: float = 0.0) -> tuple[float, int, float, float]:
    """One-sided paired t-test of first > second over the seeds that both have.

    Args:
        first, second: scores in points by seed.
        step: by how many points one item of the test data changes a score; see `untested`.

    Returns:
        The difference of the means, the number of shared seeds, t, and p; the last two are NaN without a test.
    """
    seeds = sorted(first.keys() & second.keys())
    differences = numpy.asarray([first[seed] - second[seed] for seed in seeds])
    if untested(differences.tolist(), step):
        return float(differences.mean()) if seeds else math.nan, len(seeds), math.nan, math.nan
    result = stats.ttest_rel([first[seed] for seed in seeds], [second[seed] for seed in seeds], alternative="greater")
    return float(differences.mean()), len(seeds), float(result.statistic), float(result.pvalue)


def compare_scores(experiment: Experiment, scores: Scores, better: Key, other: Key) -> Comparison:
    """The test of one score against another, also of a transliterated twin's against its original's."""
    first, second = (scores.converged(key) or {} for key in (better, other))
    step = max(map(scores.step, (better, other)))
    difference, _, t, p = compare(first, second, step)
    shared = sorted(first.keys() & second.keys())
    errors = 100 - numpy.mean([second[seed] for seed in shared]) if shared else math.nan
    differences = tuple(first[seed] - second[seed] for seed in shared)
    corrected = math.nan if math.isnan(p) else min(1.0, p * corrected_tasks(experiment, other[0]))
    return Comparison(
        better=better,
        other=other,
        differences=differences,
        difference=difference,
        error_reduction=float(difference / errors) if errors else math.nan,
        t=t,
        p=p,
        corrected_p=corrected,
        untested=untested(differences, step),
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
