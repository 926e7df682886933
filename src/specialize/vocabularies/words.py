"""The words of a text or of labeled data with their counts, their letters and scripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fontTools.unicodedata import script, script_name
from tqdm import tqdm

from specialize.corpora import read_corpus
from specialize.datasets import read_entities, read_treebank


@dataclass(frozen=True)
class WordCounts:
    """Words of a data set with their counts, and the number of its sentences."""

    sentences: int
    words: Counter[str]


def count_words(paths: Iterable[Path]) -> WordCounts:
    """White-space tokens of corpus files."""
    words: Counter[str] = Counter()
    number = 0
    for path in paths:
        for sentences in tqdm(read_corpus(path), "words", unit=" articles", mininterval=5):
            number += len(sentences)
            for sentence in sentences:
                words.update(sentence.split())
    return WordCounts(number, words)


def first_words(path: Path, number: int = 2000) -> list[str]:
    """The first different white-space tokens of a corpus file, which is read no further."""
    words: dict[str, None] = {}
    for sentences in read_corpus(path):
        words |= dict.fromkeys(word for sentence in sentences for word in sentence.split())
        if len(words) >= number:
            break
    return list(words)[:number]


def count_labeled_words(paths: Iterable[Path]) -> dict[str, WordCounts]:
    """Words of labeled data: of treebanks under `treebank`, of named entities under `ner`."""
    counts: dict[str, WordCounts] = {}
    for path in paths:
        words: Counter[str] = Counter()
        if path.suffix == ".conllu":
            name, treebank = "treebank", read_treebank(path)
            number = len(treebank)
            words.update(word.form for sentence in treebank for word in sentence.words)
        else:
            name, entities = "ner", read_entities(path)
            number = len(entities)
            words.update(token for labeled in entities for token in labeled.tokens)
        before = counts.get(name, WordCounts(0, Counter()))
        counts[name] = WordCounts(before.sentences + number, before.words + words)
    return counts


def words_by_language(paths: Iterable[Path]) -> dict[str, Counter[str]]:
    """Words of treebanks' parts, by the name of each one's folder."""
    return {path.parent.name: count_labeled_words([path])["treebank"].words for path in paths}


def letter_counts(words: Counter[str]) -> Counter[str]:
    """Letters of words, counted as often as they occur."""
    letters: Counter[str] = Counter()
    for word, count in words.items():
        for letter in filter(str.isalpha, word):
            letters[letter] += count
    return letters


def script_shares(letters: Counter[str]) -> dict[str, float]:
    """Shares of the letters by Unicode script (such as Arabic), the largest first."""
    scripts: Counter[str] = Counter()
    for letter, count in letters.items():
        scripts[script_name(script(letter))] += count
    return shares(scripts, letters.total())


def shares(counts: Counter[str], total: int) -> dict[str, float]:
    """Counts as shares of a total, the largest first, those alike by name."""
    return {name: round(counts[name] / total, 6) for name in sorted(counts, key=lambda name: (-counts[name], name))}
