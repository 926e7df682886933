"""Time: of the whole call and of a part, of steps on a device that runs behind Python, and of its kernels."""

import contextlib
import gc
import json
import signal
import tempfile
import time
from pathlib import Path

import torch


class OutOfTimeError(BaseException):
    """A part's time is over. No `except Exception` on the way may take it for an error of its own."""


class Deadline:
    """How long the whole call, and the part that runs now, may still take."""

    def __init__(self, seconds, began):
        self.ends = self.part_ends = began + seconds

    def left(self):
        """Seconds until the part's end, or the call's."""
        return min(self.ends, self.part_ends) - time.monotonic()

    @contextlib.contextmanager
    def part(self, seconds):
        """Let what runs inside take so long at most; raises OutOfTimeError in it."""

        def stop(_number, _frame):
            raise OutOfTimeError

        self.part_ends = time.monotonic() + seconds
        before = signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, max(self.left(), 0.001))
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            self.part_ends = self.ends


def on():
    """The device that trainings run on."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def synchronize():
    """Wait until the GPU has done all that it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def free_memory():
    """Give the GPU's memory back that nothing refers to any more."""
    gc.unfreeze()  # a finetuning job freezes all that there is when it starts
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def plain_torch():
    """Torch's own defaults of what a training of ours sets for its whole process."""
    if torch.are_deterministic_algorithms_enabled():  # to say so imports much of torch, and takes seconds
        torch.use_deterministic_algorithms(False)
    torch.utils.deterministic.fill_uninitialized_memory = True
    torch.set_float32_matmul_precision("highest")


class StepClock:
    """The time of some steps, waiting for the device at their two ends only, and the memory that they took.

    Args:
        first, last: from the beginning of step `first` to that of step `last`, counted from 0.
    """

    def __init__(self, first, last):
        self.first, self.last = first, last
        self.count = 0
        self.created = time.perf_counter()
        self.began = self.ended = None
        self.gigabytes = None

    def note(self):
        """A step begins."""
        if self.count == self.first:
            synchronize()
            if torch.cuda.is_available():
                torch.cuda.reset_peak_memory_stats()
            self.began = time.perf_counter()
        if self.count == self.last:
            synchronize()
            self.ended = time.perf_counter()
            if torch.cuda.is_available():
                self.gigabytes = torch.cuda.max_memory_allocated() / 1e9
        self.count += 1

    def timed(self):
        """Whether the step that `note` was last called for is within."""
        return self.first <= self.count - 1 < self.last

    def seconds(self):
        """Of all timed steps together."""
        if self.began is None or self.ended is None:
            raise RuntimeError(f"only {self.count} steps were seen of {self.last + 1}")
        return self.ended - self.began


class KernelTrace:
    """Seconds in which at least one kernel ran on the GPU (in a dry run: one operation on the CPU)."""

    def __init__(self):
        activities = torch.profiler.ProfilerActivity
        self.on_gpu = torch.cuda.is_available()
        kind = activities.CUDA if self.on_gpu else activities.CPU
        self.profiler = torch.profiler.profile(activities=[kind])

    def start(self):
        """Begin to listen, once the device is at rest."""
        synchronize()
        self.profiler.start()

    def stop(self):
        """End listening, and the seconds."""
        synchronize()
        self.profiler.stop()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "trace.json"
            self.profiler.export_chrome_trace(str(path))
            events = json.loads(path.read_text(encoding="utf-8", errors="replace"))["traceEvents"]
        return busy_seconds(events, {"kernel", "gpu_memcpy", "gpu_memset"} if self.on_gpu else {"cpu_op"})


def busy_seconds(events, categories):
    """The length of the union of a trace's intervals (its times are in microseconds) of some categories."""
    spans = sorted(
        (float(one["ts"]), float(one["ts"]) + float(one["dur"]))
        for one in events
        if one.get("ph") == "X" and one.get("cat") in categories
    )
    total, reached = 0.0, float("-inf")
    for start, end in spans:
        total += max(end - max(start, reached), 0)
        reached = max(reached, end)
    return total / 1e6
