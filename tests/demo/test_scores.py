"""What the demo shows: the paper's effect on an unseen script. test_documented_claims.py holds what documents say."""

import json
import statistics

import pandas
import pytest
from scipy import stats

from specialize.files import read_json
from specialize.tables.scores import PRIMARY_METRIC, TASK_TITLES

METRICS = "results/finetuning/*/*/*/seed*/metrics.json"


def scores(run, language, representation, regime, task=None):
    """The test scores of a cell by seed, of a single-task one by default, between 0 and 1."""
    task = task or regime
    paths = sorted((run / "results/finetuning" / language / representation / regime).glob("seed*/metrics.json"))
    return [read_json(path)["scores"]["test"][task][PRIMARY_METRIC[task]] for path in paths]


@pytest.mark.parametrize("task", ["pos", "ud", "ner"])
def test_on_the_unseen_script_tva_beats_lapt_significantly(demo, task):
    tva, lapt = (scores(demo, "qad", name, task) for name in ("tva", "lapt"))
    assert len(tva) == len(lapt) == 3
    tasks_of_the_language = 3
    p = stats.ttest_rel(tva, lapt, alternative="greater").pvalue * tasks_of_the_language
    assert p < 0.05
    table = pandas.read_csv(demo / "results/tables/comparisons.csv").set_index(["Language", "Task", "Higher", "Lower"])
    row = table.loc["Ondurese", TASK_TITLES[task], "tva", "lapt"]
    assert row["Significant"] == "yes"
    assert row["p corrected"] == pytest.approx(p, rel=0.1)


@pytest.mark.parametrize("language", ["qad", "qae", "qad-Latn"])
def test_lapt_lowers_the_validation_loss_of_the_unadapted_model(demo, language):
    history = read_json(demo / "results/pretraining" / language / "lapt" / "history.json")
    losses = {epoch["epoch"]: epoch["validation_loss"] for epoch in history["epochs"]}
    assert losses[history["best_epoch"]] < losses[0]
    assert losses[history["best_epoch"]] == min(losses.values())


@pytest.mark.parametrize(("regime", "task"), [*(("mtl-ups-alt", task) for task in ("pos", "ud", "ner")),
                                              ("pft-mtl-ups-alt-pos", "pos")])  # fmt: skip
def test_learning_all_tasks_at_once_keeps_what_new_pieces_gain(demo, regime, task):
    together, lapt = (scores(demo, "qad", *names, task) for names in (("tva", regime), ("lapt", task)))
    assert len(together) == 3
    assert statistics.mean(together) - statistics.mean(lapt) > 0.15


def test_new_pieces_end_most_unknown_words(demo):
    coverage = read_json(demo / "results/vocabularies/qad/tva/statistics.json")["coverage"]["treebank"]
    assert coverage["base"]["unknown_token_rate"] > 0.8
    assert coverage["augmented"]["unknown_token_rate"] < 0.15


def test_every_result_has_the_contracts_keys(demo):
    paths = sorted(demo.glob(METRICS))
    assert 0 < len(paths) <= 36
    for path in paths:
        metrics = read_json(path)
        language, representation, regime, seed = path.parts[-5:-1]
        assert [metrics[key] for key in ("language", "representation", "regime")] == [language, representation, regime]
        assert f"seed{metrics['seed']}" == seed
        assert metrics["converged"] is True
        assert "reason" not in metrics
        tasks = ["ud", "pos", "ner"] if regime.startswith("mtl-") else [regime.rpartition("-")[2]]
        for part in ("dev", "test"):
            assert list(metrics["scores"][part]) == tasks
            assert all(0 <= value <= 1 for task in tasks for value in metrics["scores"][part][task].values())
        assert not {"seconds", "host", "device"} & metrics.keys()
        assert {"seconds", "host", "device"} <= read_json(path.with_name("timing.json")).keys()
        for ending in {"tsv" if task == "ner" else "conllu" for task in tasks}:
            assert path.with_name(f"predictions.{ending}").stat().st_size > 0


def test_every_job_left_its_log_and_its_timing(demo):
    for path in demo.glob(METRICS):
        tail = path.parent.relative_to(demo / "results")
        assert "epoch 1" in (demo / "logs" / tail).with_suffix(".log").read_text(encoding="utf-8")
        assert (demo / "timings" / tail).with_suffix(".tsv").is_file()


def test_tables_are_there_in_all_formats(demo):
    names = (
        "corpora", "single-task", "multi-task", "transliteration", "hyperparameters", "multi-task-all", "comparisons",
        "answers", "costs",
    )  # fmt: skip
    for name in names:
        for ending in ("md", "csv", "tex", "html"):
            assert (demo / f"results/tables/{name}.{ending}").stat().st_size > 0
    single = (demo / "results/tables/single-task.md").read_text(encoding="utf-8")
    assert "not in this grid" in single
    assert "**" in single


def test_adapted_models_load_with_transformers(demo):
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    folder = demo / "results/pretraining/qad/tva"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForMaskedLM.from_pretrained(folder)
    assert model.config.vocab_size == len(tokenizer)
    new_pieces = read_json(demo / "results/vocabularies/qad/tva/statistics.json")["pieces"]
    assert len(new_pieces) == 99
    assert all(tokenizer.convert_tokens_to_ids(piece) == number for piece, number in new_pieces.items())


def test_a_result_is_json_that_diffs_well(demo):
    path = demo / "results/finetuning/qad/tva/pos/seed1/metrics.json"
    text = path.read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"
