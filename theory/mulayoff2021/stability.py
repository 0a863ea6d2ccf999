"""The stability lemmas of Mulayoff, Michaeli and Soudry 2021: M1 for smooth minima, M2 and M3 for switching systems."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import sympy as sp

from theory.assumptions import growth
from theory.checks import Array, dot, positive, rationals, real_array
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.enclosure import Enclosure, positive_semidefinite, square_root, top_eigenvalue
from theory.linear_stability import hessians_array, mean_growth, moments
from theory.mulayoff2021 import stability_proofs
from theory.sources import MULAYOFF2021, Source
from theory.symbols import BATCH, HESSIANS, STEP_SIZE, Symbol


def _modes(name: str, value: Any) -> tuple[tuple[Array, Array], ...]:
    """Return modes in the plane as pairs of a symmetric Hessian [2, 2] and the rays [2, 2] of its cone.

    Raises:
        ValueError: if a shape is another, a Hessian is not symmetric, or the rays do not span the plane.
    """
    checked = []
    for hessian, rays in value:
        matrix, cone = real_array(name, hessian, ndim=2), real_array(name, rays, ndim=2)
        if matrix.shape != (2, 2) or cone.shape != (2, 2) or matrix[0, 1] != matrix[1, 0]:
            raise ValueError(f"{name} must hold symmetric Hessians [2, 2] and rays [2, 2], got {matrix} and {cone}")
        if cone[0, 0] * cone[1, 1] == cone[0, 1] * cone[1, 0]:
            raise ValueError(f"{name} must have cones of two directions, got the rays {cone[0]} and {cone[1]}")
        checked.append((matrix, cone))
    return tuple(checked)


def _in_the_plane(name: str, value: Any) -> Array:
    """Return a point of the plane.

    Raises:
        ValueError: if it has not two coordinates.
    """
    point = real_array(name, value)
    if len(point) != 2:
        raise ValueError(f"{name} must have two coordinates, got {len(point)}")
    return point


MODES = Symbol(
    "modes", r"(H_m, S_m)", "modes in the plane: a Hessian [2, 2] and the two rays [2, 2] that span its cone", _modes
)
START = Symbol("start", r"\theta_0 - \theta^*", "where the iteration starts, [2]", _in_the_plane)


def _linearly_stable() -> Assumption:
    """Return the assumption that the minimum is linearly stable, where the mean-square growth shows it.

    At a growth of 1 the distance need not stay below where it started, except for gradient descent, a contraction then.
    """
    return Assumption(
        "linear stability (mean-square growth below 1; for gradient descent at most 1)",
        lambda given: (growth(given), len(given["hessians"]) == given["batch_size"]),
        lambda found: bool(found[0].upper < 1 or (found[1] and found[0].upper <= 1)),
    )


def gradient_descent_sides(given: Instance, limit: Fraction = Fraction(2)) -> tuple[Enclosure, Enclosure]:
    """Return whether eta lambda_max <= limit, and whether no start gets longer in a step, decided exactly."""
    mean, eta = moments(rationals(given["hessians"]))[0], Fraction(given["step_size"])
    contraction = np.eye(len(mean), dtype=int) - eta * mean
    shorter = positive_semidefinite(np.eye(len(mean), dtype=int) - contraction @ contraction)
    return mean_growth(rationals(given["hessians"]), eta).at_most(limit), Enclosure.exactly(shorter)


def _a_smooth_minimum() -> Assumption:
    """Return the assumption that this is a minimum: the mean Hessian has no negative eigenvalue."""
    return Assumption(
        "a minimum: the Hessian is positive semidefinite",
        lambda given: positive_semidefinite(moments(rationals(given["hessians"]))[0]),
        bool,
    )


def _top_direction(mean: Array) -> tuple[Fraction, Array]:
    """Return a number just below the top eigenvalue of a symmetric matrix [d, d], or it, and its eigenvector, rounded."""
    values, vectors = np.linalg.eigh(mean.astype(np.float64))
    return Fraction(top_eigenvalue(mean).lower), rationals(vectors[:, np.argmax(values)])


def _reads_mean_step(given: Instance) -> dict[str, Any]:
    """Return what one step from the top eigenvector is in the mean, its length rounded up, which is by delta above 1."""
    hessians, eta = rationals(given["hessians"]), Fraction(given["step_size"])
    top, q = _top_direction(moments(hessians)[0])
    batches = [q - eta * moments(hessians[list(b)])[0] @ q for b in _batches(given)]
    mean = float(np.mean([np.linalg.norm(v.astype(np.float64)) for v in batches])) / float(
        np.linalg.norm(q.astype(np.float64))
    )
    length = max(Fraction(mean), abs(1 - eta * top)) * (1 + Fraction(2) ** -40)
    return {"mu": top, "eta": eta, "epsilon": 1, "t": 1, "e": length, "delta": max(length - 1, Fraction(2) ** -40)}


def _batches(given: Instance) -> list[tuple[int, ...]]:
    return list(combinations(range(len(given["hessians"])), given["batch_size"]))


M1 = Claim(
    id="M1",
    source=Source(MULAYOFF2021, "Lemma 1, eq 7"),
    statement=r"\varepsilon\text{-linearly stable} \;\Rightarrow\; \lambda_{\max}(\nabla^2\mathcal L) \le \tfrac2\eta",
    form=Form.AT_MOST,
    symbols=(HESSIANS, STEP_SIZE, BATCH),
    assumptions=(_linearly_stable(),),
    sides=lambda given: (mean_growth(given["hessians"], given["step_size"]), Enclosure.exactly(Fraction(2))),
    proof=stability_proofs.m1,
    reads=_reads_mean_step,
    finding=Finding.AS_PRINTED,
    note="Checked on instances whose expected squared distance goes to 0, or that GD keeps at their distance: these are "
    "linearly stable for every radius. Weak inequality is right: at lambda_max = 2/eta GD stays. For GD it is sufficient "
    "too: M1.a.",
    extremal=Instance(
        {"hessians": np.array([[[Fraction(2)]]], dtype=object), "step_size": Fraction(1), "batch_size": 1}, "named"
    ),
)


def _reads_descent(given: Instance) -> dict[str, Any]:
    """Return one step from two starts, along the top eigenvector and all ones, with this one's components, rounded."""
    mean, eta = moments(rationals(given["hessians"]))[0], Fraction(given["step_size"])
    top, start = Fraction(top_eigenvalue(mean).lower), rationals([1] * len(mean))
    values, vectors = np.linalg.eigh(mean.astype(np.float64))
    others = [min(max(Fraction(float(value)), Fraction(0)), top) for value in values[:-1]]
    return {
        "mu": top,
        "lambda": [*others, top],
        "a": rationals(vectors.sum(axis=0)),
        "w": np.array([start, start - eta * (mean @ start)]),
        "m": len(mean),
        "b": 1,
        "t": 1,
        "eta": eta,
    }


M1A = Claim(
    id="M1.a",
    amends="M1",
    source=Source(MULAYOFF2021, "Lemma 1, the note on GD"),
    statement=r"\text{GD at a minimum: linearly stable} \iff \lambda_{\max} \le \tfrac2\eta",
    form=Form.EQUIVALENCE,
    symbols=(HESSIANS, STEP_SIZE),
    assumptions=(_a_smooth_minimum(),),
    sides=gradient_descent_sides,
    proof=stability_proofs.m1a,
    reads=_reads_descent,
    finding=Finding.AS_PRINTED,
    note="For a minimum, whose Hessian has no negative eigenvalue; at a saddle it is false.",
    no_extremal="an equivalence",
)


def _gradients(name: str, value: Any) -> Array:
    """Return stochastic gradients as an array [M, S, d].

    Raises:
        ValueError: if a mode has none.
    """
    gradients = real_array(name, value, ndim=3)
    if 0 in gradients.shape:
        raise ValueError(f"{name} must have shape [modes, gradients, d], none of them 0, got {gradients.shape}")
    return gradients


def _not_zero(name: str, value: Any) -> Array:
    """Return a direction [d].

    Raises:
        ValueError: if all its entries are 0.
    """
    direction = real_array(name, value)
    if not np.any(direction != 0):
        raise ValueError(f"{name} must not be zero")
    return direction


@dataclass(frozen=True)
class Switching:
    """What Lemma 2 needs to know of a direction, the modes and their gradients, in rationals.

    Attributes:
        quotients: q^T H_m q of each mode for the unit vector q.
        gamma: the largest mean of |q^T g| over the gradients of a mode.
        lengths: the mean of ||eps q - eta (g + eps H_m q)|| over the gradients of each mode.
        radius: eps.
        edge: 2/eta.
    """

    quotients: tuple[Fraction, ...]
    gamma: Enclosure
    lengths: tuple[Enclosure, ...]
    radius: Fraction
    edge: Fraction

    def margin(self, lower: Fraction) -> Enclosure:
        """Return lambda_lower - 2/eta - gamma/eps."""
        rest = lower - self.edge
        return Enclosure(
            rest - Fraction(self.gamma.upper) / self.radius, rest - Fraction(self.gamma.lower) / self.radius
        )


def _mean_of(enclosures: list[Enclosure]) -> Enclosure:
    count = len(enclosures)
    return Enclosure(
        sum((Fraction(e.lower) for e in enclosures), Fraction(0)) / count,
        sum((Fraction(e.upper) for e in enclosures), Fraction(0)) / count,
    )


def _largest(enclosures: list[Enclosure]) -> Enclosure:
    return Enclosure(max(e.lower for e in enclosures), max(e.upper for e in enclosures))


def switching(given: Instance) -> Switching:
    """Return what Lemma 2 needs to know.

    Raises:
        ValueError: if the shapes of the modes, the gradients and the direction differ.
    """
    q, hessians, gradients = (rationals(given[name]) for name in ("direction", "mode_hessians", "gradients"))
    if not (len(hessians) == len(gradients) and hessians.shape[2] == gradients.shape[2] == len(q)):
        shapes = ", ".join(str(array.shape) for array in (hessians, gradients, q))
        raise ValueError(
            f"mode_hessians, gradients and direction must be of one size and number of modes, got {shapes}"
        )
    eps, eta = Fraction(given["epsilon"]), Fraction(given["step_size"])
    square = Fraction(dot(q, q))
    size = square_root(square)
    long, short = Fraction(size.upper), Fraction(size.lower)
    quotients, along, lengths = [], [], []
    for hessian, drawn in zip(hessians, gradients, strict=True):
        image = hessian @ q
        quotients.append(Fraction(dot(q, image)) / square)
        mean = sum((abs(Fraction(dot(q, g))) for g in drawn), Fraction(0)) / len(drawn)
        along.append(Enclosure(mean / long, mean / short))
        moved = q - eta * image
        error = eps * sum(np.abs(moved), Fraction(0)) * (1 / short - 1 / long)  # of the length, as q/||q|| is rounded
        ends = [eps / long * moved - eta * g for g in drawn]
        roots = [square_root(Fraction(dot(v, v))) for v in ends]
        lengths.append(_mean_of([Enclosure(Fraction(r.lower) - error, Fraction(r.upper) + error) for r in roots]))
    return Switching(tuple(quotients), _largest(along), tuple(lengths), eps, 2 / eta)


def eigenvector_margin(given: Instance, times: Fraction = Fraction(1)) -> Enclosure:
    """Return lambda_lower - 2/eta - gamma/eps - times delta, delta the largest ||H_m q - lambda_m q||, ||q|| = 1.

    Raises:
        ValueError: if there is not one lambda_m a mode, or the shapes differ.
    """
    q, hessians, values = (rationals(given[name]) for name in ("direction", "mode_hessians", "eigenvalues"))
    if len(values) != len(hessians):
        raise ValueError(f"eigenvalues must hold one for each of the {len(hessians)} modes, got {len(values)}")
    margin = switching(given).margin(min(values))
    off = [hessian @ q - value * q for hessian, value in zip(hessians, values, strict=True)]
    delta = _largest([square_root(Fraction(dot(v, v)) / Fraction(dot(q, q))) for v in off])
    return Enclosure(margin.lower - times * Fraction(delta.upper), margin.upper - times * Fraction(delta.lower))


def quotient_margin(given: Instance) -> Enclosure:
    """Return min_m q^T H_m q - 2/eta - gamma/eps, ||q|| = 1."""
    found = switching(given)
    return found.margin(min(found.quotients))


def _first_step(given: Instance) -> Enclosure:
    """Return the expected distance after one step from eps q, the smallest over the mode that eps q may lie in."""
    lengths = switching(given).lengths
    return Enclosure(min(e.lower for e in lengths), min(e.upper for e in lengths))


def quantified_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    """Return the expected distance after one step from eps q, and eps (1 + eta margin)."""
    margin, eps, eta = quotient_margin(given), Fraction(given["epsilon"]), Fraction(given["step_size"])
    ends = [eps * (1 + eta * Fraction(end)) for end in (margin.lower, margin.upper)]
    return _first_step(given), Enclosure(*ends)


def _reads_first_step(given: Instance) -> dict[str, Any]:
    """Return one step from eps q in the mode where it is shortest, q of length 1, and gamma of all modes."""
    p, hessians, gradients = (rationals(given[name]) for name in ("direction", "mode_hessians", "gradients"))
    eps, size = Fraction(given["epsilon"]), sp.sqrt(sp.Rational(Fraction(dot(p, p))))
    lengths = [float(length.midpoint) for length in switching(given).lengths]
    m = int(np.argmin(lengths))
    quotients = [Fraction(dot(p, hessian @ p)) / Fraction(dot(p, p)) for hessian in hessians]
    along = [sum((abs(Fraction(dot(p, g))) for g in drawn), Fraction(0)) / len(drawn) for drawn in gradients]
    return {
        "q": _over(p, size),
        "h": _over(hessians[m] @ p, size),
        "g": gradients[m],
        "k": len(gradients[m]),
        "m": len(p),
        "lambda": min(quotients),
        "gamma": sp.Rational(max(along)) / size,
        "epsilon": eps,
        "eta": Fraction(given["step_size"]),
    }


def _over(vector: Array, size: sp.Expr) -> list[sp.Expr]:
    return [sp.Rational(Fraction(entry)) / size for entry in vector]


def _reads_near_eigenvector(given: Instance) -> dict[str, Any]:
    """Return the same, with the numbers lambda_m and delta of all modes."""
    q, hessians, values = (rationals(given[name]) for name in ("direction", "mode_hessians", "eigenvalues"))
    size = Fraction(dot(q, q))
    off = [hessian @ q - value * q for hessian, value in zip(hessians, values, strict=True)]
    m = int(np.argmin([float(length.midpoint) for length in switching(given).lengths]))
    return _reads_first_step(given) | {
        "lambda": min(values),
        "lambda_m": values[m],
        "delta": sp.sqrt(sp.Rational(max(Fraction(dot(v, v)) for v in off) / size)),
    }


M2 = Claim(
    id="M2",
    source=Source(MULAYOFF2021, "Lemma 2, eqs 14-15"),
    statement=r"\|H_m q - \lambda_m q\| \le \delta\ \forall m,\quad \lambda_{lower} > \tfrac2\eta + \delta + "
    r"\tfrac\gamma\varepsilon \;\Rightarrow\; \text{not } \varepsilon \text{ strongly stable}",
    form=Form.AT_LEAST,
    symbols=(
        Symbol("mode_hessians", "(H_m)", "mean Hessians of the modes, [M, d, d]", hessians_array),
        Symbol(
            "gradients",
            r"(\hat g_m)",
            "the equally likely stochastic gradients of each mode at the minimum, [M, S, d]",
            _gradients,
        ),
        Symbol(
            "direction",
            "q",
            "a direction, [d], taken at length 1",
            _not_zero,
        ),
        Symbol("eigenvalues", r"(\lambda_m)", "any number for each mode, [M]; they determine delta", real_array),
        Symbol("epsilon", r"\varepsilon", "radius, above 0", positive),
        STEP_SIZE,
    ),
    assumptions=(
        Assumption(
            "eq 15: lambda_lower > 2/eta + delta + gamma/eps",
            eigenvector_margin,
            lambda margin: margin.lower > 0,
        ),
    ),
    sides=lambda given: (_first_step(given), Enclosure.exactly(Fraction(given["epsilon"]))),
    proof=stability_proofs.m2,
    reads=_reads_near_eigenvector,
    finding=Finding.AS_PRINTED,
    note="One step from eps q suffices for strong stability; delta pays for lambda_m other than the Rayleigh quotient of q, "
    "which does without it (M2.a). The lemma's last words, that for delta = 0 it is not stable either, are not evaluated "
    "here, and shown in Coq: the expected component along q grows geometrically in every mode, so the switching does not "
    "matter.",
    no_extremal="the hypothesis is strict",
)


M2A = Claim(
    id="M2.a",
    amends="M2",
    source=Source(MULAYOFF2021, "Lemma 2, sharpened"),
    statement=r"\mu = \min_m q^T H_m q - \tfrac2\eta - \tfrac\gamma\varepsilon > 0 \;\Rightarrow\; "
    r"\mathbb E\|\theta_1 - \theta^*\| \ge \varepsilon (1 + \eta\mu) \text{ from } \theta_0 = \theta^* + \varepsilon q: "
    r"\text{ not } \varepsilon \text{ strongly stable}",
    form=Form.AT_LEAST,
    symbols=tuple(symbol for symbol in M2.symbols if symbol.name != "eigenvalues"),
    assumptions=(Assumption("min_m q^T H_m q > 2/eta + gamma/eps", quotient_margin, lambda margin: margin.lower > 0),),
    sides=quantified_sides,
    proof=stability_proofs.m2a,
    reads=_reads_first_step,
    finding=Finding.OURS,
    note="Any direction q will do: it need not be close to an eigenvector of the modes.",
    extremal=Instance(
        {
            "mode_hessians": np.array([[[Fraction(4)]]], dtype=object),
            "gradients": np.array([[[Fraction(-1)]]], dtype=object),
            "direction": rationals([1]),
            "epsilon": Fraction(1),
            "step_size": Fraction(1),
        },
        "named",
    ),
)


def _copositive(given: Instance) -> Any:
    """The smallest q^T H q over each mode's cone, on its two rays and where it is flat between them."""
    worst = []
    for hessian, rays in given["modes"]:
        a, b, c = (rays[0] @ hessian @ rays[0], rays[1] @ hessian @ rays[1], rays[0] @ hessian @ rays[1])
        worst.extend([a, b, Fraction(0) if c >= 0 else a * b - c * c if a >= 0 and b >= 0 else Fraction(-1)])
    return min(worst)


def _inside(rays: Array, point: Array) -> bool:
    determinant = rays[0][0] * rays[1][1] - rays[0][1] * rays[1][0]
    first = (point[0] * rays[1][1] - point[1] * rays[1][0]) / determinant
    second = (rays[0][0] * point[1] - rays[0][1] * point[0]) / determinant
    return bool(first >= 0 and second >= 0)


def _hessian_at(modes: Any, point: Array) -> Array:
    """Return the Hessian of the mode that a point lies in.

    Raises:
        ValueError: if the cones of the modes leave the point out.
    """
    for hessian, rays in modes:
        if _inside(rays, point):
            return np.asarray(hessian)
    raise ValueError(f"modes must cover the plane, but none holds ({', '.join(map(str, point))})")


def _trajectory_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    """The largest squared distance after 1 to 12 steps of the switching system, against that at the start."""
    point = rationals(given["start"])
    eta, start, largest = Fraction(given["step_size"]), Fraction(dot(point, point)), Fraction(0)
    for _ in range(12):
        point = point - eta * (rationals(_hessian_at(given["modes"], point)) @ point)
        largest = max(largest, Fraction(dot(point, point)))
    return Enclosure.exactly(largest), Enclosure.exactly(start)


def _reads_trajectory(given: Instance) -> dict[str, Any]:
    """Return 13 steps, that which ends furthest away, and there the components in eigenvectors of the mode's Hessian."""
    eta, points = Fraction(given["step_size"]), [rationals(given["start"])]
    for _ in range(13):
        points.append(points[-1] - eta * (rationals(_hessian_at(given["modes"], points[-1])) @ points[-1]))
    furthest = max(range(1, 13), key=lambda t: Fraction(dot(points[t], points[t])))
    first, second = (sp.Rational(Fraction(v)) for v in points[furthest])
    (a, b), (_, c) = (map(sp.Rational, row) for row in rationals(_hessian_at(given["modes"], points[furthest])))
    values, vector = [a, c], (sp.Integer(1), sp.Integer(0))
    if b != 0:
        values[0] = (a + c) / 2 + sp.sqrt(((a - c) / 2) ** 2 + b**2)
        values[1], vector = a + c - values[0], (values[0] - c, b)
    size = sp.sqrt(vector[0] ** 2 + vector[1] ** 2)
    along = [(vector[0] * first + vector[1] * second) / size, (vector[0] * second - vector[1] * first) / size]
    return {"w": np.array(points), "t": furthest + 1, "a": along, "lambda": values, "m": 2, "eta": eta}


def wedges(a: Fraction, b: Fraction) -> tuple[tuple[Array, Array], ...]:
    """Return four modes in the plane: (a v1^2 - b v2^2)/2 where |v2| <= |v1|, and mirrored where |v1| <= |v2|.

    Continuous, and with 0 <= b < a a strict minimum at 0.
    """
    lying, standing = np.diag(rationals([a, -b])), np.diag(rationals([-b, a]))
    corners = [rationals(c) for c in ([1, -1], [1, 1], [-1, 1], [-1, -1])]
    return tuple(
        (lying if i % 2 == 0 else standing, np.array([corners[i], corners[(i + 1) % 4]], dtype=object))
        for i in range(4)
    )


def _flattest_upper() -> Assumption:
    return Assumption(
        "eq 17: max_m lambda_max(H_m) <= 2/eta",
        lambda given: max(top_eigenvalue(h).times(Fraction(given["step_size"])).upper for h, _ in given["modes"]),
        lambda product: product <= 2,
    )


def _a_minimum() -> Assumption:
    return Assumption("theta* is a minimum: each H_m is non-negative on its cone", _copositive, lambda v: v >= 0)


def _modes_semidefinite() -> Assumption:
    return Assumption(
        "each H_m is positive semidefinite",
        lambda given: all(positive_semidefinite(h) for h, _ in given["modes"]),
        bool,
    )


M3 = Claim(
    id="M3",
    source=Source(MULAYOFF2021, "Lemma 3, eqs 16-17"),
    statement=r"\nabla\psi_m(\theta^*) = 0,\ \max_m \lambda_{\max}(H_m) \le \tfrac2\eta \;\Rightarrow\; "
    r"\text{strongly stable under GD}",
    form=Form.AT_MOST,
    symbols=(MODES, STEP_SIZE, START),
    assumptions=(_flattest_upper(), _a_minimum()),
    sides=_trajectory_sides,
    finding=Finding.NEEDS_ASSUMPTION,
    note="A mode's Hessian need not be positive semidefinite at a minimum: it is only non-negative on the mode's cone. "
    "The witness is a strict minimum in the plane (in one dimension there is none) whose first step leaves the ball "
    "although lambda_max = 1 <= 2/eta = 2. Networks at zero loss are safe: their H_m are Gram matrices. See M3.a.",
    quote="If lambda_max^upper <= 2/eta then theta* is linearly strongly stable.",
    reading="For a minimum point of the loss that is pieced together from the modes, as printed; for networks at zero "
    "loss, which the paper has in mind, the words are right.",
    witness=Instance(
        {"modes": wedges(Fraction(1), Fraction(1, 2)), "step_size": Fraction(1), "start": rationals([1, 1])}, "named"
    ),
    no_extremal="see M3.a",
)

M3A = Claim(
    id="M3.a",
    amends="M3",
    source=Source(MULAYOFF2021, "Lemma 3, repaired"),
    statement=r"\nabla\psi_m(\theta^*) = 0,\ 0 \preceq H_m \preceq \tfrac2\eta I\ \forall m \;\Rightarrow\; "
    r"\text{strongly stable under GD}",
    form=Form.AT_MOST,
    symbols=(MODES, STEP_SIZE, START),
    assumptions=(_flattest_upper(), _modes_semidefinite()),
    sides=_trajectory_sides,
    proof=stability_proofs.m3a,
    reads=_reads_trajectory,
    finding=Finding.OURS,
    note="Each step is a contraction, whichever mode it is taken in.",
    extremal=Instance(
        {
            "modes": tuple((np.diag(rationals([2, 1])), rays) for _, rays in wedges(Fraction(1), Fraction(0))),
            "step_size": Fraction(1),
            "start": rationals([1, 0]),
        },
        "named",
    ),
)

CLAIMS = (M1, M1A, M2, M2A, M3, M3A)
