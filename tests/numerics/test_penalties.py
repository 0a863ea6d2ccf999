"""Hand-written gradients of the penalties against automatic differentiation of what they estimate, and differences."""

from typing import Any

import pytest
import torch

from numerics.networks import TwoLayerReLU
from numerics.penalties import Gradient, Penalty, Place, gradient
from numerics.steps import penalty_value

MEASURES = ["GN", "PL0", "PL1", "WP", "GC", "L2", "spectral", "flatness"]
SIZES = [(5, 3, 6, 10), (17, 1, 9, 4), (8, 6, 2, 2), (3, 2, 1, 10), (4, 9, 7, 3)]


def network_and_batch(width: int, d: int, size: int, seed: int) -> tuple[TwoLayerReLU, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    network = TwoLayerReLU(width, d)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    x, y = (torch.randn(shape, generator=generator, dtype=torch.float64) for shape in ((size, d), (size,)))
    return network, x, y


def place(network: TwoLayerReLU, x: torch.Tensor, y: torch.Tensor, scale: float) -> Place:
    """Return where the gradient is asked for, as the fleet has it at a step."""
    w1, b1, w2, b2 = (parameter.detach() for parameter in network.parameters())
    return Place(w1, b1, w2[0], b2[0], x, x @ w1.T + b1, network(x)[:, 0].detach() - y, scale)


def written_out(found: Gradient, at: Place) -> list[torch.Tensor]:
    """Return the gradients in w1, b1, w2 and b2 from the parts."""
    back = torch.zeros_like(at.z)
    if found.z is not None:
        back[: len(found.z)] = found.z
    total, b1 = back.T @ at.x, back.sum(0)
    if found.left is not None and found.right is not None:
        total += found.left.T @ found.right
    if found.rows is not None:
        total += found.rows[:, None] * at.w1
    if found.b1 is not None:
        b1 += found.b1
    in_w2 = torch.zeros_like(at.w2) if found.w2 is None else found.w2
    in_b2 = torch.zeros_like(at.b2) if found.b2 is None else found.b2
    return [total, b1, in_w2[None], in_b2[None]]


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(("width", "d", "size", "points"), SIZES)
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_gradients_are_those_of_automatic_differentiation(
    measure: Any, width: int, d: int, size: int, points: int, scale: float
) -> None:
    network, x, y = network_and_batch(width, d, size, seed=width)
    penalty = Penalty(measure, 0.5, points)
    value = penalty_value(network, x, y, penalty, scale)
    expected = [torch.zeros_like(p) for p in network.parameters()]
    if value.requires_grad:
        by_torch = torch.autograd.grad(value, list(network.parameters()), allow_unused=True)
        expected = [old if new is None else new for old, new in zip(expected, by_torch, strict=True)]
    at = place(network, x, y, scale)
    for mine, theirs in zip(written_out(gradient(penalty, at), at), expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("measure", ["GC", "L2", "spectral", "flatness"])
def test_gradients_are_those_of_differences(measure: Any) -> None:
    network, x, y = network_and_batch(6, 4, 5, seed=1)
    penalty, step = Penalty(measure, 1.0), 1e-6
    at = place(network, x, y, 2.0)
    assert float(at.z.abs().min()) > 100 * step  # no unit switches on the way
    found = written_out(gradient(penalty, at), at)
    for parameter, mine in zip(network.parameters(), found, strict=True):
        values, ends = parameter.data.view(-1), []
        for index in range(len(values)):
            kept, pair = float(values[index]), []
            for side in (step, -step):
                values[index] = kept + side
                pair.append(penalty_value(network, x, y, penalty, 2.0).item())
            values[index] = kept
            ends.append((pair[0] - pair[1]) / (2 * step))
        expected = torch.tensor(ends, dtype=torch.float64).reshape(mine.shape)
        torch.testing.assert_close(mine, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("measure", MEASURES)
def test_many_networks_at_once_have_the_gradients_of_each(measure: Any) -> None:
    penalty = Penalty(measure, 1.0)
    alone = [place(*network_and_batch(7, 4, 8, seed), 1.0) for seed in range(3)]
    parts = [torch.stack([row[i] for row in alone]) for i in range(7)]
    together = gradient(penalty, Place(*parts, 1.0))
    for index, row in enumerate(alone):
        for mine, theirs in zip(together, gradient(penalty, row), strict=True):
            assert (mine is None) == (theirs is None)
            if mine is not None and theirs is not None and measure != "spectral":
                torch.testing.assert_close(mine[index], theirs, rtol=1e-12, atol=1e-12)
        # Of a singular pair u, v only the product is known, not the signs.
        whole = Gradient(*(None if part is None else part[index] for part in together))
        for mine, theirs in zip(written_out(whole, row), written_out(gradient(penalty, row), row), strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-12, atol=1e-12)


def test_units_without_weights_have_no_gradient() -> None:
    network, x, y = network_and_batch(4, 2, 6, seed=0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    at = place(network, x, y, 1.0)
    for measure in MEASURES[:-1]:
        found = gradient(Penalty(measure, 1.0), at)  # type: ignore[arg-type]
        assert all(bool((part == 0).all()) for part in written_out(found, at))
    # The loss still depends on the output bias.
    *rest, b2 = written_out(gradient(Penalty("flatness", 1.0), at), at)
    assert all(bool((part == 0).all()) for part in rest)
    torch.testing.assert_close(b2, -2 * y.mean()[None], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (
            ("L1", 1.0),
            ValueError,
            "measure must be one of 'GN', 'PL0', 'PL1', 'WP', 'GC', 'L2', 'spectral', 'flatness', got 'L1'",
        ),
        (("GN", 0.0), ValueError, "coefficient must be finite and above 0, got 0.0"),
        (("PL0", 1.0, 1), ValueError, "points_per_segment must be at least 2, got 1"),
        (("PL0", 1.0, 2.0), TypeError, "points_per_segment must be an integer, got 2.0"),
    ],
)
def test_wrong_penalties_are_named(words: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as raised:
        Penalty(*words)
    assert str(raised.value) == message
