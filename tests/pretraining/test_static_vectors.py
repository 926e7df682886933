"""Skip-gram vectors with subwords: as gensim trains them, whole again from what is written."""

import random

import numpy
import pytest
from gensim.models.fasttext import FastText
from gensim.models.keyedvectors import KeyedVectors
from tests.conftest import configuration

from specialize.errors import InputError
from specialize.files import read_json, write_json
from specialize.pretraining.static_vectors import StaticVectors, VectorSettings, train_static_vectors

PAPER = configuration()["representations"]["fasttext"]
SMALLER = {"dimension": 8, "min_count": 3, "buckets": 500, "epochs": 10, "sample": 0.0}
SETTINGS = VectorSettings(**PAPER["vectors"] | SMALLER)
TOPICS = (["lami", "noke", "tura", "simi"], ["weko", "pado", "kelu", "rebo"])
RARE = "lamike"  # shares its beginning with a frequent word


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """Sentences each of one topic."""
    folder, generator = tmp_path_factory.mktemp("text"), random.Random(1)
    lines = [" ".join(generator.choices(TOPICS[number % 2], k=8)) for number in range(300)]
    lines[7] += f" {RARE}"
    lines[20] = ""
    (folder / "train.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    write_json(folder / "statistics.json", {"train": {"articles": 1, "sentences": 299, "tokens": 2393}})
    return folder


def trained(text, folder, **changes):
    folder.mkdir()
    train_static_vectors(text, SETTINGS.model_copy(update=changes), folder)
    return folder


@pytest.fixture(scope="module")
def folder(text, tmp_path_factory):
    return trained(text, tmp_path_factory.mktemp("vectors") / "first")


def test_the_defaults_are_the_originals():
    """fastText's own, as its documentation and source give them (`skipgram -dim 100`, which is its default too)."""
    assert PAPER["vectors"] == {
        "seed": 1,
        "threads": 1,
        "dimension": 100,  # -dim
        "epochs": 5,  # -epoch
        "window": 5,  # -ws
        "min_count": 5,  # -minCount
        "negative": 5,  # -neg, with -loss ns
        "negative_exponent": 0.5,  # its table of negatives is filled by the roots of the counts
        "sample": 0.0001,  # -t
        "learning_rate": 0.05,  # -lr of skip-gram
        "shortest": 3,  # -minn
        "longest": 6,  # -maxn
        "buckets": 2_000_000,  # -bucket
    }


def test_vectors_are_gensims(text, tmp_path):
    """With so few buckets that frequent words fill them all; gensim draws what it never trains, and we leave it out."""
    model = FastText(
        sg=1, hs=0, workers=1, min_alpha=0.0, seed=1, vector_size=8, epochs=10, window=5, min_count=3, negative=5,
        ns_exponent=0.5, sample=0.0, alpha=0.05, min_n=3, max_n=6, bucket=10,
    )  # fmt: skip
    sentences = [line.split() for line in (text / "train.txt").read_text(encoding="utf-8").splitlines() if line]
    model.build_vocab(sentences)
    model.train(sentences, total_examples=len(sentences), epochs=10)
    vectors = StaticVectors(trained(text, tmp_path / "vectors", buckets=10))
    assert len(vectors.buckets) == 10
    assert sorted(model.wv.index_to_key) == sorted(word for topic in TOPICS for word in topic)
    for word in (*model.wv.index_to_key, RARE, "mi", "ქართული"):
        numpy.testing.assert_allclose(vectors.of(word), model.wv[word], rtol=1e-5, atol=1e-6)


def test_it_learns_which_words_occur_together(folder):
    words = StaticVectors(folder).words
    within = [words.similarity(topic[0], other) for topic in TOPICS for other in topic[1:]]
    across = [words.similarity(one, other) for one in TOPICS[0] for other in TOPICS[1]]
    assert min(within) > max(across)


def test_a_rare_word_is_composed_of_its_subwords(folder):
    vectors = StaticVectors(folder)
    assert not vectors.has(RARE)
    similar = {word: float(numpy.dot(vectors.of(RARE), vectors.of(word))) for topic in TOPICS for word in topic}
    assert max(similar, key=similar.get) in TOPICS[0]


def test_a_subword_that_no_frequent_word_has_counts_as_zeros(text, tmp_path):
    vectors = StaticVectors(trained(text, tmp_path / "vectors", buckets=1_000_000))
    assert not vectors.of("ქართული").any()
    assert not vectors.of("").any()
    assert vectors.of("lamiქ").any()
    assert abs(vectors.of("lamiქართული")).sum() < abs(vectors.of("lamiქ")).sum()


def test_the_words_are_in_a_format_that_others_read(folder):
    words = KeyedVectors.load_word2vec_format(str(folder / "vectors.vec"))
    assert words.vectors.shape == (8, 8)
    statistics = read_json(folder / "statistics.json")
    assert statistics["words"] == 8
    assert statistics["hyperparameters"]["window"] == 5


def test_the_same_seed_gives_the_same_bytes(text, folder, tmp_path):
    again, other = trained(text, tmp_path / "again"), trained(text, tmp_path / "other", seed=2)
    for name in ("vectors.vec", "subwords.safetensors", "statistics.json"):
        assert (folder / name).read_bytes() == (again / name).read_bytes()
    assert (folder / "vectors.vec").read_bytes() != (other / "vectors.vec").read_bytes()


def test_a_text_of_rare_words_is_refused(text, tmp_path):
    with pytest.raises(InputError, match=r"train\.txt: no word of the text occurs 10000 times.*lower min_count"):
        trained(text, tmp_path / "vectors", min_count=10_000)


def test_files_of_two_trainings_are_refused(text, folder, tmp_path):
    other = trained(text, tmp_path / "other", dimension=9)
    (other / "vectors.vec").write_bytes((folder / "vectors.vec").read_bytes())
    with pytest.raises(InputError, match=r"vectors\.vec: does not fit subwords\.safetensors"):
        StaticVectors(other)


def test_words_are_learned_in_the_normal_form(tmp_path):
    (tmp_path / "train.txt").write_text("e\u0301t a\u200dt\n\u00e9t at x\u200bat\n" * 3, encoding="utf-8")
    write_json(tmp_path / "statistics.json", {"train": {"articles": 1, "sentences": 6, "tokens": 12}})
    for form, known in (("NFC", {"ét", "at", "x"}), ("none", {"e\u0301t", "a\u200dt", "\u00e9t", "at", "x\u200bat"})):
        (tmp_path / form).mkdir()
        train_static_vectors(tmp_path, SETTINGS, tmp_path / form, normal_form=form)
        vectors = StaticVectors(tmp_path / form)
        assert set(vectors.words.key_to_index) == known
        assert (vectors.normal_form, vectors.spelled("e\u0301")) == (form, "é" if form == "NFC" else "e\u0301")
