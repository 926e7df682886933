"""The byte-level vocabulary of a monolingual model."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from transformers import AutoTokenizer, RobertaTokenizer

from specialize.files import file_hash, read_json
from specialize.vocabularies import (
    BYTE_SPECIAL_TOKENS,
    BytePieceTraining,
    WordCounts,
    build_byte_vocabulary,
    coverage,
    in_order,
    learn_byte_pieces,
    special_ids,
)

WORDS = Counter({"talo": 9, "talossa": 8, "تالو": 6, "تالوسا": 5, "ქარი": 4, "漢字": 3, ".": 9, "einmal": 1})
TRAINING = BytePieceTraining(size=300, min_frequency=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    home = tmp_path_factory.mktemp("bytes")
    text = "\n".join(" ".join([word] * count) for word, count in WORDS.items()) + "\n"
    (home / "train.txt").write_text(text, encoding="utf-8")
    build_byte_vocabulary(home / "train.txt", TRAINING, {"ner": WordCounts(1, Counter({"talo": 2}))}, home / "out")
    return home / "out"


def test_it_loads_with_the_library_and_both_forms_agree(tmp_path_factory, folder, tmp_path):
    """Without tokenizer.json the library builds it from vocab.json and merges.txt, but for a normaliser."""
    folder, text = tmp_path_factory.mktemp("as-written") / "out", folder.parent / "train.txt"
    build_byte_vocabulary(text, TRAINING, {}, folder, normal_form="none")
    for name in ("vocab.json", "merges.txt", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    loaded, from_text = AutoTokenizer.from_pretrained(folder), RobertaTokenizer.from_pretrained(tmp_path)
    ours = Tokenizer.from_file(str(folder / "tokenizer.json"))
    assert loaded.get_vocab() == from_text.get_vocab() == read_json(folder / "vocab.json")
    for text in ("talossa تالو <mask> .", "<mask>", "unseen 🙂 words", "two  spaces"):
        assert loaded(text).input_ids == from_text(text).input_ids == ours.encode(text).ids
    assert loaded.mask_token_id == special_ids(ours)["mask"]


def test_special_tokens_come_first_in_the_order_of_roberta(folder):
    assert in_order(Tokenizer.from_file(str(folder / "tokenizer.json")))[:5] == list(BYTE_SPECIAL_TOKENS)
    loaded = AutoTokenizer.from_pretrained(folder)
    assert (loaded.bos_token_id, loaded.pad_token_id, loaded.eos_token_id, loaded.unk_token_id) == (0, 1, 2, 3)


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_nothing_is_unknown_and_nothing_is_lost(text):
    tokenizer = test_nothing_is_unknown_and_nothing_is_lost.tokenizer
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    if not any(token in text for token in BYTE_SPECIAL_TOKENS):
        assert tokenizer.decode(ids).removeprefix(" ") == text.removeprefix(" ")


test_nothing_is_unknown_and_nothing_is_lost.tokenizer = learn_byte_pieces(WORDS, TRAINING)


def test_the_first_word_of_a_line_has_the_space_of_all_others(folder):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    alone = tokenizer.encode("talossa", add_special_tokens=False).tokens
    assert alone == ["Ġtalossa"]
    assert tokenizer.encode("talossa talossa", add_special_tokens=False).tokens == 2 * alone


def test_rare_pieces_are_not_learned_and_the_size_is_bounded():
    names = in_order(learn_byte_pieces(WORDS, TRAINING))
    assert len(names) <= 300
    assert "Ġeinmal" not in names
    assert "Ġtalo" in names


def test_two_runs_give_the_same_bytes(folder, tmp_path):
    build_byte_vocabulary(
        folder.parent / "train.txt", TRAINING, {"ner": WordCounts(1, Counter({"talo": 2}))}, tmp_path / "again"
    )
    for path in folder.iterdir():
        assert file_hash(path) == file_hash(tmp_path / "again" / path.name), path.name


def test_coverage_counts_what_continues_a_word(folder):
    measured = coverage(learn_byte_pieces(WORDS, TRAINING), Counter({"talo": 3, "xyz": 1}))
    assert (measured.tokens, measured.unknown_token_rate) == (4, 0)
    pieces = 3 + 1 + len("xyz")  # of an unseen word the space and each letter
    assert measured.wordpieces_per_token == pieces / 4
    assert measured.continuation_rate == pytest.approx((pieces - 4) / pieces, abs=1e-4)
    statistics = read_json(folder / "statistics.json")
    assert statistics["pieces"] == {}
    assert statistics["coverage"]["ner"]["augmented"]["tokens"] == 2
    assert "base" not in statistics["coverage"]["corpus"]
