"""What a job costs on SLURM beyond its own work: trivial jobs, in groups, through a real SLURM on this machine.

    .venv/bin/python benchmarks/slurm_overhead.py [--jobs 2000] [--group 50]

Needs root, and Debian's packages slurm-wlm and munge. The jobs only touch a file; executor, limits and submission rate
are those of profiles/slurm, and groups run as the workflow's do. The SLURM is that of the tests: a controller and two
nodes on this host.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.cluster import slurm  # noqa: E402

SNAKEFILE = """
from specialize.cluster.groups import run_group_at_once

if not workflow.is_main_process:
    run_group_at_once()

rule all:
    input: [f"{{number}}.txt" for number in range({jobs})]

rule trivial:
    output: "{{number}}.txt"
    shell: "touch {{output}}"
"""


def seconds(text):
    """Of SLURM's days-hours:minutes:seconds."""
    days, _, clock = text.rpartition("-")
    hours, minutes, rest = map(int, clock.split(":"))
    return ((int(days or 0) * 24 + hours) * 60 + minutes) * 60 + rest


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--group", type=int, default=50)
    parser.add_argument("--cores", type=int, default=2, help="of a group")
    arguments = parser.parse_args()
    if reason := "needs root" if os.getuid() else slurm.missing():
        raise SystemExit(reason)
    with tempfile.TemporaryDirectory() as name, slurm.running(Path(name) / "daemons"):
        run = Path(name) / "run"
        run.mkdir()
        (run / "Snakefile").write_text(SNAKEFILE.format(jobs=arguments.jobs))
        started = time.monotonic()
        subprocess.run(
            [
                *(sys.executable, "-m", "snakemake", "--profile", "slurm", "-s", str(run / "Snakefile")),
                *("--directory", str(run), "--cores", str(arguments.cores), "--quiet", "all"),
                *("--groups", "trivial=trivial", "--group-components", f"trivial={arguments.group}"),
                *("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "10"),
            ],
            cwd=ROOT,
            check=True,
        )
        took = time.monotonic() - started
        jobs = slurm.jobs()
        held = sum(seconds(job["RunTime"]) * int(job["NumCPUs"]) for job in jobs)
        assert len(list(run.glob("*.txt"))) == arguments.jobs
        assert {job["JobState"] for job in jobs} == {"COMPLETED"}
    print(
        f"{arguments.jobs} jobs in {len(jobs)} of SLURM: {took:.0f} s in all, {took / arguments.jobs:.2f} s a job; "
        f"cores were held for {held / arguments.jobs:.2f} core seconds a job"
    )


if __name__ == "__main__":
    main()
