"""The measures of a network in training, over a batch, as penalties that autograd can differentiate."""

from __future__ import annotations

from typing import Any

import torch

from numerics.networks import TwoLayerReLU
from numerics.smoothness.points import along, require, tensor_of
from theory.checks import count as integer


def gradient_norm_penalty(network: TwoLayerReLU, batch: torch.Tensor) -> torch.Tensor:
    """Return GN over a batch as a scalar that autograd can differentiate (volhejn2020, eq 4.6).

    Derivatives are those in w1 and w2: which units are active, those with pre-activation 0 among them, is locally
    constant. Where a gradient is 0, its norm has derivative 0. So it is in the other penalties.

    Args:
        network: the network, in training.
        batch: points, [k, d], k >= 1, in its dtype and on its device.

    Raises:
        TypeError: if `network` is no `TwoLayerReLU`, or `batch` no tensor of its dtype.
        ValueError: if `batch` is empty, of a wrong shape, not finite or on another device.

    Example:
        >>> import torch
        >>> from numerics import glorot_network
        >>> from numerics.smoothness import gradient_norm_penalty
        >>> network = glorot_network(20, in_features=2, seed=0)
        >>> points = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
        >>> penalty = gradient_norm_penalty(network, points)
        >>> penalty.backward()
        >>> round(penalty.item(), 3), network.hidden.weight.grad.shape
        (0.853, torch.Size([20, 2]))
    """
    points = _batch(network, batch)
    gradients = (_active(network, points) * network.output.weight[0]) @ network.hidden.weight
    norms: torch.Tensor = torch.linalg.vector_norm(gradients, dim=1)
    return norms.mean()


def function_path_length_penalty(
    network: TwoLayerReLU, batch: torch.Tensor, *, points_per_segment: int = 10
) -> torch.Tensor:
    """Return PL0 over half as many pairs as a batch has points, a scalar with a gradient (volhejn2020, eq 4.7; V13.b).

    The mean over the pairs (x_i, x_{i + h}), i = 1..h, h = floor(k/2); 0 for a batch of one point.

    Args:
        network: the network, in training.
        batch: points, [k, d], k >= 1, in its dtype and on its device; of an odd number the last is left out.
        points_per_segment: as in `function_path_length`.

    Raises:
        TypeError: if `network` is no `TwoLayerReLU`, `batch` no tensor of its dtype, or the number no integer.
        ValueError: if `batch` is empty, of a wrong shape, not finite or on another device, or the number below 2.

    Example:
        >>> import torch
        >>> from numerics import glorot_network
        >>> from numerics.smoothness import function_path_length_penalty
        >>> network = glorot_network(20, in_features=2, seed=0)
        >>> points = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
        >>> round(function_path_length_penalty(network, points).item(), 3)
        0.505
    """
    points = _batch_segments(network, batch, points_per_segment)
    outputs: torch.Tensor = network(points.flatten(0, 1)).reshape(points.shape[:2])
    return outputs.diff(dim=1).abs().sum() / max(len(points), 1)


def gradient_path_length_penalty(
    network: TwoLayerReLU, batch: torch.Tensor, *, points_per_segment: int = 10
) -> torch.Tensor:
    """Return PL1 over the pairs of `function_path_length_penalty`, a scalar with a gradient (volhejn2020, section 4.4.3).

    Derivatives are those in w1 and w2, as in `gradient_norm_penalty`.

    Args:
        network: the network, in training.
        batch: points, [k, d], k >= 1, in its dtype and on its device; of an odd number the last is left out.
        points_per_segment: as in `gradient_path_length`.

    Raises:
        TypeError: if `network` is no `TwoLayerReLU`, `batch` no tensor of its dtype, or the number no integer.
        ValueError: if `batch` is empty, of a wrong shape, not finite or on another device, or the number below 2.

    Example:
        >>> import torch
        >>> from numerics import glorot_network
        >>> from numerics.smoothness import gradient_path_length_penalty
        >>> network = glorot_network(20, in_features=2, seed=0)
        >>> points = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
        >>> round(gradient_path_length_penalty(network, points).item(), 3)
        0.502
    """
    points = _batch_segments(network, batch, points_per_segment)
    # Differences of activity, not of gradients: these would round to small numbers, whose norms have derivatives of size 1.
    switches = _active(network, points).diff(dim=1)
    jumps = (switches * network.output.weight[0]) @ network.hidden.weight
    norms: torch.Tensor = torch.linalg.vector_norm(jumps, dim=2)
    return norms.sum() / max(len(points), 1)


def weights_product_penalty(network: TwoLayerReLU) -> torch.Tensor:
    """Return WP (volhejn2020, eq 3.8) as a scalar that autograd can differentiate; a norm of 0 has derivative 0.

    Raises:
        TypeError: if `network` is no `TwoLayerReLU`.

    Example:
        >>> from numerics import glorot_network
        >>> from numerics.smoothness import weights_product_penalty
        >>> round(weights_product_penalty(glorot_network(20, in_features=2, seed=0)).item(), 3)
        2.278
    """
    require("network", network, TwoLayerReLU)
    sizes: torch.Tensor = network.output.weight[0].abs() * torch.linalg.vector_norm(network.hidden.weight, dim=1)
    return sizes.sum()


def _batch(network: Any, batch: Any) -> torch.Tensor:
    """Return a batch for a network.

    Raises:
        TypeError: if `network` is no `TwoLayerReLU`, or `batch` no tensor of its dtype.
        ValueError: if `batch` is empty, of a wrong shape, not finite or on another device.
    """
    weight = require("network", network, TwoLayerReLU).hidden.weight
    batch = require("batch", batch, torch.Tensor)
    if batch.dtype != weight.dtype:
        raise TypeError(f"batch must be of dtype {weight.dtype} like network, got {batch.dtype}")
    if batch.device != weight.device:
        raise ValueError(f"batch must be on device {weight.device} like network, got {batch.device}")
    return tensor_of("batch", batch, "(n, d)", weight.shape[1])


def _batch_segments(network: Any, batch: Any, points_per_segment: Any) -> torch.Tensor:
    """Return equidistant points on the segments between halves of a batch, [floor(k/2), n, d]."""
    points, n = _batch(network, batch), integer("points_per_segment", points_per_segment, fewest=2)
    half = len(points) // 2
    t = torch.arange(n, dtype=points.dtype, device=points.device) / (n - 1)
    return along(points[:half], points[half : 2 * half], t)


def _active(network: TwoLayerReLU, points: torch.Tensor) -> torch.Tensor:
    """Return 1 for active units and 0 for others, [..., k]; without a gradient, as it is locally constant."""
    with torch.no_grad():
        active: torch.Tensor = network.hidden(points) >= 0
    return active.to(points.dtype)
