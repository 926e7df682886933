"""Development scores by epoch."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from specialize.experiment import Cell, Experiment
from specialize.files import read_json
from specialize.tables.figures.style import Look, by_epoch, in_rows, looks, panels_of, single_tasks
from specialize.tables.scores import PRIMARY_METRIC, TASK_TITLES


def draw_learning_curves(experiment: Experiment, run: Path) -> Figure:
    """Development scores by epoch: the mean of the seeds in a band from the lowest to the highest.

    Of single-task cells: a multi-task one has several scores an epoch. A panel for each language and task.
    """
    cells = experiment.single_task_cells
    languages = list(dict.fromkeys(cell.language for cell in cells))
    tasks = single_tasks(experiment)
    look_of = looks(list(dict.fromkeys(cell.representation for cell in cells)))
    known = {(cell.language, cell.regime) for cell in cells}
    places = [(language, task) for language in languages for task in tasks if (language, task) in known]
    figure, panels = panels_of(len(in_rows(places, len(tasks))), len(tasks))
    for axes in panels.flat[len(places) :]:
        axes.set_axis_off()
    for axes, (language, task) in zip(panels.flat, places, strict=False):
        of_panel = [cell for cell in cells if (cell.language, cell.regime) == (language, task)]
        for name, look in look_of.items():
            _draw_seeds(axes, _histories(run, of_panel, name), PRIMARY_METRIC[task], look)
        axes.set_title(experiment.languages[language].name, fontsize=9)
        axes.set_xlabel("Epoch", fontsize=8)
        axes.tick_params(labelsize=8)
        axes.set_ylabel(f"{TASK_TITLES[task]}, development, %", fontsize=8)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(color="0.9")
    handles: list[Artist] = [_in_legend(name, look) for name, look in look_of.items()]
    figure.legend(
        handles=handles, loc="outside upper center", ncols=4, frameon=False,
        title="Single-task finetuning: mean over seeds, band from the lowest to the highest seed\n"
        "(thin: seeds that went on alone), a marker for each seed at the epoch that was kept"
        + ("\n(cross-validated: each fold's seeds are seeds of their own)" if any(cell.fold for cell in cells) else ""),
    )  # fmt: skip
    return figure


def _histories(run: Path, cells: Iterable[Cell], representation: str) -> list[dict[str, Any]]:
    """The histories of a representation's seeds, without those that ended before their first epoch."""
    histories = [
        read_json(run / cell.folder / "history.json") for cell in cells if cell.representation == representation
    ]
    return [history for history in histories if history["epochs"]]


def _draw_seeds(axes: Axes, histories: list[dict[str, Any]], metric: str, look: Look) -> None:
    """Mean and band as far as all seeds were trained, then each seed alone, and the epochs that were kept."""
    if not histories:
        return
    shared = min(len(history["epochs"]) for history in histories)
    seeds = []
    for history in histories:
        epochs, scores = by_epoch(history["epochs"], metric)
        percent = [100 * score for score in scores]
        seeds.append(percent)
        axes.plot(epochs[shared - 1 :], percent[shared - 1 :], color=look.color, linewidth=0.5)
        if history["best_epoch"] in epochs:
            kept = percent[epochs.index(history["best_epoch"])]
            axes.plot(
                history["best_epoch"], kept, look.marker, color=look.color, markersize=4.5, markeredgecolor="black",
                markeredgewidth=0.5, zorder=3,
            )  # fmt: skip
    epochs = [record["epoch"] for record in histories[0]["epochs"][:shared]]
    at_epoch = list(zip(*(seed[:shared] for seed in seeds), strict=True))
    means = [sum(scores) / len(scores) for scores in at_epoch]
    axes.plot(epochs, means, color=look.color, linestyle=look.line, linewidth=1.5)
    axes.fill_between(
        epochs, [min(scores) for scores in at_epoch], [max(scores) for scores in at_epoch], color=look.color, alpha=0.2,
        linewidth=0,
    )  # fmt: skip


def _in_legend(name: str, look: Look) -> Line2D:
    return Line2D(
        [], [], color=look.color, linestyle=look.line, linewidth=1.5, marker=look.marker, markeredgecolor="black",
        markeredgewidth=0.5, label=name,
    )  # fmt: skip
