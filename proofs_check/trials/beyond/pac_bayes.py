"""How the claims of `theory.beyond.pac_bayes` are put to the test."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.common import few
from proofs_check.trials.operators import Kind, both_ways, left, right, stronger, turned
from theory.beyond.pac_bayes import (
    B18,
    B19,
    B19A,
    all_masks,
    by_root,
    failure_probability,
    failures,
    output_of,
)
from theory.beyond.pac_bayes_bounds import expected_change
from theory.checks import Array, rationals
from theory.claim import Instance
from theory.enclosure import Enclosure
from theory.relu_network import square

MOST_WEIGHTS = 7
"""Of the networks that are drawn: all signs of the noise are tried."""

SHAPES = [
    shape
    for shape in [
        (1, 1),
        (2, 1),
        (2, 2),
        (1, 1, 1),
        (1, 2, 1),
        (2, 2, 1),
        (1, 2, 2),
        (1, 1, 1, 1),
        (1, 2, 1, 1),
        (1, 1, 2, 1),
    ]
    if sum(a * b for a, b in zip(shape[1:], shape[:-1], strict=True)) <= MOST_WEIGHTS
]


@st.composite
def noisy_networks(draw: st.DrawFn) -> Instance:
    """Draw a network of one to three layers, its patterns, and noise, of one size or of one a layer, some of it 0."""
    shape = draw(st.sampled_from(SHAPES))
    layers = tuple(_matrix(draw, rows, columns) for rows, columns in zip(shape[1:], shape[:-1], strict=True))
    bit = st.sampled_from([1, 1, 1, 0])
    return Instance(
        {
            "layers": layers,
            "deviations": _vector(draw, st.sampled_from([Fraction(v) for v in ("1", "1/2", "2", "0")]), len(layers)),
            "patterns": tuple(_vector(draw, bit, width) for width in shape[1:-1]),
            "point": _vector(draw, few, shape[0]),
            "target": _vector(draw, few, shape[-1]),
        },
        "drawn",
    )


def _vector(draw: st.DrawFn, entry: st.SearchStrategy[object], size: int) -> Array:
    return rationals(draw(st.lists(entry, min_size=size, max_size=size)))


def _matrix(draw: st.DrawFn, rows: int, columns: int) -> Array:
    return _vector(draw, few, rows * columns).reshape(rows, columns)


def _closed_form(
    change: Callable[[Instance], Instance], *, offset: Callable[[Instance], Fraction]
) -> Callable[[Instance], Fraction]:
    """Return B18's right side on another instance, and something more."""

    def side(given: Instance) -> Fraction:
        other = change(given)
        closed = expected_change(other["layers"], other["deviations"], other["point"], all_masks(other))
        return Fraction(closed) + offset(given)

    return side


def _nothing(_: Instance) -> Fraction:
    return Fraction(0)


def _output_square(given: Instance) -> Fraction:
    return square(output_of(given["layers"], given["patterns"], given["point"]))


def _last_quiet(given: Instance) -> Instance:
    return given.but(deviations=rationals([*given["deviations"][:-1], 0]))


def _all_active(given: Instance) -> Instance:
    return given.but(patterns=tuple(rationals([1] * len(pattern)) for pattern in given["patterns"]))


def _roots(given: Instance) -> Instance:
    """Return the instance with s_i^2 for s_i."""
    return given.but(deviations=given["deviations"] ** 2)


def _one_each(predictors: int) -> Array:
    return rationals([[int(row == column) for column in range(predictors)] for row in range(predictors)])


@st.composite
def problems(draw: st.DrawFn) -> Instance:
    """Draw predictors that err on a rare datum each, or any; priors on one predictor each, uniform, or any."""
    predictors, m, delta = (
        draw(st.integers(1, 4)),
        draw(st.integers(1, 3)),
        draw(st.sampled_from(["1/2", "1/10", "9/10"])),
    )
    chance_of = Fraction(delta) * draw(st.sampled_from(["2/5", "9/10", "1/100"]).map(Fraction))
    rare = min(chance_of, Fraction(1, predictors))
    if draw(st.integers(0, 2)):
        losses = rationals([[*row, 0] for row in _one_each(predictors)])
        data = rationals([rare] * predictors + [1 - predictors * rare])
    else:
        points = draw(st.integers(1, 3))
        unit = st.sampled_from([Fraction(v) for v in ("0", "1", "1/2", "1/3")])
        losses = rationals([list(_vector(draw, unit, points)) for _ in range(predictors)])
        weights = _vector(draw, st.integers(1, 5), points)
        data = weights / sum(weights)
    kind = draw(st.sampled_from(["one each", "uniform", "both"]))
    uniform = [[Fraction(1, predictors)] * predictors]
    priors = {"one each": list(_one_each(predictors)), "uniform": uniform, "both": [*_one_each(predictors), *uniform]}[
        kind
    ]
    return Instance(
        {
            "losses": losses,
            "chances": data,
            "priors": rationals([list(row) for row in priors]),
            "samples": m,
            "delta": Fraction(delta),
        },
        "drawn",
    )


def _failing(
    *, priors: int | None = None, own: bool = False, delta: Callable[[Fraction], Fraction] | None = None
) -> Callable[[Instance], Enclosure]:
    """Return the probability of failure with another bound."""

    def side(given: Instance) -> Enclosure:
        other = given if delta is None else given.but(delta=delta(given["delta"]))
        return failure_probability(other, lambda case, counts: failures(case, counts, priors=priors, own=own))

    return side


@st.composite
def limits(draw: st.DrawFn) -> Instance:
    """Draw training losses, divergences and numbers of data, so many that the root is tight among them."""
    return Instance(
        {
            "expected_training_loss": draw(st.sampled_from(["1/2", "0", "1", "1/10", "99/200"]).map(Fraction)),
            "divergence": draw(st.sampled_from(["0", "1", "50"]).map(Fraction)),
            "samples": draw(st.sampled_from([1, 10, 1000, 10**7])),
            "delta": draw(st.sampled_from(["1/2", "1/100", "999/1000"]).map(Fraction)),
            "prior_count": draw(st.sampled_from([1, 100])),
        },
        "drawn",
    )


def _trained(given: Instance) -> Enclosure:
    return Enclosure.exactly(given["expected_training_loss"])


TRIALS = (
    Trial(
        B18,
        instances=noisy_networks(),
        mutants=(
            *both_ways(B18),
            right(
                B18, "no |f_w(x)|^2 taken off", Kind.DROPPED, _closed_form(lambda given: given, offset=_output_square)
            ),
            right(B18, "no noise on the last layer", Kind.DROPPED, _closed_form(_last_quiet, offset=_nothing)),
            right(B18, "all units active", Kind.RANGE, _closed_form(_all_active, offset=_nothing)),
            right(B18, "s_i^4 for s_i^2", Kind.NEIGHBOUR, _closed_form(_roots, offset=_nothing)),
        ),
    ),
    Trial(
        B19,
        instances=problems(),
        mutants=(
            left(B19, "no ln G", Kind.DROPPED, _failing(priors=1)),
            left(B19, "no divergence", Kind.DROPPED, _failing(own=True)),
            left(B19, "a bound for (delta + 1)/2", Kind.NEIGHBOUR, _failing(delta=lambda delta: (delta + 1) / 2)),
        ),
    ),
    Trial(
        B19A,
        instances=limits(),
        mutants=(
            stronger(B19A),
            turned(B19A),
            left(B19A, "sqrt(C/4)", Kind.CONSTANT, lambda given: by_root(given, Fraction(1, 4))),
            left(B19A, "the root alone", Kind.DROPPED, lambda given: by_root(given, Fraction(1, 2)) + -_trained(given)),
        ),
    ),
)
