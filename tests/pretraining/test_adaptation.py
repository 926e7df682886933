"""Pretraining a small model further, and from scratch: its loss, its epochs, its folder."""

import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.pretraining.conftest import (
    ARCHITECTURE,
    DESCRIPTION,
    NEW_PIECES,
    SLOTS,
    small_settings,
    small_tokenizer,
    write_base,
    write_text,
    write_vocabulary,
)
from tests.vocabularies.conftest import piece_choice
from tokenizers import Tokenizer
from transformers import AutoModelForMaskedLM, AutoTokenizer, BertForMaskedLM

from specialize.bases.architectures import architecture_of
from specialize.bases.folder import check_base_model
from specialize.errors import InputError, SpecializeError
from specialize.files import file_hash, read_json, write_json
from specialize.pretraining import pretrain
from specialize.pretraining.base_model import pretrain_base
from specialize.pretraining.masked_text import training_text, validation_text
from specialize.pretraining.pretrain import adapt, masked_loss, validation_loss
from specialize.training import loop
from specialize.vocabularies import PieceTraining, build_vocabulary

LARGE = piece_choice(9999, limit_alphabet=100)
EMBEDDINGS = "bert.embeddings.word_embeddings.weight"


def weights(folder):
    return load_file(folder / "model.safetensors")


def full_loss(model, batch):
    """The loss of the library's whole model, with labels at the masked places only."""
    labels = torch.full_like(batch.ids, -100)
    labels.view(-1)[batch.places] = batch.targets
    return model(input_ids=batch.ids, attention_mask=batch.attention, labels=labels).loss


# -- the loss ----------------------------------------------------------------------------------------------


def test_the_loss_is_that_of_the_whole_model(base, corpus):
    model = BertForMaskedLM.from_pretrained(base).eval()
    text = training_text([corpus / "train.txt"], small_tokenizer(), small_settings())
    for batch in text.in_order():
        torch.testing.assert_close(masked_loss(model, batch), full_loss(model, batch), rtol=1e-5, atol=1e-6)


def test_so_are_its_gradients(base, corpus):
    batch = next(training_text([corpus / "train.txt"], small_tokenizer(), small_settings()).in_order())
    gradients = []
    for loss_of in (masked_loss, full_loss):
        model = BertForMaskedLM.from_pretrained(base).eval()
        loss_of(model, batch).backward()
        gradients.append({name: parameter.grad for name, parameter in model.named_parameters()})
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradient, gradients[1][name], rtol=1e-4, atol=1e-6)


def test_the_validation_loss_is_the_mean_over_predictions_and_does_not_depend_on_the_batches(base, corpus):
    model = BertForMaskedLM.from_pretrained(base).eval()
    losses = []
    for size in (1, 5, 100):
        text = validation_text([corpus / "valid.txt"], small_tokenizer(), small_settings(batch_size=size))
        losses.append(validation_loss(model, text))
    total = predictions = 0.0
    for batch in text.in_order():
        total += full_loss(model, batch).item() * len(batch.targets)
        predictions += len(batch.targets)
    assert losses == pytest.approx([total / predictions] * 3, rel=1e-5)


def test_the_output_layer_is_computed_at_the_masked_places_only(base, corpus):
    model = BertForMaskedLM.from_pretrained(base).eval()
    shapes = []
    model.cls.predictions.decoder.register_forward_hook(lambda _, __, output: shapes.append(tuple(output.shape)))
    batch = next(training_text([corpus / "train.txt"], small_tokenizer(), small_settings()).in_order())
    masked_loss(model, batch)
    assert shapes == [(len(batch.targets), model.config.vocab_size)]
    assert len(batch.targets) < 0.2 * batch.attention.sum()


def test_bfloat16_is_near_float32_and_keeps_the_weights_in_float32(base, corpus):
    model = BertForMaskedLM.from_pretrained(base).eval()
    batch = next(training_text([corpus / "train.txt"], small_tokenizer(), small_settings()).in_order())
    exact, rounded = masked_loss(model, batch), masked_loss(model, batch, "bfloat16")
    assert rounded.dtype == torch.float32
    torch.testing.assert_close(rounded, exact, rtol=2e-2, atol=2e-2)
    assert not torch.equal(rounded, exact)
    rounded.backward()
    assert all(parameter.grad.dtype == torch.float32 for parameter in model.parameters())


# -- adapting ----------------------------------------------------------------------------------------------


def test_no_embedding_is_initialised_again_and_every_id_stays(base, new_vocabulary, corpus, tmp_path):
    """At a rate of almost nothing, the model is the base model, new pieces or not (fact 13)."""
    adapt(
        base,
        new_vocabulary,
        corpus,
        5.0,
        small_settings(learning_rate=1e-12, epochs=1),
        DESCRIPTION,
        tmp_path / "model",
    )
    before, after = weights(base), weights(tmp_path / "model")
    assert before.keys() == after.keys()
    for name, value in before.items():
        torch.testing.assert_close(after[name], value, rtol=0, atol=1e-7)
    old, new = (AutoTokenizer.from_pretrained(folder).get_vocab() for folder in (base, tmp_path / "model"))
    slots = {f"[unused{number}]": piece for number, piece in enumerate(NEW_PIECES, start=1)}
    assert new == {slots.get(piece, piece): number for piece, number in old.items()}


def test_adapting_lowers_the_loss_and_keeps_the_epoch_of_the_lowest(base, same_vocabulary, corpus, tmp_path):
    adapt(
        base,
        same_vocabulary,
        corpus,
        1.0,
        small_settings(epochs=4, learning_rate=1e-2),
        DESCRIPTION,
        tmp_path / "model",
    )
    history = read_json(tmp_path / "model" / "history.json")
    losses = {record["epoch"]: record["validation_loss"] for record in history["epochs"]}
    assert list(losses) == [0, 1, 2, 3, 4]
    assert history["best_epoch"] == min([1, 2, 3, 4], key=losses.__getitem__)
    assert losses[history["best_epoch"]] < losses[0] - 0.1

    text = validation_text([corpus / "valid.txt"], small_tokenizer(), small_settings())
    untrained = BertForMaskedLM.from_pretrained(base).eval()
    assert validation_loss(untrained, text) == pytest.approx(losses[0], abs=2e-6)
    chosen = BertForMaskedLM.from_pretrained(tmp_path / "model").eval()
    assert validation_loss(chosen, text) == pytest.approx(losses[history["best_epoch"]], abs=2e-6)


def test_an_epoch_that_only_made_it_worse_is_not_the_chosen_one(base, same_vocabulary, corpus, tmp_path):
    """The training text is one letter over and over: the longer the training, the worse the validation text."""
    narrow = tmp_path / "corpus"
    narrow.mkdir()
    (narrow / "train.txt").write_text("a a a a a a\n" * 40, encoding="utf-8")
    for name in ("valid.txt", "statistics.json"):
        shutil.copy(corpus / name, narrow)
    adapt(
        base,
        same_vocabulary,
        narrow,
        1.0,
        small_settings(epochs=4, learning_rate=2e-2),
        DESCRIPTION,
        tmp_path / "model",
    )
    history = read_json(tmp_path / "model" / "history.json")
    losses = {record["epoch"]: record["validation_loss"] for record in history["epochs"]}
    assert history["best_epoch"] == min([1, 2, 3, 4], key=losses.__getitem__) != 4
    chosen = BertForMaskedLM.from_pretrained(tmp_path / "model").eval()
    text = validation_text([corpus / "valid.txt"], small_tokenizer(), small_settings())
    assert validation_loss(chosen, text) == pytest.approx(losses[history["best_epoch"]], abs=2e-6)


def test_two_runs_give_the_same_bytes(base, new_vocabulary, corpus, tmp_path):
    for name, seed in (("one", 7), ("two", 7), ("other", 8)):
        adapt(base, new_vocabulary, corpus, 5.0, small_settings(seed=seed), DESCRIPTION, tmp_path / name)
    for file in ("model.safetensors", "history.json", "tokenizer.json", "config.json"):
        assert file_hash(tmp_path / "one" / file) == file_hash(tmp_path / "two" / file), file
    assert file_hash(tmp_path / "one/model.safetensors") != file_hash(tmp_path / "other/model.safetensors")


def test_new_pieces_move_further_than_with_the_base_s_rate(base, new_vocabulary, corpus, tmp_path):
    """VA and TVA differ in the first step by the new rows alone, five times as far (paper, section 2.1)."""
    one_step = small_settings(epochs=1, steps_per_epoch=1, warmup_steps=0, learning_rate=1e-3)
    new = sorted(read_json(new_vocabulary / "statistics.json")["pieces"].values())
    old = [number for number in range(weights(base)[EMBEDDINGS].shape[0]) if number not in new]
    moved = []
    for multiplier in (1.0, 5.0):
        adapt(base, new_vocabulary, corpus, multiplier, one_step, DESCRIPTION, tmp_path / str(multiplier))
        before, after = weights(base), weights(tmp_path / str(multiplier))
        moved.append({name: after[name] - before[name] for name in before})
    assert moved[0][EMBEDDINGS][new].abs().max() > 1e-5
    torch.testing.assert_close(moved[1][EMBEDDINGS][new], 5 * moved[0][EMBEDDINGS][new], rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(moved[1][EMBEDDINGS][old], moved[0][EMBEDDINGS][old])
    for name in moved[0].keys() - {EMBEDDINGS, "cls.predictions.decoder.weight"}:
        torch.testing.assert_close(moved[1][name], moved[0][name])


@pytest.mark.parametrize("tiering", ["rows", "released", "two-groups"])
def test_how_new_pieces_learn_faster_is_an_option(base, new_vocabulary, corpus, tmp_path, tiering):
    """Fact 17: at their own rate; as released at the common one; as mended with every row decayed at both rates."""
    settings = small_settings(
        epochs=1, steps_per_epoch=1, warmup_steps=0, learning_rate=1e-3, weight_decay=0.5, tiering=tiering
    )
    adapt(base, new_vocabulary, corpus, 5.0, settings, DESCRIPTION, tmp_path / "tva")
    adapt(base, new_vocabulary, corpus, 1.0, settings, DESCRIPTION, tmp_path / "va")
    before, plain, tiered = (weights(folder)[EMBEDDINGS] for folder in (base, tmp_path / "va", tmp_path / "tva"))
    new = sorted(read_json(new_vocabulary / "statistics.json")["pieces"].values())
    multiplier = 1 if tiering == "released" else 5
    other_rate = {"rows": (0.0, 0.0), "released": (0.0, 0.0), "two-groups": (5e-3, 1e-3)}[tiering]
    decay = torch.full((len(before), 1), other_rate[0] * 0.5)
    decay[new] = other_rate[1] * 0.5
    expected = plain.clone()
    expected[new] = before[new] + multiplier * (plain[new] - before[new])
    torch.testing.assert_close(tiered, expected * (1 - decay), rtol=1e-5, atol=1e-7)


@pytest.mark.slow
def test_all_options_of_the_text_train(base, new_vocabulary, corpus, tmp_path):
    for name, options in {
        "pairs": {"examples": "sentence-pairs"},
        "lines": {"examples": "lines", "masking": "dynamic", "warmup_steps": "epoch"},
        "bfloat16": {"precision": "bfloat16"},
    }.items():
        settings = small_settings(epochs=4, learning_rate=5e-3, **options)
        adapt(base, new_vocabulary, corpus, 5.0, settings, DESCRIPTION, tmp_path / name)
        epochs = read_json(tmp_path / name / "history.json")["epochs"]
        assert epochs[-1]["validation_loss"] < epochs[0]["validation_loss"] - 0.1, name


def test_the_folder_loads_with_the_library_and_knows_the_new_pieces(base, new_vocabulary, corpus, tmp_path):
    adapt(base, new_vocabulary, corpus, 5.0, small_settings(epochs=1), DESCRIPTION, tmp_path / "model")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    model = AutoModelForMaskedLM.from_pretrained(tmp_path / "model")
    assert tokenizer.tokenize("ქარი mina") == ["ქა", "##რი", "m", "##i", "##n", "##a"]
    encoded = tokenizer("ქარი mina", return_tensors="pt")
    assert encoded["input_ids"][0, [0, -1]].tolist() == [tokenizer.cls_token_id, tokenizer.sep_token_id]
    assert model(**encoded).logits.shape == (1, 8, len(tokenizer))
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight
    ours = Tokenizer.from_file(str(tmp_path / "model" / "tokenizer.json"))
    assert encoded["input_ids"][0].tolist() == ours.encode("ქარი mina").ids
    assert tokenizer.model_max_length == model.config.max_position_embeddings
    check_base_model(tmp_path / "model")


def test_the_history_tells_with_what_the_model_was_trained(base, new_vocabulary, corpus, tmp_path):
    adapt(base, new_vocabulary, corpus, 5.0, small_settings(epochs=1), DESCRIPTION, tmp_path / "model")
    history = read_json(tmp_path / "model" / "history.json")
    names = ["best_epoch", "converged", "text", "hyperparameters", "device", "precision", "epochs"]
    assert list(history) == names
    assert history["converged"]
    assert history["text"] == {"articles": 20, "sentences": 70, "tokens": 350}
    assert history["hyperparameters"] == small_settings(epochs=1).job_parameters() | {
        "new_pieces": 2,
        "multiplier": 5.0,
    }
    steps = training_text([corpus / "train.txt"], small_tokenizer(), small_settings()).steps()
    assert [record["steps"] for record in history["epochs"]] == [0, steps]
    assert [set(record) for record in history["epochs"]] == [
        {"epoch", "steps", "validation_loss"},
        {"epoch", "steps", "training_loss", "validation_loss"},
    ]


# -- what does not converge --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate", "steps", "reason"),
    [(1e38, None, "the loss became"), (1e30, 1, "the score became nan"), (3.0, None, "the loss became")],
    ids=["no number", "no number after the last step", "exploding"],
)
def test_training_that_runs_away_is_marked_and_keeps_the_last_good_weights(
    base, same_vocabulary, corpus, tmp_path, capsys, monkeypatch, rate, steps, reason
):
    monkeypatch.setattr(loop, "STEPS_BETWEEN_LOSS_CHECKS", 4)
    wild = small_settings(learning_rate=rate, warmup_steps=0, epochs=2, steps_per_epoch=steps)
    adapt(base, same_vocabulary, corpus, 1.0, wild, DESCRIPTION, tmp_path / "model")
    history = read_json(tmp_path / "model" / "history.json")
    assert history["converged"] is False
    assert history["reason"].startswith(reason)
    assert history["best_epoch"] == 0
    message = "did not converge: " + history["reason"]
    assert message in capsys.readouterr().out
    assert "**The training did not converge**" in (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    before, after = weights(base), weights(tmp_path / "model")
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_an_exploding_loss_stops_within_the_epoch(base, same_vocabulary, corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "STEPS_BETWEEN_LOSS_CHECKS", 2)
    steps = []
    monkeypatch.setattr(pretrain, "masked_loss", lambda *given: steps.append(1) or masked_loss(*given))
    wild = small_settings(learning_rate=3.0, warmup_steps=0, epochs=1, copies=20)
    adapt(base, same_vocabulary, corpus, 1.0, wild, DESCRIPTION, tmp_path / "model")
    whole = training_text([corpus / "train.txt"], small_tokenizer(), wild).steps()
    assert not read_json(tmp_path / "model" / "history.json")["converged"]
    assert len(steps) < whole / 2


def test_a_base_model_that_does_not_converge_is_one_clear_error_and_leaves_no_folder(corpus, tmp_path):
    training_of = piece_choice(60, limit_alphabet=100)
    wild = small_settings(learning_rate=1e38, warmup_steps=0, epochs=1)
    with pytest.raises(SpecializeError, match=r"did not converge.*epoch 1.*lower the learning rate"):
        pretrain_base([corpus], SLOTS, training_of, ARCHITECTURE, wild, tmp_path / "base")
    assert list(tmp_path.iterdir()) == []


# -- from scratch ------------------------------------------------------------------------------------------


def test_a_base_model_made_here_is_a_base_model_for_the_next_step(corpus, tmp_path):
    second = tmp_path / "second"
    second.mkdir()
    for name, seed in (("train.txt", 3), ("valid.txt", 4)):
        write_text(second / name, 6, seed)
    training = piece_choice(60, limit_alphabet=100)
    pretrain_base([corpus, second], SLOTS, training, ARCHITECTURE, small_settings(), tmp_path / "base")
    check_base_model(tmp_path / "base")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "base")
    model = AutoModelForMaskedLM.from_pretrained(tmp_path / "base")
    assert tokenizer.convert_ids_to_tokens(range(6)) == ["[PAD]", *(f"[unused{n}]" for n in range(1, 5)), "[UNK]"]
    assert model.config.vocab_size == len(tokenizer) == 60 + SLOTS
    for folder in (corpus, second):
        assert tokenizer.unk_token not in tokenizer.tokenize((folder / "train.txt").read_text(encoding="utf-8"))
    losses = [record["validation_loss"] for record in read_json(tmp_path / "base/history.json")["epochs"]]
    assert len(losses) == 3 and min(losses[1:]) < losses[0]


def test_two_base_models_made_alike_are_the_same_bytes(corpus, tmp_path):
    training = piece_choice(60, limit_alphabet=100)
    for name in ("one", "two"):
        pretrain_base([corpus], SLOTS, training, ARCHITECTURE, small_settings(epochs=1), tmp_path / name)
    for file in ("tokenizer.json", "model.safetensors", "history.json"):
        assert file_hash(tmp_path / "one" / file) == file_hash(tmp_path / "two" / file), file


def test_a_base_model_made_here_can_be_adapted(corpus, tmp_path):
    training = piece_choice(60, limit_alphabet=100)
    once = small_settings(epochs=1)
    pretrain_base([corpus], SLOTS, training, ARCHITECTURE, once, tmp_path / "base")
    build_vocabulary(tmp_path / "base", corpus / "train.txt", 2, LARGE, {}, tmp_path / "vocabulary")
    adapt(tmp_path / "base", tmp_path / "vocabulary", corpus, 5.0, once, DESCRIPTION, tmp_path / "model")
    pieces = read_json(tmp_path / "vocabulary" / "statistics.json")["pieces"]
    assert sorted(pieces.values()) == [1, 2]
    vocabulary = AutoTokenizer.from_pretrained(tmp_path / "model").get_vocab()
    assert {piece: vocabulary[piece] for piece in pieces} == pieces


MADE = [
    ("roberta", {"kind": "byte-level"}, 300),
    ("xlm-roberta", {}, 60),
    ("modernbert", {"tokenizer": "base"}, None),
    ("modernbert", {"kind": "byte-level"}, 300),
]


@pytest.mark.parametrize(("model_type", "vocabulary", "size"), MADE)
def test_base_models_of_other_families_are_made_with_any_vocabulary(
    base, corpus, tmp_path, model_type, vocabulary, size
):
    own = {"tokenizer": base} if "tokenizer" in vocabulary else vocabulary
    slots = SLOTS if not vocabulary else 0
    training = PieceTraining(size=size, min_frequency=1, limit_alphabet=100) if size else None
    sizes, once = ARCHITECTURE | {"model_type": model_type}, small_settings(epochs=1, steps_per_epoch=2)
    pretrain_base([corpus], slots, training, sizes, once, tmp_path / "made", **own)
    config = read_json(tmp_path / "made" / "config.json")
    assert config["model_type"] == model_type and "model_type" not in read_json(tmp_path / "made" / "history.json")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "made")
    assert len(tokenizer) == config["vocab_size"]
    if size is None:
        assert tokenizer.get_vocab() == AutoTokenizer.from_pretrained(base).get_vocab()
    positions = architecture_of(tmp_path / "made").positions(config)
    assert tokenizer.model_max_length == positions
    ids = tokenizer("lami " * 200, truncation=True, return_tensors="pt").input_ids
    assert AutoModelForMaskedLM.from_pretrained(tmp_path / "made")(ids).logits.shape == (*ids.shape, len(tokenizer))


def test_only_wordpiece_gets_free_slots(corpus, tmp_path):
    training = PieceTraining(size=300, min_frequency=1, limit_alphabet=100)
    for kind, said in (
        ("byte-level", "gets no free slots here; let unused_slots be 0"),
        ("letters", "there is no kind"),
    ):
        with pytest.raises(SpecializeError, match=said):
            pretrain_base([corpus], SLOTS, training, ARCHITECTURE, small_settings(), tmp_path / "made", kind=kind)


def test_pieces_beyond_the_slots_leave_old_scores_as_they_were(base, corpus, tmp_path):
    pieces = [*NEW_PIECES, *(f"##{letter}ქ" for letter in "abdegik")]
    vocabulary = write_vocabulary(tmp_path / "vocabulary", pieces)
    adapt(base, vocabulary, corpus, 1.0, small_settings(epochs=1, learning_rate=1e-60), DESCRIPTION, tmp_path / "model")
    before, after = (BertForMaskedLM.from_pretrained(folder).eval() for folder in (base, tmp_path / "model"))
    old = before.config.vocab_size
    assert after.config.vocab_size == old + len(pieces) - SLOTS
    assert torch.equal(
        after.bert.embeddings.word_embeddings.weight[:old], before.bert.embeddings.word_embeddings.weight
    )
    ids = torch.arange(SLOTS + 1, old)[None]
    with torch.no_grad():
        assert torch.equal(after(ids).logits[..., :old], before(ids).logits)


@pytest.mark.parametrize("padding", [1, 3, 64])
def test_rows_of_a_padded_matrix_are_taken_before_it_grows(corpus, tmp_path, padding):
    (tmp_path / "base").mkdir()
    base = write_base(tmp_path / "base")
    model = BertForMaskedLM.from_pretrained(base)
    old = model.config.vocab_size
    model.resize_token_embeddings(old + padding)
    model.save_pretrained(base)
    rows = model.bert.embeddings.word_embeddings.weight
    vocabulary = write_vocabulary(tmp_path / "vocabulary", [f"##{letter}ქ" for letter in "abdegik"][: SLOTS + 3])
    pieces = read_json(vocabulary / "statistics.json")["pieces"]
    assert sorted(pieces.values())[SLOTS:] == [*range(old, old + len(pieces) - SLOTS)]
    settings = small_settings(epochs=1, steps_per_epoch=1, learning_rate=1e-60, initialisation="random")
    adapt(base, vocabulary, corpus, 1.0, settings, DESCRIPTION, tmp_path / "model")
    after = BertForMaskedLM.from_pretrained(tmp_path / "model").bert.embeddings.word_embeddings.weight
    assert len(after) == max(old + padding, 1 + max(pieces.values()))
    assert torch.equal(after[: old + padding], rows)


def test_a_vocabulary_of_another_base_is_refused(base, corpus, tmp_path):
    (tmp_path / "other").mkdir()
    other = write_base(tmp_path / "other")
    definition = read_json(other / "tokenizer.json")
    known = definition["model"]["vocab"]
    known["a"], known["b"] = known["b"], known["a"]
    write_json(other / "tokenizer.json", definition)
    vocabulary = write_vocabulary(tmp_path / "vocabulary", NEW_PIECES)
    with pytest.raises(
        SpecializeError, match="ids of the base vocabulary do not stand for its pieces in the new one: a, b"
    ):
        adapt(other, vocabulary, corpus, 1.0, small_settings(), DESCRIPTION, tmp_path / "model")


def test_a_tokenizer_that_others_would_read_otherwise_ends_before_training(base, same_vocabulary, corpus, tmp_path):
    shutil.copytree(same_vocabulary, tmp_path / "vocabulary")
    path = tmp_path / "vocabulary/tokenizer_config.json"
    write_json(path, read_json(path) | {"tokenizer_class": "BertTokenizer", "do_lower_case": True})
    with pytest.raises(SpecializeError, match="AutoTokenizer reads another tokenizer than training does"):
        adapt(base, tmp_path / "vocabulary", corpus, 1.0, small_settings(), DESCRIPTION, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_pieces_beyond_the_slots_learn(base, corpus, tmp_path):
    text = tmp_path / "text"
    shutil.copytree(corpus, text)
    for name in ("train.txt", "valid.txt"):
        (text / name).write_text((corpus / name).read_text(encoding="utf-8").replace("la", "ლა"), encoding="utf-8")
    training = piece_choice(60, limit_alphabet=100)
    build_vocabulary(base, text / "train.txt", None, training, {}, tmp_path / "vocabulary")
    adapt(base, tmp_path / "vocabulary", text, 1.0, small_settings(learning_rate=1e-2), DESCRIPTION, tmp_path / "model")
    losses = [record["validation_loss"] for record in read_json(tmp_path / "model/history.json")["epochs"]]
    assert min(losses[1:]) < losses[0]
    rows = BertForMaskedLM.from_pretrained(tmp_path / "model").bert.embeddings.word_embeddings.weight
    pieces = read_json(tmp_path / "vocabulary/statistics.json")["pieces"]
    assert rows.shape[0] == 1 + max(pieces.values())


def test_an_empty_validation_text_is_one_clear_error(base, same_vocabulary, corpus, tmp_path):
    shutil.copytree(corpus, tmp_path, dirs_exist_ok=True)
    (tmp_path / "valid.txt").write_text("")
    with pytest.raises(SpecializeError, match="validation text has no wordpieces"):
        adapt(base, same_vocabulary, tmp_path, 1.0, small_settings(), DESCRIPTION, tmp_path / "adapted")


def test_sequences_longer_than_the_model_takes_are_refused(base, same_vocabulary, corpus, tmp_path):
    with pytest.raises(SpecializeError, match="sequence_length 1000 is more than the model's 64"):
        adapt(
            base, same_vocabulary, corpus, 1.0, small_settings(sequence_length=1000), DESCRIPTION, tmp_path / "adapted"
        )


@pytest.mark.parametrize("warmup_steps", [0, 10_000])
def test_a_warm_up_that_outlasts_the_text_is_said_in_the_log(
    base, same_vocabulary, corpus, tmp_path, capsys, warmup_steps
):
    settings = small_settings(epochs=1, warmup_steps=warmup_steps)
    adapt(base, same_vocabulary, corpus, 1.0, settings, DESCRIPTION, tmp_path / "model")
    assert ("but pretraining.warmup_steps is 10000" in capsys.readouterr().out) == bool(warmup_steps)


def test_a_head_that_has_to_be_drawn_is_drawn_by_the_seed_and_said(base, corpus, same_vocabulary, tmp_path, capsys):
    """As of a model for sentence vectors."""
    headless = tmp_path / "headless"
    shutil.copytree(base, headless)
    tensors = load_file(base / "model.safetensors")
    save_file(
        {name: one for name, one in tensors.items() if not name.startswith("cls.")}, headless / "model.safetensors"
    )
    made = []
    for number, seed in enumerate((7, 7, 8)):
        folder = tmp_path / f"model{number}"
        adapt(headless, same_vocabulary, corpus, 1.0, small_settings(epochs=1, seed=seed), DESCRIPTION, folder)
        assert "Warning: " in (printed := capsys.readouterr().out) and "has no head that predicts" in printed
        assert "drawn at random, by the seed below" in (folder / "README.md").read_text(encoding="utf-8")
        assert read_json(folder / "history.json")["hyperparameters"]["head_drawn"] is True
        made.append((folder / "model.safetensors").read_bytes())
    assert made[0] == made[1] != made[2]
    adapt(base, same_vocabulary, corpus, 1.0, small_settings(epochs=1), DESCRIPTION, tmp_path / "whole")
    assert "Warning" not in capsys.readouterr().out
    assert "drawn" not in (tmp_path / "whole" / "README.md").read_text(encoding="utf-8")
    assert "head_drawn" not in read_json(tmp_path / "whole" / "history.json")["hyperparameters"]


@pytest.mark.parametrize("spoil", ["layers", "nan"])
def test_a_base_that_was_spoiled_since_its_check_is_refused(base, corpus, same_vocabulary, tmp_path, spoil):
    shutil.copytree(base, tmp_path / "base")
    if spoil == "layers":
        write_json(tmp_path / "base/config.json", read_json(base / "config.json") | {"num_hidden_layers": 3})
    else:
        tensors = load_file(base / "model.safetensors")
        spoiled = {"bert.encoder.layer.0.output.dense.bias": torch.full((16,), float("nan"))}
        save_file(tensors | spoiled, tmp_path / "base/model.safetensors")
    with pytest.raises(InputError, match=r"base/model\.safetensors: (lacks 32 of|has numbers that are infinite,)"):
        adapt(tmp_path / "base", same_vocabulary, corpus, 1.0, small_settings(), DESCRIPTION, tmp_path / "model")
    assert not (tmp_path / "model").exists()
