"""Finetuned models as one tagger: tags, trees and entities of sentences of words."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from specialize.datasets import (
    COLUMNS,
    DEPREL,
    HEAD,
    LONGEST_SENTENCE,
    NO_HEAD,
    UPOS,
    XPOS,
    EntitySentence,
    Sentence,
    Word,
    token_converter,
    warning_of_letters_left,
)
from specialize.errors import InputError, SpecializeError
from specialize.finetuning.drafts import NAMES
from specialize.finetuning.heads import Parser
from specialize.finetuning.model import TaskModel, is_finetuned, load_model
from specialize.finetuning.raw_text import Words, sentences_of
from specialize.finetuning.tasks import Parsing, Tagging, Task
from specialize.run_command import command_that_makes, run_of

SHOWN = 5  # words of a sentence that is refused
JOBS = "results/finetuning/**/seed*/metrics.json"


@dataclass
class Analysis:
    """What models say of a sentence.

    Attributes:
        columns: by their places in a row of CoNLL-U, the value for each word.
        labels: IOB2 labels of named entities; None if no model knows any.
        read: the words as the model of a transliterated twin reads them; None if no model is one's.
    """

    columns: dict[int, list[str]] = field(default_factory=dict)
    labels: tuple[str, ...] | None = None
    read: list[str] | None = None


@dataclass(frozen=True)
class AnalysedWord:
    """A word with what was predicted of it; None for what no model predicts.

    Attributes:
        form: as it is written.
        upos, xpos, deprel: as in CoNLL-U.
        head: number of the head word in the sentence, from 1; 0 for the root.
        entity: IOB2 label.
    """

    form: str
    upos: str | None = None
    xpos: str | None = None
    head: int | None = None
    deprel: str | None = None
    entity: str | None = None


@dataclass(frozen=True)
class AnalysedSentence:
    """A sentence of a text.

    Attributes:
        text: as it is written.
        words: in their order.
    """

    text: str
    words: tuple[AnalysedWord, ...]


class Models:
    """One finetuned model, or several that predict different things.

    Attributes:
        columns: that they predict, by their places in a row of CoNLL-U, with the model's folder.
        entities: the folder of the model that knows named entities, if one does.

    Args:
        folders: finetuning folders with their model kept.

    Raises:
        InputError: if there is no model, or two predict the same.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        for folder in folders:
            _require_model(folder)
        self.columns: dict[int, Path] = {}
        self.entities: Path | None = None
        self._models: list[tuple[TaskModel, Callable[[str], str] | None]] = []
        self._seen: Counter[str] = Counter()
        for folder in folders:
            model = load_model(folder)
            self._claim(folder, model)
            known = model.transliteration
            self._models.append((model, token_converter(known["scheme"], known["language"]) if known else None))

    def _claim(self, folder: Path, model: TaskModel) -> None:
        """Note what a model predicts; of a parser ask for trees of one root, however it was trained."""
        for name, task in model.tasks.items():
            columns = _columns(task)
            known = [self.columns[column] for column in columns if column in self.columns]
            other = self.entities if name == "ner" else next(iter(known), None)
            if other is not None:
                what = " and ".join(NAMES[column] for column in columns) or "named entities"
                raise InputError(folder, f"predicts {what}, and so does {other}", remedy="leave one of the two out")
            self.columns.update(dict.fromkeys(columns, folder))
            if name == "ner":
                self.entities = folder
            head = model.heads[name]
            if isinstance(head, Parser):
                head.single_root = True

    def analyse(self, sentences: Sequence[list[str]], entities_only: bool = False) -> list[Analysis]:
        """What the models say of sentences of words, at least one word each.

        Args:
            sentences: their words, as they are written.
            entities_only: leave tags and trees out.

        Raises:
            SpecializeError: if one is too long for a parser.
        """
        for words in sentences:
            if problem := "" if entities_only else self.problem_of(words):
                raise SpecializeError(f"the text {problem} ({' '.join(words[:SHOWN])} …); break its line")
        found = [Analysis() for _ in sentences]
        for model, convert in self._models:
            read = [list(map(convert, words)) if convert else words for words in sentences]
            if convert:
                self._seen.update(chain.from_iterable(sentences))
                for analysis, words in zip(found, read, strict=True):
                    analysis.read = words
            for name, task in model.tasks.items():
                if name == "ner":
                    blank = [EntitySentence(tuple(words), ("O",) * len(words)) for words in read]
                    for analysis, entities in zip(found, model.predict(name, blank), strict=True):
                        analysis.labels = entities.labels
                elif not entities_only:
                    for analysis, sentence in zip(found, model.predict(name, list(map(_blank, read))), strict=True):
                        rows = [line.split("\t") for line in sentence.lines]
                        analysis.columns.update({column: [row[column] for row in rows] for column in _columns(task)})
        return found

    def problem_of(self, words: Sequence[str]) -> str:
        """Why a sentence cannot be parsed: memory and time grow with the square of its words. Empty if it can."""
        if HEAD not in self.columns or len(words) <= LONGEST_SENTENCE:
            return ""
        return f"has a sentence of {len(words):,} words, and a parser reads at most {LONGEST_SENTENCE:,}"

    def warnings(self) -> list[str]:
        """What is to be said of the text that was analysed so far."""
        converters = [convert for _, convert in self._models if convert]
        return [warning for convert in converters if (warning := warning_of_letters_left(self._seen, convert))]

    def tag(self, text: str) -> list[AnalysedSentence]:
        """Analyse a text, which is parted into sentences and words; see `raw_text`.

        Args:
            text: a paragraph a line.

        Returns:
            Its sentences, as the models predict them; `predict` writes the same in a form that UD accepts.

        Raises:
            SpecializeError: if one is too long for a parser.
        """
        parted = Words()
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        texts = [sentence for _, sentence in sentences_of(lines)]
        sentences = [parted.of(one) for one in texts]
        return [
            AnalysedSentence(written, tuple(_words(words, analysis)))
            for written, words, analysis in zip(texts, sentences, self.analyse(sentences), strict=True)
        ]


def load(*folders: Path | str) -> Models:
    """Load a finetuned model, or several that predict different things, to tag text with.

    Args:
        folders: finetuning folders with their model kept, or those models' folders.

    Raises:
        InputError: if there is no model, or two predict the same.
    """
    return Models([Path(folder) for folder in folders])


def _columns(task: Task[Any]) -> list[int]:
    """The columns of CoNLL-U that a task predicts."""
    if isinstance(task, Parsing):
        return [HEAD, DEPREL]
    if isinstance(task, Tagging):
        return [XPOS if task.tags == "xpos" else UPOS]
    return []


def _blank(words: list[str]) -> Sentence:
    """A sentence of CoNLL-U without any analysis."""
    rows = ["\t".join([str(number), word, *["_"] * (COLUMNS - 2)]) for number, word in enumerate(words, start=1)]
    return Sentence(tuple(Word(word, "_", "_", NO_HEAD, "_", row) for row, word in enumerate(words)), tuple(rows))


def _words(words: list[str], analysis: Analysis) -> list[AnalysedWord]:
    columns = analysis.columns
    return [
        AnalysedWord(
            form,
            upos=columns[UPOS][place] if UPOS in columns else None,
            xpos=columns[XPOS][place] if XPOS in columns else None,
            head=int(columns[HEAD][place]) if HEAD in columns else None,
            deprel=columns[DEPREL][place] if DEPREL in columns else None,
            entity=analysis.labels[place] if analysis.labels is not None else None,
        )
        for place, form in enumerate(words)
    ]


def _require_model(folder: Path) -> None:
    """Refuse a folder without a model, with the command that makes it if it is a job's whose model was not kept.

    Raises:
        InputError: with it, or with what the run has.
    """
    if is_finetuned(folder) or is_finetuned(folder / "model"):
        return
    job = folder.parent if folder.name == "model" else folder
    problem = "holds no finetuned model" if job.exists() else "there is no such folder"
    run = run_of(job)
    if run is None:
        example = "runs/latgalian/results/finetuning/ltg/tva/ud/seed1"
        raise InputError(folder, problem, remedy=f"give a job's, such as {example}, of a run with keep_models=true")
    if not (job / "metrics.json").is_file():
        jobs = sorted({path.parent for start in ("", "*/") for path in run.glob(start + JOBS)})  # a module has a prefix
        kept = [path for path in jobs if is_finetuned(path / "model")]
        near = difflib.get_close_matches(str(job.absolute()), map(str, kept or jobs), n=3, cutoff=0)
        remedy = f"the run has {', '.join(near)}" if near else "the run has no finetuned model yet"
        problem += ", and is no job that has ended" if job.exists() else ""
        raise InputError(folder, problem, remedy=remedy)
    target = job.absolute().relative_to(run) / "model"
    command = command_that_makes(run, target, keep_models=True)
    if command is None:
        command = f"snakemake {target} with the run's --directory and --configfile, and --config keep_models=true"
    raise InputError(folder, f"{problem}, since models are kept only if asked for", remedy=f"this makes it: {command}")
