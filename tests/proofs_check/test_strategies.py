from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from proofs_check.registry import TRIALS
from proofs_check.trials import common
from proofs_check.trials.volhejn2020 import common as volhejn2020_common
from proofs_check.trials.volhejn2020 import spline, variation
from theory.checks import Array, rationals
from theory.claim import Claim, Instance
from theory.enclosure import EPS
from theory.mulayoff2021.stability import wedges
from theory.registry import CLAIMS

DRAWN = [id for id, trial in TRIALS.items() if trial.drawn is not None]
some = settings(max_examples=20, suppress_health_check=list(HealthCheck))
DRAWING = settings(max_examples=300, database=None, derandomize=True, phases=(Phase.generate,))


def exists(strategy: st.SearchStrategy[Instance], condition: Callable[[Instance], bool]) -> bool:
    try:
        find(strategy, condition, settings=DRAWING)
    except NoSuchExample:
        return False
    return True


@pytest.mark.parametrize("id", DRAWN)
def test_instances_have_a_value_for_every_symbol(id: str) -> None:
    names = {symbol.name for symbol in CLAIMS[id].symbols}

    @some
    @given(TRIALS[id].drawn)
    def check(instance: Instance) -> None:
        assert names <= set(instance.given)
        assert instance.origin

    check()


def misfits(claim: Claim, instances: Sequence[Instance]) -> set[tuple[str, int]]:
    """Which axes of arrays were always as long as one of another value, and pass when they are not: numpy repeats one."""
    names = [symbol.name for symbol in claim.symbols if isinstance(instances[0][symbol.name], np.ndarray)]
    names = [name for name in names if len({np.ndim(instance[name]) for instance in instances}) == 1]
    sizes = {
        (name, axis): [np.shape(instance[name])[axis] for instance in instances]
        for name in names
        for axis in range(np.ndim(instances[0][name]))
    }
    tied = {
        place
        for place, other in permutations(sizes, 2)
        if place[0] != other[0] and sizes[place] == sizes[other] and len(set(sizes[place])) > 1
    }
    return {(name, axis) for name, axis in tied if any(_fits(claim, i, name, axis) for i in instances)}


def _fits(claim: Claim, instance: Instance, name: str, axis: int) -> bool:
    return np.shape(instance[name])[axis] > 0 and passes(claim, resized(instance, name, axis))


def resized(instance: Instance, name: str, axis: int) -> Instance:
    """The instance with one entry along an axis, or two where it is one already."""
    rows = [0] if np.shape(instance[name])[axis] > 1 else [0, 0]
    return instance.but(**{name: np.take(np.asarray(instance[name]), rows, axis=axis)})


def passes(claim: Claim, instance: Instance) -> bool:
    try:
        claim.sides(claim.checked(instance))
    except (ValueError, TypeError, ArithmeticError, IndexError):
        return False
    return True


@pytest.mark.parametrize("id", DRAWN)
def test_values_that_are_always_equally_long_have_to_be(id: str) -> None:
    drawn: list[Instance] = []

    @settings(some, phases=(Phase.generate,))
    @given(TRIALS[id].drawn)
    def draw(instance: Instance) -> None:
        drawn.append(instance)

    draw()
    assert misfits(CLAIMS[id], drawn) == set()


def test_a_claim_that_takes_one_row_for_many_is_found() -> None:
    claim = replace(
        CLAIMS["W7.a"], symbols=tuple(replace(symbol, meaning="no shape") for symbol in CLAIMS["W7.a"].symbols)
    )
    updates = [rationals(np.ones((2, weights))) for weights in (1, 2, 3)]
    maps = [rationals(np.ones((2, 4, weights))) for weights in (1, 2, 3)]
    drawn = [Instance({"updates": u, "feature_maps": m}, "drawn") for u, m in zip(updates, maps, strict=True)]
    assert misfits(claim, drawn) == {("updates", 1), ("feature_maps", 2)}
    assert misfits(CLAIMS["W7.a"], drawn) == set()


@pytest.mark.parametrize("fewest", [1, 2, 5])
def test_data_points_are_sorted_distinct_floats(fewest: int) -> None:
    @given(common.data_points(fewest=fewest, most=6))
    def check(x: Array) -> None:
        assert x.dtype == np.float64
        assert fewest <= len(x) <= 6
        assert np.all(np.diff(x) > 0)

    check()


@given(common.balanced())
def test_balanced_networks_have_a_unit_on_either_point(instance: Instance) -> None:
    active = instance["weights"].pre_activations(instance["x"]) > 0
    assert active.tolist() == [[False, True], [True, False]]


@given(common.networks_on_data())
def test_networks_are_float_ones_within_the_data_they_come_with(instance: Instance) -> None:
    weights, x = instance["weights"], instance["x"]
    assert not weights.exact
    assert weights.width <= 6
    assert np.all(np.isfinite(weights(x)))


@given(variation.tents())
def test_tents_vanish_to_an_estimate_from_two_points_at_the_middle(instance: Instance) -> None:
    weights, (a, b) = instance["weights"], instance["interval"]
    knot = Fraction(-weights.b1[0] / weights.w1[0])
    ends = weights(rationals([a, b]))
    assert a < knot < b
    assert weights.pre_activations(rationals([knot])).tolist() == [[0, 0]]
    assert (ends[0] == ends[1]) == (2 * knot == a + b)


@given(spline.distinct_knots())
def test_distinct_knots_are_distinct_and_inside(instance: Instance) -> None:
    weights, (a, b) = instance["weights"], instance["interval"]
    knots = (-weights.b1 / weights.w1).tolist()
    assert len(set(knots)) == len(knots)
    assert a <= min(knots)
    assert max(knots) < b


@given(volhejn2020_common.on_interval(inside=True))
def test_intervals_hold_all_knots_if_asked(instance: Instance) -> None:
    weights, (a, b) = instance["weights"], instance["interval"]
    assert a < b
    assert all(a <= -c / w <= b for w, c in zip(weights.w1, weights.b1, strict=True) if w != 0)


@given(common.interpolants())
def test_interpolants_are_exact(instance: Instance) -> None:
    assert instance["f"].exact
    assert instance["order"] in (0, 1)
    assert np.all(np.diff(instance["x"]) > 0)


@given(common.linearised())
def test_linearised_systems_are_symmetric_and_exact(instance: Instance) -> None:
    hessians = instance["hessians"]
    np.testing.assert_array_equal(hessians, hessians.transpose(0, 2, 1))
    assert all(type(v) is Fraction for v in hessians.ravel())
    assert instance["step_size"] > 0
    assert 1 <= instance["batch_size"] <= len(hessians)


@given(
    st.fractions(Fraction(1, 4), 3),
    st.fractions(-1, 1),
    st.lists(st.fractions(-3, 3), min_size=2, max_size=2).filter(any),
)
def test_wedges_are_continuous_and_cover_the_plane(a: Fraction, b: Fraction, point: list[Fraction]) -> None:
    modes = wedges(a, b * a)
    for (first, rays), (second, others) in zip(modes, [*modes[1:], modes[0]], strict=True):
        shared = rays[1]
        np.testing.assert_array_equal(shared, others[0])
        assert shared @ first @ shared == shared @ second @ shared
    inside = [np.linalg.solve(rays.astype(np.float64).T, np.array(point, dtype=np.float64)) for _, rays in modes]
    assert any(np.all(coefficients >= -8 * EPS * 3) for coefficients in inside)


@pytest.mark.parametrize(
    ("id", "condition"),
    [
        ("M5", lambda given: given["weights"].width == 0),
        ("M5", lambda given: len(given["x"]) == 1),
        ("M5", lambda given: given["weights"].toggle_margin(given["x"]) <= EPS),
        ("M5", lambda given: bool(np.any(given["weights"].w1 == 0))),
        ("B7.a", lambda given: bool(np.all(given["y"] == given["weights"](given["x"])))),
        ("B7.a", lambda given: bool(np.all(given["y"] > given["weights"](given["x"]) + 0.5))),
        ("M1", lambda given: given["batch_size"] < len(given["hessians"])),
        ("W1", lambda given: given["hessians"].shape[1] == 3),
        ("B1", lambda given: bool(set(given["f"].knots.tolist()) & set(given["x"].tolist()))),
        ("V9", lambda given: given["interval"][0] == min(-given["weights"].b1 / given["weights"].w1)),
        ("V6", lambda given: len(given["hidden"][0]) == 2),
        ("M2", lambda given: len(given["mode_hessians"]) > 1 and bool(np.any(given["gradients"]))),
    ],
)
def test_the_awkward_cases_are_drawn(id: str, condition: Callable[[Instance], bool]) -> None:
    assert exists(TRIALS[id].drawn, condition)
