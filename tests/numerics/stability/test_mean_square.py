import itertools
import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from scipy.linalg import eigh, solve_continuous_lyapunov

from numerics.stability import Threshold, mean_square, mean_square_threshold, reshuffling_growth, secular, verify
from numerics.stability import spectrum as spectrum_module
from theory.checks import Array
from theory.enclosure import positive_semidefinite
from theory.linear_stability import noise_share, second_moment_step
from theory.symbols import Sampling

FRESH: tuple[Sampling, ...] = ("without_replacement", "with_replacement")


def draws(seed: int, *shape: int) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


def problem(seed: int, *, most_points: int = 6, most_features: int = 5) -> tuple[Array, int]:
    """Draw features of every kind: more points than features or fewer, dependent, repeated, zero, of many sizes."""
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(1, most_points + 1)), int(rng.integers(1, most_features + 1))
    features = rng.standard_normal((n, d)) * 10.0 ** rng.integers(-3, 4)
    kind = seed % 6
    if kind == 1:
        features = rng.standard_normal((n, 1)) @ rng.standard_normal((1, d))
    elif kind == 2:
        features = features[rng.integers(0, n, n)]
    elif kind == 3 and n > 1:
        features[rng.integers(0, n)] = 0
    elif kind == 4:
        features = np.round(rng.standard_normal((n, d)) * 2)
        features[0, 0] += 0.5
    elif kind == 5:
        features = features * 10.0 ** rng.integers(-2, 3, (n, 1))
    return features, int(rng.integers(1, n + 1))


def on_the_span(features: Array) -> Array:
    """Return the features in an orthonormal basis of their span, [n, r]."""
    _, sizes, directions = np.linalg.svd(features, full_matrices=False)
    return features @ directions[: int(np.sum(sizes > 1e-11 * sizes[0]))].T


def step_on(points: Array, batch: tuple[int, ...], step_size: float) -> Array:
    rows = points[list(batch)]
    return np.eye(points.shape[1]) - step_size / len(batch) * rows.T @ rows


def growth_of_a_step(features: Array, batch: int, step_size: float, sampling: Sampling) -> float:
    """Return the spectral radius of the mean of A (x) A over all batches that may be drawn."""
    points = on_the_span(features)
    indices = range(len(points))
    every = (
        list(itertools.combinations(indices, batch))
        if sampling == "without_replacement"
        else list(itertools.product(indices, repeat=batch))
    )
    steps = [step_on(points, part, step_size) for part in every]
    return float(np.max(np.abs(np.linalg.eigvals(np.mean([np.kron(step, step) for step in steps], axis=0)))))


def growth_of_an_epoch(features: Array, batch: int, step_size: float) -> float:
    """Return the spectral radius of the mean of A (x) A over all orders of the points."""
    points = on_the_span(features)
    total, orders = np.zeros((points.shape[1] ** 2,) * 2), list(itertools.permutations(range(len(points))))
    for order in orders:
        whole = np.eye(points.shape[1])
        for start in range(0, len(order), batch):
            whole = step_on(points, order[start : start + batch], step_size) @ whole
        total += np.kron(whole, whole)
    return float(np.max(np.abs(np.linalg.eigvals(total / len(orders)))))


def share_of(n: int, batch: int, sampling: Sampling) -> float:
    return float(noise_share(n, batch)) if sampling == "without_replacement" else 1 / batch


def dense_threshold(features: Array, share: float) -> float:
    """Return 2/lambda_max(C^+ D) from matrices of r^2 x r^2 entries."""
    points = on_the_span(features)
    n, r = points.shape
    hessian, one = points.T @ points / n, np.eye(r)
    c = (np.kron(hessian, one) + np.kron(one, hessian)) / 2
    pairs = np.array([np.kron(row, row) for row in points])
    d = (1 - share) * np.kron(hessian, hessian) + share / n * pairs.T @ pairs
    return 2 / float(eigh(d, c, eigvals_only=True)[-1])


@pytest.mark.parametrize("seed", range(200))
def test_threshold_is_that_of_the_dense_eigenproblem(seed: int) -> None:
    features, batch = problem(seed, most_points=8, most_features=7)
    for sampling in FRESH:
        found = mean_square_threshold(features, batch, sampling=sampling)
        dense = dense_threshold(features, share_of(len(features), batch, sampling))
        assert found.value == pytest.approx(dense, rel=1e-9)
        assert found.lower <= found.value <= found.upper
        assert found.upper / found.lower - 1 < 1e-9
        assert verify(found, features, batch, sampling=sampling)


@pytest.mark.parametrize("sampling", FRESH)
@pytest.mark.parametrize("seed", range(60))
def test_growth_over_all_batches_is_one_at_the_threshold(seed: int, sampling: Sampling) -> None:
    features, batch = problem(seed, most_points=5)
    found = mean_square_threshold(features, batch, sampling=sampling).value
    # A spectral radius of 1 is right to some roundings of T, whose norm may be large where sizes differ.
    assert growth_of_a_step(features, batch, found, sampling) == pytest.approx(1, abs=1e-9)
    assert growth_of_a_step(features, batch, found * (1 + 1e-3), sampling) > 1
    assert growth_of_a_step(features, batch, found * (1 - 1e-3), sampling) < 1 + 1e-13


@pytest.mark.parametrize(("points", "size", "batch"), [(80, 9, 1), (80, 9, 8), (100, 3, 99), (70, 8, 70), (65, 1, 4)])
def test_more_points_than_are_written_out(points: int, size: int, batch: int) -> None:
    features = draws(points + size, points, size)
    for sampling in FRESH:
        found = mean_square_threshold(features, batch, sampling=sampling)
        dense = dense_threshold(features, share_of(points, batch, sampling))
        assert found.value == pytest.approx(dense, rel=1e-9)
        assert found.lower <= dense * (1 + 1e-11)
        assert dense <= found.upper * (1 + 1e-11)
        assert found.upper / found.lower - 1 < 1e-8
        assert verify(found, features, batch, sampling=sampling)


def test_more_features_than_points() -> None:
    features = draws(3, 90, 3000)
    found = mean_square_threshold(features, 8)
    assert verify(found, features, 8)
    assert found.upper / found.lower - 1 < 1e-8
    # Rows of the Cholesky factor have the same Gram matrix, and every test of the certificate asks for no more.
    same = np.linalg.cholesky(features @ features.T)
    assert mean_square_threshold(same, 8).value == pytest.approx(found.value, rel=1e-10)


@pytest.mark.parametrize("seed", range(20))
def test_bounds_hold_in_exact_arithmetic(seed: int) -> None:
    rng = np.random.default_rng(seed)
    features = rng.integers(-3, 4, (4, 2)) + np.array([[4, 0], [0, 4], [0, 0], [0, 0]])
    batch = int(rng.integers(1, 5))
    found = mean_square_threshold(features, batch)
    hessians = np.array([[[Fraction(int(a * b)) for b in row] for a in row] for row in features], dtype=object)
    units = np.eye(4, dtype=int).reshape(4, 2, 2)

    def stable(step_size: float) -> bool:
        step = [second_moment_step(unit, hessians, Fraction(step_size), batch).ravel() for unit in units]
        return positive_semidefinite(np.eye(4, dtype=int) - np.array(step))

    assert stable(found.lower)
    assert not stable(math.nextafter(found.upper, math.inf))


@pytest.mark.parametrize("batch", [1, 3])
def test_the_vector_is_a_positive_definite_matrix_that_shrinks(batch: int) -> None:
    features = draws(5, 4, 4)
    n, p = 4, float(noise_share(4, batch))
    found = mean_square_threshold(features, batch)
    # At a slightly smaller step the same vector leaves more room, which rounding here does not fill.
    step_size = found.lower * 0.9999
    inverse = np.linalg.inv(features @ features.T / n)
    rates = inverse / step_size - (1 - p) / 2 * np.eye(n)
    z = solve_continuous_lyapunov(rates, p * n * np.diag(found.certificate.stable))
    back = np.linalg.inv(features)
    x = n * back @ z @ back.T
    steps = [step_on(features, part, step_size) for part in itertools.combinations(range(n), batch)]
    after = [step @ x @ step for step in steps]
    assert np.linalg.eigvalsh(x)[0] > 0
    assert np.linalg.eigvalsh(x - np.mean(after, axis=0))[0] > 0


@pytest.mark.parametrize("seed", range(10))
def test_a_batch_of_all_points_is_gradient_descent(seed: int) -> None:
    features, _ = problem(seed)
    n = len(features)
    edge = 2 / float(np.linalg.norm(features, 2) ** 2 / n)
    for sampling in ("without_replacement", "reshuffling"):
        assert mean_square_threshold(features, n, sampling=sampling).value == pytest.approx(edge, rel=1e-12)


@pytest.mark.parametrize("sampling", FRESH)
@pytest.mark.parametrize("seed", range(5))
def test_larger_batches_bear_larger_steps(seed: int, sampling: Sampling) -> None:
    features = draws(seed, 12, 2 + 3 * seed)
    found = [mean_square_threshold(features, batch, sampling=sampling) for batch in range(1, 13)]
    for smaller, larger in itertools.pairwise(found):
        assert smaller.upper < larger.lower
    if sampling == "with_replacement":
        without = [mean_square_threshold(features, batch).value for batch in range(1, 13)]
        assert found[0].value == pytest.approx(without[0], rel=1e-12)
        assert all(a.value < b for a, b in zip(found[1:], without[1:], strict=True))


@pytest.mark.parametrize("batch", [1, 2, 5, 7])
def test_one_dimension_has_a_closed_form(batch: int) -> None:
    features = draws(batch, 7, 1)
    curvatures = features[:, 0] ** 2
    p, h, variance = float(noise_share(7, batch)), np.mean(curvatures), np.var(curvatures)
    # (1 - eta h)^2 + eta^2 p s^2 = 1: walker2023, Theorem 2.4 in one dimension
    assert mean_square_threshold(features, batch).value == pytest.approx(2 * h / (h**2 + p * variance), rel=1e-13)


@pytest.mark.parametrize("batch", [1, 2, 6])
def test_orthonormal_features_are_stable_up_to_twice_the_batch_size(batch: int) -> None:
    # Only the point's own batches move its coordinate: probability B/n, factor 1 - eta/B.
    assert mean_square_threshold(np.eye(6, 9), batch).value == pytest.approx(2 * batch, rel=1e-13)


def test_step_sizes_belong_to_a_loss() -> None:
    features = draws(0, 5, 3)
    for sampling in (*FRESH, "reshuffling"):
        half_mean = mean_square_threshold(features, 2, sampling=sampling)
        mean = mean_square_threshold(features, 2, sampling=sampling, loss="mean")
        assert (mean.lower, mean.value, mean.upper) == (
            half_mean.lower / 2,
            half_mean.value / 2,
            half_mean.upper / 2,
        )
        assert verify(mean, features, 2, sampling=sampling, loss="mean")
        assert not verify(mean, features, 2, sampling=sampling)


def test_sizes_near_the_ends_of_the_range_of_floats() -> None:
    features = draws(0, 5, 3)
    plain = mean_square_threshold(features, 2)
    for exponent in (-490, 490):
        scaled = mean_square_threshold(np.ldexp(features, exponent), 2)
        assert math.ldexp(scaled.value, 2 * exponent) == plain.value
        assert verify(scaled, np.ldexp(features, exponent), 2)
    for exponent in (-600, 600):
        with pytest.raises(ValueError, match="features must be of a size for which the threshold is a float"):
            mean_square_threshold(np.ldexp(features, exponent), 2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_tensors_arrays_and_lists_are_the_same(dtype: torch.dtype) -> None:
    features = torch.from_numpy(draws(1, 6, 1500)).to(dtype).requires_grad_()
    array = features.detach().numpy()
    expected = mean_square_threshold(array.astype(np.float64), 2)
    for same in (features, array, array.tolist()):
        found = mean_square_threshold(same, 2)
        assert (found.lower, found.value, found.upper) == (expected.lower, expected.value, expected.upper)
        assert verify(found, same, 2)


@pytest.mark.parametrize("sampling", [*FRESH, "reshuffling"])
def test_features_that_vanish_bear_any_step(sampling: Sampling) -> None:
    found = mean_square_threshold(np.zeros((3, 2)), 1, sampling=sampling)
    assert (found.lower, found.value, found.upper, found.method) == (math.inf, math.inf, math.inf, "zero")
    assert verify(found, np.zeros((3, 2)), 1, sampling=sampling)
    assert not verify(found, np.ones((3, 2)), 1, sampling=sampling)
    assert not verify(mean_square_threshold(np.ones((3, 2)), 1, sampling=sampling), np.zeros((3, 2)), 1)


def spoilt(found: Threshold) -> list[tuple[str, Threshold]]:
    stable, unstable = found.certificate.stable, found.certificate.unstable
    halved = stable.copy()
    halved[np.unravel_index(np.argmax(np.abs(halved)), halved.shape)] /= 2
    return [
        (
            "lower too large",
            replace(found, lower=found.lower * 1.0001, value=found.upper * 1.001, upper=found.upper * 2),
        ),
        (
            "upper too small",
            replace(found, upper=found.upper / 1.0001, value=found.lower / 1.001, lower=found.lower / 2),
        ),
        ("an entry of stable", replace(found, certificate=replace(found.certificate, stable=halved))),
        ("negative", replace(found, certificate=replace(found.certificate, stable=-stable))),
        ("nan", replace(found, certificate=replace(found.certificate, unstable=unstable * math.nan))),
        ("no direction", replace(found, certificate=replace(found.certificate, unstable=unstable * 0))),
        ("shape", replace(found, certificate=replace(found.certificate, stable=stable[:-1]))),
        ("out of order", replace(found, lower=found.upper, upper=found.lower)),
    ]


@pytest.mark.parametrize("sampling", [*FRESH, "reshuffling"])
def test_a_certificate_that_was_tampered_with_is_rejected(sampling: Sampling) -> None:
    features = draws(7, 6, 4)
    found = mean_square_threshold(features, 2, sampling=sampling)
    assert verify(found, features, 2, sampling=sampling)
    for what, wrong in spoilt(found):
        assert not verify(wrong, features, 2, sampling=sampling), what
    assert not verify(found, features, 1, sampling=sampling)
    assert not verify(found, features, 3, sampling=sampling)
    assert not verify(found, features * 1.0001, 2, sampling=sampling)
    assert not verify(found, features / 1.0001, 2, sampling=sampling)
    assert not verify(found, features[:-1], 2, sampling=sampling)


@pytest.mark.parametrize("seed", range(30))
def test_no_vector_proves_a_wrong_bound(seed: int) -> None:
    features, batch = problem(seed)
    spectrum, share = mean_square._problem(features, batch, "without_replacement")
    assert share is not None
    n = len(features)
    threshold = math.ldexp(dense_threshold(features, float(share)), 2 * spectrum.exponent)
    found = mean_square_threshold(features, batch).certificate.stable
    assert not secular.below(spectrum, share, 2 / threshold * (1 - 1e-3), -found)
    for q in (found, np.ones(n), np.random.default_rng(seed).uniform(0.1, 1, n)):
        assert not secular.below(spectrum, share, 2 / threshold * (1 - 1e-9), q)
        assert secular.floor(spectrum, share, 2 / threshold, q) <= 2 / threshold * (1 + 1e-12)
        for _ in range(3):
            t = 2 / threshold * float(np.random.default_rng(seed).uniform(0.5, 2))
            assert secular.floor(spectrum, share, t, q) <= 2 / threshold * (1 + 1e-12)


@pytest.mark.parametrize(("error_size", "omega"), [(0.05, 1e-9), (1e-9, 1e-3)])
@pytest.mark.parametrize("seed", range(20))
def test_bounds_hold_for_every_matrix_that_the_decomposition_may_stand_for(
    seed: int, error_size: float, omega: float
) -> None:
    features = draws(seed, 6, 7)
    spectrum, share = mean_square._problem(features, 2, "without_replacement")
    assert share is not None
    found = mean_square_threshold(features, 2).certificate
    rng = np.random.default_rng(seed)
    tilt = rng.standard_normal((6, 6))
    tilt = omega * (tilt + tilt.T) / np.linalg.norm(tilt + tilt.T, 2)
    epsilon, q = error_size * spectrum.values[0], spectrum.vectors
    coarse = replace(spectrum, vectors=q @ (np.eye(6) + tilt), epsilon=epsilon, omega=omega)
    noise = rng.standard_normal((6, 6))
    errors = [np.eye(6), -np.eye(6), (noise + noise.T) / np.linalg.norm(noise + noise.T, 2)]
    for error in errors:
        truth = (q * spectrum.values) @ q.T + epsilon * error
        root = np.linalg.cholesky(6 * truth)
        lam = 2 / dense_threshold(root, float(share))
        best = mean_square_threshold(root, 2).certificate.stable
        below = secular.floor(coarse, share, lam, found.unstable)
        assert 0.8 * lam < below <= lam
        for t in (1 - np.geomspace(1e-8, 0.1, 50)) * lam:
            assert not secular.below(coarse, share, t, best)
            assert not secular.below(coarse, share, t, found.stable)
            assert not secular.below(coarse, share, t, np.ones(6))
        mixed = (
            best / np.max(best) + 0.1
        )  # not so uneven that the margins, which go with its sum, are above its least entry
        assert secular.below(coarse, share, 2 * lam, mixed)


@pytest.mark.parametrize("seed", range(10))
def test_bounds_on_the_errors_of_the_decomposition_hold_in_exact_arithmetic(seed: int) -> None:
    features, _ = problem(seed)
    n = len(features)
    spectrum, _ = mean_square._problem(features, 1, "without_replacement")

    def exactly(array: Array) -> Array:
        return np.array([[Fraction(float(entry)) for entry in row] for row in array], dtype=object)

    def norm(array: Array) -> float:
        return float(np.linalg.norm(array.astype(np.float64)))

    u, rows = exactly(spectrum.vectors), exactly(np.ldexp(features, -spectrum.exponent))
    departure = norm(u.T @ u - np.eye(n, dtype=int))
    assert departure <= spectrum.omega < 1e-13
    residual = rows @ rows.T / Fraction(n) - (u * exactly(spectrum.values[None])) @ u.T
    assert norm(residual) <= spectrum.epsilon < 1e-12 * spectrum.values[-1] * n
    # and of a matrix that is far from orthogonal
    tilted = draws(seed, 5, 5) / 5
    assert norm(exactly(tilted).T @ exactly(tilted) - np.eye(5, dtype=int)) <= spectrum_module._departure(tilted)


@pytest.mark.parametrize("seed", range(40))
def test_growth_over_an_epoch_is_one_at_the_threshold_of_reshuffling(seed: int) -> None:
    features, batch = problem(seed, most_points=5, most_features=4)
    if seed % 6 == 5:  # features of many sizes: no certificate is promised
        features = draws(seed, 5, 4)
    found = mean_square_threshold(features, batch, sampling="reshuffling")
    assert verify(found, features, batch, sampling="reshuffling")
    assert found.upper / found.lower - 1 < 1e-9
    assert growth_of_an_epoch(features, batch, found.lower) < 1
    assert growth_of_an_epoch(features, batch, found.value) == pytest.approx(1, abs=1e-9)
    assert growth_of_an_epoch(features, batch, found.upper) > 1
    for share in np.linspace(0.05, 0.999, 40):
        assert growth_of_an_epoch(features, batch, share * found.lower) < 1


def test_reshuffling_need_not_be_stable_up_to_one_step_size_only() -> None:
    features = np.array([[1.0], [0.1]])
    # |1 - eta| |1 - eta/100| = 1 first where eta^2/100 - 1.01 eta + 2 = 0; at 100 it is 0.
    first = (1.01 - math.sqrt(1.01**2 - 0.08)) / 0.02
    assert mean_square_threshold(features, 1, sampling="reshuffling").value == pytest.approx(first, rel=1e-12)
    assert growth_of_an_epoch(features, 1, 10.0) > 1
    assert growth_of_an_epoch(features, 1, 100.0) < 1e-20


def test_reshuffling_of_most_points_that_are_worked_out() -> None:
    features = draws(2, 8, 5)
    found = mean_square_threshold(features, 3, sampling="reshuffling")
    assert verify(found, features, 3, sampling="reshuffling")
    # B = 3 does not divide 8: the last batch has two points.
    estimate = reshuffling_growth(features, 3, found.value, epochs=30, repeats=400)
    assert abs(estimate.value - 1) < 5 * estimate.standard_error + 0.01


@pytest.mark.parametrize("seed", range(6))
def test_estimate_of_the_growth_over_an_epoch(seed: int) -> None:
    # Six fixed seeds; of a normal error beyond five standard errors the chance is 3e-6 in all.
    features = draws(seed, 5, 3)
    batch = 1 + seed % 3
    step_size = 0.9 * mean_square_threshold(features, batch, sampling="reshuffling").value
    exact = growth_of_an_epoch(features, batch, step_size)
    found = reshuffling_growth(features, batch, step_size, epochs=30, repeats=1000, seed=seed)
    assert abs(found.value - exact) < 5 * found.standard_error + 0.01 * exact
    halved = reshuffling_growth(features, batch, step_size / 2, epochs=30, repeats=1000, seed=seed, loss="mean")
    assert halved == found


BAD = [
    (([[1.0, math.nan]], 1), {}, ValueError, "features must hold finite numbers, got nan at index"),
    (
        (np.array([[1.0], [math.inf]]), 1),
        {},
        ValueError,
        r"features must hold finite numbers, got inf at index \(1, 0\)",
    ),
    ((torch.full((2, 2), math.nan), 1), {}, ValueError, r"got nan at index \(0, 0\)"),
    ((np.ones(3), 1), {}, ValueError, r"features must have shape \[n, d\] with n, d >= 1, got \(3,\)"),
    (([1.0, 2.0], 1), {}, ValueError, "features must have 2 axes"),
    ((np.ones((0, 3)), 1), {}, ValueError, r"features must have shape .* got \(0, 3\)"),
    ((np.ones((3, 0)), 1), {}, ValueError, r"features must have shape .* got \(3, 0\)"),
    (([["a"]], 1), {}, TypeError, "features must hold real numbers"),
    ((torch.ones(2, 2, dtype=torch.complex64), 1), {}, TypeError, "features must hold real numbers"),
    ((np.ones((3, 2)), 0), {}, ValueError, "batch_size must be between 1 and the number of data points, 3, got 0"),
    ((np.ones((3, 2)), 4), {}, ValueError, "batch_size must be between 1 and the number of data points, 3, got 4"),
    ((np.ones((3, 2)), 1.5), {}, TypeError, "batch_size must be an integer"),
    ((np.ones((3, 2)), 1), {"sampling": "sorted"}, ValueError, "sampling must be one of 'without_replacement'"),
    ((np.ones((3, 2)), 1), {"loss": "sum"}, ValueError, "loss must be one of"),
    (
        (np.ones((9, 2)), 1),
        {"sampling": "reshuffling"},
        ValueError,
        "more than 8 points.*got 9 points; reshuffling_growth",
    ),
]


@pytest.mark.parametrize(("arguments", "options", "error", "message"), BAD)
def test_arguments_that_cannot_be_meant(
    arguments: tuple[object, int], options: dict[str, str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        mean_square_threshold(*arguments, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"step_size": 0.0}, ValueError, "step_size must be finite and above 0"),
        ({"step_size": 1e200}, ValueError, "step_size must be small enough"),
        ({"epochs": -1}, ValueError, "epochs must be at least 0, got -1"),
        ({"repeats": 1}, ValueError, "repeats must be at least 2, got 1"),
        ({"repeats": 2.0}, TypeError, "repeats must be an integer"),
        ({"features": np.zeros((3, 2))}, ValueError, "features must not all vanish"),
    ],
)
def test_arguments_of_the_estimate_that_cannot_be_meant(
    options: dict[str, object], error: type[Exception], message: str
) -> None:
    arguments: dict[str, object] = {"features": np.ones((3, 2)), "batch_size": 1, "step_size": 0.1, **options}
    with pytest.raises(error, match=message):
        reshuffling_growth(**arguments)  # type: ignore[arg-type]
