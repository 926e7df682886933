"""Unicode: when two spellings are of the same text, whatever normal form and invisible marks they have; letters."""

from __future__ import annotations

import unicodedata

import regex

# It parts words where no space is written, as in Khmer; every other invisible mark stands within one.
ZERO_WIDTH_SPACE = "\u200b"
# Joiners, direction marks, soft hyphens, variation selectors: what a reader does not see.
_INVISIBLE = regex.compile(r"\p{Default_Ignorable_Code_Point}")


def without_invisible(text: str) -> str:
    """The text as a reader sees it: a zero-width space parts words, every other invisible mark is gone.

    For comparison and segmentation only: files, predictions and exports keep joiners, which some scripts need.
    """
    visible: str = _INVISIBLE.sub("", text.replace(ZERO_WIDTH_SPACE, " "))
    return visible


def comparable(text: str) -> str:
    """The same for every spelling of a text: in NFKC, without invisible marks."""
    return unicodedata.normalize("NFKC", without_invisible(text))


def letter_count(text: str) -> int:
    """How many letters a text has; marks above and below them do not count."""
    return sum(map(str.isalpha, text))


def invisible_marks(text: str) -> list[str]:
    """The invisible marks of a text in their order, zero-width spaces among them."""
    marks: list[str] = _INVISIBLE.findall(text)
    return marks
