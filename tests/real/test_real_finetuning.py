"""Task models of real treebanks and entities: the field's scorers find in the predictions what metrics.json says."""

import shutil
from pathlib import Path

import pytest
import torch
from seqeval.metrics import f1_score
from tests.finetuning.conftest import finetuned
from udtools.udeval import evaluate, load_conllu_file

from specialize.datasets import (
    read_entities,
    read_treebank,
    repair_entities,
    unpack_wikiann,
    write_entities,
    write_treebank,
)
from specialize.files import read_json

MIRROR = Path(__file__).parents[3] / "shared" / "mirror"
TREEBANKS = {"mt": ("Maltese-MUDT", "mt_mudt"), "ug": ("Uyghur-UDT", "ug_udt"), "wo": ("Wolof-WTB", "wo_wtb")}
# To learn from, enough to be right sometimes and wrong sometimes; to choose an epoch by; and entities to be found.
SENTENCES = {"train": 400, "dev": 50, "test": 400}
SETTINGS = {"epochs": 2, "batch_size": 32, "learning_rate": 0.004}

pytestmark = pytest.mark.skipif(not MIRROR.is_dir(), reason="no real data beside the checkout")


def job(folder, data, regime, **changes):
    torch.set_num_threads(1)
    return finetuned(folder, MIRROR / "models" / "mini-mbert", data, regime, **SETTINGS, **changes)


@pytest.mark.parametrize(
    ("language", "regime"), [("mt", "pos"), ("mt", "ud"), ("ug", "pos"), ("ug", "ud"), ("wo", "pos"), ("wo", "ud")]
)
def test_the_official_evaluation_finds_the_metrics_in_the_predictions(tmp_path, language, regime):
    name, prefix = TREEBANKS[language]
    published = MIRROR / "universal-dependencies" / f"UD_{name}" / "r2.5"
    (tmp_path / "data").mkdir()
    shutil.copyfile(published / f"{prefix}-ud-test.conllu", tmp_path / "data/test.conllu")
    for part in ("train", "dev"):
        some = read_treebank(published / f"{prefix}-ud-{part}.conllu")[: SENTENCES[part]]
        write_treebank(tmp_path / "data" / f"{part}.conllu", some)
    folder = job(tmp_path / "job", tmp_path / "data", regime, tags="xpos" if regime == "pos" else None)
    found = evaluate(
        load_conllu_file(str(tmp_path / "data/test.conllu")), load_conllu_file(str(folder / "predictions.conllu"))
    )
    scores = read_json(folder / "metrics.json")["scores"]["test"][regime]
    for metric, official in (("accuracy", "XPOS"),) if regime == "pos" else (("las", "LAS"), ("uas", "UAS")):
        assert scores[metric] == pytest.approx(found[official].f1, abs=1e-6)
    assert scores["accuracy" if regime == "pos" else "uas"] > 0.1


@pytest.mark.parametrize("language", ["mt", "ug"])
def test_seqeval_finds_the_metrics_in_the_predicted_entities(tmp_path, language):
    archive = MIRROR / "wikiann" / f"{language}.tar.gz"
    (tmp_path / "data").mkdir()
    for part, sentences in unpack_wikiann(archive, language).items():
        repaired = repair_entities(archive / part, sentences, "repair")
        write_entities(tmp_path / "data" / f"{part}.tsv", repaired[: SENTENCES[part]])
    folder = job(tmp_path / "job", tmp_path / "data", "ner")
    gold, predicted = (read_entities(path) for path in (tmp_path / "data/test.tsv", folder / "predictions.tsv"))
    labels = [[list(sentence.labels) for sentence in sentences] for sentences in (gold, predicted)]
    scores = read_json(folder / "metrics.json")["scores"]["test"]["ner"]
    assert scores["f1"] == pytest.approx(f1_score(*labels), abs=1e-6)
    assert scores["f1_macro"] == pytest.approx(f1_score(*labels, average="macro"), abs=1e-6)
    assert scores["f1"] > 0.1
