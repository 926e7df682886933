"""Markup: what WikiExtractor would misread or leave; half a mark loses no sentence, and what is left is counted."""

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import paper_cleaning
from tests.corpora.test_extraction import write_dump

from specialize.corpora import Page, build_corpus, clean_line, extract, read_dump
from specialize.corpora.markup_left import KINDS, markup_left
from specialize.files import read_json


def sentences(text, markup="clean"):
    lines = extract(Page("1", "Alpha", text), markup).lines
    return [sentence for line in lines for sentence in clean_line(line)]


WHOLE = {
    "comment": ("Gamma <!-- {{half --> runs.", ["Gamma runs ."]),
    "comment over paragraphs": ("Gamma <!-- a\n\n{{b\n\n--> runs.", ["Gamma runs ."]),
    "comment in a comment": ("Gamma <!-- a <!-- b --> runs.", ["Gamma runs ."]),
    "arrow": ("Gamma --> delta.", ["Gamma --> delta ."]),
    "variants": ("A -{zh-hans:gamma;zh-hant:delta}- runs.", ["A gamma runs ."]),
    "variant alone": ("-{Gamma}- runs.", ["Gamma runs ."]),
    "variant first empty": ("A -{zh-hans:; zh-hant:delta;}- runs.", ["A delta runs ."]),
    "variant flags": ("A -{A|zh-cn:gamma; zh-tw:delta}- runs.", ["A gamma runs ."]),
    "variant hidden": ("A -{H|zh-cn:gamma;zh-tw:delta}-runs.", ["A runs ."]),
    "variant title": ("-{T|zh:gamma}-A runs.", ["A runs ."]),
    "variant with a link": ("A -{zh-hans:[[gamma]];zh-hant:[[delta]]}- runs.", ["A gamma runs ."]),
    "variant with a template": ("A -{{x}}- runs.", ["A -- runs ."]),
    "chemistry": ("Acid <chem>H2O</chem> and <ce>CO2</ce> runs.", ["Acid and runs ."]),
    "score": ("Here <score lang='x'>c d {{e</score> it runs.", ["Here it runs ."]),
    "mathematics": (r"Energy <math>\frac{{a}{b}}</math> holds.", ["Energy holds ."]),
    "mathematics in a template": (r"{{x|<math>\a{b}}</math>|y}}Energy holds.", ["Energy holds ."]),
    "hieroglyphs, graph, timeline": ("A <hiero>A1</hiero><graph>{ \"a\": 1 }</graph>runs.", ["A runs ."]),
    "gallery": ("<gallery>\nFile:a.jpg|A cell.\n</gallery>\nGamma runs.", ["Gamma runs ."]),
    "code in a line": ("Use <code>foo()</code> now.", ["Use foo() now ."]),
    "code of lines": ("Use this.\n<code>\nfoo()\nbar()\n</code>\nAnd that.", ["Use this .", "And that ."]),
    "onlyinclude": ("<onlyinclude>Once. Twice.</onlyinclude>", ["Once .", "Twice ."]),
    "ruby": ("A <ruby>gamma<rp>(</rp><rt>ga</rt><rp>)</rp></ruby> runs.", ["A gamma runs ."]),
    "line breaks": ("A<br/>b<br />c<BR>d</br>e<br clear=all>f runs.", ["A b c d e f runs ."]),
    "references": ("A<ref name=x/> runs<ref name='y'>B. C.</ref>. D <ref>e</ref>.", ["A runs .", "D ."]),
    "a reference over paragraphs": ("A runs<ref>B.\n\nC.</ref>. D.", ["A runs .", "D ."]),
    "switches": ("__NOTOC__Gamma runs.__ԱՌԱՆՑ_ԲԲԿ__ __DIR__ __init__ it.", ["Gamma runs .", "__init__ it ."]),
    "parameters": ("A {{{1|gamma}}} runs {{{2}}}now.", ["A gamma runs now ."]),
    "link in a link": ("A [[Gamma|gamma [[delta]] and]] runs.", ["A gamma delta and runs ."]),
    "picture with links": ("[[File:a.jpg|thumb|A [[gamma]] b.]]Delta runs.", ["Delta runs ."]),
    "doubled links": ("A [[[[gamma]]]] and [[[delta]]] runs.", ["A gamma and delta runs ."]),
    "entities": ("91&amp;nbsp;km &amp;ndash; a&apos;b&nbsp;c.", ["91 km – a ' b c ."]),
    "tags as text": ("A &lt;fourth&gt; one and &lt;br&gt; too.", ["A <fourth> one and too ."]),
    "tags as text again": ("The &amp;lt;b&amp;gt;gamma&amp;lt;/b&amp;gt; runs.", ["The gamma runs ."]),
    "table": ("{| class=x\n! head\n|-\n| cell\n|}\nGamma runs.", ["Gamma runs ."]),
    "table by templates": (
        "{{start table}}\n|-\n! style=\"x\" | head\n! b !! c\n|-\n| cell\n{{end table}}\nGamma runs.",
        ["Gamma runs ."],
    ),
    "table closed by a tag": ("{| border=1\n<tr><td>a\n<tr><td>b\n</table>\nGamma runs.", ["Gamma runs ."]),
    "table within a table": ("{| a\n| b\n{| c\n| d\n|}\n| e\n|}\nGamma runs.", ["Gamma runs ."]),
    "attribute with an angle": ('A <span title="b <c> d">gamma</span> runs.', ["A gamma runs ."]),
    "comparison": ("If a<b then c. And p>q too.", ["If a<b then c .", "And p>q too ."]),
    "a bar between brackets": ("A [gamma|delta]] runs. B [1]] too.", ["A delta runs .", "B [1] too ."]),
    "list in an indent": (":* Gamma runs.", ["Gamma runs ."]),
    "quotes": ("'''Gamma''' ''runs'' '''''far'''''.", ['Gamma " runs " far .']),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), WHOLE.values(), ids=WHOLE)
def test_whole_markup_goes(text, expected):
    assert sentences(text) == expected
    assert sentences(f"Alpha runs.\n\n{text}\n\nOmega ends.") == ["Alpha runs .", *expected, "Omega ends ."]


HALVES = [
    "<!--", "-->", "<ref>", "<ref name=a>", "<ref name=\"a", "<ref", "</ref>", "</ref", "[[", "]]", "[[Gamma|",
    "[[File:a.jpg|thumb|", "[[Kategorie:b|", "{{", "}}", "{{cite|", "{{{", "}}}", "{|", "|}", "-{", "}-",
    "-{zh-hans:", "<math>", "</math>", "<chem>", "<score>", "<code>", "</code>", "<pre>", "<gallery>", "<nowiki>",
    "</nowiki>", "<table>", "<tr><td>", "</table>", "<small>", "<ul><li>", "<div>", "<span class='a'",
    "<span class=\"a\">", "<b", "<syntaxhighlight lang=\"c\">", "<timeline>", "<hiero>", "<noinclude>",
    "<includeonly>", "<onlyinclude>", "'''", "''", "'''''", "[http://a.example b", "[//a", "<br", "<references>",
    "<blockquote>", "<poem>", "<source>", "<templatestyles", "<section begin=a", "__TOC__", "<", "&", "&lt;ref&gt;",
    "<p", "<center>", "<!-- a <!--",
]  # fmt: skip
# What may be text as well, as in `a --> b` and `a<b`.
SHOWN = ("-->", "|}", "-{", "}-", "<", "<b", "<p", "&")


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize(
    "page", ["Beta sits. {half} Gamma rests. Delta too.", "Beta sits.\n\n{half}\n\nGamma rests. Delta too."]
)
def test_no_sentence_is_lost_to_half_a_mark(half, page):
    for again in ("", f"\n\nThen {half} again."):  # twice: neither is the other's end
        text = f"Alpha runs far. {page.format(half=half)}{again}\n\nSee [[Eta|eta]] and ''zeta''. Omega ends."
        found = " ".join(sentences(text))
        for sentence in ("Alpha runs far .", "Beta sits .", "rests .", "Delta too .", "Omega ends ."):
            assert sentence in found, (text, found)
        assert "See eta and" in found
        assert half in SHOWN or not markup_left([found]), found


MARKS = st.sampled_from(
    [*HALVES, "}} ", "|", "!", "\n", "\n\n", "\n|", "{{x|y}}", "[[a|b]]", "word ", "<ref>a</ref>", "=", "*"]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(MARKS, max_size=12).map("".join))
def test_paragraphs_around_any_mixture_stay(mixture):
    """Unless pairs of it close in a later paragraph than they open, what stands before and behind is as it was."""
    found = sentences(f"Alpha runs far. Beta sits.\n\n{mixture}\n\nGamma rests. Omega ends.")
    assert found[:2] == ["Alpha runs far .", "Beta sits ."]
    assert found[-2:] == ["Gamma rests .", "Omega ends ."]


def test_as_run_wikiextractor_is_alone():
    text = "Alpha runs. Beta sits.\n\n[[Gamma|gamma is after. [[Delta]] too.\n\n<math>x</math> and -{word}- end."
    assert sentences(text, "extractor") == ["Alpha runs .", "Beta sits .", "formula_1 and -{word}- end ."]
    assert sentences(text)[2:] == ["gamma is after .", "Delta too .", "and word end ."]


LEFT = {
    "attributes": 'a style= " b " c', "comments": "a < ! -- b", "entities": "a & nbsp ; b",
    "file options": "a thumb| b",
    "language variants": "a -{b", "links": "a [[b", "placeholders": "a formula_1 b", "quotes": "a '' b",
    "switches": "a __TOC__ b", "tables": "a || b", "tags": "a < / ref> b", "templates": "a }} b",
}  # fmt: skip


@pytest.mark.parametrize(("kind", "sentence"), LEFT.items(), ids=LEFT)
def test_what_is_left_is_counted_by_kind(kind, sentence):
    assert LEFT.keys() == KINDS.keys()
    assert markup_left([sentence, "nothing < here > [1] at | all & x = y ;"]) == {kind: 1}


def test_statistics_say_what_is_left(tmp_path):
    path = tmp_path / "dump.xml.bz2"
    pages = [(f"Page {number}", 0, f"One {number}. Two a{{b|}}c formula_1. Three.") for number in range(60)]
    write_dump(path, pages)
    build_corpus(path, read_dump(path), {}, paper_cleaning(), tmp_path / "corpus")
    assert read_json(tmp_path / "corpus/statistics.json")["markup_left"] == {"placeholders": 60, "tables": 60}


# -- nothing takes forever -----------------------------------------------------------------------------------

OPENING = [
    "[[a ", "[[a|b] ", "[[[a ", "{{a ", "{{{a|", "{|a ", "-{zh:a ", "-{", "<ref>a ", "<ref a ", "<b a ", "<!-- a ",
    "<math>a ", "<small>a ", "<table><tr><td>a ", "[http://a b ", "[//a", "'''a ", "''\"a ", "== ", "==\u3000",
    "==&nbsp;&nbsp;", "__A", "&lt;math a ", "<ref '", "a]] ", "a}} ", "a --> b ", "<nowiki>{{",
    "<syntaxhighlight lang=a ", "\n!a\n|b", "<", "{", "[", "|",
]  # fmt: skip


def operations(work):
    """Calls of functions, of Python's and of C's, which is what the work is made of."""
    count = 0

    def count_calls(_frame, event, _argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(count_calls)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("opening", OPENING)
def test_a_page_of_twice_as_many_open_marks_takes_twice_the_work(opening):
    few, many = (operations(lambda text=opening * times: sentences(text)) for times in (100, 200))
    assert many <= 2.2 * few
    assert "Omega ends ." in sentences(f"{opening * 1500}\n\nSee here. Omega ends.")  # quadratic, it would take minutes


@pytest.mark.parametrize(
    ("left", "right"), [("{{", "}}"), ("[[", "]]"), ("{|", "|}\n"), ("<ref>", "</ref>"), ("-{", "}-")]
)
def test_pairs_nest_thousands_of_levels(left, right):
    assert sentences(f"Alpha runs. {f'{left}a' * 2000}{f'{right} ' * 2000}\n\nOmega ends.")[-1] == "Omega ends ."
