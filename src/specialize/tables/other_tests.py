"""Where tests on request say otherwise than the t-test that verdicts are of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from specialize.experiment import Experiment
from specialize.tables.hierarchical import HierarchicalBootstrap
from specialize.tables.scores import TASK_TITLES, Key, Scores
from specialize.tables.statistics import LEVEL, Comparison, holm, wilcoxon
from specialize.tables.verdicts import NEW_SENTENCES, TESTS_USED

# On request (config tables.statistics): those that have a verdict on each comparison. The percentile bootstrap over
# seeds has none, as its intervals are known to be too narrow; effect size and stochastic order are measures.
TITLES = {
    "wilcoxon": "the Wilcoxon test",
    "hierarchical-bootstrap": "the hierarchical bootstrap",
}
# Why one may have no verdict at all.
NO_VERDICT = {
    "wilcoxon": " (of so few seeds it cannot pass the correction)",
    "hierarchical-bootstrap": " (nothing varies, or all is cross-validated)",
}


@dataclass(frozen=True)
class Disagreement:
    """A test that finds a difference significant where the t-test does not, or the other way round.

    Attributes:
        test: of `TITLES`.
        tested: by the t-test, with its corrected p.
        p: of the other test, corrected as the t-test's is.
        question: which the pair was compared for, with a correction of its own.
    """

    test: str
    tested: Comparison
    p: float
    question: str

    @property
    def title(self) -> str:
        """What a table calls the test."""
        return TITLES[self.test]


class OtherTests:
    """The tests on request, beside the t-test.

    Args:
        experiment: the configuration.
        scores: with sentences, if the hierarchical bootstrap is requested.
    """

    def __init__(self, experiment: Experiment, scores: Scores) -> None:
        self.names = [name for name in TITLES if name in experiment.config["tables"]["statistics"]]
        self._languages = experiment.languages
        self._drawn = HierarchicalBootstrap(scores)
        self._found: dict[str, list[Disagreement]] = {name: [] for name in self.names}
        self._compared: dict[str, set[frozenset[Key]]] = {name: set() for name in self.names}

    def disagreements(
        self, tests: Sequence[Comparison], factor: float, question: str, stepwise: bool = False
    ) -> list[Disagreement]:
        """Those about some comparisons.

        Args:
            tests: with p corrected: by `factor`, or by Holm over all of them and then by `factor`.
            factor: what p is multiplied by.
            question: which these are compared for.
            stepwise: whether Holm corrects too.
        """
        found = []
        counted = sum(tested.tested and not tested.folds for tested in tests)
        most = factor * (counted if stepwise else 1)  # that the lowest p of all is multiplied by
        for name in self.names:
            values = [self._p(name, tested, most) for tested in tests]
            corrected = holm(values) if stepwise else values
            for tested, p in zip(tests, corrected, strict=True):
                if math.isnan(p):
                    continue
                self._compared[name].add(_pair(tested))
                p = min(1.0, factor * p)
                if (p < LEVEL) != tested.significant:
                    found.append(Disagreement(name, tested, p, question))
                    self._found[name].append(found[-1])
        return found

    def notes(self) -> list[str]:
        """Which tests were used, and each place where they disagree; nothing if none are requested."""
        if not self.names:
            return []
        note = f"{TESTS_USED}verdicts are of paired t-tests; beside them, as requested and with p corrected alike, "
        note += f"{'; '.join(self._note(name) for name in self.names)}."
        return [note + (NEW_SENTENCES if "hierarchical-bootstrap" in self.names else "")]

    def _note(self, name: str) -> str:
        compared, found = len(self._compared[name]), self._found[name]
        text = f"{TITLES[name]}, with a verdict on {compared} comparison{'' if compared == 1 else 's'}"
        if not found:
            return f"{text}, and no disagreement" if compared else f"{text}{NO_VERDICT[name]}"
        places: dict[str, dict[str, list[str]]] = {}  # a pair's values of p, and the questions that they are for
        for one in found:
            place = f"{self._languages[one.tested.language].name} {TASK_TITLES[one.tested.task]}, "
            values = f"p {one.tested.corrected_p:.2g} by the t-test, {one.p:.2g} by this one"
            questions = places.setdefault(place + self._against(one.tested), {}).setdefault(values, [])
            questions += [] if one.question in questions else [one.question]
        texts = [
            f"{place} ({'; '.join(', '.join(of) + f': {values}' for values, of in by_values.items())})"
            for place, by_values in places.items()
        ]
        disagreed = len({_pair(one.tested) for one in found})
        return f"{text}, which disagrees about {disagreed}: {', '.join(texts)}"

    def _against(self, tested: Comparison) -> str:
        (first, better, _), (second, other, _) = tested.better, tested.other
        if first == second:
            return f"{better.title} against {other.title}"
        names = [self._languages[tag].name for tag in (first, second)]
        return f"{better.title} ({names[0]}) against {other.title} ({names[1]})"

    def _p(self, name: str, tested: Comparison, most: float) -> float:
        """One-sided p that the first is not better; NaN where the test, or the t-test, has no verdict."""
        if tested.untested or tested.folds:
            return math.nan
        if name == "wilcoxon":  # of few seeds it can never pass the correction, which is no verdict
            return math.nan if most / 2 ** len(tested.differences) >= LEVEL else wilcoxon(tested.differences)
        return self._drawn.interval(tested.better, tested.other).p_better


def _pair(tested: Comparison) -> frozenset[Key]:
    """What is compared, whichever is higher."""
    return frozenset((tested.better, tested.other))
