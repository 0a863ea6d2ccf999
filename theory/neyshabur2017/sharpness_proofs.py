"""Proofs of the claims of Neyshabur et al. 2017 on sharpness (N6, N14): t is alpha, e the loss, g is 1/n."""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from theory.lemmas import ROW, both_ways, over_rows, reals
from theory.proof import Proof, Rule, Step

_u, _v, _a, _b = sp.symbols("u v a b", real=True)
_scale, _alpha = sp.symbols("c t", positive=True)
_g = sp.Symbol("g", positive=True)
_loss = sp.Symbol("e", nonnegative=True)
_data = sp.Symbol("n", integer=True, positive=True)
_datum = sp.Symbol("i", integer=True)
_EACH = {_u: reals("u")[0][ROW], _v: reals("v")[0][ROW]}

Box = Callable[[sp.Expr], sp.Expr]


def _printed(weight: sp.Expr) -> sp.Expr:
    return _alpha * (sp.Abs(weight) + 1)


def _relative(weight: sp.Expr) -> sp.Expr:
    return _alpha * sp.Abs(weight)


def _ends(incoming: sp.Expr, outgoing: sp.Expr, box: Box) -> tuple[sp.Expr, sp.Expr]:
    """Return the least and the greatest slope of a unit of weights in a box."""
    low, high = (sp.Max(incoming + sign * box(incoming), 0) for sign in (-1, 1))
    top, bottom = outgoing + box(outgoing), outgoing - box(outgoing)
    return sp.Min(bottom * low, bottom * high), sp.Max(top * low, top * high)


def _value(incoming: sp.Expr, outgoing: sp.Expr) -> sp.Expr:
    return outgoing * sp.Max(incoming, 0)


def _over_units(unit: sp.Expr) -> sp.Sum:
    return over_rows(unit.subs(_EACH, simultaneous=True))


def _over_data(term: sp.Expr) -> sp.Sum:
    return sp.Sum(term, (_datum, 1, _data))


_inputs, _targets = reals("x y")
_q = sp.Symbol("Q", nonnegative=True)
_r, _top, _bottom, _slope = sp.symbols("R H L S", real=True)
_MEANS = (
    sp.Eq(_q, _g * _over_data(_inputs[_datum] ** 2)),
    sp.Eq(_r, _g * _over_data(_inputs[_datum] * _targets[_datum])),
)
"""Q and R are the means of x^2 and of x y; H and L are the greatest and the least slope of f in the box, and S is that of f."""


def _rise(end: sp.Expr) -> sp.Expr:
    """Return by how much the loss rises from the slope S to another."""
    return _q * (end**2 - _slope**2) - 2 * _r * (end - _slope)


_SHARPNESS = sp.Max(_rise(_top), _rise(_bottom)) / (1 + _loss)


def _loss_rises() -> Step:
    """Return what a change of slope does to the loss."""

    def loss(at: sp.Expr) -> sp.Expr:
        return _g * _over_data((at * _inputs[_datum] - _targets[_datum]) ** 2)

    return Step(
        loss(_top) - loss(_slope),
        _g * _over_data(_inputs[_datum] ** 2) * (_top**2 - _slope**2)
        - 2 * _g * _over_data(_inputs[_datum] * _targets[_datum]) * (_top - _slope),
        Rule.IDENTITY,
        "the mean of (s x - y)^2 is a quadratic function of the slope s, and likewise for L",
    )


def n6() -> Proof:
    """Move v_1/c alone, by alpha either way: the slope moves by alpha c u_1."""
    others = _ends(_u, _v, _printed)
    one = _ends(_scale * _a, _b / _scale, _printed)
    active = sp.Gt(_a, 0)
    moved = _alpha * _scale * _a
    least, most, rest = (_over_units(unit) for unit in (*others, _value(_u, _v)))
    whole = (sp.Eq(_top, most + one[1]), sp.Eq(_slope, rest + _a * _b), sp.Eq(_bottom, least + one[0]))
    up, down = sp.Ge(_top, _slope + moved), sp.Ge(_slope - moved, _bottom)
    between = _q * (_top - _slope) * (_slope - _bottom) / (1 + _loss)
    bound = _q * moved**2 / (1 + _loss)
    return Proof(
        (
            _loss_rises(),
            Step(others[1], _value(_u, _v), Rule.POLYNOMIAL, "the weights themselves are in the box"),
            Step(_value(_u, _v), others[0], Rule.POLYNOMIAL, "and so here"),
            Step(most, rest, Rule.SUM, "over all other units", term=1),
            Step(rest, least, Rule.SUM, "over all other units", term=2),
            Step(
                one[1],
                _a * _b + moved,
                Rule.POLYNOMIAL,
                "the first unit: v_1/c + alpha is in the box",
                conditions=(active,),
            ),
            Step(_a * _b - moved, one[0], Rule.POLYNOMIAL, "and so is v_1/c - alpha", conditions=(active,)),
            Step(
                _top,
                _slope + moved,
                Rule.POLYNOMIAL,
                "of all units",
                conditions=(*whole[:2], sp.Ge(most, rest), sp.Ge(one[1], _a * _b + moved)),
                uses=(3, 5),
            ),
            Step(
                _slope - moved,
                _bottom,
                Rule.POLYNOMIAL,
                "of all units",
                conditions=(*whole[1:], sp.Ge(rest, least), sp.Ge(_a * _b - moved, one[0])),
                uses=(4, 6),
            ),
            Step(
                _SHARPNESS,
                between,
                Rule.POLYNOMIAL,
                "the mean of both rises, weighted by S - L and H - S",
                conditions=(sp.Gt(_top, _slope), sp.Gt(_slope, _bottom), *_MEANS),
                uses=(0, 7, 8),
            ),
            Step(between, bound, Rule.POLYNOMIAL, "H - S and S - L", conditions=(up, down, active), uses=(7, 8)),
        ),
        "one hidden layer of any width, any inputs above 0 and targets, the squared loss",
        lhs=_SHARPNESS,
        rhs=bound,
    )


def n6a() -> Proof:
    """All weights times 1 +- alpha is in the box, and all slopes are between the ends."""
    unit, value = _ends(_u, _v, _printed), _value(_u, _v)
    rest = _over_units(value)
    steps: list[Step] = [_loss_rises()]
    shares = ((1 + _alpha) ** 2, (1 - _alpha) ** 2)
    whole = (sp.Eq(_top, _over_units(unit[1])), sp.Eq(_bottom, _over_units(unit[0])), sp.Eq(_slope, rest))
    within: list[sp.Basic] = []
    for share in shares:
        place = len(steps)
        steps += [
            Step(
                unit[1],
                share * value,
                Rule.POLYNOMIAL,
                "a unit: u and v times 1 + alpha, or both 1 - alpha, are in the box",
            ),
            Step(share * value, unit[0], Rule.POLYNOMIAL, "and so here"),
            Step(_over_units(unit[1]), _over_units(share * value), Rule.SUM, "over all units", term=place),
            Step(_over_units(share * value), _over_units(unit[0]), Rule.SUM, "over all units", term=place + 1),
            Step(_over_units(share * value), share * rest, Rule.IDENTITY, "one share of each"),
        ]
        sums = (
            sp.Eq(_over_units(share * value), share * rest),
            sp.Ge(_over_units(unit[1]), _over_units(share * value)),
        )
        below = (sums[0], sp.Ge(_over_units(share * value), _over_units(unit[0])))
        steps += [
            Step(
                _top,
                share * _slope,
                Rule.POLYNOMIAL,
                "of all units",
                conditions=(*whole, *sums),
                uses=(place + 2, place + 4),
            ),
            Step(
                share * _slope,
                _bottom,
                Rule.POLYNOMIAL,
                "of all units",
                conditions=(*whole, *below),
                uses=(place + 3, place + 4),
            ),
        ]
        within += [sp.Ge(_top, share * _slope), sp.Ge(share * _slope, _bottom)]
    ends = sp.Max(*(_rise(share * _slope) for share in shares)) / (1 + _loss)
    last = Step(
        _SHARPNESS,
        ends,
        Rule.POLYNOMIAL,
        "a convex function is greatest at an end",
        conditions=(*within, *_MEANS),
        uses=(0, 6, 7, 13, 14),
    )
    return Proof(
        (*steps, last),
        "one hidden layer of any width, any inputs above 0 and targets, the squared loss, whatever the rescaling",
        lhs=_SHARPNESS,
        rhs=ends,
    )


def n6b() -> Proof:
    """The ends of the first unit stay where they are."""
    before, after = _ends(_a, _b, _relative), _ends(_scale * _a, _b / _scale, _relative)
    unit = _ends(_u, _v, _relative)
    least, most = _over_units(unit[0]), _over_units(unit[1])
    ends = (most + after[1], least + after[0])
    known = (
        sp.Eq(_top, most + before[1]),
        sp.Eq(_bottom, least + before[0]),
        sp.Eq(_slope, _over_units(_value(_u, _v)) + _value(_a, _b)),
        *_MEANS,
    )
    same = tuple(
        relation
        for first, second in zip(after, before, strict=True)
        for relation in (sp.Ge(first, second), sp.Ge(second, first))
    )
    moved = sp.Max(_rise(ends[0]), _rise(ends[1])) / (1 + _loss)
    return Proof(
        (
            _loss_rises(),
            *both_ways(after[0], before[0], "c and 1/c cancel, in the box too"),
            *both_ways(after[1], before[1], "and so for the greatest slope"),
            *both_ways(moved, _SHARPNESS, "both ends are the same", conditions=(*known, *same), uses=(0, 1, 2, 3, 4)),
        ),
        "one hidden layer of any width, any inputs above 0 and targets, the squared loss",
        lhs=moved,
        rhs=_SHARPNESS,
    )


def n14a() -> Proof:
    """Multiply out; the noise has mean 0, and its entries are uncorrelated; f is the residual, z the change of the output."""
    (residuals, changes) = reals("f z")
    (points,) = reals("x")
    draw, entry = sp.symbols("k j", integer=True)
    draws, entries = (sp.Symbol(name, integer=True, positive=True) for name in ("m", "d"))
    noise = sp.Symbol("s", positive=True)

    def mean(term: sp.Expr) -> sp.Expr:
        return sp.Sum(_g * _over_data(term), (draw, 1, draws)) / draws

    z = changes[draw, _datum]
    lhs = mean((residuals[_datum] + z) ** 2) - _g * _over_data(residuals[_datum] ** 2)
    crossed = mean(2 * residuals[_datum] * z) + mean(z**2)
    rhs = noise**2 * _g * _over_data(sp.Sum(points[_datum, entry] ** 2, (entry, 1, entries)))
    because = (
        "Bienayme: z = nu.x has mean 0, and the mean of its square is sigma^2 |x|^2, for entries of nu of mean 0 and variance "
        "sigma^2 that are uncorrelated"
    )
    return Proof(
        (
            Step(lhs, crossed, Rule.IDENTITY, "the square of each residual"),
            Step(crossed, rhs, Rule.CITED, because),
            Step(rhs, crossed, Rule.CITED, f"{because}; and the other way"),
        ),
        "any data, targets and predictor, and any noise with these two moments",
        lhs=lhs,
        rhs=rhs,
    )
