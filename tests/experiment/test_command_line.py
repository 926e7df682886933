"""What a command line says counts, or is refused with what to write instead."""

import os
import re
import shlex
from pathlib import Path

import pytest

from specialize.errors import ConfigError
from specialize.experiment.command_line import (
    check_before_files_are_read,
    check_command_line,
    is_snakemake,
    own_profiles,
)


@pytest.fixture(autouse=True)
def own_files(tmp_path, monkeypatch):
    """A folder with files to name, in which the command is given."""
    for name in ("a.yaml", "b.yaml", "c.json"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "datasets").mkdir()
    monkeypatch.chdir(tmp_path)


TWICE = {
    "--configfile a.yaml --configfile b.yaml": "write it once: --configfile a.yaml b.yaml",
    "--configfile=a.yaml --configfiles b.yaml": "--configfile and --configfiles are one option, and a.yaml would",
    "all --configf a.yaml --cores 2 --configfile b.yaml": "write it once: --configf a.yaml b.yaml",
    "--configfile a.yaml b.yaml --configfile c.json": "a.yaml b.yaml would be forgotten; write it once",
    "--config keep_models=true --config tensorboard=true": "--config keep_models=true tensorboard=true",
    "-C xx=1 --config yy=1": "-C and --config are one option, and xx=1 would be forgotten; write it once: -C xx=1 yy=1",
    "--config=xx=1 -Cyy=1": "write it once: --config xx=1 yy=1",
    "-nC xx=1 -npC yy=1": "-C stands twice, and xx=1 would be forgotten",
    "--configfile a.yaml --configfile b.yaml all": "write it once: all … --configfile a.yaml b.yaml",
    "--config 'mirror=\"/a path\"' --config xx=1": """--config 'mirror="/a path"' xx=1""",
    "--config --config xx=1": "the first would be forgotten",
    "--directory one -d two": "--directory and -d are one option, and one would be forgotten; leave one of them out",
    "--resources gpu=1 --res mem_mb=4": "write it once: --resources gpu=1 mem_mb=4",
    "--until corpus --until adapt": "write it once: --until corpus adapt",
}
TARGETS = {
    "--configfile a.yaml all": "--configfile takes every word after it, and 'all' for one of its own; put targets "
    "first: snakemake all … --configfile a.yaml",
    "--configfile a.yaml b.yaml datasets corpora --cores 1": "snakemake datasets corpora … --configfile a.yaml b.yaml",
    "--configfiles a.yaml results/tables/answers.md": "'results/tables/answers.md'",
    "--config keep_models=true datasets": "snakemake datasets … --config keep_models=true",
    "--resources gpu=1 all": "put targets first: snakemake all … --resources gpu=1",
    "--configfile gone.yaml": "--configfile: there is no file /",
    "--configfile a.yaml gone.yml": "gone.yml",
    "--configfile gone": "there is no file /",
}
KEYS = {
    "--config xx=1 xx=2": "--config has xx twice, and 1 of the first would be forgotten",
    "--config 'aa={b: 1}' 'aa={c: 2, b: 3}'": "has aa.b twice, and 1 of",
    "--config 'aa={b: 1}' aa=2": "has aa twice",
    "--config aa=2 'aa={b: 1}'": "has aa twice",
    "--config 'aa={1: x, \"1\": y}'": "has aa.1 twice, and x of",
    "--config 'aa={b: {c: [1], c: [2]}}'": "has aa.b.c twice, and ['1'] of",
}
NESTED = {
    "--config finetuning.epochs=3": "--config sets keys at the top; write --config 'finetuning={epochs: 3}'",
    "-C finetuning:ud:dropout=0.5": "write -C 'finetuning={ud: {dropout: 0.5}}'",
    "--config 'experiment.seeds=[1, 2]'": "write --config 'experiment={seeds: [1, 2]}'",
    "--config 1x=3": "--config: '1x' is no key of the configuration",
}
FINE = [
    "",
    "all --cores 2 --configfile a.yaml",
    "all --configfile a.yaml b.yaml c.json --config xx=1 yy=2 -n",
    "--configfile a.yaml --config 'aa={b: 1}' 'aa={c: 2}' xx= -- all",
    "--configfile a.yaml -- datasets",
    "-np --configfile a.yaml --configfile a.yaml",
    "--dry-run -n -n --quiet",
    "--profile one --profile two",
    "-nC xx=1 -- --configfile b.yaml --configfile a.yaml",
    "all --config 'mirror=\"/a path\"' keep_models=true",
    "--config -n",
    "--cores 1 -c2 -s one --snakefile two",
    "--unknown-option --unknown-option x",
    "--set-threads adapt=2 --set-resources adapt:mem_mb=3",
]


def words(line):
    return shlex.split(line)


@pytest.mark.parametrize(("line", "said"), [*TWICE.items(), *TARGETS.items(), *KEYS.items(), *NESTED.items()])
def test_what_would_be_forgotten_is_refused(line, said):
    with pytest.raises(ConfigError, match=re.escape(said)) as caught:
        check_before_files_are_read(words(line), {})
    assert str(caught.value).startswith("on the command line, ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("line", FINE)
def test_what_counts_is_taken(line):
    check_before_files_are_read(words(line), {})
    check_command_line(words(line))


@pytest.mark.parametrize(
    "line",
    [
        "--configfile a.yaml --configfile b.yaml",
        "--config xx=1 -C yy=2",
        "--until a -U b",
        "--configfile a.yaml --configfile b.yaml all",
    ],
)
def test_what_is_proposed_is_taken(line):
    with pytest.raises(ConfigError) as caught:
        check_command_line(words(line))
    check_before_files_are_read(words(str(caught.value).partition("write it once: ")[2]), {})


def test_a_profile_of_ones_own_that_the_command_line_would_replace(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/config.yaml").write_text("cores: 2\nconfig: {mirror: /somewhere}\n")
    assert own_profiles(["--profile", "mine"], {}) == {"mine/config.yaml": ["config", "cores"]}
    assert own_profiles([], {}) == {}
    replaced = r"--config would replace what mine/config.yaml has under config"
    with pytest.raises(ConfigError, match=replaced):
        check_before_files_are_read(["--profile", "mine", "--config", "keep_models=true"], {})
    with pytest.raises(ConfigError, match=replaced):
        check_before_files_are_read(["--config", "keep_models=true"], {"SNAKEMAKE_PROFILE": "mine"})
    check_before_files_are_read(["--profile", "mine", "--cores", "3"], {})
    check_before_files_are_read(["--profile", "mine", "--configfile", "a.yaml"], {})


def test_what_overrides_itself_is_said(capsys):
    check_command_line(words("all --cores 1 -n -c2 --res gpu=1 -s 'one file' --snakefile=two"))
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "Warning: --cores 1 does not count: -c 2",
        "Warning: -s 'one file' does not count: --snakefile two",
    ]


def test_only_snakemakes_own_command_line_is_read():
    assert is_snakemake("/some/.venv/bin/snakemake")
    assert is_snakemake(str(Path("/some/site-packages/snakemake/__main__.py")))
    assert not is_snakemake("/some/bin/pytest")
    assert not is_snakemake("/some/pytest/__main__.py")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"experiment:\n\tseeds: [1]\n", "mine.yaml, line 2: is not YAML (found a tab, which cannot start any token)"),
        (b"experiment: [1, 2\n", "mine.yaml, line 2: is not YAML"),
        (b"name: Wolof: the language\n", "mine.yaml, line 1: is not YAML"),
        ("xx: 1\n".encode("utf-16"), "mine.yaml"),
        (b"- 1\n- 2\n", "mine.yaml, line 1: is not a mapping of keys to values"),
        (b"", "mine.yaml, line 1: has no keys"),
        (b"# experiment: {}\n", "mine.yaml, line 1: has no keys"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_its_line(tmp_path, content, said):
    (tmp_path / "mine.yaml").write_bytes(content)
    with pytest.raises(ConfigError, match=re.escape(said)) as caught:
        check_before_files_are_read(words("all --configfile mine.yaml"), {})
    assert "\n" not in str(caught.value)


def test_a_run_s_folder_is_one_that_can_be_written_to(tmp_path, monkeypatch):
    check_before_files_are_read(words("all --directory runs/new"), {})
    (tmp_path / "file").write_text("", encoding="utf-8")
    for folder in ("file", "file/run"):
        with pytest.raises(ConfigError, match=r"--directory: \S+/file is a file, and no folder"):
            check_before_files_are_read(words(f"all --directory {folder}"), {})
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(ConfigError, match=r"--directory: \S+ cannot be written to; give another folder"):
        check_before_files_are_read(words("all -d runs/new"), {})
