"""Hand-written gradients of the penalties against automatic differentiation of what they estimate."""

from typing import Any

import pytest
import torch

from numerics.networks import TwoLayerReLU
from numerics.penalties import Penalty, gradient
from numerics.steps import penalty_value

MEASURES = ["GN", "PL0", "PL1", "WP"]


def network_and_batch(width: int, d: int, size: int, seed: int) -> tuple[TwoLayerReLU, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    network = TwoLayerReLU(width, d)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    return network, torch.randn((size, d), generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(("width", "d", "size", "points"), [(5, 3, 6, 10), (17, 1, 9, 4), (8, 6, 2, 2), (3, 2, 1, 10)])
def test_gradients_are_those_of_automatic_differentiation(
    measure: Any, width: int, d: int, size: int, points: int
) -> None:
    network, batch = network_and_batch(width, d, size, seed=width)
    penalty = Penalty(measure, 0.5, points)
    value = penalty_value(network, batch, penalty)
    expected = [torch.zeros_like(p) for p in network.parameters()]
    if value.requires_grad:
        by_torch = torch.autograd.grad(value, list(network.parameters()), allow_unused=True)
        expected = [old if new is None else new for old, new in zip(expected, by_torch, strict=True)]
    with torch.no_grad():
        w1, b1, w2, b2 = network.parameters()
        z = batch @ w1.T + b1
        found = gradient(penalty, w1, w2[0], z)
        back = torch.zeros_like(z)
        if found.z is not None:
            back[: len(found.z)] = found.z
        total = back.T @ batch
        if found.left is not None and found.right is not None:
            total += found.left.T @ found.right
        if found.rows is not None:
            total += found.rows[:, None] * w1
        in_w2 = torch.zeros_like(w2) if found.w2 is None else found.w2[None]
        ours = [total, back.sum(0), in_w2, torch.zeros_like(b2)]
    for mine, theirs in zip(ours, expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("measure", MEASURES)
def test_many_networks_at_once_have_the_gradients_of_each(measure: Any) -> None:
    pairs = [network_and_batch(7, 4, 8, seed) for seed in range(3)]
    penalty = Penalty(measure, 1.0)
    with torch.no_grad():
        alone = []
        for network, batch in pairs:
            w1, b1, w2, _ = network.parameters()
            alone.append((w1, w2[0], batch @ w1.T + b1))
        w1, w2, z = (torch.stack([row[i] for row in alone]) for i in range(3))
        together = gradient(penalty, w1, w2, z)
        for place, row in enumerate(alone):
            for mine, theirs in zip(together, gradient(penalty, *row), strict=True):
                assert (mine is None) == (theirs is None)
                if mine is not None and theirs is not None:
                    torch.testing.assert_close(mine[place], theirs, rtol=1e-12, atol=1e-12)


def test_units_without_weights_have_no_gradient() -> None:
    network, batch = network_and_batch(4, 2, 6, seed=0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        w1, b1, w2, _ = network.parameters()
        for measure in MEASURES:
            for part in gradient(Penalty(measure, 1.0), w1, w2[0], batch @ w1.T + b1):  # type: ignore[arg-type]
                assert part is None or bool((part == 0).all())


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (("L2", 1.0), ValueError, "measure must be one of 'GN', 'PL0', 'PL1', 'WP', got 'L2'"),
        (("GN", 0.0), ValueError, "coefficient must be finite and above 0, got 0.0"),
        (("PL0", 1.0, 1), ValueError, "points_per_segment must be at least 2, got 1"),
        (("PL0", 1.0, 2.0), TypeError, "points_per_segment must be an integer, got 2.0"),
    ],
)
def test_wrong_penalties_are_named(words: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as raised:
        Penalty(*words)
    assert str(raised.value) == message
