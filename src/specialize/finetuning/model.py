"""A whole task model: encoder and head, training loss, prediction, saving and loading."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from specialize.errors import InputError
from specialize.files import read_json, write_json
from specialize.finetuning.encoder import WordBatch, WordEncoder, WordPieces
from specialize.finetuning.heads import Decoded
from specialize.finetuning.tasks import Task, task_named
from specialize.training import device

if TYPE_CHECKING:
    from specialize.finetuning.recurrent import NumberedBatch, RecurrentEncoder, StaticWords

Encoder: TypeAlias = "WordEncoder | RecurrentEncoder"
Pieces: TypeAlias = "WordPieces | StaticWords"
Words: TypeAlias = "WordBatch | NumberedBatch"

# Sentences decoded at a time: a CPU is slower with more than its cache holds, a GPU has room for many.
DECODED = {"cpu": 32, "cuda": 256}


class TaskModel(nn.Module):
    """An encoder with one task's head.

    Args:
        encoder: gives word vectors.
        pieces: turns words into the encoder's wordpieces.
        task: the task, its labels known.
        settings: of the head.
    """

    def __init__(self, encoder: Encoder, pieces: Pieces, task: Task[Any], settings: dict[str, Any]) -> None:
        super().__init__()
        self.encoder: Encoder
        self.pieces: Pieces
        self.encoder, self.pieces, self.task, self.settings = encoder, pieces, task, settings
        self.head = task.head(encoder.width, settings)

    def loss(self, words: Words, targets: list[Tensor]) -> Tensor:
        """The head's loss on a batch."""
        loss: Tensor = self.head.loss(self.encoder(words), words.mask, *targets)  # type: ignore[operator]
        return loss

    def predict(self, sentences: list[Any], batch_size: int | None = None) -> list[Any]:
        """Copies of sentences with predicted labels, in their order.

        Batches are of similar length, and as small as the GPU's memory demands.

        Args:
            sentences: with any labels, which nobody looks at.
            batch_size: sentences decoded at a time; by default what suits the device.
        """
        batch_size = batch_size or DECODED[device().type]
        encoded = [self.pieces.encode(self.task.words(sentence)) for sentence in sentences]
        remaining = sorted(range(len(sentences)), key=lambda index: sum(map(len, encoded[index])))
        predicted: list[Any] = [None] * len(sentences)
        while remaining:
            chosen = remaining[:batch_size]
            try:
                decoded = self._decode([encoded[index] for index in chosen])
            except torch.OutOfMemoryError:
                if len(chosen) == 1:
                    raise
                batch_size = len(chosen) // 2
                continue
            for index, labels in zip(chosen, decoded, strict=True):
                predicted[index] = self.task.labeled(sentences[index], labels)
            remaining = remaining[batch_size:]
        return predicted

    @torch.no_grad()
    def _decode(self, sentences: list[list[list[int]]]) -> Decoded:
        words = self.pieces.collate(sentences, self.encoder.longest)
        decoded: Decoded = self.head.decode(self.encoder(words), words.mask)  # type: ignore[operator]
        return decoded

    def save(self, folder: Path, encoder_folder: Path) -> None:
        """Write the encoder in its own format, the rest beside it."""
        self.encoder.save(folder, encoder_folder)
        apart = self.encoder.saved_apart
        rest = {name: value for name, value in self.state_dict().items() if not name.startswith(apart)}
        save_file(rest, folder / "head.safetensors")
        description = {
            "task": self.task.name,
            "tags": getattr(self.task, "tags", None),
            "labels": self.task.labels,
            "head": self.settings,
            **self.pieces.description,
            **self.encoder.description,
        }
        write_json(folder / "task.json", description)


def load_model(folder: Path) -> TaskModel:
    """Load what `TaskModel.save` wrote.

    Args:
        folder: the model folder, or the finetuning folder that has it.

    Raises:
        InputError: if there is no such model.
    """
    folder = folder / "model" if (folder / "model").is_dir() else folder
    if not all((folder / name).is_file() for name in ("task.json", "head.safetensors")):
        raise InputError(folder, "holds no finetuned model", remedy="run the finetuning with --config keep_models=true")
    description = read_json(folder / "task.json")
    task = task_named(description["task"], description["tags"], description["labels"])
    model = TaskModel(*_encoder(folder, description), task, description["head"])
    loaded = model.load_state_dict(load_file(folder / "head.safetensors"), strict=False)
    missing = [name for name in loaded.missing_keys if not name.startswith(model.encoder.saved_apart)]
    if missing or loaded.unexpected_keys:
        raise InputError(
            folder / "head.safetensors", f"does not fit task.json ({[*missing, *loaded.unexpected_keys][:3]})"
        )
    return model.to(device()).eval()


def _encoder(folder: Path, description: dict[str, Any]) -> tuple[Encoder, Pieces]:
    if "task_encoder" in description:
        from specialize.finetuning.recurrent import RecurrentEncoder, StaticWords
        from specialize.pretraining.static_vectors import StaticVectors

        words = StaticWords(StaticVectors(folder), description["words"], description["unknown_words"])
        return RecurrentEncoder(words.first_vectors(), **description["task_encoder"]), words
    precision = description["precision"]
    encoder = WordEncoder(folder, layer_dropout=0.0, dropout_when_evaluating=False, precision=precision)
    return encoder, WordPieces(folder, description["leading_space"])
