"""Steps of gradient descent on two-layer ReLU networks with any number of inputs, in three ways that agree.

Each class holds one network and the points it is trained on, and makes steps in place; `step_in_place`, its arithmetic,
also serves many networks at once. All tensors are those of the network's dtype.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

import torch

from numerics import smoothness
from numerics.geometric_complexity.penalties import (
    flatness_penalty,
    geometric_complexity_penalty,
    spectral_penalty,
    squared_norm_penalty,
)
from numerics.networks import TwoLayerReLU
from numerics.penalties import Penalty, Place, gradient, where_active

Parameters = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]
"""w1 [..., h, d], b1 [..., h], w2 [..., h] and b2 [...] of one network, or of many with a leading axis."""


@dataclass(frozen=True, eq=False)
class Descent:
    """What a step needs to know.

    Attributes:
        network: the network at the start.
        x: inputs, [n, d].
        y: targets, [n].
        step_size: step size on the loss that `scale` says.
        scale: 1 for the loss (1/2n) sum (f - y)^2, 2 for its double.
        penalty: what else to descend on.
    """

    network: TwoLayerReLU
    x: torch.Tensor
    y: torch.Tensor
    step_size: float
    scale: float
    penalty: Penalty | None

    def weights(self) -> Parameters:
        """Return the weights at the start, on the device of the points."""
        w1, b1, w2, b2 = (weight.to(self.x.device) for weight in parameters_of(self.network))
        return w1, b1, w2, b2


def parameters_of(network: TwoLayerReLU) -> Parameters:
    """Return the weights of a network, sharing its memory."""
    w1, b1, w2, b2 = (parameter.detach() for parameter in network.parameters())
    return w1, b1, w2[0], b2[0]


def outputs(w1: torch.Tensor, b1: torch.Tensor, w2: torch.Tensor, b2: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return f [..., n] at points x [..., n, d] of networks with weights [..., h, d], [..., h], [..., h] and [...]."""
    hidden = (x @ w1.mT + b1[..., None, :]).clamp_(min=0.0)
    return (hidden @ w2[..., :, None])[..., 0] + b2[..., None]


class Explicit:
    """Steps with hand-written gradients, updating in place: of one network, or of many with a leading axis."""

    def __init__(self, descent: Descent) -> None:
        x, self.penalty = descent.x, descent.penalty
        # A pixel that is 0 in all points has no gradient: without a penalty it needs no arithmetic either.
        self.used = x.any(0) if descent.penalty is None else torch.ones_like(x[0], dtype=torch.bool)
        w1, b1, w2, b2 = descent.weights()
        self.whole, self.w1 = w1, w1[:, self.used].contiguous()
        self.b1, self.w2, self.b2 = b1.clone(), w2.clone(), b2.clone()
        self.x, self.y = x[:, self.used].contiguous(), descent.y
        self.step_size, self.scale = descent.step_size, descent.scale

    def errors(self) -> torch.Tensor:
        """Return f - y at all points, [n]."""
        return outputs(self.w1, self.b1, self.w2, self.b2, self.x) - self.y

    def step(self, chosen: torch.Tensor | None) -> torch.Tensor:
        """Make a step on a batch of points, None for all; return f - y there, [B], before the step."""
        x, y = self.x, self.y
        if chosen is not None:
            x, y = x.index_select(0, chosen), y.index_select(0, chosen)  # several times faster than x[chosen]
        z = torch.addmm(self.b1, x, self.w1.T)
        return step_in_place(self.w1, self.b1, self.w2, self.b2, x, y, z, self.step_size, self.scale, self.penalty)

    def weights(self) -> Parameters:
        """Return w1 [h, d], b1 [h], w2 [h] and b2 []."""
        w1 = self.whole.clone()
        w1[:, self.used] = self.w1
        return w1, self.b1, self.w2, self.b2


def step_in_place(
    w1: torch.Tensor,
    b1: torch.Tensor,
    w2: torch.Tensor,
    b2: torch.Tensor,
    x: torch.Tensor,
    y: torch.Tensor,
    z: torch.Tensor,
    step_size: float | torch.Tensor,
    scale: float,
    penalty: Penalty | None,
) -> torch.Tensor:
    """Make one step of each network on its batch, in place; return f - y, [..., B], before the step.

    Args:
        w1: input weights, [..., h, d].
        b1: hidden biases, [..., h].
        w2: output weights, [..., h].
        b2: output biases, [...].
        x: inputs of the batch, [..., B, d].
        y: targets of the batch, [..., B].
        z: pre-activations of the batch, [..., B, h].
        step_size: a number, or one for each network, [...].
        scale: 1 for the loss (1/2n) sum (f - y)^2, 2 for its double.
        penalty: what else to descend on.
    """
    a = z.clamp(min=0.0)
    errors = (a @ w2[..., :, None])[..., 0] + b2[..., None] - y
    eta = step_size if isinstance(step_size, float) else step_size[..., None]
    moves = errors * (eta * (-scale / y.shape[-1]))
    back = where_active(z, moves[..., :, None] * w2[..., None, :])
    change = (moves[..., None, :] @ a)[..., 0, :]
    if penalty is not None:
        extra = gradient(penalty, Place(w1, b1, w2, b2, x, z, errors, scale))
        rate = -penalty.coefficient * eta
        if extra.b1 is not None:
            b1 += _each(rate, 1) * extra.b1
        if extra.b2 is not None:
            b2 += -penalty.coefficient * step_size * extra.b2
        if extra.z is not None:
            back[..., : extra.z.shape[-2], :] += _each(rate, 2) * extra.z
        if extra.w2 is not None:
            change = change + _each(rate, 1) * extra.w2
        if extra.rows is not None:
            w1 *= 1 + (_each(rate, 1) * extra.rows)[..., None]
        if extra.left is not None and extra.right is not None:
            add_product(w1, _each(rate, 2) * extra.left, extra.right)
    add_product(w1, back, x)
    b1 += back.sum(-2)
    w2 += change
    b2 += moves.sum(-1)
    return errors


def add_product(w1: torch.Tensor, left: torch.Tensor, right: torch.Tensor) -> None:
    """Add left^T right to w1 in place: [..., m, h] and [..., m, d] to [..., h, d]."""
    (w1.addmm_ if w1.ndim == 2 else w1.baddbmm_)(left.mT, right)


def _each(rate: float | torch.Tensor, axes: int) -> float | torch.Tensor:
    """Return a number, or one for each network [..., 1], shaped so that it multiplies tensors with `axes` more axes."""
    return rate if isinstance(rate, float) or axes == 1 else rate[..., None]


class Gram:
    """Steps of one network in the span of its n data points: w1 = w1(0) + Lambda^T X, Lambda [n, h]."""

    def __init__(self, descent: Descent) -> None:
        self.w1, self.b1, w2, b2 = descent.weights()
        self.w2, self.b2, self.x, self.y = w2.clone(), b2.clone(), descent.x, descent.y
        # The bias is the weight of one more input that is 1 at every point.
        self.gram = (self.x.double() @ self.x.double().T + 1).to(self.x)
        self.start = torch.addmm(self.b1, self.x, self.w1.T)
        self.spans = torch.zeros_like(self.start)
        self.step_size, self.scale = descent.step_size, descent.scale

    def errors(self) -> torch.Tensor:
        """Return f - y at all points, [n]."""
        hidden = torch.addmm(self.start, self.gram, self.spans).clamp_(min=0.0)
        return hidden @ self.w2 + self.b2 - self.y

    def step(self, chosen: torch.Tensor | None) -> torch.Tensor:
        """Make a step on a batch of points, None for all; return f - y there, [B], before the step."""
        start, gram, y = self.start, self.gram, self.y
        if chosen is not None:
            start, gram, y = (rows.index_select(0, chosen) for rows in (start, gram, y))
        z = torch.addmm(start, gram, self.spans)
        a = z.clamp(min=0.0)
        errors = a @ self.w2 + self.b2 - y
        moves = errors * (-self.step_size * self.scale / len(y))
        back = where_active(z, torch.outer(moves, self.w2))
        if chosen is None:
            self.spans += back
        else:
            self.spans.index_add_(0, chosen, back)
        self.w2 += moves @ a
        self.b2 += moves.sum()
        return errors

    def weights(self) -> Parameters:
        """Return w1 [h, d], b1 [h], w2 [h] and b2 []."""
        return torch.addmm(self.w1, self.spans.T, self.x), self.b1 + self.spans.sum(0), self.w2, self.b2


class Loop:
    """Steps by automatic differentiation and `torch.optim.SGD`, with the penalties of modules."""

    def __init__(self, descent: Descent) -> None:
        self.network = deepcopy(descent.network).to(descent.x.device)
        self.optimiser = torch.optim.SGD(self.network.parameters(), descent.step_size)
        self.x, self.y, self.scale, self.penalty = descent.x, descent.y, descent.scale, descent.penalty

    def errors(self) -> torch.Tensor:
        """Return f - y at all points, [n]."""
        outputs_there: torch.Tensor = self.network(self.x)
        return outputs_there[:, 0].detach() - self.y

    def step(self, chosen: torch.Tensor | None) -> torch.Tensor:
        """Make a step on a batch of points, None for all; return f - y there, [B], before the step."""
        x, y = (self.x, self.y) if chosen is None else (self.x[chosen], self.y[chosen])
        with torch.enable_grad():
            self.optimiser.zero_grad()
            errors: torch.Tensor = self.network(x)[:, 0] - y
            value = self.scale / 2 * (errors**2).mean()
            if self.penalty is not None:
                value = value + self.penalty.coefficient * penalty_value(self.network, x, y, self.penalty, self.scale)
            value.backward()
            self.optimiser.step()
        return errors.detach()

    def weights(self) -> Parameters:
        """Return w1 [h, d], b1 [h], w2 [h] and b2 []."""
        return parameters_of(self.network)


def penalty_value(
    network: TwoLayerReLU, batch: torch.Tensor, targets: torch.Tensor, penalty: Penalty, scale: float
) -> torch.Tensor:
    """Return the penalty's measure, without its coefficient, for automatic differentiation.

    Args:
        network: the network.
        batch: inputs of the batch, [B, d].
        targets: targets of the batch, [B].
        penalty: which measure.
        scale: 1 for the loss (1/2B) sum (f - y)^2, 2 for its double; what "flatness" is about.
    """
    if penalty.measure == "GC":
        return geometric_complexity_penalty(network, batch)
    if penalty.measure == "L2":
        return squared_norm_penalty(network)
    if penalty.measure == "spectral":
        return spectral_penalty(network)
    if penalty.measure == "flatness":
        return flatness_penalty(network, batch, targets, lambda f, y: scale / 2 * (f[:, 0] - y).square().mean())
    if penalty.measure == "WP":
        return smoothness.weights_product_penalty(network)
    if penalty.measure == "GN":
        return smoothness.gradient_norm_penalty(network, batch)
    path = {"PL0": smoothness.function_path_length_penalty, "PL1": smoothness.gradient_path_length_penalty}
    value: torch.Tensor = path[penalty.measure](network, batch, points_per_segment=penalty.points_per_segment)
    return value
