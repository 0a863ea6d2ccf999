"""Proofs of what Mulayoff, Michaeli and Soudry 2021 say of functions and their implementations: M14, M16 and M18."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import COLUMN, COLUMNS, ROW, ROWS, nonnegatives, over_columns, over_rows, reals
from theory.mulayoff2021.smooth_proofs import least_sharpness
from theory.mulayoff2021.switching_proofs import m9b
from theory.proof import Proof, Rule, Step

_eta = sp.Symbol("eta", positive=True)
_n = sp.Symbol("n", positive=True)


def m14() -> Proof:
    """The sharpest mode of every implementation is at least 1 + 2 int |f''| g."""
    return least_sharpness(
        "Rayleigh and Ritz in the mode in which every toggling unit is inactive, which is one of the modes: lambda_up is at "
        "least its top eigenvalue, and this at least the Rayleigh quotient of (1,..,1)/sqrt(n)",
        "any number of units and data points, units with w1 = b1 = 0 among them",
    )


def m14a() -> Proof:
    """The same with each toggling unit in the mode that adds most to the mean gradient."""
    return least_sharpness(
        "Rayleigh and Ritz in the mode in which a toggling unit is active if that makes its M^2 + S^2 larger, where its "
        "own data point, at distance 0, adds nothing to A: lambda_up is at least the Rayleigh quotient of (1,..,1)/sqrt(n)",
        "any number of units and data points, units with w1 = b1 = 0 among them, which count as inactive",
    )


def m16() -> Proof:
    """Units that look away from the data add nothing to the kernel."""
    entries, u = sp.IndexedBase("b", real=True), sp.IndexedBase("u", real=True)
    w, x, t, low, high = sp.symbols("w x t l h", real=True)
    others, size = sp.Symbol("Q", nonnegative=True), sp.Symbol("U", positive=True)
    row, new = ROWS + 1, COLUMNS + 1
    inner = over_columns(entries[row, COLUMN] * u[COLUMN])
    outer = over_rows(over_columns(entries[ROW, COLUMN] * u[COLUMN]) ** 2)
    silent = (sp.Eq(entries[row, new], 0),)
    lhs, rhs = (others + outer) / (_n * size), others / (_n * size)
    return Proof(
        (
            Step(
                sp.Integer(0),
                w * (x - t),
                Rule.POLYNOMIAL,
                "a unit whose knot t is above all data, w1 > 0, or below them, w1 < 0, is inactive on each",
                conditions=(
                    sp.Ge(x, low),
                    sp.Le(x, high),
                    sp.Or(sp.And(sp.Gt(w, 0), sp.Gt(t, high)), sp.And(sp.Lt(w, 0), sp.Lt(t, low))),
                ),
            ),
            Step(
                sp.Integer(0),
                inner,
                Rule.INDUCTION,
                "so the gradients b in its weights are 0 at every data point, and so is their sum times u",
                (-entries[row, new] * u[new],),
                uses=(0,),
                conditions=silent,
                variable=COLUMNS,
            ),
            Step(
                inner,
                sp.Integer(0),
                Rule.INDUCTION,
                "from the other side too",
                (entries[row, new] * u[new],),
                uses=(0,),
                conditions=silent,
                variable=COLUMNS,
            ),
            Step(
                sp.Integer(0),
                outer,
                Rule.INDUCTION,
                "and the sum of the squares over all weights of these units",
                (-(inner**2),),
                uses=(1, 2),
                conditions=(sp.Le(inner, 0), sp.Ge(inner, 0)),
                variable=ROWS,
            ),
            Step(
                rhs,
                lhs,
                Rule.POLYNOMIAL,
                "n u^T K u is Q, of the units that were there, and what the new ones add",
                uses=(3,),
                conditions=(sp.Le(outer, 0),),
            ),
        ),
        "any number of units, data points and knots outside; f + h is f on the data, as none of the new units is active",
        lhs=lhs,
        rhs=rhs,
    )


def m16a() -> Proof:
    """Every unit adds its own share to the sharpness."""
    w1, w2, count, total = reals("w1 w2 M S")
    (distance,) = nonnegatives("A")
    phi, new = sp.IndexedBase("phi", real=True), ROWS + 1
    top = sp.Symbol("lambda_max", real=True)
    parameters = sp.Symbol("l", integer=True, nonnegative=True)
    quotient = sp.Sum(over_columns(phi[ROW, COLUMN]) ** 2, (ROW, 1, parameters)) / _n**2

    def root(i: sp.Expr) -> sp.Expr:
        return sp.sqrt(count[i] ** 2 + total[i] ** 2)

    def unit(i: sp.Expr) -> sp.Expr:
        return w2[i] ** 2 * (count[i] ** 2 + total[i] ** 2) + w1[i] ** 2 * distance[i] ** 2

    def share(i: sp.Expr) -> sp.Expr:
        return sp.Abs(w1[i] * w2[i]) * distance[i] * root(i)

    units, shares = over_rows(unit(ROW)), over_rows(share(ROW))
    rhs = 1 + 2 * shares / _n**2
    return Proof(
        (
            Step(
                top,
                quotient,
                Rule.CITED,
                "Rayleigh and Ritz: the top eigenvalue of Phi^T Phi / n is at least the Rayleigh quotient of (1,..,1)/sqrt(n), "
                "the squared mean of the gradients",
            ),
            Step(
                unit(new),
                2 * share(new),
                Rule.NONNEGATIVE,
                "n v holds (w2 S, w2 M, w1 A) for a unit active on M points with sum S, at distances from its knot that add up "
                "to A: the two terms against their geometric mean",
                ((sp.Abs(w2[new]) * root(new) - sp.Abs(w1[new]) * distance[new]) ** 2,),
            ),
            Step(
                units,
                2 * shares,
                Rule.INDUCTION,
                "over all units",
                (unit(new) - 2 * share(new),),
                term=1,
                variable=ROWS,
            ),
            Step(
                quotient,
                rhs,
                Rule.POLYNOMIAL,
                "which holds 1 for b2 besides",
                uses=(2,),
                conditions=(sp.Ge(quotient, 1 + units / _n**2), sp.Ge(units, 2 * shares)),
            ),
        ),
        "any number of units and data points; a unit whose pre-activation vanishes at a data point counts as inactive",
        lhs=top,
        rhs=rhs,
    )


def m18a() -> Proof:
    """Theorem 2's bound holds whichever implementation is stable, where no two data points are far apart around 0."""
    ours = m9b()
    share = sp.Symbol("C", nonnegative=True) ** 2 * sp.Symbol("P", nonnegative=True) / _n
    bound = 1 / _eta - sp.Rational(1, 2) + 3 * share / 2 + sp.sqrt(3 * share * (3 * share + 2 / _eta) / 4)
    assert ours.rhs is not None
    return Proof(
        (
            *ours.steps,
            Step(
                bound,
                ours.rhs,
                Rule.POLYNOMIAL,
                "the resting weight is g, as x_j x_l >= -1, and Delta is not negative",
            ),
        ),
        ours.covers,
        lhs=ours.lhs,
        rhs=bound,
    )


def m18b() -> Proof:
    """Delta goes to 0 with U / eta."""
    share = sp.Symbol("U", nonnegative=True)
    excess = 3 * share / 2 + sp.sqrt(3 * share * (3 * share + 2 / _eta) / 4)
    limit = 3 * share + sp.sqrt(3 * share / (2 * _eta))
    return Proof(
        (Step(limit, excess, Rule.POLYNOMIAL, "the root of a sum is at most the sum of the roots"),),
        "all numbers",
        lhs=excess,
        rhs=limit,
    )
