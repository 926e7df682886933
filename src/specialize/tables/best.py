"""Which base and method is best for a language and task: chosen on development data, tested on test data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from specialize.experiment import Experiment, Language
from specialize.tables.formats import NOTHING, Entry, number
from specialize.tables.names import base_of, bases_of, title_on_base
from specialize.tables.other_tests import Disagreement, OtherTests
from specialize.tables.scores import TASK_TITLES, Key, Scores, mean_and_deviation
from specialize.tables.statistics import Comparison, compare_scores, holm
from specialize.tables.verdicts import COMPARISONS, FEW_SEEDS, GUESSING_MARK, NO_VARIANCE, tied

NAMED = 3  # methods that the best one is not significantly better than


@dataclass(frozen=True)
class Best:
    """The best method of a language and task, and its tests against all others.

    Attributes:
        winner: of the highest mean development score.
        tests: on the test data against each other one, in the order of development scores; p is corrected.
        failed: how many others did not converge.
        disagreements: of other tests, on request.
    """

    winner: Key
    tests: tuple[Comparison, ...]
    failed: int
    disagreements: tuple[Disagreement, ...] = ()

    @property
    def comparisons(self) -> int:
        """How many there could have been, whichever was named the best."""
        return len(self.tests) * (len(self.tests) + 1)

    @property
    def is_shown(self) -> bool:
        """Whether every other one is significantly worse."""
        return bool(self.tests) and all(tested.significant for tested in self.tests)


def best_methods(
    experiment: Experiment, scores: Scores, language: Language, others: OtherTests | None = None
) -> list[Best]:
    """The best method of each task of a language that the grid has scores of.

    It is the one of the highest mean development score. Its test scores are then tested against those of each other
    one. Seeds that do well on development data do well on test data too, so that the best of many equal ones looks
    better than the rest there as well: each of them may be the one that is named, and p is corrected for that. Holm's
    correction over the tests of the one that is named is multiplied by the number of all that could have been: of
    bases, methods and tasks of the language. By Bonferroni's inequality, 5 % of languages at most have any verdict
    "significantly better" that is wrong, however development and test scores go together. Other tests, on request, are
    corrected in the same way.
    """
    ranked = {task: scores.chosen(language.tag, task, scores.methods(language.tag, task)) for task in language.tasks}
    candidates = sum(len(methods) for methods in ranked.values() if len(methods) > 1)
    found = []
    for task, methods in ranked.items():
        if not methods:
            continue
        winner, *beaten = [(language.tag, method, task) for method in methods]
        tests = [compare_scores(experiment, scores, winner, key) for key in beaten]
        stepwise = holm([tested.p for tested in tests])
        corrected = [
            replace(tested, corrected_p=p if math.isnan(p) else min(1.0, candidates * p))
            for tested, p in zip(tests, stepwise, strict=True)
        ]
        disagreements = others.disagreements(corrected, candidates, "Best", stepwise=True) if others else []
        failed = len(scores.methods(language.tag, task)) - len(methods)
        found.append(Best(winner, tuple(corrected), failed, tuple(disagreements)))
    return found


def best_rows(experiment: Experiment, scores: Scores, found: Sequence[Best]) -> list[list[Entry]]:
    """A row for each task of a language: the best method; then, if the grid has several bases, the best base."""
    rows = []
    for best in found:
        rows.append(_row("Best", experiment, best, _answer(experiment, scores, best), best.tests[:1]))
        if len(bases_of(experiment)) > 1:
            answer, tests = _base_answer(experiment, scores, best)
            rows.append(_row("Best base", experiment, best, answer, tests[:1]))
    return rows


def comparisons_note(experiment: Experiment, found: Iterable[Best]) -> str:
    """How many comparisons p is corrected over."""
    numbers: dict[str, int] = {}
    for best in found:
        numbers[best.winner[0]] = numbers.get(best.winner[0], 0) + best.comparisons
    counted = [f"{experiment.languages[tag].name} {number:,}" for tag, number in numbers.items() if number]
    return f"{COMPARISONS}{', '.join(counted) or 'none'}."


def _row(
    question: str, experiment: Experiment, best: Best, answer: str, next_best: Sequence[Comparison]
) -> list[Entry]:
    tag, _, task = best.winner
    texts = [question, experiment.languages[tag].name, TASK_TITLES[task], answer]
    for tested in next_best:
        texts += [number(tested.difference, "+.2f"), tested.counted, number(tested.corrected_p, ".2g")]
    texts += [NOTHING] * (7 - len(texts))
    return [Entry(text, best=text is answer) for text in texts]


def _answer(experiment: Experiment, scores: Scores, best: Best) -> str:
    """How the best method compares with the others, in words."""
    names = {tested.other: _named(experiment, scores, tested.other) for tested in best.tests}
    mean = scores.mean(best.winner) or 0.0
    same = [key for key in names if tied(scores.mean(key), mean)]
    ahead = [key for key in names if key not in same and (scores.mean(key) or 0.0) > mean]
    behind = [tested for tested in best.tests if tested.other not in (*same, *ahead)]
    equals = [names[tested.other] for tested in behind if tested.tested and not tested.significant]
    beaten = [tested for tested in behind if tested.significant]
    verdicts = []
    if ahead:
        higher = _some([names[key] for key in ahead])
        verdicts.append(f"the best on the development data, while on the test data {higher} scored higher")
    if same:
        verdicts.append(f"the same mean as {_some([names[key] for key in same])}")
    if equals:
        verdicts.append(f"not significantly better than {_some(equals)}")
    for reason in (FEW_SEEDS, NO_VARIANCE):
        if untested := [names[tested.other] for tested in behind if tested.untested == reason]:
            verdicts.append(f"not tested against {_some(untested)} ({reason})")
    if beaten:
        which = f"{len(beaten)} others" if len(beaten) > 1 else "other one"
        verdicts.append(f"significantly better than the {which}{_by_two_seeds(beaten)}")
    for title in dict.fromkeys(one.title for one in best.disagreements):
        about = [names[one.tested.other] for one in best.disagreements if one.title == title]
        verdicts.append(f"{title} disagrees about {_some(about)}")
    if best.failed:
        verdicts.append(f"{best.failed} did not converge")
    if best.tests and best.tests[0].significant:  # else the next best is named above
        verdicts.append(f"next: {names[best.tests[0].other]}")
    mark = f" {GUESSING_MARK}" if scores.near_guessing(best.winner) else ""
    winner = f"{title_on_base(experiment, best.winner[1])} ({mean_and_deviation(scores, best.winner)}{mark})"
    return f"{winner}: {'; '.join(verdicts) or 'there is no other'}"


def _base_answer(experiment: Experiment, scores: Scores, best: Best) -> tuple[str, list[Comparison]]:
    """Whether the best method's base is shown to be better than the others, and its tests against theirs."""
    own = base_of(experiment, best.winner[1].representation)
    tests = [tested for tested in best.tests if base_of(experiment, tested.other[1].representation) != own]
    bases = list(dict.fromkeys(base_of(experiment, tested.other[1].representation) for tested in tests))
    level: dict[str, str] = {}  # of each base, the best method that is not significantly worse
    for tested in tests:
        if not tested.significant:
            level.setdefault(
                base_of(experiment, tested.other[1].representation), _named(experiment, scores, tested.other)
            )
    worse = [base for base in bases if base not in level]
    verdicts = []
    if level:
        by_method = [f"{base}, by {name}" for base, name in level.items()]
        verdicts.append(f"not shown to be better than {' or '.join(by_method)}")
    if worse:
        verdicts.append(f"all methods of {' and '.join(worse)} are significantly worse")
    return f"{own}: {'; '.join(verdicts) or 'there is no other'}", tests


def _named(experiment: Experiment, scores: Scores, key: Key) -> str:
    """A method with its mean test score."""
    mark = f" {GUESSING_MARK}" if scores.near_guessing(key) else ""
    return f"{title_on_base(experiment, key[1])} ({scores.mean(key):.2f}{mark})"


def _by_two_seeds(tests: Sequence[Comparison]) -> str:
    """A bracket after verdicts that two seeds only stand behind; nothing if none are."""
    number_of_two = sum(tested.two_seeds for tested in tests)
    of_them = "" if number_of_two == len(tests) else f"{number_of_two} of them: "
    return f" ({of_them}two seeds only)" if number_of_two else ""


def _some(names: Sequence[str]) -> str:
    """The first few names, which are those of the highest development scores, and how many more there are."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
