"""New pieces in a base vocabulary: how many are in use, and what they do to words of other languages.

    python benchmarks/new_pieces.py BASE MIRROR LANGUAGE... [--corpora CORPORA] [--number 99] [--choose unknown]

BASE is a folder with a tokenizer.json, MIRROR has universal-dependencies/, LANGUAGE is a folder there, such as
UD_Maltese-MUDT. Its text is CORPORA/{tag}/train.txt, where a run's results/corpora has it, and held out is test.txt
there; else its treebank's training part, or the development part where there is none, and its test part. Asked are
three other languages' test parts; one or two more, which nobody asked, are measured too. One line a language, as a row
of a table.
"""

import argparse
import time
from pathlib import Path

from specialize.vocabularies import PieceChoice, count_labeled_words, count_words, coverage, kind_of, load_base
from specialize.vocabularies.side_effects import pieces_in_use, resegmented

OTHERS = ("UD_Irish-IDT", "UD_Vietnamese-VTB", "UD_Bulgarian-BTB", "UD_Wolof-WTB", "UD_Belarusian-HSE")
ASKED = 3


def treebank(mirror, name, *parts):
    """Words of the first of some parts of a treebank that is there."""
    folder = mirror / "universal-dependencies" / name
    found = [path for part in parts for path in sorted(folder.rglob(f"*-{part}.conllu"))]
    return found[0].name.split("_")[0], count_labeled_words(found[:1])["treebank"].words


def text(arguments, name):
    tag, held_out = treebank(arguments.mirror, name, "test")
    folder = arguments.corpora / tag if arguments.corpora else None
    if folder and (folder / "train.txt").is_file():
        return "Wikipedia", *(count_words([folder / f"{part}.txt"]).words for part in ("train", "test"))
    return "treebank", treebank(arguments.mirror, name, "train", "dev")[1], held_out


def row(arguments, base, name):
    source, words, held_out = text(arguments, name)
    others = {other: treebank(arguments.mirror, other, "test")[1] for other in OTHERS if other != name}
    asked = dict(list(others.items())[:ASKED])
    choice = PieceChoice(
        size=5000, min_frequency=5, limit_alphabet=1000, choose=arguments.choose,
        other_languages=sorted(asked), most_resegmented=0.005,
    )  # fmt: skip
    began = time.process_time()
    grown, pieces, *_ = kind_of(base).grow(base, words, arguments.number, choice, asked)
    seconds = time.process_time() - began
    before, after = coverage(base, held_out), coverage(grown, held_out)
    changed = {other: max(resegmented(base, grown, its_words)) for other, its_words in others.items()}
    worst, unasked = (max(changed[other] for other in some) for some in (asked, changed.keys() - asked.keys()))
    cells = [
        name.removeprefix("UD_"),
        f"{source}, {words.total():,}",
        f"{pieces_in_use(grown, pieces, held_out)} of {len(pieces)}",
        f"{100 * worst:.2f} %",
        f"{100 * unasked:.2f} %",
        f"{before.wordpieces_per_token:.2f} → {after.wordpieces_per_token:.2f}",
        f"{100 * before.unknown_token_rate:.2f} → {100 * after.unknown_token_rate:.2f} %",
        f"{seconds:.0f} s",
    ]
    return f"| {' | '.join(cells)} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path)
    parser.add_argument("mirror", type=Path)
    parser.add_argument("languages", nargs="+")
    parser.add_argument("--corpora", type=Path)
    parser.add_argument("--number", type=int, default=99)
    parser.add_argument("--choose", choices=["unknown", "compression", "both"], default="unknown")
    arguments = parser.parse_args()
    base = load_base(arguments.base)
    for name in arguments.languages:
        print(row(arguments, base, name), flush=True)


if __name__ == "__main__":
    main()
