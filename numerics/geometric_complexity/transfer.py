"""Both sides of the Transfer Theorem (dherin2022, Theorem 5.1) in the form that holds for a model.

Let z = A(W) h + b be a layer that everything between x and f(x) goes through, once, and whose parameters nothing else uses:
a dense layer, or one whose weights are shared over P places, z_p = W u_p + b with u_p the patch of h at place p. Then

    grad_x f = J_z A J_h,                so ||grad_x f||_F <= ||J_z||_F sigma_max(A) sigma_max(J_h),
    grad_(W, b) f^j = sum_p (d f^j/d z_p) (u_p, 1)^T,  so ||grad_(W, b) f||_F^2 >= lambda_min(U U^T) ||J_z||_F^2,

U [P, ..] the rows (u_p, 1), or u_p without a bias; for a dense layer lambda_min(U U^T) is 1 + ||h||^2, or ||h||^2. With

    T^2 = lambda_min(U U^T) / (sigma_max(A) sigma_max(J_h))^2

summing over such layers gives ||grad_x f||_F^2 sum T^2 <= ||grad_theta f||_F^2: eq 9 without the factor min(d, k), which the
paper's T^2 is divided by. Of grouped convolutions the least eigenvalue over groups is taken. Layers beside a skip are no
such layers; they are left out of the sum, which the other parameters only add to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import fx, nn
from torch.nn import functional

from numerics.geometric_complexity.graph import Traced, traced
from numerics.geometric_complexity.measure import geometric_complexity
from numerics.geometric_complexity.modules import subject
from numerics.geometric_complexity.norms import operator_norm
from numerics.stability.derivatives import derivatives
from numerics.stability.models import copied, outputs_of
from theory.checks import Array
from theory.enclosure import EPS

LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d)


@dataclass(frozen=True, eq=False)
class TransferBound:
    """Both sides of ||grad_x f||_F^2 <= ||grad_theta f||_F^2 / (T_1^2 + ... + T_l^2) at each input.

    Attributes:
        left: ||grad_x f(x)||_F^2, [n].
        right: the other side, [n]; inf where no layer counts.
        parameter_gradients: ||grad_theta f(x)||_F^2 over all parameters, [n].
        squared_transfers: T_i^2 of the layers that count, [n, l]; rounded down but for what `allowance` is for.
        layers: the names of these layers.
        left_out: the names of other layers with weights: beside a skip, or of a kind that the form does not speak of.
        form: in words, which form of the theorem this is.
        allowance: by how much rounding may move the difference of the sides, [n].
        factor: min(d, k), by which the paper's right side is larger.
    """

    left: Array
    right: Array
    parameter_gradients: Array
    squared_transfers: Array
    layers: tuple[str, ...]
    left_out: tuple[str, ...]
    form: str
    allowance: Array
    factor: int

    @property
    def holds(self) -> bool:
        """Whether the left side is at most the right side at each input, to the allowance."""
        return bool(np.all(self.left <= self.right + self.allowance))


def transfer_bound(model: Any, x: Any) -> TransferBound:
    """Return both sides of the Transfer Theorem (dherin2022, Theorem 5.1) in the form that holds for a model.

    See the head of this module for the form and its proof: without the factor min(d, k) (B5), without the 1 where a layer
    has no bias, with shared weights, and with the layers beside a skip left out. It is computed in float64 on a copy, and takes
    one backward pass for each entry of what goes into a layer, or of an input, whichever has fewer.

    Args:
        model: gives each row of x its logits; traceable by torch.fx, in eval mode.
        x: the inputs, [n, ...], floats.

    Raises:
        TypeError: if `model` is no module, or x holds no floats.
        ValueError: if x is empty or not finite; if batch norm or dropout is in training mode; if the model fails on x,
            returns nan, probabilities or an output that depends on other rows of x, or cannot be copied or traced; if two
            layers share a parameter; or if it has no linear layer or convolution that all of f goes through.

    Example:
        >>> import torch
        >>> from numerics.geometric_complexity import transfer_bound
        >>> model = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
        >>> found = transfer_bound(model, torch.ones(4, 2))
        >>> found.holds, found.layers, found.form
        (True, ('0', '2'), 'dense layers with biases')
    """
    given = subject(model, x)
    mine = copied(model)
    rows = given.x.to(torch.float64)
    graph = traced(mine, rows[:1])
    nodes, left_out = _layers(graph)
    left = geometric_complexity(mine, rows).squared_norms
    transfers, sizes = np.zeros((len(rows), len(nodes))), 0
    for column, node in enumerate(nodes):
        layer = graph.layer(node)
        [before] = graph.tensors(node)
        norm = operator_norm(layer, graph.shapes[before][1:]).upper
        with torch.inference_mode(False), torch.enable_grad():
            for index, row in enumerate(rows):
                inside, jacobian_norm = _subnetwork(graph, before, row[None])
                sizes = max(sizes, inside.numel())
                scale = norm * jacobian_norm
                least = _least_eigenvalue(layer, inside)
                transfers[index, column] = least / scale**2 if scale else np.inf if least else 0.0
    gradients = np.array([_parameter_gradients(mine, row[None]) for row in rows])
    total = transfers.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        right = np.where(total > 0, np.where(np.isinf(total), 0.0, gradients / total), np.inf)
    terms = 64 * (sizes + given.entries + given.outputs + 16) * EPS
    allowance = terms * np.where(np.isfinite(right), right, 0.0) + terms * left
    return TransferBound(
        left,
        right,
        gradients,
        transfers,
        tuple(str(node.target) for node in nodes),
        tuple(left_out),
        _form([graph.layer(node) for node in nodes], left_out),
        allowance,
        min(given.entries, given.outputs),
    )


def _layers(graph: Traced) -> tuple[list[fx.Node], list[str]]:
    """Return the layers that all of f goes through, and the names of others.

    Raises:
        ValueError: if two layers share a parameter, or there is no such layer.
    """
    shared = graph.shared()
    if shared:
        raise ValueError(
            f"model must use each parameter once, got {shared}: their gradients may cancel, and the theorem does not hold"
        )
    found, left_out = [], []
    for node in graph:
        layer = graph.layer(node)
        if layer is None or not list(layer.parameters()):
            continue
        if isinstance(layer, LAYERS) and graph.parts(node):
            found.append(node)
        else:
            left_out.append(str(node.target))
    if not found:
        raise ValueError(
            f"model must have a linear layer or a convolution that all of f goes through, got none ({left_out or 'no layer'})"
        )
    return found, list(dict.fromkeys(left_out))


def _form(layers: list[nn.Module | None], left_out: list[str]) -> str:
    shared = sum(not isinstance(layer, nn.Linear) for layer in layers)
    kind = (
        "dense layers"
        if not shared
        else "shared weights"
        if shared == len(layers)
        else "dense layers and shared weights"
    )
    biased = sum(getattr(layer, "bias", None) is not None for layer in layers)
    biases = "with biases" if biased == len(layers) else "some with biases" if biased else "without biases"
    rest = f"; left out: {', '.join(left_out)}" if left_out else ""
    return f"{kind} {biases}{rest}"


class _UpTo(fx.Interpreter):
    """Runs a graph up to a node."""

    def __init__(self, module: fx.GraphModule, end: fx.Node) -> None:
        super().__init__(module, garbage_collect_values=False)
        self.end = end

    def upto(self, row: torch.Tensor) -> torch.Tensor:
        self.args_iter = iter((row,))
        for node in self.graph.nodes:
            self.env[node] = self.run_node(node)
            if node is self.end:
                break
        result: torch.Tensor = self.env[self.end]
        return result


def _subnetwork(graph: Traced, node: fx.Node, row: torch.Tensor) -> tuple[torch.Tensor, float]:
    """Return h(x) for one row, and the largest singular value of its Jacobian."""
    leaf = row.clone().requires_grad_()
    inside = _UpTo(graph.module, node).upto(leaf.clone())
    if not inside.requires_grad:
        return inside.detach(), 0.0
    flat = inside.reshape(-1)
    if flat.numel() == leaf.numel() and node is graph.input:
        return inside.detach(), 1.0
    if flat.numel() <= leaf.numel():
        jacobian = torch.stack([_pulled(flat, leaf, unit) for unit in torch.eye(len(flat)).to(flat)])
    else:  # J e as the derivative of v^T J e in v, linear in it
        v = torch.zeros_like(flat).requires_grad_()
        [back] = torch.autograd.grad(flat, leaf, v, create_graph=True)
        if not back.requires_grad:
            return inside.detach(), 0.0
        units = torch.eye(leaf.numel()).to(flat)
        jacobian = torch.stack([_pulled(back.reshape(-1), v, unit) for unit in units])
    return inside.detach(), float(np.linalg.norm(jacobian.cpu().numpy(), 2))


def _pulled(end: torch.Tensor, start: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    [part] = torch.autograd.grad(end, start, weight, retain_graph=True, allow_unused=True)
    return torch.zeros(start.numel()).to(end) if part is None else part.reshape(-1)


def _least_eigenvalue(layer: Any, inside: torch.Tensor) -> float:
    """Return lambda_min(U U^T) of the patches that the weights of a layer are multiplied by, at least over groups."""
    if isinstance(layer, nn.Linear):
        patches = inside.reshape(1, -1, layer.in_features)
    else:
        columns = functional.unfold(_padded(layer, inside), *_window(layer))[0]  # [channels x taps, P]
        patches = columns.reshape(layer.groups, -1, columns.shape[1]).transpose(1, 2)
    if layer.bias is not None:
        patches = torch.cat([patches, torch.ones_like(patches[..., :1])], dim=2)
    places, columns_of = patches.shape[1:]
    if places > columns_of:
        return 0.0
    grams = (patches @ patches.transpose(1, 2)).cpu().numpy()
    values = np.linalg.eigvalsh(grams) if places > 1 else grams[:, 0]
    lost = 16 * places * EPS * values.max(axis=1) if places > 1 else 0.0
    return max(0.0, float((values.min(axis=1) - lost).min()))


def _padded(layer: nn.Conv1d | nn.Conv2d, inside: torch.Tensor) -> torch.Tensor:
    mode = "constant" if layer.padding_mode == "zeros" else layer.padding_mode
    padded = functional.pad(inside, layer._reversed_padding_repeated_twice, mode=mode)
    return padded if isinstance(layer, nn.Conv2d) else padded[..., None, :]


def _window(layer: nn.Conv1d | nn.Conv2d) -> tuple[Any, Any, int, Any]:
    axes = (1,) * (2 - len(layer.kernel_size))
    return (*axes, *layer.kernel_size), (*axes, *layer.dilation), 0, (*axes, *layer.stride)


def _parameter_gradients(model: nn.Module, row: torch.Tensor) -> float:
    """Return ||grad_theta f||_F^2 at one row, over all parameters."""
    parameters = [parameter.requires_grad_() for parameter in model.parameters()]
    with torch.inference_mode(False), torch.enable_grad():
        outputs = outputs_of(model, row)
        total = 0.0
        for unit in torch.eye(outputs.shape[1]).to(outputs):
            parts = derivatives(outputs, parameters, unit[None])
            total += sum(float(part.square().sum()) for part in parts if part is not None)
    return total
