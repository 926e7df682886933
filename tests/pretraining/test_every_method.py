"""Every method of config/methods.yaml adapts a small base for two steps, to a model that the library loads."""

from dataclasses import replace

import pytest
import torch
from tests.conftest import ROOT
from tests.pretraining.conftest import DESCRIPTION, write_corpus
from tokenizers import Tokenizer
from transformers import AutoModelForMaskedLM

from specialize.experiment import Experiment
from specialize.experiment.yaml_files import load
from specialize.files import file_hash, read_json
from specialize.pretraining.fewer_rows import trim_model
from specialize.pretraining.pretrain import adapt, pretrain_monolingual
from specialize.vocabularies import build_byte_vocabulary, build_trimmed_vocabulary, build_vocabulary

OVERLAY = ROOT / "config/methods.yaml"
TWO_STEPS = {
    "pretraining": {
        "threads": 1,
        "epochs": 1,
        "steps_per_epoch": 2,
        "batch_size": 8,
        "sequence_length": 32,
        "copies": 1,
    },
    "vocabularies": {"size": 200, "min_frequency": 2},
    "languages": {"ug": {"dictionary": "/words.tsv"}},
}
UYGHUR = replace(DESCRIPTION, language="ug")
METHODS = list(load(OVERLAY)["representations"])


@pytest.fixture(scope="module")
def experiment():
    return Experiment.read(OVERLAY, TWO_STEPS)


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """Those of the language and of its twin, by tag."""
    folders = {tag: tmp_path_factory.mktemp(tag) for tag in ("ug", "ug-Latn")}
    return {tag: write_corpus(folder) for tag, folder in folders.items()}


def adapted(experiment, name, base, texts, folder):
    """The folder of a method's model, in the way that its jobs make it."""
    kind, settings = experiment.representations[name], experiment.pretraining(name)
    train = texts["ug"] / "train.txt"
    vocabulary, model = folder / f"{name}-vocabulary", folder / name
    common = {"settings": settings, "description": UYGHUR, "folder": model}
    common["others"] = {tag: texts[tag] for tag in experiment.other_texts("ug", name)}
    if kind.method == "trim":
        source = adapted(experiment, kind.of, base, texts, folder)
        build_trimmed_vocabulary(source, train, {}, {}, vocabulary)
        trim_model(source, vocabulary, UYGHUR, model)
    elif kind.method == "scratch":
        build_byte_vocabulary(train, experiment.byte_vocabulary_training(name), {}, vocabulary)
        sizes = experiment.config["representations"][name]["architecture"]
        pretrain_monolingual(vocabulary, texts["ug"], sizes, **common)
    else:
        build_vocabulary(base, train, kind.pieces, experiment.piece_choice(name), {}, vocabulary, growth=kind.growth)
        words = folder / "words.tsv"
        words.write_text("lami\tmila\nnotu\tkera\n", encoding="utf-8")
        word_list = words if settings.initialisation == "dictionary" else None
        adapt(base, vocabulary, texts["ug"], kind.multiplier, word_list=word_list, **common)
    return model


@pytest.mark.parametrize("name", METHODS)
def test_it_learns_for_two_steps(experiment, name, base, texts, tmp_path):
    folder = adapted(experiment, name, base, texts, tmp_path)
    model = AutoModelForMaskedLM.from_pretrained(folder)
    assert model.config.vocab_size == 1 + max(Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab().values())
    assert all(torch.isfinite(tensor).all() for tensor in model.state_dict().values())
    if experiment.representations[name].method != "trim":
        history = read_json(folder / "history.json")
        assert [record["steps"] for record in history["epochs"]] == [0, 2]
        assert file_hash(folder / "model.safetensors") != file_hash(base / "model.safetensors")


def test_they_are_the_methods_of_the_overlay(experiment):
    assert set(experiment.grid_representations) - {"mbert", "lapt", "tva"} == set(METHODS) - {"tva-dictionary"}
