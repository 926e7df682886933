"""SentencePiece's BPE, as Gemma and mmBERT have it: over letters and `▁` for a space, with bytes for what is rare."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from tokenizers.normalizers import Normalizer

from specialize.vocabularies.kinds.byte_pairs import BytePairs, reads_bytes, set_ends, set_prepended, whole_symbols
from specialize.vocabularies.kinds.kind import BYTE_PIECES, repeated
from specialize.vocabularies.normal_form import spellings, steps_of
from specialize.vocabularies.settings import PieceChoice, PieceTraining

MARK = "▁"
SPECIAL_TOKENS = ("<pad>", "<eos>", "<bos>", "<unk>", "<mask>")  # in Gemma's order
NEW_SLOTS = 8  # of a vocabulary that is learned here
UNKNOWN_LETTER = 1_000_000  # wordpieces that it is worth to know one, where it is not read as bytes


class SentencePieceBpe(BytePairs):
    """See the module."""

    name = "SentencePiece BPE"
    key = "bpe"
    files = ("tokenizer.json", "tokenizer_config.json")
    inputs = ("input_ids", "attention_mask")
    mark = MARK
    cuts_lines = True

    def is_of(self, tokenizer: Tokenizer) -> bool:
        """By the model and its mark, which tells it from BPE over bytes, and over letters of words that are parted."""
        return whole_symbols(tokenizer) and tokenizer.token_to_id(MARK) is not None

    def missing_letters(self, tokenizer: Tokenizer, letters: Iterable[str]) -> list[str]:
        """Those that are no piece by themselves, with the mark or without: they are read as bytes."""
        known = tokenizer.get_vocab().keys()
        return [letter for letter in letters if known.isdisjoint((letter, MARK + letter))]

    def letters_to_add(self, tokenizer: Tokenizer, words: Counter[str], choice: PieceChoice) -> dict[str, int]:
        """Those that it lacks, but for rare ones. A letter saves all of its bytes but one."""
        with self.after_a_space(tokenizer):
            normalizer = tokenizer.normalizer
        known, counts = tokenizer.get_vocab(), Counter[str]()
        for word, count in words.items():
            for letter in normalizer.normalize_str(word) if normalizer is not None else word:
                if letter not in known and not letter.isspace():
                    counts[letter] += count
        frequent = [letter for letter, count in counts.items() if count >= choice.min_frequency]
        kept = sorted(frequent, key=lambda letter: (-counts[letter], letter))[: choice.limit_alphabet]
        bytes_ = reads_bytes(tokenizer)
        return {letter: len(letter.encode()) - 1 if bytes_ else UNKNOWN_LETTER for letter in kept}

    def set_leading_space(self, tokenizer: Tokenizer, leading_space: bool) -> None:
        """The space is part of a word's first piece; what the tokenizer itself puts before a text stays."""
        own = tokenizer.pre_tokenizer
        if isinstance(own, pre_tokenizers.Metaspace):
            scheme = "always" if leading_space else "never"
            tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(own.replacement, scheme, own.split)
        elif not any(isinstance(step, normalizers.Prepend) for step in steps_of(tokenizer.normalizer)[:-1]):
            set_prepended(tokenizer, MARK, leading_space)

    def learn(
        self,
        words: Counter[str],
        training: PieceTraining,
        normalizer: Normalizer | None = None,
        base: Tokenizer | None = None,
    ) -> Tokenizer:
        """See `learn_pieces`."""
        return learn_pieces(words, training, normalizer)

    def save(self, tokenizer: Tokenizer, folder: Path, settings: Path | None = None) -> None:
        """Write tokenizer.json and its settings; a .model file could not be given pieces without moving others."""
        tokenizer.save(str(folder / "tokenizer.json"))
        self.save_settings(tokenizer, folder, settings)

    def settings(self, tokenizer: Tokenizer) -> dict[str, Any]:
        """The name of what never comes up."""
        unknown = tokenizer.model.unk_token
        return {"unk_token": unknown} if unknown else {}


KIND = SentencePieceBpe()


def learn_pieces(
    words: Counter[str], training: PieceTraining, normalizer: Normalizer | None = None, slots: int = NEW_SLOTS
) -> Tokenizer:
    """Learn a vocabulary as Gemma has it: special tokens, free slots, bytes, then pieces over `▁`.

    Args:
        words: with their counts.
        training: `size` counts the special tokens, slots and bytes too.
        normalizer: what words go through before spaces become marks.
        slots: how many `<unusedN>`.
    """
    words = spellings(words, normalizer)
    letters: Counter[str] = Counter()
    for word, count in words.items():
        for letter in word:
            letters[letter] += count
    kept = sorted(letters, key=lambda letter: (-letters[letter], letter))[: training.limit_alphabet]
    dropped = {ord(letter): None for letter in letters.keys() - set(kept)}
    unused = tuple(f"<unused{number}>" for number in range(slots))
    learned = Tokenizer(models.BPE())
    learned.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.BpeTrainer(
        vocab_size=training.size,
        min_frequency=training.min_frequency,
        special_tokens=[*SPECIAL_TOKENS, *unused, *BYTE_PIECES],
        initial_alphabet=sorted({MARK, *kept}),
        show_progress=False,
    )
    learned.train_from_iterator(repeated(words, dropped), trainer, length=len(words))
    model = json.loads(learned.to_str())["model"]
    merges = [(left, right) for left, right in model["merges"]]
    tokenizer = Tokenizer(models.BPE(model["vocab"], merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    marked = normalizers.Replace(" ", MARK)
    tokenizer.normalizer = marked if normalizer is None else normalizers.Sequence([normalizer, marked])
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")  # of which the normalizer leaves none
    tokenizer.decoder = decoders.Sequence([decoders.Replace(MARK, " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in SPECIAL_TOKENS])
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in unused])
    set_ends(tokenizer, "<bos>", "<eos>")
    return tokenizer
