"""Masked-language-model pretraining: of a base model from scratch, or further on one language (LAPT, VA, TVA)."""

from __future__ import annotations

import math
import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR
from transformers.modeling_utils import PreTrainedModel
from transformers.utils import logging

from specialize.bases.architectures import architecture_of, architecture_to_make, known_architectures
from specialize.bases.folder import HEAD_DRAWN
from specialize.bases.supported import check_architecture
from specialize.errors import SpecializeError, warn
from specialize.files import read_json
from specialize.pretraining.base_vocabulary import base_tokenizer
from specialize.pretraining.masked_loss import masked_loss
from specialize.pretraining.masked_text import MaskedText, training_text, validation_text
from specialize.pretraining.model_card import ModelDescription, write_card
from specialize.pretraining.model_folder import check_tokenizer, save_model, try_out
from specialize.pretraining.new_rows import NewPieces, initialise, make_room
from specialize.pretraining.settings import MONOLINGUAL_ARCHITECTURE, VERSION, PretrainingSettings
from specialize.training.checkpoint import Checkpoint, checkpoint_in
from specialize.training.devices import device, seed_everything
from specialize.training.feeding import fed, on_device
from specialize.training.loop import Fit, fit
from specialize.training.optimizer import AdamW, Tier, decayed_groups, linear_schedule
from specialize.training.precision import resolved, use_precision, where_and_how
from specialize.training.process_group import process_group
from specialize.vocabularies import (
    Form,
    PieceTraining,
    check_ids,
    count_words,
    first_words,
    in_order,
    kind_of,
    load_base,
    special_ids,
)

logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # a head that is not loaded is no news here
logging.disable_progress_bar()  # type: ignore[no-untyped-call]

EPSILON = 1e-6  # fact 16
# Training has diverged if its loss exceeds this multiple of the loss at first, or of a uniform guess if that is higher.
EXPLODED = 2.0


@dataclass(frozen=True)
class LanguageJob:
    """Inputs and outputs of pretraining on one language.

    Attributes:
        vocabulary: the representation's vocabulary folder.
        corpus: the language's corpus folder.
        settings: hyperparameters.
        description: for the model card.
        folder: where the model folder appears.
        checkpoints: a folder for the job's state; None keeps none.
    """

    vocabulary: Path
    corpus: Path
    settings: PretrainingSettings
    description: ModelDescription
    folder: Path
    checkpoints: Path | None


def validation_loss(model: PreTrainedModel, text: MaskedText, precision: str = "float32") -> float:
    """Mean masked loss over a text, of whose batches each process takes its part."""
    where, group = next(model.parameters()).device, process_group()
    losses, numbers = [], []
    with torch.no_grad(), closing(fed(text.in_order(group.rank, group.size), where)) as batches:
        for batch in batches:
            losses.append(masked_loss(model, on_device(batch, where), precision))
            numbers.append(len(batch.targets))
    total = 0.0
    for loss, number in zip(torch.stack(losses).tolist() if losses else [], numbers, strict=True):
        total += loss * number
    sums = group.total(torch.tensor([total, sum(numbers)], dtype=torch.float64, device=where))
    return float(sums[0] / sums[1])


def pretrain(
    model: PreTrainedModel,
    tokenizer: Tokenizer,
    training_files: list[Path],
    validation_files: list[Path],
    settings: PretrainingSettings,
    new_pieces: tuple[Tensor, float] | None = None,
    checkpoint: Checkpoint | None = None,
) -> Fit:
    """Train a model on text and leave it with the weights of the epoch of lowest validation loss.

    Args:
        model: changed in place; its output layer may be tied to its embeddings, or not.
        tokenizer: its tokenizer.
        training_files, validation_files: corpus files.
        settings: hyperparameters.
        new_pieces: their ids and the multiplier of their rate (paper §2.1).
        checkpoint: where the state is kept, and taken up from.

    Raises:
        SpecializeError: if a sequence is longer than the model takes, or a text empty.
    """
    _check_length(model, settings)
    precision = use_precision(settings.precision)
    model.to(device())  # type: ignore[arg-type]
    process_group().go_apart(settings.threads, settings.seed)
    text = training_text(training_files, tokenizer, settings)
    validation = validation_text(validation_files, tokenizer, settings)
    optimizer = _optimizer(model, settings, new_pieces)
    schedule = _schedule(optimizer, settings, text.steps())

    def evaluate() -> dict[str, float]:
        loss = validation_loss(model, validation, precision)
        return {"validation_loss": round(loss, 6), "score": round(-loss, 6)}

    model.train(False)
    unadapted = {"epoch": 0, **evaluate()}
    outcome = fit(
        model,
        optimizer,
        schedule,
        text,
        lambda batch: masked_loss(model, batch, precision),
        evaluate,
        score="score",
        epochs=settings.epochs,
        gradient_norm=settings.gradient_norm,
        highest_loss=EXPLODED * max(unadapted["validation_loss"], math.log(tokenizer.get_vocab_size())),
        checkpoint=checkpoint,
    )
    outcome.history.insert(0, unadapted)
    for record in outcome.history:
        record["steps"] = record["epoch"] * text.steps()
        del record["score"]
    return outcome


def _check_length(model: PreTrainedModel, settings: PretrainingSettings) -> None:
    positions = architecture_of(model.config).positions(model.config.to_dict())
    if settings.sequence_length > positions:
        raise SpecializeError(
            f"pretraining.sequence_length {settings.sequence_length} is more than the model's {positions} positions; "
            "lower it"
        )


def _optimizer(model: PreTrainedModel, settings: PretrainingSettings, new_pieces: tuple[Tensor, float] | None) -> AdamW:
    """Of all parameters, the new pieces' embeddings at a rate of their own, in the output layer too if it is not tied.

    Their entries in its bias are no embeddings, and learn as the rest does.
    """
    architecture = architecture_of(model.config)
    tier = None
    if new_pieces and settings.tiering != "released":
        ids, multiplier = new_pieces
        twice = settings.tiering == "two-groups"
        tier = Tier(architecture.matrices(model), ids.to(device()), multiplier, decayed_twice=twice)
    undecayed = architecture.undecayed(model)
    groups = decayed_groups(model, settings.learning_rate, settings.weight_decay, undecayed)
    return AdamW(groups, EPSILON, settings.bias_correction, tier)


def _schedule(optimizer: AdamW, settings: PretrainingSettings, steps_per_epoch: int) -> LambdaLR:
    steps = settings.epochs * steps_per_epoch
    warmup_steps = steps_per_epoch if settings.warmup_steps == "epoch" else int(settings.warmup_steps)
    if steps <= warmup_steps:
        print(
            f"Warning: {steps} steps in all, but pretraining.warmup_steps is {warmup_steps}: "
            f"the learning rate never reaches {settings.learning_rate}; lower warmup_steps"
        )
    return linear_schedule(optimizer, warmup_steps, steps)


def adapt(
    base_folder: Path,
    vocabulary: Path,
    corpus: Path,
    multiplier: float,
    settings: PretrainingSettings,
    description: ModelDescription,
    folder: Path,
    checkpoints: Path | None = None,
) -> None:
    """Pretrain a base model further on one language: LAPT without new pieces, VA or TVA with (paper §2.1).

    No embedding that the base model uses is re-initialised. By default a new piece starts from its slot's row (fact
    13), or from the mean of the rows of what the base had cut it into, if it is beyond the slots; see `new_rows`.

    Args:
        base_folder: the base model.
        vocabulary: the representation's vocabulary folder.
        corpus: the language's corpus folder.
        multiplier: the new pieces' embeddings learn at this many times the rate (the paper's a).
        settings: hyperparameters.
        description: for the model card.
        folder: where the model folder appears, with history.json and README.md. A training that does not converge
            is marked in them, and has the weights of the best epoch before.
        checkpoints: a folder for this job's state, so that it goes on after it was cut off.

    Raises:
        SpecializeError: if a text is empty, or the training was stopped by a signal.
    """
    seed_everything(settings.seed, settings.seed, settings.seed, settings.threads, settings.deterministic)
    tokenizer = Tokenizer.from_file(str(vocabulary / "tokenizer.json"))
    model, head_drawn = check_architecture(base_folder).masked_lm(base_folder)
    if head_drawn:
        warn(f"{base_folder} {HEAD_DRAWN}")
    statistics = read_json(vocabulary / "statistics.json")
    pieces: dict[str, int] = statistics["pieces"]
    base = load_base(base_folder)
    check_ids(base, tokenizer, pieces, statistics.get("replaced", ()))
    make_room(model, 1 + max(tokenizer.get_vocab().values()))
    without_parts = initialise(model, NewPieces.of(base, pieces), settings.initialisation)
    ids = torch.tensor(sorted(pieces.values()), dtype=torch.int64)
    rate = {"new_pieces": len(ids), "multiplier": multiplier} | ({"head_drawn": True} if head_drawn else {})
    rate |= {"pieces_without_parts": without_parts} if without_parts else {}
    inputs = [base_folder / "config.json", base_folder / "model.safetensors", vocabulary / "statistics.json"]
    new_pieces = (ids, multiplier) if len(ids) and multiplier != 1 else None
    job = LanguageJob(vocabulary, corpus, settings, description, folder, checkpoints)
    _pretrain_on_language(job, model, rate, inputs, new_pieces)


def pretrain_monolingual(
    vocabulary: Path,
    corpus: Path,
    architecture: dict[str, Any],
    settings: PretrainingSettings,
    description: ModelDescription,
    folder: Path,
    checkpoints: Path | None = None,
) -> None:
    """Pretrain a RoBERTa from scratch on one language: the paper's baseline BERT (§2.2.2, fact 20).

    Args:
        vocabulary: the representation's vocabulary folder, of byte-level pieces.
        corpus: the language's corpus folder.
        architecture: sizes, as the library's configuration of RoBERTa names them.
        settings, description, folder, checkpoints: as for `adapt`.

    Raises:
        SpecializeError: if a text is empty, or the training was stopped by a signal.
    """
    seed_everything(settings.seed, settings.seed, settings.seed, settings.threads, settings.deterministic)
    tokenizer = Tokenizer.from_file(str(vocabulary / "tokenizer.json"))
    model = known_architectures()[MONOLINGUAL_ARCHITECTURE].new_masked_lm(
        architecture,
        tokenizer.get_vocab_size(),
        special_ids(tokenizer),
        segments=2 if settings.examples == "sentence-pairs" else 1,
    )
    job = LanguageJob(vocabulary, corpus, settings, description, folder, checkpoints)
    _pretrain_on_language(job, model, {"architecture": architecture})


def _pretrain_on_language(
    job: LanguageJob,
    model: PreTrainedModel,
    more: dict[str, Any],
    more_inputs: Sequence[Path] = (),
    new_pieces: tuple[Tensor, float] | None = None,
) -> None:
    """Train a model on a language's corpus, and write its folder.

    Args:
        job: the rest of what it gets.
        model: as it is before.
        more: hyperparameters besides the settings.
        more_inputs: files that the model is from.
        new_pieces: see `pretrain`.
    """
    started = time.monotonic()
    tokenizer = Tokenizer.from_file(str(job.vocabulary / "tokenizer.json"))
    texts = [job.corpus / "train.txt", job.corpus / "valid.txt"]
    inputs = [job.vocabulary / "tokenizer.json", *texts, *more_inputs]
    hyperparameters = {**job.settings.job_parameters(), **more}
    text = read_json(job.corpus / "statistics.json")["train"]
    precision = resolved(job.settings.precision)
    known = {"text": text, "hyperparameters": hyperparameters, **where_and_how(precision)}
    words = first_words(texts[0])

    def write_tokenizer(temporary: Path) -> None:
        for path in sorted(job.vocabulary.iterdir()):
            if path.name != "statistics.json":
                shutil.copyfile(path, temporary / path.name)
        check_tokenizer(model, temporary, words)

    def complete(temporary: Path) -> None:
        write_tokenizer(temporary)
        write_card(temporary, job.description)

    try_out(model, write_tokenizer)
    with checkpoint_in(job.checkpoints, VERSION, hyperparameters, inputs, precision) as checkpoint:
        outcome = pretrain(model, tokenizer, texts[:1], texts[1:], job.settings, new_pieces, checkpoint)
        save_model(model, outcome, known, job.folder, complete)
    print(f"{time.monotonic() - started:.0f} s of training")
    if not outcome.converged:
        message = (
            f"{job.folder}: did not converge: {outcome.reason}; its scores will print as –. Lower the learning rate"
        )
        print(message, file=sys.__stderr__)  # beside the log, which `reported` has it written to
        print(message)


def pretrain_base(
    corpora: list[Path],
    unused_slots: int,
    training: PieceTraining | None,
    architecture: dict[str, Any],
    settings: PretrainingSettings,
    folder: Path,
    checkpoints: Path | None = None,
    normal_form: Form = "NFC",
    kind: str = "wordpiece",
    tokenizer: Path | None = None,
) -> None:
    """Pretrain a small model from scratch on several languages, a BERT with free slots as mBERT has them by default.

    Args:
        corpora: corpus folders, one a language.
        unused_slots: free slots besides.
        training: how the vocabulary is learned; None only where there is one of one's own.
        architecture: sizes, as the library's configuration names them, and which one; see `architecture_to_make`.
        settings: hyperparameters.
        folder: where the model folder appears, with history.json.
        checkpoints: a folder for this job's state, so that it goes on after it was cut off.
        normal_form: see `vocabularies.with_normal_form`.
        kind, tokenizer: of the vocabulary, or a folder that has one; see `base_tokenizer`.

    Raises:
        SpecializeError: if the training did not converge, or was stopped by a signal.
    """
    seed_everything(settings.seed, settings.seed, settings.seed, settings.threads, settings.deterministic)
    files = [corpus / "train.txt" for corpus in corpora]
    words = count_words(files).words
    made = base_tokenizer(words, training, unused_slots, kind, tokenizer, normal_form)
    names = in_order(made)
    known_as, sizes = architecture_to_make(architecture)
    segments = 2 if settings.examples == "sentence-pairs" else 1
    model = known_as.new_masked_lm(sizes, 1 + max(made.get_vocab().values()), special_ids(made), segments)
    validation_files = [corpus / "valid.txt" for corpus in corpora]
    known = settings.job_parameters() | {"vocabulary": names, "architecture": architecture}

    def write_tokenizer(temporary: Path) -> None:
        kind_of(made).save(made, temporary, tokenizer / "tokenizer_config.json" if tokenizer else None)
        check_tokenizer(model, temporary, words)

    try_out(model, write_tokenizer)
    precision = resolved(settings.precision)
    with checkpoint_in(checkpoints, VERSION, known, [*files, *validation_files], precision) as checkpoint:
        outcome = pretrain(model, made, files, validation_files, settings, checkpoint=checkpoint)
        if not outcome.converged:
            raise SpecializeError(f"{folder}: did not converge: {outcome.reason}; lower the learning rate")
        save_model(
            model,
            outcome,
            {"hyperparameters": settings.job_parameters(), **where_and_how(precision)},
            folder,
            write_tokenizer,
        )
