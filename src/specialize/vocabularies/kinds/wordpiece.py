"""WordPiece, as BERT has it: from its start a word is cut into the longest pieces, or is unknown as a whole."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from tokenizers.normalizers import Normalizer

from specialize.vocabularies.kinds.kind import Kind, in_order, repeated
from specialize.vocabularies.settings import WordPieceTraining

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
UNKNOWN = "[UNK]"
UNUSED = re.compile(r"\[unused(\d+)\]")
CONTINUATION = "##"


class WordPiece(Kind):
    """See the module."""

    name = "WordPiece"
    grows = True
    files = ("tokenizer.json", "tokenizer_config.json", "vocab.txt")
    inputs = ("input_ids", "token_type_ids", "attention_mask")

    def is_of(self, tokenizer: Tokenizer) -> bool:
        """By the model, which old files of the library do not name."""
        return isinstance(tokenizer.model, models.WordPiece)

    def unknown(self, tokenizer: Tokenizer) -> str:
        """The model's own."""
        unknown: str = tokenizer.model.unk_token
        return unknown

    def set_leading_space(self, tokenizer: Tokenizer, leading_space: bool) -> None:
        """Nothing: its pieces know of no space."""

    def continuations(self, tokenizer: Tokenizer, segmented: list[list[str]]) -> list[int]:
        """Those with the model's prefix; punctuation within a word begins one of its own."""
        prefix = tokenizer.model.continuing_subword_prefix
        return [sum(piece.startswith(prefix) for piece in pieces) for pieces in segmented]

    def missing_letters(self, tokenizer: Tokenizer, letters: Iterable[str]) -> list[str]:
        """Those that are no piece by themselves, with the prefix or without."""
        known, prefix = tokenizer.get_vocab().keys(), tokenizer.model.continuing_subword_prefix
        return [letter for letter in letters if known.isdisjoint((letter, prefix + letter))]

    def free_slots(self, tokenizer: Tokenizer) -> list[str]:
        """As BERT's vocabularies have them (fact 13)."""
        vocabulary = tokenizer.get_vocab()
        return sorted((piece for piece in vocabulary if UNUSED.fullmatch(piece)), key=vocabulary.__getitem__)

    def inject(self, tokenizer: Tokenizer, pieces: list[str]) -> Tokenizer:
        """Into the slots of the model's vocabulary."""
        definition = json.loads(tokenizer.to_str())
        vocabulary: dict[str, int] = definition["model"]["vocab"]
        slots = [slot for slot in self.free_slots(tokenizer) if slot in vocabulary]
        for slot, piece in zip(slots, pieces, strict=False):
            vocabulary[piece] = vocabulary.pop(slot)
        for piece in pieces[len(slots) :]:
            vocabulary[piece] = len(vocabulary)
        definition["model"]["vocab"] = dict(sorted(vocabulary.items(), key=lambda item: item[1]))
        return Tokenizer.from_str(json.dumps(definition, ensure_ascii=False))

    def learn(
        self, words: Counter[str], training: WordPieceTraining, normalizer: Normalizer | None = None
    ) -> Tokenizer:
        """See `learn_wordpieces`."""
        return learn_wordpieces(words, training, normalizer)

    def save(self, tokenizer: Tokenizer, folder: Path, settings: Path | None = None) -> None:
        """See `save_tokenizer`."""
        save_tokenizer(tokenizer, folder, settings)

    def settings(self) -> dict[str, Any]:
        """Of a cased BERT."""
        cased = {
            "do_lower_case": False,
            "strip_accents": False,
            "tokenize_chinese_chars": True,
            "model_max_length": 512,
        }
        names = {
            "pad_token": "[PAD]",
            "unk_token": UNKNOWN,
            "cls_token": "[CLS]",
            "sep_token": "[SEP]",
            "mask_token": "[MASK]",
        }
        return {"tokenizer_class": "BertTokenizer", **cased, **names}


KIND = WordPiece()


def learn_wordpieces(
    words: Counter[str], training: WordPieceTraining, normalizer: Normalizer | None = None
) -> Tokenizer:
    """Learn a WordPiece vocabulary of words as a normalizer spells them, by default a cased one.

    Letters are counted after normalising and pre-tokenising, so that only those that continue a word take a place for
    it (fact 11). Two choices that the trainer makes in an order that changes from run to run are made here: which of
    the rarest letters go beyond the limit, and the numbers of the letters that continue a word, which break its ties.
    """
    tokenizer = bert_tokenizer({token: number for number, token in enumerate(SPECIAL_TOKENS)}, normalizer)
    words = _pre_tokenized(words, tokenizer)
    letters: Counter[str] = Counter()
    for word, count in words.items():
        for letter in word:
            letters[letter] += count
    ranked = sorted(letters, key=lambda letter: (-letters[letter], letter))
    dropped = {ord(letter): None for letter in ranked[training.limit_alphabet :]}

    continuing = {letter for word in words for letter in word.translate(dropped)[1:]}
    trainer = trainers.WordPieceTrainer(
        vocab_size=training.size,
        min_frequency=training.min_frequency,
        special_tokens=[*SPECIAL_TOKENS, *(CONTINUATION + letter for letter in sorted(continuing))],
        continuing_subword_prefix=CONTINUATION,
        show_progress=False,
    )
    tokenizer.train_from_iterator(repeated(words, dropped), trainer, length=len(words))
    return bert_tokenizer(tokenizer.get_vocab(), normalizer)


def _pre_tokenized(words: Counter[str], tokenizer: Tokenizer) -> Counter[str]:
    """What a tokenizer's model is given of words, with the counts."""
    parts: Counter[str] = Counter()
    for word, count in words.items():
        for part, _ in tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(word)):
            parts[part] += count
    return parts


def bert_tokenizer(vocabulary: dict[str, int], normalizer: Normalizer | None = None) -> Tokenizer:
    """A BERT tokenizer, by default a cased one: accents kept, CJK split, control characters cleaned (fact 11)."""
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=UNKNOWN, max_input_chars_per_word=100))
    tokenizer.normalizer = normalizer if normalizer is not None else cased_normalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix=CONTINUATION)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])],
    )
    return tokenizer


def cased_normalizer() -> Normalizer:
    """A cased BERT's own."""
    return normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=False, lowercase=False)


def new_base_vocabulary(
    words: Counter[str], training: WordPieceTraining, unused_slots: int, normalizer: Normalizer | None = None
) -> list[str]:
    """A vocabulary for a base model trained here: specials, unused slots as in mBERT (fact 13), then pieces."""
    pieces = in_order(learn_wordpieces(words, training, normalizer))[len(SPECIAL_TOKENS) :]
    unused = [f"[unused{number}]" for number in range(1, unused_slots + 1)]
    return ["[PAD]", *unused, *SPECIAL_TOKENS[1:], *pieces]


def save_tokenizer(tokenizer: Tokenizer, folder: Path, settings: Path | None = None) -> None:
    """Write a tokenizer so that `AutoTokenizer` loads it: tokenizer.json, vocab.txt and their settings.

    Args:
        tokenizer: the tokenizer.
        folder: an existing folder.
        settings: a tokenizer_config.json to keep; by default that of a cased BERT.
    """
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "vocab.txt").write_text("\n".join(in_order(tokenizer)) + "\n", encoding="utf-8")
    KIND.save_settings(tokenizer, folder, settings)
