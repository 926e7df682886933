"""The learning curve: single-task cells of the grid once more, on shares of their training sentences."""

from __future__ import annotations

from dataclasses import dataclass

from specialize.errors import SpecializeError
from specialize.experiment.data_sizes import DataSizes
from specialize.experiment.experiment import Experiment
from specialize.experiment.grid import Cell, data_of

SMALLEST_SHARE = 10  # sentences; scores of fewer say more of the draw than of the method


@dataclass(frozen=True)
class Curve:
    """What a learning curve is measured with, besides the grid's cells, which learn from all training sentences.

    Attributes:
        cells: that learn from a share, in the order of the grid, the smallest shares of each first.
        left_out: shares of fewer than `SMALLEST_SHARE` sentences, in words.
        unknown: labeled data that are not here yet, so that it is not known whether a share is too small, in words.
    """

    cells: tuple[Cell, ...]
    left_out: tuple[str, ...]
    unknown: tuple[str, ...]


def curve_of(experiment: Experiment, sizes: DataSizes | None = None) -> Curve:
    """The learning curve of an experiment's single-task cells, with every seed, and with every fold if there are any.

    Args:
        experiment: the configuration.
        sizes: of the data; those of the run in this folder if None.
    """
    sizes = sizes or DataSizes(experiment)
    shares = sorted(experiment.config["curve"]["shares"], reverse=True)
    cells: list[Cell] = []
    left_out: dict[str, None] = {}
    unknown: dict[str, None] = {}
    for cell in experiment.single_task_cells:
        language, data = experiment.languages[cell.language], data_of(cell.regime)
        known = sizes.known(language, cell.regime, "train")
        if known is None:
            unknown[f"{language.tag} ({data})"] = None
        for share in shares:
            if known is None or known.sentences // share >= SMALLEST_SHARE:
                cells.append(cell.with_share(share))
            else:
                left_out[f"{language.tag} ({data}): 1/{share} of {known.sentences:,} training sentences"] = None
    return Curve(tuple(cells), tuple(left_out), tuple(unknown))


def training_file(experiment: Experiment, cell: Cell) -> str:
    """The sentences that a single-task cell learns from, relative to the run."""
    (path,) = experiment.languages[cell.language].labeled_files([cell.regime], ["train"], cell.data)
    return path


def curve_inputs(experiment: Experiment, curve: Curve) -> list[str]:
    """The files that a curve is drawn from, relative to the run: scores, and the sentences that they are of.

    Raises:
        SpecializeError: if no share is large enough, or the grid has no cell that learns a single task.
    """
    if curve.left_out and not curve.cells:
        raise SpecializeError(
            f"curve has nothing to measure: fewer than {SMALLEST_SHARE} sentences are {'; '.join(curve.left_out)}; "
            "give curve.shares smaller numbers (2 is a half), or more data"
        )
    if not curve.cells:
        raise SpecializeError("curve has nothing to measure: give experiment.regimes one of pos, ud, ner")
    cells = [*curve.cells, *experiment.single_task_cells]
    return list(
        dict.fromkeys([*(cell.metrics for cell in cells), *(training_file(experiment, cell) for cell in cells)])
    )


def check_curve(experiment: Experiment) -> None:
    """Refuse to measure a curve before it is known which shares are too small.

    Raises:
        SpecializeError: naming the data that are not here.
    """
    unknown = curve_of(experiment).unknown
    if unknown:
        raise SpecializeError(
            f"curve leaves out shares of fewer than {SMALLEST_SHARE} sentences, and how many there are is not known "
            f"yet of {', '.join(unknown)}: run the target datasets first, then curve"
        )
