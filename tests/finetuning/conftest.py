"""What these tests share: a small encoder, a small treebank with entities, and settings to finetune with."""

import random
from collections import Counter

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import BertConfig, BertForMaskedLM, RobertaConfig, RobertaForMaskedLM

from specialize.datasets import read_treebank
from specialize.experiment import Language
from specialize.files import write_json
from specialize.finetuning.finetune import finetune
from specialize.finetuning.settings import FinetuningSettings
from specialize.pretraining.static_vectors import VectorSettings, train_static_vectors
from specialize.training.devices import seed_everything
from specialize.vocabularies import (
    SPECIAL_TOKENS,
    BytePieceTraining,
    bert_tokenizer,
    learn_byte_pieces,
    save_byte_tokenizer,
    save_tokenizer,
)

LETTERS = "abdegiklmnorstuw"
LONGEST = 24  # pieces of a segment, so that sentences of a few words are folded already
HEADS = {
    "pos": {"dropout": 0.1},
    "ner": {"dropout": 0.1, "loss": "mean"},
    "ud": {"input_dropout": 0.1, "dropout": 0.1, "arc_dimension": 12, "label_dimension": 8, "single_root": True},
}
ENDINGS = {"pos": "conllu", "ud": "conllu", "ner": "tsv"}
LANGUAGE = Language("qaa", {"name": "Talvaric", "treebank": {"tags": "upos"}, "ner": {}})
SIZES = {"train": 24, "dev": 10, "test": 10}


class Operations(TorchDispatchMode):
    """Counts the operations that are sent to the device, and how many of them are views, which start no kernel."""

    number = views = 0

    def __torch_dispatch__(self, operation, types, arguments=(), named=None):
        self.number += 1
        self.views += operation.is_view
        return operation(*arguments, **(named or {}))


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory):
    return write_encoder(tmp_path_factory.mktemp("encoder"))


def write_encoder(folder):
    """A BERT that knows sixteen letters, the full stop, and nothing else."""
    pieces = [*SPECIAL_TOKENS, ".", *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    tokenizer = bert_tokenizer({piece: number for number, piece in enumerate(pieces)})
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    seed_everything(1, 1, 1, threads=1)
    model = BertForMaskedLM(
        BertConfig(vocab_size=len(pieces), max_position_embeddings=LONGEST, initializer_range=0.2, **sizes)
    )
    model.save_pretrained(folder)
    save_tokenizer(tokenizer, folder)
    return folder


def write_monolingual_encoder(folder, data):
    """A RoBERTa with byte-level pieces of the treebank's words."""
    words = Counter(word.form for sentence in read_treebank(data / "train.conllu") for word in sentence.words)
    tokenizer = learn_byte_pieces(words, BytePieceTraining(size=330, min_frequency=1))
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    seed_everything(1, 1, 1, threads=1)
    model = RobertaForMaskedLM(
        RobertaConfig(
            vocab_size=tokenizer.get_vocab_size(),
            max_position_embeddings=LONGEST + 2,
            type_vocab_size=1,
            pad_token_id=tokenizer.token_to_id("<pad>"),
            initializer_range=0.2,
            **sizes,
        )
    )
    model.save_pretrained(folder)
    save_byte_tokenizer(tokenizer, folder)
    return folder


def write_static_vectors(folder, data):
    """Static vectors of the treebank's frequent words."""
    words = [[word.form for word in sentence.words] for sentence in read_treebank(data / "train.conllu")]
    (folder / "train.txt").write_text("\n".join(map(" ".join, words)) + "\n", encoding="utf-8")
    write_json(folder / "statistics.json", {"train": {"sentences": len(words), "tokens": sum(map(len, words))}})
    settings = VectorSettings(
        seed=1, threads=1, dimension=8, epochs=2, window=5, min_count=4, negative=5, negative_exponent=0.5,
        sample=0.0, learning_rate=0.05, shortest=3, longest=6, buckets=300,
    )  # fmt: skip
    train_static_vectors(folder, settings, folder)
    return folder


# -- data --------------------------------------------------------------------------------------------------

NOUNS, VERBS, ADJECTIVES = ["mat", "gon", "kul"], ["abide", "ebuse"], ["irid", "olid"]


def draw_sentence(generator):
    """Words with tag, head and relation, and their entity labels: noun, verb, perhaps object, full stop."""
    words, entities = [], []

    def noun_phrase(relation, verb):
        adjective = generator.random() < 0.5
        noun = len(words) + adjective + 1
        if adjective:
            words.append((generator.choice(ADJECTIVES), "ADJ", noun, "amod:plain"))
        words.append((generator.choice(NOUNS), "NOUN", verb, relation))
        entities.extend(["B-PER", "I-PER"] if adjective else ["B-LOC"])
        return noun

    with_subject, with_object = generator.random() < 0.8, generator.random() < 0.5
    if with_subject:
        noun_phrase("nsubj", None)
    verb = len(words) + 1
    words[:] = [(*word[:2], word[2] or verb, word[3]) for word in words]
    words.append((generator.choice(VERBS), "VERB", 0, "root"))
    entities.append("O")
    if with_object:
        noun_phrase("obj", verb)
    words.append((".", "PUNCT", verb, "punct"))
    entities.append("O")
    return words, entities


def conllu(words, number):
    rows = [f"# sent_id = {number}", "# text = " + " ".join(word[0] for word in words)]
    for index, (form, tag, head, relation) in enumerate(words, start=1):
        rows.append(f"{index}\t{form}\t_\t{tag}\t{tag[0].lower()}\t_\t{head}\t{relation}\t{head}:{relation}\t_")
    return "\n".join(rows) + "\n\n"


def write_data(folder):
    for part, size in SIZES.items():
        generator = random.Random(part)
        sentences = [draw_sentence(generator) for _ in range(size)]
        treebank = "".join(conllu(words, number) for number, (words, _) in enumerate(sentences, start=1))
        (folder / f"{part}.conllu").write_text(treebank, encoding="utf-8")
        entities = "".join(
            "".join(f"{word[0]}\t{label}\n" for word, label in zip(*sentence, strict=True)) + "\n"
            for sentence in sentences
        )
        (folder / f"{part}.tsv").write_text(entities, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """Labeled data for all three tasks."""
    return write_data(tmp_path_factory.mktemp("data"))


# -- jobs --------------------------------------------------------------------------------------------------


def small_settings(regime, **changes):
    datasets = LANGUAGE.datasets(regime)
    tasks = [task for together in datasets for task in together]
    values = {
        "threads": 1,
        "epochs": 4,
        "patience": 20,
        "frozen_epochs": 1,
        "schedule": "constant",
        "learning_rate": 0.02,
        "encoder_multiplier": 0.1,
        "weight_decay": 0.01,
        "gradient_norm": 5.0,
        "bias_correction": True,
        "layer_dropout": 0.1,
        "layer_dropout_when_evaluating": False,
        "leading_space": True,
        "unknown_words": "subwords",
        "vector_updates": "dense",
        "precision": "float32",
        "deterministic": False,
        "development_punctuation": True,
        "alt_punctuation": "upos",
        "batch_size": 4,
        "seeds": [1337, 133, 13370],
        "tags": "upos" if "pos" in tasks else None,
        "datasets": datasets,
        "upsample": "-ups" in regime,
        "order": "shuffled",
        "heads": {task: HEADS[task] for task in tasks},
        "task_encoders": None,
        "method": "base",
    }
    return FinetuningSettings(**values).model_copy(update=changes)  # also to what no configuration may ask for


def finetuned(folder, start, data, regime, seed=1, keep_model=False, **changes):
    """Run one job into a new folder."""
    folder.mkdir(parents=True)
    cell = {"language": "qaa", "representation": "lapt", "regime": regime, "seed": seed}
    folders = {"conllu": data, "tsv": data}
    finetune(start, folders, cell, small_settings(regime, **changes), folder, keep_model)
    return folder


@pytest.fixture(scope="session")
def jobs(tmp_path_factory, encoder_folder, data):
    """One finished job of each regime, its model kept."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("jobs")
    return {
        regime: finetuned(folder / regime, encoder_folder, data, regime, keep_model=True)
        for regime in ("pos", "ud", "ner")
    }
