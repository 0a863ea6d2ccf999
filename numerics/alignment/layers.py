"""The gradient of a layer's parameters in an example's loss, as a sum of outer products that is not written out.

The gradient in the weights of a linear layer is sum_t g_t a_t^T over the places t where it is applied, a_t what it is given and
g_t the gradient of the loss in what it returns there: one place for a dense layer, one a token, one a pixel for a convolution,
which is given patches. The inner product of two examples is sum_{t, s} (a_t.a'_s)(g_t.g'_s), and for one place the Gram matrix
is (A A^T) o (G G^T).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import nn
from torch.nn import functional

Norm = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d | nn.LayerNorm | nn.GroupNorm
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.LayerNorm, nn.GroupNorm)
RULES = (nn.Linear, *CONVOLUTIONS, *NORMS)
"""Layers that a rule is known for, and no subclass of them."""

Calls = Sequence[tuple[torch.Tensor, torch.Tensor]]
"""What a layer was given, [m, ...], and the gradients of each example's loss in what it returned, [m, ...], call by call."""


@dataclass(frozen=True, eq=False)
class Part:
    """The gradients of some parameters in the losses of m examples, sums over p places of outer products.

    Attributes:
        given: what the places are given, in a form that `spread` makes [m, p, a] of.
        pulled: the gradients there, [m, p, b].
        spread: makes the first factor, of some of the examples.
    """

    given: torch.Tensor
    pulled: torch.Tensor
    spread: Callable[[torch.Tensor], torch.Tensor] = lambda given: given

    def written_out(self, columns: slice, entries: int) -> torch.Tensor:
        """Return some columns of the gradients, [m, a c], patches of so many entries at once."""
        row = self.spread(self.given[:1])
        rows = max(1, entries // row.numel())
        pairs = zip(self.given.split(rows), self.pulled[:, :, columns].split(rows), strict=True)
        return torch.cat([(self.spread(a).transpose(1, 2) @ g).flatten(1) for a, g in pairs])


def inner_products(first: Part, second: Part, entries: int) -> torch.Tensor:
    """Return the inner products of the gradients of two sets of examples, [m, n], with some `entries` numbers at once.

    By pairs of places, or by the gradients a few columns at a time, whichever is fewer operations.
    """
    p, b = first.pulled.shape[1:]
    a = first.spread(first.given[:1]).shape[2]
    if p == 1 or p * p * (a + b) <= a * b:
        rows = max(1, entries // (p * p * len(second.given)))
        ends, pulls = second.spread(second.given), second.pulled
        pairs = zip(first.given.split(rows), first.pulled.split(rows), strict=True)
        return torch.cat([_by_places(first.spread(one), pull, ends, pulls) for one, pull in pairs])
    step = max(1, entries // (a * (len(first.given) + len(second.given))))
    total = torch.zeros(len(first.given), len(second.given), dtype=first.pulled.dtype, device=first.pulled.device)
    for start in range(0, b, step):
        columns = slice(start, start + step)
        left = first.written_out(columns, entries)
        total += left @ (left if first is second else second.written_out(columns, entries)).T
    return total


def _by_places(a: torch.Tensor, g: torch.Tensor, ends: torch.Tensor, pulls: torch.Tensor) -> torch.Tensor:
    (m, p), n = g.shape[:2], len(ends)
    products = (g.flatten(0, 1) @ pulls.flatten(0, 1).T).mul_(a.flatten(0, 1) @ ends.flatten(0, 1).T)
    return products if p == 1 else products.reshape(m, p, n, p).sum((1, 3))


def stored(gradients: torch.Tensor) -> Part:
    """Return gradients [m, q] that are written out as a part."""
    return Part(gradients[:, None], torch.ones(len(gradients), 1, 1, dtype=gradients.dtype, device=gradients.device))


def with_rules(model: nn.Module) -> list[nn.Module]:
    """Return the layers whose trained parameters are no others', by a look at what they are."""
    owners = Counter(id(p) for module in model.modules() for p in module.parameters(recurse=False))
    return [
        module
        for module in model.modules()
        if type(module) in RULES
        and {name for name, _ in module.named_parameters(recurse=False)} <= {"weight", "bias"}
        and any(p.requires_grad for p in module.parameters(recurse=False))
        and all(owners[id(p)] == 1 for p in module.parameters(recurse=False))
    ]


def has_rule(module: nn.Module, calls: Sequence[torch.Tensor], m: int) -> bool:
    """Return whether a layer's inputs, call by call, are one a row for m examples, and of a shape that its rule is for."""
    if not calls or any(given.ndim < 2 or len(given) != m for given in calls):
        return False
    if isinstance(module, CONVOLUTIONS):
        return len(calls) == 1 and calls[0].ndim == (3 if isinstance(module, nn.Conv1d) else 4)
    return not isinstance(module, nn.LayerNorm) or all(g.ndim > len(module.normalized_shape) for g in calls)


def parts(module: nn.Module, calls: Calls) -> Iterator[Part]:
    """Yield the gradients of a layer's trained parameters, which make a vector together."""
    if isinstance(module, nn.Linear):
        m = len(calls[0][0])
        given = torch.cat([a.reshape(m, -1, a.shape[-1]) for a, _ in calls], dim=1)
        pulled = torch.cat([g.reshape(m, -1, g.shape[-1]) for _, g in calls], dim=1)
        yield Part(given, pulled, partial(_with_bias, module))
    elif isinstance(module, CONVOLUTIONS):
        [(given, pulled)] = calls
        images = given[:, :, None] if given.ndim == 3 else given
        inputs = module.in_channels // module.groups
        groups = zip(images.split(inputs, 1), pulled.flatten(2).chunk(module.groups, 1), strict=True)
        for part, gradient in groups:
            yield Part(part, gradient.transpose(1, 2), partial(_patches, module))
    elif isinstance(module, NORMS):
        yield stored(torch.stack([_of_norm(module, given, pulled) for given, pulled in calls]).sum(0))


def _with_bias(module: nn.Linear | nn.Conv1d | nn.Conv2d, given: torch.Tensor) -> torch.Tensor:
    """Return what the trained parameters of a layer are multiplied by, [m, p, a]: a bias by 1."""
    columns = [given] if module.weight.requires_grad else []
    if module.bias is not None and module.bias.requires_grad:
        columns.append(torch.ones_like(given[..., :1]))
    return torch.cat(columns, dim=-1)


def _patches(module: nn.Conv1d | nn.Conv2d, images: torch.Tensor) -> torch.Tensor:
    """Return the patches that one group of a convolution is applied to, [m, p, a]."""
    size, dilation, stride = ((*(1,) * (2 - len(v)), *v) for v in (module.kernel_size, module.dilation, module.stride))
    mode = "constant" if module.padding_mode == "zeros" else module.padding_mode
    ends = module._reversed_padding_repeated_twice
    if any(ends):
        line = isinstance(module, nn.Conv1d)
        images = functional.pad(images[:, :, 0] if line else images, ends, mode=mode)
        images = images[:, :, None] if line else images
    unfolded = functional.unfold(images, size, dilation=dilation, stride=stride)
    return _with_bias(module, unfolded.transpose(1, 2))


def _of_norm(module: Norm, given: torch.Tensor, pulled: torch.Tensor) -> torch.Tensor:
    """Return the gradients of scale and shift of a layer that normalises, [m, q]."""
    if isinstance(module, nn.LayerNorm):
        whitened = functional.layer_norm(given, module.normalized_shape, eps=module.eps)
        each = (pulled * whitened, pulled)
        sums = [one.reshape(len(given), -1, *module.normalized_shape).sum(1).flatten(1) for one in each]
    else:
        if isinstance(module, nn.GroupNorm):
            whitened = functional.group_norm(given, module.num_groups, eps=module.eps)
        else:
            whitened = functional.batch_norm(given, module.running_mean, module.running_var, eps=module.eps)
        sums = [one.reshape(*given.shape[:2], -1).sum(2) for one in (pulled * whitened, pulled)]
    owners = (module.weight, module.bias)
    return torch.cat([s for s, owner in zip(sums, owners, strict=True) if owner is not None and owner.requires_grad], 1)
