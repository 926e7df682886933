"""The scores of new Unigram pieces: high enough that a text uses them, so low that other languages stay as they are.

A word is cut otherwise than before exactly if its best path takes a new piece. So the new pieces begin with the scores
of their own vocabulary, and where too many words of another language change, those scores fall, or those pieces give
way to the next ones, that cost the text the fewest uses for each word that is as before.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from specialize.vocabularies.kinds.unigram_paths import Scores

LEAST_USE = 0.1  # of the uses that a piece has in its own vocabulary; with fewer it gives way to the next one
ROUNDS = 200  # of trying the next ones, each of which takes part of a second
DIGITS = 4  # of a score, so that it is read as it was written
STEP = 10.0**-DIGITS  # and how far below the score at which a word changes it falls, which no rounding bridges


class Candidate(NamedTuple):
    """A piece that may be taken.

    Attributes:
        piece: as the vocabulary has it.
        score: of its own vocabulary.
        examples: parts of words that its own vocabulary cuts into it, each with how many uses it stands for.
        needed: a letter, which is taken however seldom it stands by itself.
    """

    piece: str
    score: float
    examples: tuple[tuple[str, float], ...]
    needed: bool = False

    def least(self) -> float:
        """Uses that it has at least, or it gives way."""
        return STEP if self.needed else LEAST_USE * sum(count for _, count in self.examples)


class Elsewhere:
    """Words of other languages, and how many of them may be cut otherwise.

    Attributes:
        harms: by the parts that words are made of: how many words, running and distinct ones of each language, change
            with the part, by the number of the measure.
        allowed: how many may, by measure.

    Args:
        words: by language: the parts of each word, with its count.
        share: of the words of a language that may be cut otherwise.
    """

    def __init__(self, words: Mapping[str, Iterable[tuple[list[str], int]]], share: float) -> None:
        self.harms: dict[str, Counter[int]] = defaultdict(Counter)
        self.allowed: list[int] = []
        for language in sorted(words):
            running, distinct = len(self.allowed), len(self.allowed) + 1
            totals = [0, 0]
            for parts, count in words[language]:
                totals = [totals[0] + count, totals[1] + 1]
                for part in set(parts):
                    self.harms[part].update({running: count, distinct: 1})
            self.allowed += [math.floor(share * total + 1e-9) for total in totals]

    def excess(self, parts: Iterable[str]) -> dict[int, int]:
        """By how many words parts that are cut otherwise go beyond what is allowed, by measure, where they do."""
        harm: Counter[int] = Counter()
        for part in parts:
            harm.update(self.harms[part])
        return {measure: harm[measure] - self.allowed[measure] for measure in sorted(harm)
                if harm[measure] > self.allowed[measure]}  # fmt: skip


class Move(NamedTuple):
    """A way to have fewer words changed: a new score, or None to give the piece up.

    Attributes:
        worth: words that are as before, as shares of the excess, for each use that is lost.
        restored: parts that are.
    """

    worth: float
    piece: str
    score: float | None
    restored: tuple[str, ...]


class Fitting:
    """Fits the scores of new pieces; see the module.

    Attributes:
        chosen: the new pieces, in the order in which they were taken.
        given_way: those that were tried in vain, likewise.

    Args:
        base: scores of the base vocabulary.
        elsewhere: other languages.
    """

    def __init__(self, base: Mapping[str, float], elsewhere: Elsewhere) -> None:
        self._base, self._grown = Scores(base), Scores(base)
        self._elsewhere = elsewhere
        self._changed: dict[str, tuple[float, tuple[str, ...]]] = {}  # parts: by how much it is better, with what
        self.chosen: dict[str, Candidate] = {}
        self.given_way: list[str] = []

    def fit(self, candidates: Iterator[Candidate], number: int | None) -> dict[str, float]:
        """The new pieces with their scores, in the order of the candidates.

        Args:
            candidates: those to be taken come first.
            number: how many are taken; None: all that can be.
        """
        rounds = 0
        while True:
            fresh = list(islice(candidates, None if number is None else number - len(self.chosen)))
            self._take(fresh)
            self._keep_within()
            unused = [piece for piece in self.chosen if not self._is_used(piece)]
            self.give_up(unused)
            rounds += 1
            if (not fresh and not unused) or rounds == ROUNDS:
                return {piece: self._grown.by_piece[piece] for piece in self.chosen}

    def _take(self, candidates: list[Candidate]) -> None:
        for candidate in candidates:
            self.chosen[candidate.piece] = candidate
            self._grown.put(candidate.piece, max(round(candidate.score, DIGITS), self._grown.lowest))
        names = [candidate.piece for candidate in candidates]
        self._look_at(part for part in self._elsewhere.harms if any(name in part for name in names))

    def give_up(self, pieces: Iterable[str]) -> None:
        """Do without some of the chosen pieces."""
        for piece in pieces:
            del self.chosen[piece]
            self._grown.drop(piece)
            self.given_way.append(piece)
        self._look_at(list(self._changed))

    def _look_at(self, parts: Iterable[str]) -> None:
        """Which of some parts are cut otherwise now."""
        for part in parts:
            cut = self._grown.best(part)
            new = tuple(sorted({piece for piece in cut.pieces if piece in self.chosen}))
            if new:
                self._changed[part] = (cut.score - self._base.best(part).score, new)
            else:
                self._changed.pop(part, None)

    def _is_used(self, piece: str) -> bool:
        candidate = self.chosen[piece]
        uses = sum(count for part, count in candidate.examples if piece in self._grown.best(part).pieces)
        return uses >= candidate.least()

    def _keep_within(self) -> None:
        """Lower scores and give pieces up until no language has more words changed than it may."""
        while excess := self._elsewhere.excess(self._changed):
            moves = list(self._moves(excess))
            for move in moves:
                if move.score is not None:
                    self._grown.put(move.piece, move.score)
            self.give_up([move.piece for move in moves if move.score is None])

    def _moves(self, excess: dict[int, int]) -> Iterator[Move]:
        """The moves that are worth the most, one after the other, until the excess should be gone.

        A piece's best move is worth less the more other moves have done, so that one that is still worth more than the
        next piece's once was is the best of all.
        """
        left, changed = dict(excess), set(self._changed)
        blamed: dict[str, list[tuple[float, str]]] = defaultdict(list)
        for part in sorted(changed):
            gap, pieces = self._changed[part]
            for piece in pieces:
                blamed[piece].append((gap, part))
        bounds = {piece: self._bounds(piece) for piece in blamed}

        def best(piece: str) -> Move:
            parts = sorted((gap, part) for gap, part in blamed[piece] if part in changed)
            return max(self._moves_of(piece, parts, bounds[piece], excess, left), key=lambda move: move.worth)

        heap = [(-math.inf, piece) for piece in sorted(blamed)]
        heapq.heapify(heap)
        while heap and left:
            _, piece = heapq.heappop(heap)
            if changed.isdisjoint(part for _, part in blamed[piece]):
                continue
            move = best(piece)
            if move.worth <= 0:
                continue
            if heap and (-move.worth, piece) > heap[0]:
                heapq.heappush(heap, (-move.worth, piece))
                continue
            yield move
            changed.difference_update(move.restored)
            left = self._elsewhere.excess(changed)
            if move.score is not None:
                heapq.heappush(heap, (-math.inf, piece))

    def _bounds(self, piece: str) -> list[tuple[float, float]]:
        """Scores above which examples use a piece as things are, with how many uses those stand for, highest first."""
        score, bounds = self._grown.by_piece[piece], []
        for part, count in self.chosen[piece].examples:
            cut = self._grown.best(part)
            if piece in cut.pieces:
                bounds.append((score - (cut.score - self._grown.best(part, without=piece).score), count))
        return sorted(bounds, reverse=True)

    def _moves_of(
        self,
        piece: str,
        parts: list[tuple[float, str]],
        bounds: list[tuple[float, float]],
        excess: dict[int, int],
        left: dict[int, int],
    ) -> Iterator[Move]:
        """Lower scores for a piece, each of which leaves one more part as it was, and then none."""
        least, uses = self.chosen[piece].least(), sum(count for _, count in bounds)
        restored, gain = [], 0.0
        for gap, part in parts:
            restored.append(part)
            harms = self._elsewhere.harms[part]
            gain += sum(harms[measure] / excess[measure] for measure in left if measure in harms)
            score = math.floor((self._grown.by_piece[piece] - gap) / STEP - 1) * STEP
            kept = sum(count for bound, count in bounds if bound < score)
            if score < self._grown.lowest or kept < least:
                break
            yield Move(gain / (1 + uses - kept), piece, round(score, DIGITS), tuple(restored))
        everything = tuple(part for _, part in parts)
        gain = sum(self._elsewhere.harms[part][measure] / excess[measure] for part in everything for measure in left)
        yield Move(gain / (1 + uses), piece, None, everything)
