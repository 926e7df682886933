"""What of wiki markup stands in the text of dumps, per 10,000 sentences: by WikiExtractor alone, and as it is cleaned.

    python benchmarks/markup.py DUMP...

The marks are looked for by patterns of their own, none of the stage's, in the cleaned sentences of all articles.
"""

import argparse
import re
from collections import Counter
from pathlib import Path

from specialize.corpora import Cleaner, read_dump
from specialize.experiment import Experiment

CONFIGURATION = Path(__file__).parents[1] / "config" / "config.yaml"
MARKS = {  # as they stand once spaces are around punctuation
    "[[ or ]]": re.compile(r"\[\[|\]\]"),
    "{{ or }}": re.compile(r"\{\{|\}\}"),
    "table marks": re.compile(r"\{\||\|\}|\|-|^ ?[|!]"),
    "tags": re.compile(r"< ?(?:/ ?)?[A-Za-z]{2,}[^<>]*>"),
    "comments": re.compile(r"< ?! ?--|-- ?>"),
    "entities": re.compile(r"& ?#?\w{2,8} ;"),
    "-{ or }-": re.compile(r"-\{|\}-"),
    "formula_ or codice_": re.compile(r"formula_\d|codice_\d"),
    "list marks": re.compile(r"^[*#]"),
}


def marks_in(cleaner, pages):
    """The number of sentences, and of those with each mark."""
    sentences, marks = 0, Counter()
    for page in pages:
        for sentence in cleaner.clean(page).sentences:
            sentences += 1
            marks.update(name for name, pattern in MARKS.items() if pattern.search(sentence))
    return sentences, marks


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dumps", type=Path, nargs="+", metavar="DUMP")
    cleaning = Experiment.read([CONFIGURATION]).cleaning("wo")
    for dump in parser.parse_args().dumps:
        pages = list(read_dump(dump))
        for markup in ("extractor", "clean"):
            cleaner = Cleaner(cleaning.model_copy(update={"markup": markup}), {})
            sentences, marks = marks_in(cleaner, pages)
            rates = ", ".join(f"{name} {10_000 * count / sentences:.1f}" for name, count in sorted(marks.items()))
            print(f"{dump.name}, markup: {markup}: {sentences:,} sentences; {rates or 'none'}", flush=True)


if __name__ == "__main__":
    main()
