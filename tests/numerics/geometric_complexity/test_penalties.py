from typing import Any

import pytest
import torch
from torch import nn

from numerics.geometric_complexity import geometric_complexity, operator_norm
from numerics.geometric_complexity.penalties import (
    flatness_penalty,
    geometric_complexity_penalty,
    spectral_penalty,
    squared_norm_penalty,
)

STEP = 1e-6


def example() -> tuple[nn.Sequential, torch.Tensor, torch.Tensor]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 4)).double()
        return model, torch.randn(5, 3).double(), torch.tensor([0, 3, 1, 1, 2])


def penalties(model: nn.Sequential, x: torch.Tensor, y: torch.Tensor) -> dict[str, Any]:
    return {
        "geometric complexity": lambda: geometric_complexity_penalty(model, x),
        "squared norm": lambda: squared_norm_penalty(model),
        "spectral": lambda: spectral_penalty(model),
        "flatness": lambda: flatness_penalty(model, x, y, nn.functional.cross_entropy),
    }


@pytest.mark.parametrize("name", ["geometric complexity", "squared norm", "spectral", "flatness"])
def test_gradients_are_those_of_finite_differences(name: str) -> None:
    model, x, y = example()
    penalty = penalties(model, x, y)[name]
    penalty().backward()
    for parameter in model.parameters():
        gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad.clone()
        flat = parameter.data.view(-1)
        for index in range(0, len(flat), 5):
            before, values = flat[index].item(), []
            for sign in (1, -1):
                flat[index] = before + sign * STEP
                values.append(penalty().item())
            flat[index] = before
            change = (values[0] - values[1]) / (2 * STEP)
            assert gradient.view(-1)[index].item() == pytest.approx(change, rel=1e-5, abs=1e-8)


def test_the_values_are_those_of_the_measures() -> None:
    model, x, y = example()
    given = {name: float(penalty().detach()) for name, penalty in penalties(model, x, y).items()}
    assert given["geometric complexity"] == pytest.approx(geometric_complexity(model, x).value, rel=1e-12)
    assert given["squared norm"] == pytest.approx(
        sum(float((p.detach() ** 2).sum()) for p in model.parameters()), rel=1e-12
    )
    tops = [operator_norm(layer, (layer.in_features,)).upper for layer in model if isinstance(layer, nn.Linear)]
    assert given["spectral"] == pytest.approx(sum(top**2 for top in tops) / 2, rel=1e-10)
    model.zero_grad()
    nn.functional.cross_entropy(model(x), y).backward()
    squares = sum(float((p.grad**2).sum()) for p in model.parameters() if p.grad is not None)
    assert given["flatness"] == pytest.approx(squares, rel=1e-12)


def test_random_projections_are_unbiased() -> None:
    model, x, _ = example()
    exact = float(geometric_complexity_penalty(model, x).detach())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        draws = torch.stack([geometric_complexity_penalty(model, x, projections=2).detach() for _ in range(400)])
    # Beyond five standard errors once in two million seeds.
    assert abs(float(draws.mean()) - exact) < 5 * float(draws.std()) / 20


def test_a_penalty_lowers_what_it_penalises() -> None:
    model, x, _ = example()
    before = geometric_complexity(model, x).value
    optimiser = torch.optim.SGD(model.parameters(), 0.05)
    for _ in range(20):
        optimiser.zero_grad()
        geometric_complexity_penalty(model, x).backward()
        optimiser.step()
    assert geometric_complexity(model, x).value < before / 2


def test_batch_norm_in_training_uses_its_stored_statistics_if_asked() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Linear(3, 2)).train()
    x = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match="BatchNorm1d '1' in training mode"):
        geometric_complexity_penalty(model, x)
    found = geometric_complexity_penalty(model, x, stored_statistics=True)
    assert model[1].training
    assert int(model[1].num_batches_tracked) == 0
    assert float(found.detach()) == pytest.approx(geometric_complexity(model.eval(), x).value, rel=1e-5)


def test_a_shared_weight_counts_once() -> None:
    layer = nn.Linear(2, 2)
    model = nn.Sequential(layer, nn.ReLU(), layer)
    assert squared_norm_penalty(model, biases=False).item() == pytest.approx(float((layer.weight.detach() ** 2).sum()))
    assert spectral_penalty(model).item() == pytest.approx(
        float(torch.linalg.matrix_norm(layer.weight.detach(), 2)) ** 2 / 2
    )


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: geometric_complexity_penalty(nn.Linear(2, 1), torch.ones(3, 2, dtype=torch.int64)),
            TypeError,
            "floats",
        ),
        (lambda: geometric_complexity_penalty(nn.Linear(2, 1), torch.ones(0, 2)), ValueError, "x must have shape"),
        (
            lambda: geometric_complexity_penalty(nn.Linear(2, 1), torch.ones(1, 2), projections=0),
            ValueError,
            "projections",
        ),
        (lambda: squared_norm_penalty(nn.ReLU()), ValueError, "a parameter that counts"),
        (lambda: spectral_penalty(nn.ReLU()), ValueError, "a linear layer"),
        (lambda: flatness_penalty(nn.ReLU(), torch.ones(1), torch.ones(1), nn.MSELoss()), ValueError, "a parameter"),
        (
            lambda: flatness_penalty(nn.Linear(1, 1), torch.ones(1, 1), torch.ones(1, 1), nn.MSELoss(reduction="none")),
            ValueError,
            "loss must return a scalar",
        ),
    ],
    ids=["integers", "empty", "projections", "no parameters", "no layers", "nothing to move", "no scalar"],
)
def test_bad_input_is_named(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
