"""Instances for the claims on the step sizes that SGD stays at in mean square (B3, B9)."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs_check.strategies.common import linearised
from theory.checks import Array, dot, rationals
from theory.claim import Instance
from theory.claims.walker2023 import outer_products
from theory.mean_square import stability_threshold

whole = st.integers(-3, 3)

beside = st.sampled_from(
    [Fraction(v, 1000) for v in (500, 900, 990, 995, 999, 1000, 1000, 1000, 1001, 1005, 1010, 1100)]
)
"""How far from a threshold a step size is drawn."""


def reflection(direction: list[int]) -> Array:
    """Return the orthogonal matrix I - 2 u u^T/|u|^2, of rationals."""
    u = rationals(direction)
    turned: Array = rationals(np.eye(len(u), dtype=int)) - 2 * np.outer(u, u) / Fraction(dot(u, u))
    return turned


@st.composite
def bases(draw: st.DrawFn) -> Array:
    """Draw an orthonormal basis of up to three dimensions as rows, turned at times."""
    d = draw(st.integers(1, 3))
    direction = draw(st.lists(whole, min_size=d, max_size=d))
    return reflection(direction) if any(direction) else rationals(np.eye(d, dtype=int))


@st.composite
def rows(draw: st.DrawFn) -> Array:
    """Draw features with whole entries: any, on a line, repeated, zero but for one, or an orthonormal basis, once or twice."""
    kind = draw(st.sampled_from(["any", "any", "line", "repeated", "one", "basis", "basis", "bases"]))
    if kind in ("basis", "bases"):
        basis = draw(bases())
        return np.concatenate([basis, basis]) if kind == "bases" and len(basis) < 3 else basis
    n, d = draw(st.integers(1, 4)), 1 if kind == "line" else draw(st.integers(1, 3))
    features = rationals([draw(st.lists(whole, min_size=d, max_size=d)) for _ in range(n)])
    if kind == "repeated":
        features = features[[i // 2 for i in range(n)]]
    if kind == "one":
        features = features * rationals([[1]] + [[0]] * (n - 1))
    return features


@st.composite
def curvatures(draw: st.DrawFn) -> Array:
    """Draw positive semidefinite Hessians: of features, or of full rank, all equal at times."""
    if draw(st.integers(0, 3)):
        return outer_products(*draw(rows()))
    n, d = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    roots = [
        np.array(draw(st.lists(whole, min_size=d * d, max_size=d * d)), dtype=object).reshape(d, d) for _ in range(n)
    ]
    if draw(st.booleans()):
        roots = roots[:1] * n
    return np.array([rationals(r @ r.T) for r in roots], dtype=object)


def near(draw: st.DrawFn, hessians: Array, batch: int) -> Fraction:
    """Draw a step size at, or somewhat beside, the threshold of batches drawn anew."""
    limit, factor = stability_threshold(hessians, batch), draw(beside)
    if limit.upper == float("inf"):
        return factor
    if limit.lower == limit.upper:
        return factor * Fraction(limit.lower)
    return factor * Fraction(limit.lower).limit_denominator(10_000)


@st.composite
def systems(draw: st.DrawFn) -> Instance:
    """Draw positive semidefinite Hessians, a batch size, a step size near the threshold, and whatever else the claims ask."""
    hessians = draw(curvatures())
    n, d = hessians.shape[:2]
    batch = draw(st.one_of(st.just(1), st.integers(1, n), st.just(n)))
    return with_more(draw, {"hessians": hessians, "step_size": near(draw, hessians, batch), "batch_size": batch}, n, d)


@st.composite
def indefinite(draw: st.DrawFn) -> Instance:
    """Draw Hessians of all kinds, indefinite and negative ones among them, and the rest."""
    given = draw(linearised()).given
    n, d = given["hessians"].shape[:2]
    hessians = draw(st.sampled_from([1, 1, -1])) * rationals(given["hessians"])
    return with_more(draw, {**given, "hessians": hessians}, n, d)


def with_more(draw: st.DrawFn, given: Mapping[str, object], n: int, d: int) -> Instance:
    """Draw a share of the step, another batch size, a direction, and two symmetric matrices for a system."""
    matrices = [draw(st.lists(whole, min_size=d * d, max_size=d * d)) for _ in range(2)]
    first, second = (rationals(entries).reshape(d, d) for entries in matrices)
    share = draw(st.one_of(st.just(Fraction(1)), st.integers(1, 19).map(lambda v: Fraction(v, 20))))
    return Instance(
        {
            **given,
            "share": share,
            "other_batch_size": draw(st.integers(1, n)),
            "direction": rationals(draw(st.lists(whole, min_size=d, max_size=d))),
            "first": first + first.T,
            "second": second + second.T,
        },
        "drawn",
    )


@st.composite
def featured(draw: st.DrawFn) -> Instance:
    """Draw features, a batch size and a step size near the threshold."""
    features = draw(rows())
    batch = draw(st.one_of(st.just(1), st.integers(1, len(features))))
    step_size = near(draw, outer_products(*features), batch)
    return Instance({"features": features, "step_size": step_size, "batch_size": batch}, "drawn")


@st.composite
def on_a_line(draw: st.DrawFn) -> Instance:
    """Draw curvatures of one dimension, equal or two apart at times, and a step size up to far beyond the threshold."""
    n = draw(st.integers(1, 4))
    sizes = draw(
        st.one_of(st.lists(st.integers(0, 5), min_size=n, max_size=n), st.integers(1, 4).map(lambda h: [h] * n))
    )
    far = draw(st.sampled_from([Fraction(1, 100), Fraction(1), Fraction(1)]))
    hessians = rationals([[[h * (far if i else 1)]] for i, h in enumerate(sizes)])
    batch = draw(st.one_of(st.just(1), st.integers(1, n)))
    step_size = near(draw, hessians, batch) if draw(st.booleans()) else Fraction(draw(st.integers(1, 100)))
    return with_more(draw, {"hessians": hessians, "step_size": step_size, "batch_size": batch}, n, 1)


@st.composite
def far_out(draw: st.DrawFn) -> Instance:
    """Draw a steep point and one or two flat ones on a line, and a step size near the one that the flat ones bear."""
    flat, times = draw(st.integers(2, 100)), draw(st.integers(1, 2))
    hessians = rationals([[[Fraction(1)]], *[[[Fraction(1, flat)]]] * times])
    step_size = flat * draw(st.sampled_from([Fraction(1), Fraction(1), Fraction(99, 100), Fraction(11, 10)]))
    return with_more(draw, {"hessians": hessians, "step_size": step_size, "batch_size": 1}, 1 + times, 1)


@st.composite
def in_pairs(draw: st.DrawFn) -> Instance:
    """Draw three or four features in the plane, two or two pairs of them equal, and a step size near the threshold."""
    pair, other = (draw(st.tuples(st.integers(-3, 3), st.integers(-3, 3))) for _ in range(2))
    if draw(st.booleans()):
        other = (0, other[1])
    features = [pair, pair, other, *([other] if draw(st.booleans()) else [])]
    hessians, batch = outer_products(*features), draw(st.sampled_from([1, 2]))
    given = {"hessians": hessians, "step_size": near(draw, hessians, batch), "batch_size": batch}
    return with_more(draw, given, len(features), 2)


@st.composite
def two_points(draw: st.DrawFn) -> Instance:
    """Draw two Hessians, equal at times, and a step size near the threshold, where the growth of equal ones is 1, or 2/h."""
    first = draw(curvatures())[0]
    second = first if draw(st.booleans()) else draw(st.integers(0, 3)) * first + np.diag([Fraction(1)] * len(first))
    hessians = np.array([first, second], dtype=object)
    batch = draw(st.sampled_from([1, 1, 1, 2]))
    step_size = near(draw, hessians, batch) if draw(st.booleans()) else Fraction(draw(st.integers(1, 4)), 4)
    return with_more(draw, {"hessians": hessians, "step_size": step_size, "batch_size": batch}, 2, len(first))


@st.composite
def orthonormal(draw: st.DrawFn) -> Instance:
    """Draw an orthonormal basis, its features scaled at times, a batch size and any step size."""
    features = draw(bases()) * draw(st.sampled_from([1, 1, 1, 2]))
    n, step_size = len(features), Fraction(draw(st.integers(1, 40)), 8)
    given = {"hessians": outer_products(*features), "step_size": step_size, "batch_size": draw(st.integers(1, n))}
    return with_more(draw, given, n, features.shape[1])


@st.composite
def left_over(draw: st.DrawFn) -> Instance:
    """Draw a steep point among two or three flat ones, and batches that leave one point over."""
    batch, flat = draw(st.integers(2, 3)), draw(st.sampled_from([0, 0, 1]))
    hessians = rationals([[[draw(st.integers(1, 9))]], *[[[flat]]] * batch])
    given = {"hessians": hessians, "step_size": near(draw, hessians, batch), "batch_size": batch}
    return with_more(draw, given, batch + 1, 1)


@st.composite
def at_the_worst_batch(draw: st.DrawFn) -> Instance:
    """Draw a system and a step size at, or beside, the edge of the worst batch of an epoch."""
    instance = draw(st.one_of(systems(), on_a_line(), in_pairs(), left_over()))
    hessians, batch = instance["hessians"], instance["batch_size"]
    rest = len(hessians) % batch or batch
    # The trace of the largest sum, which is exact in one dimension and where one feature has it all.
    traces = sorted((Fraction(np.trace(h)) for h in hessians), reverse=True)
    most = max(sum(traces[:size], Fraction(0)) / size for size in draw(st.sampled_from([(batch, rest), (batch,)])))
    return instance.but(step_size=draw(beside) * (2 / most if most else 1))


EVERY: SearchStrategy[Instance] = st.one_of(systems(), systems(), systems(), indefinite())
EPOCHS: SearchStrategy[Instance] = st.one_of(systems(), on_a_line(), in_pairs(), in_pairs(), indefinite())
ON_A_LINE: SearchStrategy[Instance] = st.one_of(on_a_line(), on_a_line(), in_pairs(), systems())

INSTANCES: Mapping[str, SearchStrategy[Instance]] = {
    **dict.fromkeys(("B3", "B3.a", "B3.b", "B3.c", "B3.e", "B3.f", "B3.i", "B3.j", "B3.k"), EVERY),
    **dict.fromkeys(("B3.d", "B3.g", "B3.h"), featured()),
    "B9": st.one_of(far_out(), on_a_line()),
    "B9.a": EPOCHS,
    "B9.b": st.one_of(in_pairs(), in_pairs(), systems()),
    "B9.c": st.one_of(two_points(), two_points(), ON_A_LINE),
    "B9.d": ON_A_LINE,
    "B9.e": st.one_of(orthonormal(), orthonormal(), systems()),
    "B9.f": at_the_worst_batch(),
}
