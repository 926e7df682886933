"""Files of named entities as people have them: columns by tabs or blanks, comments, documents, language prefixes.

Read are `token label`, CoNLL-2002's and CoNLL-2003's columns with the label last, and Universal NER's numbered rows,
`number token label …`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from specialize.datasets.corrections import Corrections
from specialize.datasets.entity_labels import plain_label
from specialize.datasets.layout import ONE_LINE_END, require_sentences
from specialize.errors import InputError
from specialize.files import read_text

NUMBERED_TOKEN, NUMBERED_LABEL = 1, 2  # places of columns in rows that begin with the token's number
LABELS_AT_LEAST = 0.5  # share of a column's values that are labels, so that typing errors hide none
# Tokens of a sentence. The longest of Universal NER's Danish has 91; CoNLL-2002's Spanish has one of over 1,200.
LONGEST_SENTENCE = 2000
LONGEST_ALONE = 100  # of a part's only sentence
LONG_SENTENCE = 250  # from here on it is told
PREFIXED_AT_LEAST = 0.5  # share of a part's tokens that have its language prefix
WARNED_PREFIXES = 0.1  # from this share on, prefixes that stay are told
_KEY_AND_VALUE = re.compile(r"# ?[\w.:-]+ = ")
_COMMENT = re.compile(r"#( [^\t]*|\s*)")
_NUMBER = re.compile(r"\d+")
_NO_WORD = re.compile(r"\d+[-.]\d+")  # numbers of multiword tokens, whose words follow, and of empty nodes
_LANGUAGE_PREFIX = re.compile(r"[a-z]{2,12}(-[a-z]{1,12})*:(?=.)")
_DOCUMENT = "-DOCSTART-"


@dataclass(frozen=True)
class Row:
    """A token as it stands in a file, with its label as it is written there."""

    line: int
    token: str
    label: str


def is_entity_label(label: str) -> bool:
    """Whether a value may be a label of named entities, in whatever scheme."""
    return plain_label(label) is not None


def read_rows(path: Path, is_label: Callable[[str], bool] = is_entity_label) -> list[list[Row]]:
    """The sentences of a file of named entities in any layout that is known; what was mended is printed.

    Labels are as they are written, except that they are not empty.

    Args:
        path: the file.
        is_label: whether a value may be a label, which tells a token such as # from a comment.

    Raises:
        InputError: on a line without a token or a label, or with more columns than others; if it is not clear which
            column has the labels; if no blank line parts sentences.
    """
    corrections = Corrections(path)
    lines = list(_lines(read_text(path), corrections))
    sentences = _sentences(path, lines, corrections, is_label)
    require_sentences(path, sentences)
    _require_blank_lines(path, sentences, corrections)
    sentences = _without_language_prefix(sentences, corrections)
    corrections.report()
    return sentences


def _lines(text: str, corrections: Corrections) -> Iterator[tuple[int, str]]:
    """Lines with their numbers, without marks and white space that no editor shows; a document's start is empty."""
    text = text.replace("\r\n", "\n")
    ends = "\n" if "\n" in text else "\r"
    for number, line in enumerate(text.split(ends), start=1):
        if line.startswith("\ufeff"):
            corrections.add(number, "a byte-order mark within the file is left out")
            line = line.lstrip("\ufeff")
        if line.startswith(_DOCUMENT):
            corrections.add(number, f"{_DOCUMENT} is no token: left out, and a sentence ends there")
            line = ""
        yield number, line


def _sentences(
    path: Path, lines: Sequence[tuple[int, str]], corrections: Corrections, is_label: Callable[[str], bool]
) -> list[list[Row]]:
    """Rows between blank lines."""
    written = [line for _, line in lines if line.strip() and not line.startswith("#")]
    tabs = 2 * sum("\t" in line.rstrip() for line in written) > len(written)
    layout = _Layout.of(path, [_columns(line, tabs) for line in written], tabs, corrections, is_label)
    sentences: list[list[Row]] = []
    block: list[Row] = []
    for number, line in [*lines, (len(lines) + 1, "")]:
        if not line.strip():
            sentences += [block] if block else []
            block = []
        elif left_out := layout.left_out(line) or layout.without_token(line):
            corrections.add(number, left_out)
        else:
            block.append(layout.row(path, number, line))
    return sentences


def _columns(line: str, tabs: bool) -> list[str]:
    """The columns of a line, without white space around them; blanks within a token stay where tabs part columns."""
    return [cell.strip(" ") for cell in line.rstrip().split("\t")] if tabs else re.split("[ \t]+", line.strip())


@dataclass(frozen=True)
class _Layout:
    """How many columns a file has, which of them have token and label, and whether tabs part them."""

    columns: int
    token: int
    label: int
    tabs: bool
    is_label: Callable[[str], bool]

    @classmethod
    def of(
        cls,
        path: Path,
        rows: Sequence[list[str]],
        tabs: bool,
        corrections: Corrections,
        is_label: Callable[[str], bool],
    ) -> _Layout:
        """The layout of a file's rows.

        Raises:
            InputError: if several columns could have the labels.
        """
        columns = Counter(map(len, rows)).most_common(1)[0][0] if rows else 2
        if columns <= 2:
            return cls(2, 0, 1, tabs, is_label)
        rows = [row for row in rows if len(row) == columns]
        if sum(bool(_NUMBER.match(row[0])) for row in rows) == len(rows) and rows[0][0].startswith(("0", "1")):
            numbered = "column 2 is taken for the tokens and column 3 for the labels: column 1 numbers the tokens"
            _require_one_label(path, rows)
            corrections.add(1, numbered)
            return cls(columns, NUMBERED_TOKEN, NUMBERED_LABEL, tabs, is_label)
        label = _label_column(path, rows)
        corrections.add(1, f"column 1 of {columns} is taken for the tokens and column {label + 1} for the labels")
        return cls(columns, 0, label, tabs, is_label)

    def left_out(self, line: str) -> str:
        """What a line is that has no token: a comment, rather than a token that begins with #; else nothing."""
        cells = _columns(line, self.tabs)
        numbered = self.token == NUMBERED_TOKEN
        if line.startswith("#"):
            is_row = len(cells) == self.columns and self.is_label(cells[self.label])
            if numbered or _KEY_AND_VALUE.match(line) or (not is_row and self._is_comment(line)):
                return "a comment is left out"
        if numbered and _NO_WORD.fullmatch(cells[0]):
            return "the row of a multiword token or an empty node is left out"
        return ""

    def without_token(self, line: str) -> str:
        """What a line is that begins with white space, such as no-break spaces, and has a label alone; else nothing."""
        label = line.strip()
        if self.columns == 2 and not self.tabs and line[0].isspace() and not re.search(r"\s", label):
            return "a row of white space and a label is left out" if self.is_label(label) else ""
        return ""

    def _is_comment(self, line: str) -> bool:
        return bool(_COMMENT.fullmatch(line)) or (not self.tabs and line.startswith("# "))

    def row(self, path: Path, number: int, line: str) -> Row:
        """The token and the label of a line.

        Raises:
            InputError: if it has none, or other columns than the file.
        """
        cells = _columns(line, self.tabs)
        if len(cells) > self.columns:
            remedy = "part them by tabs, and nothing else" if self.tabs else "part them by tabs if tokens have blanks"
            remedy = ONE_LINE_END if "\r" in line else remedy
            raise InputError(path, f"has {len(cells)} columns, most lines have {self.columns}", number, remedy)
        token, label = ((cells + [""] * self.columns)[place] for place in (self.token, self.label))
        if not token.strip() or not label:
            raise InputError(path, "has no token or no label", number, f"write token, {self.separator}, label")
        return Row(number, token, label)

    @property
    def separator(self) -> str:
        """What parts the columns, in words."""
        return "tab" if self.tabs else "blank"


def _require_one_label(path: Path, rows: Sequence[list[str]]) -> None:
    """Refuse numbered rows with labels of nested entities in a further column, as GermEval's have.

    Universal NER's fourth column, of labels and remarks such as `B-LOC#O`, is none.
    """
    for column in range(NUMBERED_LABEL + 1, len(rows[0])):
        found = Counter(None if "#" in row[column] else plain_label(row[column]) for row in rows)
        if found[None] <= (1 - LABELS_AT_LEAST) * len(rows) and set(found) - {"O", None}:
            raise InputError(
                path,
                f"columns {NUMBERED_LABEL + 1} and {column + 1} both have labels",
                1,
                "nested entities are not learned: leave one of them, as token, tab, label",
            )


def _label_column(path: Path, rows: Sequence[list[str]]) -> int:
    """The column of the labels: the only one that holds any, or CoNLL-2003's last one, after that of the chunks."""
    last = len(rows[0]) - 1
    labels = {column: Counter(plain_label(row[column]) for row in rows) for column in range(1, last + 1)}
    having = [column for column, found in labels.items() if found[None] <= (1 - LABELS_AT_LEAST) * len(rows)]
    if having == [2, 3] and last == 3:
        return last
    having = [column for column in having if set(labels[column]) != {"O"}]
    if len(having) > 1:
        names = " and ".join(str(column + 1) for column in having)
        raise InputError(path, f"columns {names} both have labels", 1, "leave one of them: token, tab, label")
    return having[0] if having else last


def _require_blank_lines(path: Path, sentences: Sequence[Sequence[Row]], corrections: Corrections) -> None:
    """Refuse what can be no sentence, since no blank line ends it, and tell of what may be none."""
    alone = len(sentences) == 1
    for rows in sentences:
        remedy = "put a blank line after each sentence"
        if len(rows) > (LONGEST_ALONE if alone else LONGEST_SENTENCE):
            raise InputError(path, f"starts a sentence of {len(rows):,} tokens", rows[0].line, remedy)
        if alone or len(rows) > LONG_SENTENCE:
            only = "the only sentence" if alone else f"a sentence of more than {LONG_SENTENCE} tokens"
            corrections.add(rows[0].line, f"starts {only}; if it is several, {remedy}")


def _without_language_prefix(sentences: list[list[Row]], corrections: Corrections) -> list[list[Row]]:
    """Tokens without WikiAnn's `xx:`, if most have the same one; a token that is nothing else keeps it."""
    found = Counter(match[0] for rows in sentences for row in rows if (match := _LANGUAGE_PREFIX.match(row.token)))
    tokens = sum(map(len, sentences))
    first = sentences[0][0].line
    if not found:
        return sentences
    prefix, most = found.most_common(1)[0]
    if most <= PREFIXED_AT_LEAST * tokens:
        if found.total() >= WARNED_PREFIXES * tokens:
            corrections.add(
                first,
                f"{found.total():,} of {tokens:,} tokens begin as {prefix!r} does and stay as they are; "
                "if that is no part of the words, take it off",
            )
        return sentences
    corrections.add(
        first,
        f"{prefix!r} is taken off the {most:,} tokens of {tokens:,} that begin with it: WikiAnn's mark of the language",
    )
    return [[Row(row.line, _bare(row.token, prefix), row.label) for row in rows] for rows in sentences]


def _bare(token: str, prefix: str) -> str:
    bare = token.removeprefix(prefix)
    return bare if bare.strip() else token
