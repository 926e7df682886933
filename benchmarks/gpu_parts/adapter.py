"""All that the benchmark knows of the package, today's and that of commit 3eddaee.

Where the package's ways change, this module changes, and no other.
"""

import contextlib
import dataclasses
import hashlib
import importlib.util
import inspect
import json
import sys
import time
import types
from pathlib import Path

import torch

from gpu_parts.measuring import KernelTrace, synchronize

SOURCE = Path(__file__).parents[2] / "src"
PROFILED_STEPS = 8
FINETUNING_EPOCHS = 3  # the first warms up, the second is timed, in the third is the part that is profiled


def find_package():
    """Make `specialize` importable, and stand in for what it imports at its top and the benchmark never uses.

    Returns:
        The names of the modules that were stood in for.
    """
    if importlib.util.find_spec("specialize") is None:
        sys.path.insert(0, str(SOURCE))
    try:
        import zstandard  # noqa: F401

        return []
    except ImportError:
        pass
    stand_in = types.ModuleType("zstandard")  # nothing here is packed with it
    stand_in.ZstdError = type("ZstdError", (Exception,), {})
    sys.modules["zstandard"] = stand_in
    return ["zstandard"]


def seed(number, threads, deterministic=False):
    """As a job begins."""
    from specialize.training.devices import seed_everything

    known = inspect.signature(seed_everything).parameters
    more = {"deterministic": deterministic} if "deterministic" in known else {}
    seed_everything(number, number, number, threads, **more)
    if not more:  # before there was the option, every job asked for it, and was only warned
        torch.use_deterministic_algorithms(deterministic, warn_only=False)


def default_precision(settings):
    """What a job has that says nothing: `auto`, or before there was that, bfloat16 where a GPU is."""
    if "auto" in repr(settings.model_fields["precision"].annotation):
        return "auto"
    return "bfloat16" if torch.cuda.is_available() else "float32"


def _known(settings, values):
    """The values of those settings that there are."""
    fields = getattr(settings, "model_fields", None) or {one.name for one in dataclasses.fields(settings)}
    return settings(**{name: value for name, value in values.items() if name in fields})


# -- text and vocabulary -----------------------------------------------------------------------------------


def pages_of(dump):
    """The paragraphs of each article of a dump."""
    from specialize.corpora import extract, read_dump

    for page in read_dump(dump):
        lines = [line for line in extract(page).lines if line.strip()]
        if lines:
            yield lines


def made_tokenizer(pieces):
    """A tokenizer of these wordpieces, besides BERT's special tokens."""
    from specialize.vocabularies import SPECIAL_TOKENS, bert_tokenizer

    return bert_tokenizer({piece: number for number, piece in enumerate([*SPECIAL_TOKENS, *pieces])})


# -- pretraining -------------------------------------------------------------------------------------------


def pretraining_settings(**changes):
    """The paper's, but for what is given."""
    from specialize.pretraining.settings import PretrainingSettings

    values = {
        "seed": 1,
        "threads": 4,
        "epochs": 1,
        "validation_sentences": None,
        "copies": 1,
        "examples": "articles",
        "masking": "static",
        "masked_probability": 0.15,
        "max_predictions": 20,
        "short_sequence_probability": 0.1,
        "weight_decay": 0.01,
        "gradient_norm": 1.0,
        "bias_correction": True,
        "tiering": "rows",
        "deterministic": False,
        "gpus": 1,
        "precision": default_precision(PretrainingSettings),
        "initialisation": "slot",
        "augmented": False,
        "tiered": False,
        "warmup_steps": 2,
    }
    return _known(PretrainingSettings, values | changes)


def examples_of(text, tokenizer, settings):
    """The examples that our pretraining makes of a text, without masks, special tokens around them."""
    from specialize.pretraining.masked_text import training_text
    from specialize.vocabularies import special_ids

    made, special = training_text([text], tokenizer, settings), special_ids(tokenizer)
    pieces = made.pieces.tolist()
    return [
        [special["start"], *pieces[start:end], special["end"]]
        for start, end in zip(made.starts[:, 0].tolist(), made.ends[:, 0].tolist(), strict=True)
    ]


def pretrain(model, tokenizer, text, validation, settings, *, note=None, before=None, losses=None, checkpoint=None):
    """Our whole pretraining, on a model that is given.

    Args:
        model: trained in place.
        tokenizer: of its vocabulary.
        text, validation: corpus files.
        settings: as of `pretraining_settings`.
        note: called at the beginning of each step (or part of one) with the examples' lengths and the number of
            predictions, as tensors.
        before: called before that with the ids of the batch.
        losses: a list that gets the loss of each step, also where a signal stops the training.
        checkpoint: of the training.

    Returns:
        The losses of the steps, and into how many parts batches were split in the end.
    """
    from specialize.pretraining import pretrain as stage

    losses = [] if losses is None else losses
    original = stage.masked_loss

    def watched(model, batch, *more, **named):
        if not torch.is_grad_enabled():
            return original(model, batch, *more, **named)
        if before:
            before(batch.ids)
        if note:
            note(batch.attention.sum(1), (batch.targets >= 0).sum())
        loss = original(model, batch, *more, **named)
        losses.append(loss.detach())
        return loss

    stage.masked_loss = watched
    try:
        outcome = stage.pretrain(model, tokenizer, [text], [validation], settings, checkpoint=checkpoint)
    finally:
        stage.masked_loss = original
    if not losses:
        raise RuntimeError("no step was seen: the package computes its loss elsewhere now; mend gpu_parts/adapter.py")
    return [float(loss) for loss in losses], outcome.micro_batches


def checkpoint_in(folder, settings):
    """A checkpoint of a pretraining, and what is raised when a signal has stopped that."""
    from specialize.pretraining.settings import VERSION
    from specialize.training.checkpoint import StoppedError, checkpoint_in

    return checkpoint_in(folder, VERSION, settings.job_parameters(), []), StoppedError


def digest_of(model):
    """A hash of all weights' bytes."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


# -- finetuning, of both packages --------------------------------------------------------------------------

HEADS = {
    "pos": {"dropout": 0.4},
    "ner": {"dropout": 0.1, "loss": "mean"},
    "ud": {"input_dropout": 0.3, "dropout": 0.3, "arc_dimension": 100, "label_dimension": 100, "single_root": True},
}


def finetuning_settings(task, epochs, batch, seed, precision, deterministic):
    """The paper's, but for what is given, and no epoch with a frozen encoder."""
    try:
        from specialize.finetuning.settings import FinetuningSettings
    except ImportError:  # commit 3eddaee
        from specialize.finetuning.finetune import FinetuningSettings
    if precision == "default":
        is_old = not hasattr(FinetuningSettings, "model_fields")
        precision = "float32" if is_old else default_precision(FinetuningSettings)
    values = {
        "threads": 4,
        "epochs": epochs,
        "patience": epochs,
        "frozen_epochs": 0,
        "schedule": "inverse-square-root",
        "learning_rate": 0.001,
        "encoder_multiplier": 0.05,
        "weight_decay": 0.01,
        "gradient_norm": 5.0,
        "bias_correction": True,
        "layer_dropout": 0.1,
        "layer_dropout_when_evaluating": False,
        "leading_space": True,
        "unknown_words": "subwords",
        "vector_updates": "dense",
        "order": "shuffled",
        "precision": precision,
        "deterministic": deterministic,
        "development_punctuation": True,
        "alt_punctuation": "upos",
        "batch_size": batch,
        "seeds": [seed, seed, seed],
        "tags": "upos" if task == "pos" else None,
        "datasets": [[task]],
        "upsample": False,
        "heads": {task: HEADS[task]},
        "task_encoders": None,
        "method": "base",
    }
    return _known(FinetuningSettings, values)


class EpochWatch:
    """Times the second epoch's training, and some steps of the third, with their kernels if that is wanted.

    Both packages call a model's `loss` once for each batch, and its `predict` after each epoch.
    """

    def __init__(self, steps, profiled):
        self.steps, self.profiled = steps, profiled
        self.last = min(1 + PROFILED_STEPS, steps - 1)  # of the third epoch's steps that are looked at, the end
        self.calls = 0
        self.epoch_seconds = self.part_seconds = self.kernel_seconds = None
        self.trace = self.began = self.part_began = self.model = None

    def on_loss(self, model):
        """A step begins."""
        self.model = model
        epoch, step = divmod(self.calls, self.steps)
        self.calls += 1
        if epoch == 1 and step == 0:
            synchronize()
            self.began = time.perf_counter()
        if epoch == 2 and step == 1:
            if self.profiled:
                self.trace = KernelTrace()
                self.trace.start()
            synchronize()
            self.part_began = time.perf_counter()
        if epoch == 2 and step == self.last:
            synchronize()
            self.part_seconds = time.perf_counter() - self.part_began
            if self.trace:
                self.kernel_seconds = self.trace.stop()

    def on_predict(self):
        """An epoch's steps, or the whole training, are over."""
        if self.epoch_seconds is None and self.calls == 2 * self.steps:
            synchronize()
            self.epoch_seconds = time.perf_counter() - self.began

    @contextlib.contextmanager
    def watching(self):
        """Listen to every model within."""
        from specialize.finetuning.model import TaskModel

        loss, predict = TaskModel.loss, TaskModel.predict

        def watched_loss(model, *given, **named):
            self.on_loss(model)
            return loss(model, *given, **named)

        def watched_predict(model, *given, **named):
            self.on_predict()
            return predict(model, *given, **named)

        TaskModel.loss, TaskModel.predict = watched_loss, watched_predict
        try:
            yield
        finally:
            TaskModel.loss, TaskModel.predict = loss, predict


def finetune(job, folder):
    """One whole finetuning job.

    Args:
        job: `task`, `start` (the encoder's folder), `data` (by ending of files), `sentences` of the training part,
            `batch`, `seed`, `precision`, `deterministic`, `profiled`, `epochs`.
        folder: an empty one for its results.

    Returns:
        Sentences a second in training (second epoch) and decoding; seconds of some steps, and those of their kernels;
        a hash of the weights.
    """
    from specialize.finetuning.finetune import finetune as run

    settings = finetuning_settings(
        job["task"], job["epochs"], job["batch"], job["seed"], job["precision"], job["deterministic"]
    )
    watch = EpochWatch(-(-job["sentences"] // job["batch"]), job["profiled"])
    cell = {"language": "benchmark", "representation": "base", "regime": job["task"], "seed": job["seed"]}
    data = {ending: Path(path) for ending, path in job["data"].items()}
    with watch.watching():
        run(Path(job["start"]), data, cell, settings, folder, keep_model=False)
    timing = json.loads((folder / "timing.json").read_text())
    history = json.loads((folder / "history.json").read_text())
    if timing["parts_of_a_batch"] != 1 or watch.calls != job["epochs"] * watch.steps:
        raise RuntimeError(f"{watch.calls} steps were seen, not {job['epochs']} × {watch.steps}; see {timing}")
    return {
        "training": watch.epoch_seconds and job["sentences"] / watch.epoch_seconds,
        "decoding": timing["decoding_sentences_per_second"],
        "all epochs": timing["training_sentences_per_second"],
        "part seconds": watch.part_seconds,
        "kernel seconds": watch.kernel_seconds,
        "losses": [record["training_loss"] for record in history["epochs"]],
        "precision": settings.precision,
        "digest": digest_of(watch.model),
    }
