"""Further merges of a BPE vocabulary: its training goes on, on words as the base cuts them."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

Pair = tuple[str, str]
Step = tuple[str, ...]  # a pair that is merged, or a letter that becomes a piece

PARTED = ""  # stands between the parts of a word that no piece joins


class Cut(NamedTuple):
    """How a word is cut.

    Attributes:
        pieces: in their order, with `PARTED` between the parts of the word that the model is given one by one. A letter
            that may become a piece is one.
        occurs: how often the word does.
    """

    pieces: list[str]
    occurs: int


class Words:
    """Words as they are cut by now, and what each step would save.

    Attributes:
        pieces: of each word, see `Cut`.
        saved: wordpieces by steps.

    Args:
        cuts: of the words.
        letters: those that may become pieces, with the wordpieces that each one saves where it stands.
        taken_whole: whether a part that is a piece is taken at once, whatever the merges are (`ignore_merges`).
    """

    def __init__(self, cuts: Iterable[Cut], letters: Mapping[str, int], taken_whole: bool = False) -> None:
        self.pieces: list[list[str]] = []
        self.saved: Counter[Step] = Counter()
        self._counts: list[int] = []
        self._letters = letters
        self._places: defaultdict[Step, list[int]] = defaultdict(list)  # where a step was ever to be taken
        self._parts: defaultdict[str, list[int]] = defaultdict(list)
        self._changed: set[int] = set()
        self._running_changed = 0
        for number, (pieces, count) in enumerate(cuts):
            self.pieces.append(pieces)
            self._counts.append(count)
            for step, times in self._steps(pieces).items():
                self.saved[step] += times * count
                self._places[step].append(number)
            for part in parts_of(pieces) if taken_whole else ():
                self._parts["".join(part)].append(number)
        self._running = max(sum(self._counts), 1)

    def changed_by(self, step: Step) -> list[int]:
        """Which words are cut otherwise after a step, those among them that it makes a piece as a whole."""
        piece = "".join(step)
        found = [number for number in self._places.get(step, ()) if _has(self.pieces[number], step)]
        found += (number for number in self._parts.get(piece, ()) if piece not in self.pieces[number])
        return list(dict.fromkeys(found))

    def share_changed(self, step: Step) -> float:
        """The share of the words, as often as they occur, that are cut otherwise than at first after a step."""
        further = sum(self._counts[number] for number in self.changed_by(step) if number not in self._changed)
        return (self._running_changed + further) / self._running

    def take(self, step: Step, ranks: dict[Pair, int], known: bool) -> list[Step]:
        """Cut the words after a step.

        Args:
            step: that is taken.
            ranks: all merges, that of the step among them; the first one to be done has the lowest.
            known: whether the vocabulary had the piece, so that other merges may go on with it.

        Returns:
            The steps that save more than before, or that begin or end in a letter that has become a piece.
        """
        piece, more = "".join(step), dict[Step, None]()
        whole = set(self._parts.get(piece, ()))
        for number in self.changed_by(step):
            before, count = self.pieces[number], self._counts[number]
            after = merged(before, step, ranks if known else {}) if len(step) == 2 else before
            if number in whole:
                after = joined([piece] if "".join(part) == piece else part for part in parts_of(after))
            old, new = self._steps(before), self._steps(after)
            for gone, times in old.items():
                self.saved[gone] -= times * count
            for come, times in new.items():
                self.saved[come] += times * count
                if times > old.get(come, 0):
                    self._places[come].append(number)
                    more[come] = None
                elif after is before and piece in come:
                    more[come] = None
            self.pieces[number] = after
            if number not in self._changed:
                self._changed.add(number)
                self._running_changed += count
        return sorted(more)

    def _steps(self, pieces: list[str]) -> dict[Step, int]:
        """How many wordpieces each step saves in a word; of three alike, one after the other, only two become one."""
        saved: dict[Step, int] = {}
        last: Pair | None = None
        for pair in pairwise(pieces):
            if pair == last and pair[0] == pair[1]:
                last = None  # overlaps with the one before
                continue
            last = pair
            if PARTED not in pair:
                saved[pair] = saved.get(pair, 0) + 1
        if not self._letters.keys().isdisjoint(pieces):
            for piece in pieces:
                if piece in self._letters:
                    saved[(piece,)] = saved.get((piece,), 0) + self._letters[piece]
        return saved


class Further(NamedTuple):
    """What is learned.

    Attributes:
        pieces: new ones, in their order: letters, and what merges make but for what the vocabulary had already.
        merges: in their order.
        passed_over: pieces that would have been, but for the other languages.
        not_taken: letters that are none of the pieces.
    """

    pieces: list[str]
    merges: list[Pair]
    passed_over: list[str]
    not_taken: set[str]


def further_merges(
    text: Words,
    letters: Iterable[str],
    ranks: dict[Pair, int],
    known: set[str],
    number: int,
    min_frequency: int,
    may_merge: Callable[[Pair], bool],
    elsewhere: Sequence[Words] = (),
    most_changed: float = 1,
) -> Further:
    """Take the step that saves the most wordpieces of a text, as training does, until there are n new pieces.

    The last merges are done last, so that every word is first cut by the base's, and new ones act on what that gives.
    A merge that makes a piece which the vocabulary has costs none of n: it is one more way to that piece.

    Args:
        text: words as the base cuts them; cut by the new merges too, afterwards.
        letters: those that may become pieces.
        ranks: the base's merges; the new ones are added.
        known: the base's pieces; the new ones are added.
        number: of new pieces.
        min_frequency: a step is taken that saves so many wordpieces.
        may_merge: whether a pair can be merged at all.
        elsewhere: words of other languages, each language by itself.
        most_changed: share of the words of each of those that may be cut otherwise than by the base.
    """
    merges: list[Pair] = []
    pieces: list[str] = []
    passed_over: dict[str, None] = {}
    not_taken = set(letters)
    next_rank = 1 + max(ranks.values(), default=-1)

    def possible(step: Step) -> bool:
        if text.saved[step] < min_frequency:
            return False
        if len(step) == 1:
            return step[0] in not_taken
        return not_taken.isdisjoint(step) and may_merge((step[0], step[1]))

    waiting = [(-saved, step) for step, saved in text.saved.items() if possible(step)]
    heapq.heapify(waiting)
    while waiting and len(pieces) < number:
        promised, step = heapq.heappop(waiting)
        piece = "".join(step)
        if text.saved[step] != -promised or not possible(step):
            if text.saved[step] < -promised and possible(step):  # what saves more by now is waiting besides
                heapq.heappush(waiting, (-text.saved[step], step))
            continue
        if any(words.share_changed(step) > most_changed for words in elsewhere):
            passed_over[piece] = None
            continue
        if len(step) == 2:
            ranks[step[0], step[1]] = next_rank
            next_rank += 1
            merges.append((step[0], step[1]))
        not_taken.discard(piece)
        was_known = piece in known
        if not was_known:
            known.add(piece)
            pieces.append(piece)
        for words in elsewhere:
            words.take(step, ranks, was_known)
        for more in text.take(step, ranks, was_known):
            if possible(more):
                heapq.heappush(waiting, (-text.saved[more], more))
    return Further(pieces, merges, [piece for piece in passed_over if piece not in known], not_taken)


def merged(pieces: list[str], pair: Step, ranks: Mapping[Pair, int]) -> list[str]:
    """What the last of the merges makes of pieces, and others of what that makes, as the library does it.

    It takes the merge that comes first, and of its places the first, again and again.

    Args:
        pieces: which other merges do nothing to.
        pair: that the last merge joins.
        ranks: all merges, if some may go on with the new piece; else none.
    """
    if ranks:
        return _all_merged(pieces, ranks)
    after: list[str] = []
    for piece in pieces:
        if after and (after[-1], piece) == pair:
            after[-1] += piece
        else:
            after.append(piece)
    return after


def _all_merged(pieces: list[str], ranks: Mapping[Pair, int]) -> list[str]:
    pieces = list(pieces)
    while (place := _first_to_merge(pieces, ranks)) is not None:
        pieces[place : place + 2] = [pieces[place] + pieces[place + 1]]
    return pieces


def _first_to_merge(pieces: list[str], ranks: Mapping[Pair, int]) -> int | None:
    """Where the merge that comes first is to be done."""
    found = ((ranks[pair], place) for place, pair in enumerate(pairwise(pieces)) if pair in ranks)
    first = min(found, default=None)
    return None if first is None else first[1]


def way_to(piece: str, ranks: Mapping[Pair, int]) -> set[str]:
    """The letters of a piece and all that merges make of them before it; nothing, if they do not make it.

    Within a word they do the same: no merge reaches across the ends of a piece that it is cut into.
    """
    pieces, found = list(piece), set(piece)
    while (place := _first_to_merge(pieces, ranks)) is not None:
        pieces[place : place + 2] = [pieces[place] + pieces[place + 1]]
        found.add(pieces[place])
    return found - {piece} if pieces == [piece] else set()


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


def _has(pieces: list[str], step: Step) -> bool:
    return step in pairwise(pieces) if len(step) == 2 else step[0] in pieces
