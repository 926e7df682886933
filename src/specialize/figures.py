"""Figures: losses and scores by epoch, what each method gains and where, and scores beside the paper's."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy
from matplotlib import colormaps, rcParams
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from scipy import stats

from specialize.contents import reference, score_figures, table_cells
from specialize.experiment import TASKS, Experiment, Language
from specialize.files import atomic_path, read_json
from specialize.tables import (
    DEVIATIONS,
    PRIMARY_METRIC,
    TASK_TITLES,
    Scores,
    comparisons,
    load_scores,
    replications,
    vocabulary_statistics,
)

STYLES = (("o", "-"), ("s", "--"), ("^", ":"), ("D", "-."), ("v", (0, (5, 1, 1, 1, 1, 1))), ("P", (0, (5, 5))))
PANEL = (3.2, 2.6)  # inches


def save_figure(figure: Figure, folder: Path, name: str, endings: tuple[str, ...] = ("svg", "png")) -> None:
    """Write a figure as {name}.svg and {name}.png, the same bytes every time."""
    rcParams["svg.hashsalt"] = "specialize"  # else its identifiers change from run to run
    for ending in endings:
        with atomic_path(folder / f"{name}.{ending}") as temporary:
            metadata = {"Date": None} if ending == "svg" else {"Software": None}
            figure.savefig(temporary, format=ending, dpi=150, metadata=metadata)


# -- pretraining -------------------------------------------------------------------------------------------


def draw_pretraining(experiment: Experiment, run: Path) -> None:
    """Draw pretraining.svg and .png: for each model its losses by epoch, languages below one another."""
    models = experiment.adaptations
    languages = list(dict.fromkeys(language for language, _ in models))
    names = list(dict.fromkeys(name for _, name in models))
    figure, panels = _panels(len(languages), len(names))
    for row, language in enumerate(languages):
        for column, name in enumerate(names):
            axes = panels[row, column]
            if (language, name) not in models:
                axes.set_axis_off()
                continue
            history = read_json(run / experiment.encoder_folder(language, name) / "history.json")
            _draw_losses(axes, history)
            failed = "" if history["converged"] else ", did not converge"
            axes.set_title(f"{experiment.languages[language].name}: {name}{failed}", fontsize=9)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(
        handles, labels, title="Losses of different vocabularies do not compare; epoch 0: before training",
        loc="outside upper center", ncols=3, frameon=False,
    )  # fmt: skip
    save_figure(figure, run / "results" / "figures", "pretraining")


def draw_losses(history: dict[str, Any], folder: Path) -> None:
    """Draw one model's losses by epoch, as loss.png."""
    figure, panels = _panels(1, 1)
    _draw_losses(panels[0, 0], history)
    panels[0, 0].legend(frameon=False)
    save_figure(figure, folder, "loss", ("png",))


def _panels(rows: int, columns: int, size: tuple[float, float] = PANEL) -> tuple[Figure, Any]:
    figure = Figure(figsize=(max(size[0] * columns, 5), 0.5 + size[1] * rows), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def _draw_losses(axes: Axes, history: dict[str, Any]) -> None:
    epochs = history["epochs"]
    trained = [record for record in epochs if "training_loss" in record]
    chosen = [record for record in epochs if record["epoch"] == history["best_epoch"]]
    axes.plot(*_by_epoch(trained, "training_loss"), "--", color="0.5", label="training")
    axes.plot(*_by_epoch(epochs, "validation_loss"), "o-", color="black", markersize=3, label="validation")
    axes.plot(
        *_by_epoch(chosen, "validation_loss"), "o", color="black", markerfacecolor="none", markersize=9, label="chosen"
    )
    axes.set_xlabel("Epoch")
    axes.set_ylabel("Masked loss")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(color="0.9")


def _by_epoch(records: list[dict[str, Any]], name: str) -> tuple[list[int], list[float]]:
    return [record["epoch"] for record in records], [record[name] for record in records]


# -- finetuning --------------------------------------------------------------------------------------------


def draw_learning_curves(experiment: Experiment, run: Path) -> None:
    """Draw learning-curves.svg and .png: development scores by epoch, a line for each seed, a mark where it was chosen.

    Of single-task cells: a multi-task one has several scores an epoch. A panel for each language and task, languages
    below one another. Representations differ in marker, line and lightness, for readers without colour.
    """
    cells = experiment.single_task_cells
    languages = list(dict.fromkeys(cell.language for cell in cells))
    tasks = [task for task in TASKS if any(cell.regime == task for cell in cells)]
    names = list(dict.fromkeys(cell.representation for cell in cells))
    shades = colormaps["viridis"](numpy.linspace(0.75, 0, len(names)))  # beyond, it is too light on white
    colors = [*shades[::2], *shades[1::2]]  # neighbours, such as lapt and tva, are what one compares
    figure, panels = _panels(len(languages), len(tasks))
    shown: dict[str, Artist] = {}
    for cell in cells:
        axes = panels[languages.index(cell.language), tasks.index(cell.regime)]
        history = read_json(run / cell.folder / "history.json")
        number, metric = names.index(cell.representation), PRIMARY_METRIC[cell.regime]
        marker, linestyle = STYLES[number % len(STYLES)]
        epochs, scores = _by_epoch(history["epochs"], metric)
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
    save_figure(figure, run / "results" / "figures", "learning-curves")


# -- beside the paper --------------------------------------------------------------------------------------


def draw_replication(experiment: Experiment, run: Path) -> None:
    """Draw replication.svg and .png: our single-task scores and the paper's, with deviations; a panel for each task."""
    needed = [cell for cell in table_cells(experiment, "replication") if cell.regime in TASKS]
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
        names = [f"{experiment.languages[cell.language].name}: {cell.configuration}" for cell in cells]
        axes.set_yticks(range(len(cells)), names)
        axes.set_ylim(-0.6, len(cells) - 0.4)
        axes.set_xlabel(f"{TASK_TITLES[task]}, test, %")
        axes.grid(color="0.9", axis="x")
    _legend(figure, panels, 2)
    save_figure(figure, run / "results" / "figures", "replication")


# -- gains, transliteration, significance ------------------------------------------------------------------

MEASURES = (
    ("unknown_token_rate", "Words unknown to the base vocabulary", ".1%"),
    ("wordpieces_per_token", "Wordpieces per word with the base vocabulary", ".2f"),
)
MAIN_DATA = ("corpus", "treebank", "ner")  # the first that there is speaks for the language
LANGUAGES_OF_A_CORRELATION = 4  # fewer rank too easily
BETTER, HIGHER = "0.25", "0.85"  # shades of the matrix


def draw_scores(experiment: Experiment, run: Path, name: str) -> None:
    """Draw one of `contents.score_figures`, as {name}.svg and .png.

    Raises:
        SpecializeError: if a result is missing.
    """
    scores = load_scores(experiment, run, score_figures(experiment)[name])
    if name == "gains":
        figure = _gains(experiment, scores, vocabulary_statistics(experiment, run))
    elif name == "transliteration":
        figure = _transliteration(experiment, scores)
    else:
        figure = _significance(experiment, scores)
    save_figure(figure, run / "results" / "figures", name)


def _gains(experiment: Experiment, scores: Scores, statistics: dict[tuple[str, str], Any]) -> Figure:
    """What each method gains over `contents.reference`; a line for each language, the worst covered one on top.

    Hollow marks are languages in Latin letters. Where there are languages enough, Spearman's rank correlation of gain
    and coverage stands beside the method (the paper, §2.3, sees one with type and script).
    """
    base = str(reference(experiment))
    tasks = [task for task in _tasks(experiment) if any(key[1:] == (base, task) for key in scores.by_seed)]
    methods = [name for name in experiment.grid_representations if name != base]
    gains = {task: _gains_of(experiment, scores, task, base, methods) for task in tasks}
    languages = max(len({language for language, _ in found}) for found in gains.values())
    figure, panels = _panels(len(tasks), len(MEASURES), (4.8, 1.2 + 0.3 * languages))
    for row, task in enumerate(tasks):
        for axes, (measure, title, form) in zip(panels[row], MEASURES, strict=True):
            covered = {
                language: coverage[measure]
                for language in dict.fromkeys(language for language, _ in gains[task])
                if (coverage := _base_coverage(experiment, statistics, language))
            }
            places = sorted(covered, key=lambda language: covered[language])
            correlations = []
            drawn = [method for method in methods if any(name == method for _, name in gains[task])]
            for method, (marker, _) in zip(methods, cycle(STYLES), strict=False):
                points = [(tag, gain) for (tag, name), gain in gains[task].items() if name == method and tag in covered]
                for tag, gain in points:
                    lift = 0.4 * (0.5 - (drawn.index(method) + 0.5) / len(drawn))  # marks of like gains stay apart
                    known = experiment.languages[tag]
                    face = "white" if known.original or known.entry.get("script") == "Latin" else "black"
                    axes.plot(gain, places.index(tag) + lift, marker, color="black", markerfacecolor=face, markersize=5)
                ranked = [covered[tag] for tag, _ in points], [gain for _, gain in points]
                if len(set(ranked[0])) >= LANGUAGES_OF_A_CORRELATION and len(set(ranked[1])) > 1:
                    correlations.append(f"{method} ρ = {stats.spearmanr(*ranked).statistic:.2f}")
            lines = [", ".join(correlations[start : start + 2]) for start in range(0, len(correlations), 2)]
            axes.set_title("\n".join([title, *lines]), fontsize=8)
            axes.set_yticks(
                range(len(places)), [f"{experiment.languages[tag].name}, {covered[tag]:{form}}" for tag in places]
            )
            axes.tick_params(axis="y", labelsize=8)
            axes.set_ylim(-0.6, len(places) - 0.4)
            axes.axvline(0, color="0.6", linewidth=0.8, zorder=1)
            axes.set_xlabel(f"{TASK_TITLES[task]}: gain over {base}, points", fontsize=8)
            axes.margins(0.1)
            axes.grid(color="0.9")
            axes.set_axisbelow(True)
    marks = [
        Line2D([], [], linestyle="none", marker=marker, color="black", label=method)
        for method, (marker, _) in zip(methods, cycle(STYLES), strict=False)
    ]
    marks.append(
        Line2D(
            [], [], linestyle="none", marker="o", color="black", markerfacecolor="white", label="hollow: Latin letters"
        )
    )
    figure.legend(
        handles=marks, title="Gains in single-task test scores, of means over each one's own seeds",
        loc="outside upper center", ncols=3, frameon=False,
    )  # fmt: skip
    return figure


def _gains_of(
    experiment: Experiment, scores: Scores, task: str, base: str, methods: Iterable[str]
) -> dict[tuple[str, str], float]:
    """By how many points each method is above the base one, by language and method, where both are known."""
    found = {}
    for language in experiment.grid_languages:
        before = scores.mean((language.tag, base, task))
        for method in methods:
            after = scores.mean((language.tag, method, task))
            if before is not None and after is not None:
                found[language.tag, method] = round(after - before, 6)  # equal gains share a rank
    return found


def _base_coverage(
    experiment: Experiment, statistics: dict[tuple[str, str], Any], language: str
) -> dict[str, float] | None:
    """How the base vocabulary covers a language."""
    for (tag, name), read in statistics.items():
        if tag == language and experiment.representations[name].method != "scratch":
            data = next(data for data in MAIN_DATA if data in read["coverage"])
            covered: dict[str, float] = read["coverage"][data]["base"]
            return covered
    return None


def _tasks(experiment: Experiment) -> list[str]:
    return [task for task in TASKS if any(cell.regime == task for cell in experiment.single_task_cells)]


def _transliteration(experiment: Experiment, scores: Scores) -> Figure:
    """Each representation before (hollow) and after (filled) transliteration; a panel for each language and task."""
    places = [
        (twin, task)
        for twin in experiment.grid_languages
        for task in twin.tasks
        if twin.original and scores.configurations(twin.tag, task)
    ]
    figure, panels = _panels(1, len(places))
    names = experiment.grid_representations
    for axes, (twin, task) in zip(panels[0], places, strict=True):
        for place, name in enumerate(names):
            before, after = (scores.mean((str(tag), name, task)) for tag in (twin.original, twin.tag))
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
    _legend(figure, panels[0], 2)
    return figure


def _significance(experiment: Experiment, scores: Scores) -> Figure:
    """By how many points the row's representation scores higher than the column's, and whether significantly."""
    tests = {(one.language, one.task, one.better, one.other): one for one in comparisons(experiment, scores)}
    tasks = _tasks(experiment)
    languages = [
        language
        for language in experiment.grid_languages
        if any(len(scores.configurations(language.tag, task)) > 1 for task in tasks)
    ]
    figure, panels = _panels(len(languages), len(tasks))
    for row, language in enumerate(languages):
        for column, task in enumerate(tasks):
            axes, names = panels[row, column], scores.configurations(language.tag, task)
            if len(names) < 2:
                axes.set_axis_off()
                continue
            for y, better in enumerate(names):
                for x, other in enumerate(names):
                    tested = tests.get((language.tag, task, better, other))
                    if tested is None:
                        continue
                    shade = BETTER if tested.significant else HIGHER
                    axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=shade, edgecolor="white"))
                    text = f"{tested.difference:.1f}" + ("*" if tested.significant else "")
                    color = "white" if tested.significant else "black"
                    axes.text(x, y, text, ha="center", va="center", fontsize=6, color=color)
            axes.set_xlim(-0.5, len(names) - 0.5)
            axes.set_ylim(len(names) - 0.5, -0.5)
            axes.set_xticks(range(len(names)), names, fontsize=6, rotation=30)
            axes.set_yticks(range(len(names)), names, fontsize=6)
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


def _legend(figure: Figure, panels: Iterable[Axes], columns: int) -> None:
    """One legend for all panels, each label once."""
    shown = {label: handle for axes in panels for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(list(shown.values()), list(shown), loc="outside upper center", ncols=columns, frameon=False)


# -- the sweep ---------------------------------------------------------------------------------------------


def draw_sweep(experiment: Experiment, run: Path) -> None:
    """Draw sweep.svg and .png: test scores by the number of new pieces n, a line for each multiplier a.

    A panel for each language and task; without new pieces (LAPT) is a level line. Bars are standard deviations.
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
    figure, panels = _panels(1, len(places))
    for axes, (language, task) in zip(panels[0], places, strict=True):
        _draw_scores(axes, experiment, scores, numbers, language, task)
        axes.set_title(language.name, fontsize=9)
        axes.set_ylabel(f"{TASK_TITLES[task]}, %")
    _legend(figure, panels[0], 3)
    save_figure(figure, run / "results" / "figures", "sweep")


def _draw_scores(
    axes: Axes,
    experiment: Experiment,
    scores: Scores,
    numbers: dict[tuple[str, str], int],
    language: Language,
    task: str,
) -> None:
    lines: dict[float, list[tuple[int, float, float]]] = {}
    level = None
    for name in experiment.grid_representations:
        entry, values = experiment.representations[name], scores.converged((language.tag, name, task))
        if entry.method != "adapt" or not values:
            continue
        measured = list(values.values())
        mean, deviation = float(numpy.mean(measured)), float(numpy.std(measured, ddof=1)) if len(measured) > 1 else 0.0
        if entry.pieces == 0:
            level = mean
        else:
            lines.setdefault(entry.multiplier, []).append((numbers[language.tag, name], mean, deviation))
    if level is not None:
        axes.axhline(level, color="0.6", label="no new wordpieces")
    for (multiplier, points), (marker, line) in zip(sorted(lines.items()), cycle(STYLES), strict=False):
        number, means, deviations = zip(*sorted(points), strict=True)
        axes.errorbar(
            number, means, yerr=deviations, marker=marker, linestyle=line, color="black", markersize=4, capsize=2,
            label=f"a = {multiplier:g}",
        )  # fmt: skip
    axes.set_xscale("log")
    ticks = sorted({number for points in lines.values() for number, _, _ in points})
    axes.set_xticks(ticks, [str(number) for number in ticks])
    axes.minorticks_off()
    axes.set_xlabel("New wordpieces n")
    axes.grid(color="0.9")
