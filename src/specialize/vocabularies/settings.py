"""Settings of vocabularies: how new pieces are learned from a text."""

from __future__ import annotations

from typing import Literal

from specialize.settings import Settings, setting

VERSION = 4  # raised on purpose when a change to the stage's code changes its results, so that its jobs run again


class WordPieceTraining(Settings):
    """The WordPiece vocabulary that new pieces are chosen from (fact 11)."""

    size: int = setting("pieces of the new vocabulary, special tokens included", source="paper, Table 5", ge=10)
    min_frequency: int = setting("a pair of pieces is merged if it occurs so often", source="paper, Table 5", ge=1)
    limit_alphabet: int = setting("so many letters at most, the most frequent ones", source="fact 11", ge=1)


class VocabulariesSection(WordPieceTraining):
    """The section `vocabularies`."""

    normal_form: Literal["NFC", "NFKC", "none"] = setting(
        "Unicode normal form in which every tokenizer of the run, and static vectors, take words, without the marks "
        "that nobody sees (files keep both); a base model that fixes a form itself keeps its own; none: words as they "
        "are written",
        source="fact 11",
        neutral="none",
    )


class BytePieceTraining(Settings):
    """The byte-level vocabulary of a monolingual model (fact 20)."""

    size: int = setting("pieces of the vocabulary, special tokens and all bytes included", source="fact 20", ge=300)
    min_frequency: int = setting("a pair of pieces is merged if it occurs so often", source="fact 20", ge=1)
