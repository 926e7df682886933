"""What a run says: which method is best for which language, and the paper's four questions with the tests behind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy

from specialize.contents import unaugmented
from specialize.experiment import Experiment, Language
from specialize.tables.formats import NOTHING, Entry, Table
from specialize.tables.names import key_of_names, method_title
from specialize.tables.results import correction, number
from specialize.tables.scores import NOT_IN_GRID, TASK_TITLES, Key, Scores, mean_and_deviation
from specialize.tables.statistics import LEVEL, Comparison, compare_configurations, compare_keys

# In our words; the paper asks them in §2.1, §3.2 and §4.
QUESTIONS = {
    "RQ1": "Do new wordpieces help, on every task and script?",
    "RQ2": "Does multi-task learning beat single-task learning?",
    "RQ3": "Does pre-finetuning on several tasks help?",
    "RQ4": "How do new wordpieces and transliteration compare and combine?",
}
NAMED = 3  # of those that the best one is not shown to beat


def answers_table(experiment: Experiment, scores: Scores) -> Table:
    """The best method for each language and task, an answer to each research question, then the tests behind them."""
    table = Table(
        "answers",
        "What this run says: the best method for each language and task, and the paper's research questions.",
        ["Question", "Language", "Task", "Answer", "Difference", "Seeds", "p corrected"],
    )
    for language in experiment.grid_languages:
        for task in language.tasks:
            table.rows += _best(experiment, scores, language, task)
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
        known = {kind: tests for kind, tests in kinds.items() if tests}
        if not known:
            table.add(title, NOTHING, NOTHING, NOT_IN_GRID, *[NOTHING] * 3)
        for kind, tests in known.items():
            mean = number(float(numpy.mean([difference for _, difference in tests])), "+.2f")
            answer = Entry(f"{kind}: {_counts(tests)}", best=True)
            texts = [f"{mean} (mean)", NOTHING, NOTHING]
            table.rows.append([Entry(title), Entry("all"), Entry("all"), answer, *map(Entry, texts)])
    for question, kinds in behind.items():
        for tests in kinds.values():
            for tested, difference in tests:
                name = experiment.languages[tested.language].name
                row = [f"{question}, tests", name, TASK_TITLES[tested.task], _sentence(tested), f"{difference:+.2f}"]
                table.add(*row, str(tested.seeds), number(tested.corrected_p, ".2g"))
    table.notes = [
        "Best: of all methods that the grid has for the language and task, by the mean over each one's own seeds; "
        "the difference (in points), seeds and p beside it are to the next. Difference and p are over the seeds that "
        "both have; Seeds says how many. Tests are one-sided paired t-tests, in the direction of the higher mean; p is "
        f"Bonferroni-corrected by {correction(experiment)}, not by the number of methods, and significant below "
        f"{LEVEL}. What is not significantly different has not been shown to be equal: with two seeds even a large "
        "difference may fail the test, which then has one degree of freedom.",
        "Bold: the answers in short. Behind a question, a positive difference favours what the question asks about, "
        "whichever scored higher; the error reduction is the share of the lower one's errors that the higher one does "
        "not make. RQ1 leaves transliterated twins to RQ4. RQ2 is of the representations that the grid has single-task "
        "and multi-task models of, and leaves out pre-finetuning, which RQ3 is about.",
        key_of_names(experiment, multi_task=True),
    ]
    return table


def _best(experiment: Experiment, scores: Scores, language: Language, task: str) -> list[list[Entry]]:
    configurations = scores.configurations(language.tag, task)
    ranked = scores.ranked(language.tag, task, configurations)
    if not ranked:
        return []
    tests = [compare_configurations(experiment, scores, language.tag, task, ranked[0], name) for name in ranked[1:]]
    means = {name: f"{method_title(name)} ({scores.mean((language.tag, name, task)):.2f})" for name in ranked}
    equals = [means[tested.other] for tested in tests if tested.tested and not tested.significant]
    untested = [means[tested.other] for tested in tests if not tested.tested]
    beaten, failed = len(tests) - len(equals) - len(untested), len(configurations) - len(ranked)
    verdicts = []
    if equals:
        verdicts.append(f"not significantly better than {_some(equals)}")
    if untested:
        verdicts.append(f"no test against {_some(untested)} (fewer than two shared seeds)")
    if beaten:
        verdicts.append(f"significantly better than the {f'{beaten} others' if beaten > 1 else 'other one'}")
    if failed:
        verdicts.append(f"{failed} did not converge")
    verdicts += [f"next: {means[name]}" for name in ranked[1:2] if means[name] not in equals + untested]
    best = f"{method_title(ranked[0])} ({mean_and_deviation(scores, (language.tag, ranked[0], task))})"
    row = ["Best", language.name, TASK_TITLES[task], f"{best}: {'; '.join(verdicts) or 'there is no other'}"]
    if tests:
        row += [number(tests[0].difference, "+.2f"), str(tests[0].seeds), number(tests[0].corrected_p, ".2g")]
    else:
        row += [NOTHING] * 3
    return [[Entry(text, best=place == 3) for place, text in enumerate(row)]]


def _some(names: Sequence[str]) -> str:
    """The first few names, which are those of the highest means, and how many more there are."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


Tests = list[tuple[Comparison, float]]  # each with its difference in the direction of the question


def _towards(
    experiment: Experiment, scores: Scores, first: Key, second: Key, names: Sequence[str] | None = None
) -> Tests:
    """The test of a question's first configuration against its second; none if the grid lacks one of the two."""
    means = scores.mean(first), scores.mean(second)
    if means[0] is None or means[1] is None:
        return []
    names = names or [method_title(name) for _, name, _ in (first, second)]
    if means[0] >= means[1]:
        tested = compare_keys(experiment, scores, first, second, (names[0], names[1]))
        return [(tested, tested.difference)]
    tested = compare_keys(experiment, scores, second, first, (names[1], names[0]))
    return [(tested, -tested.difference)]


def _new_wordpieces(experiment: Experiment, scores: Scores) -> dict[str, Tests]:
    """Each representation with new wordpieces against the one without, by script."""
    kinds = {name: experiment.representations[name] for name in experiment.grid_representations}
    augmented = [name for name, kind in kinds.items() if kind.method == "adapt" and kind.pieces != 0]
    base = next((name for name, kind in kinds.items() if kind.method == "base"), None)
    reference = unaugmented(experiment) or base
    found: dict[str, Tests] = {}
    for name in augmented if reference else ():
        for language in experiment.grid_languages:
            if language.original is None:
                written = language.entry.get("script")
                script = "Latin letters" if written == "Latin" else "other letters" if written else "script not given"
                for task in language.tasks:
                    keys = (language.tag, name, task), (language.tag, str(reference), task)
                    found.setdefault(f"{name} against {reference}, {script}", []).extend(
                        _towards(experiment, scores, *keys)
                    )
    return found


def _multi_task(experiment: Experiment, scores: Scores) -> Tests:
    """The best multi-task model, not finetuned further, against the best single-task one, by language and task.

    Both of the same representations: those that the grid has both of.
    """
    found: Tests = []
    for language, task, configurations in _places(experiment, scores):
        multi_task = [name for name in configurations if " mtl-" in name and name.partition(" ")[0] in configurations]
        both = {name.partition(" ")[0] for name in multi_task}
        several = scores.ranked(language, task, multi_task)
        single = scores.ranked(language, task, [name for name in configurations if name in both])
        if single and several:
            names = method_title(several[0]), f"{single[0]} (single-task)"
            found += _towards(experiment, scores, (language, several[0], task), (language, single[0], task), names)
    return found


def _prefinetuning(experiment: Experiment, scores: Scores) -> Tests:
    """Each model that was finetuned from a multi-task one against that one."""
    found: Tests = []
    for language, task, configurations in _places(experiment, scores):
        for name in configurations:
            if " pft-" in name:
                before = name.replace(" pft-", " ")
                found += _towards(experiment, scores, (language, name, task), (language, before, task))
    return found


def _transliteration(experiment: Experiment, scores: Scores) -> dict[str, Tests]:
    """Transliteration alone, against new wordpieces, and both against the better one of them."""
    kinds = {name: experiment.representations[name] for name in experiment.grid_representations}
    augmented = [name for name, kind in kinds.items() if kind.method == "adapt" and kind.pieces != 0]
    plain = unaugmented(experiment)
    twins = [language for language in experiment.grid_languages if language.original]
    found: dict[str, Tests] = {}
    for twin in twins if plain else ():
        for task in twin.tasks:
            before, after = (str(twin.original), str(plain), task), (twin.tag, str(plain), task)
            alone, names = f"{plain}, transliterated against not", (f"{plain} transliterated", f"{plain} as written")
            found.setdefault(alone, []).extend(_towards(experiment, scores, after, before, names))
            for name in augmented:
                pieces, both = (str(twin.original), name, task), (twin.tag, name, task)
                against = f"{plain} transliterated against {name} as written"
                names = f"{plain} transliterated", f"{name} as written"
                found.setdefault(against, []).extend(_towards(experiment, scores, after, pieces, names))
                better, known = max(((after, names[0]), (pieces, names[1])), key=lambda one: scores.mean(one[0]) or 0.0)
                together, names = (
                    f"{name} transliterated against the better of these two",
                    (f"{name} transliterated", known),
                )
                found.setdefault(together, []).extend(_towards(experiment, scores, both, better, names))
    return found


def _places(experiment: Experiment, scores: Scores) -> Iterable[tuple[str, str, list[str]]]:
    for language in experiment.grid_languages:
        for task in language.tasks:
            yield language.tag, task, scores.configurations(language.tag, task)


def _counts(tests: Sequence[tuple[Comparison, float]]) -> str:
    """How many of a question's tests went which way."""
    better = sum(tested.significant and difference > 0 for tested, difference in tests)
    worse = sum(tested.significant and difference < 0 for tested, difference in tests)
    untested = sum(not tested.tested for tested, _ in tests)
    text = f"significantly better in {better} of {len(tests)}, significantly worse in {worse}"
    text += f", no significant difference in {len(tests) - better - worse - untested}"
    return text + (f", no test in {untested} (fewer than two shared seeds)" if untested else "")


def _sentence(tested: Comparison) -> str:
    if not tested.tested:
        return f"{tested.better} against {tested.other}: no test (fewer than two shared seeds)"
    if tested.difference == 0:
        return f"{tested.better} scores the same as {tested.other}"
    verdict = "significantly better than" if tested.significant else "not significantly better than"
    fewer = number(tested.error_reduction, ".1%")
    return f"{tested.better} {verdict} {tested.other} (error reduction {fewer})"
