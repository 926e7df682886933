"""Byte-level BPE, as RoBERTa has it: any text is cut into pieces of its bytes, a word's first one with its space."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from tokenizers.normalizers import Normalizer

from specialize.vocabularies.kinds.kind import Kind, repeated, special_ids
from specialize.vocabularies.normal_form import spellings
from specialize.vocabularies.settings import BytePieceTraining

BYTE_SPECIAL_TOKENS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")  # in RoBERTa's order


class ByteLevel(Kind):
    """See the module."""

    name = "byte-level BPE"
    grows = False
    files = ("tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt")
    inputs = ("input_ids", "attention_mask")

    def is_of(self, tokenizer: Tokenizer) -> bool:
        """By the model and by what is before it, which tells it from BPE over letters."""
        return isinstance(tokenizer.model, models.BPE) and isinstance(tokenizer.pre_tokenizer, pre_tokenizers.ByteLevel)

    def unknown(self, tokenizer: Tokenizer) -> str:
        """The model's own, as a rule none: the name that the special tokens have for it never comes up."""
        return tokenizer.model.unk_token or ""

    def continuations(self, tokenizer: Tokenizer, segmented: list[list[str]]) -> list[int]:
        """All but each word's first."""
        return [len(pieces) - 1 for pieces in segmented]

    def missing_letters(self, tokenizer: Tokenizer, letters: Iterable[str]) -> list[str]:
        """None: every letter is made of bytes."""
        return []

    def set_leading_space(self, tokenizer: Tokenizer, leading_space: bool) -> None:
        """The space is part of a word's first piece."""
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=leading_space)

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
        """Of a RoBERTa."""
        start, _, end, unknown, mask = BYTE_SPECIAL_TOKENS
        takes_its_space = {"__type": "AddedToken", "content": mask, "lstrip": True, "special": True}
        names = {"bos_token": start, "eos_token": end, "unk_token": unknown, "mask_token": takes_its_space}
        return {"add_prefix_space": True, **names}


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
