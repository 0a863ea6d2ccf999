"""What the trials of several chapters of beyond share."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from proofs_check.trials.common import linearised, reflection, whole
from theory.beyond.mean_square_bounds import stability_threshold
from theory.checks import Array, rationals
from theory.claim import Instance
from theory.linear_stability import outer_products

beside = st.sampled_from(
    [Fraction(v, 1000) for v in (500, 900, 990, 995, 999, 1000, 1000, 1000, 1001, 1005, 1010, 1100)]
)
"""How far from a threshold a step size is drawn."""


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


ONE, TWO = Fraction(1), Fraction(2)
