"""Unigram vocabularies: cut as the library cuts, learned alike every time, and grown without harm to what was there."""

import json
import os
import random
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.vocabularies.conftest import piece_choice
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoTokenizer

from specialize.errors import InputError
from specialize.files import read_json
from specialize.vocabularies import (
    PieceTraining,
    build_vocabulary,
    check_ids,
    in_order,
    kind_of,
    load_base,
    segment,
    settle_base,
    special_ids,
)
from specialize.vocabularies.kinds.unigram import KIND, learn_unigram
from specialize.vocabularies.kinds.unigram_paths import Scores, parts_of
from specialize.vocabularies.side_effects import pieces_in_use, resegmented

SMALL = PieceTraining(size=120, min_frequency=1, limit_alphabet=1000)


def made_up(syllables, number, seed):
    """A language of made-up words: some are frequent, most are rare."""
    source = random.Random(seed)
    words = ["".join(source.choices(syllables, k=source.randint(1, 4))) for _ in range(number)]
    return Counter({word: 1 + number // (5 * place) for place, word in enumerate(words, 1)}) + Counter(
        {",": 40, ".": 60}
    )


FIRST = made_up(["ta", "lo", "ki", "sa", "nen", "vu", "ra"], 300, 1)
SECOND = made_up(["do", "mi", "gat", "se", "bar", "lo"], 300, 2)
TARGET = made_up(["ta", "ħa", "ġe", "mi", "sa", "il", "-"], 300, 3)
BASE = learn_unigram(FIRST + SECOND, SMALL)
SCORES = dict(json.loads(BASE.to_str())["model"]["vocab"])
OTHERS = {"first": FIRST, "second": SECOND}


def listed(tokenizer):
    return json.loads(tokenizer.to_str())["model"]["vocab"]


# -- cutting and learning ----------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text("abċ▁", min_size=1, max_size=4), st.sampled_from([-1.0, -2.0, -3.0, -5.5]), min_size=1),
       st.text("abċ▁", min_size=1, max_size=12))  # fmt: skip
def test_paths_are_those_of_the_library_ties_included(scores, text):
    model = Tokenizer(models.Unigram([("<unk>", 0.0), *sorted(scores.items())], unk_id=0))
    cut = Scores(scores | {"<unk>": 0.0}).best(text).pieces
    fused = [piece for place, piece in enumerate(cut) if piece or not place or cut[place - 1]]
    names = [piece for piece, _ in listed(model)]
    encoding = model.encode(text)
    assert [("" if number == 0 else names[number]) for number in encoding.ids] == fused


def test_the_order_of_words_changes_nothing():
    turned = Counter(dict(reversed(TARGET.items())))
    assert learn_unigram(turned, SMALL).to_str() == learn_unigram(TARGET, SMALL).to_str()
    others = {language: Counter(dict(reversed(words.items()))) for language, words in reversed(OTHERS.items())}
    grown = [KIND.grow(BASE, *way).tokenizer.to_str() for way in (
        (TARGET, 12, piece_choice(90), OTHERS), (turned, 12, piece_choice(90), others)
    )]  # fmt: skip
    assert grown[0] == grown[1]


@pytest.mark.slow
def test_every_process_learns_and_grows_alike_on_any_number_of_cores():
    program = (
        "from collections import Counter; from specialize.vocabularies import PieceChoice;"
        "from specialize.vocabularies.kinds.unigram import KIND, learn_unigram;"
        "choice = PieceChoice(size=90, min_frequency=1, limit_alphabet=99, choose='unknown', other_languages=[],"
        " most_resegmented=0.01);"
        "words = [Counter({a + b + c: 5 for a in x for b in 'aeiou' for c in x}) for x in ('klmn', 'prst', 'kħġt')];"
        "base = learn_unigram(words[0] + words[1], choice);"
        "print(base.to_str(), KIND.grow(base, words[2], 12, choice, {'first': words[0]}).tokenizer.to_str())"
    )
    outputs = set()
    for cores in ("1", "2", "2"):
        environment = os.environ | {"RAYON_NUM_THREADS": cores}
        command = [sys.executable, "-c", program]
        outputs.add(subprocess.run(command, capture_output=True, check=True, env=environment).stdout)
    assert len(outputs) == 1


def test_a_learned_vocabulary_is_laid_out_as_xlm_r_has_it():
    names = in_order(BASE)
    assert names[:4] == ["<s>", "<pad>", "</s>", "<unk>"]
    assert names[-1] == "<mask>"
    assert len(names) == SMALL.size
    assert set("talokisnevurdmgb") <= set(names)
    assert BASE.encode("talo", "kisa").tokens.count("</s>") == 3
    assert BASE.token_to_id("<mask>") in BASE.encode("ta <mask> lo").ids
    rare = learn_unigram(FIRST + Counter({"q": 1}), PieceTraining(size=90, min_frequency=1, limit_alphabet=10))
    assert "q" not in rare.get_vocab()
    assert segment(rare, ["q"]) == [["▁", "<unk>"]]


def test_no_words_give_no_pieces():
    assert in_order(learn_unigram(Counter(), SMALL)) == ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


# -- what only the kind knows ------------------------------------------------------------------------------


def test_what_is_unknown_and_what_continues_a_word():
    assert kind_of(BASE) is KIND
    assert KIND.unknown(BASE) == "<unk>"
    assert KIND.continuations(BASE, [["▁ta", "lo", "▁"], ["▁"], []]) == [1, 0, 0]
    assert KIND.missing_letters(BASE, "taħġ") == ["ħ", "ġ"]
    assert special_ids(BASE)["mask"] == len(in_order(BASE)) - 1


def test_letters_made_of_bytes_are_never_unknown():
    pieces = [("<unk>", 0.0), ("▁", -1.0), *((f"<0x{byte:02X}>", -9.0) for byte in range(256))]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=0, byte_fallback=True))
    assert KIND.unknown(tokenizer) == ""
    assert KIND.missing_letters(tokenizer, "ħ") == []


@pytest.mark.parametrize("older", [True, False])
def test_a_word_that_stands_alone_has_its_mark_if_asked_for(older):
    tokenizer = Tokenizer.from_str(BASE.to_str())
    if older:
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
        )
    for leading_space in (True, False, True):
        KIND.set_leading_space(tokenizer, leading_space)
        assert tokenizer.encode("talo", add_special_tokens=False).tokens[0].startswith("▁") == leading_space
    assert segment(tokenizer, ["talo"]) == segment(BASE, ["talo"])


# -- growing -----------------------------------------------------------------------------------------------


@settings(max_examples=12, deadline=None)
@given(
    st.integers(0, 5),
    st.sampled_from([1, 7, 25, None]),
    st.sampled_from(["unknown", "compression", "both"]),
    st.sampled_from([0.0, 0.005, 0.05]),
)
def test_pieces_are_used_and_other_languages_stay_as_they_are(seed, number, choose, share):
    words = made_up(["ta", "ħa", "ġe", "mi", "sa", "il", "'"], 200, seed + 10)
    choice = piece_choice(90, choose=choose, most_resegmented=share)
    grown, pieces, passed_over, _ = KIND.grow(BASE, words, number, choice, OTHERS)
    assert number is None or len(pieces) <= number
    assert not set(pieces) & set(passed_over)
    assert pieces_in_use(grown, pieces, words) == len(pieces)
    assert listed(grown)[: len(SCORES)] == listed(BASE)
    assert [piece for piece, _ in listed(grown)[len(SCORES) :]] == pieces
    assert all(score >= min(SCORES.values()) for _, score in listed(grown))
    check_ids(BASE, grown, {piece: grown.token_to_id(piece) for piece in pieces})
    for language_words in OTHERS.values():
        assert max(resegmented(BASE, grown, language_words)) <= share


def test_letters_that_the_base_lacks_come_first():
    words = made_up(["ħa", "ħi", "taħ", "iġ", "ġu", "ġ", "lo"], 300, 4)
    assert set(KIND.grow(BASE, words, 2, piece_choice(90), OTHERS).pieces) == {"ħ", "ġ"}


def test_a_piece_that_every_language_would_use_gives_way():
    """A quotation mark with the mark of a word's beginning is a word in all of them."""
    letters = [("▁", -2.0), *((letter, -5.0) for letter in 'adgilmot"')]
    definition = json.loads(learn_unigram(Counter(), SMALL).to_str())
    definition["model"]["vocab"][4:4] = letters
    definition["added_tokens"][-1]["id"] += len(letters)
    base = Tokenizer.from_str(json.dumps(definition))
    words = Counter({'"': 1000, "ħaħa": 50, "taħa": 40, "ħila": 30, "taħila": 20})
    elsewhere = {"other": Counter({'"': 30, "domi": 40, "gal": 30, "toma": 20})}
    grown = KIND.grow(base, words, 4, piece_choice(60, choose="compression"), elsewhere)
    assert '▁"' in grown.passed_over
    assert len(grown.pieces) == 4
    assert resegmented(base, grown.tokenizer, elsewhere["other"]) == (0.0, 0.0)
    careless = KIND.grow(base, words, 4, piece_choice(60, choose="compression", most_resegmented=1.0), elsewhere)
    assert '▁"' in careless.pieces
    assert resegmented(base, careless.tokenizer, elsewhere["other"]).running == 0.25


def test_without_other_languages_a_warning_names_the_setting(capsys):
    grown = KIND.grow(BASE, TARGET, 5, piece_choice(90), {})
    assert "vocabularies.other_languages" in "".join(capsys.readouterr())
    own = dict(listed(learn_unigram(TARGET, piece_choice(90), BASE.normalizer, BASE)))
    for piece, score in listed(grown.tokenizer)[len(SCORES) :]:
        assert score == pytest.approx(max(own[piece] - 4.6052, min(SCORES.values())), abs=1e-4)


# -- folders -----------------------------------------------------------------------------------------------


def folder_of(tokenizer, folder):
    folder.mkdir()
    KIND.save(tokenizer, folder)
    return folder


def test_a_grown_folder_loads_as_it_was_made(tmp_path):
    base = folder_of(BASE, tmp_path / "base")
    settle_base(base, "NFC", 64)
    text = tmp_path / "train.txt"
    text.write_text("".join(f"{word} {word}\n" for word in TARGET), encoding="utf-8")
    build_vocabulary(base, text, 9, piece_choice(90), {}, tmp_path / "vocabulary", elsewhere=OTHERS)
    statistics = read_json(tmp_path / "vocabulary" / "statistics.json")
    assert sorted(statistics["pieces"].values()) == list(range(SMALL.size, SMALL.size + 9))
    coverage = statistics["coverage"]["corpus"]
    assert coverage["augmented"]["unknown_token_rate"] < coverage["base"]["unknown_token_rate"]
    loaded = AutoTokenizer.from_pretrained(tmp_path / "vocabulary")
    assert loaded.mask_token_id == SMALL.size - 1
    assert loaded("ta <mask> lo").input_ids.count(loaded.mask_token_id) == 1


def test_tokens_beyond_the_list_and_ids_without_a_piece_get_their_places(tmp_path):
    definition = json.loads(BASE.to_str())
    size = len(definition["model"]["vocab"])
    definition["added_tokens"].append(definition["added_tokens"][0] | {"id": size + 2, "content": "<lang>"})
    (tmp_path / "tokenizer.json").write_text(json.dumps(definition), encoding="utf-8")
    settled = load_base(tmp_path)
    assert in_order(settled)[size:] == [f"[no piece {size}]", f"[no piece {size + 1}]", "<lang>"]
    assert settled.encode("ta<lang>lo", add_special_tokens=False).ids.count(size + 2) == 1
    assert segment(settled, sorted(FIRST)) == segment(BASE, sorted(FIRST))
    grown = KIND.grow(settled, TARGET, 3, piece_choice(90), OTHERS)
    assert sorted(map(grown.tokenizer.token_to_id, grown.pieces)) == [size + 3, size + 4, size + 5]


def unmarked(definition):
    definition["pre_tokenizer"] = {"type": "WhitespaceSplit"}


def without_unknown(definition):
    definition["model"]["unk_id"] = None


def twice(definition):
    definition["model"]["vocab"].append(definition["model"]["vocab"][5])


def far_away(definition):
    definition["added_tokens"][-1] |= {"content": "<far>", "id": 10_000_000}


def another_id(definition):
    definition["added_tokens"][-1]["id"] -= 1


def taken_id(definition):
    definition["added_tokens"][-1] |= {"content": "<other>"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (unmarked, "puts no ▁ before words; take another base model"),
        (without_unknown, r"has no piece for unknown letters; give its place in the list as model\.unk_id"),
        (twice, "has two ids for .*, 5 and 120"),
        (far_away, "has the id 10000000 among"),
        (another_id, "has two ids for '<mask>', 119 and 118"),
        (taken_id, "has two pieces of the id 119, '<mask>' and '<other>'"),
    ],
)
def test_a_vocabulary_that_contradicts_itself_is_refused(tmp_path, change, message):
    definition = json.loads(BASE.to_str())
    change(definition)
    (tmp_path / "tokenizer.json").write_text(json.dumps(definition), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        load_base(tmp_path)


def test_parts_are_what_the_model_is_given():
    assert parts_of(BASE, "ﬁne a\u00a0b") == ["▁fine", "▁a", "▁b"]
