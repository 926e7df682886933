"""Masked-language-model pretraining on one language: of a base model further (LAPT, VA, TVA), or from scratch."""

from __future__ import annotations

import math
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR
from transformers.modeling_utils import PreTrainedModel
from transformers.utils import logging

from specialize.bases.architectures import architecture_of, known_architectures
from specialize.bases.folder import HEAD_DRAWN
from specialize.bases.supported import check_architecture
from specialize.errors import SpecializeError, warn
from specialize.files import read_json
from specialize.pretraining.gpu_memory import write_gpu_memory
from specialize.pretraining.initialisation import LanguageSources, check_slots, start_new_rows
from specialize.pretraining.masked_loss import masked_loss, validation_loss
from specialize.pretraining.masked_text import training_text, validation_text
from specialize.pretraining.model_card import ModelDescription, write_card
from specialize.pretraining.model_folder import check_tokenizer, save_model, try_out
from specialize.pretraining.new_rows import NewPieces, make_room
from specialize.pretraining.settings import MONOLINGUAL_ARCHITECTURE, VERSION, AdaptSettings, PretrainingSettings
from specialize.pretraining.several_languages import LanguageText, recorded, texts_of
from specialize.pretraining.what_learns import Learning
from specialize.training.checkpoint import Checkpoint, checkpoint_in
from specialize.training.devices import device, seed_everything
from specialize.training.loop import Fit, fit
from specialize.training.optimizer import AdamW, Tier, decayed_groups, linear_schedule
from specialize.training.precision import resolved, use_precision, where_and_how
from specialize.training.process_group import process_group
from specialize.vocabularies import (
    check_ids,
    first_words,
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
        gpu_memory: a file for the memory that it took of a GPU; None writes none.
        others: the corpus folders of the other languages of its text, by tag.
    """

    vocabulary: Path
    corpus: Path
    settings: PretrainingSettings
    description: ModelDescription
    folder: Path
    checkpoints: Path | None
    gpu_memory: Path | None = None
    others: Mapping[str, Path] = field(default_factory=dict)


def pretrain(
    model: PreTrainedModel,
    tokenizer: Tokenizer,
    training_files: list[Path],
    validation_files: list[Path],
    settings: PretrainingSettings,
    new_pieces: tuple[Tensor, float] | None = None,
    checkpoint: Checkpoint | None = None,
    learning: Learning | None = None,
    others: Sequence[LanguageText] = (),
) -> Fit:
    """Train a model on text and leave it with the weights of the epoch of lowest validation loss.

    Args:
        model: changed in place; its output layer may be tied to its embeddings, or not.
        tokenizer: its tokenizer.
        training_files, validation_files: corpus files.
        settings: hyperparameters.
        new_pieces: their ids and the multiplier of their rate (paper §2.1).
        checkpoint: where the state is kept, and taken up from.
        learning: what of the model learns; None: all of it, at one rate.
        others: text of other languages that is trained on, too.

    Raises:
        SpecializeError: if a sequence is longer than the model takes, or a text empty.
    """
    _check_length(model, settings)
    precision = use_precision(settings.precision)
    model.to(device())  # type: ignore[arg-type]
    process_group().go_apart(settings.threads, settings.seed)
    text = training_text(training_files, tokenizer, settings, others)
    validation = validation_text(validation_files, tokenizer, settings)
    optimizer = _optimizer(model, settings, new_pieces, learning)
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
    if learning:
        learning.settled()
    return outcome


def _check_length(model: PreTrainedModel, settings: PretrainingSettings) -> None:
    positions = architecture_of(model.config).positions(model.config.to_dict())
    if settings.sequence_length > positions:
        raise SpecializeError(
            f"pretraining.sequence_length {settings.sequence_length} is more than the model's {positions} positions; "
            "lower it"
        )


def _optimizer(
    model: PreTrainedModel,
    settings: PretrainingSettings,
    new_pieces: tuple[Tensor, float] | None,
    learning: Learning | None = None,
) -> AdamW:
    """Of all parameters that learn, the new pieces' embeddings at a rate of their own.

    In the output layer too, if it is not tied. Their entries in its bias are no embeddings, and learn as the rest does.
    """
    architecture = architecture_of(model.config)
    tier, multiplier = None, 1.0
    if new_pieces and settings.tiering != "released":
        ids, multiplier = new_pieces
        twice = settings.tiering == "two-groups"
        whole = [matrix for matrix in architecture.matrices(model) if matrix.requires_grad]
        tier = Tier(whole, ids.to(device()), multiplier, decayed_twice=twice) if whole else None
    if learning:
        groups = learning.groups(settings, multiplier)
    else:
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
    word_list: Path | None = None,
    gpu_memory: Path | None = None,
    others: Mapping[str, Path] | None = None,
) -> None:
    """Pretrain a base model further on one language: LAPT without new pieces, VA or TVA with (paper §2.1).

    No embedding that the base model uses is re-initialised. By default a new piece starts from its slot's row (fact
    13), or from the mean of the rows of what the base had cut it into, if it is beyond the slots; see `initialisation`.

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
        word_list: a bilingual one, that `initialisation: dictionary` needs; see `sources.read_word_list`.
        gpu_memory: a file for the memory that it takes of a GPU.
        others: the corpus folders of the languages that `settings` names besides this one, by tag.

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
    new = NewPieces.of(base, pieces)
    check_slots(new, settings, base_folder)
    started = start_new_rows(model, new, LanguageSources(tokenizer, corpus / "train.txt", word_list), settings)
    ids = torch.tensor(sorted(pieces.values()), dtype=torch.int64)
    rate = {"new_pieces": len(ids), "multiplier": multiplier} | ({"head_drawn": True} if head_drawn else {})
    rate |= started
    inputs = [base_folder / "config.json", base_folder / "model.safetensors", vocabulary / "statistics.json"]
    inputs += [word_list] if word_list else []
    new_pieces = (ids, multiplier) if len(ids) and multiplier != 1 else None
    learning = None
    if settings.adapt != AdaptSettings():
        learning = Learning(model, settings.adapt, ids, head_drawn)
    job = LanguageJob(vocabulary, corpus, settings, description, folder, checkpoints, gpu_memory, others or {})
    _pretrain_on_language(job, model, rate, inputs, new_pieces, learning)


def pretrain_monolingual(
    vocabulary: Path,
    corpus: Path,
    architecture: dict[str, Any],
    settings: PretrainingSettings,
    description: ModelDescription,
    folder: Path,
    checkpoints: Path | None = None,
    gpu_memory: Path | None = None,
    others: Mapping[str, Path] | None = None,
) -> None:
    """Pretrain a RoBERTa from scratch on one language: the paper's baseline BERT (§2.2.2, fact 20).

    Args:
        vocabulary: the representation's vocabulary folder, of byte-level pieces.
        corpus: the language's corpus folder.
        architecture: sizes, as the library's configuration of RoBERTa names them.
        settings, description, folder, checkpoints, gpu_memory, others: as for `adapt`.

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
    job = LanguageJob(vocabulary, corpus, settings, description, folder, checkpoints, gpu_memory, others or {})
    _pretrain_on_language(job, model, {"architecture": architecture})


def _pretrain_on_language(
    job: LanguageJob,
    model: PreTrainedModel,
    more: dict[str, Any],
    more_inputs: Sequence[Path] = (),
    new_pieces: tuple[Tensor, float] | None = None,
    learning: Learning | None = None,
) -> None:
    """Train a model on a language's corpus, and write its folder.

    Args:
        job: the rest of what it gets.
        model: as it is before.
        more: hyperparameters besides the settings.
        more_inputs: files that the model is from.
        new_pieces, learning: see `pretrain`.
    """
    started = time.monotonic()
    tokenizer = Tokenizer.from_file(str(job.vocabulary / "tokenizer.json"))
    texts = [job.corpus / "train.txt", job.corpus / "valid.txt"]
    several = texts_of(job.description.language, texts[0], job.others, job.settings)
    inputs = [job.vocabulary / "tokenizer.json", *texts, *more_inputs, *(text.path for text in several[1:])]
    hyperparameters = {**job.settings.job_parameters(), **more}
    text = read_json(job.corpus / "statistics.json")["train"]
    precision = resolved(job.settings.precision)
    known = {"text": text, **recorded(several), "hyperparameters": hyperparameters, **where_and_how(precision)}
    if learning:
        known["learning_parameters"] = learning.parameters
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
        outcome = pretrain(
            model,
            tokenizer,
            texts[:1],
            texts[1:],
            job.settings,
            new_pieces,
            checkpoint,
            learning=learning,
            others=several[1:],
        )
        save_model(model, outcome, known, job.folder, complete)
    if job.gpu_memory:
        write_gpu_memory(job.gpu_memory)
    print(f"{time.monotonic() - started:.0f} s of training")
    if not outcome.converged:
        message = (
            f"{job.folder}: did not converge: {outcome.reason}; its scores will print as –. Lower the learning rate"
        )
        print(message, file=sys.__stderr__)  # beside the log, which `reported` has it written to
        print(message)
