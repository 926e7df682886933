"""Seeds, threads, and which device a job trains on."""

from __future__ import annotations

import getpass
import os
import random
import tempfile
import time
from pathlib import Path

import numpy
import torch
from filelock import FileLock, Timeout

from specialize.errors import SpecializeError

SECONDS_BETWEEN_CLAIMS = 1.0
# With several streams cuBLAS gives the same bytes only with a workspace of one of these sizes (torch's documentation).
CUBLAS_WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"
DETERMINISTIC_WORKSPACES = (":4096:8", ":16:8")


def seed_everything(
    numpy_seed: int, torch_seed: int, python_seed: int, threads: int, deterministic: bool = False
) -> None:
    """Seed all random number generators, set the number of CPU threads, and ask for deterministic algorithms.

    Args:
        numpy_seed, torch_seed, python_seed: of each library's generators.
        threads: of torch, on the CPU.
        deterministic: ask for them on a GPU too, where an operation that has no such algorithm is then an error.
    """
    random.seed(python_seed)
    numpy.random.seed(numpy_seed)
    torch.manual_seed(torch_seed)
    torch.set_num_threads(threads)
    on_gpu = device().type == "cuda"
    torch.use_deterministic_algorithms(deterministic or not on_gpu, warn_only=not on_gpu)
    if deterministic and on_gpu:
        if os.environ.get(CUBLAS_WORKSPACE) not in DETERMINISTIC_WORKSPACES:
            os.environ[CUBLAS_WORKSPACE] = DETERMINISTIC_WORKSPACES[0]  # read at the process's first product
        torch.backends.cudnn.benchmark = False
    # Filling uninitialized memory takes time, and nothing here reads memory before it was written.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def device() -> torch.device:
    """The current GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


_held_locks: list[FileLock] = []  # until the process ends


def use_free_gpu(jobs_per_gpu: int, allow_cpu: bool) -> None:
    """Make a GPU with fewer than `jobs_per_gpu` other jobs the current one; wait until there is one.

    The claim lasts until this process ends. Without a GPU, or with one already claimed, nothing happens. All jobs of
    one user on a machine share lock files in the folder for temporary files; on a cluster, only the GPUs that were
    allocated to the job count.

    Raises:
        SpecializeError: if a GPU was allocated to the job but torch cannot use it, unless `allow_cpu`.
    """
    allocated = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    if not torch.cuda.is_available() and allocated not in ("", "-1") and not allow_cpu:
        raise SpecializeError(
            f"this job was given GPU {allocated}, but torch {torch.__version__} cannot use it: the driver is too old, "
            "or this torch is built for CPUs; install a build that fits (pytorch.org says which), or set "
            "allow_cpu: true"
        )
    if torch.cuda.is_available() and not _held_locks:
        names = [str(torch.cuda.get_device_properties(number).uuid) for number in range(torch.cuda.device_count())]
        folder = Path(tempfile.gettempdir()) / f"specialize-gpus-{getpass.getuser()}"
        torch.cuda.set_device(names.index(claim(names, jobs_per_gpu, folder)))


def claim(names: list[str], jobs_at_once: int, folder: Path) -> str:
    """Claim one of several resources, such as GPUs, until this process ends; wait until one is free.

    Args:
        names: of the resources.
        jobs_at_once: how many processes may share one; those with the fewest are taken first.
        folder: for the lock files.

    Returns:
        The name of the claimed resource.
    """
    folder.mkdir(parents=True, exist_ok=True)
    announced = False
    while True:
        for slot in range(jobs_at_once):
            for name in names:
                lock = FileLock(folder / f"{name}-{slot}")
                try:
                    lock.acquire(timeout=0)
                except Timeout:
                    continue
                _held_locks.append(lock)
                return name
        if not announced:
            print(f"waits for one of {', '.join(names)}: other jobs have them all", flush=True)
            announced = True
        time.sleep(SECONDS_BETWEEN_CLAIMS)
