"""A run keeps how it was started, and names the command that makes one more of its files."""

import shlex
import sys

import pytest
from snakemake.cli import get_argument_parser, parse_config

from specialize.run_command import command_that_makes, record_command, run_of

CONFIGS = [
    {},
    {"mirror": "/a path/with 'quotes' $in it", "allow_cpu": "true"},
    {"mirror": "https://host/x?y=1&z=#", "keep_models": "false", "jobs_per_gpu": 2},
    {"mirror": None, "list": ["1", "two words"], "rate": 0.5, "accept_rerun": True},
]


@pytest.mark.parametrize("config", CONFIGS, ids=range(len(CONFIGS)))
@pytest.mark.parametrize("name", ["run", "a run's folder"])
def test_the_command_says_again_what_was_said(tmp_path, config, name):
    run = tmp_path / name
    run.mkdir()
    files = ["/own files/mine.yaml", "/own files/more.yaml"]
    record_command(run, "/checkout/Snakefile", files, config, 3)
    command = shlex.split(command_that_makes(run, "results/x/model", keep_models=True))
    assert command[:3] == [sys.executable, "-m", "snakemake"]
    read = get_argument_parser().parse_args(command[3:])
    assert (read.targets, str(read.snakefile), str(read.directory)) == (
        ["results/x/model"],
        "/checkout/Snakefile",
        str(run),
    )
    assert [str(path) for path in read.configfile] == files
    assert read.cores == 3 or read.cores == "3"
    given = {key: str(value).lower() if isinstance(value, bool) else value for key, value in config.items()}
    assert parse_config(read.config) == {**given, "keep_models": "true"}


def test_where_jobs_run_is_kept_too(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["snakemake", "all", "--profile", "profiles/slurm", "--workflow-profile=none"])
    monkeypatch.setenv("PWD", "/the shell/was here")
    record_command(tmp_path, "/checkout/Snakefile", [], {}, None)
    command = shlex.split(command_that_makes(tmp_path, "x"))
    assert command[:3] == ["cd", "/the shell/was here", "&&"]
    assert command[-4:] == ["--profile", "profiles/slurm", "--workflow-profile", "none"]
    assert "--cores" not in command


def test_a_run_is_found_from_within(tmp_path):
    assert run_of(tmp_path / "results") is None
    (tmp_path / "run/.snakemake").mkdir(parents=True)
    assert run_of(tmp_path / "run/prefix/results/finetuning/seed1") == tmp_path / "run"
    assert command_that_makes(tmp_path / "run", "x") is None
