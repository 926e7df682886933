"""A RoBERTa from scratch on byte-level pieces: the paper's baseline BERT."""

import pytest
import torch
from tests.pretraining.conftest import DESCRIPTION, small_settings
from tokenizers import Tokenizer
from transformers import AutoModelForMaskedLM, AutoTokenizer, RobertaForMaskedLM

from specialize.files import file_hash, read_json
from specialize.pretraining.masked_text import training_text
from specialize.pretraining.pretrain import masked_loss, pretrain_monolingual
from specialize.vocabularies import BytePieceTraining, build_byte_vocabulary

ARCHITECTURE = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 34,
}
SETTINGS = small_settings(
    epochs=6, examples="lines", masking="dynamic", warmup_steps="epoch", learning_rate=1e-2, copies=3
)


@pytest.fixture(scope="module")
def vocabulary(corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("monolingual") / "vocabulary"
    build_byte_vocabulary(corpus / "train.txt", BytePieceTraining(size=400, min_frequency=2), {}, folder)
    return folder


@pytest.fixture(scope="module")
def model_folder(corpus, vocabulary, tmp_path_factory):
    folder = tmp_path_factory.mktemp("monolingual") / "model"
    pretrain_monolingual(vocabulary, corpus, ARCHITECTURE, SETTINGS, DESCRIPTION, folder)
    return folder


def test_it_learns(model_folder):
    history = read_json(model_folder / "history.json")
    losses = [record["validation_loss"] for record in history["epochs"]]
    assert min(losses[1:]) < losses[0] - 1
    assert history["hyperparameters"]["architecture"] == ARCHITECTURE


def test_it_loads_with_the_library_as_roberta(model_folder, vocabulary):
    model, tokenizer = (kind.from_pretrained(model_folder) for kind in (AutoModelForMaskedLM, AutoTokenizer))
    assert isinstance(model, RobertaForMaskedLM)
    assert (model.config.pad_token_id, model.config.bos_token_id, model.config.eos_token_id) == (
        tokenizer.pad_token_id,
        tokenizer.bos_token_id,
        tokenizer.eos_token_id,
    )
    encoded = tokenizer("lami <mask> tuke", return_tensors="pt")
    assert tokenizer.mask_token_id in encoded["input_ids"]
    assert tokenizer.model_max_length == ARCHITECTURE["max_position_embeddings"] - 2
    assert model(**encoded).logits.shape[-1] == len(tokenizer)
    assert (
        encoded["input_ids"][0].tolist()
        == Tokenizer.from_file(str(vocabulary / "tokenizer.json")).encode("lami <mask> tuke").ids
    )


@pytest.mark.slow
def test_two_runs_give_the_same_bytes(corpus, vocabulary, model_folder, tmp_path):
    pretrain_monolingual(vocabulary, corpus, ARCHITECTURE, SETTINGS, DESCRIPTION, tmp_path / "again")
    for file in ("model.safetensors", "history.json", "README.md", "tokenizer.json"):
        assert file_hash(tmp_path / "again" / file) == file_hash(model_folder / file), file


def test_the_loss_is_that_of_the_whole_model_in_padded_batches(corpus, model_folder):
    model = RobertaForMaskedLM.from_pretrained(model_folder).eval()
    tokenizer = Tokenizer.from_file(str(model_folder / "tokenizer.json"))
    pad = tokenizer.token_to_id("<pad>")
    padded = 0
    for batch in training_text([corpus / "train.txt"], tokenizer, SETTINGS).in_order():
        assert (batch.ids == pad).equal(batch.attention == 0)
        padded += int((batch.ids == pad).sum())
        labels = torch.full_like(batch.ids, -100)
        labels.view(-1)[batch.places] = batch.targets
        whole = model(input_ids=batch.ids, attention_mask=batch.attention, labels=labels).loss
        torch.testing.assert_close(masked_loss(model, batch), whole, rtol=1e-5, atol=1e-6)
    assert padded


def test_its_gradients_are_those_of_the_whole_model(corpus, model_folder):
    tokenizer = Tokenizer.from_file(str(model_folder / "tokenizer.json"))
    batch = next(training_text([corpus / "train.txt"], tokenizer, SETTINGS).in_order())
    labels = torch.full_like(batch.ids, -100)
    labels.view(-1)[batch.places] = batch.targets
    gradients = []
    for ours in (True, False):
        model = RobertaForMaskedLM.from_pretrained(model_folder).eval()
        whole = model(input_ids=batch.ids, attention_mask=batch.attention, labels=labels).loss
        (masked_loss(model, batch) if ours else whole).backward()
        gradients.append({name: parameter.grad for name, parameter in model.named_parameters()})
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradient, gradients[1][name], rtol=1e-4, atol=1e-6)
