"""Models with the rows of some pieces only: what they compute of those pieces stays as it was."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import nn
from transformers.modeling_utils import PreTrainedModel

from specialize.bases.architectures import architecture_of
from specialize.errors import InputError, SpecializeError
from specialize.files import atomic_path, read_json, write_json
from specialize.pretraining.model_card import ModelDescription, write_card
from specialize.pretraining.model_folder import check_tokenizer
from specialize.vocabularies import copy_vocabulary, in_order, special_ids


def trim_model(source: Path, vocabulary: Path, description: ModelDescription, folder: Path) -> None:
    """Make the model folder of a trimmed representation: the source's model with the rows of the pieces that stay.

    Args:
        source: a model folder: of a base model, or one that was pretrained on the language.
        vocabulary: the trimmed vocabulary's folder.
        description: for the model card.
        folder: where the model folder appears, with history.json and README.md as the source's have them.

    Raises:
        InputError: see `fewer_rows`.
    """
    with atomic_path(folder) as temporary:
        temporary.mkdir()
        before, after, has_head = fewer_rows(source, vocabulary, temporary)
        history = read_json(source / "history.json") if description.method != "base" else {"converged": True}
        trimmed = {"pieces": after, "of": before} | ({} if has_head else {"encoder_only": True})
        write_json(temporary / "history.json", history | {"trimmed": trimmed})
        write_card(temporary, description)
    print(f"{after:,} of {before:,} rows of embeddings stay")


def fewer_rows(source: Path, vocabulary: Path, folder: Path) -> tuple[int, int, bool]:
    """Write config.json, weights and tokenizer of a model that has only the pieces of a smaller vocabulary.

    Args:
        source: the model's folder, with a head that predicts masked pieces or without.
        vocabulary: a folder whose tokenizer has some of the model's pieces; see `vocabularies.trimming`.
        folder: an existing one that they are written into.

    Returns:
        How many rows the source has, how many there are now, and whether there is a head that predicts masked pieces.

    Raises:
        InputError: if the vocabulary has a piece that the model lacks.
    """
    tokenizer = Tokenizer.from_file(str(vocabulary / "tokenizer.json"))
    known = Tokenizer.from_file(str(source / "tokenizer.json")).get_vocab()
    pieces = in_order(tokenizer)
    if strange := [piece for piece in pieces if piece not in known]:
        problem = f"has {len(strange):,} pieces that {source} lacks ({', '.join(strange[:3])})"
        raise InputError(vocabulary / "tokenizer.json", problem, remedy="make both anew from one model")
    model = _model_of(source)
    before = len(architecture_of(model.config).embeddings(model))
    keep_rows(model, [known[piece] for piece in pieces], special_ids(tokenizer)["pad"])
    if _has_head(model):
        architecture_of(model.config).part_biases(model)
    model.save_pretrained(folder)
    copy_vocabulary(vocabulary, folder)
    check_tokenizer(model, folder, ())
    return before, len(pieces), _has_head(model)


def _model_of(folder: Path) -> PreTrainedModel:
    """The model of a folder, with its head that predicts masked pieces if it has one."""
    architecture = architecture_of(folder)
    if not architecture.no_masked_training(read_json(folder / "config.json")):
        model, head_drawn = architecture.masked_lm(folder)
        if not head_drawn:
            return model
    return architecture.encoder(folder)


def _has_head(model: PreTrainedModel) -> bool:
    return model.base_model is not model


def keep_rows(model: PreTrainedModel, kept: Sequence[int], padding: int) -> None:
    """Leave only some rows in each matrix, and entries in the output bias, and have config.json name their new ids.

    Args:
        model: with a head or without.
        kept: the rows, in the order of their new numbers.
        padding: the new id of the padding.

    Raises:
        SpecializeError: if the model would then count its positions otherwise.
    """
    architecture, config = architecture_of(model.config), model.config
    positions = architecture.positions(config.to_dict())

    def tables() -> list[torch.Tensor]:
        if not _has_head(model):
            return [architecture.embeddings(model)]
        bias = architecture.output_bias(model)
        return [*architecture.matrices(model), *([] if bias is None else [bias])]

    expected = [table.detach()[torch.tensor(kept)] for table in tables()]
    model.resize_token_embeddings(len(kept), mean_resizing=False)
    if _has_head(model):
        architecture.join_biases(model)
    with torch.no_grad():
        for table, rows in zip(tables(), expected, strict=True):
            assert table.shape == rows.shape
            table.copy_(rows)
    new = {old: number for number, old in enumerate(kept)}
    for key, value in config.to_dict().items():
        if key.endswith("_token_id") and isinstance(value, int):
            setattr(config, key, new.get(value, padding if key == "pad_token_id" else None))
    embeddings = model.get_input_embeddings()
    if isinstance(embeddings, nn.Embedding) and embeddings.padding_idx is not None:
        embeddings.padding_idx = config.pad_token_id
    if architecture.positions(config.to_dict()) != positions:
        problem = f"counts its positions from the padding's id, which would become {config.pad_token_id}"
        raise SpecializeError(f"the model {problem}; it cannot be trimmed")
