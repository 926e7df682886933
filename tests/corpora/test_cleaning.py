"""Cleaning: which lines of extracted text are sentences, and where spaces go."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specialize.corpora import clean_line, squeeze

URDU_END = "۔ "


@pytest.mark.parametrize(
    "line",
    ["", "   ", "== History ==", "=x", "[[File:A.png]]", "<table>", "&lt;ref&gt;", "  == indented ==  ", "<br>", "."],
)
def test_markup_and_empty_lines_are_no_sentences(line):
    assert clean_line(line) == []


@pytest.mark.parametrize(
    ("line", "sentences"),
    [
        # sentences part at full stop and space; the stop goes back on every piece but the last
        ("One two. Three four. Five", ["One two .", "Three four .", "Five"]),
        ("One two.Three", ["One two.Three"]),
        ("One two. Three four. ", ["One two .", "Three four ."]),
        # final punctuation is parted from the last word, once
        ("Stop.", ["Stop ."]),
        ("Stop .", ["Stop ."]),
        ("Wait...", ["Wait ..."]),
        ("Wait…", ["Wait …"]),
        ("Really!", ["Really !"]),
        # what does not end in punctuation keeps its last letters together
        ("item two", ["item two"]),
        ("see", ["see"]),
        # a space on both sides of these, whatever stood around them
        ("a,b", ["a , b"]),
        ("a , b", ["a , b"]),
        ("don't", ["don ' t"]),
        ('say "no" now', ['say " no " now']),
        ("a:b;c/d", ["a : b ; c / d"]),
        ("what? yes! so", ["what ? yes ! so"]),
        ("«x»‹y›", ["« x » ‹ y ›"]),
        ("¿a¡b—c", ["¿ a ¡ b — c"]),
        ("ا؟ب،ج", ["ا ؟ ب ، ج"]),
        ("3,5", ["3 , 5"]),
        # hyphen, parentheses and a full stop within are left alone
        ("well-known (as in e.g.this)", ["well-known (as in e.g.this)"]),
        # line breaks are deleted, white space of every kind becomes one space
        ("one<br>two", ["onetwo"]),
        (" one\u00a0 two\tthree ", ["one two three"]),
        # markup counts at the start of a line only
        ("one == two", ["one == two"]),
    ],
)
def test_rules_by_example(line, sentences):
    assert clean_line(line) == sentences


@pytest.mark.parametrize(
    ("line", "sentences"),
    [("item two", ["item tw o"]), ("Stop.", ["Stop ."]), ("Wait...", ["Wait ..."]), ("see. Yes", ["see .", "Ye s"])],
)
def test_as_run_the_last_run_of_any_character_is_parted(line, sentences):
    assert clean_line(line, sentence_final="any") == sentences


def test_urdu_sentences_end_in_its_own_full_stop():
    assert clean_line("یہ ایک ہے۔ وہ دو ہے۔", URDU_END) == ["یہ ایک ہے ۔", "وہ دو ہے ۔"]
    assert clean_line("یہ ایک ہے. وہ دو ہے۔", URDU_END) == ["یہ ایک ہے. وہ دو ہے ۔"]


LINES = st.text(st.one_of(st.sampled_from("ab .,\"':;/?!؟،«»—-()=<["), st.characters(exclude_categories=["Cs"])))


@settings(max_examples=150, deadline=None)
@given(LINES)
def test_sentences_are_neat_and_no_letter_is_lost(line):
    sentences = clean_line(line)
    for sentence in sentences:
        assert sentence.split() == sentence.split(" ")
    if sentences and "<br>" not in line:
        assert squeeze("".join(sentences)).replace(".", "") == squeeze(line).replace(".", "")


@settings(max_examples=100, deadline=None)
@given(LINES)
def test_cleaning_again_changes_nothing(line):
    """But for two stops in a row, of which a second pass makes an end of a sentence."""
    for sentence in clean_line(line):
        if ". " not in sentence and "<br>" not in sentence and clean_line(sentence):
            assert clean_line(sentence) == [sentence]
