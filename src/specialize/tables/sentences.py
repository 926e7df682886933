"""What each test sentence adds to a score, counted once from kept predictions, for statistics that draw sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
from numpy.typing import NDArray

from specialize.datasets import EntitySentence, Sentence, read_entities, read_treebank
from specialize.errors import InputError
from specialize.experiment import Cell, Experiment, Language
from specialize.tables.fold_files import labeled_and_predicted
from specialize.tables.scores import Key, Scores, Trial, require
from specialize.tables.verdicts import SCORE_ROUNDING

REMEDY = "delete metrics.json there; its job runs again"
Counts = NDArray[numpy.float64]  # (2, sentences): a score is the sum of the first row by that of the second


def with_sentences(experiment: Experiment, run: Path, cells: Iterable[Cell], scores: Scores) -> Scores:
    """The scores with the counts of each test sentence; of cross-validated data without.

    Raises:
        SpecializeError: if predictions are missing, or do not have the score that stands beside them.
    """
    cells = [cell for cell in cells if not cell.fold]
    require(run, list(dict.fromkeys(path for cell in cells for path in labeled_and_predicted(experiment, cell))))
    known: dict[tuple[str, Path], list[Any]] = {}  # a test file is read once
    found: dict[Key, dict[Trial, Counts]] = {}
    for cell in cells:
        language = experiment.languages[cell.language]
        for task in language.tasks_of(cell.regime):
            key = (cell.language, cell.method, task)
            score = scores.by_seed[key][cell.seed]
            if score is None:
                continue
            gold, predictions = (run / path for path in labeled_and_predicted(experiment, cell, [task]))
            if (task, gold) not in known:
                known[task, gold] = sentences_of(task, gold)
            predicted = sentences_of(task, predictions)
            if list(map(_length, predicted)) != list(map(_length, known[task, gold])):
                raise InputError(predictions, f"has other sentences than {gold}", remedy=REMEDY)
            counts = count(language, task, known[task, gold], predicted)
            counted = 100 * float(counts[0].sum() / max(counts[1].sum(), 1))
            if abs(counted - score) > SCORE_ROUNDING:
                raise InputError(
                    predictions,
                    f"scores {counted:.4f}, and metrics.json beside it says {score:.4f}",
                    remedy=REMEDY,
                )
            found.setdefault(key, {})[cell.seed] = counts
    return replace(scores, sentences=found)


def sentences_of(task: str, path: Path) -> list[Any]:
    """The labeled sentences of a task, predicted ones as well."""
    if task == "ner":
        return list(read_entities(path))
    return list(read_treebank(path, "forests") if task == "ud" else read_treebank(path))


def _length(sentence: Sentence | EntitySentence) -> int:
    return len(sentence.tokens if isinstance(sentence, EntitySentence) else sentence.words)


def count(language: Language, task: str, gold: Sequence[Any], predicted: Sequence[Any]) -> Counts:
    """What each sentence adds to the two sums whose ratio is the task's score.

    Of tags and attachments: its correct words, and its words. Of entities, whose F1 is 2 TP / (predicted + gold): twice
    those that are found, and the predicted and the gold ones together.

    Args:
        language: of the sentences; it says which tags are predicted.
        task: `pos`, `ud` or `ner`.
        gold, predicted: the same sentences.
    """
    pairs: dict[str, Callable[[Any, Any], tuple[int, int]]]
    pairs = {"pos": _tags(language), "ud": _attachments, "ner": _entities}
    pair = pairs[task]
    rows = [pair(expected, found) for expected, found in zip(gold, predicted, strict=True)]
    return numpy.asarray(rows, dtype=float).reshape(-1, 2).T


def _tags(language: Language) -> Callable[[Sentence, Sentence], tuple[int, int]]:
    column = "xpos" if language.tags == "xpos" else "upos"

    def correct(gold: Sentence, predicted: Sentence) -> tuple[int, int]:
        pairs = list(zip(gold.words, predicted.words, strict=True))
        return sum(getattr(one, column) == getattr(other, column) for one, other in pairs), len(pairs)

    return correct


def _attachments(gold: Sentence, predicted: Sentence) -> tuple[int, int]:
    """As the official evaluation, which passes over subtypes of relations."""
    pairs = list(zip(gold.words, predicted.words, strict=True))
    same = (
        one.head == other.head and one.deprel.partition(":")[0] == other.deprel.partition(":")[0]
        for one, other in pairs
    )
    return sum(same), len(pairs)


def _entities(gold: EntitySentence, predicted: EntitySentence) -> tuple[int, int]:
    from seqeval.metrics.sequence_labeling import get_entities

    expected, found = (set(get_entities(list(sentence.labels))) for sentence in (gold, predicted))
    return 2 * len(expected & found), len(expected) + len(found)
