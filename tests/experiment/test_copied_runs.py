"""A run that was copied: the times of its results, by which Snakemake knows them, come back."""

import json
import os
import shutil
from base64 import urlsafe_b64encode

import pytest

from specialize.experiment.copied_run import put_back_times

TIMES = {"results/b": 2000.25, "results/a": 3000.5, "results/" + "long" * 60: 4000.0, "results/model": 5000.0}


def write_run(run):
    for name, time in TIMES.items():
        file = run / name / ".snakemake_timestamp" if name.endswith("model") else run / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
        os.utime(file, (time, time))
        note(run, name, endtime=time)
    note(run, "results/gone", endtime=1.0)
    note(run, "results/b2", endtime=None)
    (run / ".snakemake/metadata/no Base64").write_text("no JSON")
    return run


def note(run, name, **content):
    """As Snakemake writes its records."""
    coded = urlsafe_b64encode(name.encode()).decode()
    parts = [coded[start : start + 100] for start in range(0, len(coded), 100)]
    path = run.joinpath(".snakemake/metadata", *(f"@{part}" for part in parts[:-1]), parts[-1])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"rule": "any", **content}))


def times(run):
    files = {name: run / name for name in TIMES}
    return {
        name: (path / ".snakemake_timestamp" if path.is_dir() else path).stat().st_mtime for name, path in files.items()
    }


def test_times_that_a_copy_has_lost_come_back(tmp_path):
    write_run(tmp_path / "run")
    assert put_back_times(tmp_path / "run") == 0
    shutil.copytree(tmp_path / "run", tmp_path / "copy", copy_function=shutil.copyfile)
    assert min(times(tmp_path / "copy").values()) > 1e9
    assert put_back_times(tmp_path / "copy") == len(TIMES)
    assert times(tmp_path / "copy") == TIMES
    assert put_back_times(tmp_path / "copy") == 0


@pytest.mark.parametrize("changed", TIMES)
def test_a_result_that_somebody_has_changed_stays_newer(tmp_path, changed):
    write_run(tmp_path)
    os.utime(tmp_path / changed / ".snakemake_timestamp" if "model" in changed else tmp_path / changed)
    before = times(tmp_path)
    assert put_back_times(tmp_path) == 0
    assert times(tmp_path) == before


def test_a_new_folder_has_nothing_to_put_back(tmp_path):
    assert put_back_times(tmp_path) == 0
