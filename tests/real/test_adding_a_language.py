"""Adding a language by one entry and no code, as docs/tutorial.md says, with the real Latgalian Wikipedia."""

import re
import shutil
import subprocess
import sys
import textwrap

import pytest
import yaml
from tests.conftest import DEMO, ROOT, planned_jobs, run_snakemake

MIRROR = ROOT.parent / "shared" / "mirror"
pytestmark = pytest.mark.skipif(not MIRROR.is_dir(), reason="no real data beside the checkout")


@pytest.fixture(scope="module")
def walkthrough():
    """The files that the walkthrough has its reader write."""
    text = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
    section = text[text.index("## Walkthrough") :].split("\n## ")[0]
    return [textwrap.dedent(block) for block in re.findall(r"```yaml\n(.*?) *```", section, re.S)]


@pytest.fixture(scope="module")
def home(tmp_path_factory, walkthrough):
    folder = tmp_path_factory.mktemp("latgalian")
    (folder / "run").mkdir()
    (folder / "latgalian.yaml").write_text(walkthrough[0], encoding="utf-8")
    base = {"base_model": "mini-mbert", "base_models": {"mini-mbert": {"mirror": True}}}
    (folder / "base.yaml").write_text(yaml.safe_dump(base), encoding="utf-8")
    return folder


def options(home, *more):
    files = [home / name for name in ("latgalian.yaml", "base.yaml", *more)]
    return ["--config", f'mirror="{MIRROR}"', "--configfile", *files]


def test_an_unresolved_date_is_refused_without_asking_the_network(home):
    finished = run_snakemake(home / "run", "diagnosis", "--dry-run", *options(home), cwd=home)
    assert finished.returncode != 0
    output = finished.stdout + finished.stderr
    assert "languages.ltg.corpus.date" in output
    assert "python -m specialize resolve-dates" in output


def test_the_date_is_resolved_once_and_recorded(home, walkthrough):
    command = [
        sys.executable,
        "-m",
        "specialize",
        "resolve-dates",
        str(home / "latgalian.yaml"),
        "--mirror",
        str(MIRROR),
    ]
    finished = subprocess.run(command, capture_output=True, text=True, cwd=home)
    assert (finished.returncode, finished.stdout) == (0, "ltg: 20170101\n"), finished.stderr
    assert (home / "latgalian.yaml").read_text(encoding="utf-8") == walkthrough[0].replace("latest", '"20170101"')
    again = subprocess.run(command, capture_output=True, text=True, cwd=home)
    assert "has no date: latest" in again.stdout


def test_a_diagnosis_answers_from_the_real_text(home):
    finished = run_snakemake(home / "run", "diagnosis", *options(home), cwd=home)
    assert finished.returncode == 0, finished.stderr
    table = (home / "run/results/tables/diagnosis.md").read_text(encoding="utf-8")
    assert "of 903 articles" in table
    assert "Latin 99." in table
    assert "lapt: new wordpieces should change little" in table
    assert re.search("[0-9,]+ marks and what they join: .*– \\([0-9]+\\)", table), table
    assert (home / "run/results/figures/coverage.png").read_bytes().startswith(b"\x89PNG")
    assert (home / "run/resources/wikipedia/ltgwiki/20170101/sha256sums.txt").is_file()
    assert not (home / "run/results/pretraining/ltg").exists()
    shown = subprocess.run([sys.executable, "-m", "specialize", "tables", str(home / "run")], capture_output=True)
    assert "Latgalian\n  How much text is there?" in shown.stdout.decode()
    answers = shown.stdout.decode().partition("As a table and a figure: ")[0]
    assert answers in finished.stdout, "the target says it at its end"


def test_text_alone_is_enough_to_adapt(home):
    jobs = planned_jobs(home / "run", "all", *options(home))
    assert set(jobs) == {"adapt", "figure", "table"}
    assert len(jobs["adapt"]) == 2


@pytest.mark.demo
def test_a_treebank_in_the_entry_brings_all_the_rest(home, walkthrough):
    shutil.copytree(DEMO / "results/datasets/qae", home / "treebank")
    added = walkthrough[1].replace("/path/to/treebank", str(home / "treebank"))
    (home / "labeled.yaml").write_text(added, encoding="utf-8")
    jobs = planned_jobs(home / "run", "all", *options(home, "labeled.yaml"))
    assert len(jobs["adapt"]) == 2
    assert len(jobs["finetune"]) == 3 * 2 * 5
    finished = run_snakemake(home / "run", "datasets", *options(home, "labeled.yaml"))
    assert finished.returncode == 0, finished.stderr
    assert (home / "run/results/datasets/ltg/train.conllu").is_file()
