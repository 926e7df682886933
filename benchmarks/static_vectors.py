"""Training static vectors beside gensim called directly and the original fastText: words a second, and agreement.

    python benchmarks/static_vectors.py CORPUS --peer PYTHON [--rounds 3] [--threads 1]

CORPUS is a run's folder results/corpora/{language}. PYTHON belongs to an environment with the original, for which there
are built packages up to Python 3.12 only:

    python -m venv fasttext && fasttext/bin/pip install fasttext-wheel==0.9.2 'numpy<2'

The original is left to its own defaults. All three train in processes of their own that take turns; ours also writes
its files within its time. Two sets of vectors agree as far as the ten nearest neighbours of the 500 most frequent words
are the same.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml
from gensim.models.fasttext import FastText
from gensim.models.keyedvectors import KeyedVectors

from specialize.files import read_json
from specialize.pretraining.static_vectors import VectorSettings, train_static_vectors

WAYS = ("specialize", "gensim", "fasttext", "specialize, other seed")
CONFIG = Path(__file__).parents[1] / "config" / "config.yaml"
FREQUENT, NEIGHBOURS = 500, 10
ORIGINAL = """
import json, sys, time
import fasttext
text, threads, output = sys.argv[1:]
began = time.monotonic()
model = fasttext.train_unsupervised(text, model="skipgram", thread=int(threads), verbose=0)
seconds = time.monotonic() - began
words = [word for word in model.get_words() if word != "</s>"]
with open(output, "w", encoding="utf-8") as stream:
    print(len(words), model.get_dimension(), file=stream)
    for word in words:
        print(word, *(f"{value:.5f}" for value in model.get_word_vector(word)), file=stream)
print(json.dumps(seconds))
"""


def train(way, corpus, threads, folder):
    """Train in this process; the seconds it took."""
    given = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["representations"]["fasttext"]["vectors"]
    settings = VectorSettings(**given | {"threads": threads, "seed": 2 if "other" in way else 1})
    began = time.monotonic()
    if way == "gensim":
        FastText(
            corpus_file=str(corpus / "train.txt"), sg=1, hs=0, workers=threads, min_alpha=0.0, vector_size=100,
            epochs=5, window=5, min_count=5, negative=5, ns_exponent=0.5, sample=1e-4, alpha=0.05, min_n=3, max_n=6,
            bucket=2_000_000,
        ).wv.save_word2vec_format(str(folder / "vectors.vec"))  # fmt: skip
    else:
        train_static_vectors(corpus, settings, folder)
    return time.monotonic() - began


def in_turn(way, arguments, folder):
    """Train in a process of its own; the seconds it took."""
    if way == "fasttext":
        text, vectors = str(arguments.corpus / "train.txt"), str(folder / "vectors.vec")
        command = [arguments.peer, "-c", ORIGINAL, text, str(arguments.threads), vectors]
    else:
        command = [sys.executable, __file__, str(arguments.corpus), "--threads", str(arguments.threads)]
        command += ["--way", way, "--folder", str(folder)]
    finished = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return json.loads(finished.stdout.splitlines()[-1])


def agreement(one, other):
    words = [word for word in one.index_to_key if word in other.key_to_index][:FREQUENT]
    shared = 0
    for word in words:
        near = [{found for found, _ in vectors.most_similar(word, topn=NEIGHBOURS)} for vectors in (one, other)]
        shared += len(near[0] & near[1])
    return shared / (NEIGHBOURS * len(words))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--peer")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--way", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        print(json.dumps(train(arguments.way, arguments.corpus, arguments.threads, arguments.folder)))
        return
    ways = [way for way in WAYS if way != "fasttext" or arguments.peer]
    words = 5 * read_json(arguments.corpus / "statistics.json")["train"]["tokens"]
    seconds, vectors = {way: [] for way in ways}, {}
    for _ in range(arguments.rounds):
        for way in ways:
            with tempfile.TemporaryDirectory() as folder:
                seconds[way].append(in_turn(way, arguments, Path(folder)))
                vectors[way] = KeyedVectors.load_word2vec_format(str(Path(folder) / "vectors.vec"))
    for way in ways:
        rates = [words / each for each in seconds[way]]
        ratios = [other / own for own, other in zip(seconds["specialize"], seconds[way], strict=True)]
        print(
            f"{way}: median {statistics.median(rates):,.0f} words/s, {statistics.median(seconds[way]):.1f} s; "
            f"ours {statistics.median(ratios):.2f} times as fast ({min(ratios):.2f} to {max(ratios):.2f}); "
            f"{len(vectors[way]):,} words, agreement with ours {agreement(vectors['specialize'], vectors[way]):.2f}"
        )


if __name__ == "__main__":
    main()
