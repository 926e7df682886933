"""All spellings of a word are cut alike by every folder that we write, and by whoever loads it."""

import json
import shutil
import unicodedata
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.vocabularies.conftest import piece_choice
from tokenizers import Tokenizer, normalizers
from transformers import AutoTokenizer, BertConfig

from specialize.files import read_json, write_json
from specialize.unicode import comparable, without_invisible
from specialize.vocabularies import (
    BytePieceTraining,
    WordCounts,
    bert_tokenizer,
    build_byte_vocabulary,
    build_vocabulary,
    cased_normalizer,
    count_words,
    in_order,
    kind_of,
    learn_wordpieces,
    new_base_vocabulary,
    save_tokenizer,
    segment,
    settle_base,
    spelled,
    spellings,
    with_normal_form,
)
from specialize.vocabularies.normal_form import INVISIBLE, has_normal_form, spelling_statistics

ZWSP, ZWNJ, ZWJ, SOFT_HYPHEN = "\u200b", "\u200c", "\u200d", "\u00ad"
# Words with joiners, vowel signs that compose, Hangul, stacked accents, a selector.
PERSIAN, SINHALA, MALAYALAM = f"می{ZWNJ}خواهم", f"ශ{chr(0xDCA)}{ZWJ}රී", f"അവന{chr(0xD4D)}{ZWJ}"
WORDS = [
    PERSIAN,
    SINHALA,
    MALAYALAM,
    "ọ̀gá",
    "ẹ́mọ̀",
    "한국어",
    "বো",
    "ऩाम",
    "ẅält",
    "Việt",
    "ئۇ",
    f"漢{chr(0xFE00)}字",
    "talo",
]
TRAINING = piece_choice(400)
BYTE_TRAINING = BytePieceTraining(size=400, min_frequency=2)
UNCASED = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True)


def corpus_in(folder, form="NFD"):
    text = "\n".join(unicodedata.normalize(form, " ".join([word] * 3)) for word in WORDS)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train.txt").write_text(text + "\n", encoding="utf-8")
    return folder / "train.txt"


def base_folder(folder, normalizer=None):
    """A base model's folder as others write it: of its letters it knows the composed ones only."""
    letters = "".join(dict.fromkeys(unicodedata.normalize("NFC", "".join(map(without_invisible, WORDS)))))[::2]
    slots = [f"[unused{number}]" for number in range(1, 12)]
    pieces = ["[PAD]", *slots, "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters)]
    folder.mkdir(parents=True)
    save_tokenizer(bert_tokenizer({piece: number for number, piece in enumerate(pieces)}, normalizer), folder)
    return folder


def loaded(folder):
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Each kind of folder that a run has: a base's copy, its vocabulary with pieces and without, byte-level pieces."""
    home = tmp_path_factory.mktemp("folders")
    corpus = corpus_in(home / "text")
    for name, normalizer in (("cased", None), ("uncased", UNCASED)):
        base = base_folder(home / "given" / name, normalizer)
        shutil.copytree(base, home / f"{name} base")
        settle_base(home / f"{name} base", "NFC", 512)
        build_vocabulary(base, corpus, 0, None, {}, home / f"{name} without pieces")
        build_vocabulary(home / f"{name} base", corpus, 9, TRAINING, {}, home / f"{name} with pieces")
    build_byte_vocabulary(corpus, BYTE_TRAINING, {}, home / "bytes")
    made = normalizers.Sequence([cased_normalizer()])
    pieces = new_base_vocabulary(count_words([corpus]).words, TRAINING, 3, with_normal_form(made, "NFKC"))
    (home / "of our own").mkdir()
    tokenizer = bert_tokenizer({piece: n for n, piece in enumerate(pieces)}, with_normal_form(made, "NFKC"))
    save_tokenizer(tokenizer, home / "of our own")
    return [path for path in sorted(home.iterdir()) if (path / "tokenizer.json").is_file()]


LETTERS = st.sampled_from(sorted({letter for word in WORDS for letter in unicodedata.normalize("NFD", word)})) | (
    st.characters(categories=["Ll", "Lu", "Lt", "Lm", "Lo", "Mn", "Mc"])
)
MARKS = st.sampled_from(
    sorted({ZWNJ, ZWJ, SOFT_HYPHEN, "\u200e", "\u202b", "\u2060", "\ufeff", "\ufe0f", "\u034f", "\u3164", "\U000e0101"})
)


@st.composite
def two_spellings(draw):
    """A word as two people may write it: in any form, invisible marks between its characters."""
    letters = draw(st.lists(LETTERS, min_size=1, max_size=8))
    word = without_invisible("".join(letters)) or "a"
    written = []
    for _ in range(2):
        spelling = unicodedata.normalize(draw(st.sampled_from(["NFC", "NFD"])), word)
        for place in sorted(draw(st.lists(st.integers(0, len(spelling)), max_size=3)), reverse=True):
            spelling = spelling[:place] + draw(MARKS) + spelling[place:]
        written.append(draw(st.sampled_from(["", ZWSP])) + spelling + draw(st.sampled_from(["", 2 * ZWSP])))
    return written


@settings(max_examples=120, deadline=None)
@given(two_spellings())
def test_every_folder_cuts_two_spellings_alike(folders, written):
    for folder, tokenizer in zip(folders, tokenizers_of(folders), strict=True):
        first, second = segment(tokenizer, written)
        assert first == second, folder.name
        lines = [tokenizer.encode(f"talo {word} talo", add_special_tokens=False).ids for word in written]
        assert lines[0] == lines[1], folder.name


TOKENIZERS = {}


def tokenizers_of(folders):
    for folder in folders:
        TOKENIZERS.setdefault(folder, loaded(folder))
    return [TOKENIZERS[folder] for folder in folders]


@settings(max_examples=120, deadline=None)
@given(two_spellings())
def test_words_without_a_tokenizer_are_spelled_alike(written):
    for form in ("NFC", "NFKC"):
        assert spelled(written[0], form) == spelled(written[1], form) == spelled(spelled(written[0], form), form)
        assert comparable(spelled(written[0], form)) == comparable(written[1]).strip()


@pytest.mark.parametrize("with_model", [False, True], ids=["vocabulary", "model"])
def test_whoever_loads_a_folder_cuts_words_as_we_do(folders, tmp_path, with_model):
    """`transformers` makes the normaliser of a BertTokenizer anew; the settings name a class that keeps ours."""
    texts = [*WORDS, *(unicodedata.normalize("NFD", word) for word in WORDS), "a\u200bb, x", "É"]
    texts.append(" <mask>")
    for folder in folders:
        copied = tmp_path / folder.name
        shutil.copytree(folder, copied)
        if with_model and folder.name != "bytes":
            BertConfig().save_pretrained(copied)
        library, ours = AutoTokenizer.from_pretrained(copied), loaded(folder)
        for text in texts:
            assert library(text).input_ids == ours.encode(text).ids, (folder.name, text)
        special = kind_of(ours).special_ids(ours)
        names = ("cls_token_id", "sep_token_id", "pad_token_id", "mask_token_id")
        assert [getattr(library, name) for name in names] == list(special.values())
        assert library.model_max_length == 512 or folder.name in ("bytes", "of our own") or "without" in folder.name
        assert ("token_type_ids" in library("a", "b")) == (folder.name != "bytes")


@pytest.mark.parametrize("word", [PERSIAN, SINHALA, MALAYALAM])
def test_joiners_do_not_part_words(folders, word):
    for tokenizer in tokenizers_of(folders):
        joined, bare = segment(tokenizer, [word, word.replace(ZWNJ, "").replace(ZWJ, "")])
        assert joined == bare


def test_a_zero_width_space_parts_words_and_nothing_at_their_edges(folders):
    for tokenizer in tokenizers_of(folders):
        parted, two, edges, one = segment(
            tokenizer, [f"talo{ZWSP}{ZWSP}talo", "talo talo", f"{ZWSP}talo{ZWSP}", "talo"]
        )
        assert parted == two
        assert edges == one


def test_runs_of_marks_are_read_once():
    """However long: a bound of seconds that a quadratic pattern would miss by far."""
    normalizer = with_normal_form(None, "NFC")
    for mark in (ZWSP, ZWNJ, " "):
        assert normalizer.normalize_str("a" + mark * 300_000 + "b").replace(" ", "") == "ab"


# -- which steps ---------------------------------------------------------------------------------------------


def steps_of(normalizer):
    return [step["type"] for step in json.loads(normalizers.Sequence([normalizer]).__getstate__())["normalizers"]]


@pytest.mark.parametrize(
    ("own", "added"),
    [
        (cased_normalizer(), ["NFC"]),
        (normalizers.BertNormalizer(strip_accents=False, lowercase=True), ["NFC"]),
        (normalizers.Lowercase(), ["NFC"]),
        (UNCASED, []),
        (normalizers.BertNormalizer(strip_accents=True, lowercase=False), []),
        (normalizers.NFKC(), []),
        (normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents()]), []),
        (normalizers.Sequence([normalizers.Sequence([normalizers.NFKD()]), normalizers.Lowercase()]), []),
    ],
    ids=str,
)
def test_a_base_that_fixes_a_form_keeps_it_and_gets_no_other(own, added):
    made = with_normal_form(own, "NFC")
    assert steps_of(made) == ["Replace"] * len(INVISIBLE) + added + steps_of(own)
    assert has_normal_form(made)
    assert with_normal_form(made, "NFKC") is made


def test_none_leaves_a_folder_as_it_is(tmp_path):
    base = base_folder(tmp_path / "base")
    before = {path.name: path.read_bytes() for path in base.iterdir()}
    settle_base(base, "none", 512)
    build_vocabulary(base, corpus_in(tmp_path), 0, None, {}, tmp_path / "out", normal_form="none")
    for name in ("tokenizer.json", "vocab.txt"):
        assert (base / name).read_bytes() == (tmp_path / "out" / name).read_bytes() == before[name]


def test_the_settings_of_a_base_are_kept_but_for_the_class(tmp_path):
    base = base_folder(tmp_path / "base")
    write_json(base / "tokenizer_config.json", {"do_lower_case": False, "model_max_length": 64, "pad_token": "[PAD]"})
    settle_base(base, "NFC", 512)
    saved = read_json(base / "tokenizer_config.json")
    assert saved["tokenizer_class"] == "PreTrainedTokenizerFast"
    assert (saved["model_max_length"], saved["unk_token"], saved["mask_token"]) == (64, "[UNK]", "[MASK]")
    vocabulary = (base / "vocab.txt").read_bytes()
    settle_base(base, "NFC", 512)
    assert (read_json(base / "tokenizer_config.json"), (base / "vocab.txt").read_bytes()) == (saved, vocabulary)


# -- learning and counting -----------------------------------------------------------------------------------


def test_pieces_are_those_of_the_text_in_the_form(tmp_path):
    """A text in another form gives what the text in the form gives, for learning, choosing and coverage."""
    base, statistics = base_folder(tmp_path / "base"), []
    labeled = {"treebank": WordCounts(1, Counter(unicodedata.normalize("NFC", word) for word in WORDS))}
    for form in ("NFC", "NFD"):
        folder = tmp_path / form
        build_vocabulary(base, corpus_in(tmp_path / f"text {form}", form), 9, TRAINING, labeled, folder)
        statistics.append(read_json(folder / "statistics.json"))
    composed, decomposed = statistics
    assert composed["pieces"] == decomposed["pieces"]
    assert composed["coverage"] == decomposed["coverage"]
    assert composed["coverage"]["treebank"]["augmented"]["tokens"] == len(WORDS)
    assert (tmp_path / "NFC/tokenizer.json").read_bytes() == (tmp_path / "NFD/tokenizer.json").read_bytes()


def test_an_uncased_base_gets_uncased_pieces(tmp_path):
    base = base_folder(tmp_path / "base", UNCASED)
    (tmp_path / "train.txt").write_text("ÉTÉ Été été kÉt\n", encoding="utf-8")
    build_vocabulary(base, tmp_path / "train.txt", 5, TRAINING, {}, tmp_path / "out")
    pieces = read_json(tmp_path / "out/statistics.json")["pieces"]
    assert "ete" in pieces
    assert all(piece == piece.lower() for piece in pieces)


def test_words_that_become_alike_are_counted_together():
    normalizer = with_normal_form(cased_normalizer(), "NFC")
    words = Counter({"é": 2, "e\u0301": 3, f"e{ZWNJ}\u0301": 1, f"a{ZWSP}b": 4, "b": 1, SOFT_HYPHEN: 7})
    assert spellings(words, normalizer) == {"é": 6, "a": 4, "b": 5}
    assert spellings(words, cased_normalizer()) is words
    learned = learn_wordpieces(words, TRAINING, normalizer).get_vocab().keys()
    assert {"é", "a", "b"} <= learned
    assert not {piece for piece in learned if " " in piece or "\u0301" in piece}


def test_chinese_letters_are_learned_as_before():
    """The steps of the base that do not make one of two spellings have no part in counting letters."""
    words = Counter({"漢字": 5, "talo": 5})
    plain, formed = (learn_wordpieces(words, TRAINING, n) for n in (None, with_normal_form(cased_normalizer(), "NFC")))
    assert in_order(plain) == in_order(formed)


def test_what_was_met_is_counted_by_name():
    words = Counter({"é": 2, "e\u0301": 3, f"a{ZWNJ}{ZWNJ}b": 4, f"a{ZWNJ}b{ZWSP}": 1, "ab": 5})
    assert spelling_statistics(words, "NFC") == {
        "words": 15,
        "other_form": 3,
        "invisible": {"ZERO WIDTH NON-JOINER": 5, "ZERO WIDTH SPACE": 1},
    }
    assert spelling_statistics(words, "none")["other_form"] == 3
    assert spelling_statistics(Counter({"ﬁ": 1}), "NFKC")["other_form"] == 1
