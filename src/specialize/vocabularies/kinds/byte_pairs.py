"""What the kinds of BPE share: new pieces come with the merges that make them."""

from __future__ import annotations

import json
import re
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, models, normalizers, processors

from specialize.errors import SpecializeError
from specialize.files import read_json
from specialize.vocabularies.kinds.fewer import freed_slots
from specialize.vocabularies.kinds.holes import SPECIAL, without_holes
from specialize.vocabularies.kinds.kind import BYTE_PIECES, WORDS_IN_A_CALL, Growth, Kind, special_names
from specialize.vocabularies.kinds.merges import PARTED, Cut, Pair, Words, further_merges, joined, way_to
from specialize.vocabularies.normal_form import steps_of
from specialize.vocabularies.settings import PieceChoice

UNUSED = re.compile(r"\[unused\d+\]|<unused\d+>")  # ModernBERT's, Gemma's
DIGITS = re.compile(r"[0-9]")


class BytePairs(Kind):
    """A kind of BPE.

    Attributes:
        mark: what the space before a word is in its first piece.
    """

    mark: str
    too_few = "no more pieces stand beside each other vocabularies.min_frequency times; lower it or give more text"

    def unknown(self, tokenizer: Tokenizer) -> str:
        """None where all bytes are pieces: the name that the special tokens have for it never comes up."""
        return "" if reads_bytes(tokenizer) else tokenizer.model.unk_token or ""

    def continuations(self, tokenizer: Tokenizer, segmented: list[list[str]]) -> list[int]:
        """All but each word's first."""
        return [max(len(pieces) - 1, 0) for pieces in segmented]

    def begins_word(self, tokenizer: Tokenizer, piece: str) -> bool:
        """By the space before it."""
        return piece.startswith(self.mark)

    def segment(self, tokenizer: Tokenizer, words: list[str]) -> list[list[str]]:
        """The pieces of each word after a space."""
        with self.after_a_space(tokenizer):
            return super().segment(tokenizer, words)

    @contextmanager
    def after_a_space(self, tokenizer: Tokenizer) -> Iterator[None]:
        """Have each word cut as one after a space, for a while."""
        normalizer, pre_tokenizer = tokenizer.normalizer, tokenizer.pre_tokenizer
        self.set_leading_space(tokenizer, True)
        try:
            yield
        finally:
            tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, pre_tokenizer

    @abstractmethod
    def letters_to_add(self, tokenizer: Tokenizer, words: Counter[str], choice: PieceChoice) -> dict[str, int]:
        """Letters that may become pieces by themselves, each with the wordpieces that it saves where it stands."""

    def free_slots(self, tokenizer: Tokenizer) -> list[str]:
        """The pieces that stand for nothing yet; somebody's tokens are special."""
        if freed := freed_slots(tokenizer):
            return freed
        vocabulary = tokenizer.get_vocab()
        used = {token.content for token in tokenizer.get_added_tokens_decoder().values() if token.special}
        return sorted((slot for slot in vocabulary.keys() - used if UNUSED.fullmatch(slot)), key=vocabulary.__getitem__)

    def made_of(self, tokenizer: Tokenizer, pieces: Iterable[str]) -> dict[str, set[str]]:
        """What merges make on the way to each; nothing, if they do not make it."""
        merges = json.loads(tokenizer.to_str())["model"]["merges"]
        ranks = {(left, right): rank for rank, (left, right) in enumerate(merges)}
        return {piece: way_to(piece, ranks) for piece in pieces}

    def settled(self, tokenizer: Tokenizer, path: Path, besides: Mapping[str, int | None]) -> Tokenizer:
        """Added tokens become part of the model's vocabulary, and nothing is left to chance (BPE dropout)."""
        definition = read_json(path)
        definition["model"]["vocab"] = vocabulary = without_holes(
            definition["model"]["vocab"].items(), definition, path, besides
        )
        definition["model"]["dropout"] = None
        added = {token["content"]: token for token in definition.get("added_tokens") or []}
        names = special_names(tokenizer)
        named = {*names.values(), *(token for token, number in besides.items() if number is None)}
        for token in sorted(({*besides} - added.keys() | named) & vocabulary.keys()):
            known = added.get(token, {"id": vocabulary[token], "content": token} | SPECIAL)
            added[token] = known | {"special": True, "normalized": False}
        definition["added_tokens"] = sorted(added.values(), key=lambda token: token["id"])
        tokenizer = Tokenizer.from_str(json.dumps(definition, ensure_ascii=False))
        if names:
            set_ends(tokenizer, names["cls_token"], names["sep_token"])
        return tokenizer

    def grow(
        self,
        base: Tokenizer,
        words: Counter[str],
        number: int | None,
        choice: PieceChoice,
        elsewhere: Mapping[str, Counter[str]],
    ) -> Growth:
        """Letters that the vocabulary lacks and pieces that are merged: those first that save the most wordpieces.

        See `further_merges`. With no number of pieces there are `choice.size`.
        """
        definition = json.loads(base.to_str())
        letters = self.letters_to_add(base, words, choice)
        with_letters = self._injected(base, sorted(letters), [])
        text = self._cut(with_letters, words)
        others = [self._cut(with_letters, elsewhere[language]) for language in sorted(elsewhere)]
        learned = Words(text.values(), letters, base.model.ignore_merges)
        further = further_merges(
            learned,
            letters,
            {(left, right): rank for rank, (left, right) in enumerate(definition["model"]["merges"])},
            set(base.get_vocab()),
            choice.size if number is None else number,
            choice.min_frequency,
            self._may_merge(base, reserved_pieces(definition, self.free_slots(base))),
            [Words(cuts.values(), letters, base.model.ignore_merges) for cuts in others],
            choice.most_resegmented,
        )
        grown = self._injected(base, further.pieces, further.merges)
        used = self._pieces_in_use(grown, dict(zip(text, learned.pieces, strict=True)), further.not_taken)
        intermediate = tuple(piece for piece in further.pieces if piece not in used)
        return Growth(grown, further.pieces, further.passed_over, intermediate)

    def _cut(self, tokenizer: Tokenizer, words: Counter[str]) -> dict[str, Cut]:
        """Words after a space, in their order, but for those that hold a token which is found before a text is cut."""
        pieces = {number: piece for piece, number in tokenizer.get_vocab().items()}
        tokens = tokenizer.get_added_tokens_decoder().keys()
        cuts: dict[str, Cut] = {}
        distinct = sorted(words)
        with self.after_a_space(tokenizer):
            for first in range(0, len(distinct), WORDS_IN_A_CALL):
                block = distinct[first : first + WORDS_IN_A_CALL]
                encodings = tokenizer.encode_batch(block, add_special_tokens=False)
                for word, encoding in zip(block, encodings, strict=True):
                    if tokens.isdisjoint(encoding.ids):
                        parts: dict[int | None, list[str]] = {}
                        for part, number in zip(encoding.word_ids, encoding.ids, strict=True):
                            parts.setdefault(part, []).append(pieces[number])
                        cuts[word] = Cut(joined(parts.values()), words[word])
        return cuts

    def _may_merge(self, base: Tokenizer, reserved: frozenset[str]) -> Callable[[Pair], bool]:
        """Whether a pair can become a piece: within a word, and none of a name, of a byte, or unlike the base's."""
        digits_alone = not any(
            len(piece) > 1 and DIGITS.search(piece) for piece in base.get_vocab().keys() - reserved
        )  # as SentencePiece's `split_digits` has them

        def may_merge(pair: Pair) -> bool:
            left, right = pair
            piece = left + right
            if self.mark in right or self.mark in left[1:] or not reserved.isdisjoint((left, right, piece)):
                return False
            return not (digits_alone and DIGITS.search(piece))

        return may_merge

    def _injected(self, base: Tokenizer, pieces: Sequence[str], merges: Sequence[Pair]) -> Tokenizer:
        """A copy with pieces in the free slots, the rest after all others, and merges after all others."""
        if not pieces and not merges:
            return base
        definition = json.loads(base.to_str())
        vocabulary: dict[str, int] = definition["model"]["vocab"]
        slots, last = self.free_slots(base), max(base.get_vocab().values())
        for slot, piece in zip(slots, pieces, strict=False):
            vocabulary[piece] = vocabulary.pop(slot)
        for place, piece in enumerate(pieces[len(slots) :], last + 1):
            vocabulary[piece] = place
        taken = set(slots[: len(pieces)])
        definition["model"]["vocab"] = dict(sorted(vocabulary.items(), key=lambda item: item[1]))
        definition["model"]["merges"] += [list(pair) for pair in merges]
        definition["added_tokens"] = [token for token in definition["added_tokens"] if token["content"] not in taken]
        return Tokenizer.from_str(json.dumps(definition, ensure_ascii=False))

    def _pieces_in_use(self, grown: Tokenizer, learned: Mapping[str, list[str]], bytes_of: set[str]) -> set[str]:
        """The pieces that the library cuts words into, which are those that were learned.

        Args:
            grown: with the new pieces.
            learned: the pieces of words.
            bytes_of: letters that are no pieces.
        """
        words = list(learned)
        used: set[str] = set()
        for word, pieces in zip(words, self.segment(grown, words), strict=True):
            used.update(pieces)
            expected = [piece for piece in learned[word] if piece != PARTED]
            if pieces != expected and bytes_of.isdisjoint(expected):
                raise SpecializeError(f"{word!r} is cut into {pieces}, where {expected} was learned; report this")
        return used


def reads_bytes(tokenizer: Tokenizer) -> bool:
    """Whether a letter that a vocabulary lacks is cut into its bytes, each of them a piece."""
    if not tokenizer.model.byte_fallback:
        return False
    return all(tokenizer.token_to_id(piece) is not None for piece in BYTE_PIECES)


def reserved_pieces(definition: dict[str, Any], slots: Iterable[str]) -> frozenset[str]:
    """Pieces that are not spelled as what they stand for, and so are never merged: names, bytes, the unknown one.

    Args:
        definition: of a tokenizer, as tokenizer.json has it.
        slots: its free ones.
    """
    model = definition["model"]
    names = {token["content"] for token in definition["added_tokens"]} | {model["unk_token"] or ""}
    return frozenset({*names, *slots, *(BYTE_PIECES if model["byte_fallback"] else ())})


def set_prepended(tokenizer: Tokenizer, prepended: str, wanted: bool) -> None:
    """Have a text begin with a space, or not, once all else is done to its letters.

    Args:
        tokenizer: whose normalizer does it.
        prepended: the space, or its mark.
        wanted: whether it does.
    """
    steps = steps_of(tokenizer.normalizer)
    does = bool(steps) and isinstance(steps[-1], normalizers.Prepend)
    if wanted != does:
        steps = [*steps, normalizers.Prepend(prepended)] if wanted else steps[:-1]
        tokenizer.normalizer = normalizers.Sequence(steps) if steps else None


def whole_symbols(tokenizer: Tokenizer) -> bool:
    """Whether a tokenizer's model is a BPE whose merges give just what they merge, as those of all kinds here do."""
    model = tokenizer.model
    if not isinstance(model, models.BPE):
        return False
    return not (model.continuing_subword_prefix or model.end_of_word_suffix)


def set_ends(tokenizer: Tokenizer, start: str, end: str) -> None:
    """Have texts and pairs of texts stand between special tokens, unless they do."""
    tokenizer.no_padding()
    tokenizer.no_truncation()
    if tokenizer.encode("").tokens == [start, end]:
        return
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}",
        pair=f"{start} $A {end} $B {end}",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in (start, end)],
    )
