"""Cross-validation: all sentences of a data set in folds, by document or by block, and the parts of each fold."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Literal, TypeVar

from specialize.datasets.columns import check_columns, needed_heads, read_part, treebank_statistics
from specialize.datasets.layout import PARTS
from specialize.datasets.named_entities import EntitySentence, write_entities
from specialize.datasets.treebanks import Sentence, write_treebank
from specialize.errors import InputError
from specialize.files import write_json

NEW_DOCUMENT = re.compile(r"#\s*newdoc(?:\s+id\s*=\s*(.*?))?\s*")
DOCUMENTS_PER_FOLD = 3  # with fewer, or with one that fills two folds, folds of documents would differ too much in size
LARGEST_DOCUMENT = 2  # folds

Labeled = TypeVar("Labeled", Sentence, EntitySentence)


@dataclass(frozen=True)
class Folds(Generic[Labeled]):
    """The sentences of a data set in folds.

    Attributes:
        sentences: of each fold, in their order.
        by: what was dealt to the folds, `documents` or `blocks` of neighbouring sentences.
        reason: why blocks; empty for documents.
    """

    sentences: tuple[tuple[Labeled, ...], ...]
    by: Literal["documents", "blocks"]
    reason: str

    def parts(self, fold: int) -> dict[str, list[Labeled]]:
        """The parts of a fold, numbered from 1: it is the test part, the next one (after the last, the first) is the
        development part, and all others are the training part."""
        number = len(self.sentences)
        test, dev = fold - 1, fold % number
        train = [one for place, fold in enumerate(self.sentences) if place not in (test, dev) for one in fold]
        return {"train": train, "dev": list(self.sentences[dev]), "test": list(self.sentences[test])}

    def __str__(self) -> str:
        sizes = [len(fold) for fold in self.sentences]
        why = f", since {self.reason}" if self.reason else ""
        return f"{sum(sizes):,} sentences in {len(sizes)} folds of {min(sizes):,} to {max(sizes):,} by {self.by}{why}"


def in_folds(
    path: Path, sentences: Sequence[Labeled], documents: Sequence[str], number: int, seed: int
) -> Folds[Labeled]:
    """Deal sentences to folds: whole documents, or blocks of neighbours where there are too few documents.

    Documents go, the longest first and those of equal length in an order drawn with the seed, to the fold with the
    fewest sentences by then. Blocks are as many as folds and of equal length; which fold is which is drawn.

    Args:
        path: where they are from, for messages.
        sentences: in their order.
        documents: for each sentence the name of its document; no name at all where the data name none.
        number: of folds, at least 3.
        seed: of the order.

    Raises:
        InputError: if there are fewer sentences than folds.
    """
    import numpy  # its import takes time

    if len(sentences) < number:
        raise InputError(
            path, f"has {len(sentences)} sentences for {number} folds", remedy=f"set folds to {len(sentences)} or less"
        )
    generator = numpy.random.default_rng(seed)
    if reason := _why_blocks(Counter(documents), number):
        ends = [len(sentences) * block // number for block in range(number + 1)]
        order = [int(block) for block in generator.permutation(number)]
        blocks = tuple(tuple(sentences[ends[block] : ends[block + 1]]) for block in order)
        return Folds(blocks, "blocks", reason)
    sizes = Counter(documents)
    names = [list(sizes)[place] for place in generator.permutation(len(sizes))]
    filled = [0] * number
    fold_of = {}
    for name in sorted(names, key=lambda name: -sizes[name]):
        fold_of[name] = filled.index(min(filled))
        filled[fold_of[name]] += sizes[name]
    dealt: list[list[Labeled]] = [[] for _ in range(number)]
    for sentence, name in zip(sentences, documents, strict=True):
        dealt[fold_of[name]].append(sentence)
    return Folds(tuple(map(tuple, dealt)), "documents", "")


def _why_blocks(sizes: Counter[str], number: int) -> str:
    """Why documents cannot be dealt to folds; empty if they can."""
    if not sizes:
        return "no comment names a document"
    if len(sizes) < DOCUMENTS_PER_FOLD * number:
        return f"there are {len(sizes)} documents, fewer than {DOCUMENTS_PER_FOLD} times the folds"
    name, largest = sizes.most_common(1)[0]
    if largest * number > LARGEST_DOCUMENT * sizes.total():
        return (
            f"document {name!r} has {largest / sizes.total():.0%} of the sentences, more than {LARGEST_DOCUMENT} folds"
        )
    return ""


def documents_of(files: Mapping[Path, Sequence[Sentence]]) -> list[str]:
    """The document of each sentence of a treebank's files, as `# newdoc` comments say; nothing if there are none.

    What stands before the first of them in a file is a document too; one of the same id in two files is one.
    """
    documents, named = [], False
    for path, sentences in files.items():
        current, number = f"{path.name} 0", 0
        for sentence in sentences:
            for line in sentence.lines:
                if found := NEW_DOCUMENT.fullmatch(line):
                    number += 1
                    current, named = found[1] or f"{path.name} {number}", True
            documents.append(current)
    return documents if named else []


def prepare_treebank_folds(
    sources: Mapping[str, Sequence[Path]],
    folder: Path,
    tasks: Sequence[str],
    tags: Literal["upos", "xpos"],
    number: int,
    seed: int,
) -> None:
    """Check the parts of a treebank that there are; write all.conllu, fold{k}/{train,dev,test}.conllu, statistics.json.

    Args:
        sources: its files, one or several, by part.
        folder: where they appear.
        tasks, tags: what is learned from it; see `prepare_treebank`.
        number, seed: see `in_folds`.

    Raises:
        InputError: as `prepare_treebank` and `in_folds` do.
    """
    mended: Counter[str] = Counter()
    read: dict[Path, list[Sentence]] = {}
    for paths in sources.values():
        files = read_part(paths, needed_heads(tasks), mended)
        check_columns(files, tasks, tags)
        read |= files
    for what, count in sorted(mended.items()):
        print(f"mended: {what}: {count:,}")
    everything = [sentence for sentences in read.values() for sentence in sentences]
    folds = in_folds(folder / "all.conllu", everything, documents_of(read), number, seed)
    print(folds)
    write_treebank(folder / "all.conllu", everything)
    for fold in range(1, number + 1):
        (folder / f"fold{fold}").mkdir(exist_ok=True)
        for part, sentences in folds.parts(fold).items():
            write_treebank(folder / f"fold{fold}" / f"{part}.conllu", sentences)
    about = {"mended": dict(sorted(mended.items())), "folds": folds_statistics(folds)}
    write_json(folder / "statistics.json", {"all": treebank_statistics(everything) | about})


def write_entity_folds(folder: Path, parts: Mapping[str, Sequence[EntitySentence]], number: int, seed: int) -> None:
    """Write named entities as ner/all.tsv and fold{k}/ner/{train,dev,test}.tsv, in folds of blocks.

    Args:
        folder: of the language's data.
        parts: their sentences, by part.
        number, seed: see `in_folds`.

    Raises:
        InputError: as `in_folds` does.
    """
    everything = [sentence for sentences in parts.values() for sentence in sentences]
    folds = in_folds(folder / "ner" / "all.tsv", everything, [], number, seed)
    print(folds)
    (folder / "ner").mkdir(exist_ok=True)
    write_entities(folder / "ner" / "all.tsv", everything)
    for fold in range(1, number + 1):
        (folder / f"fold{fold}" / "ner").mkdir(parents=True, exist_ok=True)
        for part in PARTS:
            write_entities(folder / f"fold{fold}" / "ner" / f"{part}.tsv", folds.parts(fold)[part])


def folds_statistics(folds: Folds[Labeled]) -> dict[str, object]:
    """What statistics.json says of folds."""
    sizes = [len(fold) for fold in folds.sentences]
    return {"by": folds.by, **({"reason": folds.reason} if folds.reason else {}), "sentences": sizes}
