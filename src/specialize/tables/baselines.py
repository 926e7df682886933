"""Which representation others are compared with, and whose scores are set beside the paper's. Light."""

from __future__ import annotations

from collections.abc import Iterable

from specialize.experiment import Cell, Experiment
from specialize.experiment.beyond_paper import is_beyond_paper, own_hyperparameters
from specialize.tables.names import has_base

PAPERS_BASE = "bert-base-multilingual-cased"  # the paper's base model (§2.2.2), as the hub names it


def stand_in(experiment: Experiment, representation: str) -> str | None:
    """The base model of a representation, by name, if it has one that is not the paper's.

    A model from a folder or a mirror may be any; only the hub's name says which it is.
    """
    kind = experiment.representations[representation]
    if not has_base(kind):
        return None
    hub = str(experiment.config["base_models"][kind.base_model].get("hub", ""))
    return None if hub.rpartition("/")[2] == PAPERS_BASE else kind.base_model


def is_beside_paper(experiment: Experiment, representation: str) -> bool:
    """Whether scores of a representation are set beside the paper's."""
    return experiment.config["tables"]["beside_paper"] == "any-base" or not stand_in(experiment, representation)


def unaugmented(experiment: Experiment, base_model: str | None = None) -> str | None:
    """The grid's representation that is pretrained further without new wordpieces (LAPT), which others improve on.

    One of the paper's kind where there is one, with the hyperparameters of all: not of low-rank updates, say, or of
    other languages' text, or trained longer.

    Args:
        experiment: the configuration.
        base_model: the name of the base model that it is made from; the first of any if None.
    """
    kinds = [experiment.representations[name] for name in experiment.grid_representations]
    plain = [
        kind.name
        for kind in kinds
        if kind.method == "adapt" and kind.pieces == 0 and base_model in (None, kind.base_model)
    ]

    def differs(name: str) -> tuple[bool, bool]:
        return is_beyond_paper(experiment, name), bool(own_hyperparameters(experiment, name))

    return min(plain, key=differs, default=None)  # the first of its kind


def baseline(experiment: Experiment, cells: Iterable[Cell] | None = None) -> str | None:
    """The representation that gains are measured from: the base model as it is, unless the grid has it for fewer
    languages and tasks than the one without new wordpieces.

    Args:
        experiment: the configuration.
        cells: those that count; by default all of the grid.
    """
    chosen = set(cells or experiment.cells)
    counted = [cell for cell in experiment.single_task_cells if cell in chosen]
    kinds = {name: experiment.representations[name] for name in experiment.grid_representations}
    base = next((name for name, kind in kinds.items() if kind.method == "base"), None)
    places = {
        name: {(cell.language, cell.regime) for cell in counted if cell.representation == name}
        for name in (base, unaugmented(experiment))
        if name
    }
    return max(places, key=lambda name: len(places[name]), default=None)
