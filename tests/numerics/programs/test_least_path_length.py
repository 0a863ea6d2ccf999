import math
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
import torch

from numerics.networks import TwoLayerReLU
from numerics.programs import check_path_certificate, least_path_length
from numerics.programs.ridge_units import Units, cheapest
from numerics.smoothness import exact_function_path_length, exact_gradient_path_length
from theory.checks import Array
from theory.path_lengths import weights_product
from theory.volhejn2020 import label_path_length, spline_path_length

MEASURES: tuple[Any, ...] = ("PL0", "PL1", "WP")


def drawn(n: int, d: int, seed: int) -> tuple[Array, Array]:
    generator = np.random.default_rng(seed)
    return generator.standard_normal((n, d)), generator.standard_normal(n)


def all_pairs(points: Array) -> torch.Tensor:
    """Return all n^2 ordered pairs, [n^2, 2, d]."""
    return torch.from_numpy(np.array([[a, b] for a, b in product(points, repeat=2)]))


def measured(network: TwoLayerReLU, points: Array, measure: str) -> float:
    if measure == "WP":
        return weights_product(network.hidden.weight.detach().numpy(), network.output.weight.detach().numpy()[0])
    exact = exact_function_path_length if measure == "PL0" else exact_gradient_path_length
    return exact(network, all_pairs(points)).value


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(("n", "d"), [(2, 1), (7, 1), (8, 2), (12, 3), (6, 9)])
def test_its_network_goes_through_the_data_and_measures_what_it_says(n: int, d: int, measure: Any) -> None:
    x, y = drawn(n, d, n)
    found = least_path_length(x, y, measure)
    assert found.misfit <= 1e-9
    assert found.network(torch.from_numpy(x)).detach().numpy()[:, 0] == pytest.approx(y, abs=1e-9)
    assert measured(found.network, x, measure) <= found.primal + 1e-12
    assert measured(found.network, x, measure) == pytest.approx(found.primal, rel=1e-6, abs=1e-9)
    assert 0 <= found.value <= found.primal
    assert check_path_certificate(x, y, measure, found.certificate) == found.value


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("seed", range(20))
def test_no_network_is_below_the_bound_that_its_own_values_give(seed: int, measure: Any) -> None:
    generator = np.random.default_rng(seed)
    n, d, k = (int(size) for size in generator.integers((3, 1, 1), (12, 5, 6)))
    network, x = TwoLayerReLU(k, d), generator.standard_normal((n, d)) * 10.0 ** generator.integers(-2, 3)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.from_numpy(generator.standard_normal(parameter.shape)))
        y = network(torch.from_numpy(x)).numpy()[:, 0]
    # Rounding of the outputs apart, the values are those of a network with this measure.
    least = least_path_length(x, y, measure, rounds=0)
    assert least.value <= measured(network, x, measure) * (1 + 1e-9) + 1e-12


@pytest.mark.parametrize("seed", range(5))
def test_deep_networks_are_not_below_it_either(seed: int) -> None:
    torch.manual_seed(seed)
    model = torch.nn.Sequential(
        torch.nn.Linear(2, 6), torch.nn.ReLU(), torch.nn.Linear(6, 6), torch.nn.ReLU(), torch.nn.Linear(6, 1)
    ).double()
    x = np.random.default_rng(seed).standard_normal((9, 2)) * 3
    y = model(torch.from_numpy(x)).detach().numpy()[:, 0]
    pairs = all_pairs(x)
    t = torch.linspace(0, 1, 2001, dtype=torch.float64)
    total = 0.0
    for a, b in pairs:
        points = torch.lerp(a[None], b[None], t[:, None]).requires_grad_()
        [gradients] = torch.autograd.grad(model(points).sum(), points)
        total += float(gradients.diff(dim=0).norm(dim=1).sum())
    # Sampled, the variation is never above what it is.
    assert least_path_length(x, y, "PL1", rounds=0).value <= total / len(pairs)


def test_the_bound_on_gradient_variation_is_the_minimum_over_slopes() -> None:
    """With all multipliers of the best dependence: three points on a line have one, and the sum has a closed form."""
    x, y = np.array([[0.0], [1.0], [2.0]]), np.array([0.0, 0.0, 1.0])
    terms = []
    for i in range(3):
        slopes = [(y[j] - y[i]) / (x[j, 0] - x[i, 0]) for j in range(3) if j != i]
        terms.append(min(sum(abs(s - g) for s in slopes) for g in slopes))
    assert check_path_certificate(x, y, "PL1", [1, -2, 1]) == pytest.approx(2 / 9 * sum(terms), rel=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_a_unit_is_worth_no_more_than_the_bound_on_weights_says(seed: int) -> None:
    generator = np.random.default_rng(seed)
    n, d = 8, int(generator.integers(1, 4))
    x, m = generator.standard_normal((n, d)), generator.standard_normal(n)
    m[m > 0] /= m[m > 0].sum()
    m[m < 0] /= -m[m < 0].sum()
    # With the multipliers for values the gain is sum m^2, so the bound says how much a unit can be worth.
    largest = float(m @ m) / check_path_certificate(x, m, "WP", m)
    w = generator.standard_normal((20_000, d))
    w /= np.linalg.norm(w, axis=1, keepdims=True)
    for j in range(n):
        worth = np.abs(m @ np.maximum((x - x[j]) @ w.T, 0.0))
        assert worth.max() <= largest


@pytest.mark.parametrize("measure", ["PL0", "PL1"])
def test_independent_points_need_no_program(measure: Any) -> None:
    x, y = drawn(20, 40, 0)
    found = least_path_length(x, y, measure)
    least = float(label_path_length(y)) if measure == "PL0" else 0.0
    assert found.linear
    assert found.value == pytest.approx(least, rel=1e-12)
    assert found.primal == pytest.approx(least, rel=1e-9)


def test_a_linear_function_is_not_the_one_of_least_weight() -> None:
    """One unit, off at two of the points, has weight 1; a plane through points so near a line has several times as much."""
    x, y = np.array([[-1.0, 0.1], [0.0, 0.0], [1.0, 0.1]]), np.array([0.0, 0.0, 1.0])
    plane = np.linalg.norm(np.linalg.solve(x[[0, 2]], y[[0, 2]]))
    found = least_path_length(x, y, "WP")
    assert found.linear
    assert found.value <= found.primal <= 1 + 1e-3
    assert plane > 5


def test_on_a_line_the_least_function_path_length_is_that_of_the_spline() -> None:
    x, y = drawn(9, 1, 1)
    found = least_path_length(x, y, "PL0")
    assert found.value == pytest.approx(spline_path_length(x[:, 0], y), rel=1e-12)
    assert found.primal == pytest.approx(found.value, rel=1e-3)


def test_the_weight_of_two_points_is_known() -> None:
    found = least_path_length(np.array([[0, 0], [3, 4]]), [1, 11], "WP")
    assert [found.value, found.primal] == pytest.approx([2, 2], rel=1e-12)


def test_the_program_for_given_units_is_their_best_weights() -> None:
    """By hand: among all choices of as many units as there are values, the cheapest."""
    x, y = drawn(4, 2, 3)
    generator = np.random.default_rng(4)
    w = generator.standard_normal((7, 2))
    units = Units(w / np.linalg.norm(w, axis=1, keepdims=True), generator.standard_normal(7))
    columns, best = np.column_stack([units.outputs(x), np.ones(4)]), math.inf
    for chosen in combinations(range(7), 3):
        part = columns[:, [*chosen, 7]]
        if np.linalg.matrix_rank(part) == 4:
            best = min(best, float(np.abs(np.linalg.solve(part, y)[:3]).sum()))
    fit = cheapest(x, y, units, by_pairs=False)
    assert float(np.abs(fit.v).sum()) == pytest.approx(best, rel=1e-9)


def test_equal_values_take_a_constant() -> None:
    for measure in MEASURES:
        found = least_path_length(np.array([[0, 0], [1, 0], [0, 1], [1, 1]]), [2, 2, 2, 2], measure)
        assert (found.value, found.linear) == (0.0, True)
        assert found.primal <= 1e-12


def test_multipliers_that_are_no_dependence_give_no_more_than_they_prove() -> None:
    x, y = drawn(8, 2, 5)
    best = least_path_length(x, y, "PL1")
    assert check_path_certificate(x, y, "PL1", best.certificate + 1e-3) < best.value
    assert check_path_certificate(x, y, "PL1", np.eye(8)[0]) == 0.0
    assert check_path_certificate(x, y, "WP", np.ones(8)) == 0.0


@pytest.mark.parametrize(
    ("points", "values", "measure", "message"),
    [
        ([[0.0]], [1.0], "PL1", r"points must be at least two rows of at least one input, got shape \(1, 1\)"),
        ([[0.0], [1.0]], [1.0], "PL1", "values must hold one number for each of the 2 points, got 1"),
        ([[0.0], [1.0], [0.0]], [1.0, 2.0, 3.0], "PL1", "points must be distinct, but rows 0 and 2 are equal"),
        ([[0.0], [1.0]], [1.0, 2.0], "PL2", "measure must be one of 'PL0', 'PL1', 'WP', got 'PL2'"),
    ],
    ids=["one point", "values", "equal", "measure"],
)
def test_malformed_data_are_refused(points: Any, values: Any, measure: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        least_path_length(points, values, measure)


def test_a_certificate_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="certificate must hold a multiplier for each of the 2 values, got 3"):
        check_path_certificate(np.array([[0.0], [1.0]]), [0.0, 1.0], "WP", [1.0, 2.0, 3.0])
