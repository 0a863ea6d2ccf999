"""Every way to train a fleet against a plain PyTorch loop, and each network against itself alone."""

import inspect
import itertools
import math
from collections.abc import Sequence
from dataclasses import MISSING, fields, replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.fleet import Member, Run, stacked, train_fleet, ways
from numerics.fleet.jobs import Job
from numerics.networks import TwoLayerReLU, initialise
from numerics.penalties import Penalty
from numerics.training import Outcome, batches, train, train_many
from theory.checks import Array

WAYS: list[Any] = ["gram", "explicit", "stacked", "loop"]


def member(
    n: int = 12, d: int = 5, width: int = 10, seed: int = 0, dtype: torch.dtype = torch.float64, **options: Any
) -> Member:
    generator = torch.Generator().manual_seed(seed)
    network = TwoLayerReLU(width, d, dtype=dtype)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(0.5 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    x = torch.randn((n, d), generator=generator, dtype=torch.float64)
    y = torch.randn((n,), generator=generator, dtype=torch.float64)
    chosen: dict[str, Any] = {"step_size": 0.02, "max_steps": 300, "stop_loss": 0.0, "seed": seed}
    return Member(network, x, y, **(chosen | options))


def trained(members: Sequence[Member], **options: Any) -> list[Run]:
    """Train as the thesis does: the mean squared error, an order an epoch, an end at the stop loss."""
    return train_fleet(members, **({"loss": "mean", "sampling": "reshuffling", "patience": None, "dwell": 0} | options))


def plain_losses(given: Member, steps: int, scale: float) -> Array:
    """Return the losses on all points before each step of the loop that a user would write, and after the last."""
    model = torch.nn.Sequential(*[torch.nn.Linear(*shape) for shape in ((given.x.shape[1], 10), (10, 1))])
    model = torch.nn.Sequential(model[0], torch.nn.ReLU(), model[1]).to(given.network.hidden.weight.dtype)
    model.load_state_dict(dict(zip(model.state_dict(), given.network.state_dict().values(), strict=True)))
    x, y = (torch.as_tensor(v).to(given.network.hidden.weight.dtype) for v in (given.x, given.y))
    size = given.batch_size or len(x)
    drawn = itertools.islice(batches(len(x), size, sampling="reshuffling", seed=given.seed), steps)
    optimiser = torch.optim.SGD(model.parameters(), given.step_size)
    losses = []
    for batch in drawn:
        losses.append(float(scale / 2 * torch.mean((model(x)[:, 0] - y).detach().double() ** 2)))
        optimiser.zero_grad()
        (scale / 2 * torch.mean((model(x[batch])[:, 0] - y[batch]) ** 2)).backward()
        optimiser.step()
    losses.append(float(scale / 2 * torch.mean((model(x)[:, 0] - y).detach().double() ** 2)))
    return np.array(losses)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("size", [None, 5])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_a_thousand_steps_follow_a_plain_loop(way: Any, size: int | None, dtype: torch.dtype, tolerance: float) -> None:
    given = member(batch_size=size, max_steps=1000, dtype=dtype, seed=3)
    (run,) = trained([given], way=way, record_every=1)
    expected = plain_losses(given, 1000, 2.0)
    assert run.steps == 1000
    np.testing.assert_allclose(run.losses, expected, rtol=0, atol=tolerance * expected[0])
    assert run.loss == pytest.approx(expected[-1], rel=0, abs=tolerance * expected[0])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_networks_on_one_input_follow_a_plain_loop(dtype: Any) -> None:
    given = member(d=1, n=6, max_steps=1000, dtype=getattr(torch, dtype))
    (run,) = trained([given], record_every=1)
    expected = plain_losses(given, 1000, 2.0)
    atol = (1e-12 if dtype == "float64" else 1e-5) * expected[0]
    np.testing.assert_allclose(run.losses, expected, rtol=0, atol=atol)
    assert run.module.hidden.weight.dtype == getattr(torch, dtype)


@pytest.mark.parametrize("measure", ["GN", "PL0", "PL1", "WP", "GC", "L2", "spectral", "flatness"])
@pytest.mark.parametrize("way", ["explicit", "stacked"])
@pytest.mark.parametrize("size", [None, 5])
def test_penalised_steps_follow_automatic_differentiation(measure: Any, way: Any, size: int | None) -> None:
    given = member(batch_size=size, max_steps=100, penalty=Penalty(measure, 0.05), seed=2)
    (run,), (plain,) = (trained([given], way=each, record_every=1) for each in (way, "loop"))
    np.testing.assert_allclose(run.losses, plain.losses, rtol=0, atol=1e-11 * plain.losses[0])
    (without,) = trained([replace(given, penalty=None)], way=way, record_every=1)
    assert abs(without.losses - run.losses).max() > 1e-6 * plain.losses[0]


def same(run: Run, other: Run, tolerance: float = 1e-11) -> None:
    assert (run.outcome, run.steps) == (other.outcome, other.steps)
    for mine, theirs in zip(run.module.parameters(), other.module.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=tolerance)
    assert run.loss == pytest.approx(other.loss, rel=1e-9, abs=1e-20)


@settings(max_examples=25)
@given(
    n=st.integers(1, 9),
    d=st.integers(1, 4),
    size=st.integers(1, 9),
    seed=st.integers(0, 100),
    stop_loss=st.sampled_from([0.0, 0.3, 1e-2]),
    max_steps=st.integers(1, 60),
    patience=st.sampled_from([None, 10]),
    dwell=st.integers(0, 6),
    watched=st.sampled_from(["all points", "epoch mean"]),
    loss=st.sampled_from(["mean", "half_mean"]),
    sampling=st.sampled_from(["reshuffling", "without_replacement"]),
)
def test_all_ways_end_alike(
    n: int, d: int, size: int, seed: int, stop_loss: float, max_steps: int, **options: Any
) -> None:
    given = member(n, d, 6, seed, batch_size=min(size, n), stop_loss=stop_loss, max_steps=max_steps, step_size=0.05)
    expected = trained([given], way="loop", **options)[0]
    for way in WAYS[:-1]:
        same(trained([given], way=way, **options)[0], expected)


def test_one_input_ends_as_the_compiled_loops_do() -> None:
    x, y = np.linspace(-1, 1, 6), np.sin(np.linspace(-4, 4, 6))
    start = initialise(20, seed=0)
    given = Member(TwoLayerReLU.from_weights(start), x, y, 0.1, 5000, stop_loss=1e-4)
    expected = train(start, x, y, step_size=0.1, loss="mean", max_steps=5000, stop_loss=1e-4, dwell=0, patience=5000)
    for way in ("auto", "explicit", "stacked", "loop"):
        (run,) = trained([given], way=way)
        assert (run.outcome, run.steps) == (Outcome.INTERPOLATED, expected.steps)
        np.testing.assert_allclose(run.module.weights().vector, expected.weights.vector, rtol=0, atol=1e-9)


@pytest.mark.parametrize("way", WAYS)
def test_the_mean_over_an_epoch_is_what_it_says(way: Any) -> None:
    given = member(n=8, batch_size=3, max_steps=60, seed=4)
    (every,) = trained([given], way="loop", record_every=1)
    x, y = given.x, given.y
    drawn = list(itertools.islice(batches(8, 3, sampling="reshuffling", seed=4), 60))
    means = []
    for epoch in range(20):
        squares = 0.0
        for step in range(3 * epoch, 3 * epoch + 3):
            network = given.network
            if step:
                (run,) = trained([replace(given, max_steps=step)], way="loop")
                network = run.module
            with torch.no_grad():
                batch = drawn[step]
                squares += float(((network(x[batch])[:, 0] - y[batch]) ** 2).sum())  # type: ignore[index, operator]
        means.append(squares / 8)
    threshold = 0.5 * (means[9] + means[10])
    assert means[10] < threshold < min(means[:10])
    (stopped,) = trained([replace(given, stop_loss=threshold)], way=way, watched="epoch mean")
    assert (stopped.outcome, stopped.steps) == (Outcome.INTERPOLATED, 33)
    assert stopped.loss == pytest.approx(every.losses[33], rel=1e-9)


@pytest.mark.parametrize("way", WAYS)
def test_a_diverging_network_leaves_its_siblings_alone(way: Any) -> None:
    calm = [member(seed=seed, batch_size=5, max_steps=50) for seed in range(3)]
    wild = member(seed=9, batch_size=5, max_steps=50, step_size=1e200)
    alone = trained(calm, way=way)
    first, blown, *rest = trained([calm[0], wild, *calm[1:]], way=way)
    assert blown.outcome == Outcome.DIVERGED
    assert all(bool(torch.isfinite(parameter).all()) for parameter in blown.module.parameters())
    for run, expected in zip([first, *rest], alone, strict=True):
        same(run, expected, 1e-13)


@pytest.mark.parametrize("way", WAYS)
def test_a_step_that_overflows_is_not_taken(way: Any) -> None:
    given = member(step_size=1.7e308, max_steps=10)
    (run,) = trained([given], way=way)
    assert (run.outcome, run.steps) == (Outcome.DIVERGED, 0)
    assert all(torch.equal(a, b) for a, b in zip(run.module.parameters(), given.network.parameters(), strict=True))


def test_the_members_are_left_as_they_are() -> None:
    given = member()
    before = [parameter.detach().clone() for parameter in given.network.parameters()]
    x = given.x.clone()  # type: ignore[union-attr]
    for way in WAYS:
        trained([given], way=way)
    assert all(torch.equal(a, b) for a, b in zip(given.network.parameters(), before, strict=True))
    assert torch.equal(given.x, x)  # type: ignore[arg-type]


def test_inputs_that_are_zero_everywhere_keep_their_weights() -> None:
    given = member(d=6)
    x = given.x.clone()  # type: ignore[union-attr]
    x[:, [1, 4]] = 0.0
    given = replace(given, x=x)
    explicit, loop = (trained([given], way=way)[0] for way in ("explicit", "loop"))
    same(explicit, loop)
    kept = explicit.module.hidden.weight[:, [1, 4]]
    assert torch.equal(kept, given.network.hidden.weight[:, [1, 4]])


def mixed() -> Sequence[Member]:
    return [
        member(seed=0, batch_size=5, max_steps=40),
        member(n=6, d=1, seed=1, max_steps=70),
        member(n=9, d=3, width=4, seed=2, stop_loss=0.5, max_steps=500),
        member(seed=3, batch_size=5, max_steps=40, step_size=0.01),
        member(seed=4, batch_size=5, max_steps=40, penalty=Penalty("GN", 0.1)),
    ]


@pytest.mark.parametrize("way", ["auto", "stacked"])
@pytest.mark.parametrize("options", [{"threads": 3}, {"together": 1}, {"together": 2}])
def test_members_may_differ_in_everything(way: Any, options: dict[str, Any]) -> None:
    alone = [trained([given], way=way)[0] for given in mixed()]
    for run, expected in zip(trained(mixed(), way=way, **options), alone, strict=True):
        same(run, expected, 1e-13)


def test_a_fleet_too_big_for_memory_is_cut_into_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    members = [member(seed=seed, max_steps=20) for seed in range(5)]
    sizes = []

    def spied(jobs: Any, device: torch.device) -> list[Run]:
        sizes.append(len(jobs))
        return stacked.train_stacked(jobs, device)

    expected = trained(members, way="stacked")
    need = stacked.bytes_of(Job.prepare(members[0], "reshuffling", 2, "all points", None, 0, 0))
    monkeypatch.setattr(ways, "train_stacked", spied)
    monkeypatch.setattr(stacked, "free_memory", lambda device: 2.5 * need / stacked.SHARE)
    for run, other in zip(trained(members, way="stacked"), expected, strict=True):
        same(run, other, 1e-13)
    assert sizes == [2, 2, 1]
    monkeypatch.setattr(stacked, "free_memory", lambda device: 1000)
    with pytest.raises(ValueError, match=r"members must fit into the memory of cpu: one network on 12 points needs"):
        trained(members, way="stacked")


@pytest.mark.gpu
@pytest.mark.parametrize("penalty", [None, Penalty("PL1", 0.05)])
def test_cuda_follows_the_cpu(penalty: Penalty | None) -> None:
    members = [member(seed=seed, batch_size=5, penalty=penalty) for seed in range(4)]
    for run, expected in zip(trained(members, device="cuda"), trained(members), strict=True):
        same(run, expected, 1e-9)


def test_no_members_give_no_runs() -> None:
    assert train_fleet([]) == []


def test_a_member_means_the_same_to_both_trainers() -> None:
    x = np.linspace(-1, 1, 6)
    start = initialise(20, seed=0)
    for network in (start, TwoLayerReLU.from_weights(start)):
        given = Member(network, x, np.sin(4 * x), 0.1, 300, batch_size=2, seed=3)
        (alone,), (run,), (stepped,) = train_many([given]), train_fleet([given]), train_fleet([given], way="explicit")
        assert type(alone.network) is type(run.network) is type(stepped.network) is type(network)
        np.testing.assert_array_equal(alone.weights.vector, run.weights.vector)
        np.testing.assert_allclose(stepped.weights.vector, run.weights.vector, rtol=0, atol=1e-12)
        assert (alone.loss, alone.steps, alone.outcome) == (run.loss, run.steps, run.outcome)
        assert stepped.loss == pytest.approx(run.loss, rel=1e-9)
        assert run.module.hidden.weight[:, 0].tolist() == run.weights.w1.tolist()


def test_the_trainers_share_their_defaults() -> None:
    common: dict[str, object] = {field.name: field.default for field in fields(Member)}
    for trainer in (train_fleet, train_many, train):
        for name, parameter in inspect.signature(trainer).parameters.items():
            assert common.setdefault(name, parameter.default) in (parameter.default, MISSING), (trainer, name)


PLANE, FLAT = np.zeros((4, 2)), np.zeros(4)


@pytest.mark.parametrize(
    ("wrong", "options", "error", "message"),
    [
        ({"network": 3}, {}, TypeError, "network must be a TwoLayerReLU or Weights, got int"),
        ({"x": [["a", "b"]]}, {}, TypeError, "x must hold real numbers, got 'a' of type str"),
        ({"x": FLAT}, {}, ValueError, "x must have shape (n, 2) with n at least 1, got (4,)"),
        ({"x": PLANE[:0]}, {}, ValueError, "x must have shape (n, 2) with n at least 1, got (0, 2)"),
        ({"y": FLAT[:3]}, {}, ValueError, "y must have shape (4,), one target for each row of x, got (3,)"),
        ({"y": FLAT + math.nan}, {}, ValueError, "y must hold finite numbers, got nan at index 0"),
        (
            {"x": torch.full((4, 2), math.inf)},
            {},
            ValueError,
            "x must hold finite numbers in torch.float64, got nan or inf",
        ),
        (
            {"x": PLANE.astype(np.float32) + np.float32(math.nan)},
            {},
            ValueError,
            "x must hold finite numbers in torch.float64, got nan or inf",
        ),
        ({"batch_size": 5}, {}, ValueError, "batch_size must be between 1 and the number of data points, 4, got 5"),
        ({"step_size": -1.0}, {}, ValueError, "step_size must be finite and above 0, got -1.0"),
        ({"max_steps": 0}, {}, ValueError, "max_steps must be at least 1, got 0"),
        ({"stop_loss": -1.0}, {}, ValueError, "stop_loss must be finite and above 0, got -1.0"),
        ({"seed": -1}, {}, ValueError, "seed must be at least 0, got -1"),
        ({"penalty": "GN"}, {}, TypeError, "penalty must be a Penalty or None, got str"),
        (
            {},
            {"way": "fast"},
            ValueError,
            "way must be one of 'auto', 'compiled', 'gram', 'explicit', 'stacked', 'loop', got 'fast'",
        ),
        ({}, {"watched": "loss"}, ValueError, "watched must be one of 'all points', 'epoch mean', got 'loss'"),
        ({}, {"way": "compiled"}, ValueError, "way 'compiled' is for networks on one input, got one on 2"),
        ({}, {"threads": 0}, ValueError, "threads must be at least 1, got 0"),
        ({}, {"together": 0}, ValueError, "together must be at least 1, got 0"),
        (
            {},
            {"device": "tpu"},
            ValueError,
            "device must be 'cpu' or a CUDA device such as 'cuda' or 'cuda:0', got 'tpu'",
        ),
        (
            {"penalty": Penalty("flatness", 1.0)},
            {"way": "gram"},
            ValueError,
            "way 'gram' knows no penalty, got Penalty(measure='flatness', coefficient=1.0, points_per_segment=10)",
        ),
    ],
)
def test_wrong_input_is_named(
    wrong: dict[str, Any], options: dict[str, Any], error: type[Exception], message: str
) -> None:
    fitting: dict[str, Any] = {"network": TwoLayerReLU(3, 2), "x": PLANE, "y": FLAT, "step_size": 0.1, "max_steps": 5}
    with pytest.raises(error) as raised:
        trained([Member(**(fitting | wrong))], **options)
    assert str(raised.value) == message


def test_a_network_with_weights_that_are_not_finite_is_refused() -> None:
    given = member()
    with torch.no_grad():
        given.network.output.bias.fill_(math.nan)
    with pytest.raises(ValueError, match="network must have finite weights at the start, got nan or inf"):
        trained([given])
