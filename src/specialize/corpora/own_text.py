"""Plain text of one's own: one paragraph a line, a blank line between articles."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from specialize.corpora.articles import Article
from specialize.errors import InputError


def read_articles(path: Path) -> Iterator[Article]:
    """Articles of a plain text: one paragraph a line, a blank line between articles.

    Raises:
        InputError: with the first line that is not UTF-8.
    """
    lines: list[str] = []
    with path.open(encoding="utf-8-sig", newline="\n") as stream:
        try:
            for line in tqdm(stream, desc="lines", unit="", mininterval=2):
                if line.strip():
                    lines.append(line)
                elif lines:
                    yield _text_article(lines)
                    lines = []
        except UnicodeDecodeError as error:
            raise InputError(path, f"is not UTF-8 ({error.reason})", _undecodable_line(path), "convert it") from error
    if lines:
        yield _text_article(lines)


def _undecodable_line(path: Path) -> int | None:
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return None


def _text_article(lines: list[str]) -> Article:
    return Article(hashlib.sha256("".join(lines).encode()).hexdigest(), tuple(lines))
