"""One finetuning job: what it writes, that it repeats itself, and what it does with trouble."""

import json
import shutil
import struct
from collections import Counter

import pytest
import torch
from safetensors.torch import load_file
from seqeval.metrics import f1_score
from tensorboardX.proto.event_pb2 import Event
from tests.finetuning.conftest import (
    ENDINGS,
    HEADS,
    SIZES,
    conllu,
    finetuned,
    small_settings,
    write_monolingual_encoder,
)
from tokenizers import Tokenizer
from udtools.udeval import evaluate, load_conllu_file

from specialize import __version__
from specialize.datasets import DEPREL, HEAD, XPOS, EntitySentence, read_entities, read_treebank, write_treebank
from specialize.errors import InputError, SpecializeError
from specialize.files import read_json, write_json
from specialize.finetuning.batches import TrainingSentences
from specialize.finetuning.encoder import WordPieces
from specialize.finetuning.finetune import finetune
from specialize.finetuning.layout import EncodedSentences
from specialize.finetuning.model import load_model
from specialize.finetuning.tasks import EntityRecognition, task_named
from specialize.training.devices import device
from specialize.training.feeding import on_device

REGIMES = ["pos", "ud", "ner"]
METRICS = {"pos": ["accuracy"], "ud": ["las", "uas"], "ner": ["f1", "f1_macro"]}


# -- batches -----------------------------------------------------------------------------------------------


@pytest.fixture
def training_sentences(encoder_folder):
    pieces = WordPieces(encoder_folder)
    words = [["mat"] * number for number in range(1, 12)]
    targets = {"pos": [[list(range(number))] for number in range(1, 12)]}
    encoded = [pieces.encode(sentence) for sentence in words]

    def make(seed):
        return TrainingSentences(
            pieces,
            encoded,
            targets,
            batch_size=4,
            longest=24,
            seed=seed,
            loss_denominator=lambda sentences, words: words,
        )

    return make


def lengths(batches):
    return [tuple(int(index) + 1 for index in batch) for batch in batches]


def test_an_epoch_has_every_sentence_once_in_batches_of_similar_length(training_sentences):
    sentences = training_sentences(1)
    batches = list(sentences.epoch(1))
    assert len(batches) == sentences.steps() == 3
    assert Counter(length for batch in lengths(batches) for length in batch) == Counter(range(1, 12))
    assert all(max(batch) - min(batch) <= 5 for batch in lengths(batches))
    for chosen in batches:
        words, targets = sentences.tensors(chosen)
        assert words.layout.mask.sum(1).tolist() == list(words.layout.lengths) == [index + 1 for index in chosen]
        expected = [place for index in chosen for place in range(index + 1)]
        assert targets["pos"][0].tolist() == expected, "targets stay with their sentence"


def test_the_order_depends_on_the_seed_and_the_epoch_only(training_sentences):
    orders = {
        (seed, number): lengths(training_sentences(seed).epoch(number)) for seed in (1, 2, 3) for number in range(1, 6)
    }
    assert all(lengths(training_sentences(seed).epoch(number)) == order for (seed, number), order in orders.items())
    assert len({tuple(order) for order in orders.values()}) > 5


# -- what a job can be told ----------------------------------------------------------------------------------


def test_with_bfloat16_a_job_learns_and_its_kept_model_predicts_as_it_did(tmp_path, encoder_folder, data):
    folder = finetuned(tmp_path / "job", encoder_folder, data, "pos", keep_model=True, precision="bfloat16", epochs=8)
    metrics = read_json(folder / "metrics.json")
    assert metrics["hyperparameters"]["precision"] == "bfloat16"
    assert metrics["scores"]["dev"]["pos"]["accuracy"] > 0.6
    model = load_model(folder)
    words = on_device(model.pieces.collate(EncodedSentences.of([[[5], [6]]]), 24), device())
    with torch.no_grad():
        vectors = {}
        for model.encoder.precision in ("float32", "bfloat16"):
            vectors[model.encoder.precision] = model.encoder(words)
    difference = (vectors["bfloat16"] - vectors["float32"]).abs().max()
    assert 0 < difference < 0.1
    predicted = model.predict("pos", read_treebank(data / "test.conllu"))
    write_treebank(tmp_path / "again.conllu", predicted)
    assert (tmp_path / "again.conllu").read_bytes() == (folder / "predictions.conllu").read_bytes()


def test_without_a_single_root_the_job_is_scored_all_the_same(tmp_path, encoder_folder, data):
    heads = {"ud": {**HEADS["ud"], "single_root": False}}
    folder = finetuned(tmp_path / "job", encoder_folder, data, "ud", heads=heads, epochs=1, learning_rate=1e-5)
    text = (folder / "predictions.conllu").read_text(encoding="utf-8")
    sentences = [[line.split("\t") for line in block.split("\n") if line[:1].isdigit()] for block in text.split("\n\n")]
    roots = [sum(row[6] == "0" for row in sentence) for sentence in sentences if sentence]
    assert max(roots) > 1, "an untrained parser gives trees of several roots"
    assert 0 <= read_json(folder / "metrics.json")["scores"]["test"]["ud"]["las"] < 1


def test_figures_of_each_epoch_are_there_for_tensorboard(tmp_path, encoder_folder, data):
    (tmp_path / "job").mkdir()
    cell = {"language": "qaa", "representation": "lapt", "regime": "ner", "seed": 1}
    for _ in range(2):  # the second start replaces what the first one left
        settings, folder = small_settings("ner"), tmp_path / "job"
        finetune(encoder_folder, {"tsv": data}, cell, settings, folder, False, scalars=tmp_path / "logs")
    (events,) = (tmp_path / "logs").iterdir()
    assert events.name.startswith("events.out.tfevents")
    found = {}
    records = events.read_bytes()
    while records:  # a record: length, its checksum, the event, its checksum
        (length,) = struct.unpack("<Q", records[:8])
        event = Event.FromString(records[12 : 12 + length])
        for value in event.summary.value:
            found[value.tag, event.step] = value.simple_value
        records = records[16 + length :]
    history = read_json(tmp_path / "job/history.json")["epochs"]
    expected = {(name, record["epoch"]): record[name] for record in history for name in record if name != "epoch"}
    assert found == pytest.approx(expected)


# -- what a job writes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("regime", REGIMES)
def test_a_job_writes_what_was_promised_and_nothing_else(jobs, regime):
    assert {path.name for path in jobs[regime].iterdir()} == {
        "metrics.json",
        "timing.json",
        "history.json",
        f"predictions.{ENDINGS[regime]}",
        "model",
    }


@pytest.mark.parametrize("regime", REGIMES)
def test_it_says_of_how_many_items_the_test_scores_are_shares(jobs, data, regime):
    items = read_json(jobs[regime] / "history.json")["test_items"]
    words = sum(len(sentence.words) for sentence in read_treebank(data / "test.conllu"))
    entities = sum(label[:2] == "B-" for sentence in read_entities(data / "test.tsv") for label in sentence.labels)
    assert items == {regime: entities if regime == "ner" else words}
    if regime != "ner":
        (score, *_) = read_json(jobs[regime] / "metrics.json")["scores"]["test"][regime].values()
        assert score * words == pytest.approx(round(score * words), abs=1e-6 * words)


@pytest.mark.parametrize("regime", REGIMES)
def test_it_says_what_guessing_scores(jobs, data, regime):
    """Each guess is scored as a model's predictions are; by the training part's most frequent label."""
    guessed = read_json(jobs[regime] / "history.json")["guessing"][regime]
    if regime == "ner":
        assert guessed == 0
        return
    task = task_named(regime)
    train, test = (task.read(data / f"{part}.conllu") for part in ("train", "test"))
    best = 0.0
    if regime == "pos":
        labels = [label for sentence in train for label in task.label_names(sentence)]
        tag = max(labels, key=labels.count)
        best = task.scores(test, [one.relabeled({XPOS: [tag] * len(one.words)}) for one in test])["accuracy"]
    else:
        pairs = [
            (word.head and word.head - place, word.deprel)
            for sentence in train
            for place, word in enumerate(sentence.words, start=1)
        ]
        away, relation = max(pairs, key=pairs.count)
        heads = [[str(place + away if away else 0) for place in range(1, len(one.words) + 1)] for one in test]
        guesses = [
            one.relabeled({HEAD: its, DEPREL: [relation] * len(its)}) for one, its in zip(test, heads, strict=True)
        ]
        best = task.scores(test, guesses)["las"]
    assert guessed == pytest.approx(best, abs=1e-6)
    assert guessed > 0


@pytest.mark.parametrize("regime", REGIMES)
def test_metrics_have_the_contract_s_keys(jobs, regime):
    metrics = read_json(jobs[regime] / "metrics.json")
    assert set(metrics) == {
        "language",
        "representation",
        "regime",
        "seed",
        "version",
        "hyperparameters",
        "best_epoch",
        "converged",
        "scores",
    }
    identity = {key: metrics[key] for key in ("language", "representation", "regime", "seed", "version")}
    assert identity == {
        "language": "qaa",
        "representation": "lapt",
        "regime": regime,
        "seed": 1,
        "version": __version__,
    }
    assert metrics["hyperparameters"] == small_settings(regime).job_parameters()
    assert metrics["converged"] is True
    assert 1 <= metrics["best_epoch"] <= 4
    assert list(metrics["scores"]) == ["dev", "test"]
    for part in ("dev", "test"):
        assert list(metrics["scores"][part]) == [regime]
        assert sorted(metrics["scores"][part][regime]) == sorted(METRICS[regime])
        assert all(0 <= value <= 1 for value in metrics["scores"][part][regime].values())


@pytest.mark.parametrize("regime", REGIMES)
def test_the_small_treebank_can_be_learned(jobs, regime):
    """Every test below on scores would hold for a model that knows nothing, too."""
    assert read_json(jobs[regime] / "metrics.json")["scores"]["test"][regime][METRICS[regime][0]] > 0.6


@pytest.mark.parametrize("regime", ["pos", "ud"])
def test_predictions_scored_by_the_official_evaluation_are_the_metrics(jobs, data, regime):
    official = evaluate(
        load_conllu_file(str(data / "test.conllu")), load_conllu_file(str(jobs[regime] / "predictions.conllu"))
    )
    names = {"accuracy": "UPOS", "las": "LAS", "uas": "UAS"}
    metrics = read_json(jobs[regime] / "metrics.json")["scores"]["test"][regime]
    assert metrics == {name: pytest.approx(official[names[name]].f1, abs=1e-6) for name in METRICS[regime]}
    assert official["Words"].f1 == official["Sentences"].f1 == 1


def test_predicted_entities_scored_by_seqeval_are_the_metrics(jobs, data):
    gold, predicted = (
        [list(sentence.labels) for sentence in read_entities(path)]
        for path in (data / "test.tsv", jobs["ner"] / "predictions.tsv")
    )
    assert read_json(jobs["ner"] / "metrics.json")["scores"]["test"]["ner"] == {
        "f1": pytest.approx(f1_score(gold, predicted, average="micro"), abs=1e-6),
        "f1_macro": pytest.approx(f1_score(gold, predicted, average="macro"), abs=1e-6),
    }


def test_predictions_change_the_task_s_columns_only(jobs, data):
    gold = (data / "test.conllu").read_text(encoding="utf-8").split("\n")
    for regime, columns in (("pos", {3}), ("ud", {6, 7, 8})):
        found = (jobs[regime] / "predictions.conllu").read_text(encoding="utf-8").split("\n")
        differing = {
            place
            for old, new in zip(gold, found, strict=True)
            for place, (one, other) in enumerate(zip(old.split("\t"), new.split("\t"), strict=True))
            if one != other
        }
        assert differing <= columns
    assert len(read_treebank(jobs["ud"] / "predictions.conllu")) == SIZES["test"], "valid trees, or it would not read"


def test_seconds_and_host_stand_in_timing_only(jobs):
    timing = read_json(jobs["pos"] / "timing.json")
    assert {"seconds", "training_seconds", "host", "device"} <= set(timing)
    assert not {"seconds", "training_seconds", "host", "device"} & set(read_json(jobs["pos"] / "metrics.json"))


# -- the same again ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("regime", REGIMES)
def test_a_job_repeats_itself_byte_by_byte(jobs, tmp_path, encoder_folder, data, regime):
    again = finetuned(tmp_path / "again", encoder_folder, data, regime)
    for name in ("metrics.json", f"predictions.{ENDINGS[regime]}"):
        assert (again / name).read_bytes() == (jobs[regime] / name).read_bytes()


def test_another_seed_is_another_result(tmp_path, encoder_folder, data):
    models = []
    for seed, seeds in ((1, [1337, 133, 13370]), (2, [337, 33, 3370])):
        folder = finetuned(
            tmp_path / str(seed), encoder_folder, data, "pos", seed, keep_model=True, seeds=seeds, epochs=1
        )
        models.append(load_file(folder / "model" / "heads.safetensors")["heads.pos.projection.weight"])
    assert (models[0] - models[1]).abs().max() > 0.01


# -- freezing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("regime", REGIMES)
def test_the_encoder_is_frozen_in_the_first_epoch_and_learns_in_the_second(tmp_path, encoder_folder, data, regime):
    def encoder_changes(epochs, frozen):
        name = f"{epochs}-{frozen}"
        changes = {"epochs": epochs, "frozen_epochs": frozen, "batch_size": 1}
        folder = finetuned(tmp_path / name, encoder_folder, data, regime, keep_model=True, **changes)
        assert read_json(folder / "metrics.json")["best_epoch"] == epochs, "else the weights are of an earlier epoch"
        base, tuned = load_file(encoder_folder / "model.safetensors"), load_file(folder / "model/model.safetensors")
        return {name: (value - base[f"bert.{name}"]).abs().max().item() for name, value in tuned.items()}

    frozen = encoder_changes(1, 1)
    assert len(frozen) > 30
    assert set(frozen.values()) == {0.0}
    free = encoder_changes(1, 0)
    assert all(change > 0 for name, change in free.items() if name.endswith("weight"))
    later = encoder_changes(2, 1)
    assert all(change > 0 for name, change in later.items() if name.endswith("weight"))


# -- a kept model ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("regime", REGIMES)
def test_a_kept_model_predicts_the_test_data_as_the_job_did(jobs, data, regime):
    model = load_model(jobs[regime])
    read = model.tasks[regime].read
    sentences = read(data / f"test.{ENDINGS[regime]}")
    for batch_size in (1, 3, 100):
        predicted = model.predict(regime, sentences, batch_size)
        assert predicted == read(jobs[regime] / f"predictions.{ENDINGS[regime]}")


def test_a_kept_model_s_folder_is_that_of_the_library(jobs, encoder_folder):
    from transformers import AutoModel, AutoTokenizer

    folder = jobs["pos"] / "model"
    encoder = AutoModel.from_pretrained(folder, add_pooling_layer=False)
    tuned = load_model(jobs["pos"]).encoder.pretrained.cpu()
    for name, value in encoder.state_dict().items():
        assert torch.equal(value, tuned.state_dict()[name])
    assert (
        AutoTokenizer.from_pretrained(folder).get_vocab() == AutoTokenizer.from_pretrained(encoder_folder).get_vocab()
    )
    assert AutoTokenizer.from_pretrained(folder).model_max_length == encoder.config.max_position_embeddings


def test_without_a_kept_model_there_is_one_clear_error(tmp_path):
    with pytest.raises(InputError, match="holds no finetuned model; run the finetuning with"):
        load_model(tmp_path)


# -- trouble -----------------------------------------------------------------------------------------------


def copy_with(data, folder, **parts):
    """The data with some files written anew."""
    shutil.copytree(data, folder)
    for part, sentences in parts.items():
        (folder / f"{part}.conllu").write_text(sentences, encoding="utf-8")
    return folder


STRANGE = conllu([("mat", "X", 2, "dep"), ("gon", "SYM", 0, "root"), (".", "INTJ", 2, "list")], 1)


@pytest.mark.parametrize("regime", ["pos", "ud"])
def test_labels_unseen_in_training_are_errors_and_no_crash(tmp_path, encoder_folder, data, regime):
    strange = copy_with(data, tmp_path / "data", test=STRANGE, dev=STRANGE)
    metrics = read_json(finetuned(tmp_path / "job", encoder_folder, strange, regime, epochs=2) / "metrics.json")
    scores = metrics["scores"]["test"][regime]
    if regime == "pos":
        assert scores == {"accuracy": 0.0}
    else:
        assert scores["las"] <= 1 / 3, "of these three relations, training had seen `root` alone"


def test_a_development_score_that_stays_zero_is_no_convergence(tmp_path, encoder_folder, data):
    strange = copy_with(data, tmp_path / "data", dev=STRANGE)
    folder = finetuned(tmp_path / "job", encoder_folder, strange, "pos", patience=2)
    metrics = read_json(folder / "metrics.json")
    assert metrics["converged"] is False
    assert metrics["reason"] == "the development score stayed 0"
    assert metrics["scores"]["dev"]["pos"] == {"accuracy": 0.0}
    assert metrics["best_epoch"] == 1
    assert (folder / "predictions.conllu").is_file()


@pytest.mark.parametrize("regime", ["pos", "ner"])
def test_a_loss_that_is_no_number_is_no_convergence(tmp_path, encoder_folder, data, regime):
    folder = finetuned(tmp_path / "job", encoder_folder, data, regime, learning_rate=1e37, frozen_epochs=0)
    text = (folder / "metrics.json").read_text(encoding="utf-8")
    metrics = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert metrics["converged"] is False
    assert "the loss became" in metrics["reason"]


def test_files_without_sentences_are_one_clear_error(tmp_path, encoder_folder, data):
    with pytest.raises(SpecializeError, match=r"dev\.conllu, line 1: has no sentences"):
        finetuned(tmp_path / "job", encoder_folder, copy_with(data, tmp_path / "data", dev="\n"), "pos")
    assert list((tmp_path / "job").iterdir()) == []


@pytest.mark.parametrize("regime", ["pos", "ud", "ner"])
def test_a_job_that_runs_away_from_its_start_still_writes_valid_metrics(tmp_path, encoder_folder, data, regime):
    folder = finetuned(tmp_path / regime, encoder_folder, data, regime, learning_rate=1e30, frozen_epochs=0)
    text = (folder / "metrics.json").read_text(encoding="utf-8")
    metrics = json.loads(text, parse_constant=lambda constant: pytest.fail(f"{constant} is not JSON"))
    assert metrics["converged"] is False
    assert metrics["reason"]


def test_data_without_any_entity_score_zero_and_not_nan():
    sentence = EntitySentence(("mat",), ("O",))
    assert EntityRecognition().scores([sentence], [sentence]) == {"f1": 0.0, "f1_macro": 0.0}


def test_padding_stored_in_a_tokenizer_is_not_used(tmp_path, encoder_folder):
    stored = Tokenizer.from_file(str(encoder_folder / "tokenizer.json"))
    stored.enable_padding()
    stored.enable_truncation(2)
    stored.save(str(tmp_path / "tokenizer.json"))
    words = ["mat", "abide", "o"]
    assert WordPieces(tmp_path).encode(words) == WordPieces(encoder_folder).encode(words)


# -- encoders ----------------------------------------------------------------------------------------------


def test_nothing_is_trained_on_an_encoder_that_did_not_converge(tmp_path, encoder_folder, data):
    encoder = shutil.copytree(encoder_folder, tmp_path / "encoder")
    write_json(encoder / "history.json", {"converged": False, "reason": "the loss became nan in epoch 2"})
    folder = finetuned(tmp_path / "pos", encoder, data, "pos", keep_model=True)
    metrics = read_json(folder / "metrics.json")
    assert metrics["converged"] is False
    assert metrics["reason"] == "the encoder did not converge: the loss became nan in epoch 2"
    assert metrics["best_epoch"] == 0
    assert read_json(folder / "timing.json")["epochs"] == 0
    assert (folder / "predictions.conllu").is_file()
    assert (folder / "model/task.json").is_file()


def test_an_encoder_that_converged_is_trained_on(tmp_path, encoder_folder, data):
    encoder = shutil.copytree(encoder_folder, tmp_path / "encoder")
    write_json(encoder / "history.json", {"converged": True})
    assert read_json(finetuned(tmp_path / "pos", encoder, data, "pos") / "metrics.json")["converged"]


@pytest.mark.parametrize("leading_space", [True, False])
@pytest.mark.parametrize("regime", REGIMES)
def test_a_monolingual_model_is_finetuned_like_any_other(tmp_path, data, regime, leading_space):
    encoder = write_monolingual_encoder(tmp_path / "encoder", data)
    folder = finetuned(tmp_path / regime, encoder, data, regime, keep_model=True, epochs=6, leading_space=leading_space)
    metrics = read_json(folder / "metrics.json")
    assert metrics["converged"]
    assert metrics["scores"]["dev"][regime][METRICS[regime][0]] > 0.3
    model = load_model(folder)
    task = model.tasks[regime]
    again = model.predict(regime, task.read(data / f"test.{ENDINGS[regime]}"), 4)
    task.write(tmp_path / "again", again)
    assert (tmp_path / "again").read_bytes() == (folder / f"predictions.{ENDINGS[regime]}").read_bytes()
