"""What only grids have that go beyond the paper's methods and tests. Light."""

from __future__ import annotations

from typing import Any

from specialize.bases.weights import WEIGHTS
from specialize.experiment import Cell, Experiment

# Keys of a representation, and of its `training`, by which it is none of the paper's framework (§2.1).
REPRESENTATION_KEYS = {"adapt", "growth", "of"}
TRAINING_KEYS = {"initialisation", "masked_unit", "with"}


def effect_cells(experiment: Experiment) -> list[Cell]:
    """Those that a mixed model is of, if it is requested: of all languages but twins of others in the grid."""
    if "mixed-model" not in experiment.config["tables"]["statistics"]:
        return []
    tags = {language.tag for language in experiment.grid_languages}
    return [cell for cell in experiment.cells if experiment.languages[cell.language].original not in tags]


def method_cells(experiment: Experiment) -> list[Cell]:
    """All, if a representation of the grid is of a method that the paper has not."""
    entries = [experiment.config["representations"][name] for name in experiment.grid_representations]
    return list(experiment.cells) if any(map(_is_beyond, entries)) else []


def _is_beyond(entry: dict[str, Any]) -> bool:
    return bool(REPRESENTATION_KEYS & entry.keys() or TRAINING_KEYS & entry.get("training", {}).keys())


def encoder_weights(experiment: Experiment) -> list[str]:
    """The weights of the grid's pretrained encoders, relative to the run."""
    return [f"{experiment.encoder_folder(tag, name)}/{WEIGHTS}" for tag, name in experiment.vocabularies]
