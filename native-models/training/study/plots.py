"""Charts as SVG, the same to the byte from the same figures, readable on light and on dark pages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

_WIDTH, _HEIGHT = 640, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 150, 34, 52
_COLOURS = ("#3b7dd8", "#d9622b", "#2f9e6e", "#a05cc7", "#c2962a", "#7a7f87")
_STYLE = """text{font:12px system-ui,sans-serif;fill:#444}.title{font-size:14px;font-weight:600}
.axis{stroke:#888;fill:none}.grid{stroke:#8883;fill:none}
@media(prefers-color-scheme:dark){text{fill:#ccc}}"""


@dataclass(frozen=True)
class Line:
    name: str
    points: Sequence[tuple[float, float]]
    dashed: bool = False
    """Not measured: fitted or extrapolated."""
    dots: bool = True
    labels: Sequence[str] = field(default_factory=tuple)
    """Beside the dots."""
    joined: bool = True


@dataclass(frozen=True)
class Axis:
    name: str
    logarithmic: bool = False
    least: float | None = None
    most: float | None = None


class _Scale:
    def __init__(self, axis: Axis, values: Sequence[float], start: float, end: float) -> None:
        self.axis, self.start, self.end = axis, start, end
        low = min(values) if axis.least is None else axis.least
        high = max(values) if axis.most is None else axis.most
        if axis.logarithmic:
            self.low, self.high = math.log10(low), math.log10(max(high, low * 1.01))
        else:
            room = 0.05 * ((high - low) or 1.0)
            self.low = low - room if axis.least is None else low
            self.high = high + room if axis.most is None else high

    def place(self, value: float) -> float:
        inner = math.log10(value) if self.axis.logarithmic else value
        return self.start + (inner - self.low) / ((self.high - self.low) or 1.0) * (self.end - self.start)

    def ticks(self) -> list[float]:
        if self.axis.logarithmic:
            powers = range(math.floor(self.low), math.ceil(self.high) + 1)
            marks = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
            return [mark for mark in marks if self.low - 1e-9 <= math.log10(mark) <= self.high + 1e-9]
        rough = (self.high - self.low) / 5
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough)
        first = math.ceil(self.low / step)
        return [number * step for number in range(first, math.floor(self.high / step + 1e-9) + 1)]


def chart(title: str, x: Axis, y: Axis, lines: Sequence[Line]) -> str:
    """All points of all lines; throws ValueError where there are none."""
    points = [point for line in lines for point in line.points]
    if not points:
        raise ValueError(f"{title}: nothing to draw")
    across = _Scale(x, [point[0] for point in points], _LEFT, _WIDTH - _RIGHT)
    up = _Scale(y, [point[1] for point in points], _HEIGHT - _BOTTOM, _TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
        f'<text class="title" x="{_LEFT}" y="18">{escape(title)}</text>',
    ]
    for tick in across.ticks():
        place = _number(across.place(tick))
        parts.append(f'<path class="grid" d="M{place} {_TOP}V{_HEIGHT - _BOTTOM}"/>')
        parts.append(f'<text x="{place}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle">{_number(tick)}</text>')
    for tick in up.ticks():
        place = _number(up.place(tick))
        parts.append(f'<path class="grid" d="M{_LEFT} {place}H{_WIDTH - _RIGHT}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{place}" dy="4" text-anchor="end">{_number(tick)}</text>')
    middle = (_TOP + _HEIGHT - _BOTTOM) / 2
    parts += [
        f'<path class="axis" d="M{_LEFT} {_TOP}V{_HEIGHT - _BOTTOM}H{_WIDTH - _RIGHT}"/>',
        f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 14}" text-anchor="middle">{escape(x.name)}</text>',
        f'<text transform="translate(16 {middle}) rotate(-90)" text-anchor="middle">{escape(y.name)}</text>',
    ]
    for number, line in enumerate(lines):
        parts += _drawn(line, _COLOURS[number % len(_COLOURS)], across, up)
        place = _TOP + 8 + 18 * number
        dash = ' stroke-dasharray="5 4"' if line.dashed else ""
        colour = _COLOURS[number % len(_COLOURS)]
        left = _WIDTH - _RIGHT + 10
        parts.append(f'<path d="M{left} {place}h18" stroke="{colour}" stroke-width="2.5"{dash}/>')
        parts.append(f'<text x="{left + 24}" y="{place + 4}">{escape(line.name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _drawn(line: Line, colour: str, across: _Scale, up: _Scale) -> list[str]:
    places = [(across.place(x), up.place(y)) for x, y in line.points]
    dash = ' stroke-dasharray="5 4"' if line.dashed else ""
    parts = []
    if line.joined and len(places) > 1:
        path = "L".join(f"{_number(x)} {_number(y)}" for x, y in places)
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
    if line.dots:
        parts += [f'<circle cx="{_number(x)}" cy="{_number(y)}" r="3.5" fill="{colour}"/>' for x, y in places]
    for (x, y), label in zip(places, line.labels, strict=False):
        parts.append(f'<text x="{_number(x + 6)}" y="{_number(y - 5)}">{escape(label)}</text>')
    return parts


def _number(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"
