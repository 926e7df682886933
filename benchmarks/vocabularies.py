"""Choosing new wordpieces on distinct words with their counts, beside segmenting the text token by token.

    python benchmarks/vocabularies.py CORPUS BASE_MODEL [--number 99] [--rounds 3]

CORPUS is a run's results/corpora/{language}/train.txt, BASE_MODEL a folder with a WordPiece tokenizer. Both ways choose
from one new vocabulary, whose learning is timed by itself, on one core.
"""

import argparse
import os
import statistics
import time
from collections import Counter
from pathlib import Path

os.environ["RAYON_NUM_THREADS"] = "1"

from specialize.corpora import read_corpus
from specialize.vocabularies import (
    UNKNOWN,
    PieceTraining,
    choose_pieces,
    count_words,
    in_order,
    learn_wordpieces,
    load_base,
)


def token_by_token(corpus, base, new, number):
    """The same choice as the paper describes it: every token is segmented where it stands."""
    known, old_names, new_names = base.get_vocab(), in_order(base), in_order(new)
    rescuing, frequent = Counter(), Counter()
    for sentences in read_corpus(corpus):
        for sentence in sentences:
            for token in sentence.split():
                old = [old_names[number] for number in base.encode(token, add_special_tokens=False).ids]
                found = [new_names[number] for number in new.encode(token, add_special_tokens=False).ids]
                rescues = old.count(UNKNOWN) > found.count(UNKNOWN)
                for piece in found:
                    if piece not in known:
                        frequent[piece] += 1
                        rescuing[piece] += rescues and piece not in old
    ranked = [piece for piece in sorted(rescuing, key=lambda piece: (-rescuing[piece], piece)) if rescuing[piece]]
    others = sorted(frequent.keys() - set(ranked), key=lambda piece: (-frequent[piece], piece))
    return [*ranked, *others][:number]


def timed(work, *arguments):
    began = time.perf_counter()
    result = work(*arguments)
    return result, time.perf_counter() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("base", type=Path)
    parser.add_argument("--number", type=int, default=99)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    base = load_base(arguments.base)
    words = count_words([arguments.corpus]).words
    new, learning = timed(learn_wordpieces, words, PieceTraining(size=5000, min_frequency=5, limit_alphabet=1000))
    print(f"{words.total():,} tokens, {len(words):,} distinct; the new vocabulary was learned in {learning:.1f} s")

    def ours():
        return choose_pieces(count_words([arguments.corpus]).words, base, new, arguments.number).pieces

    seconds = {"specialize": [], "token by token": []}
    for _ in range(arguments.rounds):
        chosen, took = timed(ours)
        seconds["specialize"].append(took)
        others, took = timed(token_by_token, arguments.corpus, base, new, arguments.number)
        seconds["token by token"].append(took)
        assert chosen == others, "the two ways choose differently"
    for way, found in seconds.items():
        print(f"{way}: median {statistics.median(found):.1f} s ({min(found):.1f} to {max(found):.1f})")
    ratios = [slow / fast for fast, slow in zip(*seconds.values(), strict=True)]
    print(f"ratio: median {statistics.median(ratios):.1f}; the {arguments.number} pieces are the same")


if __name__ == "__main__":
    main()
