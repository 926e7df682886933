"""Text as masked examples: what is masked, how often, and that nothing of the text is lost or mixed."""

from collections import Counter

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.pretraining.conftest import small_settings, small_tokenizer, write_text

from specialize.corpora import read_corpus
from specialize.errors import SpecializeError
from specialize.pretraining.masked_text import NO_SLICE, MaskedText, encode_lines, training_text, validation_text

TOKENIZER = small_tokenizer()
VOCABULARY = TOKENIZER.get_vocab()
CLS, SEP, MASK = (VOCABULARY[token] for token in ("[CLS]", "[SEP]", "[MASK]"))
LOWEST_LETTER = VOCABULARY["a"]


def masked(lengths, seed=1, **changes):
    """Examples of these lengths, of random letters."""
    ends = numpy.cumsum(lengths)
    pieces = numpy.random.default_rng(5).integers(LOWEST_LETTER, len(VOCABULARY), ends[-1]).astype(numpy.int32)
    slices = [((end - length, end), NO_SLICE) for length, end in zip(lengths, ends, strict=True)]
    return MaskedText(pieces, slices, TOKENIZER, small_settings(seed=seed, **changes))


def lists(batch):
    """A batch as {place: (what stands there, what stood there)} of each example, and the examples' lengths."""
    width = batch.ids.shape[1]
    rows = [{} for _ in batch.ids]
    for place, target in zip(batch.places.tolist(), batch.targets.tolist(), strict=True):
        row, column = divmod(place, width)
        assert column not in rows[row], "a place is masked twice"
        rows[row][column] = (int(batch.ids[row, column]), target)
    return rows, batch.attention.sum(1).tolist()


def unmasked(batch):
    """The original pieces of each example."""
    ids = batch.ids.clone()
    ids.view(-1)[batch.places] = batch.targets
    return [row[:length].tolist() for row, length in zip(ids, batch.attention.sum(1).tolist(), strict=True)]


def same(one, other):
    return all(
        torch.equal(getattr(one, name), getattr(other, name)) for name in ("ids", "attention", "places", "targets")
    )


def all_pieces(path):
    """The pieces of each article."""
    return encode_lines([" ".join(sentences) for sentences in read_corpus(path)], TOKENIZER)


# -- masks -------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 62), min_size=1, max_size=12),
    probability=st.sampled_from([0.05, 0.15, 0.5]),
    most=st.integers(1, 25),
    seed=st.integers(0, 99),
)
def test_each_example_has_its_share_of_masks_between_one_and_the_limit(lengths, probability, most, seed):
    text = masked(lengths, seed, masked_probability=probability, max_predictions=most, batch_size=5)
    numbers = [len(row) for batch in text.in_order() for row in lists(batch)[0]]
    assert numbers == [min(most, max(1, round(length * probability))) for length in lengths]


@settings(max_examples=40, deadline=None)
@given(lengths=st.lists(st.integers(1, 62), min_size=1, max_size=12), seed=st.integers(0, 99))
def test_special_tokens_and_padding_are_never_masked_and_the_text_can_be_restored(lengths, seed):
    text = masked(lengths, seed, batch_size=5)
    examples = 0
    for batch in text.in_order():
        rows, totals = lists(batch)
        for row, places, total in zip(unmasked(batch), rows, totals, strict=True):
            assert all(1 <= place <= total - 2 for place in places)
            assert (row[0], row[-1], len(row)) == (CLS, SEP, lengths[examples] + 2)
            assert row[1:-1] == text.pieces[text.starts[examples, 0] : text.ends[examples, 0]].tolist()
            examples += 1
        assert batch.ids[batch.attention == 0].sum() == 0
        assert batch.ids.shape[1] == max(totals)
    assert examples == len(lengths)


def test_about_15_percent_are_masked_80_10_10():
    text = masked([62] * 2000, batch_size=500)
    fates, others, total = Counter(), Counter(), 0
    for batch in text.in_order():
        rows, lengths = lists(batch)
        total += sum(lengths) - 2 * len(lengths)
        for place in (place for row in rows for place in row.items()):
            now, before = place[1]
            fates["mask" if now == MASK else "same" if now == before else "other"] += 1
            others[now] += now not in (MASK, before)
    predictions = fates.total()
    assert predictions / total == pytest.approx(0.15, abs=0.01)
    # A random piece is the mask or the piece itself once in 42 times each.
    assert fates["mask"] / predictions == pytest.approx(0.8, abs=0.02)
    assert fates["other"] / predictions == pytest.approx(0.1, abs=0.015)
    assert fates["same"] / predictions == pytest.approx(0.1, abs=0.015)
    assert set(others) == set(range(len(VOCABULARY))) - {MASK} | ({MASK} & set(others)), "from the full vocabulary"


def test_every_place_is_as_likely_to_be_masked():
    columns = Counter()
    for batch in masked([20] * 3000, batch_size=500).in_order():
        columns.update(place for row in lists(batch)[0] for place in row)
    assert set(columns) == set(range(1, 21))
    assert max(columns.values()) < 1.3 * min(columns.values())


def test_the_masks_of_an_example_are_the_same_in_every_epoch():
    text = masked([10, 11, 12, 13, 14, 15, 16], batch_size=3)

    def by_text(number):
        return {
            tuple(original): sorted(row.items())
            for batch in map(text.tensors, text.epoch(number))
            for original, row in zip(unmasked(batch), lists(batch)[0], strict=True)
        }

    assert len(by_text(1)) == 7
    assert by_text(1) == by_text(2) == by_text(9)


def test_the_masks_depend_on_the_seed():
    batches = [next(masked([30] * 4, seed).in_order()) for seed in (1, 1, 2)]
    assert same(batches[0], batches[1])
    assert not same(batches[0], batches[2])


# -- examples ----------------------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 99),
    length=st.integers(5, 40),
    copies=st.integers(1, 4),
    short=st.sampled_from([0.0, 0.1, 1.0]),
)
def test_each_copy_covers_each_article_with_contiguous_pieces(tmp_path_factory, seed, length, copies, short):
    path = write_text(tmp_path_factory.mktemp("text") / "train.txt", 5, seed)
    text = training_text(
        [path],
        TOKENIZER,
        small_settings(seed=seed, sequence_length=length, copies=copies, short_sequence_probability=short),
    )
    assert max((text.ends - text.starts)[:, 0]) <= length - 2
    assert min((text.ends - text.starts)[:, 0]) >= 1
    examples = iter(zip(text.starts[:, 0], text.ends[:, 0], strict=True))
    for article in all_pieces(path):
        for _ in range(copies):
            covered = []
            while len(covered) < len(article):
                start, end = next(examples)
                covered += text.pieces[start:end].tolist()
            assert covered == article, "an example crosses the article's end, or leaves something out"
    assert next(examples, None) is None


def test_without_short_examples_only_an_article_s_end_is_shorter(corpus):
    path = corpus / "train.txt"
    text = training_text([path], TOKENIZER, small_settings(short_sequence_probability=0.0, copies=1))
    expected = [
        length for article in all_pieces(path) for length in [30] * (len(article) // 30) + [len(article) % 30] if length
    ]
    assert (text.ends - text.starts)[:, 0].tolist() == expected


def test_copies_of_one_text_have_different_masks(tmp_path):
    path = tmp_path / "train.txt"
    path.write_text("abide mine\nkorea stun\n", encoding="utf-8")
    text = training_text([path], TOKENIZER, small_settings(copies=5, short_sequence_probability=0.0))
    rows = lists(next(text.in_order()))[0]
    assert len(rows) == 5
    assert len({tuple(sorted(row)) for row in rows}) > 1


def test_several_files_are_one_text(corpus):
    both = training_text([corpus / "train.txt", corpus / "valid.txt"], TOKENIZER, small_settings())
    expected = [*all_pieces(corpus / "train.txt"), *all_pieces(corpus / "valid.txt")]
    assert both.pieces.tolist() == [piece for article in expected for piece in article]


def test_a_text_without_any_piece_is_one_clear_error(tmp_path):
    path = tmp_path / "train.txt"
    path.write_text("\n\n", encoding="utf-8")
    with pytest.raises(SpecializeError, match="no wordpieces"):
        training_text([path], TOKENIZER, small_settings())


# -- sentence pairs, lines, masks of each epoch ------------------------------------------------------------


def pairs(path, **changes):
    """Each example of sentence pairs as (first, second, whether the second follows the first in the text)."""
    text = training_text([path], TOKENIZER, small_settings(examples="sentence-pairs", **changes))
    found = []
    for (start, second), (end, last) in zip(text.starts.tolist(), text.ends.tolist(), strict=True):
        found.append(((start, end), (second, last), second >= end and second - end < 30))
    return text, found


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 99), length=st.integers(8, 40), short=st.sampled_from([0.0, 0.1, 1.0]))
def test_sentence_pairs_have_two_segments_that_fit(tmp_path_factory, seed, length, short):
    path = write_text(tmp_path_factory.mktemp("text") / "train.txt", 5, seed)
    text, found = pairs(path, seed=seed, sequence_length=length, short_sequence_probability=short)
    longest = max(end - start + last - second for (start, end), (second, last), _ in found)
    assert min(min(end - start, last - second) for (start, end), (second, last), _ in found) >= 1
    assert longest <= length - 3
    for batch in text.in_order():
        assert batch.ids.shape[1] <= length
        for ids, attention, segments in zip(unmasked(batch), batch.attention, batch.segments, strict=True):
            separators = [place for place, piece in enumerate(ids) if piece == SEP]
            assert (ids[0], len(separators), separators[1]) == (CLS, 2, len(ids) - 1)
            expected = [0] * (separators[0] + 1) + [1] * (len(ids) - separators[0] - 1)
            assert segments[: len(ids)].tolist() == expected
            assert segments[attention == 0].sum() == 0


def test_half_of_the_second_segments_are_from_another_article(tmp_path):
    path = write_text(tmp_path / "train.txt", 300, 1)
    articles = [len(pieces) for pieces in all_pieces(path)]
    ends = numpy.cumsum(articles)
    _, found = pairs(path, short_sequence_probability=0.0, copies=2, sequence_length=60)
    same_article = [
        numpy.searchsorted(ends, start, "right") == numpy.searchsorted(ends, second, "right")
        for (start, _), (second, _), _ in found
    ]
    # A chunk of one sentence has nothing to be followed by, so that its second segment is always from elsewhere.
    assert 0.35 < numpy.mean(same_article) < 0.5
    assert all(follows for (_, _, follows), same in zip(found, same_article, strict=True) if same)


def test_a_text_of_one_article_has_pairs_too(tmp_path):
    path = tmp_path / "train.txt"
    path.write_text("abide mine\nkorea stun\nmate\n", encoding="utf-8")
    text, found = pairs(path, copies=3)
    assert len(text) == len(found) >= 3


def test_masks_of_sentence_pairs_spare_the_separators():
    slices = [((0, 20), (20, 45)), ((5, 9), (1, 2))]
    pieces = numpy.arange(45, dtype=numpy.int32) % 20 + LOWEST_LETTER
    text = MaskedText(pieces, slices, TOKENIZER, small_settings(masked_probability=0.9, max_predictions=60))
    batch = next(text.in_order())
    whole = [[CLS, *pieces[:20], SEP, *pieces[20:45], SEP], [CLS, *pieces[5:9], SEP, pieces[1], SEP]]
    assert unmasked(batch) == [[int(piece) for piece in row] for row in whole]
    for places, row in zip(lists(batch)[0], whole, strict=True):
        assert all(row[place] not in (CLS, SEP) for place in places)


def test_lines_are_examples_of_their_own(corpus):
    path = corpus / "train.txt"
    lines = [sentence for sentences in read_corpus(path) for sentence in sentences]
    text = training_text([path], TOKENIZER, small_settings(examples="lines", sequence_length=12, copies=2))
    found = [row[1:-1] for batch in text.in_order() for row in unmasked(batch)]
    assert found == [ids[:10] for ids in encode_lines(lines, TOKENIZER) for _ in range(2)]


def test_dynamic_masks_are_new_in_every_epoch_and_the_same_when_an_epoch_is_repeated(corpus):
    text = training_text([corpus / "train.txt"], TOKENIZER, small_settings(masking="dynamic"))
    first, second, again = (
        {
            (tuple(original), tuple(sorted(row.items())))
            for batch in map(text.tensors, text.epoch(number))
            for original, row in zip(unmasked(batch), lists(batch)[0], strict=True)
        }
        for number in (1, 2, 1)
    )
    assert first == again != second
    assert {original for original, _ in first} == {original for original, _ in second}


# -- batches -----------------------------------------------------------------------------------------------


def test_an_epoch_has_every_example_once_in_an_order_of_its_own(corpus):
    text = training_text([corpus / "train.txt"], TOKENIZER, small_settings())
    batches = [map(text.tensors, text.epoch(number)) for number in (1, 2)]
    epochs = [[tuple(row) for batch in one for row in unmasked(batch)] for one in batches]
    whole = [tuple(row) for batch in text.in_order() for row in unmasked(batch)]
    assert len(whole) == len(text.starts)
    assert Counter(epochs[0]) == Counter(epochs[1]) == Counter(whole)
    assert epochs[0] != epochs[1] != whole


def test_batches_are_the_same_every_time(corpus):
    first, second, other = (
        list(map(text.tensors, text.epoch(3)))
        for text in (training_text([corpus / "train.txt"], TOKENIZER, small_settings(seed=seed)) for seed in (7, 7, 8))
    )
    assert len(first) == len(second) > 1
    assert all(same(one, two) for one, two in zip(first, second, strict=True))
    assert not all(same(one, two) for one, two in zip(first, other, strict=False))


@pytest.mark.parametrize(("limit", "steps"), [(None, 4), (2, 2), (9, 4)])
def test_an_epoch_ends_after_so_many_batches(limit, steps):
    text = masked([5] * 30, batch_size=8, steps_per_epoch=limit)
    sizes = [len(batch.ids) for batch in map(text.tensors, text.epoch(1))]
    assert text.steps() == len(sizes) == steps
    assert sizes.count(8) >= steps - 1
    assert set(sizes) <= {6, 8}


def test_little_of_a_batch_is_padding():
    generator = numpy.random.default_rng(3)
    text = masked(generator.integers(1, 62, 2000), batch_size=16)
    batches = list(map(text.tensors, text.epoch(1)))
    padding = [1 - float(batch.attention.float().mean()) for batch in batches]
    assert numpy.mean(padding) < 0.04  # a third in batches at random
    widths = [batch.ids.shape[1] for batch in batches]
    assert numpy.corrcoef(widths[:-1], widths[1:])[0, 1] < 0.3, "short ones come at any time"


# -- validation --------------------------------------------------------------------------------------------


def test_validation_takes_one_line_an_example_and_the_same_masks_every_time(corpus):
    path = corpus / "valid.txt"
    lines = [sentence for sentences in read_corpus(path) for sentence in sentences]
    text = validation_text([path], TOKENIZER, small_settings(sequence_length=12))
    found = [row[1:-1] for batch in text.in_order() for row in unmasked(batch)]
    assert found == sorted((ids[:10] for ids in encode_lines(lines, TOKENIZER)), key=len)
    again = validation_text([path], TOKENIZER, small_settings(sequence_length=12))
    for one, first_pass, second_pass in zip(again.in_order(), text.in_order(), text.in_order(), strict=True):
        assert same(one, first_pass) and same(first_pass, second_pass)


def test_validation_scores_some_lines_only_where_told(corpus):
    path = corpus / "valid.txt"
    whole = validation_text([path], TOKENIZER, small_settings())
    text = validation_text([path], TOKENIZER, small_settings(validation_sentences=5))
    again = validation_text([path], TOKENIZER, small_settings(validation_sentences=5))
    everything = [tuple(row) for batch in whole.in_order() for row in unmasked(batch)]
    chosen = [tuple(row) for batch in text.in_order() for row in unmasked(batch)]
    assert len(chosen) == 5 < len(everything)
    places = [everything.index(row) for row in chosen]
    assert places == sorted(places)
    assert chosen == [tuple(row) for batch in again.in_order() for row in unmasked(batch)]


def test_more_validation_lines_than_there_are_is_all_of_them(corpus):
    texts = [
        validation_text([corpus / "valid.txt"], TOKENIZER, small_settings(validation_sentences=number))
        for number in (10_000, None)
    ]
    assert texts[0].pieces.tolist() == texts[1].pieces.tolist()
