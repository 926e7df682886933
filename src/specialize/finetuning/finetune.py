"""One finetuning job: an encoder, one task or several, one seed."""

from __future__ import annotations

import gc
import platform
import resource
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import nn

from specialize import __version__
from specialize.errors import InputError
from specialize.files import atomic_path, read_json, write_json
from specialize.finetuning.batches import MixedBatches, TrainingSentences
from specialize.finetuning.encoder import WordEncoder, WordPieces
from specialize.finetuning.model import Encoder, Pieces, TaskModel, is_finetuned, load_model
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


@dataclass(frozen=True)
class FinetuningSettings:
    """Resolved hyperparameters of one job (paper, Table 5; facts 22 to 31).

    Attributes:
        unknown_words: what stands for a word without a static vector of its own; see `recurrent.StaticWords`.
        precision: of the encoder's matrix products: `float32`, or `bfloat16`; weights and optimiser stay in float32.
        development_punctuation: whether the development LAS counts punctuation, as the test LAS does (fact 32).
        alt_punctuation: the column that tells punctuation to a parser that learns together with a tagger (ALT), `upos`
            or `xpos`, where the development LAS does not count it (fact 32).
        seeds: of numpy, torch, python.
        tags: the column that POS tagging predicts; None for other tasks.
        datasets: the tasks, those in one list that are learned together from the same sentences.
        upsample, order: of the data sets' batches; see `batches.MixedBatches`.
        heads: each task's own settings.
        task_encoders: sizes of the BiLSTM between static vectors and heads, by the first task of each data set; None on
            a pretrained transformer.
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
    alt_punctuation: str
    batch_size: int
    seeds: list[int]
    tags: str | None
    datasets: list[list[str]]
    upsample: bool
    order: str
    heads: dict[str, dict[str, Any]]
    task_encoders: dict[str, dict[str, Any]] | None


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

        Raises:
            InputError: if a file is broken, or has none of a task's labels.
        """
        punctuation = settings.alt_punctuation if len(names) > 1 else "upos"
        counted = settings.development_punctuation
        tasks = [task_named(name, settings.tags, (), counted, punctuation) for name in names]
        ending, read = tasks[0].ending, tasks[0].read
        files = {part: folders[ending] / f"{part}.{ending}" for part in ("train", "dev", "test")}
        sentences = {part: read(path) for part, path in files.items()}
        for task in tasks:
            task.labels = sorted({label for sentence in sentences["train"] for label in task.label_names(sentence)})
            if task.labels == ["_"]:
                remedy = "set the treebank's tags to upos or xpos, whichever it has"
                raise InputError(files["train"], "has _ in place of every label", remedy=remedy)
        return cls(tasks, files, sentences)

    def words(self, part: str) -> Iterator[str]:
        """All words of a part."""
        return (word for sentence in self.sentences[part] for word in self.tasks[0].words(sentence))


def finetune(
    start: Path,
    data: Mapping[str, Path],
    cell: dict[str, Any],
    settings: FinetuningSettings,
    folder: Path,
    keep_model: bool,
    checkpoints: Path | None = None,
    scalars: Path | None = None,
    shared: Path | None = None,
) -> None:
    """Train a model of one or several tasks, keep its best epoch by their development scores, score the test data once.

    Writes metrics.json, predictions of the test data (of all tasks on a treebank in one file), history.json (loss and
    development scores of each epoch), timing.json, and model/ if it is to be kept. Nothing is trained on a start that
    did not converge; metrics.json says so.

    Args:
        start: the pretrained encoder, or static vectors; or a finetuned model, of which the encoder and the task's head
            are trained further (pre-finetuning, paper §3.1.1, fact 36).
        data: by the ending of files, `conllu` or `tsv`, the folder of {train,dev,test} files.
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
    datasets = [DataSet.read(names, data, settings) for names in settings.datasets]
    numpy_seed, torch_seed, python_seed = settings.seeds
    seed_everything(numpy_seed, torch_seed, python_seed, settings.threads)
    model = _model(start, datasets, settings, shared).to(device())
    batches = MixedBatches(
        [_training_sentences(model, dataset, settings) for dataset in datasets],
        settings.upsample,
        settings.order,
        numpy_seed,
    )
    gc.freeze()  # all of this stays; to look through it for garbage again and again takes tenths of seconds
    tasks = [(task, dataset) for dataset in datasets for task in dataset.tasks]
    score = tasks[0][0].metrics[0] if len(tasks) == 1 else "sum"  # fact 34

    def evaluate() -> dict[str, float]:
        figures: dict[str, float] = {}
        for task, dataset in tasks:
            gold = dataset.sentences["dev"]
            figures |= task.scores(gold, model.predict(task.name, gold))
        if score == "sum":
            figures[score] = sum(figures[task.metrics[0]] for task, _ in tasks)
        return {name: round(value, 6) for name, value in figures.items()}

    broken = _unconverged(start)
    epochs = 0 if broken else settings.epochs
    inputs = [*model.files(start), *(path for dataset in datasets for path in dataset.files.values())]
    with checkpoint_in(checkpoints, vars(settings), inputs) as checkpoint, EpochScalars(scalars) as watched:
        outcome = _fit(model, batches, settings, epochs, score, evaluate, checkpoint, watched.add)
        decoding_started = time.monotonic()
        predicted: dict[str, list[Any]] = {}
        for task, dataset in tasks:
            sentences = predicted.get(task.ending, dataset.sentences["test"])
            predicted[task.ending] = model.predict(task.name, sentences)
        decoding_seconds = time.monotonic() - decoding_started
        for ending, sentences in predicted.items():
            writer = next(task for task, _ in tasks if task.ending == ending)
            writer.write(folder / f"predictions.{ending}", sentences)
        best = next((record for record in outcome.history if record["epoch"] == outcome.best_epoch), None) or evaluate()
        development = {task.name: {name: best[name] for name in task.metrics} for task, _ in tasks}
        test = {
            task.name: {
                name: round(value, 6)
                for name, value in task.file_scores(
                    dataset.files["test"], folder / f"predictions.{task.ending}"
                ).items()
            }
            for task, dataset in tasks
        }
        reason = broken or outcome.reason or ("the development score stayed 0" if best[score] == 0 else None)
        converged = {"converged": reason is None} | ({"reason": reason} if reason else {})
        if keep_model:
            with atomic_path(folder / "model") as temporary:
                model.save(temporary, start)
        trained = len(outcome.history)
        write_json(
            folder / "timing.json",
            {
                "seconds": round(time.monotonic() - started, 2),
                "training_seconds": round(outcome.seconds, 2),
                "epochs": trained,
                "training_sentences_per_second": round(trained * batches.sentences() / (outcome.seconds or 1), 1),
                "decoding_sentences_per_second": round(
                    sum(len(dataset.sentences["test"]) for _, dataset in tasks) / decoding_seconds, 1
                ),
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
                "scores": {"dev": development, "test": test},
            },
        )


def _model(start: Path, datasets: list[DataSet], settings: FinetuningSettings, shared: Path | None) -> TaskModel:
    if is_finetuned(start):
        return _prefinetuned(start, datasets[0], settings)
    encoder: Encoder
    pieces: Pieces
    if settings.task_encoders is not None:
        from specialize.finetuning.recurrent import StaticEncoder, StaticWords
        from specialize.pretraining.static_vectors import StaticVectors  # its import takes time

        training_words = chain.from_iterable(dataset.words("train") for dataset in datasets)
        pieces = StaticWords(StaticVectors(start), training_words, settings.unknown_words)
        encoder = StaticEncoder(pieces.first_vectors())
    else:
        pieces = WordPieces(start, settings.leading_space)
        if shared:
            parts = ((dataset, part) for dataset in datasets for part in dataset.sentences)
            pieces.share(chain.from_iterable(dataset.words(part) for dataset, part in parts), shared)
        layer_dropout = settings.layer_dropout, settings.layer_dropout_when_evaluating
        encoder = WordEncoder(start, *layer_dropout, settings.precision)
    return TaskModel(encoder, pieces, [one.tasks for one in datasets], settings.heads, settings.task_encoders)


def _prefinetuned(start: Path, dataset: DataSet, settings: FinetuningSettings) -> TaskModel:
    (task,) = dataset.tasks
    model = load_model(start, settings.layer_dropout, settings.layer_dropout_when_evaluating)
    if model.tasks[task.name].labels != task.labels:
        raise InputError(start, f"was not trained on the labels of {dataset.files['train']}", remedy="train it again")
    model.keep_only(task.name)
    return model


def _training_sentences(model: TaskModel, dataset: DataSet, settings: FinetuningSettings) -> TrainingSentences:
    sentences, first = dataset.sentences["train"], dataset.tasks[0]
    return TrainingSentences(
        model.pieces,
        [model.pieces.encode(first.words(sentence)) for sentence in sentences],
        {task.name: [task.targets(sentence) for sentence in sentences] for task in dataset.tasks},
        settings.batch_size,
        model.encoder.longest,
        settings.seeds[0],
        model.heads[first.name].units,  # type: ignore[arg-type]
    )


def _unconverged(start: Path) -> str | None:
    """Why the model that the training starts from did not converge; None if it did, or nothing is known of it."""
    path = (start.parent if is_finetuned(start) else start) / "history.json"
    history = read_json(path) if path.is_file() else {}
    what = "multi-task model" if is_finetuned(start) else "encoder"
    return None if history.get("converged", True) else f"the {what} did not converge: {history['reason']}"


def _fit(
    model: TaskModel,
    batches: MixedBatches,
    settings: FinetuningSettings,
    epochs: int,
    score: str,
    evaluate: Callable[[], dict[str, float]],
    checkpoint: Checkpoint | None,
    after_epoch: Callable[[dict[str, float]], None],
) -> Fit:
    encoder_rate = settings.encoder_multiplier * settings.learning_rate
    rest = nn.ModuleList([model.encoder.added, model.between, model.heads])
    biases = {name for name, _ in rest.named_parameters() if "bias" in name}  # fact 24
    groups = [
        *decayed_groups(model.encoder.pretrained, encoder_rate, settings.weight_decay, model.encoder.undecayed),
        *decayed_groups(rest, settings.learning_rate, settings.weight_decay, biases),
    ]
    optimizer = AdamW(groups, EPSILON, settings.bias_correction)
    if settings.schedule == "constant":
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
    else:
        schedule = inverse_square_root_schedule(optimizer, batches.steps())

    def freeze(epoch: int) -> None:
        model.encoder.frozen = epoch <= settings.frozen_epochs

    return fit(
        model,
        optimizer,
        schedule,
        batches,
        lambda batch: model.loss(*batches.tensors(batch)),
        evaluate,
        score=score,
        epochs=epochs,
        gradient_norm=settings.gradient_norm,
        patience=settings.patience,
        before_epoch=freeze,
        after_epoch=after_epoch,
        checkpoint=checkpoint,
    )
