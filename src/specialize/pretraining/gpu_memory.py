"""What a pretraining took of a GPU; it differs from run to run, so that it stands beside the results."""

from __future__ import annotations

from pathlib import Path

import torch

from specialize.files import write_json
from specialize.training.devices import device
from specialize.training.process_group import process_group


def write_gpu_memory(path: Path) -> None:
    """Write the most memory of a GPU that this process took as JSON, if it has one; only the first process does.

    Time and other memory are in Snakemake's benchmark of the job.
    """
    if device().type == "cuda" and process_group().first:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, {"peak_gpu_memory_megabytes": round(torch.cuda.max_memory_allocated() / 2**20)})
