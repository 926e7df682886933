"""Scores of cross-validated data: how tables say it, and a table with the folds and the scores over all of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from specialize.datasets import Sentence
from specialize.experiment import TASKS, Cell, Experiment, Language
from specialize.experiment.grid import data_of
from specialize.files import read_json
from specialize.finetuning.scorers import attachment_scores, entity_scores, tagging_scores
from specialize.tables.fold_files import fold_cells, fold_files, labeled_and_predicted, statistics_of
from specialize.tables.formats import Table, number
from specialize.tables.names import key_of_names
from specialize.tables.scores import (
    NOT_CONVERGED,
    PRIMARY_METRIC,
    TASK_TITLES,
    Key,
    Scores,
    by_fold,
    load_scores,
    mean_and_deviation,
    require,
)
from specialize.tables.sentences import sentences_of
from specialize.tables.verdicts import CROSS_VALIDATED, FOLDS_TEST


def fold_notes(experiment: Experiment, scores: Scores, keys: Iterable[Key], tested: bool = True) -> list[str]:
    """Which of these scores are of folds, and what that changes; nothing if none are.

    Args:
        experiment: the configuration.
        scores: of its cells.
        keys: the scores that a table prints.
        tested: whether it says something of tests.
    """
    folds: dict[tuple[str, int], dict[str, None]] = {}  # with the tasks of each language
    for key in keys:
        if number_of_folds := scores.folds(key):
            folds.setdefault((key[0], number_of_folds), {})[key[2]] = None
    if not folds:
        return []
    which = [
        f"{experiment.languages[tag].name} {', '.join(task.upper() for task in TASKS if task in tasks)} "
        f"({number_of_folds} folds)"
        for (tag, number_of_folds), tasks in folds.items()
    ]
    note = f"{CROSS_VALIDATED}{'; '.join(which)}. Means and deviations of these are over folds × seeds. "
    return [note + FOLDS_TEST if tested else note.rstrip()]


def folds_table(experiment: Experiment, run: Path) -> Table:
    """Of each cross-validated language, task and method the spread over folds, and the score over all test sentences.

    The latter is of all folds' predictions together, as if they were of one model and one test part; a mean over
    seeds.

    Raises:
        SpecializeError: naming all files that are missing.
    """
    cells = fold_cells(experiment)
    require(run, fold_files(experiment))
    scores = load_scores(experiment, run, cells)
    table = Table(
        "folds",
        "Cross-validated scores on the test data, in percent: over folds, and over all test sentences together.",
        ["Language", "Task", "Method", "Folds", "Seeds", "Mean ± sd", "Lowest fold", "Highest fold", "All sentences"],
    )
    of_key: dict[Key, list[Cell]] = {}
    for cell in cells:
        for task in experiment.languages[cell.language].tasks_of(cell.regime):
            of_key.setdefault((cell.language, cell.method, task), []).append(cell)
    for key in sorted(of_key, key=lambda key: _place(experiment, key)):
        tag, method, task = key
        row = [experiment.languages[tag].name, TASK_TITLES[task], method.title]
        row += [str(scores.folds(key)), str(scores.seeds(key))]
        values = scores.converged(key)
        if values is None:
            table.add(*row, *[NOT_CONVERGED] * 4)
            continue
        means = by_fold(values)
        lowest, highest = min(means, key=lambda fold: means[fold]), max(means, key=lambda fold: means[fold])
        row += [mean_and_deviation(scores, key)]
        row += [f"{means[fold]:.2f} (fold {fold})" for fold in (lowest, highest)]
        row.append(number(_pooled(experiment, run, task, of_key[key]), ".2f"))
        table.add(*row)
    table.notes = [
        "Mean and standard deviation: over folds × seeds. Lowest and highest: of the folds' means over seeds. All "
        "sentences: the score of all folds' predictions together, each sentence by the model that was not trained on "
        "it, mean over seeds; words (or named entities) count alike in it, while the mean counts folds alike.",
        *_how_divided(experiment, run, cells),
    ]
    if any(None in trials.values() for trials in scores.by_seed.values()):
        table.notes.append(f"{NOT_CONVERGED}: a fold or seed did not converge.")
    table.notes.append(key_of_names(experiment, multi_task=True))
    return table


def _place(experiment: Experiment, key: Key) -> tuple[int, int]:
    """Languages in the order of the grid, then tasks; methods stay in the grid's."""
    return [language.tag for language in experiment.grid_languages].index(key[0]), TASKS.index(key[2])


def _pooled(experiment: Experiment, run: Path, task: str, cells: Sequence[Cell]) -> float:
    """The score of the predictions of all folds together, the mean over seeds, in percent."""
    language = experiment.languages[cells[0].language]
    score = _scorer(language, task)
    of_seeds = []
    for seed in sorted({cell.seed for cell in cells}):
        gold: list[Any] = []
        predicted: list[Any] = []
        for cell in sorted(cell for cell in cells if cell.seed == seed):
            expected, found = (run / path for path in labeled_and_predicted(experiment, cell, [task]))
            gold += sentences_of(task, expected)
            predicted += sentences_of(task, found)
        of_seeds.append(100 * score(gold, predicted)[PRIMARY_METRIC[task]])
    return sum(of_seeds) / len(of_seeds) if of_seeds else math.nan


def _scorer(language: Language, task: str) -> Callable[[list[Any], list[Any]], dict[str, float]]:
    """What scores predicted sentences, as a job's own metrics are."""
    if task == "ner":
        return entity_scores
    if task == "ud":
        return attachment_scores

    def tags(sentence: Sentence) -> list[str]:
        return [word.xpos if language.tags == "xpos" else word.upos for word in sentence.words]

    return lambda gold, predicted: tagging_scores(gold, predicted, tags)


def _how_divided(experiment: Experiment, run: Path, cells: Iterable[Cell]) -> list[str]:
    """How the sentences of each data set were dealt to folds, and why."""
    tasks: dict[str, dict[str, None]] = {}
    for cell in cells:
        for task in experiment.languages[cell.language].tasks_of(cell.regime):
            tasks.setdefault(cell.language, {})[task] = None
    notes = []
    for tag, of_language in tasks.items():
        language = experiment.languages[tag]
        for data in dict.fromkeys(data_of(task) for task in of_language):
            name = f"{language.name}, {'named entities' if data == 'ner' else 'treebank'}"
            divided = read_json(run / statistics_of(language, data))["all"]["folds"]
            by, sizes = divided["by"], divided["sentences"]
            why = f", since {divided['reason']}" if "reason" in divided else ""
            units = "documents" if by == "documents" else "blocks of neighbouring sentences"
            notes.append(
                f"{name}: {sum(sizes):,} sentences in {len(sizes)} folds of {min(sizes):,} to {max(sizes):,}, made of "
                f"{units}{why}."
            )
    return notes
