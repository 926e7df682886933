"""What several stages' tests share: running the workflow, and the one run of the demo that tests read."""

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from specialize.corpora import Cleaning

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "runs" / "demo"
DEMO_MIRROR = ROOT / "runs" / "demo-mirror"


def run_snakemake(directory, *arguments, cwd=None):
    """Run the workflow from another working directory; the finished process, its output as text."""
    command = [sys.executable, "-m", "snakemake", *map(str, arguments[:1]), "-s", str(ROOT / "Snakefile")]
    command += ["--directory", str(directory), "--cores", "2", *map(str, arguments[1:])]
    return subprocess.run(command, cwd=cwd or directory, capture_output=True, text=True, timeout=600)


def paper_cleaning(**changes):
    """How the paper's configuration cleans text, with changes."""
    section = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))["corpora"]
    return Cleaning(**section | changes)


def planned_jobs(directory, *arguments):
    """What a dry run lists: for each rule, the first output of each job."""
    finished = run_snakemake(directory, *arguments, "--dry-run")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    jobs = defaultdict(set)
    rule = None
    for line in (finished.stdout + finished.stderr).splitlines():
        if match := re.match(r"(?:local)?rule (\w+):", line):
            rule = match[1]
        elif match := re.match(r"    output: ([^,]+)", line):
            jobs[rule].add(match[1])
    return dict(jobs)


@pytest.fixture(scope="session")
def demo():
    """The folder of the one run of the demo, which `make demo` has made."""
    assert (DEMO / "results/tables/single-task.md").is_file(), "run `make demo` first, or `make test` for all"
    return DEMO


def demo_arguments(*more):
    """The options with which `make demo` runs the workflow."""
    return ["--configfile", ROOT / "config/demo.yaml", *more, "--config", f'mirror="{DEMO_MIRROR}"']
