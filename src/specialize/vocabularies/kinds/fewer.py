"""A vocabulary without some of its pieces: they become free slots, or are gone and the other ids move up."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from tokenizers import Tokenizer, models

FREED = "[gives way {}]"  # the name of an id whose piece is gone, as no word is, since white space parts words
FREED_PIECE = re.compile(r"\[gives way \d+\]")


def freed(tokenizer: Tokenizer, pieces: Collection[str]) -> Tokenizer:
    """A copy in which some pieces are free slots by name; each id stays, and so do all merges of other pieces."""
    ids = tokenizer.get_vocab()
    names = {piece: FREED.format(ids[piece]) for piece in pieces}
    definition = json.loads(tokenizer.to_str())
    model = definition["model"]
    if isinstance(model["vocab"], dict):
        model["vocab"] = {names.get(piece, piece): number for piece, number in model["vocab"].items()}
    else:
        lowest = min(score for _, score in model["vocab"])
        model["vocab"] = [
            [names[piece], lowest] if piece in names else [piece, score] for piece, score in model["vocab"]
        ]
    _keep_merges(model, {piece for piece in ids if piece not in names})
    return _read(definition)


def freed_slots(tokenizer: Tokenizer) -> list[str]:
    """The names of the ids that `freed` has freed, in the order of those."""
    vocabulary = tokenizer.get_vocab()
    return sorted(filter(FREED_PIECE.fullmatch, vocabulary), key=vocabulary.__getitem__)


def only(tokenizer: Tokenizer, kept: list[str]) -> Tokenizer:
    """A copy that has some of the pieces and no others.

    Args:
        tokenizer: one that is `settled`, so that the model's vocabulary has each id.
        kept: in the order of their new ids; tokens and the unknown piece among them.
    """
    ids = {piece: number for number, piece in enumerate(kept)}
    old = tokenizer.get_vocab()
    definition = json.loads(tokenizer.to_str())
    model = definition["model"]
    if isinstance(model["vocab"], dict):
        model["vocab"] = ids
    else:
        scores = dict(model["vocab"])
        model["vocab"] = [[piece, scores[piece]] for piece in kept]
        names = {number: piece for piece, number in old.items()}
        model["unk_id"] = ids[names[model["unk_id"]]]
    _keep_merges(model, ids.keys())
    definition["added_tokens"] = [
        token | {"id": ids[token["content"]]} for token in definition["added_tokens"] if token["content"] in ids
    ]
    _renumber(definition["post_processor"], ids)
    return _read(definition)


def _keep_merges(model: dict[str, Any], kept: Collection[str]) -> None:
    if "merges" in model:
        model["merges"] = [
            [left, right] for left, right in model["merges"] if left in kept and right in kept and left + right in kept
        ]


def _renumber(processor: dict[str, Any] | None, ids: Mapping[str, int]) -> None:
    """Have what puts special tokens around a text know their new ids."""
    if not processor:
        return
    for inner in processor.get("processors", ()):
        _renumber(inner, ids)
    for end in ("sep", "cls"):
        if end in processor:
            processor[end] = [processor[end][0], ids[processor[end][0]]]
    for token in processor["special_tokens"].values() if processor["type"] == "TemplateProcessing" else ():
        token["ids"] = [ids[name] for name in token["tokens"]]


def _read(definition: dict[str, Any]) -> Tokenizer:
    """The tokenizer of a definition. Scores are given as they are, which a text of them might not keep to the bit."""
    tokenizer = Tokenizer.from_str(json.dumps(definition, ensure_ascii=False))
    model = definition["model"]
    if model["type"] == "Unigram":
        listed = [(piece, score) for piece, score in model["vocab"]]
        tokenizer.model = models.Unigram(listed, unk_id=model["unk_id"], byte_fallback=model["byte_fallback"])
    return tokenizer
