"""How a Unigram vocabulary cuts text: into the pieces whose scores have the largest sum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from tokenizers import Tokenizer

UNKNOWN_PENALTY = 10.0  # an unknown letter's score is so far below the lowest piece's: SentencePiece's constant


class Cut(NamedTuple):
    """The best way to cut a text: its score, and its pieces, where an unknown letter is an empty one."""

    score: float
    pieces: list[str]


class Scores:
    """Pieces with their scores, which may change; cuts as the library's model does, ties included.

    Args:
        scores: natural logarithms of probabilities, by piece.
    """

    def __init__(self, scores: Mapping[str, float]) -> None:
        self.by_piece = dict(scores)
        self.lowest = min(self.by_piece.values())
        self._longest = max(map(len, self.by_piece))

    def put(self, piece: str, score: float) -> None:
        """Add a piece, or change its score, which is to be the lowest one or above, so that `unknown` stays."""
        self.by_piece[piece] = score
        self._longest = max(self._longest, len(piece))

    def drop(self, piece: str) -> None:
        """Take a piece away that was added."""
        del self.by_piece[piece]

    def best(self, text: str, without: str = "") -> Cut:
        """The best path; `without` is a piece that it may not take."""
        known, longest, size = self.by_piece, self._longest, len(text)
        unknown = self.lowest - UNKNOWN_PENALTY
        best: list[float | None] = [None] * (size + 1)
        came_from = [0] * (size + 1)
        best[0] = 0.0
        for start in range(size):
            here = best[start]
            assert here is not None
            letter_is_known = False
            for end in range(start + 1, min(size, start + longest) + 1):
                piece = text[start:end]
                score = known.get(piece)
                if score is None or piece == without:
                    continue
                letter_is_known |= end == start + 1
                before = best[end]
                if before is None or here + score > before:
                    best[end], came_from[end] = here + score, start
            before = best[start + 1]
            if not letter_is_known and (before is None or here + unknown > before):
                best[start + 1], came_from[start + 1] = here + unknown, start
        pieces = []
        end = size
        while end:
            piece = text[came_from[end] : end]
            pieces.append(piece if piece in known and piece != without else "")
            end = came_from[end]
        total = best[size]
        assert total is not None
        return Cut(total, pieces[::-1])


def parts_of(tokenizer: Tokenizer, word: str) -> list[str]:
    """What a tokenizer's model is given of a word that stands alone."""
    normalized = tokenizer.normalizer.normalize_str(word) if tokenizer.normalizer is not None else word
    return [part for part, _ in tokenizer.pre_tokenizer.pre_tokenize_str(normalized)]
