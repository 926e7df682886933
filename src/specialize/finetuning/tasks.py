"""The three tasks: their files, targets, heads and scores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Generic, TypeVar

from torch import nn

from specialize.datasets import (
    DEPREL,
    DEPS,
    HEAD,
    UPOS,
    XPOS,
    EntitySentence,
    Sentence,
    read_entities,
    read_treebank,
    write_entities,
    write_treebank,
)
from specialize.finetuning.heads import EntityTagger, Parser, Tagger
from specialize.finetuning.scorers import attachment_scores, entity_scores, tagging_scores

Item = TypeVar("Item", Sentence, EntitySentence)

# Tags of punctuation; for language-specific tags those of AllenNLP, which the paper's code builds on.
PUNCTUATION = {"upos": {"PUNCT"}, "xpos": {"`", "''", ":", ",", ".", "PU", "PUNCT", "SYM"}}


class Task(ABC, Generic[Item]):
    """A task on sentences of one kind.

    Attributes:
        name: `pos`, `ud` or `ner`.
        metrics: names of its scores; the first one chooses the best epoch and is reported in tables.
        ending: of its files' names.
        labels: what its head predicts; a label's number is its place in this list.
    """

    name: str
    metrics: tuple[str, ...]
    ending: str

    def __init__(self, labels: Sequence[str] = ()) -> None:
        self.labels = list(labels)

    @abstractmethod
    def read(self, path: Path) -> list[Item]:
        """Read labeled sentences."""

    @abstractmethod
    def write(self, path: Path, sentences: list[Item]) -> None:
        """Write labeled sentences."""

    @abstractmethod
    def words(self, sentence: Item) -> list[str]:
        """The words of a sentence."""

    @abstractmethod
    def label_names(self, sentence: Item) -> list[str]:
        """The label of each word."""

    def targets(self, sentence: Item) -> list[list[int]]:
        """The targets of the head's loss, each with a number for every word; all labels must be known."""
        numbers = {label: number for number, label in enumerate(self.labels)}
        return [[numbers[label] for label in self.label_names(sentence)]]

    @abstractmethod
    def head(self, width: int, settings: dict[str, Any]) -> nn.Module:
        """A new head for word vectors of this width."""

    @abstractmethod
    def labeled(self, sentence: Item, decoded: list[Any]) -> Item:
        """A copy of a sentence with the labels that its head predicted."""

    @abstractmethod
    def scores(self, gold: list[Item], predicted: list[Item]) -> dict[str, float]:
        """Metrics between 0 and 1; a gold label that was not in the training data counts as an error."""

    def items(self, gold: list[Item]) -> int:
        """How many words, or named entities, the scores of these sentences are shares of."""
        return sum(len(self.words(sentence)) for sentence in gold)

    @abstractmethod
    def guessing_score(self, train: list[Item], test: list[Item]) -> float:
        """The test score, by the first metric, of who gives every word the training part's most frequent label."""

    def file_scores(self, gold: Path, predicted: Path) -> dict[str, float]:
        """The scores of predictions in a file."""
        return self.scores(self.read(gold), self.read(predicted))


class TreebankTask(Task[Sentence]):
    """A task on a treebank."""

    ending = "conllu"

    def read(self, path: Path) -> list[Sentence]:
        return read_treebank(path)

    def write(self, path: Path, sentences: list[Sentence]) -> None:
        write_treebank(path, sentences)

    def words(self, sentence: Sentence) -> list[str]:
        return [word.form for word in sentence.words]


class Tagging(TreebankTask):
    """Part-of-speech tagging, with language-specific or universal tags.

    Args:
        tags: `xpos` or `upos`.
        labels: the tags.
    """

    name = "pos"
    metrics = ("accuracy",)

    def __init__(self, tags: str, labels: Sequence[str] = ()) -> None:
        super().__init__(labels)
        self.tags = tags

    def label_names(self, sentence: Sentence) -> list[str]:
        return [word.xpos if self.tags == "xpos" else word.upos for word in sentence.words]

    def head(self, width: int, settings: dict[str, Any]) -> nn.Module:
        return Tagger(width, self.labels, settings["dropout"])

    def labeled(self, sentence: Sentence, decoded: list[Any]) -> Sentence:
        column = XPOS if self.tags == "xpos" else UPOS
        return sentence.relabeled({column: [self.labels[number] for number in decoded]})

    def scores(self, gold: list[Sentence], predicted: list[Sentence]) -> dict[str, float]:
        """Accuracy over all words, punctuation included (fact 29)."""
        return tagging_scores(gold, predicted, self.label_names)

    def guessing_score(self, train: list[Sentence], test: list[Sentence]) -> float:
        return _share_of_most_frequent(*(chain.from_iterable(map(self.label_names, part)) for part in (train, test)))


class Parsing(TreebankTask):
    """Dependency parsing.

    Args:
        labels: the relations.
        development_punctuation: whether `scores` counts punctuation; the paper's code did on test data only (fact 32).
        punctuation: the column by which punctuation is recognized, `upos` or `xpos`.
    """

    name = "ud"
    metrics = ("las", "uas")

    def __init__(
        self, labels: Sequence[str] = (), development_punctuation: bool = True, punctuation: str = "upos"
    ) -> None:
        super().__init__(labels)
        self.development_punctuation = development_punctuation
        self.punctuation = punctuation

    def read(self, path: Path) -> list[Sentence]:
        """Read sentences that are trees of one root."""
        return read_treebank(path, "trees")

    def label_names(self, sentence: Sentence) -> list[str]:
        return [word.deprel for word in sentence.words]

    def targets(self, sentence: Sentence) -> list[list[int]]:
        """Heads (0 for the root), then relations."""
        return [[word.head for word in sentence.words], *super().targets(sentence)]

    def head(self, width: int, settings: dict[str, Any]) -> nn.Module:
        return Parser(width, self.labels, **settings)

    def labeled(self, sentence: Sentence, decoded: list[Any]) -> Sentence:
        """A copy with predicted heads and relations, and without enhanced dependencies, which are not predicted."""
        return sentence.relabeled(
            {
                HEAD: [str(head) for head, _ in decoded],
                DEPREL: [self.labels[label] for _, label in decoded],
                DEPS: ["_"] * len(decoded),
            }
        )

    def scores(self, gold: list[Sentence], predicted: list[Sentence]) -> dict[str, float]:
        """Labeled and unlabeled attachment scores, ignoring subtypes of relations (fact 32).

        All words count, or all that are not punctuation by their gold tag.
        """
        labeled = attached = words = 0
        for expected, found in zip(gold, predicted, strict=True):
            for word, other in zip(expected.words, found.words, strict=True):
                tag = word.xpos if self.punctuation == "xpos" else word.upos
                if tag in PUNCTUATION[self.punctuation] and not self.development_punctuation:
                    continue
                attached += word.head == other.head
                labeled += word.head == other.head and _universal(word.deprel) == _universal(other.deprel)
                words += 1
        return {"las": labeled / max(words, 1), "uas": attached / max(words, 1)}

    def file_scores(self, gold: Path, predicted: Path) -> dict[str, float]:
        """The scores of the official evaluation; predicted trees may have several roots, as of `single_root: false`."""
        sentences = self.read(gold), read_treebank(predicted, "forests")
        return attachment_scores(*sentences, (str(gold), str(predicted)))

    def guessing_score(self, train: list[Sentence], test: list[Sentence]) -> float:
        """The LAS of who attaches every word alike: to the root, or so many words away, always by one relation."""
        return _share_of_most_frequent(*(chain.from_iterable(map(_attachments, part)) for part in (train, test)))


class EntityRecognition(Task[EntitySentence]):
    """Named-entity recognition in IOB2."""

    name = "ner"
    metrics = ("f1", "f1_macro")
    ending = "tsv"

    def read(self, path: Path) -> list[EntitySentence]:
        return read_entities(path)

    def write(self, path: Path, sentences: list[EntitySentence]) -> None:
        write_entities(path, sentences)

    def words(self, sentence: EntitySentence) -> list[str]:
        return list(sentence.tokens)

    def label_names(self, sentence: EntitySentence) -> list[str]:
        return list(sentence.labels)

    def head(self, width: int, settings: dict[str, Any]) -> nn.Module:
        return EntityTagger(width, self.labels, **settings)

    def labeled(self, sentence: EntitySentence, decoded: list[Any]) -> EntitySentence:
        return EntitySentence(sentence.tokens, tuple(self.labels[number] for number in decoded))

    def items(self, gold: list[EntitySentence]) -> int:
        return sum(label.startswith("B-") for sentence in gold for label in sentence.labels)

    def guessing_score(self, train: list[EntitySentence], test: list[EntitySentence]) -> float:
        """Nothing: the most frequent label is of no entity."""
        return 0.0

    def scores(self, gold: list[EntitySentence], predicted: list[EntitySentence]) -> dict[str, float]:
        """F1 over spans: micro-averaged, and macro-averaged over types (fact 30)."""
        return entity_scores(gold, predicted)


def task_named(
    name: str,
    tags: str | None = None,
    labels: Sequence[str] = (),
    development_punctuation: bool = True,
    punctuation: str = "upos",
) -> Task[Any]:
    """The task with a name; `tags` concerns `pos` only, the arguments on punctuation `ud` only."""
    if name == "pos":
        return Tagging(tags or "xpos", labels)
    if name == "ud":
        return Parsing(labels, development_punctuation, punctuation)
    return EntityRecognition(labels)


def _universal(relation: str) -> str:
    return relation.partition(":")[0]


def _attachments(sentence: Sentence) -> Iterator[tuple[int | None, str]]:
    """How many words away each word's head is, None for the root, and by which relation it is attached."""
    for number, word in enumerate(sentence.words, start=1):
        yield (word.head - number if word.head else None), _universal(word.deprel)


def _share_of_most_frequent(train: Iterable[Hashable], test: Iterable[Hashable]) -> float:
    """Which share of the test labels is the most frequent training label; the first one, of equally frequent ones."""
    ((guess, _),) = Counter(train).most_common(1)
    labels = Counter(test)
    return labels[guess] / labels.total()
