"""How the Snakemake that SLURM has started for a group goes on."""

import sys

import pytest

from specialize.cluster.groups import EXECUTOR_IN_A_JOB, group_at_once

BEFORE = ["--snakefile", "Snakefile", "--target-jobs"]
AFTER = ["--allowed-rules", "finetune", "--cores", "all", "--attempt", "2"]
MEMBERS = ["finetune:language=ug,seed=1", "finetune:language=ug,seed=2"]


def test_a_groups_members_run_in_one_step_by_snakemakes_own_executor():
    command = group_at_once(
        [*BEFORE, *MEMBERS, *AFTER, *EXECUTOR_IN_A_JOB, "--mode", "remote"], {"SLURM_CPUS_PER_TASK": "8"}
    )
    assert command[0] == "srun"
    assert "--cpus-per-task=8" in command
    expected = [*BEFORE, *MEMBERS, *AFTER[:2], "--cores", "8", "--attempt", "2", "--mode", "remote"]
    assert command[command.index(sys.executable) :] == [sys.executable, "-m", "snakemake", *expected]


@pytest.mark.parametrize(
    ("members", "executor"),
    [(MEMBERS[:1], EXECUTOR_IN_A_JOB), (MEMBERS, []), ([], [])],
    ids=["a single job", "the step that a group has become", "no cluster"],
)
def test_any_other_snakemake_stays_as_it_is(members, executor):
    assert group_at_once([*BEFORE, *members, *AFTER, *executor], {}) is None
