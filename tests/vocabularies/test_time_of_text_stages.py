"""No input takes for ever: twice the input makes twice the calls, and no library is given a word without end."""

import random
import sys
from collections import Counter

import pytest
from tests.conftest import paper_cleaning

from specialize.corpora import Article, Cleaner, clean_line, read_corpus
from specialize.corpora.word_segmentation import part_words
from specialize.datasets import transliteration, transliterator
from specialize.vocabularies import (
    PieceTraining,
    bert_tokenizer,
    choose_pieces,
    count_words,
    coverage,
    inject,
    learn_wordpieces,
    letter_counts,
)

LETTERS = "aeioukstnmr"
TRAINING = PieceTraining(size=60, min_frequency=2, limit_alphabet=100)


def calls(function, *arguments):
    """How many functions, in Python and in C, are called while one runs."""
    number = 0

    def count(_frame, event, _argument):
        nonlocal number
        number += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        function(*arguments)
    finally:
        sys.setprofile(before)
    return number


def made_up(number, seed=1, alphabet=LETTERS):
    return "".join(random.Random(seed).choices(alphabet, k=number))


def many_words(number):
    source = random.Random(2)
    return ["".join(source.choices(LETTERS, k=source.randint(1, 9))) for _ in range(number)]


def base_vocabulary():
    return bert_tokenizer({piece: number for number, piece in enumerate(["[UNK]", "[CLS]", "[SEP]", "a", "##e"])})


def vocabulary_of(words):
    base, counts = base_vocabulary(), Counter(words)
    grown = inject(base, choose_pieces(counts, base, learn_wordpieces(counts, TRAINING), 20).pieces)
    coverage(grown, counts)
    letter_counts(counts)


def file_of(folder, words):
    path = folder / "train.txt"
    path.write_text("\n".join(" ".join(words[start : start + 9]) for start in range(0, len(words), 9)), "utf-8")
    return path


SHAPES = {
    "one word": lambda number: made_up(number),
    "one line of words": lambda number: " ".join(many_words(number // 5)),
    "one line of marks": lambda number: made_up(number, alphabet=".,-!"),
    "one line without spaces": lambda number: made_up(number, alphabet="ไปโรงเรียน"),
    "one line of full stops": lambda number: "a. " * (number // 3),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "stage",
    [
        clean_line,
        part_words,
        lambda line: Cleaner(paper_cleaning(words="icu"), {}).clean(Article("x", (line, line))),
        lambda line: coverage(base_vocabulary(), Counter(line.split())),
        lambda line: transliterator("uyghur")(line),
        lambda line: transliterator("transliterate", "ru")(line),
    ],
    ids=["cleaning", "parting", "cleaned articles", "coverage", "twin by table", "twin by package"],
)
def test_twice_the_line_makes_twice_the_calls(stage, shape):
    stage(SHAPES[shape](100))  # what is loaded once
    once, twice = (calls(stage, SHAPES[shape](number)) for number in (4000, 8000))
    assert twice <= 2.2 * once + 500


def test_twice_the_text_makes_twice_the_calls(tmp_path):
    def stage(number):
        path = file_of(tmp_path, many_words(number))
        vocabulary_of(count_words([path]).words.elements())
        assert sum(map(len, read_corpus(path)))

    stage(100)
    once, twice = (calls(stage, number) for number in (2000, 4000))
    assert twice <= 2.2 * once + 500


def test_uroman_is_given_pieces_of_bounded_length_and_words_come_out_whole(monkeypatch):
    given = []

    class Spy:
        def romanize_string(self, text, lcode):
            given.append(len(text))
            return text.upper()

    monkeypatch.setattr("uroman.Uroman", Spy)
    word = made_up(10_500)
    assert transliterator("uroman")(word) == word.upper()
    assert max(given) == transliteration.ROMANIZED_AT_ONCE
    assert len(given) == -(-10_500 // transliteration.ROMANIZED_AT_ONCE)
