"""Test scores by the number of training sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from specialize.experiment import Experiment
from specialize.tables.figures.style import Look, in_rows, legend_of, looks, panels_of
from specialize.tables.scores import TASK_TITLES

if TYPE_CHECKING:
    from specialize.tables.curve import Line, Point

PANEL = (3.6, 2.8)  # inches


def draw_curve(experiment: Experiment, lines: Mapping[Line, Sequence[Point]]) -> Figure:
    """Mean test score by training sentences, in a band of one standard deviation; a panel for each language and task.

    Args:
        experiment: the configuration.
        lines: the points of each, as `lines_of_curve` gives them.
    """
    look_of = looks(list(dict.fromkeys(name for _, _, name in lines)))
    places = list(dict.fromkeys((tag, task) for tag, task, _ in lines))
    tasks = len({task for _, task in places})
    figure, panels = panels_of(len(in_rows(places, tasks)), tasks, PANEL)
    for axes in panels.flat[len(places) :]:
        axes.set_axis_off()
    for axes, (tag, task) in zip(panels.flat, places, strict=False):
        for name, look in look_of.items():
            if points := lines.get((tag, task, name)):
                _draw_line(axes, name, points, look)
        _label_sentences(axes, [points for line, points in lines.items() if line[:2] == (tag, task)])
        axes.set_title(experiment.languages[tag].name, fontsize=9)
        axes.set_ylabel(f"{TASK_TITLES[task]}, test, %", fontsize=8)
        axes.tick_params(labelsize=8)
        axes.grid(color="0.9")
        axes.set_axisbelow(True)
    legend_of(figure, panels.flat, 4)
    return figure


def _draw_line(axes: Axes, name: str, points: Sequence[Point], look: Look) -> None:
    known = [point for point in points if point.scores]
    sentences, means = [point.sentences for point in known], [point.mean for point in known]
    axes.plot(
        sentences, means, marker=look.marker, color=look.color, linestyle=look.line, linewidth=1.5, markersize=4.5,
        markeredgecolor="black", markeredgewidth=0.5, label=name,
    )  # fmt: skip
    around = [0.0 if math.isnan(point.deviation) else point.deviation for point in known]
    low, high = ([mean + sign * one for mean, one in zip(means, around, strict=True)] for sign in (-1, 1))
    axes.fill_between(sentences, low, high, color=look.color, alpha=0.15, linewidth=0)


def _label_sentences(axes: Axes, lines: Sequence[Sequence[Point]]) -> None:
    """A tick at each number of sentences, and what share it is of all."""
    ticks = sorted({(point.sentences, point.share) for points in lines for point in points})
    titles = [f"{number:,.0f}\n{f'1/{share}' if share > 1 else 'all'}" for number, share in ticks]
    axes.set_xscale("log")
    axes.set_xticks([number for number, _ in ticks], titles)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("Training sentences (band: ± 1 sd)", fontsize=8)
