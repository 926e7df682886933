"""Byte-level BPE, as RoBERTa, ModernBERT and EuroBERT have it: any text is cut into pieces of its bytes.

A word's first piece has its space.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from tokenizers.normalizers import Normalizer
from tokenizers.pre_tokenizers import PreTokenizer

from specialize.vocabularies.kinds.byte_pairs import BytePairs, set_prepended, whole_symbols
from specialize.vocabularies.kinds.kind import repeated, special_ids, special_names
from specialize.vocabularies.normal_form import spellings
from specialize.vocabularies.settings import BytePieceTraining, PieceChoice

BYTE_SPECIAL_TOKENS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")  # in RoBERTa's order
BERT_TOKENS = ("[CLS]", "[SEP]")  # ModernBERT's
REPLACEMENT = "\ufffd"  # the library's, for bytes that are no whole letter
UNKNOWN = ("<unk>", "[UNK]")  # names of what never comes up


class ByteLevel(BytePairs):
    """See the module."""

    name = "byte-level BPE"
    key = "byte-level"
    files = ("tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt")
    inputs = ("input_ids", "attention_mask")
    mark = "Ġ"

    def is_of(self, tokenizer: Tokenizer) -> bool:
        """By the model and by what is before it, which tells it from BPE over letters."""
        return whole_symbols(tokenizer) and _steps(tokenizer.pre_tokenizer)[-1]["type"] == "ByteLevel"

    def unknown(self, tokenizer: Tokenizer) -> str:
        """The model's own, as a rule none: the name that the special tokens have for it never comes up."""
        return tokenizer.model.unk_token or ""

    def missing_letters(self, tokenizer: Tokenizer, letters: Iterable[str]) -> list[str]:
        """None: every letter is made of bytes."""
        return []

    def letters(self, tokenizer: Tokenizer) -> dict[str, str]:
        """None: see `fixed`."""
        return {}

    def fixed(self, tokenizer: Tokenizer) -> set[str]:
        """The bytes, each as the letter that stands for it."""
        return super().fixed(tokenizer) | set(pre_tokenizers.ByteLevel.alphabet()) & tokenizer.get_vocab().keys()

    def letters_to_add(self, tokenizer: Tokenizer, words: Counter[str], choice: PieceChoice) -> dict[str, int]:
        """None: a letter is merged of its bytes."""
        return {}

    def reading(self, tokenizer: Tokenizer, piece: str) -> tuple[str, bool]:
        """What its bytes are in UTF-8; one with its space begins a word."""
        text = decoders.ByteLevel().decode([piece])
        return text.replace(REPLACEMENT, "").strip(" "), piece.startswith(self.mark)

    def set_leading_space(self, tokenizer: Tokenizer, leading_space: bool) -> None:
        """The space is part of a word's first piece; where words are parted by a pattern first, that has to see it."""
        own = tokenizer.pre_tokenizer
        if isinstance(own, pre_tokenizers.ByteLevel):
            # A new one: the library shares it with whoever has asked for it before.
            tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(
                add_prefix_space=leading_space, trim_offsets=own.trim_offsets, use_regex=own.use_regex
            )
        else:
            set_prepended(tokenizer, " ", leading_space)

    def learn(
        self,
        words: Counter[str],
        training: BytePieceTraining,
        normalizer: Normalizer | None = None,
        base: Tokenizer | None = None,
    ) -> Tokenizer:
        """See `learn_byte_pieces`."""
        return learn_byte_pieces(words, training, normalizer)

    def save(self, tokenizer: Tokenizer, folder: Path, settings: Path | None = None) -> None:
        """See `save_byte_tokenizer`."""
        save_byte_tokenizer(tokenizer, folder, settings)

    def settings(self, tokenizer: Tokenizer) -> dict[str, Any]:
        """Whether a text gets a space, and the special tokens by the names that a RoBERTa has for them."""
        made: dict[str, Any] = {}
        if isinstance(tokenizer.pre_tokenizer, pre_tokenizers.ByteLevel):
            made["add_prefix_space"] = tokenizer.pre_tokenizer.add_prefix_space
        names, added = special_names(tokenizer), tokenizer.get_added_tokens_decoder()
        if names and names["cls_token"] not in BERT_TOKENS:
            made |= {"bos_token": names["cls_token"], "eos_token": names["sep_token"]}
        for token in added.values():
            if token.content in UNKNOWN:
                made["unk_token"] = token.content
            elif token.lstrip and token.content == names.get("mask_token"):
                takes_its_space = {"__type": "AddedToken", "content": token.content, "lstrip": True, "special": True}
                made["mask_token"] = takes_its_space
        return made


KIND = ByteLevel()


def learn_byte_pieces(
    words: Counter[str], training: BytePieceTraining, normalizer: Normalizer | None = None
) -> Tokenizer:
    """Learn byte-level pieces, as RoBERTa has them; every word, the first of a line too, has a space before it."""
    tokenizer = Tokenizer(models.BPE())
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=training.size,
        min_frequency=training.min_frequency,
        special_tokens=[AddedToken(token, lstrip=token == "<mask>", normalized=False) for token in BYTE_SPECIAL_TOKENS],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    words = spellings(words, normalizer)
    tokenizer.train_from_iterator(repeated(words, {}), trainer, length=len(words))
    special = special_ids(tokenizer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", special["end"]), ("<s>", special["start"]))
    return tokenizer


def _steps(pre_tokenizer: PreTokenizer | None) -> list[dict[str, Any]]:
    """The steps of a pre-tokenizer as tokenizer.json has them; one of no type if there is none."""
    if pre_tokenizer is None:
        return [{"type": ""}]
    definition: dict[str, Any] = json.loads(pre_tokenizer.__getstate__())
    return definition.get("pretokenizers") or [definition]


def save_byte_tokenizer(tokenizer: Tokenizer, folder: Path, settings: Path | None = None) -> None:
    """Write a byte-level tokenizer so that `AutoTokenizer` loads it: tokenizer.json, vocab.json, merges.txt.

    Args:
        tokenizer: the tokenizer.
        folder: an existing folder.
        settings: see `Kind.save_settings`.
    """
    tokenizer.save(str(folder / "tokenizer.json"))
    tokenizer.model.save(str(folder))
    KIND.save_settings(tokenizer, folder, settings)
