"""The score of each method, and what is significantly below the best."""

from __future__ import annotations

from pathlib import Path

import numpy
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from specialize.experiment import Experiment, Language
from specialize.experiment.regimes import Method
from specialize.tables.figures.style import in_rows, legend_of, sized_panels
from specialize.tables.scores import TASK_TITLES, Scores, load_scores
from specialize.tables.statistics import compare_scores
from specialize.tables.verdicts import FEW_SEEDS, NO_VARIANCE, tied

MARKS = {  # marker and fill
    "best": ("D", "black"),
    "not significantly below the best": ("o", "black"),
    f"not tested: {FEW_SEEDS}": ("o", "0.7"),
    f"not tested: {NO_VARIANCE}": ("s", "0.7"),
    "significantly below the best": ("o", "white"),
    "significantly below the best (two seeds only)": ("s", "white"),
}
WIDE = 7  # inches, of which two columns of the legend need so many
LINE, MARGIN = 0.24, 0.9  # inches of a method, and of titles around them


def draw_scores(experiment: Experiment, run: Path) -> Figure:
    """Mean test score of each method with its deviation over seeds (and folds); a panel for each language and task."""
    scores = load_scores(experiment, run)
    known = {(tag, task) for tag, _, task in scores.by_seed}
    places = [
        (language, task)
        for language in experiment.grid_languages
        for task in language.tasks
        if (language.tag, task) in known
    ]
    columns = len({task for _, task in places})
    methods = list(dict.fromkeys(method for _, method, _ in scores.by_seed))
    width = 2.6 + 0.06 * max(len(method.title) for method in methods)
    most = [max(len(scores.methods(language.tag, task)) for language, task in row) for row in in_rows(places, columns)]
    figure, panels = sized_panels([width] * columns, [MARGIN + LINE * lines for lines in most])
    for axes in panels.flat[len(places) :]:
        axes.set_axis_off()
    for axes, (language, task) in zip(panels.flat, places, strict=False):
        _draw_panel(axes, experiment, scores, language, task)
    legend_of(figure, panels.flat, 2 if figure.get_figwidth() >= WIDE else 1)
    return figure


def _draw_panel(axes: Axes, experiment: Experiment, scores: Scores, language: Language, task: str) -> None:
    methods = scores.methods(language.tag, task)
    ranked = scores.ranked(language.tag, task, methods)
    for place, method in enumerate(methods):
        if method not in ranked:
            axes.text(
                0.02, place, "did not converge", transform=axes.get_yaxis_transform(), va="center", fontsize=7,
                color="0.4",
            )  # fmt: skip
            continue
        values = list((scores.converged((language.tag, method, task)) or {}).values())
        verdict = _verdict(experiment, scores, language, task, ranked[0], method)
        marker, face = MARKS[verdict]
        axes.errorbar(
            float(numpy.mean(values)), place, xerr=float(numpy.std(values, ddof=1)) if len(values) > 1 else None,
            fmt=marker, color="black", markerfacecolor=face, markersize=5, capsize=2, linewidth=1, label=verdict,
        )  # fmt: skip
    axes.set_yticks(range(len(methods)), [method.title for method in methods], fontsize=7)
    axes.set_ylim(len(methods) - 0.4, -0.6)
    axes.set_title(language.name, fontsize=9)
    of_folds = any(scores.folds((language.tag, method, task)) for method in methods)
    over = ", folds × seeds" if of_folds else " over seeds"
    axes.set_xlabel(f"{TASK_TITLES[task]}, test, % (± 1 sd{over})", fontsize=8)
    axes.tick_params(axis="x", labelsize=8)
    axes.xaxis.set_major_locator(MaxNLocator(5))  # so that numbers with several decimals do not run together
    axes.grid(color="0.9")
    axes.set_axisbelow(True)


def _verdict(
    experiment: Experiment, scores: Scores, language: Language, task: str, best: Method, method: Method
) -> str:
    """How a method compares with the best one, in words of `MARKS`."""
    keys = (language.tag, best, task), (language.tag, method, task)
    if tied(*map(scores.mean, keys)):
        return "best"
    tested = compare_scores(experiment, scores, *keys)
    if tested.untested:
        return f"not tested: {tested.untested}"
    if not tested.significant:
        return "not significantly below the best"
    return f"significantly below the best{' (two seeds only)' if tested.two_seeds else ''}"
