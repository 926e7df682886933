"""Starting the processes that train one model together, one on each GPU, and ending as they end."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from specialize.errors import SpecializeError, full_disk
from specialize.training import process_group
from specialize.training.checkpoint import STOPPING, StoppedError
from specialize.training.devices import claim_gpus, use_free_gpu

SECONDS_BETWEEN_LOOKS = 0.1
GRACE = 10.0  # seconds until the processes that one with an error has left behind are killed
LOG = "SPECIALIZE_LOG"  # variable with the descriptor of the file that the first process prints to


def run_on_gpus(
    number: int, jobs_per_gpu: int, allow_cpu: bool, function: Callable[..., None], **arguments: Any
) -> None:
    """Call a function that trains: in this process for one GPU, else in a process for each.

    The GPUs are claimed until this process ends; see `devices.use_free_gpu`.

    Args:
        number: of GPUs (`pretraining.gpus`).
        jobs_per_gpu: jobs that may share one.
        allow_cpu: where there are too few GPUs, train in this process.
        function: of a module. `process_group` tells it with whom it trains.
        arguments: its own; they can be pickled.

    Raises:
        SpecializeError: if there are too few GPUs, unless `allow_cpu`; else as `run_in_processes`.
    """
    if not torch.cuda.is_available():
        use_free_gpu(jobs_per_gpu, allow_cpu)  # of which torch may say why it cannot use it
    there = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if number > max(there, 1):
        seen = f"{there or 'no'} GPU{'s' * (there != 1)}"
        if not allow_cpu:
            raise SpecializeError(
                f"pretraining.gpus is {number}, but this job sees {seen}; lower gpus, ask for a machine that has as "
                "many, or set allow_cpu: true to train in one process"
            )
        print(
            f"pretraining.gpus is {number}, but this job sees {seen}: one process trains, on "
            f"{'that GPU' if there == 1 else 'one of them' if there else 'the CPU'}",
            flush=True,
        )
        number = 1
    if number == 1:
        use_free_gpu(jobs_per_gpu, allow_cpu)
        function(**arguments)
    else:
        run_in_processes(number, function, arguments, claim_gpus(number, jobs_per_gpu))


def run_in_processes(
    number: int, function: Callable[..., None], arguments: Mapping[str, Any], gpus: Sequence[int] = ()
) -> None:
    """Call a function in several processes of this machine, and return when all have returned.

    The first one prints where this one does. Signals to stop are passed on; when this process dies, all do.

    Args:
        number: of processes.
        function, arguments: see `run_on_gpus`.
        gpus: one for each; none: they compute on the CPU.

    Raises:
        StoppedError: if the function raised it.
        SpecializeError: if the function raised it, or a process was killed.
        RuntimeError: with the trace of any other error.
    """
    with tempfile.TemporaryDirectory(prefix="specialize-") as temporary:
        folder = Path(temporary)
        with _started(number, folder) as children:
            for rank, child in enumerate(children):
                gpu = gpus[rank] if gpus else None
                assert child.stdin
                with contextlib.suppress(BrokenPipeError):  # it has died, as will be seen
                    pickle.dump((folder, rank, number, gpu, function, dict(arguments)), child.stdin)
                    child.stdin.flush()
            signals = _wait_for(children)
            statuses = [child.poll() or 0 for child in children]
        if not any(statuses):
            return
        if any(-status in signals for status in statuses):  # by which the others have ended, this one shall end
            os.kill(os.getpid(), signals[0])
        raise _cause(folder, statuses)


@contextlib.contextmanager
def _started(number: int, folder: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """New interpreters: a forked one can use no GPU, and those of `multiprocessing` would run a job's script again."""
    command = [sys.executable, "-P", "-c", f"from {__name__} import _serve; _serve()"]
    path = os.pathsep.join(dict.fromkeys(entry for entry in sys.path if entry))
    environment = {**os.environ, "PYTHONPATH": path}
    log = _descriptor_of_log()
    children: list[subprocess.Popen[bytes]] = []
    try:
        for rank in range(number):
            if rank == 0:
                own = {**environment, **({LOG: str(log)} if log else {})}
                child = subprocess.Popen(command, stdin=subprocess.PIPE, env=own, pass_fds=[log] if log else [])
            else:
                with _prints_of(folder, rank).open("wb") as out:
                    child = subprocess.Popen(
                        command, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT, env=environment
                    )
            children.append(child)
        yield children
    finally:
        for child in children:
            if child.poll() is None:
                child.kill()
            child.communicate()


def _descriptor_of_log() -> int | None:
    """Of the file that a job prints to instead of the terminal. Who shares it, shares the place in the file."""
    sys.stdout.flush()
    try:
        return None if sys.stdout is sys.__stdout__ else sys.stdout.fileno()
    except io.UnsupportedOperation:
        return None


def _wait_for(children: Sequence[subprocess.Popen[bytes]]) -> list[int]:
    """Wait until all have ended, or one has failed and the rest has had time to notice. The signals passed on."""
    signals: list[int] = []

    def pass_on(number: int, _frame: Any) -> None:
        signals.append(number)
        for child in children:
            child.send_signal(number)

    handlers = {number: signal.signal(number, pass_on) for number in STOPPING}
    try:
        failed_at = None
        while any(child.poll() is None for child in children):
            if failed_at is None and any(child.returncode for child in children):
                failed_at = time.monotonic()
            if failed_at is not None and time.monotonic() - failed_at > GRACE:
                break
            time.sleep(SECONDS_BETWEEN_LOOKS)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return signals


def _cause(folder: Path, statuses: Sequence[int]) -> Exception:
    """The error that all ended by: the first that was reported; else of one that was killed, which reports nothing.

    That a process was left by another one is an error as well, and never the cause.
    """
    ranks = [rank for rank, status in enumerate(statuses) if status]
    reports = [
        json.loads(_report_of(folder, rank).read_text(encoding="utf-8"))
        for rank in ranks
        if _report_of(folder, rank).is_file()
    ]
    reports.sort(key=lambda report: float(report["time"]))
    silent = [rank for rank in ranks if not _report_of(folder, rank).is_file()]
    causes = [report for report in reports if not report["left"]]
    if causes or not silent:
        first = (causes or reports)[0]
        return {"StoppedError": StoppedError, "SpecializeError": SpecializeError}.get(first["kind"], RuntimeError)(
            first["text"]
        )
    rank, status = silent[0], statuses[silent[0]]
    how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
    prints = _prints_of(folder, rank)
    lines = prints.read_text(encoding="utf-8", errors="replace").split("\n") if prints.is_file() else []
    last = next((f" (it last printed: {line.strip()})" for line in reversed(lines) if line.strip()), "")
    return SpecializeError(
        f"process {rank + 1} of the {len(statuses)} that pretraining.gpus asks for {how}{last}; where memory ran out, "
        "give the job more (mem_mb), or fewer gpus"
    )


def _report_of(folder: Path, rank: int) -> Path:
    return folder / f"{rank}.json"


def _prints_of(folder: Path, rank: int) -> Path:
    return folder / f"{rank}.log"


# -- in each process -----------------------------------------------------------------------------------------------


def _serve() -> None:
    """Do what the process that has started this one asks for."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # the process that has started this one says what it means
    with contextlib.ExitStack() as stack:
        if LOG in os.environ:
            log = stack.enter_context(os.fdopen(int(os.environ[LOG]), "w", encoding="utf-8", buffering=1))
            stack.enter_context(contextlib.redirect_stdout(log))
            stack.enter_context(contextlib.redirect_stderr(log))
        folder, rank, size, gpu, function, arguments = pickle.load(sys.stdin.buffer)
        threading.Thread(target=_die_with_parent, daemon=True).start()
        try:
            process_group.join(folder / "store", rank, size, gpu)
            function(**arguments)
            process_group.leave()
        except BaseException as error:
            _report(error, _report_of(folder, rank))
            sys.stdout.flush()
            os._exit(1)  # an orderly end could wait for the others


def _die_with_parent() -> None:
    while os.read(0, 1):  # it writes nothing more; its end of the pipe closes when it dies
        pass
    os._exit(1)


def _report(error: BaseException, path: Path) -> None:
    """Write an error before this process ends, so that the others notice that end only later."""
    kind = next((one.__name__ for one in (StoppedError, SpecializeError) if isinstance(error, one)), "")
    text = str(error) if kind else full_disk(error)
    if text and not kind:
        kind = "SpecializeError"
    place = traceback.extract_tb(error.__traceback__)[-1].filename
    left = place == process_group.__file__ or Path(place).is_relative_to(Path(torch.distributed.__file__).parent)
    report = {"time": time.monotonic(), "kind": kind, "left": left and not kind, "text": text or _trace(error)}
    temporary = path.with_suffix(".partial")
    temporary.write_text(json.dumps(report), encoding="utf-8")
    temporary.replace(path)


def _trace(error: BaseException) -> str:
    return "in one of several processes:\n" + "".join(traceback.format_exception(error))
