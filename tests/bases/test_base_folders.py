"""The folder of a base model: what is refused before any long job starts."""

import json

import numpy
import pytest
from safetensors.numpy import save
from tokenizers import Tokenizer, models, trainers

from specialize.bases.folder import check_base_model, model_files
from specialize.errors import InputError

CONFIG = {"model_type": "bert", "vocab_size": 3}


def zeros(rows, name="bert.embeddings.word_embeddings.weight"):
    return save({name: numpy.zeros((rows, 2), numpy.float32)})


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    (tmp_path / "model.safetensors").write_bytes(zeros(3))
    Tokenizer(models.WordPiece({"[UNK]": 0, "a": 1}, unk_token="[UNK]")).save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def test_a_whole_one_passes(folder):
    check_base_model(folder)


def test_its_files_are_those_that_are_downloaded():
    assert model_files() == (
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.txt",
        "special_tokens_map.json",
        "added_tokens.json",
        "model.safetensors",
    )


@pytest.mark.parametrize("absent", ["config.json", "tokenizer.json", "model.safetensors"])
def test_one_that_lacks_a_file_is_refused(folder, absent):
    (folder / absent).unlink()
    with pytest.raises(InputError, match=f"{absent}: is missing from the base model"):
        check_base_model(folder)


def config(**changes):
    return json.dumps(CONFIG | changes).encode()


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("config.json", b"[1]", "is of a list model; WordPiece bases only for now: choose a BERT model such as mBERT"),
        ("config.json", b"{", "is not JSON"),
        ("config.json", config(model_type="xlm-roberta"), "is of a xlm-roberta model; WordPiece bases only for now"),
        ("config.json", config(model_type="roberta"), "is of a roberta model; WordPiece bases only for now"),
        ("config.json", config(vocab_size=2), "vocab_size is 2"),
        ("config.json", json.dumps({"model_type": "bert"}).encode(), "vocab_size is None"),
        ("config.json", config(tie_word_embeddings=False), "has tie_word_embeddings: false; choose a model"),
        ("tokenizer.json", b'{"model": {}}', "is not a tokenizer"),
        ("model.safetensors", b"weights", "is not safetensors"),
        ("model.safetensors", zeros(3)[:-1], "is not safetensors"),
        ("model.safetensors", zeros(4), "has 4 word embeddings, where config.json's vocab_size is 3"),
        ("model.safetensors", zeros(3, "other.weight"), "has 0 word embeddings"),
    ],
)
def test_one_whose_files_do_not_fit_is_refused(folder, name, content, problem):
    (folder / name).write_bytes(content)
    with pytest.raises(InputError, match=problem):
        check_base_model(folder)


FOREIGN = {
    "BPE": (models.BPE(), trainers.BpeTrainer(show_progress=False)),
    "Unigram": (models.Unigram(), trainers.UnigramTrainer(show_progress=False, vocab_size=20)),
}


@pytest.mark.parametrize(("model", "trainer"), FOREIGN.values(), ids=FOREIGN)
def test_one_without_wordpieces_is_refused(folder, model, trainer):
    tokenizer = Tokenizer(model)
    tokenizer.train_from_iterator(["talo kala sana"], trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    problem = rf"tokenizer\.json: holds a {type(model).__name__} vocabulary; WordPiece bases only for now"
    with pytest.raises(InputError, match=problem):
        check_base_model(folder)
