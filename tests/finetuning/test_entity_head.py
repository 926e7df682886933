"""The entity tagger, against every valid sequence of labels; and the plain tagger."""

from itertools import pairwise, product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from specialize.finetuning.crf import crf_viterbi
from specialize.finetuning.heads import EntityTagger, Tagger
from specialize.finetuning.layout import Layout

LABELS = ["B-LOC", "B-PER", "I-LOC", "I-PER", "O"]


def score(emissions, transitions, sequence):
    own = sum(emissions[place, label].item() for place, label in enumerate(sequence))
    return own + sum(transitions[before, after].item() for before, after in pairwise(sequence))


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


@pytest.mark.parametrize("loudness", [1.0, 1e6])
def test_an_entity_that_would_rather_continue_begins_instead(loudness):
    """Every word cries I-LOC; the first of them may not, however loud it is."""
    head = entity_tagger(0)
    with torch.no_grad():
        head.transitions.zero_()
        head.projection.weight.zero_()
        head.projection.bias.copy_(loudness * torch.tensor([1.0, 0.0, 2.0, 0.0, 0.0]))
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
