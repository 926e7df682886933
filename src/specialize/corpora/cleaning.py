"""Cleaning: the sentences of one article, without markup and without labeled data.

The rules are the paper's (§2.2.1, A.1) with facts 1 to 3 where it is silent.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from specialize.corpora.articles import Article, CleanArticle, Found, Page, not_sampled
from specialize.corpora.decontamination import LabeledSentence, WholeLines, finder
from specialize.corpora.dump import extract
from specialize.corpora.markup_left import markup_left
from specialize.corpora.sentence_ends import OwnMarks, part_marks, part_sentences, sentence_ends
from specialize.corpora.settings import SENTENCE_END, Cleaning
from specialize.corpora.splits import share_of
from specialize.corpora.word_segmentation import LONG_WORDS, with_words
from specialize.errors import SpecializeError

if TYPE_CHECKING:
    from specialize.corpora.occurrences import RunningText

# Lines that start so are markup that extraction left over (fact 1).
MARKUP_STARTS = ("=", "[[", "<", "&lt;")
# Punctuation that gets a space on both sides (fact 2); hyphen, parentheses and full stop are not in it.
SPACED = re.compile(r"""([,"':;/?!؟،«»‹›¿¡—])""")
# Sentence-final punctuation is parted from the last word (fact 2, default reading).
FINAL = ".!?؟۔…"


def clean_line(
    line: str, sentence_end: str | OwnMarks = SENTENCE_END, sentence_final: str = "punctuation"
) -> list[str]:
    """Sentences of one line of extracted text, with spaces around punctuation; none if it is markup.

    Args:
        line: of an article.
        sentence_end: what parts two sentences, with its space; or what `sentence_ends` says of the article.
        sentence_final: what is parted from the end of a sentence: `punctuation`, or the last run of `any` character.
    """
    line = line.replace("<br>", "").strip()
    if not line or line.startswith(MARKUP_STARTS):
        return []
    if isinstance(sentence_end, OwnMarks):
        pieces = part_sentences(line, sentence_end)
        if sentence_final == "punctuation":
            return [_spaced(part_marks(sentence)) for sentence in pieces]
        return [_spaced(_part_final(sentence, sentence_final)) for sentence in pieces]
    pieces = line.split(sentence_end)
    stop = sentence_end.rstrip()
    sentences = [piece + stop for piece in pieces[:-1]] + [pieces[-1]]
    spaced = (_spaced(_part_final(sentence.strip(), sentence_final)) for sentence in sentences)
    return [sentence for sentence in spaced if sentence and sentence != stop]


def _spaced(sentence: str) -> str:
    return " ".join(" ".join(SPACED.split(sentence)).split())


def _part_final(sentence: str, sentence_final: str) -> str:
    body = sentence.rstrip(FINAL if sentence_final == "punctuation" else sentence[-1:])
    return f"{body} {sentence[len(body) :]}"


@dataclass(frozen=True)
class _Draft:
    """An article, its sentences with the labeled ones among them, and what was taken out, by rule."""

    article: Article
    sentences: list[str]
    removed: Counter[str]


@dataclass(frozen=True)
class Cleaner:
    """The rules with the labeled sentences that are to be left out, by the name of their file."""

    cleaning: Cleaning
    labeled: Mapping[str, Collection[LabeledSentence]]

    def __post_init__(self) -> None:
        _ = self._labeled_sentences  # before processes are forked, which then share it

    @cached_property
    def _labeled_sentences(self) -> RunningText | WholeLines:
        return finder(self.labeled, self.cleaning.decontamination, self._sentences)

    def _sentences(self, line: str) -> list[str]:
        sentence_end = self.cleaning.sentence_end or sentence_ends([line])
        return clean_line(line, sentence_end, self.cleaning.sentence_final)

    def clean(self, item: Page | Article) -> CleanArticle:
        """Extract and clean one article, without its labeled sentences."""
        return self.clean_all([item])[0]

    def clean_all(self, items: Sequence[Page | Article]) -> list[CleanArticle]:
        """The same of each; labeled sentences are looked for in all at once, which takes less time."""
        drafts = [self._draft(item) for item in items]
        labeled = self._labeled_sentences.find([draft.sentences for draft in drafts])
        return [
            self._finished(draft, found) if isinstance(draft, _Draft) else draft
            for draft, found in zip(drafts, labeled, strict=True)
        ]

    def _draft(self, item: Page | Article) -> _Draft | CleanArticle:
        """An article with its labeled sentences; what is left of it if it is not read at all."""
        rules = self.cleaning
        if rules.sampling == "articles" and share_of(item.identifier, rules.seed, "sample") >= rules.sample:
            return not_sampled(item.identifier)
        try:
            article = extract(item, rules.markup) if isinstance(item, Page) else item
        except SpecializeError as error:
            failed = Counter({"articles that could not be extracted": 1})
            return CleanArticle(item.identifier, removed=failed, problem=str(error))
        sentences: list[str] = []
        removed = Counter(article.removed)
        sentence_end = rules.sentence_end or sentence_ends(article.lines)
        for line in article.lines:
            cleaned = clean_line(line, sentence_end, rules.sentence_final)
            if not cleaned and line.strip():
                removed[f"lines of {_why_none(line)}"] += 1
            sentences += cleaned
        return _Draft(article, sentences, removed)

    def _finished(self, draft: _Draft, found: Found) -> CleanArticle:
        """An article without the labeled sentences that were found."""
        rules, article, sentences, removed = self.cleaning, draft.article, draft.sentences, draft.removed
        if found.lines:
            removed["sentences of labeled data"] = len(found.lines)
            sentences = [sentence for number, sentence in enumerate(sentences) if number not in found.lines]
        sentences, long_words = with_words(sentences, rules.words)
        if long_words:
            removed[LONG_WORDS] = long_words
        fewest = 1 if article.single else rules.fewest_sentences
        if len(sentences) < fewest:
            if article.lines or not article.removed:  # else its reader has said why
                removed[_too_short(fewest)] += 1
            sentences = []
        size = 0
        if rules.sampling == "files":
            size = sum(len(line.encode()) + 1 for line in article.lines)
        left = markup_left(sentences)
        return CleanArticle(article.identifier, size, tuple(sentences), removed, found.files, markup_left=left)


def _why_none(line: str) -> str:
    """What a line without sentences starts with, or has."""
    return next(filter(line.lstrip().startswith, MARKUP_STARTS), "nothing but a full stop or <br>")


def _too_short(fewest: int) -> str:
    """The rule by which an article of fewer sentences is left out."""
    named = {1: "articles left without a sentence", 2: "articles of one sentence or less"}
    return named.get(fewest, f"articles of less than {fewest} sentences")
