"""Treebanks in CoNLL-U: reading them with every check that later stages rely on, and writing them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from specialize.datasets.layout import ONE_LINE_END, blocks, require_sentences
from specialize.datasets.trees import NO_HEAD, check_tree
from specialize.errors import InputError
from specialize.files import atomic_text, read_text
from specialize.unicode import ZERO_WIDTH_SPACE, without_invisible

COLUMNS = 10
FORM, UPOS, XPOS, HEAD, DEPREL, DEPS = 1, 3, 4, 6, 7, 8  # places of columns in a row
LABELS = {UPOS: "UPOS", XPOS: "XPOS", HEAD: "HEAD", DEPREL: "DEPREL"}  # what is learned and scored
# Control characters but the tab, and the two separators that other readers take for the end of a line.
UNPRINTABLE = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
# A row, or a comment of CoNLL-U, in what should be one comment: some lines end in a carriage return alone.
SWALLOWED = re.compile("\r(# ?[a-z_]+ = |[^\r\t]+(\t[^\r\t]*){9})")
JOINED = re.compile("(?<=[\n\r])\ufeff+")  # byte-order marks where two files were joined
COLUMNS_REMEDY = (
    "write each of them after a single tab, with _ for what is not there; docs/tutorial.md says how for tokens and tags"
)
SHOWN = 40  # characters of a bad value in a message

# How much is asked of the heads: nothing; trees of one root or several, as a parser may predict; trees of one root.
Heads = Literal["any", "forests", "trees"]


@dataclass(frozen=True)
class Word:
    """A syntactic word; multiword-token rows and empty nodes are not words (fact 7).

    Attributes:
        form, upos, xpos, deprel: the columns of CoNLL-U.
        head: number of the head word, 0 for the root, `NO_HEAD` where none is annotated.
        row: index of its line in `Sentence.lines`.
    """

    form: str
    upos: str
    xpos: str
    head: int
    deprel: str
    row: int


@dataclass(frozen=True)
class Sentence:
    """A sentence of a treebank: its words, and all of its lines, comments first.

    Attributes:
        words: its words.
        lines: comments, then rows.
        line: where it begins in the file that it was read from.
    """

    words: tuple[Word, ...]
    lines: tuple[str, ...]
    line: int = field(default=1, compare=False)

    def surface(self) -> str:
        """Its text without any white space, multiword tokens in their written form."""
        return re.sub(r"\s", "", "".join(self.tokens()))

    def tokens(self) -> list[str]:
        """Its tokens, multiword tokens in their written form."""
        parts, covered = [], 0
        for line in self.lines:
            columns = line.split("\t")
            first, dash, last = columns[0].partition("-")
            if dash and first.isdigit():
                parts.append(columns[FORM])
                covered = int(last)
            elif first.isdigit() and int(first) > covered:
                parts.append(columns[FORM])
        return parts

    def relabeled(self, replaced: Mapping[int, Sequence[str]]) -> Sentence:
        """A copy with other values in some columns.

        Args:
            replaced: for each column, by its place in a row, the value for every word.
        """
        lines, words = list(self.lines), []
        for word, *values in zip(self.words, *replaced.values(), strict=True):
            columns = lines[word.row].split("\t")
            for column, value in zip(replaced, values, strict=True):
                columns[column] = value
            lines[word.row] = "\t".join(columns)
            words.append(_word(columns, word.row))
        return Sentence(tuple(words), tuple(lines), self.line)


def read_treebank(path: Path, heads: Heads = "any", mended: Counter[str] | None = None) -> list[Sentence]:
    """Read a CoNLL-U file so that all later stages, other readers and scorers can use it.

    What no stage needs is mended: comments among the words go before them; a control character, or a character that
    others take for the end of a line, becomes a space in comments and columns other than form and labels; labels and
    heads lose the white space around them and invisible marks.

    Args:
        path: the file.
        heads: what is asked of them: `any`, `forests` or `trees`.
        mended: counts what was mended, in words, if it is given.

    Raises:
        InputError: with the line of the first thing that is wrong; also if there is no sentence.
    """
    sentences = parse_treebank(path, read_text(path), heads, mended)
    require_sentences(path, sentences)
    return sentences


def parse_treebank(path: Path, text: str, heads: Heads = "any", mended: Counter[str] | None = None) -> list[Sentence]:
    """The same of a text that is no file, or of one without sentences.

    Args:
        path: names the text in errors.
        text: what a file would hold.
        heads, mended: see `read_treebank`.

    Raises:
        InputError: with the line of the first thing that is wrong.
    """
    counts: Counter[str] = Counter() if mended is None else mended
    text = JOINED.sub("", text.lstrip("\ufeff"))
    return [parse_sentence(path, number, lines, heads, counts) for number, lines in blocks(text)]


def write_treebank(path: Path, sentences: Iterable[Sentence]) -> None:
    """Write sentences as CoNLL-U, atomically."""
    with atomic_text(path) as stream:
        for sentence in sentences:
            stream.write("\n".join(sentence.lines) + "\n\n")


def parse_sentence(path: Path, first_line: int, block: list[str], heads: Heads, mended: Counter[str]) -> Sentence:
    """Read one sentence's lines, as `read_treebank` reads all of a file's.

    Args:
        path: the file, for messages.
        first_line: the number of the first of the lines in it.
        block: its lines.
        heads: what is asked of them.
        mended: counts what was mended, in words.

    Raises:
        InputError: with the line of the first thing that is wrong.
    """
    for number, line in enumerate(block, start=first_line):
        if line.startswith("#") and SWALLOWED.search(line):
            raise InputError(path, "a comment has a carriage return and another line after it", number, ONE_LINE_END)
    comments = [_printable(line, mended) for line in block if line.startswith("#")]
    rows = _CheckedRows(path, first_line, len(comments), mended)
    for number, line in enumerate(block, start=first_line):
        if not line.startswith("#"):
            rows.add(line, number)
        elif rows.lines:
            mended["comments among the words of a sentence, now before them"] += 1
    rows.check_end()
    if heads != "any":
        check_tree(path, [word.head for word in rows.words], rows.numbers, single_root=heads == "trees")
    return Sentence(tuple(rows.words), (*comments, *rows.lines), first_line)


class _CheckedRows:
    """The rows of a sentence, while they are read in order and checked to be numbered as CoNLL-U asks.

    Attributes:
        lines: the rows, mended.
        words: those that are words.
        numbers: the line of each word in the file.
    """

    def __init__(self, path: Path, first_line: int, comments: int, mended: Counter[str]) -> None:
        self.lines: list[str] = []
        self.words: list[Word] = []
        self.numbers: list[int] = []
        self._path, self._first_line, self._comments, self._mended = path, first_line, comments, mended
        # The last word that a multiword token covers so far, and the line of that token.
        self._covered, self._covered_line = 0, first_line
        self._empty_nodes = 0  # since the last word

    def add(self, line: str, number: int) -> None:
        """Check a row and keep it."""
        columns = line.split("\t")
        if len(columns) != COLUMNS:
            problem = f"has {len(columns)} columns, CoNLL-U has {COLUMNS}"
            raise InputError(self._path, problem, number, ONE_LINE_END if "\r" in line else COLUMNS_REMEDY)
        if not columns[FORM].strip() or UNPRINTABLE.search(columns[FORM]):
            raise InputError(self._path, f"form {_shown(columns[FORM])} is empty or has a control character", number)
        if multiword := re.fullmatch(r"([0-9]{1,6})-([0-9]{1,6})", columns[0]):
            self._add_multiword_token(int(multiword[1]), int(multiword[2]), columns[0], number)
        elif re.fullmatch(r"[0-9]{1,6}[.][0-9]{1,6}", columns[0]):
            self._add_empty_node(columns[0], number)
        else:
            self._add_word(columns, number)
        self.lines.append(_printable("\t".join(columns), self._mended))

    def _add_multiword_token(self, first: int, last: int, identifier: str, number: int) -> None:
        if first != len(self.words) + 1 or last <= first or first <= self._covered:
            problem = f"multiword token {identifier} does not stand right before its first word of two or more"
            raise InputError(self._path, problem, number)
        self._covered, self._covered_line = last, number

    def _add_empty_node(self, identifier: str, number: int) -> None:
        self._empty_nodes += 1
        due = f"{len(self.words)}.{self._empty_nodes}"
        if identifier != due:
            raise InputError(self._path, f"empty node {identifier} where {due} is due", number)

    def _add_word(self, columns: list[str], number: int) -> None:
        due = len(self.words) + 1
        if columns[0] != str(due):
            remedy = "number the words of each sentence from 1, and part sentences by a blank line"
            raise InputError(self._path, f"word number {_shown(columns[0])} where {due} is due", number, remedy)
        for column, name in LABELS.items():
            label = _plain(columns[column])
            if UNPRINTABLE.search(label):
                raise InputError(self._path, f"{name} {_shown(label)} has a control character", number)
            if label != columns[column]:
                self._mended["labels and heads with white space around them or invisible marks, now without"] += 1
                columns[column] = label
        self.words.append(_word(columns, self._comments + len(self.lines)))
        self.numbers.append(number)
        self._empty_nodes = 0

    def check_end(self) -> None:
        """Check that there are words, and all of those that a multiword token promised."""
        if not self.words:
            remedy = "leave out the blank line after its comments"
            raise InputError(self._path, "starts a sentence without words", self._first_line, remedy)
        if self._covered > len(self.words):
            problem = f"multiword token up to {self._covered} in a sentence of {len(self.words)} words"
            raise InputError(self._path, problem, self._covered_line)


def _word(columns: list[str], row: int) -> Word:
    head = int(columns[HEAD]) if re.fullmatch(r"[0-9]{1,6}", columns[HEAD]) else NO_HEAD
    return Word(columns[FORM], columns[UPOS], columns[XPOS], head, columns[DEPREL], row)


def _plain(label: str) -> str:
    """A label without white space around it and invisible marks, with which it would be another one."""
    return (label if label.isascii() else without_invisible(label.replace(ZERO_WIDTH_SPACE, ""))).strip()


def _printable(line: str, mended: Counter[str]) -> str:
    """The line without what other readers take for its end, or stumble over."""
    if not UNPRINTABLE.search(line):
        return line
    clean, number = UNPRINTABLE.subn(" ", line)
    mended["control characters outside forms and labels, now spaces"] += number
    return clean


def _shown(value: str) -> str:
    return repr(value if len(value) <= SHOWN else value[:SHOWN] + "…")
