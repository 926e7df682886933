"""Blocks of a table of scores: a task's rows and columns, with the best of each column and what is not worse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from specialize.experiment import Experiment, Language
from specialize.experiment.regimes import Method
from specialize.tables.folds import fold_notes
from specialize.tables.formats import Entry
from specialize.tables.scores import (
    NOT_CONVERGED,
    NOT_IN_GRID,
    TASK_TITLES,
    Key,
    Scores,
    mean_and_deviation,
)
from specialize.tables.statistics import LEVEL, compare_scores, correction
from specialize.tables.verdicts import GUESSING_MARK, GUESSING_NOTE, NO_VARIANCE, TWO_SEEDS, VARIANCE_NOTE, tied


@dataclass(frozen=True)
class Row:
    """A row of a block.

    Attributes:
        title: what notes call it.
        keys: by language, the score that stands in it; without those that the grid lacks.
        method: the one that all of its scores are of, if it is one.
        instead: by language, what is printed in place of a score that another row prints.
    """

    title: str
    keys: Mapping[str, Key]
    method: Method | None = None
    instead: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Block:
    """What a table of scores shows of one task.

    Attributes:
        task: the task.
        languages: those with labeled data of it, each a column.
        rows: the best score of each column is sought among them.
        left_out: number of rows that are not shown, since the grid has no cell of them.
    """

    task: str
    languages: Sequence[Language]
    rows: Sequence[Row]
    left_out: int = 0

    @classmethod
    def of(cls, task: str, languages: Sequence[Language], rows: Sequence[Row]) -> Block:
        """The block of these rows, without those that the grid has no cell of."""
        shown = [row for row in rows if row.keys]
        return cls(task, languages, shown, len(rows) - len(shown))

    def ranked(self, scores: Scores, language: Language) -> list[Row]:
        """The rows that print a score of a language, the highest mean first; equal ones in their order."""
        means = []
        for row in self.rows:
            mean = scores.mean(row.keys[language.tag]) if language.tag in row.keys else None
            if mean is not None and language.tag not in row.instead:
                means.append((mean, row))
        return [row for _, row in sorted(means, key=lambda ranked: -ranked[0])]


def method_row(scores: Scores, languages: Iterable[Language], task: str, method: Method) -> Row:
    """The row of one method."""
    keys = {language.tag: (language.tag, method, task) for language in languages}
    return Row(method.title, {tag: key for tag, key in keys.items() if key in scores.by_seed}, method)


def with_task(languages: Iterable[Language], task: str) -> list[Language]:
    """Those with labeled data of a task."""
    return [language for language in languages if task in language.tasks]


def column_titles(languages: Sequence[Language]) -> list[str]:
    """A title for each language, and one for their average if there are several."""
    titles = [f"{language.name} ({language.tag})" for language in languages]
    return [*titles, "Average"] if len(languages) > 1 else titles


def block_cells(
    experiment: Experiment, scores: Scores, block: Block, languages: Sequence[Language]
) -> list[list[Entry]]:
    """The cells of each row of a block: one for each language, and their average if there are several.

    Args:
        experiment: the configuration.
        scores: of the cells.
        block: which they are.
        languages: all columns of the table; those without the task stay empty.
    """
    columns = {language.tag: _column(experiment, scores, language, block) for language in block.languages}
    averages = [
        average(experiment, scores, list(row.keys.values())) if len(row.keys) == len(block.languages) else None
        for row in block.rows
    ]
    # The average of fewer languages than the others' does not compete with them.
    counted = experiment.config["tables"]["not_converged"] == "zero"
    complete = [counted or all(map(scores.converged, row.keys.values())) for row in block.rows]
    competing = [mean for mean, whole in zip(averages, complete, strict=True) if whole and mean is not None]
    highest = max(competing, default=None)
    rows = []
    for place, mean in enumerate(averages):
        cells = [columns[language.tag][place] if language.tag in columns else Entry("") for language in languages]
        if len(languages) > 1:
            best = complete[place] and tied(mean, highest)
            cells.append(Entry("" if mean is None else f"{mean:.2f}", best=best))
        rows.append(cells)
    return rows


def _column(experiment: Experiment, scores: Scores, language: Language, block: Block) -> list[Entry]:
    """One language's cells, a cell for each row of the block."""
    ranked = block.ranked(scores, language)
    highest = scores.mean(ranked[0].keys[language.tag]) if ranked else None
    cells = []
    for row in block.rows:
        if language.tag not in row.keys:
            cells.append(Entry(NOT_IN_GRID))
            continue
        if language.tag in row.instead:
            cells.append(Entry(row.instead[language.tag]))
            continue
        key = row.keys[language.tag]
        if scores.converged(key) is None:
            cells.append(Entry(NOT_CONVERGED))
            continue
        text = mean_and_deviation(scores, key)
        if scores.near_guessing(key):
            text += f" {GUESSING_MARK}"
        if row.method is None:
            text += f" ({key[1].title})"
        if tied(scores.mean(key), highest):
            cells.append(Entry(text, best=True))
        else:
            tested = compare_scores(experiment, scores, ranked[0].keys[language.tag], key)
            not_worse = tested.tested and not tested.significant
            cells.append(Entry(text, not_worse=not_worse, untested=tested.untested == NO_VARIANCE))
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


def score_notes(experiment: Experiment, scores: Scores, blocks: Sequence[Block]) -> list[str]:
    """How to read the scores of a table, and which of them are of other seeds than the rest."""
    notes = [
        "Bold: the highest mean of its language and task, in every cell that has it. ≈ (grey): not significantly worse "
        f"than that, by a one-sided paired t-test over shared seeds (p < {LEVEL}, Bonferroni-corrected by "
        f"{correction(experiment)}). "
        "Empty: no such labeled data."
    ]
    keys = [key for block in blocks for row in block.rows for key in row.keys.values()]
    counts = sorted({scores.seeds(key) for key in keys})
    if counts:
        span = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        notes.append(f"Seeds of a score: {span}; a test uses those that both scores have.")
    if any(len(scores.by_seed[key]) == 1 for key in keys):
        notes.append("A single seed has no standard deviation and no test.")
    notes += fold_notes(experiment, scores, keys)
    left_out = sum(block.left_out for block in blocks)
    if left_out:
        notes.append(f"Left out: {left_out} row{'s' if left_out > 1 else ''} of which this grid has no cell.")
    notes += _exceptions(experiment, scores, blocks)
    notes += [GUESSING_NOTE] if any(map(scores.near_guessing, keys)) else []
    several = any(len(block.languages) > 1 for block in blocks)
    lacking = any(len(row.keys) < len(block.languages) for block in blocks for row in block.rows)
    if lacking and several:
        notes.append("An average stands only where the grid has every language of the task.")
    return notes


def _exceptions(experiment: Experiment, scores: Scores, blocks: Sequence[Block]) -> list[str]:
    """Notes that name the scores with other seeds than the best one's, without a test, or without convergence."""
    unequal, untested, constant, failed = [], [], [], []
    two_seeds = False
    for block in blocks:
        for language in block.languages:
            ranked = block.ranked(scores, language)
            for row in block.rows:
                if language.tag not in row.keys or language.tag in row.instead:
                    continue
                name = f"{language.name} {TASK_TITLES[block.task].split()[0]} {row.title}"
                seeds = scores.by_seed[row.keys[language.tag]].keys()
                if scores.converged(row.keys[language.tag]) is None:
                    failed.append(name)
                    continue
                best = scores.by_seed[ranked[0].keys[language.tag]].keys()
                tested = compare_scores(experiment, scores, ranked[0].keys[language.tag], row.keys[language.tag])
                same = tied(*(scores.mean(one.keys[language.tag]) for one in (row, ranked[0])))
                two_seeds |= tested.two_seeds
                if same:
                    continue
                if tested.untested == NO_VARIANCE:
                    constant.append(name)
                elif tested.untested:
                    untested.append(name)
                elif best != seeds:
                    unequal.append(name)
    counted = experiment.config["tables"]["not_converged"] == "zero"
    averages = "counted as 0 in averages" if counted else "and averages (which are then not bold)"
    notes = []
    if constant:
        notes.append(f"†: {', '.join(constant)}. {VARIANCE_NOTE}")
    if two_seeds:
        notes.append(TWO_SEEDS)
    for names, meaning in (
        (unequal, "Seeds differ from the best one's; tested on the shared ones"),
        (untested, "Fewer than two seeds shared with the best one; no test, no mark"),
        (failed, f"{NOT_CONVERGED}: a seed did not converge; left out of tests{',' if counted else ''} {averages}"),
    ):
        if names:
            notes.append(f"{meaning}: {', '.join(names)}.")
    return notes
