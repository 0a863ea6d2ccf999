"""The claims of Mulayoff, Michaeli and Soudry 2021 about one-dimensional ReLU networks: M4 to M6."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp

from theory.assumptions import off_the_data
from theory.checks import Array, rationals, real_array
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.curvature import curvature_enclosure
from theory.enclosure import Enclosure
from theory.mulayoff2021 import smooth_bounds
from theory.mulayoff2021 import smooth_proofs as proofs
from theory.piecewise_linear import PiecewiseLinear
from theory.sharpness import balanced_pair, second_derivative, sharpness
from theory.sources import MULAYOFF2021, Source
from theory.switching import side_of, units_by_knots
from theory.symbols import STEP_SIZE, WEIGHTS, Symbol, X
from theory.two_layer import Weights


def knots_off_the_data() -> Assumption:
    """Return the assumption as the paper prints it: about the knots of f, where units may cancel."""
    return Assumption(
        "no knot of f is a data point",
        lambda given: sorted(set(_function_knots(given["weights"])) & {Fraction(v) for v in given["x"]}),
        lambda shared: not shared,
    )


def _function_knots(weights: Weights) -> list[Fraction]:
    return list(PiecewiseLinear.from_weights(weights.rational()).knots)


def _hessian_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    weights, x, direction = given["weights"].rational(), rationals(given["x"]), rationals(given["direction"])
    if len(direction) != len(weights.vector):
        raise ValueError(f"direction must have {len(weights.vector)} entries, one a weight, got {len(direction)}")
    features = weights.tangent_features(x) @ direction
    hessian = second_derivative(weights, x, weights(x), direction)
    return Enclosure.exactly(hessian), Enclosure.exactly(Fraction(features @ features) / len(x))


def _lower_bound_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    curvature = curvature_enclosure(given["weights"], given["x"])
    return sharpness(given["weights"], given["x"]), Enclosure(1 + 2 * curvature.lower, 1 + 2 * curvature.upper)


def _theorem_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    limit = 1 / Fraction(given["step_size"]) - Fraction(1, 2)
    return curvature_enclosure(given["weights"], given["x"]), Enclosure.exactly(limit)


def linearly_stable() -> Assumption:
    """Return the assumption that theta is a linearly stable minimum of the data (x, f(x)): eta lambda_max <= 2 (M1)."""
    return Assumption.that(
        smooth_bounds.LINEARLY_STABLE,
        lambda given: sharpness(given["weights"], given["x"]).times(Fraction(given["step_size"])).upper,
    )


def in_rows(rows: Sequence[Sequence[Fraction]]) -> Array:
    """Return rows of rationals as a matrix with one column at least, filled up with 0."""
    wide = max([1, *(len(row) for row in rows)])
    return rationals([[*row, *[Fraction(0)] * (wide - len(row))] for row in rows]).reshape(len(rows), wide)


def reads_units(weights: Weights, x: Array, *, resting: bool = False) -> dict[str, Any]:
    """Return what the units hold of n times the mean gradient, by knots, and the weight at each of these.

    Args:
        weights: theta in rationals, k units.
        x: distinct data points, rationals [n].
        resting: count units that toggle on a data point to their share, and take the resting weight.
    """
    n, found = len(x), units_by_knots(weights, x, resting=resting)
    read: dict[str, Any] = {
        name: in_rows([[unit[name] for unit in units] for units in found.values()])
        for name in ("w1", "w2", "M", "S", "A")
    }
    ends = []
    for knot in found:
        sides = [side_of(knot, x, above=above, resting=resting) for above in (False, True)]
        ends.append([sp.Rational(s["A"]) * sp.sqrt(sp.Rational(s["M"] ** 2 + s["S"] ** 2)) / n**2 for s in sides])
    return read | {"g": [sp.Min(*pair) for pair in ends], "n": n, "r": len(found), "k": read["w1"].shape[1]}


def reads_gradients(given: Instance) -> dict[str, Any]:
    """Return the gradients in the weights, the units by knots, and the top eigenvalue, at most."""
    weights, x = given["weights"].rational(), rationals(given["x"])
    features = weights.tangent_features(x)
    top = Fraction(sharpness(weights, x).upper)
    found = reads_units(weights, x) | {"phi": features.T, "l": features.shape[1], "lambda_max": top}
    wide = max(found["k"], len(x))  # sums over data points and over the units at a knot have as many terms
    return found | {name: padded(found[name], wide) for name in ("w1", "w2", "M", "S", "A", "phi")} | {"k": wide}


def padded(rows: Array, width: int) -> Array:
    """Return a matrix filled up with columns of 0."""
    return np.concatenate([rows, np.full((len(rows), width - rows.shape[1]), Fraction(0), dtype=object)], axis=1)


def _reads_theorem(given: Instance) -> dict[str, Any]:
    return reads_gradients(given) | {"eta": Fraction(given["step_size"])}


def _reads_line(given: Instance) -> dict[str, Any]:
    """Return the weights, the line along which they move, the data, and which units are active there."""
    weights, x = given["weights"].rational(), rationals(given["x"])
    k, direction = weights.width, rationals(given["direction"])
    return {
        "x": x,
        "w": weights.w1,
        "b": weights.b1,
        "c": weights.w2,
        "p": direction[:k],
        "q": direction[k : 2 * k],
        "h": direction[2 * k : 3 * k],
        "e": direction[3 * k],
        "A": (weights.pre_activations(x) > 0).astype(int).T,
        "n": len(x),
        "r": k,
        "k": len(x),
    }


M4 = Claim(
    id="M4",
    source=Source(MULAYOFF2021, "eq 28"),
    statement=r"\nabla^2_\theta \mathcal L = \tfrac1n \Phi\Phi^T, \quad \lambda_{\max} = \max_{u} \tfrac1n\|\Phi u\|^2",
    form=Form.IDENTITY,
    symbols=(
        WEIGHTS,
        X,
        Symbol("direction", "v", "a direction in the weights, [3k+1]: the identity is checked along it", real_array),
    ),
    assumptions=(off_the_data(),),
    sides=_hessian_sides,
    proof=proofs.m4,
    reads=_reads_line,
    finding=Finding.AS_PRINTED,
    note="At zero loss and where no unit toggles on a data point. A unit with w1 = b1 = 0 toggles on every data point.",
    no_extremal="an identity",
)

M5 = Claim(
    id="M5",
    source=Source(MULAYOFF2021, "Lemma 4, eq 30"),
    statement=r"\min_{\theta \in \Omega(f)} \lambda_{\max}(\nabla^2_\theta \mathcal L) \ge 1 + 2 \int |f''| g",
    form=Form.AT_LEAST,
    symbols=(WEIGHTS, X),
    assumptions=(off_the_data(),),
    sides=_lower_bound_sides,
    bound=smooth_bounds.sharpness_lower_bound,
    bound_on=lambda given: smooth_bounds.sharpness_lower_bound(
        PiecewiseLinear.from_weights(given["weights"]), given["x"]
    ),
    proof=proofs.m5,
    reads=reads_gradients,
    finding=Finding.AS_PRINTED,
    note="The minimum is over the implementations at which the Hessian exists: no unit toggles on a data point, which "
    "knots of f off the data do not ensure (M6). Also without interpolation, for lambda_max(Phi Phi^T / n). Attained "
    "with curvature: n = 2, x = -a and a, one balanced unit active on each point. Only the single vector "
    "(1,..,1)/sqrt(n) is tried, so it is loose in general.",
    extremal=Instance(balanced_pair(), "named"),
)


def _cancelling_pair() -> Instance:
    """Return f = 0 with units that cancel on a data point: its knots avoid the data, its implementation is not smooth there."""
    one = Fraction(1)
    weights = Weights([one, one], [Fraction(0), Fraction(0)], [one, -one], Fraction(0))
    return Instance({"weights": weights, "x": rationals([-1, 0, 1]), "step_size": Fraction(1, 4)}, "named")


M6 = Claim(
    id="M6",
    source=Source(MULAYOFF2021, "Theorem 1, eq 21"),
    statement=r"f \text{ linearly stable},\ \text{knots}(f) \cap \{x_j\} = \emptyset \;\Rightarrow\; "
    r"\int |f''| g \le \tfrac1\eta - \tfrac12",
    form=Form.AT_MOST,
    symbols=(WEIGHTS, X, STEP_SIZE),
    assumptions=(knots_off_the_data(), linearly_stable()),
    sides=_theorem_sides,
    bound=smooth_bounds.curvature_bound,
    bound_on=lambda given: smooth_bounds.curvature_bound(float(given["step_size"])),
    finding=Finding.PROOF_GAP,
    note="The proof applies Lemma 1 to the stable implementation, which must then be twice differentiable; the hypothesis "
    "only keeps the knots of f off the data, and units that cancel in f may toggle on it (see the witness). No "
    "counterexample is known; M6.a states what is proved. For strongly stable minima M9.b proves it, however units cancel.",
    quote="Assume that the knots of f do not coincide with any training point.",
    reading="Strained: the theorem's title speaks of twice differentiable solutions; if that is asked of the stable "
    "implementation too, the proof has no gap (M6.a).",
    witness=_cancelling_pair(),
    no_extremal="see M6.a",
)

M6A = Claim(
    id="M6.a",
    amends="M6",
    source=Source(MULAYOFF2021, "Theorem 1, repaired"),
    statement=r"\theta \text{ linearly stable},\ w^{(1)}_i x_j + b^{(1)}_i \ne 0\ \forall i,j \;\Rightarrow\; "
    r"\int |f''| g \le \tfrac1\eta - \tfrac12",
    form=Form.AT_MOST,
    symbols=(WEIGHTS, X, STEP_SIZE),
    assumptions=(off_the_data(), linearly_stable()),
    sides=_theorem_sides,
    bound=smooth_bounds.curvature_bound,
    bound_on=lambda given: smooth_bounds.curvature_bound(float(given["step_size"])),
    proof=proofs.m6a,
    reads=_reads_theorem,
    finding=Finding.OURS,
    note="The same bound for implementations at which no unit toggles on a data point.",
    extremal=Instance(balanced_pair(), "named").but(step_size=Fraction(8, 5)),
)

CLAIMS = (M4, M5, M6, M6A)
