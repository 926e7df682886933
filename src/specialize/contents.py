"""What each table prints, of what the grid has. Light to import, since every start of the workflow asks."""

from __future__ import annotations

from specialize.experiment import TASKS, Cell, Experiment
from specialize.paper import TABLE_2, TABLE_3, TABLE_4

# The paper's 1 to 6, then what it does not have.
TABLES = (
    "corpora",
    "single-task",
    "multi-task",
    "transliteration",
    "hyperparameters",
    "multi-task-all",
    "comparisons",
    "replication",
    "answers",
)
WITHOUT_SCORES = ("corpora", "hyperparameters")
MULTI_TASK = "mtl-ups-alt"  # Table 3's, the best of the regimes before pre-finetuning (paper §3.3)


def table_cells(experiment: Experiment, table: str) -> tuple[Cell, ...]:
    """The cells of the grid whose scores a table prints or compares; a table without any is left out of a run."""
    languages = experiment.languages
    multi_task = [cell for cell in experiment.cells if cell.regime not in TASKS]
    shown = {
        "single-task": [cell for cell in experiment.single_task_cells if languages[cell.language].original is None],
        "multi-task": _with_baseline(
            experiment, [cell for cell in multi_task if cell.configuration.endswith(MULTI_TASK)]
        ),
        "transliteration": _before_and_after(experiment),
        "multi-task-all": _with_baseline(experiment, multi_task),
        "comparisons": experiment.single_task_cells,
        "replication": [cell for cell in experiment.cells if is_printed(experiment, cell)],
        "answers": experiment.cells,
    }
    return tuple(shown.get(table, ()))


def is_printed(experiment: Experiment, cell: Cell) -> bool:
    """Whether the paper prints a score of this cell."""
    keys = [(cell.language, cell.configuration, task) for task in tasks_of(experiment, cell)]
    return any(key in printed for key in keys for printed in (TABLE_2, TABLE_3, TABLE_4))


def tasks_of(experiment: Experiment, cell: Cell) -> list[str]:
    """The tasks that a cell has test scores of."""
    return [task for together in experiment.languages[cell.language].datasets(cell.regime) for task in together]


def _with_baseline(experiment: Experiment, cells: list[Cell]) -> list[Cell]:
    """Multi-task cells after the single-task ones of their languages, the best of which they are set against."""
    languages = {cell.language for cell in cells}
    return [*(cell for cell in experiment.single_task_cells if cell.language in languages), *cells]


def _before_and_after(experiment: Experiment) -> list[Cell]:
    afterwards = [cell for cell in experiment.single_task_cells if experiment.languages[cell.language].original]
    pairs = {(experiment.languages[cell.language].original, cell.regime) for cell in afterwards}
    return [*(cell for cell in experiment.single_task_cells if (cell.language, cell.regime) in pairs), *afterwards]


# -- figures -----------------------------------------------------------------------------------------------


def unaugmented(experiment: Experiment) -> str | None:
    """The grid's representation that is pretrained further without new wordpieces (LAPT), which others improve on."""
    kinds = {name: experiment.representations[name] for name in experiment.grid_representations}
    return next((name for name, kind in kinds.items() if kind.method == "adapt" and kind.pieces == 0), None)


def reference(experiment: Experiment) -> str | None:
    """The representation that gains are measured from: the base model as it is, unless the grid has it for fewer
    languages and tasks than the one without new wordpieces."""
    kinds = {name: experiment.representations[name] for name in experiment.grid_representations}
    base = next((name for name, kind in kinds.items() if kind.method == "base"), None)
    places = {
        name: {(cell.language, cell.regime) for cell in experiment.single_task_cells if cell.representation == name}
        for name in (base, unaugmented(experiment))
        if name
    }
    return max(places, key=lambda name: len(places[name]), default=None)


def score_figures(experiment: Experiment) -> dict[str, tuple[Cell, ...]]:
    """The cells of each figure of test scores that the grid has something to draw for."""
    cells = experiment.single_task_cells
    several = len({cell.representation for cell in cells}) > 1
    measured = any(cell.representation == reference(experiment) for cell in cells)
    there = {
        "gains": several and measured,
        "significance": several,
        "transliteration": bool(_before_and_after(experiment)),
    }
    own = {"transliteration": tuple(_before_and_after(experiment))}
    return {name: own.get(name, cells) for name, drawn in there.items() if drawn}
