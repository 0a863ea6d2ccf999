"""Descent with momentum near a minimum: the step sizes that SGD stays at in mean square (B11), and gradient descent."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import sympy as sp
from sympy.polys.matrices import DomainMatrix
from sympy.polys.matrices.exceptions import DMNonInvertibleMatrixError

from theory.batches import mean_of, variance_of_means
from theory.beyond import momentum_bounds as bounds
from theory.beyond import momentum_proofs as proofs
from theory.beyond.mean_square import symmetric
from theory.beyond.mean_square_bounds import symmetric_units
from theory.checks import Array, batch_size, exact_vector, rationals
from theory.claim import Claim, Finding, Form, Instance
from theory.enclosure import Enclosure, rank
from theory.extremes import lowest
from theory.linear_stability import noise_share
from theory.sources import HOUSE, Source
from theory.symbols import BATCH, FIRST, HESSIANS, STEP_SIZE_ON_MEAN, Symbol

MOMENTUM = Symbol("momentum", "b", "what is left of the velocity each step, at least 0 and below 1", bounds.momentum)
SECOND_DERIVATIVES = Symbol(
    "curvatures", "(h_i)", "second derivatives of the losses of the examples, rationals, [n]", exact_vector
)
CURVATURE_ALONG = Symbol(
    "curvature", "h", "second derivative, rational, of any sign", lambda n, v: exact_vector(n, [v])[0]
)


def _left(name: str, value: Any) -> Fraction:
    """Return a rational.

    Raises:
        ValueError: if it is below 0 or above 1.
    """
    number = Fraction(value)
    if not 0 <= number <= 1:
        raise ValueError(f"{name} must be from 0 to 1, got {value}")
    return number


DECAY = Symbol("decay", "a", "what weight decay leaves of the weights each step, rational, 0 to 1", _left)


def decays(steps: list[Array]) -> bool:
    """Return whether S -> mean A S A^T has spectral radius below 1, exactly: whether S - T(S) = I has a solution S >= I.

    T maps positive semidefinite matrices to such. If its spectral radius is below 1 the sum of the T^k(I) is a solution, and
    the only one; a solution S > 0 with S - T(S) > 0 makes it so (Lyapunov).

    Args:
        steps: A, one of them each step with the same chance, rationals [k, k].
    """
    found = summed(steps)
    return found is not None and rank(found - np.eye(len(found), dtype=int)) is not None


def summed(steps: list[Array]) -> Array | None:
    """Return the symmetric S with S - mean A S A^T = I; None if there is not just one.

    Args:
        steps: the A, rationals [k, k].
    """
    units = symmetric_units(len(steps[0]))
    places = [tuple(np.argwhere(unit)[0]) for unit in units]
    columns = []
    for unit in units:
        after = sum((a @ unit @ a.T for a in steps[1:]), steps[0] @ unit @ steps[0].T) / Fraction(len(steps))
        columns.append([Fraction((unit - after)[place]) for place in places])
    system = DomainMatrix(
        [[sp.QQ(v.numerator, v.denominator) for v in row] for row in zip(*columns, strict=True)],
        (len(units),) * 2,
        sp.QQ,
    )
    ones = DomainMatrix([[sp.QQ(int(i == j))] for i, j in places], (len(units), 1), sp.QQ)
    try:
        solved = system.lu_solve(ones)
    except DMNonInvertibleMatrixError:
        return None
    entries = [Fraction(int(v.numerator), int(v.denominator)) for v in solved.to_list_flat()]
    found: Array = sum((e * unit for e, unit in zip(entries, units, strict=True)), rationals([0]))
    return found


def batch_steps(hessians: Array, step_size: Fraction, batch: int, b: Fraction) -> list[Array]:
    """Return A = [[(1 + b) I - eta H_B, -b I], [I, 0]] of each batch."""
    one = np.eye(hessians.shape[1], dtype=int)
    none = 0 * one
    parts = [list(part) for part in combinations(range(len(hessians)), batch_size(batch, len(hessians)))]
    return [
        rationals(
            np.block(
                [[(1 + b) * one - step_size * hessians[part].sum(axis=0) / Fraction(batch), -b * one], [one, none]]
            )
        )
        for part in parts
    ]


def _given(given: Instance) -> tuple[Array, Fraction, Fraction]:
    """Return H_i, eta and p."""
    hessians = rationals(given["hessians"])
    return hessians, Fraction(given["step_size"]), noise_share(len(hessians), given["batch_size"])


def definite(matrix: Array) -> bool:
    """Return whether a symmetric matrix of rationals is positive definite."""
    return rank(matrix) == len(matrix)


def form_is_definite(given: Instance, share: Fraction, *, first: Fraction = Fraction(2)) -> bool:
    """Return whether first C - eta D_b > 0 with a share p of the noise."""
    hessians, eta, _ = _given(given)
    c, d, _ = bounds.momentum_forms(hessians, share, given["momentum"])
    return definite(first * c - eta * d)


def share_of(given: Instance) -> Fraction:
    """Return p = (n - B)/(B (n - 1))."""
    return _given(given)[2]


def _mean_square_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    hessians, eta, share = _given(given)
    steps = batch_steps(hessians, eta, given["batch_size"], given["momentum"])
    return Enclosure.exactly(decays(steps)), Enclosure.exactly(form_is_definite(given, share))


def _reads_mean_square(given: Instance) -> dict[str, Any]:
    """Return what B11's proof speaks of: the X that decides on the form, and the least quotient of S - I, -1 without an S."""
    hessians, eta, share = _given(given)
    b = given["momentum"]
    c, d, _ = bounds.momentum_forms(hessians, share, b)
    x = symmetric(lowest(2 * c - eta * d))
    mean = mean_of(hessians)
    turned = mean @ x - x @ mean
    spread = mean_of(np.array([h @ x @ h for h in hessians])) - mean @ x @ mean
    double = Fraction(np.trace(x @ (mean @ turned - turned @ mean)))
    whole = Fraction(np.trace(x @ mean @ x @ mean))
    found = summed(batch_steps(hessians, eta, given["batch_size"], b))
    rest = None if found is None else found - np.eye(len(found), dtype=int)
    v = None if rest is None else lowest(rest)
    return {
        "eta": eta,
        "t": b / (1 - b),
        "p": share,
        "n": Fraction(np.trace(x @ x)),
        "h": Fraction(np.trace(x @ mean @ x)),
        "s": Fraction(np.trace(x @ mean @ mean @ x)),
        "W": whole,
        "V": whole / (1 + b) - b * double / ((1 - b) ** 2 * (1 + b)),
        "D": Fraction(np.trace(x @ spread)),
        "u": Fraction(-1) if rest is None or v is None else Fraction(v @ rest @ v),
    }


def mean_and_noise(given: Instance) -> tuple[Fraction, Fraction]:
    """Return h and p Var(h_i)."""
    numbers = given["curvatures"]
    return Fraction(mean_of(numbers)), variance_of_means(numbers, batch_size(given["batch_size"], len(numbers)))


def on_line(given: Instance, *, noise: Fraction = Fraction(1)) -> bool:
    """Return whether eta (h^2/(1 + b) + p Var/(1 - b)) < 2 h, with the noise times a factor."""
    h, v = mean_and_noise(given)
    b = given["momentum"]
    return bool(Fraction(given["step_size"]) * (h**2 / (1 + b) + noise * v / (1 - b)) < 2 * h)


def _line_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    hessians = given["curvatures"].reshape(-1, 1, 1)
    steps = batch_steps(hessians, Fraction(given["step_size"]), given["batch_size"], given["momentum"])
    return Enclosure.exactly(decays(steps)), Enclosure.exactly(on_line(given))


def _reads_line(given: Instance) -> dict[str, Any]:
    h, v = mean_and_noise(given)
    b, eta = given["momentum"], Fraction(given["step_size"])
    return {"h": h, "v": v, "b": b, "eta": eta, "A": (1 + b - eta * h) ** 2, "s": eta**2 * v}


def _sufficient_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    """Return tr(X D_b(X)) and tr(X D(X)) without the double commutator, from the matrices themselves."""
    hessians = rationals(given["hessians"])
    share = noise_share(len(hessians), given["batch_size"])
    x, b = given["first"], given["momentum"]
    mean = mean_of(hessians)
    turned = mean @ x - x @ mean
    whole, parts = (
        Fraction(np.trace(x @ m)) for m in (mean @ x @ mean, mean_of(np.array([h @ x @ h for h in hessians])))
    )
    plain = whole / (1 + b) + share * (parts - whole) / (1 - b)
    double = Fraction(np.trace(x @ (mean @ turned - turned @ mean)))
    return Enclosure.exactly(plain - b * double / ((1 - b) ** 2 * (1 + b))), Enclosure.exactly(plain)


def _reads_sufficient(given: Instance) -> dict[str, Any]:
    hessians = rationals(given["hessians"])
    share = noise_share(len(hessians), given["batch_size"])
    x, mean = given["first"], mean_of(hessians)
    whole, parts = (
        Fraction(np.trace(x @ m)) for m in (mean @ x @ mean, mean_of(np.array([h @ x @ h for h in hessians])))
    )
    return {
        "m": x.size,
        "u": (mean @ x).ravel(),
        "y": (x @ mean).ravel(),
        "b": given["momentum"],
        "c": 1 - given["momentum"],
        "P": whole / (1 + given["momentum"]) + share * (parts - whole) / (1 - given["momentum"]),
    }


def heavy_ball(given: Instance) -> bool:
    """Return whether -(1 - a)(1 - b) < eta h < (1 + a)(1 + b)."""
    a, b, z = given["decay"], given["momentum"], Fraction(given["step_size"]) * given["curvature"]
    return bool(-(1 - a) * (1 - b) < z < (1 + a) * (1 + b))


def _heavy_ball_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    a, b, h, eta = given["decay"], given["momentum"], given["curvature"], Fraction(given["step_size"])
    step = rationals([[a - eta * h, -eta * b], [h, b]])  # of (w, v)
    return Enclosure.exactly(decays([step])), Enclosure.exactly(heavy_ball(given))


def nesterov(given: Instance) -> bool:
    """Return whether 0 < eta h < 2 (1 + b)/(1 + 2 b)."""
    b, z = given["momentum"], Fraction(given["step_size"]) * given["curvature"]
    return bool(0 < z * (1 + 2 * b) < 2 * (1 + b))


def _nesterov_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    b, h, eta = given["momentum"], given["curvature"], Fraction(given["step_size"])
    step = rationals([[1 - eta * h * (1 + b), -eta * b**2], [h, b]])
    return Enclosure.exactly(decays([step])), Enclosure.exactly(nesterov(given))


def _reads_steps(given: Instance) -> dict[str, Any]:
    z = Fraction(given["step_size"]) * given["curvature"]
    return {"a": given.given.get("decay", Fraction(1)), "b": given["momentum"], "z": z}


B11 = Claim(
    id="B11",
    source=Source(HOUSE, "B11, in any dimension"),
    statement=r"\mathbb E|w_t|^2 \to 0 \iff \eta D_b \prec 2 C,\quad C(X) = \tfrac12(HX + XH),\ "
    r"D_b(X) = \tfrac{1}{1 + b} HXH + \tfrac{p}{1 - b} \mathrm{Cov}(X) - \tfrac{b}{(1 - b)^2 (1 + b)} [H, [H, X]]",
    form=Form.EQUIVALENCE,
    symbols=(HESSIANS, STEP_SIZE_ON_MEAN, BATCH, MOMENTUM),
    sides=_mean_square_sides,
    proof=proofs.b11,
    reads=_reads_mean_square,
    finding=Finding.OURS,
    note="SGD with momentum, v' = b v + g, w' = w - eta v', and batches drawn anew, at an interpolating minimum: exact, from "
    "everywhere, as quadratic forms on symmetric X, so up to 2/lambda_max(C^+ D_b), excluded, for H_i >= 0 and H > 0. "
    "Cov(X) is the mean of the H_i X H_i less H X H, p = (n - B)/(B (n - 1)), [H, X] = H X - X H. At b = 0 it is B3. The left "
    "side is decided from the average over all batches, which knows nothing of the right one. What the proof cites is put "
    "together at the head of theory/beyond/momentum_bounds.py.",
    no_extremal="an equivalence",
)

B11A = Claim(
    id="B11.a",
    amends="B11",
    source=Source(HOUSE, "B11, one dimension"),
    statement=r"\mathbb E w_t^2 \to 0 \iff \eta < \frac{2 h}{h^2/(1 + b) + p\, \mathrm{Var}(h_i)/(1 - b)}",
    form=Form.EQUIVALENCE,
    symbols=(SECOND_DERIVATIVES, STEP_SIZE_ON_MEAN, BATCH, MOMENTUM),
    sides=_line_sides,
    proof=proofs.b11a,
    reads=_reads_line,
    finding=Finding.OURS,
    note="h is the mean of the h_i. Written as eta (..) < 2 h, so that it says what happens at h <= 0, too. At B = n it is "
    "2 (1 + b)/h, larger than without momentum; where the noise is most of it, 2 (1 - b) h/(p Var): smaller by 1 - b. These "
    "are the two plateaus of Andreyev et al. (arXiv 2604.14108).",
    no_extremal="an equivalence",
)

B11B = Claim(
    id="B11.b",
    amends="B11",
    source=Source(HOUSE, "B11, a threshold without the commutator"),
    statement=r"\operatorname{tr} X D_b(X) \le \operatorname{tr} X \big(\tfrac{1}{1 + b} HXH + \tfrac{p}{1 - b} "
    r"\mathrm{Cov}(X)\big)",
    form=Form.AT_MOST,
    symbols=(HESSIANS, BATCH, MOMENTUM, FIRST),
    sides=_sufficient_sides,
    proof=proofs.b11b,
    reads=_reads_sufficient,
    finding=Finding.OURS,
    note="So 2/lambda_max(C^+ (H X H/(1 + b) + p Cov/(1 - b))), which had looked sufficient in experiments, is: it is at most "
    "the threshold of B11, and it is that where the X that decides commutes with H. They differ by b |[H, X]|_F^2 over "
    "(1 - b)^2 (1 + b).",
    extremal=Instance(
        {
            "hessians": rationals([[[1, 0], [0, 2]]]),
            "batch_size": 1,
            "momentum": Fraction(1, 2),
            "first": rationals([[1, 0], [0, 1]]),
        },
        "named",
    ),
)

B11C = Claim(
    id="B11.c",
    amends="B11",
    source=Source(HOUSE, "B11, gradient descent with momentum and decoupled weight decay"),
    statement=r"v' = b v + h w,\ w' = a w - \eta v':\quad w_t \to 0 \iff -(1 - a)(1 - b) < \eta h < (1 + a)(1 + b)",
    form=Form.EQUIVALENCE,
    symbols=(CURVATURE_ALONG, STEP_SIZE_ON_MEAN, MOMENTUM, DECAY),
    sides=_heavy_ball_sides,
    proof=proofs.b11c,
    reads=_reads_steps,
    finding=Finding.OURS,
    note="From all w and v, 0 <= a <= 1. Heavy ball is a = 1: 0 < eta h < 2 (1 + b). Adam at a preconditioner that no longer "
    "moves is this with (1 - b_1) eta for eta and an eigenvalue of P^(-1/2) H P^(-1/2) for h: below "
    "2 (1 + b_1)/((1 - b_1) eta); AdamW has a = 1 - eta times its weight decay.",
    no_extremal="an equivalence",
)

B11D = Claim(
    id="B11.d",
    amends="B11",
    source=Source(HOUSE, "B11, Nesterov's momentum"),
    statement=r"v' = b v + h w,\ w' = w - \eta (h w + b v'):\quad w_t \to 0 \iff 0 < \eta h < \frac{2 (1 + b)}{1 + 2 b}",
    form=Form.EQUIVALENCE,
    symbols=(CURVATURE_ALONG, STEP_SIZE_ON_MEAN, MOMENTUM),
    sides=_nesterov_sides,
    proof=proofs.b11d,
    reads=_reads_steps,
    finding=Finding.OURS,
    note="As torch.optim.SGD has it, with nesterov=True. At b near 1 it is 4/3: less than 2 (1 + b) without look-ahead, and "
    "less than 2 without momentum.",
    no_extremal="an equivalence",
)

CLAIMS = (B11, B11A, B11B, B11C, B11D)
