"""One finetuning job: an encoder, one task, one seed."""

from __future__ import annotations

import gc
import platform
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from specialize import __version__
from specialize.errors import InputError
from specialize.files import atomic_path, read_json, write_json
from specialize.finetuning.encoder import WordEncoder, WordPieces
from specialize.finetuning.model import Encoder, Pieces, TaskModel, Words
from specialize.finetuning.tasks import Task, task_named
from specialize.training import (
    AdamW,
    Checkpoint,
    EpochScalars,
    Fit,
    checkpoint_in,
    decayed_groups,
    device,
    fit,
    inverse_square_root_schedule,
    seed_everything,
)

EPSILON = 1e-8  # fact 24
LENGTH_NOISE = 0.1  # batches are of similar, not of equal length

Chosen = NDArray[Any]  # the numbers of some sentences


@dataclass(frozen=True)
class FinetuningSettings:
    """Resolved hyperparameters of one job (paper, Table 5; facts 22 to 31).

    Attributes:
        unknown_words: what stands for a word without a static vector of its own; see `recurrent.StaticWords`.
        precision: of the encoder's matrix products: `float32`, or `bfloat16`; weights and optimiser stay in float32.
        development_punctuation: whether the development LAS counts punctuation, as the test LAS does (fact 32).
        seeds: of numpy, torch, python.
        tags: the column that POS tagging predicts; None for other tasks.
        head: the head's own settings.
        task_encoder: the BiLSTM's between static vectors and head; None on a pretrained transformer.
    """

    threads: int
    epochs: int
    patience: int
    frozen_epochs: int
    schedule: str
    learning_rate: float
    encoder_multiplier: float
    weight_decay: float
    gradient_norm: float
    bias_correction: bool
    layer_dropout: float
    layer_dropout_when_evaluating: bool
    leading_space: bool
    unknown_words: str
    precision: str
    development_punctuation: bool
    batch_size: int
    seeds: list[int]
    tags: str | None
    head: dict[str, Any]
    task_encoder: dict[str, Any] | None


class TrainingSentences:
    """Training sentences in batches of similar length, in another order every epoch.

    Args:
        pieces: turns words into pieces.
        sentences: for each sentence, for each word, its pieces.
        targets: for each sentence, the numbers that the loss takes.
        batch_size: sentences a batch.
        longest: the most pieces of a segment.
        seed: of the order.
        units: of how many units the loss of so many sentences with so many words is the mean.
    """

    def __init__(
        self,
        pieces: Pieces,
        sentences: list[list[list[int]]],
        targets: list[list[list[int]]],
        batch_size: int,
        longest: int,
        seed: int,
        units: Callable[[int, int], int],
    ) -> None:
        self.pieces, self.sentences, self.targets = pieces, sentences, targets
        self.batch_size, self.longest, self.seed, self.units = batch_size, longest, seed, units
        self.lengths = numpy.asarray([sum(map(len, sentence)) for sentence in sentences])

    def steps(self) -> int:
        """Batches in an epoch."""
        return -(-len(self.sentences) // self.batch_size)

    def epoch(self, number: int) -> Iterator[Chosen]:
        """Batches of one epoch: the numbers of their sentences."""
        generator = numpy.random.default_rng([self.seed, number])
        noise = generator.uniform(1 - LENGTH_NOISE, 1 + LENGTH_NOISE, len(self.lengths))
        order = numpy.argsort(self.lengths * noise, kind="stable")
        for step in generator.permutation(self.steps()):
            yield order[step * self.batch_size : (step + 1) * self.batch_size]

    def parts(self, batch: Chosen, number: int) -> list[tuple[float, Chosen]]:
        """A batch in so many parts with their shares of its loss; see `training.Loader`."""
        parts = numpy.array_split(batch, min(number, len(batch)))
        return [(self._units(part) / self._units(batch), part) for part in parts]

    def _units(self, chosen: Chosen) -> int:
        return self.units(len(chosen), sum(len(self.sentences[index]) for index in chosen))

    def tensors(self, chosen: Chosen) -> tuple[Words, list[Tensor]]:
        """Some sentences and what the head's loss takes, each (sentences, longest), 0 where there is no word."""
        words = self.pieces.collate([self.sentences[index] for index in chosen], self.longest)
        kinds = zip(*(self.targets[index] for index in chosen), strict=True)
        return words, [_padded(list(rows), words.mask) for rows in kinds]


def _padded(rows: list[list[int]], mask: Tensor) -> Tensor:
    padded = torch.zeros(mask.shape, dtype=torch.int64)
    padded[mask.cpu()] = torch.tensor([number for row in rows for number in row], dtype=torch.int64)
    return padded.to(mask.device)


def finetune(
    encoder_folder: Path,
    data: Path,
    cell: dict[str, Any],
    settings: FinetuningSettings,
    folder: Path,
    keep_model: bool,
    checkpoints: Path | None = None,
    scalars: Path | None = None,
    shared: Path | None = None,
) -> None:
    """Train a task's model, keep its best epoch by the development score, and score the test data once.

    Writes metrics.json, predictions of the test data, history.json (loss and development scores of each epoch),
    timing.json, and model/ if it is to be kept. Nothing is trained on an encoder that did not converge; metrics.json
    says so.

    Args:
        encoder_folder: the pretrained encoder, or static vectors.
        data: folder of {train,dev,test} files.
        cell: `language`, `representation`, `regime` and `seed`, as they shall stand in metrics.json.
        settings: hyperparameters.
        folder: an existing folder that everything is written to, each file atomically.
        keep_model: keep the model for `predict`.
        checkpoints: a folder for this job's state, so that it goes on after it was cut off.
        shared: a folder for segmented words, which jobs with the same data and vocabulary share.
        scalars: a folder for each epoch's figures in TensorBoard's format.

    Raises:
        InputError: if a labeled file is broken.
        SpecializeError: if the training was stopped by a signal.
    """
    started = time.monotonic()
    task = task_named(cell["regime"], settings.tags, development_punctuation=settings.development_punctuation)
    parts = {part: data / f"{part}.{task.ending}" for part in ("train", "dev", "test")}
    sentences = {part: task.read(path) for part, path in parts.items()}
    task.labels = sorted({label for sentence in sentences["train"] for label in task.label_names(sentence)})
    if task.labels == ["_"]:
        remedy = "set the treebank's tags to upos or xpos, whichever it has"
        raise InputError(parts["train"], "has _ in place of every label", remedy=remedy)

    numpy_seed, torch_seed, python_seed = settings.seeds
    seed_everything(numpy_seed, torch_seed, python_seed, settings.threads)
    words = {part: [word for sentence in some for word in task.words(sentence)] for part, some in sentences.items()}
    encoder, pieces = _encoder(encoder_folder, settings, words, shared)
    model = TaskModel(encoder, pieces, task, settings.head).to(device())
    training = TrainingSentences(
        model.pieces,
        [model.pieces.encode(task.words(sentence)) for sentence in sentences["train"]],
        [task.targets(sentence) for sentence in sentences["train"]],
        settings.batch_size,
        encoder.longest,
        numpy_seed,
        model.head.units,  # type: ignore[arg-type]
    )
    gc.freeze()  # all of this stays; to look through it for garbage again and again takes tenths of seconds

    def evaluate() -> dict[str, float]:
        scores = task.scores(sentences["dev"], model.predict(sentences["dev"]))
        return {name: round(value, 6) for name, value in scores.items()}

    broken = _unconverged(encoder_folder)
    epochs = 0 if broken else settings.epochs
    inputs = [*(encoder_folder / name for name in encoder.files), *parts.values()]
    with checkpoint_in(checkpoints, vars(settings), inputs) as checkpoint, EpochScalars(scalars) as watched:
        outcome = _fit(model, training, settings, epochs, task, evaluate, checkpoint, watched.add)
        decoding_started = time.monotonic()
        predicted = model.predict(sentences["test"])
        decoding_seconds = time.monotonic() - decoding_started
        predictions = folder / f"predictions.{task.ending}"
        task.write(predictions, predicted)
        best = next((record for record in outcome.history if record["epoch"] == outcome.best_epoch), None)
        development = {
            name: value for name, value in (best or evaluate()).items() if name not in ("epoch", "training_loss")
        }
        test = {name: round(value, 6) for name, value in task.file_scores(parts["test"], predictions).items()}
        reason = (
            broken or outcome.reason or ("the development score stayed 0" if development[task.metric] == 0 else None)
        )
        converged = {"converged": reason is None} | ({"reason": reason} if reason else {})
        if keep_model:
            with atomic_path(folder / "model") as temporary:
                model.save(temporary, encoder_folder)
        trained = len(outcome.history)
        write_json(
            folder / "timing.json",
            {
                "seconds": round(time.monotonic() - started, 2),
                "training_seconds": round(outcome.seconds, 2),
                "epochs": trained,
                "training_sentences_per_second": round(trained * len(sentences["train"]) / (outcome.seconds or 1), 1),
                "decoding_sentences_per_second": round(len(predicted) / decoding_seconds, 1),
                "parts_of_a_batch": outcome.parts,
                "peak_memory_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
                "host": platform.node(),
                "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
            },
        )
        write_json(folder / "history.json", {"best_epoch": outcome.best_epoch, **converged, "epochs": outcome.history})
        write_json(
            folder / "metrics.json",
            {
                **cell,
                "version": __version__,
                "hyperparameters": vars(settings),
                "best_epoch": outcome.best_epoch,
                **converged,
                "scores": {"dev": {task.name: development}, "test": {task.name: test}},
            },
        )


def _encoder(
    folder: Path, settings: FinetuningSettings, words: dict[str, list[str]], shared: Path | None
) -> tuple[Encoder, Pieces]:
    if settings.task_encoder:
        from specialize.finetuning.recurrent import RecurrentEncoder, StaticWords
        from specialize.pretraining.static_vectors import StaticVectors  # its import takes time

        static = StaticWords(StaticVectors(folder), words["train"], settings.unknown_words)
        return RecurrentEncoder(static.first_vectors(), **settings.task_encoder), static
    pieces = WordPieces(folder, settings.leading_space)
    if shared:
        pieces.share(chain.from_iterable(words.values()), shared)
    encoder = WordEncoder(folder, settings.layer_dropout, settings.layer_dropout_when_evaluating, settings.precision)
    return encoder, pieces


def _unconverged(encoder_folder: Path) -> str | None:
    """Why a pretrained encoder did not converge; None if it did, or nothing is known of its training."""
    path = encoder_folder / "history.json"
    history = read_json(path) if path.is_file() else {}
    return None if history.get("converged", True) else f"the encoder did not converge: {history['reason']}"


def _fit(
    model: TaskModel,
    training: TrainingSentences,
    settings: FinetuningSettings,
    epochs: int,
    task: Task[Any],
    evaluate: Any,
    checkpoint: Checkpoint | None,
    after_epoch: Callable[[dict[str, float]], None],
) -> Fit:
    encoder_rate = settings.encoder_multiplier * settings.learning_rate
    rest = nn.ModuleList([model.encoder.added, model.head])
    groups = [
        *decayed_groups(model.encoder.pretrained, encoder_rate, settings.weight_decay),
        *decayed_groups(rest, settings.learning_rate, settings.weight_decay),
    ]
    optimizer = AdamW(groups, EPSILON, settings.bias_correction)
    if settings.schedule == "constant":
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
    else:
        schedule = inverse_square_root_schedule(optimizer, training.steps())

    def freeze(epoch: int) -> None:
        model.encoder.frozen = epoch <= settings.frozen_epochs

    return fit(
        model,
        optimizer,
        schedule,
        training,
        lambda chosen: model.loss(*training.tensors(chosen)),
        evaluate,
        score=task.metric,
        epochs=epochs,
        gradient_norm=settings.gradient_norm,
        patience=settings.patience,
        before_epoch=freeze,
        after_epoch=after_epoch,
        checkpoint=checkpoint,
    )
