"""The key `adapt` of a representation: what is refused, where, with a remedy that helps; what a job is told of it."""

import json
from pathlib import Path

import pytest
import yaml
from tests.experiment.test_configuration_errors import assert_refused, with_overlay

from specialize.bases.architectures import known_architectures
from specialize.experiment import Experiment

GRID = "experiment: {languages: [ug], representations: [own], regimes: [pos]}\n"


def entry(adapt, more=""):
    return f"{GRID}representations:\n  own:\n    method: adapt\n    pieces: 99\n    adapt:\n      {adapt}\n{more}"


REFUSED = {
    "another method": (
        f"{GRID}representations:\n  own:\n    method: base\n    adapt: {{layer_decay: 0.9}}\n",
        ("belongs to method adapt, and this one is base; leave it out",),
        "adapt",
        5,
    ),
    "a misspelt key": (entry("layer_decai: 0.9"), ("did you mean", "layer_decay"), "adapt.layer_decai", 7),
    "a misspelt key of lora": (entry("lora: {rang: 8}"), ("rank",), "adapt.lora.rang", 7),
    "an unknown part": (entry("freeze: [head]"), ("head",), "adapt.freeze.0", 7),
    "a part twice": (entry("freeze: [encoder, encoder]"), ("non-unique",), "adapt.freeze", 7),
    "unknown targets": (entry("lora: {targets: query}"), ("query",), "adapt.lora.targets", 7),
    "no rank": (entry("lora: {rank: 0}"), ("0",), "adapt.lora.rank", 7),
    "all dropped": (entry("lora: {dropout: 1}"), ("1",), "adapt.lora.dropout", 7),
    "no rate": (entry("layer_decay: 0"), ("0",), "adapt.layer_decay", 7),
    "rates that rise downwards": (entry("layer_decay: 1.1"), ("1.1",), "adapt.layer_decay", 7),
    "two ways to keep the encoder": (
        entry("lora: {rank: 4}\n      freeze: [encoder]"),
        ("with lora the base's weights stay already", "leave out freeze"),
        "adapt.freeze",
        8,
    ),
    "rates of layers that stay": (
        entry("freeze: [encoder]\n      layer_decay: 0.9"),
        ("there are no layers whose rates it could set",),
        "adapt.layer_decay",
        8,
    ),
    "nothing but the head": (
        entry("freeze: [encoder, embeddings]").replace("    pieces: 99\n", ""),
        ("nothing but the head would learn", "give pieces"),
        "adapt.freeze",
        6,
    ),
    "rows that would decay": (
        entry("freeze: [embeddings]", "    multiplier: 5\n    training: {tiering: two-groups}\n"),
        ("tiering two-groups has every row decay", "tiering: rows"),
        "adapt",
        6,
    ),
}


@pytest.mark.parametrize(("text", "words", "key", "line"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_learn_is_refused_where_it_stands(tmp_path, text, words, key, line):
    assert_refused(tmp_path, text, *words, key=f"representations.own.{key}", line=line)


TAKEN = {
    "two ways to keep the encoder": entry("lora: {rank: 4}"),
    "rates of layers that stay": entry("layer_decay: 0.9"),
    "nothing but the head, with new pieces": entry("freeze: [encoder, embeddings]"),
    "rows that would decay": entry("freeze: [embeddings]", "    multiplier: 5\n    training: {tiering: rows}\n"),
    "updates at rates by layer": entry("lora: {}\n      layer_decay: 0.9"),
}


@pytest.mark.parametrize("text", TAKEN.values(), ids=TAKEN)
def test_the_remedies_help(tmp_path, text):
    assert with_overlay(tmp_path, text).cells


def test_an_architecture_that_takes_no_updates_and_a_rank_above_the_width_are_refused(tmp_path, monkeypatch):
    base = tmp_path / "models" / "mine"
    base.mkdir(parents=True)
    (base / "config.json").write_text(json.dumps({"model_type": "bert", "hidden_size": 16}))
    (base / "tokenizer.json").touch()
    origin = f"mirror: {tmp_path}\nbase_models: {{mine: {{mirror: true}}}}\nbase_model: mine\n"
    text = entry("lora: {rank: 17}", origin)
    assert_refused(tmp_path, text, "17 is more than 16", key="representations.own.adapt.lora.rank", line=7)
    assert with_overlay(tmp_path, text.replace("17", "16")).cells
    monkeypatch.setattr(type(known_architectures()["bert"]), "attention", "")
    text = text.replace("17", "16")
    words = "BERT has no matrices that are known to take low-rank updates; leave out adapt.lora"
    assert_refused(tmp_path, text, words, key="representations.own.adapt.lora", line=7)
    assert with_overlay(tmp_path, text.replace("lora: {rank: 16}", "layer_decay: 0.9")).cells


def parameters(tmp_path, adapt):
    return with_overlay(tmp_path, entry(adapt)).pretraining("own").job_parameters()


def test_a_job_reads_what_changes_something_and_nothing_else(tmp_path):
    plain = with_overlay(tmp_path, entry("{}")).pretraining("own").job_parameters()
    assert "adapt" not in plain
    assert plain.keys() == Experiment.read(Path("config/config.yaml")).pretraining("va").job_parameters().keys()
    assert parameters(tmp_path, "{layer_decay: 1, freeze: [], lora: null}") == plain
    one, other = (
        parameters(tmp_path, f"freeze: {parts}") for parts in ("[encoder, embeddings]", "[embeddings, encoder]")
    )
    assert one == other == plain | {"adapt": {"freeze": ["embeddings", "encoder"]}}
    lora = {"rank": 4, "alpha": 16, "dropout": 0.0, "multiplier": 10, "targets": "attention"}
    assert parameters(tmp_path, "lora: {rank: 4}") == plain | {"adapt": {"lora": lora}}
    assert yaml.safe_load(yaml.safe_dump(plain | {"adapt": {"lora": lora}}))["adapt"]["lora"] == lora
