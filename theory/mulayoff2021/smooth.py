"""The claims of Mulayoff, Michaeli and Soudry 2021 about one-dimensional ReLU networks: M4 to M6."""

from __future__ import annotations

from fractions import Fraction

from theory.assumptions import off_the_data
from theory.checks import rationals, real_array
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.curvature import curvature_enclosure
from theory.enclosure import Enclosure
from theory.mulayoff2021 import smooth_bounds
from theory.mulayoff2021 import smooth_proofs as proofs
from theory.piecewise_linear import PiecewiseLinear
from theory.sharpness import balanced_pair, second_derivative, sharpness
from theory.sources import MULAYOFF2021, Source
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
    finding=Finding.OURS,
    note="The same bound for implementations at which no unit toggles on a data point.",
    extremal=Instance(balanced_pair(), "named").but(step_size=Fraction(8, 5)),
)

CLAIMS = (M4, M5, M6, M6A)
