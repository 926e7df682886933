"""Named entities in IOB2: reading, writing, repairing labels, and unpacking WikiAnn."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from specialize.datasets.layout import PARTS, blocks, require_sentences
from specialize.errors import InputError
from specialize.files import atomic_text, read_archive_members, read_text

SHOWN_REPAIRS = 20  # for each file; the rest is only counted


@dataclass(frozen=True)
class EntitySentence:
    """Tokens and their IOB2 labels, and the line that the first of them stands in."""

    tokens: tuple[str, ...]
    labels: tuple[str, ...]
    line: int = field(default=1, compare=False)


def read_entities(path: Path) -> list[EntitySentence]:
    """Read `token<TAB>label` lines in IOB2, a blank line between sentences.

    Raises:
        InputError: on a line without a token or without a label of the form O, B-TYPE, I-TYPE.
    """
    return parse_entities(path, read_text(path))


def parse_entities(path: Path, text: str) -> list[EntitySentence]:
    """The same for text that was read from ``path`` already; WikiAnn's `xx:` prefixes stay with the tokens.

    Raises:
        InputError: as `read_entities` does.
    """
    sentences = [_parse_sentence(path, first_line, lines) for first_line, lines in blocks(text)]
    require_sentences(path, sentences)
    return sentences


def _parse_sentence(path: Path, first_line: int, lines: list[str]) -> EntitySentence:
    tokens, labels = [], []
    for number, line in enumerate(lines, start=first_line):
        token, tab, label = line.partition("\t")
        if not tab or not token.strip():
            raise InputError(path, "has no token or no label", number, "write token, tab, label")
        if not re.fullmatch(r"O|[BI]-\S+", label):
            remedy = "write token, tab and one of O, B-TYPE, I-TYPE, and nothing else"
            raise InputError(path, f"label {label!r} is not IOB2", number, remedy)
        tokens.append(token)
        labels.append(label)
    return EntitySentence(tuple(tokens), tuple(labels), first_line)


def write_entities(path: Path, sentences: Iterable[EntitySentence]) -> None:
    """Write sentences as `token<TAB>label` lines, atomically."""
    with atomic_text(path) as stream:
        for sentence in sentences:
            stream.writelines(
                f"{token}\t{label}\n" for token, label in zip(sentence.tokens, sentence.labels, strict=True)
            )
            stream.write("\n")


def repair_labels(labels: Iterable[str]) -> tuple[str, ...]:
    """Make a label sequence valid IOB2: an I- that continues nothing of its type begins an entity."""
    repaired: list[str] = []
    for label in labels:
        if label.startswith("I-") and (not repaired or repaired[-1][1:] != label[1:]):
            label = "B" + label[1:]
        repaired.append(label)
    return tuple(repaired)


def repair_entities(path: Path, sentences: list[EntitySentence], broken_labels: str) -> list[EntitySentence]:
    """Make all labels valid IOB2 and print where they were not.

    Args:
        path: the file that the sentences come from.
        sentences: the sentences.
        broken_labels: `repair`, or `refuse`.

    Raises:
        InputError: if nothing is labeled at all; at the first broken label, if those are refused.
    """
    if not any(label != "O" for sentence in sentences for label in sentence.labels):
        raise InputError(path, "has no entity", remedy="each of train, dev and test needs some")
    repaired = []
    repairs = 0
    for sentence in sentences:
        labels = repair_labels(sentence.labels)
        for place, (old, new) in enumerate(zip(sentence.labels, labels, strict=True)):
            if old == new:
                continue
            repairs += 1
            problem = f"label {old} continues nothing of its type"
            if broken_labels == "refuse":
                remedy = f"write {new}, or let ner: broken_labels: repair do so"
                raise InputError(path, problem, sentence.line + place, remedy)
            if repairs <= SHOWN_REPAIRS:
                print(f"{path}, line {sentence.line + place}: {problem}; taken as {new}")
        repaired.append(EntitySentence(sentence.tokens, labels, sentence.line))
    print(f"{path}: {repairs} labels repaired to be IOB2")
    return repaired


def unpack_wikiann(archive: Path, language_code: str) -> dict[str, list[EntitySentence]]:
    """Read train, dev and test from a WikiAnn archive, without the language prefix of its tokens.

    Raises:
        InputError: if the archive or a line in it is broken.
    """
    members = read_archive_members(archive, list(PARTS))
    parts: dict[str, list[EntitySentence]] = {}
    for part in PARTS:
        parts[part] = [
            EntitySentence(
                tuple(_without_prefix(token, language_code) for token in sentence.tokens),
                sentence.labels,
                sentence.line,
            )
            for sentence in parse_entities(archive / part, members[part])
        ]
    return parts


def _without_prefix(token: str, language_code: str) -> str:
    bare = token.removeprefix(f"{language_code}:")
    return bare if bare.strip() else token  # a token that is nothing but the prefix stays
