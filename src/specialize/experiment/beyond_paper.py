"""Which representations go beyond the paper's framework (§2.1), and by what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from specialize.pretraining.settings import PretrainingSettings

if TYPE_CHECKING:
    from specialize.experiment import Experiment

# What pretraining may do otherwise than the paper's, as the paper does it.
NEUTRAL: dict[str, Any] = {"initialisation": "slot", "adapt": {}, "masked_unit": "pieces", "with": {}}


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
    settings = experiment.pretraining(representation)
    section = PretrainingSettings(
        **experiment.config["pretraining"], augmented=settings.augmented, tiered=settings.tiered
    )
    own, common = settings.job_parameters(), section.job_parameters()
    if entry.pieces is None and own.get("initialisation") == "random":
        common["initialisation"] = "random"  # E-MBERT (Wang et al., 2020), as the paper's registry has it
    found = {} if entry.growth == "augment" else {"growth": entry.growth}
    return found | {key: own.get(key, neutral) for key, neutral in NEUTRAL.items() if own.get(key) != common.get(key)}


def is_beyond_paper(experiment: Experiment, representation: str) -> bool:
    """Whether a representation is none of the paper's framework."""
    return bool(own_methods(experiment, representation))
