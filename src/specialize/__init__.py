"""Specialize a multilingual language model to one low-resource language, and measure whether it helped."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from specialize.finetuning.analysis import load as load

__version__ = "0.1.0"
__all__ = ["__version__", "load"]


def __getattr__(name: str) -> Any:
    """Find `load` when it is asked for: it imports torch, which nothing else needs to wait for."""
    if name == "load":
        return importlib.import_module("specialize.finetuning.analysis").load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
