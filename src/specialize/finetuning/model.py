"""A task model: encoder and heads, training loss, prediction, saving and loading."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from specialize.errors import InputError
from specialize.files import read_json, write_json
from specialize.finetuning.encoder import WordBatch, WordEncoder, WordPieces
from specialize.finetuning.heads import Decoded, Parser
from specialize.finetuning.layout import EncodedSentences
from specialize.finetuning.tasks import Task, task_named
from specialize.training.devices import device
from specialize.training.feeding import on_device

if TYPE_CHECKING:
    from specialize.finetuning.recurrent import NumberedBatch, StaticEncoder, StaticWords

Encoder: TypeAlias = "WordEncoder | StaticEncoder"
Pieces: TypeAlias = "WordPieces | StaticWords"
Words: TypeAlias = "WordBatch | NumberedBatch"
Targets = dict[str, list[Tensor]]  # by task, what its loss takes besides vectors and layout

HEADS = "heads.safetensors"
# Sentences decoded at a time: on a CPU larger batches leave the cache and are slower, on a GPU they are faster.
DECODING_BATCH_SIZE = {"cpu": 32, "cuda": 256}
# Pairs of words that a parser compares at a time, unless one sentence has more: about 3 GB for 40 relations.
PAIRS = 8_000_000


class TaskModel(nn.Module):
    """An encoder shared by one or several tasks, with a head for each task.

    Attributes:
        tasks: by name.
        first: for each task, the first task of its data set, which names their common BiLSTM.
        transliteration: how text becomes what it reads, if it is a transliterated twin's; see
            `datasets.described_transliteration`.

    Args:
        encoder: computes word vectors.
        pieces: turns words into the encoder's input.
        datasets: for each data set, the tasks that are learned from it together, with their labels.
        heads: settings of each task's head.
        task_encoders: sizes of the BiLSTM between static vectors and heads, by the first task of each data set; None
            for a transformer, which needs none.
    """

    def __init__(
        self,
        encoder: Encoder,
        pieces: Pieces,
        datasets: list[list[Task[Any]]],
        heads: dict[str, dict[str, Any]],
        task_encoders: dict[str, dict[str, Any]] | None = None,
    ) -> None:
        super().__init__()
        self.encoder: Encoder
        self.pieces: Pieces
        self.encoder, self.pieces = encoder, pieces
        self.tasks = {task.name: task for tasks in datasets for task in tasks}
        self.settings, self.task_encoders = heads, task_encoders
        self.transliteration: dict[str, Any] | None = None
        self.first = {task.name: tasks[0].name for tasks in datasets for task in tasks}
        self.between, self.heads = nn.ModuleDict(), nn.ModuleDict()
        for tasks in datasets:
            width = encoder.width
            if task_encoders is not None:
                from specialize.finetuning.recurrent import TaskEncoder  # its import takes time

                sizes = task_encoders[tasks[0].name]
                self.between[tasks[0].name] = TaskEncoder(width, **sizes)
                width = 2 * sizes["hidden_size"]
            for task in tasks:
                self.heads[task.name] = task.head(width, heads[task.name])

    def keep_only(self, task: str) -> None:
        """Drop the heads of all other tasks (fact 36)."""
        first = self.first[task]
        if self.task_encoders is not None:
            self.between = nn.ModuleDict({task: self.between[first]})
            self.task_encoders = {task: self.task_encoders[first]}
        self.heads = nn.ModuleDict({task: self.heads[task]})
        self.tasks, self.first = {task: self.tasks[task]}, {task: task}

    def _vectors(self, words: Words, task: str) -> Tensor:
        vectors: Tensor = self.encoder(words)
        if self.task_encoders is not None:
            vectors = self.between[self.first[task]](vectors, words.layout)
        return vectors

    def loss(self, words: Words, targets: Targets) -> Tensor:
        """The sum of the losses of the tasks that are learned from a batch, which is from one data set."""
        vectors = self._vectors(words, next(iter(targets)))
        losses = [
            self.heads[task].loss(vectors, words.layout, *its_targets)  # type: ignore[operator]
            for task, its_targets in targets.items()
        ]
        return torch.stack(losses).sum()

    def predict(self, task: str, sentences: list[Any], batch_size: int | None = None) -> list[Any]:
        """Copies of sentences with predicted labels of a task, in the order given.

        Sentences are batched by length. The batch size is halved whenever a batch does not fit the GPU's memory; a CPU
        cannot say that memory is short, so that a parser gets fewer sentences if they are very long.

        Args:
            task: its name.
            sentences: their own labels have no effect.
            batch_size: sentences decoded at a time; by default what suits the device.
        """
        batch_size = batch_size or DECODING_BATCH_SIZE[device().type]
        encoded = EncodedSentences.of(self.pieces.encode(self.tasks[task].words(sentence)) for sentence in sentences)
        remaining = numpy.argsort(encoded.sizes, kind="stable")
        predicted: list[Any] = [None] * len(sentences)
        while len(remaining):
            chosen = remaining[:batch_size]
            if device().type == "cpu" and isinstance(self.heads[task], Parser):
                longest = numpy.maximum.accumulate(encoded.lengths[chosen])
                fitting = longest**2 * numpy.arange(1, len(chosen) + 1) <= PAIRS
                chosen = chosen[: max(1, fitting.sum())]
            try:
                decoded = self._decode(task, encoded.chosen(chosen))
            except torch.OutOfMemoryError:
                if len(chosen) == 1:
                    raise
                batch_size = len(chosen) // 2
                continue
            for index, labels in zip(chosen, decoded, strict=True):
                predicted[index] = self.tasks[task].labeled(sentences[index], labels)
            remaining = remaining[len(chosen) :]
        return predicted

    @torch.no_grad()
    def _decode(self, task: str, sentences: EncodedSentences) -> Decoded:
        words = self.pieces.collate(sentences, self.encoder.longest)
        words = on_device(words, next(self.parameters()).device)
        decoded: Decoded = self.heads[task].decode(self._vectors(words, task), words.layout)  # type: ignore[operator]
        return decoded

    def files(self, source: Path) -> list[Path]:
        """The files of the folder the model was loaded from that its weights depend on."""
        names = list(self.encoder.files)
        if is_finetuned(source):
            names.append(HEADS)
        return [source / name for name in names]

    def save(self, folder: Path, source: Path) -> None:
        """Write the encoder in its own format, and all other weights and task.json beside it.

        Args:
            folder: a new folder.
            source: the folder the encoder was loaded from.
        """
        self.encoder.save(folder, source)
        saved = self.encoder.saved_apart
        rest = {name: value for name, value in self.state_dict().items() if not name.startswith(saved)}
        save_file(rest, folder / HEADS)
        datasets: dict[str, list[str]] = {}
        for task, first in self.first.items():
            datasets.setdefault(first, []).append(task)
        tasks = {
            name: {"tags": getattr(task, "tags", None), "labels": task.labels, "head": self.settings[name]}
            for name, task in self.tasks.items()
        }
        description = {"datasets": list(datasets.values()), "tasks": tasks, "task_encoders": self.task_encoders}
        description["transliteration"] = self.transliteration
        write_json(folder / "task.json", description | self.pieces.description | self.encoder.description)


def is_finetuned(folder: Path) -> bool:
    """Whether a folder was written by `TaskModel.save`."""
    return (folder / "task.json").is_file()


def load_model(
    folder: Path, layer_dropout: float = 0.0, dropout_when_evaluating: bool = False, precision: str | None = None
) -> TaskModel:
    """Load what `TaskModel.save` wrote.

    Args:
        folder: the model folder, or the finetuning folder that contains it.
        layer_dropout, dropout_when_evaluating: see `encoder.ScalarMix`; for further training.
        precision: see `encoder.WordEncoder`; None: the setting that it was trained with.

    Raises:
        InputError: if there is no such model.
    """
    folder = folder / "model" if (folder / "model").is_dir() else folder
    if not is_finetuned(folder):
        raise InputError(folder, "holds no finetuned model", remedy="run the finetuning with --config keep_models=true")
    description = read_json(folder / "task.json")
    tasks = {name: task_named(name, saved["tags"], saved["labels"]) for name, saved in description["tasks"].items()}
    model = TaskModel(
        *_encoder(folder, description, layer_dropout, dropout_when_evaluating, precision),
        [[tasks[name] for name in names] for names in description["datasets"]],
        {name: saved["head"] for name, saved in description["tasks"].items()},
        description["task_encoders"],
    )
    model.transliteration = description.get("transliteration")  # models of earlier versions do not say
    loaded = model.load_state_dict(load_file(folder / HEADS), strict=False)
    missing = [name for name in loaded.missing_keys if not name.startswith(model.encoder.saved_apart)]
    if missing or loaded.unexpected_keys:
        raise InputError(folder / HEADS, f"does not fit task.json ({[*missing, *loaded.unexpected_keys][:3]})")
    return model.to(device()).eval()


def _encoder(
    folder: Path,
    description: dict[str, Any],
    layer_dropout: float,
    dropout_when_evaluating: bool,
    precision: str | None,
) -> tuple[Encoder, Pieces]:
    if description["task_encoders"] is not None:
        from specialize.finetuning.recurrent import StaticEncoder, StaticWords
        from specialize.pretraining.static_vectors import StaticVectors

        words = StaticWords(StaticVectors(folder), description["words"], description["unknown_words"])
        return StaticEncoder(words.first_vectors()), words
    encoder = WordEncoder(folder, layer_dropout, dropout_when_evaluating, precision or description["precision"])
    return encoder, WordPieces(folder, description["leading_space"])
