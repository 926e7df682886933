"""Scores beside the paper's."""

from __future__ import annotations

from pathlib import Path

import numpy
from matplotlib.figure import Figure

from specialize.experiment import TASKS, Experiment
from specialize.tables.contents import replicated_cells
from specialize.tables.figures.style import legend_of
from specialize.tables.replication import DEVIATIONS, replications
from specialize.tables.scores import TASK_TITLES, load_scores


def draw_replication(experiment: Experiment, run: Path) -> Figure:
    """Our single-task scores and the paper's, with deviations; a panel for each task."""
    needed = replicated_cells(experiment)
    found = [cell for cell in replications(experiment, load_scores(experiment, run, needed)) if cell.table == 2]
    tasks = [task for task in TASKS if any(cell.task == task for cell in found)]
    rows = [[cell for cell in reversed(found) if cell.task == task] for task in tasks]
    height = 0.9 + 0.3 * max(map(len, rows))
    figure = Figure(figsize=(max(4.2 * len(tasks), 5), height), layout="constrained")
    panels = figure.subplots(1, len(tasks), squeeze=False)[0]
    for axes, task, cells in zip(panels, tasks, rows, strict=True):
        for place, cell in enumerate(cells):
            values = list((cell.scores or {}).values())
            bars = {"fmt": "o", "color": "black", "markersize": 5, "capsize": 2}
            assert cell.printed.deviation is not None  # Table 2 prints them all
            axes.errorbar(
                cell.printed.mean, place + 0.15, xerr=DEVIATIONS * cell.printed.deviation, markerfacecolor="white",
                label=f"paper, ± {DEVIATIONS} sd", **bars,
            )  # fmt: skip
            if values:
                deviation = float(numpy.std(values, ddof=1)) if len(values) > 1 else None
                axes.errorbar(float(numpy.mean(values)), place - 0.15, xerr=deviation, label="ours, ± 1 sd", **bars)
        names = [f"{experiment.languages[cell.language].name}: {cell.method.title}" for cell in cells]
        axes.set_yticks(range(len(cells)), names)
        axes.set_ylim(-0.6, len(cells) - 0.4)
        axes.set_xlabel(f"{TASK_TITLES[task]}, test, %")
        axes.grid(color="0.9", axis="x")
    legend_of(figure, panels, 2)
    return figure
