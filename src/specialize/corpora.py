"""Unlabeled text: from a Wikipedia dump or a plain text to cleaned sentences, split by article.

The rules are the paper's (§2.2.1, A.1) with facts 1 to 6 where it is silent.
"""

from __future__ import annotations

import bz2
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from specialize.datasets import read_entities, read_treebank
from specialize.errors import InputError, SpecializeError
from specialize.files import atomic_path, atomic_text, read_json, write_json

DUMP_END = b"</mediawiki>"
SPLITS = ("train", "valid", "test")
SENTENCE_END = ". "
# Lines that start so are markup that extraction left over (fact 1).
MARKUP_STARTS = ("=", "[[", "<", "&lt;")
# Punctuation that gets a space on both sides (fact 2); hyphen, parentheses and full stop are not in it.
SPACED = re.compile(r"""\s*([,"':;/?!؟،«»‹›¿¡—])\s*""")
# Sentence-final punctuation is parted from the last word (fact 2, default reading).
FINAL = re.compile(r"\s*([.!?؟۔…]+)$")


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
    """

    seed: int
    validation_share: float
    test_share: float
    sample: float = 1.0
    sentence_end: str = SENTENCE_END


def extract_dump(dump: Path, processes: int) -> Iterator[Article]:
    """Articles of a MediaWiki dump, extracted by WikiExtractor without template expansion.

    Raises:
        InputError: if the dump is cut off or damaged.
        SpecializeError: if WikiExtractor fails.
    """
    _check_dump(dump)
    command = [sys.executable, "-m", "wikiextractor.WikiExtractor", "--json", "--no-templates", "--quiet"]
    command += ["--processes", str(processes), "--output", "-", str(dump)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=sys.stderr, encoding="utf-8", start_new_session=True
    ) as extractor:
        assert extractor.stdout is not None
        try:
            for line in tqdm(extractor.stdout, desc="articles", unit="", mininterval=2):
                page = json.loads(line)
                yield Article(page["id"], tuple(page["text"].split("\n")))
        except BaseException:
            os.killpg(extractor.pid, signal.SIGKILL)  # its workers would wait for ever
            raise
    if extractor.returncode:
        raise SpecializeError(
            f"{dump}: WikiExtractor ended with status {extractor.returncode}; download the dump again"
        )


def _check_dump(dump: Path) -> None:
    """Read a dump to its end: WikiExtractor waits for ever on one that is cut off."""
    end = b""
    try:
        with bz2.open(dump) as stream:
            while block := stream.read(1 << 22):
                end = (end + block)[-len(DUMP_END) - 80 :]
    except (EOFError, OSError) as error:
        raise InputError(dump, f"is cut off or damaged ({error})", remedy="download it again") from error
    if DUMP_END not in end:
        raise InputError(dump, f"does not end with {DUMP_END.decode()}", remedy="download it again")


def read_articles(path: Path) -> Iterator[Article]:
    """Articles of a plain text: one paragraph a line, a blank line between articles."""
    lines: list[str] = []
    with path.open(encoding="utf-8-sig") as stream:
        try:
            for line in tqdm(stream, desc="lines", unit="", mininterval=2):
                if line.strip():
                    lines.append(line)
                elif lines:
                    yield _text_article(lines)
                    lines = []
        except UnicodeDecodeError as error:
            raise InputError(path, f"is not UTF-8 ({error})", remedy="convert it") from error
    if lines:
        yield _text_article(lines)


def _text_article(lines: list[str]) -> Article:
    return Article(hashlib.sha256("".join(lines).encode()).hexdigest(), tuple(lines))


def clean_line(line: str, sentence_end: str = SENTENCE_END) -> list[str]:
    """Sentences of one line of extracted text, with spaces around punctuation; none if it is markup."""
    line = line.replace("<br>", "").strip()
    if not line or line.startswith(MARKUP_STARTS):
        return []
    pieces = line.split(sentence_end)
    stop = sentence_end.rstrip()
    sentences = [piece + stop for piece in pieces[:-1]] + [pieces[-1]]
    spaced = (" ".join(SPACED.sub(r" \1 ", FINAL.sub(r" \1", sentence.strip())).split()) for sentence in sentences)
    return [sentence for sentence in spaced if sentence and sentence != stop]


def share_of(identifier: str, seed: int, purpose: str) -> float:
    """A number in [0, 1) that depends on the article and the seed only, not on the order of the articles."""
    digest = hashlib.sha256(f"{purpose}\t{seed}\t{identifier}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def split_of(article: Article, cleaning: Cleaning) -> str:
    """The split of an article (fact 4)."""
    share = share_of(article.identifier, cleaning.seed, "split")
    if share < cleaning.validation_share:
        return "valid"
    return "test" if share < cleaning.validation_share + cleaning.test_share else "train"


def labeled_sentences(folder: Path) -> dict[str, set[str]]:
    """Sentences of the labeled validation and test files below a dataset folder, without white space, by file.

    A treebank sentence counts in both writings, with multiword tokens and with their words (fact 6).
    """
    sentences: dict[str, set[str]] = {}
    for part in ("dev", "test"):
        if (path := folder / f"{part}.conllu").exists():
            treebank = read_treebank(path)
            sentences[path.name] = {sentence.surface() for sentence in treebank}
            sentences[path.name] |= {squeeze("".join(word.form for word in sentence.words)) for sentence in treebank}
        if (path := folder / "ner" / f"{part}.tsv").exists():
            sentences[f"ner/{path.name}"] = {squeeze("".join(sentence.tokens)) for sentence in read_entities(path)}
    return sentences


def squeeze(text: str) -> str:
    """The text without any white space."""
    return re.sub(r"\s", "", text)


def build_corpus(articles: Iterable[Article], labeled: dict[str, set[str]], cleaning: Cleaning, folder: Path) -> None:
    """Clean, decontaminate and split articles into {train,valid,test}.txt and statistics.json, in one pass.

    Args:
        articles: the articles, in any order; the split of each depends on itself and the seed only.
        labeled: sentences to be left out, by the name of their file; see `labeled_sentences`.
        cleaning: the rules.
        folder: where the files appear, all at once.

    Raises:
        SpecializeError: if a split ends up empty.
    """
    removed: Counter[str] = Counter()
    removed_by_file: Counter[str] = Counter(dict.fromkeys(labeled, 0))
    counts = {split: Counter[str]() for split in SPLITS}
    seen = 0
    with atomic_path(folder) as temporary, ExitStack() as stack:
        temporary.mkdir()
        streams = {split: stack.enter_context(atomic_text(temporary / f"{split}.txt")) for split in SPLITS}
        for article in articles:
            seen += 1
            if share_of(article.identifier, cleaning.seed, "sample") >= cleaning.sample:
                removed["articles not sampled"] += 1
                continue
            sentences = []
            for line in article.lines:
                cleaned = clean_line(line, cleaning.sentence_end)
                removed["lines of markup"] += bool(line.strip()) and not cleaned
                for sentence in cleaned:
                    key = squeeze(sentence)
                    files = [name for name, texts in labeled.items() if key in texts]
                    removed_by_file.update(files)
                    removed["sentences of labeled data"] += bool(files)
                    if not files:
                        sentences.append(sentence)
            if len(sentences) <= 1:
                removed["articles of one sentence or less"] += 1
                continue
            split = split_of(article, cleaning)
            streams[split].write("\n".join(sentences) + "\n\n")
            counts[split]["articles"] += 1
            counts[split]["sentences"] += len(sentences)
            counts[split]["tokens"] += sum(sentence.count(" ") + 1 for sentence in sentences)
        stack.close()
        empty = [split for split in SPLITS if not counts[split]["articles"]]
        if empty:
            raise SpecializeError(
                f"{folder}: no article for {', '.join(empty)} out of {seen} (a blank line parts articles, and those of "
                "one sentence are left out); give more text or larger shares"
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
    """Write the transliterated twin of a corpus folder, line for line (paper §4.1); its tokens are counted anew."""
    statistics = read_json(source / "statistics.json")
    with atomic_path(destination) as temporary:
        temporary.mkdir()
        for split in SPLITS:
            tokens = 0
            with (
                (source / f"{split}.txt").open(encoding="utf-8") as lines,
                atomic_text(temporary / f"{split}.txt") as out,
            ):
                for line in tqdm(lines, desc=split, unit=" lines", mininterval=2):
                    text = line.rstrip("\n")
                    words = convert(text).split() or text.split()
                    out.write(" ".join(words) + "\n")
                    tokens += len(words)
            statistics[split]["tokens"] = tokens
        statistics["total"]["tokens"] = sum(statistics[split]["tokens"] for split in SPLITS)
        write_json(temporary / "statistics.json", statistics)


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
