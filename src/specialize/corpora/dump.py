"""Wikipedia dumps: the articles of an export, and their text without markup."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.parsers import expat
from xml.sax.saxutils import escape

from tqdm import tqdm
from wikiextractor import extract as wikiextractor

from specialize.corpora.articles import Article, Page
from specialize.corpora.markup import mended, restored
from specialize.corpora.markup_left import without_markup_left
from specialize.errors import InputError, SpecializeError
from specialize.sources.packing import DAMAGED, damaged, unpacked

READ_BYTES = 1 << 20
LONGEST_PAGE = 64_000_000  # characters; MediaWiki allows two million bytes
DUMP_REMEDY = "download it again"
DISCARDED = wikiextractor.discardElements  # elements that WikiExtractor drops with their content


def read_dump(path: Path) -> Iterator[Page]:
    """Articles of a MediaWiki export, packed or not, but for redirects; memory holds one block of it at a time.

    Raises:
        InputError: with the line where it is cut off, damaged or not an export.
    """
    reader = _DumpReader(path)
    with unpacked(path) as (stream, compressed):
        progress = tqdm(desc=path.name, total=path.stat().st_size, unit="B", unit_scale=True, mininterval=2)
        with progress:
            block = b"-"
            while block:
                try:
                    block = stream.read(READ_BYTES)
                    pages = reader.feed(block)
                except DAMAGED as error:
                    raise damaged(path, error, reader.line, DUMP_REMEDY) from error
                except expat.ExpatError as error:
                    problem = f"is not a whole MediaWiki export ({expat.ErrorString(error.code)})"
                    raise InputError(path, problem, error.lineno, DUMP_REMEDY) from error
                yield from pages
                progress.update(compressed.tell() - progress.n)
    if reader.passed_over:
        print(f"{path}: {reader.passed_over:,} redirects and pages of other namespaces, passed over")


class _DumpReader:
    """Collects articles while an export is parsed; any <id> but the page's own is of a revision or a person."""

    def __init__(self, path: Path) -> None:
        self.passed_over = 0  # pages that are no articles
        self._path = path
        self._pages: list[Page] = []
        self._fields: dict[str, str] = {}  # of the page that is being read
        self._open: list[str] = []  # names of the elements around this place
        self._text: list[str] = []  # since the last start of an element, in pieces
        self._characters = 0  # of that text
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.buffer_size = READ_BYTES
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._add

    @property
    def line(self) -> int:
        """The line that has been read last (from 1)."""
        return self._parser.CurrentLineNumber

    def feed(self, block: bytes) -> list[Page]:
        """Articles that end in this block; an empty block ends the export."""
        self._parser.Parse(block, not block)
        pages, self._pages = self._pages, []
        return pages

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        if not self._open and name != "mediawiki":
            self._refuse(f"is not a MediaWiki export but <{name}>")
        self._open.append(name)
        if name == "page":
            self._fields = {}
        elif name == "redirect":
            self._fields[name] = ""
        self._text, self._characters = [], 0

    def _add(self, text: str) -> None:
        self._text.append(text)
        self._characters += len(text)
        if self._characters > LONGEST_PAGE:
            self._refuse(f"has a page of over {LONGEST_PAGE:,} characters")

    def _end(self, name: str) -> None:
        self._open.pop()
        within = self._open[-1] if self._open else ""
        is_text = name == "text" and within != "content"  # there it is of another slot, such as a picture's data
        if name in ("title", "ns") or is_text or (name == "id" and within == "page"):
            self._fields[name] = "".join(self._text)
        elif name == "page":
            self._end_page(self._fields)

    def _end_page(self, fields: dict[str, str]) -> None:
        """Keep a page that is an article: of the namespace 0, and no redirect."""
        lacks = [name for name in ("title", "ns", "id") if not fields.get(name)]
        if lacks:
            self._refuse(f"has a page without <{lacks[0]}>")
        if fields["ns"] == "0" and "redirect" not in fields:
            self._pages.append(Page(fields["id"], fields["title"], fields.get("text", "")))
        else:
            self.passed_over += 1

    def _refuse(self, problem: str) -> None:
        raise InputError(self._path, problem, self.line, DUMP_REMEDY)


def extract(page: Page, markup: str = "clean") -> Article:
    """A page's text without its markup, by WikiExtractor; templates and parser functions are dropped.

    Args:
        page: the page.
        markup: `clean`: what WikiExtractor would misread is mended before, and what it leaves is taken out after;
            `extractor`: WikiExtractor alone, as the paper's code had it (fact 1).

    Raises:
        SpecializeError: if WikiExtractor fails on it.
    """
    is_clean = markup == "clean"
    try:
        text = mended(page.text) if is_clean else page.text
        # It takes half of its time to look for each of a hundred tags, and most pages have none.
        has_tags = "<" in text
        wikiextractor.discardElements = DISCARDED if has_tags else []
        extractor = wikiextractor.Extractor(
            page.identifier, "", "", page.title, [], ignored_tag_patterns=None if has_tags else []
        )
        # escaped, since it expects entities as they stand in a dump
        lines = extractor.clean_text(escape(text), expand_templates=False, html_safe=False)
    except Exception as error:  # a page can trip it in many ways
        raise SpecializeError(f"article {page.identifier} ({page.title}): WikiExtractor fails: {error!r}") from error
    text = "\n".join(lines)
    if not is_clean:
        return Article(page.identifier, tuple(text.split("\n")))
    return Article(page.identifier, without_markup_left(restored(text)))
