"""The architectures that there are, and which one a model has."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specialize.bases.architectures.architecture import Architecture
from specialize.errors import InputError
from specialize.files import read_json

if TYPE_CHECKING:
    from transformers.configuration_utils import PreTrainedConfig


@cache
def known_architectures() -> Mapping[str, Architecture]:
    """The `ARCHITECTURE` of each module of this package that defines one, by its `model_type`."""
    package = importlib.import_module("specialize.bases.architectures")
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    modules = [importlib.import_module(f"{package.__name__}.{name}") for name in names]
    found: list[Architecture] = [module.ARCHITECTURE for module in modules if hasattr(module, "ARCHITECTURE")]
    return {architecture.model_type: architecture for architecture in found}


def architecture_of(model: Path | Mapping[str, Any] | PreTrainedConfig, remedy: str = "") -> Architecture:
    """The architecture of a model.

    Args:
        model: its folder, or its configuration.
        remedy: what to do about one that is not known; by default it says which ones are.

    Raises:
        InputError: if it is not known, or the folder has no config.json.
    """
    place: Path | str = "config.json"
    config: Any = model
    if isinstance(model, Path):
        place = model / "config.json"
        if not place.is_file():
            raise InputError(place, "is missing from the base model", remedy=remedy)
        config = read_json(place)
    if isinstance(config, Mapping):
        model_type = config.get("model_type")
    else:
        model_type = getattr(config, "model_type", type(config).__name__)
    architecture = known_architectures().get(model_type) if isinstance(model_type, str) else None
    if architecture is None:
        known = ", ".join(architecture.name for architecture in known_architectures().values())
        raise InputError(place, f"is of a {model_type} model", remedy=remedy or f"the architectures known are {known}")
    return architecture


def architecture_to_make(made_as: Mapping[str, Any]) -> tuple[Architecture, dict[str, Any]]:
    """The architecture of a model that is pretrained from scratch, BERT's by default, and its sizes.

    Args:
        made_as: the sizes, and perhaps the `model_type`.
    """
    sizes = {key: value for key, value in made_as.items() if key != "model_type"}
    return known_architectures()[made_as.get("model_type", "bert")], sizes
