"""What tables call a method, and the key to these names."""

from __future__ import annotations

from specialize.experiment import Experiment, Representation
from specialize.experiment.regimes import REGIMES

MULTI_TASK_KEY = (
    "With + UPS or + INT one model learns all tasks at once (regimes mtl-…). INT: each data set's own batches; UPS: "
    "the smaller data sets are repeated to the largest one's number of batches; ALT: one parser-and-tagger learns the "
    "treebank. With + PFT it was then finetuned for the task alone (regimes pft-…)."
)


def key_of_names(experiment: Experiment, multi_task: bool = False) -> str:
    """What the grid's representations are, and with `multi_task` its multi-task models, if it has any; in one line."""
    kinds = [f"{name}: {_kind(experiment.representations[name])}" for name in experiment.grid_representations]
    key = f"Names. {'; '.join(kinds)}."
    several = any(REGIMES[regime].mixing for regime in experiment.config["experiment"]["regimes"])
    return f"{key} {MULTI_TASK_KEY}" if multi_task and several else key


def _kind(representation: Representation) -> str:
    if representation.method == "fasttext":
        return "static word vectors under a BiLSTM"
    if representation.method == "scratch":
        return "a monolingual model with wordpieces of its own, pretrained from scratch"
    if representation.method == "base":
        return "the base model as it is"
    if representation.pieces == 0:
        return "the base model, pretrained further on the language"
    pieces, faster = representation.pieces, representation.multiplier
    added = "all wordpieces of a new vocabulary" if pieces is None else f"up to {pieces} new wordpieces"
    rate = "as fast as the rest" if faster == 1 else f"{faster:g} times as fast as the rest"
    return f"pretrained further with {added}, which learn {rate}"
