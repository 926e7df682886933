"""Named entities in IOB2: reading, mending labels, writing, and unpacking WikiAnn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from specialize.datasets.corrections import Corrections
from specialize.datasets.entity_labels import IOB2_LABEL, as_iob2, is_iob1, is_nested, one_spelling, plain_label
from specialize.datasets.entity_layouts import read_rows
from specialize.datasets.layout import PARTS, blocks, require_sentences
from specialize.errors import InputError
from specialize.files import atomic_text, read_archive_members, read_text

SHOWN_REPAIRS = 20  # for each file; the rest is only counted
LABEL_REMEDY = "write token, tab and one of O, B-TYPE, I-TYPE, and nothing else"

NESTED_REMEDY = "keep one label for each token, as a rule the outermost entity's, in files of your own (ner: folder)"


@dataclass(frozen=True)
class EntitySentence:
    """Tokens and their IOB2 labels, and the lines that they stand in (from 1 on if none are given)."""

    tokens: tuple[str, ...]
    labels: tuple[str, ...]
    lines: tuple[int, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if not self.lines:
            object.__setattr__(self, "lines", tuple(range(1, len(self.tokens) + 1)))


def read_entities(path: Path) -> list[EntitySentence]:
    """Read `token<TAB>label` lines in IOB2 as `write_entities` writes them, a blank line between sentences.

    Nothing is mended and nothing left out, not even a byte-order mark that a token begins with.

    Raises:
        InputError: on a line without a token or without a label of the form O, B-TYPE, I-TYPE.
    """
    return parse_entities(path, read_text(path, keep_marks=True))


def read_own_entities(paths: Mapping[str, Path]) -> dict[str, list[EntitySentence]]:
    """Read the parts of a data set in any layout that is known, with their labels as they are written.

    Raises:
        InputError: as `read_rows` does.
    """
    return {
        part: [
            EntitySentence(
                tuple(row.token for row in rows), tuple(row.label for row in rows), tuple(row.line for row in rows)
            )
            for rows in read_rows(path)
        ]
        for part, path in paths.items()
    }


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
        if not IOB2_LABEL.fullmatch(label):
            raise InputError(path, f"label {label!r} is not IOB2", number, LABEL_REMEDY)
        tokens.append(token)
        labels.append(label)
    return EntitySentence(tuple(tokens), tuple(labels), tuple(range(first_line, first_line + len(lines))))


def write_entities(path: Path, sentences: Iterable[EntitySentence]) -> None:
    """Write sentences as `token<TAB>label` lines, atomically."""
    with atomic_text(path) as stream:
        for sentence in sentences:
            stream.writelines(
                f"{token}\t{label}\n" for token, label in zip(sentence.tokens, sentence.labels, strict=True)
            )
            stream.write("\n")


def mend_labels(
    paths: Mapping[str, Path], parts: Mapping[str, list[EntitySentence]], broken_labels: str, in_folds: bool = False
) -> dict[str, list[EntitySentence]]:
    """Write the labels of all parts alike, in IOB2, and print what was not.

    Look-alike letters and hyphens are made Latin ones, IOBES, BILOU and BMEWO are made IOB2, and types that differ by
    case or look-alike letters only, in one part or among several, get the most frequent spelling.

    Args:
        paths: the file that each part comes from.
        parts: the sentences of each part.
        broken_labels: `repair`, or `refuse`.
        in_folds: they are going to be put together, so that no part is trained on alone.

    Raises:
        InputError: at the first label that is none; at the first that is mended, if those are refused.
    """
    corrections = {part: Corrections(path, refuse=broken_labels == "refuse") for part, path in paths.items()}
    plain = {
        part: [_plainly_labeled(paths[part], sentence, corrections[part]) for sentence in sentences]
        for part, sentences in parts.items()
    }
    spelling = one_spelling(
        Counter(
            label[2:]
            for sentences in plain.values()
            for sentence in sentences
            for label in sentence.labels
            if label != "O"
        )
    )
    alike = {}
    for part, sentences in plain.items():
        alike[part] = [_spelled_alike(sentence, spelling, corrections[part]) for sentence in sentences]
        corrections[part].report()
    if not in_folds:
        _tell_unlearned(paths, alike)
    return alike


def _tell_unlearned(paths: Mapping[str, Path], parts: Mapping[str, list[EntitySentence]]) -> None:
    """Print the types of each part that the training part lacks."""
    learned = {"", *(label[2:] for sentence in parts["train"] for label in sentence.labels)}
    for part, sentences in parts.items():
        lines: dict[str, list[int]] = {}
        for sentence in sentences:
            for line, label in zip(sentence.lines, sentence.labels, strict=True):
                lines.setdefault(label[2:], []).append(line)
        for kind in sorted(lines.keys() - learned):
            print(
                f"{paths[part]}, line {lines[kind][0]}: type {kind!r} is not in {paths['train'].name}, so that it "
                f"cannot be found (of {len(lines[kind]):,} labels)"
            )


def _plainly_labeled(path: Path, sentence: EntitySentence, corrections: Corrections) -> EntitySentence:
    """A sentence with labels in Latin capitals with hyphens, and in IOB2 or IOB1."""
    plain = []
    for place, label in enumerate(sentence.labels):
        if is_nested(label):
            problem = f"label {label!r} is of several entities at once, and nested ones are not learned"
            raise InputError(path, problem, sentence.lines[place], NESTED_REMEDY)
        found = plain_label(label)
        if found is None:
            raise InputError(path, f"label {label!r} is not IOB2", sentence.lines[place], LABEL_REMEDY)
        plain.append(found)
    converted = as_iob2(plain)
    for line, old, new in zip(sentence.lines, sentence.labels, converted, strict=True):
        if old != new:
            corrections.add(line, f"label {old!a} is not IOB2; taken as {new}")
    return replace(sentence, labels=converted)


def _spelled_alike(sentence: EntitySentence, spelling: Mapping[str, str], corrections: Corrections) -> EntitySentence:
    """A sentence with one spelling of each type."""
    alike = []
    for line, label in zip(sentence.lines, sentence.labels, strict=True):
        new = label if label == "O" else label[:2] + spelling[label[2:]]
        if new != label:
            corrections.add(line, f"type {label[2:]!a} is written {new[2:]!a} more often; taken as that")
        alike.append(new)
    return replace(sentence, labels=tuple(alike))


def repair_labels(labels: Iterable[str]) -> tuple[str, ...]:
    """Make a label sequence valid IOB2: an I- that continues nothing of its type begins an entity."""
    repaired: list[str] = []
    for label in labels:
        if label.startswith("I-") and (not repaired or repaired[-1][1:] != label[1:]):
            label = "B" + label[1:]
        repaired.append(label)
    return tuple(repaired)


def repair_entities(
    path: Path, sentences: list[EntitySentence], broken_labels: str, in_folds: bool = False
) -> list[EntitySentence]:
    """Make all labels valid IOB2 and print where they were not.

    Args:
        path: the file that the sentences come from.
        sentences: the sentences.
        broken_labels: `repair`, or `refuse`.
        in_folds: the file is going to be put together with others, and may have no entity.

    Raises:
        InputError: if nothing is labeled at all; at the first broken label, if those are refused.
    """
    if not in_folds and not any(label != "O" for sentence in sentences for label in sentence.labels):
        raise InputError(path, "has no entity", 1, "each of train, dev and test needs some")
    repaired = []
    repairs = 0
    shown = 0 if is_iob1([sentence.labels for sentence in sentences]) else SHOWN_REPAIRS
    for sentence in sentences:
        labels = repair_labels(sentence.labels)
        for line, old, new in zip(sentence.lines, sentence.labels, labels, strict=True):
            if old == new:
                continue
            repairs += 1
            problem = f"label {old} continues nothing of its type"
            if broken_labels == "refuse":
                raise InputError(path, problem, line, f"write {new}, or let ner: broken_labels: repair do so")
            if repairs <= shown:
                print(f"{path}, line {line}: {problem}; taken as {new}")
        repaired.append(replace(sentence, labels=labels))
    scheme = "" if shown else ": it is in IOB1, where I- begins an entity"
    print(f"{path}: {repairs} labels repaired to be IOB2{scheme}")
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
            replace(sentence, tokens=tuple(_without_prefix(token, language_code) for token in sentence.tokens))
            for sentence in parse_entities(archive / part, members[part])
        ]
    return parts


def _without_prefix(token: str, language_code: str) -> str:
    bare = token.lstrip("\ufeff").removeprefix(f"{language_code}:")
    return bare if bare.strip() else token  # a token that is nothing but the prefix stays
