"""How many test sentences stay in a text that has them all, and what goes from Wikipedias with labeled data.

    python benchmarks/decontamination.py MIRROR [--treebanks-only]

Each test part of the mirror's treebanks is given its own `# text` as the corpus, ten sentences an article, in several
spellings; a sentence escapes when its letters and digits still stand in what is kept of an article, from the start of
a word to the end of one. Then every line that goes from the Wikipedias is held against the labeled sentences. Both
checks are of their own: plain string search, none of the stage's code.
"""

import argparse
import itertools
import re
import tempfile
import unicodedata
from collections import Counter
from pathlib import Path

import regex

from specialize.corpora import Article, Cleaner, extract, labeled_sentences, read_dump
from specialize.datasets import PARTS, read_entities, read_treebank, unpack_wikiann, write_entities
from specialize.experiment import Experiment

CONFIGURATION = Path(__file__).parents[1] / "config" / "config.yaml"
FILLER = ("(0)", "(0)")  # an article of one sentence is left out, whatever is in it
SPELLINGS = {
    "a line each": lambda sentences: sentences,
    "running on": lambda sentences: [" ".join(sentences)],
    "NFD": lambda sentences: [unicodedata.normalize("NFD", sentence) for sentence in sentences],
    "marks": lambda sentences: [re.sub(r"\b(?=\w)", "\u200e\u2060", sentence) for sentence in sentences],
    "no-break spaces": lambda sentences: [sentence.replace(" ", "\u00a0\u2009") for sentence in sentences],
}
WIKIPEDIAS = {
    "ug": ("UD_Uyghur-UDT/r2.5/ug_udt", "ug.tar.gz"),
    "mt": ("UD_Maltese-MUDT/r2.5/mt_mudt", "mt.tar.gz"),
    "wo": ("UD_Wolof-WTB/r2.5/wo_wtb", None),
}


def words_in(text):
    """Runs of letters, marks and digits."""
    text = regex.sub(r"\p{Default_Ignorable_Code_Point}", "", text.replace("\u200b", " "))
    return regex.findall(r"[\p{L}\p{M}\p{N}]+", unicodedata.normalize("NFKC", text))


class Letters:
    """The letters of an article's lines in a row, where words begin and end, and which line each is of."""

    def __init__(self, lines):
        words = [(word, number) for number, line in enumerate(lines) for word in words_in(line)]
        self.text = "".join(word for word, _ in words)
        self.starts = {0, *itertools.accumulate(len(word) for word, _ in words)}
        self.line_of = [number for word, number in words for _ in word]

    def places(self, wanted):
        """Where these letters stand from the start of a word to the end of one."""
        begin = self.text.find(wanted)
        while begin >= 0:
            if begin in self.starts and begin + len(wanted) in self.starts:
                yield begin, begin + len(wanted)
            begin = self.text.find(wanted, begin + 1)


def writings_of(sentence):
    """The letters of a sentence with multiword tokens and with their words, those of four words or more only."""
    surface = [line.removeprefix("# text = ") for line in sentence.lines if line.startswith("# text = ")]
    words = [word.form for word in sentence.words]
    if sum(bool(words_in(form)) for form in words) < 4:
        return set()
    return {"".join(words_in(text)) for text in (sentence.surface(), " ".join(words), *surface)}


def escapes(path, cleaning):
    """Test sentences, those of four words or more, and how many of these are left in each spelling."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test.conllu").write_bytes(path.read_bytes())
        cleaner = Cleaner(cleaning, labeled_sentences(Path(folder)))
    sentences = read_treebank(path)
    texts = [next(line for line in s.lines if line.startswith("# text = "))[9:] for s in sentences]
    known = [writings for sentence in sentences if (writings := writings_of(sentence))]
    left = {}
    for name, spell in SPELLINGS.items():
        kept = []
        for first in range(0, len(texts), 10):
            lines = (*spell(texts[first : first + 10]), *FILLER)
            kept.append(Letters(cleaner.clean(Article(str(first), lines)).sentences))
        left[name] = sum(any(any(article.places(w)) for w in writings for article in kept) for writings in known)
    return len(sentences), len(known), left


def removals(mirror, language, cleaning):
    """Lines of a Wikipedia that stay without labeled data, and what becomes of those that go with it, by reason."""
    treebank, archive = WIKIPEDIAS[language]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for part in ("dev", "test"):
            source = mirror / "universal-dependencies" / f"{treebank}-ud-{part}.conllu"
            (folder / f"{part}.conllu").write_bytes(source.read_bytes())
        if archive:
            for part, sentences in unpack_wikiann(mirror / "wikiann" / archive, language).items():
                if part in PARTS[1:]:
                    write_entities(folder / "ner" / f"{part}.tsv", sentences)
        labeled = labeled_sentences(folder)
        trees = [tree for part in ("dev", "test") for tree in read_treebank(folder / f"{part}.conllu")]
        entities = [sentence for path in sorted(folder.glob("ner/*")) for sentence in read_entities(path)]
    names = [words_in(" ".join(sentence.tokens)) for sentence in entities]
    long = set().union(*map(writings_of, trees))
    long_names = {"".join(words) for words in names if len(words) >= 4} - long
    whole = {re.sub(r"\s", "", tree.surface()) for tree in trees} | {"".join(s.tokens) for s in entities}
    with_all, without = Cleaner(cleaning, {}), Cleaner(cleaning, labeled)
    counts = Counter()
    dump = next((mirror / "wikipedia" / f"{language}wiki").glob("*/*.xml.bz2"))
    for page in read_dump(dump):
        article = extract(page)
        before = with_all.clean(article).sentences
        counts["lines"] += len(before)
        found = without.clean(article)
        after = found.sentences
        if len(before) == len(after):
            continue
        if not after:
            after = without.clean(Article(article.identifier, (*article.lines, *FILLER))).sentences[: -len(FILLER)]
            counts["left alone in its article"] += len(after)
        letters = Letters(before)
        sentences, mentions = (
            {letters.line_of[at] for wanted in known for span in letters.places(wanted) for at in range(*span)}
            for known in (long, long_names)
        )
        remaining = iter([*after, None])
        following = next(remaining)
        for number, line in enumerate(before):
            if line == following:
                following = next(remaining)
            elif number in sentences:
                counts["treebank sentence of four words or more"] += 1
            elif number in mentions:
                counts["entity sentence of four words or more"] += 1
            elif re.sub(r"\s", "", line) in whole:
                counts["equals a shorter one"] += 1
            else:
                counts["neither"] += 1
                print("neither:", line)
        assert following is None
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mirror", type=Path)
    parser.add_argument("--treebanks-only", action="store_true")
    arguments = parser.parse_args()
    cleaning = Experiment.read([CONFIGURATION]).cleaning("wo")
    for path in sorted(arguments.mirror.glob("universal-dependencies/*/*/*-test.conllu")):
        sentences, long, left = escapes(path, cleaning)
        print(f"{path.parts[-3]}: {sentences} sentences, {long} of four words or more; stay: {left}", flush=True)
    for language in () if arguments.treebanks_only else WIKIPEDIAS:
        print(language, dict(removals(arguments.mirror, language, cleaning)), flush=True)


if __name__ == "__main__":
    main()
