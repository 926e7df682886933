"""Taggers as transformers loads them: the same logits of words, its pipeline, a card that tells the truth."""

import pytest
import torch
from tests.finetuning.conftest import finetuned, write_monolingual_encoder
from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline

from specialize.errors import InputError
from specialize.finetuning.layout import EncodedSentences
from specialize.finetuning.model import load_model
from specialize.reports.tagger_export import export_tagger

WORDS = ["irid", "mat", "abide", "gon", "."]


def test_logits_of_byte_level_pieces_are_the_model_s_too(data, tmp_path):
    (tmp_path / "encoder").mkdir()
    encoder = write_monolingual_encoder(tmp_path / "encoder", data)
    job = finetuned(tmp_path / "job", encoder, data, "pos", keep_model=True, method="scratch", epochs=2)
    test_logits_of_words_are_the_model_s({"pos": job}, "pos", tmp_path)


@pytest.mark.parametrize("regime", ["pos", "ner"])
def test_logits_of_words_are_the_model_s(jobs, regime, tmp_path):
    export_tagger(jobs[regime], tmp_path / "export")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "export")
    tagger = AutoModelForTokenClassification.from_pretrained(tmp_path / "export", trust_remote_code=True).eval()
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
    card = (tmp_path / "export/README.md").read_text(encoding="utf-8")
    assert "trust_remote_code=True" in card
    assert ("Without its transitions" in card) == (regime == "ner")


def test_what_the_library_cannot_read_is_refused(jobs, tmp_path):
    with pytest.raises(InputError, match="parses only"):
        export_tagger(jobs["ud"], tmp_path / "export")
    with pytest.raises(InputError, match="knows no named entities"):
        export_tagger(jobs["pos"], tmp_path / "export", entities=True)
    assert not (tmp_path / "export").exists()
