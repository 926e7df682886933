"""Finished models that lose wordpieces: they say the same of texts that need none of those, to the bit."""

import json
import shutil
import sys

import pytest
import torch
from safetensors.torch import load_file
from tests.finetuning.conftest import LETTERS, LONGEST, finetuned, write_monolingual_encoder
from transformers import BertConfig, BertForMaskedLM

from specialize.__main__ import main
from specialize.errors import InputError
from specialize.files import read_json, write_json
from specialize.finetuning.layout import EncodedSentences
from specialize.finetuning.model import TaskModel, load_model
from specialize.finetuning.trimming import trim_finished
from specialize.training.devices import seed_everything
from specialize.vocabularies import SPECIAL_TOKENS, bert_tokenizer, in_order, load_base, save_tokenizer

SENTENCES = [["irid", "mat", "abide", "gon", "."], ["olid", "kul", "ebuse", "."], ["gon", "ebuse", "Žit"]]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A BERT that has more pieces than its language needs, some of them before its special tokens."""
    folder = tmp_path_factory.mktemp("many")
    pieces = ["[PAD]", "mat", "qa", "##qo", "zu", *SPECIAL_TOKENS[1:], ".", *LETTERS, *"ΑΒΓ"]
    pieces += [*(f"##{letter}" for letter in LETTERS), "abi", "##de", "##zz", "olid"]
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    seed_everything(1, 1, 1, threads=1)
    config = BertConfig(vocab_size=len(pieces), max_position_embeddings=LONGEST, initializer_range=0.2, **sizes)
    BertForMaskedLM(config).save_pretrained(folder)
    save_tokenizer(bert_tokenizer({piece: number for number, piece in enumerate(pieces)}), folder)
    return folder


@pytest.fixture(scope="module")
def models(encoder, data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    (folder / "bytes").mkdir()
    monolingual = write_monolingual_encoder(folder / "bytes", data)
    made = {
        regime: finetuned(folder / regime, encoder, data, regime, keep_model=True, epochs=1)
        for regime in ("pos", "ud", "ner", "mtl-ups")
    }
    own = {"method": "scratch", "keep_model": True, "epochs": 1}
    return made | {"bytes": finetuned(folder / "job", monolingual, data, "pos", **own)}


@pytest.mark.parametrize("regime", ["pos", "ud", "ner", "mtl-ups", "bytes"])
def test_a_trimmed_model_says_the_same_to_the_bit(models, regime, data, tmp_path):
    sentences = SENTENCES[:1] if regime == "bytes" else SENTENCES
    few = tmp_path / "few.txt"
    few.write_text("".join(" ".join(sentence) + "\n" for sentence in sentences), encoding="utf-8")
    texts = [few] if regime == "bytes" else [data / "train.tsv", data / "train.conllu", few]
    before, after = trim_finished(models[regime], tmp_path / "small", texts)
    assert before == load_base(models[regime] / "model").get_vocab_size()
    assert after == load_base(tmp_path / "small").get_vocab_size() < before
    old, new = (load_model(folder).cpu() for folder in (models[regime], tmp_path / "small"))
    assert new.encoder.pretrained.config.vocab_size == after
    if regime != "bytes":
        assert not {"qa", "##qo", "zu", "Α", "##zz"} & set(in_order(load_base(tmp_path / "small")))
        assert load_base(tmp_path / "small").token_to_id("[CLS]") < load_base(models[regime] / "model").token_to_id(
            "[CLS]"
        )
    found = []
    for model in (old, new):
        encoded = EncodedSentences.of([model.pieces.encode(words) for words in sentences])
        words = model.pieces.collate(encoded, model.encoder.longest)
        with torch.no_grad():
            vectors = model.encoder(words)
            logits = [_logits(model, name, vectors, words.layout) for name in sorted(model.tasks)]
        found.append([vectors, *logits])
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)
    sizes = [(folder / "model.safetensors").stat().st_size for folder in (models[regime] / "model", tmp_path / "small")]
    assert sizes[0] - sizes[1] >= (before - after) * 16 * 4


def _logits(model, task, vectors, layout):
    """What a head gives each label; of a parser, each word and label."""
    head = model.heads[task]
    if hasattr(head, "projection"):
        return head.projection(vectors)
    caught = []
    hooks = [part.register_forward_hook(lambda _, __, output: caught.append(output)) for part in head.children()]
    head.decode(vectors, layout)
    for hook in hooks:
        hook.remove()
    assert caught
    return torch.cat([one.reshape(-1) for one in caught])


def test_losses_of_the_first_ten_steps_are_those_of_the_untrimmed_start(encoder, data, tmp_path, monkeypatch):
    trim_finished(encoder, tmp_path / "small", [data / "train.conllu"])
    losses, plain = [], TaskModel.loss

    def noted(model, *batch):
        loss = plain(model, *batch)
        losses.append(float(loss.detach()))
        return loss

    monkeypatch.setattr(TaskModel, "loss", noted)
    runs = []
    for name, start in (("whole", encoder), ("trimmed", tmp_path / "small")):
        losses.clear()
        finetuned(tmp_path / name, start, data, "pos", frozen_epochs=0, epochs=2, encoder_multiplier=1.0)
        runs.append(list(losses[:10]))
    assert len(runs[0]) == 10 and runs[0][0] - runs[0][9] > 0.1
    assert runs[0] == pytest.approx(runs[1], abs=1e-5)


def test_the_command_trims_an_encoder_and_its_card(encoder, tmp_path, monkeypatch, capsys):
    exported = shutil.copytree(encoder, tmp_path / "exported")
    (exported / "README.md").write_text("# A model\n")
    (tmp_path / "text.txt").write_text("mat abide.\n")
    arguments = ["specialize", "trim", exported, tmp_path / "small", "--text", tmp_path / "text.txt"]
    monkeypatch.setattr(sys, "argv", [str(argument) for argument in arguments])
    main()
    pieces = len(load_file(tmp_path / "small/model.safetensors")["bert.embeddings.word_embeddings.weight"])
    said = f"small: {pieces} of {load_base(encoder).get_vocab_size()} wordpieces stay\n"
    assert capsys.readouterr().out.endswith(said)
    assert "## Smaller vocabulary" in (tmp_path / "small/README.md").read_text()
    names = [sorted(path.name for path in folder.iterdir()) for folder in (exported, tmp_path / "small")]
    assert names[0] == names[1]
    with pytest.raises(SystemExit, match="is there already; give a new folder, such as ltg-small"):
        main()
    with pytest.raises(InputError, match=r"is in the model's own folder; give a new folder"):
        trim_finished(exported, exported / "within/small", [tmp_path / "text.txt"])
    with pytest.raises(InputError, match="is no file; correct the path"):
        trim_finished(exported, tmp_path / "other", [tmp_path / "nowhere.txt"])


def test_a_twins_model_reads_texts_as_its_scheme_writes_them(encoder, tmp_path):
    twin = shutil.copytree(encoder, tmp_path / "twin")
    write_json(twin / "transliteration.json", {"scheme": "transliterate", "language": "ru"})
    (tmp_path / "text.txt").write_text("мат олид\n")
    trim_finished(twin, tmp_path / "small", [tmp_path / "text.txt"])
    kept = in_order(load_base(tmp_path / "small"))
    assert {"mat", "olid"} <= set(kept) and "abi" not in kept


def test_what_has_no_wordpieces_is_refused(encoder, data, tmp_path):
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(InputError, match="has no words; give a text in the language of the model"):
        trim_finished(encoder, tmp_path / "small", [tmp_path / "empty.txt"])
    with pytest.raises(InputError, match="holds no model; give a finetuned model that was kept"):
        trim_finished(tmp_path, tmp_path / "small", [data / "train.conllu"])
    (tmp_path / "vectors").mkdir()
    write_json(tmp_path / "vectors/task.json", {"task_encoders": {}})
    with pytest.raises(InputError, match="reads static vectors of words, not wordpieces; trim another model"):
        trim_finished(tmp_path / "vectors", tmp_path / "small", [data / "train.conllu"])
    tagger = shutil.copytree(encoder, tmp_path / "tagger")
    (tagger / "config.json").write_text(json.dumps(read_json(tagger / "config.json") | {"auto_map": {}}))
    with pytest.raises(InputError, match="is a tagger that was exported; trim the model that it was exported from"):
        trim_finished(tagger, tmp_path / "small", [data / "train.conllu"])
    assert not (tmp_path / "small").exists()
