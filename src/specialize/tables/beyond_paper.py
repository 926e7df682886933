"""What only grids have that go beyond the paper's methods and tests. Light."""

from __future__ import annotations

from specialize.bases.weights import WEIGHTS
from specialize.experiment import Cell, Experiment
from specialize.experiment.beyond_paper import is_beyond_paper


def effect_cells(experiment: Experiment) -> list[Cell]:
    """Those that a mixed model is of, if it is requested: of all languages but twins of others in the grid."""
    if "mixed-model" not in experiment.config["tables"]["statistics"]:
        return []
    tags = {language.tag for language in experiment.grid_languages}
    return [cell for cell in experiment.cells if experiment.languages[cell.language].original not in tags]


def method_cells(experiment: Experiment) -> list[Cell]:
    """All, if a representation of the grid is of a method that the paper has not."""
    names = experiment.grid_representations
    return list(experiment.cells) if any(is_beyond_paper(experiment, name) for name in names) else []


def encoder_weights(experiment: Experiment) -> list[str]:
    """The weights of the grid's pretrained encoders, relative to the run."""
    return [f"{experiment.encoder_folder(tag, name)}/{WEIGHTS}" for tag, name in experiment.vocabularies]
