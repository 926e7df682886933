"""The two schedules of the learning rate, against their formulas."""

import pytest
import torch
from torch import nn

from specialize.training.optimizer import AdamW, inverse_square_root_schedule, linear_schedule

BASE_RATES = (1e-3, 5e-5)


def rates(schedule_of, steps):
    """The rates of two groups at the first so many steps."""
    groups = [{"params": [nn.Parameter(torch.zeros(1))], "lr": rate, "weight_decay": 0.0} for rate in BASE_RATES]
    optimizer = AdamW(groups, 1e-8, bias_correction=True)
    schedule = schedule_of(optimizer)
    seen = []
    for _ in range(steps):
        seen.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        schedule.step()
    return seen


@pytest.mark.parametrize(
    ("step", "factor"),
    [
        (0, 0),
        (1, 0.25),
        (2, 0.5),
        (3, 0.75),
        (4, 1),
        (5, 5 / 6),
        (6, 4 / 6),
        (7, 3 / 6),
        (8, 2 / 6),
        (9, 1 / 6),
        (10, 0),
    ],
)
def test_the_rate_climbs_in_a_line_and_falls_in_a_line(step, factor):
    seen = rates(lambda optimizer: linear_schedule(optimizer, warmup_steps=4, total_steps=10), 11)
    assert seen[step] == pytest.approx([rate * factor for rate in BASE_RATES])


def test_without_warm_up_the_rate_only_falls():
    seen = rates(lambda optimizer: linear_schedule(optimizer, warmup_steps=0, total_steps=4), 6)
    assert [first / BASE_RATES[0] for first, _ in seen] == pytest.approx([1, 0.75, 0.5, 0.25, 0, 0])


def test_a_warm_up_longer_than_the_training_never_divides_by_zero():
    seen = rates(lambda optimizer: linear_schedule(optimizer, warmup_steps=5, total_steps=5), 8)
    assert [first / BASE_RATES[0] for first, _ in seen] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 0, 0, 0])


EPOCH = 8  # steps; with one frozen epoch the top is at 3 epochs


def finetuning_rates(frozen_epochs, steps):
    return rates(lambda optimizer: inverse_square_root_schedule(optimizer, EPOCH, frozen_epochs), steps)


@pytest.mark.parametrize("frozen_epochs", [0, 1, 3])
def test_heads_learn_at_the_base_rates_while_the_encoder_is_frozen(frozen_epochs):
    frozen_steps = frozen_epochs * EPOCH
    seen = finetuning_rates(frozen_epochs, frozen_steps + 1)
    assert seen[:frozen_steps] == [list(BASE_RATES)] * frozen_steps
    assert seen[frozen_steps][0] < BASE_RATES[0] / 10


@pytest.mark.parametrize("frozen_epochs", [0, 1, 3])
@pytest.mark.parametrize(("step", "since"), [(0, 1), (1, 1), (2, 2), (8, 8), (15, 15), (16, 16), (17, 17), (100, 100)])
def test_the_rate_climbs_for_two_epochs_after_the_frozen_ones_and_then_falls_with_the_root(frozen_epochs, step, since):
    step += frozen_epochs * EPOCH
    seen = finetuning_rates(frozen_epochs, step + 1)
    factor = 5 * min(1 / since**0.5, since / (2 * EPOCH) ** 1.5)
    assert seen[step] == pytest.approx([rate * factor for rate in BASE_RATES])


def test_after_the_frozen_epoch_the_top_of_the_rate_is_after_the_third_epoch():
    seen = [first for first, _ in finetuning_rates(1, 60)][EPOCH:]
    assert seen.index(max(seen)) == 2 * EPOCH
    assert max(seen) == pytest.approx(BASE_RATES[0] * 5 / (2 * EPOCH) ** 0.5)
