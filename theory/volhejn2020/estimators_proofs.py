"""Proofs of the claims about estimates from a batch (V13)."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import COLUMN, COLUMNS, ROW, ROWS, over_columns, over_rows, reals
from theory.proof import Proof, Rule, Step

_n, _batch = sp.symbols("n b", integer=True, positive=True)
_often, _batches = sp.symbols("c N", integer=True, positive=True)


def _counted(what: str, because: str, *, place: int) -> tuple[Step, Step, Step, Step]:
    """Return sum_i sum_j C_ij t_j = r c sum_j t_j where all C_ij are c: four inequalities, the last two of them these.

    Args:
        what: why every C_ij is c.
        because: what the identity does in the proof.
        place: the number of the first of the four steps in its proof, counted from 0.
    """
    counts, values = reals("C t")
    row = ROWS + 1
    one, total = over_columns(counts[row, COLUMN] * values[COLUMN]), over_columns(values[COLUMN])
    new = values[COLUMNS + 1] * (counts[row, COLUMNS + 1] - _often)
    everything = over_rows(over_columns(counts[ROW, COLUMN] * values[COLUMN]))
    equal = (sp.Eq(counts[row, COLUMNS + 1], _often),)

    def in_a_row(before: sp.Expr, after: sp.Expr, sign: int) -> Step:
        return Step(before, after, Rule.INDUCTION, what, (sign * new,), conditions=equal, variable=COLUMNS)

    def in_all(before: sp.Expr, after: sp.Expr, sign: int) -> Step:
        known = (sp.Eq(one, _often * total),)
        return Step(
            before,
            after,
            Rule.INDUCTION,
            because,
            (sign * (one - _often * total),),
            uses=(place, place + 1),
            conditions=known,
            variable=ROWS,
        )

    return (
        in_a_row(one, _often * total, 1),
        in_a_row(_often * total, one, -1),
        in_all(everything, ROWS * _often * total, 1),
        in_all(ROWS * _often * total, everything, -1),
    )


def _mean_of_counts(
    theorem: Step, count: Step, relation: sp.Basic, times: sp.Expr, mean: sp.Expr, because: str
) -> Proof:
    """Return that sum_ij C_ij t_j, times a factor, is a mean of the t_j.

    Args:
        theorem: how often each C_ij counts.
        count: the identity between that number and the number N of all batches.
        relation: what the two say of c and N.
        times: the factor.
        mean: the mean.
        because: what is counted.
    """
    counted = _counted(
        "whatever the t_j, as each C_ij is c: in how many of the N batches pair i is pair j",
        because,
        place=2,
    )
    everything, total = counted[2].before, over_columns(reals("t")[0][COLUMN])
    lhs = times * everything
    known = (
        relation,
        sp.Ge(ROWS, 1),
        sp.Ge(everything, ROWS * _often * total),
        sp.Le(everything, ROWS * _often * total),
    )
    return Proof(
        (
            theorem,
            count,
            *counted,
            Step(lhs, mean, Rule.POLYNOMIAL, "the mean over all batches", uses=(0, 1, 4, 5), conditions=known),
            Step(mean, lhs, Rule.POLYNOMIAL, "the mean over all batches", uses=(0, 1, 4, 5), conditions=known),
        ),
        "batches of any size, each as likely as any other",
        lhs=lhs,
        rhs=mean,
    )


def _total() -> sp.Sum:
    return over_columns(reals("t")[0][COLUMN])


def v13a() -> Proof:
    """The mean over a batch is unbiased for that over all points."""
    (often, all_of_them) = sp.binomial(_n - 1, _batch - 1), sp.binomial(_n, _batch)
    return _mean_of_counts(
        Step(
            sp.Symbol("C_{1j}"),
            often,
            Rule.CITED,
            "the number of subsets: N = C(n, b) batches of b of n points, of which C(n - 1, b - 1) hold a given one, with any "
            "b - 1 of the others",
        ),
        Step(_n * often, _batch * all_of_them, Rule.IDENTITY, "n c = b N", conditions=(sp.Le(_batch, _n),)),
        sp.And(sp.Eq(_n * _often, _batch * _batches), sp.Eq(ROWS, 1)),
        1 / (_batch * _batches),
        _total() / _n,
        "C_1j says in how many batches point j is, and counts 1/b there",
    )


def v13b() -> Proof:
    """Pairs of distinct points of a batch, as many as there are in it."""
    rest = sp.Symbol("l", integer=True, nonnegative=True)
    whole = rest + 2
    return _mean_of_counts(
        Step(
            sp.Symbol("C_{ij}"),
            sp.factorial(rest) / sp.factorial(whole - _batch),
            Rule.CITED,
            "the number of arrangements: N = n!/(n - b)! batches of b of n points in order, n = l + 2, of which (n - 2)!/(n - "
            "b)! hold two given points at two given places",
        ),
        Step(
            sp.factorial(whole),
            whole * (whole - 1) * sp.factorial(rest),
            Rule.IDENTITY,
            "so N = n (n - 1) c",
        ),
        sp.And(sp.Eq(_batches, _n * (_n - 1) * _often), sp.Ge(_n, 2), sp.Eq(_batch, 2 * ROWS)),
        2 / (_batch * _batches),
        _n / (_n - 1) * (_total() / _n**2),
        "C_ij says how often the places i and i + b/2 hold pair j of the n (n - 1) ordered pairs of distinct points; the "
        "others vary by 0",
    )


def v13c() -> Proof:
    """Pairs of independent draws, points with themselves among them."""
    batch = sp.Symbol("l", integer=True, nonnegative=True) + 2
    return _mean_of_counts(
        Step(
            sp.Symbol("C_{ij}"),
            _n ** (batch - 2),
            Rule.CITED,
            "the number of sequences: N = n^b of b draws, b = l + 2, of which n^(b - 2) have two given points at two given "
            "places",
        ),
        Step(_n**batch, _n**2 * _n ** (batch - 2), Rule.IDENTITY, "so N = n^2 c"),
        sp.And(sp.Eq(_batches, _n**2 * _often), sp.Eq(_batch, 2 * ROWS)),
        2 / (_batch * _batches),
        _total() / _n**2,
        "C_ij says how often the places i and i + b/2 hold pair j of the n^2 ordered pairs",
    )
