import itertools
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics import kernels
from numerics.batched import observe_all
from numerics.kernels import StopRule, Watch, observe
from numerics.networks import TwoLayerReLU, initialise
from numerics.training import Member, Outcome, batches, compiled, train, train_many
from numerics.training.members import OUTCOMES
from theory.checks import Array
from theory.symbols import Loss
from theory.two_layer import Weights

BACKENDS = [
    pytest.param("numba", marks=pytest.mark.skipif(not kernels.HAS_NUMBA, reason="numba is not installed")),
    "numpy",
    "torch",
]
SCHEDULES = [(3, "without_replacement"), (4, "reshuffling")]


def points(n: int) -> tuple[Array, Array]:
    x = np.linspace(-1, 1, n)
    return x, np.sin(4 * x) + 0.3


def loss_of(weights: Weights, x: Array, y: Array, scale: float = 1.0) -> float:
    return scale / 2 * float(np.mean((weights(x) - y) ** 2))


def autograd_losses(
    network: torch.nn.Module, x: Array, y: Array, chosen: Sequence[Array], step_size: float, scale: float
) -> Array:
    """Return the losses on all points before each step of a plain PyTorch loop, and after the last."""
    inputs, targets = torch.from_numpy(x), torch.from_numpy(y)
    optimiser = torch.optim.SGD(network.parameters(), step_size)
    losses = []
    for batch in chosen:
        with torch.no_grad():
            losses.append(float(scale / 2 * torch.mean((network(inputs).reshape(-1) - targets) ** 2)))
        optimiser.zero_grad()
        loss = scale / 2 * torch.mean((network(inputs[batch]).reshape(-1) - targets[batch]) ** 2)
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        losses.append(float(scale / 2 * torch.mean((network(inputs).reshape(-1) - targets) ** 2)))
    return np.array(losses)


def verdict(rule: StopRule, looks: Sequence[tuple[int, float]]) -> tuple[int, int] | None:
    """Return the step and code at which the rule ends a run with these (step, loss): the rule read off the history."""
    initial = looks[0][1]
    for index, (step, loss) in enumerate(looks):
        if not math.isfinite(loss) or loss > 1e10 * (initial + 1):
            return step, kernels.DIVERGED
        streak = list(itertools.takewhile(lambda look: look[1] < rule.stop_loss, reversed(looks[: index + 1])))
        if streak and step - streak[-1][0] >= rule.dwell:
            return step, kernels.INTERPOLATED
        best, best_step = initial, 0
        for earlier, value in looks[: index + 1]:
            if value < 0.999 * best:
                best, best_step = value, earlier
        if not streak and step - best_step >= rule.patience:
            return step, kernels.STALLED
        if step >= rule.max_steps:
            return step, kernels.BUDGET_SPENT
    return None


LOSSES = st.one_of(
    st.sampled_from([0.0, 0.5, 0.4996, 0.01, 0.009, 2.0, 1e9, 2e10, math.inf, math.nan]), st.floats(0, 3)
)


@settings(deadline=None, max_examples=300)
@given(
    losses=st.lists(LOSSES, min_size=1, max_size=40),
    every=st.integers(1, 4),
    stop_loss=st.sampled_from([0.0, 0.01, 0.3, 1.0]),
    patience=st.integers(1, 12),
    dwell=st.integers(0, 8),
    max_steps=st.integers(1, 50),
)
def test_both_stop_rules_agree_with_the_rule_read_off_the_history(
    losses: list[float], every: int, stop_loss: float, patience: int, dwell: int, max_steps: int
) -> None:
    rule = StopRule(max_steps, stop_loss, patience, dwell)
    looks = [(every * index, loss) for index, loss in enumerate(losses)]
    scalar, batched = None, None
    watch, watches = Watch(), Watch()
    for step, loss in looks:
        code, watch = observe(rule, watch, step, loss)
        codes, watches = observe_all(rule, watches, step, torch.tensor([loss, 1.0], dtype=torch.float64))
        scalar = scalar or ((step, code) if code != kernels.RUNNING else None)
        batched = batched or ((step, int(codes[0])) if int(codes[0]) != kernels.RUNNING else None)
    assert scalar == verdict(rule, looks)
    assert batched == scalar


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("n", "width", "loss", "scale"), [(6, 20, "half_mean", 1), (10, 100, "mean", 2)])
def test_gradient_descent_follows_autograd(backend: Any, n: int, width: int, loss: Loss, scale: float) -> None:
    x, y = points(n)
    initial = initialise(width, seed=1)
    run = train(
        initial, x, y, step_size=0.05, loss=loss, max_steps=1000, stop_loss=0.0, record_every=1, backend=backend
    )
    whole = [np.arange(n)] * 1000
    expected = autograd_losses(TwoLayerReLU.from_weights(initial), x, y, whole, 0.05, scale)
    assert run.steps == 1000
    np.testing.assert_allclose(run.losses, expected, rtol=0, atol=1e-12 * expected[0])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("n", "width"), [(2, 256), (6, 256), (9, 50)])
def test_single_precision_follows_double_precision(backend: Any, n: int, width: int) -> None:
    x, y = points(n)
    initial = initialise(width, seed=5, scheme="glorot_uniform", scale=0.01)
    options: dict[str, Any] = {"step_size": 0.1, "loss": "mean", "max_steps": 1000, "stop_loss": 0.0, "record_every": 1}
    single = train(initial, x, y, backend=backend, precision="float32", **options)
    double = train(initial, x, y, backend=backend, **options)
    assert single.weights.w1.dtype == np.float64
    assert np.array_equal(single.weights.w1, single.weights.w1.astype(np.float32))
    np.testing.assert_allclose(single.losses, double.losses, rtol=0, atol=1e-5 * double.losses[0])


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_member_has_its_own_budget_and_stop_loss(backend: Any) -> None:
    x, y = points(4)
    initial = initialise(30, seed=1)
    ends = [(7, 1e-4), (20_000, 1e-2), (20_000, 1e-4)]
    members = [Member(initial, x, y, 0.1, max_steps, stop_loss) for max_steps, stop_loss in ends]
    short, coarse, common = train_many(members, dwell=0, backend=backend)
    assert (short.outcome, short.steps) == (Outcome.BUDGET_SPENT, 7)
    assert coarse.outcome == common.outcome == Outcome.INTERPOLATED
    assert 1e-4 < coarse.loss < 1e-2
    assert common.loss < 1e-4


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("size", "sampling"), SCHEDULES)
def test_sgd_follows_autograd_on_the_same_batches(backend: Any, size: int, sampling: Any) -> None:
    x, y = points(10)
    initial = initialise(50, seed=2)
    run = train(
        initial,
        x,
        y,
        step_size=0.05,
        batch_size=size,
        sampling=sampling,
        max_steps=1000,
        stop_loss=0.0,
        record_every=1,
        seed=7,
        backend=backend,
    )
    drawn = list(itertools.islice(batches(10, size, sampling=sampling, seed=7), 1000))
    expected = autograd_losses(TwoLayerReLU.from_weights(initial), x, y, drawn, 0.05, 1.0)
    np.testing.assert_allclose(run.losses, expected, rtol=0, atol=1e-12 * expected[0])


@settings(deadline=None, max_examples=25)
@given(
    n=st.integers(1, 9),
    width=st.integers(1, 20),
    seed=st.integers(0, 1000),
    size=st.integers(1, 9),
    sampling=st.sampled_from(["without_replacement", "reshuffling"]),
    loss=st.sampled_from(["half_mean", "mean"]),
    step_size=st.sampled_from([0.01, 0.1]),
    max_steps=st.integers(1, 60),
    record_every=st.integers(0, 5),
)
def test_all_ways_to_train_agree(
    n: int,
    width: int,
    seed: int,
    size: int,
    sampling: Any,
    loss: Any,
    step_size: float,
    max_steps: int,
    record_every: int,
) -> None:
    x, y = points(n)
    initial = initialise(width, seed=seed)
    options: dict[str, Any] = {
        "step_size": step_size,
        "loss": loss,
        "batch_size": min(size, n),
        "sampling": sampling,
        "max_steps": max_steps,
        "stop_loss": 1e-3,
        "patience": 40,
        "dwell": 5,
        "record_every": record_every,
        "seed": seed,
    }
    expected = train(initial, x, y, backend="numpy", **options)
    for run in [train(initial, x, y, backend=backend, **options) for backend in available("numba", "torch")]:
        assert (run.outcome, run.steps, len(run.losses)) == (expected.outcome, expected.steps, len(expected.losses))
        initial_loss = loss_of(initial, x, y, 2.0)
        np.testing.assert_allclose(run.losses, expected.losses, rtol=0, atol=1e-12 * initial_loss)
        np.testing.assert_allclose(run.weights.vector, expected.weights.vector, rtol=0, atol=1e-12)
    assert len(expected.losses) == (expected.steps // record_every + 1 if record_every else 0)
    scale = 2.0 if loss == "mean" else 1.0
    assert expected.loss == pytest.approx(loss_of(expected.weights, x, y, scale), rel=1e-9, abs=1e-28)


def available(*names: str) -> list[Any]:
    return [name for name in names if name != "numba" or kernels.HAS_NUMBA]


def dead_units(width: int) -> Weights:
    """Return weights of units that are active nowhere on [-1, 1]: only the output bias can learn."""
    return Weights(np.full(width, 0.5), np.full(width, -1.0), np.ones(width), 0.0)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("initial", "step_size", "outcome"),
    [
        (initialise(40, seed=0), 0.1, Outcome.INTERPOLATED),
        (dead_units(5), 0.1, Outcome.STALLED),
        (initialise(40, seed=0), 50.0, Outcome.DIVERGED),
        (initialise(40, seed=0), 1e-6, Outcome.BUDGET_SPENT),
    ],
)
def test_run_ends_where_the_rule_says(backend: Any, initial: Weights, step_size: float, outcome: Outcome) -> None:
    x, y = points(3)
    rule = StopRule(4000, 1e-9, 50 if outcome is Outcome.STALLED else 5000, 30)
    run = train(initial, x, y, step_size=step_size, record_every=1, backend=backend, **rule._asdict())
    expected = verdict(rule, list(enumerate(run.losses)))
    assert run.outcome is outcome
    assert expected is not None
    assert (run.steps, OUTCOMES[expected[1]]) == (expected[0], outcome)
    assert run.loss == run.losses[-1] or outcome is Outcome.DIVERGED
    assert np.isfinite(run.weights.vector).all()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("size", [None, 2])
def test_step_that_overflows_is_not_taken(backend: Any, size: int | None) -> None:
    x, y = points(5)
    initial = initialise(6, seed=0)
    run = train(initial, x, 1e3 * y, step_size=1.7e308, batch_size=size, max_steps=10, record_every=1, backend=backend)
    assert (run.outcome, run.steps) == (Outcome.DIVERGED, 0)
    np.testing.assert_array_equal(run.weights.vector, initial.vector)
    assert run.loss == pytest.approx(loss_of(initial, x, 1e3 * y), rel=1e-12)
    assert run.losses.tolist() == [run.loss]


@pytest.mark.parametrize("backend", BACKENDS)
def test_step_that_overflows_in_a_unit_only_is_not_taken(backend: Any) -> None:
    initial = Weights(np.ones(1), np.full(1, 0.5), np.ones(1), 0.0)  # outputs 0 and 1.5, so residuals 1000 and -1000
    run = train(initial, [-1.0, 1.0], [-1000.0, 1001.5], step_size=1.7e308, max_steps=10, backend=backend)
    assert (run.outcome, run.steps, run.loss) == (Outcome.DIVERGED, 0, 5e5)
    np.testing.assert_array_equal(run.weights.vector, initial.vector)


@pytest.mark.parametrize("poisoned", [0, 1, 2])
@pytest.mark.parametrize("advance", [kernels.advance_numba, kernels.advance_numpy])
def test_nan_in_any_weight_is_seen(advance: Callable[..., Any], poisoned: int) -> None:
    buffers = np.ones((2, 4, 8))
    buffers[0, poisoned, 5] = np.nan
    plan = kernels.Plan(4, 4, 1, 4, 0.01, 1.0, 0)
    state = kernels.State(0, kernels.RUNNING, 0.0, 0.0, 0, Watch())
    ended, _ = advance(
        buffers,
        np.arange(4.0),
        np.zeros(4),
        np.zeros(0, np.int64),
        plan,
        StopRule(10, 0.0, 10, 0),
        state,
        11,
        np.empty(0),
    )
    assert (ended.code, ended.step) == (kernels.DIVERGED, 0)
    assert math.isnan(ended.loss)


@pytest.mark.parametrize("backend", BACKENDS)
def test_diverging_network_leaves_its_siblings_alone(backend: Any) -> None:
    x, y = points(7)
    step_sizes = [0.05, 1e3, 0.05, 1.7e308, 0.02]
    members = [
        Member(initialise(10 + 3 * i, seed=i), x, y, size, 300, batch_size=None if i % 2 else 3, seed=i)
        for i, size in enumerate(step_sizes)
    ]
    runs = train_many(members, record_every=10, backend=backend, threads=2)
    assert [run.outcome is Outcome.DIVERGED for run in runs] == [size > 1 for size in step_sizes]
    for member, run in zip(members, runs, strict=True):
        alone = train(
            member.network,
            x,
            y,
            step_size=member.step_size,
            batch_size=member.batch_size,
            seed=member.seed,
            max_steps=300,
            record_every=10,
            backend=backend,
        )
        assert (run.outcome, run.steps) == (alone.outcome, alone.steps)
        if backend == "torch":  # sums over units are grouped by the width of the batch
            scale = max(1.0, float(np.max(np.abs(alone.weights.vector))))
            np.testing.assert_allclose(run.weights.vector, alone.weights.vector, rtol=0, atol=1e-12 * scale)
        else:
            np.testing.assert_array_equal(run.weights.vector, alone.weights.vector)
            np.testing.assert_array_equal(run.losses, alone.losses)
            assert run.loss == alone.loss


@pytest.mark.parametrize("backend", available("numba", "numpy"))
@pytest.mark.parametrize(("size", "sampling"), SCHEDULES)
def test_length_of_the_slices_does_not_matter(
    backend: Any, size: int | None, sampling: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = points(10)
    initial = initialise(20, seed=4)
    options: dict[str, Any] = {"step_size": 0.1, "batch_size": size, "sampling": sampling, "max_steps": 101, "seed": 9}
    long = train(initial, x, y, record_every=7, backend=backend, **options)
    for work in (1, 5000):
        monkeypatch.setattr(compiled, "SLICE_WORK", work)
        short = train(initial, x, y, record_every=7, backend=backend, **options)
        np.testing.assert_array_equal(short.weights.vector, long.weights.vector)
        np.testing.assert_array_equal(short.losses, long.losses)
        assert (short.loss, short.steps, short.outcome) == (long.loss, long.steps, long.outcome)


@pytest.mark.parametrize("backend", BACKENDS)
def test_mean_loss_is_half_mean_loss_with_twice_the_step(backend: Any) -> None:
    x, y = points(6)
    initial = initialise(12, seed=0)
    mean = train(initial, x, y, step_size=0.03, loss="mean", max_steps=200, stop_loss=0.0, backend=backend)
    half = train(initial, x, y, step_size=0.06, loss="half_mean", max_steps=200, stop_loss=0.0, backend=backend)
    np.testing.assert_array_equal(mean.weights.vector, half.weights.vector)  # a power of 2 rounds nothing
    assert mean.loss == 2 * half.loss


def test_points_may_come_in_any_order() -> None:
    x, y = points(6)
    order = np.array([3, 0, 5, 1, 4, 2])
    initial = initialise(12, seed=0)
    sorted_run = train(initial, x, y, step_size=0.05, max_steps=100)
    shuffled = train(initial, x[order], y[order], step_size=0.05, max_steps=100)
    np.testing.assert_allclose(shuffled.weights.vector, sorted_run.weights.vector, rtol=0, atol=1e-13)


def test_batch_of_all_points_is_gradient_descent() -> None:
    x, y = points(6)
    whole, explicit = (
        train(initialise(12, seed=0), x, y, step_size=0.05, batch_size=size, max_steps=100) for size in (None, 6)
    )
    np.testing.assert_array_equal(whole.weights.vector, explicit.weights.vector)


@settings(deadline=None, max_examples=50)
@given(n=st.integers(1, 12), size=st.integers(1, 12), seed=st.integers(0, 1000))
def test_reshuffled_epochs_hold_every_point_once(n: int, size: int, seed: int) -> None:
    size = min(n, size)
    per_epoch = -(-n // size)
    drawn = list(itertools.islice(batches(n, size, sampling="reshuffling", seed=seed), 3 * per_epoch))
    for epoch in range(3):
        blocks = drawn[epoch * per_epoch : (epoch + 1) * per_epoch]
        assert [len(block) for block in blocks[:-1]] == [size] * (per_epoch - 1)
        assert sorted(np.concatenate(blocks).tolist()) == list(range(n))


def test_batches_without_replacement_are_uniform_and_independent() -> None:
    drawn = list(itertools.islice(batches(4, 2, sampling="without_replacement", seed=0), 12_001))
    sets = [frozenset(batch.tolist()) for batch in drawn]
    subsets = [frozenset(pair) for pair in itertools.combinations(range(4), 2)]
    assert set(sets) == set(subsets)
    pairs = list(itertools.pairwise(sets))
    frequencies = [sum(a == subset for a, _ in pairs) for subset in subsets]
    frequencies += [sum(a == b for a, b in pairs), sum(not a & b for a, b in pairs)]
    for hits in frequencies:  # each with probability 1/6
        assert abs(hits - 2000) < 5 * math.sqrt(12_000 * 5 / 36)  # fails for 1 seed in 200,000


def test_interpolating_run_stays_below_the_stop_loss_while_it_dwells() -> None:
    x, y = points(3)
    run = train(initialise(40, seed=0), x, y, step_size=0.1, max_steps=10_000, stop_loss=1e-8, record_every=1)
    assert run.outcome is Outcome.INTERPOLATED
    assert (run.losses[-101:] < 1e-8).all()
    assert run.losses[-102] >= 1e-8


SCRIPT = """
import sys
sys.modules["numba"] = None
import numpy as np
from numerics import kernels
from numerics.networks import initialise
from numerics.training import train
x = np.linspace(-1, 1, 5)
run = train(initialise(6, seed=0), x, x**2, step_size=0.1, max_steps=50)
print(kernels.HAS_NUMBA, run.loss.hex())
try:
    train(initialise(6, seed=0), x, x**2, step_size=0.1, max_steps=50, backend="numba")
except ValueError as error:
    print(error)
"""


def test_without_numba_the_numpy_loop_runs() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    x = np.linspace(-1, 1, 5)
    expected = train(initialise(6, seed=0), x, x**2, step_size=0.1, max_steps=50, backend="numpy")
    assert done.stdout.splitlines() == [
        f"False {expected.loss.hex()}",
        "backend must be 'numpy' or 'torch' where numba is not installed, got 'numba'",
    ]


ENDLESS = """
import numpy as np
from numerics.networks import initialise
from numerics.training import Member, train_many
x = np.linspace(-1, 1, 5)
def members(steps):
    return [Member(initialise(300, seed=seed), x, x**2, 1e-9, steps, stop_loss=0.0) for seed in range(8)]
train_many(members(10))
try:
    print("ready", flush=True)
    train_many(members(10**12), patience=10**12, threads={threads})
except KeyboardInterrupt:
    print("stopped", flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to a child")
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_stops_training(threads: int) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", ENDLESS.format(threads=threads)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(0.5)  # for the training to begin; on a busy machine it is stopped before, which must do as well
        child.send_signal(signal.SIGINT)
        output, _ = child.communicate()
    finally:
        child.kill()
        child.wait()
    assert output == "stopped\n"


@pytest.mark.gpu
def test_cuda_follows_the_cpu() -> None:
    x, y = points(6)
    members = [
        Member(initialise(20, seed=seed), x, y, 0.05, 200, batch_size=size) for seed in range(3) for size in (None, 2)
    ]
    runs = train_many(members, backend="torch", device="cuda")
    for run, expected in zip(runs, train_many(members, backend="numpy"), strict=True):
        np.testing.assert_allclose(run.weights.vector, expected.weights.vector, rtol=0, atol=1e-12)


INTERPRETED = """
import numpy as np
from numerics.networks import initialise
from numerics.training import Member, train_many

x = np.linspace(-1, 1, 5)
y = np.sin(3 * x)
members = [Member(initialise(6 + s, seed=s), x, y, 0.05, 20 + 10 * s) for s in range(3)]
members.insert(1, Member(initialise(6, seed=9), x[:3], y[:3], 0.05, 15))
for ours, other in zip(*(train_many(members, backend=b) for b in ("triton", "numpy")), strict=True):
    assert (ours.steps, ours.outcome) == (other.steps, other.outcome)
    assert ours.weights.width == other.weights.width
    assert np.allclose(ours.weights.vector, other.weights.vector, rtol=0, atol=1e-13)
    assert abs(ours.loss - other.loss) < 1e-13
try:
    train_many([Member(initialise(6, seed=0), x, y, 0.05, 5, batch_size=2)], backend="triton")
except ValueError as error:
    print(error)
"""


def test_the_persistent_kernel_trains_networks_of_all_sizes() -> None:
    pytest.importorskip("triton")
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    done = subprocess.run([sys.executable, "-c", INTERPRETED], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == (
        "backend 'triton' makes gradient descent on all points without recording losses: try 'auto'"
    )


def test_no_members_give_no_runs() -> None:
    assert train_many([]) == []


WRONG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"step_size": 0.0}, ValueError, "step_size must be finite and above 0, got 0.0"),
    ({"step_size": -1.0}, ValueError, "step_size must be finite and above 0, got -1.0"),
    ({"step_size": math.nan}, ValueError, "step_size must be finite and above 0, got nan"),
    ({"step_size": "big"}, TypeError, "step_size must be a real number, got 'big' of type str"),
    ({"batch_size": 0}, ValueError, "batch_size must be between 1 and the number of data points, 3, got 0"),
    ({"batch_size": 4}, ValueError, "batch_size must be between 1 and the number of data points, 3, got 4"),
    ({"batch_size": 1.0}, TypeError, "batch_size must be an integer, got 1.0 of type float"),
    ({"x": [0.0, math.nan, 1.0]}, ValueError, "x must hold finite numbers, got nan at index 1"),
    ({"y": [0.0, 1.0, math.inf]}, ValueError, "y must hold finite numbers, got inf at index 2"),
    ({"x": [0.0, 1.0, 0.0]}, ValueError, "x must hold distinct points, got 0.0 at index 0 and again at 2"),
    ({"y": [0.0, 1.0]}, ValueError, "y must hold one target for each of the 3 points of x, got 2"),
    ({"x": [], "y": []}, ValueError, "x must hold at least 1 data point, got 0"),
    ({"max_steps": 0}, ValueError, "max_steps must be at least 1, got 0"),
    ({"max_steps": 1e3}, TypeError, "max_steps must be an integer, got 1000.0 of type float"),
    ({"patience": 0}, ValueError, "patience must be at least 1, got 0"),
    ({"dwell": -1}, ValueError, "dwell must be at least 0, got -1"),
    ({"record_every": -1}, ValueError, "record_every must be at least 0, got -1"),
    ({"stop_loss": -1.0}, ValueError, "stop_loss must be finite and above 0, got -1.0"),
    ({"seed": -1}, ValueError, "seed must be at least 0, got -1"),
    (
        {"sampling": "bootstrap"},
        ValueError,
        "sampling must be one of 'without_replacement', 'reshuffling', got 'bootstrap'",
    ),
    (
        {"precision": "float16"},
        ValueError,
        "precision must be one of 'float64', 'float32', got 'float16'",
    ),
    ({"loss": "sum"}, ValueError, "loss must be one of 'half_mean', 'mean', got 'sum'"),
    ({"network": [1.0]}, TypeError, "network must be a TwoLayerReLU or Weights, got list"),
    (
        {"backend": "jax"},
        ValueError,
        "backend must be one of 'auto', 'numba', 'numpy', 'torch', 'triton', got 'jax'",
    ),
    ({"backend": "triton"}, ValueError, "backend 'triton' needs a CUDA device, got device 'cpu'"),
    ({"device": "mps"}, ValueError, "device must be 'cpu' or a CUDA device such as 'cuda' or 'cuda:0', got 'mps'"),
    (
        {"device": "cuda:x"},
        ValueError,
        "device must be 'cpu' or a CUDA device such as 'cuda' or 'cuda:0', got 'cuda:x'",
    ),
    (
        {"device": "cuda:99"},
        ValueError,
        f"device must be one that is there, got 'cuda:99' with {torch.cuda.device_count()} CUDA devices",
    ),
]


@pytest.mark.parametrize(("wrong", "error", "message"), WRONG)
def test_wrong_input_is_named(wrong: dict[str, Any], error: type[Exception], message: str) -> None:
    fitting: dict[str, Any] = {
        "network": initialise(3, seed=0),
        "x": [0.0, 1.0, 2.0],
        "y": [0.0, 1.0, 0.0],
        "step_size": 0.1,
        "max_steps": 5,
    }
    with pytest.raises(error) as raised:
        train(**(fitting | wrong))
    assert str(raised.value) == message


def test_compiled_backend_on_a_gpu_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    x, y = points(3)
    with pytest.raises(ValueError, match="device 'cuda', got 'numpy'") as raised:
        train(initialise(3, seed=0), x, y, step_size=0.1, max_steps=5, device="cuda", backend="numpy")
    assert str(raised.value) == "backend must be 'torch', 'triton' or 'auto' on device 'cuda', got 'numpy'"
