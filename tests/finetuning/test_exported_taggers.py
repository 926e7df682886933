"""Taggers as transformers loads them: the same logits of words, its pipeline, a card that tells the truth."""

import builtins
from pathlib import Path

import pytest
import torch
from tests.finetuning.conftest import finetuned, write_monolingual_encoder
from transformers import pipeline

from specialize.errors import InputError
from specialize.finetuning.layout import EncodedSentences
from specialize.finetuning.model import load_model
from specialize.reports import tagger_export
from specialize.reports.tagger_export import export_tagger

WORDS = ["irid", "mat", "abide", "gon", "."]


def test_logits_of_byte_level_pieces_are_the_model_s_too(data, tmp_path, monkeypatch):
    (tmp_path / "encoder").mkdir()
    encoder = write_monolingual_encoder(tmp_path / "encoder", data)
    job = finetuned(tmp_path / "job", encoder, data, "pos", keep_model=True, method="scratch", epochs=2)
    test_logits_of_words_are_the_model_s({"pos": job}, "pos", tmp_path, monkeypatch)


@pytest.mark.parametrize("regime", ["pos", "ner"])
def test_logits_of_words_are_the_model_s(jobs, regime, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(builtins, "input", lambda question: asked.append(question) or "n")
    export_tagger(jobs[regime], tmp_path / "export")
    card = (tmp_path / "export/README.md").read_text(encoding="utf-8")
    loaded = {}
    exec(card.split("```")[1].removeprefix("python").replace("path/to/this/folder", f"{tmp_path}/export"), loaded)
    tokenizer, tagger = loaded["tokenizer"], loaded["model"].eval()
    encoded = tokenizer([WORDS], is_split_into_words=True, return_tensors="pt")
    with torch.no_grad():
        pieces = tagger(**encoded).logits[0]
    places = encoded.word_ids()
    found = torch.stack(
        [pieces[[place for place, one in enumerate(places) if one == word]].mean(0) for word in range(len(WORDS))]
    )
    model = load_model(jobs[regime]).cpu()
    words = model.pieces.collate(EncodedSentences.of([model.pieces.encode(WORDS)]), model.encoder.longest)
    with torch.no_grad():
        expected = model.heads[regime].projection(model.encoder(words))[0]
    assert torch.allclose(found, expected, atol=1e-5)
    assert list(tagger.config.id2label.values()) == model.tasks[regime].labels
    tags = pipeline("token-classification", str(tmp_path / "export"), trust_remote_code=True)
    assert {one["entity"] for one in tags(" ".join(WORDS))} <= set(model.tasks[regime].labels)
    assert asked == [], "nobody is asked whether to run the code"
    for file in (tmp_path / "export").rglob("*"):
        assert str(tmp_path.parent).encode() not in file.read_bytes(), "no path of this machine"
        assert b"LABEL_" not in file.read_bytes()
    assert ("Without its transitions" in card) == (regime == "ner")


def test_what_the_library_cannot_read_is_refused(jobs, tmp_path):
    with pytest.raises(InputError, match="parses only"):
        export_tagger(jobs["ud"], tmp_path / "export")
    with pytest.raises(InputError, match="knows no named entities"):
        export_tagger(jobs["pos"], tmp_path / "export", entities=True)
    assert not (tmp_path / "export").exists()


def test_nothing_that_is_there_is_replaced(jobs, tmp_path, monkeypatch):
    monkeypatch.setattr(tagger_export, "load_model", None)  # nothing is loaded
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("kept", encoding="utf-8")
    (tmp_path / "link").symlink_to("mine")
    (tmp_path / "file").write_text("kept", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for folder in ("mine", "mine/", "link", ".", "..", "mine/..", "/"):
        with pytest.raises(InputError, match="is a folder that is not empty; give --output a new folder, such as"):
            export_tagger(jobs["pos"], Path(folder))
    with pytest.raises(InputError, match="is a file; give --output a new folder, such as"):
        export_tagger(jobs["pos"], tmp_path / "file")
    with pytest.raises(InputError, match="file: is a file; give"):
        export_tagger(jobs["pos"], tmp_path / "file/export")
    for folder in (jobs["pos"], jobs["pos"] / "model", jobs["pos"] / "model/new", jobs["pos"] / "new"):
        with pytest.raises(InputError, match="model's own folder; give"):
            export_tagger(jobs["pos"], folder)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir("empty")
    with pytest.raises(InputError, match="names no new folder; give"):
        export_tagger(jobs["pos"], Path())
    assert list((tmp_path / "mine").iterdir()) == [tmp_path / "mine/notes.txt"]
    assert (tmp_path / "file").read_text(encoding="utf-8") == "kept"
