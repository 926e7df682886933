"""Text of one's own: the same articles in every format, packing and line end, or a refusal by the format's name."""

import bz2
import contextlib
import gzip
import io
import itertools
import json
import lzma
import re
import sqlite3
import tarfile
import unicodedata
import zipfile
from html import escape
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import paper_cleaning
from tests.corpora.test_building import build, made_up_articles

from specialize.corpora import SPLITS, build_corpus, read_articles, read_own_text
from specialize.errors import InputError, SpecializeError
from specialize.files import read_json
from specialize.sources import own_files, own_text, recognise
from specialize.sources.packing import DAMAGED, unpacked

DOCUMENTS = [list(article.lines) for article in made_up_articles(80)]
DOCUMENTS[0] = ["Ab & cd < ef. Gh “ij” kl.", "ئۇيغۇر تىلى. ئۇ بىر تىل.", "Mn\u200dop. Qr."]
PACKINGS = {
    "as it is": bytes,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}
LINE_ENDS = {"LF": "\n", "CR LF": "\r\n", "CR": "\r", "CR CR LF": "\r\r\n", "NEL": "\x85", "LS": "\u2028"}


def plain(documents):
    return "\n\n".join("\n".join(lines) for lines in documents) + "\n"


def json_lines(documents):
    return "".join(json.dumps({"id": 1, "text": "\n".join(lines)}) + "\n" for lines in documents)


def json_lists(documents):
    return "".join(json.dumps({"text": lines}, ensure_ascii=False) + "\n" for lines in documents)


def wikiextractor(documents):
    form = (
        '<doc id="{0}" url="https://xx.example/?curid={0}" title="The &amp; "{0}"">\nThe &amp; "{0}"\n\n{1}\n\n</doc>\n'
    )
    return "".join(form.format(number, escape("\n\n".join(lines))) for number, lines in enumerate(documents))


def wikiextractor_json(documents):
    return "".join(
        json.dumps({"id": "7", "revid": "8", "url": "", "title": "The title", "text": escape("\n".join(lines))}) + "\n"
        for lines in documents
    )


def with_entities(documents):
    written = {"&": "&amp;", "e": "&#101;", "a": "&#x61;", "“": "&ldquo;"}
    return "".join(written.get(letter, letter) for letter in plain(documents))


def put_together(documents):
    return "\ufeff" + plain(documents[:9]) + "\ufeff\n\ufeff" + plain(documents[9:])


def odd_blank_lines(documents):
    return plain(documents).replace("\n\n", "\n \u200b\t\u200e\n\x0c\n\xa0\n")


FORMATS = {
    form.__name__: form
    for form in (
        *(plain, json_lines, json_lists, wikiextractor, wikiextractor_json),
        *(with_entities, put_together, odd_blank_lines),
    )
}


def corpus_of(path, folder, **reading):
    build_corpus(path, read_articles(path, **reading), {}, paper_cleaning(), folder)
    return {name: (folder / name).read_bytes() for name in (*(f"{split}.txt" for split in SPLITS), "statistics.json")}


@pytest.fixture(scope="module")
def plain_corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain")
    (folder / "text").write_text(plain(DOCUMENTS), encoding="utf-8")
    return corpus_of(folder / "text", folder / "corpus")


def written(path, content, packing="as it is", end="LF"):
    path.write_bytes(PACKINGS[packing](content.replace("\n", LINE_ENDS[end]).encode()))
    return path


# -- the same corpus -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_gives_the_same_corpus(tmp_path, plain_corpus, form):
    path = written(tmp_path / "data", FORMATS[form](DOCUMENTS))
    assert corpus_of(path, tmp_path / "corpus") == plain_corpus


@pytest.mark.parametrize("spaces", ["&nbsp;", "\xa0", "\u202f\u2007\u2003\u3000\x0c\x0b\x1c&#160;&#x202F;"])
def test_spaces_of_every_kind_part_words_and_sentences(tmp_path, plain_corpus, spaces):
    kinds = itertools.cycle([spaces] if spaces == "&nbsp;" else re.findall(r"&[^;]*;|[^&]", spaces))
    text = "".join(next(kinds) if letter == " " else letter for letter in plain(DOCUMENTS))
    made = corpus_of(written(tmp_path / "text", text), tmp_path / "corpus")

    def sentences(corpus):
        return sorted(line for split in SPLITS for line in corpus[f"{split}.txt"].split(b"\n"))

    assert sentences(made) == sentences(plain_corpus)


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("form", ["plain", "json_lines", "wikiextractor"])
def test_every_packing_gives_the_same_corpus_whatever_the_name(tmp_path, plain_corpus, form, packing):
    path = written(tmp_path / "data.txt.gz", FORMATS[form](DOCUMENTS), packing)
    assert corpus_of(path, tmp_path / "corpus") == plain_corpus


@pytest.mark.parametrize(
    ("form", "end"),
    [
        *(("plain", end) for end in LINE_ENDS),
        # Others end a line of text, not of a file: JSON may have them in the middle of a record.
        *itertools.product(["json_lines", "wikiextractor"], ["LF", "CR LF", "CR", "CR CR LF"]),
    ],
)
def test_every_line_end_gives_the_same_corpus(tmp_path, plain_corpus, form, end):
    path = written(tmp_path / "data", FORMATS[form](DOCUMENTS), end=end)
    assert corpus_of(path, tmp_path / "corpus") == plain_corpus


def test_every_normal_form_gives_the_same_split(tmp_path):
    text = plain(DOCUMENTS).replace("a", "á")
    splits = {}
    for form in ("NFC", "NFD"):
        corpus = corpus_of(written(tmp_path / form, unicodedata.normalize(form, text)), tmp_path / f"{form}-corpus")
        splits[form] = [unicodedata.normalize("NFC", corpus[f"{split}.txt"].decode()) for split in SPLITS]
    assert splits["NFC"] == splits["NFD"]


def test_several_files_give_the_same_corpus(tmp_path, plain_corpus):
    folder = tmp_path / "extracted"
    for number, first in enumerate(range(0, len(DOCUMENTS), 9)):
        part = folder / ("AA", "AB")[number % 2] / f"wiki_{number:02}"
        part.parent.mkdir(parents=True, exist_ok=True)
        written(part, wikiextractor(DOCUMENTS[first : first + 9]), list(PACKINGS)[number % 5])
    (folder / ".hidden").write_bytes(b"\0")
    (folder / "empty").touch()
    for number, meant in enumerate([str(folder), f"{folder}/*/wiki*", [f"{folder}/AA", f"{folder}/**/wiki_*"]]):
        files = own_text({"text": meant})
        made = tmp_path / str(number)
        build_corpus(folder, read_own_text(files), {}, paper_cleaning(), made)
        assert read_json(made / "statistics.json") == json.loads(plain_corpus["statistics.json"])
        for split in SPLITS:
            lines = (made / f"{split}.txt").read_text(encoding="utf-8").split("\n\n")
            assert sorted(lines) == sorted(plain_corpus[f"{split}.txt"].decode().split("\n\n"))


LETTERS = st.text(
    st.sampled_from("ab. &;#<>\"'{}[]\t:,1\xa0\u3000\u200b\u200d\u0628\u0e01\U0001f600\x0b\x0c\x1c\x7f"), max_size=12
)


@settings(max_examples=40, deadline=None)
@given(
    documents=st.lists(st.lists(LETTERS.map(lambda text: f"x{text}."), min_size=1, max_size=4), min_size=1, max_size=4),
    packing=st.sampled_from(list(PACKINGS)),
    end=st.sampled_from(["LF", "CR LF", "CR"]),
    block=st.integers(1, 20),
)
def test_articles_are_the_same_whatever_they_are_written_in(tmp_path_factory, documents, packing, end, block):
    folder = tmp_path_factory.getbasetemp()
    documents = [[escape(line) for line in lines] for lines in documents]
    forms = {"text": plain, "json-lines": json_lines, "wikiextractor": lambda made: wikiextractor(made)}
    if any("</doc>" in line for lines in documents for line in lines):
        del forms["wikiextractor"]
    read = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("specialize.corpora.text_lines.READ_BYTES", block)
        for declared, form in forms.items():
            content = form(documents) if declared != "wikiextractor" else form([])
            if declared == "wikiextractor":
                content = "".join('<doc id="1" title="">\n' + "\n".join(lines) + "\n</doc>\n" for lines in documents)
            path = written(folder / "same", content, packing, end)
            read.append(list(read_articles(path, declared)))
    assert len(read[0]) == len(documents)
    assert all(other == read[0] for other in read)


def test_an_article_of_plain_text_is_known_by_its_lines(tmp_path):
    """By the same hash as before other formats were read, so that no article changes its split."""
    path = written(tmp_path / "text", "One.\nTwo.\n\nThree.\n")
    assert [article.identifier[:8] for article in read_articles(path)] == ["4ff383ae", "5e5fbb15"]


# -- single sentences ----------------------------------------------------------------------------------------

SENTENCES = [line for lines in DOCUMENTS for line in lines]


def test_leipzig_and_one_sentence_a_line_give_the_same_corpus(tmp_path):
    leipzig = written(tmp_path / "leipzig", "".join(f"{n}\t{line}\n" for n, line in enumerate(SENTENCES, start=1)))
    lines = written(tmp_path / "lines", "\n".join(SENTENCES))
    records = written(tmp_path / "records", json_lines([[line] for line in SENTENCES]))
    made = corpus_of(leipzig, tmp_path / "a")
    assert made == corpus_of(lines, tmp_path / "b", declared="sentences")
    statistics = json.loads(made["statistics.json"])
    assert statistics["total"]["articles"] == statistics["articles_read"] == len(SENTENCES)
    assert statistics["removed"] == {}
    build_corpus(records, read_articles(records), {}, paper_cleaning(fewest_sentences=1), tmp_path / "c")
    assert all((tmp_path / "c" / name).read_bytes() == content for name, content in made.items())


def test_equal_sentences_share_a_split(tmp_path):
    path = written(tmp_path / "lines", "".join(f"Line {number % 40} of it.\n" for number in range(400)))
    corpus_of(path, tmp_path / "corpus", declared="sentences")
    splits = [set((tmp_path / "corpus" / f"{split}.txt").read_text().split("\n")) - {""} for split in SPLITS]
    assert not any(one & other for one, other in itertools.combinations(splits, 2))


def test_lines_without_articles_are_told_of_the_key(tmp_path):
    path = written(tmp_path / "lines", "\n".join(SENTENCES))
    with pytest.raises(InputError, match=r"has 1 articles.*`format: sentences`"):
        corpus_of(path, tmp_path / "corpus")


# -- what is counted -----------------------------------------------------------------------------------------


def test_records_without_text_and_halves_of_characters_are_counted(tmp_path):
    more = (
        '{"text": null}\n{"other": 1}\n\n{"text": ""}\n"A text. By itself."\n{"text": "Half \\ud83d. Of it \\u0000."}\n'
    )
    path = written(tmp_path / "records", json_lines(DOCUMENTS) + more)
    statistics = json.loads(corpus_of(path, tmp_path / "corpus")["statistics.json"])
    assert statistics["articles_read"] == len(DOCUMENTS) + 5
    assert statistics["removed"] == {"documents without text": 3, "halves of characters": 1}


def test_what_was_read_as_what_is_said(tmp_path, capsys):
    paths = [written(tmp_path / name, plain(DOCUMENTS), "gzip") for name in ("a", "b")]
    list(read_own_text(own_text({"text": list(map(str, paths))})))
    assert (
        f"{paths[0]} and 1 more: plain text, a blank line between articles, packed by gzip" in capsys.readouterr().out
    )


# -- refused by name -----------------------------------------------------------------------------------------


def zipped(*names):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, "text")
    return content.getvalue()


def tarred():
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("text.txt"), io.BytesIO())
    return content.getvalue()


def a_database():
    with sqlite3.connect(":memory:") as database:
        database.execute("create table t (x)")
        return database.serialize()


TEXT = plain(DOCUMENTS)
CONLLU = "# text = Ab cd\n1\tAb\t_\tX\t_\t_\t0\troot\t_\t_\n2\tcd\t_\tX\t_\t_\t1\tdep\t_\t_\n\n"
REFUSED = {
    "a Word document": (zipped("[Content_Types].xml", "word/document.xml"), "is a Word document"),
    "an OpenDocument file": (b"PK\x03\x04mimetypeapplication/vnd.oasis.opendocument.text", "is an OpenDocument"),
    "a ZIP archive": (zipped("text.txt"), "is a ZIP archive; unpack it: unzip FILE"),
    "a tar archive": (tarred(), "is a tar archive; unpack it: tar -xf"),
    "a packed tar archive": (gzip.compress(tarred()), "is a tar archive once unpacked"),
    "a PDF": (b"%PDF-1.4\n%\xe2\xe3", "is a PDF"),
    "RTF": (b"{\\rtf1 Ab}", "is an RTF document"),
    "SQLite": (a_database(), "is an SQLite database"),
    "Parquet": (b"PAR1\0\0", "is a Parquet table"),
    "a pointer of Git LFS": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
    "a pointer of git-annex": (b"/annex/objects/SHA256E-s1--0.txt\n", "git annex get"),
    "UTF-16": (TEXT.encode("utf-16"), "line 1: is UTF-16, not UTF-8; convert it: iconv -f UTF-16 -t UTF-8"),
    "UTF-16 without a mark": (TEXT.encode("utf-16-le"), "is UTF-16LE, not UTF-8; convert it: iconv -f UTF-16LE"),
    "UTF-16, high byte first": (TEXT.encode("utf-16-be"), "is UTF-16BE"),
    "UTF-32": (TEXT.encode("utf-32"), "is UTF-32, not UTF-8"),
    "Latin-1": (b"One.\nTw\xf6.\n", r"line 2: is not UTF-8 \(invalid .*iconv -f ENCODING -t UTF-8"),
    "bytes": (b"One.\nTwo\0.\n" + bytes(range(256)), "line 2: is no text: it has bytes that are zero"),
    "packed twice": (gzip.compress(bz2.compress(b"One.")), "is packed twice, by gzip and bzip2"),
    "a page": (b"\n<!DOCTYPE HTML>\n<html>", "is an HTML page"),
    "a page of XML": (b"<?xml version='1.0'?><!-- a --><html>", "is an HTML page"),
    "TEI": (b'<?xml version="1.0"?>\n<TEI xmlns="x"><text/></TEI>', r"is XML \(<TEI>\)"),
    "an export": (b"<mediawiki>\n<page>", "is a MediaWiki export; give it by the key `dump`"),
    "a packed export": (lzma.compress(b"\xef\xbb\xbf<mediawiki>\n<page>"), "by the key `dump`"),
    "an array": (b'[\n {"text": "Ab"}]', r"is a JSON array, not JSON Lines; write .*jq -c '\.\[\]'"),
    "indented JSON": (b'{\n "text": "Ab"}', r"is JSON over several lines.*jq -c \."),
    "another field": (b'{"content": "Ab"}\n{"id": 3}\n', "no record with the field 'text'.* 'content', 'id'"),
    "broken JSON": (b'{"text": "Ab\n', "line 1: is not a record of JSON Lines"),
    "records of Python": (b"{'text': 'Ab.'}\n{'text': 'Cd.'}\n", "line 1: is not a record of JSON Lines"),
    "sentences with a broken line": (b"1\tAb.\n" * 20 + b"Cd.\n", "line 21: is not a number, a tab and a sentence"),
    "documents in one line": (b'<doc id="1">Ab. Cd.</doc>\n', "line 1: has more than the <doc …> that starts"),
    "deep JSON": (b'{"text": ' + b"[" * 10_000 + b"\n", "line 1: is not a record of JSON Lines"),
    "CoNLL-U": (CONLLU.encode(), "is CoNLL-U, not plain text"),
    "words of Leipzig": (b"1\tab\t33\n2\tcd\t22\n3\tef\t1\n", "is a table of 3 columns.*sentences.txt"),
    "CSV": (b"id,text\n1,Ab cd\n2,\"Ef, gh\"\n", "is a CSV table"),
    "subtitles": (b"1\n00:00:01,000 --> 00:00:02,000\nAb\n", "is subtitles"),
    "a vertical corpus": (b'<doc id="1">\n<s>\nAb\tX\tab\n</s>\n</doc>', "is a vertical corpus"),
    "nothing": (b"", "is empty"),
    "nothing, packed": (gzip.compress(b""), "is empty"),
    "cut off": (gzip.compress(TEXT.encode())[:-9], "is cut off or damaged"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ('"Ab. \\"Cd.\\""\n"Ef.\\nGh."\n', "json-lines"),  # as `jq -c '.[]'` makes of an array
        ('{}\n{"text": "Ab."}\n', "json-lines"),
        ('"Ab," he said.\n"Cd."\n', "text"),
        ('"Ab."\n\n"Cd."\n', "text"),
        ('"Ab."\r\n\r\n"Cd."\r\n', "text"),
        ('"Ab."\r\n"Cd."\r\n', "json-lines"),
        ("<doc>\nAb. Cd.\n</doc>\n", "wikiextractor"),
        ("1\tAb.\nCd.\n\nEf.\n", "text"),
    ],
)
def test_what_comes_near_to_a_format(tmp_path, content, name):
    path = written(tmp_path / "text", content)
    assert recognise(path).name == name
    assert list(read_articles(path))


@pytest.mark.parametrize(("content", "problem"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_read_is_refused_by_its_name(tmp_path, content, problem):
    path = tmp_path / "text.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=problem) as caught:
        list(read_own_text(own_text({"text": str(path)})))
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    assert ";" in str(caught.value), "no remedy"


LATER = {
    "a record that is none": (json_lines(DOCUMENTS) + "[1]\n", 81, "holds a list, not an object"),
    "a record of numbers": (json_lines(DOCUMENTS) + '{"text": 3}\n', 81, "holds something else than text"),
    "a line without number": ("1\tAb.\n" * 20_000 + "Cd.\n", 20_001, "is not a number, a tab and a sentence"),
    "text between documents": (wikiextractor(DOCUMENTS[:1]) + "Ab.\n", 5 + 2 * len(DOCUMENTS[0]), "outside of any"),
    "a document in one": ('<doc id="1" title="">\n' * 2, 2, "begins within that of line 1"),
    "a document without end": ('<doc id="1" title="">\nAb.\n', 1, "has no </doc>"),
    "a zero byte": ("Ab.\n" * 50_000 + "\0", 50_001, "bytes that are zero"),
}


@pytest.mark.parametrize(("content", "line", "problem"), LATER.values(), ids=LATER)
def test_what_shows_later_is_refused_with_its_line(tmp_path, content, line, problem):
    path = written(tmp_path / "text", content)
    with pytest.raises(InputError, match=problem) as caught:
        list(read_articles(path))
    assert str(caught.value).startswith(f"{path}, line {line}: ")


@pytest.mark.parametrize(("declared", "bound"), [("text", "ARTICLE"), ("wikiextractor", "ARTICLE"), ("text", "LINE")])
def test_nothing_grows_without_bound(tmp_path, monkeypatch, declared, bound):
    module = "own_text" if bound == "ARTICLE" else "text_lines"
    monkeypatch.setattr(f"specialize.corpora.{module}.LONGEST_{bound}", 1000)
    monkeypatch.setattr("specialize.corpora.text_lines.READ_BYTES", 100)
    text = "ab cd\n" * 500 if bound == "ARTICLE" else "One.\n" + "ab cd " * 500
    path = written(tmp_path / "text", f'<doc id="1">\n{text}' if declared == "wikiextractor" else text, "zstd")
    with pytest.raises(InputError, match=r"has over 1,000 (characters|bytes)"):
        list(read_articles(path, declared))


@pytest.mark.parametrize(
    "text",
    [
        "Ab." + "\r" * 300_000 + "Cd.\n",
        "Ab.\n" + "&#13;" * 100_000 + "Cd.\n",
        '<doc id="1">\n' + '<doc title="' * 100_000 + "\n</doc>\n",
        "[" + " " * 3_000_000,
        "Ab.\n" + "&a" * 1_000_000 + "\n" + "&" * 1_000_000,
        "<?" * 1_000_000 + "\n" + "<!--" * 100_000,
    ],
)
def test_nothing_takes_for_ever(tmp_path, text):
    """Each of these would take hours, were anything quadratic in it."""
    path = written(tmp_path / "text", text)
    with contextlib.suppress(InputError):
        assert len(list(read_articles(path))) in (1, 2)


@pytest.mark.parametrize("packing", [name for name in PACKINGS if name != "as it is"])
def test_no_packed_file_ends_in_silence(tmp_path, packing):
    """Cut off anywhere, or with something else behind it, it is said; padding and further streams are read."""
    whole = PACKINGS[packing](TEXT.encode())
    path = tmp_path / "text"

    def content():
        with unpacked(path) as (stream, _):
            return stream.read().decode()

    for more, times in ((b"", 1), (b"\0" * 8, 1), (whole, 2)):
        path.write_bytes(whole + more)
        assert content() == TEXT * times
    for damaged in (whole[:-1], whole[: len(whole) // 2], whole[:8], whole + b"more", whole + whole[:-1]):
        path.write_bytes(damaged)
        with pytest.raises(DAMAGED):
            content()


def test_a_declared_format_is_taken_at_its_word(tmp_path):
    path = written(tmp_path / "text", "1\tAb.\n2\tCd.\n\n3\tEf.\n")
    assert [len(article.lines) for article in read_articles(path, "text")] == [2, 1]
    path = written(tmp_path / "text", "id,text\n1,Ab cd\n2,Ef gh\n")
    assert len(list(read_articles(path, "text"))) == 1
    path = written(tmp_path / "text", "[1] Ab.\n{2} Cd.\n")
    assert len(list(read_articles(path))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "[Ab] cd.\n[Ef] gh.\n",
        "{{Ab}} cd.\n",
        "\tAb cd.\n\tEf gh.\n\tIj kl.\n",
        "Ab, cd.\nEf, gh.\nIj, kl.\n",
        "<b>Ab</b> cd.\nEf.\n",
        "« Ab »\nCd\n",
        "1. Ab\n2. Cd\n",
        "# Ab\n\nCd\n",
        "Tab\there.\nNone there.\n",
        "Ab\n",
        "&amp;\n",
        "\u200f\n\u200e\n",
    ],
)
def test_plain_text_is_not_taken_for_something_else(tmp_path, text):
    path = written(tmp_path / "text", text)
    assert [str(known) for known in own_text({"text": str(path)}).values()] == [
        "plain text, a blank line between articles"
    ]


def test_files_of_a_folder_have_one_format(tmp_path):
    (tmp_path / "README").write_text("Ab cd.\n")
    written(tmp_path / "records", json_lines(DOCUMENTS))
    with pytest.raises(InputError, match=r"records: is read as json-lines, but .*README as text"):
        own_text({"text": str(tmp_path)})
    both = [str(tmp_path / "README"), str(tmp_path / "records")]
    assert [known.name for known in own_text({"text": both}).values()] == ["text", "json-lines"]


@pytest.mark.parametrize("given", ["gone", "gone/*", "*.gone", ["gone"]])
def test_files_that_are_not_there(tmp_path, monkeypatch, given):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpecializeError, match=r"there (is no file|are no files in) .*gone"):
        own_files(given)


def test_a_name_with_braces_is_refused(tmp_path):
    written(tmp_path / "a{b}", "Ab.\n")
    with pytest.raises(InputError, match="has braces in its name; rename it"):
        own_text({"text": str(tmp_path)})


def test_a_file_whose_name_looks_like_a_pattern(tmp_path):
    path = written(tmp_path / "text [1]*.txt", "Ab.\n")
    assert own_files(str(path)) == [path]


def test_an_export_is_read_by_its_own_key(tmp_path):
    page = "<page><title>A</title><ns>0</ns><id>{0}</id><revision><text>Ab {0} cd. Ef.</text></revision></page>"
    export = "<mediawiki>" + "\n".join(page.format(number) for number in range(90)) + "</mediawiki>"
    path = written(tmp_path / "wiki", export, "zstd")
    articles = list(read_own_text(own_text({"dump": str(path)})))
    assert [article.identifier for article in articles] == [str(number) for number in range(90)]
    corpus = build(tmp_path / "corpus", articles)
    assert sum(map(len, corpus.values())) == 90
    with pytest.raises(InputError, match="is not a MediaWiki export; give text by the key `text`"):
        own_text({"dump": str(written(Path(tmp_path, "text"), TEXT))})
