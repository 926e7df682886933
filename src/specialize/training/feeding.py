"""Batches on their way to the device: made ahead by another thread, and copied without making anyone wait."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

Item = TypeVar("Item")

AHEAD = 3  # batches that are made before they are asked for


def on_device(batch: Item, device: torch.device) -> Item:
    """The same batch with its tensors on a device.

    From pinned memory, the copy goes on while the CPU does what comes next.

    Args:
        batch: a tensor, or a dataclass, dictionary, list or tuple of such; what else there is stays as it is.
        device: where to.
    """
    moved: Item = _mapped(lambda tensor: tensor.to(device, non_blocking=True), batch)
    return moved


def pinned(batch: Item) -> Item:
    """The same batch with its tensors in memory that a GPU reads by itself; what it may be, see `on_device`."""
    copy: Item = _mapped(Tensor.pin_memory, batch)
    return copy


def _mapped(function: Callable[[Tensor], Tensor], batch: Any) -> Any:
    if isinstance(batch, Tensor):
        return function(batch)
    if is_dataclass(batch) and not isinstance(batch, type):
        return replace(batch, **{one.name: _mapped(function, getattr(batch, one.name)) for one in fields(batch)})
    if isinstance(batch, dict):
        return {key: _mapped(function, value) for key, value in batch.items()}
    if isinstance(batch, (list, tuple)):
        return type(batch)(_mapped(function, one) for one in batch)
    return batch


def fed(items: Generator[Item, None, None], device: torch.device) -> Generator[Item, None, None]:
    """The same items; for a GPU made ahead, and pinned. A CPU that computes has nothing to do it with.

    Args:
        items: see `made_ahead`.
        device: the one that computes.
    """
    if device.type != "cuda":
        return items
    return made_ahead((pinned(item) for item in items), lambda: torch.cuda.set_device(device))


def made_ahead(
    items: Generator[Item, None, None], prepare: Callable[[], object] = lambda: None
) -> Generator[Item, None, None]:
    """The same items in the same order, made by another thread, a few before they are asked for.

    Closing this iterator ends the thread. An error in making an item is raised where that item is asked for.

    Args:
        items: making them must draw nothing from a generator of random numbers that others use.
        prepare: called in the thread before anything else.
    """
    end = object()
    thread = ThreadPoolExecutor(1, initializer=prepare)
    try:
        waiting: deque[Any] = deque(thread.submit(next, items, end) for _ in range(AHEAD))
        while (item := waiting.popleft().result()) is not end:
            waiting.append(thread.submit(next, items, end))
            yield item
    finally:
        thread.shutdown(cancel_futures=True)
