"""The scores of predicted labels, of a job's and of those that tables put together. Without torch."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable, Iterator, Sequence

import numpy

from specialize.datasets import EntitySentence, Sentence


def tagging_scores(
    gold: Sequence[Sentence], predicted: Sequence[Sentence], tags_of: Callable[[Sentence], Sequence[str]]
) -> dict[str, float]:
    """Accuracy over all words, punctuation included (fact 29).

    Args:
        gold, predicted: the same sentences.
        tags_of: the tags of a sentence's words.
    """
    correct = words = 0
    for expected, found in zip(gold, predicted, strict=True):
        pairs = list(zip(tags_of(expected), tags_of(found), strict=True))
        correct += sum(label == other for label, other in pairs)
        words += len(pairs)
    return {"accuracy": correct / words}


def attachment_scores(
    gold: Sequence[Sentence], predicted: Sequence[Sentence], names: tuple[str, str] = ("gold", "predicted")
) -> dict[str, float]:
    """Labeled and unlabeled attachment scores of the official evaluation; predicted trees may have several roots.

    Args:
        gold, predicted: the same sentences.
        names: of the files that they are from, for messages.
    """
    from udtools.udeval import evaluate, load_conllu

    longest = max(len(sentence.words) for sentence in gold)
    with _recursion(longest):  # the evaluation follows heads to the root, one call within another
        trees = [
            load_conllu(io.StringIO(_for_evaluation(one)), name, {"multiple_roots_okay": True})
            for one, name in zip((gold, predicted), names, strict=True)
        ]
        result = evaluate(*trees)
    return {"las": result["LAS"].f1, "uas": result["UAS"].f1}


def entity_scores(gold: Sequence[EntitySentence], predicted: Sequence[EntitySentence]) -> dict[str, float]:
    """F1 over spans: micro-averaged, and macro-averaged over types (fact 30)."""
    from seqeval.metrics import f1_score

    expected = [list(sentence.labels) for sentence in gold]
    found = [list(sentence.labels) for sentence in predicted]
    return {
        name: float(numpy.nan_to_num(f1_score(expected, found, average=average, zero_division=0)))
        for name, average in (("f1", "micro"), ("f1_macro", "macro"))
    }


def _for_evaluation(sentences: Sequence[Sentence]) -> str:
    """CoNLL-U with what attachment scores need, and nothing that the evaluation might stumble over."""
    lines = []
    for sentence in sentences:
        for number, word in enumerate(sentence.words, start=1):
            lines.append(f"{number}\t{word.form}\t_\t_\t_\t_\t{word.head}\t{word.deprel}\t_\t_\n")
        lines.append("\n")
    return "".join(lines)


@contextlib.contextmanager
def _recursion(levels: int) -> Iterator[None]:
    """Allow so many more calls within another."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(before + levels)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
