"""Which representation scores higher than which, and whether significantly."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from specialize.experiment import Experiment
from specialize.tables.figures.style import single_tasks, sized_panels
from specialize.tables.scores import TASK_TITLES, Key, load_scores
from specialize.tables.statistics import Comparison, comparisons
from specialize.tables.verdicts import NO_VARIANCE

CELL = (0.5, 0.32)  # inches
MARGINS = (0.9, 0.9)  # of a panel, for names and titles
COLORS = "PuOr_r"  # both ends are dark in grey, where the sign tells them apart
UNTESTED = "0.9"  # of a difference that does not vary
DARK = 0.6  # share of the largest difference from which on text is white


def draw_significance(experiment: Experiment, run: Path) -> Figure:
    """By how many points the row's representation scores higher than the column's, and whether significantly."""
    scores = load_scores(experiment, run, experiment.single_task_cells)
    tests = {(tested.better, tested.other): tested for tested in comparisons(experiment, scores)}
    tasks = single_tasks(experiment)
    compared = {
        (language.tag, task): [key for key in scores.by_seed if (key[0], key[2]) == (language.tag, task)]
        for language in experiment.grid_languages
        for task in tasks
    }
    languages = [
        language
        for language in experiment.grid_languages
        if any(len(compared[language.tag, task]) > 1 for task in tasks)
    ]
    widths = [MARGINS[0] + CELL[0] * max(len(compared[one.tag, task]) for one in languages) for task in tasks]
    heights = [MARGINS[1] + CELL[1] * max(len(compared[one.tag, task]) for task in tasks) for one in languages]
    figure, panels = sized_panels(widths, heights)
    two_seeds = any(tested.two_seeds and tested.significant for tested in tests.values())
    constant = any(tested.untested == NO_VARIANCE for tested in tests.values())
    folds = any(tested.folds for tested in tests.values())
    largest = max(
        (abs(tested.difference) for tested in tests.values() if tested.seeds and tested.untested != NO_VARIANCE),
        default=0.0,
    )
    for row, language in enumerate(languages):
        for column, task in enumerate(tasks):
            axes, keys = panels[row, column], compared[language.tag, task]
            if len(keys) < 2:
                axes.set_axis_off()
                continue
            _draw_matrix(axes, keys, tests, largest)
            axes.set_title(f"{language.name}: {TASK_TITLES[task].split()[0]}", fontsize=9)
    figure.suptitle(
        "Single-task test scores: points of the row above the column,\nover the seeds of both "
        "(* and bold: significant, in either direction)"
        + ("\n((*): significant by two seeds only, which is worth little)" if two_seeds else "")
        + (f"\n(† and grey: not tested, {NO_VARIANCE})" if constant else "")
        + ("\n(cross-validated: over folds, corrected for overlapping training sets)" if folds else ""),
        fontsize=9,
    )
    return figure


def _draw_matrix(axes: Axes, keys: Sequence[Key], tests: dict[tuple[Key, Key], Comparison], largest: float) -> None:
    """A square for each row and column, coloured by their difference."""
    colors, scale = colormaps[COLORS], Normalize(-largest or -1, largest or 1)
    for y, first in enumerate(keys):
        for x, second in enumerate(keys):
            tested = tests.get((first, second)) or tests.get((second, first))
            if tested is None or not tested.seeds:
                continue
            difference = round(tested.difference if tested.better == first else -tested.difference, 1) + 0.0  # not -0.0
            constant = tested.untested == NO_VARIANCE
            face = UNTESTED if constant else colors(scale(difference))
            axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=face, edgecolor="white"))
            axes.text(
                x, y, f"{difference:+.1f}{_mark(tested)}", ha="center", va="center", fontsize=7,
                color="white" if abs(difference) > DARK * largest and not constant else "black",
                fontweight="bold" if tested.significant and not tested.two_seeds else "normal",
            )  # fmt: skip
    names = [method.title for _, method, _ in keys]
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xticks(range(len(names)), names, fontsize=7, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)


def _mark(tested: Comparison) -> str:
    """What stands behind a difference; the title explains it."""
    if tested.untested == NO_VARIANCE:
        return "†"
    return "" if not tested.significant else "(*)" if tested.two_seeds else "*"
