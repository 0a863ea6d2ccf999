"""Minima that do not interpolate: M6 with a term in the loss (B7)."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp

from theory.assumptions import off_the_data
from theory.beyond import training_loss_bounds, training_loss_proofs
from theory.checks import Array, data_set, dot, rationals
from theory.claim import Claim, Finding, Form, Instance
from theory.curvature import curvature_enclosure
from theory.enclosure import Enclosure, square_root, top_eigenvalue
from theory.extremes import leading, nearly
from theory.sharpness import balanced_pair, hessian, hessian_top
from theory.sources import LIANG2025, Source
from theory.symbols import WEIGHTS, X, Y


def loss_sides(given: Instance, squared_factor: Callable[[Array], Enclosure]) -> tuple[Enclosure, Enclosure]:
    """Return int |f''| g, and lambda_max/2 - 1/2 + sqrt(factor^2 2 L), L the loss and the factor a function of x."""
    weights, x, y = given["weights"], given["x"], given["y"]
    data_set(x, y, fewest=1)
    residuals = weights.rational()(rationals(x)) - rationals(y)
    factor, twice_loss = squared_factor(rationals(x)), Fraction(dot(residuals, residuals)) / len(x)
    ends = [square_root(Fraction(end) * twice_loss) for end in (factor.lower, factor.upper)]
    term = Enclosure(ends[0].lower, ends[1].upper)
    top = hessian_top(weights, x, y)
    half = Fraction(1, 2)
    limit = Enclosure(half * Fraction(top.lower) - half + term.lower, half * Fraction(top.upper) - half + term.upper)
    return curvature_enclosure(weights, x), limit


def printed_factor(x: Array) -> Enclosure:
    """Return (R + 1)^2, R = max |x_j|, for rational x [n]."""
    return Enclosure.exactly((max(abs(v) for v in x) + 1) ** 2)


def sharp_factor(x: Array) -> Enclosure:
    """Return M/4, M the top eigenvalue of the second moments of (X, 1), for rational x [n]."""
    mean, square = (Fraction(sum(x**power, Fraction(0))) / len(x) for power in (1, 2))
    top = top_eigenvalue(np.array([[square, mean], [mean, Fraction(1)]], dtype=object))
    return Enclosure(Fraction(top.lower) / 4, Fraction(top.upper) / 4)


def _at_this_loss(given: Instance, term: Callable[[Array, float], float]) -> float:
    """lambda_max/2 - 1/2 and a term in x and the loss, in floats; with lambda_max = 2/eta it is M6's bound and the term."""
    weights, x, y = given["weights"], given["x"], given["y"]
    residuals = weights(x) - y
    return (
        float(hessian_top(weights, x, y).midpoint) / 2 - 0.5 + term(x, float(dot(residuals, residuals)) / (2 * len(x)))
    )


def _at_zero_loss() -> Instance:
    attaining = balanced_pair()
    return Instance({**attaining, "y": attaining["weights"](attaining["x"])}, "named")


def _sides_of(knots: Array, x: Array) -> tuple[Array, Array]:
    """Return g_+ and g_- at some knots from the points on either side, as sympy numbers, [m] each."""
    found = []
    for t in knots:
        pair = []
        for side in (1, -1):
            on = rationals((side * (x - t) > 0).astype(int))
            gaps, total, count = (Fraction(np.sum(part * on)) for part in (side * (x - t), x, on))
            squared = gaps**2 * (total**2 + count**2)
            pair.append(sp.sqrt(sp.Rational(squared.numerator, squared.denominator)) / len(x) ** 2)
        found.append(pair)
    right, left = zip(*found, strict=True)
    return np.array(right, dtype=object), np.array(left, dtype=object)


def _reads_units(given: Instance) -> dict[str, Any]:
    """Return what the proofs speak of: lambda, M, L, and of each unit its part of q = Phi 1, its block and its weights g."""
    weights, x, y = given["weights"].rational(), rationals(given["x"]), rationals(given["y"])
    k, n = weights.width, len(x)
    residuals, features = weights(x) - y, weights.tangent_features(x)
    q = features.sum(axis=0)
    blocks = weights.residual_hessian(x, residuals)
    whole = hessian(weights, x, y)
    top = leading(whole, rationals(np.eye(len(whole), dtype=int)))
    mean, square = (sp.Rational(*Fraction(np.sum(x**power) / n).as_integer_ratio()) for power in (1, 2))
    steep = weights.w1 != 0
    knots = rationals([-b / w if w else x[0] for w, b in zip(weights.w1, weights.b1, strict=True)])
    sizes = weights.w2 * abs(weights.w1)
    right, left = _sides_of(knots, x) if k else (np.array([0]), np.array([0]))
    faces = weights.w1 > 0
    jumps = [sum(sizes[steep & (knots == t)], Fraction(0)) for t in knots]
    units = {
        "u": q[:k],
        "v": q[k : 2 * k],
        "w": q[2 * k : 3 * k],
        "a": np.diag(blocks[:k, 2 * k : 3 * k]),
        "b": np.diag(blocks[k : 2 * k, 2 * k : 3 * k]),
        "s": sizes,
        "sigma": [1 if jump >= 0 else -1 for jump in jumps],
        "H": np.where(faces, right, left),
        "O": np.where(faces, left, right),
    }
    return {
        "n": n,
        "lambda": nearly(Fraction(dot(top, whole @ top)) / dot(top, top)),
        "M": (square + 1 + sp.sqrt((square - 1) ** 2 + 4 * mean**2)) / 2,
        "L": Fraction(dot(residuals, residuals)) / (2 * n),
        "R": max(abs(x)),
        "k": features @ q,
        "m": max(k, 1),
        **{name: values if k else [int(name == "sigma")] for name, values in units.items()},
    }


B7 = Claim(
    id="B7",
    source=Source(LIANG2025, "Theorem 3.2"),
    statement=r"\sum_j |a_j| g(t_j) \le \tfrac12\lambda_{\max}(\nabla^2\mathcal L) - \tfrac12 + (R + 1)\sqrt{2\mathcal L}",
    form=Form.AT_MOST,
    symbols=(WEIGHTS, X, Y),
    assumptions=(off_the_data(),),
    sides=lambda given: loss_sides(given, printed_factor),
    bound=training_loss_bounds.loss_term,
    bound_on=lambda given: _at_this_loss(given, training_loss_bounds.loss_term),
    proof=training_loss_proofs.b7,
    reads=_reads_units,
    finding=Finding.LOOSE,
    note="Holds with at most half the loss term: B7.a. R = max |x_j|, and the a_j are the jumps of f' at its knots t_j. "
    "Attained only at loss 0, where it is M5.",
    quote="sum_j |a_j| g(t_j) <= lambda_max/2 - 1/2 + (R + 1) sqrt(2 L)",
    reading="The inequality alone, for one input; it is printed as a bound and not as the best one, and its words are "
    "not held against the paper's text here.",
    extremal=_at_zero_loss(),
)


B7A = Claim(
    id="B7.a",
    amends="B7",
    source=Source(LIANG2025, "Theorem 3.2, sharpened"),
    statement=r"\sum_j |a_j| g(t_j) \le \tfrac12\lambda_{\max}(\nabla^2\mathcal L) - \tfrac12 "
    r"+ \tfrac12\sqrt{\lambda_{\max}(\mathbb E[(X,1)(X,1)^T])}\sqrt{2\mathcal L}",
    form=Form.AT_MOST,
    symbols=(WEIGHTS, X, Y),
    assumptions=(off_the_data(),),
    sides=lambda given: loss_sides(given, sharp_factor),
    bound=training_loss_bounds.sharp_loss_term,
    bound_on=lambda given: _at_this_loss(given, training_loss_bounds.sharp_loss_term),
    proof=training_loss_proofs.b7a,
    reads=_reads_units,
    finding=Finding.OURS,
    note="M = lambda_max(E[(X,1)(X,1)^T]) is at most 1 + R^2, so this is at most half of the printed loss term; M = 1 for "
    "standardised data. Half of it would not do; whether all of it is needed is open.",
    extremal=_at_zero_loss(),
)

CLAIMS = (B7, B7A)
