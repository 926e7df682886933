"""From words to vectors: pieces, segments, the mix of layers, the mean over a word's pieces."""

from itertools import pairwise

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.finetuning.conftest import LETTERS, LONGEST, write_monolingual_encoder
from transformers import AutoTokenizer, RobertaModel

from specialize.finetuning.encoder import ScalarMix, WordEncoder, WordPieces
from specialize.finetuning.layout import EncodedSentences

NO_PIECES = "\u200d"  # a joiner by itself: the tokenizer cleans it away
words = st.text(alphabet=LETTERS + "é", min_size=1, max_size=9) | st.just(NO_PIECES)


@pytest.fixture(scope="module")
def pieces(encoder_folder):
    return WordPieces(encoder_folder)


@pytest.fixture(scope="module")
def encoder(encoder_folder):
    encoder = WordEncoder(encoder_folder, layer_dropout=0.1, dropout_when_evaluating=False)
    with torch.no_grad():
        encoder.added.weights.copy_(torch.tensor([0.3, -0.4]))
        encoder.added.gamma.fill_(1.7)
    return encoder.eval()


def vectors_of(encoder, pieces, sentences):
    """Each sentence's word vectors out of one batch."""
    batch = pieces.collate(EncodedSentences.of([pieces.encode(sentence) for sentence in sentences]), encoder.longest)
    with torch.no_grad():
        vectors = encoder(batch)
    assert batch.layout.mask.sum(1).tolist() == [len(sentence) for sentence in sentences]
    assert vectors[~batch.layout.mask].abs().sum() == 0
    return [row[: len(sentence)] for row, sentence in zip(vectors, sentences, strict=True)]


def vectors_slowly(encoder, pieces, sentence):
    """One forward pass a segment, one word after another."""
    flat = [piece for word in pieces.encode(sentence) for piece in word]
    states = []
    for first in range(0, len(flat), LONGEST - 2):
        ids = torch.tensor([[pieces.special["start"], *flat[first : first + LONGEST - 2], pieces.special["end"]]])
        with torch.no_grad():
            hidden = encoder.pretrained(input_ids=ids, output_hidden_states=True).hidden_states
        weights = torch.softmax(torch.tensor([0.3, -0.4]), 0).tolist()
        states += list(1.7 * (weights[0] * hidden[1] + weights[1] * hidden[2])[0, 1:-1])
    result, place = [], 0
    for word in pieces.encode(sentence):
        own = states[place : place + len(word)]
        result.append(torch.stack(own).mean(0) if own else torch.zeros(encoder.width))
        place += len(word)
    return torch.stack(result)


@pytest.mark.parametrize("leading_space", [True, False])
def test_words_of_a_roberta_are_those_of_the_whole_sentence(tmp_path, data, leading_space):
    """With the space before each word, pieces and vectors are those that the model was trained on."""
    folder = write_monolingual_encoder(tmp_path / "encoder", data)
    pieces = WordPieces(folder, leading_space)
    encoder = WordEncoder(folder, layer_dropout=0.0, dropout_when_evaluating=False).eval()
    assert encoder.longest == LONGEST
    words = ["mat", "abide", "."]
    sentence = AutoTokenizer.from_pretrained(folder)(" ".join(words), return_tensors="pt").input_ids
    flat = [piece for word in pieces.encode(words) for piece in word]
    assert (sentence[0, 1:-1].tolist() == flat) == leading_space
    short, _ = vectors_of(encoder, pieces, [words, [*words, *words]])
    torch.testing.assert_close(short, vectors_of(encoder, pieces, [words])[0], rtol=1e-4, atol=1e-5)
    if leading_space:
        with torch.no_grad():
            hidden = RobertaModel.from_pretrained(folder).eval()(sentence, output_hidden_states=True)
        mixed = torch.stack(hidden.hidden_states[1:]).mean(0)[0, 1:-1]
        ends = numpy.cumsum([len(word) for word in pieces.encode(words)])
        expected = torch.stack([part.mean(0) for part in mixed.tensor_split(ends[:-1].tolist())])
        torch.testing.assert_close(short, expected, rtol=1e-4, atol=1e-5)


# -- pieces ------------------------------------------------------------------------------------------------


def test_each_word_is_segmented_on_its_own(pieces):
    vocabulary = pieces.tokenizer.get_vocab()
    encoded = pieces.encode(["mat", "éa", NO_PIECES, "a.b"])
    names = {number: piece for piece, number in vocabulary.items()}
    assert [[names[piece] for piece in word] for word in encoded] == [
        ["m", "##a", "##t"],
        ["[UNK]"],
        [],
        ["a", ".", "b"],
    ]


def test_a_word_has_the_same_pieces_every_time_it_comes(pieces):
    alone = [pieces.encode([word])[0] for word in ("kul", "mat", "kul")]
    assert pieces.encode(["kul", "mat", "kul"]) == alone


def test_words_that_one_job_has_segmented_are_taken_by_the_next(pieces, encoder_folder, tmp_path, monkeypatch):
    words = ["mat", "tam", "matmat", "mat", "ქარი", ""]
    expected = pieces.encode(words)
    first = WordPieces(encoder_folder)
    first.share(words, tmp_path)
    (path,) = tmp_path.glob("*.safetensors")
    assert first.encode(words) == expected
    second = WordPieces(encoder_folder)
    monkeypatch.setattr(second, "tokenizer", None)  # so that it can only remember
    second.share(reversed(words), tmp_path)
    assert second.encode(words) == expected
    WordPieces(encoder_folder, leading_space=False).share(words, tmp_path)
    WordPieces(encoder_folder).share([*words, "mama"], tmp_path)
    assert len(list(tmp_path.glob("*.safetensors"))) == 3, "another segmentation, and other words"
    assert path.is_file()


@settings(max_examples=30, deadline=None)
@given(sentences=st.lists(st.lists(words, min_size=1, max_size=8), min_size=1, max_size=4))
def test_a_batch_has_every_piece_in_order_within_segments_of_bounded_length(pieces, sentences):
    encoded = [pieces.encode(sentence) for sentence in sentences]
    batch = pieces.collate(EncodedSentences.of(encoded), longest=7)
    assert batch.ids.shape[1] <= 7
    flat = [piece for sentence in encoded for word in sentence for piece in word]
    assert batch.ids.flatten()[batch.pieces].tolist() == flat
    bounds = [*batch.offsets.tolist(), len(flat)]
    assert [end - start for start, end in pairwise(bounds)] == [len(word) for sentence in encoded for word in sentence]
    segments = [row[:length].tolist() for row, length in zip(batch.ids, batch.attention.sum(1), strict=True)]
    assert all((segment[0], segment[-1]) == (pieces.special["start"], pieces.special["end"]) for segment in segments)
    assert [piece for segment in segments for piece in segment[1:-1]] == flat
    assert len(segments) == sum(max(1, -(-sum(map(len, sentence)) // 5)) for sentence in encoded)
    assert batch.ids[batch.attention == 0].sum() == 0


def collated_slowly(pieces, sentences, longest):
    """A batch's ids, attention, pieces and offsets, one piece after another."""
    segments, homes = [], []
    for sentence in sentences:
        segments.append([])
        for word in sentence:
            home = []
            for piece in word:
                if len(segments[-1]) == longest - 2:
                    segments.append([])
                segments[-1].append(piece)
                home.append((len(segments) - 1, len(segments[-1])))
            homes.append(home)
    width = max(map(len, segments)) + 2
    padding = [width - 2 - len(segment) for segment in segments]
    ids = [
        [pieces.special["start"], *segment, pieces.special["end"], *[pieces.special["pad"]] * missing]
        for segment, missing in zip(segments, padding, strict=True)
    ]
    attention = [[True] * (width - missing) + [False] * missing for missing in padding]
    flat = [row * width + column for home in homes for row, column in home]
    offsets = [sum(map(len, homes[:word])) for word in range(len(homes))]
    return ids, attention, flat, offsets


word_pieces = st.lists(st.integers(10, 20), max_size=9)  # a word may have none, or more than a segment holds
some_sentences = st.lists(st.lists(word_pieces, min_size=1, max_size=6), min_size=1, max_size=8)


@settings(max_examples=40, deadline=None)
@given(sentences=some_sentences, longest=st.integers(3, 12), data=st.data())
def test_a_batch_is_the_one_made_piece_by_piece(pieces, sentences, longest, data):
    chosen = data.draw(st.lists(st.integers(0, len(sentences) - 1), min_size=1, max_size=6))
    batch = pieces.collate(EncodedSentences.of(sentences).chosen(numpy.asarray(chosen)), longest)
    sentences = [sentences[index] for index in chosen]
    ids, attention, flat, offsets = collated_slowly(pieces, sentences, longest)
    assert (batch.ids.tolist(), batch.attention.tolist()) == (ids, attention)
    assert (batch.pieces.tolist(), batch.offsets.tolist()) == (flat, offsets)
    assert batch.padded == any(False in row for row in attention)
    lengths = [len(sentence) for sentence in sentences]
    assert batch.layout.lengths == tuple(lengths)
    assert batch.layout.mask.tolist() == [[place < length for place in range(max(lengths))] for length in lengths]
    assert batch.layout.places.tolist() == batch.layout.mask.flatten().nonzero().flatten().tolist()
    assert [lengths[index] for index in batch.layout.order] == sorted(lengths, reverse=True)
    assert batch.layout.order[batch.layout.back].tolist() == list(range(len(lengths)))


# -- vectors -----------------------------------------------------------------------------------------------


def test_a_word_s_vector_is_the_mean_of_its_pieces_in_the_mixed_layers(encoder, pieces):
    sentence = ["mat", "abide", "o", "."]
    found = vectors_of(encoder, pieces, [sentence])[0]
    torch.testing.assert_close(found, vectors_slowly(encoder, pieces, sentence), rtol=1e-5, atol=1e-5)
    assert (found[0] - found[1]).abs().max() > 0.01


def test_a_word_without_pieces_is_a_zero_vector(encoder, pieces):
    found = vectors_of(encoder, pieces, [[NO_PIECES, "mat", NO_PIECES, NO_PIECES, "gon", NO_PIECES]])[0]
    assert (found.abs().sum(1) > 0).tolist() == [False, True, False, False, True, False]
    torch.testing.assert_close(found[[1, 4]], vectors_of(encoder, pieces, [["mat", "gon"]])[0], rtol=1e-5, atol=1e-5)


def test_a_long_sentence_is_folded_into_independent_segments(encoder, pieces):
    word = "abdegiklmno"  # two of them fill a segment
    assert 2 * len(word) == LONGEST - 2
    long = vectors_of(encoder, pieces, [[word, word, "mat", "gon"]])[0]
    parts = vectors_of(encoder, pieces, [[word, word], ["mat", "gon"]])
    torch.testing.assert_close(long, torch.cat(parts), rtol=1e-5, atol=1e-5)


def test_a_word_across_two_segments_is_the_mean_over_both(encoder, pieces):
    sentence = ["abdegiklmno", "kul", "abdegiklmnor", "mat"]
    found = vectors_of(encoder, pieces, [sentence])[0]
    torch.testing.assert_close(found, vectors_slowly(encoder, pieces, sentence), rtol=1e-5, atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(sentences=st.lists(st.lists(words, min_size=1, max_size=10), min_size=1, max_size=5))
def test_padding_and_neighbours_in_a_batch_change_no_vector(encoder, pieces, sentences):
    for sentence, found in zip(sentences, vectors_of(encoder, pieces, sentences), strict=True):
        torch.testing.assert_close(found, vectors_slowly(encoder, pieces, sentence), rtol=1e-4, atol=1e-5)


def test_a_frozen_encoder_gives_no_gradients_but_its_mix_does(encoder_folder, pieces):
    encoder = WordEncoder(encoder_folder, layer_dropout=0.0, dropout_when_evaluating=False)
    batch = pieces.collate(EncodedSentences.of([pieces.encode(["mat", "gon"])]), encoder.longest)
    encoder.frozen = True
    encoder(batch)[0, 0, 0].backward()
    assert all(parameter.grad is None for parameter in encoder.pretrained.parameters())
    assert encoder.added.weights.grad.abs().sum() > 0
    encoder.frozen = False
    encoder(batch)[0, 0, 0].backward()
    assert encoder.pretrained.embeddings.word_embeddings.weight.grad.abs().sum() > 0


# -- the mix -----------------------------------------------------------------------------------------------

LAYERS = (torch.tensor([1.0, 2.0]), torch.tensor([3.0, 6.0]), torch.tensor([8.0, 1.0]))


def test_the_mix_starts_as_the_mean():
    torch.testing.assert_close(ScalarMix(3, 0.0, False)(LAYERS), torch.tensor([4.0, 3.0]))


def test_the_mix_is_a_softmax_times_gamma():
    mix = ScalarMix(3, 0.0, False)
    with torch.no_grad():
        mix.weights.copy_(torch.tensor([1.0, 2.0, 5.0]).log())  # shares 1/8, 2/8, 5/8
        mix.gamma.fill_(2.0)
    torch.testing.assert_close(mix(LAYERS), torch.tensor([2 * 47 / 8, 2 * 19 / 8]))


def mixes(mix):
    torch.manual_seed(3)
    return [tuple(round(number, 4) for number in mix(LAYERS).tolist()) for _ in range(200)]


def test_in_training_layers_drop_out_and_the_others_share_their_weight():
    means = {(4.0, 3.0), (2.0, 4.0), (4.5, 1.5), (5.5, 3.5), *((float(one), float(two)) for one, two in LAYERS)}
    found = mixes(ScalarMix(3, 0.5, False).train())
    assert set(found) == means, "every subset of the layers, and nothing else (none left is all of them)"


@pytest.mark.parametrize(
    ("dropout", "training", "when_evaluating", "varies"),
    [
        (0.5, True, False, True),
        (0.5, False, False, False),
        (0.5, False, True, True),
        (0.5, True, True, True),
        (0.0, True, True, False),
    ],
)
def test_layers_drop_out_in_training_only_unless_asked(dropout, training, when_evaluating, varies):
    found = mixes(ScalarMix(3, dropout, when_evaluating).train(training))
    assert (len(set(found)) > 1) == varies
    assert varies or set(found) == {(4.0, 3.0)}


def test_about_so_many_layers_drop_out_as_told():
    found = mixes(ScalarMix(3, 0.1, False).train())
    assert 0.6 < found.count((4.0, 3.0)) / len(found) < 0.85  # 0.9³ = 0.73
