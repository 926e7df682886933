"""What a treebank's columns hold to learn from: withheld text, missing tags, heads and relations are found here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from specialize.datasets.layout import PARTS
from specialize.datasets.tagged_text import read_tagged_text
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
    sources: Mapping[str, Path | Sequence[Path]], folder: Path, tasks: Collection[str], tags: Literal["upos", "xpos"]
) -> None:
    """Check a treebank, write it as {train,dev,test}.conllu, and statistics.json on what there is to learn.

    Args:
        sources: its files, by part, of which one may have several; a file ending in .txt has words and tags alone.
        folder: where it appears.
        tasks: what is learned from it: `pos` needs tags, `ud` needs trees, both need words.
        tags: the tags that `pos` predicts.

    Raises:
        InputError: if a file is broken, or a column that is needed is missing for most words.
    """
    statistics: dict[str, Any] = {}
    learned: dict[str, set[str]] = {}
    trained_on = ""
    for part in PARTS:
        mended: Counter[str] = Counter()
        files = read_part(sources[part], needed_heads(tasks), mended)
        sentences = [sentence for its_sentences in files.values() for sentence in its_sentences]
        check_columns(files, tasks, tags)
        if part == "train":
            trained_on = " and ".join(path.name for path in files)
        for column in learned_columns(tasks, tags):
            known = {"_", "", *(getattr(word, column) for sentence in sentences for word in sentence.words)}
            _tell_unlearned(files, trained_on, column, learned.setdefault(column, known))
        for what, number in sorted(mended.items()):
            print(f"{' and '.join(map(str, files))}: mended: {what}: {number:,}")
        statistics[part] = treebank_statistics(sentences) | {"mended": dict(sorted(mended.items()))}
        write_treebank(folder / f"{part}.conllu", sentences)
    write_json(folder / "statistics.json", statistics)


def read_part(paths: Path | Sequence[Path], heads: Heads, mended: Counter[str]) -> dict[Path, list[Sentence]]:
    """The sentences of each file of a part; see `read_treebank`.

    Args:
        paths: its file or files; one ending in .txt has words and tags alone, as MasakhaPOS has them.
        heads: what is asked of them.
        mended: counts what was mended, in words.

    Raises:
        InputError: with the line of the first thing that is wrong.
    """
    return {
        path: read_tagged_text(path, mended) if path.suffix == ".txt" else read_treebank(path, heads, mended)
        for path in ([paths] if isinstance(paths, Path) else paths)
    }


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


def check_columns(files: Mapping[Path, Sequence[Sentence]], tasks: Collection[str], tags: str) -> None:
    """Refuse a part of which most words lack what is to be learned, and print the share where it is smaller.

    Args:
        files: the sentences of each of its files.
        tasks: what is learned from it.
        tags: the tags that `pos` predicts, `upos` or `xpos`.

    Raises:
        InputError: with the first word that lacks it, and what to do.
    """
    placed = [(path, sentence) for path, sentences in files.items() for sentence in sentences]
    number = sum(len(sentence.words) for _, sentence in placed)
    lacking = {
        column: [
            (path, sentence.line) for path, sentence in placed for word in sentence.words if is_missing(word, column)
        ]
        for column in COLUMN_NAMES
    }
    for column in ("form", *learned_columns(tasks, tags)):
        share = len(lacking[column]) / number
        if not share:
            continue
        path, line = lacking[column][0]
        problem = f"{share:.1%} of its words have _ in place of {column_name(column)}"
        if share > MOST_MISSING:
            other = {"upos": "xpos", "xpos": "upos"}.get(column, "")
            there = bool(other) and len(lacking[other]) / number <= MOST_MISSING
            raise InputError(path, problem, line, _remedy(column, other if there else ""))
        warn(f"{path}, line {line}: {problem}; scores count these words too")


def learned_columns(tasks: Collection[str], tags: str) -> list[str]:
    """The columns that some tasks learn, but for heads."""
    return [*([tags] if "pos" in tasks else []), *(["deprel"] if "ud" in tasks else [])]


def _tell_unlearned(
    files: Mapping[Path, Sequence[Sentence]], trained_on: str, column: str, learned: Collection[str]
) -> None:
    """Tell of labels that the training part lacks, and warn if there are many: no model can predict them."""
    labels = [
        (getattr(word, column), path, sentence.line)
        for path, sentences in files.items()
        for sentence in sentences
        for word in sentence.words
    ]
    unlearned = [found for found in labels if found[0] not in learned]
    if not unlearned:
        return
    share = len(unlearned) / len(labels)
    most = Counter(label for label, _, _ in unlearned).most_common(1)[0][0]
    _, path, line = unlearned[0]
    tell = warn if share > MANY_UNLEARNED else print
    tell(
        f"{path}, line {line}: {share:.1%} of its words have {column_name(column)} that "
        f"{trained_on} lacks, most often {most!r}; none of them can be predicted"
    )


def column_name(column: str) -> str:
    """What messages call a value of a column."""
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
    columns = ("form", *learned_columns(tasks, tags))
    if all(_serves(counts, columns, needed_heads(tasks)) for counts in statistics.values()):
        return
    if not all(one.is_file() for one in paths):
        return
    for one in paths:
        check_columns({one: read_treebank(one, needed_heads(tasks))}, tasks, tags)


def _serves(counts: dict[str, Any], columns: Collection[str], heads: Heads) -> bool:
    """Whether a part with these statistics has what is needed."""
    most = MOST_MISSING * counts["words"]
    return all(counts["missing"][column] <= most for column in columns) and (heads == "any" or not counts["no_trees"])
