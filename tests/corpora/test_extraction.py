"""Extraction: articles out of a MediaWiki dump, the same with any number of processes."""

import bz2
import gzip
import lzma
import subprocess
import sys
from random import Random
from xml.sax.saxutils import escape

import psutil
import pytest
from tests.conftest import paper_cleaning
from wikiextractor.extract import Extractor

from specialize.corpora import Page, build_corpus, clean_line, extract, read_dump
from specialize.corpora.dump import DISCARDED
from specialize.demo_world import LANGUAGES, Speaker, build_lexicon, dump
from specialize.errors import InputError
from specialize.files import read_json

PAGES = [
    (
        "Alpha",
        0,
        "{{Infobox\n| name = Alpha\n}}\n'''Alpha''' is a [[letter|sign]], <ref>a note</ref>it is said. It comes first."
        "\n\n== History ==\nOnce it was an ''ox''.\n* one point\n\n{| class=x\n| cell\n|}\n[[Category:Letters]]",
    ),
    ("Beta", 0, "Beta comes second.\nIt was a house."),
    ("Portal:Alpha", 100, "A portal. Not an article."),
    ("Talk:Alpha", 1, "Nobody agrees. Nobody listens."),
    ("Template:Infobox", 10, "A template. Not an article."),
    ("Gamma", 0, "Gamma &amp; delta are third. And &lt;fourth&gt; {{CURRENTYEAR}}."),
    ("Template theory", 0, ""),
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
    pages = {page.identifier: page for page in read_dump(small_dump)}
    assert set(pages) == {"1", "2", "6", "7"}
    assert pages["1"].title == "Alpha"
    assert extract(pages["2"]).lines == ("Beta comes second.", "It was a house.")


def test_pages_that_are_no_articles_are_counted_in_the_log(small_dump, capsys):
    list(read_dump(small_dump))
    assert capsys.readouterr().out == f"{small_dump}: 3 redirects and pages of other namespaces, passed over\n"


def test_the_other_contents_of_a_page_are_not_its_text(small_dump):
    other = b"<content><role>mediainfo</role><text>{}</text></content></revision>"
    small_dump.write_bytes(bz2.compress(bz2.decompress(small_dump.read_bytes()).replace(b"</revision>", other)))
    assert [page.text for page in read_dump(small_dump)] == [PAGES[number][2] for number in (0, 1, 5, 6)]


def test_redirects_are_known_by_their_element(small_dump):
    text = bz2.decompress(small_dump.read_bytes()).replace(b"<title>Beta", b'<redirect title="Alpha" /><title>Beta')
    small_dump.write_bytes(bz2.compress(text))
    assert "2" not in {page.identifier for page in read_dump(small_dump)}


def test_markup_titles_tables_and_templates_are_gone(small_dump):
    (alpha,) = (page for page in read_dump(small_dump) if page.identifier == "1")
    sentences = [sentence for line in extract(alpha).lines for sentence in clean_line(line)]
    assert sentences[:2] == ["Alpha is a sign , it is said .", "It comes first ."]
    assert 'Once it was an " ox " .' in sentences
    text = " ".join(sentences)
    for leftover in ("Infobox", "a note", "'''", "[[", "cell", "Category", "=="):
        assert leftover not in text
    assert "Alpha" not in sentences  # the title is no sentence


def test_entities_become_letters_and_nothing_depends_on_the_day(small_dump):
    (gamma,) = (page for page in read_dump(small_dump) if page.identifier == "6")
    assert extract(gamma).lines == ("Gamma & delta are third. And <fourth>.",)


@pytest.mark.slow
def test_one_process_and_two_build_the_same_bytes(tmp_path):
    language = LANGUAGES[0]
    path = tmp_path / "dump.xml.bz2"
    path.write_bytes(dump(Speaker(language, build_lexicon(language, 1), Random("extraction"))))
    for processes in (1, 2):
        build_corpus(path, read_dump(path), {}, paper_cleaning(), tmp_path / str(processes), processes)
    for name in ("train.txt", "valid.txt", "test.txt", "statistics.json"):
        first, second = ((tmp_path / processes / name).read_bytes() for processes in ("1", "2"))
        assert first == second
        assert first


def test_a_page_that_extraction_fails_on_is_left_out_and_named(tmp_path, monkeypatch, capsys):
    class Failing(Extractor):
        def clean_text(self, text, **options):
            if "Beta" in text:
                raise IndexError("list index out of range")
            return super().clean_text(text, **options)

    monkeypatch.setattr("wikiextractor.extract.Extractor", Failing)
    path = tmp_path / "dump.xml.bz2"
    pages = [(f"Page {number}", 0, f"One {number}. Two {number}.") for number in range(100)]
    write_dump(path, [*pages, ("The Beta", 0, "Beta comes. Beta goes.")])
    build_corpus(path, read_dump(path), {}, paper_cleaning(), tmp_path / "corpus", processes=2)
    statistics = read_json(tmp_path / "corpus/statistics.json")
    assert statistics["articles_read"] == 101
    assert statistics["removed"] == {"articles that could not be extracted": 1}
    printed = capsys.readouterr().out
    assert "article 101 (The Beta): WikiExtractor fails: IndexError('list index out of range'); left out" in printed


# -- dumps that are none -----------------------------------------------------------------------------------

HEAD = "<mediawiki>\n<page>\n"
WRONG = {
    "no XML at all": ("<html>Not found</html>", 1, "is not a MediaWiki export but <html>"),
    "an export that stopped short": (f"{HEAD}<title>A</title>\n", 4, "no element found"),
    "an element that is not closed": (f"{HEAD}<title>A\n</page>", 4, "mismatched tag"),
    "a page without a number": (f"{HEAD}<title>A</title><ns>0</ns>\n</page></mediawiki>", 4, "page without <id>"),
    "a page without a namespace": (f"{HEAD}<title>A</title><id>1</id>\n</page></mediawiki>", 4, "page without <ns>"),
    "more after the end": ("<mediawiki>\n</mediawiki>\n<page>", 3, "junk after document element"),
    "an entity that grows": (
        '<!DOCTYPE a [<!ENTITY a "' + "x" * 5000 + '"><!ENTITY b "' + "&a;" * 5000 + '">]>\n<mediawiki>&b;'
        + "&b;" * 5000 + "</mediawiki>", None, "is not a whole MediaWiki export"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "problem"), WRONG.values(), ids=WRONG)
def test_what_is_no_export_is_refused_with_its_line(tmp_path, text, line, problem):
    path = tmp_path / "dump.xml.bz2"
    path.write_bytes(bz2.compress(text.encode()))
    with pytest.raises(InputError, match="download it again") as caught:
        list(read_dump(path))
    place, _, found = str(caught.value).removeprefix(f"{path}, line ").partition(": ")
    assert place.isdecimal()
    assert line in (None, int(place))
    assert problem in found


def test_an_export_is_read_however_it_is_packed(tmp_path, small_dump):
    export = bz2.decompress(small_dump.read_bytes())
    path = tmp_path / "export.xml"
    for packed in (export, gzip.compress(export), lzma.compress(export)):
        path.write_bytes(packed)
        assert list(read_dump(path)) == list(read_dump(small_dump))


@pytest.mark.parametrize("kept", [0.3, 0.95, 0.9999])
def test_a_dump_that_is_cut_off_is_refused(tmp_path, kept):
    whole = bz2.compress(("<mediawiki>" + "".join(map(str, range(200_000))) + "</mediawiki>\n").encode())
    path = tmp_path / "cut.xml.bz2"
    path.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(InputError, match="line 1: is cut off or damaged"):
        list(read_dump(path))


def test_a_page_of_insane_length_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("specialize.corpora.dump.LONGEST_PAGE", 1000)
    path = tmp_path / "dump.xml.bz2"
    write_dump(path, [("Long", 0, "word " * 300)])
    with pytest.raises(InputError, match="a page of over 1,000 characters"):
        list(read_dump(path))


@pytest.mark.slow
def test_processes_end_with_the_one_that_gives_them_work(tmp_path):
    path = tmp_path / "dump.xml.bz2"
    write_dump(path, [(f"Page {number}", 0, "One two three. " * 2000) for number in range(300)])
    program = (
        "import sys; from pathlib import Path; from specialize.corpora import *\n"
        "path = Path(sys.argv[1])\n"
        f"cleaner = Cleaner(Cleaning(**{paper_cleaning().as_dict()}), {{}})\n"
        "for article in clean_all(read_dump(path), cleaner, 2): print(flush=True)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert parent.stdout
    parent.stdout.readline()
    children = psutil.Process(parent.pid).children()
    assert len(children) == 2
    parent.kill()
    parent.communicate()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive


@pytest.mark.parametrize(
    "text",
    ["a &lt;b&gt;c", "&#60;ref&#62;x&#60;/ref&#62; y", "a <b>c</b> <div>d</div> e", "x &[[File:a.png]]lt;b>", "x"],
)
def test_a_page_without_tags_reads_as_where_they_are_looked_for(monkeypatch, text):
    monkeypatch.setattr("wikiextractor.extract.discardElements", DISCARDED)
    whole = Extractor("1", "", "", "A", []).clean_text(escape(text), expand_templates=False, html_safe=False)
    assert extract(Page("1", "A", text), "extractor").lines == tuple("\n".join(whole).split("\n"))
