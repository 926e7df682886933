"""Checks of what learns in a representation's pretraining, before any job starts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from specialize.bases.architectures import architecture_if_known, architecture_to_make
from specialize.bases.architectures.architecture import INSTEAD_OF_LORA, NO_LORA
from specialize.errors import ConfigError, InputError
from specialize.files import read_json

if TYPE_CHECKING:
    from specialize.experiment import Experiment


def check_what_learns(experiment: Experiment, name: str) -> None:
    """Refuse a representation's `adapt` that another method would pass over, or whose keys contradict each other."""
    own: dict[str, Any] = experiment.config["representations"][name]
    if "adapt" not in own:
        return
    adapt, freeze = own["adapt"], own["adapt"].get("freeze", [])

    def refuse(problem: str, *keys: str) -> None:
        raise ConfigError(f"{experiment.place(['representations', name, 'adapt', *keys])}: {problem}")

    if own["method"] != "adapt":
        refuse(f"belongs to method adapt, and this one is {own['method']}; leave it out")
    lora = adapt.get("lora") is not None
    if lora and freeze:
        refuse("with lora the base's weights stay already, and nothing else can be frozen; leave out freeze", "freeze")
    if "encoder" in freeze and adapt.get("layer_decay", 1) != 1:
        refuse("there are no layers whose rates it could set: freeze has encoder; leave one of them out", "layer_decay")
    if {"embeddings", "encoder"} <= set(freeze) and experiment.representations[name].pieces == 0:
        refuse(
            "without new pieces nothing but the head would learn, which finetuning drops; leave one of the two out, or "
            "give pieces",
            "freeze",
        )
    settings = experiment.pretraining(name)
    if (lora or "embeddings" in freeze) and settings.tiered and settings.tiering == "two-groups":
        refuse(
            "the base's rows stay, but tiering two-groups has every row decay; let this representation's training say "
            "tiering: rows"
        )
    if settings.adapt.lora and any(used == name for _, used in experiment.adaptations):
        _check_lora(experiment, name, settings.adapt.lora.rank)


def _check_lora(experiment: Experiment, name: str, rank: int) -> None:
    """What the base model says of itself, if it is here already; if not, its job finds the same."""
    place = ["representations", name, "adapt", "lora"]
    base_model = experiment.representations[name].base_model
    sizes = _described(experiment, base_model)
    made_here = experiment.pretrained_here(base_model)
    architecture = architecture_to_make(sizes)[0] if made_here else architecture_if_known(sizes)
    if architecture and not architecture.attention:
        raise ConfigError(f"{experiment.place(place)}: {architecture.name} {NO_LORA}; {INSTEAD_OF_LORA}")
    width = sizes.get("hidden_size")
    if isinstance(width, int) and rank > width:
        raise ConfigError(
            f"{experiment.place([*place, 'rank'])}: {rank} is more than {width}, the width of base model {base_model}; "
            "lower it"
        )


def _described(experiment: Experiment, base_model: str) -> dict[str, Any]:
    """What a base model is, as far as this machine knows: it may lie in the mirror still."""
    sizes, mirror = experiment.base_model_sizes(base_model), experiment.config.get("mirror") or ""
    path = Path(mirror, "models", base_model, "config.json")
    if sizes or not mirror.startswith("/") or not path.is_file():
        return sizes
    try:
        read = read_json(path)
    except InputError:  # for its own job to report
        return {}
    return read if isinstance(read, dict) else {}
