"""Jobs that a run which was killed has left in SLURM's queue."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

from specialize.errors import SpecializeError

SECONDS_BETWEEN_LOOKS = 10
COMMENT = "rule_"  # how the comment begins that Snakemake's executor gives each job


def left_over_jobs(folder: Path) -> list[str]:
    """Numbers of this user's jobs, running or waiting, that Snakemake has submitted from this folder.

    Where there is no SLURM there are none.

    Raises:
        SpecializeError: if the queue cannot be read.
    """
    if not shutil.which("squeue"):
        return []
    command = ["squeue", "--me", "--noheader", "--format=%i|%k|%Z"]
    try:
        shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        problem = " ".join(str(getattr(error, "stderr", None) or error).split())
        raise SpecializeError(
            f"{' '.join(command)}: {problem}; "
            "without the queue nobody knows whether jobs of an earlier run are at work in this folder"
        ) from error
    entries = (line.split("|", 2) for line in shown.splitlines())
    found = [job for job, comment, where in entries if comment.startswith(COMMENT) and Path(where) == folder]
    return sorted(found, key=lambda job: (len(job), job))


def wait_for_left_over_jobs(folder: Path) -> None:
    """Wait until the queue holds none, so that nothing is trained twice at once and what they finish is kept.

    Raises:
        SpecializeError: if the queue cannot be read at first; later failures are waited out.
    """
    jobs = left_over_jobs(folder)
    while jobs:
        print(
            f"Waiting for jobs that an earlier run has left in the queue: {' '.join(jobs)}. What they finish is kept. "
            f"To end them now: scancel {' '.join(jobs)} (training goes on from its checkpoint)",
            file=sys.stderr,
            flush=True,
        )
        told = jobs
        while jobs == told:
            time.sleep(SECONDS_BETWEEN_LOOKS)
            try:
                jobs = left_over_jobs(folder)
            except SpecializeError as error:  # a busy controller does not always answer
                print(error, file=sys.stderr, flush=True)
