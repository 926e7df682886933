"""Masked-language-model pretraining of a small base model from scratch, on several languages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from specialize.bases.architectures import architecture_to_make
from specialize.errors import SpecializeError
from specialize.pretraining.base_vocabulary import base_tokenizer
from specialize.pretraining.model_folder import check_tokenizer, save_model, try_out
from specialize.pretraining.pretrain import pretrain
from specialize.pretraining.settings import VERSION, PretrainingSettings
from specialize.training.checkpoint import checkpoint_in
from specialize.training.devices import seed_everything
from specialize.training.precision import resolved, where_and_how
from specialize.vocabularies import Form, PieceTraining, count_words, in_order, kind_of, special_ids


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
