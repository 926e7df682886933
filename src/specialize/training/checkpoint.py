"""Checkpoints: an interrupted job continues where it was, and ends with the same bytes."""

from __future__ import annotations

import hashlib
import json
import random
import signal
import time
import zlib
from collections.abc import Iterable
from contextlib import nullcontext, suppress
from itertools import zip_longest
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy
import torch
from filelock import FileLock, Timeout

from specialize.errors import SpecializeError
from specialize.files import atomic_path, read_json, remove, write_json
from specialize.training.process_group import process_group

SECONDS_BETWEEN_CHECKPOINTS = 600.0
BLOCK = 1 << 20  # bytes read at a time
SHOWN, LONGEST_SHOWN = 5, 60  # settings, and characters of one, that a line of the log has room for
STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


class StoppedError(SpecializeError):
    """A signal ended the training; the next start continues from its checkpoint."""


class Stop(BaseException):
    """A signal that is ending the training, within a `Checkpoint`.

    It may be raised in the midst of any library, and those that catch every `Exception`, as torch does while it loads
    weights, must not take it for an error of theirs.
    """


def checkpoint_in(
    folder: Path | None, version: int, settings: dict[str, Any], inputs: Iterable[Path], precision: str = "float32"
) -> Checkpoint | nullcontext[None]:
    """A `Checkpoint`, or a context manager that does nothing if there is no folder."""
    if folder is None:
        return nullcontext()
    return Checkpoint(folder, version, settings, inputs, precision)


class Checkpoint:
    """The saved state of one training job; a context manager.

    Within the context, the folder is locked for this job, and a signal to stop has the state saved before the job ends:
    it raises `Stop` there, and `StoppedError` out of the context. The folder is removed when the context is left
    without an error.

    Beside the state stands what it was made of, so that one of another job is known by it, wherever the run's folder
    was copied to and whatever the times of its files are.

    Of the processes that train one model, each has such a context. Only the first locks, writes and removes.

    Args:
        folder: of this job alone.
        version: of the stage's code.
        settings: hyperparameters that the result depends on.
        inputs: files that the result depends on. A state saved with another version, other settings or inputs is
            discarded; a line of the log says which of them is another.
        precision: what this machine makes of the job's setting. A state that was saved with another one is taken up,
            and a line of the log says so.

    Raises:
        SpecializeError: on entering, if another job has locked the folder.
    """

    def __init__(
        self,
        folder: Path,
        version: int,
        settings: dict[str, Any],
        inputs: Iterable[Path],
        precision: str = "float32",
    ) -> None:
        self._made_of = made_of(version, settings, list(inputs))
        key = json.dumps([value for name, value in self._made_of.items() if name != "paths"], sort_keys=True)
        self.folder, self.precision = folder, precision
        self._group = process_group()
        self.path = folder / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.pt"
        self.stopped_by: signal.Signals | None = None
        self.defers_signals = (
            False  # while `fit` runs, but for its evaluations: the state is complete only after a step
        )
        self._saved_at = time.monotonic()
        self._lock = FileLock(folder / "lock")
        self._handlers: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Checkpoint:
        if self._group.first:
            self._take_folder()
        self._group.wait()
        self._handlers = {number: signal.signal(number, self._on_signal) for number in STOPPING}
        return self

    def _take_folder(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise SpecializeError(
                f"{self.folder}: another job is at this training, perhaps left over from a run that was killed; "
                "stop it or wait for it"
            ) from error
        self._discard_others()
        write_json(self._description, self._made_of)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.defers_signals = True  # one that comes now comes too late
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        if error is None and self._group.first:
            self._remove_folder()
        self._lock.release()
        if isinstance(error, Stop):
            raise StoppedError(str(error)) from None

    def _remove_folder(self) -> None:
        """Remove the folder; the lock last, since on NFS a file that is open goes on to be there under another name."""
        for path in sorted(self.folder.iterdir(), reverse=True):  # the state before its description
            if path.name != "lock":
                remove(path)
        self._lock.release()
        with suppress(OSError):  # another job may be in it by now
            (self.folder / "lock").unlink()
            self.folder.rmdir()

    @property
    def _description(self) -> Path:
        return self.path.with_suffix(".json")

    def _discard_others(self) -> None:
        """Remove what this job cannot go on from, and say why."""
        for path in sorted(self.folder.iterdir(), key=lambda path: (path.suffix != ".pt", path)):  # then descriptions
            if path in (self.path, self._description) or path.name == "lock":
                continue
            if path.suffix == ".pt":
                reason = difference(path.with_suffix(".json"), self._made_of)
                print(f"discards the checkpoint {path}: {reason}; starting anew", flush=True)
            elif path.suffix == ".partial":
                print(f"discards {path}, which a job that was killed has left half written", flush=True)
            remove(path)

    def _on_signal(self, number: int, _frame: Any) -> None:
        self.stopped_by = signal.Signals(number)
        if not self.defers_signals:
            self.stop(number)

    def stop(self, number: int) -> None:
        """End the job, by a signal of this number.

        Raises:
            Stop: always, unless the number is 0.
        """
        if number:
            name = signal.Signals(number).name
            raise Stop(f"stopped by {name}; the next start goes on from {self.folder}")

    def due(self) -> bool:
        """Whether to save the state now: a signal arrived, or the last save was long ago."""
        return self.stopped_by is not None or time.monotonic() - self._saved_at >= SECONDS_BETWEEN_CHECKPOINTS

    def save(self, state: dict[str, Any]) -> None:
        """Write the state, atomically replacing the previous one; in other processes than the first wait for that."""
        if self._group.first:
            with atomic_path(self.path) as temporary:
                torch.save({**state, "precision": self.precision}, temporary)
        self._group.wait()
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
        before = state.pop("precision", self.precision)  # states of earlier versions do not say
        if before != self.precision:
            print(f"the checkpoint was saved in {before}, this machine goes on in {self.precision}", flush=True)
        return state


def made_of(version: int, settings: dict[str, Any], inputs: list[Path]) -> dict[str, Any]:
    """What a training's result depends on: version, settings, and the content of each file, as size and checksum.

    The checksum is CRC-32 of all bytes. It tells any change that happens, and takes half a second for the weights of
    BERT-base, where a cryptographic hash takes several.
    """
    files = [[path.stat().st_size, _checksum(path)] for path in inputs]
    plain = json.loads(json.dumps(settings))  # as it will be when it is read again
    plain.pop("gpus", None)  # another number of processes goes on
    return {"version": version, "settings": plain, "files": files, "paths": [str(path) for path in inputs]}


def _checksum(path: Path) -> int:
    checksum = 0
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            checksum = zlib.crc32(block, checksum)
    return checksum


def difference(description: Path, now: dict[str, Any]) -> str:
    """Why a state was made of something else: which version, settings or files.

    Args:
        description: the file that stands beside the state.
        now: what `made_of` says of this job.
    """
    try:
        then = read_json(description)
        version, settings, files = then["version"], then["settings"], then["files"]
    except (OSError, SpecializeError, KeyError, TypeError):
        return "an earlier version of specialize has saved it, or its description is lost"
    if version != now["version"]:
        return f"version {version} of this stage has saved it, and this is version {now['version']}"
    before, after = _flat(settings), _flat(now["settings"])
    changed = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
    if changed:
        shown = [f"{key} was {_shown(before, key)}, is {_shown(after, key)}" for key in changed[:SHOWN]]
        return "other settings: " + ", ".join(shown) + (f" and {len(changed) - SHOWN} more" * (len(changed) > SHOWN))
    others = [path for path, old, new in zip_longest(now["paths"], files, now["files"]) if old != new and path]
    return "other content of " + (", ".join(others) or "files that are no inputs any more")


def _flat(settings: Any, place: str = "") -> dict[str, Any]:
    """Nested settings by their full names."""
    if not isinstance(settings, dict) or not settings:
        return {place: settings}
    return {
        key: value
        for name, inner in settings.items()
        for key, value in _flat(inner, f"{place}.{name}" if place else name).items()
    }


def _shown(settings: dict[str, Any], key: str) -> str:
    """A value on one line; a long one, such as a vocabulary, by its length."""
    if key not in settings:
        return "not there"
    value = settings[key]
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_SHOWN else f"{len(value):,} long"


def random_state() -> dict[str, Any]:
    """The state of all random number generators, in types that `torch.load` takes with `weights_only`.

    A job draws numbers on one GPU, the current one. The next start may find it under another number, or none.
    """
    kind, keys, position, has_gauss, gauss = numpy.random.get_state(legacy=True)
    return {
        "python": random.getstate(),
        "numpy": [kind, [int(key) for key in keys], int(position), int(has_gauss), float(gauss)],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state() if torch.cuda.is_available() else None,
    }


def restore_random_state(state: dict[str, Any]) -> None:
    """Set all random number generators to what `random_state` returned."""
    version, keys, gauss = state["python"]
    random.setstate((version, tuple(keys), gauss))
    numpy.random.set_state(tuple(state["numpy"]))
    torch.set_rng_state(state["torch"])
    if state["cuda"] is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"])
    elif (state["cuda"] is None) == torch.cuda.is_available():
        here, there = ("a GPU", "a CPU") if torch.cuda.is_available() else ("a CPU", "a GPU")
        print(f"the checkpoint was saved on {there}, this is {here}: other random numbers from here on", flush=True)
