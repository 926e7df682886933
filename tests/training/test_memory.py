"""A batch that does not fit a GPU is split into micro-batches, with the gradient of the whole.

There is no GPU here: the error that it raises is raised where more than so many examples are computed at once.
"""

import pytest
import torch
from tests.finetuning.conftest import HEADS, finetuned, small_settings, write_data, write_encoder
from tests.pretraining.conftest import small_settings as pretraining_settings
from tests.pretraining.conftest import write_base, write_corpus
from tokenizers import Tokenizer
from transformers import BertForMaskedLM

from specialize.files import read_json, write_json
from specialize.finetuning.batches import TrainingSentences
from specialize.finetuning.encoder import WordEncoder, WordPieces
from specialize.finetuning.model import TaskModel
from specialize.finetuning.tasks import task_named
from specialize.pretraining import masked_loss as masked_loss_module
from specialize.pretraining.masked_loss import masked_loss, validation_loss
from specialize.pretraining.masked_text import training_text, validation_text

TASKS = {"pos": {}, "ud": {}, "ner": {}, "ner-sum": {"loss": "sum"}}


@pytest.fixture(scope="module")
def encoder_folder(tmp_path_factory):
    return write_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("data"))


def fitting(function, most, size_of):
    """The function on a device whose memory holds so many examples."""

    def limited(self, *arguments):
        if size_of(*arguments) > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return function(self, *arguments)

    return limited


# -- the gradient ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [2, 3, 100])
@pytest.mark.parametrize("name", TASKS)
def test_micro_batches_of_a_finetuning_batch_add_up_to_its_loss_and_gradient(encoder_folder, data, name, number):
    task = task_named(name.partition("-")[0], "upos")
    sentences = task.read(data / f"train.{task.ending}")[:7]
    task.labels = sorted({label for sentence in sentences for label in task.label_names(sentence)})
    torch.manual_seed(1)
    heads = {task.name: {**HEADS[task.name], **TASKS[name]}}
    model = TaskModel(WordEncoder(encoder_folder, 0.0, False), WordPieces(encoder_folder), [[task]], heads).eval()
    training = TrainingSentences(
        model.pieces,
        [model.pieces.encode(task.words(sentence)) for sentence in sentences],
        {task.name: [task.targets(sentence) for sentence in sentences]},
        7,
        24,
        seed=1,
        loss_denominator=model.heads[task.name].loss_denominator,
    )
    (batch,) = training.epoch(1)
    micro_batches = training.micro_batches(batch, number)
    assert len(micro_batches) == min(number, 7)

    def loss_of(chosen):
        return model.loss(*training.tensors(chosen))

    expected = gradient(model, loss_of, [(1, batch)])
    found = gradient(model, loss_of, micro_batches)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("number", [2, 3, 100])
def test_micro_batches_of_a_pretraining_batch_add_up_to_its_loss_and_gradient(tmp_path, number):
    base, corpus = write_base(tmp_path), write_corpus(tmp_path)
    model = BertForMaskedLM.from_pretrained(base).eval()
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    text = training_text([corpus / "train.txt"], tokenizer, pretraining_settings())
    batch = next(iter(text.epoch(1)))
    micro_batches = text.micro_batches(batch, number)
    assert len(micro_batches) == min(number, len(batch))

    def loss_of(chosen):
        return masked_loss(model, text.tensors(chosen))

    expected = gradient(model, loss_of, [(1, batch)])
    found = gradient(model, loss_of, micro_batches)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


def gradient(model, loss_of, micro_batches):
    """The loss of all micro-batches and the gradients that they add up to."""
    model.zero_grad()
    total = 0
    for weight, micro_batch in micro_batches:
        loss = weight * loss_of(micro_batch)
        loss.backward()
        total += loss.detach()
    return {"loss": total, **{name: one.grad.clone() for name, one in model.named_parameters()}}


@pytest.mark.parametrize("most", [1, 2, 3, 5, 100])
def test_a_validation_batch_that_does_not_fit_has_the_same_loss(tmp_path, monkeypatch, most):
    base, corpus = write_base(tmp_path), write_corpus(tmp_path)
    model = BertForMaskedLM.from_pretrained(base).eval()
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    text = validation_text([corpus / "valid.txt"], tokenizer, pretraining_settings(batch_size=7))
    whole, computed = validation_loss(model, text), []

    def limited(model, batch, precision):
        if len(batch.ids) > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        computed.append(len(batch.ids))
        return masked_loss(model, batch, precision)

    monkeypatch.setattr(masked_loss_module, "masked_loss", limited)
    assert validation_loss(model, text) == pytest.approx(whole, rel=1e-5)
    assert max(computed) <= most
    monkeypatch.setattr(masked_loss_module, "masked_loss", fitting(masked_loss, 0, lambda batch, _: len(batch.ids)))
    with pytest.raises(torch.OutOfMemoryError):
        validation_loss(model, text)


# -- whole jobs --------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("most", "micro_batches"), [(3, 2), (1, 4)])
def test_a_job_that_does_not_fit_ends_like_one_that_does(tmp_path, data, monkeypatch, capsys, most, micro_batches):
    encoder_folder = write_encoder(tmp_path)  # without dropout, whose masks differ
    config = read_json(encoder_folder / "config.json")
    write_json(
        encoder_folder / "config.json",
        {**config, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0},
    )
    heads = {"ud": {**HEADS["ud"], "input_dropout": 0.0, "dropout": 0.0}}
    settings = {"heads": heads, "layer_dropout": 0.0, "epochs": 3, "learning_rate": 0.005}
    whole = finetuned(tmp_path / "whole", encoder_folder, data, "ud", **settings)
    monkeypatch.setattr(TaskModel, "loss", fitting(TaskModel.loss, most, lambda words, _: len(words.layout.mask)))
    monkeypatch.setattr(TaskModel, "_decode", fitting(TaskModel._decode, most, lambda _, sentences: len(sentences)))
    divided = finetuned(tmp_path / "divided", encoder_folder, data, "ud", **settings)
    assert f"splitting each into {micro_batches} micro-batches" in capsys.readouterr().out
    assert read_json(divided / "timing.json")["parts_of_a_batch"] == micro_batches
    assert read_json(whole / "timing.json")["parts_of_a_batch"] == 1
    one, other = (read_json(folder / "metrics.json") for folder in (whole, divided))
    assert one["hyperparameters"] == other["hyperparameters"] == small_settings("ud", **settings).job_parameters()
    losses = [
        [record["training_loss"] for record in read_json(folder / "history.json")["epochs"]]
        for folder in (whole, divided)
    ]
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)
    assert other["scores"]["test"]["ud"]["las"] == pytest.approx(one["scores"]["test"]["ud"]["las"], abs=0.03)


def test_what_does_not_fit_even_alone_is_an_error(tmp_path, encoder_folder, data, monkeypatch):
    monkeypatch.setattr(TaskModel, "loss", fitting(TaskModel.loss, 0, lambda words, _: len(words.layout.mask)))
    with pytest.raises(torch.OutOfMemoryError):
        finetuned(tmp_path / "job", encoder_folder, data, "pos")
