"""The parser: its trees against every tree there is, its scores against plain loops."""

from itertools import product

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from specialize.finetuning.heads import Parser, VariationalDropout, maximum_tree
from specialize.finetuning.layout import Layout

WIDTH, RELATIONS = 5, ["nsubj", "obj", "punct", "root"]


# -- trees -------------------------------------------------------------------------------------------------


def is_tree(heads, single_root=True):
    """Whether heads (0 for the root) are a tree, with one word below the root or with any number."""
    if single_root and list(heads).count(0) != 1:
        return False
    for word in range(1, len(heads) + 1):
        node = word
        for _ in heads:
            node = heads[node - 1] if node else 0
        if node:
            return False
    return True


TREES = {size: [heads for heads in product(range(size + 1), repeat=size) if is_tree(heads)] for size in range(1, 6)}


def total(scores, heads):
    return sum(scores[child, head] for child, head in enumerate(heads))


def test_the_trees_of_so_many_words_are_as_many_as_cayley_counted():
    assert [len(trees) for trees in TREES.values()] == [1, 2, 9, 64, 625]


@settings(max_examples=150, deadline=None)
@given(size=st.integers(1, 5), seed=st.integers(0, 100_000), towards_root=st.sampled_from([-3.0, 0.0, 3.0]))
def test_the_tree_is_the_best_of_all_trees_with_one_root(size, seed, towards_root):
    scores = numpy.random.default_rng(seed).normal(size=(size, size + 1)) * 2
    scores[:, 0] += towards_root  # where all words want to be the root, only one may
    heads = maximum_tree(scores)
    assert is_tree(heads)
    assert total(scores, heads) == pytest.approx(max(total(scores, tree) for tree in TREES[size]))


@settings(max_examples=50, deadline=None)
@given(
    st.integers(1, 5).flatmap(
        lambda size: st.lists(st.integers(0, 2), min_size=size**2 + size, max_size=size**2 + size)
    )
)
def test_ties_are_broken_in_favour_of_some_best_tree_and_always_the_same_one(values):
    size = int(len(values) ** 0.5)
    scores = numpy.asarray(values, dtype=float).reshape(size, size + 1)
    heads = maximum_tree(scores)
    assert is_tree(heads)
    assert total(scores, heads) == max(total(scores, tree) for tree in TREES[size])
    assert maximum_tree(scores.copy()) == heads


@pytest.mark.parametrize(("single_root", "number"), [(True, 6**5), (False, 7**5)])
def test_six_words_among_all_trees_with_one_root_or_with_any(single_root, number):
    trees = [heads for heads in product(range(7), repeat=6) if is_tree(heads, single_root)]
    assert len(trees) == number
    rows, several = numpy.arange(6), 0
    for seed in range(30):
        scores = numpy.random.default_rng(seed).normal(size=(6, 7))
        best = trees[int(scores[rows, numpy.asarray(trees)].sum(1).argmax())]
        assert tuple(maximum_tree(scores, single_root)) == best
        several += best.count(0) > 1
    assert (several > 0) is not single_root


# -- scores ------------------------------------------------------------------------------------------------


def parser(seed=0):
    torch.manual_seed(seed)
    head = Parser(WIDTH, RELATIONS, input_dropout=0.3, dropout=0.3, arc_dimension=4, label_dimension=3)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.normal_()
        head.arc.mul_(0.2)  # so that relations have a say in the tree, too
    return head.double().eval()


def batch(lengths, seed=1):
    generator = torch.Generator().manual_seed(seed)
    layout = Layout.of(lengths)
    vectors = torch.randn(*layout.mask.shape, WIDTH, generator=generator, dtype=torch.float64)
    vectors[~layout.mask] = 0
    return vectors, layout


def scores_slowly(head, vectors):
    """Arc scores (children, heads) and label scores (children, heads, labels) of one sentence, number by number."""
    states = [head.root[0, 0], *vectors]

    def through(layer, state):
        return torch.nn.functional.elu(layer.weight @ state + layer.bias)

    arcs = torch.full((len(vectors), len(states)), -torch.inf, dtype=torch.float64)
    labels = torch.zeros(len(vectors), len(states), len(RELATIONS), dtype=torch.float64)
    for child in range(1, len(states)):
        for governor in range(len(states)):
            child_state, head_state = through(head.arc_child, states[child]), through(head.arc_head, states[governor])
            value = head.arc_bias[0] + head.arc[-1, -1]
            for one in range(4):
                value = value + child_state[one] * head.arc[one, -1] + head.arc[-1, one] * head_state[one]
                for other in range(4):
                    value = value + child_state[one] * head.arc[one, other] * head_state[other]
            if child != governor:
                arcs[child - 1, governor] = value
            child_state = through(head.label_child, states[child])
            head_state = through(head.label_head, states[governor])
            for label in range(len(RELATIONS)):
                labels[child - 1, governor, label] = (
                    child_state @ head.label[label] @ head_state + head.label_bias[label]
                )
    return arcs, labels


@pytest.mark.parametrize("lengths", [[1], [4], [2, 5, 3]])
def test_the_arc_scores_are_biaffine(lengths):
    head = parser()
    vectors, layout = batch(lengths)
    with torch.no_grad():
        found = head.scores(vectors, layout.mask)[0][:, 1:]
        for row, length in enumerate(lengths):
            arcs, _ = scores_slowly(head, vectors[row, :length])
            possible = arcs.isfinite()
            torch.testing.assert_close(found[row, :length, : length + 1][possible], arcs[possible])
            assert (found[row, :length, : length + 1][~possible] < -1000).all(), "a word may not govern itself"
            assert (found[row, :length, length + 1 :] < -1000).all(), "nor may padding"


@pytest.mark.parametrize("lengths", [[1], [4], [2, 5, 3]])
def test_the_loss_is_that_of_arcs_and_of_labels_at_the_gold_heads(lengths):
    head = parser()
    vectors, layout = batch(lengths)
    heads, labels = (torch.zeros(layout.mask.shape, dtype=torch.int64) for _ in range(2))
    expected = []
    with torch.no_grad():
        for row, length in enumerate(lengths):
            tree = TREES[length][-1]
            arc_scores, label_scores = scores_slowly(head, vectors[row, :length])
            for child in range(length):
                heads[row, child], labels[row, child] = tree[child], (row + child) % len(RELATIONS)
                arc_shares = torch.softmax(arc_scores[child], 0)
                label_shares = torch.softmax(label_scores[child, tree[child]], 0)
                expected.append(-(arc_shares[tree[child]].log() + label_shares[labels[row, child]].log()).item())
        found = head.loss(vectors, layout, layout.flat(heads), layout.flat(labels)).item()
    assert found == pytest.approx(sum(expected) / len(expected), rel=1e-6)


@settings(max_examples=15, deadline=None)
@given(lengths=st.lists(st.integers(1, 5), min_size=1, max_size=3), seed=st.integers(0, 10_000))
def test_decoding_finds_the_best_tree_with_the_best_relation_of_each_arc(lengths, seed):
    head = parser(seed)
    vectors, layout = batch(lengths, seed)
    with torch.no_grad():
        trees = head.decode(vectors, layout)
        for row, length in enumerate(lengths):
            arcs, labels = scores_slowly(head, vectors[row, :length])
            label_shares, best_labels = torch.log_softmax(labels, -1).max(-1)
            energy = (torch.log_softmax(arcs, -1) + label_shares).numpy()
            best = max(TREES[length], key=lambda tree: total(energy, tree))
            assert [governor for governor, _ in trees[row]] == list(best)
            assert [label for _, label in trees[row]] == [
                int(best_labels[child, governor]) for child, governor in enumerate(best)
            ]


def test_a_word_without_any_sentence_round_it_is_the_root():
    vectors, layout = batch([1, 4])
    with torch.no_grad():
        assert [governor for governor, _ in parser().decode(vectors, layout)[0]] == [0]


# -- dropout -----------------------------------------------------------------------------------------------


def test_variational_dropout_drops_the_same_features_of_all_words():
    torch.manual_seed(4)
    dropped = VariationalDropout(0.4).train()(torch.ones(50, 6, 8))
    assert torch.equal(dropped, dropped[:, :1].expand(-1, 6, -1))
    assert dropped.unique().tolist() == pytest.approx([0.0, 1 / 0.6])
    assert (dropped == 0).double().mean().item() == pytest.approx(0.4, abs=0.08)
    assert len({tuple(row.tolist()) for row in dropped[:, 0]}) > 20, "another mask for each sentence"


def test_dropout_is_for_training_only():
    vectors, layout = batch([3])
    head = parser()
    with torch.no_grad():
        assert torch.equal(head.scores(vectors, layout.mask)[0], head.scores(vectors, layout.mask)[0])
        head.train()
        assert not torch.equal(head.scores(vectors, layout.mask)[0], head.scores(vectors, layout.mask)[0])
    ones = torch.ones(2, 3, 4)
    assert torch.equal(VariationalDropout(0.9).eval()(ones), ones)
