"""How much text and labeled data each language of a grid has: as counted where it is here by now, else as expected."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from specialize.errors import InputError, SpecializeError
from specialize.experiment.experiment import Experiment
from specialize.experiment.grid import ENDINGS, Language, data_of
from specialize.files import read_json
from specialize.sources import PARTS, entities_origin, own_files, treebank_origin, usual_file, wikipedia_dump

# Of data that are not here yet; each a round figure.
TOKENS_UNKNOWN = 1_000_000
DUMP_BYTES_PER_TOKEN = 4  # packed; of four Wikipedias 1.7 to 8.5
TEXT_BYTES_PER_TOKEN = 8
LETTERS_PER_TOKEN = 5
TOKENS_PER_SENTENCE = 15
SENTENCES_PER_ARTICLE = 10
LABELED_SENTENCES = {"train": 1500, "dev": 500, "test": 500}  # of a small treebank (fact 28)
WORDS_PER_SENTENCE = 20


class Labeled(NamedTuple):
    """Counts of a part of labeled data."""

    sentences: int
    words: int

    def share(self, number: int) -> Labeled:
        """One in so many of them."""
        return Labeled(self.sentences // number, self.words // number)


class DataSizes:
    """The sizes of the texts and labeled data of an experiment.

    Args:
        experiment: the configuration.
        run: the run's folder; what it has by now is counted, the rest is expected.
    """

    def __init__(self, experiment: Experiment, run: Path = Path()) -> None:
        self.experiment, self.run = experiment, run
        self._counted: dict[Path, Labeled] = {}

    def text(self, tag: str, part: str) -> dict[str, float]:
        """Counts of a part of a language's text, as they are or as they are expected."""
        path = self.run / f"results/corpora/{tag}/statistics.json"
        if path.is_file():
            counts = read_if_whole(path).get(part)
            if isinstance(counts, dict) and counts.keys() >= {"letters", "tokens", "sentences", "articles"}:
                return counts
        corpora = self.experiment.config["corpora"]
        share = float(corpora["validation_share"])
        if part == "train":
            share = 1 - share - float(corpora["test_share"])
        tokens = share * self.expected_tokens(self.experiment.languages[tag])
        sentences = tokens / TOKENS_PER_SENTENCE
        articles = sentences / SENTENCES_PER_ARTICLE
        letters = tokens * LETTERS_PER_TOKEN
        return {"letters": letters, "tokens": tokens, "sentences": sentences, "articles": articles}

    def expected_tokens(self, language: Language) -> float:
        """How many a language's cleaned text will have: as its entry says, else by the size of its files."""
        corpus = language.entry.get("corpus")
        if corpus is None:
            return 0
        if "tokens" in language.entry:
            return float(language.entry["tokens"])
        sample = float(corpus.get("sample", 1))
        if not language.has_own_text:
            size = self._size(wikipedia_dump(corpus["wikipedia"], corpus["date"]).mirror_path)
            return sample * size / DUMP_BYTES_PER_TOKEN if size else TOKENS_UNKNOWN * sample
        try:
            files = own_files(corpus.get("text") or corpus["dump"])
            packed = sum(path.stat().st_size for path in files if path.suffix in (".bz2", ".gz", ".xz", ".zip", ".zst"))
            plain = sum(path.stat().st_size for path in files) - packed
        except (SpecializeError, OSError):  # for its own job to report
            return TOKENS_UNKNOWN
        return sample * (packed / DUMP_BYTES_PER_TOKEN + plain / TEXT_BYTES_PER_TOKEN)

    def _size(self, mirror_path: str) -> int | None:
        """Bytes of a published file, if the run or a mirror on disk has it."""
        path = self._published(mirror_path)
        return path.stat().st_size if path else None

    def _published(self, mirror_path: str) -> Path | None:
        mirror = self.experiment.config["mirror"]
        places = [self.run / "resources" / mirror_path, *([Path(mirror, mirror_path)] if mirror else [])]
        return next((path for path in places if path.is_file()), None)

    def labeled(self, language: Language, task: str, part: str) -> Labeled:
        """Counts of a part of a language's labeled data, or of each fold's part: as they are, or as expected."""
        known = self.known(language, task, part)
        if known is None and language.folds(task):
            return _of_a_fold(_together(map(_expected, PARTS)), part, language.folds(task))
        return known or _expected(part)

    def known(self, language: Language, task: str, part: str) -> Labeled | None:
        """The same, but nothing if the data are not here; of a fold's part the mean over folds."""
        folds = language.folds(task)
        if not folds:
            return self._found(language, task, part)
        everything = self._found(language, task, "all")
        if everything is None:
            there = list(filter(None, (self._found(language, task, one) for one in PARTS)))
            everything = _together(there) if there else None
        return everything and _of_a_fold(everything, part, folds)

    def _found(self, language: Language, task: str, part: str) -> Labeled | None:
        """Counts of a file of labeled data that is here: as it was prepared, of one's own, or as published."""
        ending = ENDINGS[data_of(task)]
        entry = language.entry.get(data_of(task), {})
        places = [
            self.run / f"results/datasets/{tag}/{'ner/' if task == 'ner' else ''}{part}.{ending}"
            for tag in (language.tag, language.original)
            if tag
        ]
        if "folder" in entry:
            places.append(Path(entry["folder"], f"{part}.{ending}"))
        elif part in PARTS and (
            source := usual_file(entities_origin(entry) if task == "ner" else treebank_origin(entry), part)
        ):
            places += [path for path in [self._published(source.mirror_path)] if path]
        for path in places:
            with contextlib.suppress(OSError):  # it is not there, or cannot be read, for its own job to report
                if path not in self._counted:
                    self._counted[path] = count_labeled(path)
                return self._counted[path]
        return None


def read_if_whole(path: Path) -> dict[str, Any]:
    """What a file of a run says; nothing if it is missing or broken, which is for its own job to report."""
    try:
        read = read_json(path)
    except (InputError, OSError):
        return {}
    return read if isinstance(read, dict) else {}


def _together(parts: Iterable[Labeled]) -> Labeled:
    return Labeled(*map(sum, zip(*parts, strict=True)))


def _of_a_fold(everything: Labeled, part: str, folds: int) -> Labeled:
    """Counts of a part of each fold, of which one is the test part and one the development part."""
    share = (folds - 2 if part == "train" else 1) / folds
    return Labeled(*(round(share * number) for number in everything))


def _expected(part: str) -> Labeled:
    """Counts of a part of labeled data that are not here yet."""
    return Labeled(LABELED_SENTENCES[part], LABELED_SENTENCES[part] * WORDS_PER_SENTENCE)


def count_labeled(path: Path) -> Labeled:
    """Sentences and words of a labeled file, counted quickly: blank lines, and lines that begin a word."""
    sentences = words = 0
    inside = False
    for line in path.read_bytes().splitlines():
        blank, comment = not line.strip(), line.startswith(b"#")
        sentences += blank and inside
        inside = not blank and (inside or not comment)
        words += not blank and not comment and not (path.suffix == ".conllu" and not line.partition(b"\t")[0].isdigit())
    return Labeled(sentences + inside, words)
