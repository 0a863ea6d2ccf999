"""B23: lower bounds on the energy and the arc length of functions of one input at a training error, and for densities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import sympy as sp

from theory.beyond import arc_length_proofs as proofs
from theory.checks import Array, exact_vector, nonnegative, rationals
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.enclosure import Enclosure, square_root
from theory.piecewise_linear import PiecewiseLinear
from theory.sources import HOUSE, Source
from theory.step_density import StepDensity
from theory.symbols import EDGES, EXACT_TARGETS, FITTED, HEIGHTS, INCREASING, POINTS, F, Symbol


def _error(name: str, value: Any) -> Fraction:
    return Fraction(nonnegative(name, value))


ERROR = Symbol("training_error", "e", "the largest mean squared error, at least 0", _error)
PIECE_MULTIPLIERS = Symbol(
    "multipliers", "(q_i)", "any numbers, one for each piece between data points, exact", exact_vector
)
MULTIPLIER = Symbol("multiplier", r"\mu", "a multiplier of the training error, above 0", _error)
RIVAL = Symbol("rival", "(w_i)", "values of another function at the data points, exact, [n]", exact_vector)


def differences(given: Instance) -> tuple[Array, Array]:
    """Return the distances of neighbouring data points and the changes of the values z, [n - 1] each."""
    return np.diff(given["x"]), np.diff(given["z"])


def density(given: Instance) -> StepDensity:
    """Return p."""
    return StepDensity(given["edges"], given["heights"])


def training_error(given: Instance) -> Fraction:
    """Return the mean of (z_i - y_i)^2, exactly."""
    off = given["z"] - given["y"]
    return Fraction((off * off).sum()) / len(off)


def one_a_piece(given: Instance) -> bool:
    """Return whether there is one multiplier for each piece."""
    return len(given["multipliers"]) == len(given["x"]) - 1


def pulls(given: Instance) -> list[Fraction]:
    """Return p_i = q_{i-1} - q_i with q_0 = q_n = 0, [n], exactly."""
    return [Fraction(a - b) for a, b in pairwise([Fraction(0), *given["multipliers"], Fraction(0)])]


def lost(given: Instance) -> Enclosure:
    """Return |p| sqrt(n e), what the training error takes from the bound at most."""
    size = sum((p * p for p in pulls(given)), Fraction(0))
    return square_root(size * len(given["x"]) * given["training_error"])


def _rise(given: Instance) -> Fraction:
    """Return sum q_i (y_{i+1} - y_i), exactly."""
    pairs = zip(given["multipliers"], np.diff(given["y"]), strict=True)
    return sum((q * change for q, change in pairs), Fraction(0))


def _energy_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    widths, changes = differences(given)
    energy = sum((d * d / (2 * g) for g, d in zip(widths, changes, strict=True)), Fraction(0))
    cost = sum((g * q * q / 2 for g, q in zip(widths, given["multipliers"], strict=True)), Fraction(0))
    return Enclosure.exactly(energy), Enclosure.exactly(_rise(given) - cost) + (-lost(given))


def _total(parts: Sequence[Enclosure]) -> Enclosure:
    return sum(parts, Enclosure.exactly(Fraction(0)))


def _length_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    widths, changes = differences(given)
    chords = [square_root(Fraction(g * g + d * d)) for g, d in zip(widths, changes, strict=True)]
    runs = [
        square_root(1 - Fraction(q * q)).times(Fraction(g)) for g, q in zip(widths, given["multipliers"], strict=True)
    ]
    return _total(chords), Enclosure.exactly(_rise(given)) + _total(runs) + (-lost(given))


def _reads(given: Instance) -> dict[str, Any]:
    """Return the pieces and the residuals r, and Q, which is q with a 0 before and one behind."""
    widths, changes = differences(given)
    off = given["z"] - given["y"]
    return {
        "m": len(widths),
        "g": widths,
        "d": changes,
        "e": np.diff(given["y"]),
        "q": list(given["multipliers"]),
        "Q": [0, *given["multipliers"], 0],
        "c": [sp.sqrt(sp.Rational(max(1 - q * q, Fraction(0)))) for q in given["multipliers"]],
        "r": list(off),
        "T": len(off) * given["training_error"],
    }


def _density_energy(given: Instance) -> Fraction:
    f, x = given["f"], given["x"]
    return density(given).energy(f, x[0], x[-1])


def resistances(given: Instance) -> list[Fraction | float]:
    """Return the integrals of 1/p between neighbouring data points, exactly; inf where p is 0 on a part."""
    return [density(given).resistance(a, b) for a, b in pairwise(given["x"])]


def rises(given: Instance) -> list[Fraction]:
    """Return what f changes by between neighbouring data points, exactly."""
    return [Fraction(d) for d in np.diff(given["f"](given["x"]))]


def _density_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    pairs = zip(rises(given), resistances(given), strict=True)
    least = sum((d * d / (2 * Fraction(width)) for d, width in pairs if width != math.inf), Fraction(0))
    return Enclosure.exactly(_density_energy(given)), Enclosure.exactly(least)


def parts(given: Instance) -> list[list[tuple[Fraction, Fraction]]]:
    """Return the resistances of the pieces of f and p in each gap, and what f changes by there, equally many, exactly."""
    f, p = given["f"], density(given)
    found = []
    for a, b in pairwise(given["x"]):
        pieces = p.pieces(a, b, f.knots)
        found.append([((v - u) / height, Fraction(f(v) - f(u))) for u, v, height in pieces])
    most = max(len(row) for row in found)
    cut = []
    for (width, change), *rest in found:
        many = most - len(rest)
        cut.append([*[(width / many, change / many)] * many, *rest])
    return cut


def _reads_density(given: Instance) -> dict[str, Any]:
    rows = parts(given)
    return {
        "r": len(rows),
        "k": len(rows[0]),
        "h": [[width for width, _ in row] for row in rows],
        "d": [[change for _, change in row] for row in rows],
        "s": [sum(d for _, d in row) / sum(h for h, _ in row) for row in rows],
    }


def _energy_of(widths: Any, values: Any) -> Fraction:
    return sum((d * d / (2 * g) for g, d in zip(widths, np.diff(values), strict=True)), Fraction(0))


def stationary(given: Instance) -> bool:
    """Return whether z solves the tridiagonal system: q_{i-1} - q_i = mu (y_i - z_i), q_i the slopes of the pieces."""
    widths, changes = differences(given)
    q = [Fraction(0), *(Fraction(d / g) for g, d in zip(widths, changes, strict=True)), Fraction(0)]
    gradient = rationals([a - b for a, b in pairwise(q)])
    return bool(np.all(gradient == given["multiplier"] * (given["y"] - given["z"])))


def _optimal_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    x, y, z, w, mu = (given[name] for name in ("x", "y", "z", "rival", "multiplier"))
    widths = np.diff(x)
    left = _energy_of(widths, w) + mu * Fraction(((w - y) ** 2).sum()) / 2
    apart = _energy_of(widths, w - z) + mu * Fraction(((w - z) ** 2).sum()) / 2
    right = _energy_of(widths, z) + mu * Fraction(((z - y) ** 2).sum()) / 2 + apart
    return Enclosure.exactly(left), Enclosure.exactly(right)


def _reads_optimal(given: Instance) -> dict[str, Any]:
    widths, changes = differences(given)
    beside = given["rival"] - given["z"]
    q = [Fraction(d / g) for g, d in zip(widths, changes, strict=True)]
    return {
        "m": len(widths),
        "g": widths,
        "mu": given["multiplier"],
        "a": changes,
        "b": np.diff(beside),
        "q": q,
        "Q": [0, *q, 0],
        "u": list(given["z"] - given["y"]),
        "v": list(beside),
    }


_WITHIN = Assumption(
    "the mean squared error of z is at most e",
    lambda given: training_error(given) - given["training_error"],
    lambda excess: excess <= 0,
)
_ONE_EACH = Assumption("there is one multiplier for each piece", one_a_piece, bool)

B23 = Claim(
    id="B23",
    source=Source(HOUSE, "B23, least Dirichlet energy"),
    statement=r"\tfrac1n \sum_i (f(x_i) - y_i)^2 \le e:\quad E(f) \ge \sum_i q_i (y_{i+1} - y_i) - "
    r"\tfrac12 \sum_i q_i^2 (x_{i+1} - x_i) - \sqrt{n e}\, |p|,\quad p_i = q_{i-1} - q_i",
    form=Form.AT_LEAST,
    symbols=(INCREASING, EXACT_TARGETS, FITTED, PIECE_MULTIPLIERS, ERROR),
    assumptions=(_ONE_EACH, _WITHIN),
    sides=_energy_sides,
    proof=proofs.least_energy,
    reads=_reads,
    finding=Finding.OURS,
    note="q_0 = q_n = 0. For the function that is linear between the data, than which none with its values has less "
    "energy (D5.a). Equality for the slopes q of the least function: `numerics.programs.least_dirichlet_energy` finds "
    "them, and this is its certificate.",
    extremal=Instance(
        {
            "x": rationals([0, 1]),
            "y": rationals([0, 3]),
            "z": rationals([1, 2]),
            "multipliers": rationals([1]),
            "training_error": Fraction(1),
        },
        "named",
    ),
)

B23A = Claim(
    id="B23.a",
    amends="B23",
    source=Source(HOUSE, "B23, least arc length"),
    statement=r"\tfrac1n \sum_i (f(x_i) - y_i)^2 \le e,\ |q_i| \le 1:\quad \int \sqrt{1 + f'^2} \ge "
    r"\sum_i q_i (y_{i+1} - y_i) + \sum_i \sqrt{1 - q_i^2}\, (x_{i+1} - x_i) - \sqrt{n e}\, |p|",
    form=Form.AT_LEAST,
    symbols=(INCREASING, EXACT_TARGETS, FITTED, PIECE_MULTIPLIERS, ERROR),
    assumptions=(
        _ONE_EACH,
        _WITHIN,
        Assumption("|q_i| <= 1", lambda given: max(map(abs, given["multipliers"])), lambda most: most <= 1),
    ),
    sides=_length_sides,
    proof=proofs.least_length,
    reads=_reads,
    finding=Finding.OURS,
    note="Equality for the sines q of the directions of the shortest function: `numerics.programs.least_arc_length`.",
    extremal=Instance(
        {
            "x": rationals([0, 4, 7]),
            "y": rationals([-3, 2, 11]),
            "z": rationals([0, 3, 7]),
            "multipliers": rationals([Fraction(3, 5), Fraction(4, 5)]),
            "training_error": Fraction(26, 3),
        },
        "named",
    ),
)

B23B = Claim(
    id="B23.b",
    amends="B23",
    source=Source(HOUSE, "B23, interpolants for a density"),
    statement=r"\tfrac12 \int f'^2\, p \ge \sum_i \frac{(f(x_{i+1}) - f(x_i))^2}{2 \int_{x_i}^{x_{i+1}} 1/p}",
    form=Form.AT_LEAST,
    symbols=(F, POINTS, EDGES, HEIGHTS),
    assumptions=(
        Assumption(
            "p is above 0 between the data",
            lambda given: density(given).resistance(given["x"][0], given["x"][-1]),
            lambda resistance: resistance < math.inf,
        ),
    ),
    sides=_density_sides,
    proof=proofs.with_a_density,
    reads=_reads_density,
    finding=Finding.OURS,
    note="With equality iff f' p is constant between neighbouring data points. Here p is constant between edges; the "
    "inequality is Cauchy's and Schwarz's for any p. Where p is 0 on an interval f changes there at no cost.",
    extremal=Instance(
        {
            "f": PiecewiseLinear([Fraction(1, 2)], [Fraction(-1)], Fraction(3, 2), Fraction(0)),
            "x": rationals([0, 1]),
            "edges": rationals([0, Fraction(1, 2), 1]),
            "heights": rationals([Fraction(1, 2), Fraction(3, 2)]),
        },
        "named",
    ),
)

B23C = Claim(
    id="B23.c",
    amends="B23",
    source=Source(HOUSE, "B23, the one function of least energy"),
    statement=r"L z = \mu (y - z):\quad E(w) + \tfrac\mu2 |w - y|^2 = E(z) + \tfrac\mu2 |z - y|^2 + E(w - z) + \tfrac\mu2 |w "
    r"- z|^2",
    form=Form.IDENTITY,
    symbols=(INCREASING, EXACT_TARGETS, FITTED, RIVAL, MULTIPLIER),
    assumptions=(Assumption("z solves the tridiagonal system", stationary, bool),),
    sides=_optimal_sides,
    proof=proofs.optimal,
    reads=_reads_optimal,
    finding=Finding.OURS,
    note="L has (L z)_i = q_{i-1} - q_i, q the slopes of the pieces. So z has the least energy at its training error, "
    "and for mu > 0 no other values have: as mu falls from inf to 0 it goes from the data to their mean.",
    extremal=Instance(
        {
            "x": rationals([0, 1]),
            "y": rationals([0, 3]),
            "z": rationals([1, 2]),
            "rival": rationals([2, 2]),
            "multiplier": Fraction(1),
        },
        "named",
    ),
)

CLAIMS = (B23, B23A, B23B, B23C)
