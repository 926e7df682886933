"""Cleaning: which lines of extracted text are sentences, and where spaces go."""

import sys

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import paper_cleaning

from specialize.corpora import Article, Cleaner, OwnMarks, clean_line, sentence_ends
from specialize.unicode import squeeze

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


# -- sentence ends by script ------------------------------------------------------------------------------------


RULES = paper_cleaning()


def cleaned(*lines, **rules):
    return Cleaner(RULES.model_copy(update=rules), {}).clean(Article("1", lines)).sentences


EVERY_CHARACTER = "".join(map(chr, range(sys.maxunicode + 1)))
TERMINALS = regex.findall(
    r"[[\p{Sentence_Terminal}\u0f0d-\u0f11]--[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Arabic}]]",
    EVERY_CHARACTER,
    regex.V1,
)
WORDS = {
    "Armenian": "բառ", "Cherokee": "ᎠᎡᎢ", "Devanagari": "शब", "Ethiopic": "ቃል", "Georgian": "სიტყვა", "Han": "字母",
    "Hebrew": "מלה",
    "Khmer": "ពាក", "Myanmar": "စာ", "Ol Chiki": "ᱚᱛᱜ", "Thai": "คำ", "Tibetan": "ཡིག",
}  # fmt: skip


def test_four_sentences_in_a_paragraph_of_another_script_are_four():
    assert len(TERMINALS) > 150
    word = WORDS["Georgian"]
    for mark in TERMINALS:
        assert cleaned(f"{word}{mark} " * 4) == (f"{word} {mark}",) * 4, ascii(mark)
        if mark not in ".!?":
            assert cleaned(f"{word}{mark}" * 4) == (f"{word} {mark}",) * 4, ascii(mark)


@pytest.mark.parametrize("word", WORDS.values(), ids=WORDS)
@pytest.mark.parametrize("mark", [". ", "! ", "? ", "։ ", "। ", "። ", "。", "！", "།"])
def test_the_marks_are_known_in_every_script(word, mark):
    assert cleaned(f"{word} {word}{mark}" * 4) == (f"{word} {word} {mark.strip()}",) * 4


@pytest.mark.parametrize("word", ["word", "слово", "كلمة"])
def test_in_the_papers_scripts_only_a_full_stop_and_a_space_end_a_sentence(word):
    for mark in [*TERMINALS, "؟", "۔", "؞"]:
        line = f"{word}{mark} {word}{mark}{word} {word}. {word}{mark}"
        assert list(cleaned(line, line)) == clean_line(line) * 2, ascii(mark)
        assert len(clean_line(line)) == (3 if mark == "." else 2)


@pytest.mark.parametrize(
    ("line", "sentences"),
    [
        # no space behind the marks; a closing bracket goes with what it closes
        ("今日は行く。明日も行く！「行く？」はい。", ["今日は行く 。", "明日も行く ！", "「行く ？ 」", "はい 。"]),
        # abbreviations, where the script's own mark is the more frequent
        ("Ծնվել է 1990 թ. մայիսին։ Նա գրող է։", ["Ծնվել է 1990 թ. մայիսին ։", "Նա գրող է ։"]),
        # between digits, no mark ends anything; what has no letters goes with the sentence before it
        ("ժամը 10։30 է։ Այո։", ["ժամը 10։30 է ։", "Այո ։"]),
        ("राम है॥१॥ सीता है॥२॥", ["राम है॥१ ॥", "सीता है॥२ ॥"]),
        # marks in a row end one sentence
        ("བོད་ཡིག།། ། ཡི་གེ།", ["བོད་ཡིག །། །", "ཡི་གེ །"]),
        # quotes in other letters do not change the rule
        ("Նա մի օր ասաց «Hello. World»։ Այո։", ["Նա մի օր ասաց « Hello. World » ։", "Այո ։"]),
        # no mark at all
        ("ไทย ไม่ มี", ["ไทย ไม่ มี"]),
    ],
)
def test_sentence_ends_by_example(line, sentences):
    assert clean_line(line, sentence_ends([line])) == sentences


def test_the_rule_is_of_the_article_and_what_the_entry_names_is_kept():
    chinese, uyghur = "今日行く。明日行く。", "بۇ بىر جۈملە 今日行く。 يەنە بىر. ئۈچىنچى."
    assert sentence_ends([chinese, "and"]) == OwnMarks(full_stop=False)
    assert sentence_ends([uyghur, uyghur, chinese]) == ". "
    assert list(cleaned(chinese, uyghur, sentence_end="行")) == clean_line(chinese, "行") + clean_line(uyghur, "行")


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("ա։. !?»«'\"।。1५。 བ།"), max_size=40))
def test_no_letter_is_lost_by_the_marks_of_any_script(line):
    for full_stop in (True, False):
        parted = clean_line(line, OwnMarks(full_stop))
        if any(letter.isalpha() for letter in line):
            assert squeeze("".join(parted)) == squeeze(line)
