"""Weights that are rounded to bfloat16 all at once: the numbers are those of autocast, which rounds each by itself."""

import contextlib
from collections import Counter

import pytest
import torch
from tests.pretraining.conftest import model_of_family
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from specialize.bases.architectures import known_architectures
from specialize.pretraining.masked_loss import masked_loss
from specialize.pretraining.masked_text import MaskedBatch
from specialize.pretraining.settings import AdaptSettings
from specialize.pretraining.what_learns import Learning
from specialize.training import precision
from specialize.training.rounded_weights import MULTIPLE, rounded_weights

WHOLE = 8 * MULTIPLE


def masked_batch(pieces):
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(5, pieces, (3, 11), generator=generator)
    attention = torch.ones_like(ids, dtype=torch.bool)
    attention[0, 8:] = False
    places = torch.tensor([1, 4, 13, 25, 30])
    return MaskedBatch(ids, attention, torch.zeros_like(ids), places, ids.flatten()[places], padded=True)


def learned(model, batch):
    """The loss, and the gradient of each parameter by name (None of one that took no part)."""
    model.zero_grad()
    torch.manual_seed(1)
    loss = masked_loss(model, batch, "bfloat16")
    loss.backward()
    named = model.named_parameters()
    return loss.detach(), {name: None if one.grad is None else one.grad.clone() for name, one in named}


@pytest.mark.parametrize("pieces", [WHOLE, WHOLE + 3])
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("name", sorted(known_architectures()))
def test_loss_and_gradients_are_those_of_autocast(monkeypatch, name, tied, pieces):
    model, batch = model_of_family(known_architectures()[name], tied, pieces).train(), masked_batch(pieces)
    before = {name: id(parameter) for name, parameter in model.named_parameters(remove_duplicate=False)}
    loss, gradients = learned(model, batch)
    monkeypatch.setattr(precision, "rounded_weights", lambda *_: contextlib.nullcontext())
    expected, others = learned(model, batch)
    assert loss == expected
    assert gradients.keys() == others.keys()
    for key, gradient in gradients.items():
        if gradient is None or others[key] is None:
            assert gradient is others[key], key
        else:
            torch.testing.assert_close(gradient, others[key], rtol=0, atol=0, msg=key)
    assert before == {name: id(parameter) for name, parameter in model.named_parameters(remove_duplicate=False)}


LEARNING = {
    "low-rank updates": {"lora": {"rank": 2}},
    "frozen embeddings": {"freeze": ["embeddings"]},
    "a frozen encoder": {"freeze": ["encoder"]},
}


@pytest.mark.parametrize("what", LEARNING)
@pytest.mark.parametrize("name", sorted(known_architectures()))
def test_what_stays_gets_no_gradient_and_costs_none(monkeypatch, name, what):
    architecture = known_architectures()[name]
    if what == "low-rank updates" and not architecture.attention:
        pytest.skip(f"{name} has no low-rank updates")
    model, batch = model_of_family(architecture, True, WHOLE + 3), masked_batch(WHOLE + 3)
    Learning(model, AdaptSettings(**LEARNING[what]), torch.tensor([7, 9]), head_drawn=False)
    found = []
    for _ in range(2):
        with FlopCounterMode(display=False) as counter:
            loss, gradients = learned(model.train(), batch)
        found.append((loss, gradients, counter.get_total_flops()))
        monkeypatch.setattr(precision, "rounded_weights", lambda *_: contextlib.nullcontext())
    (loss, gradients, operations), (expected, others, fewest) = found
    assert loss == expected
    assert [key for key, gradient in gradients.items() if gradient is None] == [
        key for key, gradient in others.items() if gradient is None
    ]
    for key, gradient in gradients.items():
        assert gradient is None or torch.equal(gradient, others[key]), key
    assert operations == pytest.approx(fewest, rel=0.02)  # the output layer is a little longer


@pytest.mark.parametrize("bias", [True, False])
def test_a_lengthened_layer_ends_in_what_no_softmax_sees(bias):
    layer, vectors = nn.Linear(4, 5, bias=bias), torch.randn(3, 4)
    with torch.autocast("cpu", torch.bfloat16):
        plain = layer(vectors)
        with rounded_weights(layer, aligned=True):
            logits = layer(vectors)
    assert logits.shape == (3, MULTIPLE)
    assert torch.equal(logits[:, :5], plain)
    assert torch.isneginf(logits[:, 5:]).all()
    nn.functional.cross_entropy(logits.float(), torch.tensor([0, 4, 2])).backward()
    assert layer.weight.grad.shape == (5, 4)
    assert layer.weight.grad.isfinite().all()
    assert (layer.bias is None) is not bias


def test_an_error_within_leaves_the_parameters_in_their_places():
    layer = nn.Linear(4, 5, bias=False)
    weight = layer.weight
    with pytest.raises(RuntimeError, match="as in a step"), rounded_weights(layer, aligned=True):
        raise RuntimeError("as in a step")
    assert layer.weight is weight
    assert layer.bias is None


class Operations(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.counts = Counter()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.counts[function.name().partition(".")[0]] += 1
        return function(*args, **(kwargs or {}))


def test_fewer_operations_change_types(monkeypatch):
    model, batch = model_of_family(known_architectures()["bert"], True, WHOLE), masked_batch(WHOLE)
    counts = []
    for _ in range(2):
        with Operations() as operations:
            learned(model, batch)
        counts.append(operations.counts["aten::_to_copy"])
        monkeypatch.setattr(precision, "rounded_weights", lambda *_: contextlib.nullcontext())
    linear = sum(isinstance(layer, nn.Linear) for layer in model.bert.modules())
    assert counts[0] == counts[1] - 4 * linear - 4  # weight and bias, forward and backward, and the output layer's
