"""Static word vectors with subwords: fastText's skip-gram model on one language's text (fact 21)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy
from gensim.models.fasttext import FastText, ft_ngram_hashes
from gensim.models.keyedvectors import KeyedVectors
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from tqdm import tqdm

from specialize.errors import InputError
from specialize.files import atomic_path, read_json, write_json
from specialize.pretraining.settings import VectorSettings
from specialize.vocabularies import NO_FORM, Form, spelled

VECTORS, SUBWORDS, DESCRIPTION = "vectors.vec", "subwords.safetensors", "statistics.json"
FILES = (VECTORS, SUBWORDS, DESCRIPTION)


class _Sentences:
    """The lines of a text as words, with a progress bar for each pass; the first pass counts them."""

    def __init__(self, path: Path, number: int, normal_form: Form) -> None:
        self.path, self.number, self.normal_form, self.passes = path, number, normal_form, 0

    def __iter__(self) -> Iterator[list[str]]:
        title = f"epoch {self.passes}" if self.passes else "vocabulary"
        self.passes += 1
        with self.path.open(encoding="utf-8", newline="\n") as stream:
            sentences = filter(None, (spelled(line, self.normal_form).split() for line in stream))
            yield from tqdm(sentences, title, self.number, unit="sentence", mininterval=5)


def train_static_vectors(corpus: Path, settings: VectorSettings, folder: Path, normal_form: Form = "NFC") -> None:
    """Train on a language's training text and write vectors.vec, subwords.safetensors and statistics.json.

    vectors.vec has the vector of each frequent word, as text that fastText and gensim read. Of the hashed subwords only
    those that occur in such a word are written; nothing was learned of the others.

    Args:
        corpus: the language's corpus folder.
        settings: hyperparameters.
        folder: an existing folder; each file appears atomically.
        normal_form: that words are learned and looked up in; see `vocabularies.spelled`.

    Raises:
        InputError: if no word is frequent enough.
    """
    started = time.monotonic()
    text, counts = corpus / "train.txt", read_json(corpus / "statistics.json")["train"]
    model = untrained(settings)
    sentences = _Sentences(text, counts["sentences"], normal_form)
    model.build_vocab(sentences)
    if not model.wv.index_to_key:
        problem = f"no word of the text occurs {settings.min_count} times"
        raise InputError(text, problem, remedy="give more text, or lower min_count in the representation's vectors")
    model.train(sentences, total_examples=model.corpus_count, epochs=model.epochs)
    seconds = time.monotonic() - started
    words = model.wv.index_to_key
    known = numpy.unique(numpy.concatenate([_buckets(word, settings) for word in words])).astype(numpy.int64)
    with atomic_path(folder / VECTORS) as temporary:
        model.wv.save_word2vec_format(str(temporary))
    with atomic_path(folder / SUBWORDS) as temporary:
        save_file({"buckets": known, "vectors": model.wv.vectors_ngrams[known]}, temporary)
    trained = {"words": len(words), "subwords": len(known)}
    description = {"text": counts, **trained, "normal_form": normal_form, "hyperparameters": settings.as_dict()}
    write_json(folder / DESCRIPTION, description)
    print(f"{seconds:.0f} s of training, {settings.epochs * counts['tokens'] / seconds:,.0f} words/s")


def untrained(settings: VectorSettings, skip_gram: bool = True) -> FastText:
    """FastText's model before it has seen a text: its skip-gram one, or else its continuous bag of words."""
    return FastText(
        sg=int(skip_gram),
        hs=0,
        seed=settings.seed,
        workers=settings.threads,
        vector_size=settings.dimension,
        epochs=settings.epochs,
        window=settings.window,
        min_count=settings.min_count,
        negative=settings.negative,
        ns_exponent=settings.negative_exponent,
        sample=settings.sample,
        alpha=settings.learning_rate,
        min_alpha=0.0,
        min_n=settings.shortest,
        max_n=settings.longest,
        bucket=settings.buckets,
    )


def _buckets(word: str, settings: VectorSettings) -> NDArray[numpy.int64]:
    hashes = ft_ngram_hashes(word, settings.shortest, settings.longest, settings.buckets)
    return numpy.asarray(hashes, dtype=numpy.int64)


class StaticVectors:
    """What `train_static_vectors` wrote: a vector for any word.

    Args:
        folder: that has it.

    Raises:
        InputError: if the files do not fit each other.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        description = read_json(folder / DESCRIPTION)
        self.settings = VectorSettings(**description["hyperparameters"])
        self.normal_form = description.get("normal_form", NO_FORM)
        self.words = KeyedVectors.load_word2vec_format(str(folder / VECTORS))
        subwords = load_file(folder / SUBWORDS)
        self.buckets, self.subwords = subwords["buckets"], subwords["vectors"]
        if {self.words.vector_size, self.subwords.shape[1]} != {self.settings.dimension}:
            raise InputError(folder / VECTORS, f"does not fit {SUBWORDS} and {DESCRIPTION}", remedy="train it again")

    def spelled(self, word: str) -> str:
        """A word as the vectors know it."""
        return spelled(word, self.normal_form)

    def has(self, word: str) -> bool:
        """Whether a word, as `spelled` gives it, has a vector of its own."""
        return word in self.words.key_to_index

    def of(self, word: str) -> NDArray[numpy.float32]:
        """The vector of a word; the mean of its subwords' if it has none of its own, zeros if it has no subwords.

        A subword that no frequent word has counts as zeros.
        """
        if self.has(word):
            own: NDArray[numpy.float32] = self.words[word]
            return own
        buckets = _buckets(word, self.settings)
        if not len(buckets):
            return numpy.zeros(self.settings.dimension, dtype=numpy.float32)
        places = numpy.searchsorted(self.buckets, buckets)
        places[places == len(self.buckets)] = 0
        found = places[self.buckets[places] == buckets]
        mean: NDArray[numpy.float32] = self.subwords[found].sum(0, dtype=numpy.float32) / numpy.float32(len(buckets))
        return mean

    def mean(self) -> NDArray[numpy.float32]:
        """The mean of all words' vectors."""
        mean: NDArray[numpy.float32] = self.words.vectors.mean(0)
        return mean
