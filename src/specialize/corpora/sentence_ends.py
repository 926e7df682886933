"""Where sentences end in scripts that have full stops of their own.

The paper's rule, a full stop with a space behind it, is for texts in Latin, Cyrillic and Arabic letters and stays as it
is there. An article most of whose letters are of other scripts is parted at every mark that Unicode calls
Sentence_Terminal, as `։`, `।`, `።`, `。`, and at the Tibetan shad, which it does not list. Behind `!`, `?` and the full
stop there must be white space, and `. ` ends no sentence where the article has more of the other marks: there it is of
abbreviations ("1990 թ. ", "डॉ. ").
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import regex

from specialize.corpora.settings import SENTENCE_END
from specialize.unicode import LETTER, counts_of

SAMPLED_CHARACTERS = 300  # spread over an article, whose letters tell its script

_PAPER_SCRIPTS = r"\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Arabic}"
_PAPER_LETTER = rf"[[{_PAPER_SCRIPTS}]&&{LETTER}]"
_LETTER = regex.compile(LETTER)
_SPACE_BEHIND = ".!?"  # these end a sentence only with white space behind them
_TERMINAL = r"\p{Sentence_Terminal}\u0f0d-\u0f11"
_OWN_MARK = regex.compile(rf"[[{_TERMINAL}]--[{_SPACE_BEHIND}]]", regex.V1)
_END = regex.compile(rf"""(?P<marks>[{_TERMINAL}]+)(?:[\p{{Pe}}\p{{Pf}}]|["'](?=\s|$))*""", regex.V1)
_TAIL = regex.compile(rf"""(?<![{_TERMINAL}…\p{{Pe}}\p{{Pf}}"'\s])[{_TERMINAL}…\p{{Pe}}\p{{Pf}}"'\s]++$""", regex.V1)
_MARKS = regex.compile(rf"[{_TERMINAL}…](?:.*[{_TERMINAL}…])?", regex.V1)


@dataclass(frozen=True)
class OwnMarks:
    """How sentences end in an article of other scripts.

    Attributes:
        full_stop: whether `. ` ends a sentence there too.
    """

    full_stop: bool


def sentence_ends(lines: Iterable[str]) -> str | OwnMarks:
    """How the sentences of an article end, for `clean_line`, where its entry in the configuration does not say."""
    text = "\n".join(lines)
    sample = text[:: len(text) // SAMPLED_CHARACTERS + 1]
    letters, of_paper_scripts = counts_of((LETTER, _PAPER_LETTER), sample)
    if letters <= 2 * of_paper_scripts:
        return SENTENCE_END
    return OwnMarks(full_stop=len(_OWN_MARK.findall(text)) <= text.count(SENTENCE_END))


def part_sentences(line: str, ends: OwnMarks) -> list[str]:
    """The sentences of a line, each with its marks; a piece without letters goes with the sentence before it."""
    sentences: list[str] = []
    start = 0
    for place in [*(end.end() for end in _END.finditer(line) if _ends(end, ends)), len(line)]:
        piece = line[start:place]
        if sentences and not _LETTER.search(piece):
            sentences[-1] += piece
        elif piece.strip():
            sentences.append(piece)
        start = place
    return [sentence.strip() for sentence in sentences]


def _ends(end: regex.Match[str], ends: OwnMarks) -> bool:
    line, marks = end.string, end["marks"]
    before, after = line[end.start() - 1 : end.start()], line[end.end() : end.end() + 1]
    if _OWN_MARK.search(marks):
        return not (before.isdigit() and after.isdigit())
    return (not after or after.isspace()) and (ends.full_stop or marks.strip(".") != "")


def part_marks(sentence: str) -> str:
    """A sentence with spaces around the marks that end it."""
    tail = _TAIL.search(sentence)
    marks = _MARKS.search(sentence, tail.start()) if tail else None
    if marks is None:
        return sentence
    return f"{sentence[: marks.start()]} {marks[0]} {sentence[marks.end() :]}"
