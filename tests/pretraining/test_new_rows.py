"""Room for new pieces in every family, tied or not: what stays, what the new rows start from, how fast they learn."""

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.pretraining.conftest import (
    DESCRIPTION,
    NEW_PIECES,
    SLOTS,
    model_of_family,
    small_settings,
    small_tokenizer,
    write_vocabulary,
)
from tokenizers import Tokenizer, models, pre_tokenizers

from specialize.bases.architectures import known_architectures
from specialize.bases.folder import check_base_model
from specialize.files import read_json
from specialize.pretraining.masked_loss import masked_loss
from specialize.pretraining.masked_text import training_text
from specialize.pretraining.new_rows import INITIALISATIONS, NewPieces, initialise, make_room
from specialize.pretraining.pretrain import _optimizer, adapt
from specialize.vocabularies import inject, kind_of, save_tokenizer, special_ids

PIECES = small_tokenizer().get_vocab_size()
MANY = [*NEW_PIECES, "aქ", "qe", "ab", "##gde", "##ik"]  # the first four take the slots
BEYOND = dict(zip(MANY[SLOTS:], range(PIECES, PIECES + len(MANY)), strict=False))


@pytest.fixture(params=[(name, tied) for name in sorted(known_architectures()) for tied in (True, False)], ids=str)
def family(request):
    name, tied = request.param
    return known_architectures()[name], tied


def made(architecture, tied, rows=PIECES):
    return model_of_family(architecture, tied, rows)


def tables(architecture, model):
    return [*architecture.matrices(model), architecture.output_bias(model)]


def new_pieces(pieces=MANY):
    grown = inject(small_tokenizer(), pieces).get_vocab()
    return NewPieces.of(small_tokenizer(), {piece: grown[piece] for piece in pieces})


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(more=st.integers(0, 7), padding=st.integers(0, 5), how=st.sampled_from(sorted(INITIALISATIONS)))
def test_old_rows_stay_in_every_matrix_and_the_bias(family, more, padding, how):
    architecture, tied = family
    model = made(architecture, tied, PIECES + padding)
    before = [table.detach().clone() for table in tables(architecture, model)]
    ids = torch.arange(SLOTS + 1, PIECES)[None]
    old = model.eval()(ids).logits[..., SLOTS + 1 : PIECES]
    pieces = new_pieces(MANY[:more])
    make_room(model, 1 + max([PIECES - 1, *pieces.ids.values()]))
    initialise(model, pieces, how)
    after = tables(architecture, model)
    assert len(before) == len(after) == (2 if tied else 3)
    assert {len(table) for table in after} == {max(PIECES + padding, 1 + max([0, *pieces.ids.values()]))}
    assert model.config.vocab_size == len(after[0])
    kept = [number for number in range(len(before[0])) if number not in pieces.ids.values()]
    for one, other in zip(before, after, strict=True):
        assert torch.equal(one[kept], other[kept])
    torch.testing.assert_close(model(ids).logits[..., SLOTS + 1 : PIECES], old)


def test_each_way_to_start_is_what_it_says(family):
    architecture, tied = family
    known = small_tokenizer().get_vocab()
    cut = {"ab": ["a", "##b"], "##gde": ["##g", "##d", "##e"], "##ik": ["##i", "##k"]}
    of_all = [number for piece, number in known.items() if not piece.startswith("[unused")]
    for how in ("slot", "mean", "random"):
        model = made(architecture, tied)
        before = [table.detach().clone() for table in tables(architecture, model)]
        pieces = new_pieces()
        assert list(pieces.ids.values())[:SLOTS] == sorted(pieces.slots)
        make_room(model, PIECES + len(BEYOND))
        drawn = [table.detach().clone() for table in tables(architecture, model)]
        without_parts = initialise(model, pieces, how)
        assert without_parts == {"slot": 0, "mean": 4, "random": 0}[how]  # of those, the base knows no letter
        for old, first, new in zip(before, drawn, tables(architecture, model), strict=True):
            if how == "random":
                assert torch.equal(new, first)
                continue
            for piece, parts in cut.items():
                mean = sum(old[known[part]] for part in parts) / len(parts)
                torch.testing.assert_close(new[pieces.ids[piece]], mean)
            for piece in MANY[:SLOTS]:
                start = old[pieces.ids[piece]] if how == "slot" else old[of_all].mean(0)
                torch.testing.assert_close(new[pieces.ids[piece]], start)


def test_a_base_cuts_a_new_piece_as_it_stands_in_a_word():
    base = small_tokenizer()

    def cut(piece):
        return kind_of(base).base_pieces(base, [piece])[0]

    assert [base.id_to_token(number) for number in cut("abe")] == ["a", "##b", "##e"]
    assert [base.id_to_token(number) for number in cut("##abe")] == ["##a", "##b", "##e"]
    assert cut("aქ") == cut("##ქ") == []
    for piece in ("abe", "tuke"):
        assert cut(piece) == base.encode(piece, add_special_tokens=False).ids
    merges = Tokenizer(models.BPE({"a": 0, "b": 1, "ab": 2, "Ġ": 3}, [("a", "b")]))
    merges.pre_tokenizer = pre_tokenizers.ByteLevel()
    assert kind_of(merges).base_pieces(merges, ["Ġaba", "bab"]) == [[3, 2, 0], [1, 2]]


def test_gradients_are_those_of_the_whole_model_and_the_head_is_computed_at_masked_places_only(family, corpus):
    architecture, tied = family
    batch = next(training_text([corpus / "train.txt"], small_tokenizer(), small_settings()).in_order())
    labels = torch.full_like(batch.ids, -100)
    labels.view(-1)[batch.places] = batch.targets

    def whole(model):
        return model(input_ids=batch.ids, attention_mask=batch.attention.long(), labels=labels).loss

    gradients, shapes = [], []
    for loss_of in (whole, lambda model: masked_loss(model, batch)):
        model = made(architecture, tied).eval()
        model.get_output_embeddings().register_forward_hook(lambda _, __, output: shapes.append(tuple(output.shape)))
        loss_of(model).backward()
        gradients.append({name: parameter.grad for name, parameter in model.named_parameters()})
    assert shapes[1] == (len(batch.targets), PIECES)
    padding = special_ids(small_tokenizer())["pad"]
    for name, gradient in gradients[0].items():
        if name.endswith(architecture.names.embeddings):  # the library's lookup gives the padding none
            gradient[padding] = gradients[1][name][padding]
        torch.testing.assert_close(gradients[1][name], gradient, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("tiering", ["rows", "two-groups"])
def test_new_rows_of_every_matrix_move_further_but_not_the_bias(family, corpus, tiering):
    architecture, tied = family
    batch = next(training_text([corpus / "train.txt"], small_tokenizer(), small_settings()).in_order())
    new, moved = torch.tensor([small_tokenizer().token_to_id(piece) for piece in ("l", "##a", "t")]), []
    how = small_settings(learning_rate=1e-3, weight_decay=0.0, tiering=tiering)
    for multiplier in (1.0, 5.0):
        model = made(architecture, tied).eval()
        before = [table.detach().clone() for table in tables(architecture, model)]
        optimizer = _optimizer(model, how, (new, multiplier))
        masked_loss(model, batch).backward()
        optimizer.step()
        moved.append([now.detach() - old for old, now in zip(before, tables(architecture, model), strict=True)])
    for plain, tiered in zip(moved[0][:-1], moved[1][:-1], strict=True):
        expected = plain.clone()
        expected[new] *= 5
        torch.testing.assert_close(tiered, expected, rtol=1e-3, atol=1e-6)
        assert expected[new].any()
    assert torch.equal(moved[0][-1], moved[1][-1])


def test_every_family_is_adapted_with_new_pieces(family, corpus, tmp_path):
    architecture, tied = family
    model, base = made(architecture, tied), tmp_path / "base"
    architecture.part_biases(model)
    model.save_pretrained(base)
    save_tokenizer(small_tokenizer(), base)
    check_base_model(base)
    vocabulary = write_vocabulary(tmp_path / "vocabulary", MANY)
    once = small_settings(epochs=1, steps_per_epoch=3, initialisation="mean")
    adapt(base, vocabulary, corpus, 5.0, once, DESCRIPTION, tmp_path / "model")
    history = read_json(tmp_path / "model" / "history.json")
    assert history["converged"]
    assert (
        history["hyperparameters"] | {"initialisation": "mean", "pieces_without_parts": 4}
        == (history["hyperparameters"])
    )
    check_base_model(tmp_path / "model")
    theirs = architecture.classes().masked_lm.from_pretrained(tmp_path / "model")
    assert len(architecture.matrices(theirs)) == (1 if tied else 2)
    assert {len(table) for table in tables(architecture, theirs)} == {PIECES + len(BEYOND)}


def test_a_default_leaves_no_trace_in_the_history(base, new_vocabulary, corpus, tmp_path):
    adapt(base, new_vocabulary, corpus, 5.0, small_settings(epochs=1), DESCRIPTION, tmp_path / "model")
    known = read_json(tmp_path / "model" / "history.json")["hyperparameters"]
    assert not known.keys() & {"initialisation", "pieces_without_parts"}


def test_rows_of_replaced_pieces_start_as_those_beyond_the_slots(family):
    architecture, tied = family
    known = small_tokenizer().get_vocab()
    ids = {"abw": known["##w"], "##gw": known["w"], "qe": known["##u"]}  # two of them are cut into what gives way
    pieces = NewPieces.of(small_tokenizer(), ids)
    of_all = [number for piece, number in known.items() if not piece.startswith("[unused")]
    for how in ("slot", "mean", "random"):
        model = made(architecture, tied)
        before = [table.detach().clone() for table in tables(architecture, model)]
        make_room(model, PIECES)
        assert initialise(model, pieces, how) == (how != "random")
        for old, new in zip(before, tables(architecture, model), strict=True):
            kept = [number for number in range(PIECES) if number not in ids.values()]
            assert torch.equal(old[kept], new[kept])
            if how == "random":
                assert not (old[known["w"]] == new[known["w"]]).any()
                continue
            for piece, parts in {"abw": ["a", "##b", "##w"], "##gw": ["##g", "##w"]}.items():
                mean = sum(old[known[part]] for part in parts) / len(parts)
                torch.testing.assert_close(new[ids[piece]], mean)
            torch.testing.assert_close(new[ids["qe"]], old[of_all].mean(0))
