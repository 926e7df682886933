"""What these tests share: a small text, a small base model, and settings to train it with."""

import random

import pytest
import torch
from transformers import BertConfig, BertForMaskedLM

from specialize.files import write_json
from specialize.pretraining.model_card import ModelDescription
from specialize.pretraining.settings import PretrainingSettings
from specialize.training.devices import seed_everything
from specialize.vocabularies import SPECIAL_TOKENS, bert_tokenizer, inject, save_tokenizer, special_ids

DESCRIPTION = ModelDescription(
    language="qaa",
    name="Talvaric",
    representation="tva",
    method="adapt",
    base_model="demo",
    on_hub=False,
    license="apache-2.0",
    text="generated text",
    text_license=None,
)
LETTERS = "abdegiklmnorstuw"
ARCHITECTURE = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 64,
    "initializer_range": 0.1,
}
SLOTS = 4
NEW_PIECES = ["ქა", "##რი"]


def small_settings(**changes):
    values = {
        "seed": 7,
        "threads": 1,
        "epochs": 2,
        "steps_per_epoch": None,
        "validation_sentences": None,
        "batch_size": 8,
        "sequence_length": 32,
        "copies": 2,
        "masked_probability": 0.15,
        "max_predictions": 20,
        "short_sequence_probability": 0.1,
        "learning_rate": 2e-3,
        "warmup_steps": 3,
        "weight_decay": 0.01,
        "gradient_norm": 1.0,
        "bias_correction": False,
        "examples": "articles",
        "masking": "static",
        "tiering": "rows",
        "precision": "float32",
        "deterministic": False,
        "initialisation": "slot",
        "augmented": True,
        "tiered": True,
    }
    return PretrainingSettings(**values).model_copy(update=changes)  # also to what no configuration may ask for


def small_tokenizer():
    """A vocabulary of letters, with free slots as in mBERT."""
    unused = [f"[unused{number}]" for number in range(1, SLOTS + 1)]
    pieces = ["[PAD]", *unused, *SPECIAL_TOKENS[1:], *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    return bert_tokenizer({piece: number for number, piece in enumerate(pieces)})


SYLLABLES = ["la", "mi", "no", "tu", "ke", "ra", "si", "wu"]


def write_text(path, articles, seed):
    """Words of a few syllables each, so that a letter tells the next one."""
    generator = random.Random(seed)
    lines = []
    for _ in range(articles):
        for _ in range(generator.randint(2, 5)):
            words = ["".join(generator.choices(SYLLABLES, k=generator.randint(1, 3))) for _ in range(5)]
            lines.append(" ".join(words))
        lines.append("")
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus"))


def write_corpus(folder):
    write_text(folder / "train.txt", 20, seed=1)
    write_text(folder / "valid.txt", 6, seed=2)
    write_json(folder / "statistics.json", {"train": {"articles": 20, "sentences": 70, "tokens": 350}})
    return folder


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    return write_base(tmp_path_factory.mktemp("base"))


def write_base(folder):
    """The folder of a base model."""
    seed_everything(1, 1, 1, threads=1)
    tokenizer = small_tokenizer()
    BertForMaskedLM(BertConfig(vocab_size=tokenizer.get_vocab_size(), **ARCHITECTURE)).save_pretrained(folder)
    save_tokenizer(tokenizer, folder)
    return folder


def write_vocabulary(folder, pieces):
    """A vocabulary folder as the stage before makes it."""
    folder.mkdir()
    augmented = inject(small_tokenizer(), pieces)
    save_tokenizer(augmented, folder)
    write_json(folder / "statistics.json", {"pieces": {piece: augmented.get_vocab()[piece] for piece in pieces}})
    return folder


@pytest.fixture(scope="session")
def same_vocabulary(tmp_path_factory):
    """The base vocabulary as it is (LAPT)."""
    return write_vocabulary(tmp_path_factory.mktemp("vocabularies") / "lapt", [])


@pytest.fixture(scope="session")
def new_vocabulary(tmp_path_factory):
    """Two new pieces in free slots (TVA)."""
    return write_vocabulary(tmp_path_factory.mktemp("vocabularies") / "tva", NEW_PIECES)


def model_of_family(architecture, tied, pieces, sizes=ARCHITECTURE):
    """A model whose weights are as training leaves them: no bias is 0."""
    seed_everything(1, 1, 1, threads=1)
    model = architecture.new_masked_lm(sizes | {"tie_word_embeddings": tied}, pieces, special_ids(small_tokenizer()))
    architecture.join_biases(model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0.0, 0.1)
    return model
