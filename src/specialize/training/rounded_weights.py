"""The weights of linear layers, rounded to bfloat16 all at once.

`torch.autocast` rounds each by itself, and each gradient back: 300 operations in a step of BERT-base, for whose start a
GPU waits a quarter of the step where batches are small. The numbers are the same, but for a dropout of low-rank
updates, which `peft` then computes in bfloat16, too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn

# Products of matrices in bfloat16 take a GPU three times as long where a side is not a multiple of this: 16 bytes.
MULTIPLE = 8


@contextmanager
def rounded_weights(module: nn.Module, aligned: bool = False) -> Iterator[None]:
    """Within it, the weights and biases of a module's linear layers are in bfloat16; gradients go to its parameters.

    Args:
        module: a linear layer, or one that has some.
        aligned: lengthen each layer's output to a multiple of `MULTIPLE`, by logits of -∞, which no softmax sees.
    """
    layers = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
    held = [(layer, dict(layer._parameters)) for layer in layers]
    distinct = {id(one): one for _, parameters in held for one in parameters.values() if one is not None}
    multiple = MULTIPLE if aligned else 1
    rounded = dict(zip(distinct, _Rounded.apply(multiple, *distinct.values()), strict=True))  # type: ignore[no-untyped-call]
    try:
        for layer, parameters in held:  # as torch.func.functional_call does, in a fraction of its time
            for name, parameter in parameters.items():
                if parameter is not None:
                    layer._parameters[name] = rounded[id(parameter)]
            if aligned and layer.bias is None:
                layer._parameters["bias"] = _lengthened_bias(layer.weight, len(parameters["weight"]))
        yield
    finally:
        for layer, parameters in held:
            layer._parameters.update(parameters)


def _lengthened_bias(weight: Tensor, length: int) -> nn.Parameter:
    """The bias of a lengthened layer that has none."""
    bias = weight.new_zeros(len(weight))
    bias[length:] = -math.inf
    return cast("nn.Parameter", bias)


class _Rounded(torch.autograd.Function):
    """Matrices and vectors in bfloat16, whose gradients come back in their own type."""

    @staticmethod
    def forward(context: Any, multiple: int, *weights: Tensor) -> tuple[Tensor, ...]:
        """Each, its rows filled up to a multiple: a matrix with zeros, a vector with -∞."""
        context.set_materialize_grads(False)  # a weight that is not used gets no gradient
        context.lengths = [len(weight) for weight in weights]
        context.types = [weight.dtype for weight in weights]
        rounded = []
        for weight in weights:
            rows = -(-len(weight) // multiple) * multiple
            rounded.append(weight.new_empty(rows, *weight.shape[1:], dtype=torch.bfloat16))
            if rows > len(weight):
                rounded[-1][len(weight) :] = 0.0 if weight.dim() > 1 else -math.inf
        torch._foreach_copy_([one[: len(weight)] for one, weight in zip(rounded, weights, strict=True)], weights)
        learn = zip(rounded, context.needs_input_grad[1:], strict=True)
        context.mark_non_differentiable(*(one for one, learns in learn if not learns))  # or it would get a gradient
        return tuple(rounded)

    @staticmethod
    def backward(context: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        """Of each weight that was used."""
        known = zip(gradients, context.lengths, context.types, strict=True)
        found: list[Tensor | None] = [
            None if gradient is None else gradient.new_empty(length, *gradient.shape[1:], dtype=kind)
            for gradient, length, kind in known
        ]
        pairs = [(one, gradient) for one, gradient in zip(found, gradients, strict=True) if one is not None]
        if pairs:
            of_weights = [one for one, _ in pairs]
            torch._foreach_copy_(of_weights, [cast("Tensor", gradient)[: len(one)] for one, gradient in pairs])
        return None, *found
