"""How fast a machine trains: assumed, or as measured and kept."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypeAlias

from filelock import FileLock

from specialize.errors import InputError
from specialize.files import read_json, write_json

# Where nothing has been measured; each a round figure.
CPU_OPERATIONS = 3e10  # floating-point operations a second and core in small BERT models
GPU_OPERATIONS = 3e13  # and on one data-centre GPU in float32, whatever the precision: bfloat16 takes less time
CPU_UPDATES = 1e8  # parameters a second that the optimizer moves
GPU_UPDATES = 1e10
START_SECONDS = 15.0  # until a job has loaded torch and its data


@dataclass(frozen=True, order=True)
class Shape:
    """The sizes of a model in training that its speed depends on.

    Attributes:
        task: what its head learns: `masked` pieces, `pos`, `ud` or `ner`.
        encoder: `transformer`, `bilstm`, or `highway` (a BiLSTM with gates, as the parser over static vectors has).
        layers, width: of the encoder.
        inner: the width within a layer; of a BiLSTM, that of its input.
        pieces: of the vocabulary; of a BiLSTM, the words that have vectors, which is not known before.
        threads: of torch.
        precision: the setting, which a machine makes its own of; see `training.precision`.
    """

    task: str
    encoder: str
    layers: int
    width: int
    inner: int
    pieces: int
    threads: int
    precision: str

    def operations(self, examples: float, length: float, predictions: float = 0) -> float:
        """Floating-point operations of a forward pass, two for each multiplication of matrices; three times that with
        the backward pass. A task's head is not counted: it is part of the speed.

        Args:
            examples: how many.
            length: of each, in pieces (words, for a BiLSTM).
            predictions: of masked pieces, in all.
        """
        number = examples * length
        if self.encoder != "transformer":  # two directions of four gates, of the state and of what is below
            return number * 2 * 8 * self.width * (self.layers * 3 * self.width - 2 * self.width + self.inner)
        layer = number * (8 * self.width**2 + 4 * self.width * self.inner) + 4 * number * length * self.width
        return self.layers * layer + 2 * predictions * self.width * (self.width + self.pieces)

    def parameters(self) -> int:
        """How many the optimizer moves, without those of a task's head."""
        if self.encoder != "transformer":
            return 8 * self.width * (self.layers * 3 * self.width - 2 * self.width + self.inner)
        head = self.width**2 if self.task == "masked" else 0
        return self.width * self.pieces + self.layers * (4 * self.width**2 + 2 * self.width * self.inner) + head


@dataclass(frozen=True)
class Speed:
    """How fast a machine trains a model of some shape.

    Attributes:
        training: operations a second of forward and backward passes, the head's work counted as time only.
        evaluation: operations a second of prediction.
        updates: parameters a second that are moved, gradients clipped and cleared.
        start: seconds until a job has loaded its libraries.
    """

    training: float
    evaluation: float
    updates: float
    start: float


SpeedOf: TypeAlias = Callable[[Shape], Speed]


def assumed_speed(shape: Shape, on_gpu: bool, cores: int = 1) -> Speed:
    """The speed of a machine that has not been measured.

    Args:
        shape: of the model.
        on_gpu: one data-centre GPU; else CPU cores.
        cores: how many of them a job can have.
    """
    if on_gpu:
        return Speed(GPU_OPERATIONS, GPU_OPERATIONS, GPU_UPDATES, START_SECONDS)
    operations = CPU_OPERATIONS * min(shape.threads, cores)
    return Speed(operations, operations, CPU_UPDATES, START_SECONDS)


def kept_file() -> Path:
    """Where measured speeds are kept for all runs of a user; it can be deleted at any time."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "specialize" / "speeds.json"


def key_of(shape: Shape, device: str) -> str:
    """What a speed was measured of: machine, device (a GPU's name, or cpu), version of torch, and shape."""
    try:
        torch = version("torch")
    except PackageNotFoundError:  # of an environment that only plans; jobs have one of their own
        torch = "unknown"
    if device == "cpu" and shape.precision in ("auto", "tf32"):  # which are float32 there
        shape = replace(shape, precision="float32")
    sizes = " ".join(f"{name}={value}" for name, value in asdict(shape).items())
    return f"{platform.node()} {os.cpu_count()} cores, {device}, torch {torch}, {sizes}"


def kept_speeds() -> dict[str, Speed]:
    """All that were measured, by key; a file that cannot be read or was written otherwise counts as none."""
    try:
        read = read_json(kept_file())
        return {key: Speed(**{name: float(value) for name, value in entry.items()}) for key, entry in read.items()}
    except (InputError, OSError, TypeError, ValueError, AttributeError):
        return {}


def keep_speeds(measured: Mapping[str, Speed]) -> None:
    """Add measured speeds to those that are kept.

    Raises:
        OSError: if they cannot be written.
    """
    path = kept_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock")):  # several runs may start at once
        speeds = kept_speeds() | dict(measured)
        write_json(path, {key: asdict(speed) for key, speed in sorted(speeds.items())})
