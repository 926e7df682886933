"""What a run says: which method is best for which language, and the paper's four questions with the tests behind."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy

from specialize.experiment import Experiment, Language, Representation
from specialize.experiment.beyond_paper import own_hyperparameters, own_methods
from specialize.experiment.regimes import Method
from specialize.tables.baselines import unaugmented
from specialize.tables.best import best_methods, best_rows, comparisons_note
from specialize.tables.folds import fold_notes
from specialize.tables.formats import NOTHING, Entry, Table, number
from specialize.tables.names import bases_of, key_of_names
from specialize.tables.other_tests import OtherTests
from specialize.tables.scores import NOT_IN_GRID, TASK_TITLES, Key, Scores
from specialize.tables.statistics import LEVEL, Comparison, compare_scores, corrected_tasks, correction
from specialize.tables.verdicts import (
    FEW_SEEDS,
    GUESSING_MARK,
    GUESSING_NOTE,
    NO_VARIANCE,
    PRETRAINED_ONCE,
    TWO_SEEDS,
    VARIANCE_NOTE,
    tied,
)

# In our words; the paper asks them in §2.1, §3.2 and §4.
QUESTIONS = {
    "RQ1": "Do new wordpieces help, on every task and script?",
    "RQ2": "Does multi-task learning beat single-task learning?",
    "RQ3": "Does pre-finetuning on several tasks help?",
    "RQ4": "How do new wordpieces and transliteration compare and combine?",
}
ABOUT_PIECES = ("growth", "initialisation")  # of what is beyond the paper


@dataclass(frozen=True)
class Finding:
    """A test behind an answer.

    Attributes:
        tested: the higher score against the lower one.
        difference: in points; positive if it favours what the question asks about.
        better, other: what the table calls the higher and the lower one.
    """

    tested: Comparison
    difference: float
    better: str
    other: str


def answers_table(experiment: Experiment, scores: Scores) -> Table:
    """The best method for each language and task, an answer to each research question, then the tests behind them."""
    table = Table(
        "answers",
        "What this run says: the best method for each language and task, and the paper's research questions.",
        ["Question", "Language", "Task", "Answer", "Difference", "Seeds", "p corrected"],
    )
    others = OtherTests(experiment, scores)
    found = [best_methods(experiment, scores, language, others) for language in experiment.grid_languages]
    for of_language in found:
        table.rows += best_rows(experiment, scores, of_language)
    behind = {
        "RQ1": _new_wordpieces(experiment, scores),
        "RQ2": {
            "the best multi-task model against the best single-task one of the same representations": _multi_task(
                experiment, scores
            )
        },
        "RQ3": {"after pre-finetuning against before": _prefinetuning(experiment, scores)},
        "RQ4": _transliteration(experiment, scores),
    }
    for question, kinds in behind.items():
        title = f"{question}: {QUESTIONS[question]}"
        known = {kind: findings for kind, findings in kinds.items() if findings}
        if not known:
            table.add(title, NOTHING, NOTHING, NOT_IN_GRID, *[NOTHING] * 3)
        for kind, findings in known.items():
            known_differences = [one.difference for one in findings if not math.isnan(one.difference)]
            mean = number(float(numpy.mean(known_differences)) if known_differences else math.nan, "+.2f")
            answer = Entry(f"{kind}: {_counts(findings)}", best=True)
            texts = [f"{mean} (mean)", NOTHING, NOTHING]
            table.rows.append([Entry(title), Entry("all"), Entry("all"), answer, *map(Entry, texts)])
    for question, kinds in behind.items():
        for findings in kinds.values():
            for finding in findings:
                tested = finding.tested
                name = experiment.languages[tested.language].name
                disagreements = others.disagreements([tested], corrected_tasks(experiment, tested.language), question)
                sentence = "; ".join([_sentence(finding), *(f"{one.title} disagrees" for one in disagreements)])
                row = [f"{question}, tests", name, TASK_TITLES[tested.task], sentence]
                row += [number(finding.difference, "+.2f"), tested.counted, number(tested.corrected_p, ".2g")]
                table.add(*row)
    table.notes = [
        "Best: of all methods that the grid has for the language and task, the one of the highest mean on the "
        "development data, over its own seeds; scores, differences (in points) and tests are of the test data. The "
        "difference, seeds and p beside it are to the next best on the development data. Differences and p are over "
        "the seeds that both have; Seeds says how many. Tests are one-sided paired t-tests: is the best one better "
        "than each other? Their p is corrected by Holm, and by the number of all bases, methods and tasks of the "
        f"language, any of which might have been named best, and significant below {LEVEL}. What is not significantly "
        "different has not been shown to be equal.",
        comparisons_note(experiment, [best for of_language in found for best in of_language]),
        PRETRAINED_ONCE,
        "Questions RQ1 to RQ4 are the paper's, with its correction: one-sided paired t-tests in the direction of the "
        f"higher mean, p Bonferroni-corrected by {correction(experiment)}, not by the number of methods.",
        "Bold: the answers in short. Behind a question, a positive difference favours what the question asks about, "
        "whichever scored higher; the error reduction is the share of the lower one's errors that the higher one does "
        "not make. RQ1 leaves transliterated twins to RQ4. RQ2 is of the representations that the grid has single-task "
        "and multi-task models of, each chosen on the development data, and leaves out pre-finetuning, which RQ3 is "
        "about.",
    ]
    if left_out := _more_differs(experiment):
        table.notes.append(
            f"RQ1 and RQ4 leave out {', '.join(left_out)}: more than new wordpieces differs (what learns, what is "
            "masked, whose text is read, or with what else they are trained)."
        )
    table.notes += others.notes()
    table.notes += fold_notes(experiment, scores, scores.by_seed)
    texts = [cell.text for row in table.rows for cell in row]
    table.notes += [VARIANCE_NOTE] if any(f"({NO_VARIANCE})" in text for text in texts) else []
    table.notes += [GUESSING_NOTE] if any(GUESSING_MARK in text for text in texts) else []
    table.notes += [TWO_SEEDS] if any("two seeds only" in text for text in texts) else []
    table.notes.append(key_of_names(experiment, multi_task=True))
    return table


def _findings(
    experiment: Experiment, scores: Scores, first: Key, second: Key, names: tuple[str, str] | None = None
) -> list[Finding]:
    """The test of what a question asks about against something else; none if the grid lacks one of the two."""
    means = scores.mean(first), scores.mean(second)
    if means[0] is None or means[1] is None:
        return []
    asked, against = names or (first[1].title, second[1].title)
    if means[0] >= means[1]:
        tested = compare_scores(experiment, scores, first, second)
        return [Finding(tested, tested.difference, asked, against)]
    tested = compare_scores(experiment, scores, second, first)
    return [Finding(tested, -tested.difference, against, asked)]


def _with_new_wordpieces(experiment: Experiment) -> list[Representation]:
    """The grid's representations that are pretrained further with new wordpieces, and differ by these alone.

    What learns, what is masked, whose text it learns from, and the hyperparameters are as in the one without new
    wordpieces.
    """

    def others(name: str | None) -> dict[str, Any]:
        if name is None:
            return {}
        own = own_methods(experiment, name) | own_hyperparameters(experiment, name)
        return {key: value for key, value in own.items() if key not in ABOUT_PIECES}

    of_all = _all_with_new_wordpieces(experiment)
    return [kind for kind in of_all if others(kind.name) == others(unaugmented(experiment, kind.base_model))]


def _all_with_new_wordpieces(experiment: Experiment) -> list[Representation]:
    kinds = [experiment.representations[name] for name in experiment.grid_representations]
    return [kind for kind in kinds if kind.method == "adapt" and kind.pieces != 0]


def _more_differs(experiment: Experiment) -> list[str]:
    """The names of those with new wordpieces that the questions about these are not of."""
    asked = _with_new_wordpieces(experiment)
    return [kind.name for kind in _all_with_new_wordpieces(experiment) if kind not in asked]


def _new_wordpieces(experiment: Experiment, scores: Scores) -> dict[str, list[Finding]]:
    """Each representation with new wordpieces against the one without of the same base model, by script."""
    kinds = [experiment.representations[name] for name in experiment.grid_representations]
    as_they_are = {kind.base_model: kind.name for kind in reversed(kinds) if kind.method == "base"}
    found: dict[str, list[Finding]] = {}
    originals = [language for language in experiment.grid_languages if language.original is None]
    for kind in _with_new_wordpieces(experiment):
        reference = unaugmented(experiment, kind.base_model) or as_they_are.get(kind.base_model)
        if reference is None:
            continue
        for language in originals:
            against = found.setdefault(f"{kind.name} against {reference}, {_script(language)}", [])
            for task in language.tasks:
                keys = (language.tag, Method(kind.name), task), (language.tag, Method(reference), task)
                against += _findings(experiment, scores, *keys)
    return found


def _script(language: Language) -> str:
    """In which letters a language is written."""
    script = language.entry.get("script")
    if not script:
        return "script not given"
    return "Latin letters" if script == "Latin" else "other letters"


def _multi_task(experiment: Experiment, scores: Scores) -> list[Finding]:
    """The best multi-task model, not finetuned further, against the best single-task one, by language and task; both
    are chosen on the development data.

    Both of the same representations: those that the grid has both of.
    """
    found = []
    for language, task, methods in _places(experiment, scores):
        multi_task = [
            method
            for method in methods
            if not method.single_task and not method.prefinetuned and Method(method.representation) in methods
        ]
        single_task = [method for method in methods if method.single_task]
        both = {method.representation for method in multi_task}
        several = scores.chosen(language, task, multi_task)
        single = scores.chosen(language, task, [method for method in single_task if method.representation in both])
        if single and several:
            names = several[0].title, f"{single[0].title} (single-task)"
            found += _findings(experiment, scores, (language, several[0], task), (language, single[0], task), names)
    return found


def _prefinetuning(experiment: Experiment, scores: Scores) -> list[Finding]:
    """Each model that was finetuned from a multi-task one against that one."""
    found = []
    for language, task, methods in _places(experiment, scores):
        for method in methods:
            if method.prefinetuned:
                before = replace(method, prefinetuned=False)
                found += _findings(experiment, scores, (language, method, task), (language, before, task))
    return found


def _transliteration(experiment: Experiment, scores: Scores) -> dict[str, list[Finding]]:
    """Transliteration alone, against new wordpieces, and both against the better one of them."""
    found: dict[str, list[Finding]] = {}

    def add(question: str, *compared: tuple[Key, str]) -> None:
        (first, first_name), (second, second_name) = compared
        known = found.setdefault(question, [])
        known += _findings(experiment, scores, first, second, (first_name, second_name))

    with_new = _with_new_wordpieces(experiment)
    plains = {base: unaugmented(experiment, base) for base in bases_of(experiment)}
    twins = [(twin, task) for twin in experiment.grid_languages if twin.original for task in twin.tasks]
    for twin, task in twins:
        for base, plain in plains.items():
            if plain is None:
                continue
            written, twin_tag = str(twin.original), twin.tag
            before = (written, Method(plain), task), f"{plain} as written"
            after = (twin_tag, Method(plain), task), f"{plain} transliterated"
            add(f"{plain}, transliterated against not", after, before)
            for kind in (kind for kind in with_new if kind.base_model == base):
                pieces = (written, Method(kind.name), task), f"{kind.name} as written"
                both = (twin_tag, Method(kind.name), task), f"{kind.name} transliterated"
                add(f"{plain} transliterated against {kind.name} as written", after, pieces)
                better = max((after, pieces), key=lambda one: scores.development_mean(one[0]) or 0.0)
                add(f"{kind.name} transliterated against the better of these two", both, better)
    return found


def _places(experiment: Experiment, scores: Scores) -> Iterable[tuple[str, str, list[Method]]]:
    """Each language and task of the grid, with the methods that it has for them."""
    for language in experiment.grid_languages:
        for task in language.tasks:
            yield language.tag, task, scores.methods(language.tag, task)


def _counts(findings: Sequence[Finding]) -> str:
    """How many of a question's tests went which way."""
    better = sum(finding.tested.significant and finding.difference > 0 for finding in findings)
    worse = sum(finding.tested.significant and finding.difference < 0 for finding in findings)
    reasons = [finding.tested.untested for finding in findings]
    tests = [finding.tested for finding in findings if finding.tested.tested]
    text = f"significantly better in {better} of {len(findings)}, significantly worse in {worse}"
    text += f", no significant difference in {len(tests) - better - worse}"
    for reason in (FEW_SEEDS, NO_VARIANCE):
        text += f", not tested in {reasons.count(reason)} ({reason})" if reason in reasons else ""
    if number_of_two := sum(tested.two_seeds for tested in tests):
        text += "; " + ("" if number_of_two == len(tests) else f"{number_of_two} of the tests with ") + "two seeds only"
    return text


def _sentence(finding: Finding) -> str:
    """What a test says, in words."""
    tested, better, other = finding.tested, finding.better, finding.other
    if tested.untested == NO_VARIANCE and tied(tested.difference, 0.0):
        pairs = "fold by fold" if tested.folds else "seed by seed"
        return f"{better} scores the same as {other}, {pairs}: not tested ({tested.untested})"
    if tested.untested:
        return f"{better} against {other}: not tested ({tested.untested})"
    verdict = "significantly better than" if tested.significant else "not significantly better than"
    seeds = ", two seeds only" if tested.two_seeds else ""
    return f"{better} {verdict} {other} (error reduction {number(tested.error_reduction, '.1%')}{seeds})"
