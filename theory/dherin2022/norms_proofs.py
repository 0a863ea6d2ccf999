"""Proofs of the claims of Dherin et al. 2022 on norms of the weight matrices; g is 1/|D| throughout."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from theory.dherin2022.complexity_proofs import d4
from theory.lemmas import (
    COLUMN,
    COLUMNS,
    COUNT,
    INDEX,
    ROW,
    ROWS,
    cauchy_schwarz,
    nonnegatives,
    over_all,
    reals,
    summed,
)
from theory.proof import Proof, Rule, Step

_g = sp.Symbol("g", positive=True)
_datum, _data = sp.Symbol("x", integer=True), sp.Symbol("n", integer=True, nonnegative=True)
_ANY = "networks of any depth and width whose layers follow one another, any data and biases"

AM_GM = "the inequality of the arithmetic and the geometric mean, of the l = m layers' squared norms"


def after(steps: tuple[Step, ...], place: int) -> tuple[Step, ...]:
    """Return steps as they stand behind others in a proof.

    Args:
        steps: steps that name each other by their numbers among themselves.
        place: how many steps stand before them.
    """
    return tuple(
        replace(
            step,
            term=None if step.term is None else step.term + place,
            uses=tuple(number + place for number in step.uses),
        )
        for step in steps
    )


def lengths(activation: str, slope: sp.Expr) -> tuple[Step, ...]:
    """Return prod sigma_i e_1 >= e_(m+1): no layer lengthens by more than sigma_i, and no activation at all; 5 steps.

    Args:
        activation: what it is, in words.
        slope: its slope below 0, of size at most 1; above 0 it is 1.
    """
    here, there = sp.symbols("u v", real=True)
    values, others = reals("u v")
    norms, passed, given = nonnegatives("sigma e t")
    last = COUNT + 1

    def moved(z: sp.Expr) -> sp.Expr:
        return sp.Max(z, 0) + slope * sp.Min(z, 0)

    conditions = () if slope.is_number else (sp.Le(sp.Abs(slope), 1),)
    before, behind = (here - there) ** 2, (moved(here) - moved(there)) ** 2
    each = {here: values[INDEX], there: others[INDEX]}
    layer = (sp.Ge(norms[last] * passed[last], given[last]), sp.Ge(given[last], passed[last + 1]))
    one = Step(
        norms[last] * passed[last],
        passed[last + 1],
        Rule.POLYNOMIAL,
        "one layer more: t before its activation, e behind it",
        conditions=layer,
        uses=(1, 2),
    )
    return (
        Step(before, behind, Rule.POLYNOMIAL, f"one unit: {activation}", conditions=conditions),
        summed(before, behind, each, "over all units of a layer: e^2 is at most t^2", term=0, conditions=conditions),
        Step(
            norms[1] * passed[1],
            given[1],
            Rule.CITED,
            "Rayleigh and Ritz: a linear map lengthens no vector by more than its largest singular value, here the first layer "
            "and likewise every other",
        ),
        one,
        Step(
            sp.Product(norms[INDEX], (INDEX, 1, COUNT)) * passed[1],
            passed[last],
            Rule.INDUCTION,
            "over the layers",
            (one.before - one.after,),
            term=3,
            conditions=(*layer, sp.Ge(norms[1] * passed[1], passed[2])),
            uses=(1, 2),
            variable=COUNT,
            base=1,
            factor=norms[last],
        ),
    )


def d8() -> Proof:
    """No layer moves two points apart by more than its largest singular value, and no activation by more than 1."""
    steps = lengths("its activation moves no two values apart", sp.Symbol("a", real=True))
    return Proof(
        steps,
        "any depth, widths, biases and two points; activations that are linear on either side of 0, and by the same steps all "
        "1-Lipschitz ones",
        lhs=steps[-1].after,
        rhs=steps[-1].before,
    )


def _by_norms() -> tuple[tuple[Step, ...], sp.Expr, sp.Expr]:
    """Return the steps of D18, its left side and its right one."""
    growth = lengths("a mask sends it to 0 or leaves it", sp.Integer(0))
    inner = d4()
    # D4's rows are called t, which here is what a layer is given
    rows, renamed = sp.IndexedBase("t", nonnegative=True), sp.IndexedBase("z", nonnegative=True)
    row, renamed_row = sp.symbols("t z", nonnegative=True)

    def other(part: sp.Basic) -> sp.Basic:
        return part.xreplace({rows: renamed, rows.label: renamed.label, row: renamed_row})

    of_lipschitz = tuple(
        replace(
            step,
            before=other(step.before),
            after=other(step.after),
            conditions=tuple(other(c) for c in step.conditions),
            because=step.because.replace("f moves", "x -> J x moves")
            .replace("and f by", "and all by")
            .replace("f_L", "L"),
        )
        for step in inner.steps
    )
    bound, constant = inner.rhs, sp.Symbol("L", nonnegative=True)
    norms = nonnegatives("sigma")[0]
    product = sp.Product(norms[INDEX], (INDEX, 1, COUNT))
    least = bound / constant**2
    last = Step(
        least * product**2,
        bound,
        Rule.POLYNOMIAL,
        "L, the largest singular value of a Jacobian, is the length of the image of some unit vector: at most the product",
        conditions=(sp.Ge(product, constant),),
        uses=(len(growth) - 1,),
    )
    return (*growth, *after(of_lipschitz, len(growth)), last), other(inner.lhs), last.before


def d18() -> Proof:
    """The Jacobian at a datum is a product of masked layers; its squared norm is that of its rows, or of its columns."""
    steps, left, right = _by_norms()
    return Proof(steps, _ANY, lhs=left, rhs=right)


def d18a() -> Proof:
    """D18, and the mean of the squared norms."""
    steps, left, right = _by_norms()
    norms = nonnegatives("sigma")[0]
    least = sp.Min(*sp.symbols("d k", integer=True, nonnegative=True))
    penalty = least * (over_all(norms[INDEX] ** 2) / COUNT) ** COUNT
    return Proof((*steps, Step(penalty, right, Rule.CITED, AM_GM)), _ANY, lhs=left, rhs=penalty)


def frobenius() -> tuple[tuple[Step, ...], sp.Expr, sp.Expr]:
    """Return that the mean of the squared norms q of the Jacobians is at most the product of the F_i = ||W_i||_F^2; both.

    E_i is the squared norm of the Jacobian of the subnetwork to layer i, at one datum.
    """
    first, second, entries = reals("a b y")
    norms, parts, at_data = nonnegatives("F E q")
    rows, columns = nonnegatives("R C")
    row, column, here = sp.symbols("R C q", nonnegative=True)
    entry, masked = sp.symbols("w y", real=True)
    last = COUNT + 1
    below = (sp.Ge(row * column, entry**2), sp.Or(sp.Eq(masked, entry), sp.Eq(masked, 0)))
    unmasked = sp.IndexedBase("w", real=True)
    at = {
        row: rows[ROW],
        column: columns[COLUMN],
        entry: unmasked[ROW, COLUMN],
        masked: entries[ROW, COLUMN],
    }
    ends = ((ROW, 1, ROWS), (COLUMN, 1, COLUMNS))
    products, squares = (sp.Sum(side.subs(at, simultaneous=True), *ends) for side in (row * column, masked**2))
    split = sp.Sum(rows[ROW], ends[0]) * sp.Sum(columns[COLUMN], ends[1])
    layer = (
        sp.Ge(products, squares),
        sp.Eq(products, split),
        sp.Eq(norms[last], sp.Sum(rows[ROW], ends[0])),
        sp.Eq(parts[COUNT], sp.Sum(columns[COLUMN], ends[1])),
        sp.Eq(parts[last], squares),
    )
    one = Step(
        norms[last] * parts[COUNT],
        parts[last],
        Rule.POLYNOMIAL,
        "one layer more: the squared norm is the sum over its rows, or over its columns",
        conditions=layer,
        uses=(2, 3),
    )
    product = sp.Product(norms[INDEX], (INDEX, 1, COUNT))
    most, small = _g * product, _g * here
    over_data = [sp.Sum(side.subs(here, at_data[_datum]), (_datum, 1, _data)) for side in (most, small)]
    bounded = (sp.Ge(product, here),)
    return (
        (
            cauchy_schwarz(first, second, "a row of a layer times a column of the Jacobian below it"),
            Step(
                row * column,
                masked**2,
                Rule.POLYNOMIAL,
                "R and C being their squared lengths, and y their product where the mask lets it pass, else 0",
                conditions=below,
                uses=(0,),
            ),
            Step(
                products,
                squares,
                Rule.SUM,
                "over all rows and columns",
                term=1,
                conditions=tuple(c.subs(at, simultaneous=True) for c in below),
                uses=(0,),
            ),
            Step(
                products,
                split,
                Rule.INDUCTION,
                "a product of sums, one column after another",
                variable=COLUMNS,
                base=0,
            ),
            one,
            Step(
                product,
                parts[COUNT],
                Rule.INDUCTION,
                "over the layers; of the first it is the squared norm of the rows that its mask lets pass",
                (one.before - one.after,),
                term=4,
                conditions=(*layer, sp.Ge(norms[1], parts[1])),
                uses=(2, 3),
                variable=COUNT,
                base=1,
                factor=norms[last],
            ),
            Step(most, small, Rule.POLYNOMIAL, "at one datum q is the last of them", conditions=bounded, uses=(5,)),
            Step(
                over_data[0],
                over_data[1],
                Rule.SUM,
                "over all data",
                term=6,
                conditions=(sp.Ge(product, at_data[_datum]),),
                uses=(5,),
            ),
            Step(
                over_data[0],
                _data * _g * product,
                Rule.INDUCTION,
                "the same at each of the n data",
                variable=_data,
                base=0,
            ),
            Step(
                product,
                over_data[1],
                Rule.POLYNOMIAL,
                "g = 1/n",
                conditions=(
                    sp.Eq(_g * _data, 1),
                    sp.Ge(over_data[0], over_data[1]),
                    sp.Eq(over_data[0], _data * _g * product),
                ),
                uses=(7, 8),
            ),
        ),
        over_data[1],
        product,
    )


def d17a() -> Proof:
    """The squared norm of a product is at most the product of the squared norms, and that at most a power of their mean."""
    steps, left, product = frobenius()
    norms = nonnegatives("F")[0]
    penalty = (over_all(norms[INDEX]) / COUNT) ** COUNT
    return Proof((*steps, Step(penalty, product, Rule.CITED, AM_GM)), _ANY, lhs=left, rhs=penalty)
