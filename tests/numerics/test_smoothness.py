import copy
import math
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from numerics.networks import TwoLayerReLU
from numerics.segments import ENTRIES
from numerics.smoothness import (
    Estimate,
    derivative_variation,
    exact_function_path_length,
    exact_gradient_path_length,
    function_path_length,
    function_path_length_all_pairs,
    function_path_length_penalty,
    gradient_norm,
    gradient_norm_penalty,
    gradient_path_length,
    gradient_path_length_all_pairs,
    gradient_path_length_penalty,
    modules,
    sample_pairs,
    total_variation,
    weights_product,
    weights_product_penalty,
)
from numerics.smoothness import points as points_module
from theory.checks import Array, rationals
from theory.path_lengths import gradient_variation
from theory.volhejn2020 import variation_bounds

EPS = float(np.finfo(np.float64).eps)
SHAPES = [(1, 1), (7, 1), (5, 2), (20, 3), (40, 10)]
PATH_LENGTHS = [function_path_length, gradient_path_length]


def draws(seed: int, *shape: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))


def module(w1: Any, b1: Any, w2: Any, b2: float = 0.0) -> TwoLayerReLU:
    hidden = torch.from_numpy(np.asarray(w1, dtype=np.float64))
    hidden = hidden[:, None] if hidden.ndim == 1 else hidden
    network = TwoLayerReLU(*hidden.shape)
    with torch.no_grad():
        network.hidden.weight.copy_(hidden)
        for parameter, values in ((network.hidden.bias, b1), (network.output.weight, w2), (network.output.bias, b2)):
            parameter.copy_(torch.from_numpy(np.asarray(values, dtype=np.float64)).reshape(parameter.shape))
    return network


def random_module(seed: int, width: int, in_features: int) -> TwoLayerReLU:
    w1, b1, w2 = draws(seed, width, in_features), draws(seed + 1, width), draws(seed + 2, width)
    return module(w1, b1, w2, 0.5)


def all_pairs(points: torch.Tensor) -> torch.Tensor:
    n = len(points)
    return points[torch.cartesian_prod(torch.arange(n), torch.arange(n))]


def size(network: TwoLayerReLU, pairs: torch.Tensor) -> float:
    """Return the largest sum_i |w2_i| (|w1_i| . |x| + |b1_i|): rounding errors are some eps (k + d) of it."""
    w1, b1, w2, _ = (parameter.detach().abs() for parameter in network.parameters())
    return float(((pairs.abs().flatten(0, 1) @ w1.T + b1) @ w2[0]).max())


def rounding(network: TwoLayerReLU, pairs: torch.Tensor) -> float:
    return 8 * (sum(network.hidden.weight.shape) + 8) * EPS * (size(network, pairs) + weights_product(network) + 1)


Rational = tuple[Array, Array, Array]
"""w1 [k, d], b1 [k] and w2 [k], exactly."""


def stops(network: Rational, a: Array, b: Array) -> list[Fraction]:
    """Return both ends of the segment and where units switch between them, in order."""
    w1, b1, _ = network
    start, end = w1 @ a + b1, w1 @ b + b1
    inside = {Fraction(s, s - e) for s, e in zip(start, end, strict=True) if s * e < 0}
    return sorted({Fraction(0), Fraction(1)} | inside)


def slow_function_variation(network: Rational, a: Array, b: Array) -> Fraction:
    w1, b1, w2 = network
    values = [sum((max(z, 0) * w for z, w in zip(w1 @ (a + (b - a) * t) + b1, w2, strict=True)), Fraction(0))
              for t in stops(network, a, b)]  # fmt: skip
    return sum((abs(v - u) for u, v in pairwise(values)), Fraction(0))


def slow_gradient_variation(network: Rational, a: Array, b: Array) -> float:
    """Read the gradient off at both ends, where the ReLU has slope 1 at 0, and between the places of switches."""
    w1, b1, w2 = network
    where = stops(network, a, b)
    where = [Fraction(0), *((t + u) / 2 for t, u in pairwise(where)), Fraction(1)]
    gradients = [((w1 @ (a + (b - a) * t) + b1 >= 0) * w2) @ w1 for t in where]
    return math.fsum(math.sqrt(sum((v - u) ** 2)) for u, v in pairwise(gradients))


@st.composite
def problems(draw: st.DrawFn) -> tuple[Rational, Array]:
    """Draw small integers: units coincide and switch together, ends lie on kinks and coincide, weights vanish."""
    k, d, m = draw(st.integers(0, 5)), draw(st.integers(1, 3)), draw(st.integers(1, 3))

    def integers(count: int) -> Array:
        return np.array(draw(st.lists(st.integers(-3, 3), min_size=count, max_size=count)), dtype=object)

    network = rationals(integers(k * d)).reshape(k, d), rationals(integers(k)), rationals(integers(k))
    return network, rationals(integers(2 * m * d)).reshape(m, 2, d)


def test_pairs_are_drawn_uniformly_from_all_pairs() -> None:
    points = torch.arange(3.0)[:, None]
    pairs = sample_pairs(points, 9000, seed=1)
    assert pairs.shape == (9000, 2, 1)
    counts = torch.bincount((3 * pairs[:, 0, 0] + pairs[:, 1, 0]).long(), minlength=9)
    # 1000 each, a standard deviation of 30: beyond 5 of them for one of nine once in 190,000 seeds.
    assert (counts - 1000).abs().max() < 150


def test_a_seed_draws_the_same_pairs_again() -> None:
    points = draws(0, 20, 3)
    assert torch.equal(sample_pairs(points, seed=5), sample_pairs(points, 1000, seed=5))
    assert torch.equal(sample_pairs(points.numpy(), seed=5), sample_pairs(points, seed=5))
    assert not torch.equal(sample_pairs(points, seed=5), sample_pairs(points, seed=6))
    assert sample_pairs(points.float(), 2, seed=0).dtype == torch.float32


def test_estimates_carry_their_standard_error() -> None:
    network, pairs = random_module(0, 10, 2), all_pairs(draws(3, 5, 2))
    for measure in (
        function_path_length,
        gradient_path_length,
        exact_function_path_length,
        exact_gradient_path_length,
    ):
        single = [measure(network, pair[None]) for pair in pairs]
        assert all(math.isinf(one.standard_error) and one.samples == 1 for one in single)
        values = [one.value for one in single]
        expected = np.mean(values), np.std(values, ddof=1) / 5, 25
        found = measure(network, pairs)
        np.testing.assert_allclose([found.value, found.standard_error, found.samples], expected, rtol=1e-12)
    constant = Estimate(0.0, 0.0, 5)
    assert gradient_norm(module(np.zeros((0, 2)), [], []), draws(0, 5, 2)) == constant


def test_the_mean_over_sampled_pairs_is_within_its_error_of_that_over_all() -> None:
    points = draws(1, 30, 4)
    for seed in range(5):
        network = random_module(seed, 20, 4)
        found = exact_gradient_path_length(network, sample_pairs(points, 2000, seed=seed))
        expected = gradient_path_length_all_pairs(network, points)
        assert abs(found.value - expected) < 6 * found.standard_error < 0.2 * expected


def vector_module(seed: int) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4)).double()


@pytest.mark.parametrize("rows", [modules.ROWS, 1, 7])
def test_vector_valued_modules_match_the_definitions(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modules, "ROWS", rows)
    model, pairs, n = vector_module(0), draws(1, 6, 2, 3), 10
    points = pairs[:, 0]

    def jacobian(x: torch.Tensor) -> torch.Tensor:
        return torch.autograd.functional.jacobian(model, x)

    norms = torch.stack([jacobian(x).norm() for x in points])
    assert gradient_norm(model, points).value == pytest.approx(norms.mean().item(), rel=1e-12)
    assert gradient_norm(model, points, squared=True).value == pytest.approx((norms**2).mean().item(), rel=1e-12)
    for measure, values in ((function_path_length, model), (gradient_path_length, jacobian)):
        total = 0.0
        for a, b in pairs:
            partition = [values(i / (n - 1) * a + (1 - i / (n - 1)) * b) for i in range(n)]
            total += sum((v - u).norm().item() for u, v in pairwise(partition))
        found = measure(model, pairs, points_per_segment=n)
        assert found.value == pytest.approx(total / len(pairs), rel=1e-12)
        assert found.samples == len(pairs)


def test_outputs_may_be_one_column_or_none() -> None:
    network, pairs = random_module(0, 6, 2), draws(1, 4, 2, 2)
    flat = nn.Sequential(network, nn.Flatten(0))
    assert gradient_norm(flat, pairs[:, 0]) == gradient_norm(network, pairs[:, 0])
    for measure in PATH_LENGTHS:
        column = nn.Sequential(network, nn.Identity())
        assert measure(flat, pairs) == measure(column, pairs)


@settings(max_examples=40)
@given(width=st.integers(0, 30), features=st.integers(1, 5), seed=st.integers(0, 1000), points=st.integers(2, 40))
def test_networks_are_measured_as_modules_are(width: int, features: int, seed: int, points: int) -> None:
    network, pairs = random_module(seed, width, features), draws(seed, 7, 2, features)
    module = nn.Sequential(network, nn.Identity())  # any module but a TwoLayerReLU
    for measure in PATH_LENGTHS:
        ours, theirs = (measure(model, pairs, points_per_segment=points) for model in (network, module))
        assert ours.value == pytest.approx(theirs.value, rel=1e-10, abs=1e-12)
        assert ours.standard_error == pytest.approx(theirs.standard_error, rel=1e-8, abs=1e-12)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_kink_on_a_point_of_the_segment_is_read_as_modules_read_it(sign: float) -> None:
    network = TwoLayerReLU(3)
    with torch.no_grad():
        network.hidden.weight[:, 0] = torch.tensor([1.0, 1.0, -1.0])
        network.hidden.bias[:] = torch.tensor([0.0, -0.25, 0.0])  # kinks at 0, 1/4 and 0
        network.output.weight[0] = torch.tensor([1.0, 2.0, 4.0])
    pairs = sign * torch.tensor([[[-1.0], [1.0]], [[0.0], [1.0]], [[-1.0], [0.0]]], dtype=torch.float64)
    module = nn.Sequential(network, nn.Identity())
    for points in (2, 3, 5, 9):
        ours, theirs = (gradient_path_length(model, pairs, points_per_segment=points) for model in (network, module))
        assert ours.value == pytest.approx(theirs.value, rel=1e-12)


class Watched(nn.Module):
    """Notes how many rows come at once."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.most = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.most = max(self.most, len(x))
        output: torch.Tensor = self.model(x)
        return output


@pytest.mark.parametrize("measure", PATH_LENGTHS)
@pytest.mark.parametrize(("features", "outputs"), [(1, 1), (784, 1), (200, 30)])
def test_few_rows_are_held_at_once(measure: Callable[..., Estimate], features: int, outputs: int) -> None:
    model, pairs = Watched(nn.Linear(features, outputs)), draws(0, 30, 2, features)
    measure(model, pairs, points_per_segment=50)
    assert 50 <= model.most <= modules.ROWS + 1
    # A segment of too many points is taken in parts.
    assert measure(model, pairs[:1], points_per_segment=5000).value == pytest.approx(
        measure(model, pairs[:1], points_per_segment=2).value, rel=1e-5, abs=1e-4
    )
    held = features * outputs if measure is gradient_path_length else max(features, outputs)
    assert model.most <= min(modules.ROWS, ENTRIES // held) + 1


def test_blocks_of_pairs_do_not_change_exact_path_lengths(monkeypatch: pytest.MonkeyPatch) -> None:
    network, pairs = module([[1, 0], [2, 0], [0, 1], [1, 1]], [0, 0, 0, 1], [1, -1, 2, 3]), all_pairs(draws(1, 6, 2))
    whole = exact_function_path_length(network, pairs), exact_gradient_path_length(network, pairs)
    monkeypatch.setattr(points_module, "ENTRIES", 1)
    assert (exact_function_path_length(network, pairs), exact_gradient_path_length(network, pairs)) == whole


RELUS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "torch.relu": torch.relu,
    "torch.relu_": torch.relu_,
    "functional.relu": nn.functional.relu,
    "functional.relu in place": partial(nn.functional.relu, inplace=True),
    "functional.relu_": nn.functional.relu_,
    "keyword": lambda x: torch.relu(input=x),
    "Tensor.relu": lambda x: x.relu(),
    "Tensor.relu_": lambda x: x.relu_(),
    "nn.ReLU": nn.ReLU(),
    "nn.ReLU in place": nn.ReLU(inplace=True),
}


class Activation(nn.Module):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.relu = RELUS[name]
        self.in_place = name.endswith(("_", "in place"))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.relu(x)
        return x if self.in_place else y


@pytest.mark.parametrize("name", RELUS)
@pytest.mark.parametrize("slope", [0.0, 0.25, 1.0])
def test_the_slope_at_zero_is_that_asked_for(name: str, slope: float) -> None:
    points = torch.tensor([[-1.0], [0.0], [-0.0], [2.0]], dtype=torch.float64)
    before, model = points.clone(), Activation(name)
    found = gradient_norm(model, points, relu_slope_at_zero=slope)
    assert found.value == (2 * slope + 1) / 4
    assert gradient_norm(model, points).value == 3 / 4
    # From -1 over 0 to 1 the derivative is 0, the slope, 1; from -1 to 0 it ends in the slope.
    pairs = torch.tensor([[[-1.0], [1.0]], [[-1.0], [0.0]]], dtype=torch.float64)
    assert gradient_path_length(model, pairs, points_per_segment=3, relu_slope_at_zero=slope).value == (1 + slope) / 2
    assert gradient_path_length(model, pairs, points_per_segment=3).value == 1
    assert function_path_length(model, pairs, points_per_segment=3).value == 0.5
    assert torch.equal(points, before)


def test_outside_the_measures_the_relu_is_that_of_torch() -> None:
    zero = torch.zeros(1, 1, dtype=torch.float64)
    gradient_norm(nn.ReLU(), zero)
    leaf = zero.clone().requires_grad_()
    torch.relu(leaf).sum().backward()
    assert leaf.grad is not None
    assert leaf.grad.item() == 0


def test_the_replaced_relu_keeps_values_and_derivatives() -> None:
    x = torch.tensor([-math.inf, -2.0, 0.0, 3.0, math.inf, math.nan], requires_grad=True)
    with modules.ReluSlope(0.5):
        y = torch.relu(x)
    np.testing.assert_array_equal(y.detach(), torch.relu(x.detach()))
    y[1:4].sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0, 0, 0.5, 1, 0, 0]


@pytest.mark.parametrize("slope", [0.0, 1.0])
def test_a_network_on_its_kinks_has_the_gradient_of_the_active_units(slope: float) -> None:
    network = module([[3, 4], [0, 1]], [0, -2], [1, 5])
    points = torch.tensor([[4.0, -3.0], [0.0, 2.0]], dtype=torch.float64)  # on the first hyperplane, on the second
    expected = (slope * 5 + math.hypot(3, 4 + slope * 5)) / 2
    assert gradient_norm(network, points, relu_slope_at_zero=slope).value == expected


def test_a_model_is_left_as_it_was() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 5), nn.BatchNorm1d(5), nn.Dropout(0.5), nn.ReLU(), nn.Linear(5, 1)).double()
    model[2].eval()
    state, modes = copy.deepcopy(model.state_dict()), [part.training for part in model.modules()]
    points, pairs = draws(1, 8, 2), draws(2, 8, 2, 2)
    with torch.no_grad():
        found = gradient_norm(model, points), *(measure(model, pairs) for measure in PATH_LENGTHS)
    with pytest.raises(ValueError, match="points"):
        gradient_norm(model, draws(0, 4, 3))
    assert [part.training for part in model.modules()] == modes
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    model.eval()
    assert (gradient_norm(model, points), *(measure(model, pairs) for measure in PATH_LENGTHS)) == found


@pytest.mark.parametrize("measure", PATH_LENGTHS)
def test_points_are_moved_to_the_dtype_of_the_model(measure: Callable[..., Estimate]) -> None:
    network, pairs = random_module(0, 6, 2), draws(1, 4, 2, 2).float()
    wide = measure(network, pairs.double())
    assert measure(network, pairs) == wide
    assert measure(network, pairs.numpy()) == wide
    assert measure(copy.deepcopy(network).float(), pairs).value == pytest.approx(wide.value, rel=1e-4)


def test_integers_and_models_without_parameters_are_taken() -> None:
    pairs = torch.tensor([[[-2], [3]]])
    assert function_path_length(nn.ReLU(), pairs).value == pytest.approx(3, rel=1e-12)
    assert gradient_path_length(nn.ReLU(), pairs).value == 1


def test_a_pair_of_equal_points_has_no_variation() -> None:
    network, points = random_module(0, 30, 5), draws(1, 40, 5)
    pairs = torch.stack([points, points], dim=1)
    for measure in (*PATH_LENGTHS, exact_function_path_length, exact_gradient_path_length):
        assert measure(network, pairs) == Estimate(0.0, 0.0, 40)


@given(problems())
def test_exact_path_lengths_match_the_definitions(problem: tuple[Rational, Array]) -> None:
    rational, segments = problem
    network, pairs = module(*rational), torch.from_numpy(segments.astype(np.float64))
    for measure, slow in (
        (exact_function_path_length, slow_function_variation),
        (exact_gradient_path_length, slow_gradient_variation),
    ):
        expected = math.fsum(float(slow(rational, a, b)) for a, b in segments) / len(segments)
        assert measure(network, pairs).value == pytest.approx(expected, rel=1e-14, abs=rounding(network, pairs))


@given(problems())
def test_values_on_inner_kinks_can_only_add_variation(problem: tuple[Rational, Array]) -> None:
    rational, segments = problem
    for a, b in segments:
        w1, b1, _ = rational
        start, end = w1 @ a + b1, w1 @ b + b1
        on = {s / (s - e) for s, e in zip(start, end, strict=True) if s < 0 < e}
        off = {s / (s - e) for s, e in zip(start, end, strict=True) if e < 0 < s}
        with_values = float(gradient_variation(*rational, a, b).midpoint)
        found = exact_gradient_path_length(module(*rational), torch.from_numpy(np.stack([a, b]).astype(float))[None])
        assert found.value <= with_values * (1 + 1e-12)
        if not on & off:
            assert found.value == pytest.approx(with_values, rel=1e-12)


@given(problems(), st.lists(st.sampled_from([1 / 3, 0.1, 0.7, 1e-9, 1e7]), min_size=5, max_size=5))
def test_units_that_switch_together_up_to_rounding_are_merged(
    problem: tuple[Rational, Array], scales: list[float]
) -> None:
    (w1, b1, w2), segments = problem
    assume(np.all(segments @ w1.T + b1 != 0))  # on which side of a kink an end lies, rounding would decide
    scale = np.array(scales[: len(b1)])
    network = module(w1.astype(float) * scale[:, None], b1.astype(float) * scale, w2.astype(float) / scale)
    pairs = torch.from_numpy(segments.astype(np.float64))
    expected = math.fsum(slow_gradient_variation((w1, b1, w2), a, b) for a, b in segments) / len(segments)
    assert exact_gradient_path_length(network, pairs).value == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_units_that_switch_together_make_one_jump() -> None:
    pair = torch.tensor([[[-1.0], [1.0]]], dtype=torch.float64)
    for w1, b1, w2, expected in (
        ([1, 1], [0, 0], [1, -1], 0.0),  # [x]_+ - [x]_+
        ([1, -1], [0, 0], [1, -1], 0.0),  # [x]_+ - [-x]_+ = x
        ([1, -1], [0, 0], [1, 1], 2.0),  # |x|
        ([3, -0.1], [0.3, -0.01], [1, 5], 3.5),
        ([1, 1], [0, 1e-9], [1, -1], 2.0),  # near, but not together
    ):
        assert exact_gradient_path_length(module(w1, b1, w2), pair).value == pytest.approx(expected, abs=1e-12)
    cross = torch.tensor([[[-1.0, -1.0], [1.0, 1.0]]], dtype=torch.float64)
    together = exact_gradient_path_length(module([[1, 0], [0, 1]], [0, 0], [3, 4]), cross)
    assert together.value == pytest.approx(5, rel=1e-15)


@pytest.mark.parametrize(("width", "features"), SHAPES)
@pytest.mark.parametrize("seed", range(3))
def test_sampled_function_path_length_converges_to_the_exact_from_below(width: int, features: int, seed: int) -> None:
    network = random_module(seed, width, features)
    for pair in draws(seed + 10, 5, 1, 2, features):
        exact = exact_function_path_length(network, pair).value
        length = float((pair[0, 1] - pair[0, 0]).norm())
        slope_variation = length * exact_gradient_path_length(network, pair).value
        for n in (2, 3, 10, 1000):
            shortfall = exact - function_path_length(network, pair, points_per_segment=n).value
            slack = n * rounding(network, pair)
            limit = variation_bounds.sampling_error_bound(slope_variation, 0.0, 1.0, n)  # V4.a
            assert -slack <= shortfall <= limit + slack


@pytest.mark.parametrize(("width", "features"), SHAPES)
@pytest.mark.parametrize("seed", range(3))
def test_sampled_gradient_path_length_rises_to_the_exact(width: int, features: int, seed: int) -> None:
    network = random_module(seed, width, features)
    for pair in draws(seed + 10, 5, 1, 2, features):
        exact = exact_gradient_path_length(network, pair).value
        w1, b1, _, _ = (parameter.detach() for parameter in network.parameters())
        start, end = pair[0] @ w1.T + b1
        places = torch.sort((start / (start - end))[(start >= 0) != (end >= 0)])[0]
        least = 0.0
        for n in (2, 3, 5, 9, 33, 2049):  # each partition refines the one before
            found = gradient_path_length(network, pair, points_per_segment=n).value
            slack = n * rounding(network, pair)
            assert least - slack <= found <= exact + slack
            if len(places) < 2 or float(places.diff().min()) > 1 / (n - 1):
                assert found == pytest.approx(exact, abs=slack)
            least = found
        assert n == 2049


@given(st.integers(0, 10_000), st.sampled_from(SHAPES), st.integers(1, 9))
def test_all_pairs_of_the_exact_gradient_path_length_are_the_closed_form(
    seed: int, shape: tuple[int, int], n: int
) -> None:
    network, points = random_module(seed, *shape), draws(seed + 7, n, shape[1])
    closed = gradient_path_length_all_pairs(network, points)
    found = exact_gradient_path_length(network, all_pairs(points)).value
    assert found == pytest.approx(closed, rel=1e-12, abs=1e-14)
    assert closed <= weights_product(network) / 2 * (1 + 1e-12)  # B6.b


@given(problems())
def test_the_closed_form_is_an_upper_bound_at_least(problem: tuple[Rational, Array]) -> None:
    rational, segments = problem
    points = torch.from_numpy(segments.astype(np.float64)).flatten(0, 1)
    network = module(*rational)
    found = exact_gradient_path_length(network, all_pairs(points)).value
    assert found <= gradient_path_length_all_pairs(network, points) * (1 + 1e-12)


@given(st.integers(0, 10_000), st.integers(0, 12), st.integers(1, 9))
def test_all_pairs_of_the_exact_function_path_length_are_the_closed_form_on_the_line(
    seed: int, width: int, n: int
) -> None:
    network, points = random_module(seed, width, 1), draws(seed + 7, n, 1)
    pairs = all_pairs(points)
    found = exact_function_path_length(network, pairs).value
    assert found == pytest.approx(function_path_length_all_pairs(network, points), abs=rounding(network, pairs))


def test_weights_are_networks_on_one_input() -> None:
    network = random_module(4, 9, 1)
    weights, points = network.weights(), draws(5, 6, 1)
    pairs = all_pairs(points)
    assert weights_product(weights) == weights_product(network)
    assert exact_function_path_length(weights, pairs) == exact_function_path_length(network, pairs)
    assert exact_gradient_path_length(weights, pairs) == exact_gradient_path_length(network, pairs)
    assert gradient_path_length_all_pairs(weights, points) == gradient_path_length_all_pairs(network, points)
    assert function_path_length_all_pairs(weights, points) == function_path_length_all_pairs(network, points)
    assert exact_gradient_path_length(weights.rational(), pairs) == exact_gradient_path_length(network, pairs)


def test_weights_product_is_the_sum_of_the_jumps() -> None:
    assert weights_product(module([[3, 4], [0, 2]], [1, 1], [-2, 0.5])) == 11
    assert weights_product(TwoLayerReLU(0, 2)) == 0


def test_variations_on_an_interval_are_those_of_the_function() -> None:
    network = random_module(2, 8, 1)
    f, weights = network.piecewise_linear(), network.weights()
    pair = torch.tensor([[[-1.5], [2.0]]], dtype=torch.float64)
    for form in (network, weights, f):
        assert total_variation(form, -1.5, 2.0) == f.total_variation(-1.5, 2.0)
        assert derivative_variation(form, -1.5, 2.0) == f.derivative_variation(-1.5, 2.0)
        assert derivative_variation(form, -math.inf, math.inf) == pytest.approx(weights_product(network), rel=1e-12)
    assert exact_function_path_length(network, pair).value == pytest.approx(float(total_variation(f, -1.5, 2.0)))
    assert exact_gradient_path_length(network, pair).value == pytest.approx(float(derivative_variation(f, -1.5, 2.0)))
    assert isinstance(total_variation(weights.rational(), 0, 1), Fraction)


Penalty = Callable[[TwoLayerReLU, torch.Tensor], torch.Tensor]
PENALTIES: dict[str, Penalty] = {
    "gradient_norm": gradient_norm_penalty,
    "function_path_length": function_path_length_penalty,
    "gradient_path_length": gradient_path_length_penalty,
    "weights_product": lambda network, batch: weights_product_penalty(network),
}


def batch_pairs(batch: torch.Tensor) -> torch.Tensor:
    half = len(batch) // 2
    return torch.stack([torch.stack([batch[i], batch[i + half]]) for i in range(half)])


@pytest.mark.parametrize(("width", "features"), SHAPES)
@pytest.mark.parametrize("k", [2, 5, 8])
def test_penalties_are_the_measures_of_the_batch(width: int, features: int, k: int) -> None:
    network, batch = random_module(0, width, features), draws(1, k, features)
    pairs = batch_pairs(batch)
    for name, expected in (
        ("gradient_norm", gradient_norm(network, batch).value),
        ("function_path_length", function_path_length(network, pairs, points_per_segment=10).value),
        ("gradient_path_length", gradient_path_length(network, pairs, points_per_segment=10).value),
        ("weights_product", weights_product(network)),
    ):
        found = PENALTIES[name](network, batch)
        assert found.shape == ()
        assert found.item() == pytest.approx(expected, rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("name", PENALTIES)
@pytest.mark.parametrize(("width", "features"), SHAPES)
def test_derivatives_of_penalties_match_finite_differences(name: str, width: int, features: int) -> None:
    network, batch, step = random_module(3, width, features), draws(1, 6, features), 1e-6
    penalty = PENALTIES[name]
    penalty(network, batch).backward()
    for parameter in network.parameters():
        found = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        flat, slopes = parameter.detach().view(-1), []
        for i, kept in enumerate(flat.clone()):
            ends = []
            for sign in (1, -1):
                flat[i] = kept + sign * step
                ends.append(penalty(network, batch).item())
            flat[i] = kept
            slopes.append((ends[0] - ends[1]) / (2 * step))
        np.testing.assert_allclose(found.view(-1), slopes, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", PENALTIES)
def test_penalties_of_a_dead_network_have_derivative_zero(name: str) -> None:
    network = module([[0, 0], [1, 0], [0, 1]], [-1, -50, -50], [1, 2, 0], 3.0)
    value = PENALTIES[name](network, torch.arange(8.0, dtype=torch.float64).reshape(4, 2))
    value.backward()
    for parameter in (network.hidden.weight, network.output.weight):
        assert parameter.grad is not None
        assert bool(torch.isfinite(parameter.grad).all())
        if name != "weights_product":
            assert value.item() == 0
            assert parameter.grad.abs().max() == 0
    assert network.hidden.weight.grad is not None
    assert network.hidden.weight.grad[0].tolist() == [0, 0]  # a weight of 0, whose norm has no derivative


@pytest.mark.parametrize("name", ["function_path_length", "gradient_path_length"])
def test_a_batch_of_one_point_has_no_path(name: str) -> None:
    network = random_module(0, 4, 2)
    value = PENALTIES[name](network, draws(1, 1, 2))
    value.backward()
    assert value.item() == 0
    assert network.output.weight.grad is not None
    assert network.output.weight.grad.abs().max() == 0


def test_without_a_switch_the_gradient_path_length_has_derivative_zero() -> None:
    network = module(draws(0, 50, 3), np.full(50, 100.0), draws(1, 50))  # every unit is active on all points
    value = gradient_path_length_penalty(network, draws(2, 16, 3))
    value.backward()
    assert value.item() == 0
    assert network.hidden.weight.grad is not None
    assert network.hidden.weight.grad.abs().max() == 0


def test_units_on_a_batch_point_count_as_active() -> None:
    network, batch = module([[3, 4]], [0], [2]), torch.zeros(2, 2, dtype=torch.float64)
    assert gradient_norm_penalty(network, batch).item() == 10
    on_kink = torch.tensor([[-3.0, -4.0], [0.0, 0.0]], dtype=torch.float64)
    assert gradient_path_length_penalty(network, on_kink).item() == 10
    assert gradient_path_length_penalty(network, on_kink, points_per_segment=2).item() == 10


def test_a_penalty_steers_training() -> None:
    network, batch = random_module(0, 20, 3).float(), draws(1, 16, 3).float()
    optimiser = torch.optim.SGD(network.parameters(), lr=1e-3)
    before = {name: penalty(network, batch).item() for name, penalty in PENALTIES.items()}
    for _ in range(20):
        optimiser.zero_grad()
        torch.stack([penalty(network, batch) for penalty in PENALTIES.values()]).sum().backward()
        optimiser.step()
    assert all(penalty(network, batch).item() < before[name] for name, penalty in PENALTIES.items())


class Returns(nn.Module):
    def __init__(self, make: Callable[[torch.Tensor], Any]) -> None:
        super().__init__()
        self.make = make

    def forward(self, x: torch.Tensor) -> Any:
        return self.make(x)


NET, ON_LINE, X, PAIRS = random_module(0, 3, 2), random_module(0, 3, 1), draws(1, 4, 2), draws(1, 4, 2, 2)
BROKEN = module([[math.nan, 1]], [0], [1])


ERRORS: list[tuple[Callable[[], object], str]] = [
    (lambda: sample_pairs([[1.0]], seed=0), "TypeError: points must be a torch.Tensor or numpy.ndarray, got list"),
    (lambda: sample_pairs(X > 0, seed=0), "TypeError: points must hold real numbers, got dtype torch.bool"),
    (lambda: sample_pairs(X + 1j, seed=0), "TypeError: points must hold real numbers, got dtype torch.complex128"),
    (lambda: sample_pairs(np.array([["a"]]), seed=0), "TypeError: points must hold real numbers, got dtype <U1"),
    (lambda: sample_pairs(X[0], seed=0), "ValueError: points must have shape (n, d), got (2,)"),
    (lambda: sample_pairs(X[:0], seed=0), "ValueError: points must not be empty, got shape (0, 2)"),
    (lambda: sample_pairs(X[:, :0], seed=0), "ValueError: points must not be empty, got shape (4, 0)"),
    (lambda: sample_pairs(X / 0, seed=0), "ValueError: points must hold finite numbers, got nan or inf"),
    (lambda: sample_pairs(X, 0, seed=0), "ValueError: count must be at least 1, got 0"),
    (lambda: sample_pairs(X, 2.5, seed=0), "TypeError: count must be an integer, got 2.5 of type float"),
    (lambda: sample_pairs(X, seed=-1), "ValueError: seed must be at least 0, got -1"),
    (lambda: gradient_norm(torch.sin, X), "TypeError: model must be a torch.nn.modules.module.Module, got builtin"),
    (lambda: gradient_norm(NET, X[:, :1]), "ValueError: points must hold inputs of model, which fails on 1 columns: x"),
    (
        lambda: gradient_norm(vector_module(0), X),
        "ValueError: points must hold inputs of model, which fails on 2 columns",
    ),
    (lambda: gradient_norm(NET, PAIRS), "ValueError: points must have shape (n, d), got (4, 2, 2)"),
    (lambda: gradient_norm(NET, X, relu_slope_at_zero=2), "ValueError: relu_slope_at_zero must be from 0 to 1, got 2"),
    (
        lambda: gradient_norm(NET, X, relu_slope_at_zero=math.nan),
        "ValueError: relu_slope_at_zero must be from 0 to 1, got",
    ),
    (
        lambda: gradient_norm(NET, X, relu_slope_at_zero="1"),
        "TypeError: relu_slope_at_zero must be a real number, got '1'",
    ),
    (lambda: gradient_norm(BROKEN, X), "ValueError: model must return finite numbers, got nan or inf"),
    (
        lambda: gradient_norm(Returns(lambda x: x[..., None]), X),
        "ValueError: model must return shape (1,) or (1, c) for 1",
    ),
    (lambda: gradient_norm(Returns(lambda x: (x, x)), X), "TypeError: model must return a tensor of floats, got tuple"),
    (
        lambda: gradient_norm(Returns(lambda x: x > 0), X),
        "TypeError: model must return a tensor of floats, got a tensor of",
    ),
    (lambda: gradient_norm(Returns(lambda x: x.detach()), X), "ValueError: model must be differentiable by autograd"),
    (
        lambda: gradient_norm(Returns(torch.sqrt), 0 * X),
        "ValueError: model must have finite derivatives, got nan or inf",
    ),
    (lambda: function_path_length(nn.Sequential(NET), X), "ValueError: pairs must have shape (m, 2, d), got (4, 2)"),
    (lambda: function_path_length(NET, X), "ValueError: pairs must have shape (m, 2, 2) for this network, got (4, 2)"),
    (
        lambda: gradient_path_length(nn.Sequential(NET), draws(0, 4, 3, 2)),
        "ValueError: pairs must have shape (m, 2, d), got (4, 3, 2)",
    ),
    (lambda: function_path_length(NET, PAIRS[:0]), "ValueError: pairs must not be empty, got shape (0, 2, 2)"),
    (
        lambda: gradient_path_length(nn.Sequential(NET), draws(0, 1, 2, 3)),
        "ValueError: pairs must hold inputs of model, which fails on 3",
    ),
    (
        lambda: function_path_length(NET, PAIRS, points_per_segment=1),
        "ValueError: points_per_segment must be at least 2, got 1",
    ),
    (
        lambda: gradient_path_length(NET, PAIRS, points_per_segment=9.0),
        "TypeError: points_per_segment must be an integer, got 9.0 of type float",
    ),
    (
        lambda: weights_product(nn.Linear(1, 1)),
        "TypeError: network must be a numerics.networks.TwoLayerReLU or theory.two_layer.Weights, got Linear",
    ),
    (lambda: weights_product(BROKEN), "ValueError: network must have finite weights, got nan or inf in hidden.weight"),
    (
        lambda: exact_function_path_length(vector_module(0), PAIRS),
        "TypeError: network must be a numerics.networks.TwoLaye",
    ),
    (
        lambda: exact_gradient_path_length(NET, draws(0, 4, 2, 3)),
        "ValueError: pairs must have shape (m, 2, 2) for this network, got (4, 2, 3)",
    ),
    (lambda: exact_gradient_path_length(NET, PAIRS / 0), "ValueError: pairs must hold finite numbers, got nan or inf"),
    (
        lambda: exact_function_path_length(module([1e200], [0], [1]), PAIRS[:, :, :1] * 1e200),
        "ValueError: pairs and network must be small enough for pre-activations in float64, but they overflow",
    ),
    (
        lambda: gradient_path_length_all_pairs(NET, draws(0, 4, 3)),
        "ValueError: points must have shape (n, 2) for this network, got (4, 3)",
    ),
    (
        lambda: function_path_length_all_pairs(NET, X),
        "ValueError: network must have one input, got 2: for more no closed form of PL0 over all pairs is known, see "
        "exact_function_path_length",
    ),
    (
        lambda: function_path_length_all_pairs(ON_LINE, X),
        "ValueError: points must have shape (n, 1) for this network, got (4, 2)",
    ),
    (lambda: total_variation(NET, 0, 1), "ValueError: network must have one input, got 2"),
    (
        lambda: derivative_variation("f", 0, 1),
        "TypeError: network must be a numerics.networks.TwoLayerReLU or theory.two_layer.Weights or "
        "theory.piecewise_linear.PiecewiseLinear, got str",
    ),
    (lambda: total_variation(ON_LINE, 1, 0), "ValueError: a must be below b, got a = 1.0 and b = 0.0"),
    (
        lambda: gradient_norm_penalty(ON_LINE.weights(), X),
        "TypeError: network must be a numerics.networks.TwoLayerReLU,",
    ),
    (
        lambda: weights_product_penalty(nn.ReLU()),
        "TypeError: network must be a numerics.networks.TwoLayerReLU, got ReLU",
    ),
    (lambda: gradient_norm_penalty(NET, X.numpy()), "TypeError: batch must be a torch.Tensor, got ndarray"),
    (
        lambda: function_path_length_penalty(NET, X.float()),
        "TypeError: batch must be of dtype torch.float64 like network, got torch.float32",
    ),
    (
        lambda: gradient_norm_penalty(NET, X.to("meta")),
        "ValueError: batch must be on device cpu like network, got meta",
    ),
    (
        lambda: gradient_path_length_penalty(NET, X[:, :1]),
        "ValueError: batch must have shape (n, 2) for this network, got",
    ),
    (lambda: gradient_norm_penalty(NET, X[:0]), "ValueError: batch must not be empty, got shape (0, 2)"),
    (
        lambda: function_path_length_penalty(NET, X, points_per_segment=1),
        "ValueError: points_per_segment must be at least 2, got 1",
    ),
]


@pytest.mark.parametrize(("call", "message"), ERRORS, ids=[message for _, message in ERRORS])
def test_errors_name_the_argument(call: Callable[[], object], message: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    assert f"{type(caught.value).__name__}: {caught.value}".startswith(message)


@pytest.mark.gpu
def test_a_model_on_a_gpu_has_the_same_measures() -> None:
    network, points = random_module(0, 12, 3), draws(1, 9, 3)
    there, pairs = copy.deepcopy(network).cuda(), sample_pairs(points, 50, seed=0)
    assert torch.equal(sample_pairs(points.cuda(), 50, seed=0).cpu(), pairs)
    assert gradient_norm(there, points).value == pytest.approx(gradient_norm(network, points).value)
    for measure in (*PATH_LENGTHS, exact_function_path_length, exact_gradient_path_length):
        assert measure(there, pairs.cuda()).value == pytest.approx(measure(network, pairs).value)
    for name, penalty in PENALTIES.items():
        assert penalty(there, points.cuda()).item() == pytest.approx(penalty(network, points).item()), name
