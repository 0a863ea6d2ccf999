"""Instances for the claims of Mulayoff, Michaeli and Soudry 2021."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from itertools import islice

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs_check.strategies.common import exact_weights, linearised, on_data, small, with_step_size
from theory import switching as switching_modes
from theory.checks import Array, rationals
from theory.claim import Instance
from theory.claims.mulayoff2021_stability import wedges
from theory.two_layer import Weights


@st.composite
def along_a_direction(draw: st.DrawFn) -> Instance:
    """Draw an exact network on exact data and a direction in its weights."""
    x = rationals(sorted(draw(st.sets(small, min_size=1, max_size=4))))
    weights = draw(exact_weights(most=3))
    size = 3 * weights.width + 1
    return Instance(
        {"weights": weights, "x": x, "direction": rationals(draw(st.lists(small, min_size=size, max_size=size)))},
        "drawn",
    )


@st.composite
def switching(draw: st.DrawFn) -> Instance:
    """Draw mode Hessians that nearly share an eigenvector, gradients, a radius and a step size around what Lemma 2 asks.

    In one dimension, where the gradients of a mode have one sign, the lemma's condition is sharp.
    """
    d, modes = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    number = st.fractions(-1, 1, max_denominator=4)
    noise = draw(st.sampled_from([Fraction(0), Fraction(1, 100), Fraction(1, 3)]))
    hessians = np.empty((modes, d, d), dtype=object)
    for h in hessians:
        rough = rationals([[draw(number) for _ in range(d)] for _ in range(d)])
        h[:] = noise * (rough + rough.T)
        h[0, 0] += draw(st.fractions(1, 5, max_denominator=4))
        h[1:, 1:] += np.diag(rationals([draw(st.fractions(0, 1, max_denominator=4)) for _ in range(d - 1)]))
    drift = draw(st.sampled_from([Fraction(0), Fraction(1, 10), Fraction(1)]))
    gradients = rationals([[[drift * draw(number) for _ in range(d)] for _ in range(2)] for _ in range(modes)])
    if draw(st.booleans()):
        gradients[:] = -drift
    off = draw(st.sampled_from([Fraction(0), Fraction(1, 2)]))
    values = rationals([h[0, 0] + off for h in hessians])
    epsilon = draw(st.sampled_from([Fraction(1, 10), Fraction(1), Fraction(10)]))
    gamma = max(sum(np.abs(g[:, 0])) / 2 for g in gradients)
    edge = min(hessians[:, 0, 0]) - gamma / epsilon
    factor = draw(st.sampled_from([Fraction(n, 1000) for n in (500, 999, 1001, 1004, 1100, 3000)]))
    return Instance(
        {
            "mode_hessians": hessians,
            "gradients": gradients,
            "direction": rationals([1, *[0] * (d - 1)]) * draw(st.sampled_from([1, 1, -2])),
            "eigenvalues": values,
            "epsilon": epsilon,
            "step_size": factor * 2 / (edge if edge > 0 else 1),
        },
        "drawn",
    )


@st.composite
def switching_in_the_plane(draw: st.DrawFn) -> Instance:
    """Draw four wedges with Hessians of their own, a step size up to Lemma 3's limit or just beyond it, and a start."""
    small_positive = st.fractions(min_value=Fraction(1, 4), max_value=2, max_denominator=4)
    a = draw(small_positive)
    modes = wedges(a, draw(st.fractions(min_value=-1, max_value=1, max_denominator=4)) * a)
    largest = max(abs(v) for h, _ in modes for v in np.diag(h))
    start = rationals(draw(st.lists(small, min_size=2, max_size=2)))
    reach = draw(st.one_of(small_positive, st.just(Fraction(201, 100))))
    return Instance({"modes": modes, "step_size": reach / largest, "start": start}, "drawn")


def _on_points(x: Array, places: list[int], slopes: list[Fraction], w2: list[Fraction]) -> Weights:
    """Return weights of units with their knots on data points x, the places given, and no output bias."""
    w1 = rationals(slopes)
    b1 = -w1 * x[places] if places else w1
    return Weights(w1, b1, rationals(w2), Fraction(0))


not_zero = small.filter(lambda v: v != 0)
large = st.integers(3, 300).map(Fraction)


@st.composite
def toggling(draw: st.DrawFn) -> Instance:
    """Draw an exact network, most of whose units have their knots on data points, now and then one with w1 = b1 = 0."""
    x = rationals(draw(st.lists(small, min_size=1, max_size=4, unique=True)))
    width = draw(st.integers(1, 4))
    places = [draw(st.integers(0, len(x) - 1)) for _ in range(width)]
    weights = _on_points(x, places, [draw(not_zero) for _ in places], [draw(small) for _ in places])
    if draw(st.integers(0, 3)) == 0:
        b1 = weights.b1.copy()
        b1[0] += draw(small)
        weights = Weights(weights.w1, b1, weights.w2, draw(small))
    return Instance({"weights": weights, "x": x}, "drawn")


@st.composite
def idle(draw: st.DrawFn) -> Instance:
    """Draw neighbouring points, and a unit with w1 = b1 = 0 and a large output weight."""
    x = rationals([draw(st.sampled_from([1, -1])) + Fraction(j, draw(st.sampled_from([6, 50]))) for j in range(3)])
    x = rationals(sorted(set(x)))
    weights = Weights([Fraction(0)], [Fraction(0)], [draw(large)], Fraction(0))
    return Instance({"weights": weights, "x": x}, "drawn")


@st.composite
def on_one_point(draw: st.DrawFn) -> Instance:
    """Draw one point and units that toggle on it, with output weights of one size, and others that do not toggle."""
    at, size = draw(st.sampled_from([-1, 1])), draw(st.one_of(st.just(Fraction(1)), large, not_zero))
    signs = draw(st.lists(st.sampled_from([-1, 1]), min_size=1, max_size=4))
    others = draw(st.sampled_from([0, 0, 0, 1, 9]))
    x = rationals([at])
    on = _on_points(x, [0] * len(signs), [draw(not_zero) for _ in signs], [sign * size for sign in signs])
    weights = Weights(
        np.concatenate([on.w1, rationals([at] * others)]),
        np.concatenate([on.b1, rationals([0] * others)]),
        np.concatenate([on.w2, rationals([1] * others)]),
        Fraction(0),
    )
    return Instance({"weights": weights, "x": x}, "drawn")


@st.composite
def balanced_by_a_resting_unit(draw: st.DrawFn) -> Instance:
    """Draw two units of opposite sign on one point, to which their active side pulls them: g is too large there."""
    at, above = draw(st.sampled_from([Fraction(-5, 2), Fraction(-12, 5)])), draw(st.sampled_from([Fraction(7, 4), 2]))
    x = rationals([at - 2, at - Fraction(3, 2), at - 1, at, above])
    w2 = draw(st.sampled_from([Fraction(1, 20), Fraction(1, 10), Fraction(1, 5)]))
    against = -w2 * draw(st.sampled_from([Fraction(1, 2), Fraction(1)]))
    weights = _on_points(x, [3, 3], [w2 * Fraction(47, 100), Fraction(1, 1000)], [w2, against])
    sign = draw(st.sampled_from([1, -1]))
    return Instance({"weights": Weights(sign * weights.w1, weights.b1, weights.w2, weights.b2), "x": sign * x}, "drawn")


@st.composite
def one_large_unit(draw: st.DrawFn) -> Instance:
    """Draw a unit that toggles on the one point, with so large an output weight that Lemma 5 is nearly an equality."""
    at, w2 = draw(st.sampled_from([-1, 1])), Fraction(draw(st.integers(200, 2000)))
    weights = _on_points(rationals([at]), [0], [draw(not_zero)], [draw(st.sampled_from([-1, 1])) * w2])
    instance = Instance({"weights": weights, "x": rationals([at])}, "drawn")
    return instance.but(mode=np.ones((1, 1), dtype=np.int64), other_mode=np.zeros((1, 1), dtype=np.int64))


@st.composite
def two_modes(draw: st.DrawFn) -> Instance:
    """Draw a network with units that toggle, and two modes around it; now and then what is no mode."""
    instance = draw(st.one_of(toggling(), on_one_point(), idle()))
    weights, x = instance["weights"], instance["x"]
    if draw(st.booleans()):
        z = weights.pre_activations(x)
        pair = [z >= 0, z > 0][:: draw(st.sampled_from([1, -1]))]
    else:
        around = list(islice(switching_modes.modes(weights, x), 64))
        pair = [draw(st.sampled_from(around)) for _ in range(2)]
    if draw(st.integers(0, 9)) == 0:
        pair[0] = ~pair[0]
    return instance.but(mode=pair[0].astype(int), other_mode=pair[1].astype(int))


SHARES = [Fraction(1), Fraction(1), Fraction(999, 1000), Fraction(1001, 1000), Fraction(1, 2), Fraction(9)]


def _up_to_the_edge(draw: st.DrawFn, instance: Instance, direction: Array) -> Fraction:
    """Return a step size at which a step along a direction, or against it, hardly lengthens, or hardly does not."""
    curvature = max(
        switching_modes.curvature_of_step(instance["weights"], instance["x"], sign * direction) for sign in (1, -1)
    )
    return draw(st.sampled_from(SHARES)) * 2 / (curvature or Fraction(1))


@st.composite
def balanced_at_the_edge(draw: st.DrawFn) -> Instance:
    """Draw two points and a unit active on each, balanced, and a step size at the edge, or up to two per cent from it."""
    instance = draw(balanced_exactly())
    mean = switching_modes.mean_gradient(instance["weights"], instance["x"])
    return instance.but(
        step_size=draw(st.sampled_from([*SHARES, Fraction(203, 202)]))
        * 2
        / switching_modes.curvature_of_step(instance["weights"], instance["x"], mean)
    )


@st.composite
def opposed_beside_others(draw: st.DrawFn) -> Instance:
    """Draw two units of opposite sign that toggle on the one point, many that do not, and a direction that moves all."""
    others = draw(st.integers(9, 12))
    weights = Weights([1, 1, *[1] * others], [-1, -1, *[0] * others], [1, -1, *[1] * others], Fraction(0))
    rest = np.concatenate([rationals([0, 0, *[1] * others])] * 3)
    direction = np.concatenate([rest, rationals([1])]) * Fraction(1, draw(st.integers(2, 3)))
    direction[[0, others + 2]], direction[[1, others + 3]] = Fraction(1), Fraction(-1)
    instance = Instance({"weights": weights, "x": rationals([1]), "direction": direction}, "drawn")
    return instance.but(step_size=_up_to_the_edge(draw, instance, direction))


@st.composite
def nearly_constant(draw: st.DrawFn) -> Instance:
    """Draw many points, at most one unit, of small weights, and a step size far beyond the edge: the bound is below 0."""
    x = rationals(range(8)) / 8
    weights = (
        _on_points(x, [3], [Fraction(1, 8)], [draw(small) / 40]) if draw(st.booleans()) else _on_points(x, [], [], [])
    )
    return Instance(
        {"weights": weights, "x": x, "step_size": draw(st.sampled_from([Fraction(2), Fraction(64)]))}, "drawn"
    )


@st.composite
def along_toggling_units(draw: st.DrawFn) -> Instance:
    """Draw a network with units that toggle, a direction that moves their knots, and a step size around its edge."""
    instance = draw(st.one_of(toggling(), on_one_point(), balanced_by_a_resting_unit()))
    weights, x = instance["weights"], instance["x"]
    k = weights.width
    kind = draw(st.sampled_from(["knots", "knots and others", "mean", "any"]))
    if kind == "mean":
        direction = switching_modes.mean_gradient(weights, x)
    elif kind == "any":
        direction = rationals(draw(st.lists(small, min_size=3 * k + 1, max_size=3 * k + 1)))
    else:
        z = weights.pre_activations(x)
        shift, others = (
            np.zeros((2, k), dtype=object),
            draw(st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(0)])),
        )
        for i in range(k):
            at = np.flatnonzero(z[:, i] == 0)
            sign = draw(st.sampled_from([1, -1])) if kind == "knots" else (1 if weights.w2[i] > 0 else -1)
            if len(at):
                shift[:, i] = sign * x[at[0]], sign
        rest = weights.tangent_features(x)[0] if kind != "knots" else 0
        direction = rationals(np.concatenate([shift[0], shift[1], np.zeros(k + 1, dtype=object)]) + others * rest)
    direction = direction if np.any(direction != 0) else direction + 1
    return instance.but(direction=direction, step_size=_up_to_the_edge(draw, instance, direction))


@st.composite
def balanced_exactly(draw: st.DrawFn) -> Instance:
    """Draw two points and a unit active on each, balanced, exactly: at their edge Theorem 1 is attained."""
    a = draw(st.sampled_from([Fraction(3, 4), Fraction(4, 3), Fraction(5, 12), Fraction(12, 5)]))
    root = Fraction(math.isqrt(a.numerator**2 + a.denominator**2), a.denominator)  # of 1 + a^2
    knot, w1 = (
        a * draw(st.fractions(0, Fraction(4, 5), max_denominator=5)),
        draw(st.sampled_from([Fraction(1), Fraction(3), Fraction(1, 2)])),
    )
    w2 = w1 * (a - knot) / root
    weights = Weights(rationals([w1, -w1]), rationals([-w1 * knot] * 2), rationals([w2, w2]), draw(small))
    return Instance({"weights": weights, "x": rationals([-a, a])}, "drawn: balanced")


@st.composite
def nearly_balanced_on_points(draw: st.DrawFn) -> Instance:
    """Draw units with knots on the second and third of five points, or one on a point far below 0, that g is too large for."""
    stretch = draw(st.sampled_from([Fraction(1), Fraction(101, 100), Fraction(99, 100)]))
    sign = draw(st.sampled_from([1, -1]))
    if draw(st.booleans()):
        x = rationals([-9, -3, -2, 1, 3])
        weights = _on_points(
            x, [2, 1], [Fraction(3, 50), Fraction(1, 25)], [Fraction(-1, 10) * stretch, Fraction(13, 100)]
        )
    else:
        x = rationals([-8, -4, 4])
        weights = _on_points(x, [1], [Fraction(3, 20)], [Fraction(3, 5) * stretch])
    return Instance({"weights": Weights(sign * weights.w1, weights.b1, weights.w2, weights.b2), "x": sign * x}, "drawn")


@st.composite
def toggling_with_step_size(draw: st.DrawFn, *, resting: bool = False) -> Instance:
    """Draw a network with units that toggle, and a step size around the edge of its mean gradient."""
    instance: Instance = draw(
        st.one_of(
            toggling(),
            on_one_point(),
            idle(),
            balanced_by_a_resting_unit(),
            balanced_exactly(),
            nearly_balanced_on_points(),
        )
    )
    mean = switching_modes.resting_gradient if resting else switching_modes.mean_gradient
    return instance.but(step_size=_up_to_the_edge(draw, instance, mean(instance["weights"], instance["x"])))


@st.composite
def numbers_of_eq_35(draw: st.DrawFn) -> Instance:
    """Draw the numbers that eq 35 is deduced from: a sharpness around the largest that eq 34 and Lemma 2 allow."""
    bound, count, n = draw(st.integers(1, 9)), draw(st.integers(1, 4)), draw(st.integers(1, 9))
    eta = draw(st.fractions(min_value=Fraction(1, 8), max_value=4, max_denominator=8))
    limit = Fraction(switching_modes.deduced_sharpness_bound(float(eta), bound, count, n))
    share = draw(st.sampled_from([Fraction(p, 1000) for p in (300, 700, 900, 999, 1001, 1100)]))
    return Instance(
        {
            "top_sharpness": share * limit,
            "step_size": eta,
            "gradient_bound": Fraction(bound),
            "toggling": Fraction(count),
            "n": Fraction(n),
        },
        "drawn",
    )


@st.composite
def drifting_at_the_edge(draw: st.DrawFn) -> Instance:
    """Draw one mode on the line whose gradients point back, and a sharpness around 2/eta + gamma/eps, where eq 15 is tight."""
    positive = st.fractions(min_value=Fraction(1, 4), max_value=4, max_denominator=4)
    eta, epsilon, drift = draw(positive), draw(positive), draw(positive)
    share = draw(st.sampled_from([Fraction(p, 1000) for p in (980, 995, 1001, 1005)]))
    sharpness = 2 / eta + share * drift / epsilon
    return Instance(
        {
            "mode_hessians": rationals([[[sharpness]]]),
            "eigenvalues": rationals([sharpness]),
            "gradients": rationals([[[-drift], [-drift]]]),
            "direction": rationals([1]),
            "epsilon": epsilon,
            "step_size": eta,
        },
        "drawn",
    )


INSTANCES: Mapping[str, SearchStrategy[Instance]] = {
    "M1": linearised(),
    "M1.a": linearised(),
    "M2": st.one_of(switching(), switching(), drifting_at_the_edge()),
    "M2.a": switching(),
    "M3": switching_in_the_plane(),
    "M3.a": switching_in_the_plane(),
    "M4": along_a_direction(),
    "M5": st.one_of(on_data, balanced_exactly()),
    "M6": st.one_of(with_step_size(), balanced_at_the_edge()),
    "M6.a": st.one_of(with_step_size(), balanced_at_the_edge()),
    "M7": two_modes(),
    "M7.a": st.one_of(two_modes(), two_modes(), one_large_unit()),
    "B4": two_modes(),
    "M8": st.one_of(along_toggling_units(), along_toggling_units(), opposed_beside_others()),
    "M8.a": st.one_of(along_toggling_units(), along_toggling_units(), opposed_beside_others()),
    "M8.b": numbers_of_eq_35(),
    "M8.c": numbers_of_eq_35(),
    "M9": st.one_of(toggling_with_step_size(), toggling_with_step_size(), nearly_constant()),
    "M9.a": st.one_of(toggling_with_step_size(), toggling_with_step_size(), nearly_constant()),
    "M9.b": toggling_with_step_size(resting=True),
}
