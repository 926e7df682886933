"""The kinds of vocabularies, each asked what only it knows."""

from collections import Counter
from typing import get_args

import pytest
from tests.vocabularies.conftest import piece_choice
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from specialize.errors import InputError, SpecializeError
from specialize.experiment.settings import MadeAs
from specialize.files import read_json
from specialize.vocabularies import (
    BytePieceTraining,
    PieceTraining,
    bert_tokenizer,
    copy_vocabulary,
    in_order,
    kind_named,
    kind_of,
    known_kinds,
    learn_byte_pieces,
    segment,
    special_ids,
)

WORDS = Counter({"talo": 9, "talossa": 8, "تالو": 6, ".": 9})
PIECES = ["[PAD]", "[unused9]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused10]", "ta", "##lo", "a", "."]
WORDPIECES = bert_tokenizer({piece: number for number, piece in enumerate(PIECES)})
BYTES = learn_byte_pieces(WORDS, BytePieceTraining(size=300, min_frequency=2))


def test_each_tokenizer_is_of_one_kind():
    assert [kind.name for kind in known_kinds()] == ["SentencePiece BPE", "byte-level BPE", "Unigram", "WordPiece"]
    for tokenizer, name in ((WORDPIECES, "WordPiece"), (BYTES, "byte-level BPE")):
        assert [kind.name for kind in known_kinds() if kind.is_of(tokenizer)] == [name]
        assert kind_of(tokenizer).name == name
        assert kind_of(Tokenizer.from_str(tokenizer.to_str())).name == name


@pytest.mark.parametrize("model", [models.WordLevel(), models.BPE()], ids=["WordLevel", "BPE"])
def test_a_kind_that_is_not_known_is_refused_by_its_name(model):
    with pytest.raises(InputError, match=rf"x\.json: holds a {type(model).__name__} vocabulary; the kinds known are"):
        kind_of(Tokenizer(model), "x.json")


def test_what_is_unknown_is_what_the_model_says():
    odd = Tokenizer(models.WordPiece({"<?>": 0, "a": 1}, unk_token="<?>"))
    odd.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    assert kind_of(odd).unknown(odd) == "<?>"
    assert segment(odd, ["a", "b"]) == [["a"], ["<?>"]]
    assert kind_of(WORDPIECES).unknown(WORDPIECES) == "[UNK]"
    assert segment(BYTES, ["q"])[0].count(kind_of(BYTES).unknown(BYTES)) == 0


def test_special_tokens_are_known_by_their_role():
    assert special_ids(WORDPIECES) == {"start": 3, "end": 4, "pad": 0, "mask": 5}
    assert special_ids(BYTES) == {"start": 0, "end": 2, "pad": 1, "mask": 4}


def test_special_tokens_of_a_spelling_that_is_not_known_are_refused():
    with pytest.raises(SpecializeError, match="lacks special tokens"):
        special_ids(Tokenizer(models.WordPiece({"[UNK]": 0, "[CLS]": 1}, unk_token="[UNK]")))


def test_pieces_that_continue_a_word():
    assert kind_of(WORDPIECES).continuations(WORDPIECES, [["ta", "##lo", ".", "ta"], []]) == [1, 0]
    segmented = segment(BYTES, ["talo", "talossa."])
    assert kind_of(BYTES).continuations(BYTES, segmented) == [len(pieces) - 1 for pieces in segmented]


def test_letters_that_are_missing():
    assert kind_of(WORDPIECES).missing_letters(WORDPIECES, "bao") == ["b", "o"]
    assert kind_of(BYTES).missing_letters(BYTES, "bao漢") == []


def test_free_slots_stand_in_the_order_of_their_ids():
    assert kind_of(WORDPIECES).free_slots(WORDPIECES) == ["[unused9]", "[unused10]"]
    assert kind_of(BYTES).free_slots(BYTES) == []


def test_pieces_go_where_there_is_a_way_to_put_them():
    choice = piece_choice(60)
    grown = kind_of(WORDPIECES).grow(WORDPIECES, Counter(["x"]), 1, choice, {})
    assert in_order(grown.tokenizer)[1] == "x" == grown.pieces[0]
    grown = kind_of(BYTES).grow(BYTES, Counter(["xy"]), 1, choice, {})
    assert in_order(grown.tokenizer)[-1:] == grown.pieces == ["xy"]


@pytest.mark.parametrize("leading_space", [True, False])
def test_a_word_that_stands_alone_has_its_space_if_asked_for(leading_space):
    tokenizer = Tokenizer.from_str(BYTES.to_str())
    kind_of(tokenizer).set_leading_space(tokenizer, leading_space)
    first = tokenizer.encode("talo", add_special_tokens=False).tokens[0]
    assert first.startswith("Ġ") == leading_space
    before = WORDPIECES.to_str()
    kind_of(WORDPIECES).set_leading_space(WORDPIECES, leading_space)
    assert WORDPIECES.to_str() == before


@pytest.mark.parametrize("tokenizer", [WORDPIECES, BYTES], ids=["WordPiece", "byte-level BPE"])
def test_a_folder_has_the_files_of_its_kind_and_keeps_settings(tmp_path, tokenizer):
    kind, folder, copy = kind_of(tokenizer), tmp_path / "folder", tmp_path / "copy"
    folder.mkdir(), copy.mkdir()
    settings = tmp_path / "tokenizer_config.json"
    settings.write_text('{"padding_side": "left", "do_lower_case": true, "model_max_length": 64}')
    kind.save(tokenizer, folder, settings)
    assert {path.name for path in folder.iterdir()} == set(kind.files)
    saved = read_json(folder / "tokenizer_config.json")
    assert (saved["padding_side"], saved["model_max_length"]) == ("left", 64)
    assert not saved.get("do_lower_case")
    kind.save(tokenizer, folder, tmp_path / "absent.json")
    assert "padding_side" not in read_json(folder / "tokenizer_config.json")
    (folder / "statistics.json").write_text("{}")
    copy_vocabulary(folder, copy)
    assert {path.name for path in copy.iterdir()} == set(kind.files)


def test_a_kind_learns_with_its_own_settings():
    for tokenizer, training in (
        (WORDPIECES, PieceTraining(size=60, min_frequency=1, limit_alphabet=1000)),
        (BYTES, BytePieceTraining(size=300, min_frequency=2)),
    ):
        learned = kind_of(tokenizer).learn(WORDS, training)
        assert kind_of(learned) is kind_of(tokenizer)
        assert 0 < learned.get_vocab_size() <= training.size


def test_a_byte_level_vocabulary_is_known_by_what_is_before_the_model():
    letters = Tokenizer(models.BPE())
    letters.pre_tokenizer, letters.decoder = pre_tokenizers.Whitespace(), decoders.ByteLevel()
    with pytest.raises(InputError, match="holds a BPE vocabulary"):
        kind_of(letters)


def test_each_kind_that_a_configuration_can_name_is_one():
    named = get_args(MadeAs.model_fields["vocabulary"].annotation)
    assert sorted(kind_named(name).name for name in named) == sorted(kind.name for kind in known_kinds())
