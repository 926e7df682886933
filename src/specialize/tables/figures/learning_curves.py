"""Development scores by epoch."""

from __future__ import annotations

from pathlib import Path

import numpy
from matplotlib import colormaps
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from specialize.experiment import TASKS, Experiment
from specialize.files import read_json
from specialize.tables.figures.style import STYLES, by_epoch, panels_of
from specialize.tables.scores import PRIMARY_METRIC, TASK_TITLES


def draw_learning_curves(experiment: Experiment, run: Path) -> Figure:
    """Development scores by epoch, a line for each seed, a mark at the epoch that was kept.

    Of single-task cells: a multi-task one has several scores an epoch. A panel for each language and task, languages
    below one another. Representations differ in marker, line and lightness, for readers without colour.
    """
    cells = experiment.single_task_cells
    languages = list(dict.fromkeys(cell.language for cell in cells))
    tasks = [task for task in TASKS if any(cell.regime == task for cell in cells)]
    names = list(dict.fromkeys(cell.representation for cell in cells))
    shades = colormaps["viridis"](numpy.linspace(0.75, 0, len(names)))  # beyond, it is too light on white
    colors = [*shades[::2], *shades[1::2]]  # neighbours, such as lapt and tva, are what one compares
    figure, panels = panels_of(len(languages), len(tasks))
    shown: dict[str, Artist] = {}
    for cell in cells:
        axes = panels[languages.index(cell.language), tasks.index(cell.regime)]
        history = read_json(run / cell.folder / "history.json")
        number, metric = names.index(cell.representation), PRIMARY_METRIC[cell.regime]
        marker, linestyle = STYLES[number % len(STYLES)]
        epochs, scores = by_epoch(history["epochs"], metric)
        (line,) = axes.plot(
            epochs,
            [100 * score for score in scores],
            color=colors[number],
            linestyle=linestyle,
            linewidth=1,
            marker=marker,
            markersize=4.5,
            markeredgecolor="black",
            markeredgewidth=0.5,
            markevery=[place for place, epoch in enumerate(epochs) if epoch == history["best_epoch"]],
        )
        shown.setdefault(cell.representation, line)
    for row, language in enumerate(languages):
        for column, task in enumerate(tasks):
            axes = panels[row, column]
            if not axes.lines:
                axes.set_axis_off()
                continue
            axes.set_title(experiment.languages[language].name, fontsize=9)
            axes.set_xlabel("Epoch")
            axes.set_ylabel(f"{TASK_TITLES[task]}, development, %", fontsize=8)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.grid(color="0.9")
    figure.legend(
        list(shown.values()), list(shown), loc="outside upper center", ncols=3, frameon=False,
        title="Single-task finetuning, a line for each seed, a marker at the epoch that was kept",
    )  # fmt: skip
    return figure
