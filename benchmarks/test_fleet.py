"""How much faster a fleet trains than what one would write otherwise, measured side by side, and how far from the peak."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from numerics.fleet import Member, Way, train_fleet
from numerics.networks import TwoLayerReLU, glorot_network, initialise
from numerics.penalties import Measure, Penalty
from numerics.training import train

try:
    import jax
    import jax.numpy as jnp
except ImportError:
    jax = None

WIDTH = 256
"""Hidden units in the studies of volhejn2020."""

SHORT, LONG = 300, 50_000
STACKED = 256
"""Networks that vmap and JAX train at once: about their best size."""


def data(n: int) -> tuple[Any, Any]:
    x = np.linspace(-1, 1, n)
    return x, np.sin(5 * x)


def peak() -> float:
    """Return the floating-point operations a second of one core, taken from a product of large float32 matrices."""
    a, b = torch.rand(1024, 1024), torch.rand(1024, 1024)
    began = time.process_time()
    for _ in range(5):
        a @ b
    return 5 * 2 * 1024**3 / (time.process_time() - began)


def plain_loop(n: int) -> float:
    """Return the seconds that a step takes in the loop that a user would write."""
    x, y = (torch.from_numpy(v.astype(np.float32)) for v in data(n))
    model = torch.nn.Sequential(torch.nn.Linear(1, WIDTH), torch.nn.ReLU(), torch.nn.Linear(WIDTH, 1))
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    began = time.process_time()
    for _ in range(SHORT):
        optimiser.zero_grad()
        loss = torch.mean((model(x[:, None])[:, 0] - y) ** 2)
        loss.backward()
        optimiser.step()
    return (time.process_time() - began) / SHORT


def vmapped(n: int) -> float:
    """Return the seconds that a step of one network takes in `vmap(grad)` over many."""
    x, y = (torch.from_numpy(v.astype(np.float32)) for v in data(n))

    def loss(w1: torch.Tensor, b1: torch.Tensor, w2: torch.Tensor, b2: torch.Tensor) -> torch.Tensor:
        return torch.mean((torch.relu(x[:, None] * w1 + b1) @ w2 + b2 - y) ** 2)

    gradient = torch.func.vmap(torch.func.grad(loss, argnums=(0, 1, 2, 3)))
    weights = [0.1 * torch.rand(STACKED, WIDTH) for _ in range(3)] + [torch.zeros(STACKED)]
    began = time.process_time()
    for _ in range(20):
        weights = [w - 0.1 * g for w, g in zip(weights, gradient(*weights), strict=True)]
    return (time.process_time() - began) / 20 / STACKED


def jaxed(n: int) -> float:
    """Return the seconds that a step of one network takes in jitted `vmap(grad)` over many, by JAX."""
    x, y = (jnp.asarray(v, jnp.float32) for v in data(n))

    def loss(weights: Any) -> Any:
        w1, b1, w2, b2 = weights
        return jnp.mean((jnp.maximum(x[:, None] * w1 + b1, 0) @ w2 + b2 - y) ** 2)

    gradient = jax.vmap(jax.grad(loss))

    @jax.jit
    def many(weights: Any) -> Any:
        def step(w: Any, _: Any) -> Any:
            return jax.tree.map(lambda a, g: a - 0.1 * g, w, gradient(w)), None

        return jax.lax.scan(step, weights, None, length=100)[0]

    weights = (*(jnp.full((STACKED, WIDTH), 0.1) for _ in range(3)), jnp.zeros(STACKED))
    jax.block_until_ready(many(weights))
    began = time.process_time()
    jax.block_until_ready(many(weights))
    return (time.process_time() - began) / 100 / STACKED


def compiled(n: int) -> float:
    x, y = data(n)
    initial = initialise(WIDTH, seed=1, scheme="glorot_uniform", scale=0.01)
    began = time.process_time()
    train(
        initial,
        x,
        y,
        step_size=0.1,
        loss="mean",
        max_steps=LONG,
        stop_loss=0.0,
        patience=LONG + 1,
        precision="float32",
    )
    return (time.process_time() - began) / LONG


@pytest.mark.parametrize("n", [2, 6, 10])
def test_networks_on_one_input(benchmark: BenchmarkFixture, n: int) -> None:
    torch.set_num_threads(1)
    ways: dict[str, Callable[[int], float]] = {"compiled": compiled, "plain loop": plain_loop, "vmap": vmapped}
    if jax is not None:
        ways["jax"] = jaxed
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    peaks = []

    def one_round() -> None:
        for name, way in ways.items():
            seconds[name].append(way(n))
        peaks.append(peak())

    pedantic: Callable[..., None] = benchmark.pedantic
    pedantic(one_round, rounds=7, warmup_rounds=1)
    typical = {name: statistics.median(values) for name, values in seconds.items()}
    rate = WIDTH * (8 * n + 8) / typical["compiled"]
    for name, value in typical.items():
        benchmark.extra_info[f"microseconds per step, {name}"] = round(1e6 * value, 3)
        benchmark.extra_info[f"ratio, {name}"] = round(value / typical["compiled"], 1)
    benchmark.extra_info["GFLOP/s"] = round(rate / 1e9, 1)
    benchmark.extra_info["share of sgemm's rate"] = round(rate / statistics.median(peaks), 2)
    assert typical["compiled"] < typical["plain loop"]


def images(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return n points of MNIST's size and sparsity: a fifth of the pixels are used, a quarter are 0 in all points."""
    generator = torch.Generator().manual_seed(0)
    x = torch.rand((n, 784), generator=generator) * (torch.rand((n, 784), generator=generator) < 0.25)
    x[:, ::4] = 0.0
    return x, torch.randint(0, 2, (n,), generator=generator) * 2.0 - 1.0


def per_step(network: TwoLayerReLU, n: int, way: Way, steps: int, penalty: Penalty | None = None) -> float:
    x, y = images(n)
    member = Member(network, x, y, 0.01, steps, 0.0, 64, 0, penalty)
    began = time.process_time()
    train_fleet([member], loss="mean", sampling="reshuffling", way=way, watched="epoch mean")
    return (time.process_time() - began) / steps


@pytest.mark.parametrize("n", [64, 256, 512, 1024, 4096])
def test_networks_on_images(benchmark: BenchmarkFixture, n: int) -> None:
    torch.set_num_threads(1)
    network = glorot_network(WIDTH, 784, seed=0, scale=0.01)
    ways: tuple[Way, ...] = ("loop", "explicit", "gram") if n <= 1024 else ("loop", "explicit")
    seconds: dict[str, list[float]] = {way: [] for way in ways}

    def one_round() -> None:
        for way in ways:
            seconds[way].append(per_step(network, n, way, 300))

    pedantic: Callable[..., None] = benchmark.pedantic
    pedantic(one_round, rounds=5, warmup_rounds=1)
    typical = {way: statistics.median(values) for way, values in seconds.items()}
    for way, value in typical.items():
        benchmark.extra_info[f"microseconds per step, {way}"] = round(1e6 * value, 1)
        benchmark.extra_info[f"ratio, {way}"] = round(typical["loop"] / value, 2)
    assert min(typical.values()) < typical["loop"]


@pytest.mark.parametrize("measure", ["GN", "PL0", "PL1", "WP"])
def test_penalties(benchmark: BenchmarkFixture, measure: Measure) -> None:
    torch.set_num_threads(1)
    network, penalty = glorot_network(WIDTH, 784, seed=0, scale=0.01), Penalty(measure, 1e-4)
    seconds: dict[str, list[float]] = {"loop": [], "explicit": []}

    def one_round() -> None:
        for way in ("loop", "explicit"):
            seconds[way].append(per_step(network, 256, way, 20, penalty))  # type: ignore[arg-type]

    pedantic: Callable[..., None] = benchmark.pedantic
    pedantic(one_round, rounds=5, warmup_rounds=1)
    typical = {way: statistics.median(values) for way, values in seconds.items()}
    for way, value in typical.items():
        benchmark.extra_info[f"microseconds per step, {way}"] = round(1e6 * value, 1)
    benchmark.extra_info["ratio"] = round(typical["loop"] / typical["explicit"], 2)
    assert typical["explicit"] < typical["loop"]


@pytest.mark.gpu
@pytest.mark.parametrize("networks", [1_800, 100_000])
def test_a_fleet_on_a_gpu(benchmark: BenchmarkFixture, networks: int) -> None:
    x, y = data(6)
    start = TwoLayerReLU.from_weights(initialise(WIDTH, seed=1, scheme="glorot_uniform", scale=0.01), torch.float32)
    members = [Member(start, x, y, 0.1, 10_000)] * networks
    pedantic: Callable[..., Any] = benchmark.pedantic
    pedantic(lambda: train_fleet(members, loss="mean", dwell=0, device="cuda"), rounds=3, warmup_rounds=1)
    benchmark.extra_info["networks"] = networks
