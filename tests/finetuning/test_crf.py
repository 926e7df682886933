"""The linear-chain CRF, word by word and as a scan, against every sequence of labels and against each other."""

from itertools import pairwise, product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.finetuning.conftest import Operations

from specialize.finetuning import crf
from specialize.finetuning.crf import (
    best_by_scan,
    best_by_word,
    crf_log_likelihood,
    crf_viterbi,
    partition_by_scan,
    partition_by_word,
)
from specialize.finetuning.heads import EntityTagger, Parser, Tagger
from specialize.finetuning.layout import Layout

PARTITIONS, DECODERS = [partition_by_word, partition_by_scan], [best_by_word, best_by_scan]
LARGEST = [0.0, 1.0, 100.0, 1e4]  # of an emission
few = st.tuples(
    st.lists(st.integers(1, 5), min_size=1, max_size=4),
    st.integers(1, 4),
    st.integers(0, 10_000),
    st.sampled_from(LARGEST),
)
many = st.tuples(
    st.lists(st.integers(1, 70), min_size=1, max_size=5),
    st.integers(1, 9),
    st.integers(0, 10_000),
    st.sampled_from(LARGEST),
)


def random_batch(lengths, labels, seed, largest=1.0):
    """Emissions, transitions, mask and gold labels; padding holds large nonsense that must not count."""
    generator = torch.Generator().manual_seed(seed)
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    shape = (len(lengths), max(lengths), labels)
    emissions = 2 * torch.randn(shape, generator=generator, dtype=torch.float64)
    emissions += largest * torch.randint(-1, 2, shape, generator=generator)
    emissions[~mask] = 1000.0
    transitions = 2 * torch.randn(labels, labels, generator=generator, dtype=torch.float64)
    gold = torch.randint(0, labels, mask.shape, generator=generator)
    return emissions, transitions, mask, gold


def score(emissions, transitions, sequence):
    own = sum(emissions[place, label].item() for place, label in enumerate(sequence))
    return own + sum(transitions[before, after].item() for before, after in pairwise(sequence))


def all_scores(emissions, transitions, length):
    sequences = product(range(len(transitions)), repeat=length)
    return [score(emissions, transitions, sequence) for sequence in sequences]


def gradients(partition, emissions, transitions, mask):
    given = [emissions.clone().requires_grad_(), transitions.clone().requires_grad_()]
    found = partition(*given, mask)
    # Weights of their own, so that no sentence's gradient passes for another's.
    weighted = (found * torch.arange(1, len(found) + 1)).sum()
    return found.detach(), torch.autograd.grad(weighted, given, materialize_grads=True)


# -- the likelihood ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("partition", PARTITIONS)
@settings(max_examples=30, deadline=None)
@given(batch=few)
def test_the_partition_is_the_sum_over_all_sequences(partition, batch):
    emissions, transitions, mask, _ = random_batch(*batch)
    found = partition(emissions, transitions, mask)
    for row, length in enumerate(batch[0]):
        everything = torch.tensor(all_scores(emissions[row], transitions, length), dtype=torch.float64)
        assert found[row].item() == pytest.approx(torch.logsumexp(everything, 0).item(), abs=1e-9, rel=1e-13)


@settings(max_examples=30, deadline=None)
@given(batch=few)
def test_the_likelihood_is_the_gold_sequence_s_share_of_all(batch):
    emissions, transitions, mask, gold = random_batch(*batch)
    found = crf_log_likelihood(emissions, transitions, mask, gold)
    for row, length in enumerate(batch[0]):
        everything = torch.tensor(all_scores(emissions[row], transitions, length), dtype=torch.float64)
        expected = score(emissions[row], transitions, gold[row, :length].tolist())
        assert found[row].item() == pytest.approx(expected - torch.logsumexp(everything, 0).item(), abs=1e-9)
        assert found[row] <= 1e-9


def test_the_likelihoods_of_all_sequences_sum_to_one():
    emissions, transitions, mask, _ = random_batch([4], 3, seed=8)
    sequences = torch.tensor(list(product(range(3), repeat=4)))
    likelihoods = crf_log_likelihood(emissions.expand(81, -1, -1), transitions, mask.expand(81, -1), sequences)
    assert likelihoods.exp().sum().item() == pytest.approx(1)


@settings(max_examples=40, deadline=None)
@given(batch=many, spread=st.sampled_from([1.0, 15.0]))
def test_both_ways_give_one_partition_and_one_gradient(batch, spread):
    """Also where transitions are so wide apart, and emissions wider, that exp() of most of them is 0."""
    emissions, transitions, mask, _ = random_batch(*batch)
    transitions = (spread * transitions).clamp(-70, 70)
    expected, by_word = gradients(partition_by_word, emissions, transitions, mask)
    found, by_scan = gradients(partition_by_scan, emissions, transitions, mask)
    torch.testing.assert_close(found, expected, rtol=1e-13, atol=1e-9)
    for one, other in zip(by_scan, by_word, strict=True):
        # Word by word, sums of up to 70 emissions lose digits that the scan's scales keep.
        torch.testing.assert_close(one, other, rtol=0, atol=1e-9 + 2e-12 * batch[3])
    assert not by_scan[0][~mask].any()


@pytest.mark.parametrize("lengths", [[1], [5, 3, 1]])
def test_the_scan_s_gradient_is_that_of_finite_differences(lengths):
    emissions, transitions, mask, _ = random_batch(lengths, 3, seed=1)
    given = [emissions.requires_grad_(), transitions.requires_grad_()]
    assert torch.autograd.gradcheck(lambda *varied: partition_by_scan(*varied, mask), given)


def test_single_precision_scans_as_exactly_as_double():
    emissions, transitions, mask, _ = random_batch([60, 3], 7, seed=2)
    single = [emissions.float(), transitions.float()]
    expected = partition_by_word(*(one.double() for one in single), mask)
    found = partition_by_scan(*single, mask)
    torch.testing.assert_close(found.float(), expected.float(), rtol=1e-7, atol=0)


def test_transitions_too_wide_apart_for_a_scan_are_no_number():
    """The loss is then none either, so that the training ends as one that did not converge."""
    emissions, transitions, mask, _ = random_batch([4, 2], 3, seed=3)
    transitions[0, 1] = transitions.max() - 151
    assert partition_by_scan(emissions, transitions, mask).isnan().all()
    transitions[0, 1] = transitions.max() - 149
    assert not partition_by_scan(emissions, transitions, mask).isnan().any()


# -- the best sequence -------------------------------------------------------------------------------------


@pytest.mark.parametrize("decoder", DECODERS)
@settings(max_examples=30, deadline=None)
@given(batch=few)
def test_the_decoded_sequence_is_the_best_of_all(decoder, batch):
    emissions, transitions, mask, _ = random_batch(*batch)
    found = decoder(emissions, transitions, mask)
    for row, length in enumerate(batch[0]):
        assert len(found[row]) == length
        best = max(all_scores(emissions[row], transitions, length))
        assert score(emissions[row], transitions, found[row]) == pytest.approx(best, abs=1e-9, rel=1e-13)


@settings(max_examples=40, deadline=None)
@given(batch=many)
def test_both_ways_find_a_sequence_of_the_same_score(batch):
    emissions, transitions, mask, _ = random_batch(*batch)
    one, other = (decoder(emissions, transitions, mask) for decoder in DECODERS)
    assert [len(sequence) for sequence in one] == [len(sequence) for sequence in other] == batch[0]
    for row in range(len(one)):
        scores = [score(emissions[row], transitions, sequences[row]) for sequences in (one, other)]
        assert scores[0] == pytest.approx(scores[1], abs=1e-9, rel=1e-13)


@pytest.mark.parametrize("decoder", DECODERS)
@settings(max_examples=30, deadline=None)
@given(batch=many, whole=st.booleans())
def test_what_is_forbidden_is_never_decoded(decoder, batch, whole):
    """However much the emissions ask for it; the last label is always allowed. Whole numbers make many ties."""
    lengths, labels, seed, largest = batch
    emissions, transitions, mask, _ = random_batch(lengths, labels + 1, seed, largest)
    if whole:
        emissions, transitions = (0 * emissions).round(), (0 * transitions).round()
    forbidden = torch.rand(transitions.shape, generator=torch.Generator().manual_seed(seed)) < 0.5
    forbidden[:, -1] = False
    transitions = transitions.masked_fill(forbidden, -torch.inf)
    emissions[:, 0] = emissions[:, 0].masked_fill(forbidden[-1], -torch.inf)
    for row, sequence in enumerate(decoder(emissions.float(), transitions.float(), mask)):
        assert len(sequence) == lengths[row]
        assert not forbidden[-1, sequence[0]]
        assert not any(forbidden[pair] for pair in pairwise(sequence))


def test_many_labels_are_decoded_word_by_word_on_any_device(monkeypatch):
    asked = []
    for decoder in DECODERS:
        monkeypatch.setattr(crf, decoder.__name__, lambda *_, name=decoder.__name__: asked.append(name))
    mask = torch.ones(2, 3, dtype=torch.bool, device="meta")
    for device, labels in [("cpu", 3), ("meta", 32), ("meta", 33)]:
        crf_viterbi(torch.zeros(2, 3, labels, device=device), torch.zeros(labels, labels, device=device), mask)
    assert asked == ["best_by_word", "best_by_scan", "best_by_word"]


# -- the device --------------------------------------------------------------------------------------------


def test_a_long_sentence_takes_a_few_hundred_operations_and_never_waits():
    """On the meta device whatever reads a value back, or indexes by a mask, raises an error."""
    emissions = torch.zeros(8, 100, 7, device="meta", requires_grad=True)
    transitions = torch.zeros(7, 7, device="meta", requires_grad=True)
    mask, gold = (torch.zeros(8, 100, dtype=kind, device="meta") for kind in (torch.bool, torch.int64))
    with Operations() as counted:
        crf_log_likelihood(emissions, transitions, mask, gold).sum().backward()
    assert counted.number < 300
    assert emissions.grad.shape == emissions.shape
    with Operations() as counted:
        best_by_scan(*(one.detach() for one in random_batch([100] * 8, 7, seed=1)[:3]))
    assert counted.number < 300


HEADS = [
    lambda: Tagger(4, ["A", "B"], 0.0),
    lambda: EntityTagger(4, ["B-LOC", "I-LOC", "O"], 0.0),
    lambda: Parser(4, ["root", "dep"], 0.0, 0.0, 3, 3),
]


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("head", HEADS)
def test_decoding_copies_from_the_device_once(head, decoder, monkeypatch):
    monkeypatch.setattr(crf, "best_by_word", decoder)
    copies = []
    for name in ("tolist", "cpu", "item", "__int__", "__bool__", "__index__"):
        real = getattr(torch.Tensor, name)

        def noted(tensor, *given, real=real, name=name):
            copies.append(name)
            return real(tensor, *given)

        monkeypatch.setattr(torch.Tensor, name, noted)
    layout = Layout.of([5, 1, 3])
    with torch.no_grad():
        decoded = head().eval().decode(torch.randn(3, 5, 4), layout)
    assert [len(one) for one in decoded] == [5, 1, 3]
    assert copies in (["tolist"], ["cpu"])
