"""What a run is about to do: cells, downloads, disk, estimated hours."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from specialize import sources
from specialize.errors import ConfigError
from specialize.experiment import Cell, Experiment, Language
from specialize.experiment.yaml_files import dates_to_resolve
from specialize.files import atomic_text, read_text
from specialize.pretraining.settings import PretrainingSettings

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
    if "wikipedia" in corpus and not language.has_own_text:
        found.append(sources.wikipedia_dump(corpus["wikipedia"], corpus["date"], corpus.get("sha256")))
    if "name" in treebank and "folder" not in treebank:
        pinned = treebank.get("sha256", {})
        parts = sources.treebank_files(treebank["name"], treebank["release"], treebank["prefix"], pinned)
        found += parts.values()
    if "wikiann" in entities and "folder" not in entities:
        found.append(sources.wikiann_archive(entities["wikiann"], entities.get("sha256")))
    return found


@dataclass(frozen=True)
class Estimate:
    """What a full run costs.

    Attributes:
        pretraining, finetuning: floating-point operations.
        disk: bytes of text and models, without downloads.
    """

    pretraining: float
    finetuning: float
    disk: float


def estimate(experiment: Experiment, tokens: Mapping[str, int] | None = None) -> Estimate:
    """Estimate a full run.

    Args:
        experiment: the configuration.
        tokens: of cleaned text, where they have been counted, by tag; else the registry's expectation holds.
    """
    counted = {tag: _tokens(language) for tag, language in experiment.languages.items()} | dict(tokens or {})
    pretraining = sum(
        _parameters(experiment, name) * _pretraining_pieces(experiment.pretraining(name), counted[tag])
        for tag, name in experiment.adaptations
    )
    for name in filter(experiment.pretrained_here, experiment.base_models_used):
        languages = experiment.config["base_models"][name]["pretrain"]["languages"]
        pieces = _pretraining_pieces(experiment.base_pretraining(name), sum(counted[tag] for tag in languages))
        pretraining += _base_parameters(experiment, name) * pieces
    epochs = min(FINETUNING_EPOCHS, experiment.config["finetuning"]["epochs"])
    finetuning = sum(
        sum(_finetuned(experiment, cell)) * (epochs * TRAINING_SENTENCES * PIECES_PER_SENTENCE)
        for cell in experiment.cells
    )
    models = [_parameters(experiment, name) for _, name in experiment.adaptations]
    # Multi-task models lie there until the jobs that start from them have ended.
    kept = set(experiment.cells) if experiment.config["keep_models"] else set()
    kept |= {cell.prefinetuned for cell in experiment.cells if cell.prefinetuned}
    models += [max(_finetuned(experiment, cell)) for cell in sorted(kept)]
    models += [_base_parameters(experiment, name) for name in experiment.base_models_used]
    return Estimate(
        OPERATIONS_PER_PARAMETER * pretraining,
        OPERATIONS_PER_PARAMETER * finetuning,
        sum(counted[language.tag] * BYTES_PER_TOKEN for language in experiment.needed_languages)
        + sum(models) * BYTES_PER_PARAMETER,
    )


def gpus_here() -> int:
    """How many GPUs this machine's jobs may use, as its driver's tool and CUDA_VISIBLE_DEVICES say."""
    if not shutil.which("nvidia-smi"):
        return 0
    shown = subprocess.run(["nvidia-smi", "--list-gpus"], capture_output=True, text=True).stdout
    there = sum(line.startswith("GPU ") for line in shown.splitlines())
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return (
        there if visible is None else min(there, len([name for name in visible.split(",") if name not in ("", "-1")]))
    )


def forecast(experiment: Experiment, on_cluster: bool, trains: bool = True) -> str:
    """What a run will do, in a few lines.

    Args:
        experiment: the configuration.
        on_cluster: jobs go elsewhere, so that the GPU of this machine does not matter.
        trains: whether any job that is left to do is one of training.

    Raises:
        ConfigError: if it would take days on this machine, which has no GPU, and `allow_cpu` is not set.
    """
    cells = experiment.cells
    missing = [
        source
        for source in dict.fromkeys(
            source for language in experiment.needed_languages for source in sources_of(language)
        )
        if not Path(source.destination).exists()
    ]
    mirror = experiment.config["mirror"]
    size = sources.upstream_bytes(missing, mirror) if missing else 0
    gpus = 1 if on_cluster else gpus_here()
    expected = estimate(experiment)
    rate = GPU_OPERATIONS * gpus if gpus else CPU_OPERATIONS * (os.cpu_count() or 1)
    hours = [operations / rate / 3600 for operations in (expected.pretraining, expected.finetuning)]
    from_hub = [
        f"{experiment.config['base_models'][name]['hub']} (about "
        f"{bytes_in_words(_base_parameters(experiment, name) * BYTES_PER_PARAMETER)})"
        for name in experiment.base_models_used
        if "hub" in experiment.config["base_models"][name] and not Path(experiment.base_folder(name)).exists()
    ]
    languages = len({cell.language for cell in cells})
    lines = [
        f"{_count(len(cells), 'finetuning job')} over {_count(languages, 'language')}",
        f"downloads: {_count(len(missing), 'file')}, {'size unknown' if size is None else bytes_in_words(size)}"
        + (f", from {mirror}" if mirror else "")
        + (f"; base model {', '.join(from_hub)}" if from_hub else ""),
        f"disk: about {bytes_in_words((size or 0) + expected.disk)}",
        f"estimated on {_count(gpus, 'GPU') if gpus else f'{os.cpu_count()} cores without a GPU'}: "
        f"{hours_in_words(hours[0])} of pretraining, {hours_in_words(hours[1])} of finetuning, for the whole grid",
    ]
    if trains and not gpus and sum(hours) > LONGEST_WITHOUT_GPU and not experiment.config["allow_cpu"]:
        raise ConfigError(
            "; ".join(lines)
            + ". This machine has no GPU: use a cluster (--profile slurm), a smaller grid, or --config allow_cpu=true"
        )
    return "\n".join(lines)


def _pretraining_pieces(settings: PretrainingSettings, tokens: int) -> float:
    whole = tokens * PIECES_PER_TOKEN * settings.copies
    capped = (settings.steps_per_epoch or float("inf")) * settings.batch_size * settings.sequence_length
    return float(settings.epochs * min(whole, capped))


def _tokens(language: Language) -> int:
    if "corpus" not in language.entry:
        return 0
    return int(language.entry.get("tokens", TOKENS_UNKNOWN))


def _parameters(experiment: Experiment, representation: str) -> int:
    """That each wordpiece passes through."""
    entry = experiment.representations[representation]
    if entry.method == "scratch":
        return _in_layers(experiment.config["representations"][representation]["architecture"])
    return _base_parameters(experiment, entry.base_model)


def _finetuned(experiment: Experiment, cell: Cell) -> list[int]:
    """For each data set of a cell the parameters that its wordpieces (or words, if vectors are static) pass through."""
    datasets = experiment.languages[cell.language].datasets(cell.regime)
    encoders = experiment.config["representations"][cell.representation].get("task_encoders")
    if encoders is None:
        return [_parameters(experiment, cell.representation)] * len(datasets)
    sizes = [encoders[tasks[0]] for tasks in datasets]
    # Two directions of four gates, each of the state before and of what the two directions below gave.
    return [int(2 * 4 * 3 * one["layers"] * one["hidden_size"] ** 2) for one in sizes]


def _base_parameters(experiment: Experiment, base_model: str) -> int:
    sizes = experiment.base_model_sizes(base_model)
    if {"num_hidden_layers", "hidden_size"} <= sizes.keys():
        return _in_layers(sizes)
    return int(experiment.config["base_models"][base_model].get("parameters", 100_000_000))


def _in_layers(sizes: dict[str, Any]) -> int:
    return int(12 * sizes["num_hidden_layers"] * sizes["hidden_size"] ** 2)


def bytes_in_words(number: float) -> str:
    """A size for people."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:,.0f} {unit}"
        number /= 1000
    return f"{number:,.1f} TB"


def hours_in_words(hours: float) -> str:
    """A time for people."""
    if hours < 1:
        return _count(round(hours * 60), "minute") if hours > 1 / 60 else "under a minute" if hours else "nothing"
    return f"{hours:,.1f} hours"


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}" + ("" if number == 1 else "s")


def resolve_dates(path: Path, mirror: str | None) -> dict[str, str]:
    """Write the date of the newest finished dump into a configuration file, wherever it says `latest`.

    Nothing else in the file changes. Returns the dates by tag.

    Raises:
        ConfigError: if the file is not a configuration.
        DownloadError: if the date cannot be learned.
    """
    resolved: dict[str, str] = {}
    text = read_text(path)
    for tag, code, start, end in sorted(dates_to_resolve(path), key=lambda found: -found[2]):
        resolved[tag] = sources.latest_dump(code, mirror)
        text = f'{text[:start]}"{resolved[tag]}"{text[end:]}'
    if resolved:
        with atomic_text(path) as stream:
            stream.write(text)
    return dict(sorted(resolved.items()))
