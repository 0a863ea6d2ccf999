"""How the claims of `theory.walker2023.tangent` are put to the test."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.common import reflection, small, whole
from proofs_check.trials.operators import (
    Kind,
    Mutant,
    both_ways,
    bounds,
    right,
    without,
)
from proofs_check.trials.walker2023.common import times
from theory.checks import Array, rationals
from theory.claim import Instance
from theory.enclosure import Enclosure, top_eigenvalue
from theory.walker2023 import tangent
from theory.walker2023.tangent import W5, W6, W7, W7A


@st.composite
def decompositions(draw: st.DrawFn) -> Instance:
    """Draw features whose covariance has rational eigenvectors, some eigenvalues 0; sometimes with a wrong basis."""
    d = draw(st.integers(1, 3))
    m = d + draw(st.integers(0, 1))

    def turned(size: int) -> Array:
        return reflection(draw(st.lists(whole, min_size=size, max_size=size).filter(any)))

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


def _spectral(matrix: Array) -> Enclosure:
    return top_eigenvalue(matrix @ matrix.T).root()


def _path(matrices: Callable[[Instance], Array], radii: Callable[[Instance], Array]) -> tuple[Mutant, ...]:
    """Return mutants of W6 or W7, whose symbols these read."""

    def bound(
        change: Callable[[Array], Array], norm: Callable[[Array], Enclosure], most: int | None = None
    ) -> Callable[[Instance], Enclosure]:
        def side(given: Instance) -> Enclosure:
            features = given["features"]
            pairs = list(zip(matrices(given), radii(given), strict=True))[:most]
            return tangent.total(
                norm(tangent.inverse(change(a)) @ features.T).times(Fraction(r) / len(features)) for a, r in pairs
            )

        return side

    claim = tangent.W6 if matrices is _one_matrix else tangent.W7
    transposed = right(claim, "the transpose of A", Kind.DROPPED, bound(lambda a: a.T, tangent.frobenius))
    spectral = right(claim, "the spectral norm", Kind.MIN_MAX, bound(lambda a: a, _spectral))
    dropped = right(claim, "one update fewer", Kind.OFF_BY_ONE, bound(lambda a: a, tangent.frobenius, -1))
    more = times(
        claim,
        "m + 1 for m",
        Kind.OFF_BY_ONE,
        lambda given: Fraction(len(given["features"]), len(given["features"]) + 1),
    )
    return transposed, spectral, more, *((dropped,) if claim is tangent.W7 else ())


def _one_matrix(given: Instance) -> Array:
    stack: Array = given["matrix"][None]
    return stack


def _one_radius(given: Instance) -> Array:
    return np.array([given["radius"]], dtype=object)


def _maps(given: Instance) -> Enclosure:
    """W7.a with spectral norms."""
    maps, updates = given["feature_maps"], given["updates"]
    norms = (tangent.frobenius(w[None]) for w in updates)
    pairs = ((n, _spectral(phi)) for n, phi in zip(norms, maps, strict=True))
    whole = tangent.total(Enclosure(n.lower * s.lower, n.upper * s.upper) for n, s in pairs)
    return whole.times(Fraction(1, maps.shape[1]))


def _fewer_maps(given: Instance) -> Enclosure:
    fewer = given.but(updates=given["updates"][:-1], feature_maps=given["feature_maps"][:-1])
    return tangent.W7A.sides(fewer)[1]


def _updates(of: Callable[[Fraction, Fraction], Fraction]) -> Callable[[Instance], Fraction]:
    """Return W5's right side with another function of lambda_j and u_j(x) u_j^T grad l."""

    def side(given: Instance) -> Fraction:
        parts = (of(value, pull) for value, pull in tangent.component_updates(given))
        return -Fraction(given["step_size"]) * sum(parts, Fraction(0))

    return side


TRIALS = (
    Trial(
        W5,
        instances=decompositions(),
        mutants=(
            *both_ways(W5),
            right(W5, "no lambda_j", Kind.DROPPED, _updates(lambda value, pull: pull)),
            right(W5, "lambda_j^2", Kind.DROPPED, _updates(lambda value, pull: value**2 * pull)),
            right(W5, "+ eta", Kind.REVERSED, _updates(lambda value, pull: -value * pull)),
            without(W5, "the v_j are orthonormal"),
            without(W5, "they are eigenvectors, with these eigenvalues"),
        ),
    ),
    Trial(W6, instances=linear_models(), mutants=(*bounds(W6), *_path(_one_matrix, _one_radius))),
    Trial(
        W7,
        instances=linear_models(),
        mutants=(
            *bounds(W7),
            *_path(lambda given: given["matrices"], lambda given: given["radii"]),
        ),
    ),
    Trial(
        W7A,
        instances=linear_models(),
        mutants=(
            *bounds(W7A),
            right(W7A, "the spectral norm", Kind.MIN_MAX, _maps),
            right(W7A, "one update fewer", Kind.OFF_BY_ONE, _fewer_maps),
        ),
    ),
)
