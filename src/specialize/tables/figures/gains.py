"""What each method gains, beside how well the base vocabulary covers the language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy import stats

from specialize.experiment import Experiment, Language
from specialize.experiment.regimes import Method
from specialize.tables.baselines import baseline
from specialize.tables.figures.style import STYLES, panels_of, single_tasks
from specialize.tables.inputs import MAIN_DATA, vocabulary_statistics
from specialize.tables.names import bases_of, has_base
from specialize.tables.scores import TASK_TITLES, Scores, load_scores

MEASURES = (
    ("unknown_token_rate", "Words unknown to the base vocabulary", ".1%"),
    ("wordpieces_per_token", "Wordpieces per word with the base vocabulary", ".2f"),
)
Gains = dict[tuple[str, str], float]  # points, by language and representation
LANGUAGES_OF_A_CORRELATION = 4  # fewer rank too easily


def draw_gains(experiment: Experiment, run: Path) -> Figure:
    """What each representation gains over `baselines.baseline`; a line for each language, the worst covered one on top.

    Hollow marks are languages in Latin letters. Where there are languages enough, Spearman's rank correlation of gain
    and coverage stands beside the method (the paper, §2.3, sees one with type and script).
    """
    scores = load_scores(experiment, run, experiment.single_task_cells)
    statistics = vocabulary_statistics(experiment, run)
    base = str(baseline(experiment))
    base_model = experiment.representations[base].base_model
    of_base = f" of {base_model}" if len(bases_of(experiment)) > 1 else ""
    tasks = [
        task for task in single_tasks(experiment) if any(key[1:] == (Method(base), task) for key in scores.by_seed)
    ]
    methods = [name for name in experiment.grid_representations if name != base]
    markers = {method: marker for method, (marker, _) in zip(methods, cycle(STYLES), strict=False)}
    gains = {task: _gains_of(experiment, scores, task, base, methods) for task in tasks}
    languages = max(len({language for language, _ in found}) for found in gains.values())
    figure, panels = panels_of(len(tasks), len(MEASURES), (4.8, 1.2 + 0.3 * languages))
    for row, task in enumerate(tasks):
        for axes, (measure, title, form) in zip(panels[row], MEASURES, strict=True):
            covered = {
                language: coverage[measure]
                for language in dict.fromkeys(language for language, _ in gains[task])
                if (coverage := _base_coverage(experiment, statistics, language, base_model))
            }
            places = sorted(covered, key=lambda language: covered[language])
            _draw_marks(axes, experiment, gains[task], places, markers)
            correlations = _correlations(gains[task], covered, methods)
            lines = [", ".join(correlations[start : start + 2]) for start in range(0, len(correlations), 2)]
            axes.set_title("\n".join([title + of_base, *lines]), fontsize=8)
            names = [f"{experiment.languages[tag].name}, {covered[tag]:{form}}" for tag in places]
            axes.set_yticks(range(len(places)), names)
            axes.tick_params(axis="y", labelsize=8)
            axes.set_ylim(-0.6, len(places) - 0.4)
            axes.axvline(0, color="0.6", linewidth=0.8, zorder=1)
            axes.set_xlabel(f"{TASK_TITLES[task]}: gain over {base}, points", fontsize=8)
            axes.margins(0.1)
            axes.grid(color="0.9")
            axes.set_axisbelow(True)
    folds = " and folds" if any(map(scores.folds, scores.by_seed)) else ""
    figure.legend(
        handles=_legend_marks(experiment, gains, markers),
        title=f"Gains in single-task test scores, of means over each one's own seeds{folds}",
        loc="outside upper center", ncols=3, frameon=False,
    )  # fmt: skip
    return figure


def _draw_marks(
    axes: Axes, experiment: Experiment, gains: Gains, places: Sequence[str], markers: dict[str, str]
) -> None:
    """A mark for each gain of a task, on the line of its language."""
    drawn = [method for method in markers if any(name == method for _, name in gains)]
    for method in drawn:
        lift = 0.4 * (0.5 - (drawn.index(method) + 0.5) / len(drawn))  # marks of like gains stay apart
        for (tag, name), gain in gains.items():
            if name == method and tag in places:
                face = "white" if _in_latin(experiment.languages[tag]) else "black"
                axes.plot(
                    gain, places.index(tag) + lift, markers[method],
                    color="black", markerfacecolor=face, markersize=5,
                )  # fmt: skip


def _correlations(gains: Gains, covered: dict[str, float], methods: Iterable[str]) -> list[str]:
    """How gain and coverage go together over languages, for each method that has languages enough."""
    found = []
    for method in methods:
        points = [(covered[tag], gain) for (tag, name), gain in gains.items() if name == method and tag in covered]
        coverages, gained = [coverage for coverage, _ in points], [gain for _, gain in points]
        if len(set(coverages)) >= LANGUAGES_OF_A_CORRELATION and len(set(gained)) > 1:
            found.append(f"{method} ρ = {stats.spearmanr(coverages, gained).statistic:.2f}")
    return found


def _legend_marks(experiment: Experiment, gains: dict[str, Gains], markers: dict[str, str]) -> list[Line2D]:
    """The methods that are shown, and what hollow means where a mark is hollow."""
    shown = {name for found in gains.values() for _, name in found}
    marks = [
        Line2D([], [], linestyle="none", marker=marker, color="black", label=method)
        for method, marker in markers.items()
        if method in shown
    ]
    if any(_in_latin(experiment.languages[tag]) for found in gains.values() for tag, _ in found):
        hollow = Line2D([], [], linestyle="none", marker="o", color="black", markerfacecolor="white")
        hollow.set_label("hollow: Latin letters")
        marks.append(hollow)
    return marks


def _in_latin(language: Language) -> bool:
    """Whether a language is written in Latin letters."""
    return language.original is not None or language.entry.get("script") == "Latin"


def _gains_of(experiment: Experiment, scores: Scores, task: str, base: str, names: Iterable[str]) -> Gains:
    """By how many points each representation is above the base one, by language and representation."""
    found = {}
    for language in experiment.grid_languages:
        before = scores.mean((language.tag, Method(base), task))
        for name in names:
            after = scores.mean((language.tag, Method(name), task))
            if before is not None and after is not None:
                found[language.tag, name] = round(after - before, 6)  # equal gains share a rank
    return found


def _base_coverage(
    experiment: Experiment, statistics: dict[tuple[str, str], Any], language: str, base_model: str
) -> dict[str, float] | None:
    """How the vocabulary of a base model covers a language; a trimmed one was trimmed from that of any model."""
    for (tag, name), read in statistics.items():
        representation = experiment.representations[name]
        of_base = has_base(representation) and representation.method != "trim"
        if tag == language and of_base and representation.base_model == base_model:
            data = next(data for data in MAIN_DATA if data in read["coverage"])
            covered: dict[str, float] = read["coverage"][data]["base"]
            return covered
    return None
