"""The training loop: the best epoch's weights, patience, losses that are no number, clipped gradients."""

import random

import numpy
import pytest
import torch
from torch import nn

from specialize.training.devices import seed_everything
from specialize.training.loop import fit
from specialize.training.optimizer import AdamW, linear_schedule


class ThreeBatches:
    """Three batches an epoch: the epoch's number, and which batch it is."""

    def epoch(self, number):
        return ((number, batch) for batch in range(3))

    def steps(self):
        return 3

    def tensors(self, batch):
        return batch

    def micro_batches(self, batch, number):
        raise AssertionError("these batches cannot be split")


class Dial(nn.Module):
    """A model of one number."""

    def __init__(self):
        super().__init__()
        self.value = nn.Parameter(torch.zeros(1))
        self.modes = []


def train(scores, *, loss_of=None, patience=None, before_epoch=lambda number: None):
    """Train a dial upwards; the development score of each epoch is given."""
    dial, seen = Dial(), []
    remaining = iter(scores)

    def evaluate():
        dial.modes.append(dial.training)
        seen.append(dial.value.item())
        return {"score": next(remaining)}

    def upwards(batch):
        assert dial.training
        return -dial.value.sum()

    optimizer = AdamW([{"params": [dial.value], "lr": 0.1, "weight_decay": 0.0}], 1e-8, bias_correction=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
    outcome = fit(
        dial,
        optimizer,
        schedule,
        ThreeBatches(),
        (lambda batch: loss_of(dial, batch)) if loss_of else upwards,
        evaluate,
        score="score",
        epochs=len(scores),
        gradient_norm=1.0,
        patience=patience,
        before_epoch=before_epoch,
    )
    return dial, outcome, seen


# -- the best epoch ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scores", "best"),
    [([0.1, 0.5, 0.3, 0.4], 2), ([0.4, 0.3, 0.2], 1), ([0.1, 0.2, 0.3], 3), ([0.2, 0.2, 0.2], 1), ([-5.0, -4.0], 2)],
)
def test_the_model_is_left_with_the_weights_of_its_best_epoch(scores, best):
    dial, outcome, seen = train(scores)
    assert outcome.best_epoch == best and outcome.converged and outcome.reason is None
    assert len(set(seen)) == len(scores), "every epoch must change the weights, or this shows nothing"
    assert dial.value.item() == seen[best - 1]


def test_the_history_has_every_epoch_with_loss_and_scores():
    _, outcome, seen = train([0.1, 0.5, 0.3])
    assert [record["epoch"] for record in outcome.history] == [1, 2, 3]
    assert [record["score"] for record in outcome.history] == [0.1, 0.5, 0.3]
    # The dial moves 0.1 a step, and its loss is what it stood at before.
    assert [record["training_loss"] for record in outcome.history] == pytest.approx([-0.1, -0.4, -0.7], abs=1e-4)
    assert seen == pytest.approx([0.3, 0.6, 0.9], abs=1e-4)


def test_evaluation_is_in_evaluation_mode_and_so_is_the_model_in_the_end():
    dial, _, _ = train([0.1, 0.2])
    assert dial.modes == [False, False]
    assert not dial.training


def test_every_epoch_is_announced_before_it_begins():
    announced = []
    train([0.1, 0.2, 0.3], before_epoch=announced.append)
    assert announced == [1, 2, 3]


# -- stopping ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("patience", "epochs"), [(1, 3), (2, 4), (3, 7), (None, 9)])
def test_training_stops_after_so_many_epochs_without_a_better_score(patience, epochs):
    scores = [0.1, 0.3, 0.2, 0.3, 0.4, 0.2, 0.2, 0.2, 0.2] if patience != 3 else [0.1, 0.3, 0.2, 0.31, 0, 0, 0, 0, 0]
    _, outcome, _ = train(scores, patience=patience)
    assert len(outcome.history) == epochs


def test_an_equal_score_is_no_better_score():
    _, outcome, _ = train([0.3, 0.3, 0.3, 0.9], patience=2)
    assert (outcome.best_epoch, len(outcome.history)) == (1, 3)


@pytest.mark.parametrize("loss", ["nan", "inf"])
def test_a_loss_that_is_no_number_ends_training_with_the_reason(loss):
    def spoiled(dial, batch):
        return -dial.value.sum() + (float(loss) if batch == (3, 1) else 0.0)

    dial, outcome, seen = train([0.1, 0.2, 0.3, 0.4], loss_of=spoiled)
    assert not outcome.converged
    assert loss in outcome.reason and "epoch 3" in outcome.reason
    assert (outcome.best_epoch, len(outcome.history)) == (2, 2)
    assert dial.value.item() == seen[1]


def test_without_any_good_epoch_none_is_the_best():
    _, outcome, _ = train([0.1, 0.2], loss_of=lambda dial, batch: dial.value.sum() * float("nan"))
    assert (outcome.converged, outcome.best_epoch, outcome.history) == (False, 0, [])


# -- gradients ---------------------------------------------------------------------------------------------


class GradientsSeen(AdamW):
    """The optimizer, noting the gradient that each step is made with."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.seen = []

    def step(self, closure=None):
        parameters = [parameter for group in self.param_groups for parameter in group["params"]]
        self.seen.append([parameter.grad.item() for parameter in parameters])
        return super().step(closure)


@pytest.mark.parametrize(
    ("greatest_norm", "expected"), [(2.5, [1.5, -2.0]), (49.0, [29.4, -39.2]), (51.0, [30, -40]), (1e9, [30, -40])]
)
def test_the_gradient_of_all_parameters_together_is_clipped(greatest_norm, expected):
    first, second = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))
    model = nn.ParameterList([first, second])
    optimizer = GradientsSeen([{"params": [first, second], "lr": 0.1, "weight_decay": 0.0}], 1e-8, True)
    fit(
        model,
        optimizer,
        linear_schedule(optimizer, 0, 3),
        ThreeBatches(),
        lambda batch: (30 * first - 40 * second).sum(),
        lambda: {"score": 0.0},
        score="score",
        epochs=1,
        gradient_norm=greatest_norm,
    )
    assert optimizer.seen == [pytest.approx(expected, rel=1e-4)] * 3, "and no gradient of an earlier step stays"


# -- seeds -------------------------------------------------------------------------------------------------


def draws():
    return random.random(), float(numpy.random.random()), float(torch.rand(()))


def test_equal_seeds_give_equal_draws_and_each_generator_has_its_own():
    seed_everything(1, 2, 3, threads=1)
    first = draws()
    seed_everything(1, 2, 3, threads=1)
    assert draws() == first
    for place, seeds in ((1, (9, 2, 3)), (2, (1, 9, 3)), (0, (1, 2, 9))):
        seed_everything(*seeds, threads=1)
        differing = [index for index, (one, other) in enumerate(zip(draws(), first, strict=True)) if one != other]
        assert differing == [place]
    assert torch.get_num_threads() == 1
