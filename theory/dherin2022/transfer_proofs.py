"""Proofs of the claims of Dherin et al. 2022 on the transfer functions: Theorem 5.1, at one point and on a data set."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import reals
from theory.proof import Proof, Rule, Step

_layer, _entry, _input, _point = sp.symbols("i e b j", integer=True)
DENSE_LAYERS = sp.Symbol("L", integer=True, positive=True)
POINTS = sp.Symbol("m", integer=True, nonnegative=True)
LEAST = sp.Symbol("l", positive=True)

SUBMULTIPLICATIVE = (
    "||A B C||_F <= ||A||_F sigma_max(B) sigma_max(C) (Horn and Johnson): grad_x f = J W h', with J the Jacobian of f in what "
    "the layer puts out, y = ||J||_F^2, p = sigma_max(W)^2, q = sigma_max(h')^2, g = ||grad_x f||_F^2"
)


def complexity_at(*place: sp.Expr) -> sp.Expr:
    """Return g, ||grad_x f||_F^2 at a point: g itself, or its entry for a point of a data set."""
    return sp.IndexedBase("g", nonnegative=True)[place] if place else sp.Symbol("g", nonnegative=True)


def _layer_at(name: str, *place: sp.Expr) -> sp.Expr:
    return sp.IndexedBase(name, positive=True if name in "pq" else None, nonnegative=None if name in "pq" else True)[
        (*place, _layer)
    ]


def over_layers(term: sp.Expr) -> sp.Sum:
    """Return the sum over the layers i = 1..L."""
    return sp.Sum(term, (_layer, 1, DENSE_LAYERS))


def gradient_at(*place: sp.Expr) -> sp.Sum:
    """Return ||grad_theta f||_F^2 = sum_i y_i w_i, w_i = c_i + |h_i|^2, c_i = 1 where layer i has biases."""
    return over_layers(_layer_at("y", *place) * _layer_at("w", *place))


def transfer_at(*place: sp.Expr) -> sp.Sum:
    """Return sum_i T_i^2 = sum_i w_i / (p_i q_i)."""
    return over_layers(_layer_at("w", *place) / (_layer_at("p", *place) * _layer_at("q", *place)))


def at_a_point(*place: sp.Expr) -> tuple[Step, ...]:
    """Return steps 0 to 4 of a proof, the last of them ||grad_theta f||_F^2 >= ||grad_x f||_F^2 sum_i T_i^2."""
    size, weight, first, second = (
        sp.Symbol("y", nonnegative=True),
        sp.Symbol("w", nonnegative=True),
        sp.Symbol("p", positive=True),
        sp.Symbol("q", positive=True),
    )
    jacobian, inputs = reals("J h")
    width, units = sp.Symbol("r", integer=True, nonnegative=True), sp.Symbol("d", integer=True, positive=True)
    outputs = sp.Sum(jacobian[_entry] ** 2, (_entry, 1, width))
    products = sp.Sum(sp.Sum((jacobian[_entry] * inputs[_input]) ** 2, (_input, 1, units)), (_entry, 1, width))
    complexity, here = sp.Symbol("g", nonnegative=True), complexity_at(*place)
    product = size * first * second
    y, w, p, q = (_layer_at(name, *place) for name in "ywpq")
    one_layer = (sp.Ge(product, complexity),)
    each_layer = (sp.Ge(y * p * q, here),)
    shared = over_layers(here * w / (p * q))
    return (
        Step(
            products,
            outputs * sp.Sum(inputs[_input] ** 2, (_input, 1, units)),
            Rule.INDUCTION,
            "one layer with weights of its own: the gradient of f in W is J h^T, and in b it is J, together y (c + |h|^2)",
            variable=width,
        ),
        Step(product, complexity, Rule.CITED, SUBMULTIPLICATIVE),
        Step(
            size * weight,
            complexity * weight / (first * second),
            Rule.POLYNOMIAL,
            "times w/(p q), w = c + |h|^2",
            conditions=one_layer,
            uses=(0, 1),
        ),
        Step(gradient_at(*place), shared, Rule.SUM, "over all layers", term=2, conditions=each_layer, uses=(1,)),
        Step(shared, here * transfer_at(*place), Rule.IDENTITY, "grad_x f is the same for all"),
    )


FIRST_FREE = 5
"""The number of the step after these."""

SHOWN = (3, 4)
"""The steps among them that later ones use."""


def at_this_point(*place: sp.Expr) -> tuple[sp.Basic, ...]:
    """Return what these steps show, as conditions."""
    shared = over_layers(
        complexity_at(*place) * _layer_at("w", *place) / (_layer_at("p", *place) * _layer_at("q", *place))
    )
    return (
        sp.Ge(gradient_at(*place), shared),
        sp.Eq(shared, complexity_at(*place) * transfer_at(*place)),
    )


def d10a() -> Proof:
    """The inequality of each layer, added up; the printed factor is at least 1."""
    complexity, gradient, transfer = complexity_at(), gradient_at(), transfer_at()
    smaller = sp.Symbol("k", positive=True)
    return Proof(
        (
            *at_a_point(),
            Step(
                gradient / transfer * smaller,
                complexity,
                Rule.POLYNOMIAL,
                "over sum_i w_i/(p_i q_i), and k = min(d, k) >= 1",
                conditions=(*at_this_point(), transfer > 0, smaller >= 1),
                uses=SHOWN,
            ),
        ),
        "dense layers with weights of their own, of any number and sizes",
        lhs=complexity,
        rhs=gradient / transfer * smaller,
    )


_LAST = POINTS + 1

GRADIENTS = sp.Sum(gradient_at(_point), (_point, 1, POINTS))
"""The sum of ||grad_theta f||_F^2 over the data."""

COMPLEXITIES = sp.Sum(complexity_at(_point), (_point, 1, POINTS))
"""The sum of ||grad_x f||_F^2 over the data."""

ON_THE_DATA = 6
"""The number of the step that `on_the_data` ends with."""


def on_the_data() -> tuple[Step, ...]:
    """Return steps 0 to 6 of a proof; the last is GRADIENTS / l >= COMPLEXITIES where l <= sum_i T_i^2 at all points."""
    each = (*at_this_point(_LAST), sp.Ge(transfer_at(_LAST), LEAST))
    return (
        *at_a_point(_LAST),
        Step(
            gradient_at(_LAST) / LEAST,
            complexity_at(_LAST),
            Rule.POLYNOMIAL,
            "over l, which no sum of squared transfer functions is below",
            conditions=each,
            uses=SHOWN,
        ),
        Step(
            GRADIENTS / LEAST,
            COMPLEXITIES,
            Rule.INDUCTION,
            "over the data, one point more",
            (gradient_at(_LAST) / LEAST - complexity_at(_LAST),),
            term=FIRST_FREE,
            conditions=each,
            variable=POINTS,
            base=0,
            uses=SHOWN,
        ),
    )


def mean_on_the_data(count: sp.Symbol) -> Step:
    """Return the same over n, the number of points: the step after those of `on_the_data`."""
    return Step(
        GRADIENTS / LEAST / count,
        COMPLEXITIES / count,
        Rule.POLYNOMIAL,
        "over n",
        conditions=(sp.Ge(GRADIENTS / LEAST, COMPLEXITIES),),
        uses=(ON_THE_DATA,),
    )


def d10b() -> Proof:
    """D10 at every point, over the least sum of squared transfer functions."""
    count = sp.Symbol("n", positive=True)
    return Proof(
        (*on_the_data(), mean_on_the_data(count)),
        "dense layers with weights of their own, of any number and sizes; any data",
        lhs=COMPLEXITIES / count,
        rhs=GRADIENTS / LEAST / count,
    )


def trace_is_mean_square(trace: sp.Symbol, count: sp.Symbol) -> Step:
    """Return that tr H = (1/n) sum |grad_theta f|^2 of the matrix H = (1/n) sum grad f grad f^T, over l."""
    return Step(
        trace / LEAST,
        GRADIENTS / LEAST / count,
        Rule.CITED,
        "the trace of an outer product is the square of the vector: tr H = (1/n) sum |grad_theta f|^2",
    )


def d22a() -> Proof:
    """D10.b, for the trace of the Hessian where all residuals are 0."""
    count, trace = sp.Symbol("n", positive=True), sp.Symbol("t", nonnegative=True)
    return Proof(
        (*on_the_data(), mean_on_the_data(count), trace_is_mean_square(trace, count)),
        "dense layers with weights of their own, of any number and sizes; any data and outputs",
        lhs=COMPLEXITIES / count,
        rhs=trace / LEAST,
    )
