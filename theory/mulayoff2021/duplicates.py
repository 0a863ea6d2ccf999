"""What Mulayoff, Michaeli and Soudry 2021 say of training samples that occur twice: M20."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from theory.checks import Array, count, dot, exact_sequence, exact_vector, rationals
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.enclosure import Enclosure
from theory.mulayoff2021 import duplicates_proofs as proofs
from theory.mulayoff2021.switching import gram_top
from theory.sources import MULAYOFF2021, Source
from theory.symbols import WEIGHTS, Symbol, X
from theory.two_layer import Weights

FIT_ERRORS = Symbol("errors", "(f(x_j) - y_j)", "errors at the samples, exact, [n]", exact_sequence)
COPIED = Symbol(
    "copied",
    "i",
    "the number of the sample that occurs twice, from 0",
    lambda name, value: count(name, value, fewest=0),
)
MOVED = Symbol("direction", "v", "a direction in the weights, exact, [3k+1]", exact_vector)


def _is_a_sample(of: str) -> Assumption:
    return Assumption(
        "i is the number of a sample", lambda given: len(given[of]) - given["copied"], lambda rest: rest > 0
    )


def _loss(errors: Array) -> Fraction:
    return Fraction(dot(errors, errors)) / (2 * len(errors))


def _fit_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    errors = given["errors"]
    twice = np.append(errors, errors[given["copied"]])
    return Enclosure.exactly(_loss(twice) == 0), Enclosure.exactly(_loss(errors) == 0)


def _reads_errors(given: Instance) -> dict[str, Any]:
    return _apart(given["errors"], given["copied"])


def _apart(numbers: Array, copied: int) -> dict[str, Any]:
    """Return one of some numbers, and the others."""
    return {"o": [*numbers[:copied], *numbers[copied + 1 :]], "e": numbers[copied], "r": len(numbers) - 1}


M20 = Claim(
    id="M20",
    source=Source(MULAYOFF2021, "footnote 4"),
    statement=r"x_{n+1} = x_i,\ y_{n+1} = y_i:\quad \mathcal L_{n+1}(f) = 0 \iff \mathcal L_n(f) = 0",
    form=Form.EQUIVALENCE,
    symbols=(FIT_ERRORS, COPIED),
    assumptions=(_is_a_sample("errors"),),
    sides=_fit_sides,
    proof=proofs.m20,
    reads=_reads_errors,
    finding=Finding.AS_PRINTED,
    note="The same functions fit perfectly, with the copy and without. Which of them are stable is another matter: the loss "
    "is a mean over all samples, and a copy doubles the weight of one (M20.a).",
    reading="Redundant for the perfect fit, of which the footnote speaks; not for stability.",
    no_extremal="an equivalence",
)


def with_copy(rows: Array, copied: int) -> Array:
    """Return rows with one of them twice."""
    return np.concatenate([rows, rows[copied : copied + 1]])


def _features(given: Instance) -> Array:
    weights: Weights = given["weights"].rational()
    return weights.tangent_features(rationals(given["x"]))


def _sharpness_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    features = _features(given)
    return gram_top(with_copy(features, given["copied"])), gram_top(features)


def _one_of_two() -> Instance:
    """Return two samples and a unit that is active on the second, which occurs twice."""
    one, zero = Fraction(1), Fraction(0)
    return Instance({"weights": Weights([one], [zero], [one], zero), "x": rationals([-1, 1]), "copied": 1}, "named")


M20A = Claim(
    id="M20.a",
    amends="M20",
    source=Source(MULAYOFF2021, "footnote 4, of stability"),
    statement=r"x_{n+1} = x_i,\ y_{n+1} = y_i,\ \mathcal L(f) = 0:\quad \lambda_{\max}(\nabla^2 \mathcal L_{n+1}) = "
    r"\lambda_{\max}(\nabla^2 \mathcal L_n)",
    form=Form.IDENTITY,
    symbols=(WEIGHTS, X, COPIED),
    assumptions=(_is_a_sample("x"),),
    sides=_sharpness_sides,
    finding=Finding.CONJECTURE,
    note="Three samples, two of them one, and one unit suffice: f = [x]_+ is sharper on -1, 1 and 1 than on -1 and 1. With "
    "one sample, or if all occur equally often, nothing changes. So where samples may coincide X must be drawn from all of "
    "them, copies included, as g is of the empirical distribution.",
    quote="if y_i = y_j then the jth training sample is redundant",
    reading="The footnote speaks of the perfect fit; that a copy may be left out where stability is at stake is read into it "
    "here.",
    witness=_one_of_two(),
    no_extremal="refuted",
)


def _check_direction(given: Instance, width: int) -> Array:
    v: Array = given["direction"]
    if len(v) != width:
        raise ValueError(f"direction must have {width} entries, one a weight, got {len(v)}")
    return v


def _second_derivatives(given: Instance) -> tuple[Fraction, Fraction]:
    """Return v^T H v with the copy and without."""
    features = _features(given)
    v = _check_direction(given, features.shape[1])
    rows = with_copy(features, given["copied"]), features
    with_it, without_it = (Fraction(dot(part @ v, part @ v)) / len(part) for part in rows)
    return with_it, without_it


def copy_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    """Return |v^T H' v - (3/2) (n/(n + 1)) v^T H v|, and (1/2) (n/(n + 1)) v^T H v."""
    with_it, without_it = _second_derivatives(given)
    part = Fraction(len(given["x"]), len(given["x"]) + 1) * without_it
    return Enclosure.exactly(abs(with_it - Fraction(3, 2) * part)), Enclosure.exactly(part / 2)


def _reads_outputs(given: Instance) -> dict[str, Any]:
    """Return what f changes by at the samples along v, that of the copied one apart."""
    return _apart(_features(given) @ given["direction"], given["copied"])


M20B = Claim(
    id="M20.b",
    amends="M20",
    source=Source(MULAYOFF2021, "footnote 4, of stability, repaired"),
    statement=r"x_{n+1} = x_i,\ y_{n+1} = y_i,\ \mathcal L(f) = 0:\quad \tfrac{n}{n+1} \nabla^2 \mathcal L_n \preceq "
    r"\nabla^2 \mathcal L_{n+1} \preceq \tfrac{2n}{n+1} \nabla^2 \mathcal L_n",
    form=Form.AT_MOST,
    symbols=(WEIGHTS, X, COPIED, MOVED),
    assumptions=(_is_a_sample("x"),),
    sides=copy_sides,
    proof=proofs.m20b,
    reads=_reads_outputs,
    finding=Finding.OURS,
    note="Along every direction v: the distance from the middle against half the width. So one copy changes the largest stable "
    "step size of gradient descent by a factor of at least (n + 1)/(2n) and at most (n + 1)/n. Along single directions "
    "both ends are attained: where only the copied sample responds, and where it does not.",
    extremal=Instance(
        {**_one_of_two().given, "direction": rationals([1, 0, 0, 0])},
        "named",
    ),
)

CLAIMS = (M20, M20A, M20B)
