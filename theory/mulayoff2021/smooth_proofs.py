"""Proofs of the claims of Mulayoff, Michaeli and Soudry 2021."""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from theory.lemmas import (
    COLUMN,
    COLUMNS,
    ROW,
    ROWS,
    nonnegatives,
    over_columns,
    over_rows,
    reals,
    triangle_in_a_row,
)
from theory.proof import Proof, Rule, Step

_eta, _eps, _s = sp.symbols("eta epsilon s", positive=True)


_n = sp.Symbol("n", positive=True)


def _bend(row: sp.Expr, column: sp.Expr) -> sp.Expr:
    """Return how unit j of knot i bends f, |w1| w2."""
    w1, w2 = reals("w1 w2")
    return sp.Abs(w1[row, column]) * w2[row, column]


def unit_terms() -> sp.Expr:
    """Return what the units at each knot add to n^2 ||v||^2, v the mean gradient."""
    return over_rows(over_columns(_unit(ROW, COLUMN)))


def _unit(row: sp.Expr, column: sp.Expr) -> sp.Expr:
    w1, w2, count, total = reals("w1 w2 M S")
    (distance,) = nonnegatives("A")
    at = (row, column)
    return w2[at] ** 2 * (count[at] ** 2 + total[at] ** 2) + w1[at] ** 2 * distance[at] ** 2


def weighted_curvature() -> sp.Expr:
    """Return int |f''| g, knot by knot, g_i the weight at knot i."""
    (weight,) = nonnegatives("g")
    return over_rows(weight[ROW] * sp.Abs(over_columns(_bend(ROW, COLUMN))))


def units_bend(place: int) -> tuple[Step, ...]:
    """Return that the units add at least 2 n^2 int |f''| g to n^2 ||v||^2: five steps, the last of them this.

    Args:
        place: the number of the first of them, counted from 0.
    """
    w1, w2, count, total = reals("w1 w2 M S")
    distance, weight = nonnegatives("A g")
    row, at = ROWS + 1, (ROWS + 1, COLUMNS + 1)
    root = sp.sqrt(count[at] ** 2 + total[at] ** 2)
    unit, bend = _unit(*at), sp.Abs(_bend(*at))
    units, bends = over_columns(_unit(row, COLUMN)), over_columns(sp.Abs(_bend(row, COLUMN)))
    both = sp.Abs(over_columns(_bend(row, COLUMN)))
    near = (sp.Ge(unit, 2 * bend * distance[at] * root), sp.Ge(distance[at] * root, _n**2 * weight[row]))
    together = (sp.Ge(units, 2 * _n**2 * weight[row] * bends), sp.Ge(bends, both))
    return (
        Step(
            unit,
            2 * sp.Abs(w1[at] * w2[at]) * distance[at] * root,
            Rule.NONNEGATIVE,
            "n v holds (w2 S, w2 M, w1 A) for a unit active on M points with sum S, at distances from its knot that add up to "
            "A: the two terms against their geometric mean",
            ((sp.Abs(w2[at]) * root - sp.Abs(w1[at]) * distance[at]) ** 2,),
        ),
        Step(
            units,
            2 * _n**2 * weight[row] * bends,
            Rule.INDUCTION,
            "over the units at a knot: A sqrt(M^2 + S^2)/n^2 is the weight of one side of it, and g the lesser of the two",
            (unit - 2 * _n**2 * weight[row] * bend,),
            uses=(place,),
            conditions=near,
            variable=COLUMNS,
        ),
        *triangle_in_a_row(_bend, "units at one knot bend f by the sum of what each does", place=place + 2),
        Step(
            unit_terms(),
            2 * _n**2 * weighted_curvature(),
            Rule.INDUCTION,
            "over all knots",
            (units - 2 * _n**2 * weight[row] * both,),
            uses=(place + 1, place + 3),
            conditions=together,
            variable=ROWS,
        ),
    )


def m4() -> Proof:
    """At interpolation the Hessian is the Gram matrix of the gradients."""
    unit, hidden, biases, outputs = reals("x w b c")
    shift1, shift0, shift2, active = reals("p q h A")
    bias, coefficients = sp.Symbol("e", real=True), sp.symbols("a_0:5", real=True)
    at = sp.Symbol("s", real=True)
    i, j = ROW, COLUMN

    def off(s: sp.Expr) -> sp.Expr:
        moved = (outputs[i] + s * shift2[i]) * ((hidden[i] + s * shift1[i]) * unit[j] + biases[i] + s * shift0[i])
        return (
            over_rows(active[i, j] * (moved - outputs[i] * (hidden[i] * unit[j] + biases[i]))) + s * bias
            if s
            else sp.Integer(0)
        )

    def second(loss: Callable[[sp.Expr], sp.Expr]) -> sp.Expr:
        values = [loss(sp.Integer(s)) for s in (-2, -1, 1, 2)]
        return (-values[0] + 16 * values[1] - 30 * loss(sp.Integer(0)) + 16 * values[2] - values[3]) / 12

    along = over_rows(
        active[i, j] * (outputs[i] * (shift1[i] * unit[j] + shift0[i]) + shift2[i] * (hidden[i] * unit[j] + biases[i]))
    )
    quartic = sum((a * at**power for power, a in enumerate(coefficients)), sp.Integer(0))
    curved = over_columns(second(lambda s: off(s) ** 2 / (2 * _n)))
    squares = over_columns((along + bias) ** 2 / _n)

    return Proof(
        (
            Step(
                sp.Derivative(quartic, (at, 2)),
                second(lambda s: quartic.subs(at, at + s)),
                Rule.IDENTITY,
                "the loss along a line is a polynomial of degree 4, whose second derivative five of its values give",
            ),
            Step(
                curved,
                squares,
                Rule.INDUCTION,
                "sample by sample: of the second derivative of the loss, from its values at s = -2, .., 2, the square of "
                "Phi^T v is left, the residual itself being 0",
                uses=(0,),
                variable=COLUMNS,
            ),
        ),
        "any width and number of samples, where no unit toggles on a data point",
        lhs=curved,
        rhs=squares,
    )


def m5() -> Proof:
    """The sharpness of every implementation is at least 1 + 2 int |f''| g."""
    return least_sharpness(
        "Rayleigh and Ritz: the top eigenvalue of Phi^T Phi / n is at least the Rayleigh quotient of (1,..,1)/sqrt(n), "
        "the squared mean of the gradients",
        "any number of units and data points; a unit whose pre-activation vanishes at a data point counts as inactive",
    )


def least_sharpness(top_because: str, covers: str) -> Proof:
    """Return lambda_max >= 1 + 2 int |f''| g, by the squared mean of the gradients.

    Args:
        top_because: why lambda_max is at least that.
        covers: what the proof covers.
    """
    (phi,) = reals("phi")
    top, units, curvature = sp.Symbol("lambda_max", real=True), unit_terms(), weighted_curvature()
    parameters = sp.Symbol("l", integer=True, nonnegative=True)
    quotient = sp.Sum(over_columns(phi[ROW, COLUMN]) ** 2, (ROW, 1, parameters)) / _n**2
    return Proof(
        (
            Step(top, quotient, Rule.CITED, top_because),
            *units_bend(1),
            Step(
                quotient,
                1 + 2 * curvature,
                Rule.POLYNOMIAL,
                "which holds 1 for b2, and (w2 S, w2 M, w1 A)/n of every unit",
                uses=(5,),
                conditions=(sp.Ge(quotient, 1 + units / _n**2), sp.Ge(units, 2 * _n**2 * curvature)),
            ),
        ),
        covers,
        lhs=top,
        rhs=1 + 2 * curvature,
    )


def m6a() -> Proof:
    """A linearly stable minimum bounds int |f''| g."""
    steps, curvature, bound = m5().steps, weighted_curvature(), 1 / _eta - sp.Rational(1, 2)
    top, quotient = steps[0].before, steps[0].after
    return Proof(
        (
            *steps,
            Step(
                bound,
                curvature,
                Rule.POLYNOMIAL,
                "linear stability bounds lambda_max by 2/eta (M1), and lambda_max bounds int |f''| g (M5)",
                uses=(0, 6),
                conditions=(
                    sp.Le(top, 2 / _eta),
                    sp.Ge(top, quotient),
                    sp.Ge(quotient, 1 + 2 * curvature),
                ),
            ),
        ),
        "SGD with batches drawn independently and uniformly; implementations at which no unit toggles on a data point",
        lhs=curvature,
        rhs=bound,
    )
