"""A job that is killed at any moment continues from its checkpoint, and ends with the bytes of an undisturbed one.

The jobs are real processes; see `tests.training.jobs`.
"""

import os
import random
import signal
import time
from functools import partial
from itertools import count

import pytest
import torch
from tests.training.jobs import RESULTS, STOPPED, begin, result_bytes, warm_up, write_inputs

from specialize.training import checkpoint

KILLS = 4  # of one job
PATIENCE = 120  # seconds until a job must have ended, or reacted to a signal


@pytest.fixture(scope="session")
def inputs(tmp_path_factory):
    torch.set_num_threads(1)
    warm_up()
    return write_inputs(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory, inputs):
    """Result bytes and seconds of an undisturbed job; each runs once."""
    known = {}

    def run(job):
        if job not in known:
            folder = tmp_path_factory.mktemp(job)
            began = time.monotonic()
            assert ended(begin(job, inputs, folder, checkpoints=False), folder) == 0
            known[job] = result_bytes(job, folder), time.monotonic() - began
        return known[job]

    return run


def ended(process, folder):
    """The exit status of a job, after it has ended."""
    process.join(PATIENCE)
    log = (folder / "log").read_text() if (folder / "log").is_file() else ""
    assert process.exitcode is not None, "is still running: " + log
    assert process.exitcode != 1, log
    return process.exitcode


def expected_statuses(how):
    """The exit statuses after a signal; SIGTERM kills a job before it trains and after."""
    return (-signal.SIGKILL,) if how == "SIGKILL" else (STOPPED, -signal.SIGTERM)


def wait_until(condition, process):
    deadline = time.monotonic() + PATIENCE
    while not condition() and process.is_alive() and time.monotonic() < deadline:
        time.sleep(0.002)


# -- killed at random --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("how", "seconds"), [("SIGKILL", 0.0), ("SIGKILL", 0.05), ("SIGTERM", 600.0)])
@pytest.mark.parametrize("job", RESULTS)
def test_a_killed_job_ends_with_the_same_bytes(tmp_path, inputs, undisturbed, job, how, seconds):
    expected, duration = undisturbed(job)
    log = tmp_path / "log"
    chance = random.Random(f"{job} {how} {seconds}")
    kills, status = 0, None
    while status != 0:
        process = begin(job, inputs, tmp_path, seconds_between_checkpoints=seconds)
        if kills == 0:  # so that there is something to continue from
            wait_until(partial(has_trained, tmp_path, how), process)
            process.join(chance.uniform(0, 0.2 * duration))
        elif kills < KILLS:
            process.join(chance.uniform(0, 0.9 * duration))
        if kills < KILLS and process.exitcode is None:
            os.kill(process.pid, signal.Signals[how])
            kills += 1
        status = ended(process, tmp_path)
        assert status in (0, *expected_statuses(how))
    assert kills > 0
    assert "goes on from its checkpoint" in log.read_text()
    assert not (tmp_path / "checkpoints").exists()
    assert result_bytes(job, tmp_path) == expected


def has_trained(folder, how):
    """Whether a job has saved its state, or would on SIGTERM."""
    if how == "SIGTERM":
        return (folder / "log").is_file() and "epoch 1:" in (folder / "log").read_text()
    return any((folder / "checkpoints").glob("*.pt"))


# -- killed at the worst moments ---------------------------------------------------------------------------


def in_the_middle_of_writing_a_checkpoint(how, checkpoints):
    save, saves = torch.save, count(1)

    def save_half(state, path):
        save(state, path)
        if next(saves) == 3:
            os.truncate(path, path.stat().st_size // 2)
            os.kill(os.getpid(), how)
            save(state, path)  # SIGTERM waits for the end of the step

    torch.save = save_half


def before_a_checkpoint_replaces_the_previous_one(how, checkpoints):
    replace, saves = os.replace, count(1)

    def replace_late(source, destination):
        if str(destination).endswith(".pt") and next(saves) == 3:
            os.kill(os.getpid(), how)
        replace(source, destination)

    os.replace = replace_late


def between_the_last_write_and_the_clean_up(how, checkpoints):
    remove, removals = checkpoint.remove, count(1)

    def stop_first(path):
        if path.parent == checkpoints and next(removals) == 1:
            os.kill(os.getpid(), how)
        remove(path)

    checkpoint.remove = stop_first


def in_the_middle_of_the_clean_up(how, checkpoints):
    remove, removals = checkpoint.remove, count(1)

    def stop_after_the_first(path):
        remove(path)
        if path.parent == checkpoints and next(removals) == 1:
            os.kill(os.getpid(), how)

    checkpoint.remove = stop_after_the_first


@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM"])
@pytest.mark.parametrize(
    "moment",
    [
        in_the_middle_of_writing_a_checkpoint,
        before_a_checkpoint_replaces_the_previous_one,
        between_the_last_write_and_the_clean_up,
        in_the_middle_of_the_clean_up,
    ],
)
@pytest.mark.parametrize("job", ["pretraining", "ud"])
def test_a_job_killed_at_the_worst_moment_ends_with_the_same_bytes(tmp_path, inputs, undisturbed, job, moment, how):
    expected, _ = undisturbed(job)
    killed = begin(job, inputs, tmp_path, trap=partial(moment, signal.Signals[how]))
    assert ended(killed, tmp_path) in expected_statuses(how)
    assert len(list((tmp_path / "checkpoints").glob("*.pt"))) <= 1
    assert ended(begin(job, inputs, tmp_path), tmp_path) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"results", "log"}
    assert result_bytes(job, tmp_path) == expected
