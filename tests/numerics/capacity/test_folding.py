from typing import Any

import pytest
import torch
from torch import nn

from numerics.capacity import UnsupportedLayerError, fold_batch_norm
from tests.numerics.capacity.networks import drawn


class Block(nn.Module):
    """A residual block as in ResNets, with batch norm on the skip."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(2, 4, 3, padding=1, bias=False), nn.Conv2d(4, 4, 3, padding=1)
        self.norm, self.other = nn.BatchNorm2d(4), nn.BatchNorm2d(4, affine=False)
        self.skip = nn.Sequential(nn.Conv2d(2, 4, 1, bias=False), nn.BatchNorm2d(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = self.other(self.second(torch.relu(self.norm(self.first(x)))))
        return torch.relu(inner + self.skip(x)).flatten(1)


def behind() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1, groups=2), nn.BatchNorm2d(4), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(),
        nn.Linear(64, 3), nn.BatchNorm1d(3),
    )  # fmt: skip


def before() -> nn.Module:
    return nn.Sequential(
        nn.BatchNorm2d(2),
        nn.Conv2d(2, 4, 3, groups=2),
        nn.ReLU(),
        nn.BatchNorm2d(4),
        nn.Flatten(),
        nn.Linear(16, 3, bias=False),
    )


def circular() -> nn.Module:
    return nn.Sequential(nn.BatchNorm2d(2), nn.Conv2d(2, 3, 3, padding=1, padding_mode="circular"), nn.Flatten())


@pytest.mark.parametrize("make", [Block, behind, before, circular], ids=["block", "behind", "before", "circular"])
def test_the_function_stays_and_no_batch_norm_does(make: Any) -> None:
    model, x = drawn(make, 0), torch.randn(6, 2, 4, 4, dtype=torch.float64)
    folded = fold_batch_norm(model)
    assert torch.allclose(folded(x), model(x), rtol=1e-12, atol=1e-12)
    assert not any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in folded.modules())
    assert type(folded) is type(model)
    assert any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in model.modules())


def test_the_dtype_is_kept() -> None:
    model, x = drawn(Block, 1).float(), torch.randn(6, 2, 4, 4)
    folded = fold_batch_norm(model)
    assert {parameter.dtype for parameter in folded.parameters()} == {torch.float32}
    assert torch.allclose(folded(x), model(x), rtol=1e-4, atol=1e-4)


def test_folding_makes_biases() -> None:
    model: Any = drawn(lambda: nn.Sequential(nn.Linear(2, 3, bias=False), nn.BatchNorm1d(3)), 2)
    folded: Any = fold_batch_norm(model)
    norm = model[1]
    expected = norm.bias - norm.weight * norm.running_mean / torch.sqrt(norm.running_var + norm.eps)
    assert torch.allclose(folded[0].bias, expected, rtol=1e-12)


def test_a_model_without_batch_norm_is_copied() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    folded = fold_batch_norm(model)
    assert folded is not model
    assert torch.equal(folded(torch.ones(1, 2)), model(torch.ones(1, 2)))


def test_channels_that_are_not_the_units_of_a_linear_layer() -> None:
    """On inputs [n, c, d] batch norm is over c, and a linear layer over d."""
    model = drawn(lambda: nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3)), 3)
    with pytest.raises(UnsupportedLayerError, match="got BatchNorm1d '1'"):
        fold_batch_norm(model, (3, 3))


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer, self.norm = nn.Linear(2, 2), nn.BatchNorm1d(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(self.layer(self.norm(self.layer(x))))  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (
            nn.Sequential(nn.BatchNorm2d(2), nn.Conv2d(2, 2, 3, padding=1)),
            UnsupportedLayerError,
            "got BatchNorm2d '0' before Conv2d '1' with zero padding: its zeros would be those of the input",
        ),
        (
            nn.Sequential(nn.BatchNorm2d(2), nn.Conv2d(2, 2, 3, padding="same")),
            UnsupportedLayerError,
            "got BatchNorm2d '0' before Conv2d '1' with zero padding",
        ),
        (
            nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.BatchNorm1d(2), nn.ReLU()),
            UnsupportedLayerError,
            "for it to be folded, got BatchNorm1d '2'$",
        ),
        (Twice(), ValueError, "for batch norm to be folded, got those of Linear 'layer', that is used again"),
        (
            nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(2, 2)), nn.BatchNorm1d(2)),
            UnsupportedLayerError,
            "without parametrizations beside batch norm, got ParametrizedLinear",
        ),
    ],
    ids=["padded", "same", "activation", "twice", "parametrised"],
)
def test_batch_norm_that_cannot_be_folded_is_named(model: nn.Module, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        fold_batch_norm(model.eval())


def test_a_zero_padded_convolution_after_batch_norm_is_another_function() -> None:
    """Why it is refused: at the edges the folded layer would see the shift where the model pads with 0."""
    model: Any = drawn(lambda: nn.Sequential(nn.BatchNorm2d(1), nn.Conv2d(1, 1, 3, padding=1)), 4)
    inside: Any = drawn(lambda: nn.Sequential(nn.BatchNorm2d(1), nn.Conv2d(1, 1, 3)), 4)
    inside.load_state_dict(model.state_dict())
    folded: Any = fold_batch_norm(inside)
    x = torch.randn(1, 1, 5, 5, dtype=torch.float64)
    padded = nn.functional.conv2d(x, folded[1].weight, folded[1].bias, padding=1)
    assert torch.allclose(padded[..., 1:-1, 1:-1], model(x)[..., 1:-1, 1:-1], rtol=1e-12)
    assert not torch.allclose(padded, model(x))


def test_no_module_is_refused() -> None:
    with pytest.raises(TypeError, match="model must be"):
        fold_batch_norm("model")
