"""One finetuning job: an encoder, one or several tasks, one seed."""

from __future__ import annotations

import gc
import platform
import resource
import time
from collections.abc import Callable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import nn

from specialize import __version__
from specialize.errors import InputError
from specialize.files import atomic_path, read_json, write_json
from specialize.finetuning.batches import MixedBatches, TrainingSentences
from specialize.finetuning.data_sets import DataSet
from specialize.finetuning.encoder import WordEncoder, WordPieces
from specialize.finetuning.model import Encoder, Pieces, TaskModel, is_finetuned, load_model
from specialize.finetuning.settings import VERSION, FinetuningSettings
from specialize.finetuning.tasks import Task
from specialize.training.checkpoint import Checkpoint, checkpoint_in
from specialize.training.devices import device, seed_everything
from specialize.training.loop import Fit, fit
from specialize.training.optimizer import AdamW, decayed_groups, inverse_square_root_schedule
from specialize.training.precision import where_and_how
from specialize.training.scalars import EpochScalars

EPSILON = 1e-8  # fact 24

TaskData: TypeAlias = "list[tuple[Task[Any], DataSet]]"  # each task with the data set that it is learned from


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
    transliteration: dict[str, Any] | None = None,
) -> None:
    """Train a model of one or several tasks, choose its best epoch by development scores, score the test data once.

    Writes metrics.json, predictions for the test data (of all tasks on a treebank in one file), history.json (loss and
    development scores of each epoch, of how many items the test scores are shares, and what guessing scores),
    timing.json, and model/ if it is to be kept. If the model to start from did not converge, nothing is trained, and
    metrics.json says so.

    Args:
        start: the pretrained encoder, or static vectors; or a finetuned model, whose encoder and head for the task are
            trained further (pre-finetuning, paper §3.1.1, fact 36).
        data: the folder of {train,dev,test} files, by their ending (`conllu` or `tsv`).
        cell: `language`, `representation`, `regime`, `seed`, and `split` of data that are divided more than once,
            written to metrics.json as they are.
        settings: hyperparameters.
        folder: an existing folder for the results; each file is written atomically.
        keep_model: keep the model for `predict`.
        checkpoints: a folder for this job's checkpoint, so that it can continue after an interruption.
        scalars: a folder for each epoch's scores in TensorBoard's format.
        shared: a folder for segmented words, shared by jobs with the same data and vocabulary.
        transliteration: of a transliterated twin how its text was made, for task.json; see
            `datasets.described_transliteration`.

    Raises:
        InputError: if a labeled file is broken.
        SpecializeError: if the training was stopped by a signal.
    """
    started = time.monotonic()
    datasets = [DataSet.read(names, data, settings) for names in settings.datasets]
    tasks = [(task, dataset) for dataset in datasets for task in dataset.tasks]
    numpy_seed, torch_seed, python_seed = settings.seeds
    seed_everything(numpy_seed, torch_seed, python_seed, settings.threads, settings.deterministic)
    model = _build_model(start, datasets, settings, shared).to(device())
    training_sentences = [_training_sentences(model, dataset, settings) for dataset in datasets]
    batches = MixedBatches(training_sentences, settings.upsample, settings.order, numpy_seed)
    gc.freeze()  # all of this stays; each garbage collection that searches it takes tenths of seconds
    start_failure = _why_start_failed(start)
    inputs = [*model.files(start), *(path for dataset in datasets for path in dataset.files.values())]
    with (
        checkpoint_in(checkpoints, VERSION, settings.job_parameters(), inputs, model.encoder.precision) as checkpoint,
        EpochScalars(scalars) as watched,
    ):
        epochs = 0 if start_failure else settings.epochs
        outcome = _train(model, batches, tasks, settings, epochs, checkpoint, watched.add)
        decoding_started = time.monotonic()
        predicted = _predict_test(model, tasks)
        decoding_seconds = time.monotonic() - decoding_started
        _write_predictions(predicted, tasks, folder)
        development = _best_development_scores(outcome, model, tasks)
        scores = {
            "dev": {task.name: {name: development[name] for name in task.metrics} for task, _ in tasks},
            "test": _test_scores(tasks, folder),
        }
        reason = start_failure or outcome.reason
        if not reason and development[_selection_score(tasks)] == 0:
            reason = "the development score stayed 0"
        converged: dict[str, Any] = {"converged": False, "reason": reason} if reason else {"converged": True}
        if keep_model:
            model.transliteration = transliteration
            with atomic_path(folder / "model") as temporary:
                model.save(temporary, start)
        timing = _timing(started, decoding_seconds, outcome, batches, tasks)
        write_json(folder / "timing.json", timing | where_and_how(model.encoder.precision))
        items = {task.name: task.items(dataset.sentences["test"]) for task, dataset in tasks}
        guessing = {
            task.name: round(task.guessing_score(dataset.sentences["train"], dataset.sentences["test"]), 6)
            for task, dataset in tasks
        }
        about_test = {"test_items": items, "guessing": guessing}
        history = {"best_epoch": outcome.best_epoch, **converged, **about_test, "epochs": outcome.history}
        write_json(folder / "history.json", history)
        metrics = {
            **cell,
            "version": __version__,
            "hyperparameters": settings.job_parameters(),
            "best_epoch": outcome.best_epoch,
            **converged,
            "scores": scores,
        }
        write_json(folder / "metrics.json", metrics)


# -- model and batches -------------------------------------------------------------------------------------


def _build_model(start: Path, datasets: list[DataSet], settings: FinetuningSettings, shared: Path | None) -> TaskModel:
    if is_finetuned(start):
        (dataset,) = datasets
        return _prefinetuned_model(start, dataset, settings)
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
            words = [dataset.words(part) for dataset in datasets for part in dataset.sentences]
            pieces.share(chain.from_iterable(words), shared)
        encoder = WordEncoder(start, settings.layer_dropout, settings.layer_dropout_when_evaluating, settings.precision)
    tasks = [dataset.tasks for dataset in datasets]
    return TaskModel(encoder, pieces, tasks, settings.heads, settings.task_encoders)


def _prefinetuned_model(start: Path, dataset: DataSet, settings: FinetuningSettings) -> TaskModel:
    """A multi-task model with the head of one task only."""
    (task,) = dataset.tasks
    model = load_model(start, settings.layer_dropout, settings.layer_dropout_when_evaluating, settings.precision)
    if model.tasks[task.name].labels != task.labels:
        raise InputError(start, f"was not trained on the labels of {dataset.files['train']}", remedy="train it again")
    model.keep_only(task.name)
    return model


def _why_start_failed(start: Path) -> str | None:
    """Why the model to start from did not converge; None if it did, or if that is unknown."""
    path = (start.parent if is_finetuned(start) else start) / "history.json"
    if not path.is_file():
        return None
    history = read_json(path)
    if history.get("converged", True):
        return None
    kind = "multi-task model" if is_finetuned(start) else "encoder"
    return f"the {kind} did not converge: {history['reason']}"


def _training_sentences(model: TaskModel, dataset: DataSet, settings: FinetuningSettings) -> TrainingSentences:
    sentences, first = dataset.sentences["train"], dataset.tasks[0]
    return TrainingSentences(
        model.pieces,
        [model.pieces.encode(first.words(sentence)) for sentence in sentences],
        {task.name: [task.targets(sentence) for sentence in sentences] for task in dataset.tasks},
        settings.batch_size,
        model.encoder.longest,
        settings.seeds[0],
        model.heads[first.name].loss_denominator,  # type: ignore[arg-type]
    )


# -- training ----------------------------------------------------------------------------------------------


def _train(
    model: TaskModel,
    batches: MixedBatches,
    tasks: TaskData,
    settings: FinetuningSettings,
    epochs: int,
    checkpoint: Checkpoint | None,
    after_epoch: Callable[[dict[str, float]], None],
) -> Fit:
    vectors = model.encoder.pretrained
    sparse = vectors.weight if isinstance(vectors, nn.Embedding) and settings.vector_updates == "sparse" else None
    optimizer = AdamW(_parameter_groups(model, settings), EPSILON, settings.bias_correction, sparse=sparse)
    if settings.schedule == "constant":
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
    else:
        schedule = inverse_square_root_schedule(optimizer, batches.steps(), settings.frozen_epochs)

    def freeze(epoch: int) -> None:
        model.encoder.frozen = epoch <= settings.frozen_epochs

    return fit(
        model,
        optimizer,
        schedule,
        batches,
        lambda batch: model.loss(*batch),
        lambda: _development_scores(model, tasks),
        score=_selection_score(tasks),
        epochs=epochs,
        gradient_norm=settings.gradient_norm,
        patience=settings.patience,
        before_epoch=freeze,
        after_epoch=after_epoch,
        checkpoint=checkpoint,
    )


def _parameter_groups(model: TaskModel, settings: FinetuningSettings) -> list[dict[str, Any]]:
    """The pretrained encoder and the new parameters, each with and without weight decay."""
    encoder_rate = settings.encoder_multiplier * settings.learning_rate
    new = nn.ModuleList([model.encoder.added, model.between, model.heads])
    biases = {name for name, _ in new.named_parameters() if "bias" in name}
    return [
        *decayed_groups(model.encoder.pretrained, encoder_rate, settings.weight_decay, model.encoder.undecayed),
        *decayed_groups(new, settings.learning_rate, settings.weight_decay, biases),
    ]


def _selection_score(tasks: TaskData) -> str:
    """The development score that chooses the best epoch: a task's first metric, or the sum of these (fact 34)."""
    if len(tasks) > 1:
        return "sum"
    task, _ = tasks[0]
    return task.metrics[0]


def _development_scores(model: TaskModel, tasks: TaskData) -> dict[str, float]:
    scores: dict[str, float] = {}
    for task, dataset in tasks:
        gold = dataset.sentences["dev"]
        scores |= task.scores(gold, model.predict(task.name, gold))
    if len(tasks) > 1:
        scores["sum"] = sum(scores[task.metrics[0]] for task, _ in tasks)
    return {name: round(value, 6) for name, value in scores.items()}


def _best_development_scores(outcome: Fit, model: TaskModel, tasks: TaskData) -> dict[str, float]:
    """The scores of the best epoch; those of the model as it started if there is none."""
    for record in outcome.history:
        if record["epoch"] == outcome.best_epoch:
            return record
    return _development_scores(model, tasks)


# -- results -----------------------------------------------------------------------------------------------


def _predict_test(model: TaskModel, tasks: TaskData) -> dict[str, list[Any]]:
    """The test sentences with predicted labels, by ending of their file; tasks on a treebank fill in the same ones."""
    predicted: dict[str, list[Any]] = {}
    for task, dataset in tasks:
        sentences = predicted.get(task.ending, dataset.sentences["test"])
        predicted[task.ending] = model.predict(task.name, sentences)
    return predicted


def _write_predictions(predicted: dict[str, list[Any]], tasks: TaskData, folder: Path) -> None:
    writers = {task.ending: task for task, _ in tasks}
    for ending, sentences in predicted.items():
        writers[ending].write(folder / f"predictions.{ending}", sentences)


def _test_scores(tasks: TaskData, folder: Path) -> dict[str, dict[str, float]]:
    scores = {}
    for task, dataset in tasks:
        found = task.file_scores(dataset.files["test"], folder / f"predictions.{task.ending}")
        scores[task.name] = {name: round(value, 6) for name, value in found.items()}
    return scores


def _timing(
    started: float, decoding_seconds: float, outcome: Fit, batches: MixedBatches, tasks: TaskData
) -> dict[str, Any]:
    epochs = len(outcome.history)
    decoded = sum(len(dataset.sentences["test"]) for _, dataset in tasks)
    return {
        "seconds": round(time.monotonic() - started, 2),
        "training_seconds": round(outcome.seconds, 2),
        "epochs": epochs,
        "training_sentences_per_second": round(epochs * batches.sentences() / (outcome.seconds or 1), 1),
        "decoding_sentences_per_second": round(decoded / decoding_seconds, 1),
        "parts_of_a_batch": outcome.micro_batches,
        "peak_memory_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "host": platform.node(),
    }
