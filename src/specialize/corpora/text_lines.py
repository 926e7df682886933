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
LINE_END = re.compile("\r*\n|[\r\x85\u2028\u2029]")


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
            for line in whole.splitlines():
                number += 1
                yield number, _decoded(path, number, line)
            progress.update(raw.tell() - done)
            done = raw.tell()


def _up_to_last_line_end(block: bytes) -> tuple[bytes, bytes]:
    """Whole lines, each with one end, and the rest; carriage returns at the end may belong to a line feed to come."""
    end = max(block.rfind(b"\n"), block.rstrip(b"\r").rfind(b"\r")) + 1
    whole = block[:end]
    if b"\r\r" in whole:  # as a line feed is doubled where a text is converted twice
        whole = re.sub(rb"\r+\n", b"\n", whole)
    return whole, block[end:]


def _decoded(path: Path, number: int, line: bytes) -> str:
    if b"\0" in line:
        raise InputError(path, "is no text: it has bytes that are zero", number, "take its text out, in UTF-8")
    try:
        return line.decode().replace(BYTE_ORDER_MARK, "")
    except UnicodeDecodeError as error:
        raise not_utf8(path, error, number) from error


def paragraphs(text: str) -> list[str]:
    """Lines of some text, however they are ended, with HTML entities decoded once and plain spaces only."""
    if "&" in text:
        text = ENTITY.sub(_character, text)
    return [SPACE.sub(" ", line) for line in LINE_END.split(text)]


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
