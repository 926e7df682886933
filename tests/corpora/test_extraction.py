"""Extraction: articles out of a MediaWiki dump, the same with any number of processes."""

import bz2
from random import Random
from xml.sax.saxutils import escape

import pytest

from specialize.corpora import Cleaning, build_corpus, clean_line, extract_dump
from specialize.demo_world import LANGUAGES, Speaker, build_lexicon, dump
from specialize.errors import InputError, SpecializeError

PAGES = [
    (
        "Alpha",
        0,
        "{{Infobox\n| name = Alpha\n}}\n'''Alpha''' is a [[letter|sign]], <ref>a note</ref>it is said. It comes first."
        "\n\n== History ==\nOnce it was an ''ox''.\n* one point\n\n{| class=x\n| cell\n|}\n[[Category:Letters]]",
    ),
    ("Beta", 0, "Beta comes second.\nIt was a house."),
    ("Old Alpha", 0, "#REDIRECT [[Alpha]]"),
    ("Talk:Alpha", 1, "Nobody agrees. Nobody listens."),
    ("Template:Infobox", 10, "A template. Not an article."),
    ("Gamma", 0, "Gamma &amp; delta are third. And fourth."),
]


def write_dump(path, pages):
    body = "".join(
        f"  <page>\n    <title>{escape(title)}</title>\n    <ns>{namespace}</ns>\n    <id>{number}</id>\n"
        f"    <revision>\n      <id>{number + 100}</id>\n      <model>wikitext</model>\n"
        f'      <text xml:space="preserve">{escape(text)}</text>\n    </revision>\n  </page>\n'
        for number, (title, namespace, text) in enumerate(pages, start=1)
    )
    namespaces = "".join(
        f'      <namespace key="{key}">{name}</namespace>\n' for key, name in ((1, "Talk"), (10, "Template"))
    )
    path.write_bytes(
        bz2.compress(
            f"<mediawiki>\n  <siteinfo>\n    <base>https://xx.wikipedia.example/wiki/Main</base>\n"
            f"    <namespaces>\n{namespaces}    </namespaces>\n  </siteinfo>\n{body}</mediawiki>\n".encode()
        )
    )


@pytest.fixture
def small_dump(tmp_path):
    path = tmp_path / "dump.xml.bz2"
    write_dump(path, PAGES)
    return path


def test_articles_and_nothing_else_come_out(small_dump):
    articles = {article.identifier: article for article in extract_dump(small_dump, processes=1)}
    with_text = {number for number, article in articles.items() if any(line.strip() for line in article.lines)}
    assert with_text == {"1", "2", "6"}
    assert articles["2"].lines == ("Beta comes second.", "It was a house.")


def test_markup_titles_tables_and_templates_are_gone(small_dump):
    (alpha,) = (article for article in extract_dump(small_dump, processes=1) if article.identifier == "1")
    sentences = [sentence for line in alpha.lines for sentence in clean_line(line)]
    assert sentences[:2] == ["Alpha is a sign , it is said .", "It comes first ."]
    assert 'Once it was an " ox " .' in sentences
    text = " ".join(sentences)
    for leftover in ("Infobox", "a note", "'''", "[[", "cell", "Category", "=="):
        assert leftover not in text
    assert "Alpha" not in sentences  # the title is no sentence


def test_a_dump_that_is_no_dump_is_an_error(tmp_path):
    path = tmp_path / "dump.xml.bz2"
    path.write_bytes(b"<html>Not found</html>")
    with pytest.raises(SpecializeError, match=r"dump\.xml\.bz2: is cut off or damaged"):
        list(extract_dump(path, processes=1))


def test_one_process_and_two_build_the_same_bytes(tmp_path):
    language = LANGUAGES[0]
    path = tmp_path / "dump.xml.bz2"
    path.write_bytes(dump(Speaker(language, build_lexicon(language, 1), Random("extraction"))))
    for processes in (1, 2):
        articles = extract_dump(path, processes)
        build_corpus(articles, {}, Cleaning(1, 0.1, 0.1), tmp_path / str(processes))
    for name in ("train.txt", "valid.txt", "test.txt", "statistics.json"):
        first, second = ((tmp_path / processes / name).read_bytes() for processes in ("1", "2"))
        assert first == second
        assert first


@pytest.mark.parametrize("kept", [0.3, 0.95, 0.9999])
def test_a_dump_that_is_cut_off_is_refused_and_never_waited_for(tmp_path, kept):
    whole = bz2.compress(("<mediawiki>" + "".join(map(str, range(200_000))) + "</mediawiki>\n").encode())
    path = tmp_path / "cut.xml.bz2"
    path.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(InputError, match="cut off or damaged"):
        next(extract_dump(path, 1))


def test_a_dump_whose_export_stopped_short_is_refused(tmp_path):
    path = tmp_path / "short.xml.bz2"
    path.write_bytes(bz2.compress(b"<mediawiki><page>"))
    with pytest.raises(InputError, match="does not end with </mediawiki>"):
        next(extract_dump(path, 1))
