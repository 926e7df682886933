"""By how many points each method is better over all languages and tasks, with intervals."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from specialize.experiment import Experiment
from specialize.tables.beyond_paper import effect_cells
from specialize.tables.effects import NO_REFERENCE, effects
from specialize.tables.figures.style import panels_of
from specialize.tables.scores import load_scores

ROW = 0.32  # inches of a method


def draw_effects(experiment: Experiment, run: Path) -> Figure:
    """A row for each method: the effect with its 95 % interval, and the difference at each language and task.

    A marker is hollow where the interval holds 0; without a model, the reason stands in its place.
    """
    reference, found = effects(experiment, load_scores(experiment, run, effect_cells(experiment)))
    figure, panels = panels_of(1, 1, (6.5, 0.6 + ROW * max(len(found), 1)))
    axes = panels[0][0]
    axes.axvline(0, color="0.6", linewidth=0.8)
    for row, one in enumerate(found.values()):
        differences = list(one.by_place.values())
        axes.plot(differences, [row + 0.25] * len(differences), "|", color="0.5", markersize=6)  # below the interval
        if one.reason:
            axes.text(0.02, row, one.reason, fontsize=7, va="center", transform=axes.get_yaxis_transform())
            continue
        filled = "white" if one.low <= 0 <= one.high else "black"
        error = [[one.points - one.low], [one.high - one.points]]
        axes.errorbar(
            [one.points], [row], xerr=error, marker="o", markersize=5, capsize=2, color="black", markerfacecolor=filled
        )
    axes.set_yticks(range(len(found)), [method.title for method in found])
    axes.set_ylim(max(len(found), 1) - 0.5, -0.5)
    axes.set_xlabel(f"Points above {reference.title}, 95 % interval" if reference else NO_REFERENCE)
    axes.grid(color="0.9", axis="x")
    axes.set_axisbelow(True)
    return figure
