"""Seeds, threads, and which device a job trains on."""

from __future__ import annotations

import contextlib
import getpass
import os
import random
import tempfile
import time
from itertools import product
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
        torch.cuda.set_device(claim_gpus(1, jobs_per_gpu)[0])


def claim_gpus(number: int, jobs_per_gpu: int) -> list[int]:
    """Claim GPUs with fewer than `jobs_per_gpu` other jobs, as `use_free_gpu` does; their numbers, as torch counts."""
    names = [str(torch.cuda.get_device_properties(number).uuid) for number in range(torch.cuda.device_count())]
    folder = Path(tempfile.gettempdir()) / f"specialize-gpus-{_user()}"
    return sorted(map(names.index, claim_together(names, number, jobs_per_gpu, folder)))


def _user() -> str:
    """Who runs this; in a container it may be a number without a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def claim_together(names: list[str], number: int, jobs_at_once: int, folder: Path) -> list[str]:
    """Claim some resources, such as GPUs, until this process ends; wait until as many are free.

    It has all or none, so that no two jobs wait for what the other one has.

    Args:
        names: of the resources.
        number: how many are wanted, at most all.
        jobs_at_once: how many processes may share one; those with the fewest are taken first.
        folder: for the lock files.

    Returns:
        The names of the claimed ones.
    """
    folder.mkdir(parents=True, exist_ok=True)
    announced = False
    while True:
        taken: dict[str, FileLock] = {}
        with FileLock(folder / "turn"):  # what another one tries and gives back is not missed
            for slot, name in product(range(jobs_at_once), names):
                if name in taken or len(taken) == number:
                    continue
                lock = FileLock(folder / f"{name}-{slot}")
                with contextlib.suppress(Timeout):
                    lock.acquire(timeout=0)
                    taken[name] = lock
            if len(taken) == number:
                _held_locks.extend(taken.values())
                return list(taken)
            for lock in taken.values():
                lock.release()
        if not announced:
            wanted = "one" if number == 1 else str(number)
            print(f"waits for {wanted} of {', '.join(names)}: other jobs have them all", flush=True)
            announced = True
        time.sleep(SECONDS_BETWEEN_CLAIMS)
