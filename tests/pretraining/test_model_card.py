"""The card of a pretrained model."""

from dataclasses import replace

from huggingface_hub import ModelCard
from tests.pretraining.conftest import DESCRIPTION

from specialize.datasets import TRANSLITERATION, described_transliteration, read_transliteration
from specialize.files import write_json
from specialize.pretraining.model_card import TaskScore, write_card

HYPERPARAMETERS = {
    "batch_size": 32,
    "sequence_length": 128,
    "learning_rate": 2e-5,
    "precision": "float32",
    "seed": 1,
    "tiering": "rows",
    "new_pieces": 99,
    "multiplier": 5.0,
}
HISTORY = {
    "best_epoch": 1,
    "converged": True,
    "text": {"articles": 20, "sentences": 7000, "tokens": 35000},
    "hyperparameters": HYPERPARAMETERS,
    "epochs": [
        {"epoch": 0, "steps": 0, "validation_loss": 9.5},
        {"epoch": 1, "steps": 1200, "training_loss": 5.0, "validation_loss": 4.25},
        {"epoch": 2, "steps": 2400, "training_loss": 4.0, "validation_loss": 4.5},
    ],
}


def card(folder, history=HISTORY, scores=(), curve="", **changes):
    write_json(folder / "history.json", history)
    write_card(folder, replace(DESCRIPTION, **changes), scores, curve)
    return ModelCard.load(folder / "README.md")


def test_it_states_language_data_steps_loss_and_licence(tmp_path):
    written = card(tmp_path, text="Wikipedia (`qaa`), dump of 20200101", text_license="cc-by-sa-4.0")
    for words in (
        "`demo`, pretrained further on text in Talvaric, with 99 new wordpieces, whose embeddings learned at 5 times",
        "Talvaric (`qaa`)",
        "Wikipedia (`qaa`), dump of 20200101",
        "7,000 sentences, 35,000 tokens",
        "1,200 of 32 examples of up to 128 pieces",
        "1, the one of the lowest validation loss of 2",
        "4.2500 (before training: 9.5000)",
        "The base model's licence: apache-2.0.",
        "The text's licence: cc-by-sa-4.0.",
    ):
        assert words in written.text
    assert (written.data.language, written.data.license) == ("qaa", "apache-2.0")
    assert written.data.library_name == "transformers"
    assert written.data.base_model is None


def test_a_twin_s_card_and_folder_say_how_its_text_is_made(tmp_path):
    plain = card(tmp_path)
    assert "## Input" not in plain.text
    assert not (tmp_path / TRANSLITERATION).exists()
    for normal_form, words in (("NFKC", "read in NFKC"), ("none", "read as they are")):
        how = described_transliteration({"scheme": "transliterate", "language": "ru"}, normal_form)
        written = card(tmp_path, transliteration=how)
        for said in ("scheme `transliterate`, language `ru`", "to NFC first", f"Words are then {words}"):
            assert said in written.text
        assert f"\n{how['command']} < text.txt > latin.txt\n" in written.text
        assert read_transliteration(tmp_path) == how


def test_a_base_model_of_the_hub_is_linked(tmp_path):
    name = "google-bert/bert-base-multilingual-cased"
    assert card(tmp_path, base_model=name, on_hub=True).data.base_model == name


def test_a_licence_that_is_not_known_is_said_to_be_unknown(tmp_path):
    written = card(tmp_path, license=None)
    assert written.data.license is None
    assert "The base model's licence: not stated; find it out" in written.text
    assert "The text's licence: not stated; find it out" in written.text


def test_a_monolingual_model_has_no_base(tmp_path):
    own = {key: value for key, value in HYPERPARAMETERS.items() if key not in ("new_pieces", "multiplier")}
    written = card(tmp_path, {**HISTORY, "hyperparameters": own}, method="scratch", base_model=None, license=None)
    assert "a RoBERTa pretrained from scratch on text in Talvaric." in written.text
    assert "base model" not in written.text
    assert "The weights are your own to license." in written.text


def test_pieces_at_the_common_rate_and_none_at_all(tmp_path):
    for number, multiplier, words in ((99, 1.0, ", with 99 new wordpieces."), (0, 1.0, "text in Talvaric.")):
        changed = {**HYPERPARAMETERS, "new_pieces": number, "multiplier": multiplier}
        assert words in card(tmp_path, {**HISTORY, "hyperparameters": changed}).text


def test_pieces_that_learned_at_the_common_rate_whatever_the_multiplier(tmp_path):
    written = card(tmp_path, {**HISTORY, "hyperparameters": {**HYPERPARAMETERS, "tiering": "released"}})
    assert ", with 99 new wordpieces." in written.text


def test_scores_stand_in_the_text_and_for_the_hub(tmp_path):
    scores = [
        TaskScore("POS", "accuracy", 87.654, "87.65 ± 0.31", 5),
        TaskScore("UD", "las", 61.5, "61.50", 1),
        TaskScore("NER", "f1", None, "–", 3),
    ]
    written = card(tmp_path, scores=scores, curve="loss.png")
    assert "| POS | accuracy | 87.65 ± 0.31 | 5 |" in written.text
    assert "| NER | f1 | – | 3 |" in written.text
    assert "![Loss by epoch](loss.png)" in written.text
    results = [(result.task_name, result.metric_type, result.metric_value) for result in written.data.eval_results]
    assert results == [("POS", "accuracy", 87.65), ("UD", "las", 61.5)]


def test_a_model_that_did_not_converge_says_so_first(tmp_path):
    failed = {**HISTORY, "best_epoch": 0, "converged": False, "reason": "the loss became nan in epoch 1"}
    text = card(tmp_path, failed).text
    assert "**The training did not converge** (the loss became nan in epoch 1): do not use this model." in text
    assert text.index("did not converge") < text.index("from transformers import")
