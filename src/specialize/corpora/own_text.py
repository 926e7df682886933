"""Text of one's own, in the formats that people have it in: each article is known by its content alone."""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tqdm import tqdm

from specialize.corpora.articles import Article, Page
from specialize.corpora.dump import read_dump
from specialize.corpora.text_lines import BYTE_ORDER_MARK, is_blank, numbered_lines, paragraphs, plain_spaces
from specialize.errors import InputError
from specialize.sources.text_formats import AS_TEXT, TextFormat, json_record, recognise

LONGEST_ARTICLE = 64_000_000  # characters
SINGLE = "where each line is by itself, say `format: sentences`"
WITHOUT_TEXT = "documents without text"
HALF_CHARACTER = re.compile("[\ud800-\udfff]")  # JSON can write them, UTF-8 cannot
DOCUMENT = re.compile(r"<doc(?:\s[^>]*?(?:title=\"(.*)\")?)?>")
LONGEST_OPENING = 10_000  # characters of <doc …>; a title has 255 bytes

Lines = Iterable[tuple[int, str]]


def read_articles(path: Path, declared: str = "", field: str = "text") -> Iterator[Article | Page]:
    """Articles of one file, in the format that its content shows.

    Args:
        path: the file, packed or not.
        declared: its format, where its owner says it.
        field: that holds the text of JSON Lines.

    Raises:
        InputError: with the line, for what cannot be read; see `specialize.sources.recognise`.
    """
    yield from read_own_text({path: recognise(path, declared, field)}, field)


def read_own_text(files: Mapping[Path, TextFormat], field: str = "text") -> Iterator[Article | Page]:
    """Articles of several files in their order; the job's log says what each kind of them was read as.

    No article goes over the end of a file.

    Raises:
        InputError: with file and line, for what cannot be read.
    """
    alike: dict[str, list[Path]] = {}
    for path, known in files.items():
        alike.setdefault(str(known), []).append(path)
    for name, paths in alike.items():
        more = f" and {len(paths) - 1:,} more" if len(paths) > 1 else ""
        print(f"{paths[0]}{more}: {name}")
    texts = [path for path, known in files.items() if known.name in READERS]
    size = sum(path.stat().st_size for path in texts)
    with tqdm(desc="own text", total=size, unit="B", unit_scale=True, mininterval=2, disable=not texts) as progress:
        for path, known in files.items():
            if known.name == "mediawiki":
                yield from read_dump(path)
            elif known.name == "json-lines":
                yield from _json_articles(path, numbered_lines(path, progress), field)
            elif known.name in READERS:
                yield from READERS[known.name](path, numbered_lines(path, progress))


def _article(lines: Iterable[str], single: bool = False, removed: Counter[str] | None = None) -> Article:
    """An article of those lines that are not blank; its identifier is their digest, whatever packs or ends them.

    The digest is taken before spaces are made plain ones, so that articles stay in the split that they always had.
    """
    kept = tuple(line for line in lines if not is_blank(line))
    removed = Counter(removed or {})
    if not kept:
        removed[WITHOUT_TEXT] += 1
    known_by = unicodedata.normalize("NFC", "".join(f"{line}\n" for line in kept))  # one split in every normal form
    digest = hashlib.sha256(known_by.encode())
    return Article(digest.hexdigest(), tuple(map(plain_spaces, kept)), single, removed)


def _blank_line_articles(path: Path, lines: Lines) -> Iterator[Article]:
    """One paragraph a line, a blank line between articles."""
    article: list[str] = []
    size = 0
    for number, line in lines:
        for paragraph in paragraphs(line):
            if not is_blank(paragraph):
                article.append(paragraph)
                size += len(paragraph)
            elif article:
                yield _article(article)
                article, size = [], 0
        if size > LONGEST_ARTICLE:
            problem = f"an article has over {LONGEST_ARTICLE:,} characters up to here"
            raise InputError(path, problem, number, f"a blank line parts articles; {SINGLE}")
    if article:
        yield _article(article)


def _sentences(_path: Path, lines: Lines) -> Iterator[Article]:
    """One sentence a line; each is an article by itself, so that equal ones share a split."""
    for _, line in lines:
        for sentence in paragraphs(line):
            if not is_blank(sentence):
                yield _article([sentence], single=True)


def _leipzig_sentences(path: Path, lines: Lines) -> Iterator[Article]:
    """A number, a tab and a sentence a line."""
    for number, line in lines:
        if is_blank(line):
            continue
        identifier, tab, sentence = line.partition("\t")
        if not tab or not identifier.strip().isdecimal():
            remedy = f"mend the line; {AS_TEXT}, or `format: sentences` without numbers"
            raise InputError(path, "is not a number, a tab and a sentence", number, remedy)
        yield _article([" ".join(paragraphs(sentence))], single=True)


def _documents(path: Path, lines: Lines) -> Iterator[Article]:
    """What stands between <doc …> and </doc>, but for the title that WikiExtractor puts above it."""
    opened: int | None = None  # the line of it
    title, document, size = "", list[str](), 0
    for number, line in lines:
        text = line.strip()
        start = DOCUMENT.fullmatch(text) if len(text) < LONGEST_OPENING else None
        if start and opened is not None:
            raise InputError(path, f"a <doc> begins within that of line {opened}", number, "put </doc> before it")
        if start:
            opened, title, document, size = number, (start[1] or "").strip(), [], 0
            continue
        if opened is None:
            if text.startswith("<doc"):
                remedy = f"give <doc …>, the text and </doc> lines of their own; {AS_TEXT}"
                raise InputError(path, "has more than the <doc …> that starts it", number, remedy)
            if text:
                remedy = f"leave nothing between </doc> and the next <doc …>; {AS_TEXT}"
                raise InputError(path, "is outside of any document", number, remedy)
            continue
        ends = text.endswith("</doc>")
        document += paragraphs(line.rstrip().removesuffix("</doc>") if ends else line)
        size += len(line)
        if size > LONGEST_ARTICLE:
            problem = f"a document has over {LONGEST_ARTICLE:,} characters"
            raise InputError(path, problem, opened, "is its </doc> missing?")
        if ends:
            yield _article(_without_title(document, title))
            opened = None
    if opened is not None:
        raise InputError(path, "this document has no </doc>", opened, "is the file cut off? Extract it again")


def _without_title(document: list[str], title: str) -> list[str]:
    first = next((index for index, line in enumerate(document) if line.strip()), None)
    spelt = {title, html.unescape(title), title.partition('"')[0]} - {""}  # other attributes may come behind it
    if first is not None and document[first].strip() in spelt:
        return document[first + 1 :]
    return document


def _json_articles(path: Path, lines: Lines, field: str = "text") -> Iterator[Article]:
    """The text of each record: a text with line ends, or a list of lines; null, or no such field, is none."""
    for number, line in lines:
        if not line.strip():
            continue
        record = json_record(path, number, line)
        value: Any = record.get(field) if isinstance(record, dict) else record
        texts = value if isinstance(value, list) else [] if value is None else [value]
        if not all(isinstance(text, str) for text in texts):
            problem = f"the field {field!r} holds something else than text"
            raise InputError(path, problem, number, "name the field that holds the text: `corpus: {field: NAME}`")
        whole = "\n".join(texts).replace(BYTE_ORDER_MARK, "").replace("\0", "\ufffd")
        whole, halves = HALF_CHARACTER.subn("\ufffd", whole)
        removed = Counter({"halves of characters": halves} if halves else {})
        yield _article(paragraphs(whole), removed=removed)


READERS: dict[str, Callable[[Path, Lines], Iterator[Article]]] = {
    "text": _blank_line_articles,
    "sentences": _sentences,
    "json-lines": _json_articles,
    "leipzig": _leipzig_sentences,
    "wikiextractor": _documents,
}
