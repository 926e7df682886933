"""Unlabeled text: from a Wikipedia dump or a plain text to cleaned sentences, split by article.

The rules are the paper's (§2.2.1, A.1) with facts 1 to 6 where it is silent.
"""

from __future__ import annotations

import bz2
import hashlib
import os
import re
import shutil
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from pathlib import Path
from threading import Thread
from xml.parsers import expat
from xml.sax.saxutils import escape

from tqdm import tqdm
from wikiextractor.extract import Extractor

from specialize.datasets import (
    FORM,
    REMEMBERED_WORDS,
    Sentence,
    read_entities,
    read_treebank,
    transliterate_token,
)
from specialize.errors import InputError, SpecializeError
from specialize.files import atomic_path, atomic_text, write_json

SPLITS = ("train", "valid", "test")
SENTENCE_END = ". "
# Lines that start so are markup that extraction left over (fact 1).
MARKUP_STARTS = ("=", "[[", "<", "&lt;")
# Punctuation that gets a space on both sides (fact 2); hyphen, parentheses and full stop are not in it.
SPACED = re.compile(r"""[,"':;/?!؟،«»‹›¿¡—]""")
# Sentence-final punctuation is parted from the last word (fact 2, default reading).
FINAL = ".!?؟۔…"
READ_BYTES = 1 << 20
BATCH_CHARACTERS = 1 << 18  # of text that a process cleans at a time
SAMPLED_FILE_BYTES = 1 << 20  # of an extractor's output file, which the paper's code sampled (fact 5)
LONGEST_PAGE = 64_000_000  # characters; MediaWiki allows two million bytes
DUMP_REMEDY = "download it again"


@dataclass(frozen=True)
class Page:
    """An article of a dump, in MediaWiki's markup."""

    identifier: str
    title: str
    text: str


@dataclass(frozen=True)
class Article:
    """An article before cleaning: an identifier that does not depend on its position, and its lines."""

    identifier: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Cleaning:
    """How text is cleaned and split.

    Attributes:
        seed: of the split and of the downsampling.
        validation_share, test_share: shares of articles (paper: 80/10/10).
        sample: share of articles that is kept (paper, Table 1).
        sentence_end: what parts two sentences within a line, with its space.
        sentence_final: what is parted from a sentence's last word: `punctuation`, or as the paper's code did, its last
            run of `any` character (fact 2).
        sampling: what is sampled: `articles`, or as run, `files` of a megabyte of extracted text (fact 5).
        decontamination: a labeled sentence is known by its `words`, in both writings, or as run, by all of its `rows`
            together (fact 6).
    """

    seed: int
    validation_share: float
    test_share: float
    sample: float = 1.0
    sentence_end: str = SENTENCE_END
    sentence_final: str = "punctuation"
    sampling: str = "articles"
    decontamination: str = "words"


# -- reading -----------------------------------------------------------------------------------------------


def read_dump(path: Path) -> Iterator[Page]:
    """Articles of a MediaWiki export (bz2), but for redirects; memory holds one block of it at a time.

    Raises:
        InputError: with the line where it is cut off, damaged or not an export.
    """
    reader = _DumpReader(path)
    with path.open("rb") as compressed, bz2.open(compressed) as stream:
        progress = tqdm(desc=path.name, total=path.stat().st_size, unit="B", unit_scale=True, mininterval=2)
        with progress:
            block = b"-"
            while block:
                try:
                    block = stream.read(READ_BYTES)
                    pages = reader.feed(block)
                except (EOFError, OSError) as error:
                    raise InputError(path, f"is cut off or damaged ({error})", reader.line, DUMP_REMEDY) from error
                except expat.ExpatError as error:
                    problem = f"is not a whole MediaWiki export ({expat.ErrorString(error.code)})"
                    raise InputError(path, problem, error.lineno, DUMP_REMEDY) from error
                yield from pages
                progress.update(compressed.tell() - progress.n)


class _DumpReader:
    """Collects articles while an export is parsed; any <id> but the page's own is of a revision or a person."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pages: list[Page] = []
        self._fields: dict[str, str] = {}
        self._open: list[str] = []
        self._text: list[str] = []
        self._characters = 0
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.buffer_size = READ_BYTES
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._add

    @property
    def line(self) -> int:
        """The line that has been read last (from 1)."""
        return self._parser.CurrentLineNumber

    def feed(self, block: bytes) -> list[Page]:
        """Articles that end in this block; an empty block ends the export."""
        self._parser.Parse(block, not block)
        pages, self._pages = self._pages, []
        return pages

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        if not self._open and name != "mediawiki":
            self._refuse(f"is not a MediaWiki export but <{name}>")
        self._open.append(name)
        if name == "page":
            self._fields = {}
        elif name == "redirect":
            self._fields[name] = ""
        self._text, self._characters = [], 0

    def _add(self, text: str) -> None:
        self._text.append(text)
        self._characters += len(text)
        if self._characters > LONGEST_PAGE:
            self._refuse(f"has a page of over {LONGEST_PAGE:,} characters")

    def _end(self, name: str) -> None:
        self._open.pop()
        if name in ("title", "ns", "text") or (name == "id" and self._open[-1:] == ["page"]):
            self._fields[name] = "".join(self._text)
        elif name == "page":
            lacks = [field for field in ("title", "ns", "id") if not self._fields.get(field)]
            if lacks:
                self._refuse(f"has a page without <{lacks[0]}>")
            if self._fields["ns"] == "0" and "redirect" not in self._fields:
                self._pages.append(Page(self._fields["id"], self._fields["title"], self._fields.get("text", "")))

    def _refuse(self, problem: str) -> None:
        raise InputError(self._path, problem, self.line, DUMP_REMEDY)


def extract(page: Page) -> Article:
    """A page's text without its markup, by WikiExtractor; templates and parser functions are dropped.

    Raises:
        SpecializeError: if WikiExtractor fails on it.
    """
    extractor = Extractor(page.identifier, "", "", page.title, [])
    try:  # it expects entities, as they stand in a dump
        lines = extractor.clean_text(escape(page.text), expand_templates=False, html_safe=False)
    except Exception as error:  # of any kind
        raise SpecializeError(f"article {page.identifier} ({page.title}): WikiExtractor fails: {error!r}") from error
    return Article(page.identifier, tuple("\n".join(lines).split("\n")))


def read_articles(path: Path) -> Iterator[Article]:
    """Articles of a plain text: one paragraph a line, a blank line between articles.

    Raises:
        InputError: with the first line that is not UTF-8.
    """
    lines: list[str] = []
    with path.open(encoding="utf-8-sig", newline="\n") as stream:
        try:
            for line in tqdm(stream, desc="lines", unit="", mininterval=2):
                if line.strip():
                    lines.append(line)
                elif lines:
                    yield _text_article(lines)
                    lines = []
        except UnicodeDecodeError as error:
            raise InputError(path, f"is not UTF-8 ({error.reason})", _undecodable_line(path), "convert it") from error
    if lines:
        yield _text_article(lines)


def _undecodable_line(path: Path) -> int | None:
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return None


def _text_article(lines: list[str]) -> Article:
    return Article(hashlib.sha256("".join(lines).encode()).hexdigest(), tuple(lines))


# -- cleaning ----------------------------------------------------------------------------------------------


def clean_line(line: str, sentence_end: str = SENTENCE_END, sentence_final: str = "punctuation") -> list[str]:
    """Sentences of one line of extracted text, with spaces around punctuation; none if it is markup."""
    line = line.replace("<br>", "").strip()
    if not line or line.startswith(MARKUP_STARTS):
        return []
    pieces = line.split(sentence_end)
    stop = sentence_end.rstrip()
    sentences = [piece + stop for piece in pieces[:-1]] + [pieces[-1]]
    spaced = (_spaced(_part_final(sentence.strip(), sentence_final)) for sentence in sentences)
    return [sentence for sentence in spaced if sentence and sentence != stop]


def _spaced(sentence: str) -> str:
    return " ".join(SPACED.sub(r" \g<0> ", sentence).split())


def _part_final(sentence: str, sentence_final: str) -> str:
    body = sentence.rstrip(FINAL if sentence_final == "punctuation" else sentence[-1:])
    return f"{body} {sentence[len(body) :]}"


def share_of(identifier: str, seed: int, purpose: str) -> float:
    """A number in [0, 1) that depends on the article and the seed only, not on the order of the articles."""
    digest = hashlib.sha256(f"{purpose}\t{seed}\t{identifier}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def split_of(identifier: str, cleaning: Cleaning) -> str:
    """The split of an article (fact 4)."""
    share = share_of(identifier, cleaning.seed, "split")
    if share < cleaning.validation_share:
        return "valid"
    return "test" if share < cleaning.validation_share + cleaning.test_share else "train"


def labeled_sentences(folder: Path, decontamination: str = "words") -> dict[str, set[str]]:
    """Sentences of the labeled validation and test files below a dataset folder, without white space, by file.

    A treebank sentence counts in both writings, with multiword tokens and with their words; in the reading `rows`, as
    the one text of all of its rows, which no sentence with a multiword token is found by (fact 6).
    """
    sentences: dict[str, set[str]] = {}
    for part in ("dev", "test"):
        if (path := folder / f"{part}.conllu").exists():
            treebank = read_treebank(path)
            if decontamination == "rows":
                sentences[path.name] = {squeeze("".join(_all_forms(sentence))) for sentence in treebank}
            else:
                sentences[path.name] = {sentence.surface() for sentence in treebank}
                sentences[path.name] |= {
                    squeeze("".join(word.form for word in sentence.words)) for sentence in treebank
                }
        if (path := folder / "ner" / f"{part}.tsv").exists():
            sentences[f"ner/{path.name}"] = {squeeze("".join(sentence.tokens)) for sentence in read_entities(path)}
    return sentences


def _all_forms(sentence: Sentence) -> Iterator[str]:
    return (line.split("\t")[FORM] for line in sentence.lines if not line.startswith("#"))


def squeeze(text: str) -> str:
    """The text without any white space."""
    return "".join(text.split())


@dataclass(frozen=True)
class CleanArticle:
    """What is left of an article.

    Attributes:
        identifier: of the article.
        extracted_bytes: of its text before cleaning, where files of it are sampled.
        sentences: what is left of it.
        removed, removed_by_file: how often each rule, and each labeled file, took something out.
        problem: why it could not be extracted, if so.
    """

    identifier: str
    extracted_bytes: int = 0
    sentences: tuple[str, ...] = ()
    removed: Counter[str] = field(default_factory=Counter)
    removed_by_file: Counter[str] = field(default_factory=Counter)
    problem: str = ""


@dataclass(frozen=True)
class Cleaner:
    """The rules with the labeled sentences that are to be left out, by the name of their file."""

    cleaning: Cleaning
    labeled: Mapping[str, set[str]]

    @cached_property
    def _files_of(self) -> dict[str, list[str]]:
        files: dict[str, list[str]] = {}
        for name, texts in self.labeled.items():
            for text in texts:
                files.setdefault(text, []).append(name)
        return files

    def clean(self, item: Page | Article) -> CleanArticle:
        """Extract and clean one article, without its labeled sentences."""
        rules = self.cleaning
        by_article = rules.sampling == "articles"
        if by_article and share_of(item.identifier, rules.seed, "sample") >= rules.sample:
            return CleanArticle(item.identifier, removed=Counter({"articles not sampled": 1}))
        try:
            article = extract(item) if isinstance(item, Page) else item
        except SpecializeError as error:
            failed = Counter({"articles that could not be extracted": 1})
            return CleanArticle(item.identifier, removed=failed, problem=str(error))
        sentences: list[str] = []
        removed: Counter[str] = Counter()
        removed_by_file: Counter[str] = Counter()
        for line in article.lines:
            cleaned = clean_line(line, rules.sentence_end, rules.sentence_final)
            if not cleaned and line.strip():
                start = next(filter(line.lstrip().startswith, MARKUP_STARTS), "nothing but a full stop or <br>")
                removed[f"lines of {start}"] += 1
            for sentence in cleaned:
                files = self._files_of.get(squeeze(sentence)) if self._files_of else None
                if files:
                    removed_by_file.update(files)
                    removed["sentences of labeled data"] += 1
                else:
                    sentences.append(sentence)
        if len(sentences) <= 1:
            removed["articles of one sentence or less"] += 1
            sentences = []
        size = 0 if by_article else sum(len(line.encode()) + 1 for line in article.lines)
        return CleanArticle(article.identifier, size, tuple(sentences), removed, removed_by_file)


_cleaner: Cleaner  # of a process that cleans


def _start_process(cleaner: Cleaner) -> None:
    global _cleaner
    _cleaner = cleaner
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when the one that gives it work was killed, rather than wait for ever."""
    parent = parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _clean_batch(batch: list[Page | Article]) -> list[CleanArticle]:
    return [_cleaner.clean(item) for item in batch]


def _batches(articles: Iterable[Page | Article]) -> Iterator[list[Page | Article]]:
    batch: list[Page | Article] = []
    characters = 0
    for item in articles:
        batch.append(item)
        characters += len(item.text) if isinstance(item, Page) else sum(map(len, item.lines))
        if characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def clean_all(articles: Iterable[Page | Article], cleaner: Cleaner, processes: int) -> Iterator[CleanArticle]:
    """Clean articles in their order, in this process or in several; only a few batches are in memory at a time.

    Raises:
        SpecializeError: if a process was killed.
    """
    if processes == 1:
        yield from map(cleaner.clean, articles)
        return
    # Forked, since a new interpreter would run a job's script again.
    with ProcessPoolExecutor(processes, get_context("fork"), _start_process, (cleaner,)) as pool:
        waiting: deque[Future[list[CleanArticle]]] = deque()
        try:
            for batch in _batches(articles):
                waiting.append(pool.submit(_clean_batch, batch))
                if len(waiting) > 2 * processes:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        except BrokenProcessPool as error:
            raise SpecializeError("a process that cleans text was killed; is there memory enough?") from error


# -- building ----------------------------------------------------------------------------------------------


def build_corpus(
    source: Path,
    articles: Iterable[Page | Article],
    labeled: Mapping[str, set[str]],
    cleaning: Cleaning,
    folder: Path,
    processes: int = 1,
) -> None:
    """Clean, decontaminate and split articles into {train,valid,test}.txt and statistics.json, in one pass.

    Args:
        source: the file that the articles come from, for messages.
        articles: the articles, in any order; the split of each depends on itself and the seed only.
        labeled: sentences to be left out, by the name of their file; see `labeled_sentences`.
        cleaning: the rules.
        folder: where the files appear, all at once.
        processes: that clean at once; the result does not depend on it.

    Raises:
        InputError: if a split ends up empty.
    """
    removed: Counter[str] = Counter()
    removed_by_file: Counter[str] = Counter(dict.fromkeys(labeled, 0))
    counts = {split: Counter[str]() for split in SPLITS}
    seen = extracted_bytes = 0
    with atomic_path(folder) as temporary, ExitStack() as stack:
        temporary.mkdir()
        streams = {split: stack.enter_context(atomic_text(temporary / f"{split}.txt")) for split in SPLITS}
        for article in clean_all(articles, Cleaner(cleaning, labeled), processes):
            seen += 1
            if article.problem:
                print(f"{source}: {article.problem}; left out")
            file_number = str(extracted_bytes // SAMPLED_FILE_BYTES)
            extracted_bytes += article.extracted_bytes
            if cleaning.sampling == "files" and share_of(file_number, cleaning.seed, "sample") >= cleaning.sample:
                removed["articles not sampled"] += 1
                continue
            removed.update(article.removed)
            removed_by_file.update(article.removed_by_file)
            if not article.sentences:
                continue
            split = split_of(article.identifier, cleaning)
            streams[split].write("\n".join(article.sentences) + "\n\n")
            counts[split]["articles"] += 1
            counts[split]["sentences"] += len(article.sentences)
            counts[split]["tokens"] += sum(sentence.count(" ") + 1 for sentence in article.sentences)
        stack.close()
        empty = [split for split in SPLITS if not counts[split]["articles"]]
        if empty:
            rules = ", ".join(f"{count:,} {rule}" for rule, count in sorted(removed.items()))
            raise InputError(
                source,
                f"has {seen} articles, and no article for {', '.join(empty)} ({rules or 'nothing'} removed)",
                remedy="give more text or larger shares; a blank line parts the articles of a plain text",
            )
        total = sum(counts.values(), Counter())
        write_json(
            temporary / "statistics.json",
            {
                "articles_read": seen,
                "total": dict(sorted(total.items())),
                **{split: dict(sorted(counts[split].items())) for split in SPLITS},
                "removed": dict(sorted(removed.items())),
                "removed_by_labeled_file": dict(sorted(removed_by_file.items())),
            },
        )


def transliterate_corpus(source: Path, destination: Path, convert: Callable[[str], str]) -> None:
    """Write the transliterated twin of a corpus folder, line for line and token for token (paper §4.1)."""
    convert_token = lru_cache(maxsize=REMEMBERED_WORDS)(partial(transliterate_token, convert))
    with atomic_path(destination) as temporary:
        temporary.mkdir()
        for split in SPLITS:
            with (
                (source / f"{split}.txt").open(encoding="utf-8", newline="\n") as lines,
                atomic_text(temporary / f"{split}.txt") as out,
            ):
                for line in tqdm(lines, desc=split, unit=" lines", mininterval=2):
                    tokens = line.rstrip("\n").split(" ")
                    out.write(" ".join(map(convert_token, tokens)) + "\n")
        shutil.copyfile(source / "statistics.json", temporary / "statistics.json")


def read_corpus(path: Path) -> Iterator[list[str]]:
    """Articles of a split file, each a list of sentences."""
    sentences: list[str] = []
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            if line.strip():
                sentences.append(line.rstrip("\n"))
            elif sentences:
                yield sentences
                sentences = []
    if sentences:
        yield sentences
