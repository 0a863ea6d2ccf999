"""Networks to train and to measure: MLPs by the usual initialisers, the standard ResNet-18 and a VGG for 32 x 32 images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
import torch
from torch import nn

from theory.checks import Array, count, nonnegative

Initialiser = Literal["lecun", "lecun_uncorrected", "glorot", "he"]
"""How weights are drawn: see `entry_variance`."""

Activation = Literal["relu", "tanh", "gelu", "softplus"]

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU, "softplus": nn.Softplus}

CUT = 2.0
"""Where a truncated normal is cut, in standard deviations of the normal."""

TRUNCATED_VARIANCE = 1 - CUT * math.exp(-(CUT**2) / 2) * math.sqrt(2 / math.pi) / math.erf(CUT / math.sqrt(2))
"""The variance of a standard normal that is cut at -2 and 2: 0.774."""


def entry_variance(scheme: Initialiser, fan_in: int, fan_out: int) -> float:
    """Return the variance of each weight of a layer at initialisation; biases are 0.

    - "lecun": truncated normal, cut at two of its standard deviations and scaled to variance 1/fan_in; so in Keras
      (`lecun_normal`), JAX and Flax.
    - "lecun_uncorrected": the normal of variance 1/fan_in, cut and not scaled, which has variance 0.774/fan_in; so in
      Haiku and Sonnet, whose layers draw so unless told otherwise.
    - "glorot": uniform, 2/(fan_in + fan_out).
    - "he": normal, 2/fan_in.

    Args:
        scheme: one of the four.
        fan_in: inputs of a unit; of a convolution, channels times the size of the kernel.
        fan_out: outputs that an input goes into, likewise.

    Raises:
        TypeError: if a fan is no integer.
        ValueError: if `scheme` is none of these, or a fan below 1.

    Example:
        >>> from numerics.models import entry_variance
        >>> entry_variance("lecun", 500, 10), entry_variance("he", 500, 10)
        (0.002, 0.004)
    """
    fan_in, fan_out = count("fan_in", fan_in), count("fan_out", fan_out)
    if scheme not in get_args(Initialiser):
        raise ValueError(f"scheme must be one of {', '.join(map(repr, get_args(Initialiser)))}, got {scheme!r}")
    if scheme == "glorot":
        return 2 / (fan_in + fan_out)
    return {"lecun": 1.0, "lecun_uncorrected": TRUNCATED_VARIANCE, "he": 2.0}[scheme] / fan_in


def draw_weights(
    shape: tuple[int, ...],
    scheme: Initialiser,
    generator: np.random.Generator,
    *,
    dtype: type[np.floating] = np.float64,
) -> Array:
    """Return initial weights, independent and with the distribution of a scheme (see `entry_variance`).

    Args:
        shape: of a linear layer (outputs, inputs), of a convolution (outputs, inputs, height, width).
        scheme: how they are drawn.
        generator: draws them.
        dtype: float32 or float64, of the draws as well.

    Returns:
        The weights, of this shape.

    Raises:
        ValueError: if the shape has fewer than two axes, or the scheme is unknown.
    """
    if len(shape) < 2:
        raise ValueError(f"shape must have at least two axes, outputs and inputs, got {shape}")
    field = math.prod(shape[2:])
    scale = dtype(math.sqrt(entry_variance(scheme, shape[1] * field, shape[0] * field)))
    drawn: Array
    if scheme == "glorot":
        drawn = generator.random(shape, dtype=dtype)
        drawn -= dtype(0.5)
        drawn *= dtype(math.sqrt(12)) * scale
        return drawn
    drawn = generator.standard_normal(shape, dtype=dtype)
    if scheme in {"lecun", "lecun_uncorrected"}:
        flat = drawn.reshape(-1)
        beyond = np.flatnonzero(np.abs(flat) > CUT)
        while len(beyond):
            flat[beyond] = generator.standard_normal(len(beyond), dtype=dtype)
            beyond = beyond[np.abs(flat[beyond]) > CUT]
        scale = dtype(scale / math.sqrt(TRUNCATED_VARIANCE))
    drawn *= scale
    return drawn


def mlp(
    widths: Sequence[int],
    *,
    seed: int,
    scheme: Initialiser = "lecun",
    activation: Activation = "relu",
    bias: bool = True,
    dtype: torch.dtype = torch.float32,
) -> nn.Sequential:
    """Return a fully connected network: inputs are flattened, no activation after the last layer.

    Args:
        widths: inputs, units of each hidden layer, outputs; at least two.
        seed: for `numpy.random.default_rng`, at least 0.
        scheme: how the weights are drawn; biases start at 0.
        activation: after every layer but the last.
        bias: whether there are biases.
        dtype: of the weights.

    Raises:
        TypeError: if a width or the seed is no integer.
        ValueError: if there are fewer than two widths, one is below 1, or a name is unknown.

    Example:
        >>> from numerics.models import mlp
        >>> sum(p.numel() for p in mlp([784, 300, 10], seed=0).parameters())
        238510
    """
    sizes = [count("widths", width) for width in widths]
    if len(sizes) < 2:
        raise ValueError(f"widths must hold inputs and outputs at least, got {list(widths)}")
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation must be one of {', '.join(map(repr, ACTIVATIONS))}, got {activation!r}")
    generator = np.random.default_rng(count("seed", seed, fewest=0))
    layers: list[nn.Module] = [nn.Flatten()]
    for place, (inputs, outputs) in enumerate(pairwise(sizes)):
        layer = nn.utils.skip_init(nn.Linear, inputs, outputs, bias=bias, dtype=dtype)
        _fill(layer, scheme, generator)
        layers += [layer] if place == len(sizes) - 2 else [layer, ACTIVATIONS[activation]()]
    return nn.Sequential(*layers)


def _fill(layer: nn.Linear | nn.Conv2d, scheme: Initialiser, generator: np.random.Generator) -> None:
    """Draw the weights of a layer, and set its bias to 0."""
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(draw_weights(tuple(layer.weight.shape), scheme, generator)))
        if layer.bias is not None:
            layer.bias.zero_()


def vgg(classes: int = 10, *, width: int = 64, channels: int = 3, dropout: float = 0.0, seed: int = 0) -> nn.Sequential:
    """Return the VGG-like network of neyshabur2017, appendix A, for images of 32 x 32.

    Four stacks of two 3 x 3 convolutions, of width, 2 width, 4 width and 8 width channels, each convolution with batch norm
    and ReLU; 2 x 2 max-pooling after a stack; then the mean over the image, as many hidden units as there are channels,
    with ReLU, and a linear map to the logits. What is not printed, or does not fit, is chosen: four max-poolings would leave
    2 x 2 places for the "4 x 4 average pooling", which takes the place of the last one here; convolutions have no biases,
    which their batch norm would take away; the hidden units have no batch norm.

    Args:
        classes: how many logits, at least 1.
        width: channels of the first stack, 64 in the paper, at least 1.
        channels: of the images, at least 1.
        dropout: the chance that an output of a stack is dropped, from 0, for no dropout, to below 1; the paper has
            dropout, and does not print its rate.
        seed: of the weights, at least 0: He's normal ones (fan in) before a ReLU, "lecun" in the output; biases are 0.

    Raises:
        TypeError: if a number has the wrong type.
        ValueError: if one is out of its range.

    Example:
        >>> from numerics.models import vgg
        >>> sum(p.numel() for p in vgg().parameters())
        4955082
    """
    classes, width, channels = count("classes", classes), count("width", width), count("channels", channels)
    chance = nonnegative("dropout", dropout)
    if chance >= 1:
        raise ValueError(f"dropout must be from 0 to below 1, got {dropout}")
    generator = np.random.default_rng(count("seed", seed, fewest=0))
    layers: list[nn.Module] = []
    inputs = channels
    for stage in range(4):
        for _ in range(2):
            outputs = width * 2**stage
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
            inputs = outputs
        layers += [nn.MaxPool2d(2)] if stage < 3 else []
        layers += [nn.Dropout(float(chance))] if chance else []
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, inputs), nn.ReLU(), nn.Linear(inputs, classes)]
    for layer in layers:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            _fill(layer, "lecun" if layer is layers[-1] else "he", generator)
    return nn.Sequential(*layers)


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions with batch norm, and a skip: the input, or its 1 x 1 convolution where shapes change."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu1, self.relu2 = nn.ReLU(), nn.ReLU()
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the block's output: [n, inputs, h, w] to [n, outputs, h / stride, w / stride]."""
        inside = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x)))))
        out: torch.Tensor = self.relu2(inside + self.shortcut(x))
        return out


class ResNet18(nn.Module):
    """The ResNet-18 for images of 32 x 32: a 3 x 3 stem, no first pooling, eight blocks, mean over the image, linear.

    Attributes:
        stem: convolution, batch norm, ReLU.
        blocks: eight `BasicBlock`, two each of width, 2 width, 4 width and 8 width channels; the image is halved where
            the channels double.
        pool: mean over the image.
        output: the linear map to the logits.
    """

    def __init__(self, classes: int = 10, *, width: int = 64, channels: int = 3, seed: int = 0) -> None:
        """Make a network with He's normal weights in the convolutions (fan in), "lecun" in the output, biases 0.

        Args:
            classes: how many logits, at least 1.
            width: channels of the stem, 64 in the standard network, at least 1.
            channels: of the images, at least 1.
            seed: of the weights, at least 0.

        Raises:
            TypeError: if an argument is no integer.
            ValueError: if one is out of its range.
        """
        super().__init__()
        classes, width, channels = count("classes", classes), count("width", width), count("channels", channels)
        generator = np.random.default_rng(count("seed", seed, fewest=0))
        self.stem = nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )
        blocks, inputs = [], width
        for stage in range(4):
            outputs = width * 2**stage
            blocks += [BasicBlock(inputs, outputs, 1 if stage == 0 else 2), BasicBlock(outputs, outputs, 1)]
            inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.output = nn.Linear(inputs, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                _fill(module, "he", generator)
        _fill(self.output, "lecun", generator)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the logits of images: [n, channels, 32, 32] to [n, classes]."""
        logits: torch.Tensor = self.output(self.flatten(self.pool(self.blocks(self.stem(x)))))
        return logits
