import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from numerics.pac_bayes import AssumptionError, ExpectedLoss, expected_loss


def drawn(values: Any, choices: int = 1, loss: str = "zero_one") -> ExpectedLoss:
    draws = np.asarray(values, dtype=float)
    return ExpectedLoss(draws, 0.0, 100, loss, 0.0, 1.0, choices)


def above(value: float) -> float:
    """Return the chance that a standard normal number is larger."""
    return math.erfc(value / math.sqrt(2)) / 2


def scores(*weights: float) -> nn.Linear:
    """Return two logits w_1 x and w_2 x."""
    model = nn.Linear(1, 2, bias=False, dtype=torch.float64)
    model.weight.data.copy_(torch.tensor(weights, dtype=torch.float64)[:, None])
    return model.eval()


def half(outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return torch.where(outputs.argmax(dim=1) == y, 0.0, 0.5)


def far(outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return 2 * half(outputs, y) + 0.5


@pytest.mark.parametrize("batch_size", [None, 3])
def test_the_mean_is_the_known_one(batch_size: int | None) -> None:
    # w_1 - w_2 + nu_1 - nu_2 has mean 1 and variance 2 s^2; of four data one has the other label.
    s, n = 0.8, 800
    wrong = above(1 / (s * math.sqrt(2)))
    expected = 0.75 * wrong + 0.25 * (1 - wrong)
    x, y = torch.ones(4, 1, dtype=torch.float64), [0, 0, 0, 1]
    found = expected_loss(scores(0.5, -0.5), x, y, s, draws=n, batch_size=batch_size, seed=3)
    assert found.value == pytest.approx(expected, abs=5 * found.standard_error)
    assert found.standard_error < 0.02
    assert found.unperturbed == 0.25
    assert found.sharpness == found.value - 0.25
    assert (found.samples, found.loss, len(found.draws)) == (4, "zero_one", n)


def test_draws_are_those_of_the_plain_loop() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 3)).double().eval()
    x, y = torch.randn(20, 3, dtype=torch.float64), torch.randint(0, 3, (20,))
    std = {name: torch.rand(p.shape, dtype=torch.float64) + 0.1 for name, p in model.named_parameters()}
    spread = torch.cat([one.reshape(-1) for one in std.values()])
    found = expected_loss(model, x, y, std, loss="cross_entropy", draws=5, seed=7)
    before = torch.nn.utils.parameters_to_vector(model.parameters()).detach().clone()
    generator = torch.Generator().manual_seed(7)
    for value in found.draws:
        noise = torch.randn(len(before), generator=generator, dtype=torch.float64)
        torch.nn.utils.vector_to_parameters(before + spread * noise, model.parameters())
        assert value == pytest.approx(nn.functional.cross_entropy(model(x), y).item(), rel=1e-12)


def test_the_model_is_left_as_it_is_and_a_seed_gives_the_same_again() -> None:
    model, x = scores(0.5, -0.5), torch.ones(4, 1, dtype=torch.float64)
    first, second, other = (
        expected_loss(model, x, [0] * 4, 1.0, draws=50, batch_size=2, seed=s).draws for s in (1, 1, 2)
    )
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)
    assert model.weight.tolist() == [[0.5], [-0.5]]
    assert model.weight.requires_grad


def test_a_tie_counts_as_wrong() -> None:
    found = expected_loss(scores(1.0, 1.0), torch.ones(1, 1, dtype=torch.float64), [0], 1e-300, draws=1)
    assert found.unperturbed == 1.0


def test_a_loss_of_the_user_is_taken() -> None:
    found = expected_loss(scores(0.5, -0.5), torch.ones(2, 1, dtype=torch.float64), [0, 1], 1e-9, loss=half, draws=3)
    assert found.draws.tolist() == [0.25] * 3
    assert found.loss == "half"
    assert 0.25 < found.upper(0.1) < 1


@pytest.mark.parametrize("q", [0.02, 0.3])
@pytest.mark.parametrize("n", [20, 200])
def test_the_upper_bound_fails_no_more_often_than_it_says(q: float, n: int) -> None:
    delta, repeats = 0.2, 150
    rng = np.random.default_rng(n)
    uppers = [drawn(rng.random(n) < q).upper(delta) for _ in range(repeats)]
    failures = sum(upper < q for upper in uppers)
    # Failing with probability delta/2 at most (one side), it fails so often with a chance below 1e-3.
    assert failures <= delta / 2 * repeats + 3.5 * math.sqrt(delta / 2 * repeats)
    assert np.mean(uppers) < 1


def test_the_mean_in_its_place_fails_in_half_of_all_cases() -> None:
    rng = np.random.default_rng(0)
    failures = sum(drawn(rng.random(200) < 0.3).value < 0.3 for _ in range(500))
    assert 150 < failures < 350


def test_of_many_estimates_the_smallest_is_safe_only_with_the_number_of_choices() -> None:
    # Fifty estimates of the same mean, of which the smallest is taken.
    delta, n, q, many, repeats = 0.5, 100, 0.5, 50, 60
    failing = {1: 0, many: 0}
    rng = np.random.default_rng(1)
    for _ in range(repeats):
        smallest = min((rng.random(n) < q).mean() for _ in range(many))
        draws = np.full(n, smallest)
        for choices in failing:
            failing[choices] += drawn(draws, choices).upper(delta) < q
    assert failing[many] <= delta * repeats
    assert failing[1] > delta * repeats


@pytest.mark.parametrize("share", [0.0, 0.01, 0.4, 1.0])
def test_it_falls_with_draws_and_delta_and_rises_with_choices(share: float) -> None:
    def upper(n: int, delta: float, choices: int = 1) -> float:
        return drawn(np.full(n, share), choices).upper(delta)

    assert share <= upper(10_000, 0.1) <= upper(1000, 0.1) <= upper(1000, 0.01) <= upper(1000, 0.01, 5) <= 1
    assert share == 1 or upper(10_000, 0.1) < upper(1000, 0.1)


def test_no_errors_in_n_draws_give_the_known_bound() -> None:
    # kl(0 || p) = -ln(1 - p)
    assert drawn(np.zeros(100)).upper(0.1) == pytest.approx(1 - (0.1 / 2) ** (1 / 100), rel=1e-9)


def test_a_loss_outside_the_unit_interval_is_refused_by_name() -> None:
    x, y = torch.ones(2, 1, dtype=torch.float64), [0, 1]
    found = expected_loss(scores(0.5, -0.5), x, y, 1e-9, loss=far, draws=3)
    with pytest.raises(AssumptionError, match=r"the loss is in \[0, 1\], got 1.5"):
        found.upper(0.1)
    with pytest.raises(AssumptionError, match=r"the loss is in \[0, 1\], got cross-entropy"):
        expected_loss(scores(0.1, 0.0), x, y, 1e-9, loss="cross_entropy", draws=3).upper(0.1)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"loss": "hinge"}, ValueError, "loss must be 'zero_one' or 'cross_entropy' or a function, got 'hinge'"),
        ({"draws": 0}, ValueError, "draws must be at least 1, got 0"),
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1, got 0"),
        ({"choices": 0}, ValueError, "choices must be at least 1, got 0"),
        ({"seed": -1}, ValueError, "seed must be at least 0, got -1"),
        ({"std": 0.0}, ValueError, "std must be finite and above 0"),
        ({"y": [0, 2]}, ValueError, "y must hold labels from 0 to 1"),
        ({"y": [0]}, ValueError, r"y must have shape \[2\]"),
        ({"x": torch.zeros(0, 1)}, ValueError, "x must have shape"),
        ({"loss": lambda outputs, y: outputs.sum()}, ValueError, "loss must return one number for each of 2 rows"),
        ({"loss": lambda outputs, y: outputs[:, 0] / 0}, ValueError, "loss must be finite under the noise"),
        ({"model": nn.Linear(1, 1).double()}, ValueError, "an output for each label, got k = 1"),
        ({"model": nn.Sequential(nn.Linear(1, 2), nn.Dropout())}, ValueError, "model must be in eval mode"),
    ],
    ids=[
        "loss", "draws", "batch", "choices", "seed", "std", "label", "labels", "data", "shape", "inf", "one output",
        "training",
    ],
)  # fmt: skip
def test_bad_input_is_named(change: dict[str, Any], error: type[Exception], message: str) -> None:
    given: dict[str, Any] = {
        "model": scores(0.5, -0.5),
        "x": torch.ones(2, 1, dtype=torch.float64),
        "y": [0, 1],
        "std": 0.1,
        "draws": 2,
    }
    with pytest.raises(error, match=message):
        expected_loss(**{**given, **change})
