"""Tables of test scores: single-task, multi-task, transliteration, and all comparisons."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from specialize.contents import MULTI_TASK, unaugmented
from specialize.experiment import MULTI_TASK_REGIMES, TASKS, Experiment, Language
from specialize.tables.formats import NOTHING, Entry, Table
from specialize.tables.names import key_of_names, method_title, regime_title
from specialize.tables.scores import (
    NOT_CONVERGED,
    NOT_IN_GRID,
    TASK_TITLES,
    Key,
    Scores,
    mean_and_deviation,
)
from specialize.tables.statistics import (
    LEVEL,
    bootstrap_interval,
    compare_configurations,
    comparisons,
    effect_size,
    holm,
    wilcoxon,
)

BASELINE = "best single-task"
BASELINE_NOTE = (
    "Best single-task: of each language and task, with its representation; it competes with the rows below it."
)
AS_UPS = "as UPS"


@dataclass(frozen=True)
class Block:
    """What a table of scores shows of one task.

    Attributes:
        task: the task.
        languages: those with its data, each a column.
        configurations: the rows; the best of each column is sought among them.
    """

    task: str
    languages: Sequence[Language]
    configurations: Sequence[str]


def single_task_table(experiment: Experiment, scores: Scores) -> Table:
    """The paper's Table 2: every representation on every language, a block for each task."""
    regimes = experiment.config["experiment"]["regimes"]
    tasks = [task for task in TASKS if task in regimes]
    languages = [
        language
        for language in experiment.grid_languages
        if language.original is None and set(language.tasks) & set(tasks)
    ]
    reference = unaugmented(experiment)
    table = Table(
        "single-task",
        "Single-task scores on the test data: mean ± standard deviation over seeds, in percent.",
        ["Task", "Representation", *_titles(languages)],
    )
    if reference:
        table.columns.append(f"Largest error reduction over {reference}")
    blocks = _blocks(tasks, languages, experiment.grid_representations)
    for block in blocks:
        rows = _score_rows(experiment, scores, block, languages)
        for name, cells in rows.items():
            reduction = [Entry(_largest_reduction(scores, block, name, reference))] if reference else []
            table.rows.append([Entry(TASK_TITLES[block.task]), Entry(name), *cells, *reduction])
    table.notes = _score_notes(experiment, scores, blocks)
    if reference:
        table.notes.append(
            f"Error reduction: the share of {reference}'s errors (100 − its mean) that the row does not make, in the "
            "language where it is largest; table comparisons has them all."
        )
    table.notes.append(key_of_names(experiment))
    return table


def _largest_reduction(scores: Scores, block: Block, name: str, reference: str) -> str:
    reductions = []
    for language in block.languages:
        own, other = (scores.mean((language.tag, one, block.task)) for one in (name, reference))
        if own is not None and other is not None and other < 100:
            reductions.append(((own - other) / (100 - other), language.name))
    if name == reference or not reductions:
        return NOTHING
    reduction, language_name = max(reductions)
    return f"{reduction:.1%} ({language_name})" if reduction > 0 else "none"


def multi_task_table(experiment: Experiment, scores: Scores) -> Table:
    """The paper's Table 3: UPS + ALT with and without pre-finetuning, against the best single-task result."""
    languages = _multi_task_languages(experiment, scores, MULTI_TASK)
    configurations = [
        f"{name} {prefix}{MULTI_TASK}" for prefix in ("", "pft-") for name in experiment.grid_representations
    ]
    table = Table(
        "multi-task",
        "Multi-task scores (UPS + ALT, with and without pre-finetuning, PFT) on the test data beside the best "
        "single-task result: mean ± standard deviation over seeds, in percent.",
        ["Task", "Model", *_titles(languages)],
    )
    known = _with_baselines(experiment, scores, languages)
    blocks = _blocks(TASKS, languages, [BASELINE, *configurations])
    for block in blocks:
        for name, cells in _score_rows(experiment, known, block, languages).items():
            if name == BASELINE:
                cells = _named(experiment, scores, block, languages, cells)
            table.rows.append([Entry(TASK_TITLES[block.task]), Entry(method_title(name)), *cells])
    table.notes = _score_notes(experiment, known, blocks)
    table.notes += [BASELINE_NOTE, key_of_names(experiment, multi_task=True)]
    return table


def multi_task_all_table(experiment: Experiment, scores: Scores) -> Table:
    """The paper's Table 6: all multi-task regimes, and pre-finetuning from those that the grid has it for."""
    languages = _multi_task_languages(experiment, scores, "")
    there = {name.partition(" ")[2] for _, name, _ in scores.by_seed}
    pre = [f"pft-{regime}" for regime in MULTI_TASK_REGIMES if regime == MULTI_TASK or f"pft-{regime}" in there]
    configurations = [
        f"{name} {regime}" for regime in (*MULTI_TASK_REGIMES, *pre) for name in experiment.grid_representations
    ]
    table = Table(
        "multi-task-all",
        "Multi-task scores of all regimes on the test data: mean ± standard deviation over seeds, in percent.",
        ["Task", "Regime", "Representation", *_titles(languages)],
    )
    same = {
        (language.tag, name, task): (language.tag, name.replace(" mtl-int", " mtl-ups"), task)
        for language in languages
        if not language.has_regime("mtl-int")
        for name in configurations
        if " mtl-int" in name
        for task in language.tasks
    }
    coinciding = {key: scores.by_seed[ups] for key, ups in same.items() if ups in scores.by_seed}
    known = Scores(_with_baselines(experiment, scores, languages).by_seed | coinciding)
    blocks = _blocks(TASKS, languages, [BASELINE, *configurations])
    for block in blocks:
        for name, cells in _score_rows(experiment, known, block, languages, same).items():
            representation, _, regime = name.partition(" ")
            row = [Entry(TASK_TITLES[block.task]), Entry(regime_title(regime)), Entry(representation)]
            if name == BASELINE:
                row[1:] = [Entry(BASELINE), Entry("")]
                cells = _named(experiment, scores, block, languages, cells)
            table.rows.append([*row, *cells])
    table.notes = _score_notes(experiment, known, blocks)
    table.notes += [BASELINE_NOTE, key_of_names(experiment, multi_task=True)]
    if same:
        names = ", ".join(experiment.languages[tag].name for tag in sorted({tag for tag, _, _ in same}))
        table.notes.append(
            f"{AS_UPS}: without named entities all data sets are the one treebank, so that INT and UPS coincide; run "
            f"once, as UPS, whose score stands in the averages: {names}."
        )
    return table


def _multi_task_languages(experiment: Experiment, scores: Scores, ending: str) -> list[Language]:
    """The languages that the grid has multi-task scores of, in its order."""
    there = {tag for tag, name, _ in scores.by_seed if " " in name and name.endswith(ending)}
    return [language for language in experiment.grid_languages if language.tag in there]


def _with_baselines(experiment: Experiment, scores: Scores, languages: Iterable[Language]) -> Scores:
    """Scores with those of the best single-task representation again as a configuration of its own (paper §3.2)."""
    best: dict[Key, dict[int, float | None]] = {}
    for language in languages:
        for task in language.tasks:
            ranked = scores.ranked(language.tag, task, experiment.grid_representations)
            if ranked:
                best[language.tag, BASELINE, task] = scores.by_seed[language.tag, ranked[0], task]
    return Scores(scores.by_seed | best)


def _named(
    experiment: Experiment, scores: Scores, block: Block, languages: Sequence[Language], cells: list[Entry]
) -> list[Entry]:
    """The baseline's cells with the representations behind them."""
    named = list(cells)
    for place, language in enumerate(languages):
        ranked = scores.ranked(language.tag, block.task, experiment.grid_representations)
        if ranked and language in block.languages:
            named[place] = replace(cells[place], text=f"{cells[place].text} ({ranked[0]})")
    return named


def _blocks(tasks: Iterable[str], languages: Sequence[Language], configurations: Sequence[str]) -> list[Block]:
    blocks = [Block(task, [one for one in languages if task in one.tasks], configurations) for task in tasks]
    return [block for block in blocks if block.languages]


def _titles(languages: Sequence[Language]) -> list[str]:
    titles = [f"{language.name} ({language.tag})" for language in languages]
    return [*titles, "Average"] if len(languages) > 1 else titles


def _score_rows(
    experiment: Experiment,
    scores: Scores,
    block: Block,
    languages: Sequence[Language],
    same: dict[Key, Key] | None = None,
) -> dict[str, list[Entry]]:
    """A block's cells by configuration: a column for each language, and their average if there are several.

    Args:
        experiment: the configuration.
        scores: of the cells.
        block: which they are.
        languages: all columns of the table; those without the task stay empty.
        same: cells that are not printed, since another one is the same.
    """
    same = same or {}
    columns = {language.tag: _column(experiment, scores, language, block, same) for language in block.languages}
    keys = {name: [(language.tag, name, block.task) for language in block.languages] for name in block.configurations}
    averages = {name: average(experiment, scores, keys[name]) for name in keys}
    # The average of fewer languages than the others' does not compete with them.
    counted = experiment.config["tables"]["not_converged"] == "zero"
    complete = {name: counted or all(map(scores.converged, keys[name])) for name in keys}
    highest = max((mean for name, mean in averages.items() if mean is not None and complete[name]), default=0)
    rows = {}
    for name, mean in averages.items():
        rows[name] = [columns.get(language.tag, {}).get(name, Entry("")) for language in languages]
        if len(languages) > 1:
            best = complete[name] and mean == highest
            rows[name].append(Entry("" if mean is None else f"{mean:.2f}", best=best))
    return rows


def _column(
    experiment: Experiment, scores: Scores, language: Language, block: Block, same: dict[Key, Key]
) -> dict[str, Entry]:
    """One language's cells for one task, by configuration."""
    keys = {name: (language.tag, name, block.task) for name in block.configurations}
    ranked = scores.ranked(language.tag, block.task, [name for name in keys if keys[name] not in same])
    cells = {}
    for name, key in keys.items():
        if key not in scores.by_seed:
            cells[name] = Entry(NOT_IN_GRID)
        elif key in same:
            cells[name] = Entry(AS_UPS)
        elif name not in ranked:
            cells[name] = Entry(NOT_CONVERGED)
        elif name == ranked[0]:
            cells[name] = Entry(mean_and_deviation(scores, key), best=True)
        else:
            tested = compare_configurations(experiment, scores, language.tag, block.task, ranked[0], name)
            not_worse = tested.tested and not tested.significant
            cells[name] = Entry(mean_and_deviation(scores, key), not_worse=not_worse)
    return cells


def average(experiment: Experiment, scores: Scores, keys: Sequence[Key]) -> float | None:
    """Mean over languages; None where the grid lacks one, since such means do not compare.

    What did not converge is left out, or as run counts as 0 (fact 38).
    """
    if len(keys) < 2 or any(key not in scores.by_seed for key in keys):
        return None
    means = [scores.mean(key) for key in keys]
    if experiment.config["tables"]["not_converged"] == "zero":
        return sum(mean or 0.0 for mean in means) / len(means)
    known = [mean for mean in means if mean is not None]
    return sum(known) / len(known) if known else None


def _score_notes(experiment: Experiment, scores: Scores, blocks: Iterable[Block]) -> list[str]:
    notes = [
        "Bold: the highest mean of its language and task. ≈ (grey): not significantly worse than that, by a one-sided "
        f"paired t-test over shared seeds (p < {LEVEL}, Bonferroni-corrected by {correction(experiment)}). "
        "Empty: no such labeled data."
    ]
    places = [(block, language) for block in blocks for language in block.languages]
    seeds = {
        (language.tag, name, block.task): scores.by_seed.get((language.tag, name, block.task), {})
        for block, language in places
        for name in block.configurations
    }
    counts = sorted({len(known) for known in seeds.values() if known})
    if counts:
        span = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        notes.append(f"Seeds of a score: {span}; a test uses those that both scores have.")
    if 1 in counts:
        notes.append("A single seed has no standard deviation and no test.")
    unequal, untested, failed = [], [], []
    for block, language in places:
        ranked = scores.ranked(language.tag, block.task, block.configurations)
        for name in block.configurations:
            known = seeds[language.tag, name, block.task]
            what = f"{language.name} {TASK_TITLES[block.task].split()[0]} {method_title(name)}"
            if known and name not in ranked:
                failed.append(what)
            elif known:
                best = seeds[language.tag, ranked[0], block.task]
                if name != ranked[0] and len(best.keys() & known.keys()) < 2:
                    untested.append(what)
                elif best.keys() != known.keys():
                    unequal.append(what)
    counted = experiment.config["tables"]["not_converged"] == "zero"
    averages = "counted as 0 in averages" if counted else "and averages (which are then not bold)"
    for names, meaning in (
        (unequal, "Seeds differ from the best one's; tested on the shared ones"),
        (untested, "Fewer than two seeds shared with the best one; no test, no mark"),
        (failed, f"{NOT_CONVERGED}: a seed did not converge; left out of tests{',' if counted else ''} {averages}"),
    ):
        if names:
            notes.append(f"{meaning}: {', '.join(names)}.")
    several = any(len(block.languages) > 1 for block in blocks)
    if not all(seeds.values()) and several:
        notes.append("An average stands only where the grid has every language of the task.")
    return notes


def correction(experiment: Experiment) -> str:
    """What p is multiplied by, in words; see `statistics.corrected_tasks`."""
    if experiment.config["tables"]["correction"] == "all-tasks":
        return f"{len(TASKS)} tasks, whatever the language has"
    return "the number of tasks that the language has labeled data for, whether the grid runs them or not"


def transliteration_table(experiment: Experiment, scores: Scores) -> Table:
    """The paper's Table 4: each language before → after transliteration."""
    twins = [language for language in experiment.grid_languages if language.original is not None]
    table = Table(
        "transliteration",
        "Before → after transliteration to Latin letters (change in points), mean over seeds.",
        ["Language", "Task", *experiment.grid_representations],
    )
    for twin in twins:
        assert twin.original is not None
        for task in twin.tasks:
            halves = [((twin.original, name, task), (twin.tag, name, task)) for name in experiment.grid_representations]
            if not any(after in scores.by_seed for _, after in halves):
                continue
            means = [scores.mean(key) for pair in halves for key in pair]
            best = max((mean for mean in means if mean is not None), default=None)
            cells = [_before_and_after(scores, *pair, best) for pair in halves]
            name = experiment.languages[twin.original].name
            table.rows.append([Entry(name), Entry(TASK_TITLES[task]), *cells])
    table.notes = [
        "Bold: holds the highest mean of its row, before or after; where the grid has only one of these, it competes.",
        key_of_names(experiment),
    ]
    if any(None in seeds.values() for seeds in scores.by_seed.values()):
        table.notes.append(f"{NOT_CONVERGED}: a seed did not converge.")
    return table


def _before_and_after(scores: Scores, before: Key, after: Key, best: float | None) -> Entry:
    means = scores.mean(before), scores.mean(after)
    halves = [
        NOT_IN_GRID if key not in scores.by_seed else NOT_CONVERGED if mean is None else f"{mean:.2f}"
        for key, mean in zip((before, after), means, strict=True)
    ]
    text = halves[0] if means == (None, None) and halves[0] == halves[1] else " → ".join(halves)
    if means[0] is not None and means[1] is not None:
        text += f" ({means[1] - means[0]:+.2f})"
    return Entry(text, best=best is not None and best in means)


# On request (config tables.statistics): the columns that each adds to the comparisons.
REQUESTED = {
    "wilcoxon": ["Wilcoxon p"],
    "bootstrap": ["Bootstrap 95% interval"],
    "effect-size": ["Effect size d"],
    "holm": ["p after Holm"],
}


def comparisons_table(experiment: Experiment, scores: Scores) -> Table:
    """Every two representations of a language and task against each other."""
    requested = experiment.config["tables"]["statistics"]
    table = Table(
        "comparisons",
        "One-sided paired t-tests: does the first representation score higher than the second?",
        ["Language", "Task", "Higher", "Lower", "Difference", "Error reduction", "Seeds", "t", "p", "p corrected"],
    )
    table.columns += ["Significant", *(title for name in requested for title in REQUESTED[name])]
    found = comparisons(experiment, scores)
    stepwise = holm([tested.p for tested in found])
    for tested, after_holm in zip(found, stepwise, strict=True):
        texts = [experiment.languages[tested.language].name, TASK_TITLES[tested.task], tested.better, tested.other]
        texts.append(number(tested.difference, ".2f"))
        texts += [number(tested.error_reduction, ".1%"), str(tested.seeds), number(tested.t, ".2f")]
        texts += [number(tested.p, ".2g"), number(tested.corrected_p, ".2g")]
        texts.append("no test" if not tested.tested else "yes" if tested.significant else "no")
        for name in requested:
            if name == "wilcoxon":
                texts.append(number(wilcoxon(tested.differences), ".2g"))
            elif name == "bootstrap":
                low, high = bootstrap_interval(tested.differences)
                texts.append(NOTHING if math.isnan(low) else f"{low:.2f} to {high:.2f}")
            elif name == "effect-size":
                texts.append(number(effect_size(tested.differences), ".2f"))
            else:
                texts.append(number(after_holm, ".2g"))
        table.add(*texts)
    table.notes = [
        "Higher: by the mean over its own seeds. Difference (in points), error reduction (the share of the lower's "
        "errors that the higher does not make) and test: over the seeds that both have, whose number stands in column "
        "Seeds; fewer than two give no test. "
        f"p corrected: Bonferroni, by {correction(experiment)}; significant below {LEVEL}."
    ]
    explained = {
        "wilcoxon": "Wilcoxon: one-sided signed-rank test, uncorrected; of n seeds it is never below 1/2^n.",
        "bootstrap": "Bootstrap: percentile interval of the difference, seeds drawn with replacement.",
        "effect-size": "Effect size: Cohen's d of paired differences, their mean in standard deviations.",
        "holm": f"Holm: p corrected over all {sum(tested.tested for tested in found)} comparisons of this table.",
    }
    table.notes += [explained[name] for name in requested]
    table.notes.append(key_of_names(experiment))
    return table


def number(value: float, form: str) -> str:
    """A number for a table, or that there is none."""
    return NOTHING if math.isnan(value) else format(value, form)
