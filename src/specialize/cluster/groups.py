"""Groups of jobs on SLURM, whose members run side by side."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from itertools import takewhile

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
