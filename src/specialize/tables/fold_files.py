"""The files that tell of folds: predictions, what they are scored against, and how treebanks were divided;
and what captions say. Light."""

from __future__ import annotations

from collections.abc import Iterable

from specialize.experiment import TASKS, Cell, Experiment, Language
from specialize.experiment.grid import data_of


def fold_cells(experiment: Experiment) -> list[Cell]:
    """The cells of the grid whose data are cross-validated."""
    return [cell for cell in experiment.cells if cell.fold]


def fold_files(experiment: Experiment) -> list[str]:
    """What the table of folds reads besides metrics, relative to the run."""
    files: dict[str, None] = {}
    for cell in fold_cells(experiment):
        language = experiment.languages[cell.language]
        files |= dict.fromkeys(labeled_and_predicted(experiment, cell))
        files |= dict.fromkeys(statistics_of(language, data_of(task)) for task in language.tasks_of(cell.regime))
    return list(files)


def labeled_and_predicted(experiment: Experiment, cell: Cell, tasks: Iterable[str] = TASKS) -> list[str]:
    """The test file of each data set of a cell, followed by its predictions, relative to the run."""
    language = experiment.languages[cell.language]
    learned = [task for task in language.tasks_of(cell.regime) if task in tasks]
    found = []
    for path in language.labeled_files(learned, ["test"], cell.split):
        found += [path, f"{cell.folder}/predictions.{path.rpartition('.')[2]}"]
    return found


def statistics_of(language: Language, data: str) -> str:
    """What says how a language's `treebank` or `ner` was divided, relative to the run; a twin's is its original's."""
    folder = f"results/datasets/{language.original or language.tag}"
    return f"{folder}/{'ner/' if data == 'ner' else ''}statistics.json"


def caption_with_folds(experiment: Experiment, caption: str) -> str:
    """A caption that says what is over folds, too, if it speaks of what is over seeds and the grid has folds."""
    if "over seeds" not in caption or not fold_cells(experiment):
        return caption
    return (
        f"{caption} Of cross-validated data, over folds and seeds; their tests pair folds, by a t-test corrected for "
        "overlapping training sets (Nadeau and Bengio 2003)."
    )
