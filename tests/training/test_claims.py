"""Jobs of one machine share its GPUs out among themselves. Names stand for devices here, processes are real."""

import os
import subprocess
import sys
import time

import pytest
import torch
from filelock import FileLock

from specialize.errors import SpecializeError
from specialize.training import devices
from specialize.training.devices import claim_together, use_free_gpu

JOB = """
import sys
from pathlib import Path
from specialize.training.devices import claim_together

print(*claim_together(["first", "second"], 1, int(sys.argv[2]), Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


def start(folder, jobs_at_once):
    return subprocess.Popen(
        [sys.executable, "-c", JOB, str(folder), str(jobs_at_once)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_each_job_has_a_device_of_its_own_and_the_next_waits_for_one(tmp_path):
    jobs = []
    for _ in range(2):
        jobs.append((job := start(tmp_path, 1), job.stdout.readline().strip()))
    assert [name for _, name in jobs] == ["first", "second"]
    waiting = start(tmp_path, 1)
    assert waiting.stdout.readline() == "waits for one of first, second: other jobs have them all\n"
    time.sleep(2)
    assert waiting.poll() is None
    jobs[1][0].kill()  # a job that dies leaves its device to others
    assert waiting.stdout.readline().strip() == "second"
    for job in (jobs[0][0], waiting):
        job.communicate("")
        assert job.returncode == 0


@pytest.mark.slow
def test_devices_that_are_shared_fill_up_evenly(tmp_path):
    names, jobs = [], []
    for _ in range(4):
        jobs.append(job := start(tmp_path, 2))
        names.append(job.stdout.readline().strip())
    assert names == ["first", "second", "first", "second"]
    for job in jobs:
        job.communicate("")


def test_several_devices_are_claimed_all_or_none(tmp_path, monkeypatch):
    names, mine = ["first", "second", "third"], []
    monkeypatch.setattr(devices, "_held_locks", mine)

    def slept(_):
        assert [lock.is_locked for lock in mine] == [True, True]  # the third is free for others meanwhile
        FileLock(tmp_path / "third-0").acquire(timeout=0).lock.release()
        mine.pop().release()  # another job ends

    monkeypatch.setattr(devices.time, "sleep", slept)
    assert claim_together(names, 2, 1, tmp_path) == ["first", "second"]
    assert claim_together(names, 2, 1, tmp_path) == ["second", "third"]


def test_several_devices_are_claimed_where_fewest_others_are(tmp_path, monkeypatch):
    monkeypatch.setattr(devices, "_held_locks", [])
    names = ["first", "second", "third"]
    claimed = [claim_together(names, number, 2, tmp_path) for number in (1, 2, 2)]
    assert claimed == [["first"], ["second", "third"], ["first", "second"]]


@pytest.mark.skipif(torch.cuda.is_available(), reason="torch can use this machine's GPU")
def test_a_gpu_that_torch_cannot_use_is_an_error_before_hours_on_a_cpu(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with pytest.raises(SpecializeError, match=r"given GPU 0, but torch .* cannot use it.* allow_cpu: true"):
        use_free_gpu(1, allow_cpu=False)
    use_free_gpu(1, allow_cpu=True)
    for hidden in ("", "-1"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
        use_free_gpu(1, allow_cpu=False)


def test_a_user_without_a_name_has_locks_too(monkeypatch):
    def nameless():
        raise KeyError("getpwuid(): uid not found: 1234")

    monkeypatch.setattr(devices.getpass, "getuser", nameless)
    assert devices._user() == str(os.getuid())
