"""Initialisers have the variances that they say; the ResNet-18 is the standard one."""

from __future__ import annotations

import math
from typing import Any, get_args

import numpy as np
import pytest
import scipy.stats
import torch
from torch import nn

from numerics.models import TRUNCATED_VARIANCE, Initialiser, ResNet18, draw_weights, entry_variance, mlp, vgg

SCHEMES = get_args(Initialiser)

LARGEST = {
    "lecun": 2 / math.sqrt(TRUNCATED_VARIANCE) / math.sqrt(400),
    "lecun_uncorrected": 2 / math.sqrt(400),
    "glorot": math.sqrt(6 / 1000),
}
"""Where the distributions of 600 x 400 weights end."""


def test_the_variance_of_a_truncated_normal_is_that_of_scipy() -> None:
    assert pytest.approx(scipy.stats.truncnorm(-2, 2).var(), rel=1e-12) == TRUNCATED_VARIANCE


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_weights_have_mean_0_and_the_variance_of_their_scheme(scheme: Initialiser, dtype: Any) -> None:
    drawn = draw_weights((600, 400), scheme, np.random.default_rng(0), dtype=dtype)
    assert drawn.dtype == dtype
    values, variance = drawn.astype(np.float64).ravel(), entry_variance(scheme, 400, 600)
    # Five standard errors: a false alarm in less than one of a million.
    assert abs(values.mean()) < 5 * math.sqrt(variance / values.size)
    assert abs(values.var() / variance - 1) < 5 * math.sqrt((scipy.stats.kurtosis(values) + 2) / values.size)
    assert np.abs(values).max() <= LARGEST.get(scheme, math.inf) * (1 + 1e-6)
    assert np.abs(values).max() >= 0.99 * LARGEST.get(scheme, 0)


def test_a_kernel_counts_its_field_in_both_fans() -> None:
    drawn = draw_weights((64, 32, 3, 3), "glorot", np.random.default_rng(0))
    assert np.abs(drawn).max() == pytest.approx(math.sqrt(6 / (9 * 96)), rel=1e-3)


def test_an_mlp_is_what_its_layers_say() -> None:
    model = mlp([6, 5, 4, 3], seed=1, scheme="he", dtype=torch.float64)
    layers = [layer for layer in model if isinstance(layer, nn.Linear)]
    assert [tuple(layer.weight.shape) for layer in layers] == [(5, 6), (4, 5), (3, 4)]
    assert all(not layer.bias.detach().any() for layer in layers)
    x = torch.randn(7, 2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    by_hand = x.flatten(1)
    for layer in layers:
        by_hand = torch.relu(by_hand @ layer.weight.T) if layer is not layers[-1] else by_hand @ layer.weight.T
    torch.testing.assert_close(model(x), by_hand)


def test_a_seed_makes_one_network() -> None:
    first, again, other = (torch.cat([p.flatten() for p in mlp([4, 3, 2], seed=s).parameters()]) for s in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_resnet_of_width_64_has_the_parameters_of_the_standard_one() -> None:
    assert sum(p.numel() for p in ResNet18().parameters()) == 11_173_962


@pytest.mark.parametrize(("width", "channels", "classes"), [(4, 3, 10), (8, 1, 7)])
def test_a_resnet_halves_the_image_where_its_channels_double(width: int, channels: int, classes: int) -> None:
    model, shapes = ResNet18(classes, width=width, channels=channels).eval(), []
    for block in model.blocks:
        block.register_forward_hook(lambda module, given, out: shapes.append(tuple(out.shape[1:])))
    assert model(torch.zeros(2, channels, 32, 32)).shape == (2, classes)
    sizes = [(width * 2**stage, 32 // 2**stage) for stage in range(4) for _ in range(2)]
    assert shapes == [(channels, size, size) for channels, size in sizes]


def test_the_vgg_of_width_64_has_the_parameters_of_its_layers() -> None:
    convolutions = [(3, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 512), (512, 512)]
    by_hand = sum(9 * inputs * outputs + 2 * outputs for inputs, outputs in convolutions) + 513 * 512 + 513 * 10
    assert sum(p.numel() for p in vgg().parameters()) == by_hand == 4_955_082


def test_a_vgg_pools_after_three_stacks_and_averages_what_is_left_after_the_fourth() -> None:
    model, shapes = vgg(7, width=2, channels=1, seed=3).eval(), []
    for layer in model:
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(lambda module, given, out: shapes.append(tuple(out.shape[1:])))
    assert model(torch.zeros(3, 1, 32, 32)).shape == (3, 7)
    assert shapes == [(2 * 2**stage, 32 // 2**stage, 32 // 2**stage) for stage in range(4) for _ in range(2)]
    kinds = [type(layer).__name__ for layer in model]
    stack = ["Conv2d", "BatchNorm2d", "ReLU"] * 2
    assert kinds == [*[*stack, "MaxPool2d"] * 3, *stack, "AdaptiveAvgPool2d", "Flatten", "Linear", "ReLU", "Linear"]
    assert [layer.out_features for layer in model if isinstance(layer, nn.Linear)] == [16, 7]


def test_dropout_comes_after_each_stack_of_a_vgg_and_changes_no_weight() -> None:
    model, without = vgg(width=1, dropout=0.25), vgg(width=1)
    kinds = [type(layer).__name__ for layer in model]
    after = [kinds[place - 1] for place, kind in enumerate(kinds) if kind == "Dropout"]
    assert after == ["MaxPool2d", "MaxPool2d", "MaxPool2d", "ReLU"]
    for ours, theirs in zip(model.parameters(), without.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_a_block_adds_its_input() -> None:
    block = ResNet18(width=4).eval().blocks[0]
    for bn in (block.bn1, block.bn2):
        nn.init.zeros_(bn.weight)
    x = torch.rand(1, 4, 8, 8)
    torch.testing.assert_close(block(x), x)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mlp([3], seed=0), "widths must hold inputs and outputs at least, got [3]"),
        (lambda: mlp([3, 0], seed=0), "widths must be at least 1, got 0"),
        (
            lambda: mlp([3, 1], seed=0, activation="sine"),  # type: ignore[arg-type]
            "activation must be one of 'relu', 'tanh', 'gelu', 'softplus', got 'sine'",
        ),
        (
            lambda: entry_variance("xavier", 1, 1),  # type: ignore[arg-type]
            "scheme must be one of 'lecun', 'lecun_uncorrected', 'glorot', 'he', got 'xavier'",
        ),
        (
            lambda: draw_weights((3,), "he", np.random.default_rng(0)),
            "shape must have at least two axes, outputs and inputs, got (3,)",
        ),
        (lambda: ResNet18(width=0), "width must be at least 1, got 0"),
        (lambda: vgg(width=0), "width must be at least 1, got 0"),
        (lambda: vgg(dropout=1.0), "dropout must be from 0 to below 1, got 1.0"),
    ],
)
def test_bad_arguments_are_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        call()
    assert str(raised.value) == message
