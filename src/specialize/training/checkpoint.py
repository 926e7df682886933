"""Checkpoints: an interrupted job continues where it was, and ends with the same bytes."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import signal
import time
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy
import torch
from filelock import FileLock, Timeout

from specialize.errors import SpecializeError
from specialize.files import atomic_path

SECONDS_BETWEEN_CHECKPOINTS = 600.0
STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


class StoppedError(SpecializeError):
    """A signal ended the training; the next start continues from its checkpoint."""


def checkpoint_in(
    folder: Path | None, version: int, settings: dict[str, Any], inputs: Iterable[Path]
) -> Checkpoint | nullcontext[None]:
    """A `Checkpoint`, or a context manager that does nothing if there is no folder."""
    if folder is None:
        return nullcontext()
    return Checkpoint(folder, version, settings, inputs)


class Checkpoint:
    """The saved state of one training job; a context manager.

    Within the context, the folder is locked for this job, and a signal to stop has the state saved before the job ends.
    The folder is removed when the context is left without an error.

    Args:
        folder: of this job alone.
        version: of the stage's code.
        settings: hyperparameters that the result depends on.
        inputs: files that the result depends on. A state saved with another version, other settings or inputs is
            discarded.

    Raises:
        SpecializeError: on entering, if another job has locked the folder.
    """

    def __init__(self, folder: Path, version: int, settings: dict[str, Any], inputs: Iterable[Path]) -> None:
        files = [path.stat() for path in inputs]  # sizes and times, since hashing large weights takes too long
        key = json.dumps([version, settings, [[file.st_size, file.st_mtime_ns] for file in files]], sort_keys=True)
        self.folder = folder
        self.path = folder / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.pt"
        self.stopped_by: signal.Signals | None = None
        self.defers_signals = False  # while an epoch's steps run: the state is complete only after each step
        self._saved_at = time.monotonic()
        self._lock = FileLock(folder / "lock")
        self._handlers: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Checkpoint:
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise SpecializeError(
                f"{self.folder}: another job is at this training, perhaps left over from a run that was killed; "
                "stop it or wait for it"
            ) from error
        for path in self.folder.iterdir():
            if path.name not in (self.path.name, "lock"):
                path.unlink()  # of another version, other settings or inputs, or half written
        self._handlers = {number: signal.signal(number, self._on_signal) for number in STOPPING}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        if error is None:
            shutil.rmtree(self.folder)
        self._lock.release()

    def _on_signal(self, number: int, _frame: Any) -> None:
        self.stopped_by = signal.Signals(number)
        if not self.defers_signals:
            self.raise_if_stopped()

    def raise_if_stopped(self) -> None:
        """End the job if a signal asked for it.

        Raises:
            StoppedError: if so.
        """
        if self.stopped_by is not None:
            raise StoppedError(f"stopped by {self.stopped_by.name}; the next start goes on from {self.folder}")

    def due(self) -> bool:
        """Whether to save the state now: a signal arrived, or the last save was long ago."""
        return self.stopped_by is not None or time.monotonic() - self._saved_at >= SECONDS_BETWEEN_CHECKPOINTS

    def save(self, state: dict[str, Any]) -> None:
        """Write the state, atomically replacing the previous one."""
        with atomic_path(self.path) as temporary:
            torch.save(state, temporary)
        self._saved_at = time.monotonic()

    def load(self) -> dict[str, Any] | None:
        """The saved state; None if there is none, or a power cut damaged it."""
        if not self.path.is_file():
            return None
        try:
            state: dict[str, Any] = torch.load(self.path, map_location="cpu", weights_only=True)
        except Exception as error:  # torch raises many kinds
            print(f"{self.path}: cannot be read ({error!r}); starting anew")
            return None
        return state


def random_state() -> dict[str, Any]:
    """The state of all random number generators, in types that `torch.load` takes with `weights_only`."""
    kind, keys, position, has_gauss, gauss = numpy.random.get_state(legacy=True)
    return {
        "python": random.getstate(),
        "numpy": [kind, [int(key) for key in keys], int(position), int(has_gauss), float(gauss)],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def restore_random_state(state: dict[str, Any]) -> None:
    """Set all random number generators to what `random_state` returned."""
    version, keys, gauss = state["python"]
    random.setstate((version, tuple(keys), gauss))
    numpy.random.set_state(tuple(state["numpy"]))
    torch.set_rng_state(state["torch"])
    if state["cuda"]:
        torch.cuda.set_rng_state_all(state["cuda"])
