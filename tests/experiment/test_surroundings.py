"""What a run needs around it is checked before the first job."""

import shutil
import subprocess
from collections import namedtuple
from pathlib import Path

import pytest
from tests.conftest import configuration

from specialize.errors import ConfigError, InputError, SpecializeError, full_disk, reported
from specialize.experiment.plan import check_room
from specialize.experiment.surroundings import check_modified_paths, check_paths, check_sections, check_slurm

PAPER = Path(__file__).parents[2] / "config" / "config.yaml"
FINE = ("/home/me/specialize", "/a-b_c.d/e+f@g", "/é/ئۇيغۇر", "/a~b/~c", "/a#b", "/a%b,c=d")
HARMFUL = tuple(" \t\n'\"$`\\&;|<>()*?{}")


@pytest.mark.parametrize("mark", HARMFUL)
def test_an_environment_that_no_shell_would_find(mark):
    with pytest.raises(SpecializeError, match="put the environment where the path has none") as caught:
        check_paths(f"/a{mark}b/.venv/bin/python", Path("/checkout"), Path("/run"), on_cluster=False)
    assert mark == "\n" or "\n" not in str(caught.value)
    check_paths(f"/a{mark}b/bin/python", Path("/checkout"), Path("/run"), on_cluster=False, own_python=False)


@pytest.mark.parametrize("path", FINE)
def test_paths_that_every_shell_finds(path):
    check_paths(f"{path}/bin/python", Path(path), Path(path), on_cluster=True)
    assert subprocess.run(["sh", "-c", f"printf %s {path}"], capture_output=True, text=True).stdout == path


def test_what_snakemake_quotes_itself_may_have_marks():
    marks = "".join(set(HARMFUL) - set("{}"))
    check_paths("/bin/python", Path(f"/a{marks}b"), Path("/run {with} marks'"), on_cluster=False)
    with pytest.raises(SpecializeError, match=r"a path with \{, \}; put the checkout where"):
        check_paths("/bin/python", Path("/a{b}"), Path("/run"), on_cluster=False)


@pytest.mark.parametrize("mark", "'\"$`\\")
def test_on_a_cluster_fewer_marks_are_quoted(mark):
    with pytest.raises(SpecializeError, match="put the checkout where"):
        check_paths("/bin/python", Path(f"/a{mark}b"), Path("/run"), on_cluster=True)
    with pytest.raises(SpecializeError, match="give another --directory"):
        check_paths("/bin/python", Path("/checkout"), Path(f"/r{mark}"), on_cluster=True)
    check_paths("/bin/python", Path("/a b"), Path("/r s"), on_cluster=True)


def test_without_slurm_nothing_is_submitted(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SpecializeError, match=r"SLURM's sbatch, squeue, scancel cannot be found on the PATH"):
        check_slurm()
    for command in ("sbatch", "squeue", "scancel"):
        (tmp_path / command).write_text("#!/bin/sh\n")
        (tmp_path / command).chmod(0o755)
    check_slurm()


@pytest.mark.parametrize("prefix", ["results/", "results/tables/", "results/datasets", ""])
def test_a_prefix_of_a_module_is_refused(prefix):
    with pytest.raises(ConfigError, match=r"leave prefix and replace_prefix out, and start Snakemake with --directory"):
        check_modified_paths(lambda path: f"adapted/{path}" if path.startswith(prefix) else path)
    check_modified_paths(lambda path: path)


def test_a_configuration_without_the_papers_beneath_is_named_so():
    whole = configuration()
    check_sections(whole, PAPER, in_module=True, replaced=False)
    own = {"experiment": {}, "languages": {}}
    for in_module, replaced, remedy in (
        (True, False, f'begin with `configfile: "{PAPER}"`, and let the module have `config: config`'),
        (False, True, "leave out --replace-workflow-config"),
        (False, False, f"put {PAPER} back"),
    ):
        with pytest.raises(ConfigError, match=r"has no base_models, .*finetuning") as caught:
            check_sections(own, PAPER, in_module, replaced)
        assert str(caught.value).endswith(remedy)


# -- room ----------------------------------------------------------------------------------------------------


def test_too_little_room_is_refused(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(9e9, 8e9, 1e9))
    check_room(tmp_path, 999_000_000)
    with pytest.raises(SpecializeError, match=r"takes about 2 GB, and the disk has 1 GB left; make room"):
        check_room(tmp_path, 2_000_000_000)


def chained(error, cause):
    error.__cause__ = cause
    return error


FULL = [
    OSError(28, "No space left on device"),
    OSError(122, "Disk quota exceeded"),
    RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"),  # safetensors
    RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 576 vs 534"),  # torch.save
    OSError("300000 requested and 76768 written"),  # numpy
    chained(ValueError("cannot save"), OSError(28, "No space left on device")),
]


@pytest.mark.parametrize("error", FULL, ids=str)
def test_a_full_disk_ends_a_job_in_one_line(tmp_path, capsys, error):
    with pytest.raises(SystemExit), reported(tmp_path / "log"):
        raise error
    assert full_disk(error)
    assert capsys.readouterr().err.startswith("Error: the disk is full, or a quota is used up (")
    assert "make room, then run the same command again" in (tmp_path / "log").read_text()
    assert (tmp_path / "log").read_text().count("\n") == 1


def test_a_full_disk_that_has_no_room_for_the_log(capsys):
    """`/dev/full` takes nothing."""
    for error in (InputError("a file", "is bad"), None):
        with pytest.raises(SystemExit), reported("/dev/full"):
            if error:
                raise error
            print("a line of the log")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Error: a file: is bad"
    assert lines[1].startswith("Error: the disk is full")
    assert len(lines) == 2


@pytest.mark.parametrize("error", [ValueError("no"), OSError(2, "No such file"), KeyError("x"), None], ids=str)
def test_other_errors_have_nothing_to_do_with_it(error):
    assert full_disk(error) == ""
