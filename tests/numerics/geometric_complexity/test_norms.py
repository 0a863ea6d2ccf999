import copy
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from torch import nn

from numerics.geometric_complexity import norms, operator_norm, reshaped_kernel_norm
from numerics.geometric_complexity.certified import norm_of, upper_bounds
from theory.checks import Array

EPS = float(np.finfo(np.float64).eps)


def drawn(layer: Any, seed: int, dtype: torch.dtype = torch.float64) -> Any:
    weight = np.random.default_rng(seed).standard_normal(tuple(layer.weight.shape))
    layer.weight = nn.Parameter(torch.from_numpy(weight).to(dtype))
    if layer.bias is not None:
        layer.bias = nn.Parameter(layer.bias.detach().to(dtype))
    return layer


def slow(layer: Any, shape: tuple[int, ...]) -> float:
    """Return the norm by LAPACK, of the matrix whose columns are the images of unit vectors."""
    units = torch.eye(math.prod(shape), dtype=torch.float64).reshape(-1, *shape)
    layer = copy.deepcopy(layer).double()
    layer.bias = None  # what is left is linear
    with torch.no_grad():
        columns: Array = torch.stack([layer(unit[None]).reshape(-1) for unit in units], dim=1).numpy()
    return float(np.linalg.norm(columns, 2))


@pytest.fixture(params=["matrix", "frequencies"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let convolutions be written out, or go through the frequencies, whatever their size."""
    if request.param == "frequencies":
        monkeypatch.setattr(norms, "DENSE", 0)
    return str(request.param)


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[Any, tuple[int, ...]]:
    axes = draw(st.integers(1, 2))

    def each(values: st.SearchStrategy[int]) -> tuple[int, ...]:
        return tuple(draw(values) for _ in range(axes))

    groups = draw(st.integers(1, 2))
    mode = draw(st.sampled_from(["zeros", "zeros", "circular", "reflect", "replicate"]))
    sizes, kernel, padding = each(st.integers(3, 5)), each(st.integers(1, 3)), each(st.integers(0, 2))
    stride, dilation = each(st.integers(1, 3)), each(st.integers(1, 2))
    spans = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    assume(all(span <= n + 2 * p for span, n, p in zip(spans, sizes, padding, strict=True)))
    inside, outside = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    kind: Any = (nn.Conv1d, nn.Conv2d)[axes - 1]
    layer = kind(
        inside, outside, kernel, stride=stride, padding=padding, dilation=dilation, groups=groups, padding_mode=mode
    )
    return drawn(layer, draw(st.integers(0, 1000))), (inside, *sizes)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=convolutions())
def test_bounds_contain_the_norm_of_the_matrix(case: tuple[Any, tuple[int, ...]], way: str) -> None:
    layer, shape = case
    found, expected = operator_norm(layer, shape), slow(layer, shape)
    rounding = 1e-12 * expected  # of LAPACK
    assert found.method == way
    assert found.lower <= expected + rounding
    assert expected - rounding <= found.upper
    if way == "matrix":
        assert found.upper <= found.lower * (1 + 1e-9) + 1e-300


@pytest.mark.parametrize("kernel", [(1, 3), (2, 2), (3, 3), (5, 5)])
def test_on_a_torus_the_bounds_are_close(kernel: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    layer = drawn(nn.Conv2d(3, 4, kernel, padding="same", padding_mode="circular"), 0)
    expected = slow(layer, (3, 7, 6))
    monkeypatch.setattr(norms, "DENSE", 0)
    found = operator_norm(layer, (3, 7, 6), power_iterations=300)
    assert found.upper == pytest.approx(expected, rel=1e-6)
    assert found.lower == pytest.approx(expected, rel=1e-4)
    assert found.lower <= expected <= found.upper


@pytest.mark.parametrize("stride", [1, 2])
def test_a_strided_convolution_on_a_torus_mixes_frequencies(stride: int, monkeypatch: pytest.MonkeyPatch) -> None:
    layer = drawn(nn.Conv2d(2, 3, 3, stride, 1, padding_mode="circular"), 1)
    expected = slow(layer, (2, 8, 8))
    monkeypatch.setattr(norms, "DENSE", 0)
    assert operator_norm(layer, (2, 8, 8)).upper == pytest.approx(expected, rel=1e-6)


def test_it_is_the_norm_of_the_map_and_not_of_the_reshaped_kernel() -> None:
    layer = nn.Conv1d(1, 1, 3, padding=1, padding_mode="circular", bias=False)
    with torch.no_grad():
        layer.weight.fill_(1.0)
    assert operator_norm(layer, (1, 8)).upper == pytest.approx(3.0, rel=1e-9)
    assert reshaped_kernel_norm(layer).upper == pytest.approx(math.sqrt(3), rel=1e-9)


def test_within_a_percent_for_64_channels() -> None:
    layer = nn.Conv2d(64, 64, 5, padding=2)
    with torch.no_grad():
        draws = np.random.default_rng(0).standard_normal(tuple(layer.weight.shape))
        layer.weight.copy_(torch.from_numpy(draws / 40))
    found = operator_norm(layer, (64, 32, 32))
    assert found.method == "frequencies"
    assert found.lower < found.upper <= 1.01 * found.lower


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_types_and_sizes_of_weights(dtype: torch.dtype, scale: float, way: str) -> None:
    layer = drawn(nn.Conv2d(3, 2, 3, padding=1), 2, dtype)
    with torch.no_grad():
        layer.weight.mul_(scale)
    found, expected = operator_norm(layer, (3, 6, 6)), slow(layer, (3, 6, 6))
    assert found.lower <= expected * (1 + 1e-12)
    assert expected * (1 - 1e-12) <= found.upper <= 1.5 * expected


def test_linear_layers_and_zeros(way: str) -> None:
    layer = drawn(nn.Linear(5, 3), 0)
    found = operator_norm(layer, (7, 5))
    expected = float(np.linalg.norm(layer.weight.detach().numpy(), 2))
    assert found.lower <= expected <= found.upper <= found.lower * (1 + 1e-12)
    zero = nn.Conv2d(2, 2, 3)
    with torch.no_grad():
        zero.weight.zero_()
    assert operator_norm(zero, (2, 5, 5)).lower == 0 == operator_norm(zero, (2, 5, 5)).upper


def gram_iteration(matrices: torch.Tensor, steps: int) -> Array:
    """Return the bounds of Delattre et al. (ICML 2023), in the floats that they are computed in."""
    logarithms = torch.zeros(len(matrices))
    for _ in range(steps):
        sizes = matrices.flatten(1).norm(dim=1)
        logarithms = 2 * (logarithms + sizes.log())
        matrices = matrices / sizes[:, None, None]
        matrices = matrices.mH @ matrices
    bounds: Array = torch.exp((matrices.flatten(1).norm(dim=1).log() + logarithms) / 2**steps).numpy()
    return bounds


def test_gram_iteration_in_floats_is_below_the_truth_where_these_bounds_are_not() -> None:
    draws = np.random.default_rng(0).standard_normal((300, 1, 9)) + 0j
    matrices = torch.from_numpy(draws).to(torch.complex64)
    exact = np.linalg.norm(matrices.numpy().astype(np.complex128), axis=(1, 2))  # one row: the norm is its length
    assert np.sum(gram_iteration(matrices, 10).astype(np.float64) < exact * (1 - 1e-12)) > 50
    upper, lower = upper_bounds(matrices, 0.0, 10)
    assert np.all(upper >= exact)
    assert np.all(lower <= exact * (1 + 1e-3))


@given(
    seed=st.integers(0, 10**6),
    m=st.integers(1, 4),
    a=st.integers(1, 5),
    more=st.integers(0, 4),
    steps=st.integers(0, 12),
)
@settings(max_examples=100, deadline=None)
def test_upper_bounds_are_above_the_norms(seed: int, m: int, a: int, more: int, steps: int) -> None:
    rng = np.random.default_rng(seed)
    draws = rng.standard_normal((m, a, a + more)) + 1j * rng.standard_normal((m, a, a + more))
    matrices = torch.from_numpy(draws * 10.0 ** rng.integers(-8, 3, size=(m, 1, 1))).to(torch.complex64)
    matrices = torch.cat([matrices, matrices])  # so that two of them remain
    exact = np.linalg.norm(matrices.numpy().astype(np.complex128), 2, axis=(1, 2))
    upper, lower = upper_bounds(matrices, 0.0, steps)
    assert np.all(upper >= exact * (1 - 1e-13))
    assert np.all(lower <= exact * (1 + 1e-3))
    best = int(np.argmax(exact))
    if steps == 12:
        assert upper.max() <= exact[best] * (1 + 1e-2)


@given(
    matrix=st.integers(1, 5).flatmap(
        lambda a: st.lists(st.lists(st.integers(-4, 4), min_size=a, max_size=a), min_size=1, max_size=5)
    ),
    phase=st.booleans(),
    power=st.integers(-600, 600),
)
@settings(deadline=None)
def test_the_norm_of_a_matrix_is_enclosed(matrix: list[list[int]], phase: bool, power: int) -> None:
    plain = np.array(matrix, dtype=float)
    given_matrix = plain * 2.0**power * (1j if phase else 1.0)
    found, expected = norm_of(given_matrix), float(np.linalg.norm(plain, 2))
    assert float(found.lower) / 2.0**power <= expected * (1 + 1e-13)
    assert expected * (1 - 1e-13) <= float(found.upper) / 2.0**power <= expected * (1 + 1e-9)


@pytest.mark.parametrize(
    ("layer", "shape", "error", "message"),
    [
        (nn.ReLU(), (3,), TypeError, "layer must be a torch.nn.modules.linear.Linear or"),
        (nn.ConvTranspose2d(1, 1, 2), (1, 4, 4), TypeError, "got ConvTranspose2d"),
        (nn.Linear(3, 2), (2,), ValueError, "input_shape must end in 3"),
        (nn.Conv2d(3, 2, 3), (2, 5, 5), ValueError, r"input_shape must be \(3, n, n\)"),
        (nn.Conv2d(3, 2, 3), (3, 5), ValueError, r"input_shape must be \(3, n, n\)"),
        (nn.Conv2d(3, 2, 3), (3, 2, 2), ValueError, "one that the layer takes"),
        (nn.Conv2d(3, 2, 3), (3, 5.0, 5), TypeError, "input_shape must be an integer"),
        (nn.Conv2d(3, 2, 3), (3, 0, 5), ValueError, "input_shape must be at least 1"),
    ],
    ids=["relu", "transposed", "features", "channels", "axes", "small", "float", "empty"],
)
def test_bad_input_is_named(layer: Any, shape: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        operator_norm(layer, shape)


def test_a_weight_that_is_nan_is_named() -> None:
    layer = nn.Linear(2, 2)
    with torch.no_grad():
        layer.weight[0, 0] = math.nan
    with pytest.raises(ValueError, match="finite weights"):
        operator_norm(layer, (2,))
