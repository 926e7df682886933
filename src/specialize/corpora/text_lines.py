"""Lines of a text of one's own: unpacked, in UTF-8, and the same whatever ends them and however spaces are written."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from html.entities import html5
from pathlib import Path
from typing import Any

from tqdm import tqdm

from specialize.errors import InputError
from specialize.sources.packing import DAMAGED, damaged, unpacked
from specialize.sources.text_formats import not_utf8
from specialize.unicode import without_invisible

READ_BYTES = 1 << 20
LONGEST_LINE = 64_000_000  # bytes; a page of MediaWiki has two million at most
LONGEST_MARK = 4  # characters of a line that is looked at for nothing but invisible marks

BYTE_ORDER_MARK = "\ufeff"  # within a text as well, where files were put together
ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]*);")
# Spaces of every width, of no-break, form feeds and vertical tabs; a tab stays, as it is where text has columns.
SPACE = re.compile("[\x0b\x0c\x1c-\x1f\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")
# What ends a line within a record, or in a text from another system: carriage return, next line, Unicode's separators.
LINE_END = re.compile("\r?\r?\n|[\r\x85\u2028\u2029]")
A_LINE_END = re.compile("[\r\n\x85\u2028\u2029]")  # which is found much faster


def numbered_lines(path: Path, progress: tqdm[Any]) -> Iterator[tuple[int, str]]:
    """Lines of a file, packed or not, with their numbers (from 1), without byte-order marks and line ends.

    Line feeds, carriage returns and both end a line. Memory holds a block, or one line.

    Args:
        path: a file in UTF-8.
        progress: advances by the bytes of the file itself.

    Raises:
        InputError: with the first line that is not UTF-8, is too long or has bytes that are zero; where the file is
            cut off.
    """
    number = 0
    with unpacked(path) as (stream, raw):
        rest, done, block = b"", 0, b"-"
        while block:
            try:
                block = stream.read(READ_BYTES)
            except DAMAGED as error:
                raise damaged(path, error, number + 1) from error
            whole, rest = _up_to_last_line_end(rest + block) if block else (rest, b"")
            if len(rest) > LONGEST_LINE:
                problem = f"a line has over {LONGEST_LINE:,} bytes"
                raise InputError(path, problem, number + 1, "part the text into lines")
            for line in _decoded(path, number, whole):
                number += 1
                yield number, line
            progress.update(raw.tell() - done)
            done = raw.tell()


def _up_to_last_line_end(block: bytes) -> tuple[bytes, bytes]:
    """Whole lines, and the rest; carriage returns at the end may belong to a line feed to come."""
    end = max(block.rfind(b"\n"), block.rstrip(b"\r").rfind(b"\r")) + 1
    return block[:end], block[end:]


def _decoded(path: Path, before: int, whole: bytes) -> list[str]:
    """Lines of some bytes, which follow so many lines of the file."""
    if b"\r" in whole:  # two before a line feed are of a text that was converted twice
        for end in (b"\r\r\n", b"\r\n", b"\r"):
            whole = whole.replace(end, b"\n")
    if b"\0" in whole:
        number = before + whole.count(b"\n", 0, whole.index(b"\0")) + 1
        raise InputError(path, "is no text: it has bytes that are zero", number, "take its text out, in UTF-8")
    try:
        lines = whole.decode().replace(BYTE_ORDER_MARK, "").split("\n")
    except UnicodeDecodeError as error:
        raise not_utf8(path, error, before + whole.count(b"\n", 0, error.start) + 1) from error
    return lines if lines[-1] else lines[:-1]


def paragraphs(text: str) -> list[str]:
    """Lines of some text, however they are ended, with HTML entities decoded once."""
    if "&" in text:
        text = ENTITY.sub(_character, text)
    return LINE_END.split(text) if A_LINE_END.search(text) else [text]


def plain_spaces(line: str) -> str:
    """A line with plain spaces for those of other kinds, as the end of a sentence is looked for."""
    return SPACE.sub(" ", line)


def _character(entity: re.Match[str]) -> str:
    """The character that an entity stands for; an unknown one as it is."""
    name = entity[0][1:]
    if name.startswith("#"):
        return str(html.unescape(entity[0])).replace("\0", "\ufffd")
    return html5.get(name, entity[0])


def is_blank(line: str) -> bool:
    """Whether nothing of a line can be seen."""
    seen = line.strip()
    return not seen or (len(seen) < LONGEST_MARK and not without_invisible(seen).strip())
