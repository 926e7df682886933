"""Markup that extraction leaves in its text: what can be taken out is, and what is left is counted by kind."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Sequence

from specialize.corpora.markup_pairs import KNOWN

_NAMES = "|".join(sorted(name for name in KNOWN if len(name) > 1))
_LETTERS = "".join(sorted(name for name in KNOWN if len(name) == 1))
_A_TAG = rf"<\s*/?\s*(?:{_NAMES})(?![\w-])|</?[{_LETTERS}](?=\s*/?>)"
_SUSPECT = ("[[", "]]", "{{", "}}", "|", "<", "&", "-->", "''")
_LIST_MARKS = ("*", "#", ";", ":")
_ENTITY = re.compile(r"&#?\w{2,31};")
_BREAK = re.compile(r"</?\s*[bh]r\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(rf"(?:{_A_TAG})[^<>]*>|<!--|^\s*-->|-->\s*$", re.IGNORECASE)
_PAIRED_MARKS = re.compile(r"\{\{+|\}\}+|\[\[+|\]\]+|^\{\||^\|\}")
_LIST_MARK = re.compile(r"^[*#;:]+\s*(?=\w)")
# A row without a word, or a line of an unclosed gallery.
_NO_TEXT = re.compile(
    r"[\s|!{}-]*\|[\s|!{}-]*|[^\W\d_]+:[^|\[\]]{1,250}\.(?:jpe?g|png|gif|svg|tiff?|webp|og[gva]|webm|pdf|djvu)\s*(?:\|.*)?",
    re.IGNORECASE,
)

# By kind, what a cleaned sentence, with spaces around its punctuation, still has of markup.
KINDS = {
    "attributes": re.compile(
        r'\b(?:style|class|align|valign|colspan|rowspan|bgcolor|cellpadding) ?= ?[\w"#]', re.IGNORECASE
    ),
    "comments": re.compile(r"< ?! ?--|-- ?>"),
    "entities": re.compile(r"& ?#?\w{2,31} ;"),
    "file options": re.compile(r"\b(?:thumb|thumbnail|frameless|upright|\d+ ?px) ?\|", re.IGNORECASE),
    "language variants": re.compile(r"-\{|\}-"),
    "links": re.compile(r"\[\[|\]\]"),
    "placeholders": re.compile(r"\b(?:formula|codice)_\d"),
    "quotes": re.compile(r"''"),
    "switches": re.compile(r"__[^\W\d_]{2,}__"),
    "tables": re.compile(r"\{\||\|\}|\|-|\|\||^[|!]|! !"),
    "tags": re.compile(rf"{_A_TAG}|< / [{_LETTERS}]>", re.IGNORECASE),
    "templates": re.compile(r"\{\{|\}\}"),
}
_MARKS = ("<", ">", "{", "}", "|", "&", "_", "=", "[[", "]]", "''", "\n!")  # one of which each kind has


def without_markup_left(text: str) -> tuple[str, ...]:
    """The lines of an article's extracted text without markup that was left in it; empty if they were nothing else."""
    lines = text.split("\n")
    if marks := [mark for mark in _SUSPECT if mark in text]:
        lines = [_without_markup(line) if any(mark in line for mark in marks) else line for line in lines]
    return tuple(_LIST_MARK.sub("", line) if line.startswith(_LIST_MARKS) else line for line in lines)


def _without_markup(line: str) -> str:
    if "&" in line:
        line = _ENTITY.sub(lambda entity: html.unescape(entity[0]).replace("\n", " "), line)
    if "<" in line or "-->" in line:
        line = _TAG.sub("", _BREAK.sub(" ", line))
    line = _PAIRED_MARKS.sub("", line.replace("'''", "").replace("''", '"'))
    return "" if _NO_TEXT.fullmatch(line) else line


def markup_left(sentences: Sequence[str]) -> Counter[str]:
    """How many cleaned sentences have markup left, by kind."""
    lines = [f"\n{sentence}" for sentence in sentences]
    text = "".join(lines)
    marked = {number for mark in _MARKS if mark in text for number, line in enumerate(lines) if mark in line}
    return Counter(kind for number in marked for kind, pattern in KINDS.items() if pattern.search(sentences[number]))
