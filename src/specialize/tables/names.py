"""What tables call a method, and the key to these names."""

from __future__ import annotations

from typing import Any

from specialize.experiment import Experiment, Representation
from specialize.experiment.beyond_paper import own_hyperparameters, own_methods
from specialize.experiment.regimes import REGIMES, Method
from specialize.pretraining.settings import LoraSettings

MULTI_TASK_KEY = (
    "With + UPS or + INT one model learns all tasks at once (regimes mtl-…). INT: each data set's own batches; UPS: "
    "the smaller data sets are repeated to the largest one's number of batches; ALT: one parser-and-tagger learns the "
    "treebank. With + PFT it was then finetuned for the task alone (regimes pft-…)."
)


def key_of_names(experiment: Experiment, multi_task: bool = False) -> str:
    """What the grid's representations are, and with `multi_task` its multi-task models, if it has any; in one line."""
    several_bases = len(bases_of(experiment)) > 1
    kinds = []
    for name in experiment.grid_representations:
        representation = experiment.representations[name]
        of_base = f" ({representation.base_model})" if several_bases and has_base(representation) else ""
        kinds.append(f"{name}{of_base}: {_kind(representation)}{_beyond_paper(experiment, name)}")
    key = f"Names. {'; '.join(kinds)}."
    several = any(REGIMES[regime].mixing for regime in experiment.config["experiment"]["regimes"])
    return f"{key} {MULTI_TASK_KEY}" if multi_task and several else key


def has_base(representation: Representation) -> bool:
    """Whether a representation is made from a base model."""
    return representation.method in ("base", "adapt") or (
        representation.method == "trim" and representation.base_model != ""
    )


def base_of(experiment: Experiment, name: str) -> str:
    """The name of a representation's base model; of one that has none, its own."""
    representation = experiment.representations[name]
    return representation.base_model if has_base(representation) else name


def bases_of(experiment: Experiment) -> list[str]:
    """The names of the base models of a grid's representations, in its order."""
    kinds = [experiment.representations[name] for name in experiment.grid_representations]
    return list(dict.fromkeys(kind.base_model for kind in kinds if has_base(kind)))


def title_on_base(experiment: Experiment, method: Method) -> str:
    """What a table calls a method where it also says the base, if the grid has several."""
    representation = experiment.representations[method.representation]
    base = representation.base_model
    says_it = representation.name == base or representation.name.startswith(f"{base}-")
    if len(bases_of(experiment)) < 2 or not has_base(representation) or says_it:
        return method.title
    return f"{method.title} on {base}"


def _kind(representation: Representation) -> str:
    if representation.method == "fasttext":
        return "static word vectors under a BiLSTM"
    if representation.method == "scratch":
        return "a monolingual model with wordpieces of its own, pretrained from scratch"
    if representation.method == "trim":
        return f"the model of {representation.of} with those of its wordpieces that the language needs"
    if representation.method == "base":
        return "the base model as it is"
    if representation.pieces == 0:
        return "the base model, pretrained further on the language"
    pieces, faster = representation.pieces, representation.multiplier
    added = "all wordpieces of a new vocabulary" if pieces is None else f"up to {pieces} new wordpieces"
    added += " in place of the least used ones" if representation.growth == "replace" else ""
    rate = "as fast as the rest" if faster == 1 else f"{faster:g} times as fast as the rest"
    return f"pretrained further with {added}, which learn {rate}"


def _beyond_paper(experiment: Experiment, name: str) -> str:
    """What a representation does besides that the paper's, or the grid's others, do not; in brackets."""
    own, hyperparameters = own_methods(experiment, name), own_hyperparameters(experiment, name)
    adapt = own.get("adapt", {})
    texts = [f"{key} {own[key]}" for key in ("initialisation", "masked_unit") if key in own]
    texts += [f"low-rank updates: {_updates(adapt['lora'])}"] if "lora" in adapt else []
    texts += [f"{part} stay{'s' if part == 'encoder' else ''}" for part in adapt.get("freeze", [])]
    texts += [f"layer_decay {adapt['layer_decay']:g}"] if "layer_decay" in adapt else []
    texts += [f"with text of {_texts(own['with'])}"] if own.get("with") else []
    texts += [f"{key} {value}" for key, value in sorted(hyperparameters.get("training", {}).items())]
    texts += ["finetuned by hyperparameters of its own"] if "finetuning" in hyperparameters else []
    return f" ({', '.join(texts)})" if texts else ""


def _updates(lora: dict[str, Any]) -> str:
    """Their rank, and what is not by default."""
    default = LoraSettings().as_dict()
    return ", ".join(f"{key} {value}" for key, value in lora.items() if key == "rank" or value != default[key])


def _texts(others: dict[str, Any] | list[str]) -> str:
    """Other languages, with their shares where these are given."""
    shares = others if isinstance(others, dict) else dict.fromkeys(others, "")
    return ", ".join(f"{tag} {share}".strip() for tag, share in sorted(shares.items()))
