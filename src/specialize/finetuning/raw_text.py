"""Text as people write it, parted into sentences and words."""

from __future__ import annotations

import importlib.util
import sys
import unicodedata
from collections.abc import Iterable, Iterator

from specialize.corpora import OwnMarks, sentence_ends
from specialize.corpora.sentence_ends import part_sentences
from specialize.corpora.word_segmentation import has_unparted_words, part_words
from specialize.datasets import UNPRINTABLE
from specialize.unicode import ZERO_WIDTH_SPACE, without_invisible


def printable(line: str) -> str:
    """A line without control characters and white space around it; empty if nobody sees anything in it."""
    line = UNPRINTABLE.sub(" ", line).strip()
    return line if line.strip(f"{ZERO_WIDTH_SPACE} ") else ""


def sentences_of(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """The sentences of a text of a paragraph a line, each with its line's number.

    Blank lines part what may be of different scripts.
    Sentences end as those of corpora do where a script has marks of its own; elsewhere at a full stop, an exclamation
    mark or a question mark with white space behind it. None goes over the end of a line.
    """
    block: list[tuple[int, str]] = []
    for number, line in enumerate(map(printable, lines), start=1):
        if line:
            block.append((number, line))
        elif block:
            yield from _sentences_of_block(block)
            block = []
    yield from _sentences_of_block(block)


def _sentences_of_block(block: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    ends = sentence_ends([line for _, line in block])
    if not isinstance(ends, OwnMarks):
        ends = OwnMarks(full_stop=True)
    for number, line in block:
        for sentence in part_sentences(line, ends):
            yield number, sentence


class Words:
    """Parts sentences of a text into words, in scripts without spaces too where ICU is there.

    Says once if it is not.
    """

    def __init__(self) -> None:
        self._icu = importlib.util.find_spec("icu4py") is not None
        self._said = False

    def of(self, sentence: str) -> list[str]:
        """The words of a sentence."""
        if has_unparted_words(sentence):
            if self._icu:
                sentence = part_words(sentence)
            elif not self._said:
                self._said = True
                print(
                    "Warning: words of a script without spaces stay in one piece, since the package icu4py is not "
                    "installed: in the checkout run .venv/bin/pip install --editable '.[words]', or part them by "
                    "spaces",
                    file=sys.stderr,
                )
        return list(words_of(sentence))


def words_of(line: str) -> Iterator[str]:
    """Words and punctuation marks of a line; hyphens, apostrophes and joiners inside a word stay in it."""
    for token in line.replace(ZERO_WIDTH_SPACE, " ").split():
        start = 0
        for place, character in enumerate(token):
            if _belongs_to_word(token, place):
                continue
            if start < place:
                yield token[start:place]
            yield character
            start = place + 1
        if start < len(token):
            yield token[start:]


def _belongs_to_word(token: str, place: int) -> bool:
    if unicodedata.category(token[place])[0] not in "PS":
        return True
    if token[place] not in "-'’.,·":
        return False
    before, after = (
        _first_visible(token, places) for places in (range(place - 1, -1, -1), range(place + 1, len(token)))
    )
    return before in "LMN" and after in "LN"


def _first_visible(token: str, places: range) -> str:
    """The kind of the first character that a reader sees; that of a space where there is none."""
    return next((unicodedata.category(token[place])[0] for place in places if without_invisible(token[place])), "Z")
