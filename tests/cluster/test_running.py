"""A cut of the demo on a real SLURM, by `snakemake --profile slurm` from a fresh clone."""

import re
from collections import Counter

from tests.cluster import slurm
from tests.cluster.conftest import TARGETS, files
from tests.conftest import DEMO

# Comment of a job, how many there are, and what it asks for: partition, cores, megabytes, time, GPUs.
ASKED = {
    "rule_text_corpus": (3, "cpu", 8, 8000, "02:00:00", None),
    "rule_text_corpus_entities_treebank": (1, "cpu", 8, 8000, "03:00:00", None),
    "rule_vocabularies_vocabulary": (1, "cpu", 1, 8000, "01:00:00", None),
    "rule_pretrain_base_wildcards_demo": (1, "gpu", 1, 16000, "12:00:00", "gres:gpu:1"),
    "rule_adapt_wildcards_qad_tva": (1, "gpu", 1, 16000, "12:00:00", "gres:gpu:1"),
    "rule_finetune_wildcards_qad_tva_pos__1": (1, "gpu", 1, 12000, "04:00:00", "gres:gpu:1"),
    "rule_finetune_wildcards_qad_tva_pos__2": (1, "gpu", 1, 12000, "04:00:00", "gres:gpu:1"),
}
HERE_IT_RUNS = {
    *("wikipedia_dump", "treebank_release", "wikiann_archive"),  # nodes may have no internet
    *("table", "figure", "finetuning"),  # seconds
}


def test_all_work_goes_through_slurm_and_ends_well(finished_run):
    _, printed, jobs = finished_run
    assert Counter(job["Comment"] for job in jobs) == {comment: number for comment, (number, *_) in ASKED.items()}
    assert {job["JobState"] for job in jobs} == {"COMPLETED"}
    assert set(re.findall(r"^localrule (\w+):", printed, flags=re.MULTILINE)) == HERE_IT_RUNS


def test_each_job_asks_for_its_partition_cores_memory_time_and_gpu(finished_run):
    asked = {
        job["Comment"]: (
            job["Partition"],
            int(job["NumCPUs"]),
            int(job["MinMemoryNode"].removesuffix("M")),
            job["TimeLimit"],
            job.get("TresPerJob"),
        )
        for job in finished_run[2]
    }
    assert asked == {comment: tuple(wanted) for comment, (_, *wanted) in ASKED.items()}


def test_the_results_are_those_of_a_local_run(finished_run, checkout):
    run = finished_run[0]
    ours, demo = files(run), files(DEMO)
    trained = [path for path in ours if path.split("/")[1] not in ("tables", "figures")]
    assert sum(path.endswith("metrics.json") for path in trained) == 2
    assert [path for path in trained if ours[path] != demo.get(path)] == []

    local = checkout.copy(run, "local", "tables", "figures")
    status, printed = checkout.run(TARGETS, local, on_cluster=False)
    assert status == 0, printed
    assert any(path.endswith("tables/answers.html") for path in ours)
    assert files(local) == ours


def test_seeds_that_are_grouped_share_one_gpu(finished_run, checkout):
    run = checkout.copy(finished_run[0], "grouped", "finetuning")
    status, printed = checkout.run(
        *(["finetuning"], run, "--groups", "finetune=seeds", "--group-components", "seeds=2"),
        "--slurm-keep-successful-logs",
        config=["jobs_per_gpu=2"],
    )
    assert status == 0, printed
    (job,) = [job for job in slurm.jobs() if job["WorkDir"] == str(run)]
    assert (job["NumCPUs"], job["MinMemoryNode"], job["TresPerNode"]) == ("2", "24000M", "gres:gpu:1")
    (log,) = (run / ".snakemake/slurm_logs").rglob("*.log")
    both, _, ends = log.read_text().partition("Finished jobid")
    assert both.count("localrule finetune:") == 2, "both train at once"
    assert "Finished jobid" in ends
    assert files(run) == files(finished_run[0])
