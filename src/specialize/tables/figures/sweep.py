"""Scores by the number of new wordpieces and their learning rate."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

import numpy
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from specialize.experiment import TASKS, Experiment, Language
from specialize.experiment.beyond_paper import is_beyond_paper
from specialize.experiment.regimes import Method
from specialize.tables.figures.style import STYLES, legend_of, panels_of
from specialize.tables.inputs import vocabulary_statistics
from specialize.tables.names import bases_of
from specialize.tables.scores import TASK_TITLES, Scores, load_scores


def draw_sweep(experiment: Experiment, run: Path) -> Figure:
    """Test scores by the number of new pieces n, a line for each multiplier a.

    A panel for each language and task; without new pieces (LAPT) is a level line. Bars are standard deviations.
    Representations that go beyond the paper's framework are left out: what else they do would look like noise of n.
    """
    scores = load_scores(experiment, run, experiment.single_task_cells)
    numbers = {key: len(read["pieces"]) for key, read in vocabulary_statistics(experiment, run).items()}
    regimes = experiment.config["experiment"]["regimes"]
    places = [
        (language, task)
        for language in experiment.grid_languages
        for task in TASKS
        if task in language.tasks and task in regimes
    ]
    figure, panels = panels_of(1, len(places))
    for axes, (language, task) in zip(panels[0], places, strict=True):
        _draw_scores(axes, experiment, scores, numbers, language, task)
        axes.set_title(language.name, fontsize=9)
        axes.set_ylabel(f"{TASK_TITLES[task]}, %")
    legend_of(figure, panels[0], 3)
    return figure


def _draw_scores(
    axes: Axes,
    experiment: Experiment,
    scores: Scores,
    numbers: dict[tuple[str, str], int],
    language: Language,
    task: str,
) -> None:
    lines: dict[tuple[str, float], list[tuple[int, float, float]]] = {}
    levels: dict[str, float] = {}
    several_bases = len(bases_of(experiment)) > 1
    for name in experiment.grid_representations:
        entry, values = experiment.representations[name], scores.converged((language.tag, Method(name), task))
        if entry.method != "adapt" or is_beyond_paper(experiment, name) or not values:
            continue
        measured = list(values.values())
        mean, deviation = float(numpy.mean(measured)), float(numpy.std(measured, ddof=1)) if len(measured) > 1 else 0.0
        if entry.pieces == 0:
            levels[entry.base_model] = mean
        else:
            lines.setdefault((entry.base_model, entry.multiplier), []).append(
                (numbers[language.tag, name], mean, deviation)
            )
    for (base, level), (_, line) in zip(levels.items(), STYLES, strict=False):
        of_base = f"{base}, " if several_bases else ""
        axes.axhline(level, color="0.6", linestyle=line, label=f"{of_base}no new wordpieces")
    for ((base, multiplier), points), (marker, line) in zip(sorted(lines.items()), cycle(STYLES), strict=False):
        number, means, deviations = zip(*sorted(points), strict=True)
        axes.errorbar(
            number, means, yerr=deviations, marker=marker, linestyle=line, color="black", markersize=4, capsize=2,
            label=f"{base}, a = {multiplier:g}" if several_bases else f"a = {multiplier:g}",
        )  # fmt: skip
    axes.set_xscale("log")
    ticks = sorted({number for points in lines.values() for number, _, _ in points})
    axes.set_xticks(ticks, [str(number) for number in ticks])
    axes.minorticks_off()
    axes.set_xlabel("New wordpieces n")
    axes.grid(color="0.9")
