"""One SLURM for all tests of this folder, and a fresh clone that runs a cut of the demo on it."""

import os
import shutil
import subprocess
import sys

import pytest
from tests.cluster import slurm
from tests.conftest import DEMO_MIRROR, ROOT

# Snakemake, except that it asks for the state of jobs every second, however long none has ended. The executor's
# option is for the first time only, and each time after that it would wait ten seconds longer.
IMPATIENT = """
import asyncio
from snakemake.cli import main
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
RemoteExecutor.sleep = lambda executor: asyncio.sleep(1)
main()
"""
# No accounting database, and no patience.
OPTIONS = ["--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "10"]

# Tables and figures have a rule each, and are made where Snakemake runs: one of each says as much as all.
TARGETS = ["finetuning", "results/tables/answers.html", "results/figures/learning-curves.svg"]


class Checkout:
    """A fresh clone whose workflow runs in folders beside it.

    Args:
        folder: where clone and runs go.
    """

    def __init__(self, folder):
        self.folder = folder
        self.started = []
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder / "specialize")], check=True)

    def command(self, targets, run, *options, config=(), overlay="cut", on_cluster=True):
        """The command that makes targets in a run's folder; an overlay is a file beside this one, laid over the cut."""
        where = ["--profile", "slurm", *OPTIONS] if on_cluster else ["--cores", "2"]
        files = ["config/demo.yaml", *(f"tests/cluster/{name}.yaml" for name in dict.fromkeys(["cut", overlay]))]
        return [
            *(sys.executable, "-c", IMPATIENT, *targets, "--directory", str(run), *where, *options),
            *("--configfile", *files, "--config", f'mirror="{DEMO_MIRROR}"', *config),
        ]

    def start(self, log, *arguments, **keywords):
        """Start it in the background, its output in a log."""
        with log.open("w") as stream:
            process = subprocess.Popen(
                self.command(*arguments, **keywords), cwd=self.folder / "specialize", stdout=stream, stderr=stream
            )
        self.started.append(process)
        return process

    def run(self, *arguments, **keywords):
        """Run it to its end: exit status and output."""
        finished = subprocess.run(
            self.command(*arguments, **keywords),
            cwd=self.folder / "specialize",
            capture_output=True,
            text=True,
            timeout=1800,
        )
        return finished.returncode, finished.stdout + finished.stderr

    def copy(self, run, name, *without):
        """Another run's folder that begins with what this one has, except results below these folders."""
        copy = self.folder / name
        shutil.copytree(run, copy)
        shutil.rmtree(copy / ".snakemake")  # what Snakemake remembers goes with results of other settings
        for part in ("results", "logs", "timings"):
            for below in without:
                shutil.rmtree(copy / part / below, ignore_errors=True)
        return copy


@pytest.fixture(scope="session", autouse=True)
def cluster(tmp_path_factory):
    if os.getuid():
        pytest.skip("only root can start a SLURM")
    if reason := slurm.missing():
        pytest.fail(reason)
    with slurm.running(tmp_path_factory.mktemp("slurm") / "daemons"):
        yield


@pytest.fixture(scope="session")
def checkout(tmp_path_factory, cluster):
    assert DEMO_MIRROR.is_dir(), "run `make demo` first"
    checkout = Checkout(tmp_path_factory.mktemp("checkout"))
    yield checkout
    for process in checkout.started:
        process.kill()
    # Without cgroups SLURM does not find processes whose parent has ended.
    slurm.asked("pkill", "-KILL", "-f", str(checkout.folder / "specialize/Snakefile"), check=False)


@pytest.fixture(scope="session")
def finished_run(checkout):
    """The cut of the demo, made on the cluster; its folder, what Snakemake printed, and SLURM's jobs."""
    run = checkout.folder / "on-cluster"
    status, printed = checkout.run(TARGETS, run)
    assert status == 0, printed
    return run, printed, [job for job in slurm.jobs() if job["WorkDir"] == str(run)]


def files(run):
    """What a run has made, without times: content by path."""
    return {
        str(path.relative_to(run)): path.read_bytes()
        for path in sorted((run / "results").rglob("*"))
        if path.is_file() and path.name != "timing.json"
    }
