"""The machine that jobs run on: its cores and GPUs, how fast it is, and how long jobs take there."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from specialize.experiment.costs import Job
from specialize.experiment.speeds import Shape, Speed, assumed_speed, kept_speeds, key_of


@dataclass(frozen=True)
class Machine:
    """What jobs run on.

    Attributes:
        cores: that may be used at a time.
        gpus: likewise.
        device: the first GPU's name, or cpu.
        speeds: that were measured on this machine, by `speeds.key_of`.
    """

    cores: int
    gpus: int
    device: str
    speeds: Mapping[str, Speed]

    @classmethod
    def here(cls, cores: int | None = None, gpus: int | None = None) -> Machine:
        """This one, with its kept speeds, or so much of it; without its GPUs if torch is built for CPUs."""
        names = [] if torch_is_for_cpus() else gpu_names()[:gpus]
        cores = min(cores or os.cpu_count() or 1, os.cpu_count() or 1)
        return cls(cores, len(names), names[0] if names else "cpu", kept_speeds())

    @classmethod
    def with_a_gpu(cls, gpus: int = 1) -> Machine:
        """Any with one data-centre GPU, or several, of assumed speed."""
        return cls(1, gpus, "", {})

    def speed(self, shape: Shape) -> Speed:
        """As measured, else as assumed."""
        return self.speeds.get(key_of(shape, self.device)) or assumed_speed(shape, self.gpus > 0, self.cores)

    def unmeasured(self, shapes: Iterable[Shape]) -> list[Shape]:
        """Those whose speed is assumed."""
        return [shape for shape in shapes if key_of(shape, self.device) not in self.speeds]

    def hours(self, jobs: Collection[Job], at_most: bool = False) -> float:
        """How long jobs take, as many at a time as there is room for; at most, if patience ends none of them."""
        hours = [job.seconds(self.speed, job.most_epochs if at_most else None) / 3600 for job in jobs]
        if self.gpus:
            side_by_side = [one / self.gpus for one in hours]
            hours = [one / min(job.gpus, self.gpus) for job, one in zip(jobs, hours, strict=True)]
        else:
            side_by_side = [one / max(1, self.cores // job.threads) for job, one in zip(jobs, hours, strict=True)]
        return max([sum(side_by_side), *hours])

    def in_words(self, jobs: Collection[Job]) -> str:
        """How long jobs take, for people: pretraining, and finetuning with what it takes at most."""
        pretraining = [job for job in jobs if job.pretrains]
        finetuning = [job for job in jobs if not job.pretrains]
        parts = []
        if pretraining:
            parts.append(f"{hours_in_words(self.hours(pretraining))} of pretraining")
        if finetuning:
            parts.append(f"about {hours_in_words(self.hours(finetuning))} of finetuning")
        if any(job.epochs < job.most_epochs for job in finetuning):
            most = hours_in_words(self.hours(finetuning, at_most=True))
            parts[-1] += f" (at most {most}, if patience ends no job)"
        return " and ".join(parts) or "nothing to train"


def gpu_names() -> list[str]:
    """The GPUs that this machine's jobs may use, as its driver's tool and CUDA_VISIBLE_DEVICES say."""
    if not shutil.which("nvidia-smi"):
        return []
    shown = subprocess.run(["nvidia-smi", "--list-gpus"], capture_output=True, text=True).stdout
    names = [line.partition(": ")[2].partition(" (")[0] for line in shown.splitlines() if line.startswith("GPU ")]
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return names if visible is None else names[: len([name for name in visible.split(",") if name not in ("", "-1")])]


def torch_is_for_cpus() -> bool:
    """Whether the torch that is installed says so; it is not loaded, since that takes seconds."""
    with contextlib.suppress(PackageNotFoundError):
        return version("torch").endswith("+cpu")
    return False


def gpus_here() -> int:
    """How many GPUs this machine's jobs may use."""
    return len(gpu_names())


def hours_in_words(hours: float) -> str:
    """A time for people."""
    if hours < 1:
        return counted(round(hours * 60), "minute") if hours > 1 / 60 else "under a minute" if hours else "nothing"
    return f"{hours:,.1f} hours"


def counted(number: int, thing: str) -> str:
    """So many of a thing, for people."""
    return f"{number:,} {thing}" + ("" if number == 1 else "s")
