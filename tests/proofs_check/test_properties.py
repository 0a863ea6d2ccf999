"""V9, M4, M5, M6, B1 and B7 as properties: over drawn networks, and over networks that gradient descent ended in."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from numerics.networks import initialise
from numerics.training import Member, Outcome, Run, train_many
from proofs_check.falsify import falsify
from proofs_check.registry import TRIALS
from proofs_check.trials.common import on_data
from theory.checks import rationals
from theory.claim import Instance, Ruling
from theory.piecewise_linear import PiecewiseLinear
from theory.registry import CLAIMS
from theory.two_layer import Weights

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]


def random_networks(number: int) -> Iterator[Instance]:
    """Yield networks of 1 to 12 units on 1 to 8 points, every eighth of up to 40 on up to 20.

    Every fourth is on two points, nearly balanced (see `balanced`).
    """
    generator = np.random.default_rng(30)
    for index in range(number):
        if index % 4 == 0:
            a, w1 = generator.uniform(0.1, 3, size=2)
            knot = a * generator.uniform(0, 0.9)
            w2 = w1 * (a - knot) / np.hypot(1, a) * generator.uniform(0.95, 1.05)
            weights = Weights([w1, -w1], [-w1 * knot, -w1 * knot], [w2, w2], generator.normal())
            x = np.array([-a, a])
        else:
            n, k = generator.integers(1, [21, 41] if index % 8 == 1 else [9, 13])
            x = np.sort(generator.normal(size=n)) * 10.0 ** generator.integers(-2, 3) + generator.choice([0, 0, 5])
            w1 = generator.normal(size=k) * 10.0 ** generator.uniform(-2, 2, size=k)
            knots = generator.uniform(x[0] - 0.1, x[-1] + 0.1, size=k)
            weights = Weights(w1, -w1 * knots, generator.normal(size=k) / generator.choice([1, 10, 100]), 0.0)
        yield Instance({"weights": weights, "x": x}, "drawn")


def test_m5_holds_for_ten_thousand_networks_and_its_ratio_comes_close_to_one(
    record_property: Callable[[str, object], None],
) -> None:
    applied, ratios = 0, []
    for instance in random_networks(10_500):
        verdict = CLAIMS["M5"].evaluate(instance)
        assert verdict.ruling is not Ruling.VIOLATED, instance.given
        if verdict.lhs is None or verdict.rhs is None:
            continue
        applied += 1
        # Without curvature both sides are 1, and the ratio says nothing.
        if verdict.rhs.lower > 1 + 1e-6:
            ratios.append(float(verdict.lhs.midpoint / verdict.rhs.midpoint))
    assert applied >= 10_000
    smallest, median = min(ratios), float(np.median(ratios))
    record_property("M5", f"{applied} networks, lambda_max/bound at least {smallest:.6f}, median {median:.3g}")
    assert 1 - 1e-12 <= smallest <= 1.01


def test_m5_withstands_a_search_for_counterexamples() -> None:
    search = falsify(CLAIMS["M5"], on_data, examples=1000, seed=5)
    assert search.counterexample is None
    assert search.rulings.get(Ruling.HOLDS, 0) >= 200, search.rulings


@cache
def trained(device: str) -> tuple[tuple[Run, Member], ...]:
    """Train small networks on data of several shapes, from small steps to steps near the largest that work."""
    generator = np.random.default_rng(20211209)
    members = []
    for index in range(48):
        n = int(generator.integers(2, 7))
        x = np.sort(generator.uniform(-1.5, 1.5, size=n) + np.arange(n) * 0.1)
        y = generator.normal(size=n) * 0.5
        step_size = float(generator.choice([0.05, 0.1, 0.3, 0.5]))
        members.append(Member(initialise(24, seed=index), x, y, step_size, 200_000, stop_loss=1e-11))
    return tuple(zip(train_many(members, device=device, threads=None), members, strict=True))


def trained_instances(device: str) -> list[Instance]:
    """Return the networks as instances; the targets are those they were trained on."""
    instances = []
    for run, member in trained(device):
        if run.outcome is not Outcome.DIVERGED:
            values = {"weights": run.weights, "x": np.asarray(member.x), "y": np.asarray(member.y)}
            instances.append(Instance({**values, "step_size": member.step_size}, "trained"))
    return instances


@pytest.mark.parametrize("device", DEVICES)
def test_most_trained_networks_interpolate(device: str) -> None:
    outcomes = [run.outcome for run, _ in trained(device)]
    assert outcomes.count(Outcome.INTERPOLATED) >= len(outcomes) // 2, outcomes


def assert_no_violation(claim: str, instances: list[Instance], *, decided: int) -> None:
    """Fail if an instance violates the claim, or if it decides fewer than `decided` of them."""
    verdicts = [CLAIMS[claim].evaluate(instance) for instance in instances]
    assert [verdict for verdict in verdicts if verdict.ruling is Ruling.VIOLATED] == []
    held = sum(verdict.ruling is Ruling.HOLDS for verdict in verdicts)
    assert held >= decided, [(verdict.ruling, verdict.failed, verdict.value) for verdict in verdicts]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("claim", ["M5", "B7", "B7.a"])
def test_bounds_on_the_sharpness_hold_for_trained_networks(claim: str, device: str) -> None:
    assert_no_violation(claim, trained_instances(device), decided=30)


@pytest.mark.parametrize("device", DEVICES)
def test_m6_holds_for_trained_networks_that_are_stable_minima_of_the_data_they_fit(device: str) -> None:
    assert_no_violation("M6.a", trained_instances(device), decided=20)


@pytest.mark.parametrize("device", DEVICES)
def test_m4_holds_along_random_directions_at_trained_networks(device: str) -> None:
    generator = np.random.default_rng(4)
    instances = [
        instance.but(direction=rationals(generator.integers(-3, 4, size=3 * instance["weights"].width + 1)))
        for instance in trained_instances(device)[:8]
    ]
    assert_no_violation("M4", instances, decided=4)


@pytest.mark.parametrize("device", DEVICES)
def test_v9_holds_for_trained_networks_on_an_interval_around_their_knots(device: str) -> None:
    instances = []
    for instance in trained_instances(device)[:20]:
        weights = instance["weights"].rational()
        knots = [-bias / w for w, bias in zip(weights.w1, weights.b1, strict=True)]
        instances.append(instance.but(interval=(min(knots) - 1, max(knots) + 1)))
    assert_no_violation("V9.a", instances, decided=10)
    assert_no_violation("V9.b", instances, decided=20)


@pytest.mark.parametrize("device", DEVICES)
def test_b1_holds_for_the_functions_of_trained_networks(device: str) -> None:
    instances = [
        Instance(
            {"f": PiecewiseLinear.from_weights(instance["weights"].rational()), "x": rationals(instance["x"])},
            "trained",
        )
        for instance in trained_instances(device)[:20]
    ]
    assert_no_violation("B1.a", instances, decided=15)


@pytest.mark.parametrize("claim", ["V9.a", "V9.b", "M4", "M6.a", "B1.a"])
def test_claims_hold_for_drawn_instances(claim: str) -> None:
    search = falsify(CLAIMS[claim], TRIALS[claim].drawn, examples=300, seed=9)
    assert search.counterexample is None
    assert search.rulings.get(Ruling.HOLDS, 0) >= 100, search.rulings


def test_m6_as_printed_is_attained_at_the_edge_of_stability() -> None:
    tight = CLAIMS["M6.a"].extremal
    assert tight is not None
    assert CLAIMS["M6.a"].evaluate(tight).slack == 0
    beyond = tight.but(step_size=tight["step_size"] * (1 + Fraction(1, 10**6)))
    assert CLAIMS["M6.a"].evaluate(beyond).failed == "linear stability: eta lambda_max <= 2"
