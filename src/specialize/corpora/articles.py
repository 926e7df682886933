"""What an article is on its way from a dump or a text of one's own to the corpus."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Page:
    """An article of a dump, in MediaWiki's markup."""

    identifier: str
    title: str
    text: str


@dataclass(frozen=True)
class Article:
    """An article before cleaning.

    Attributes:
        identifier: does not depend on its position.
        lines: its paragraphs.
        single: it is a sentence by itself, of a text without articles, and is kept however short it is.
        removed: what its reader took out of it, by rule.
    """

    identifier: str
    lines: tuple[str, ...]
    single: bool = False
    removed: Counter[str] = field(default_factory=Counter, compare=False)


@dataclass(frozen=True)
class CleanArticle:
    """What is left of an article.

    Attributes:
        identifier: of the article.
        extracted_bytes: of its text before cleaning, where files of it are sampled.
        sentences: what is left of it.
        removed, removed_by_file: how often each rule, and each labeled file, took something out.
        problem: why it could not be extracted, if so.
        markup_left: how many of its sentences have markup that was not taken out, by kind.
    """

    identifier: str
    extracted_bytes: int = 0
    sentences: tuple[str, ...] = ()
    removed: Counter[str] = field(default_factory=Counter)
    removed_by_file: Counter[str] = field(default_factory=Counter)
    problem: str = ""
    markup_left: Counter[str] = field(default_factory=Counter)


@dataclass
class Found:
    """What was found in an article: the numbers of the lines, and how often sentences of each file."""

    lines: set[int] = field(default_factory=set)
    files: Counter[str] = field(default_factory=Counter)


def not_sampled(identifier: str) -> CleanArticle:
    """What is left of an article that downsampling leaves out: nothing."""
    return CleanArticle(identifier, removed=Counter({"articles not sampled": 1}))
