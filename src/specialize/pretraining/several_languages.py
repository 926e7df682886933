"""Texts of several languages in one training: which articles of each, and how often."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
from numpy.typing import NDArray

from specialize.corpora import read_corpus
from specialize.errors import InputError, warn
from specialize.pretraining.settings import PretrainingSettings

FAR_OFF = 0.1  # of the share that was asked for; articles stay whole


@dataclass(frozen=True)
class LanguageText:
    """The training text of one language, of which some articles are learned from, some of them several times.

    Attributes:
        language: its tag.
        path: the corpus file.
        words: (articles,) running words of each article, as the corpus counts its tokens.
        times: (articles,) how often each is in a pass over the text; 0 for those that are left out.
    """

    language: str
    path: Path
    words: NDArray[numpy.int64]
    times: NDArray[numpy.int64]

    def articles(self) -> Iterator[tuple[list[str], int]]:
        """The articles that are learned from, each a list of sentences, and how often each is."""
        for sentences, times in zip(read_corpus(self.path), self.times.tolist(), strict=True):
            if times:
                yield sentences, times

    def words_learned_from(self) -> int:
        """Running words in a pass over the text, those of repeated articles as often as they are there."""
        return int(self.words @ self.times)


def texts_of(language: str, own: Path, others: Mapping[str, Path], settings: PretrainingSettings) -> list[LanguageText]:
    """The texts that a model of a language learns from: its own whole and once, and of each other one its share.

    Of a text that is longer than its share asks for, articles are drawn by the seed until they are about as long. One
    that is shorter is taken whole as often as it fits, and articles are drawn for the rest. Which ones does not depend
    on what other languages there are.

    Args:
        language: the tag of the model's language.
        own: its corpus file.
        others: the corpus folders of the other languages by tag.
        settings: has the shares.

    Returns:
        The text of the language, then those of the others in the order of their tags; nothing if there are no others.

    Raises:
        InputError: if a text has no article.
    """
    if not others:
        return []
    paths = {language: own, **{tag: folder / "train.txt" for tag, folder in sorted(others.items())}}
    words = {tag: _words(path) for tag, path in paths.items()}
    totals = {tag: float(counts.sum()) for tag, counts in words.items()}
    shares = settings.shares(language, totals)
    everything = totals[language] / shares[language]
    texts = [LanguageText(language, own, words[language], numpy.ones(len(words[language]), dtype=numpy.int64))]
    for tag in sorted(others):
        times = _times(words[tag], shares[tag] * everything, [settings.seed, *_number(tag)])
        texts.append(LanguageText(tag, paths[tag], words[tag], times))
    for tag, share in _shares_of(texts).items():
        if abs(share - shares[tag]) > FAR_OFF * shares[tag]:
            warn(
                f"{share:.1%} of what the model of {language} learns from is text of {tag}, where {shares[tag]:.1%} "
                "was asked for: articles stay whole, and some are long"
            )
    return texts


def recorded(texts: list[LanguageText]) -> dict[str, Any]:
    """What history.json has of texts of several languages as `texts`, by tag; nothing of no texts.

    Articles that are learned from with their running words, how many of them are there how often in a pass, and the
    text's share of all running words of a pass.
    """
    shares, records = _shares_of(texts), {}
    for text in texts:
        used = text.times > 0
        often, articles = numpy.unique(text.times[used], return_counts=True)
        records[text.language] = {
            "articles": int(used.sum()),
            "tokens": int(text.words[used].sum()),
            "repeated": {str(times): number for times, number in zip(often.tolist(), articles.tolist(), strict=True)},
            "share": round(shares[text.language], 6),
        }
    return {"texts": records} if records else {}


def _shares_of(texts: list[LanguageText]) -> dict[str, float]:
    """The share that each text has of the running words of a pass over all."""
    numbers = {text.language: text.words_learned_from() for text in texts}
    return {tag: number / sum(numbers.values()) for tag, number in numbers.items()}


def _words(path: Path) -> NDArray[numpy.int64]:
    counts = [sum(sentence.count(" ") + 1 for sentence in sentences) for sentences in read_corpus(path)]
    if not counts:
        raise InputError(path, "has no text", remedy="give the language more text, or leave it out of pretraining.with")
    return numpy.array(counts, dtype=numpy.int64)


def _number(tag: str) -> tuple[int, int]:
    """A number of a language for the generator's seed."""
    digest = hashlib.sha256(tag.encode()).digest()
    return int.from_bytes(digest[:4], "big"), int.from_bytes(digest[4:8], "big")


def _times(words: NDArray[numpy.int64], wanted: float, seed: list[int]) -> NDArray[numpy.int64]:
    """How often each article is taken, so that there are about so many running words, and one article at least."""
    whole = int(wanted // words.sum())
    times = numpy.full(len(words), whole, dtype=numpy.int64)
    order = numpy.random.default_rng(seed).permutation(len(words))
    sums = numpy.concatenate([[0], numpy.cumsum(words[order])])
    number = int(numpy.argmin(numpy.abs(sums - (wanted - whole * words.sum()))))
    if not whole:
        number = max(number, 1)
    times[order[:number]] += 1
    return times
