"""A labeled data set, and the tasks that are learned from it together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from specialize.datasets import PARTS
from specialize.errors import InputError
from specialize.finetuning.settings import FinetuningSettings
from specialize.finetuning.tasks import Task, task_named


@dataclass(frozen=True)
class DataSet:
    """Labeled sentences, and the tasks that are learned from them together.

    Attributes:
        tasks: at least one; all read the same files.
        files: by part (train, dev, test).
        sentences: by part.
    """

    tasks: list[Task[Any]]
    files: dict[str, Path]
    sentences: dict[str, list[Any]]

    @classmethod
    def read(cls, names: list[str], folders: Mapping[str, Path], settings: FinetuningSettings) -> DataSet:
        """Read a data set; the tasks get the labels of its training part.

        Args:
            names: of the tasks.
            folders: of the files, by their ending (`conllu` or `tsv`).
            settings: for the tasks.

        Raises:
            InputError: if a file is broken, or has none of a task's labels.
        """
        punctuation = settings.alt_punctuation if len(names) > 1 else "upos"
        tasks = [task_named(name, settings.tags, (), settings.development_punctuation, punctuation) for name in names]
        ending = tasks[0].ending
        files = {part: folders[ending] / f"{part}.{ending}" for part in PARTS}
        sentences = {part: tasks[0].read(path) for part, path in files.items()}
        for task in tasks:
            task.labels = sorted({label for sentence in sentences["train"] for label in task.label_names(sentence)})
            if set(task.labels) <= {"_", ""}:
                remedy = "set the treebank's tags to upos or xpos, whichever it has"
                raise InputError(files["train"], "has _ in place of every label", remedy=remedy)
        return cls(tasks, files, sentences)

    def words(self, part: str) -> Iterator[str]:
        """All words of a part."""
        for sentence in self.sentences[part]:
            yield from self.tasks[0].words(sentence)
