"""Further merges of a BPE vocabulary: its training goes on, on words as the base cuts them."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

Pair = tuple[str, str]

PARTED = ""  # stands between the parts of a word that no piece joins


class Cut(NamedTuple):
    """How a word is cut.

    Attributes:
        pieces: in their order, with `PARTED` between the parts of the word that the model is given one by one.
        count: how often the word occurs.
    """

    pieces: list[str]
    count: int


class Words:
    """Words as they are cut by now, and how often pieces stand beside each other in them.

    Attributes:
        pieces: of each word, see `Cut`.
        counts: of the words.
        pairs: how many wordpieces merging a pair saves.
        changed: numbers of the words that are cut otherwise than at first.
        share_changed: of the words, as often as they occur.

    Args:
        cuts: of the words.
        taken_whole: whether a part that is a piece is taken at once, whatever the merges are (`ignore_merges`).
    """

    def __init__(self, cuts: Iterable[Cut], taken_whole: bool = False) -> None:
        self.pieces: list[list[str]] = []
        self.counts: list[int] = []
        self.pairs: Counter[Pair] = Counter()
        self.changed: set[int] = set()
        self._places: defaultdict[Pair, list[int]] = defaultdict(list)  # and where a pair was before
        self._parts: defaultdict[str, list[int]] = defaultdict(list)
        self._running_changed = 0
        for number, (pieces, count) in enumerate(cuts):
            self.pieces.append(pieces)
            self.counts.append(count)
            for pair, times in _pairs(pieces).items():
                self.pairs[pair] += times * count
                self._places[pair].append(number)
            for part in parts_of(pieces) if taken_whole else ():
                self._parts["".join(part)].append(number)
        self._running = max(sum(self.counts), 1)

    @property
    def share_changed(self) -> float:
        """See the class."""
        return self._running_changed / self._running

    def mark_changed(self, numbers: Iterable[int]) -> None:
        """Note that words are cut otherwise than by the base."""
        for number in numbers:
            if number not in self.changed:
                self.changed.add(number)
                self._running_changed += self.counts[number]

    def with_pair(self, pair: Pair) -> list[int]:
        """Which words a merge changes, those among them that are the piece as a whole."""
        piece = "".join(pair)
        found = [number for number in self._places.get(pair, ()) if pair in pairwise(self.pieces[number])]
        found += (number for number in self._parts.get(piece, ()) if piece not in self.pieces[number])
        return list(dict.fromkeys(found))

    def share_with(self, pair: Pair) -> float:
        """What `share_changed` would be after a merge."""
        further = sum(self.counts[number] for number in self.with_pair(pair) if number not in self.changed)
        return (self._running_changed + further) / self._running

    def merge(self, pair: Pair, ranks: dict[Pair, int]) -> set[Pair]:
        """Cut the words by one merge more.

        Args:
            pair: that it merges; `ranks` has it already.
            ranks: all merges, the first one to be done has the lowest.

        Returns:
            The pairs that stand in more places than before.
        """
        numbers, piece = self.with_pair(pair), "".join(pair)
        more: set[Pair] = set()
        for number in numbers:
            before = self.pieces[number]
            after = merged(before, ranks)
            if self._parts:
                after = _with_whole_part(after, piece)
            old, new = _pairs(before), _pairs(after)
            for gone, times in old.items():
                self.pairs[gone] -= times * self.counts[number]
            for come, times in new.items():
                self.pairs[come] += times * self.counts[number]
                if times > old.get(come, 0):
                    more.add(come)
                    self._places[come].append(number)
            self.pieces[number] = after
        self._places.pop(pair, None)
        self.mark_changed(numbers)
        return more


class Further(NamedTuple):
    """Merges that are learned.

    Attributes:
        merges: in their order.
        pieces: that they make, but for those that the vocabulary had already.
        passed_over: pieces that would have been, but for the other languages.
    """

    merges: list[Pair]
    pieces: list[str]
    passed_over: list[str]


def further_merges(
    text: Words,
    ranks: dict[Pair, int],
    known: set[str],
    number: int,
    min_frequency: int,
    may_merge: Callable[[Pair], bool],
    elsewhere: Sequence[Words] = (),
    most_changed: float = 1,
) -> Further:
    """Merge the most frequent pair of a text's pieces, as training does, until there are n new pieces.

    The last merges are done last, so that every word is first cut by the base's, and new ones act on what that gives.
    A merge that makes a piece which the vocabulary has costs none of n: it is one more way to that piece.

    Args:
        text: words as the base cuts them; cut by the new merges too, afterwards.
        ranks: the base's merges; the new ones are added.
        known: the base's pieces; the new ones are added.
        number: of new pieces.
        min_frequency: a pair is merged that occurs so often.
        may_merge: whether a pair can be merged at all.
        elsewhere: words of other languages, each language by itself.
        most_changed: share of the words of each of those that may be cut otherwise than by the base.
    """
    merges: list[Pair] = []
    pieces: list[str] = []
    passed_over: dict[str, None] = {}
    next_rank = 1 + max(ranks.values(), default=-1)
    waiting = [(-count, pair) for pair, count in text.pairs.items() if count >= min_frequency and may_merge(pair)]
    heapq.heapify(waiting)
    while waiting and len(pieces) < number:
        saved, pair = heapq.heappop(waiting)
        if (count := text.pairs[pair]) != -saved:
            if 0 < count < -saved and count >= min_frequency:  # what has become more is waiting besides
                heapq.heappush(waiting, (-count, pair))
            continue
        piece = "".join(pair)
        if any(words.share_with(pair) > most_changed for words in elsewhere):
            passed_over[piece] = None
            continue
        ranks[pair] = next_rank
        next_rank += 1
        merges.append(pair)
        if piece not in known:
            known.add(piece)
            pieces.append(piece)
        for words in elsewhere:
            words.merge(pair, ranks)
        for more in sorted(text.merge(pair, ranks)):
            if text.pairs[more] >= min_frequency and may_merge(more):
                heapq.heappush(waiting, (-text.pairs[more], more))
    return Further(merges, pieces, [piece for piece in passed_over if piece not in known])


def merged(pieces: list[str], ranks: dict[Pair, int]) -> list[str]:
    """What merges make of pieces: always the first of the merge that comes first, as the library does it."""
    pieces = list(pieces)
    while True:
        found = ((ranks[pair], place) for place, pair in enumerate(pairwise(pieces)) if pair in ranks)
        first = min(found, default=None)
        if first is None:
            return pieces
        place = first[1]
        pieces[place : place + 2] = [pieces[place] + pieces[place + 1]]


def parts_of(pieces: list[str]) -> list[list[str]]:
    """A word's pieces, by its parts."""
    parts: list[list[str]] = [[]]
    for piece in pieces:
        if piece == PARTED:
            parts.append([])
        else:
            parts[-1].append(piece)
    return parts


def joined(parts: Iterable[list[str]]) -> list[str]:
    """The contrary of `parts_of`."""
    pieces: list[str] = []
    for number, part in enumerate(parts):
        pieces += [PARTED] * bool(number) + part
    return pieces


def _with_whole_part(pieces: list[str], piece: str) -> list[str]:
    """The same with one piece for each part that is that piece."""
    return joined([piece] if "".join(part) == piece else part for part in parts_of(pieces))


def _pairs(pieces: list[str]) -> dict[Pair, int]:
    """How many places merging each pair saves; of three alike, one after the other, only two become one."""
    counts: dict[Pair, int] = {}
    last: Pair | None = None
    for pair in pairwise(pieces):
        if pair == last and pair[0] == pair[1]:
            last = None  # overlaps with the one before
            continue
        last = pair
        if PARTED not in pair:
            counts[pair] = counts.get(pair, 0) + 1
    return counts
