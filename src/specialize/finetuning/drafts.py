"""Sentences on their way to CoNLL-U: comments and rows, their text, and the attributes of the last column."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from specialize.datasets import DEPREL, DEPS, HEAD, UPOS, XPOS

LEMMA, FEATS, MISC = 2, 5, 9
NAMES = {LEMMA: "LEMMA", UPOS: "UPOS", XPOS: "XPOS", FEATS: "FEATS", HEAD: "HEAD", DEPREL: "DEPREL", DEPS: "DEPS"}
# Of UD 2, as the pinned udtools has them.
RELATIONS = frozenset(
    "acl advcl advmod amod appos aux case cc ccomp clf compound conj cop csubj dep det discourse dislocated expl fixed "
    "flat goeswith iobj list mark nmod nsubj nummod obj obl orphan parataxis punct reparandum root vocative "
    "xcomp".split()
)
ROOT, NO_TAG, NO_RELATION = "root", "X", "dep"  # the last two stand where nothing is known
BREAK = re.compile(r"#\s*new(doc|par)(\s.*)?")
ENTITY = "NER"  # the key of an IOB2 label in MISC; O is left out
LONE_MARK = "\u25cc"  # the circle that shows a mark without its letter


@dataclass
class Draft:
    """A sentence on its way to CoNLL-U.

    Attributes:
        comments: its comments.
        rows: its rows, each of ten columns; those of words are numbered from 1.
        line: of the text, where it stands, from 1.
    """

    comments: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    line: int | None = None

    def words(self) -> list[list[str]]:
        """The rows of words."""
        return [row for row in self.rows if row[0].isdigit()]

    def tokens(self) -> list[list[str]]:
        """The rows that its text is made of: multiword tokens, and words outside of them."""
        rows, covered = [], 0
        for row in self.rows:
            first, dash, last = row[0].partition("-")
            if dash:
                covered = int(last)
            elif not first.isdigit() or int(first) <= covered:
                continue
            rows.append(row)
        return rows

    def empty_nodes(self) -> list[list[str]]:
        """The rows of empty nodes."""
        return [row for row in self.rows if "." in row[0]]

    def lines(self) -> list[str]:
        """Its lines in a file, without the blank one that ends it."""
        return [*self.comments, *map("\t".join, self.rows)]

    def begins_part(self) -> bool:
        """Whether a document or a paragraph begins with it."""
        return any(BREAK.fullmatch(comment) for comment in self.comments)


def attribute(key: str, value: str) -> str:
    """An attribute of MISC, which bars part."""
    value = " ".join(value.replace("|", r"\p").split())
    composed = unicodedata.normalize("NFC", f"{key}={value}")
    return composed if composed.startswith(f"{key}=") else f"{key}={LONE_MARK}{value}"


def spaces_after(text: str, forms: Sequence[str]) -> list[bool] | None:
    """Whether there is a space after each of a text's words; None if it has others, or is not in NFC."""
    if not unicodedata.is_normalized("NFC", text):
        return None
    place, spaced = 0, []
    for form in forms:
        if not text.startswith(form, place):
            return None
        end = place = place + len(form)
        while place < len(text) and text[place].isspace():
            place += 1
        spaced.append(place > end)
    return spaced if place == len(text) else None


def text_of(forms: Sequence[str], spaced: Sequence[bool]) -> tuple[str, list[bool]]:
    """The text of words, and whether there is a space after each: also where two would melt into one.

    Args:
        forms: in NFC.
        spaced: where there shall be one.
    """
    text, after = "", []
    for number, (form, space) in enumerate(zip(forms, spaced, strict=True), start=1):
        text += form
        following = forms[number] if number < len(forms) else ""
        last = len(text) - 1  # where the last letter without its marks begins
        while last > 0 and unicodedata.combining(text[last]):
            last -= 1
        space = space or not unicodedata.is_normalized("NFC", text[last:] + following)
        after.append(space)
        text += " " if space and following else ""
    return text, after


def marks_of(row: list[str]) -> list[str]:
    """The attributes in a row's last column."""
    return [part for part in row[MISC].split("|") if part.strip("= ")] if row[MISC] != "_" else []
