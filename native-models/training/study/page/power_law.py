"""y = factor · x^−exponent through points, by least squares of the logarithms."""

from __future__ import annotations

import math
from collections.abc import Sequence


def power_law(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """(factor, exponent); all coordinates above 0, two different x at least."""
    xs, ys = [math.log(x) for x, _ in points], [math.log(y) for _, y in points]
    x_mean, y_mean = sum(xs) / len(xs), sum(ys) / len(ys)
    across = sum((x - x_mean) ** 2 for x in xs)
    slope = sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True)) / across
    return math.exp(y_mean - slope * x_mean), -slope
