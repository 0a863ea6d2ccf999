"""Instances for the claims of Walker 2023."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs_check.strategies import walker2023_descent
from proofs_check.strategies.common import linearised, small
from theory.checks import Array, dot, rationals
from theory.claim import Instance
from theory.claims.walker2023 import outer_products, sharpness_and_spread
from theory.claims.walker2023_rademacher import coin

whole = st.integers(-3, 3)


@st.composite
def near_the_limit_on_spread(draw: st.DrawFn) -> Instance:
    """Draw three or four squared losses, linear in two small whole features, and a step size about eq 2's limit on s."""
    n, feature = draw(st.integers(3, 4)), st.tuples(st.integers(-2, 2), st.integers(-2, 2))
    hessians = outer_products(*(draw(feature) for _ in range(n)))
    batch = draw(st.sampled_from([1, 1, 1, 2]))
    given = Instance(
        {"hessians": hessians, "step_size": Fraction(1), "batch_size": batch}, "drawn: near the limit on s"
    )
    spread = float(sharpness_and_spread(given)[1].upper)
    share = Fraction(draw(st.sampled_from([900, 990, 1000, 1002, 1005, 1005, 1010, 1010, 1020, 1050, 1100])), 1000)
    return given.but(step_size=share / Fraction(spread).limit_denominator(1000) if spread > 0.1 else share)


@st.composite
def one_dimension_at_the_edge(draw: st.DrawFn) -> Instance:
    """Draw curvatures of one dimension and a step size at, or one per cent beside, 2 H / (H^2 + p Sigma)."""
    meeting = st.sampled_from([[0, 2], [0, 2], [1], [1, 1]])  # where eq 2 and W1's condition meet
    curvatures = draw(st.one_of(st.lists(st.integers(0, 4), min_size=1, max_size=4).filter(any), meeting))
    n, batch = len(curvatures), draw(st.one_of(st.just(1), st.integers(1, len(curvatures))))
    mean = Fraction(sum(curvatures), n)
    share = Fraction(0) if n == 1 else Fraction(n - batch, batch * (n - 1))
    edge = 2 * mean / (mean**2 + share * (Fraction(sum(c * c for c in curvatures), n) - mean**2))
    factor = draw(
        st.sampled_from([Fraction(v, 1000) for v in (500, 991, 995, 999, 1000, 1000, 1001, 1004, 1009, 1050, 1200)])
    )
    hessians = rationals([[[c]] for c in curvatures])
    return Instance({"hessians": hessians, "step_size": factor * edge, "batch_size": batch}, "drawn: at the edge")


@st.composite
def classes(draw: st.DrawFn) -> Instance:
    """Draw a small class of functions on two or three outcomes, a sample size, and delta: tiny, at the edges, or near 1."""
    outcomes, functions = draw(st.integers(2, 3)), draw(st.integers(1, 4))
    value = st.sampled_from([Fraction(0), Fraction(1), Fraction(1, 2), Fraction(1, 3)])
    table = [[draw(value) for _ in range(outcomes)] for _ in range(functions)]
    weights = draw(st.lists(st.integers(0, 5), min_size=outcomes, max_size=outcomes).filter(any))
    most = 5 if outcomes == 2 else 3
    return Instance(
        {
            "functions": rationals(table),
            "probabilities": rationals([Fraction(w, sum(weights)) for w in weights]),
            "sample_size": draw(st.integers(1, most)),
            "delta": draw(st.sampled_from([Fraction(v, 100) for v in (1, 10, 30, 50, 70, 90, 99)])),
        },
        "drawn",
    )


@st.composite
def everything(draw: st.DrawFn) -> Instance:
    """Draw the class of all 0/1 functions of two or three equally likely outcomes: the most a class can overfit."""
    outcomes, m = draw(st.sampled_from([(2, 1), (2, 2), (3, 1), (3, 2), (2, 4)]))
    table = [[i >> z & 1 for z in range(outcomes)] for i in range(2**outcomes)]
    return Instance(
        {
            "functions": rationals(table),
            "probabilities": rationals([Fraction(1, outcomes)] * outcomes),
            "sample_size": m,
            "delta": Fraction(draw(st.sampled_from([50, 90, 99])), 100),
        },
        "drawn: everything",
    )


@st.composite
def tosses(draw: st.DrawFn) -> Instance:
    """Draw many tosses of a fair coin, whose far tail is what McDiarmid's inequality says, or few."""
    m, halvings = draw(st.sampled_from([(1, 1), (10, 3), (100, 20), (400, 30), (15000, 700), (15000, 580)]))
    return Instance(coin(m, halvings).given, "drawn: tosses")


@st.composite
def pairs(draw: st.DrawFn) -> Instance:
    """Draw two examples with residuals, equal or parallel at times, and the length of a step."""
    d = draw(st.integers(1, 3))
    row = st.lists(whole, min_size=d + 1, max_size=d + 1)
    first = draw(row)
    second = draw(st.one_of(row, st.just(first), st.just([-v for v in first])))
    return Instance({"pair": rationals([first, second]), "rate": abs(draw(small))}, "drawn")


@st.composite
def triples(draw: st.DrawFn) -> Instance:
    """Draw three gradients with whole coordinates, the second between the others at times, or one of them."""
    d = draw(st.integers(1, 3))
    row = st.lists(whole, min_size=d, max_size=d)
    first, last = draw(row), draw(row)
    between = [a + b for a, b in zip(first, last, strict=True)]
    middle = draw(st.one_of(row, st.just(between), st.just(first), st.just([2 * v for v in last])))
    exact = [[1, 0], [1, 0], [7, 24]]
    rows = draw(st.sampled_from([[first, middle, last], [first, middle, last], exact]))
    return Instance({"triple": rationals(rows)}, "drawn")


def _reflection(direction: list[int]) -> Array:
    """Return the orthogonal matrix I - 2 u u^T / |u|^2, of rationals."""
    u = rationals(direction)
    identity = rationals(np.eye(len(u), dtype=int))
    turned: Array = identity - 2 * np.outer(u, u) / Fraction(dot(u, u))
    return turned


@st.composite
def decompositions(draw: st.DrawFn) -> Instance:
    """Draw features whose covariance has rational eigenvectors, some eigenvalues 0; sometimes with a wrong basis."""
    d = draw(st.integers(1, 3))
    m = d + draw(st.integers(0, 1))

    def turned(size: int) -> Array:
        return _reflection(draw(st.lists(whole, min_size=size, max_size=size).filter(any)))

    basis, scales = turned(d), rationals(draw(st.lists(st.integers(0, 3), min_size=d, max_size=d)))
    features = (turned(m)[:, :d] * scales) @ basis
    values = scales**2 / Fraction(m)
    wrong = draw(st.sampled_from(["", "", "", "stretched", "zeroed", "halved"]))
    if wrong == "stretched":
        basis = 2 * basis
    elif wrong == "zeroed":
        values = values * 0
    elif wrong == "halved":
        values = values / 2
    vector = st.lists(whole, min_size=d, max_size=d)
    return Instance(
        {
            "features": features,
            "basis": basis,
            "eigenvalues": values,
            "output_gradient": rationals(draw(st.lists(whole, min_size=m, max_size=m))),
            "step_size": abs(draw(small.filter(bool))),
            "feature": rationals(draw(vector)),
        },
        "drawn",
    )


@st.composite
def linear_models(draw: st.DrawFn) -> Instance:
    """Draw features, matrices (singular at times) and radii: of one update, and of several; few examples, often one."""
    d, m, t = draw(st.integers(1, 2)), draw(st.sampled_from([1, 1, 2, 3])), draw(st.integers(1, 2))

    def array(*shape: int) -> Array:
        size = int(np.prod(shape))
        return rationals(draw(st.lists(whole, min_size=size, max_size=size))).reshape(shape)

    matrices = array(t, d, d)
    radii = rationals(draw(st.lists(st.integers(0, 3), min_size=t, max_size=t)))
    return Instance(
        {
            "features": array(m, d),
            "matrix": matrices[0],
            "radius": radii[0],
            "matrices": matrices,
            "radii": radii,
            "updates": array(t, d),
            "feature_maps": array(t, m, d),
        },
        "drawn",
    )


@st.composite
def distributions(draw: st.DrawFn) -> Instance:
    """Draw a few vectors, equal or opposite or 0 at times, with weights of which some are 0, a factor and a number of draws."""
    m, d = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    row = st.lists(st.integers(-2, 2), min_size=d, max_size=d)
    rows = [draw(row)]
    for _ in range(m - 1):
        rows.append(draw(st.one_of(row, st.just(rows[0]), st.just([-v for v in rows[0]]))))
    weights = draw(st.lists(st.integers(0, 3), min_size=m, max_size=m).filter(any))
    return Instance(
        {
            "vectors": rationals(rows),
            "probabilities": rationals(weights) / sum(weights),
            "factor": draw(small),
            "draws": draw(st.integers(1, 3)),
        },
        "drawn",
    )


@st.composite
def samples(draw: st.DrawFn) -> Instance:
    """Draw gradients of a sample: along the axes, so that they are orthogonal, or any; in batches."""
    m, d = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    if draw(st.booleans()):
        rows = [[draw(whole) if i == j else 0 for j in range(max(m, d))] for i in range(m)]
    else:
        rows = [draw(st.lists(whole, min_size=d, max_size=d)) for _ in range(m)]
    return Instance({"vectors": rationals(rows), "group": draw(st.integers(1, m))}, "drawn")


@st.composite
def copied(draw: st.DrawFn) -> Instance:
    """Draw directions, mostly orthogonal ones, and how often a sample holds each."""
    d = draw(st.integers(1, 3))
    rows = np.diag(rationals(draw(st.lists(whole, min_size=d, max_size=d))))
    if draw(st.booleans()):
        rows = rows @ _reflection(draw(st.lists(whole, min_size=d, max_size=d).filter(any)))
    elif draw(st.sampled_from([False, False, True])):
        rows = rationals(draw(st.lists(st.lists(whole, min_size=d, max_size=d), min_size=d, max_size=d)))
    return Instance({"directions": rows, "copies": draw(st.integers(1, 4))}, "drawn")


@st.composite
def in_batches(draw: st.DrawFn) -> Instance:
    """Draw gradients of a sample that parts into batches in several ways, or into one."""
    m, k = draw(st.sampled_from([(2, 1), (3, 1), (4, 2), (4, 2), (4, 2), (6, 2), (6, 3), (2, 2), (3, 2)]))
    row = st.lists(st.integers(-1, 2), min_size=2, max_size=2)
    return Instance({"vectors": rationals([draw(row) for _ in range(m)]), "group": k}, "drawn: in batches")


@st.composite
def rare_losses(draw: st.DrawFn) -> Instance:
    """Draw one classifier or two, right but for a rare loss of any size, and a sample that may well miss it."""
    loss = st.sampled_from([Fraction(1, 2), Fraction(1), Fraction(8), Fraction(16), Fraction(40), Fraction(1000)])
    rare = draw(st.sampled_from([Fraction(1, 2), Fraction(1, 4), Fraction(1, 10)]))
    table = [[draw(loss), 0] for _ in range(draw(st.integers(1, 2)))]
    return Instance(
        {
            "losses": rationals(table),
            "probabilities": rationals([rare, 1 - rare]),
            "sample_size": draw(st.integers(1, 4)),
            "delta": draw(st.sampled_from([Fraction(1, 10), Fraction(1, 2), Fraction(7, 10)])),
        },
        "drawn: rare losses",
    )


bounds: SearchStrategy[Instance] = st.one_of(classes(), classes(), everything(), tosses())

INSTANCES: Mapping[str, SearchStrategy[Instance]] = {
    "W1": st.one_of(linearised(), near_the_limit_on_spread(), one_dimension_at_the_edge()),
    "W1.a": st.one_of(
        linearised(dimensions=(1, 1)),
        near_the_limit_on_spread(),
        one_dimension_at_the_edge(),
        one_dimension_at_the_edge(),
    ),
    "W2": st.one_of(linearised(), near_the_limit_on_spread(), near_the_limit_on_spread()),
    "W2.a": st.one_of(
        linearised(), near_the_limit_on_spread(), one_dimension_at_the_edge(), one_dimension_at_the_edge()
    ),
    "W2.b": linearised(),
    **dict.fromkeys(("W3", "W3.a", "W3.b", "W3.c"), bounds),
    "W3.d": rare_losses(),
    **dict.fromkeys(("W4", "W4.a", "W4.b", "W4.c", "W4.d"), pairs()),
    **dict.fromkeys(("W4.e", "W4.f"), triples()),
    "W5": decompositions(),
    **dict.fromkeys(("W6", "W7", "W7.a"), linear_models()),
    **dict.fromkeys(("W8", "W8.a", "W8.b", "W8.c", "W8.d", "W8.e"), distributions()),
    "W9": samples(),
    **dict.fromkeys(("W9.a", "W9.b", "W9.c"), copied()),
    **dict.fromkeys(("W11", "W11.a", "W11.b", "W11.c", "W11.d"), distributions()),
    "W11.e": samples(),
    "W11.f": in_batches(),
    **walker2023_descent.INSTANCES,
}
