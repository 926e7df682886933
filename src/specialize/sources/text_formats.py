"""Formats of texts of one's own: told by their first bytes, or refused by their name with what to do."""

from __future__ import annotations

import codecs
import csv
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from specialize.errors import InputError
from specialize.sources.packing import DAMAGED, damaged, packing_of, unpacked

HEAD_BYTES = 1 << 16  # unpacked, from which a format is told
NEW = "FILE > NEW"
MOST_NAMES = 10  # of fields, in a message
KINDS = {list: "list", int: "number", float: "number", bool: "truth value"}
AS_TEXT = "or say `format: text`, if it is plain text"
TEXT_FROM_IT = "take its text out, as plain text in UTF-8"
# Formats by their first bytes, with the remedy.
BINARY: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "is a PDF", f"{TEXT_FROM_IT}, and look whether its lines are paragraphs"),
    (b"{\\rtf", "is an RTF document", "save it as plain text in UTF-8"),
    (b"\xd0\xcf\x11\xe0", "is an old Office document", "save it as plain text in UTF-8"),
    (b"SQLite format 3\0", "is an SQLite database", TEXT_FROM_IT),
    (b"PAR1", "is a Parquet table", "write its column of text as JSON Lines"),
    (b"ARROW1", "is an Arrow table", "write its column of text as JSON Lines"),
    (b"7z\xbc\xaf\x27\x1c", "is a 7z archive", "unpack it, and give what was in it"),
    (b"Rar!", "is a RAR archive", "unpack it, and give what was in it"),
    (b"\x04\x22\x4d\x18", "is packed by lz4", "unpack it: lz4 -d FILE NEW"),
    (b"\x1f\x9d", "is packed by compress", "unpack it: gzip -dc < FILE > NEW"),
    (b"version https://git-lfs", "is a pointer of Git LFS, not the file itself", "fetch the file: git lfs pull"),
)
ZIPPED: tuple[tuple[bytes, str, str], ...] = (
    (b"word/", "is a Word document (docx)", "save it as plain text in UTF-8"),
    (b"application/vnd.oasis.opendocument", "is an OpenDocument file (odt)", "save it as plain text in UTF-8"),
    (b"xl/", "is an Excel table (xlsx)", "save its column of text as plain text in UTF-8"),
    (b"application/epub", "is an e-book (epub)", TEXT_FROM_IT),
    (b"", "is a ZIP archive", "unpack it: unzip FILE -d FOLDER, and give what was in it"),
)
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
# Elements of HTML that may well begin a plain text; lines that start with one are left out, as from a dump.
INLINE = {"a", "b", "big", "br", "center", "em", "font", "i", "ref", "small", "span", "strong", "sub", "sup", "u"}
ELEMENT = re.compile(r"<([A-Za-z][\w:.-]*)(?=[\s/>])")
LEIPZIG_ROW = re.compile(r"[0-9]+\t[^\t]*", re.ASCII)
LEIPZIG_SHARE = 0.9  # of the lines; the others are refused, each with its number
JSON_TEXT = re.compile(r'\s*"(?:[^"\\]|\\.)*+"\s*')
BLANK_LINE = re.compile(r"(?>\r?\r?\n|\r)[ \t]*[\r\n]")
CSV_HEAD = re.compile(r'"?[\w -]{1,30}"?([,;]"?[\w -]{0,30}"?)+')


@dataclass(frozen=True)
class TextFormat:
    """What a file of text is.

    Attributes:
        name: of its format, as the key `format` has it; or `mediawiki`, or `empty`.
        packing: what packed it, if anything did.
    """

    name: str
    packing: str = ""

    def __str__(self) -> str:
        return IN_WORDS[self.name] + (f", packed by {self.packing}" if self.packing else "")


IN_WORDS = {
    "text": "plain text, a blank line between articles",
    "sentences": "single sentences, one a line",
    "json-lines": "JSON Lines",
    "leipzig": "a Leipzig corpus, a number, a tab and a sentence a line",
    "wikiextractor": "documents of WikiExtractor",
    "mediawiki": "a MediaWiki export",
    "empty": "empty, passed over",
}


def recognise(path: Path, declared: str = "", field: str = "text") -> TextFormat:
    """Tell a text's format from its first bytes.

    Args:
        path: a file.
        declared: the format that its owner says it has; only what cannot be text at all is refused then.
        field: that holds the text of JSON Lines.

    Raises:
        InputError: for a format that is not read, by its name with the remedy; for what is not UTF-8 or cut off.
    """
    try:
        with path.open("rb") as raw:
            packed_head = raw.read(HEAD_BYTES)
        _refuse_binary(path, packed_head)
        with unpacked(path) as (stream, _):
            content = stream.read(HEAD_BYTES)
    except DAMAGED as error:
        raise damaged(path, error) from error
    packing = packing_of(packed_head)
    if not content:
        return TextFormat("empty", packing)
    if packing:
        _refuse_binary(path, content, " once unpacked")
        if packing_of(content):
            raise InputError(path, f"is packed twice, by {packing} and {packing_of(content)}", remedy="unpack it once")
    text = _decoded(path, content)
    numbered = [pair for pair in enumerate(re.split(r"\r?\r?\n|\r", text), start=1) if pair[1].strip()]
    whole = numbered if len(content) < HEAD_BYTES else numbered[:-1]
    lines = [line for _, line in whole or numbered]
    if _root(text) == "mediawiki":
        return TextFormat("mediawiki", packing)
    name = declared or (_told(path, text.lstrip(), lines) if lines else "text")
    if name == "json-lines" and whole:
        _require_field(path, whole, field)
    return TextFormat(name, packing)


def _refuse_binary(path: Path, head: bytes, when: str = "") -> None:
    """Refuse what is no text, by the name of its format."""
    kinds = ZIPPED if head.startswith(b"PK\x03\x04") else ()
    found = next((kind for kind in kinds if kind[0] in head), None)
    found = found or next((kind for kind in BINARY if head.startswith(kind[0])), None)
    if head[257:262] == b"ustar":
        found = (b"", "is a tar archive", "unpack it: tar -xf FILE, and give what was in it")
    if b"/annex/objects/" in head[:500] and len(head) < 500:
        found = (b"", "is a pointer of git-annex, not the file itself", "fetch the file: git annex get FILE")
    if found:
        raise InputError(path, f"{found[1]}{when}", remedy=found[2])


def _decoded(path: Path, content: bytes) -> str:
    """The beginning of a text, without its byte-order mark."""
    encoding = next((name for mark, name in BYTE_ORDER_MARKS if content.startswith(mark)), "")
    if not encoding and b"\0" in content:
        even, odd = content[::2].count(0), content[1::2].count(0)
        if min(even, odd) == 0 and max(even, odd) > max(1, len(content) // 50):
            encoding = "UTF-16BE" if even else "UTF-16LE"
        else:
            line = content.count(b"\n", 0, content.index(b"\0")) + 1
            raise InputError(path, "is no text: it has bytes that are zero", line, TEXT_FROM_IT)
    if encoding:
        raise InputError(path, f"is {encoding}, not UTF-8", 1, f"convert it: iconv -f {encoding} -t UTF-8 {NEW}")
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(content).lstrip("\ufeff")
    except UnicodeDecodeError as error:
        raise not_utf8(path, error, content.count(b"\n", 0, error.start) + 1) from error


def not_utf8(path: Path, error: UnicodeDecodeError, line: int) -> InputError:
    """The error to raise where a text is in another encoding, or damaged."""
    remedy = f"convert it from the encoding that it has: iconv -f ENCODING -t UTF-8 {NEW}"
    return InputError(path, f"is not UTF-8 ({error.reason})", line, remedy)


def _told(path: Path, text: str, lines: list[str]) -> str:
    """The format of a text that begins so."""
    if text.startswith("<"):
        return _told_of_markup(path, text, lines)
    if re.match(r"""\{\s*["'}]""", text) or (
        not BLANK_LINE.search(text.rstrip()) and all(map(JSON_TEXT.fullmatch, lines))
    ):
        if re.match(r"\{\s*$", lines[0]):
            remedy = f"write each object in one line: jq -c . {NEW}"
            raise InputError(path, "is JSON over several lines, not JSON Lines", 1, remedy)
        return "json-lines"
    if re.match(r'\[\s*([{"]|\[\s*")', text):
        remedy = f"write each item in one line: jq -c '.[]' {NEW}; {AS_TEXT}"
        raise InputError(path, "is a JSON array, not JSON Lines", 1, remedy)
    if sum(map(bool, map(LEIPZIG_ROW.fullmatch, lines))) > LEIPZIG_SHARE * len(lines):
        return "leipzig"
    _refuse_tables(path, text, lines)
    return "text"


def _told_of_markup(path: Path, text: str, lines: list[str]) -> str:
    root = _root(text)
    if root == "doc" and not text.startswith("<?xml"):
        if len(lines) > 1 and re.match(r"<(s|p|text)\b|[^\t]*\t[^\t]*\t", lines[1]):
            remedy = f"take its sentences out, one a line, with `format: sentences`; {AS_TEXT}"
            raise InputError(path, "is a vertical corpus, one word a line", 1, remedy)
        return "wikiextractor"
    if root.lower() in ("html", "head", "body"):
        raise InputError(path, "is an HTML page", 1, f"{TEXT_FROM_IT}; {AS_TEXT}")
    if text.startswith("<?xml") or (root and root.lower() not in INLINE):
        raise InputError(path, f"is XML (<{root or '?'}>)", 1, f"{TEXT_FROM_IT}; {AS_TEXT}")
    return "text"


def _root(text: str) -> str:
    """The name of the element that a text begins with, behind declarations and comments, if it begins with one."""
    text = text.lstrip()
    while end := next((end for start, end in (("<?", "?>"), ("<!--", "-->")) if text.startswith(start)), None):
        text = text.partition(end)[2].lstrip()
    if text[:14].lower() == "<!doctype html":
        return "html"
    found = ELEMENT.match(text)
    return found[1] if found else ""


def _refuse_tables(path: Path, text: str, lines: list[str]) -> None:
    """Refuse annotated text, tables, subtitles and dumps of databases, which would pass for plain text."""
    tabs = {line.strip("\t").count("\t") for line in lines if not line.startswith("#")}
    if tabs == {9}:
        remedy = f"give it as `treebank`; or its sentences, `sed -n 's/^# text = //p' {NEW}`, with `format: sentences`"
        raise InputError(path, "is CoNLL-U, not plain text", 1, remedy)
    if len(tabs) == 1 and tabs != {0} and len(lines) > 2:
        remedy = (
            f"take the column of text out, such as `cut -f2 {NEW}`, with `format: sentences` if it has a sentence a "
            f"line; of a Leipzig corpus give …-sentences.txt alone; {AS_TEXT}"
        )
        raise InputError(path, f"is a table of {tabs.pop() + 1} columns, parted by tabs", 1, remedy)
    if _is_csv(path, lines):
        raise InputError(path, "is a CSV table", 1, f"write its column of text as JSON Lines; {AS_TEXT}")
    if re.match(r"(WEBVTT|[0-9]+[\r\n]+[0-9:.,]+ --> )", text):
        raise InputError(path, "is subtitles", 1, f"{TEXT_FROM_IT}; {AS_TEXT}")
    if re.match(r"-- (MySQL|MariaDB|phpMyAdmin|PostgreSQL)", text):
        raise InputError(path, "is a dump of a database", 1, f"{TEXT_FROM_IT}; {AS_TEXT}")


def _is_csv(path: Path, lines: list[str]) -> bool:
    """Whether a name ends so, or a head of short names stands above rows of as many columns."""
    if any(ending.lower() == ".csv" for ending in path.suffixes):
        return True
    if len(lines) < 3 or not CSV_HEAD.fullmatch(lines[0].strip()):
        return False
    for separator in ",;":
        try:
            rows = list(csv.reader(lines[:20], delimiter=separator))
        except csv.Error:
            return False
        if len(rows[0]) > 1 and all(len(row) == len(rows[0]) for row in rows):
            return True
    return False


def json_record(path: Path, number: int, line: str) -> dict[str, Any] | str:
    """A record of JSON Lines: an object, or a text by itself.

    Raises:
        InputError: with the line's number, if it is none.
    """
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply, or a number too long"
        problem = f"is not a record of JSON Lines ({reason})"
        raise InputError(path, problem, number, f"write one object a line: jq -c . {NEW}; {AS_TEXT}") from error
    if not isinstance(record, (dict, str)):
        problem = "holds no object" if record is None else f"holds a {KINDS[type(record)]}, not an object"
        raise InputError(path, problem, number, f"write one object a line, with the text in a field; {AS_TEXT}")
    return record


def _require_field(path: Path, lines: list[tuple[int, str]], field: str) -> None:
    """Refuse JSON Lines of which no record at the beginning has the field of the text."""
    names: dict[str, None] = {}
    for number, line in lines:
        record = json_record(path, number, line)
        if isinstance(record, str) or field in record:
            return
        names |= dict.fromkeys(record)
    known = ", ".join(map(repr, list(names)[:MOST_NAMES])) or "none"
    problem = f"has no record with the field {field!r} among the first {len(lines):,}; there are {known}"
    raise InputError(path, problem, lines[0][0], "name the field that holds the text: `corpus: {field: NAME}`")
