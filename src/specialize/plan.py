"""What a run is about to do: cells, downloads, disk, estimated hours."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from specialize import sources
from specialize.errors import ConfigError
from specialize.experiment import Experiment, Language
from specialize.files import read_json

# Assumptions of the estimate, each a round figure: a forecast tells a coffee break from a month, not more.
CPU_OPERATIONS = 3e10  # floating-point operations a second and core that small BERT models reach on a desktop CPU
GPU_OPERATIONS = 3e13  # and on one data-centre GPU in single precision
OPERATIONS_PER_PARAMETER = 6  # of a training step, for each wordpiece: two forward, four backward
PIECES_PER_TOKEN = 2.0  # paper, Table 1: 1.17 to 2.9
TRAINING_SENTENCES = 1500  # of a small treebank (fact 28)
PIECES_PER_SENTENCE = 40
FINETUNING_EPOCHS = 60  # patience usually ends a job by then
TOKENS_UNKNOWN = 1_000_000  # of a language whose entry has no `tokens`
BYTES_PER_TOKEN = 30  # of text on disk: the dump's share, the cleaned text, the twin
BYTES_PER_PARAMETER = 8
LONGEST_WITHOUT_GPU = 48  # hours


def sources_of(language: Language) -> list[sources.Source]:
    """The files that a language's data are downloaded from; none for data of one's own."""
    corpus, treebank, entities = (language.entry.get(key, {}) for key in ("corpus", "treebank", "ner"))
    found = []
    if "wikipedia" in corpus and "text" not in corpus:
        found.append(sources.wikipedia_dump(corpus["wikipedia"], corpus["date"]))
    if "name" in treebank and "folder" not in treebank:
        pinned = treebank.get("sha256", {})
        parts = sources.treebank_files(treebank["name"], treebank["release"], treebank["prefix"], pinned)
        found += parts.values()
    if "wikiann" in entities and "folder" not in entities:
        found.append(sources.wikiann_archive(entities["wikiann"]))
    return found


def forecast(experiment: Experiment, on_cluster: bool, trains: bool = True) -> str:
    """What a run will do, in a few lines.

    Args:
        experiment: the configuration.
        on_cluster: jobs go elsewhere, so that the GPU of this machine does not matter.
        trains: whether any job that is left to do is one of training.

    Raises:
        ConfigError: if it would take days on this machine, which has no GPU, and `allow_cpu` is not set.
    """
    cells = experiment.built_cells
    languages = experiment.needed_languages
    missing = [
        source
        for source in dict.fromkeys(source for language in languages for source in sources_of(language))
        if not Path(source.destination).exists()
    ]
    mirror = experiment.config["mirror"]
    size = sources.upstream_bytes(missing, mirror) if missing else 0
    gpu = on_cluster or shutil.which("nvidia-smi") is not None
    pretraining, finetuning = _operations(experiment)
    rate = GPU_OPERATIONS if gpu else CPU_OPERATIONS * (os.cpu_count() or 1)
    hours = [operations / rate / 3600 for operations in (pretraining, finetuning)]
    disk = (size or 0) + sum(_tokens(language) * BYTES_PER_TOKEN for language in languages)
    models = [experiment.representations[name].base_model for _, name in experiment.adaptations]
    if experiment.config["keep_models"]:
        models += [experiment.representations[cell.representation].base_model for cell in cells]
    models += experiment.base_models_used
    disk += sum(_parameters(experiment, name) * BYTES_PER_PARAMETER for name in models)
    from_hub = [
        f"{experiment.config['base_models'][name]['hub']} (about "
        f"{_bytes(_parameters(experiment, name) * BYTES_PER_PARAMETER)})"
        for name in experiment.base_models_used
        if "hub" in experiment.config["base_models"][name] and not Path(experiment.base_folder(name)).exists()
    ]
    lines = [
        f"{len(cells):,} finetuning jobs over {len({cell.language for cell in cells})} languages",
        f"downloads: {len(missing)} files, {'size unknown' if size is None else _bytes(size)}"
        + (f", from {mirror}" if mirror else "")
        + (f"; base model {', '.join(from_hub)}" if from_hub else ""),
        f"disk: about {_bytes(disk)}",
        f"estimated hours on {'one GPU' if gpu else f'{os.cpu_count()} cores without a GPU'}: "
        f"{hours[0]:,.1f} of pretraining, {hours[1]:,.1f} of finetuning, for the whole grid",
    ]
    left_out = len(experiment.cells) - len(cells)
    if left_out:
        parts = dict.fromkeys(experiment.missing(cell.representation, cell.regime) for cell in experiment.cells)
        lines.insert(1, f"{left_out:,} cells are left out, not built yet: {', '.join(filter(None, parts))}")
    if trains and not gpu and sum(hours) > LONGEST_WITHOUT_GPU and not experiment.config["allow_cpu"]:
        raise ConfigError(
            "; ".join(lines)
            + ". This machine has no GPU: use a cluster (--profile slurm), a smaller grid, or --config allow_cpu=true"
        )
    return "\n".join(lines)


def _operations(experiment: Experiment) -> tuple[float, float]:
    """Floating-point operations of pretraining and of finetuning."""
    settings = experiment.pretraining()
    pretraining = sum(
        _parameters(experiment, experiment.representations[name].base_model)
        * _pretraining_pieces(settings, _tokens(experiment.languages[tag]))
        for tag, name in experiment.adaptations
    )
    for name in filter(experiment.pretrained_here, experiment.base_models_used):
        languages = experiment.config["base_models"][name]["pretrain"]["languages"]
        tokens = sum(_tokens(experiment.languages[tag]) for tag in languages)
        pretraining += _parameters(experiment, name) * _pretraining_pieces(experiment.pretraining(name), tokens)
    epochs = min(FINETUNING_EPOCHS, experiment.config["finetuning"]["epochs"])
    finetuning = sum(
        _parameters(experiment, experiment.representations[cell.representation].base_model)
        * (epochs * TRAINING_SENTENCES * PIECES_PER_SENTENCE)
        for cell in experiment.built_cells
    )
    return OPERATIONS_PER_PARAMETER * pretraining, OPERATIONS_PER_PARAMETER * finetuning


def _pretraining_pieces(settings: dict[str, Any], tokens: int) -> float:
    whole = tokens * PIECES_PER_TOKEN * settings["copies"]
    capped = (settings["steps_per_epoch"] or float("inf")) * settings["batch_size"] * settings["sequence_length"]
    return float(settings["epochs"] * min(whole, capped))


def _tokens(language: Language) -> int:
    if "corpus" not in language.entry:
        return 0
    return int(language.entry.get("tokens", TOKENS_UNKNOWN))


def _parameters(experiment: Experiment, base_model: str) -> int:
    entry = experiment.config["base_models"][base_model]
    sizes = entry["pretrain"]["architecture"] if "pretrain" in entry else {}
    if "folder" in entry and (Path(entry["folder"]) / "config.json").is_file():
        sizes = read_json(Path(entry["folder"]) / "config.json")
    if {"num_hidden_layers", "hidden_size"} <= sizes.keys():
        return int(12 * sizes["num_hidden_layers"] * sizes["hidden_size"] ** 2)
    return int(entry.get("parameters", 100_000_000))


def _bytes(number: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:,.0f} {unit}"
        number /= 1000
    return f"{number:,.1f} TB"
