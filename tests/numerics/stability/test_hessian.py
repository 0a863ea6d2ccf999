import math
import re
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from numerics import tangent
from numerics.networks import TwoLayerReLU
from numerics.reference import dense_hessian, dense_tangent_features
from numerics.stability import hessian as hessian_module
from numerics.stability import hessian_sharpness, residual_curvature, sharpness, sharpness_with_error
from theory.checks import Array
from theory.two_layer import Weights

EPS = float(np.finfo(np.float64).eps)

# Small integers make knots coincide, lie on data points, and weights vanish; powers of ten spread the scales.
ENTRIES = st.one_of(
    st.integers(-3, 3).map(float),
    st.floats(-10, 10, allow_subnormal=False),
    st.builds(lambda mantissa, exponent: mantissa * 10.0**exponent, st.integers(-9, 9), st.integers(-4, 4)),
)


@st.composite
def networks(draw: st.DrawFn) -> Weights:
    width = draw(st.integers(0, 6))
    columns = st.lists(ENTRIES, min_size=width, max_size=width).map(np.array)
    return Weights(draw(columns), draw(columns), draw(columns), draw(ENTRIES))


@st.composite
def problems(draw: st.DrawFn) -> tuple[Weights, Array, Array]:
    net, n = draw(networks()), draw(st.integers(1, 8))
    x = draw(st.lists(ENTRIES, min_size=n, max_size=n).map(np.array))
    with np.errstate(all="ignore"):
        knots = -net.b1 / net.w1
    knots = knots[np.isfinite(knots) & (np.abs(knots) < 1e6)]
    if len(knots):
        on_knots = draw(st.lists(st.sampled_from(list(knots)), max_size=3))
        x = np.concatenate([x, on_knots, np.nextafter(on_knots, np.inf), np.nextafter(on_knots, -np.inf)])
    return net, x, draw(st.lists(ENTRIES, min_size=len(x), max_size=len(x)).map(np.array))


def rounding(net: Weights, x: Array, y: Array) -> float:
    """What a few passes of float arithmetic over sums of n and of k terms may do to a Hessian, or its eigenvalues."""
    product, b1, w2 = np.abs(np.multiply.outer(x, net.w1)), np.abs(net.b1), np.abs(net.w2)
    activations = product + b1
    residuals = activations @ w2 + abs(net.b2) + np.abs(y)
    size = 1 + np.sum(activations**2 + np.multiply.outer(1 + x**2, w2**2), axis=1) + residuals * (1 + np.abs(x))
    return 4 * (len(x) + 3 * net.width + 16) * EPS * float(np.max(size))


def torch_network(seed: int, width: int, in_features: int) -> TwoLayerReLU:
    torch.manual_seed(seed)
    return TwoLayerReLU(width, in_features)


def draws(seed: int, *shape: int) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


def random_weights(seed: int, width: int) -> Weights:
    w1, b1, w2, b2 = np.split(draws(seed, 3 * width + 1), [width, 2 * width, 3 * width])
    return Weights(w1, b1, w2, b2[0])


@given(problems())
def test_activation_is_the_pattern_of_float_pre_activations(problem: tuple[Weights, Array, Array]) -> None:
    net, x, _ = problem
    weights = tangent.layers(net)
    active = tangent.activation(weights, tangent.inputs(weights, x))
    pattern = net.pre_activations(x) > 0
    np.testing.assert_array_equal(active.matmat(np.eye(net.width)), pattern)
    np.testing.assert_array_equal(active.rmatmat(np.eye(len(x))), pattern.T)


@given(problems(), st.integers(0, 10))
def test_products_with_the_tangent_map_match_the_explicit_features(
    problem: tuple[Weights, Array, Array], seed: int
) -> None:
    net, x, _ = problem
    weights = tangent.layers(net)
    points = tangent.inputs(weights, x)
    jacobian = tangent.tangent_map(weights, points, tangent.activation(weights, points))
    explicit = net.tangent_features(x)
    direction, cotangent = draws(seed, explicit.shape[1]), draws(seed + 1, len(x))
    bound = rounding(net, x, 0 * x) * math.sqrt(explicit.size)
    np.testing.assert_allclose(
        jacobian.matvec(direction), explicit @ direction, rtol=0, atol=bound * np.linalg.norm(direction)
    )
    np.testing.assert_allclose(
        jacobian.rmatvec(cotangent), explicit.T @ cotangent, rtol=0, atol=bound * np.linalg.norm(cotangent)
    )


@pytest.mark.parametrize("method", ["gram", "lanczos"])
@given(problem=problems())
def test_sharpness_is_the_top_of_the_autograd_hessian_at_interpolation(
    method: hessian_module.Method, problem: tuple[Weights, Array, Array]
) -> None:
    net, x, _ = problem
    y = net(x)
    expected = np.linalg.eigvalsh(dense_hessian(net, x, y))[-1]
    found = sharpness_with_error(net, x, method=method)
    # At y = f(x) the residuals that autograd sees are rounding errors of f; `rounding` counts them.
    assert abs(found.value - expected) <= found.error + rounding(net, x, y)


def exact_kernel_of_two(net: Weights, x: Array) -> tuple[Fraction, Fraction]:
    """The trace and the determinant of the rational 2 x 2 matrix Phi Phi^T / 2."""
    columns = [[Fraction(v) for v in column] for column in (net.w1, net.b1, net.w2)]
    exact = Weights(*(np.array(column, dtype=object) for column in columns), Fraction(net.b2))
    features = exact.tangent_features(np.array([Fraction(v) for v in x], dtype=object))
    kernel = features @ features.T / Fraction(2)
    return kernel[0, 0] + kernel[1, 1], kernel[0, 0] * kernel[1, 1] - kernel[0, 1] ** 2


@pytest.mark.parametrize("method", ["gram", "lanczos"])
@given(net=networks(), x=st.tuples(ENTRIES, ENTRIES))
def test_error_encloses_the_exact_eigenvalue(
    method: hessian_module.Method, net: Weights, x: tuple[float, float]
) -> None:
    points = np.array(x)
    assume(net.toggle_margin(points) > 4 * EPS)
    found = sharpness_with_error(net, points, method=method)
    trace, determinant = exact_kernel_of_two(net, points)
    above, below = Fraction(found.value) + Fraction(found.error), Fraction(found.value) - Fraction(found.error)
    # The larger root of t^2 - trace t + determinant is right of trace/2, where the parabola rises.
    assert above >= trace / 2
    assert above**2 - trace * above + determinant >= 0
    assert below <= trace / 2 or below**2 - trace * below + determinant <= 0


def test_error_is_small_where_nothing_cancels() -> None:
    found = sharpness_with_error(random_weights(0, 300), draws(1, 400), method="lanczos")
    assert found.error <= 1e-9 * found.value


def test_gram_and_lanczos_agree_on_a_larger_network() -> None:
    net, x = random_weights(2, 700), draws(3, 900)
    gram, lanczos = (sharpness_with_error(net, x, method=method) for method in ("gram", "lanczos"))
    assert abs(gram.value - lanczos.value) <= gram.error + lanczos.error


@pytest.mark.parametrize("n", [3, 400])
def test_auto_gives_the_same_value_as_either_method(n: int) -> None:
    net, x = random_weights(4, 20), draws(5, n)
    found, either = sharpness(net, x), sharpness_with_error(net, x, method="gram")
    assert abs(found - either.value) <= 2 * either.error


def test_sharpness_of_one_point_is_the_squared_gradient_norm() -> None:
    net = Weights([2.0, -1.0, 1.0], [1.0, 0.5, 0.0], [3.0, 5.0, -1.0], 0.0)
    # At x = 1 the first and the third unit are active, at heights 3 and 1: 1 + (3^2 + 1^2) + (1 + 1^2) (3^2 + 1^2).
    for method in ("auto", "gram", "lanczos"):
        assert sharpness(net, [1.0], method=method) == pytest.approx(31.0, rel=64 * EPS)


@pytest.mark.parametrize("method", ["gram", "lanczos"])
def test_sharpness_without_active_units_is_that_of_the_bias(method: hessian_module.Method) -> None:
    dead = Weights([1.0, 1.0], [-50.0, -60.0], [1.0, 1.0], 0.0)
    assert sharpness(dead, draws(6, 30), method=method) == pytest.approx(1.0, rel=64 * 30 * EPS)


@pytest.mark.parametrize(("in_features", "method"), [(1, "gram"), (1, "lanczos"), (3, "gram"), (3, "lanczos")])
def test_eigenvectors_attain_the_sharpness(in_features: int, method: hessian_module.Method) -> None:
    net, x = torch_network(7, 9, in_features), draws(8, 40, in_features)
    features = dense_tangent_features(net, x)
    found = sharpness_with_error(net, x, method=method)
    size = float(np.sum(features**2)) / len(x)
    bound = found.error + 64 * len(x) * EPS * size
    u, v = found.sample_direction, found.parameter_direction
    assert np.linalg.norm(u) == pytest.approx(1, rel=64 * EPS)
    assert np.linalg.norm(v) == pytest.approx(1, rel=64 * EPS)
    assert np.linalg.norm(features @ (features.T @ u) / len(x) - found.value * u) <= bound
    # Multiplying the residual of u by Phi^T and dividing by ||Phi^T u|| = sqrt(n value) leaves that of v.
    growth = math.sqrt(size / found.value)
    assert np.linalg.norm(features.T @ (features @ v) / len(x) - found.value * v) <= growth * bound
    assert found.value == pytest.approx(np.linalg.eigvalsh(features @ features.T / len(x))[-1], abs=bound)


@pytest.mark.parametrize("dense_parameters", [256, 0])
@given(problem=problems())
def test_hessian_sharpness_is_the_top_of_the_autograd_hessian(
    dense_parameters: int, problem: tuple[Weights, Array, Array]
) -> None:
    net, x, y = problem
    assume(net.width > 0)
    expected = np.linalg.eigvalsh(dense_hessian(net, x, y))[-1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hessian_module, "DENSE_PARAMETERS", dense_parameters)
        found = hessian_sharpness(net, x, y)
    assert abs(found - expected) <= 1e-10 * abs(expected) + rounding(net, x, y)


@given(problems())
def test_residual_curvature_is_the_norm_of_the_autograd_residual_term(problem: tuple[Weights, Array, Array]) -> None:
    net, x, y = problem
    features = dense_tangent_features(net, x)
    residual_term = dense_hessian(net, x, y) - features.T @ features / len(x)
    found = residual_curvature(net, x, y)
    assert abs(found - np.linalg.norm(residual_term, 2)) <= rounding(net, x, y)


@given(problems())
def test_sharpness_and_hessian_sharpness_differ_by_at_most_the_residual_curvature(
    problem: tuple[Weights, Array, Array],
) -> None:
    net, x, y = problem
    difference = abs(hessian_sharpness(net, x, y) - sharpness(net, x))
    assert difference <= residual_curvature(net, x, y) + rounding(net, x, y)


@pytest.mark.parametrize("in_features", [1, 2, 5])
@pytest.mark.parametrize("dense_parameters", [256, 0])
def test_measures_of_modules_match_autograd(
    in_features: int, dense_parameters: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hessian_module, "DENSE_PARAMETERS", dense_parameters)
    monkeypatch.setattr(tangent, "CHUNK_ENTRIES", 16)
    net, x, y = torch_network(9, 7, in_features), draws(10, 23, in_features), draws(11, 23)
    features, hessian = dense_tangent_features(net, x), dense_hessian(net, x, y)
    gauss_newton = features.T @ features / len(x)
    top = np.linalg.eigvalsh(gauss_newton)[-1]
    assert sharpness(net, x, method="gram") == pytest.approx(top, rel=1e-12)
    assert sharpness(net, x, method="lanczos") == pytest.approx(top, rel=1e-12)
    assert hessian_sharpness(net, x, y) == pytest.approx(np.linalg.eigvalsh(hessian)[-1], rel=1e-12)
    residual_norm = np.linalg.norm(hessian - gauss_newton, 2)
    assert residual_curvature(net, x, y) == pytest.approx(residual_norm, rel=1e-12)


@given(problems())
def test_mean_loss_doubles_every_measure(problem: tuple[Weights, Array, Array]) -> None:
    net, x, y = problem
    assert sharpness(net, x, loss="mean") == 2 * sharpness(net, x, loss="half_mean")
    assert sharpness_with_error(net, x, loss="mean").error == 2 * sharpness_with_error(net, x).error
    assert hessian_sharpness(net, x, y, loss="mean") == 2 * hessian_sharpness(net, x, y, loss="half_mean")
    assert residual_curvature(net, x, y, loss="mean") == 2 * residual_curvature(net, x, y, loss="half_mean")


def test_mean_loss_is_that_of_the_autograd_hessian() -> None:
    net, x, y = random_weights(12, 5), draws(13, 6), draws(14, 6)
    expected = np.linalg.eigvalsh(dense_hessian(net, x, y, loss="mean"))[-1]
    assert hessian_sharpness(net, x, y, loss="mean") == pytest.approx(expected, rel=1e-12)


def test_a_module_and_its_weights_have_the_same_measures() -> None:
    weights, x, y = random_weights(15, 6), draws(16, 9), draws(17, 9)
    net = TwoLayerReLU.from_weights(weights)
    assert sharpness(net, x) == sharpness(weights, x)
    assert hessian_sharpness(net, torch.from_numpy(x), torch.from_numpy(y)) == hessian_sharpness(weights, x, y)
    assert residual_curvature(net, x[:, None], y) == residual_curvature(weights, x, list(y))


def test_a_float32_network_is_measured_in_float64() -> None:
    single = torch_network(18, 6, 2).to(torch.float32)
    double = torch_network(18, 6, 2)
    double.load_state_dict(single.state_dict())
    x = draws(19, 9, 2).astype(np.float32)
    assert sharpness(single, torch.from_numpy(x)) == sharpness(double, x)


def test_exact_weights_are_rounded() -> None:
    thirds = [Fraction(1, 3), Fraction(2, 3)]
    exact, rounded = Weights(thirds, thirds, thirds, 0), Weights([1 / 3, 2 / 3], [1 / 3, 2 / 3], [1 / 3, 2 / 3], 0)
    assert sharpness(exact, [1.0, 2.0]) == sharpness(rounded, [1.0, 2.0])


@pytest.mark.gpu
def test_measures_on_a_cuda_device_match_the_host() -> None:
    host, x, y = torch_network(20, 50, 3), draws(21, 200, 3), draws(22, 200)
    device = torch_network(20, 50, 3).to("cuda")
    for method in ("gram", "lanczos"):
        assert sharpness(device, torch.from_numpy(x).cuda(), method=method) == pytest.approx(
            sharpness(host, x, method=method), rel=1e-12
        )
    assert hessian_sharpness(device, x, y) == pytest.approx(hessian_sharpness(host, x, y), rel=1e-12)


LINE, PLANE = random_weights(23, 2), torch_network(24, 2, 2)
BROKEN = torch_network(25, 2, 1)
with torch.no_grad():
    BROKEN.hidden.bias[1] = math.nan

BAD_INPUTS = [
    (LINE, [0.0, math.nan], ValueError, "x must hold finite numbers, got nan at index 1"),
    (LINE, torch.tensor([[0.0], [math.inf]]).double(), ValueError, "x must hold finite numbers, got inf at index 1"),
    (LINE, ["a"], TypeError, "x must hold real numbers, got 'a' of type str"),
    (LINE, [], ValueError, "x must hold at least one data point, got 0"),
    (LINE, np.ones((3, 2)), ValueError, "x must have shape [n] or [n, 1] for a network of 1 input, got shape (3, 2)"),
    (LINE, 1.0, ValueError, "x must have shape [n] or [n, 1] for a network of 1 input, got shape ()"),
    (PLANE, np.ones(3), ValueError, "x must have shape [n, 2] for a network of 2 inputs, got shape (3,)"),
    (PLANE, np.ones((3, 1)), ValueError, "x must have shape [n, 2] for a network of 2 inputs, got shape (3, 1)"),
    (PLANE, np.ones((0, 2)), ValueError, "x must hold at least one data point, got 0"),
    (LINE, torch.ones(3), TypeError, "x must have the dtype of net, torch.float64, got torch.float32"),
    (
        LINE,
        torch.ones(3, dtype=torch.float64, device="meta"),
        ValueError,
        "x must be on the device of net, cpu, got meta",
    ),
    (0.5, [1.0], TypeError, "net must be a TwoLayerReLU or Weights, got 0.5 of type float"),
    (BROKEN, [1.0], ValueError, "net must have finite weights, got nan or inf in hidden.bias"),
    (
        LINE,
        [1e200],
        ValueError,
        "x and net must be small enough for the tangent kernel to be finite in float64, but it overflows",
    ),
]


@pytest.mark.parametrize(("net", "x", "kind", "message"), BAD_INPUTS)
def test_bad_networks_and_inputs_are_named(net: object, x: object, kind: type[Exception], message: str) -> None:
    measures = [sharpness_with_error, lambda net, x: hessian_sharpness(net, x, [1.0])]
    for measure in [*measures, lambda net, x: residual_curvature(net, x, [1.0])]:
        with pytest.raises(kind, match=f"^{re.escape(message)}$"):
            measure(net, x)


BAD_TARGETS = [
    ([1.0], ValueError, "y must have shape [2], one target for each data point of x, got shape (1,)"),
    (np.ones((2, 1)), ValueError, "y must have shape [2], one target for each data point of x, got shape (2, 1)"),
    ([1.0, math.nan], ValueError, "y must hold finite numbers, got nan at index 1"),
    ([1.0, None], TypeError, "y must hold real numbers, got None of type NoneType"),
    (torch.ones(2), TypeError, "y must have the dtype of net, torch.float64, got torch.float32"),
    (
        [1e308, 1e308],
        ValueError,
        "x, y and net must be small enough for the Hessian to be finite in float64, but it overflows",
    ),
]


@pytest.mark.parametrize(("y", "kind", "message"), BAD_TARGETS)
def test_bad_targets_are_named(y: object, kind: type[Exception], message: str) -> None:
    active = Weights([1.0], [0.0], [1.0], 0.0)
    for measure in (hessian_sharpness, residual_curvature):
        with pytest.raises(kind, match=f"^{re.escape(message)}$"):
            measure(active, [10.0, 20.0], y)


def test_unknown_loss_is_named() -> None:
    message = "^loss must be one of 'half_mean', 'mean', got 'sum'$"
    with pytest.raises(ValueError, match=message):
        sharpness_with_error(LINE, [1.0], loss="sum")
    with pytest.raises(ValueError, match=message):
        hessian_sharpness(LINE, [1.0], [1.0], loss="sum")
    with pytest.raises(ValueError, match=message):
        residual_curvature(LINE, [1.0], [1.0], loss="sum")


def test_unknown_method_is_named() -> None:
    with pytest.raises(ValueError, match=r"^method must be one of 'auto', 'gram', 'lanczos', got 'power'$"):
        sharpness(LINE, [1.0], method="power")


def test_tolerance_must_be_positive() -> None:
    with pytest.raises(ValueError, match=r"^tolerance must be finite and above 0, got 0$"):
        sharpness(LINE, [1.0], tolerance=0)
    with pytest.raises(ValueError, match=r"^tolerance must be finite and above 0, got -1.0$"):
        hessian_sharpness(LINE, [1.0], [1.0], tolerance=-1.0)


def test_lanczos_that_stops_short_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hessian_module, "LANCZOS_RESTARTS", 1)
    # Points on a circle, one unit cut off around each: the kernel is nearly diagonal, its top hardly stands out.
    angles = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    circle = torch.from_numpy(np.column_stack([np.cos(angles), np.sin(angles)]))
    net = TwoLayerReLU(200, 2)
    with torch.no_grad():
        net.hidden.weight.copy_(circle)
        net.hidden.bias.fill_(-math.cos(angles[1] / 2))
        net.output.weight.copy_(torch.linspace(1000, 1100, 200)[None])
    with pytest.raises(RuntimeError, match=r"^Lanczos iteration did not reach tolerance 1e-14, try a larger one$"):
        sharpness(net, circle, method="lanczos", tolerance=1e-14)
    monkeypatch.undo()
    assert sharpness(net, circle, method="lanczos") == pytest.approx(sharpness(net, circle, method="gram"), rel=1e-9)
