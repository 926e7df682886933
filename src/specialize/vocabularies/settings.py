"""Settings of vocabularies: how new pieces are learned from a text."""

from __future__ import annotations

from typing import Literal, TypeAlias

from specialize.settings import Number, Settings, setting

VERSION = 5  # raised on purpose when a change to the stage's code changes its results, so that its jobs run again

Choose: TypeAlias = Literal["unknown", "compression", "both"]


class PieceTraining(Settings):
    """A new vocabulary of the base's kind (fact 11)."""

    size: int = setting("pieces of the new vocabulary, special tokens included", source="paper, Table 5", ge=10)
    min_frequency: int = setting("a pair of pieces is merged if it occurs so often", source="paper, Table 5", ge=1)
    limit_alphabet: int = setting("so many letters at most, the most frequent ones", source="fact 11", ge=1)


class PieceChoice(PieceTraining):
    """Which pieces of a new vocabulary go into the base's."""

    choose: Choose = setting(
        "unknown: pieces that make unknown words known come first, then the new vocabulary's most frequent; "
        "compression: those that save the most wordpieces; both: the first of unknown, then compression. Where nothing "
        "is ever unknown, as in BPE, it is compression",
        source="paper §2.1",
        neutral="unknown",
    )
    other_languages: list[str] = setting(
        "whose words a Unigram or BPE vocabulary goes on cutting as it did, as the test parts of their treebanks have "
        "them; the language itself does not count",
        neutral=[],
    )
    most_resegmented: Number = setting(
        "share of the running words of each of those, in Unigram of the different ones too, that may be cut otherwise "
        "than by the base; a piece that would cut more gives way to the next one",
        neutral=0.005,
        ge=0,
        le=1,
    )


class VocabulariesSection(PieceChoice):
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
