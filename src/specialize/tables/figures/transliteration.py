"""Scores before and after transliteration."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from specialize.experiment import Experiment
from specialize.experiment.regimes import Method
from specialize.tables.contents import transliterated_cells
from specialize.tables.figures.style import legend_of, panels_of
from specialize.tables.scores import TASK_TITLES, load_scores


def draw_transliteration(experiment: Experiment, run: Path) -> Figure:
    """Each representation before (hollow) and after (filled) transliteration; a panel for each language and task."""
    scores = load_scores(experiment, run, transliterated_cells(experiment))
    places = [
        (twin, task)
        for twin in experiment.grid_languages
        for task in twin.tasks
        if twin.original and scores.methods(twin.tag, task)
    ]
    figure, panels = panels_of(1, len(places))
    names = experiment.grid_representations
    for axes, (twin, task) in zip(panels[0], places, strict=True):
        for place, name in enumerate(names):
            before, after = (scores.mean((str(tag), Method(name), task)) for tag in (twin.original, twin.tag))
            if before is not None and after is not None:
                axes.plot([before, after], [place, place], color="0.6", zorder=1)
            for mean, face, label in ((before, "white", "before"), (after, "black", "after transliteration")):
                if mean is not None:
                    axes.plot(mean, place, "o", color="black", markerfacecolor=face, label=label, zorder=2)
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_title(experiment.languages[str(twin.original)].name, fontsize=9)
        axes.set_xlabel(f"{TASK_TITLES[task]}, test, %")
        axes.grid(color="0.9", axis="x")
    legend_of(figure, panels[0], 2)
    return figure
