"""Which representations go beyond the paper's framework (§2.1), and by what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from specialize.pretraining.settings import PretrainingSettings

if TYPE_CHECKING:
    from specialize.experiment import Experiment

# What pretraining may do otherwise than the paper's, as the paper does it.
NEUTRAL: dict[str, Any] = {"initialisation": "slot", "adapt": {}, "masked_unit": "pieces", "with": {}}

ABOUT_SPEED = ("threads", "gpus")


def own_methods(experiment: Experiment, representation: str) -> dict[str, Any]:
    """What a representation does by a method that neither the paper nor the section `pretraining` has; mostly nothing.

    A value that changes nothing is none, and so is what the job does not read. A key of the section itself is of all
    representations of a run, so that none of them differs by it.
    """
    entry = experiment.representations[representation]
    if entry.of:
        return {"of": entry.of}
    if entry.method not in ("adapt", "scratch"):
        return {}
    own, common = _pretraining(experiment, representation)
    if entry.pieces is None and own.get("initialisation") == "random":
        common["initialisation"] = "random"  # E-MBERT (Wang et al., 2020), as the paper's registry has it
    found = {} if entry.growth == "augment" else {"growth": entry.growth}
    return found | {key: own.get(key, neutral) for key, neutral in NEUTRAL.items() if own.get(key) != common.get(key)}


def own_hyperparameters(experiment: Experiment, representation: str) -> dict[str, Any]:
    """With what else a representation is trained than the sections of the configuration say; mostly nothing.

    Of those that are pretrained further. By the key that says it: `training` (without what `own_methods` has, and what
    changes nothing) and `finetuning`. Batch sizes are the paper's, which has some for each representation.
    """
    own = experiment.config["representations"][representation]
    if experiment.representations[representation].method != "adapt":
        return {}
    pretrained, common = _pretraining(experiment, representation)
    training = {
        key: value
        for key, value in pretrained.items()
        if key not in (*NEUTRAL, *ABOUT_SPEED) and value != common.get(key)
    }
    found = {"training": training, "finetuning": own.get("finetuning")}
    return {key: value for key, value in found.items() if value}


def _pretraining(experiment: Experiment, representation: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the job of a representation reads, and what it would read if it had no `training` of its own."""
    settings = experiment.pretraining(representation)
    section = PretrainingSettings(
        **experiment.config["pretraining"], augmented=settings.augmented, tiered=settings.tiered
    )
    return settings.job_parameters(), section.job_parameters()


def is_beyond_paper(experiment: Experiment, representation: str) -> bool:
    """Whether a representation is none of the paper's framework."""
    return bool(own_methods(experiment, representation))
