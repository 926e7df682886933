"""The folder of a pretrained model: its weights and history, and a tokenizer that everybody reads as training did."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from transformers.modeling_utils import PreTrainedModel

from specialize.bases.architectures import architecture_of
from specialize.files import atomic_path, write_json
from specialize.training.loop import Fit
from specialize.training.process_group import process_group
from specialize.vocabularies import check_reload, set_positions


def save_model(
    model: PreTrainedModel, outcome: Fit, known: dict[str, Any], folder: Path, complete: Callable[[Path], None]
) -> None:
    """Write a loadable model folder with the history of its training, all at once; only the first process does.

    Args:
        model: the model.
        outcome: of its training.
        known: what history.json says besides.
        folder: where it appears.
        complete: writes the folder's other files.
    """
    group = process_group()
    if not group.first:
        return
    architecture_of(model.config).part_biases(model)
    with atomic_path(folder) as temporary:
        model.save_pretrained(temporary)
        reason = {} if outcome.converged else {"reason": outcome.reason}
        marks = {"best_epoch": outcome.best_epoch, "converged": outcome.converged, **reason}
        if known["hyperparameters"].get("gpus", 1) > 1:  # of which a machine may have had fewer
            marks["processes"] = group.size
        write_json(temporary / "history.json", {**marks, **known, "epochs": outcome.history})
        complete(temporary)


def try_out(model: PreTrainedModel, write_tokenizer: Callable[[Path], None]) -> None:
    """Write a model's tokenizer and forget it, so that what is wrong with it is known before training."""
    with tempfile.TemporaryDirectory() as temporary:
        model.config.save_pretrained(temporary)
        write_tokenizer(Path(temporary))


def check_tokenizer(model: PreTrainedModel, folder: Path, words: Iterable[str]) -> None:
    """Have the tokenizer of a model's folder know the model's positions, and check that it is read as training did.

    Raises:
        SpecializeError: see `vocabularies.check_reload`.
    """
    positions = architecture_of(model.config).positions(model.config.to_dict())
    set_positions(folder, positions)
    check_reload(folder, words, positions)
