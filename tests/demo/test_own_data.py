"""Text, treebank, entities and base model of one's own, from another working directory, to tables and predictions."""

import shutil
import subprocess
import sys

import pytest
import yaml
from tests.conftest import ROOT, run_snakemake

pytestmark = pytest.mark.demo


@pytest.fixture(scope="module")
def own_run(demo, tmp_path_factory):
    home = tmp_path_factory.mktemp("a home with spaces")
    data = shutil.copytree(demo / "results/datasets/qae", home / "own data")
    text = home / "own text.txt"
    text.write_text((demo / "results/corpora/qae/train.txt").read_text(encoding="utf-8"), encoding="utf-8")
    entry = {
        "name": "My language",
        "corpus": {"text": str(text)},
        "treebank": {"folder": str(data), "tags": "upos"},
        "ner": {"folder": str(data / "ner")},
    }
    grid = {
        "languages": ["x-mine"],
        "representations": ["embert", "tva"],
        "regimes": ["pos", "ud", "ner"],
        "seeds": [1],
    }
    base = {"folder": str(demo / "results/pretraining/base/demo")}
    settings = {
        "keep_models": True,
        "experiment": {**grid, "exceptions": []},
        "languages": {"x-mine": entry},
        "base_model": "own",
        "base_models": {"own": base},
        "vocabularies": {"size": 250, "min_frequency": 2},
        "pretraining": {"threads": 1, "epochs": 1, "copies": 1, "sequence_length": 64, "learning_rate": 0.002},
        "finetuning": {"threads": 1, "epochs": 2, "learning_rate": 0.005, "batch_size": 16},
    }
    config = home / "own.yaml"
    config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    run = home / "run"
    finished = run_snakemake(run, "all", "--configfile", config, cwd=home)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "6 finetuning jobs over 1 language\n" in finished.stderr
    assert "downloads: 0 files" in finished.stderr
    return run


def test_own_data_reach_the_tables(own_run):
    table = (own_run / "results/tables/single-task.md").read_text(encoding="utf-8")
    assert "My language" in table
    assert not (own_run / "resources").exists()


def test_a_single_seed_is_said_to_have_no_test(own_run):
    table = (own_run / "results/tables/comparisons.csv").read_text(encoding="utf-8")
    assert table.count("no test") == 3


def predict(model, text, *options):
    command = [sys.executable, "-m", "specialize", "predict", "--model", str(model), *options]
    return subprocess.run(command, input=text, capture_output=True, text=True, cwd=ROOT, check=False)


@pytest.mark.parametrize(("task", "column"), [("pos", 3), ("ud", 6)])
def test_predict_reproduces_the_test_predictions(own_run, task, column):
    folder = own_run / f"results/finetuning/x-mine/tva/{task}/seed1"
    rows = [line.split("\t") for line in (folder / "predictions.conllu").read_text(encoding="utf-8").split("\n")]
    words = [row for row in rows if row[0].isdigit()]
    text = "\n".join(" ".join(sentence) for sentence in sentences(rows))
    finished = predict(folder, text, "--tokenized")
    assert finished.returncode == 0, finished.stderr
    got = [line.split("\t") for line in finished.stdout.split("\n") if line[:1].isdigit()]
    assert [row[1] for row in got] == [row[1] for row in words]
    assert [row[column] for row in got] == [row[column] for row in words]


def sentences(rows):
    forms = []
    for row in rows:
        if row[0].isdigit():
            if row[0] == "1":
                forms.append([])
            forms[-1].append(row[1])
    return forms


def test_predict_labels_entities(own_run):
    finished = predict(own_run / "results/finetuning/x-mine/tva/ner/seed1", "Mila tera, Ondas.\n")
    assert finished.returncode == 0, finished.stderr
    assert [line.split("\t")[0] for line in finished.stdout.splitlines() if line] == ["Mila", "tera", ",", "Ondas", "."]
    assert all(line.split("\t")[1] == "O" or line.split("\t")[1][:2] in ("B-", "I-")
               for line in finished.stdout.splitlines() if line)  # fmt: skip


def test_predict_without_a_model_says_what_to_do(own_run):
    finished = predict(own_run / "results/corpora", "text")
    assert finished.returncode != 0
    assert finished.stderr.startswith("Error: ")
    assert "keep_models" in finished.stderr
    assert len(finished.stderr.splitlines()) == 1


def test_an_own_file_that_breaks_later_is_refused_again_and_again(own_run):
    """What the failed job has removed is missed, although everything after it is there."""
    path = own_run.parent / "own data" / "train.conllu"
    lines = path.read_text(encoding="utf-8").split("\n")
    number = next(place for place, line in enumerate(lines) if line.startswith("1\t"))
    path.write_text("\n".join([*lines[:number], "broken", *lines[number + 1 :]]), encoding="utf-8")
    for _ in range(2):
        finished = run_snakemake(own_run, "all", "--configfile", own_run.parent / "own.yaml")
        assert finished.returncode != 0
        assert f"{path}, line {number + 1}: has 1 columns" in finished.stderr + finished.stdout
    assert (own_run / "results/pretraining/x-mine/tva/model.safetensors").is_file()
    assert (own_run / "results/tables/single-task.md").is_file()
