"""Where known sentences occur in an article: in its running letters and digits, whatever stands between them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from specialize.corpora.articles import Found
from specialize.unicode import CHARACTERS, SPACELESS_LETTER, comparable, numbers_of, squeeze, table_of

# Letters by their category, but punctuation by their use: one writes ' in their place, or nothing.
APOSTROPHES = r"[\u02b9-\u02bf\u02c8\ua78b\ua78c]"
WITH_SPACES = rf"[[\p{{L}}\p{{M}}\p{{N}}]--{SPACELESS_LETTER}--{APOSTROPHES}]"
SPACED, UNSPACED, MARK = 1, 2, 3  # kinds of characters, beside 0; a digit counts as spaced
HASHES = 1 << 20
TWO_DIGITS = re.compile(r"\d\d")
OPENING = 8  # letters by which a sentence is looked up first
LONG_OPENING = 24  # and by which a longer one is looked up then: many begin with the same two words
WHOLE_OPENING = 4  # characters by which a whole line is looked up first
WHOLE_LINES = 3  # that a sentence which is found as whole lines only may be split into


@cache
def _kinds() -> NDArray[np.uint8]:
    """For each character of Unicode what it is: see the constants. Looked up so, a text takes a few steps in all."""
    kinds = np.zeros(CHARACTERS, dtype=np.uint8)
    for kind, among in ((SPACED, WITH_SPACES), (UNSPACED, SPACELESS_LETTER), (MARK, r"\p{M}")):
        kinds[table_of(among)] = kind
    return kinds


@dataclass(frozen=True)
class _Letters:
    """Running letters, marks and digits, by their numbers; where in them a word may begin, the end included; where in
    them each line ends.

    A word is a run of them, or one letter of a script without spaces with its marks.
    """

    numbers: NDArray[np.uint32]
    starts: NDArray[np.intp]
    line_ends: NDArray[np.intp]

    @classmethod
    def of(cls, text: str) -> _Letters:
        """The letters of a text that is `comparable`."""
        numbers = numbers_of(text)
        kinds = _kinds()[numbers]
        words = np.minimum(kinds, UNSPACED)
        marks = kinds == MARK
        words[marks] = SPACED
        if (unspaced := words == UNSPACED).any():  # there a mark is of the letter before it
            letter_before = np.maximum.accumulate(np.where(marks, 0, np.arange(len(kinds))))
            words[marks & unspaced[letter_before]] = UNSPACED
        begins = words == SPACED
        begins[1:] &= words[:-1] != SPACED
        begins |= kinds == UNSPACED
        inside = words != 0
        letters = numbers[inside]
        starts = np.flatnonzero(begins[inside])
        line_ends = np.cumsum(inside)[numbers == ord("\n")]
        return cls(letters, np.concatenate((starts, [len(letters)])), np.concatenate((line_ends, [len(letters)])))

    @cached_property
    def text(self) -> str:
        """They themselves."""
        return self.numbers.tobytes().decode("utf-32-le", "surrogatepass")

    def gaps(self, begin: int, end: int) -> tuple[int, ...]:
        """Where something stands between two digits, counted from the beginning: 1 2 is not 12."""
        if not TWO_DIGITS.search(self.text, begin, end):
            return ()
        first, last = np.searchsorted(self.starts, (begin + 1, end))
        inner = map(int, self.starts[first:last])
        return tuple(place - begin for place in inner if self.text[place - 1 : place + 1].isdigit())


class RunningText:
    """Finds sentences wherever they stand in an article: across its lines, from the start of a word to the end of one.

    White space, punctuation, invisible marks and the normal form make no difference, upper and lower case do. Time is
    linear in the text, however many sentences there are and however alike they begin.

    Args:
        sentences: each with the name of its file, and whether it is looked for anywhere, or only where it is a whole
            line or several, with its punctuation.
    """

    def __init__(self, sentences: Iterable[tuple[str, str, bool]]) -> None:
        self._anywhere: dict[str, dict[tuple[int, ...], set[str]]] = {}  # files by letters and the gaps between digits
        self._whole: dict[str, set[str]] = {}
        self._whole_openings: set[str] = set()
        self._longest_whole = 0
        self._longest_split = 0  # of those that may be found as several whole lines
        known = list(sentences)
        lines = comparable("\n".join(" ".join(sentence.split()) for sentence, _, _ in known))
        letters = _Letters.of(lines)
        begin = 0
        for (_, file, anywhere), line, end in zip(known, lines.split("\n"), letters.line_ends.tolist(), strict=False):
            self._add(line, letters.text[begin:end], letters.gaps(begin, end), file, anywhere)
            begin = end
        self._index = _Index(self._anywhere)

    def _add(self, sentence: str, letters: str, gaps: tuple[int, ...], file: str, anywhere: bool) -> None:
        if anywhere and letters:
            self._anywhere.setdefault(letters, {}).setdefault(gaps, set()).add(file)
        # With gaps between digits the whole line may be written without them.
        if (gaps or not anywhere or not letters) and (whole := squeeze(sentence)):
            self._whole.setdefault(whole, set()).add(file)
            self._whole_openings.add(whole[:WHOLE_OPENING])
            self._longest_whole = max(self._longest_whole, len(whole))
            if not anywhere:
                self._longest_split = max(self._longest_split, len(whole))

    def find(self, articles: Sequence[Sequence[str]]) -> list[Found]:
        """The lines of each article that have a part of a sentence; what is left of it has none.

        Many articles at once take less time than one by one, since arrays cost much each and little a letter.
        """
        compared = comparable("\n".join(line for lines in articles for line in lines)).split("\n")
        ends = accumulate(map(len, articles))
        of_articles = [compared[end - len(lines) : end] for lines, end in zip(articles, ends, strict=True)]
        everywhere = self._find(of_articles)
        for lines, found in zip(of_articles, everywhere, strict=True):
            if found.lines:
                self._find_where_lines_went(lines, found)
        return everywhere

    def _find_where_lines_went(self, lines: list[str], found: Found) -> None:
        """Look again where two lines have become neighbours, until none of those that stay makes up a sentence."""
        sizes = list(map(int, np.diff(_Letters.of("\n".join(lines)).line_ends, prepend=0)))
        kept: list[int] = []
        rest = [number for number in reversed(range(len(lines))) if sizes[number] and number not in found.lines]
        while rest:
            if kept and rest[-1] != kept[-1] + 1:
                before, after = self._near(sizes, reversed(kept)), self._near(sizes, reversed(rest))
                together = [*reversed(before), *after]
                [again] = self._find([[lines[number] for number in together]])
                if again.lines:
                    found.lines.update(together[place] for place in again.lines)
                    found.files += again.files
                    del kept[-len(before) :], rest[-len(after) :]
                    rest += [number for number in reversed(together) if number not in found.lines]
                    continue
            kept.append(rest.pop())

    def _near(self, sizes: list[int], numbers: Iterator[int]) -> list[int]:
        """The first of these lines, as many as a sentence may reach into."""
        near: list[int] = []
        letters = 0
        while (letters < self._index.longest or len(near) < WHOLE_LINES) and (
            number := next(numbers, None)
        ) is not None:
            near.append(number)
            letters += sizes[number]
        return near

    def _find(self, articles: Sequence[list[str]]) -> list[Found]:
        """The same, but what is left may have a sentence where lines went."""
        everywhere = [Found() for _ in articles]
        letters = _Letters.of("\n".join(line for lines in articles for line in lines))
        ends = list(accumulate(map(len, articles)))  # counted in lines
        for begin, end, files in self._spans(letters, ends):
            first = int(np.searchsorted(letters.line_ends, begin, "right"))
            last = int(np.searchsorted(letters.line_ends, end))
            article = bisect_right(ends, first)
            start = ends[article] - len(articles[article])
            everywhere[article].lines.update(range(first - start, last + 1 - start))
            everywhere[article].files.update(files)
        for lines, found in zip(articles, everywhere, strict=True):
            self._find_whole(lines, found)
        return everywhere

    def _spans(self, letters: _Letters, lines: list[int]) -> Iterator[tuple[int, int, set[str]]]:
        """Where sentences stand: for each beginning the end of the longest, and the files that have one there.

        Args:
            letters: of several articles.
            lines: the number of lines up to the end of each article, which no sentence goes over.
        """
        article_ends = letters.line_ends[[number - 1 for number in lines if number]]
        for begin in self._index.candidates(letters):
            article_end = article_ends[np.searchsorted(article_ends, begin, "right")]
            ends: list[int] = []
            files: set[str] = set()
            for sentence in self._index.opening(letters.text, begin):
                end = begin + len(sentence)
                if end > article_end:
                    continue
                ends_word = letters.starts[np.searchsorted(letters.starts, end)] == end
                named = self._anywhere[sentence].get(letters.gaps(begin, end)) if ends_word else None
                if named:
                    ends.append(end)
                    files |= named
            if ends:
                yield begin, max(ends), files

    def _find_whole(self, lines: list[str], found: Found) -> None:
        """Add the lines that are a sentence, alone or with the next ones."""
        for first, line in enumerate(lines):
            opening = squeeze(line[: 2 * WHOLE_OPENING])[:WHOLE_OPENING]
            if len(opening) == WHOLE_OPENING and opening not in self._whole_openings:
                continue
            text = squeeze(line) if len(line) - line.count(" ") <= self._longest_whole else ""
            last = first
            while text:
                files = self._whole.get(text)
                if files and found.lines.isdisjoint(range(first, last + 1)):
                    found.lines.update(range(first, last + 1))
                    found.files.update(files)
                last += 1
                if len(text) >= self._longest_split or last in (first + WHOLE_LINES, len(lines)):
                    break
                following = squeeze(lines[last])
                text = text + following if following else ""


class _Index:
    """Keys in order, so that those which begin a text are found by one search among them."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._keys = sorted(keys)
        self.longest = max(map(len, self._keys), default=0)
        long = [key for key in self._keys if len(key) >= LONG_OPENING]
        short: dict[int, list[str]] = {}
        for key in self._keys:
            if len(key) < LONG_OPENING:
                short.setdefault(min(len(key), OPENING), []).append(key)
        # By what a place is looked up, one after the other.
        self._openings = [[_Openings(keys, length)] for length, keys in short.items()]
        self._openings.append([_Openings(long, length) for length in (OPENING, LONG_OPENING)])
        self._shorter = self._longest_openings()

    def _longest_openings(self) -> list[int]:
        """For each key the place of the longest other one that it begins with, or -1."""
        shorter: list[int] = []
        open_keys: list[int] = []
        for place, key in enumerate(self._keys):
            while open_keys and not key.startswith(self._keys[open_keys[-1]]):
                open_keys.pop()
            shorter.append(open_keys[-1] if open_keys else -1)
            open_keys.append(place)
        return shorter

    def candidates(self, letters: _Letters) -> list[int]:
        """Beginnings of words, in order, where a key may begin."""
        places: set[int] = set()
        for steps in self._openings:
            starts = letters.starts
            for openings in steps:
                starts = openings.among(letters.numbers, starts)
            places.update(starts.tolist())
        return sorted(places)

    def opening(self, text: str, begin: int) -> Iterator[str]:
        """Keys that the text has at this place, the longest first."""
        place = bisect_right(self._keys, text[begin : begin + self.longest]) - 1
        while place >= 0:
            if text.startswith(self._keys[place], begin):
                yield self._keys[place]
            place = self._shorter[place]


class _Openings:
    """The first letters of keys, so many of each: tells by a hash of a text's letters where one may be."""

    def __init__(self, keys: Iterable[str], length: int) -> None:
        self._length = length
        self._known = np.zeros(HASHES, dtype=bool)
        numbers = numbers_of("".join(sorted({key[:length] for key in keys})))
        self._known[self._hashes(numbers, np.arange(0, len(numbers), length))] = True

    def among(self, numbers: NDArray[np.uint32], starts: NDArray[np.intp]) -> NDArray[np.intp]:
        """Those of these places, which are in order, where one may begin."""
        starts = starts[: np.searchsorted(starts, len(numbers) - self._length, "right")]
        return starts[self._known[self._hashes(numbers, starts)]]

    def _hashes(self, numbers: NDArray[np.uint32], starts: NDArray[np.intp]) -> NDArray[np.uint32]:
        """A hash, below `HASHES`, of the letters from each of these places on."""
        hashes = np.zeros(len(starts), dtype=np.uint32)
        for step in range(self._length):
            hashes = hashes * np.uint32(1_000_003) + numbers[starts + step]
        return hashes % np.uint32(HASHES)
