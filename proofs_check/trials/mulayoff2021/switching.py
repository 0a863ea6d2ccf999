"""How the claims of `theory.mulayoff2021.switching` are put to the test."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice

import numpy as np
from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.common import ratios, small
from proofs_check.trials.mulayoff2021.common import SHARES, balanced_exactly, edge_less
from proofs_check.trials.operators import (
    LESS,
    MORE,
    Kind,
    Mutant,
    bounds,
    moved,
    right,
    strict,
    stronger,
    turned,
    with_sides,
    without,
)
from theory import switching
from theory import switching as switching_modes
from theory.checks import Array, rationals
from theory.claim import Claim, Instance
from theory.enclosure import Enclosure
from theory.general_position import lengthening, step_in_mode
from theory.mulayoff2021 import curvature_enclosure, switching_bounds
from theory.mulayoff2021.switching import (
    B4,
    M7,
    M7A,
    M8,
    M8A,
    M8B,
    M8C,
    M8D,
    M9,
    M9A,
    M9B,
    M9C,
    change_sides,
    deduction_sides,
    excess_sides,
    residual_sides,
    share,
    sharpness_sides,
)
from theory.two_layer import Weights


def _about_the_edge(draw: st.DrawFn, instance: Instance, mode: Array, outputs: Array) -> Instance:
    """Return the instance with a step size about that at which a step of the mode stops being longer."""
    weights, x = instance["weights"].rational(), rationals(instance["x"])
    step = step_in_mode(weights, x, mode, outputs) if mode.shape == (len(x), weights.width) else None
    edge = lengthening(weights, x, step) if step is not None else Fraction(1)
    share: Fraction = draw(st.sampled_from([*SHARES, Fraction(203, 202)]))
    return instance.but(step_size=share * 2 / (edge or Fraction(1)))


@st.composite
def along_a_sample(draw: st.DrawFn) -> Instance:
    """Draw a network, one of its modes (now and then what is none), a direction among the samples, and a step size."""
    instance = draw(st.one_of(two_modes(), on_one_point_in_a_mode()))
    n = len(instance["x"])
    u = rationals(draw(st.lists(st.integers(-2, 2), min_size=n, max_size=n).filter(any)))
    given = Instance(
        {"weights": instance["weights"], "x": instance["x"], "mode": instance["mode"], "sample_direction": u}, "drawn"
    )
    return _about_the_edge(draw, given, np.asarray(given["mode"], dtype=bool), u)


@st.composite
def on_one_point_in_a_mode(draw: st.DrawFn) -> Instance:
    """Draw units that toggle on the one point, and which of them are active."""
    instance = draw(on_one_point())
    weights = instance["weights"]
    toggles = weights.pre_activations(instance["x"])[0] == 0
    chosen = draw(st.lists(st.booleans(), min_size=weights.width, max_size=weights.width))
    active = [
        c if t else z > 0 for c, t, z in zip(chosen, toggles, weights.pre_activations(instance["x"])[0], strict=True)
    ]
    return instance.but(mode=np.array([active], dtype=np.int64))


@st.composite
def at_rest(draw: st.DrawFn) -> Instance:
    """Draw a network, few units on few points or idle ones, and a step size about the edge of its flat output."""
    instance = draw(st.one_of(toggling(), on_one_point(), balanced_exactly(), balanced_exactly(), idle()))
    given = Instance({name: instance[name] for name in ("weights", "x")}, instance.origin)
    weights, x = given["weights"].rational(), rationals(given["x"])
    mode = np.asarray(weights.pre_activations(x) > 0, dtype=bool)
    return _about_the_edge(draw, given, mode, rationals([1] * len(x)))


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


def up_to_the_edge(draw: st.DrawFn, instance: Instance, direction: Array) -> Fraction:
    """Return a step size at which a step along a direction, or against it, hardly lengthens, or hardly does not."""
    curvature = max(switching_modes.curvatures_of_steps(instance["weights"], instance["x"], direction))
    return draw(st.sampled_from(SHARES)) * 2 / (curvature or Fraction(1))


@st.composite
def opposed_beside_others(draw: st.DrawFn) -> Instance:
    """Draw two units of opposite sign that toggle on the one point, many that do not, and a direction that moves all."""
    others = draw(st.integers(9, 12))
    weights = Weights([1, 1, *[1] * others], [-1, -1, *[0] * others], [1, -1, *[1] * others], Fraction(0))
    rest = np.concatenate([rationals([0, 0, *[1] * others])] * 3)
    direction = np.concatenate([rest, rationals([1])]) * Fraction(1, draw(st.integers(2, 3)))
    direction[[0, others + 2]], direction[[1, others + 3]] = Fraction(1), Fraction(-1)
    instance = Instance({"weights": weights, "x": rationals([1]), "direction": direction}, "drawn")
    return instance.but(step_size=up_to_the_edge(draw, instance, direction))


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
    return instance.but(direction=direction, step_size=up_to_the_edge(draw, instance, direction))


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
def with_step_size(draw: st.DrawFn, networks: st.SearchStrategy[Instance], *, resting: bool = False) -> Instance:
    """Draw a network, and a step size around the edge of its mean gradient."""
    instance = draw(networks)
    mean = switching_modes.resting_gradient if resting else switching_modes.mean_gradient
    return instance.but(step_size=up_to_the_edge(draw, instance, mean(instance["weights"], instance["x"])))


def toggling_with_step_size(*, resting: bool = False) -> st.SearchStrategy[Instance]:
    """Return networks with units that toggle, and step sizes."""
    return with_step_size(
        st.one_of(
            toggling(),
            on_one_point(),
            idle(),
            balanced_by_a_resting_unit(),
            balanced_exactly(),
            nearly_balanced_on_points(),
        ),
        resting=resting,
    )


def bent_beyond_the_edge() -> st.SearchStrategy[Instance]:
    """Return networks that bend more than 1/eta - 1/2 though neither step lengthens, at times, and step sizes."""
    return with_step_size(st.one_of(balanced_by_a_resting_unit(), nearly_balanced_on_points()))


@st.composite
def numbers_of_eq_35(draw: st.DrawFn) -> Instance:
    """Draw the numbers that eq 35 is deduced from: a sharpness around the largest that eq 34 and Lemma 2 allow."""
    bound, count, n = draw(st.integers(1, 9)), draw(st.integers(1, 4)), draw(st.integers(1, 9))
    eta = draw(ratios(Fraction(1, 8), 4, 8))
    limit = Fraction(switching_bounds.deduced_sharpness_bound(float(eta), bound, count, n))
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


A_MODE, WITHOUT_IDLE, GENERAL, STABLE = (assumption.name for assumption in M8D.assumptions)


def _resting_bound(first: Fraction, second: Fraction) -> Mutant:
    """Return M9.c with first/eta - second/2."""
    return right(M9C, f"{float(first)}/eta - {float(second / 2)}", Kind.CONSTANT, edge_less(first, second))


IDLE_IS_OPEN = (
    "open: the proof asks that every unit that toggles has a knot, and no counterexample was found without it"
)


LONGER = "a step may be longer: eta ||H v||^2 <= 2.02 v^T H v"


MODES, NO_IDLE = (assumption.name for assumption in B4.assumptions)


ALONG = M8A.assumptions[1].name


AT_MEAN, AT_REST = M9A.assumptions[0].name, M9B.assumptions[0].name


BOUNDED = M8C.assumptions[0].name


def _edge(given: Instance) -> Fraction:
    return 2 / Fraction(given["step_size"])


def _for_one_unit(given: Instance) -> Fraction:
    """Return 2 C^2, for one toggling unit only."""
    return 2 * switching.gradient_bound(given["weights"], given["x"]) ** 2


def _parts_apart(given: Instance) -> Fraction:
    """Return 2/eta + C^2 p_max/(2n): the square of the sum without the product."""
    return _edge(given) + share(given) / 2


def _added(given: Instance, times: Fraction) -> Enclosure:
    """Return 2/eta + times (3 U + sqrt(3 U (3 U + 2/eta))), U = C^2 p/n of the numbers given."""
    _, whole = deduction_sides(given, 1)
    edge = _edge(given)
    ends = (edge + times * (Fraction(end) - edge) for end in (whole.lower, whole.upper))
    return Enclosure(*ends)


def _without_delta(given: Instance) -> Fraction:
    return 1 / Fraction(given["step_size"]) - Fraction(1, 2)


def _mirrored(given: Instance) -> Enclosure:
    """Return 1/eta - 1/2 - Delta."""
    _, whole = excess_sides(given)
    twice = 2 * _without_delta(given)
    return Enclosure(twice - Fraction(whole.upper), twice - Fraction(whole.lower))


def _at_most_edge(claim: Claim, assumption: str) -> Mutant:
    return moved(claim, assumption, lambda product: product <= 2 * MORE, "a step may lengthen: eta q^T H q <= 2.02")


ONE, HALF = Fraction(1), Fraction(1, 2)


TRIALS = (
    Trial(M7, instances=two_modes()),
    Trial(
        M7A,
        instances=st.one_of(two_modes(), two_modes(), one_large_unit()),
        mutants=(
            stronger(M7A),
            turned(M7A),
            with_sides(M7A, "1 for sqrt(2)", Kind.DROPPED, lambda given: residual_sides(given, ONE)),
            without(M7A, NO_IDLE),
            without(M7A, MODES),
        ),
    ),
    Trial(
        M8,
        instances=st.one_of(along_toggling_units(), along_toggling_units(), opposed_beside_others()),
        mutants=(
            turned(M8),
            strict(M8),
            right(M8, "lambda_up <= 2/eta", Kind.DROPPED, _edge),
            right(M8, "2/eta + C^2 p_max/(2n)", Kind.DROPPED, _parts_apart),
            without(M8, ALONG),
            _at_most_edge(M8, ALONG),
        ),
    ),
    Trial(
        M8A,
        instances=st.one_of(along_toggling_units(), along_toggling_units(), opposed_beside_others()),
        mutants=(
            *bounds(M8A),
            with_sides(M8A, "0.49 for 1/2", Kind.CONSTANT, lambda given: sharpness_sides(given, HALF * LESS**2)),
            right(M8A, "lambda_up <= 2/eta", Kind.DROPPED, _edge),
            right(M8A, "2/eta + C^2 p_max/(2n)", Kind.DROPPED, _parts_apart),
            without(M8A, ALONG),
            _at_most_edge(M8A, ALONG),
        ),
    ),
    Trial(M8B, instances=numbers_of_eq_35()),
    Trial(
        M8C,
        instances=numbers_of_eq_35(),
        mutants=(
            *bounds(M8C),
            right(M8C, "99 % of what is added to 2/eta", Kind.CONSTANT, lambda given: _added(given, 2 * LESS)),
            right(M8C, "half of what is added, as printed", Kind.DROPPED, lambda given: _added(given, ONE)),
            without(M8C, BOUNDED),
            moved(M8C, BOUNDED, lambda v: v.upper >= -1, "lambda <= 2/eta + delta + 1"),
        ),
    ),
    Trial(
        M8D,
        instances=along_a_sample(),
        mutants=(
            *bounds(M8D),
            without(M8D, STABLE),
            moved(M8D, STABLE, lambda v: v <= 2 * MORE, LONGER),
            without(M8D, GENERAL),
        ),
        spared={f"without: {WITHOUT_IDLE}": IDLE_IS_OPEN},
    ),
    Trial(
        M9,
        instances=st.one_of(toggling_with_step_size(), toggling_with_step_size(), nearly_constant()),
        mutants=(
            turned(M9),
            right(M9, "no Delta", Kind.DROPPED, _without_delta),
            without(M9, AT_MEAN),
        ),
    ),
    Trial(
        M9A,
        instances=st.one_of(toggling_with_step_size(), bent_beyond_the_edge(), nearly_constant()),
        mutants=(
            turned(M9A),
            right(M9A, "no Delta", Kind.DROPPED, _without_delta),
            right(M9A, "Delta negative", Kind.REVERSED, _mirrored),
            without(M9A, AT_MEAN),
        ),
    ),
    Trial(
        M9B,
        instances=toggling_with_step_size(resting=True),
        mutants=(
            *bounds(M9B),
            right(M9B, "0.99/eta - 1/2", Kind.CONSTANT, edge_less(LESS, ONE)),
            right(M9B, "1/eta - 0.505", Kind.CONSTANT, edge_less(ONE, MORE)),
            with_sides(
                M9B,
                "g for the resting weight",
                Kind.DROPPED,
                lambda given: (
                    curvature_enclosure(given["weights"], given["x"]),
                    Enclosure.exactly(_without_delta(given)),
                ),
            ),
            without(M9B, AT_REST),
            _at_most_edge(M9B, AT_REST),
        ),
    ),
    Trial(
        M9C,
        instances=at_rest(),
        mutants=(
            *bounds(M9C),
            _resting_bound(LESS, Fraction(1)),
            _resting_bound(Fraction(1), MORE),
            without(M9C, STABLE),
            moved(M9C, STABLE, lambda v: v <= 2 * MORE, LONGER),
            without(M9C, GENERAL),
        ),
        spared={f"without: {WITHOUT_IDLE}": IDLE_IS_OPEN},
    ),
    Trial(
        B4,
        instances=two_modes(),
        mutants=(
            *bounds(B4),
            with_sides(B4, "one entry a unit: C^2 p_max", Kind.DROPPED, lambda given: change_sides(given, ONE)),
            right(B4, "one unit: 2 C^2", Kind.DROPPED, _for_one_unit),
            without(B4, NO_IDLE),
            without(B4, MODES),
        ),
    ),
)
