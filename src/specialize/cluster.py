"""SLURM: groups whose jobs run side by side, and jobs that a killed run has left in the queue."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path

from specialize.errors import SpecializeError

SECONDS_BETWEEN_LOOKS = 10
COMMENT = "rule_"  # how the comment begins that Snakemake's executor gives each job

EXECUTOR_IN_A_JOB = ["--executor", "slurm-jobstep", "--jobs", "1"]  # options of the Snakemake that a SLURM job starts


def group_at_once(arguments: Sequence[str], environment: Mapping[str, str]) -> list[str] | None:
    """The command that runs the members of a group side by side, as far as the group's cores reach.

    Snakemake's executor for SLURM would run them one after the other, on resources that were asked for all at once
    (snakemake-executor-plugin-slurm 2.8.0, its issue 469). Within one step of SLURM, Snakemake's own executor does not.

    Args:
        arguments: of this Snakemake.
        environment: its variables, with SLURM's number of cores.

    Returns:
        None unless this is the Snakemake that SLURM has started for a group.
    """
    options = list(arguments)
    places = [place for place in range(len(options)) if options[place : place + 4] == EXECUTOR_IN_A_JOB]
    if not places:
        return None
    del options[places[0] : places[0] + 4]
    members = options[options.index("--target-jobs") + 1 :]
    if len(list(takewhile(lambda option: not option.startswith("--"), members))) < 2:
        return None
    cores = environment.get("SLURM_CPUS_PER_TASK") or environment["SLURM_CPUS_ON_NODE"]
    options[options.index("--cores") + 1] = cores
    step = ["srun", "--ntasks=1", "--nodes=1", f"--cpus-per-task={cores}", "--cpu-bind=quiet"]
    return [*step, sys.executable, "-m", "snakemake", *options]


def run_group_at_once() -> None:
    """Go on as that command, if this is the Snakemake that SLURM has started for a group."""
    if command := group_at_once(sys.argv[1:], os.environ):
        os.execvp(command[0], command)


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
        raise SpecializeError(
            f"{' '.join(command)}: {getattr(error, 'stderr', None) or error}; "
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
