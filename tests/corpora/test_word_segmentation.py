"""Words: parted where a script has no spaces, and left out where they are too long."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import paper_cleaning

from specialize.corpora import LONG_WORDS, LONGEST_WORD, SPLITS, Article, Cleaner, build_corpus
from specialize.corpora.word_segmentation import part_words, with_words
from specialize.files import read_json
from specialize.unicode import SPACELESS_LETTER, count_of, letter_count, squeeze

THAI, LAO, KHMER, BURMESE = "ไปโรงเรียนวันนี้", "ໄປໂຮງຮຽນມື້ນີ້", "ទៅសាលាថ្ងៃនេះ", "ကျောင်းသွားတယ်"
JAPANESE, CHINESE, TIBETAN = "今日は学校に行く", "今天去学校", "སློབ་གྲྭར་འགྲོ"
RUNS = (THAI, LAO, KHMER, BURMESE, JAPANESE, CHINESE, TIBETAN)
ELSEWHERE = "abc äöü ÞAÐ слово 123 -(). –"


@pytest.mark.parametrize("run", RUNS)
def test_runs_without_spaces_are_parted(run):
    words = part_words(run).split(" ")
    assert len(words) > 2
    assert "".join(words) == run
    assert all(any(map(str.isalpha, word)) for word in words)


def test_what_stands_around_a_run_stays_as_it_is():
    assert part_words("Reiga un-do (x) 1.5") == "Reiga un-do (x) 1.5"
    assert part_words("ไปPythonวันนี้ 95%") == "ไป Python วัน นี้ 95%"
    assert part_words("ไป\u200bโรงเรียน") == "ไป โรงเรียน"  # as the writer has parted it
    assert part_words("a\u200bb") == "a\u200bb"


def test_of_tibetan_syllables_are_parted_with_the_mark_that_ends_them():
    assert part_words(TIBETAN).split(" ") == ["སློབ་", "གྲྭར་", "འགྲོ"]


@settings(max_examples=200)
@given(st.lists(st.one_of(st.sampled_from([*RUNS, " "]), st.text(ELSEWHERE, max_size=6)), max_size=8).map("".join))
def test_parting_adds_spaces_and_nothing_else_and_parts_nothing_twice(text):
    sentence = " ".join(text.split())
    parted = part_words(sentence)
    assert squeeze(parted) == squeeze(sentence)
    assert part_words(parted) == parted
    assert set(ELSEWHERE.split()) & set(sentence.split(" ")) <= set(parted.split(" "))


@given(st.text())
def test_any_text_is_parted_into_the_same_characters(text):
    sentence = " ".join(text.replace("\u200b", "").split())
    assert squeeze(part_words(sentence)) == squeeze(sentence)
    assert part_words(part_words(sentence)) == part_words(sentence)


def test_letters_are_counted_apart_from_marks_and_scripts_without_spaces_apart_from_others():
    assert letter_count("ไปa1–b") == 4
    assert count_of(SPACELESS_LETTER, "ไปa1–b") == 2
    assert count_of(SPACELESS_LETTER, "".join(RUNS)) == letter_count("".join(RUNS))
    assert count_of(SPACELESS_LETTER, "Það слово العربية हिन्दी 한국어 አማርኛ") == 0
    assert count_of(SPACELESS_LETTER, "ꦗꦮ ᦟᦲ") == 4  # Javanese and New Tai Lue, which no library parts


# -- words that are too long ---------------------------------------------------------------------------------


def finished(*sentences, words="spaces"):
    return with_words(list(sentences), words)


def test_longer_words_than_the_bound_are_left_out_and_counted():
    fits, too_long = "a" * LONGEST_WORD, "b" * (LONGEST_WORD + 1)
    sentences = [f"x {fits} {too_long} y {too_long}", "z .", too_long, "last ."]
    assert finished(*sentences) == ([f"x {fits} y", "z .", "last ."], 3)
    assert finished("a b", fits) == (["a b", fits], 0)


def test_an_article_of_one_sentence_is_none_when_its_other_sentence_was_one_long_word():
    article = Cleaner(paper_cleaning(), {}).clean(Article("x", ("one.", "b" * 5000)))
    assert article.sentences == ()
    assert article.removed == {LONG_WORDS: 1, "articles of one sentence or less": 1}
    single = Cleaner(paper_cleaning(), {}).clean(Article("x", (f"one {'b' * 5000}",), single=True))
    assert single.sentences == ("one",)


@pytest.mark.parametrize("joint", ["/", "-", "=%", "."])
def test_a_long_word_with_punctuation_is_one_too(joint):
    assert finished(joint.join(["abcde"] * 300), "x", "y") == (["x", "y"], 1)


def test_a_paragraph_without_spaces_is_no_long_word_unless_it_goes_on_without_punctuation():
    assert finished("，".join([CHINESE] * 400), "x")[1] == 0
    assert finished(CHINESE * 400, "x", "y") == (["x", "y"], 1)
    assert finished(CHINESE * 400, "x", words="icu")[1] == 0


@pytest.mark.parametrize("processes", [1, 2])
def test_a_corpus_has_parted_words_none_without_end_and_says_so(tmp_path, capsys, processes):
    source = random.Random(3)
    articles = [
        Article(str(number), tuple("".join(source.choices(["ไป", "โรงเรียน", "วันนี้"], k=9)) for _ in range(3)))
        for number in range(60)
    ]
    articles[7] = Article("7", ("x" * 400_000, *articles[7].lines))
    cleaning, folder = paper_cleaning(words="icu"), tmp_path / "corpus"
    build_corpus(tmp_path / "text.txt", articles, {}, cleaning, folder, processes)
    statistics = read_json(folder / "statistics.json")
    assert statistics["removed"] == {LONG_WORDS: 1}
    assert f"text.txt: 1 {LONG_WORDS} left out" in capsys.readouterr().out
    text = "".join((folder / f"{split}.txt").read_text(encoding="utf-8") for split in SPLITS)
    assert max(map(len, text.split())) == len("โรงเรียน")
    total = statistics["total"]
    assert total["tokens"] == len(text.split()) > 60 * 3 * 9
    assert total["letters"] == total["spaceless_letters"] == letter_count(text)
    build_corpus(tmp_path / "text.txt", articles, {}, cleaning, tmp_path / "again", 3 - processes)
    for name in ("train.txt", "valid.txt", "test.txt", "statistics.json"):
        assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
