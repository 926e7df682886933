"""The ids of a tokenizer.json, each of them a piece's: added tokens become part of the model's vocabulary."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from specialize.errors import InputError

HOLE = "[no piece {}]"  # as no word is, since white space parts words
HOLE_NAME = re.compile(r"\[+no piece \d+\]+")
MOST_HOLES = 100_000
SPECIAL = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}


def without_holes(
    own: Iterable[tuple[str, int]], definition: dict[str, Any], path: Path, besides: Mapping[str, int | None]
) -> dict[str, int]:
    """The vocabulary of a tokenizer.json by id: the model's and added tokens, and a name for each id that has no piece.

    The library gives added tokens that the model's vocabulary lacks the ids after its *number* of pieces, whatever ids
    the file says, and so another piece's if ids are left out.

    Args:
        own: the model's pieces with their ids.
        definition: of the whole tokenizer.
        path: where it is from, for errors.
        besides: tokens that other files name, with their ids if those are said.

    Raises:
        InputError: if a piece has two ids, an id two pieces, or nearly all ids none.
    """
    vocabulary: dict[str, int] = {}
    pieces: dict[int, str] = {}
    added = ((token["content"], token["id"]) for token in definition.get("added_tokens") or [])
    for piece, number in (*own, *added):
        if vocabulary.setdefault(piece, number) != number:
            ids = f"{vocabulary[piece]} and {number}"
            raise InputError(path, f"has two ids for {piece!r}, {ids}", remedy="write the right one in both places")
        _take(pieces, piece, number, path)
    for piece, known in besides.items():
        if piece and known is not None and piece not in vocabulary and known not in pieces:
            pieces[known] = piece
    size = 1 + max(pieces)
    if size > len(pieces) + MOST_HOLES:
        raise InputError(path, f"has the id {size - 1} among {len(pieces)} pieces", remedy="number them from 0 on")
    for number in range(size):
        if number not in pieces:
            name = HOLE.format(number)
            while name in vocabulary:
                name = f"[{name}]"
            vocabulary[name] = number
            pieces[number] = name
    return {pieces[number]: number for number in range(size)}


def _take(pieces: dict[int, str], piece: str, number: int, path: Path) -> None:
    if pieces.setdefault(number, piece) != piece:
        problem = f"has two pieces of the id {number}, {pieces[number]!r} and {piece!r}"
        raise InputError(path, problem, remedy="leave out the one that the model was not trained with")
