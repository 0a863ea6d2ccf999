"""Proofs of B2: what a dual matrix says of the sharpness of networks."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import INDEX, cauchy_schwarz, over_all, reals, triangle_inequality
from theory.proof import Proof, Rule, Step

_w1, _w2 = sp.symbols("w1 w2", real=True)
_p, _r = sp.symbols("P R", nonnegative=True)
_right, _left = sp.symbols("h_p h_m", nonnegative=True)


def _from_the_dual() -> Step:
    return Step(
        sp.Symbol(r"\lambda_{\max}(G)"),
        sp.Symbol(r"\operatorname{tr}(Z G)"),
        Rule.CITED,
        "Z >= 0 of trace 1: tr(Z (lambda_max - G)) >= 0, as the trace of a product of positive semidefinite matrices is "
        "not negative; G = Phi^T Phi / n is 1 1^T / n, from the output's bias, and what the units add",
    )


def _one_unit() -> tuple[Step, Step]:
    """Return w2^2 P + w1^2 R >= 2 |w1 w2| sqrt(P R) for a unit, and the sum over all: steps 1 and 2 of a proof."""
    unit, least = _w2**2 * _p + _w1**2 * _r, 2 * sp.Abs(_w1 * _w2) * sp.sqrt(_p) * sp.sqrt(_r)
    many = {s: sp.IndexedBase(s.name, real=True)[INDEX] for s in (_w1, _w2)}
    many |= {s: sp.IndexedBase(s.name, nonnegative=True)[INDEX] for s in (_p, _r)}
    return (
        Step(
            unit,
            least,
            Rule.NONNEGATIVE,
            "what one unit adds to tr(Z G), times n: P = x_A^T Z x_A + 1_A^T Z 1_A and R = r^T Z r; its two terms against "
            "their geometric mean, which is 2 n |v| h_s(t)",
            ((sp.Abs(_w2) * sp.sqrt(_p) - sp.Abs(_w1) * sp.sqrt(_r)) ** 2,),
        ),
        Step(over_all(unit.subs(many)), over_all(least.subs(many)), Rule.SUM, "over all units", term=1),
    )


def b2() -> Proof:
    """The dual bound, with a tilt."""
    jump, part, tilt = sp.symbols("Delta l nu", real=True)
    (sizes,) = reals("v")
    at_knot = sp.Abs(jump - part) * _right + sp.Abs(part) * _left - tilt * part
    room = (sp.Le(tilt, _right + _left), sp.Ge(tilt, -_right - _left))
    constant, units, curvature, parts, slope, top = sp.symbols("c U C l s lambda", real=True)
    return Proof(
        (
            _from_the_dual(),
            *_one_unit(),
            *triangle_inequality(
                sizes,
                "units of the same knot and orientation: their |v| add up to at least the |v| of their sum, Delta - l of "
                "those that face right and l of those that face left, which make up the jump Delta of f'",
                place=3,
            ),
            Step(
                at_knot,
                jump * sp.Min(_right, _left - tilt),
                Rule.POLYNOMIAL,
                "a knot at which the slope rises: whatever share l the units that face left have",
                conditions=(*room, sp.Ge(jump, 0)),
            ),
            Step(
                at_knot,
                -jump * sp.Min(_right, _left + tilt),
                Rule.POLYNOMIAL,
                "a knot at which it falls, or none of f (Delta = 0), where the right side is 0",
                conditions=(*room, sp.Le(jump, 0)),
            ),
            Step(
                top,
                constant + 2 * curvature - 2 * tilt * slope,
                Rule.POLYNOMIAL,
                "left of all knots only units that face left are active, so their l add up to -s, s the slope there; C sums "
                "|Delta| times its weight over the knots",
                conditions=(
                    sp.Ge(top, constant + 2 * units),
                    sp.Ge(units - tilt * parts, curvature),
                    sp.Eq(parts, -slope),
                ),
            ),
        ),
        "any number of units and data points, where no unit toggles on a data point; units with w1 = 0 only add to tr(Z G)",
    )


def b2a() -> Proof:
    """Units of one knot and orientation may be made one."""
    w1, w2 = reals("w1 w2")
    a, b, v, less, q, r = sp.symbols("a b v b' q r", real=True)
    return Proof(
        (
            cauchy_schwarz(
                w2,
                w1,
                "units of one knot and orientation: a = sum w2^2 and b = sum w1^2 have a b >= (sum w2 |w1|)^2 = v^2",
            ),
            Step(
                a * q + b * r,
                a * q + less * r,
                Rule.POLYNOMIAL,
                "so with b' = v^2 / a <= b, along a direction with q = (x_A^T u)^2 + (1_A^T u)^2 and the square r of the "
                "distances along u, the one unit adds no more; if a = 0, so is v, and it adds nothing",
                conditions=(sp.Gt(a, 0), sp.Ge(a * b, v**2), sp.Eq(a * less, v**2), sp.Ge(r, 0)),
            ),
        ),
        "any number of units and data points, every direction",
    )


def b2c() -> Proof:
    """Near the leftmost data point a dual matrix weighs at most n Z_11 times as much as g."""
    x, z = sp.Symbol("x_1", real=True), sp.Symbol("Z_11", nonnegative=True)
    distance, n = sp.symbols("d n", positive=True)
    cost = sp.sqrt(z * x**2 + z) * sp.sqrt(z * distance**2) / n
    weight = distance * sp.sqrt(1 + x**2) / n**2
    lower, g = sp.symbols("h_m g", nonnegative=True)
    return Proof(
        (
            Step(
                cost,
                n * z * weight,
                Rule.IDENTITY,
                "between x_1 and x_2, and at x_2, x_1 is the only point on the left of t = x_1 + d: "
                "h_-(t) = n Z_11 g_-(t)",
            ),
            Step(
                n * z * g,
                sp.Min(_right, lower),
                Rule.POLYNOMIAL,
                "and g_-(t) is g(t) there, so the lower of h_+(t) and h_-(t) is at most that",
                conditions=(sp.Eq(lower, n * z * g),),
            ),
        ),
        "any number of data points; from the other end by reflection",
    )


def b2d() -> Proof:
    """Of a constant function no dual matrix says more than M5."""
    u, one = reals("u e")
    total, trace, gap = sp.symbols("S n d", real=True)
    a, b = sp.symbols("a b", real=True)
    return Proof(
        (
            cauchy_schwarz(
                u,
                one,
                "Z = sum_k u_k u_k^T (Cholesky): with e = 1, (1^T u_k)^2 <= n ||u_k||^2, and summed over k "
                "1^T Z 1 <= n tr Z = n",
            ),
            Step(
                sp.Integer(0),
                (a - b) ** 2,
                Rule.POLYNOMIAL,
                "with equality only where each square of that induction vanishes, (a - b)^2 for any two entries of u_k, being "
                "added to what is not negative: then each u_k is a multiple of 1, Z of 1 1^T, and by its trace it is 1 1^T / n",
                conditions=(sp.Ge(gap, 0), sp.Eq(gap + (a - b) ** 2, 0)),
            ),
            Step(
                trace,
                total,
                Rule.POLYNOMIAL,
                "so 1^T Z 1 / n is at most 1",
                conditions=(sp.Ge(trace, total + gap), sp.Ge(gap, 0)),
            ),
        ),
        "any number of data points",
    )


def b2e() -> Proof:
    """The dual bound for all networks through data."""
    size, gained, cost = sp.symbols("v l h", real=True)
    sizes = sp.IndexedBase("v", real=True)[INDEX]
    gains, costs = (sp.IndexedBase(name, real=True)[INDEX] for name in ("l", "h"))
    within = (sp.Le(gained, 2 * cost), sp.Ge(gained, -2 * cost))
    constant, units, values, top = sp.symbols("c U F lambda", real=True)
    return Proof(
        (
            _from_the_dual(),
            *_one_unit(),
            Step(
                2 * sp.Abs(size) * cost,
                size * gained,
                Rule.POLYNOMIAL,
                "a unit adds at least 2 |v| h_s(t), and l = sum_j p_j [s (x_j - t)]_+ is at most 2 h_s(t) in size",
                conditions=within,
            ),
            Step(
                over_all(2 * sp.Abs(sizes) * costs),
                over_all(sizes * gains),
                Rule.SUM,
                "over all units: the right side is sum_j p_j f(x_j), since the p_j sum to 0 and so what is constant drops out",
                term=3,
                conditions=tuple(c.subs({gained: gains, cost: costs}) for c in within),
            ),
            Step(
                top,
                constant + values,
                Rule.POLYNOMIAL,
                "with what the output's bias adds",
                conditions=(sp.Ge(top, constant + units), sp.Ge(units, values)),
            ),
        ),
        "any number of units and data points, where no unit toggles on a data point; units with w1 = 0 are constant",
    )
