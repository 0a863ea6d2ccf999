"""What Mulayoff, Michaeli and Soudry 2021 say of step sizes and of where descent can go: M17 and M19."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations, pairwise, product
from typing import Any

import numpy as np
import sympy as sp

from theory.checks import Array, count, dot, exact_vector, rationals
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.enclosure import Enclosure, positive_semidefinite, rank, square_root
from theory.linear_stability import moments
from theory.mulayoff2021 import descent_proofs as proofs
from theory.piecewise_linear import PiecewiseLinear
from theory.sources import MULAYOFF2021, Source
from theory.symbols import (
    BATCH,
    HESSIANS,
    LOSS_GRADIENTS,
    SHARE,
    STEP_SIZE_ON_MEAN,
    Symbol,
    exact_function,
    symmetric_matrix,
)

AWAY = Symbol("start", r"\theta_0 - \theta^*", "where the iteration starts, exact, [d]", exact_vector)
MOVES = Symbol("moves", "t", "number of steps, at least 0", lambda name, value: count(name, value, fewest=0))


def ends(given: Instance, moves: int, share: Fraction = Fraction(1)) -> list[Array]:
    """Return where linearised SGD is after some steps of a share of eta, for every draw of the batches.

    Raises:
        ValueError: if there are not as many gradients as Hessians.
    """
    hessians, gradients = rationals(given["hessians"]), rationals(given["gradients"])
    if len(hessians) != len(gradients):
        raise ValueError(f"gradients must be {len(hessians)}, one a Hessian, got {len(gradients)}")
    chosen = [list(part) for part in combinations(range(len(hessians)), given["batch_size"])]
    eta = share * Fraction(given["step_size"])
    steps = [(gradients[part].sum(axis=0) / Fraction(len(part)), moments(hessians[part])[0]) for part in chosen]
    found = [given["start"]]
    for _ in range(moves):
        found = [at - eta * (gradient + hessian @ at) for at, (gradient, hessian) in product(found, steps)]
    return found


def mean_distance(places: list[Array]) -> Enclosure:
    """Return an interval around the mean length of some vectors."""
    roots = [square_root(Fraction(dot(place, place))) for place in places]
    sums = (sum((Fraction(getattr(root, end)) for root in roots), Fraction(0)) for end in ("lower", "upper"))
    return Enclosure(*(total / len(roots) for total in sums))


def chances(moves: int, share: Fraction) -> list[Fraction]:
    """Return the chance of j successes in so many trials, each with chance `share`, for j = 0, 1, ..."""
    return [math.comb(moves, j) * share**j * (1 - share) ** (moves - j) for j in range(moves + 1)]


def smaller_step_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    """Return E ||theta_t - theta*|| at the step size s eta, and its mean over a binomial number of steps of eta."""
    share, moves = given["share"], given["moves"]
    parts = [mean_distance(ends(given, j)).times(p) for j, p in enumerate(chances(moves, share))]
    return mean_distance(ends(given, moves, share)), sum(parts[1:], parts[0])


def _reads_mixture(given: Instance) -> dict[str, Any]:
    """Return G[1, 1], t steps of s eta, G[t + 1, j], j - 1 steps of eta, and the chances of these."""
    share, moves = given["share"], given["moves"]

    def distance(places: list[Array]) -> sp.Expr:
        return sp.Add(*(sp.sqrt(sp.Rational(Fraction(dot(place, place)))) for place in places)) / len(places)

    size = moves + 1
    lengths: list[list[Any]] = [[Fraction(0)] * size for _ in range(size)]
    weights = [list(row) for row in lengths]
    lengths[-1] = [distance(ends(given, j)) for j in range(size)]
    lengths[0][0] = distance(ends(given, moves, share))
    weights[-1] = list(chances(moves, share))
    return {"p": rationals(weights), "G": lengths, "t": size}


M17 = Claim(
    id="M17",
    source=Source(MULAYOFF2021, "Definition 1; section 3, after Theorem 1"),
    statement=r"\mathbb E_{s\eta}\|\theta_t - \theta^*\| \le \sum_{j=0}^t \tbinom tj s^j (1-s)^{t-j}\, "
    r"\mathbb E_\eta\|\theta_j - \theta^*\|,\ 0 < s \le 1",
    form=Form.AT_MOST,
    symbols=(HESSIANS, LOSS_GRADIENTS, STEP_SIZE_ON_MEAN, BATCH, SHARE, AWAY, MOVES),
    sides=smaller_step_sides,
    proof=proofs.m17,
    reads=_reads_mixture,
    finding=Finding.AS_PRINTED,
    note="In the first moment, as Definition 1 has it, for any batch size and gradients at the minimum: a step of s eta is "
    "a mixture of a step of eta and none. As t grows so does the number of steps of eta, and the lim sup on the right is "
    "at most that at eta, by Toeplitz's lemma, which is not replayed: what is stable at eta is at s eta. So the set of "
    "stable minima shrinks as eta grows, and with it that of the solutions they implement. Only smooth minima: for the "
    "lim sup of Definition 2 it was not looked at. That what leaves is less smooth than what stays is not shown.",
    reading="Read as: a solution that is stable at a step size is stable at every smaller one.",
    extremal=Instance(
        {
            "hessians": rationals([[[1]], [[1]]]),
            "gradients": rationals([[0], [0]]),
            "step_size": Fraction(1, 2),
            "batch_size": 1,
            "share": Fraction(1, 2),
            "start": rationals([1]),
            "moves": 2,
        },
        "named",
    ),
)

CURVED = Symbol("hessian", "H", "the Hessian of a quadratic loss at its minimum, [d, d]", symmetric_matrix)


def _a_minimum() -> Assumption:
    return Assumption(
        "a minimum: H is positive semidefinite", lambda given: positive_semidefinite(given["hessian"]), bool
    )


def _descent(given: Instance) -> Array:
    hessian = given["hessian"]
    if len(given["start"]) != len(hessian):
        raise ValueError(f"start must have {len(hessian)} entries, got {len(given['start'])}")
    step: Array = rationals(np.eye(len(hessian), dtype=int)) - Fraction(given["step_size"]) * hessian
    return step


def converges(given: Instance) -> bool:
    """Return whether gradient descent goes from the start to the minimum of a quadratic loss, decided exactly.

    It does if I - eta H has only eigenvalues inside (-1, 1) on what the start and its images span, that is if
    I - (I - eta H)^2 is positive definite there.

    Raises:
        ValueError: if the start is of another size than the Hessian.
    """
    step, image = _descent(given), given["start"]
    columns: list[Array] = []
    while True:
        spanned = np.array([*columns, image], dtype=object)
        if rank(spanned @ spanned.T) != len(spanned):
            break
        columns.append(image)
        image = step @ image
    basis = np.array(columns, dtype=object)
    if not columns:
        return True
    moved = basis @ step
    return rank(basis @ basis.T - moved @ moved.T) == len(columns)


def too_sharp(given: Instance, limit: Fraction = Fraction(2)) -> bool:
    """Return whether eta lambda_max exceeds a limit, decided exactly."""
    hessian = given["hessian"]
    identity = rationals(np.eye(len(hessian), dtype=int))
    return not positive_semidefinite(limit * identity - Fraction(given["step_size"]) * hessian)


def _never_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return Enclosure.exactly(too_sharp(given)), Enclosure.exactly(not converges(given))


M19 = Claim(
    id="M19",
    source=Source(MULAYOFF2021, "section 5"),
    statement=r"\lambda_{\max} > \tfrac2\eta \;\Rightarrow\; \text{GD does not converge to the minimum}",
    form=Form.IMPLICATION,
    symbols=(CURVED, STEP_SIZE_ON_MEAN, AWAY),
    assumptions=(_a_minimum(),),
    sides=_never_sides,
    finding=Finding.NEEDS_ASSUMPTION,
    note="A quadratic loss in one weight of curvature 3 with eta = 1: GD that starts at the minimum stays there. In two "
    "weights it also converges from every start without a component along the eigenvectors beyond 2/eta. From any other "
    "start it moves away (M19.a): on quadratic losses the statement is right for almost all initialisations. On others that "
    "needs more (M19.b, M19.c).",
    quote="Recall that GD cannot converge to a minimum whose sharpness exceeds this value.",
    reading="From no start at all; if starts of measure zero are left aside, as is usual, the words are right of quadratic "
    "losses, and of those that M19.c names.",
    witness=Instance(
        {
            "hessian": rationals([[3]]),
            "step_size": Fraction(1),
            "start": rationals([0]),
            "eigenvector": rationals([1]),
            "moves": 1,
            "second_derivative": PiecewiseLinear([], [], Fraction(0), Fraction(3)),
            "starts": rationals([0, 1]),
            "one_start": Fraction(0),
        },
        "named",
    ),
    no_extremal="refuted",
)

EIGENVECTOR = Symbol("eigenvector", "q", "a vector that H only stretches, exact, [d]", exact_vector)


def _stretch(given: Instance) -> Fraction | None:
    """Return lambda with H q = lambda q, None if there is none or q is 0."""
    hessian, q = given["hessian"], given["eigenvector"]
    if not np.any(q != 0):
        return None
    image = hessian @ q
    value = Fraction(dot(q, image)) / Fraction(dot(q, q))
    return value if np.all(image == value * q) else None


def _beyond_the_edge() -> Assumption:
    return Assumption(
        "H q = lambda q, q not 0, eta lambda >= 2",
        lambda given: Fraction(given["step_size"]) * (_stretch(given) or 0),
        lambda product: product >= 2,
    )


def path(given: Instance) -> list[Array]:
    """Return where gradient descent is after 0, 1, .. steps.

    Raises:
        ValueError: if the start is of another size than the Hessian.
    """
    step, places = _descent(given), [given["start"]]
    for _ in range(given["moves"]):
        places.append(step @ places[-1])
    return places


def departure_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    """Return ||theta_t - theta*||^2, and (q^T w)^2 (1 + t (eta lambda - 2))^2 / ||q||^2 for the start w."""
    q, start = given["eigenvector"], given["start"]
    at = path(given)[-1]
    excess = Fraction(given["step_size"]) * (_stretch(given) or 0) - 2
    along = Fraction(dot(q, start)) ** 2 / Fraction(dot(q, q))
    return Enclosure.exactly(Fraction(dot(at, at))), Enclosure.exactly(along * (1 + given["moves"] * excess) ** 2)


def _reads_departure(given: Instance) -> dict[str, Any]:
    q = given["eigenvector"]
    return {
        "L": departure_sides(given)[0].lower,
        "N": Fraction(dot(q, q)),
        "a": abs(Fraction(dot(q, given["start"]))),
        "c": [abs(Fraction(dot(q, place))) for place in path(given)],
        "eta": Fraction(given["step_size"]),
        "mu": _stretch(given),
        "t": given["moves"],
    }


M19A = Claim(
    id="M19.a",
    amends="M19",
    source=Source(MULAYOFF2021, "section 5, quadratic losses"),
    statement=r"Hq = \lambda q,\ \eta\lambda \ge 2:\quad \|\theta_t - \theta^*\| \ge "
    r"\frac{|q^\top(\theta_0 - \theta^*)|}{\|q\|}\big(1 + t(\eta\lambda - 2)\big)",
    form=Form.AT_LEAST,
    symbols=(CURVED, STEP_SIZE_ON_MEAN, AWAY, EIGENVECTOR, MOVES),
    assumptions=(_beyond_the_edge(),),
    sides=departure_sides,
    proof=proofs.m19a,
    reads=_reads_departure,
    finding=Finding.OURS,
    note="Squares are compared. GD on a quadratic loss converges to no such minimum from outside the hyperplane "
    "q^T (theta_0 - theta*) = 0, which has measure zero; at eta lambda = 2 it keeps its distance.",
    extremal=Instance(
        {
            "hessian": rationals([[3, 0], [0, 1]]),
            "step_size": Fraction(1),
            "start": rationals([2, 0]),
            "eigenvector": rationals([1, 0]),
            "moves": 1,
        },
        "named",
    ),
)

SECOND_DERIVATIVE = Symbol(
    "second_derivative",
    "L''",
    "of a loss in one weight with L'(0) = 0: continuous, piecewise linear, exact",
    exact_function,
)
STARTS = Symbol("starts", "[a, b]", "two starts, a < b, exact, [2]", exact_vector)
ONE_START = Symbol(
    "one_start", r"\theta", "a weight, exact", lambda name, value: Fraction(exact_vector(name, [value])[0])
)


def breaks(curvature: PiecewiseLinear, a: Fraction, b: Fraction) -> list[Fraction]:
    """Return the places from the smaller of a and b to the larger between which the curvature is linear, both included."""
    low, high = min(a, b), max(a, b)
    return [low, *(Fraction(knot) for knot in curvature.knots if low < knot < high), high]


def slope_at(curvature: PiecewiseLinear, weight: Fraction) -> Fraction:
    """Return L'(weight), with L'(0) = 0, of a loss whose second derivative is given."""
    places = breaks(curvature, Fraction(0), weight)
    total = sum(
        ((Fraction(curvature(a)) + Fraction(curvature(b))) * (b - a) / 2 for a, b in pairwise(places)), Fraction(0)
    )
    return total if weight >= 0 else -total


def _interval() -> Assumption:
    return Assumption(
        "a < b", lambda given: Fraction(given["starts"][1]) - Fraction(given["starts"][0]), lambda length: length > 0
    )


def all_land(given: Instance) -> bool:
    """Return whether one step from every start in the interval ends at the minimum 0."""
    curvature, eta = given["second_derivative"], Fraction(given["step_size"])
    a, b = (Fraction(v) for v in given["starts"])
    flat = all(eta * Fraction(curvature(place)) == 1 for place in breaks(curvature, a, b))
    return flat and a == eta * slope_at(curvature, a)


def _landing_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    sharp = Fraction(given["step_size"]) * Fraction(given["second_derivative"](Fraction(0))) > 2
    return Enclosure.exactly(sharp), Enclosure.exactly(not all_land(given))


def _landing_strip() -> PiecewiseLinear:
    """Return 3, 0 and 1 at 0, 1/2 and from 1 on, the same on the other side: its integral from 0 to 1 is 1."""
    half = Fraction(1, 2)
    knots, jumps = rationals([-1, -half, 0, half, 1]), rationals([-2, 8, -12, 8, -2])
    return PiecewiseLinear(knots, jumps, Fraction(0), Fraction(1), Fraction(-2))


M19B = Claim(
    id="M19.b",
    amends="M19",
    source=Source(MULAYOFF2021, "section 5, almost all initialisations"),
    statement=r"L''(0) > \tfrac2\eta,\ L'(0) = 0 \;\Rightarrow\; \text{GD does not step from all of } [a, b],\ a < b, "
    r"\text{ to the minimum } 0",
    form=Form.IMPLICATION,
    symbols=(SECOND_DERIVATIVE, STEP_SIZE_ON_MEAN, STARTS),
    assumptions=(_interval(),),
    sides=_landing_sides,
    finding=Finding.CONJECTURE,
    note="Measure zero is not to be had for every twice continuously differentiable loss. Where L'' = 1/eta a step takes an "
    "interval to one point, and that may be the minimum: a convex loss with L'' = 3 at 0, 0 at 1/2 and 1 from 1 on, linear "
    "between and even, has L'(1) = 1, so with eta = 1 GD steps from every start beyond 1 onto a minimum of "
    "sharpness 3.",
    quote="Recall that GD cannot converge to a minimum whose sharpness exceeds this value.",
    reading="The paper does not say 'for almost all initialisations', nor of which losses; that is read into it here.",
    witness=Instance(
        {"second_derivative": _landing_strip(), "step_size": Fraction(1), "starts": rationals([1, 3])},
        "named",
    ),
    no_extremal="refuted",
)


def least_between(curvature: PiecewiseLinear, weight: Fraction) -> Fraction:
    """Return the smallest L'' between 0 and a weight."""
    return min(Fraction(curvature(place)) for place in breaks(curvature, Fraction(0), weight))


def step_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    """Return |theta - eta L'(theta)|, and (eta m - 1) |theta|, m the smallest L'' between 0 and theta."""
    curvature, eta, weight = given["second_derivative"], Fraction(given["step_size"]), given["one_start"]
    moved = abs(weight - eta * slope_at(curvature, weight))
    return Enclosure.exactly(moved), Enclosure.exactly((eta * least_between(curvature, weight) - 1) * abs(weight))


def _reads_pieces(given: Instance) -> dict[str, Any]:
    curvature, weight = given["second_derivative"], given["one_start"]
    places = breaks(curvature, Fraction(0), weight)
    return {
        "c": [Fraction(curvature(place)) for place in places],
        "l": [b - a for a, b in pairwise(places)],
        "h": least_between(curvature, weight),
        "eta": Fraction(given["step_size"]),
        "m": len(places) - 1,
    }


M19C = Claim(
    id="M19.c",
    amends="M19",
    source=Source(MULAYOFF2021, "section 5, beyond quadratic losses"),
    statement=r"L'(0) = 0,\ L'' \ge \mu \text{ between } 0 \text{ and } \theta_t:\quad "
    r"|\theta_{t+1}| \ge (\eta\mu - 1)\,|\theta_t|",
    form=Form.AT_LEAST,
    symbols=(SECOND_DERIVATIVE, STEP_SIZE_ON_MEAN, ONE_START),
    sides=step_sides,
    proof=proofs.m19c,
    reads=_reads_pieces,
    finding=Finding.OURS,
    note="Near a minimum with eta L''(0) > 2 the factor is above 1, so only a run that lands on the minimum itself converges "
    "to it. The starts of such runs have measure zero if L'' = 1/eta only on a set of measure zero, as then the inverse "
    "image of a null set under a step is one. With more weights the same holds, by the centre-stable manifold theorem, if "
    "1/eta is an eigenvalue of the Hessian only on a set of measure zero, and at no such minimum. Neither consequence is "
    "replayed here, and nothing is said of losses of ReLU networks where these have kinks.",
    extremal=Instance(
        {
            "second_derivative": PiecewiseLinear([], [], Fraction(0), Fraction(3)),
            "step_size": Fraction(1),
            "one_start": Fraction(1),
        },
        "named",
    ),
)

CLAIMS = (M17, M19, M19A, M19B, M19C)
