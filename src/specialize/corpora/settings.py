"""Settings of the texts: how they are split, sampled and cleaned."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import WithJsonSchema

from specialize.settings import CODE, LICENSE, PATH, SHA256, Number, Reader, Settings, setting

# A path, a folder or a pattern with asterisks, or a list of them.
Files = Annotated[
    str | list[str],
    WithJsonSchema(
        {
            "type": ["string", "array"],
            "pattern": PATH,
            "items": {"type": "string", "pattern": PATH},
            "minItems": 1,
            "uniqueItems": True,
        }
    ),
]

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
    markup: Literal["clean", "extractor"] = setting(
        "how a Wikipedia's markup is taken out: by WikiExtractor, with what it would misread mended before and what it "
        "leaves taken out after; or by WikiExtractor alone, which loses sentences to unclosed marks",
        source="fact 1",
    )
    sampling: Literal["articles", "files"] = setting(
        "what downsampling draws: articles, or megabytes of extracted text",
        source="fact 5",
        read_by="downsampled texts",
    )
    decontamination: Literal["content", "rows"] = setting(
        "how labeled sentences are looked for in the text: by their content, letters and digits from word to word, "
        "across lines; or as whole lines, with all rows of a treebank's sentence at once, so that one with multiword "
        "tokens is never found",
        source="fact 6",
    )


class Cleaning(CorporaSettings):
    """How one language's text is cleaned and split: the section, and what the language's own entry says."""

    readers: ClassVar[dict[str, Reader]] = {
        "downsampled texts": lambda cleaning: cleaning.sample < 1,
    }

    sample: Number = setting("share of the articles that is kept", source="paper, Table 1", default=1.0, gt=0, le=1)
    sentence_end: str = setting("what parts two sentences within a line, with its space; empty: by script", default="")
    fewest_sentences: int = setting("an article with fewer is left out", source="fact 3", default=2, neutral=2, ge=1)
    words: Literal["spaces", "icu"] = setting("what parts the words", default="spaces")


class CorpusEntry(Settings):
    """Where a language's text comes from: a Wikipedia with the date of its dump, own text, or a wiki's own export."""

    wikipedia: str = setting("the Wikipedia's language code", default="", pattern=CODE)
    date: str = setting(
        'date of the dump, quoted: "20201220"; or latest, to be resolved once',
        default="",
        pattern="^([0-9]{8}|latest)$",
    )
    sha256: str = setting("of the dump", default="", pattern=SHA256)
    text: Files = setting(
        "own text in place of a dump, in UTF-8, packed or not: a file, a folder, a pattern with asterisks, or a list "
        "of them",
        default="",
    )
    format: Literal["text", "sentences", "json-lines", "leipzig", "wikiextractor"] = setting(
        "of own text: one paragraph a line with a blank line between articles, one sentence a line without articles, "
        "JSON Lines, a Leipzig corpus, or documents of WikiExtractor; told from the content if not given",
        default="",
    )
    field: str = setting("of JSON Lines, that holds the text", default="text", min_length=1)
    dump: Files = setting(
        "a MediaWiki export of one's own in place of a Wikipedia's dump, packed or not; files as of `text`", default=""
    )
    license: str = setting(
        "of the text, for the model's card, such as cc-by-sa-4.0; of Wikipedia it is known",
        default="",
        pattern=LICENSE,
    )
    sample: Number = setting("share of the articles that is kept", default=1, gt=0, le=1)
    fewest_sentences: int = setting(
        "an article with fewer is left out; of single sentences none is", source="fact 3", default=2, ge=1
    )
    sentence_end: str = setting(
        'what parts two sentences within a line, with its space (if not given: ". " in Latin, Cyrillic and Arabic '
        "letters, Unicode's sentence terminals in other scripts)",
        default="",
        min_length=1,
    )
    words: Literal["spaces", "icu"] = setting(
        "what parts the words: spaces, or ICU those of Thai, Lao, Khmer, Burmese, Japanese and Chinese, and the "
        "syllables of Tibetan (needs the extra words)",
        default="spaces",
    )
