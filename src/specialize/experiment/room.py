"""Whether what a run is about to write fits the disk: a simple estimate of bytes, and a look at what is left."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from specialize.errors import SpecializeError
from specialize.experiment import Experiment
from specialize.experiment.plan import bytes_in_words, sources_of

# Of the estimate, each a round figure. Labeled data, scores, logs and tables are small beside text and weights.
TEXT_BYTES = 10  # of cleaned text, for each token: 6 letters and a blank, of two bytes in part
DUMP_BYTES = 20  # of a Wikipedia's dump, for each token of its cleaned text
TOKENS_UNKNOWN = 1_000_000  # of a language whose entry has no `tokens`
WEIGHT_BYTES = 4  # of each parameter
EMBEDDINGS_SHARE = 2  # parameters with embeddings for each without, of a model whose sizes are not known yet
PARAMETERS_UNKNOWN = 100_000_000
CHECKPOINT_COPIES = 3  # weights and the optimizer's two moments, of the one largest model that is trained


def bytes_to_write(experiment: Experiment, outputs: Iterable[tuple[str, Mapping[str, str]]]) -> int:
    """About how many bytes files take that are going to be made.

    Args:
        experiment: the configuration.
        outputs: each file, relative to the run, with the wildcards of the job that makes it.
    """
    dumps = {
        source.destination: language for language in experiment.needed_languages for source in sources_of(language)
    }
    total = largest = 0
    for path, wildcards in outputs:
        name = PurePosixPath(path).name
        if name in ("model.safetensors", "model"):  # a pretrained encoder, or the folder of a finetuned model
            weights = WEIGHT_BYTES * _parameters(experiment, wildcards)
            total += weights
            largest = max(largest, 0 if _is_fetched(experiment, wildcards) else weights)
        elif name == "train.txt":
            total += TEXT_BYTES * _tokens(experiment.languages[wildcards["language"]].entry)
        elif path in dumps and name.endswith(".bz2"):
            total += DUMP_BYTES * _tokens(dumps[path].entry)
    return total + CHECKPOINT_COPIES * largest


def check_room(folder: Path, needed: int) -> None:
    """Refuse to begin what would not fit the disk.

    Args:
        folder: the run's directory.
        needed: bytes that are going to be written.

    Raises:
        SpecializeError: with how much room there is.
    """
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise SpecializeError(
            f"{folder}: what is to be made takes about {bytes_in_words(needed)}, and the disk has "
            f"{bytes_in_words(free)} left; make room, give a --directory on another disk, or a smaller grid "
            "(keep_models takes most)"
        )


def _tokens(entry: Mapping[str, Any]) -> int:
    return int(entry.get("tokens", TOKENS_UNKNOWN))


def _is_fetched(experiment: Experiment, wildcards: Mapping[str, str]) -> bool:
    return "base_model" in wildcards and not experiment.pretrained_here(wildcards["base_model"])


def _parameters(experiment: Experiment, wildcards: Mapping[str, str]) -> int:
    """Of the model that a job with these wildcards makes; 0 for static vectors, of which only a small head is kept."""
    if "base_model" in wildcards:
        base_model = wildcards["base_model"]
    else:
        representation = experiment.representations[wildcards["representation"]]
        if representation.method == "fasttext":
            return 0
        own = experiment.config["representations"][representation.name]
        if representation.method == "scratch":
            return _of_sizes(own["architecture"] | {"vocab_size": own["vocabulary"]["size"]})
        base_model = representation.base_model
    sizes = experiment.base_model_sizes(base_model)
    if {"num_hidden_layers", "hidden_size"} <= sizes.keys():
        pretrained = experiment.config["base_models"][base_model].get("pretrain", {})
        return _of_sizes({"vocab_size": pretrained.get("vocabulary_size", 0)} | sizes)
    known = experiment.config["base_models"][base_model].get("parameters", PARAMETERS_UNKNOWN)
    return EMBEDDINGS_SHARE * int(known)


def _of_sizes(sizes: Mapping[str, Any]) -> int:
    width = int(sizes["hidden_size"])
    return 12 * int(sizes["num_hidden_layers"]) * width**2 + int(sizes.get("vocab_size", 0)) * width
