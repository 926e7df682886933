"""What several stages' tests share: running the workflow, and the one run of the demo that tests read."""

import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from hypothesis import settings

from specialize.corpora import Cleaning

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "runs" / "demo"
DEMO_MIRROR = ROOT / "runs" / "demo-mirror"

MARKED_FOLDERS = {"cluster", "dag", "demo", "fuzzing", "real"}  # a test's folder is its marker
WRITTEN_IN_PLACE = {".snakemake", "logs", "timings"}  # folders of a run
LONGEST_FIRST = ("demo/test_control", "demo/test_own_data", "fuzzing/", "demo/", "training/test_restart", "real/")

# Outside of CI, where Hypothesis has a profile of its own, a tenth of the examples is tried.
settings.register_profile("tenth", max_examples=settings.get_profile("default").max_examples // 10)
if not os.environ.get("CI"):
    settings.load_profile("tenth")


@cache
def _read_once(name):
    return yaml.safe_load((ROOT / "config" / name).read_text(encoding="utf-8"))


def configuration(name="config.yaml"):
    """A file of `config/`, by default the paper's, for a test to change."""
    return deepcopy(_read_once(name))


def paper_cleaning(**changes):
    """How the paper's configuration cleans text, with changes."""
    return Cleaning(**configuration()["corpora"] | changes)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark tests by their folder, and begin with the files that take longest, lest the last of them runs alone."""

    def place(item):
        path = item.path.relative_to(ROOT / "tests").as_posix()
        return next((place for place, start in enumerate(LONGEST_FIRST) if path.startswith(start)), len(LONGEST_FIRST))

    for item in items:
        folder = item.path.relative_to(ROOT / "tests").parts[0]
        if folder in MARKED_FOLDERS:
            item.add_marker(folder)
        if item.path.stem.startswith("test_restart"):  # each kills and restarts trainings in processes of their own
            item.add_marker("slow")
    items.sort(key=place)


def run_snakemake(directory, targets, *options, cwd=None):
    """Run the workflow from another working directory for one target or several; the finished process and its text."""
    command = [sys.executable, "-m", "snakemake", *([targets] if isinstance(targets, str) else targets)]
    command += ["-s", str(ROOT / "Snakefile"), "--directory", str(directory), "--cores", "2", *map(str, options)]
    return subprocess.run(command, cwd=cwd or directory, capture_output=True, text=True, timeout=1800)


class PlannedJob(NamedTuple):
    """A job as a dry run lists it."""

    rule: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def dry_run(directory, targets, *options):
    """The jobs that a dry run lists, those of rules without output (such as `all`) among them."""
    finished = run_snakemake(directory, targets, *options, "--dry-run")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return jobs_in(finished.stdout + finished.stderr)


def jobs_in(printed):
    """The jobs in what a dry run has printed."""
    jobs = []
    for block in re.split(r"^(?=(?:local)?rule \w+:$)", printed, flags=re.MULTILINE)[1:]:
        rule = re.match(r"(?:local)?rule (\w+):", block)[1]
        files = dict(re.findall(r"^    (input|output): (.*)$", block, re.MULTILINE))
        inputs, outputs = (tuple(files[key].split(", ")) if key in files else () for key in ("input", "output"))
        jobs.append(PlannedJob(rule, inputs, outputs))
    return jobs


def first_outputs(jobs):
    """For each rule that makes something the first output of each of its jobs."""
    outputs = defaultdict(set)
    for job in jobs:
        if job.outputs:
            outputs[job.rule].add(job.outputs[0])
    return dict(outputs)


def planned_jobs(directory, targets, *options):
    """What a dry run says would be made: for each rule, the first output of each job."""
    return first_outputs(dry_run(directory, targets, *options))


@pytest.fixture(autouse=True)
def one_thread():
    """The same bytes whatever the machine, where a test has torch at all; tests run on every core anyway."""
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)


@pytest.fixture(scope="session")
def demo():
    """The folder of the one run of the demo, which `make demo` has made."""
    assert (DEMO / "results/tables/single-task.md").is_file(), "run `make demo` first, or `make test` for all"
    return DEMO


def copy_of_run(run, copy, *folders):
    """Copy a run, or only these of its folders, for a test to change; what Snakemake remembers goes with a whole run.

    Files keep their times. They are links, which cost nothing: a test may replace or remove them, but not write to one.
    What Snakemake and jobs write in place is copied: a test may run jobs.
    """
    for folder in folders or ["."]:
        shutil.copytree(run / folder, copy / folder, copy_function=link_or_copy, ignore=shutil.ignore_patterns("log"))
    return copy


def link_or_copy(source, destination):
    if not WRITTEN_IN_PLACE.isdisjoint(Path(source).parts):
        shutil.copy2(source, destination)
        return
    try:
        os.link(source, destination)
    except OSError:  # another file system
        shutil.copy2(source, destination)


def demo_arguments(*more):
    """The options with which `make demo` runs the workflow."""
    return ["--configfile", ROOT / "config/demo.yaml", *more, "--config", f'mirror="{DEMO_MIRROR}"']
