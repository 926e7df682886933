"""What a cluster does to jobs: signals, requeueing, nodes that fail, and a Snakemake that is killed."""

import re
import time

from tests.cluster import slurm
from tests.cluster.conftest import files
from tests.cluster.slurm import asked, until

CELL = "results/finetuning/qad/tva/pos/seed1/metrics.json"


def epoch(log):
    """The last epoch that the job's present start has finished."""
    text = log.read_text() if log.is_file() else ""
    return max(map(int, re.findall(r"epoch (\d+) training_loss", text)), default=0)


def resumed(log):
    """The epoch at which the job's present start went on; 0 if it has not said so."""
    found = re.search(r"goes on from its checkpoint: epoch (\d+)", log.read_text() if log.is_file() else "")
    return int(found[1]) if found else 0


def running(run, comment):
    """Numbers of the jobs with such a comment that run."""
    return [
        job["JobId"]
        for job in slurm.jobs()
        if job["WorkDir"] == str(run) and job["JobState"] == "RUNNING" and job["Comment"] == comment
    ]


def terminate(job):
    asked("scancel", "--signal=TERM", job)


def warn_early(job):
    asked("scancel", "--signal=USR1", job)


def requeue(job):
    asked("scontrol", "requeue", job)
    start_again(job)


def fail_node(job):
    asked("scontrol", "update", "NodeName=g1", "State=DOWN", "Reason=test")
    start_again(job)


def start_again(job):
    """Have a job that SLURM took away start as soon as it can, without the two minutes that SLURM would wait."""
    until(lambda: job in asked("squeue", "-h", "-t", "PD", "-o", "%i").split(), "the job is in the queue again")
    until(lambda: not asked("pgrep", "-f", rf"slurmstepd: \[{job}\.", check=False), "its node has ended it")
    time.sleep(5)  # a node that still remembers the job would refuse it, and be drained
    if "idle" not in asked("sinfo", "-h", "-n", "g1", "-o", "%T"):  # a node that answers may come back by itself
        asked("scontrol", "update", "NodeName=g1", "State=RESUME")
    asked("scontrol", "update", f"JobId={job}", "StartTime=now")


def test_jobs_that_are_signalled_requeued_or_lose_their_node_go_on_to_the_same_bytes(finished_run, checkout):
    disturbed, undisturbed = (
        checkout.copy(finished_run[0], name, "pretraining/qad", "finetuning") for name in ("disturbed", "undisturbed")
    )
    in_peace = checkout.start(
        checkout.folder / "undisturbed.log", [CELL], undisturbed, overlay="longer", on_cluster=False
    )
    snakemake = checkout.start(checkout.folder / "disturbed.log", [CELL], disturbed, overlay="longer")
    adapting = ("rule_adapt_wildcards_qad_tva", disturbed / "logs/pretraining/qad/tva.log")
    finetuning = ("rule_finetune_wildcards_qad_tva_pos__1", disturbed / "logs/finetuning/qad/tva/pos/seed1.log")
    for (comment, log), disturbances in {
        adapting: (terminate, requeue, fail_node),
        finetuning: (warn_early, terminate, requeue),
    }.items():
        reached = 0
        for disturb in disturbances:
            until(lambda log=log, reached=reached: epoch(log) >= reached + 3, f"{log} goes on after epoch {reached}")
            reached = epoch(log)
            (job,) = running(disturbed, comment)
            disturb(job)
            until(lambda comment=comment: running(disturbed, comment), f"{comment} runs again")
            until(lambda log=log, reached=reached: resumed(log) > reached, f"{log} says that it goes on")
    assert snakemake.wait(timeout=900) == 0, (checkout.folder / "disturbed.log").read_text()
    assert in_peace.wait(timeout=900) == 0, (checkout.folder / "undisturbed.log").read_text()
    assert files(disturbed) == files(undisturbed)


def test_a_snakemake_that_was_killed_waits_for_its_orphans_and_does_the_rest(finished_run, checkout):
    run = checkout.copy(finished_run[0], "orphans", "finetuning")
    arguments = (["finetuning"], run)
    snakemake = checkout.start(checkout.folder / "killed.log", *arguments, overlay="seeds")

    def own_jobs(*states):
        return [job for job in slurm.jobs() if job["WorkDir"] == str(run) and job["JobState"] in states]

    until(lambda: len(own_jobs("RUNNING")) == 2 and len(own_jobs("PENDING")) == 2, "two jobs run and two wait")
    until(lambda: sum(epoch(log) > 3 for log in (run / "logs/finetuning").rglob("*.log")) == 2, "two train")
    snakemake.kill()
    snakemake.wait()
    halted = [job["JobId"] for job in own_jobs("RUNNING")]
    asked("scancel", "--signal=STOP", *halted)  # so that none ends before it has been waited for

    status, printed = checkout.run(*arguments, overlay="seeds")
    assert status == 1
    assert "--unlock" in printed
    assert checkout.run(*arguments, "--unlock", overlay="seeds")[0] == 0

    cancelled = own_jobs("PENDING")[0]
    asked("scancel", cancelled["JobId"])
    orphans = {*halted, *(job["JobId"] for job in own_jobs("PENDING"))}
    assert len(orphans) == 3
    log = checkout.folder / "again.log"
    snakemake = checkout.start(log, *arguments, "--rerun-incomplete", overlay="seeds")
    until(lambda: f"scancel {' '.join(sorted(orphans, key=int))}" in log.read_text(), "it waits for its orphans")
    asked("scancel", "--signal=CONT", *halted)
    assert snakemake.wait(timeout=900) == 0, log.read_text()
    assert {job["JobId"] for job in own_jobs("COMPLETED")} > orphans
    (rest,) = [job for job in own_jobs("COMPLETED") if job["JobId"] not in orphans]
    assert rest["Comment"] == cancelled["Comment"]
    assert len(list((run / "results/finetuning").rglob("metrics.json"))) == 4
