"""How the claims of `theory.neyshabur2017.sharpness` are put to the test."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.common import few, ratios
from proofs_check.trials.operators import Kind, both_ways, right, stronger, turned
from theory.checks import Array, rationals
from theory.claim import Instance
from theory.neyshabur2017.sharpness import (
    N6,
    N6A,
    N6B,
    N14,
    N14A,
    N14B,
    box_sharpness,
    growth,
    mean_square,
    rescaled,
    slope_of,
)
from theory.relu_network import square

SIZES = st.sampled_from(["1", "1/2", "1/1000", "3"]).map(Fraction)

weight = st.one_of(few, ratios(-3, 3, 3), st.sampled_from([Fraction(10**6), Fraction(-(10**6))]))


def _list(draw: st.DrawFn, entry: st.SearchStrategy[Fraction], size: int) -> Array:
    return rationals(draw(st.lists(entry, min_size=size, max_size=size)))


@st.composite
def networks(draw: st.DrawFn) -> Instance:
    """Draw units, among them one with v = 0, large ones and pairs that cancel; data that the network fits, and others."""
    k, n = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    u, v = _list(draw, weight, k), _list(draw, st.one_of(st.just(Fraction(0)), weight), k)
    x = _list(draw, ratios(Fraction(1, 2), 3, 2), n)
    fits = draw(st.booleans())
    return Instance(
        {
            "incoming": u,
            "outgoing": v,
            "inputs": x,
            "targets": slope_of(u, v) * x if fits else _list(draw, few, n),
            "alpha": draw(SIZES),
            "scale": draw(st.sampled_from(["1", "2", "1/3", "1000", "1000000"]).map(Fraction)),
        },
        "drawn",
    )


@st.composite
def predictors(draw: st.DrawFn) -> Instance:
    """Draw data and two linear predictors, of equal norms mostly: entries in another order, with other signs, or a turn."""
    d, n = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    w = _list(draw, few, d)
    other = rationals(draw(st.permutations(list(w))))
    if draw(st.integers(0, 4)) == 0:
        other = _list(draw, few, d)
    x = rationals([list(_list(draw, few, d)) for _ in range(n)])
    return Instance(
        {
            "inputs": x,
            "targets": x @ w if draw(st.booleans()) else _list(draw, few, n),
            "predictor": w,
            "other_predictor": other,
            "alpha": draw(SIZES),
            "noise": draw(st.sampled_from(["1", "1/2", "3"]).map(Fraction)),
        },
        "drawn",
    )


@st.composite
def pairs_of_networks(draw: st.DrawFn) -> Instance:
    """Draw two networks, layers of equal norms mostly."""
    k = draw(st.integers(1, 3))
    layers = [_list(draw, few, k) for _ in range(2)]
    others = [rationals(draw(st.permutations(list(layer)))) for layer in layers]
    if draw(st.integers(0, 4)) == 0:
        others = [_list(draw, few, k) for _ in range(2)]
    names = ("incoming", "outgoing", "other_incoming", "other_outgoing")
    return Instance({**dict(zip(names, (*layers, *others), strict=True)), "alpha": draw(SIZES)}, "drawn")


def _growth(factor: Callable[[Instance], Fraction]) -> Callable[[Instance], Fraction]:
    """Return N6's right side times a factor."""
    return lambda given: growth(given) * factor(given)


def _loss_below(given: Instance) -> Fraction:
    return 1 + mean_square(slope_of(given["incoming"], given["outgoing"]), given["inputs"], given["targets"])


def _floor(shares: Callable[[Fraction], tuple[Fraction, ...]]) -> Callable[[Instance], Fraction]:
    """Return N6.a's right side with other shares of the function."""

    def side(given: Instance) -> Fraction:
        x, y, slope = given["inputs"], given["targets"], slope_of(given["incoming"], given["outgoing"])
        ends = [mean_square(share * slope, x, y) for share in shares(given["alpha"])]
        return (max(ends) - mean_square(slope, x, y)) / _loss_below(given)

    return side


def _printed_before(given: Instance) -> Fraction:
    return box_sharpness(given, given["incoming"], given["outgoing"])


def _incoming_alone(given: Instance) -> Fraction:
    """Return the sharpness after a rescaling that forgets to divide."""
    return box_sharpness(given, rescaled(given)[0], given["outgoing"], lambda alpha, value: alpha * abs(value))


def _noise(factor: Callable[[Instance], Fraction]) -> Callable[[Instance], Fraction]:
    """Return N14.a's right side times a factor."""
    return lambda given: given["noise"] ** 2 * square(given["inputs"]) / len(given["inputs"]) * factor(given)


TRIALS = (
    Trial(
        N6,
        instances=networks(),
        mutants=(
            stronger(N6),
            turned(N6),
            right(N6, "no alpha", Kind.DROPPED, _growth(lambda given: 1 / given["alpha"] ** 2)),
            right(N6, "c^3 for c^2", Kind.OFF_BY_ONE, _growth(lambda given: given["scale"])),
            right(N6, "no 1 + L^", Kind.DROPPED, _growth(_loss_below)),
            right(
                N6,
                "the sum over the data for the mean",
                Kind.EXTREME,
                _growth(lambda given: Fraction(len(given["inputs"]))),
            ),
        ),
    ),
    Trial(
        N6A,
        instances=networks(),
        mutants=(
            stronger(N6A),
            turned(N6A),
            right(
                N6A,
                "(1 +- alpha)^3",
                Kind.OFF_BY_ONE,
                _floor(lambda alpha: ((1 + alpha) ** 3, (1 - alpha) ** 3)),
            ),
            right(N6A, "1 +- 3 alpha", Kind.NEIGHBOUR, _floor(lambda alpha: (1 + 3 * alpha, 1 - 3 * alpha))),
        ),
    ),
    Trial(
        N6B,
        instances=networks(),
        mutants=(
            *both_ways(N6B),
            right(N6B, "|w_i| + 1 for |w_i|", Kind.NEIGHBOUR, _printed_before),
            right(N6B, "v_1 not divided", Kind.DROPPED, _incoming_alone),
        ),
    ),
    Trial(N14, instances=predictors()),
    Trial(
        N14A,
        instances=predictors(),
        mutants=(
            *both_ways(N14A),
            right(N14A, "sigma for sigma^2", Kind.NEIGHBOUR, _noise(lambda given: 1 / given["noise"])),
            right(
                N14A,
                "the sum over the data for the mean",
                Kind.EXTREME,
                _noise(lambda given: Fraction(len(given["inputs"]))),
            ),
            right(N14A, "times |w|^2", Kind.NEIGHBOUR, _noise(lambda given: square(given["predictor"]))),
        ),
    ),
    Trial(N14B, instances=pairs_of_networks()),
)
