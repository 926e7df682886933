"""What a published file of labeled data holds: its sentences, its words, and which columns are filled."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from specialize.datasets import COLUMNS, FORM, HEAD, UPOS, XPOS, EntitySentence
from specialize.datasets.layout import blocks

FILLED = 0.9  # of a part's words, above which a column can be learned


@dataclass
class Part:
    """Counts of one part.

    Attributes:
        sentences, words: how many.
        documents: as comments name them; 0 where none does.
        filled: words that have something in a column, by the column's place.
        letters: of the words.
        sha256: of the file; empty if it is one of an archive's.
    """

    sentences: int = 0
    words: int = 0
    documents: int = 0
    filled: Counter[int] = field(default_factory=Counter)
    letters: Counter[str] = field(default_factory=Counter)
    sha256: str = ""

    def has(self, column: int) -> bool:
        """Whether a column can be learned."""
        return self.words > 0 and self.filled[column] >= FILLED * self.words


def count_treebank(content: bytes) -> Part:
    """Counts of a file in CoNLL-U."""
    part = Part(sha256=hashlib.sha256(content).hexdigest())
    for block in _blocks(content):
        part.documents += sum(line.startswith("# newdoc") for line in block)
        rows = [row for row in (line.split("\t") for line in block) if len(row) == COLUMNS and row[0].isdigit()]
        part.sentences += bool(rows)
        part.words += len(rows)
        for row in rows:
            part.filled.update(column for column in (FORM, UPOS, XPOS, HEAD) if row[column].strip() not in ("_", ""))
            part.letters.update(filter(str.isalpha, row[FORM]))
    return part


def count_tokens(content: bytes) -> Part:
    """Counts of a file that has a token and its label a line, after its number or not."""
    part = Part(sha256=hashlib.sha256(content).hexdigest())
    for block in _blocks(content):
        rows = [re.split("[ \t]+", line.strip()) for line in block if not line.startswith(("# ", "-DOCSTART-"))]
        tokens = [row[1] if len(row) > 2 and row[0].isdigit() else row[0] for row in rows]
        part.sentences += bool(tokens)
        part.words += len(tokens)
        part.filled.update({FORM: len(tokens), UPOS: len(tokens)})
        part.letters.update(letter for token in tokens for letter in token if letter.isalpha())
    return part


def count_entities(sentences: Sequence[EntitySentence]) -> Part:
    """Counts of sentences that have been read."""
    tokens = [token for sentence in sentences for token in sentence.tokens]
    return Part(len(sentences), len(tokens), letters=Counter(filter(str.isalpha, "".join(tokens))))


def _blocks(content: bytes) -> Iterator[list[str]]:
    """The lines between blank lines."""
    return (block for _, block in blocks(content.decode("utf-8-sig", errors="replace")))
