"""Small networks, drawn, and the gradients of their examples one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from theory.checks import Array


class SelfAttention(nn.Module):
    """One head of attention over the tokens of each row [m, t, 6], made of dense layers, with a residual and a norm."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(6, 6, bias=name != "key") for name in ("query", "key", "value"))
        self.norm = nn.LayerNorm(6)
        self.last = nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits."""
        shares = torch.softmax(self.query(x) @ self.key(x).transpose(1, 2), dim=-1)
        mixed = self.norm(x + shares @ self.value(x))
        result: torch.Tensor = self.last(mixed.mean(1))
        return result


class TorchAttention(nn.Module):
    """Torch's own attention, whose weights no rule is known for."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(6, 2, batch_first=True)
        self.last = nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits."""
        result: torch.Tensor = self.last(self.attention(x, x, x)[0].mean(1))
        return result


class Tied(nn.Module):
    """A layer that is called twice, whose weight is used once more without it."""

    def __init__(self, extra: bool) -> None:
        super().__init__()
        self.inner, self.last, self.extra = nn.Linear(4, 4), nn.Linear(4, 3), extra

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits."""
        x = torch.tanh(self.inner(torch.tanh(self.inner(x))))
        if self.extra:
            x = x @ self.inner.weight
        result: torch.Tensor = self.last(x)
        return result


class TokensFirst(nn.Module):
    """A dense layer on tokens [t, m, 4], whose first axis is no batch."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.last = nn.Linear(4, 5), nn.Linear(5, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits."""
        result: torch.Tensor = self.last(torch.tanh(self.inner(x.transpose(0, 1))).mean(0))
        return result


def convolutional() -> nn.Module:
    """Return a network of convolutions: strided, dilated, grouped, with batch norm and another padding."""
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1, stride=2), nn.BatchNorm2d(4), nn.ReLU(inplace=True),
        nn.Conv2d(4, 6, (2, 3), groups=2, padding="same", dilation=(1, 2), padding_mode="circular"), nn.GroupNorm(2, 6),
        nn.Tanh(), nn.Conv2d(6, 3, 1, bias=False), nn.Flatten(), nn.Linear(27, 3),
    )  # fmt: skip


def on_lines() -> nn.Module:
    """Return a network of convolutions of one axis, the last of which has no rule."""
    return nn.Sequential(
        nn.Conv1d(2, 5, 3, padding=2, padding_mode="reflect"), nn.ReLU(), nn.BatchNorm1d(5),
        nn.ConvTranspose1d(5, 2, 2), nn.Flatten(), nn.Linear(20, 3),
    )  # fmt: skip


def dense() -> nn.Module:
    """Return a network of dense layers, the last without bias."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(4, 7), nn.ReLU(), nn.Linear(7, 5), nn.Tanh(), nn.Linear(5, 3, bias=False)
    )


def frozen() -> nn.Module:
    """Return a network some of whose parameters are not trained."""
    model = nn.Sequential(nn.Linear(4, 6), nn.LayerNorm(6), nn.ReLU(), nn.Linear(6, 3))
    for parameter in (model[0].weight, model[1].bias, model[3].bias):
        parameter.requires_grad_(False)
    return model


def twice() -> nn.Module:
    """Return a network that calls a layer twice."""
    return Tied(extra=False)


def used_elsewhere() -> nn.Module:
    """Return a network that uses a layer's weight without the layer."""
    return Tied(extra=True)


def normed_weights() -> nn.Module:
    """Return a network with a weight that is made of others."""
    return nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(4, 6)), nn.ReLU(), nn.Linear(6, 3))


CASES: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "dense": (dense, (4,)),
    "convolutions": (convolutional, (2, 6, 5)),
    "convolutions of one axis": (on_lines, (2, 7)),
    "attention of dense layers": (SelfAttention, (4, 6)),
    "attention of torch": (TorchAttention, (4, 6)),
    "frozen": (frozen, (4,)),
    "called twice": (twice, (4,)),
    "used elsewhere": (used_elsewhere, (4,)),
    "tokens first": (TokensFirst, (3, 4)),
    "normed weights": (normed_weights, (4,)),
}
"""Networks of three outputs, and the shape of their inputs."""


def drawn(make: Callable[[], nn.Module], seed: int = 0) -> nn.Module:
    """Return a network in float64 and eval mode with normal parameters and statistics that are not those of new ones."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = make().double().eval()
        for parameter in model.parameters():
            parameter.data.normal_().mul_(0.5)
        for layer in model.modules():
            if isinstance(layer, nn.modules.batchnorm._BatchNorm):
                layer.running_mean = torch.randn(layer.num_features).double()
                layer.running_var = torch.rand(layer.num_features).double() + 0.5
    return model


def data(shape: tuple[int, ...], m: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Return normal inputs [m, ...] and labels of three classes."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(m, *shape, generator=generator, dtype=torch.float64)
    return x, torch.randint(0, 3, (m,), generator=generator)


def gradients(model: nn.Module, x: torch.Tensor, y: torch.Tensor, loss: Any = nn.functional.cross_entropy) -> Array:
    """Return the gradient of each example's loss, by one backward pass each, [m, p]."""
    owned = [p for p in model.parameters() if p.requires_grad]
    rows = []
    for row, target in zip(x.split(1), y.split(1), strict=True):
        found = torch.autograd.grad(loss(model(row), target), owned, allow_unused=True, materialize_grads=True)
        rows.append(torch.cat([g.reshape(-1) for g in found]))
    stacked: Array = torch.stack(rows).numpy()
    return stacked
