"""Cross-validation: all sentences of a data set in folds, by document or by block, and the parts of each fold."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from specialize.datasets.columns import (
    MANY_UNLEARNED,
    check_columns,
    column_name,
    learned_columns,
    needed_heads,
    read_part,
    treebank_statistics,
)
from specialize.datasets.named_entities import EntitySentence, write_entities
from specialize.datasets.treebanks import Sentence, read_treebank, write_treebank
from specialize.errors import InputError, warn
from specialize.files import write_json

if TYPE_CHECKING:
    from numpy.random import Generator

NEW_DOCUMENT = re.compile(r"#\s*newdoc(?:[\s_]*id)?\s*(?:=\s*(.*?))?\s*")  # UD's Wolof has newdoc_id
# With fewer documents, or with one that fills two folds, folds of documents would differ too much in size.
DOCUMENTS_PER_FOLD = 3
FOLDS_OF_LARGEST_DOCUMENT = 2
COPY_WORDS = 4  # a shorter sentence may stand anywhere
MOST_COPIES = 0.1  # of the sentences; with more, as a rule one part is a copy of another

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

    def statistics(self) -> dict[str, Any]:
        """What statistics.json says of them."""
        sizes = [len(fold) for fold in self.sentences]
        return {"by": self.by, **({"reason": self.reason} if self.reason else {}), "sentences": sizes}

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
    from numpy.random import default_rng  # its import takes time

    _require_enough(path, sentences, number)
    generator = default_rng(seed)
    if reason := _why_blocks(Counter(documents), number):
        return Folds(_in_blocks(sentences, number, generator), "blocks", reason)
    sizes = Counter(documents)
    names = [list(sizes)[place] for place in generator.permutation(len(sizes))]
    filled = [0] * number
    fold_of = {}
    for name in sorted(names, key=lambda name: -sizes[name]):
        fold_of[name] = filled.index(min(filled))
        filled[fold_of[name]] += sizes[name]
    return Folds(_dealt(sentences, [fold_of[name] for name in documents], number), "documents", "")


def in_folds_of_treebank(
    path: Path, sentences: Sequence[EntitySentence], treebank: Sequence[Path], seed: int
) -> Folds[EntitySentence]:
    """Deal named entities to the folds of a treebank of the same language, which a model may learn besides them.

    A sentence that the treebank has, too, goes to its fold there, so that none is tested on and learned from at once;
    all others in blocks, as by `in_folds`.

    Args:
        path: where they are from, for messages.
        sentences: in their order.
        treebank: the test part of each of its folds.
        seed: of the order of the blocks.

    Raises:
        InputError: if there are fewer sentences than folds.
    """
    from numpy.random import default_rng  # its import takes time

    number = len(treebank)
    _require_enough(path, sentences, number)
    known = {tree.surface(): fold for fold, test in enumerate(treebank) for tree in read_treebank(test)}
    places = [known.get("".join("".join(sentence.tokens).split())) for sentence in sentences]
    others = [sentence for sentence, place in zip(sentences, places, strict=True) if place is None]
    if len(others) == len(sentences):
        return in_folds(path, sentences, [], number, seed)
    rest = _in_blocks(others, number, default_rng(seed))
    placed = [(one, place) for one, place in zip(sentences, places, strict=True) if place is not None]
    shared = _dealt([one for one, _ in placed], [place for _, place in placed], number)
    folds = tuple((*one, *more) for one, more in zip(shared, rest, strict=True))
    return Folds(folds, "blocks", f"{len(placed):,} of them are the treebank's, which have their folds there")


def _require_enough(path: Path, sentences: Sequence[Labeled], number: int) -> None:
    if len(sentences) < number:
        least = "take folds out, or label more" if len(sentences) < 3 else f"set folds to {len(sentences)} or less"
        raise InputError(path, f"has {len(sentences)} sentences for {number} folds", remedy=least)


def _in_blocks(sentences: Sequence[Labeled], number: int, generator: Generator) -> tuple[tuple[Labeled, ...], ...]:
    ends = [len(sentences) * block // number for block in range(number + 1)]
    return tuple(tuple(sentences[ends[block] : ends[block + 1]]) for block in generator.permutation(number))


def _dealt(sentences: Sequence[Labeled], folds: Sequence[int], number: int) -> tuple[tuple[Labeled, ...], ...]:
    dealt: list[list[Labeled]] = [[] for _ in range(number)]
    for sentence, fold in zip(sentences, folds, strict=True):
        dealt[fold].append(sentence)
    return tuple(map(tuple, dealt))


def _why_blocks(sizes: Counter[str], number: int) -> str:
    """Why documents cannot be dealt to folds; empty if they can."""
    if not sizes:
        return "no comment names a document"
    if len(sizes) < DOCUMENTS_PER_FOLD * number:
        return f"there are {len(sizes)} documents, fewer than {DOCUMENTS_PER_FOLD} times the folds"
    name, largest = sizes.most_common(1)[0]
    if largest * number > FOLDS_OF_LARGEST_DOCUMENT * sizes.total():
        share = f"{largest / sizes.total():.0%} of the sentences"
        return f"document {name!r} has {share}, more than {FOLDS_OF_LARGEST_DOCUMENT} folds"
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
    _check_copies(folder / "all.conllu", folds, Sentence.surface, lambda sentence: len(sentence.words))
    for column in learned_columns(tasks, tags):
        _tell_labels_of_one_fold(folds, column_name(column), _labels_in(column))
    write_treebank(folder / "all.conllu", everything)
    for fold in range(1, number + 1):
        (folder / f"fold{fold}").mkdir(exist_ok=True)
        for part, sentences in folds.parts(fold).items():
            write_treebank(folder / f"fold{fold}" / f"{part}.conllu", sentences)
    about = {"mended": dict(sorted(mended.items())), "folds": folds.statistics()}
    write_json(folder / "statistics.json", {"all": treebank_statistics(everything) | about})


def write_entity_folds(
    folder: Path,
    parts: Mapping[str, Sequence[EntitySentence]],
    number: int,
    seed: int,
    treebank: Sequence[Path] = (),
) -> None:
    """Write ner/all.tsv, fold{k}/ner/{train,dev,test}.tsv and ner/statistics.json of named entities.

    Args:
        folder: of the language's data.
        parts: their sentences, by part.
        number, seed: see `in_folds`.
        treebank: the test parts of the folds of the language's treebank, if it has equally many.

    Raises:
        InputError: as `in_folds` does; if a fold has no entity, which would be nothing to choose an epoch or to be
            tested by.
    """
    path = folder / "ner" / "all.tsv"
    everything = [sentence for sentences in parts.values() for sentence in sentences]
    if treebank:
        folds = in_folds_of_treebank(path, everything, treebank, seed)
    else:
        folds = in_folds(path, everything, [], number, seed)
    print(folds)
    empty = [fold for fold, sentences in enumerate(folds.sentences, start=1) if not any(map(_kinds, sentences))]
    if empty:
        problem = f"has no entity in {'fold' if len(empty) == 1 else 'folds'} {', '.join(map(str, empty))} of {number}"
        raise InputError(path, problem, remedy="set folds lower, or another fold_seed")
    _check_copies(path, folds, lambda sentence: "".join(sentence.tokens), lambda sentence: len(sentence.tokens))
    _tell_labels_of_one_fold(folds, "an entity of a type", _kinds)
    (folder / "ner").mkdir(exist_ok=True)
    write_entities(path, everything)
    for fold in range(1, number + 1):
        (folder / f"fold{fold}" / "ner").mkdir(parents=True, exist_ok=True)
        for part, sentences in folds.parts(fold).items():
            write_entities(folder / f"fold{fold}" / "ner" / f"{part}.tsv", sentences)
    write_json(folder / "ner" / "statistics.json", {"all": {"folds": folds.statistics()}})


def _labels_in(column: str) -> Callable[[Sentence], list[str]]:
    return lambda sentence: [getattr(word, column) for word in sentence.words]


def _kinds(sentence: EntitySentence) -> list[str]:
    """The types of its entities."""
    return [label[2:] for label in sentence.labels if label.startswith("B-")]


def _check_copies(
    path: Path, folds: Folds[Labeled], text_of: Callable[[Labeled], str], words_of: Callable[[Labeled], int]
) -> None:
    """Tell of sentences that stand in several folds, where one is tested on what another has taught.

    Raises:
        InputError: if they are so many that whole files must be copies.
    """
    places: dict[str, set[int]] = {}
    for fold, sentences in enumerate(folds.sentences):
        for sentence in sentences:
            if words_of(sentence) >= COPY_WORDS:
                places.setdefault(text_of(sentence), set()).add(fold)
    copies = sum(len(places.get(text_of(one), ())) > 1 for sentences in folds.sentences for one in sentences)
    total = sum(map(len, folds.sentences))
    told = f"{copies:,} of {total:,} sentences stand in several folds, where they are both learned and tested on"
    if copies > MOST_COPIES * total:
        raise InputError(path, told, remedy="leave out the file that is a copy of another, or the copies")
    if copies:
        print(f"{path}: {told}")


def _tell_labels_of_one_fold(folds: Folds[Labeled], what: str, labels_of: Callable[[Labeled], Iterable[str]]) -> None:
    """Tell of labels that only one fold has, which cannot be predicted there, and warn if there are many."""
    counts = [Counter(label for one in sentences for label in labels_of(one)) for sentences in folds.sentences]
    together = sum(counts, Counter[str]())
    alone = {label: number for label, number in together.items() if sum(label in fold for fold in counts) == 1}
    if not alone:
        return
    share, most = sum(alone.values()) / together.total(), max(sorted(alone), key=lambda label: alone[label])
    tell = warn if share > MANY_UNLEARNED else print
    tell(f"{share:.1%} have {what} that is in one fold only, most often {most!r}; it cannot be predicted there")
