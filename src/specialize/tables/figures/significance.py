"""Which representation scores higher than which, and whether significantly."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from specialize.experiment import Experiment
from specialize.tables.figures.style import panels_of, single_tasks
from specialize.tables.scores import TASK_TITLES, load_scores
from specialize.tables.statistics import comparisons

BETTER, HIGHER = "0.25", "0.85"  # shades of the matrix


def draw_significance(experiment: Experiment, run: Path) -> Figure:
    """By how many points the row's representation scores higher than the column's, and whether significantly."""
    scores = load_scores(experiment, run, experiment.single_task_cells)
    tests = {(one.better, one.other): one for one in comparisons(experiment, scores)}
    tasks = single_tasks(experiment)
    languages = [
        language
        for language in experiment.grid_languages
        if any(len(scores.methods(language.tag, task)) > 1 for task in tasks)
    ]
    figure, panels = panels_of(len(languages), len(tasks))
    for row, language in enumerate(languages):
        for column, task in enumerate(tasks):
            axes, names = panels[row, column], scores.methods(language.tag, task)
            if len(names) < 2:
                axes.set_axis_off()
                continue
            for y, better in enumerate(names):
                for x, other in enumerate(names):
                    tested = tests.get(((language.tag, better, task), (language.tag, other, task)))
                    if tested is None:
                        continue
                    shade = BETTER if tested.significant else HIGHER
                    axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=shade, edgecolor="white"))
                    text = f"{tested.difference:.1f}" + ("*" if tested.significant else "")
                    color = "white" if tested.significant else "black"
                    axes.text(x, y, text, ha="center", va="center", fontsize=6, color=color)
            axes.set_xlim(-0.5, len(names) - 0.5)
            axes.set_ylim(len(names) - 0.5, -0.5)
            axes.set_xticks(range(len(names)), [name.title for name in names], fontsize=6, rotation=30)
            axes.set_yticks(range(len(names)), [name.title for name in names], fontsize=6)
            axes.set_title(f"{language.name}: {TASK_TITLES[task].split()[0]}", fontsize=9)
    shades = [
        Rectangle((0, 0), 1, 1, facecolor=BETTER, label="row significantly better than column (*)"),
        Rectangle((0, 0), 1, 1, facecolor=HIGHER, label="row higher, not significantly or not tested"),
    ]
    figure.legend(
        handles=shades, title="Single-task test scores: points of the row above the column, over the seeds of both",
        loc="outside upper center", ncols=1, frameon=False,
    )  # fmt: skip
    return figure
