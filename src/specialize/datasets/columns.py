"""What a treebank's columns hold to learn from: withheld text, missing tags, heads and relations are found here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Literal

from specialize.datasets.layout import PARTS
from specialize.datasets.treebanks import Heads, Sentence, Word, read_treebank, write_treebank
from specialize.datasets.trees import NO_HEAD, PARSERS_OUT, tree_problem
from specialize.errors import InputError, warn
from specialize.files import read_json, write_json

# Of a part's words: with more, scores would be about nothing. Of the paper's Belarusian, 64 % of the test words have no
# XPOS tag.
MOST_MISSING = 0.9
# Of a part's words: UD's Uyghur has 0.8 %, its Kazakh, with 31 training sentences, 3 %.
MANY_UNLEARNED = 0.05
COLUMN_NAMES = ("form", "upos", "xpos", "head", "deprel")


def prepare_treebank(
    sources: dict[str, Path], folder: Path, tasks: Collection[str], tags: Literal["upos", "xpos"]
) -> None:
    """Check a treebank, write it as {train,dev,test}.conllu, and statistics.json on what there is to learn.

    Args:
        sources: its files, by part.
        folder: where it appears.
        tasks: what is learned from it: `pos` needs tags, `ud` needs trees, both need words.
        tags: the tags that `pos` predicts.

    Raises:
        InputError: if a file is broken, or a column that is needed is missing for most words.
    """
    statistics: dict[str, Any] = {}
    learned: dict[str, set[str]] = {}
    for part in PARTS:
        mended: Counter[str] = Counter()
        sentences = read_treebank(sources[part], needed_heads(tasks), mended)
        check_columns(sources[part], sentences, tasks, tags)
        for column in _learned_columns(tasks, tags):
            known = {"_", "", *(getattr(word, column) for sentence in sentences for word in sentence.words)}
            _tell_unlearned(sources, part, sentences, column, learned.setdefault(column, known))
        for what, number in sorted(mended.items()):
            print(f"{sources[part]}: mended: {what}: {number:,}")
        statistics[part] = treebank_statistics(sentences) | {"mended": dict(sorted(mended.items()))}
        write_treebank(folder / f"{part}.conllu", sentences)
    write_json(folder / "statistics.json", statistics)


def needed_heads(tasks: Collection[str]) -> Heads:
    """What the tasks ask of a treebank's heads."""
    return "trees" if "ud" in tasks else "any"


def treebank_statistics(sentences: Sequence[Sentence]) -> dict[str, Any]:
    """Counts of sentences, words, words without a value by column, and sentences whose heads are no tree."""
    words = [word for sentence in sentences for word in sentence.words]
    missing = {name: sum(is_missing(word, name) for word in words) for name in COLUMN_NAMES}
    trees = sum(tree_problem([word.head for word in sentence.words]) is None for sentence in sentences)
    return {"sentences": len(sentences), "words": len(words), "missing": missing, "no_trees": len(sentences) - trees}


def is_missing(word: Word, column: str) -> bool:
    """Whether a word has no value in a column; punctuation and symbols of the form `_` are underscores."""
    if column == "head":
        return word.head == NO_HEAD
    if column == "form" and word.upos in ("PUNCT", "SYM"):
        return False
    return getattr(word, column) in ("_", "")


def check_columns(path: Path, sentences: Sequence[Sentence], tasks: Collection[str], tags: str) -> None:
    """Refuse a part of which most words lack what is to be learned, and print the share where it is smaller.

    Args:
        path: the file.
        sentences: its sentences.
        tasks: what is learned from it.
        tags: the tags that `pos` predicts, `upos` or `xpos`.

    Raises:
        InputError: with the first word that lacks it, and what to do.
    """
    number = sum(len(sentence.words) for sentence in sentences)
    lacking = {
        column: [sentence for sentence in sentences for word in sentence.words if is_missing(word, column)]
        for column in COLUMN_NAMES
    }
    for column in ("form", *_learned_columns(tasks, tags)):
        share = len(lacking[column]) / number
        if not share:
            continue
        problem = f"{share:.1%} of its words have _ in place of {_name(column)}"
        if share > MOST_MISSING:
            other = {"upos": "xpos", "xpos": "upos"}.get(column, "")
            there = bool(other) and len(lacking[other]) / number <= MOST_MISSING
            raise InputError(path, problem, lacking[column][0].line, _remedy(column, other if there else ""))
        warn(f"{path}, line {lacking[column][0].line}: {problem}; scores count these words too")


def _learned_columns(tasks: Collection[str], tags: str) -> list[str]:
    return [*([tags] if "pos" in tasks else []), *(["deprel"] if "ud" in tasks else [])]


def _tell_unlearned(
    sources: dict[str, Path], part: str, sentences: Sequence[Sentence], column: str, learned: Collection[str]
) -> None:
    """Tell of labels that the training part lacks, and warn if there are many: no model can predict them."""
    labels = [(getattr(word, column), sentence.line) for sentence in sentences for word in sentence.words]
    unlearned = [(label, line) for label, line in labels if label not in learned]
    if not unlearned:
        return
    share = len(unlearned) / len(labels)
    most = Counter(label for label, _ in unlearned).most_common(1)[0][0]
    tell = warn if share > MANY_UNLEARNED else print
    tell(
        f"{sources[part]}, line {unlearned[0][1]}: {share:.1%} of its words have {_name(column)} that "
        f"{sources['train'].name} lacks, most often {most!r}; none of them can be predicted"
    )


def _name(column: str) -> str:
    return {"form": "a form", "deprel": "a relation"}.get(column, f"an {column} tag")


def _remedy(column: str, other: str) -> str:
    if column == "form":
        return (
            "the text is withheld, as a rule for its licence: merge it in as the treebank's README says, and give "
            "treebank: {folder: ...}"
        )
    if column == "deprel":
        return f"annotate them, or {PARSERS_OUT}"
    if other:
        return f"set the treebank's tags: {other}"
    return "annotate them, or leave the regimes that tag out of experiment.regimes"


def check_prepared(folder: Path, tasks: Collection[str], tags: Literal["upos", "xpos"]) -> None:
    """Check a treebank that was prepared when less was to be learned from it; one that is not there yet passes.

    Raises:
        InputError: if it cannot serve the tasks.
    """
    path = folder / "statistics.json"
    if not path.is_file():
        return
    statistics = read_json(path)
    paths = [folder / f"{part}.conllu" for part in statistics]
    columns = ("form", *_learned_columns(tasks, tags))
    if all(_serves(counts, columns, needed_heads(tasks)) for counts in statistics.values()):
        return
    if not all(one.is_file() for one in paths):
        return
    for one in paths:
        check_columns(one, read_treebank(one, needed_heads(tasks)), tasks, tags)


def _serves(counts: dict[str, Any], columns: Collection[str], heads: Heads) -> bool:
    """Whether a part with these statistics has what is needed."""
    most = MOST_MISSING * counts["words"]
    return all(counts["missing"][column] <= most for column in columns) and (heads == "any" or not counts["no_trees"])
