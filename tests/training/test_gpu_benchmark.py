"""benchmarks/gpu.py, which measures on a GPU: its dry run has every part, and shows no figure."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from benchmarks import gpu

ROOT = Path(__file__).parents[2]


@pytest.fixture
def measuring(monkeypatch):
    """The module that times, as the benchmark imports it."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from gpu_parts import measuring

    return measuring


def run(*options):
    command = [sys.executable, "benchmarks/gpu.py", *map(str, options)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=1700)


def test_time_of_kernels_that_overlap_counts_once(measuring):
    def event(start, length, category="kernel"):
        return {"ph": "X", "cat": category, "ts": start, "dur": length}

    events = [event(10, 5), event(12, 1), event(14, 4), event(30, 2), event(0, 99, "user_annotation"), {"ph": "M"}]
    assert measuring.busy_seconds(events, {"kernel"}) == pytest.approx(10e-6)
    assert measuring.busy_seconds([], {"kernel"}) == 0


def test_a_part_ends_when_its_time_is_over_or_that_of_the_whole_call(measuring):
    for whole, own in ((60, 0.05), (0.05, 60)):
        deadline = measuring.Deadline(whole, time.monotonic())
        with pytest.raises(measuring.OutOfTimeError), deadline.part(own):
            try:
                time.sleep(30)
            except Exception:  # as a library might have it
                time.sleep(30)
        assert deadline.left() <= whole
    with measuring.Deadline(60, time.monotonic()).part(60):
        pass


def test_steps_are_timed_from_the_first_to_the_last_that_are_asked_for(measuring):
    clock = measuring.StepClock(1, 3)
    timed = []
    for _ in range(4):
        clock.note()
        timed.append(clock.timed())
    assert timed == [False, True, True, False]
    assert clock.seconds() >= 0
    unfinished = measuring.StepClock(1, 3)
    unfinished.note()
    with pytest.raises(RuntimeError, match="only 1 steps were seen of 4"):
        unfinished.seconds()


@pytest.mark.parametrize("value", [3, 3.5, 12345.6, [1.5, 2.5]])
def test_a_figure_of_a_dry_run_is_not_shown(value):
    assert re.search(r"\d", gpu.shown(value, dry=False))
    assert not re.search(r"\d", gpu.shown(value, dry=True))


def test_the_real_run_fits_four_minutes():
    assert sum(gpu.SECONDS.values()) <= gpu.LIMIT < 240


@pytest.mark.slow
def test_a_dry_run_has_every_part(tmp_path):
    finished = run("--dry", "--json", tmp_path / "gpu.json")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    report = json.loads((tmp_path / "gpu.json").read_text())
    assert report["dry"] is True
    assert list(report["parts"]) == list(gpu.SECONDS)
    assert all(part["ok"] and part["found"] for part in report["parts"].values())
    assert report["parts"]["memory"]["found"]["parts of a batch"] > 1
    assert report["parts"]["resume"]["found"]["steps after it went on"] > 0
    assert finished.stdout.count(": ok\n") == len(gpu.SECONDS)
    assert "no figure of it is a measurement" in finished.stdout


@pytest.mark.slow
def test_a_part_that_fails_is_recorded_and_the_others_go_on(tmp_path):
    finished = run("--dry", "--only", "rate", "hours", "--json", tmp_path / "gpu.json")
    assert finished.returncode == 1, finished.stdout + finished.stderr
    parts = json.loads((tmp_path / "gpu.json").read_text())["parts"]
    assert parts["rate"]["ok"]
    assert not parts["hours"]["ok"]
    assert "--only pretraining finetuning hours" in parts["hours"]["errors"][0]
    assert "hours: FAILED" in finished.stdout


def test_without_a_folder_or_with_another_nothing_runs(tmp_path):
    assert "FOLDER is needed, or --dry" in run().stderr
    refused = run(tmp_path, "--dry")
    assert refused.returncode == 2
    assert "lacks some of what the first lines of --help name" in refused.stderr
