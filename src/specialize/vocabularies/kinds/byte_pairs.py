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
from specialize.vocabularies.kinds.holes import SPECIAL, without_holes
from specialize.vocabularies.kinds.kind import Growth, Kind, special_names
from specialize.vocabularies.kinds.merges import Cut, Pair, Words, further_merges, joined, parts_of
from specialize.vocabularies.normal_form import steps_of
from specialize.vocabularies.settings import PieceChoice

UNUSED = re.compile(r"\[unused\d+\]|<unused\d+>")  # ModernBERT's, Gemma's
BYTE = re.compile(r"<0x[0-9A-F]{2}>")
BYTES = 256
DIGITS = re.compile(r"[0-9]")


class BytePairs(Kind):
    """A kind of BPE.

    Attributes:
        mark: what the space before a word is in its first piece.
    """

    mark: str

    def unknown(self, tokenizer: Tokenizer) -> str:
        """None where all bytes are pieces: the name that the special tokens have for it never comes up."""
        return "" if reads_bytes(tokenizer) else tokenizer.model.unk_token or ""

    def continuations(self, tokenizer: Tokenizer, segmented: list[list[str]]) -> list[int]:
        """All but each word's first."""
        return [len(pieces) - 1 for pieces in segmented]

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
    def letters_to_add(self, tokenizer: Tokenizer, words: Counter[str], choice: PieceChoice) -> list[str]:
        """Letters that are to become pieces before anything is merged, in their order."""

    def free_slots(self, tokenizer: Tokenizer) -> list[str]:
        """The pieces that stand for nothing yet; somebody's tokens are special."""
        vocabulary = tokenizer.get_vocab()
        used = {token.content for token in tokenizer.get_added_tokens_decoder().values() if token.special}
        return sorted((slot for slot in vocabulary.keys() - used if UNUSED.fullmatch(slot)), key=vocabulary.__getitem__)

    def settled(self, tokenizer: Tokenizer, path: Path, besides: Mapping[str, int | None]) -> Tokenizer:
        """Added tokens become part of the model's vocabulary, and nothing is left to chance (BPE dropout)."""
        definition = read_json(path)
        definition["model"]["vocab"] = vocabulary = without_holes(definition, path, besides)
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
        """Letters that the vocabulary lacks, then the pieces of the merges that save the most wordpieces.

        See `further_merges`. With no number of pieces there are `choice.size`.
        """
        number = choice.size if number is None else number
        definition = json.loads(base.to_str())
        parts = _Parts(self, base)
        others = {language: parts.usable(of_language) for language, of_language in sorted(elsewhere.items())}
        letters: list[str] = []
        changed: dict[str, set[str]] = {language: set() for language in others}
        passed_over: list[str] = []
        for letter in self.letters_to_add(base, words, choice):
            with_letter = {
                language: found | {word for word in others[language] if letter in parts.spelled(word)}
                for language, found in changed.items()
            }
            shares = (sum(others[of][word] for word in found) / others[of].total() for of, found in with_letter.items())
            if any(share > choice.most_resegmented for share in shares):
                passed_over.append(letter)
            elif len(letters) < number:
                letters.append(letter)
                changed = with_letter
        with_letters = self._injected(base, letters, [])
        parts = _Parts(self, with_letters)
        text = parts.cut(parts.usable(words))
        cut_elsewhere = []
        for language, of_language in others.items():
            cut_elsewhere.append(parts.cut(of_language))
            places = {word: place for place, word in enumerate(sorted(of_language))}
            cut_elsewhere[-1].mark_changed(sorted(places[word] for word in changed[language]))
        further = further_merges(
            text,
            {(left, right): rank for rank, (left, right) in enumerate(definition["model"]["merges"])},
            set(with_letters.get_vocab()),
            number - len(letters),
            choice.min_frequency,
            self._may_merge(base, reserved_pieces(definition, self.free_slots(base))),
            cut_elsewhere,
            choice.most_resegmented,
        )
        pieces = [*letters, *further.pieces]
        grown = self._injected(base, pieces, further.merges)
        used = self._check_cut(grown, parts.usable(words), text)
        intermediate = tuple(piece for piece in pieces if piece not in used)
        return Growth(grown, pieces, [*passed_over, *further.passed_over], intermediate)

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

    def _check_cut(self, grown: Tokenizer, words: Counter[str], text: Words) -> set[str]:
        """Check that the library cuts words as learning had it, and give the pieces that they are cut into."""
        distinct = sorted(words)
        used: set[str] = set()
        for word, pieces, learned in zip(distinct, self.segment(grown, distinct), text.pieces, strict=True):
            used.update(pieces)
            if pieces != [piece for part in parts_of(learned) for piece in part]:
                raise SpecializeError(f"{word!r} is cut into {pieces}, where {learned} was learned; report this")
        return used


class _Parts:
    """Cuts words by a BPE vocabulary, and knows which parts of a word its model is given.

    Args:
        kind: of the vocabulary.
        tokenizer: the vocabulary.
    """

    def __init__(self, kind: BytePairs, tokenizer: Tokenizer) -> None:
        with kind.after_a_space(tokenizer):
            self.normalizer, self.pre_tokenizer = tokenizer.normalizer, tokenizer.pre_tokenizer
        self.kind, self.tokenizer = kind, tokenizer
        self._known: dict[str, list[list[str]]] = {}

    def spelled(self, word: str) -> str:
        """A word as the normalizer has it."""
        spelled: str = self.normalizer.normalize_str(word) if self.normalizer is not None else word
        return spelled

    def usable(self, words: Counter[str]) -> Counter[str]:
        """Those words that hold none of the tokens which are found before a text is cut."""
        distinct = sorted(words)
        kept: Counter[str] = Counter()
        for word, pieces in zip(distinct, self.kind.segment(self.tokenizer, distinct), strict=True):
            if pieces == [piece for part in self._cut(word) for piece in part]:
                kept[word] = words[word]
        return kept

    def cut(self, words: Counter[str]) -> Words:
        """Words by themselves, in their order."""
        cuts = (Cut(joined(self._cut(word)), words[word]) for word in sorted(words))
        return Words(cuts, self.tokenizer.model.ignore_merges)

    def _cut(self, word: str) -> list[list[str]]:
        spelled = self.spelled(word)
        parts = [spelled]
        if self.pre_tokenizer is not None:
            parts = [part for part, _ in self.pre_tokenizer.pre_tokenize_str(spelled)]
        for part in parts:
            if part not in self._known:
                self._known[part] = [token.value for token in self.tokenizer.model.tokenize(part)]
        return [self._known[part] for part in parts]


def reads_bytes(tokenizer: Tokenizer) -> bool:
    """Whether a letter that a vocabulary lacks is cut into its bytes, each of them a piece."""
    if not tokenizer.model.byte_fallback:
        return False
    return sum(bool(BYTE.fullmatch(piece)) for piece in tokenizer.get_vocab()) == BYTES


def reserved_pieces(definition: dict[str, Any], slots: Iterable[str]) -> frozenset[str]:
    """Pieces that are not spelled as what they stand for, and so are never merged: names, bytes, the unknown one.

    Args:
        definition: of a tokenizer, as tokenizer.json has it.
        slots: its free ones.
    """
    model = definition["model"]
    names = {token["content"] for token in definition["added_tokens"]} | {model["unk_token"] or ""}
    bytes_ = {piece for piece in model["vocab"] if BYTE.fullmatch(piece)} if model["byte_fallback"] else set()
    return frozenset({*names, *bytes_, *slots})


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
    if tokenizer.encode("").tokens == [start, end]:
        return
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}",
        pair=f"{start} $A {end} $B {end}",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in (start, end)],
    )
