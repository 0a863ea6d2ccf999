"""The claims of Volhejn 2020 about explicit regularisation: what the least regularised loss selects (V18)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from theory.checks import Array, count, positive, rationals
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.enclosure import Enclosure
from theory.sources import VOLHEJN2020, Source
from theory.symbols import RATIONAL_WEIGHTS, Symbol
from theory.two_layer import Weights
from theory.volhejn2020 import regularization_proofs as proofs
from theory.volhejn2020.estimators import mean
from theory.volhejn2020.ideals import ON_DATA, WHICH, measure_of, measure_terms
from theory.volhejn2020.regularization_bounds import regularized_loss_bound
from theory.volhejn2020.training import CANDIDATES, smoothest, squares

COEFFICIENT = Symbol(
    "strength", r"\lambda", "the coefficient of S, a rational above 0", lambda name, v: Fraction(positive(name, v))
)
CHOSEN, OTHER = (
    Symbol(name, letter, "one of the candidates, from 0", lambda name, v: count(name, v, fewest=0))
    for name, letter in (("chosen", r"f_\lambda"), ("other", "f"))
)
FAMILY = (*CANDIDATES, COEFFICIENT, CHOSEN)


def losses(given: Instance) -> Array:
    """Return each candidate's L, its mean squared error over all points, exactly, [m]."""
    sums: Array = squares(given, len(given["y"])) / Fraction(len(given["y"]))
    return sums


def regularized(given: Instance) -> Array:
    """Return each candidate's L + lambda S, exactly, [m]."""
    total: Array = losses(given) + given["strength"] * given["measure"]
    return total


def of_candidate(given: Instance, name: str, values: Array) -> Fraction:
    """Return a value of the candidate that an instance has under a name, from those of all, [m].

    Raises:
        ValueError: if no candidate has its number.
    """
    if given[name] >= len(values):
        raise ValueError(f"{name} must be below {len(values)}, the number of candidates, got {given[name]}")
    return Fraction(values[given[name]])


def of_chosen(given: Instance, values: Array) -> Fraction:
    """Return a value of the chosen candidate, from those of all, [m]."""
    return of_candidate(given, "chosen", values)


def excess(given: Instance) -> Fraction:
    """Return by how much L + lambda S of the chosen candidate exceeds the least."""
    return of_chosen(given, regularized(given)) - Fraction(min(regularized(given)))


def _interpolated() -> Assumption:
    return Assumption("some candidate interpolates", losses, lambda found: bool(np.any(found == 0)))


def _minimises() -> Assumption:
    return Assumption("f_lambda has the least L + lambda S", excess, lambda more: more == 0)


def _printed_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    fits = losses(given) == 0
    best = of_chosen(given, losses(given)) == 0 and of_chosen(given, given["measure"]) == smoothest(given, fits)
    return Enclosure.exactly(excess(given) == 0), Enclosure.exactly(best)


def _no_worse() -> Assumption:
    def gap(given: Instance) -> Fraction:
        return of_candidate(given, "other", losses(given)) - of_chosen(given, losses(given))

    return Assumption("f fits no worse than f_lambda", gap, lambda gap: gap <= 0)


def _measures(given: Instance) -> tuple[Enclosure, Enclosure]:
    chosen, other = (of_candidate(given, name, given["measure"]) for name in ("chosen", "other"))
    return Enclosure.exactly(chosen), Enclosure.exactly(other)


def least_interpolating(given: Instance) -> Fraction:
    """Return the least S among the candidates that interpolate."""
    return smoothest(given, losses(given) == 0)


def _loss_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    saved = least_interpolating(given) - of_chosen(given, given["measure"])
    return Enclosure.exactly(of_chosen(given, losses(given))), Enclosure.exactly(given["strength"] * saved)


def _loss_bound(given: Instance) -> float:
    return regularized_loss_bound(given["strength"], least_interpolating(given), of_chosen(given, given["measure"]))


def _reads_candidates(given: Instance, other: int) -> dict[str, Any]:
    """Return errors and measures of all candidates, the number I of the chosen one and J of another; from 1."""
    return {
        "e": given["values"] - given["y"],
        "S": given["measure"],
        "lambda": given["strength"],
        "I": given["chosen"] + 1,
        "J": other + 1,
        "N": len(given["y"]),
    }


def _reads_pair(given: Instance) -> dict[str, Any]:
    return _reads_candidates(given, given["other"])


def _reads_interpolating(given: Instance) -> dict[str, Any]:
    fits = np.flatnonzero(losses(given) == 0).tolist()
    return _reads_candidates(given, min(fits, key=lambda place: Fraction(given["measure"][place])))


def scaled(weights: Weights, factor: Fraction) -> Weights:
    """Return the weights of a multiple of the network's function."""
    exact = weights.rational()
    return Weights(exact.w1, exact.b1, factor * exact.w2, factor * exact.b2)


def targets(given: Instance) -> Array:
    """Return y_j = f(x_j), exactly, [n]."""
    fitted: Array = given["weights"].rational()(rationals(given["x"]))
    return fitted


def shrinkage(given: Instance) -> Fraction:
    """Return t = min(1, lambda S(f) / (2 Q)), Q the mean of the squared targets, and 1 for Q = 0."""
    mean_square = mean(targets(given) ** 2)
    penalty = given["strength"] * measure_of(given)
    return Fraction(min(Fraction(1), penalty / (2 * mean_square)) if mean_square else 1)


def shrunk_loss(given: Instance, shrunk: Fraction) -> Fraction:
    """Return L + lambda S of (1 - t) f on the targets f(x_j), exactly."""
    network = scaled(given["weights"], 1 - shrunk)
    loss = mean((network(rationals(given["x"])) - targets(given)) ** 2)
    return loss + Fraction(given["strength"]) * measure_of(given.but(weights=network))


def _shrunk_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    t = shrinkage(given)
    return (
        Enclosure.exactly(shrunk_loss(given, t)),
        Enclosure.exactly(given["strength"] * measure_of(given) * (1 - t / 2)),
    )


def _reads_shrunk(given: Instance) -> dict[str, Any]:
    """Return the measure as a sum of p_i |a_i|, the targets, t and lambda."""
    shares, terms = measure_terms(given)
    return {
        "p": shares or [Fraction(1)],
        "a": terms or [Fraction(0)],
        "m": max(1, len(terms)),
        "y": targets(given),
        "N": len(given["x"]),
        "t": shrinkage(given),
        "lambda": given["strength"],
    }


_RAY = {
    "values": rationals([[0], [Fraction(1, 2)], [1]]),
    "y": rationals([1]),
    "measure": rationals([0, Fraction(1, 2), 1]),
    "strength": Fraction(1),
    "chosen": 1,
    "other": 1,
    "weights": Weights([Fraction(1)], [0], [Fraction(1)], 0),
    "x": rationals([1]),
    "which": 3,
}
"""f(x) = theta x through (1, 1) with S = |theta| = WP, for theta = 0, 1/2, 1: among all theta 1/2 has the least L + S."""

V18 = Claim(
    id="V18",
    source=Source(VOLHEJN2020, "after eq 1.8"),
    statement=r"\min_f L(f) = 0,\ f_\lambda \in \arg\min L + \lambda S \;\Rightarrow\; L(f_\lambda) = 0,\ "
    r"S(f_\lambda) = \min\{S(f): L(f) = 0\}",
    form=Form.IMPLICATION,
    symbols=FAMILY,
    assumptions=(_interpolated(),),
    sides=_printed_sides,
    finding=Finding.FALSE,
    note="theta x through (1, 1) with S = |theta|: L + lambda S = (theta - 1)^2 + lambda |theta| is least at 1 - lambda/2, "
    "where the loss is lambda^2/4, for every lambda up to 2. For the four measures, and networks whose outputs may be "
    "scaled, it is so for every lambda > 0 unless S is 0 for an interpolating one (V18.c). As lambda falls the loss goes to "
    "0 (V18.b), and S is the least among all that fit no worse (V18.a): that is what carries the experiments of section "
    "4.4, which stop at a loss above 0.",
    quote="the minimizer of L_reg(f_theta) is the theta which minimizes S(f_theta) in addition to perfectly fitting the data",
    reading="At a given lambda > 0, as eq 1.8 has it; in the limit of small lambda the words are right.",
    witness=Instance(_RAY, "named"),
    no_extremal="refuted",
)

V18A = Claim(
    id="V18.a",
    amends="V18",
    source=Source(VOLHEJN2020, "after eq 1.8, repaired"),
    statement=r"f_\lambda \in \arg\min L + \lambda S,\ L(f) \le L(f_\lambda):\quad S(f_\lambda) \le S(f)",
    form=Form.AT_MOST,
    symbols=(*FAMILY, OTHER),
    assumptions=(_minimises(), _no_worse()),
    sides=_measures,
    proof=proofs.v18a,
    reads=_reads_pair,
    finding=Finding.OURS,
    note="Nothing that fits no worse is smoother: regularising is minimising S at the loss that comes out, not at loss 0. A "
    "local minimum, or a run that was stopped at a threshold, is not spoken of.",
    extremal=Instance(_RAY, "named"),
)

V18B = Claim(
    id="V18.b",
    amends="V18",
    source=Source(VOLHEJN2020, "after eq 1.8, repaired"),
    statement=r"f_\lambda \in \arg\min L + \lambda S,\ S^* = \min\{S(f): L(f) = 0\}:\quad "
    r"L(f_\lambda) \le \lambda \big(S^* - S(f_\lambda)\big)",
    form=Form.AT_MOST,
    symbols=FAMILY,
    assumptions=(_interpolated(), _minimises()),
    sides=_loss_sides,
    bound=regularized_loss_bound,
    bound_on=_loss_bound,
    proof=proofs.v18b,
    reads=_reads_interpolating,
    finding=Finding.OURS,
    note="So S(f_lambda) <= S*, and with S >= 0 the loss is at most lambda S*, which goes to 0 with lambda. With equality if "
    "an interpolating f has the least regularised loss too.",
    extremal=Instance(_RAY | {"values": rationals([[0], [1]]), "measure": rationals([0, 1]), "chosen": 0}, "named"),
)

V18C = Claim(
    id="V18.c",
    amends="V18",
    source=Source(VOLHEJN2020, "after eq 1.8, for the measures of chapter 3"),
    statement=r"y_j = f(x_j),\ Q = \tfrac1n \sum_j y_j^2,\ t = \min\big\{1, \tfrac{\lambda S(f)}{2Q}\big\}:\quad "
    r"L((1-t) f) + \lambda S((1-t) f) \le \big(1 - \tfrac{t}{2}\big) \lambda S(f)",
    form=Form.AT_MOST,
    symbols=(RATIONAL_WEIGHTS, ON_DATA, WHICH, COEFFICIENT),
    sides=_shrunk_sides,
    proof=proofs.v18c,
    reads=_reads_shrunk,
    finding=Finding.OURS,
    note="lambda S(f) is the regularised loss of f itself, which interpolates: unless S(f) = 0 it is not the least, for any "
    "lambda > 0. All that is used is S(c f) = c S(f) for c >= 0, true of GN, PL0, PL1 and WP with any number of inputs, and "
    "a last layer that may be scaled. With equality iff lambda S(f) <= 2 Q or S(f) = 0.",
    extremal=Instance({name: _RAY[name] for name in ("weights", "x", "which", "strength")}, "named"),
)

CLAIMS = (V18, V18A, V18B, V18C)
