"""Decontamination: the labeled sentences that must not be in a corpus, since models are tested on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from specialize.datasets import FORM, Sentence, read_entities, read_treebank


def labeled_sentences(folder: Path, decontamination: str = "words") -> dict[str, set[str]]:
    """Sentences of the labeled validation and test files below a dataset folder, without white space, by file.

    Args:
        folder: with `dev.conllu`, `test.conllu`, `ner/dev.tsv` and `ner/test.tsv`, as far as there are any.
        decontamination: how a treebank sentence is known: by its `words`, in both writings (with multiword tokens and
            with their words), or as run, by the one text of all of its `rows`, which no sentence with a multiword
            token is found by (fact 6).
    """
    sentences: dict[str, set[str]] = {}
    for part in ("dev", "test"):
        if (path := folder / f"{part}.conllu").exists():
            writings = _writings_as_run if decontamination == "rows" else _writings
            sentences[path.name] = {text for sentence in read_treebank(path) for text in writings(sentence)}
        if (path := folder / "ner" / f"{part}.tsv").exists():
            sentences[f"ner/{path.name}"] = {squeeze("".join(sentence.tokens)) for sentence in read_entities(path)}
    return sentences


def _writings(sentence: Sentence) -> Iterator[str]:
    yield sentence.surface()
    yield squeeze("".join(word.form for word in sentence.words))


def _writings_as_run(sentence: Sentence) -> Iterator[str]:
    yield squeeze("".join(line.split("\t")[FORM] for line in sentence.lines if not line.startswith("#")))


def files_by_sentence(labeled: Mapping[str, set[str]]) -> dict[str, list[str]]:
    """The other way round: for each labeled sentence, the files that have it."""
    files: dict[str, list[str]] = {}
    for name, texts in labeled.items():
        for text in texts:
            files.setdefault(text, []).append(name)
    return files


def squeeze(text: str) -> str:
    """The text without any white space."""
    return "".join(text.split())
