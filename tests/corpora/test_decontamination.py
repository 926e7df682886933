"""Decontamination: labeled sentences are found by their content, and nothing else is taken out."""

import itertools
import sys
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.conftest import paper_cleaning
from tests.corpora.test_building import TREEBANK as SPACED_TREEBANK

from specialize.corpora import Article, Cleaner, LabeledSentence, labeled_sentences
from specialize.corpora.occurrences import RunningText

CLEANING = paper_cleaning()
OTHERS = ("Nothing of it here.", "Nor here.")  # so that an article is not left out as too short


def labeled(*sentences, words=None):
    return {
        "test.conllu": [LabeledSentence((text,), len(text.split()) if words is None else words) for text in sentences]
    }


def cleaned(lines, known, cleaning=CLEANING):
    return Cleaner(cleaning, known).clean(Article("1", (*lines, *OTHERS)))


def kept(lines, known):
    """What decontamination leaves of these lines."""
    sentences = cleaned(lines, known).sentences
    assert sentences[-2:] == ("Nothing of it here .", "Nor here .")
    return list(sentences[:-2])


# -- one spelling after another ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sentence", "lines"),
    [
        pytest.param("Dr. Ana came home .", ["Dr. Ana came home."], id="our own splitting"),
        pytest.param("Dr. Ana came home .", ["As we know, Dr. Ana came home. "], id="within a line"),
        pytest.param("Yes . No . Yes . No .", ["Yes. No. Yes. No."], id="four lines of one word"),
        pytest.param("one two three four", ["one", "two", "three", "four"], id="a word a line"),
        pytest.param("Ọ̀nà kan náà ni", [unicodedata.normalize("NFD", "Ọ̀nà kan náà ni.")], id="NFD"),
        pytest.param(unicodedata.normalize("NFD", "Ọ̀nà kan náà ni"), ["Ọ̀nà kan náà ni."], id="NFC for NFD"),
        pytest.param("the ﬁrst of Ⅳ", ["the first of IV"], id="NFKC"),
        pytest.param("ﺋﯘﻳﻐﯘﺭ ﺋﺎﭘﺘﻮﻧﻮﻡ ﺭﺍﻳﻮﻧﻰ بار", ["ئۇيغۇر ئاپتونوم رايونى بار"], id="presentation forms"),
        pytest.param("می‌خواهم به خانه بروم", ["\u200fمیخواهم به خانه بروم.\u200e"], id="joiners and direction marks"),
        pytest.param("co-operate with us now", ["co\u00adoperate with us now"], id="soft hyphen"),
        pytest.param("a bb ccc dddd", ["a\u00a0bb\u2009ccc\u3000dddd"], id="white space"),
        pytest.param("a bb ccc dddd", ["a\u200bbb\u200bccc\u200bdddd"], id="zero-width space"),
        pytest.param("a bb ccc dddd", ["a bb<br>ccc dddd"], id="line break"),
        pytest.param("a<br>bb ccc dddd eee", ["a<br>bb ccc dddd eee"], id="line break in both"),
        pytest.param("R &amp; D is done here", ["R & D is done here"], id="entity"),
        pytest.param("do n't do it", ["Don’t! he said, don't do it, no."], id="tokens of an English treebank"),
        pytest.param("O ʻ zbek tili bu", ["Oʻzbek tili bu", "O'zbek tili bu", "O‘zbek tili bu"], id="apostrophes"),
        pytest.param("ฉัน รัก แมว ดำ", ["เขาว่าฉันรักแมวดำนะ"], id="Thai, anywhere"),
        pytest.param("我们 都 喜欢 北京", ["他说我们都喜欢北京了。"], id="Chinese, anywhere"),
        pytest.param("1 000 people and 3,5 more", ["1\u202f000 people and 3.5 more"], id="numbers"),
    ],
)
def test_a_sentence_of_four_words_is_found_in_every_spelling(sentence, lines):
    assert kept(lines, labeled(sentence)) == []


@pytest.mark.parametrize(
    ("sentence", "line"),
    [
        pytest.param("he saw the cat", "he saw the cats", id="ends within a word"),
        pytest.param("he saw the cat", "she saw the cat", id="begins within a word"),
        pytest.param("he saw the cat", "He saw the cat", id="another case"),
        pytest.param("he saw the cat", "he saw the red cat", id="another word"),
        pytest.param("1 2 3 4", "the number 1234 is one", id="a number of the same digits"),
        pytest.param("see 1 2 and 3", "we see 12 and 3", id="a number among words"),
        pytest.param("In Oslo .", "He is In Oslo .", id="short, not the whole line"),
        pytest.param("In Oslo .", "In Oslo !", id="short, other punctuation"),
        pytest.param("... ! ? ,", "what...!?,so", id="no letters at all"),
    ],
)
def test_what_is_another_text_stays(sentence, line):
    assert len(kept([line], labeled(sentence))) == 1


@pytest.mark.parametrize("line", ["In Oslo.", "In\u00a0Oslo.", "\u200eIn Oslo .", "Ｉn Oslo."])
def test_a_short_sentence_is_found_as_a_whole_line(line):
    assert kept([line], labeled("In Oslo .")) == []


def test_a_short_sentence_that_we_split_is_found_as_whole_lines():
    assert kept(["Dr. No.", "Dr. Yes.", "Dr. No.!"], labeled("Dr. No .")) == ["Dr .", "Yes .", "Dr .", "No . !"]


def test_only_the_lines_of_the_sentence_go():
    lines = ["before. Well, Dr. Ana came home. after", "between", "Dr. Ana", "came home"]
    assert kept(lines, labeled("Dr. Ana came home .")) == ["before .", "after", "between"]


def test_lines_that_come_together_make_up_no_sentence():
    """The second sentence stands in the text only once the first one is gone."""
    assert kept(["one two", "a b c d", "three four"], labeled("a b c d", "one two three four")) == []
    # From the inside to the outside, and a line that is needed by neither.
    lines = ["x", "a b", "a b", "a b", "c d", "c d", "c d", "y"]
    assert kept(lines, labeled("a b c d")) == ["x", "y"]


def test_sentences_never_span_two_articles():
    cleaner = Cleaner(CLEANING, labeled("one two three four"))
    for lines in (("x", "one two"), ("three four", "x")):
        assert len(cleaner.clean(Article("1", lines)).sentences) == 2


# -- what counts as the same sentence ----------------------------------------------------------------------

TREEBANK = SPACED_TREEBANK.replace(", dijo", ",dijo")  # a third writing


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "ner").mkdir()
    (tmp_path / "dev.conllu").write_text(TREEBANK, encoding="utf-8")
    (tmp_path / "train.conllu").write_text(TREEBANK.replace("dijo", "canto"), encoding="utf-8")
    (tmp_path / "ner/test.tsv").write_text(
        "In\tO\nOslo\tB-LOC\n\n北\tB-LOC\n京\tI-LOC\n大\tO\n学\tO\n", encoding="utf-8"
    )
    return tmp_path


def held_out(folder):
    return [path for path in sorted(folder.rglob("*.*")) if path.stem != "train"]


def test_labeled_sentences_come_in_all_writings_and_not_from_training(folder):
    assert labeled_sentences(held_out(folder)) == {
        "dev.conllu": [LabeledSentence(("Vámonos ya , dijo .", "Vamos nos ya , dijo .", "Vámonos ya,dijo."), 4)],
        # WikiAnn's letters are no words: two of them make one.
        "ner/test.tsv": [LabeledSentence(("In Oslo",), 2), LabeledSentence(("北 京 大 学",), 2)],
    }


def test_as_run_sentences_with_multiword_tokens_are_missed(folder):
    sentences = labeled_sentences(held_out(folder), "rows")
    assert sentences["dev.conllu"] == [LabeledSentence(("VámonosVamosnosya,dijo.",), 0)]
    lines = ("Vámonos ya, dijo.", "In  Oslo", "In\u200b Oslo", "VámonosVamosnosya,dijo.")
    left = cleaned(lines, sentences, paper_cleaning(decontamination="rows")).sentences
    assert left[:-2] == ("Vámonos ya , dijo .", "In\u200b Oslo")


@pytest.mark.parametrize("comment", ["_", "a", "", "...", "text"])
def test_a_comment_that_is_not_the_sentence_takes_nothing_out(tmp_path, comment):
    (tmp_path / "test.conllu").write_text(TREEBANK.replace("Vámonos ya,dijo.", comment), encoding="utf-8")
    lines = ["a b c", "the text of it", "and then", "Vamos nos ya dijo"]
    assert kept(lines, labeled_sentences([tmp_path / "test.conllu"])) == ["a b c", "the text of it", "and then"]


def test_places_are_counted_by_file_and_lines_in_all():
    known = labeled("Dr. Ana came home .") | {"ner/dev.tsv": labeled("came home to us all")["test.conllu"]}
    article = cleaned(["Dr. Ana came home. Dr. Ana came home to us all.", "came home to us all"], known)
    assert article.removed_by_file == {"test.conllu": 2, "ner/dev.tsv": 2}
    assert article.removed["sentences of labeled data"] == 5


# -- any text ----------------------------------------------------------------------------------------------

# Noise and sentences share no word; each has several scripts, and words that another normal form writes otherwise.
NOISE = ("alma", "ber", "чай", "ёлка", "كتاب", "हिन्दी", "12", "x's", "ﬂoor", "–")
KNOWN = ("gümüş", "Ọ̀nà", "ни", "й", "ئۇيغۇر", "می‌شود", "संस्कृतम्", "7", "20", "l'eau", "ﬁn", "가나", "ฉัน", "日本")
JOINTS = (" ", "  ", "\u00a0", "\t", "\u2009", "\u200b", "\n", ". ", ".\n", ", ", " - ", "? ", " « ", "\u200e \u200f")
UNSEEN = ("", "", "", "\u200c", "\u200d", "\u2060", "\u00ad", "\u200e", "\ufeff")
FORMS = ("NFC", "NFD", "NFKC", "NFKD")

# Made once, and with few draws for each example, which take most of the time.
JOINED, FORM = st.sampled_from(list(itertools.product(JOINTS, UNSEEN))), st.sampled_from(FORMS)
SENTENCES = st.lists(st.lists(st.sampled_from(KNOWN), min_size=4, max_size=7), min_size=1, max_size=3)
NOISE_LINE = st.sampled_from([" ".join(words) for size in (1, 2, 3) for words in itertools.product(NOISE, repeat=size)])
NOISE_LINES = st.lists(NOISE_LINE, max_size=3)


def letters(text):
    """Independent of what is tested: the words of a text that is spelled as here, one blank between them."""
    text = "".join(character for character in text.replace("\u200b", " ") if character not in UNSEEN)
    text = unicodedata.normalize("NFKC", text)
    kept = [character if unicodedata.category(character)[0] in "LMN" else " " for character in text]
    return " ".join("".join(kept).split())


def stands_in(sentence, text):
    """Whether the words stand in the text, each where it may end and the next begin without a blank."""
    wanted, words = letters(sentence).replace(" ", ""), letters(text).split()
    return any(
        "".join(words[first:last]) == wanted for first in range(len(words)) for last in range(first + 1, len(words) + 1)
    )


@st.composite
def spelled(draw, sentence):
    """The sentence in another spelling, over one line or several."""
    text = ""
    for number, word in enumerate(sentence):
        joint, unseen = draw(JOINED)
        place = draw(st.integers(0, len(word))) if unseen else 0
        text += (joint if number else "") + word[:place] + unseen + word[place:]
    return unicodedata.normalize(draw(FORM), text)


@st.composite
def contaminated(draw):
    """Sentences, and lines in which they are planted, alone or among noise, between lines of noise."""
    sentences = draw(SENTENCES)
    lines = []
    for _ in range(draw(st.integers(0, 5))):
        lines += draw(NOISE_LINES)
        noise = draw(NOISE_LINE)
        before, after = draw(st.sampled_from([("", ""), (noise + " ", ""), ("", ". " + noise)]))
        lines += (before + draw(spelled(draw(st.sampled_from(sentences)))) + after).split("\n")
    return [" ".join(sentence) for sentence in sentences], lines


@settings(max_examples=300, deadline=None)
@given(contaminated())
@example((["a b c d"], ["a b", "a b", "c d", "c d"]))
def test_no_sentence_survives_and_no_other_line_goes(drawn):
    sentences, lines = drawn
    before = list(cleaned(lines, {}).sentences)
    after = list(cleaned(lines, labeled(*sentences)).sentences)
    for sentence in sentences:
        assert not stands_in(sentence, "\n".join(after))
    known = {word for sentence in sentences for word in letters(sentence).split()}
    remaining = iter(after)
    following = next(remaining, None)
    for line in before:
        if line == following:
            following = next(remaining, None)
        else:
            assert known & set(letters(line).split()), line
    assert following is None


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.sampled_from("ab12"), max_size=4).map(" ".join), max_size=12), st.data())
def test_text_of_few_words_keeps_no_sentence(lines, data):
    """The same letters over and over, where sentences overlap and lines come together."""
    word = st.lists(st.sampled_from("ab12"), min_size=4, max_size=6).map(" ".join)
    sentences = data.draw(st.lists(word, min_size=1, max_size=3))
    left = [line for line in cleaned(lines, labeled(*sentences)).sentences if line]
    text = " " + " ".join(" ".join(left).split()) + " "
    assert not [sentence for sentence in sentences if f" {sentence} " in text]


# -- time --------------------------------------------------------------------------------------------------


def operations(finder, lines):
    """How many operations of the interpreter the search takes in our own code."""
    count = 0

    def trace(frame, event, _):
        nonlocal count
        if "occurrences" not in frame.f_code.co_filename:
            return None  # the libraries' own
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    sys.settrace(trace)
    try:
        finder.find([lines])
    finally:
        sys.settrace(None)
    return count


ALIKE = [("one two three four " * 5 + f"end {number}", "test.conllu", True) for number in range(300)]
NESTED = [("a b " * number, "test.conllu", True) for number in range(2, 30)]


@pytest.mark.parametrize(
    ("sentences", "lines"),
    [
        pytest.param(ALIKE, ["one two three four"], id="many begin alike"),
        pytest.param(NESTED, ["a c a b a", "c"], id="one within another"),
        pytest.param([("a b c d", "f", True)], ["a b"], id="found nowhere"),
        pytest.param([("a b c d", "f", True)], ["a b c d", "x"], id="every second line goes"),
        pytest.param([("x", "f", False)], ["x", "y"], id="short ones"),
        pytest.param([("a b c d", "f", True)], ["?"], id="no letters"),
        pytest.param([("日 本 語 だ", "f", True)], ["日本語日本語日本"], id="no spaces"),
    ],
)
def test_time_is_linear_in_the_text(sentences, lines):
    finder = RunningText(sentences)
    once, twice = (operations(finder, lines * number) for number in (100, 200))
    assert twice < 2.2 * once


def test_time_is_linear_where_each_loss_brings_two_lines_together():
    finder = RunningText([("a b c d", "f", True)])
    once, twice = (operations(finder, ["a b"] * number + ["c d"] * number) for number in (60, 120))
    assert twice < 2.2 * once


def test_many_sentences_that_begin_alike_cost_no_more_each():
    few, many = (RunningText(ALIKE[:number]) for number in (30, 300))
    lines = ["one two three four"] * 100
    assert operations(many, lines) < 1.5 * operations(few, lines)


# -- several articles at once ----------------------------------------------------------------------------------


def test_no_sentence_goes_over_two_articles():
    finder = RunningText([("a b c d", "f", True), ("x y", "g", False)])
    articles = [["a b"], ["c d", "x"], [], ["y", "a b", "c d"], ["1"], ["x", "y"]]
    assert [sorted(found.lines) for found in finder.find(articles)] == [[], [], [], [1, 2], [], [0, 1]]
    assert finder.find([]) == []


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.lists(st.sampled_from("ab12"), max_size=4).map(" ".join), max_size=4), max_size=6))
def test_articles_at_once_are_as_one_by_one(articles):
    finder = RunningText([("a b a b", "f", True), ("1 2", "g", False), ("a 1 2 b", "h", True)])
    assert finder.find(articles) == [found for lines in articles for found in finder.find([lines])]
