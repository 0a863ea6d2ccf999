import math
from collections.abc import Callable
from fractions import Fraction
from itertools import product
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import Phase, seed, settings

from proofs_check.registry import TRIALS
from theory import walker2023 as w
from theory.checks import rationals
from theory.claim import AssumptionError, Claim, Instance, Ruling
from theory.enclosure import Enclosure
from theory.registry import CLAIMS
from theory.walker2023 import alignment, coherent_gradients, descent, linear_stability, rademacher, tangent

RNG = np.random.default_rng(0)
HALF = Fraction(1, 2)


def untyped(value: Any) -> Any:
    """Return the value, of a type that nothing is known of."""
    return value


ERRORS: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: w.coherence([[0.0, 0.0]]), AssumptionError, r"W8\.e does not apply: it assumes E\[v\.v\] > 0, got 0\.0"),
    (lambda: w.coherence([1.0]), ValueError, r"vectors must have 2 axes, got shape \(1,\)"),
    (lambda: w.coherence([[1.0], [2.0]], [0.5, 0.6]), ValueError, "probabilities must sum to 1, got 1.1"),
    (lambda: w.coherence([[1.0], [2.0]], [1.5, -0.5]), ValueError, "probabilities must be at least 0, got -0.5"),
    (
        lambda: w.coherence([[1.0]], [0.5, 0.5]),
        ValueError,
        "probabilities must hold one probability for each of 1 outcomes",
    ),
    (lambda: w.batch_coherence(1.5, 2), ValueError, "alpha must be at most 1, got 1.5"),
    (lambda: w.example_coherence(0.5, 0), ValueError, "batch must be at least 1, got 0"),
    (lambda: w.rademacher_margin(3, 1), ValueError, "delta must be between 0 and 1, got 1"),
    (lambda: w.rademacher_margin(untyped(3.0), 0.1), TypeError, "sample_size must be an integer"),
    (lambda: w.rademacher_bound([[1.0, 0.0]], [[1.0, 1.0], [1.0, 1.0]], 1), AssumptionError, "got a singular one"),
    (
        lambda: w.rademacher_bound([[1.0, 0.0]], [[1.0]], 1),
        ValueError,
        r"matrices must be one \[d, d\] for each radius",
    ),
    (lambda: w.rademacher_bound([[1.0]], [[1.0]], -1), ValueError, "radii must be at least 0, got -1"),
    (lambda: w.tangent_complexity([[1.0]], [[[1.0, 2.0]]]), ValueError, "features must be one"),
    (lambda: w.stiffness([[1.0]]), ValueError, "vectors must be at least two"),
    (lambda: w.stiffness([[1.0], [0.0]]), ValueError, "vectors must not be 0 for a cosine, got 0 at index 1"),
    (
        lambda: w.stiffness([[1.0], [0.0]], untyped("sine")),
        ValueError,
        "kind must be one of 'sign', 'cosine', got 'sine'",
    ),
    (lambda: w.winsorised_mean([[1.0]], 51), ValueError, "level must be a level of winsorization from 0 to 50, got 51"),
    (lambda: w.median_of_means([[1.0]], 2), ValueError, "groups must be at most the number of vectors, 1, got 2"),
    (lambda: w.coherence_gap_bound([[0.5]], [1.0, 1.0], 1, 1, 1), ValueError, "coherences must have one column"),
    (lambda: w.coherence_gap_bound([[1.5]], [1.0], 1, 1, 1), ValueError, "coherences must be from 0 to 1, got 1.5"),
    (lambda: w.shared_weight(2, 1, 0, 3), ValueError, "step_size must be finite and above 0, got 0"),
]


@pytest.mark.parametrize(("call", "error", "message"), ERRORS, ids=[message[:40] for _, _, message in ERRORS])
def test_bad_input_is_named(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("exact", [False, True])
def test_coherence_is_the_mean_product_over_the_mean_square(exact: bool) -> None:
    vectors = RNG.integers(-3, 4, size=(4, 3)) + np.eye(4, 3, dtype=int)
    given = rationals(vectors) if exact else vectors.astype(float)
    products = vectors @ vectors.T
    expected = Fraction(int(products.sum()), 16) / Fraction(int(np.trace(products)), 4)
    assert w.coherence(given) == expected if exact else w.coherence(given) == pytest.approx(float(expected))


def test_coherence_of_a_distribution() -> None:
    assert w.coherence(rationals([[0], [1]]), rationals([1 - Fraction(1, 5), Fraction(1, 5)])) == Fraction(1, 5)
    assert w.coherence([[2.0, 1.0], [5.0, 5.0]], [1.0, 0.0]) == 1


def test_the_coherence_of_examples_is_that_of_batches_undone() -> None:
    for k, alpha in product((1, 2, 7), (Fraction(0), Fraction(2, 9), Fraction(1))):
        assert w.example_coherence(w.batch_coherence(alpha, k), k) == alpha


def test_stiffness_averages_over_pairs_of_different_examples() -> None:
    vectors = [[1.0, 0.0], [1.0, 1.0], [-2.0, 0.0]]
    assert w.stiffness(vectors, "sign") == pytest.approx((1 - 1 - 1) / 3)
    assert w.stiffness(vectors) == pytest.approx((math.sqrt(0.5) - 1 - math.sqrt(0.5)) / 3)


def test_margins() -> None:
    assert w.rademacher_margin(50, 0.1) == pytest.approx(math.sqrt(math.log(10) / 100))
    assert w.rademacher_margin(50, 0.1, printed=True) == pytest.approx(math.sqrt(math.log(10) / 50))
    assert w.empirical_rademacher_margin(50, 0.1) == pytest.approx(2 * math.sqrt(math.log(10) / 100))
    assert w.empirical_rademacher_margin(50, 0.1, printed=True) == pytest.approx(3 * math.sqrt(math.log(20) / 50))
    assert w.rademacher_margin(1, Fraction(1, 2**5000)) == pytest.approx(math.sqrt(2500 * math.log(2)))


def test_the_empirical_complexity_is_the_mean_over_all_signs() -> None:
    table, sample = rationals([[0, 1, HALF], [1, 1, 0]]), [0, 0, 2, 1]
    values = table[:, sample]
    total = sum(max(values @ np.array(signs)) for signs in product((-1, 1), repeat=4))
    assert rademacher.empirical_complexity(table, (2, 1, 1)) == Fraction(total) / 64


@pytest.mark.parametrize("empirical", [False, True])
def test_the_excess_is_a_quantile_over_all_samples(empirical: bool) -> None:
    table, p, m = rationals([[0, 1, HALF], [1, 1, 0]]), rationals([HALF, Fraction(1, 3), Fraction(1, 6)]), 2
    samples = list(product(range(3), repeat=m))
    chances = [math.prod((p[z] for z in sample), start=Fraction(1)) for sample in samples]
    counted = [tuple(sample.count(z) for z in range(3)) for sample in samples]
    each = [rademacher.empirical_complexity(table, counts) for counts in counted]
    mean = sum(q * r for q, r in zip(chances, each, strict=True))
    values = [
        max(table @ p - table[:, list(sample)].sum(axis=1) / Fraction(m)) - 2 * (r if empirical else mean)
        for sample, r in zip(samples, each, strict=True)
    ]
    for delta in (Fraction(1, 100), Fraction(1, 3), Fraction(9, 10)):
        given = Instance({"functions": table, "probabilities": p, "sample_size": m, "delta": delta}, "test")
        t = rademacher.excess(given, Fraction(2), empirical=empirical)
        above = sum(q for q, v in zip(chances, values, strict=True) if v > t)
        reached = sum(q for q, v in zip(chances, values, strict=True) if v >= t)
        assert above <= delta < reached


def test_the_tail_of_a_coin_is_that_of_the_enumeration() -> None:
    for q, m, delta in product((Fraction(0), Fraction(1, 3), Fraction(1)), (1, 4), (Fraction(1, 50), Fraction(4, 5))):
        once = Instance(
            {
                "functions": rationals([[1, Fraction(1, 4)]]),
                "probabilities": rationals([q, 1 - q]),
                "sample_size": m,
                "delta": delta,
            },
            "test",
        )
        twice = once.but(functions=rationals([[1, Fraction(1, 4)]] * 2))
        factor = Fraction(0)  # the complexity of the doubled class is computed, though it is 0
        assert rademacher.excess(once, factor, empirical=True) == rademacher.excess(twice, factor, empirical=True)


def test_one_per_cent_less_than_the_sharp_margin_fails_for_a_coin() -> None:
    lhs, rhs = CLAIMS["W3.a"].evaluate(rademacher.coin(15000, 700)).lhs, w.rademacher_margin(15000, Fraction(1, 2**700))
    assert lhs is not None
    assert 0.99 < float(lhs.lower) / rhs < 1


def test_the_dual_norm_is_the_supremum() -> None:
    a = np.array([[2.0, 1.0], [0.0, 1.0]])
    v = np.array([1.0, -3.0])
    angles = np.linspace(0, 2 * np.pi, 20001)
    directions = np.stack([np.cos(angles), np.sin(angles)])
    allowed = directions / np.sqrt(np.einsum("it,ij,jt->t", directions, a @ a.T, directions))
    value = tangent.path_complexity(rationals([[1, -3]]), rationals([a.astype(int).tolist()]), rationals([1]))
    assert float(value.upper) == pytest.approx(float((v @ allowed).max()), rel=1e-6)


def test_complexity_bounds_in_floats() -> None:
    features, a = RNG.normal(size=(5, 3)), RNG.normal(size=(3, 3))
    expected = 2 / 5 * np.linalg.norm(np.linalg.inv(a) @ features.T)
    assert w.rademacher_bound(features, a, 2) == pytest.approx(expected)
    assert w.path_rademacher_bound(features, [a, a], [1, 1]) == pytest.approx(expected)
    updates, maps = RNG.normal(size=(2, 3)), np.array([features, features])
    plain = np.linalg.norm(updates, axis=1).sum() * np.linalg.norm(features)
    assert w.tangent_complexity(updates, maps) == pytest.approx(plain)


def test_the_inverse_is_exact() -> None:
    matrix = rationals([[0, 2, 1], [1, 0, 0], [3, 1, HALF + HALF]])
    assert np.all(tangent.inverse(matrix) @ matrix == np.eye(3, dtype=int))
    with pytest.raises(ValueError, match="got a singular one"):
        tangent.inverse(rationals([[1, 2], [2, 4]]))


@pytest.mark.parametrize("level", [0, 10, 33, 50])
def test_the_winsorised_mean_clips_at_interpolated_percentiles(level: int) -> None:
    vectors = RNG.normal(size=(7, 2))
    low, high = np.percentile(vectors, [level, 100 - level], axis=0)
    assert w.winsorised_mean(vectors, level) == pytest.approx(np.clip(vectors, low, high).mean(axis=0))


def test_the_median_of_means_in_its_extremes_and_between() -> None:
    vectors = RNG.normal(size=(6, 2))
    assert w.median_of_means(vectors, 1) == pytest.approx(vectors.mean(axis=0))
    assert w.median_of_means(vectors, 6) == pytest.approx(np.median(vectors, axis=0))
    groups = [part.mean(axis=0) for part in np.array_split(vectors, 4)]
    assert w.median_of_means(vectors, 4) == pytest.approx(np.median(groups, axis=0))


def test_losses_on_the_line_are_the_areas_under_their_slopes() -> None:
    curve = rationals([[-1, 0, 2], [1, -1, 3]])
    nodes = np.linspace(-4, 5, 9001)
    slopes = np.interp(nodes, [-1, 0, 2], [1, -1, 3])
    areas = np.concatenate([[0], np.cumsum((slopes[1:] + slopes[:-1]) / 2 * np.diff(nodes))])
    for i in (0, 2500, 3600, 6000, 9000):
        place = Fraction(i, 1000) - 4
        assert float(descent.slope_at(curve, place)) == pytest.approx(slopes[i])
        assert float(descent.loss_at(curve, place)) == pytest.approx(areas[i] - areas[3000], abs=1e-5)


def test_the_gap_of_the_wells() -> None:
    witness = CLAIMS["W10"].witness
    assert witness is not None
    verdict = CLAIMS["W10"].evaluate(witness)
    assert verdict.ruling is Ruling.VIOLATED
    assert verdict.lhs is not None
    assert verdict.rhs is not None
    assert verdict.lhs.lower == Fraction(5, 3)  # (8 x L d - L^2 / beta) / 9 with x = 20, d = 1/10, L = beta = 1
    assert float(verdict.rhs.upper) == pytest.approx(21 / 10 * math.sqrt(2 * 2 / 9) / math.sqrt((1 + 2 * 0.81) / 3))
    assert descent.constants(witness["loss_slopes"]) == (1, 1)
    ends = [descent.run(witness["loss_slopes"], (z,), witness["step_sizes"]) for z in range(3)]
    assert [path[1] for path in ends] == [1, Fraction(9, 10), Fraction(9, 10)]
    assert descent.coherence_at(witness["loss_slopes"], Fraction(1)) == 1


def test_for_one_step_the_printed_bound_is_that_of_any_run() -> None:
    curves = rationals([[[0, 1], [-1, 1]], [[0, 1], [-2, 1]]])
    given = Instance({"loss_slopes": curves, "step_sizes": rationals([2]), "sample_size": 2, "sample": (0, 1)}, "test")
    (_, printed), (_, repaired) = descent.one_run(given), descent.all_runs(given)
    assert float(printed.lower) == pytest.approx(float(repaired.lower), rel=1e-12)


def test_the_motivating_example_as_its_tables_have_it() -> None:
    inputs, labels = descent.REAL[:4], descent.REAL_LABELS[:4]
    gradients = -labels[:, None] * inputs
    assert w.coherence(gradients) == Fraction(5, 8)
    assert w.coherence(-labels[:, None] * descent.RANDOM[:4]) == w.orthogonal_limit(4)
    weights = descent.descend(inputs, labels, HALF, 6)
    assert weights[-1] == w.shared_weight(4, 1, HALF, 6) == 4 * weights[0]
    covariances = [CLAIMS["W13"].evaluate(_entry(j)).lhs for j in range(6)]
    assert [c.lower for c in covariances if c is not None] == [Fraction(v, 25) for v in (6, 4, 4, 6, 4, 0)]


def _entry(j: int) -> Instance:
    return Instance({"design": descent.RANDOM, "labels": descent.REAL_LABELS, "entry": j}, "test")


def test_the_sign_of_the_change_in_the_limit() -> None:
    equal = alignment.pair((1, 1), (1, 1))
    assert alignment.product_of_gradients(equal) == 1
    assert alignment.change(equal, 1) == (-1, HALF)
    assert alignment.sign_in_the_limit((Fraction(0), HALF)) == 1
    # A product of 0 is not 'no effect': a fitted example is unlearnt at second order.
    fitted = alignment.pair((1, 1), (1, 0))
    assert alignment.product_of_gradients(fitted) == 0
    assert alignment.sign_in_the_limit(alignment.change(fitted, 1)) == 1


def test_the_means_of_draws_are_enumerated_with_their_chances() -> None:
    given = Instance(
        {"vectors": rationals([[0], [1]]), "probabilities": rationals([Fraction(2, 3), Fraction(1, 3)]), "draws": 3}, ""
    )
    means, chances = coherent_gradients.means_of(given)
    assert [m[0] for m in means] == [0, Fraction(1, 3), Fraction(2, 3), 1]
    assert list(chances) == [Fraction(v, 27) for v in (8, 12, 6, 1)]


def test_partitions_are_all_there_once() -> None:
    parts = list(coherent_gradients.partitions((0, 1, 2, 3, 4, 5), 2))
    assert len(parts) == len({frozenset(map(frozenset, way)) for way in parts}) == 15
    assert all(sorted(i for batch in way for i in batch) == list(range(6)) for way in parts)
    assert list(coherent_gradients.partitions((0, 1), 1)) == [((0,), (1,))]


def test_the_coherence_of_a_sample_from_its_batches() -> None:
    # Of four orthogonal gradients every pair of batches has coherence 1/2, where that of independent draws is 2/5.
    given = Instance({"vectors": rationals(np.eye(4, dtype=int)), "group": 2}, "test")
    assert coherent_gradients.coherences_of_batches(given) == [HALF] * 3
    assert coherent_gradients.without_replacement(HALF, 2, 4) == w.orthogonal_limit(4)


def test_a_direction_that_outliers_share_survives_clipping() -> None:
    vectors = rationals([[0, 0]] * 3 + [[1, -1], [1000, 1000]])
    assert list(w.winsorised_mean(vectors, Fraction(25))) == [Fraction(2, 5), 0]


def test_losses_are_not_negative() -> None:
    witness = CLAIMS["W3.d"].witness
    assert witness is not None
    assert CLAIMS["W3.d"].evaluate(witness).lhs == Enclosure.exactly(Fraction(4))
    with pytest.raises(ValueError, match="losses must be at least 0, got -1"):
        CLAIMS["W3.d"].evaluate(witness.but(losses=[[-1, 0]]))


def test_eq_2_bounds_the_sharpness_from_both_ends() -> None:
    for sharpness, expected in ((Fraction(-1, 4), Fraction(5, 4)), (Fraction(0), 1), (Fraction(3, 4), Fraction(3, 4))):
        assert linear_stability.distance_from_the_middle(Enclosure.exactly(sharpness)) == Enclosure.exactly(
            Fraction(expected)
        )


BOUNDED = [claim for claim in CLAIMS.values() if claim.id.startswith("W") and claim.bound_on is not None]


@pytest.mark.parametrize("claim", BOUNDED, ids=[claim.id for claim in BOUNDED])
def test_what_users_import_is_the_right_side(claim: Claim) -> None:
    bound_on, sides = claim.bound_on, claim.sides
    assert bound_on is not None
    assert sides is not None
    compared = 0

    @seed(0)
    @settings(max_examples=40, database=None, deadline=None, phases=(Phase.generate,))
    @hypothesis.given(TRIALS[claim.id].drawn)
    def compare(instance: Instance) -> None:
        nonlocal compared
        given = claim.checked(instance)
        if claim.failing(given) is None:
            assert bound_on(given) == pytest.approx(float(sides(given)[1].midpoint), rel=1e-9, abs=1e-12)
            compared += 1

    compare()
    assert compared > 5
