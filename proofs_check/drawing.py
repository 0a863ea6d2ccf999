"""Small line drawings as SVG that takes its colours from the page: panels with axes, lines, areas, dots and words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup, escape

Point = tuple[float, float]

WIDTH = 340.0
"""Of every drawing, in pixels before it is scaled to the page."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 34.0, 8.0, 10.0, 20.0
_MOST_TICKS = 5
_DOT, _RING = 2.7, 4.5


@dataclass
class Panel:
    """A plot of a rectangle of the plane.

    Attributes:
        x: what the horizontal axis spans.
        y: what the vertical axis spans.
        height: in pixels, axis and margins included.
        across: what the horizontal axis shows.
        up: what the vertical axis shows.
        equal: whether a unit is as long on both axes; `y` then gives way.
    """

    x: Point
    y: Point
    height: float = 150.0
    across: str = ""
    up: str = ""
    equal: bool = False
    _marks: list[Markup] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.equal:
            unit = (WIDTH - _LEFT - _RIGHT) / (self.x[1] - self.x[0])
            self.height = unit * (self.y[1] - self.y[0]) + _TOP + _BOTTOM

    def at(self, point: Point) -> Point:
        """Return where a point lies in the drawing, in pixels."""
        (x0, x1), (y0, y1) = self.x, self.y
        inner = self.height - _TOP - _BOTTOM
        across = _LEFT + (point[0] - x0) / (x1 - x0) * (WIDTH - _LEFT - _RIGHT)
        return across, _TOP + (y1 - point[1]) / (y1 - y0) * inner

    def line(self, points: Iterable[Point], kind: str = "line") -> None:
        """Draw a line through points."""
        self._marks.append(Markup('<polyline class="{}" points="{}"/>').format(kind, self._path(points)))

    def area(self, points: Iterable[Point], kind: str = "area") -> None:
        """Fill a polygon."""
        self._marks.append(Markup('<polygon class="{}" points="{}"/>').format(kind, self._path(points)))

    def dots(self, points: Iterable[Point], kind: str = "dot") -> None:
        """Draw a dot at each point that lies in the panel, a ring around it for the kind "knot"."""
        size = _RING if kind == "knot" else _DOT
        for point in points:
            if self.x[0] <= point[0] <= self.x[1] and self.y[0] <= point[1] <= self.y[1]:
                x, y = self.at(point)
                self._marks.append(
                    Markup('<circle class="{}" cx="{}" cy="{}" r="{}"/>').format(kind, _px(x), _px(y), size)
                )

    def upright(self, places: Iterable[float], kind: str = "hair") -> None:
        """Draw a vertical line over the whole height at each place that lies in the panel."""
        for place in places:
            if self.x[0] <= place <= self.x[1]:
                self.line([(place, self.y[0]), (place, self.y[1])], kind)

    def word(self, point: Point, text: str, anchor: str = "start") -> None:
        """Write a word at a point; anchor says which part of it is there: "start", "middle" or "end"."""
        x, y = self.at(point)
        self._marks.append(
            Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(_px(x), _px(y), anchor, text)
        )

    def svg(self) -> Markup:
        """Return the marks over their axes."""
        left, bottom = self.at((self.x[0], self.y[0]))
        right, top = self.at((self.x[1], self.y[1]))
        axes = [Markup('<path class="axis" d="M{} {}V{}H{}"/>').format(_px(left), _px(top), _px(bottom), _px(right))]
        for tick in ticks(*self.x):
            x, _ = self.at((tick, self.y[0]))
            axes.append(_label(x, bottom + 13, f"{tick:g}", "middle"))
        for tick in ticks(*self.y):
            _, y = self.at((self.x[0], tick))
            axes.append(_label(left - 5, y + 3.5, f"{tick:g}", "end"))
        names = [
            _label(right, bottom - 4, self.across, "end", "name"),
            _label(left + 5, top + 4, self.up, "start", "name"),
        ]
        return Markup("").join([*axes, *self._marks, *names])

    def _path(self, points: Iterable[Point]) -> str:
        return " ".join(f"{_px(x)},{_px(y)}" for x, y in map(self.at, points))


def drawing(panels: Sequence[Panel], label: str) -> Markup:
    """Return panels below each other as one SVG, with a label for those who cannot see it."""
    top, parts = 0.0, []
    for panel in panels:
        parts.append(Markup('<g transform="translate(0 {})">{}</g>').format(_px(top), panel.svg()))
        top += panel.height
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        _px(WIDTH), _px(top), label, Markup("").join(parts)
    )


def ticks(low: float, high: float) -> list[float]:
    """Return a few round numbers from low to high, low < high."""
    rough = (high - low) / _MOST_TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(step for step in (power, 2 * power, 5 * power, 10 * power) if step >= rough)
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 12) + 0.0 for i in range(first, math.floor(high / step + 1e-9) + 1)]


def span(values: Iterable[float], margin: float) -> Point:
    """Return the range of some numbers, wider by a share of it on either side; of one number, a unit around it."""
    found = list(values)
    low, high = min(found), max(found)
    room = margin * (high - low) if high > low else 0.5
    return low - room, high + room


def _label(x: float, y: float, text: str, anchor: str, kind: str = "tick") -> Markup:
    if not text:
        return Markup("")
    return Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>').format(
        kind, _px(x), _px(y), anchor, escape(text)
    )


def _px(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
