"""Building a corpus: articles are cleaned, split and counted in one pass, and appear all at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from specialize.corpora.articles import Article, CleanArticle, Page, not_sampled
from specialize.corpora.cleaning import Cleaner
from specialize.corpora.decontamination import LabeledSentence
from specialize.corpora.processes import clean_all
from specialize.corpora.settings import Cleaning
from specialize.corpora.splits import SPLITS, share_of, split_of
from specialize.corpora.word_segmentation import LONG_WORDS
from specialize.errors import InputError
from specialize.files import atomic_path, atomic_text, write_json
from specialize.unicode import LETTER, SPACELESS_LETTER, counts_of

SAMPLED_FILE_BYTES = 1 << 20  # of an extractor's output file, which the paper's code sampled (fact 5)


def build_corpus(
    source: Path,
    articles: Iterable[Page | Article],
    labeled: Mapping[str, Collection[LabeledSentence]],
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
    cleaned = _problems_printed(clean_all(articles, Cleaner(cleaning, labeled), processes), source)
    if cleaning.sampling == "files":
        cleaned = _sample_files(cleaned, cleaning)
    counts = _Counts(labeled)
    with atomic_path(folder) as temporary:
        temporary.mkdir()
        _write_splits(temporary, cleaned, cleaning, counts)
        counts.require_every_split(source)
        if counts.long_words():
            print(f"{source}: {counts.long_words():,} {LONG_WORDS} left out")
        write_json(temporary / "statistics.json", counts.as_json())


def _problems_printed(articles: Iterable[CleanArticle], source: Path) -> Iterator[CleanArticle]:
    """The same articles; where one could not be extracted, the job's log says so."""
    for article in articles:
        if article.problem:
            print(f"{source}: {article.problem}; left out")
        yield article


def _sample_files(articles: Iterable[CleanArticle], cleaning: Cleaning) -> Iterator[CleanArticle]:
    """Leave out the articles of an extractor's output files that are not sampled, as run (fact 5)."""
    extracted_bytes = 0
    for article in articles:
        file_number = str(extracted_bytes // SAMPLED_FILE_BYTES)
        extracted_bytes += article.extracted_bytes
        if share_of(file_number, cleaning.seed, "sample") < cleaning.sample:
            yield article
        else:
            yield not_sampled(article.identifier)


def _write_splits(folder: Path, articles: Iterable[CleanArticle], cleaning: Cleaning, counts: _Counts) -> None:
    """Write each article to the file of its split, a sentence a line and a blank line after it, and count it."""
    with ExitStack() as stack:
        streams = {split: stack.enter_context(atomic_text(folder / f"{split}.txt")) for split in SPLITS}
        for article in articles:
            counts.add_removed(article)
            if article.sentences:
                split = split_of(article.identifier, cleaning)
                streams[split].write("\n".join(article.sentences) + "\n\n")
                counts.add_kept(split, article)


class _Counts:
    """What is counted while a corpus is built.

    Args:
        labeled: the labeled files; one that takes nothing out is counted as zero.
    """

    def __init__(self, labeled: Iterable[str]) -> None:
        self._articles_read = 0
        self._kept = {split: Counter[str]() for split in SPLITS}
        self._markup_left: Counter[str] = Counter()
        self._removed: Counter[str] = Counter()
        self._removed_by_file: Counter[str] = Counter(dict.fromkeys(labeled, 0))

    def add_removed(self, article: CleanArticle) -> None:
        """Count an article that was read, and what was taken out of it."""
        self._articles_read += 1
        self._removed.update(article.removed)
        self._removed_by_file.update(article.removed_by_file)

    def add_kept(self, split: str, article: CleanArticle) -> None:
        """Count an article that is written: its tokens, which have spaces between them, letters, and markup left."""
        self._markup_left.update(article.markup_left)
        sentences = article.sentences
        kept = self._kept[split]
        kept["articles"] += 1
        kept["sentences"] += len(sentences)
        kept["tokens"] += sum(sentence.count(" ") + 1 for sentence in sentences)
        letters, spaceless_letters = counts_of((LETTER, SPACELESS_LETTER), "".join(sentences))
        kept["letters"] += letters
        kept["spaceless_letters"] += spaceless_letters

    def long_words(self) -> int:
        """How many words were left out because they are too long; see `word_segmentation`."""
        return self._removed[LONG_WORDS]

    def require_every_split(self, source: Path) -> None:
        """Refuse a corpus in which a split has no article.

        Raises:
            InputError: with what was removed.
        """
        empty = [split for split in SPLITS if not self._kept[split]["articles"]]
        if not empty:
            return
        rules = ", ".join(f"{count:,} {rule}" for rule, count in sorted(self._removed.items()))
        raise InputError(
            source,
            f"has {self._articles_read} articles, and no article for {', '.join(empty)} ({rules or 'nothing'} removed)",
            remedy="give more text or larger shares; a blank line parts the articles of a plain text; where each line "
            "is by itself, say `format: sentences`, and where each record is, `fewest_sentences: 1`; if sentences end "
            'in a mark of their own, name it in the language\'s entry, as in corpus: {sentence_end: "। "}',
        )

    def as_json(self) -> dict[str, Any]:
        """The content of statistics.json."""
        total: Counter[str] = Counter()
        for kept in self._kept.values():
            total.update(kept)
        return {
            "articles_read": self._articles_read,
            "total": dict(sorted(total.items())),
            **{split: dict(sorted(self._kept[split].items())) for split in SPLITS},
            "markup_left": dict(sorted(self._markup_left.items())),
            "removed": dict(sorted(self._removed.items())),
            "removed_by_labeled_file": dict(sorted(self._removed_by_file.items())),
        }
