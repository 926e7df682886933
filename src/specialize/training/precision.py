"""How exact matrix products are: what the setting means on this machine, and having them computed so.

Weights, optimizer and losses are in float32 whatever it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from specialize.training.devices import device
from specialize.training.rounded_weights import rounded_weights


def resolved(setting: str) -> str:
    """What is done on this machine.

    Args:
        setting: `auto`, `float32`, `tf32` or `bfloat16`; see `settings.Precision`.

    Returns:
        `float32`, `tf32` or `bfloat16`.
    """
    on_gpu = device().type == "cuda"
    if setting == "auto":
        return "bfloat16" if on_gpu and torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    if setting == "tf32" and not (on_gpu and torch.cuda.is_tf32_supported()):
        return "float32"
    return setting


def use_precision(setting: str) -> str:
    """Have products of float32 matrices computed as a setting wants from here on; those in bfloat16 need
    `matrix_products` besides.

    Args:
        setting: as of `resolved`, whose result is returned.
    """
    precision = resolved(setting)
    if device().type == "cuda":
        # The newer `fp32_precision` says the same, but what asks torch by the older names then fails.
        torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
        torch.backends.cudnn.allow_tf32 = precision == "tf32"  # of LSTMs, by default true
        # cuDNN's attention, which torch would take first on the newest GPUs, makes a plan for every new shape of a
        # batch, and a step took three to ten times as long. The other kinds need none (benchmarks/README.md).
        torch.backends.cuda.enable_cudnn_sdp(False)
    return precision


@contextmanager
def matrix_products(precision: str, module: nn.Module, aligned: bool = False) -> Iterator[None]:
    """Within it, the products of a module's forward pass, and those of its backward pass, are of this precision.

    Args:
        precision: as `use_precision` returned it.
        module: what computes.
        aligned: have a layer's output end in logits of -∞ where its length is one that a GPU multiplies slowly.
    """
    if precision != "bfloat16":
        yield
        return
    with torch.autocast(device().type, torch.bfloat16), rounded_weights(module, aligned):
        yield


def where_and_how(precision: str) -> dict[str, str]:
    """For the record of a training: its `device` (a GPU's name, or cpu) and its resolved `precision`."""
    return {
        "device": torch.cuda.get_device_name() if device().type == "cuda" else "cpu",
        "precision": precision,
    }
