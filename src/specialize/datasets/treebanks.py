"""Treebanks in CoNLL-U: reading them with every check that later stages rely on, and writing them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from specialize.datasets.layout import blocks, require_sentences
from specialize.errors import InputError
from specialize.files import atomic_text, read_text

COLUMNS = 10
FORM, UPOS, XPOS, HEAD, DEPREL, DEPS = 1, 3, 4, 6, 7, 8  # places of columns in a row
# Control characters, and the two separators that scorers take for the end of a line.
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True)
class Word:
    """A syntactic word; multiword-token rows and empty nodes are not words (fact 7).

    Attributes:
        form, upos, xpos, deprel: the columns of CoNLL-U.
        head: number of the head word, 0 for the root.
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
    """A sentence of a treebank: its words, and all of its lines as they were read."""

    words: tuple[Word, ...]
    lines: tuple[str, ...]

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
        return Sentence(tuple(words), tuple(lines))


def read_treebank(path: Path) -> list[Sentence]:
    """Read a CoNLL-U file whose every sentence is a tree with one root.

    Raises:
        InputError: with the line of the first thing that is wrong; also if there is no sentence.
    """
    sentences = [_parse_sentence(path, number, lines) for number, lines in blocks(read_text(path))]
    require_sentences(path, sentences)
    return sentences


def write_treebank(path: Path, sentences: Iterable[Sentence]) -> None:
    """Write sentences as CoNLL-U, atomically."""
    with atomic_text(path) as stream:
        for sentence in sentences:
            stream.write("\n".join(sentence.lines) + "\n\n")


def _parse_sentence(path: Path, first_line: int, lines: list[str]) -> Sentence:
    rows = _CheckedRows(path, first_line)
    for row, line in enumerate(lines):
        if not line.startswith("#"):
            rows.add(line, row)
    rows.check_end()
    _check_tree(path, first_line, rows.words)
    return Sentence(tuple(rows.words), tuple(lines))


class _CheckedRows:
    """The words of a sentence, while its rows are read in order and checked to be numbered as CoNLL-U asks."""

    def __init__(self, path: Path, first_line: int) -> None:
        self.words: list[Word] = []
        self._path = path
        self._first_line = first_line
        # The last word that a multiword token covers so far, and the line of that token.
        self._covered, self._covered_line = 0, first_line
        self._empty_nodes = 0  # since the last word

    def add(self, line: str, row: int) -> None:
        """Check a row and keep it if it is a word."""
        number = self._first_line + row
        columns = line.split("\t")
        if len(columns) != COLUMNS:
            problem = f"has {len(columns)} columns, CoNLL-U has {COLUMNS}"
            raise InputError(self._path, problem, number, "part them by tabs")
        if not columns[FORM].strip() or UNPRINTABLE.search(columns[FORM]):
            raise InputError(self._path, f"form {columns[FORM]!r} is empty or has a control character", number)
        if multiword := re.fullmatch(r"([0-9]{1,6})-([0-9]{1,6})", columns[0]):
            self._add_multiword_token(int(multiword[1]), int(multiword[2]), columns[0], number)
        elif re.fullmatch(r"[0-9]{1,6}[.][0-9]{1,6}", columns[0]):
            self._add_empty_node(columns[0], number)
        else:
            self._add_word(columns, row, number)

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

    def _add_word(self, columns: list[str], row: int, number: int) -> None:
        due = len(self.words) + 1
        if columns[0] != str(due):
            raise InputError(self._path, f"word number {columns[0]!r} where {due} is due", number)
        if not re.fullmatch(r"[0-9]{1,6}", columns[HEAD]):
            problem = f"head {columns[HEAD]!r} is not a word number"
            raise InputError(self._path, problem, number, "annotate the head")
        self.words.append(_word(columns, row))
        self._empty_nodes = 0

    def check_end(self) -> None:
        """Check that there are words, and all of those that a multiword token promised."""
        if not self.words:
            raise InputError(self._path, "starts a sentence without words", self._first_line)
        if self._covered > len(self.words):
            problem = f"multiword token up to {self._covered} in a sentence of {len(self.words)} words"
            raise InputError(self._path, problem, self._covered_line)


def _word(columns: list[str], row: int) -> Word:
    head = int(columns[HEAD]) if columns[HEAD].isdigit() else 0
    return Word(columns[FORM], columns[UPOS], columns[XPOS], head, columns[DEPREL], row)


def _check_tree(path: Path, first_line: int, words: list[Word]) -> None:
    for word in words:
        if word.head > len(words):
            raise InputError(path, f"head {word.head} is not in the sentence", first_line + word.row)
    _check_root(path, first_line, words)
    _check_no_cycle(path, first_line, words)


def _check_root(path: Path, first_line: int, words: list[Word]) -> None:
    roots = [word for word in words if word.head == 0]
    if len(roots) != 1:
        line = first_line + (roots[1].row if roots else words[0].row)
        raise InputError(path, f"the sentence has {len(roots)} roots, a tree has one", line, "give one word head 0")


def _check_no_cycle(path: Path, first_line: int, words: list[Word]) -> None:
    safe = {0}  # known to lead to the root
    for start in range(1, len(words) + 1):
        trail, node = [], start
        while node not in safe:
            if node in trail:
                line = first_line + words[node - 1].row
                raise InputError(path, f"the heads run in a cycle through word {node}", line)
            trail.append(node)
            node = words[node - 1].head
        safe.update(trail)
