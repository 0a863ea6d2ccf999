"""The stability lemmas of Mulayoff, Michaeli and Soudry 2021: M1 for smooth minima, M2 and M3 for switching systems."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp

from theory.checks import Array, dot, rationals
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.claims.mulayoff2021 import STEP_SIZE
from theory.enclosure import EPS, Enclosure, positive_semidefinite, top_eigenvalue
from theory.linear_stability import hessians_array, mean_growth, mean_square_growth, moments
from theory.proof import Proof, Rule, Step
from theory.sources import MULAYOFF2021, Source
from theory.symbols import Symbol

HESSIANS = Symbol(
    "hessians", r"(H_i)", "per-sample Hessians at the minimum, symmetric, [n, d, d]; their mean is H", hessians_array
)
BATCH = Symbol("batch_size", "B", "batch size, 1 to n, drawn without replacement")
MODES = Symbol(
    "modes", r"(H_m, S_m)", "modes in the plane: a Hessian [2, 2] and the two rays [2, 2] that span its cone"
)
START = Symbol("start", r"\theta_0 - \theta^*", "where the iteration starts, [2]")


def growth(given: Instance) -> Enclosure:
    """Return the mean-square growth of linearised SGD on the instance."""
    return mean_square_growth(given["hessians"], given["step_size"], given["batch_size"])


def mean_square_stable() -> Assumption:
    """Return the assumption that the expected squared distance goes to 0, which makes a minimum linearly stable."""
    return Assumption("linear stability (mean-square growth below 1)", growth, lambda g: g.upper < 1)


def _gradient_descent_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    """Whether eta lambda_max <= 2, against whether no start gets longer in a step, decided exactly."""
    mean, eta = moments(rationals(given["hessians"]))[0], Fraction(given["step_size"])
    contraction = np.eye(len(mean), dtype=int) - eta * mean
    shorter = positive_semidefinite(np.eye(len(mean), dtype=int) - contraction @ contraction)
    return mean_growth(rationals(given["hessians"]), eta).at_most(2), Enclosure.exactly(shorter)


def _a_smooth_minimum() -> Assumption:
    """Return the assumption that this is a minimum: the mean Hessian has no negative eigenvalue."""

    def semidefinite(given: Instance) -> Enclosure:
        return top_eigenvalue(-moments(rationals(given["hessians"]))[0])

    return Assumption("a minimum: the Hessian is positive semidefinite", semidefinite, lambda v: v.lower <= 0)


_delta, _gamma, _eps, _a = sp.symbols("delta gamma epsilon a", positive=True)
_h, _eta = sp.Symbol("lambda", real=True), sp.Symbol("eta", positive=True)
_t, _s = sp.Symbol("t", integer=True, nonnegative=True), sp.Symbol("s", positive=True)

M1 = Claim(
    id="M1",
    source=Source(MULAYOFF2021, "Lemma 1, eq 7"),
    statement=r"\varepsilon\text{-linearly stable} \;\Rightarrow\; \lambda_{\max}(\nabla^2\mathcal L) \le \tfrac2\eta",
    form=Form.AT_MOST,
    symbols=(HESSIANS, STEP_SIZE, BATCH),
    assumptions=(mean_square_stable(),),
    sides=lambda given: (mean_growth(given["hessians"], given["step_size"]), Enclosure.exactly(Fraction(2))),
    proof=lambda: Proof(
        (
            Step(
                sp.Symbol("E_norm"),
                sp.Symbol("norm_E"),
                Rule.CITED,
                "Jensen: E ||w_t|| >= ||E w_t||, with E w_t = "
                "(I - eta H)^t w_0 by independent uniform batches; take w_0 = eps q, q the top eigenvector",
            ),
            Step(
                _a - _eta * _h * _a,
                (1 - _eta * _h) * _a,
                Rule.IDENTITY,
                "one more step multiplies the component along q by 1 - eta lambda",
            ),
            Step(
                (1 + _s) ** _t,
                1 + _t * _s,
                Rule.CITED,
                "Bernoulli, with s = eta lambda - 2 > 0 if lambda > 2/eta: the component grows without bound",
            ),
        ),
        "necessity, any dimension and batch size",
    ),
    finding=Finding.AS_PRINTED,
    note="Checked on instances whose expected squared distance goes to 0, which makes them linearly stable. Strictness is "
    "right: at lambda_max = 2/eta GD keeps its distance. For GD it is sufficient too: M1.a.",
    no_extremal="mean-square growth below 1 excludes equality; GD with eta lambda_max = 2 attains it",
)

M1A = Claim(
    id="M1.a",
    amends="M1",
    source=Source(MULAYOFF2021, "Lemma 1, the note on GD"),
    statement=r"\text{GD at a minimum: linearly stable} \iff \lambda_{\max} \le \tfrac2\eta",
    form=Form.EQUIVALENCE,
    symbols=(HESSIANS, STEP_SIZE),
    assumptions=(_a_smooth_minimum(),),
    sides=_gradient_descent_sides,
    proof=lambda: Proof(
        (
            Step(
                1 - (1 - _eta * _h) ** 2,
                _eta * _h * (2 - _eta * _h),
                Rule.IDENTITY,
                "the component along an eigenvector does not grow iff this is >= 0, that is iff 0 <= eta lambda <= 2",
            ),
        ),
        "gradient descent, any dimension; eigenvalues of a minimum are >= 0",
    ),
    finding=Finding.AS_PRINTED,
    note="For a minimum, whose Hessian has no negative eigenvalue; at a saddle it is false.",
    no_extremal="an equivalence",
)


def _switching(given: Instance) -> dict[str, Any]:
    """Return delta, gamma and the lambda_m of Lemma 2 for a direction q [d] and mode Hessians [M, d, d]."""
    q, hessians = given["direction"], given["mode_hessians"]
    lambdas = np.array([q @ h @ q for h in hessians]) / (q @ q)
    size = np.sqrt(q @ q)
    unit = q / size
    delta = max(float(np.linalg.norm(h @ unit - v * unit)) for h, v in zip(hessians, lambdas, strict=True))
    gamma = max(float(np.mean(np.abs(g @ unit))) for g in given["gradients"])
    return {"q": unit, "lower": float(lambdas.min()), "delta": delta, "gamma": gamma}


def _beyond_the_edge(given: Instance) -> float:
    """Return lambda_lower - 2/eta - gamma/eps."""
    switching = _switching(given)
    return float(switching["lower"] - 2 / given["step_size"] - switching["gamma"] / given["epsilon"])


def _escape_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    """The smallest, over the mode that eps q lies in, expected distance after one step from eps q; against eps."""
    q, epsilon = _switching(given)["q"], given["epsilon"]
    expected = [
        float(np.mean(np.linalg.norm(epsilon * q - given["step_size"] * (g + epsilon * (h @ q)), axis=1)))
        for h, g in zip(given["mode_hessians"], given["gradients"], strict=True)
    ]
    value = min(expected)
    scale = value + epsilon + given["step_size"] * float(np.abs(given["gradients"]).max())
    return Enclosure.around(value, 64 * EPS * scale), Enclosure.exactly(float(epsilon))


M2 = Claim(
    id="M2",
    source=Source(MULAYOFF2021, "Lemma 2, eqs 14-15"),
    statement=r"\|H_m q - \lambda_m q\| \le \delta\ \forall m,\quad \lambda_{lower} > \tfrac2\eta + \delta + "
    r"\tfrac\gamma\varepsilon \;\Rightarrow\; \text{not } \varepsilon \text{ strongly stable; if } \delta = 0, "
    r"\text{not stable}",
    form=Form.AT_LEAST,
    symbols=(
        Symbol("mode_hessians", "(H_m)", "mean Hessians of the modes, [M, d, d]"),
        Symbol(
            "gradients", r"(\hat g_m)", "the equally likely stochastic gradients of each mode at the minimum, [M, S, d]"
        ),
        Symbol(
            "direction", "q", "a direction, [d]; lambda_m = q^T H_m q / ||q||^2, the choice that makes delta smallest"
        ),
        Symbol("epsilon", r"\varepsilon", "radius, above 0"),
        STEP_SIZE,
    ),
    assumptions=(
        Assumption(
            "eq 15: lambda_lower > 2/eta + delta + gamma/eps",
            lambda given: _beyond_the_edge(given) - _switching(given)["delta"],
            lambda margin: margin > 0,
        ),
    ),
    sides=_escape_sides,
    proof=lambda: Proof(
        (
            Step(
                sp.Symbol("E_norm"),
                sp.Symbol("E_q"),
                Rule.CITED,
                "Jensen and Cauchy-Schwarz: E ||v_1|| >= |q^T E v_1|, "
                "v_0 = eps q; its mode m is fixed, so E v_1 = v_0 - eta (E g_m + H_m v_0)",
            ),
            Step(
                _eps * (_eta * ((2 + _s) / _eta + _delta + _gamma / _eps) - 1) - _eta * _delta * _eps - _eta * _gamma,
                _eps * (1 + _s),
                Rule.IDENTITY,
                "with lambda_m = (2 + s)/eta + delta + gamma/eps: after one step the "
                "component along q is at least eps (1 + s)",
            ),
            Step(
                (1 + _s) * _a,
                _a + _s * _a,
                Rule.IDENTITY,
                "with delta = 0 this repeats for a = E |q^T v_t|, whatever modes the v_t are in: given v_t, "
                "|q^T E v_{t+1}| is at least |eta lambda - 1| |q^T v_t| - eta gamma, so a >= eps becomes at least "
                "(1 + s) a, and grows without bound",
            ),
        ),
        "any number of modes; strong stability already fails in the first step",
    ),
    finding=Finding.LOOSE,
    note="True, and delta is not needed for strong stability if lambda_m is the Rayleigh quotient of q (M2.a). One step "
    "from eps q suffices for strong stability. For stability (delta = 0) the expected component along q "
    "grows geometrically in every mode, so the switching does not matter.",
    no_extremal="the hypothesis is strict",
)


M2A = Claim(
    id="M2.a",
    amends="M2",
    source=Source(MULAYOFF2021, "Lemma 2, sharpened"),
    statement=r"\min_m q^T H_m q > \tfrac2\eta + \tfrac\gamma\varepsilon \;\Rightarrow\; "
    r"\text{not } \varepsilon \text{ strongly stable}",
    form=Form.AT_LEAST,
    symbols=M2.symbols,
    assumptions=(
        Assumption(
            "min_m q^T H_m q > 2/eta + gamma/eps",
            _beyond_the_edge,
            lambda margin: margin > 0,
        ),
    ),
    sides=_escape_sides,
    proof=lambda: Proof(
        (
            Step(
                sp.Symbol("E_norm"),
                sp.Symbol("E_q"),
                Rule.CITED,
                "Jensen and Cauchy-Schwarz: E ||v_1|| >= |q^T E v_1|, v_0 = eps q, E v_1 = v_0 - eta (E g_m + H_m v_0)",
            ),
            Step(
                _eps * (_eta * ((2 + _s) / _eta + _gamma / _eps) - 1) - _eta * _gamma,
                _eps * (1 + _s),
                Rule.IDENTITY,
                "with q^T H_m q = (2 + s)/eta + gamma/eps the component along q is at least eps (1 + s) after one step",
            ),
        ),
        "any number of modes",
    ),
    finding=Finding.OURS,
    note="Any direction q will do: it need not be close to an eigenvector of the modes.",
    no_extremal="the hypothesis is strict",
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


def _trajectory_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    """The largest squared distance over 12 steps of the switching system, against the squared distance at the start."""
    point = rationals(given["start"])
    start = largest = Fraction(dot(point, point))
    for _ in range(12):
        hessian = next(h for h, rays in given["modes"] if _inside(rays, point))
        point = point - given["step_size"] * (hessian @ point)
        largest = max(largest, dot(point, point))
    return Enclosure.exactly(largest), Enclosure.exactly(start)


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
        lambda given: given["step_size"] * max(top_eigenvalue(h).upper for h, _ in given["modes"]),
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
    proof=lambda: Proof(
        (
            Step(
                1 - (1 - _eta * _h) ** 2,
                _eta * _h * (2 - _eta * _h),
                Rule.IDENTITY,
                "no eigendirection of any mode expands iff 0 <= eta lambda <= 2; a step contracts in every mode",
            ),
        ),
        "any dimension and number of modes",
    ),
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
