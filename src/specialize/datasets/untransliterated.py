"""What a transliteration leaves: letters of another script than the Latin one, and letters that became marks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import regex

from specialize.errors import InputError

SHOWN_LETTERS = 10
# Letters that several scripts share, such as modifier letters, are none of another script.
_OTHER_LETTER = regex.compile(r"[\p{L}--[\p{Latin}\p{Common}\p{Inherited}]]", regex.V1)
_LETTER = regex.compile(r"\p{L}")
_LATIN_LETTER = regex.compile(r"[\p{L}&&\p{Latin}]", regex.V1)
# Apostrophes stand for letters such as the soft sign.
_MARK = regex.compile(r"[\p{P}\p{S}\p{N}--['’`\"]]", regex.V1)


@dataclass(frozen=True)
class Untransliterated:
    """Counts over the words of a twin, each as often as it occurs.

    Attributes:
        letters: all letters of the twin.
        left: its letters that are not Latin ones, by letter.
        words: its words that have letters.
        mixed: those with both Latin letters and others.
        unchanged: those whose letters are all left.
        marked: those in which letters became marks or digits.
    """

    letters: int
    left: Counter[str]
    words: int
    mixed: int
    unchanged: int
    marked: int

    @property
    def share(self) -> float:
        """The share of the letters that are left."""
        return self.left.total() / self.letters if self.letters else 0.0

    def most(self) -> dict[str, int]:
        """The letters that are left most often, those alike in order."""
        ordered = sorted(self.left.items(), key=lambda item: (-item[1], item[0]))
        return dict(ordered[:SHOWN_LETTERS])

    def as_json(self) -> dict[str, Any]:
        """The counts, for statistics.json."""
        return {
            "letters": self.letters,
            "letters_left": self.left.total(),
            "share_left": round(self.share, 6),
            "most_often_left": self.most(),
            "words": self.words,
            "words_of_mixed_scripts": self.mixed,
            "words_left": self.unchanged,
            "words_with_letters_as_marks": self.marked,
        }


def count_untransliterated(words: Mapping[str, int], convert_token: Callable[[str], str]) -> Untransliterated:
    """Count what a transliteration leaves of words.

    Args:
        words: how often each occurs.
        convert_token: what each becomes.
    """
    left: Counter[str] = Counter()
    letters = number = mixed = unchanged = marked = 0
    for word, count in words.items():
        converted = convert_token(word)
        found = len(_LETTER.findall(converted))
        letters += count * found
        had_letters = bool(found) or bool(_LETTER.search(word))
        number += count * had_letters
        if had_letters and len(_MARK.findall(converted)) > len(_MARK.findall(word)):
            marked += count
        if others := _OTHER_LETTER.findall(converted):
            for letter in others:
                left[letter] += count
            is_mixed = bool(_LATIN_LETTER.search(converted))
            mixed += count * is_mixed
            unchanged += count * (not is_mixed)
    return Untransliterated(letters, left, number, mixed, unchanged, marked)


def require_latin(path: Path, left: Untransliterated, scheme: str, largest_share_left: float) -> None:
    """Print what is left, and refuse a twin of which too much is.

    Args:
        path: the data that the twin is made of.
        left: what is left.
        scheme: how it was made.
        largest_share_left: of its letters.

    Raises:
        InputError: with the letters that are left most often.
    """
    letters = " ".join(left.most())
    problem = (
        f"transliteration leaves {left.share:.1%} of {left.letters:,} letters in their script"
        f"{f', most often {letters}' if letters else ''} ({left.mixed:,} of {left.words:,} words mix scripts, "
        f"{left.unchanged:,} stay as they are)"
    )
    if left.share > largest_share_left:
        other = "" if scheme == "uroman" else "scheme: uroman, which reads any script, or "
        raise InputError(path, problem, remedy=f"set transliteration: {other}a larger largest_share_left")
    print(f"{path}: {problem}")
    if left.marked:
        print(f"{path}: in {left.marked:,} words letters became marks or digits")
