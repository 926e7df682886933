"""What a pretraining took: time and memory, which differ from run to run, so that they stand beside its results."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import torch

from specialize.files import write_json
from specialize.training.devices import device
from specialize.training.loop import Fit
from specialize.training.process_group import process_group


def write_timing(path: Path, seconds: float, outcome: Fit) -> None:
    """Write time and memory of a training as JSON; only the first process does.

    Args:
        path: the file.
        seconds: of the job since its last start, with reading the text and evaluation.
        outcome: of the training; its seconds count from the first start.
    """
    if not process_group().first:
        return
    known: dict[str, Any] = {
        "seconds": round(seconds, 2),
        "training_seconds": round(outcome.seconds, 2),
        "peak_memory_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    if device().type == "cuda":
        known["peak_gpu_memory_megabytes"] = round(torch.cuda.max_memory_allocated() / 2**20)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, known)
