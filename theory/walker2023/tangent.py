"""Walker 2023 on tangent features: W5 on function updates, W6 and W7 on the complexity of linear models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import sympy as sp

from theory.checks import Array, dot, exact_vector, exact_vectors, nonnegative, rationals, real_array
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.enclosure import Enclosure, square_root
from theory.sources import WALKER2023, Source
from theory.symbols import STEP_SIZE, Symbol
from theory.walker2023 import tangent_proofs as proofs
from theory.walker2023.tangent_bounds import (
    ALL_INVERTIBLE,
    INVERTIBLE,
    path_rademacher_bound,
    rademacher_bound,
    tangent_complexity,
)


def _stack(name: str, value: Any) -> Array:
    return rationals(real_array(name, value, ndim=3))


def _radii(name: str, value: Any) -> Array:
    """Return bounds on norms, exact, [T].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if one is negative or not finite.
    """
    radii = exact_vector(name, value)
    for radius in radii:
        nonnegative(name, radius)
    return radii


FEATURES = Symbol("features", r"\Phi", "tangent features of the sample, one example a row, [m, d]", exact_vectors)
BASIS = Symbol("basis", r"v_j", "eigenvectors of the mean of Phi(x) Phi(x)^T, one a row, [d, d]", exact_vectors)
EIGENVALUES = Symbol("eigenvalues", r"\lambda_j", "their eigenvalues, [d]", exact_vector)
OUTPUT_GRADIENT = Symbol("output_gradient", r"\nabla_h l", "gradient of the loss in the m outputs, [m]", exact_vector)
FEATURE = Symbol("feature", r"\Phi(x)", "tangent features of any point, [d]", exact_vector)
MATRIX = Symbol("matrix", "A", "a matrix [d, d]", exact_vectors)
RADIUS = Symbol("radius", "M_A", "bound on the norm of w, at least 0", lambda n, v: Fraction(nonnegative(n, v)))
MATRICES = Symbol("matrices", "(A_t)", "matrices, [T, d, d]", _stack)
RADII = Symbol("radii", "(m_t)", "bounds on the norms of the updates, at least 0, [T]", _radii)
UPDATES = Symbol("updates", r"\delta w_t", "updates of the weights, one a row, [T, d]", exact_vectors)
MAPS = Symbol("feature_maps", r"(\Phi_t)", "tangent features of the sample at each step, [T, m, d]", _stack)


def covariance(features: Array) -> Array:
    """Return the mean of Phi(x) Phi(x)^T over the sample, [d, d], exactly."""
    mean: Array = features.T @ features / Fraction(len(features))
    return mean


def _eigenpairs(given: Instance) -> bool:
    sigma, basis, values = covariance(given["features"]), given["basis"], given["eigenvalues"]
    return bool(np.all(sigma @ basis.T == basis.T * values))


def _orthonormal(given: Instance) -> bool:
    return bool(np.all(given["basis"] @ given["basis"].T == np.eye(len(given["basis"]), dtype=int)))


def component_updates(given: Instance) -> list[tuple[Fraction, Fraction]]:
    """Return lambda_j, and u_j(x) u_j^T grad_h l, exactly, for every j with lambda_j > 0.

    u_j has 1/sqrt(lambda_j) in it; in the product of two the roots meet.
    """
    along = given["features"] @ given["basis"].T
    here, pulls = given["basis"] @ given["feature"], along.T @ given["output_gradient"]
    triples = zip(given["eigenvalues"], here, pulls, strict=True)
    return [(value, Fraction(u * pull / value)) for value, u, pull in triples if value > 0]


def update(given: Instance) -> Fraction:
    """Return <dw, Phi(x)> for the gradient step dw = -eta Phi^T grad_h l, exactly."""
    step = given["features"].T @ given["output_gradient"]
    return -Fraction(given["step_size"]) * Fraction(dot(step, given["feature"]))


def _update_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    eta = Fraction(given["step_size"])
    total = sum((-eta * value * pull for value, pull in component_updates(given)), Fraction(0))
    return Enclosure.exactly(update(given)), Enclosure.exactly(total)


def _reads_update(given: Instance) -> dict[str, Any]:
    """Return what the symbols of W5's proof are; c_j is 1/lambda_j, or 0 where lambda_j is 0."""
    features, basis = given["features"], given["basis"]
    values = [Fraction(value) for value in given["eigenvalues"]]
    return {
        "n": len(features),
        "m": len(basis),
        "eta": Fraction(given["step_size"]),
        "F": features,
        "g": given["output_gradient"],
        "phi": given["feature"],
        "a": basis @ (features.T @ given["output_gradient"]),
        "b": basis @ given["feature"],
        "lambda": values,
        "c": [1 / value if value else value for value in values],
    }


def inverse(matrix: Array) -> Array:
    """Return the inverse of a square matrix of rationals, exactly.

    Raises:
        ValueError: if it is singular.
    """
    n = len(matrix)
    work = np.concatenate([matrix, rationals(np.eye(n, dtype=int))], axis=1)
    for i in range(n):
        pivots = np.flatnonzero(work[i:, i] != 0)
        if not len(pivots):
            raise ValueError("matrix must be invertible, got a singular one")
        work[[i, i + pivots[0]]] = work[[i + pivots[0], i]]
        work[i] = work[i] / work[i, i]
        for j in range(n):
            if j != i:
                work[j] = work[j] - work[i] * work[j, i]
    result: Array = work[:, n:]
    return result


def _invertible(matrix: Array) -> bool:
    if matrix.shape[0] != matrix.shape[1]:
        return False
    try:
        inverse(matrix)
    except ValueError:
        return False
    return True


def total(terms: Iterator[Enclosure]) -> Enclosure:
    """Return the sum of intervals."""
    return sum(terms, Enclosure.exactly(Fraction(0)))


def frobenius(matrix: Array) -> Enclosure:
    """Return the Frobenius norm of a matrix of rationals."""
    return square_root(Fraction((matrix * matrix).sum()))


def mean_dual_norm(features: Array, gram: Array) -> Enclosure:
    """Return E_sigma sup <w, Phi^T sigma> over w^T G w <= 1, which is E sqrt(v^T G^-1 v), v = Phi^T sigma.

    All signs are enumerated, but for the first: sigma and -sigma give the same.
    """
    m, back = len(features), inverse(gram)
    signs = (np.array((1, *rest), dtype=object) for rest in product((1, -1), repeat=m - 1))
    vectors = (features.T @ sigma for sigma in signs)
    whole = total(square_root(Fraction(dot(v, back @ v))) for v in vectors)
    return whole.times(Fraction(1, 2 ** (m - 1)))


def path_complexity(features: Array, matrices: Array, radii: Array) -> Enclosure:
    """Return the empirical Rademacher complexity of x -> <sum_t w_t, Phi(x)>, w_t^T A_t A_t^T w_t <= m_t^2.

    The parts are free of each other, so the supremum of the sum is the sum of the suprema.
    """
    pairs = zip(matrices, radii, strict=True)
    parts = (mean_dual_norm(features, a @ a.T).times(Fraction(r) / len(features)) for a, r in pairs)
    return total(parts)


def path_bound(features: Array, matrices: Array, radii: Array) -> Enclosure:
    """Return sum_t (m_t / m) ||A_t^-1 Phi^T||_F."""
    pairs = zip(matrices, radii, strict=True)
    return total(frobenius(inverse(a) @ features.T).times(Fraction(r) / len(features)) for a, r in pairs)


def _one_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    arguments = given["features"], given["matrix"][None], rationals([given["radius"]])
    return path_complexity(*arguments), path_bound(*arguments)


def _path_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    arguments = given["features"], given["matrices"], given["radii"]
    return path_complexity(*arguments), path_bound(*arguments)


def _maps_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    maps, sizes = given["feature_maps"], [square_root(Fraction(dot(w, w))) for w in given["updates"]]
    m, plain = maps.shape[1], rationals(np.eye(maps.shape[2], dtype=int))
    norms = [mean_dual_norm(phi, plain) for phi in maps], [frobenius(phi) for phi in maps]
    sides = [
        total(
            Enclosure(n.lower * s.lower, n.upper * s.upper).times(Fraction(1, m))
            for n, s in zip(side, sizes, strict=True)
        )
        for side in norms
    ]
    return sides[0], sides[1]


def _reads_parts(parts: Sequence[Array], radii: Sequence[Any]) -> dict[str, Any]:
    """Return what the symbols of the proofs of W6 and W7 are, of matrices B_t = A_t^-1 Phi_t^T, [d, n], and radii.

    Row t of x has, for each vector of signs, <z, B_t sigma> at its largest, z of length m_t along B_t sigma.
    """
    n = parts[0].shape[1]
    signs = [np.array(sigma, dtype=object) for sigma in product((1, -1), repeat=n)]
    squares = [[Fraction(dot(b @ sigma, b @ sigma)) for sigma in signs] for b in parts]
    lengths = [[sp.sqrt(sp.Rational(y)) for y in row] for row in squares]
    suprema = [
        [radius * sp.Rational(y) / length if y else sp.Integer(0) for y, length in zip(row, roots, strict=True)]
        for radius, row, roots in zip(radii, squares, lengths, strict=True)
    ]
    entries = [list(b.ravel()) for b in parts]
    sizes = {"n": n, "m": len(signs), "d": len(entries[0]), "T": len(parts)}
    return {**sizes, "y": squares, "x": suprema, "e": entries, "M": list(radii)}


def _reads_one(given: Instance) -> dict[str, Any]:
    parts = [inverse(given["matrix"]) @ given["features"].T]
    return _reads_parts(parts, [sp.Rational(Fraction(given["radius"]))])


def _reads_path(given: Instance) -> dict[str, Any]:
    parts = [inverse(a) @ given["features"].T for a in given["matrices"]]
    return _reads_parts(parts, [sp.Rational(Fraction(r)) for r in given["radii"]])


def _reads_maps(given: Instance) -> dict[str, Any]:
    radii = [sp.sqrt(sp.Rational(Fraction(dot(w, w)))) for w in given["updates"]]
    return _reads_parts([phi.T for phi in given["feature_maps"]], radii)


def _is_invertible() -> Assumption:
    return Assumption.that(INVERTIBLE, lambda given: _invertible(given["matrix"]))


def _are_invertible() -> Assumption:
    return Assumption.that(ALL_INVERTIBLE, lambda given: all(map(_invertible, given["matrices"])))


W5 = Claim(
    id="W5",
    source=Source(WALKER2023, "Lemma 4.2"),
    statement=r"\delta f_{GD}(x) = \sum_{j=1}^d \delta h_j\, u_{wj}(x),\quad "
    r"\delta h_j = -\eta \lambda_{wj}\, u_{wj}^\top \nabla_{h_w} l",
    form=Form.IDENTITY,
    symbols=(FEATURES, BASIS, EIGENVALUES, OUTPUT_GRADIENT, STEP_SIZE, FEATURE),
    assumptions=(
        Assumption("the v_j are orthonormal", _orthonormal, bool),
        Assumption("they are eigenvectors, with these eigenvalues", _eigenpairs, bool),
    ),
    sides=_update_sides,
    proof=proofs.w5,
    reads=_reads_update,
    finding=Finding.AS_PRINTED,
    note="The eigenvectors may be of any distribution whose support holds the sample.",
    reading="For lambda_j = 0 (certain for the sample's covariance when d > m) u_j divides by 0, and is read as an "
    "absent term. The text takes the gradient step on one example and the lemma on all m: it is read for a loss of "
    "all outputs, and delta f, f and h as one.",
    extremal=Instance(
        {
            "features": rationals([[1, 0], [0, 2]]),
            "basis": rationals([[1, 0], [0, 1]]),
            "eigenvalues": rationals([Fraction(1, 2), 2]),
            "output_gradient": rationals([1, -1]),
            "step_size": Fraction(1, 3),
            "feature": rationals([3, 1]),
        },
        "named",
    ),
)

W6 = Claim(
    id="W6",
    source=Source(WALKER2023, "Proposition 4.4"),
    statement=r"\hat{\mathfrak R}\big(\mathcal F_{M_A}^A\big) \le \tfrac{M_A}{n}\, \|A^{-1}\Phi^\top\|_F,\quad "
    r"\|w\|_A = \sqrt{w^\top A A^\top w} \le M_A",
    form=Form.AT_MOST,
    symbols=(FEATURES, MATRIX, RADIUS),
    assumptions=(_is_invertible(),),
    sides=_one_sides,
    bound=rademacher_bound,
    bound_on=lambda given: rademacher_bound(given["features"], given["matrix"], given["radius"]),
    proof=proofs.w6,
    reads=_reads_one,
    finding=Finding.AS_PRINTED,
    note="n is the sample size, m elsewhere. A^-1, not its transpose, belongs to this norm. Equality for one example.",
    extremal=Instance(
        {"features": rationals([[3, 4]]), "matrix": rationals([[1, 0], [0, 1]]), "radius": Fraction(2)}, "named"
    ),
)

W7 = Claim(
    id="W7",
    source=Source(WALKER2023, "Theorem 4.5"),
    statement=r"\hat{\mathfrak R}\big(\mathcal F_{\mathbf m}^{\mathbf A}\big) \le "
    r"\sum_t \tfrac{m_t}{m}\, \|A_t^{-1}\Phi^\top\|_F",
    form=Form.AT_MOST,
    symbols=(FEATURES, MATRICES, RADII),
    assumptions=(_are_invertible(),),
    sides=_path_sides,
    bound=path_rademacher_bound,
    bound_on=lambda given: path_rademacher_bound(given["features"], given["matrices"], given["radii"]),
    proof=proofs.w7,
    reads=_reads_path,
    finding=Finding.AS_PRINTED,
    note="For fixed sequences, as the paper says: radii read off a training run depend on the sample, and the bound then "
    "says nothing of that run.",
    extremal=Instance(
        {
            "features": rationals([[3, 4]]),
            "matrices": rationals([[[1, 0], [0, 1]], [[2, 0], [0, 2]]]),
            "radii": rationals([1, 3]),
        },
        "named",
    ),
)

W7A = Claim(
    id="W7.a",
    amends="W7",
    source=Source(WALKER2023, "Remark 4.6"),
    statement=r"\hat{\mathfrak R}_S \le \sum_t \tfrac{m_t}{m} \|\Phi_t\|_F,\ m_t = \|\delta w_t\|_2:\quad "
    r"\hat{\mathfrak R}_S \le \tfrac1m\, \mathcal C(h_w)",
    form=Form.AT_MOST,
    symbols=(UPDATES, MAPS),
    sides=_maps_sides,
    bound=tangent_complexity,
    bound_on=lambda given: tangent_complexity(given["updates"], given["feature_maps"]) / given["feature_maps"].shape[1],
    proof=proofs.w7a,
    reads=_reads_maps,
    finding=Finding.AS_PRINTED,
    note="The reparameterisation is right for features as columns. As a measure of a trained network C is a heuristic, and "
    "is called one.",
    extremal=Instance({"updates": rationals([[3, 4]]), "feature_maps": rationals([[[0, 2]]])}, "named"),
)

CLAIMS = (W5, W6, W7, W7A)
