"""Groups of different sizes that follow one another in one flat array."""

from __future__ import annotations

from typing import Any

import numpy
from numpy.typing import NDArray

Integers = NDArray[numpy.int64]


def within(sizes: Integers) -> Integers:
    """The place of each item within its own group.

    Args:
        sizes: (groups,) items of each.
    """
    return numpy.arange(sizes.sum()) - numpy.repeat(numpy.cumsum(sizes) - sizes, sizes)


def items_of(sizes: Integers, chosen: NDArray[Any]) -> Integers:
    """The indices of all items of some groups, in the order in which these are chosen."""
    starts = (numpy.cumsum(sizes) - sizes)[chosen]
    return numpy.repeat(starts, sizes[chosen]) + within(sizes[chosen])
