"""The optimizer: Adam with decoupled decay, BERT's variant of it, and rows with a rate of their own."""

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.finetuning.conftest import write_data, write_encoder, write_monolingual_encoder
from torch import nn

from specialize.finetuning.encoder import WordEncoder
from specialize.training.optimizer import AdamW, Tier, decayed_groups

STEPS = 12
SIZES = {"vocab_size": 11, "max_position_embeddings": 16, "hidden_size": 8, "num_hidden_layers": 1}
SIZES |= {"num_attention_heads": 2, "intermediate_size": 8}
LEARNING_RATE, WEIGHT_DECAY, EPSILON = 0.02, 0.1, 1e-6


def gradients(shape, seed):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator) for _ in range(STEPS)]


def start(shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(1000 + seed))


def after_training(parameter, optimizer, its_gradients):
    for gradient in its_gradients:
        parameter.grad = gradient.clone()
        optimizer.step()
    return parameter.detach()


def without_bias_correction(values, its_gradients, learning_rate, weight_decay):
    """BERT's own optimizer, written out (facts 16 and 17)."""
    values = values.numpy().astype(numpy.float64)
    mean, square = numpy.zeros_like(values), numpy.zeros_like(values)
    for gradient in its_gradients:
        gradient = gradient.numpy().astype(numpy.float64)
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        values = values - learning_rate * (mean / (numpy.sqrt(square) + EPSILON) + weight_decay * values)
    return values


# -- rows that a batch does not touch ----------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), touched=st.lists(st.sets(st.integers(0, 4)), min_size=1, max_size=8))
def test_rows_without_a_gradient_stay_as_in_the_library_s_sparse_optimizer(seed, touched):
    epsilon = 1e-12  # so small that it does not matter that they add it before and after correcting the bias
    ours, theirs = (nn.Parameter(start((5, 3), seed)) for _ in range(2))
    other, alone = (nn.Parameter(start((2, 2), seed)) for _ in range(2))
    group = {"params": [ours, other], "lr": LEARNING_RATE, "weight_decay": 0.0}
    optimizer = AdamW([group], epsilon, bias_correction=True, sparse=ours)
    reference = torch.optim.SparseAdam([theirs], lr=LEARNING_RATE, eps=epsilon)
    dense = torch.optim.Adam([alone], lr=LEARNING_RATE, eps=epsilon)
    generator = torch.Generator().manual_seed(seed)
    for rows in touched:
        gradient = torch.zeros(5, 3)
        gradient[sorted(rows)] = torch.randn(len(rows), 3, generator=generator)
        ours.grad, theirs.grad = gradient, gradient.to_sparse(1)
        other.grad = alone.grad = torch.randn(2, 2, generator=generator)
        for each in (optimizer, reference, dense):
            each.step()
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(other, alone)


def test_momentum_moves_a_row_without_a_gradient_unless_updates_are_sparse():
    moved = []
    for is_sparse in (False, True):
        matrix = nn.Parameter(torch.zeros(2, 1))
        group = {"params": [matrix], "lr": LEARNING_RATE, "weight_decay": 0.0}
        optimizer = AdamW([group], EPSILON, bias_correction=True, sparse=matrix if is_sparse else None)
        for gradient in ([[1.0], [1.0]], [[1.0], [0.0]]):
            matrix.grad = torch.tensor(gradient)
            optimizer.step()
        moved.append(matrix[1].item() != pytest.approx(-LEARNING_RATE, rel=1e-3))
    assert moved == [True, False]


# -- bias correction ---------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), weight_decay=st.sampled_from([0.0, 0.01, 0.5]))
def test_with_bias_correction_it_is_the_library_s_optimizer(seed, weight_decay):
    ours, theirs = nn.Parameter(start((4, 3), seed)), nn.Parameter(start((4, 3), seed))
    its_gradients = gradients((4, 3), seed)
    group = {"params": [ours], "lr": LEARNING_RATE, "weight_decay": weight_decay}
    trained = after_training(ours, AdamW([group], EPSILON, bias_correction=True), its_gradients)
    reference = torch.optim.AdamW([theirs], lr=LEARNING_RATE, eps=EPSILON, weight_decay=weight_decay)
    torch.testing.assert_close(trained, after_training(theirs, reference, its_gradients))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), weight_decay=st.sampled_from([0.0, 0.01, 0.5]))
def test_without_bias_correction_it_is_bert_s_own_optimizer(seed, weight_decay):
    parameter = nn.Parameter(start((4, 3), seed))
    its_gradients = gradients((4, 3), seed)
    group = {"params": [parameter], "lr": LEARNING_RATE, "weight_decay": weight_decay}
    trained = after_training(parameter, AdamW([group], EPSILON, bias_correction=False), its_gradients)
    expected = without_bias_correction(start((4, 3), seed), its_gradients, LEARNING_RATE, weight_decay)
    numpy.testing.assert_allclose(trained.numpy(), expected, rtol=1e-4, atol=1e-5)


def test_the_two_variants_differ():
    results = []
    for bias_correction in (True, False):
        parameter = nn.Parameter(start((4, 3)))
        group = {"params": [parameter], "lr": LEARNING_RATE, "weight_decay": WEIGHT_DECAY}
        results.append(after_training(parameter, AdamW([group], EPSILON, bias_correction), gradients((4, 3), 0)))
    assert (results[0] - results[1]).abs().max() > LEARNING_RATE


def test_a_parameter_without_gradient_stays():
    parameter = nn.Parameter(start((4, 3)))
    optimizer = AdamW([{"params": [parameter], "lr": LEARNING_RATE, "weight_decay": WEIGHT_DECAY}], EPSILON, False)
    optimizer.step()
    torch.testing.assert_close(parameter.detach(), start((4, 3)), rtol=0, atol=0)


# -- rows with a rate of their own -------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 1000),
    rows=st.sets(st.integers(0, 6), min_size=1, max_size=7),
    multiplier=st.sampled_from([0.5, 1.0, 5.0]),
)
def test_rows_move_as_a_group_of_their_own_would(seed, rows, multiplier):
    rows = sorted(rows)
    others = [row for row in range(7) if row not in rows]
    matrix = nn.Parameter(start((7, 3), seed))
    its_gradients = gradients((7, 3), seed)
    group = {"params": [matrix], "lr": LEARNING_RATE, "weight_decay": WEIGHT_DECAY}
    optimizer = AdamW([group], EPSILON, False, Tier([matrix], torch.tensor(rows), multiplier))
    trained = after_training(matrix, optimizer, its_gradients)

    for chosen, rate in ((rows, multiplier * LEARNING_RATE), (others, LEARNING_RATE)):
        part = nn.Parameter(start((7, 3), seed)[chosen])
        alone = AdamW([{"params": [part], "lr": rate, "weight_decay": WEIGHT_DECAY}], EPSILON, False)
        expected = after_training(part, alone, [gradient[chosen] for gradient in its_gradients])
        torch.testing.assert_close(trained[chosen], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("bias_correction", [True, False])
@pytest.mark.parametrize("multiplier", [0.5, 5.0, 25.0])
def test_after_some_steps_new_rows_have_moved_so_many_times_as_far_and_no_other_row_has(multiplier, bias_correction):
    new, others, its_gradients = [1, 4, 5], [0, 2, 3, 6], gradients((7, 3), seed=2)
    moved = []
    for factor in (1.0, multiplier):
        matrix = nn.Parameter(start((7, 3), 1))
        group = {"params": [matrix], "lr": LEARNING_RATE, "weight_decay": 0.0}
        optimizer = AdamW([group], EPSILON, bias_correction, Tier([matrix], torch.tensor(new), factor))
        moved.append(after_training(matrix, optimizer, its_gradients) - start((7, 3), 1))
    torch.testing.assert_close(moved[1][new], multiplier * moved[0][new], rtol=1e-4, atol=1e-5)
    assert torch.equal(moved[1][others], moved[0][others])
    assert moved[0].abs().mean() > 0.05


def test_rows_of_a_tied_matrix_train_at_five_times_the_rate():
    """Both uses of the matrix feed its gradient; decay of a row follows the row's rate (fact 17)."""
    new, multiplier = [1, 4], 5.0
    embedding, output = nn.Embedding(6, 4), nn.Linear(4, 6)
    embedding.weight.data.copy_(start((6, 4)))
    output.weight = embedding.weight
    output.bias.data.zero_()
    matrix, bias = embedding.weight.detach().double().clone(), torch.zeros(6, dtype=torch.float64)
    inputs, targets = torch.tensor([0, 1, 2, 3, 4, 5, 1]), torch.tensor([1, 2, 3, 4, 5, 0, 4])

    model = nn.ModuleList([embedding, output])
    groups = decayed_groups(model, LEARNING_RATE, WEIGHT_DECAY, {"1.bias"})
    optimizer = AdamW(groups, EPSILON, False, Tier([embedding.weight], torch.tensor(new), multiplier))
    for _ in range(STEPS):
        nn.functional.cross_entropy(output(embedding(inputs)), targets).backward()
        optimizer.step()
        optimizer.zero_grad()

    rates = torch.full((6, 1), LEARNING_RATE, dtype=torch.float64)
    rates[new] *= multiplier
    moments = [torch.zeros_like(value) for value in (matrix, matrix, bias, bias)]
    for _ in range(STEPS):
        matrix, bias = matrix.detach().requires_grad_(), bias.detach().requires_grad_()
        nn.functional.cross_entropy(matrix[inputs] @ matrix.T + bias, targets).backward()
        for place, gradient in ((0, matrix.grad), (2, bias.grad)):
            moments[place] = 0.9 * moments[place] + 0.1 * gradient
            moments[place + 1] = 0.999 * moments[place + 1] + 0.001 * gradient**2
        with torch.no_grad():
            update = moments[0] / (moments[1].sqrt() + EPSILON) + WEIGHT_DECAY * matrix
            matrix = matrix - rates * update
            bias = bias - LEARNING_RATE * moments[2] / (moments[3].sqrt() + EPSILON)
    torch.testing.assert_close(embedding.weight.detach().double(), matrix, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(output.bias.detach().double(), bias, rtol=1e-3, atol=1e-4)


def test_rows_follow_a_changing_rate():
    matrix, rows = nn.Parameter(start((5, 2))), torch.tensor([3])
    group = {"params": [matrix], "lr": LEARNING_RATE, "weight_decay": 0.0}
    optimizer = AdamW([group], EPSILON, False, Tier([matrix], rows, 5.0))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step))
    for _ in range(4):
        before = matrix.detach().clone()
        matrix.grad = torch.ones_like(matrix)
        optimizer.step()
        schedule.step()
        moved = before - matrix.detach()
        torch.testing.assert_close(moved[3], 5 * moved[0], rtol=1e-3, atol=1e-5)


# -- groups ------------------------------------------------------------------------------------------------


def test_what_is_named_does_not_decay():
    model = nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2), nn.Linear(2, 2))
    decayed, plain = decayed_groups(model, 1e-3, 0.01, ["0.bias", "1.weight", "1.bias"])
    assert (decayed["weight_decay"], plain["weight_decay"]) == (0.01, 0.0)
    assert decayed["lr"] == plain["lr"] == 1e-3
    assert list(map(id, plain["params"])) == list(map(id, (model[0].bias, model[1].weight, model[1].bias)))
    assert list(map(id, decayed["params"])) == list(map(id, (model[0].weight, model[2].weight, model[2].bias)))


def test_layer_norms_and_biases_of_an_encoder_do_not_decay(tmp_path):
    data = write_data(tmp_path)
    for number, write in enumerate([write_encoder, lambda folder: write_monolingual_encoder(folder, data)]):
        encoder = WordEncoder(write(tmp_path / str(number)), 0.0, False)
        norms = {
            f"{name}.weight" for name, module in encoder.pretrained.named_modules() if isinstance(module, nn.LayerNorm)
        }
        biases = {name for name, _ in encoder.pretrained.named_parameters() if name.endswith("bias")}
        assert len(norms) == 5
        assert set(encoder.undecayed) == norms | biases


def test_parameters_that_do_not_train_are_in_no_group():
    model = nn.Linear(3, 2)
    model.weight.requires_grad_(False)
    decayed, plain = decayed_groups(model, 1e-3, 0.01, {"bias"})
    assert decayed["params"] == []
    assert len(plain["params"]) == 1 and plain["params"][0] is model.bias
