"""What both formats of labeled data share: three parts, and sentences that are blocks of lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from specialize.errors import InputError

PARTS = ("train", "dev", "test")
ONE_LINE_END = "end all lines alike, in line feeds"  # remedy where some end in a carriage return alone


def blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """Runs of lines that are not blank, each with the number of its first line (from 1).

    Lines end in LF, CR LF, or, in a file that has neither, CR.
    """
    if "\n" not in text:
        text = text.replace("\r", "\n")
    block: list[str] = []
    number = 0
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.rstrip("\r")
        if line.strip():
            block.append(line)
        elif block:
            yield number - len(block), block
            block = []
    if block:
        yield number - len(block) + 1, block


def require_sentences(path: Path, sentences: Sequence[object]) -> None:
    """Refuse a file without sentences.

    Raises:
        InputError: if there is none.
    """
    if not sentences:
        raise InputError(path, "has no sentences", 1, "each of train, dev and test needs some")
