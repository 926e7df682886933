"""Settings of the texts: how they are split, sampled and cleaned."""

from __future__ import annotations

from typing import ClassVar, Literal

from specialize.settings import CODE, LICENSE, PATH, SHA256, Number, Reader, Settings, setting

VERSION = 3  # raised on purpose when a change to the stage's code changes its results, so that its jobs run again
SENTENCE_END = ". "


class CorporaSettings(Settings):
    """The section `corpora`."""

    seed: int = setting("of the split by article and of the downsampling")
    validation_share: Number = setting(
        "share of the articles that makes the validation text", source="paper §2.2.1", gt=0, lt=1
    )
    test_share: Number = setting("share of the articles that makes the test text", source="paper §2.2.1", gt=0, lt=1)
    sentence_final: Literal["punctuation", "any"] = setting(
        "what is parted from the end of a sentence: punctuation, or the last run of any character "
        '("item two" becomes "item tw o")',
        source="fact 2",
    )
    sampling: Literal["articles", "files"] = setting(
        "what downsampling draws: articles, or megabytes of extracted text",
        source="fact 5",
        read_by="downsampled texts",
    )
    decontamination: Literal["words", "rows"] = setting(
        "how a treebank sentence is looked for in the text: in both writings of its multiword tokens, or with all of "
        "its rows at once, so that a sentence with such tokens is never found",
        source="fact 6",
    )


class Cleaning(CorporaSettings):
    """How one language's text is cleaned and split: the section, and what the language's own entry says."""

    readers: ClassVar[dict[str, Reader]] = {
        "downsampled texts": lambda cleaning: cleaning.sample < 1,
    }

    sample: Number = setting("share of the articles that is kept", source="paper, Table 1", default=1.0, gt=0, le=1)
    sentence_end: str = setting("what parts two sentences within a line, with its space", default=SENTENCE_END)


class CorpusEntry(Settings):
    """Where a language's text comes from: a Wikipedia with the date of its dump, or own text."""

    wikipedia: str = setting("the Wikipedia's language code", default="", pattern=CODE)
    date: str = setting(
        'date of the dump, quoted: "20201220"; or latest, to be resolved once',
        default="",
        pattern="^([0-9]{8}|latest)$",
    )
    sha256: str = setting("of the dump", default="", pattern=SHA256)
    text: str = setting(
        "own text in place of a dump: UTF-8, one paragraph a line, a blank line between articles",
        default="",
        pattern=PATH,
    )
    license: str = setting(
        "of the text, for the model's card, such as cc-by-sa-4.0; of Wikipedia it is known",
        default="",
        pattern=LICENSE,
    )
    sample: Number = setting("share of the articles that is kept", default=1, gt=0, le=1)
    sentence_end: str = setting(
        'what parts two sentences within a line, with its space (". " if not given)', default=SENTENCE_END, min_length=1
    )
