"""Decontamination: the labeled sentences that must not be in a corpus, since models are tested on them."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import regex

from specialize.corpora.articles import Found
from specialize.datasets import FORM, EntitySentence, Sentence, read_entities, read_treebank
from specialize.unicode import SPACELESS_LETTER, squeeze

if TYPE_CHECKING:
    from specialize.corpora.occurrences import RunningText

ANYWHERE_WORDS = 4  # a sentence of so many is found wherever it stands; a shorter one may be anybody's
TEXT_COMMENT = re.compile(r"#\s*text\s*=\s*(.*)")
CLEANED_AWAY = re.compile(r"[<&=\[]")  # of what cleaning takes out, beside a lone full stop
LETTER_WITHOUT_SPACES = regex.compile(rf"{SPACELESS_LETTER}\p{{M}}*", regex.V1)


@dataclass(frozen=True)
class LabeledSentence:
    """A sentence of labeled data.

    Attributes:
        writings: what it may look like in a text.
        words: that have letters or digits, in the writing that has most of them.
    """

    writings: tuple[str, ...]
    words: int


def labeled_sentences(paths: Iterable[Path], decontamination: str = "content") -> dict[str, list[LabeledSentence]]:
    """Sentences of labeled files, by file: `dev.conllu`, `ner/dev.tsv` and so on.

    Args:
        paths: treebanks, and named entities below a folder `ner`.
        decontamination: how they will be looked for: by their `content`, or as run by the one text of all `rows` of a
            sentence, which none with a multiword token is found by (fact 6).
    """
    as_run = decontamination == "rows"
    sentences: dict[str, list[LabeledSentence]] = {}
    for path in sorted(paths, key=lambda path: (path.stem, path.suffix)):
        if path.suffix == ".conllu":
            sentences[path.name] = [(_by_rows if as_run else _of_treebank)(tree) for tree in read_treebank(path)]
        else:
            sentences[f"ner/{path.name}"] = [_of_entities(sentence) for sentence in read_entities(path)]
    return sentences


def _of_treebank(sentence: Sentence) -> LabeledSentence:
    """In all of its writings: with multiword tokens, with their words, and as the comment `# text` has it."""
    comments = [comment[1] for line in sentence.lines if (comment := TEXT_COMMENT.match(line))]
    words = " ".join(word.form for word in sentence.words)
    writings = tuple(dict.fromkeys([" ".join(sentence.tokens()), words, *comments]))
    return LabeledSentence(writings, max(map(_words, writings)))


def _by_rows(sentence: Sentence) -> LabeledSentence:
    return LabeledSentence(("".join(line.split("\t")[FORM] for line in sentence.lines if not line.startswith("#")),), 0)


def _of_entities(sentence: EntitySentence) -> LabeledSentence:
    words = _words(" ".join(sentence.tokens))
    # WikiAnn parts Chinese and its like letter by letter, where a word has about two.
    if all(LETTER_WITHOUT_SPACES.fullmatch(token) for token in sentence.tokens):
        words = (words + 1) // 2
    return LabeledSentence((" ".join(sentence.tokens),), words)


def _words(writing: str) -> int:
    return sum(any(map(str.isalnum, word)) for word in writing.split())


class WholeLines:
    """Finds labeled sentences where they are a whole line of a corpus, white space set aside, as run (fact 6)."""

    def __init__(self, labeled: Mapping[str, Collection[LabeledSentence]]) -> None:
        self._files: dict[str, list[str]] = {}
        for file, sentences in labeled.items():
            for text in {squeeze(writing) for sentence in sentences for writing in sentence.writings}:
                self._files.setdefault(text, []).append(file)

    def find(self, articles: Iterable[Iterable[str]]) -> list[Found]:
        """The lines of each article that are labeled sentences."""
        return [self._find(lines) for lines in articles]

    def _find(self, lines: Iterable[str]) -> Found:
        found = Found()
        for number, line in enumerate(lines):
            if files := self._files.get(squeeze(line)):
                found.lines.add(number)
                found.files.update(files)
        return found


def finder(
    labeled: Mapping[str, Collection[LabeledSentence]], decontamination: str, cleaned: Callable[[str], list[str]]
) -> RunningText | WholeLines:
    """What finds labeled sentences in the lines of an article.

    Args:
        labeled: by file.
        decontamination: how; see `labeled_sentences`.
        cleaned: what cleaning makes of a line, since it takes out such as <br>.
    """
    if decontamination == "rows":
        return WholeLines(labeled)
    from specialize.corpora.occurrences import RunningText

    return RunningText(
        (writing, file, anywhere)
        for file, sentences in labeled.items()
        for sentence in sentences
        for writing, anywhere in _looked_for(sentence, cleaned)
    )


def _looked_for(sentence: LabeledSentence, cleaned: Callable[[str], list[str]]) -> Iterator[tuple[str, bool]]:
    """Everything that a sentence may look like in a cleaned text, and whether it is looked for anywhere.

    Not where much of it is missing: a comment `# text = _` or `# text = a` is no writing of a long sentence.
    """
    anywhere = sentence.words >= ANYWHERE_WORDS
    writings = set(sentence.writings)
    for writing in sentence.writings:
        if anywhere and not CLEANED_AWAY.search(writing):
            continue  # its letters stay as they are
        for line in {writing, html.unescape(writing)}:
            text = " ".join(cleaned(line))
            if squeeze(text) != squeeze(writing):
                writings.add(text)
    if not anywhere or len(writings) == 1:
        yield from ((writing, anywhere) for writing in sorted(writings))
        return
    letters = {writing: sum(map(str.isalnum, writing)) for writing in writings}
    for writing in sorted(writings):
        yield writing, 2 * letters[writing] >= max(letters.values())
