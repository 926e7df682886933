"""Text, treebank, entities and base model of one's own, from another folder, to tables, predictions and exports."""

import shutil
import subprocess
import sys

import pytest
import yaml
from tests.conftest import ROOT, run_snakemake

from specialize.experiment import Experiment
from specialize.experiment.yaml_files import load, merge
from specialize.files import read_json
from specialize.tables.contents import figure_inputs, tables_of
from specialize.tables.write import write_all, write_figure


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
        "representations": ["embert", "tva", "va", "wild"],
        "regimes": ["pos", "ud", "ner"],
        "seeds": [1],
        "exceptions": [{"representations": ["embert", "va", "wild"], "regimes": ["ud", "ner"], "seeds": []}],
    }
    wild = {"method": "adapt", "training": {"learning_rate": 1e6, "warmup_steps": 0}}
    base = {"folder": str(demo / "results/pretraining/base/demo")}
    settings = {
        "keep_models": True,
        "experiment": grid,
        "representations": {"wild": wild},
        "languages": {"x-mine": entry},
        "base_model": "own",
        "base_models": {"own": base},
        "vocabularies": {"size": 250, "min_frequency": 2},
        "pretraining": {"threads": 1, "epochs": 1, "copies": 1, "sequence_length": 64, "learning_rate": 0.002},
        "finetuning": {"threads": 1, "epochs": 3, "learning_rate": 0.005, "batch_size": 16},
    }
    config = home / "own.yaml"
    config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    run = home / "run"
    # Through the workflow one table and one figure: each more would be a process of its own.
    targets = ["finetuning", "results/tables/answers.md", "results/figures/scores.svg"]
    finished = run_snakemake(run, targets, "--configfile", config, cwd=home)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "6 finetuning jobs over 1 language\n" in finished.stderr
    assert "downloads: 0 files" in finished.stderr
    configuration = load(ROOT / "config/config.yaml")
    merge(configuration, load(config))
    experiment = Experiment(configuration)
    write_all(experiment, run, tables_of(experiment))
    for name in figure_inputs(experiment):
        write_figure(experiment, run, name)
    return run


def test_own_data_reach_the_tables(own_run):
    table = (own_run / "results/tables/single-task.md").read_text(encoding="utf-8")
    assert "My language" in table
    assert not (own_run / "resources").exists()


def test_a_single_seed_is_said_to_have_no_test(own_run):
    table = (own_run / "results/tables/comparisons.csv").read_text(encoding="utf-8")
    assert table.count("not tested: fewer than two shared seeds") == 3


def test_a_model_that_did_not_converge_prints_as_a_dash(own_run):
    metrics = read_json(own_run / "results/finetuning/x-mine/wild/pos/seed1/metrics.json")
    history = read_json(own_run / "results/pretraining/x-mine/wild/history.json")
    assert (metrics["converged"], history["converged"]) == (False, False)
    assert metrics["reason"] == f"the encoder did not converge: {history['reason']}"
    table = (own_run / "results/tables/single-task.csv").read_text(encoding="utf-8")
    assert "POS (accuracy),wild,–,–\n" in table
    assert "My language POS wild" in (own_run / "results/tables/single-task.md").read_text(encoding="utf-8")
    log = (own_run / "logs/pretraining/x-mine/wild.log").read_text(encoding="utf-8")
    assert "did not converge: the loss became" in log


def test_a_model_that_did_not_converge_is_not_exported(own_run):
    from huggingface_hub import ModelCard
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    targets = [f"results/export/x-mine/{name}/README.md" for name in ("tva", "wild")]
    finished = run_snakemake(own_run, targets, "--configfile", own_run.parent / "own.yaml", "--keep-going")
    assert finished.returncode != 0
    log = (own_run / "logs/export/x-mine/wild.log").read_text(encoding="utf-8")
    assert "results/pretraining/x-mine/wild: did not converge" in log
    assert "nothing to share" in log
    folder = own_run / "results/export/x-mine/tva"
    model, tokenizer = AutoModelForMaskedLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    assert model.config.vocab_size == len(tokenizer)
    card = ModelCard.load(folder / "README.md")
    assert card.data.language == "x-mine"
    score = read_json(own_run / "results/finetuning/x-mine/tva/pos/seed1/metrics.json")["scores"]["test"]["pos"]
    found = {result.task_name: result.metric_value for result in card.data.eval_results}
    assert found["POS"] == pytest.approx(100 * score["accuracy"], abs=0.006)
    assert set(found) == {"POS", "UD", "NER"}
    assert "![Loss by epoch](loss.png)" in card.text
    assert (folder / "loss.png").stat().st_size > 0


def test_three_kinds_of_new_pieces_are_drawn_as_a_sweep(own_run):
    for ending in ("svg", "png"):
        for name in ("sweep", "pretraining", "learning-curves"):
            assert (own_run / f"results/figures/{name}.{ending}").stat().st_size > 0


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
