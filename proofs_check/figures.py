"""The figure of a claim, drawn from the instance in its row, where a drawing says more than the numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import sympy as sp
from markupsafe import Markup

from proofs_check.drawing import Panel, Point, drawing, span
from proofs_check.row import Row, Stored
from proofs_check.values import EncodingError, decoded
from theory.checks import Array
from theory.claim import Ruling
from theory.linear_stability import moments, noise_share
from theory.piecewise_linear import PiecewiseLinear
from theory.stability_weight import Distribution, Side, population_weight, stability_weight
from theory.two_layer import Weights

_POPULATIONS: tuple[tuple[str, Distribution], ...] = (
    ("dashed", "uniform"),
    ("line", "gaussian"),
    ("dotted", "laplace"),
)
_SIDES: tuple[Side, Side, Side] = ("right", "at", "left")
_NAMES_G = re.compile(r"(?<![a-zA-Z\\])g(?![a-zA-Z])")
_LARGEST = 1e6
"""Numbers beyond this size are not drawn."""


@dataclass(frozen=True)
class Figure:
    """A drawing and what it shows."""

    svg: Markup
    caption: str


def figure(row: Row) -> Figure | None:
    """Return the figure of a claim, or None where the numbers of its instance do as well."""
    if row.id == "M10":
        return _populations()
    shown: tuple[tuple[str, Stored | None], ...] = (
        ("The witness" if row.witness_ruling is Ruling.HOLDS else "The counterexample", row.witness),
        ("The extremal instance", row.extremal),
        ("The tightest instance", row.slack_instance),
    )
    for name, instance in shown:
        given = _numbers(instance)
        draw = next((draw for needed, draw in _DRAWN if needed <= given.keys()), None)
        if draw is None:
            continue
        try:
            return draw(given, name, row)
        except (ValueError, TypeError, OverflowError, ZeroDivisionError):
            continue  # stored values that no claim would take, or numbers too far apart to draw
    return None


def _numbers(instance: Stored | None) -> dict[str, Any]:
    """Return those values of a stored instance that can be read and drawn, and the pieces of functions."""
    found: dict[str, Any] = {}
    for name, code in (instance["given"] if instance else {}).items():
        try:
            value = _pieces(code) if name == "pieces" else decoded(code)
        except EncodingError:
            continue
        if isinstance(value, _OF_A_NETWORK.get(name, object)):  # the weights of one unit are no network
            found[name] = value
    return found


def _of_a_network(given: Mapping[str, Any], name: str, row: Row) -> Figure:
    """Draw a function on the line, with what the claim says of it below: its slope, or the weight g of its knots."""
    f = _in_floats(given["f"] if "f" in given else PiecewiseLinear.from_weights(given["weights"].rational()))
    x = np.sort(_floats(given.get("x", [])))
    interval = _floats(given.get("interval", []))
    where = span([*x, *interval] or [*_floats(f.knots), float(f.anchor)], 0.25)
    inside = [float(knot) for knot in f.knots if where[0] < knot < where[1]]
    line = _graph(f, sorted([where[0], *inside, where[1]]))
    targets = _floats(given["y"]) if "y" in given else f(np.asarray(x))
    data = list(zip(np.asarray(_floats(given.get("x", []))) if "y" in given else x, targets, strict=True))
    top = Panel(where, span([*(v for _, v in line), *(float(v) for _, v in data)], 0.15), up="f")
    words = [f"{name}: f (line)"]
    if len(interval):
        _shade(top, interval)
        words.append("on the interval (shaded)")
    other = _compared(f, x, given, interval)
    if other is not None:
        top.line(_graph(other, sorted([*where, *(k for k in other.knots if where[0] < k < where[1])])), "dashed")
        words.append("the path through the sampled points (dashed)" if "points" in given else "the spline (dashed)")
    top.line(line)
    top.dots([(knot, float(f(knot))) for knot in inside], "knot")
    top.dots(data)
    words += ["its knots (rings)"] * bool(inside) + ["the data (dots)"] * bool(len(data))
    panels = [top]
    if len(x) > 1 and _NAMES_G.search(row.statement):
        panels.append(_weight_panel(where, x, given, inside))
        whose = " of all units" if "weights" in given else ""
        words.append(f"and below it the weight g, with lines at the knots{whose}")
    elif "weights" in given and len(interval) and "points" not in given:
        panels.append(_slope_panel(where, f, given["weights"], interval))
        words.append("and below it f' with its postulated values at the knots (dots)")
    caption = ", ".join(words) + "."
    return Figure(drawing(panels, caption), caption)


def _in_floats(f: PiecewiseLinear) -> PiecewiseLinear:
    return PiecewiseLinear(_floats(f.knots), _floats(f.jumps), float(f.slope), float(f.value), float(f.anchor))


def _floats(values: Any) -> Array:
    """Return numbers as floats, [n].

    Raises:
        ValueError: if one is too large to draw.
    """
    array = np.array([float(v) for v in values], dtype=np.float64)
    if np.any(np.abs(array) > _LARGEST):
        raise ValueError(f"only numbers up to {_LARGEST:g} are drawn, got {array}")
    return array


def _graph(f: PiecewiseLinear, places: list[float]) -> list[Point]:
    return list(zip(places, f(np.array(places)).tolist(), strict=True))


def _compared(f: PiecewiseLinear, x: Array, given: Mapping[str, Any], interval: Array) -> PiecewiseLinear | None:
    """Return the interpolant that a claim holds f against: at its data, or at equidistant points."""
    if "points" in given and len(interval):
        x = np.linspace(interval[0], interval[1], int(given["points"]))
    elif "f" not in given:
        return None
    return PiecewiseLinear.interpolate(x, f(x)) if len(x) > 1 else None


def _shade(panel: Panel, interval: Array) -> None:
    low, high = (float(end) for end in interval)
    panel.area([(low, panel.y[0]), (high, panel.y[0]), (high, panel.y[1]), (low, panel.y[1])], "shade")


def _weight_panel(where: Point, x: Array, given: Mapping[str, Any], knots: list[float]) -> Panel:
    curve = _weight_curve(x, (max(2, 160 // len(x))))
    panel = Panel(where, (0.0, 1.15 * max(v for _, v in curve) or 1.0), height=110, up="g")
    panel.area(curve)
    panel.line([(where[0], 0.0), *curve, (where[1], 0.0)])
    panel.dots([(float(v), 0.0) for v in x])
    weights = given.get("weights")
    panel.upright(knots if weights is None else _unit_knots(weights))
    return panel


def _weight_curve(x: Array, samples: int) -> list[Point]:
    """Return points on the graph of g, both its limits at every data point included."""
    found: list[Point] = []
    for low, high in pairwise(x):
        places = np.linspace(low, high, samples + 1)
        for place, side in zip((places[:1], places[1:-1], places[-1:]), _SIDES, strict=True):
            found += zip(place.tolist(), stability_weight(place, x, side=side).tolist(), strict=True)
    return found


def _unit_knots(weights: Weights) -> list[float]:
    exact = weights.rational()
    return [float(-b / w) for w, b in zip(exact.w1, exact.b1, strict=True) if w != 0]


def _slope_panel(where: Point, f: PiecewiseLinear, weights: Weights, interval: Array) -> Panel:
    """Draw f' with the values that it has at knots if a unit's derivative at 0 is taken as that on its active side."""
    slopes = [float(slope) for slope in f.slopes]
    panel = Panel(where, span([*slopes, 0.0], 0.2), height=110, up="f\u2032")
    _shade(panel, interval)
    ends = [-math.inf, *(float(knot) for knot in f.knots), math.inf]
    for (low, high), slope in zip(pairwise(ends), slopes, strict=True):
        start, end = max(low, where[0]), min(high, where[1])
        if start < end:
            panel.line([(start, slope), (end, slope)])
    exact = weights.rational()
    for knot in {-b / w for w, b in zip(exact.w1, exact.b1, strict=True) if w != 0}:
        active = exact.w1 * knot + exact.b1 >= 0
        panel.dots([(float(knot), float((exact.w1 * exact.w2)[active].sum()))])
    return panel


def _pieces(code: Any) -> list[tuple[sp.Expr, float, float]]:
    """Return stored pieces of a function, (expression in t, from, to), read from their text.

    Raises:
        EncodingError: if they are none.
    """
    found = []
    try:
        for piece in code["tuple"]:
            texts = [str(next(iter(part.values()))) for part in piece["tuple"]]
            if len(texts) != 3 or not all(re.fullmatch(r"[-+*/() t\d.]{1,60}", text) for text in texts):
                raise EncodingError(f"no piece of a polynomial function: {texts}")
            expression, low, high = (sp.sympify(text) for text in texts)
            found.append((expression, float(low), float(high)))
    except (KeyError, TypeError, AttributeError, StopIteration, sp.SympifyError) as error:
        raise EncodingError(f"the pieces {str(code)[:80]} cannot be read") from error
    return found


def _of_pieces(given: Mapping[str, Any], name: str, row: Row) -> Figure:
    """Draw a piecewise polynomial against the line through its joints, or between its ends if its pieces are straight."""
    pieces, t = given["pieces"], sp.Symbol("t")
    bent = any(sp.diff(expression, t, 2) != 0 for expression, _, _ in pieces)
    line = [
        (float(s), float(expression.subs(t, s)))
        for expression, low, high in pieces
        for s in np.linspace(low, high, 25 if bent else 2)
    ]
    panel = Panel(span([s for s, _ in line], 0.1), span([v for _, v in line], 0.2), up="f")
    joints = [(low, float(e.subs(t, low))) for e, low, _ in pieces] + line[-1:]
    panel.line(joints if bent else [joints[0], joints[-1]], "dashed")
    panel.line(line)
    panel.dots(joints)
    other = "the line through the joints of its pieces" if bent else "the line between its ends"
    caption = f"{name}: f (line), and {other} (dashed)."
    return Figure(drawing([panel], caption), caption)


def _of_samples(given: Mapping[str, Any], name: str, row: Row) -> Figure | None:
    """Draw the plane of mean and spread in which the stability of SGD in one dimension is a half-disc."""
    hessians, eta = given["hessians"], float(given["step_size"])
    if row.paper != "walker2023":
        return None
    mean, sigma = (np.asarray(matrix, dtype=np.float64) for matrix in moments(hessians))
    share = float(noise_share(len(hessians), int(given["batch_size"])))
    a = eta * float(np.linalg.eigvalsh(mean)[-1])
    s = eta * math.sqrt(max(0.0, share * float(np.linalg.eigvalsh(sigma)[-1])))
    panel = Panel(
        (min(-0.1, a - 0.1), max(2.3, a + 0.1)),
        (0.0, max(1.25, s + 0.1)),
        across="\u03b7a",
        up="\u03b7s\u221ap",
        equal=True,
    )
    panel.area([(0, 0), (2, 0), (2, 1), (0, 1)], "shade")
    angles = np.linspace(0, math.pi, 61)
    disc = [(1 + math.cos(angle), math.sin(angle)) for angle in angles]
    panel.area(disc)
    panel.line(disc)
    panel.dots([(a, s)], "mark")
    caption = (
        "Mean against spread, times the step size. In one dimension SGD is stable exactly in the half-disc (W1.a); eq 2 "
        f"asks for the rectangle (shaded). {name} (dot) lies at ({a:.4g}, {s:.4g}), in dimension {len(mean)}."
    )
    return Figure(drawing([panel], caption), caption)


def _of_modes(given: Mapping[str, Any], name: str, row: Row) -> Figure:
    """Draw the first steps of gradient descent in the plane, and the ball that a stable minimum would keep it in.

    Raises:
        ValueError: if a step leads further out than is drawn.
    """
    point = _floats(given["start"])
    radius, path = float(np.linalg.norm(point)), [point]
    for _ in range(6):
        hessian = next((_matrix(h) for h, rays in given["modes"] if _inside(_matrix(rays), path[-1])), np.zeros((2, 2)))
        path.append(path[-1] - float(given["step_size"]) * (hessian @ path[-1]))
    reach = 1.15 * max(radius, *(float(np.abs(place).max()) for place in path))
    if not 0 < reach <= _LARGEST:
        raise ValueError(f"only numbers up to {_LARGEST:g} are drawn, got {reach:g}")
    panel = Panel((-reach, reach), (-reach, reach), equal=True)
    angles = np.linspace(0, 2 * math.pi, 73)
    ball = [(radius * math.cos(angle), radius * math.sin(angle)) for angle in angles]
    panel.area(ball, "shade")
    for _, rays in given["modes"]:
        for ray in _matrix(rays):
            tip = ray / np.abs(ray).max() * reach
            panel.line([(0.0, 0.0), (float(tip[0]), float(tip[1]))], "hair")
    steps = [(float(place[0]), float(place[1])) for place in path]
    panel.line(steps)
    panel.dots(steps[1:], "knot")
    panel.dots(steps[:1])
    caption = f"{name}: gradient descent from the dot, in the cones of the modes; the disc is as far out as it started."
    return Figure(drawing([panel], caption), caption)


def _matrix(entries: Any) -> Array:
    return np.asarray(entries, dtype=np.float64)


def _inside(rays: Array, point: Array) -> bool:
    shares = np.linalg.solve(rays.T, point)
    return bool(np.all(shares >= -1e-12))


def _populations() -> Figure:
    """Draw g of the three populations, and of a sample from one of them."""
    places = np.linspace(-3, 3, 121)
    curves = {kind: population_weight(places, name) for kind, name in _POPULATIONS}
    sample = np.random.default_rng(0).standard_normal(20)
    drawn = _weight_curve(np.sort((sample - sample.mean()) / sample.std()), 8)
    highest = max(*(float(g.max()) for g in curves.values()), *(g for _, g in drawn))
    panel = Panel((-3.0, 3.0), (0.0, 1.15 * highest), height=170, up="g")
    panel.area(drawn)
    for kind, g in curves.items():
        panel.line(zip(places.tolist(), g.tolist(), strict=True), kind)
    caption = (
        "The weight g of the uniform (dashed), the Gaussian (line) and the Laplace distribution (dotted) with mean 0 and "
        "variance 1; filled, that of 20 standardised Gaussian samples."
    )
    return Figure(drawing([panel], caption), caption)


_OF_A_NETWORK: Mapping[str, type] = {"weights": Weights, "f": PiecewiseLinear}
"""What is drawn as a network; other claims may use the same names for something else."""

_DRAWN: tuple[tuple[set[str], Callable[[Mapping[str, Any], str, Row], Figure | None]], ...] = (
    ({"pieces"}, _of_pieces),
    ({"hessians", "step_size", "batch_size"}, _of_samples),
    ({"modes", "start", "step_size"}, _of_modes),
    ({"weights"}, _of_a_network),
    ({"f"}, _of_a_network),
)
"""The symbols that a drawing needs; the first whose symbols an instance has is made."""
