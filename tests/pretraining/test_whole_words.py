"""Masks of whole words, against a naive reading of BERT's code over all kinds of vocabularies."""

import hashlib
from collections import Counter

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.pretraining.conftest import SYLLABLES, small_settings, small_tokenizer, write_corpus

from specialize.pretraining.masked_text import NO_SLICE, MaskedText, encode_lines, training_text, validation_text
from specialize.pretraining.whole_words import beginnings, drawn_words
from specialize.vocabularies import BytePieceTraining, PieceTraining, kind_named, known_kinds

WORDS = Counter({one + other: 3 + len(other) for one in SYLLABLES for other in ["", "la", "mi", "kena"]}) | {"ოო": 9}
KINDS = [kind.key for kind in known_kinds()]


def tokenizer_of(key):
    kind = kind_named(key)
    if key == "byte-level":
        return kind.learn(WORDS, BytePieceTraining(size=300, min_frequency=2))
    training = PieceTraining(size=330 if key == "bpe" else 45, min_frequency=2, limit_alphabet=50)
    return kind.learn(WORDS, training)


TOKENIZERS = {key: tokenizer_of(key) for key in KINDS}


def naive(ranks, begins, wanted):
    """The masked places of one example, word by word."""
    words = []
    for place, begin in enumerate(begins):
        if begin:
            words.append([])
        words[-1].append(place)
    words.sort(key=lambda places: ranks[places[0]])
    masked = []
    for places in words:
        if len(masked) + len(places) <= wanted:
            masked += places
    if not masked:
        masked = sorted(range(len(ranks)), key=lambda place: ranks[place])[:wanted]
    return sorted(masked)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.booleans(), min_size=1, max_size=20), min_size=1, max_size=5),
    st.integers(0, 99),
    st.integers(1, 8),
)
def test_words_are_drawn_as_in_bert_s_code(rows, seed, most):
    generator, width = numpy.random.default_rng(seed), max(map(len, rows))
    ranks = generator.random((len(rows), width))
    begins = generator.random((len(rows), width)) < 0.5  # of no meaning beyond an example's end
    for row, flags in enumerate(rows):
        ranks[row, len(flags) :] = 2
        begins[row, : len(flags)] = [True, *flags[1:]]
    wanted = numpy.array([min(most, len(flags)) for flags in rows])
    places, masked = drawn_words(ranks, begins, wanted)
    for row, flags in enumerate(rows):
        expected = naive(ranks[row, : len(flags)], begins[row, : len(flags)], wanted[row])
        assert places[row][masked[row]].tolist() == expected


@pytest.mark.parametrize("key", KINDS)
@settings(max_examples=15, deadline=None)
@given(
    lines=st.lists(st.lists(st.sampled_from(sorted(WORDS)), min_size=1, max_size=12), min_size=1, max_size=6),
    seed=st.integers(0, 99),
    pairs=st.booleans(),
)
def test_words_are_masked_whole_whatever_the_kind(key, lines, seed, pairs):
    tokenizer = TOKENIZERS[key]
    encoded = [ids for ids in encode_lines([" ".join(line) for line in lines], tokenizer) if ids]
    number_of_words = [len(line) for line in lines]
    pieces = numpy.concatenate([numpy.array(ids, dtype=numpy.int32) for ids in encoded])
    ends = numpy.cumsum([len(ids) for ids in encoded])
    starts = ends - [len(ids) for ids in encoded]
    begins = beginnings(pieces, starts, tokenizer)
    assert [int(begins[start:end].sum()) for start, end in zip(starts, ends, strict=True)] == number_of_words
    slices = [((start, end), NO_SLICE) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    if pairs:
        slices = [(one[0], other[0]) for one, other in zip(slices, [*slices[1:], slices[0]], strict=True)]
    job = small_settings(seed=seed, max_predictions=9, masked_probability=0.3, masked_unit="words")
    text = MaskedText(pieces, slices, tokenizer, job, begins=begins)
    for (one, other), places in zip(slices, text.places, strict=True):
        whole = [*range(*one), *range(*other)]
        flags = begins[whole]
        word = numpy.cumsum(flags)
        masked = sorted(place for place in places.tolist() if place >= 0)
        wanted = min(9, max(1, round(0.3 * len(whole))))
        assert 1 <= len(masked) <= wanted and len(set(masked)) == len(masked)
        left_out = set(word.tolist()) - {word[place] for place in masked}
        sizes = Counter(word.tolist())
        if min(sizes.values()) <= wanted:
            assert len(masked) == sum(sizes[number] for number in {word[place] for place in masked}), "words are whole"
            assert all(len(masked) + sizes[number] > wanted for number in left_out), "no other one would have fit"
        else:
            assert len(masked) == wanted


def text_of(folder, **changes):
    return training_text([folder / "train.txt", folder / "valid.txt"], small_tokenizer(), small_settings(**changes))


def digest(text):
    parts = (text.pieces, text.starts, text.ends, text.places, text.replacements)
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()[:16]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.mark.parametrize(
    ("examples", "known"),
    [("articles", "fdefd59ef3212c78"), ("sentence-pairs", "39942449d3a633a0"), ("lines", "5e4f87af3af7be98")],
)
def test_single_pieces_are_masked_as_they_were_before_there_were_whole_words(folder, examples, known):
    assert digest(text_of(folder, examples=examples)) == known


def test_the_masks_of_words_are_the_same_every_time_and_new_in_every_epoch_if_dynamic(folder):
    text, again = (text_of(folder, masked_unit="words", masking="dynamic") for _ in range(2))
    assert digest(text) == digest(again) != digest(text_of(folder))
    masks = []
    for one, number in ((text, 1), (text, 2), (again, 1)):
        next(one.epoch(number))
        masks.append(one.places.tolist())
    assert masks[0] == masks[2] != masks[1]


def test_each_piece_of_a_word_has_a_fate_of_its_own_and_as_many_are_masked(folder):
    text = text_of(folder, masked_unit="words", copies=40, max_predictions=30)
    chosen = text.places >= 0
    mask = small_tokenizer().get_vocab()["[MASK]"]
    assert numpy.mean(text.replacements[chosen] == mask) == pytest.approx(0.8, abs=0.03)
    lengths = (text.ends - text.starts).sum(axis=1)
    assert chosen.sum() / lengths.sum() == pytest.approx(0.15, abs=0.04)


def test_validation_keeps_masks_of_single_pieces(folder):
    texts = [
        validation_text([folder / "valid.txt"], small_tokenizer(), small_settings(masked_unit=unit))
        for unit in ("pieces", "words")
    ]
    assert digest(texts[0]) == digest(texts[1])
