"""What figures share: sizes, markers and lines, legends, and how they are saved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy
from matplotlib import colormaps, rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from specialize.experiment import TASKS, Experiment
from specialize.files import atomic_path

STYLES: tuple[tuple[str, Any], ...] = (
    ("o", "-"), ("s", "--"), ("^", ":"), ("D", "-."), ("v", (0, (5, 1, 1, 1, 1, 1))), ("P", (0, (5, 5))),
    # Of grids with several base models.
    ("X", "-"), ("<", "--"), (">", ":"), ("*", "-."), ("h", (0, (5, 1, 1, 1, 1, 1))), ("p", (0, (5, 5))),
    ("d", "-"), ("8", "--"), ("1", ":"), ("2", "-."), ("3", (0, (5, 1, 1, 1, 1, 1))), ("4", (0, (5, 5))),
)  # fmt: skip
PANEL = (3.2, 2.6)  # inches
Place = TypeVar("Place")


def save_figure(figure: Figure, folder: Path, name: str, endings: tuple[str, ...] = ("svg", "png")) -> None:
    """Write a figure as {name}.svg and {name}.png, the same bytes every time."""
    rcParams["svg.hashsalt"] = "specialize"  # else its identifiers change from run to run
    for ending in endings:
        with atomic_path(folder / f"{name}.{ending}") as temporary:
            metadata = {"Date": None} if ending == "svg" else {"Software": None}
            figure.savefig(temporary, format=ending, dpi=150, metadata=metadata)


def panels_of(rows: int, columns: int, size: tuple[float, float] = PANEL) -> tuple[Figure, Any]:
    """A figure with an array of panels, each of this width and height in inches."""
    figure = Figure(figsize=(max(size[0] * columns, 5), 0.5 + size[1] * rows), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def sized_panels(widths: Sequence[float], heights: Sequence[float]) -> tuple[Figure, Any]:
    """A figure with an array of panels, its columns as wide and its rows as high as given in inches."""
    figure = Figure(figsize=(max(sum(widths), 5), 0.5 + sum(heights)), layout="constrained")
    return figure, figure.subplots(len(heights), len(widths), squeeze=False, width_ratios=widths, height_ratios=heights)


def in_rows(places: Sequence[Place], columns: int) -> list[Sequence[Place]]:
    """What panels show, row by row without gaps: a row for each language where all have every task."""
    return [places[start : start + columns] for start in range(0, len(places), columns)]


def legend_of(figure: Figure, panels: Iterable[Axes], columns: int) -> None:
    """One legend for all panels, each label once."""
    shown = {label: handle for axes in panels for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(list(shown.values()), list(shown), loc="outside upper center", ncols=columns, frameon=False)


def by_epoch(records: list[dict[str, Any]], name: str) -> tuple[list[int], list[float]]:
    """Epochs, and what was measured after each."""
    return [record["epoch"] for record in records], [record[name] for record in records]


class Look(NamedTuple):
    """How a representation is drawn: colour (red, green, blue, alpha), marker and line, each its own."""

    color: tuple[float, float, float, float]
    marker: str
    line: Any


def looks(names: Sequence[str]) -> dict[str, Look]:
    """A look for each representation: they differ in lightness too, for readers without colour."""
    shades = colormaps["viridis"](numpy.linspace(0.75, 0, len(names)))  # beyond, it is too light on white
    colors = [*shades[::2], *shades[1::2]]  # neighbours, such as lapt and tva, are what one compares
    styles = (STYLES[number % len(STYLES)] for number in range(len(names)))
    return {
        name: Look(tuple(color), marker, line)
        for name, color, (marker, line) in zip(names, colors, styles, strict=True)
    }


def single_tasks(experiment: Experiment) -> list[str]:
    """The tasks that the grid has single-task cells of."""
    return [task for task in TASKS if any(cell.regime == task for cell in experiment.single_task_cells)]
