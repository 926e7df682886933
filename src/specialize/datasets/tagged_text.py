"""Words and tags without trees, a token and its tag a line, as MasakhaPOS has them, made a treebank."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from specialize.datasets.corrections import Corrections
from specialize.datasets.entity_layouts import Row, read_rows
from specialize.datasets.treebanks import COLUMNS, FORM, UPOS, Sentence, parse_sentence

# https://universaldependencies.org/u/pos/
UPOS_TAGS = frozenset("ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X".split())


def read_tagged_text(path: Path, mended: Counter[str]) -> list[Sentence]:
    """Read a file of `token tag` lines as sentences of CoNLL-U, with `sent_id` and `text`, and `_` for heads.

    Args:
        path: the file, a blank line after each sentence.
        mended: counts what was mended, in words.

    Raises:
        InputError: as for named entities, whose layouts it shares, and as for a treebank's forms and tags.
    """
    blocks = read_rows(path, is_label=lambda tag: tag.upper() in UPOS_TAGS)
    _tell_other_tags(path, blocks)
    name = f"{path.parent.name}-{path.stem}"
    return [_sentence(path, f"{name}-{number}", rows, mended) for number, rows in enumerate(blocks, start=1)]


def _tell_other_tags(path: Path, blocks: list[list[Row]]) -> None:
    """Print the tags that are not of UPOS, which stay, as they do in CoNLL-U."""
    other = Corrections(path)
    for row in (row for rows in blocks for row in rows if row.label.upper() not in UPOS_TAGS):
        other.add(row.line, f"the tag {row.label!r} is not of UPOS; it stays, as a tag of its own")
    other.report()


def _sentence(path: Path, identifier: str, rows: list[Row], mended: Counter[str]) -> Sentence:
    comments = [f"# sent_id = {identifier}", f"# text = {' '.join(row.token for row in rows)}"]
    block = [*comments, *(_row(number, row, mended) for number, row in enumerate(rows, start=1))]
    first = rows[0].line
    # Its comments are not in the file: errors shall name the lines of its words.
    sentence = parse_sentence(path, first - len(comments), block, "any", mended)
    return replace(sentence, line=first)


def _row(number: int, row: Row, mended: Counter[str]) -> str:
    tag = row.label
    if tag not in UPOS_TAGS and tag.upper() in UPOS_TAGS:
        mended["tags in small letters, now in capitals"] += 1
        tag = tag.upper()
    columns = [str(number), *["_"] * (COLUMNS - 1)]
    columns[FORM], columns[UPOS] = row.token, tag
    return "\t".join(columns)
