import itertools
import math
import re
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.beyond.mean_square_bounds import (
    batch_share_bound,
    direction_bound,
    expansion_bound,
    expansion_forms,
    frobenius_limit,
    gram_forms,
    is_stable,
    largest_step,
    moment_forms,
    norm_bound,
    stability_threshold,
    symmetric_units,
    trace_bound,
    trace_limit,
)
from theory.beyond.reshuffling_bounds import batch_bound, epoch_growth, epoch_step, orthonormal_reshuffling_threshold
from theory.checks import Array, rationals
from theory.claim import AssumptionError
from theory.enclosure import Enclosure, positive_semidefinite
from theory.linear_stability import mean_square_condition, mean_square_growth, noise_share, outer_products

System = tuple[Array, Fraction, int]


@st.composite
def systems(draw: st.DrawFn, *, most: int = 4, dimensions: tuple[int, int] = (1, 3)) -> System:
    """Positive semidefinite Hessians of any rank, [n, d, d], a step size and a batch size."""
    n, d = draw(st.integers(1, most)), draw(st.integers(*dimensions))
    k = draw(st.integers(1, d))
    roots = np.array(draw(st.lists(st.integers(-3, 3), min_size=n * d * k, max_size=n * d * k))).reshape(n, d, k)
    step_size = draw(st.fractions(Fraction(1, 20), 2, max_denominator=20))
    return rationals(roots @ roots.transpose(0, 2, 1)), step_size, draw(st.integers(1, n))


def steps(hessians: Array, step_size: Fraction, parts: list[tuple[int, ...]]) -> list[Array]:
    identity = rationals(np.eye(hessians.shape[1], dtype=int))
    return [identity - step_size * hessians[list(part)].sum(axis=0) / Fraction(len(part)) for part in parts]


@given(systems(), st.data())
def test_the_forms_are_what_a_step_does(system: System, data: st.DataObject) -> None:
    hessians, step_size, batch = system
    units = symmetric_units(hessians.shape[1])
    entries = rationals(data.draw(st.lists(st.integers(-3, 3), min_size=len(units), max_size=len(units))))
    x = sum(entry * unit for entry, unit in zip(entries, units, strict=True))
    c, d = moment_forms(hessians, noise_share(len(hessians), batch))
    every = steps(hessians, step_size, list(itertools.combinations(range(len(hessians)), batch)))
    after = sum(np.sum(x * (a @ x @ a)) for a in every) / Fraction(len(every))
    assert np.sum(x * x) - after == step_size * (2 * entries @ c @ entries - step_size * (entries @ d @ entries))


@given(systems(), st.data())
def test_the_forms_by_the_gram_matrix_are_those_at_the_features(system: System, data: st.DataObject) -> None:
    features, batch = system[0][:, 0], system[2]
    n = len(features)
    units = symmetric_units(n)
    entries = rationals(data.draw(st.lists(st.integers(-2, 2), min_size=len(units), max_size=len(units))))
    y = sum(entry * unit for entry, unit in zip(entries, units, strict=True))
    x, share = features.T @ y @ features, noise_share(n, batch)
    hessians = np.array([np.outer(phi, phi) for phi in features], dtype=object)
    mean = hessians.sum(axis=0) / Fraction(n)
    c, d = gram_forms(features @ features.T, share)
    assert entries @ c @ entries == np.trace(x @ mean @ x)
    parts = sum(np.trace(x @ h @ x @ h) for h in hessians) / Fraction(n)
    assert entries @ d @ entries == (1 - share) * np.trace(x @ mean @ x @ mean) + share * parts


@given(systems())
def test_the_threshold_is_where_stability_ends(system: System) -> None:
    hessians, _, batch = system
    found = stability_threshold(hessians, batch)
    if not np.any(hessians != 0):
        assert found == Enclosure(math.inf, math.inf)
        return
    lower, upper = Fraction(found.lower), Fraction(found.upper)
    assert upper / lower - 1 < 1e-12
    assert is_stable(hessians, lower, batch)
    assert not is_stable(hessians, upper * (1 + Fraction(1, 10**15)), batch)
    assert mean_square_growth(hessians, lower, batch).lower <= 1
    assert mean_square_growth(hessians, upper * Fraction(1001, 1000), batch).upper > 1


@given(systems())
def test_every_bound_is_on_its_side_of_the_threshold(system: System) -> None:
    hessians, _, batch = system
    if not np.any(hessians != 0):
        return
    exact = float(stability_threshold(hessians, batch).midpoint)
    below = [norm_bound(hessians, batch), expansion_bound(hessians, batch), batch_share_bound(hessians, batch)]
    above = [trace_bound(hessians, batch)]
    axes = [v for v in np.eye(hessians.shape[1]) if v @ hessians.sum(axis=0) @ v > 0]
    above.extend(direction_bound(hessians, v, batch) for v in axes)
    assert max(below) <= exact * (1 + 1e-9)
    assert exact <= min(above) * (1 + 1e-9)
    assert below[0] <= below[1] * (1 + 1e-9)


@given(systems())
def test_the_forms_of_walkers_condition(system: System) -> None:
    hessians, step_size, batch = system
    first, second = expansion_forms(hessians, noise_share(len(hessians), batch))
    printed = mean_square_condition(hessians, step_size, batch)
    np.testing.assert_array_equal(
        np.eye(len(printed), dtype=int) - printed, step_size * (2 * first - step_size * second)
    )


def growth_over_orders(hessians: Array, step_size: Fraction, batch: int, x: Array) -> Array:
    n, orders = len(hessians), list(itertools.permutations(range(len(hessians))))
    total = 0 * x
    for order in orders:
        moved = x
        for a in steps(hessians, step_size, [order[i : i + batch] for i in range(0, n, batch)]):
            moved = a @ moved @ a
        total = total + moved
    mean: Array = total / Fraction(len(orders))
    return mean


@given(systems(dimensions=(1, 2)))
def test_an_epoch_averages_over_all_orders(system: System) -> None:
    hessians, step_size, batch = system
    units = [rationals(unit) for unit in symmetric_units(hessians.shape[1])]
    moved = [growth_over_orders(hessians, step_size, batch, unit) for unit in units]
    for unit, expected in zip(units, moved, strict=True):
        np.testing.assert_array_equal(epoch_step(unit, hessians, step_size, batch), expected)
    growth = epoch_growth(hessians, step_size, batch)
    places = np.triu_indices(hessians.shape[1])
    operator = np.array([m[places] for m in moved]).T.astype(np.float64)
    radius = float(np.max(np.abs(np.linalg.eigvals(operator))))
    assert float(growth.lower) <= radius * (1 + 1e-9) + 1e-9
    assert radius <= float(growth.upper) * (1 + 1e-9) + 1e-9
    # Far tighter, unless the map is nearly nilpotent or its top eigenvalue nearly double.
    assert growth.upper - growth.lower <= 1e-3 * (1 + radius)


def test_both_ends_of_the_growth_of_an_epoch_are_proved_where_the_map_is_not_self_adjoint() -> None:
    hessians = outer_products((1, 2), (3, 1), (1, -1))
    growth = epoch_growth(hessians, Fraction(1, 7), 2)
    assert growth.lower < growth.upper < growth.lower * (1 + Fraction(1, 10**10))
    x: Array = rationals(np.eye(2, dtype=int)).astype(np.float64)
    floats = hessians.astype(np.float64)
    sizes = []
    for _ in range(60):
        x = epoch_step(x, rationals(floats), Fraction(1, 7), 2).astype(np.float64)
        sizes.append(float(np.trace(x)))
        x = rationals(x / sizes[-1])
    assert float(growth.lower) == pytest.approx(sizes[-1], rel=1e-6)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_orthonormal_features(n: int) -> None:
    hessians = outer_products(*np.eye(n, dtype=int))
    for batch in range(1, n + 1):
        step_size = Fraction(orthonormal_reshuffling_threshold(n, batch)).limit_denominator(100)
        assert epoch_growth(hessians, step_size, batch) == Enclosure.exactly(Fraction(1))
        assert epoch_growth(hessians, step_size * Fraction(101, 100), batch).lower > 1
        assert stability_threshold(hessians, batch) == Enclosure.exactly(Fraction(2 * batch))
        if n % batch == 0:
            assert step_size == 2 * batch


def test_reshuffling_three_points_in_the_plane_one_by_one_can_be_the_less_stable() -> None:
    hessians, step_size = outer_products((0, 3), (0, 3), (2, 2)), Fraction(1147, 5000)
    assert is_stable(hessians, step_size, 1)
    assert mean_square_growth(hessians, step_size, 1).upper < 1
    assert epoch_growth(hessians, step_size, 1).lower > Fraction(1022, 1000)


def test_batches_that_do_not_expand_are_stable_in_every_order() -> None:
    hessians = outer_products((2, 0), (1, 1), (0, 1))
    edge = Fraction(batch_bound(hessians, 2) * (1 - 1e-12))
    for order in itertools.permutations(range(3)):
        for a in steps(hessians, edge, [order[:2], order[2:]]):
            assert positive_semidefinite(np.eye(2, dtype=int) - a @ a)
    assert epoch_growth(hessians, edge, 2).lower <= 1


def test_limits_of_rank_one_hessians() -> None:
    assert frobenius_limit(0.5, 10, 1) == 4
    with pytest.raises(AssumptionError, match=r"B3\.g does not apply: it assumes B < n, got 0"):
        frobenius_limit(0.5, 10, 10)
    p = float(noise_share(10, 4))
    assert frobenius_limit(0.5, 10, 4) == pytest.approx(2 / math.sqrt(p * (1 - p)), rel=1e-15)
    assert trace_limit(0.5, 10, 1, 7) == 4
    assert trace_limit(0.5, 10, 10, 7) == pytest.approx(28, rel=1e-15)


def test_a_simple_fraction_is_found_exactly() -> None:
    first, second = rationals([[1, 0], [0, 3]]), rationals([[2, 0], [0, 7]])
    assert largest_step(first, second) == Enclosure.exactly(Fraction(6, 7))
    assert largest_step(first, 0 * second) == Enclosure(math.inf, math.inf)
    irrational = largest_step(rationals([[1, 0], [0, 1]]), rationals([[1, 1], [1, 2]]))
    exact = 2 / ((3 + math.sqrt(5)) / 2)
    assert float(irrational.lower) <= exact * (1 + 1e-15)
    assert exact * (1 - 1e-15) <= float(irrational.upper)


INDEFINITE = [[[1.0, 0.0], [0.0, -1.0]]]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: stability_threshold(INDEFINITE, 1),
            ValueError,
            "hessians must be positive semidefinite, got one that is not at index 0",
        ),
        (
            lambda: expansion_bound(INDEFINITE, 1),
            AssumptionError,
            "it assumes each H_i is positive semidefinite, got H_i at",
        ),
        (lambda: norm_bound(INDEFINITE, 1), AssumptionError, "it assumes each H_i is positive semidefinite, got -"),
        (lambda: trace_bound(INDEFINITE, 1), AssumptionError, "B3.f does not apply: it assumes tr H > 0, got 0.0"),
        (lambda: direction_bound([[[1.0]]], [1.0, 2.0], 1), ValueError, "direction must have 1 entries, got 2"),
        (lambda: direction_bound([[[1.0]]], [0.0], 1), AssumptionError, "it assumes v^T H v > 0, got 0.0"),
        (lambda: norm_bound([[[1.0]]], 2), ValueError, "batch_size must be between 1 and the number of data points, 1"),
        (
            lambda: batch_bound([[[1.0]]], 0),
            ValueError,
            "batch_size must be between 1 and the number of data points, 1",
        ),
        (lambda: frobenius_limit(0.0, 3, 1), ValueError, "step_size must be finite and above 0, got 0.0"),
        (lambda: trace_limit(1.0, 3, 1, 0), ValueError, "d must be finite and above 0, got 0"),
        (lambda: epoch_growth([[[1.0]]], -1.0, 1), ValueError, "step_size must be finite and above 0, got -1.0"),
        (lambda: epoch_growth([[["1"]]], 1.0, 1), TypeError, "hessians must hold real numbers"),
        (lambda: orthonormal_reshuffling_threshold(3, 4), ValueError, "batch_size must be between 1 and"),
        (lambda: batch_share_bound([[[1.0]]], True), TypeError, "batch_size must be an integer"),
    ],
)
def test_arguments_that_cannot_be_meant(call: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        call()
