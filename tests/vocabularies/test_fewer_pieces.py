"""Vocabularies that lose pieces, of every kind: what stays is cut as it was."""

import json
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.vocabularies.conftest import piece_choice
from tokenizers import Tokenizer

from specialize.files import read_json
from specialize.vocabularies import (
    BytePieceTraining,
    PieceTraining,
    bert_tokenizer,
    build_trimmed_vocabulary,
    build_vocabulary,
    check_ids,
    in_order,
    kind_named,
    kind_of,
    load_base,
    new_base_vocabulary,
    special_ids,
    trimmed,
)
from specialize.vocabularies.kinds import freed
from specialize.vocabularies.replacing import least_used, replace_pieces

SYLLABLES = {
    "latin": ["ta", "lo", "mi", "ne", "ku", "ra", "so", "vi", "ge", "bo"],
    "georgian": ["და", "ლო", "მი", "ნე", "კუ", "რა"],
    "target": ["ხა", "ჯო", "ta", "ღი", "შუ", "ne", "ჩა"],
}
KINDS = ["wordpiece", "unigram", "bpe", "byte-level", "byte-level, whole words first", "bpe, many ways"]


def words_of(language, number, seed=1):
    """Words of a few syllables; some have a mark, some a letter that nothing else has."""
    generator = random.Random(f"{language} {seed}")
    words = Counter()
    for _ in range(number):
        word = "".join(generator.choices(SYLLABLES[language], k=generator.randint(1, 4)))
        words[word + generator.choice(["", "", "", ".", "-ta", "漢"])] += generator.randint(1, 9)
    return words


TEXT = words_of("latin", 300) + words_of("georgian", 200)


@pytest.fixture(scope="module", params=KINDS)
def folder(request, tmp_path_factory):
    """The folder of a base vocabulary of each kind."""
    name, _, variant = request.param.partition(", ")
    kind, folder = kind_named(name), tmp_path_factory.mktemp("base")
    sizes = PieceTraining(size=200, min_frequency=2, limit_alphabet=40)
    if name == "wordpiece":
        pieces = new_base_vocabulary(TEXT, sizes, 3)
        tokenizer = bert_tokenizer({piece: number for number, piece in enumerate(pieces)})
    elif name == "byte-level":
        tokenizer = kind.learn(TEXT, BytePieceTraining(size=420, min_frequency=2))
    else:
        tokenizer = kind.learn(TEXT, sizes.model_copy(update={"size": 480}) if name == "bpe" else sizes)
    definition = json.loads(tokenizer.to_str())
    if variant == "whole words first":
        definition["model"]["ignore_merges"] = True
    elif variant:  # as SentencePiece's converted ones: each pair of pieces that makes a piece is a merge
        vocabulary = definition["model"]["vocab"]
        ways = {
            (piece[:cut], piece[cut:]): number for piece, number in vocabulary.items() for cut in range(1, len(piece))
        }
        known = [pair for pair in ways if pair[0] in vocabulary and pair[1] in vocabulary]
        definition["model"]["merges"] = sorted(known, key=lambda pair: (ways[pair], pair))
    kind.save(Tokenizer.from_str(json.dumps(definition)), folder)
    return folder


def cut(tokenizer, words):
    """How words are cut, after a space and at the very beginning."""
    kind, copy = kind_of(tokenizer), Tokenizer.from_str(tokenizer.to_str())
    cuts = [kind.segment(tokenizer, sorted(words))]
    for leading_space in (True, False):
        kind.set_leading_space(copy, leading_space)
        cuts.append([encoding.tokens for encoding in copy.encode_batch(sorted(words), add_special_tokens=False)])
    return cuts


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 99), number=st.integers(1, 300))
def test_words_that_stay_are_cut_as_before_when_pieces_give_way(folder, seed, number):
    base = load_base(folder)
    kind = kind_of(base)
    unknown = Counter({"taloЖ": 1, "loЖmi": 1, "Ж": 2, "mi漢ta": 1})
    kept, text = words_of("latin", 15, seed) + unknown, words_of("georgian", 10, seed) + words_of("target", 10, seed)
    uses = kind.uses(base, text)
    gone = least_used(base, uses, kind.uses(base, kept), number)
    assert gone and gone == least_used(base, uses, set(kind.uses(base, kept)), number)
    less, ids = freed(base, gone), base.get_vocab()
    assert kind_of(less).free_slots(less) == [f"[gives way {ids[piece]}]" for piece in sorted(gone, key=ids.get)]
    assert {piece: number for piece, number in less.get_vocab().items() if piece in ids} == {
        piece: number for piece, number in ids.items() if piece not in gone
    }
    assert cut(less, kept) == cut(base, kept)
    if uses.keys().isdisjoint(gone):
        assert cut(less, text) == cut(base, text)
    letters = {piece for piece in ids if len(piece.removeprefix("##").removeprefix("▁")) <= 1}
    assert letters.isdisjoint(gone) and kind.fixed(base).isdisjoint(gone)
    by_merges = {piece: parts for piece, parts in kind.made_of(base, set(ids) - set(gone)).items() if parts}
    assert not set().union(*by_merges.values()) & set(gone)
    copy = Tokenizer.from_str(less.to_str())
    assert {piece: kind.made_of(copy, [piece])[piece] for piece in by_merges} == by_merges


def test_the_least_used_go_first_and_of_those_the_last(folder):
    base = load_base(folder)
    ids, uses = base.get_vocab(), Counter(kind_of(base).uses(base, TEXT))
    gone = least_used(base, uses, (), 10_000)
    assert set(gone) == {piece for piece in ids if piece in set(gone)} and len(set(gone)) == len(gone) < len(ids)
    if not any(kind_of(base).made_of(base, ids).values()):  # else what others are made of waits for them
        assert gone == sorted(gone, key=lambda piece: (uses[piece], -ids[piece]))


def test_new_pieces_stand_in_place_of_others(folder, tmp_path):
    base, elsewhere = load_base(folder), {"latin": words_of("latin", 40)}
    text = words_of("target", 200)
    corpus = tmp_path / "train.txt"
    corpus.write_text(" ".join(text.elements()) + "\n", encoding="utf-8")
    choice = piece_choice(520, min_frequency=3, other_languages=["latin"])
    build_vocabulary(folder, corpus, 8, choice, {}, tmp_path / "made", "none", elsewhere, growth="replace")
    made = Tokenizer.from_file(str(tmp_path / "made/tokenizer.json"))
    statistics, ids = read_json(tmp_path / "made/statistics.json"), base.get_vocab()
    pieces, replaced = statistics["pieces"], statistics["replaced"]
    assert len(pieces) == len(replaced) == 8 and pieces.keys().isdisjoint(ids)
    assert sorted(pieces.values()) == sorted(replaced.values()) == sorted(ids[piece] for piece in replaced)
    assert made.get_vocab_size() == base.get_vocab_size()
    stayed = {piece: number for piece, number in made.get_vocab().items() if piece not in pieces}
    assert stayed == {piece: number for piece, number in ids.items() if piece not in replaced}
    assert kind_of(base).free_slots(made) == kind_of(base).free_slots(base)
    check_ids(base, made, pieces, replaced)
    less, after, before = (cut(one, elsewhere["latin"])[0] for one in (freed(base, replaced), made, base))
    assert less == before
    otherwise = [word for word, old, new in zip(sorted(elsewhere["latin"]), before, after, strict=True) if old != new]
    if kind_of(base).key != "wordpiece":
        assert not otherwise
    assert sum(map(len, cut(made, text)[0])) < sum(map(len, cut(base, text)[0])) or kind_of(base).key == "wordpiece"


def test_as_many_give_way_as_there_are_new_pieces(folder):
    base = load_base(folder)
    few = Counter({"ხაჯო": 5, "ღი": 5})
    grown, replaced = replace_pieces(base, few, 150, piece_choice(520, min_frequency=5), {})
    assert len(grown.pieces) == len(replaced) < 150
    check_ids(base, grown.tokenizer, {piece: grown.tokenizer.token_to_id(piece) for piece in grown.pieces}, replaced)
    assert not [piece for piece in in_order(grown.tokenizer) if piece.startswith("[gives way")]


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 99), number=st.integers(0, 40))
def test_words_are_cut_as_before_without_the_pieces_that_none_needs(folder, seed, number):
    base = load_base(folder)
    texts = {
        "text": words_of("latin", number, seed) + Counter({"taloЖ": 1, "loЖmi": 1, "Ж": 2, "mi漢ta": 1}),
        "other": words_of("target", number // 2, seed),
    }
    less = trimmed(base, texts)
    words = texts["text"] + texts["other"]
    assert cut(less, words) == cut(base, words)
    assert [piece for piece in in_order(less) if piece in base.get_vocab()] == in_order(less)
    assert len(in_order(less)) < len(in_order(base))
    assert special_ids(less)["pad"] == special_ids(base)["pad"]
    names = in_order(base)
    for line in ("", "talo mi", " ".join(words)):
        for pair in (None, "ta lo"):
            ids, before = less.encode(line, pair).ids, base.encode(line, pair).ids
            assert [in_order(less)[number] for number in ids] == [names[number] for number in before]
    assert cut(less, ["toЖvu", "ტა"])[0][0] == cut(base, ["toЖvu", "ტა"])[0][0]  # letters of the text's script stay
    again = trimmed(less, texts)
    assert in_order(again) == in_order(less) and again.to_str() == less.to_str()


def test_a_trimmed_vocabulary_says_how_many_pieces_stay(folder, tmp_path):
    words = words_of("latin", 30)
    corpus = tmp_path / "train.txt"
    corpus.write_text(" ".join(words.elements()) + "\n", encoding="utf-8")
    kept = {"georgian": words_of("georgian", 20)}
    build_trimmed_vocabulary(folder, corpus, {}, kept, tmp_path / "made", "none")
    made, base = Tokenizer.from_file(str(tmp_path / "made/tokenizer.json")), load_base(folder)
    statistics = read_json(tmp_path / "made/statistics.json")
    assert statistics["trimmed"] == {"pieces": made.get_vocab_size(), "of": base.get_vocab_size()}
    assert statistics["coverage"]["corpus"]["base"] == statistics["coverage"]["corpus"]["augmented"]
    assert cut(made, kept["georgian"]) == cut(base, kept["georgian"])
