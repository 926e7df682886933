"""Unicode: when two spellings are of the same text, whatever normal form and invisible marks they have; letters."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

import regex

if TYPE_CHECKING:  # numpy would slow the start of every job
    import numpy as np
    from numpy.typing import NDArray

# It parts words where no space is written, as in Khmer; every other invisible mark stands within one.
ZERO_WIDTH_SPACE = "\u200b"
# Joiners, direction marks, soft hyphens, variation selectors: what a reader does not see.
_INVISIBLE = regex.compile(r"\p{Default_Ignorable_Code_Point}")
CHARACTERS = 0x110000
_WITH_CHARACTERS = (range(0x40000), range(0xE0000, 0xF0000))  # planes that are not empty or private

# Scripts without spaces between words: what ICU parts (of Tibetan: syllables), and what it does not know.
ICU_SCRIPTS = ("Thai", "Lao", "Khmer", "Myanmar", "Tibetan", "Han", "Hiragana", "Katakana")
OTHER_SPACELESS_SCRIPTS = ("Balinese", "Javanese", "New_Tai_Lue", "Tai_Le", "Tai_Tham", "Tai_Viet")


def squeeze(text: str) -> str:
    """The text without any white space."""
    return "".join(text.split())


def written_in(scripts: tuple[str, ...], kinds: str) -> str:
    """A set of these kinds of characters in these scripts, with those that they share, such as the long mark."""
    members = "".join(rf"\p{{scx={script}}}" for script in scripts)
    return f"[[{kinds}]&&[{members}]]"


LETTER = r"\p{L}"
SPACELESS_LETTER = written_in(ICU_SCRIPTS + OTHER_SPACELESS_SCRIPTS, LETTER)


def numbers_of(text: str) -> NDArray[np.uint32]:
    """The numbers of a text's characters in Unicode."""
    import numpy as np

    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


@cache
def table_of(characters: str) -> NDArray[np.bool_]:
    """For each number in Unicode whether its character is one of these; one by one, a text would take seconds.

    Args:
        characters: a set of `regex`, of its version 1, without private or unassigned ones.
    """
    import numpy as np

    table = np.zeros(CHARACTERS, dtype=bool)
    for plane in _WITH_CHARACTERS:
        for run in regex.finditer(f"{characters}+", "".join(map(chr, plane)), regex.V1):
            table[plane.start + run.start() : plane.start + run.end()] = True
    return table


def count_of(characters: str, text: str) -> int:
    """How many characters of a text are of such a set; see `table_of`."""
    return counts_of((characters,), text)[0]


def counts_of(sets: Iterable[str], text: str) -> list[int]:
    """The same for several sets, in less time than one by one."""
    import numpy as np

    numbers = numbers_of(text).astype(np.intp)
    return [int(np.count_nonzero(table_of(characters)[numbers])) for characters in sets]


def main_script(text: str) -> str:
    """The script that most characters of a text are of, as ISO 15924 names it; empty for a text without any.

    Of several with equally many the one that comes first.
    """
    scripts: dict[str, int] = {}
    for character in text:
        scripts[_script(character)] = scripts.get(_script(character), 0) + 1
    return max(scripts, key=scripts.__getitem__, default="")


@cache
def _script(character: str) -> str:
    from fontTools.unicodedata import script

    return str(script(character))


def without_invisible(text: str) -> str:
    """The text as a reader sees it: a zero-width space parts words, every other invisible mark is gone.

    For comparison and segmentation only: files, predictions and exports keep joiners, which some scripts need.
    """
    visible: str = _INVISIBLE.sub("", text.replace(ZERO_WIDTH_SPACE, " "))
    return visible


def comparable(text: str) -> str:
    """The same for every spelling of a text: in NFKC, without invisible marks."""
    # Line by line, since most need no normalizing, and finding that out takes much less time than doing it.
    lines = without_invisible(text).split("\n")
    return "\n".join(unicodedata.normalize("NFKC", line) for line in lines)


def letter_count(text: str) -> int:
    """How many letters a text has; marks above and below them do not count."""
    return sum(map(str.isalpha, text))


def invisible_marks(text: str) -> list[str]:
    """The invisible marks of a text in their order, zero-width spaces among them."""
    marks: list[str] = _INVISIBLE.findall(text)
    return marks
