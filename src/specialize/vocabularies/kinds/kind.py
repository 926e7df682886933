"""What is to be known of a kind of vocabulary. Nothing outside this package knows any of it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tokenizers import Tokenizer
from tokenizers.normalizers import Normalizer

from specialize.errors import SpecializeError
from specialize.files import read_json, write_json
from specialize.vocabularies.settings import PieceChoice

WORDS_IN_A_CALL = 1000
WORDS_IN_A_LINE = 1000
AS_SAVED = "PreTrainedTokenizerFast"  # the class of `transformers` 4 and 5 that takes tokenizer.json as it is
BYTE_PIECES = tuple(f"<0x{byte:02X}>" for byte in range(256))
WORD_MARK = "▁"  # SentencePiece's, before each word
BYTE_PIECE = re.compile(r"<0x[0-9A-F]{2}>")  # SentencePiece's, of a letter that it lacks
PREFERENCES = ("clean_up_tokenization_spaces", "model_max_length", "padding_side", "truncation_side")

# How the special tokens are spelled, whatever the kind: ModernBERT's are BERT's over byte-level pieces.
SPELLINGS = (
    {"start": "[CLS]", "end": "[SEP]", "pad": "[PAD]", "mask": "[MASK]"},  # BERT's
    {"start": "<bos>", "end": "<eos>", "pad": "<pad>", "mask": "<mask>"},  # Gemma's; <s> is HTML there
    {"start": "<s>", "end": "</s>", "pad": "<pad>", "mask": "<mask>"},  # RoBERTa's
    {"start": "<|begin_of_text|>", "end": "<|end_of_text|>", "pad": "<|pad|>", "mask": "<|mask|>"},  # EuroBERT's
)


class Growth(NamedTuple):
    """A base vocabulary with new pieces.

    Attributes:
        tokenizer: a copy of the base's that has them; every other id is as it was, see `ids.check_ids`.
        pieces: the new ones, in the order of their choice.
        passed_over: that would have been, but that no word is cut into then, or that change too much.
        intermediate: those of the new ones that only make longer ones: no word of the text ends up cut into them.
    """

    tokenizer: Tokenizer
    pieces: list[str]
    passed_over: list[str]
    intermediate: tuple[str, ...] = ()


class Kind(ABC):
    """A kind of vocabulary, such as WordPiece. A module of this package that defines `KIND` adds one.

    Attributes:
        name: as people call it.
        key: as a configuration names it.
        files: names of the files of a vocabulary folder; those that loading needs come first.
        inputs: what its models take, as the library names it.
        too_few: why there may be fewer new pieces than one has asked for, and what to do, where `size` is the setting.
        cuts_lines: whether it cuts lines of words as they are, so that a tokenizer needs no pre_tokenizer.
    """

    name: str
    key: str
    files: tuple[str, ...]
    inputs: tuple[str, ...]
    too_few: str = (
        "a vocabulary of {size} has no more that the base lacks; raise vocabularies.size, lower "
        "vocabularies.min_frequency or give more text"
    )
    cuts_lines: bool = False

    @abstractmethod
    def is_of(self, tokenizer: Tokenizer) -> bool:
        """Whether a tokenizer's vocabulary is of this kind."""

    @abstractmethod
    def unknown(self, tokenizer: Tokenizer) -> str:
        """The piece that stands for what the vocabulary lacks; empty, as no piece is, if nothing is ever unknown."""

    @abstractmethod
    def set_leading_space(self, tokenizer: Tokenizer, leading_space: bool) -> None:
        """Have a word that stands alone cut as one after a space, or as one at the very beginning, from now on."""

    @abstractmethod
    def continuations(self, tokenizer: Tokenizer, segmented: list[list[str]]) -> list[int]:
        """Of each word's pieces: how many continue a word rather than begin one."""

    def begins_word(self, tokenizer: Tokenizer, piece: str) -> bool:
        """Whether a piece of a text begins a word rather than continues one, at its line's start apart."""
        return piece.startswith(WORD_MARK)

    def bare_marks(self, tokenizer: Tokenizer) -> frozenset[int]:
        """The ids of the pieces that say nothing of a word but that it begins: of the mark that spaces become."""
        text = "a b" if tokenizer.normalizer is None else tokenizer.normalizer.normalize_str("a b")
        if tokenizer.pre_tokenizer is not None:
            text = "".join(part for part, _ in tokenizer.pre_tokenizer.pre_tokenize_str(text))
        if WORD_MARK not in text:
            return frozenset()  # a letter like others
        return frozenset(number for piece, number in tokenizer.get_vocab().items() if set(piece) == {WORD_MARK})

    @abstractmethod
    def missing_letters(self, tokenizer: Tokenizer, letters: Iterable[str]) -> list[str]:
        """Those letters that the vocabulary has neither at the start of words nor within, in their order."""

    @abstractmethod
    def learn(
        self, words: Counter[str], training: Any, normalizer: Normalizer | None = None, base: Tokenizer | None = None
    ) -> Tokenizer:
        """Learn a new vocabulary.

        Args:
            words: with their counts.
            training: this kind's settings; see `vocabularies.settings`.
            normalizer: what words go through first; by default the kind's own.
            base: of the vocabulary that the new one's pieces go into: it tells how words are parted and marked.
        """

    @abstractmethod
    def save(self, tokenizer: Tokenizer, folder: Path, settings: Path | None = None) -> None:
        """Write a tokenizer's files so that `AutoTokenizer` loads the folder.

        Args:
            tokenizer: the tokenizer.
            folder: an existing folder.
            settings: a tokenizer_config.json whose preferences are kept, if it is there; see `save_settings`.
        """

    @abstractmethod
    def settings(self, tokenizer: Tokenizer) -> dict[str, Any]:
        """What tokenizer_config.json says for libraries that do not read tokenizer.json, or not all of it."""

    def settled(self, tokenizer: Tokenizer, path: Path, besides: Mapping[str, int | None]) -> Tokenizer:
        """A base's tokenizer, so that it is the same to all: each id is a piece's, and text gets its ends.

        Args:
            tokenizer: as the library reads it.
            path: the tokenizer.json that it is from.
            besides: tokens that other files name, with their ids if those are said.

        Raises:
            InputError: if an id is two pieces', or a piece has two ids.
        """
        return tokenizer

    def save_settings(self, tokenizer: Tokenizer, folder: Path, settings: Path | None = None) -> None:
        """Write tokenizer_config.json; arguments as of `save`.

        The library's own class of a kind makes much of a tokenizer anew, from settings and from constants. So they name
        the class that takes tokenizer.json as it is, and say for it what a kind's own class knows. Of other settings
        are kept those that change nothing of how text is cut.
        """
        known = read_json(settings) if settings is not None and settings.is_file() else {}
        unknown = self.unknown(tokenizer)
        made = {"model_input_names": list(self.inputs)} | special_names(tokenizer) | self.settings(tokenizer)
        made |= {"unk_token": unknown} if unknown else {}
        kept = {key: known[key] for key in PREFERENCES if key in known}
        write_json(folder / "tokenizer_config.json", made | kept | {"tokenizer_class": AS_SAVED})

    def special_ids(self, tokenizer: Tokenizer) -> dict[str, int]:
        """See `special_ids`."""
        return special_ids(tokenizer)

    def segment(self, tokenizer: Tokenizer, words: list[str]) -> list[list[str]]:
        """The pieces of each word. Many words go into one call, since each costs more than a word."""
        pieces = {number: piece for piece, number in tokenizer.get_vocab().items()}
        segmented: list[list[str]] = [[] for _ in words]
        blocks = [words[first : first + WORDS_IN_A_CALL] for first in range(0, len(words), WORDS_IN_A_CALL)]
        # Of the library's two ways the faster one does not say of which word a piece is.
        encoded = tokenizer.encode_batch(blocks, add_special_tokens=False, is_pretokenized=True)
        for first, encoding in zip(range(0, len(words), WORDS_IN_A_CALL), encoded, strict=True):
            for number, word in zip(encoding.ids, encoding.word_ids, strict=True):
                assert word is not None
                segmented[first + word].append(pieces[number])
        return segmented

    def free_slots(self, tokenizer: Tokenizer) -> list[str]:
        """The pieces that stand for nothing yet and are no token of somebody's, in the order of their ids."""
        return []

    def uses(self, tokenizer: Tokenizer, words: Counter[str]) -> Counter[str]:
        """How often each piece is needed to cut words as they are cut, after a space and at the very beginning."""
        copy, distinct = Tokenizer.from_str(tokenizer.to_str()), sorted(words)
        counts: Counter[str] = Counter()
        for leading_space in (True, False):
            self.set_leading_space(copy, leading_space)
            for word, pieces in zip(distinct, Kind.segment(self, copy, distinct), strict=True):
                for piece in pieces:
                    counts[piece] += words[word]
        return counts

    def made_of(self, tokenizer: Tokenizer, pieces: Iterable[str]) -> dict[str, set[str]]:
        """The other pieces without which no word would be cut into each of some."""
        return {piece: set() for piece in pieces}

    def letters(self, tokenizer: Tokenizer) -> dict[str, str]:
        """The pieces that are a letter or another character, marked or not, with it."""
        bare = {piece: piece.removeprefix(WORD_MARK) or piece for piece in tokenizer.get_vocab()}
        return {piece: letter for piece, letter in bare.items() if len(letter) == 1}

    def fixed(self, tokenizer: Tokenizer) -> set[str]:
        """The pieces that stay in any case: tokens, that for what is unknown, and bytes where letters are read so."""
        tokens = {token.content for token in tokenizer.get_added_tokens_decoder().values()}
        bytes_ = BYTE_PIECES if getattr(tokenizer.model, "byte_fallback", False) else ()
        unknown = {self.unknown(tokenizer), getattr(tokenizer.model, "unk_token", None) or ""}
        named = {*unknown, *special_names(tokenizer).values(), *bytes_}
        return tokens | named & tokenizer.get_vocab().keys()

    def base_pieces(self, base: Tokenizer, pieces: list[str]) -> list[list[int]]:
        """The ids of the pieces that a base vocabulary cuts each new one into, without what is unknown to it.

        Args:
            base: that lacks them.
            pieces: as the vocabulary spells them: normalised, with their marks of where in a word they stand.
        """
        model, unknown = base.model, base.token_to_id(self.unknown(base))
        return [[token.id for token in model.tokenize(piece) if token.id != unknown] for piece in pieces]

    def reading(self, tokenizer: Tokenizer, piece: str) -> tuple[str, bool]:
        """What a piece stands for, without its mark and without bytes that are no whole letter; if it begins a word."""
        text = "" if BYTE_PIECE.fullmatch(piece) else piece.replace(WORD_MARK, "")
        return text, piece.startswith(WORD_MARK)

    @abstractmethod
    def grow(
        self,
        base: Tokenizer,
        words: Counter[str],
        number: int | None,
        choice: PieceChoice,
        elsewhere: Mapping[str, Counter[str]],
    ) -> Growth:
        """Choose new pieces for a base vocabulary, and put them there: into free slots first, then after all others.

        Args:
            base: one that is `settled`, with the normalizer that words go through.
            words: of the text, with their counts.
            number: how many pieces; None takes a whole new vocabulary.
            choice: how they are learned and chosen.
            elsewhere: words of other languages, by language, that are to be cut as before; see `PieceChoice`.
        """


def special_ids(tokenizer: Tokenizer) -> dict[str, int]:
    """The ids of what stands at the `start` and the `end` of a sequence, pads it, and stands for a `mask`.

    Raises:
        SpecializeError: if the vocabulary has none of the known spellings.
    """
    vocabulary = tokenizer.get_vocab()
    for names in SPELLINGS:
        if vocabulary.keys() >= set(names.values()):
            return {role: vocabulary[name] for role, name in names.items()}
    spellings = " or ".join(", ".join(names.values()) for names in SPELLINGS)
    raise SpecializeError(f"the tokenizer lacks special tokens: {spellings}; take another base model")


def special_names(tokenizer: Tokenizer) -> dict[str, str]:
    """How tokenizer_config.json names the special tokens, as far as the vocabulary has them."""
    vocabulary = tokenizer.get_vocab()
    for names in SPELLINGS:
        if vocabulary.keys() >= set(names.values()):
            roles = {"cls_token": "start", "sep_token": "end", "pad_token": "pad", "mask_token": "mask"}
            return {role: names[place] for role, place in roles.items()}
    return {}


def set_positions(folder: Path, positions: int) -> None:
    """Have tokenizer_config.json allow no more pieces than a model reads at once."""
    path = folder / "tokenizer_config.json"
    settings = read_json(path)
    allowed = settings.get("model_max_length")
    fits = isinstance(allowed, int) and 0 < allowed <= positions
    write_json(path, settings | {"model_max_length": allowed if fits else positions})


def in_order(tokenizer: Tokenizer) -> list[str]:
    """A tokenizer's vocabulary by id."""
    vocabulary = tokenizer.get_vocab()
    return sorted(vocabulary, key=vocabulary.__getitem__)


def repeated(words: Counter[str], dropped: dict[int, None]) -> Iterator[str]:
    """Each word as often as it occurs, for a trainer: in lines of bounded length and a fixed order.

    Args:
        words: with their counts.
        dropped: letters that are left out, as `str.translate` takes them.
    """
    for word in sorted(words):
        kept = word.translate(dropped)
        remaining = words[word] if kept else 0
        while remaining:
            yield " ".join([kept] * min(remaining, WORDS_IN_A_LINE))
            remaining -= min(remaining, WORDS_IN_A_LINE)
