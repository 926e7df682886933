"""The entity tagger's CRF, against the sum and the maximum over every sequence of labels."""

from itertools import pairwise, product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from specialize.finetuning.heads import EntityTagger, Tagger, crf_log_likelihood, crf_viterbi
from specialize.finetuning.layout import Layout

LABELS = ["B-LOC", "B-PER", "I-LOC", "I-PER", "O"]
batches = st.tuples(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(2, 4), st.integers(0, 10_000))


def random_batch(lengths, labels, seed):
    """Emissions, transitions, mask and gold labels; padding holds large nonsense that must not count."""
    generator = torch.Generator().manual_seed(seed)
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    emissions = 2 * torch.randn(len(lengths), max(lengths), labels, generator=generator, dtype=torch.float64)
    emissions[~mask] = 1000.0
    transitions = 2 * torch.randn(labels, labels, generator=generator, dtype=torch.float64)
    gold = torch.randint(0, labels, mask.shape, generator=generator)
    return emissions, transitions, mask, gold


def score(emissions, transitions, sequence):
    own = sum(emissions[place, label].item() for place, label in enumerate(sequence))
    return own + sum(transitions[before, after].item() for before, after in pairwise(sequence))


# -- the chain ---------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(batches)
def test_the_likelihood_is_the_gold_sequence_s_share_of_all(batch):
    lengths, labels, seed = batch
    emissions, transitions, mask, gold = random_batch(lengths, labels, seed)
    found = crf_log_likelihood(emissions, transitions, mask, gold)
    for row, length in enumerate(lengths):
        everything = [
            score(emissions[row], transitions, sequence) for sequence in product(range(labels), repeat=length)
        ]
        expected = score(emissions[row], transitions, gold[row, :length].tolist())
        total = torch.logsumexp(torch.tensor(everything, dtype=torch.float64), 0).item()
        assert found[row].item() == pytest.approx(expected - total, abs=1e-6)
        assert found[row] <= 1e-9


@settings(max_examples=40, deadline=None)
@given(batches)
def test_the_decoded_sequence_is_the_best_of_all(batch):
    lengths, labels, seed = batch
    emissions, transitions, mask, _ = random_batch(lengths, labels, seed)
    found = crf_viterbi(emissions, transitions, mask)
    for row, length in enumerate(lengths):
        best = max(
            product(range(labels), repeat=length), key=lambda sequence: score(emissions[row], transitions, sequence)
        )
        assert tuple(found[row]) == best


def test_the_likelihoods_of_all_sequences_sum_to_one():
    emissions, transitions, mask, _ = random_batch([4], 3, seed=8)
    sequences = torch.tensor(list(product(range(3), repeat=4)))
    many = crf_log_likelihood(emissions.expand(81, -1, -1), transitions, mask.expand(81, -1), sequences)
    assert many.exp().sum().item() == pytest.approx(1)


# -- the head ----------------------------------------------------------------------------------------------


def entity_tagger(seed, labels=LABELS, **options):
    torch.manual_seed(seed)
    head = EntityTagger(6, labels, dropout=0.0, **options).eval()
    with torch.no_grad():
        head.projection.weight.mul_(5)
        head.transitions.copy_(3 * torch.randn(len(labels), len(labels)))
    return head


def valid(sequence, labels=LABELS):
    """IOB2: an I- continues an entity of its own type."""
    names = ["O", *(labels[number] for number in sequence)]
    return all(
        not after.startswith("I-") or before in (f"B-{after[2:]}", f"I-{after[2:]}")
        for before, after in pairwise(names)
    )


@settings(max_examples=25, deadline=None)
@given(lengths=st.lists(st.integers(1, 4), min_size=1, max_size=3), seed=st.integers(0, 10_000))
def test_the_head_decodes_the_best_of_the_valid_sequences(lengths, seed):
    head = entity_tagger(seed)
    layout = Layout.of(lengths)
    vectors = torch.randn(*layout.mask.shape, 6)
    with torch.no_grad():
        emissions, found = head.projection(vectors), head.decode(vectors, layout)
    for row, length in enumerate(lengths):
        allowed = [sequence for sequence in product(range(len(LABELS)), repeat=length) if valid(sequence)]
        best = max(allowed, key=lambda sequence: score(emissions[row], head.transitions, sequence))
        assert score(emissions[row], head.transitions, found[row]) == pytest.approx(
            score(emissions[row], head.transitions, best), abs=1e-3
        )
        assert valid(found[row])


def test_without_the_bar_some_of_these_would_be_invalid():
    invalid = 0
    for seed in range(20):
        head = entity_tagger(seed)
        vectors = torch.randn(1, 4, 6)
        with torch.no_grad():
            plain = crf_viterbi(head.projection(vectors), head.transitions, torch.ones(1, 4, dtype=torch.bool))
        invalid += not valid(plain[0])
    assert invalid > 5


def test_an_entity_that_would_rather_continue_begins_instead():
    """Every word cries I-LOC; the first of them may not."""
    head = entity_tagger(0)
    with torch.no_grad():
        head.transitions.zero_()
        head.projection.weight.zero_()
        head.projection.bias.copy_(torch.tensor([1.0, 0.0, 2.0, 0.0, 0.0]))
        found = head.decode(torch.zeros(1, 3, 6), Layout.of([3]))
    assert [LABELS[number] for number in found[0]] == ["B-LOC", "I-LOC", "I-LOC"]


def test_the_loss_is_the_mean_over_sentences_or_their_sum():
    lengths = [1, 4, 2]
    layout = Layout.of(lengths)
    torch.manual_seed(5)
    vectors, gold = torch.randn(3, 4, 6), torch.randint(0, len(LABELS), (3, 4))
    with torch.no_grad():
        heads = (entity_tagger(0, loss=kind) for kind in ("mean", "sum"))
        mean, total = (head.loss(vectors, layout, layout.flat(gold)).item() for head in heads)
        expected = [
            entity_tagger(0).loss(vectors[row, None, :length], Layout.of([length]), gold[row, :length]).item()
            for row, length in enumerate(lengths)
        ]
    assert total == pytest.approx(sum(expected), rel=1e-5)
    assert mean == pytest.approx(sum(expected) / 3, rel=1e-5)


# -- the plain tagger --------------------------------------------------------------------------------------


def test_the_tagger_s_loss_is_the_mean_over_words_and_its_output_the_best_tag():
    torch.manual_seed(2)
    head = Tagger(6, ["A", "B", "C"], dropout=0.0).eval()
    lengths = [3, 1, 2]
    layout = Layout.of(lengths)
    vectors, gold = torch.randn(3, 3, 6), torch.randint(0, 3, (3, 3))
    losses, best = [], []
    with torch.no_grad():
        for row, length in enumerate(lengths):
            best.append([])
            for place in range(length):
                shares = torch.softmax(head.projection(vectors[row, place]), 0)
                losses.append(-shares[gold[row, place]].log().item())
                best[-1].append(int(shares.argmax()))
        assert head.loss(vectors, layout, layout.flat(gold)).item() == pytest.approx(sum(losses) / 6, rel=1e-5)
        assert head.decode(vectors, layout) == best
