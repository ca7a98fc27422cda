"""95 % intervals, equal to those of `parlance eval`: the same draws from the same generator."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")
_DRAWS = 1000


def bootstrap(
    items: Sequence[Item], statistic: Callable[[Sequence[Item]], float | None], seed: int = 1
) -> tuple[float, float] | None:
    """(low, high) by percentiles (Efron 1979; Bisani & Ney 2004); None for fewer than two items."""
    if len(items) < 2:
        return None
    random = _uniform(seed)
    draws = ([items[int(next(random) * len(items))] for _ in items] for _ in range(_DRAWS))
    values = [value for draw in draws if (value := statistic(draw)) is not None and np.isfinite(value)]
    return (float(np.quantile(values, 0.025)), float(np.quantile(values, 0.975))) if values else None


def _uniform(seed: int) -> Iterator[float]:
    """xorshift32 (Marsaglia 2003)."""
    state = seed or 1
    while True:
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        yield state / 2**32
