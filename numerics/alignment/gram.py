"""The Gram matrix of the gradients of examples, which are not stored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.func import functional_call, grad, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from numerics.alignment.examples import Examples, examples
from numerics.alignment.layers import Part, has_rule, inner_products, parts, stored, with_rules
from numerics.geometric_complexity.modules import bytes_of_row
from theory.checks import Array, positive

COPIES = 3
"""A block of examples is held with its graph, and about twice as much of what is being worked on."""

LAID_OUT = 3
"""So many examples, at most, show which layers have a rule."""


def gradient_gram(model: Any, x: Any, y: Any, loss: Any, *, megabytes: float = 256.0) -> Array:
    """Return the inner products g_i.g_j of the gradients of m examples in all trained parameters (walker2023, section 3).

    Layer by layer, from what each layer is given and the gradients in what it returns: (A A^T) o (G G^T) for a linear layer,
    its counterpart for convolutions of one and two axes, and the gradients themselves, short vectors, for layers that
    normalise. Other parameters take their gradients by `torch.func`, so many examples at a time as memory allows. The whole is
    compared with one backward pass of a random weighted sum of the losses; where a layer's rule does not fit (a weight that
    is used elsewhere too), all parameters go by `torch.func`. So no [m, p] matrix is held, but by an m that fits.

    Rows of a training and a validation set, one under the other, give all three kinds of pairs at once: see `split` of
    `cosine_stiffness`. In the dtype of the parameters: float32 has about seven digits, and loses the sign of inner products
    that are smaller than 1e-7 of their terms.

    Args:
        model: gives each row of x its outputs, whatever else is in the batch; left as it is.
        x: the inputs, [m, ...]; floats are moved to the dtype of the parameters.
        y: the targets, [m, ...]: labels for cross-entropy, else of the shape of the outputs, or what `loss` takes.
        loss: "cross_entropy", "mean" for |f - y|^2, "half_mean" for half of that, or a function of outputs and targets of a
            batch; the loss of an example is what it returns for a batch of one.
        megabytes: the memory to aim at beside the result; with less than a pass of all rows takes, blocks of rows are gone
            through in pairs.

    Returns:
        The Gram matrix, [m, m], symmetric.

    Raises:
        TypeError: if `model` is no module or returns no floats, or x or y holds no real numbers.
        ValueError: if the loss is unknown or fails; if batch norm or dropout is in training mode; if nothing is trained; if x
            or y is malformed; or if the model fails on x, returns nan, or outputs that depend on other rows.

    Example:
        >>> import torch
        >>> from numerics.alignment import gradient_gram
        >>> model = torch.nn.Linear(2, 1, bias=False, dtype=torch.float64)
        >>> _ = model.weight.data.zero_()
        >>> gradient_gram(model, [[1.0, 0.0], [1.0, 1.0]], [1.0, 2.0], "half_mean").tolist()
        [[1.0, 2.0], [2.0, 8.0]]
    """
    budget = int(1e6 * positive("megabytes", megabytes))
    return gram_of(examples(model, x, y, loss), budget)


def gram_of(given: Examples, budget: int) -> Array:
    """Return the Gram matrix of the gradients of examples, with some `budget` bytes beside it.

    Raises:
        ValueError: if gradients of examples alone and of their sum do not agree, or are not finite.
    """
    with torch.inference_mode(False), torch.enable_grad():
        for rules in (_fitting(given, with_rules(given.model)), []):
            found = _gram(given, rules, budget)
            if found is not None:
                gram: Array = found.to(torch.float64).cpu().numpy()
                return gram
    raise ValueError("model must be one that autograd differentiates alike alone and in a batch, got other gradients")


def _fitting(given: Examples, rules: list[nn.Module]) -> list[nn.Module]:
    """Return the layers whose rule fits how a few examples go through them."""
    few = min(LAID_OUT, len(given.x))
    calls = _calls(given, rules, slice(0, few))[1]
    return [layer for layer in rules if has_rule(layer, [a for a, _ in calls[layer]], few)]


Recorded = dict[nn.Module, list[tuple[torch.Tensor, torch.Tensor]]]
"""What each layer was given and what it returned, call by call."""


def _calls(given: Examples, layers: list[nn.Module], part: slice) -> tuple[torch.Tensor, Recorded]:
    """Return the outputs of some examples, and the calls of layers on the way."""
    recorded: Recorded = {layer: [] for layer in layers}

    def record(layer: nn.Module, arguments: tuple[Any, ...], output: torch.Tensor) -> torch.Tensor:
        recorded[layer].append((arguments[0].detach() if arguments else output.new_zeros(()), output))
        return output.clone()  # so that what follows may work in place

    hooks = [layer.register_forward_hook(record) for layer in layers]
    try:
        return given.outputs(part), recorded
    finally:
        for hook in hooks:
            hook.remove()


def _gram(given: Examples, layers: list[nn.Module], budget: int) -> torch.Tensor | None:
    """Return the Gram matrix with rules for some layers, or None where it is not that of the gradients.

    Raises:
        ValueError: if a gradient is not finite.
    """
    m, inside = len(given.x), {id(p) for layer in layers for p in layer.parameters(recurse=False)}
    rest = {name: p for name, p in given.parameters.items() if id(p) not in inside}
    like = next(iter(given.parameters.values()))
    bytes_of_rest = 2 * like.element_size() * sum(p.numel() for p in rest.values())
    rows = max(1, budget // (COPIES * bytes_of_row(given.model, given.x[:1]) + bytes_of_rest))
    entries = max(1, budget // (COPIES * like.element_size()))
    probe = torch.randn(m, generator=torch.Generator().manual_seed(0), dtype=torch.float64).to(like.device, like.dtype)
    blocks = [slice(start, min(start + rows, m)) for start in range(0, m, rows)]
    total: list[torch.Tensor] = []
    gram = torch.zeros(m, m, dtype=like.dtype, device=like.device)
    for place, first in enumerate(blocks):
        left = _parts(given, layers, rest, first, probe, total)
        for second in blocks[place:]:
            right = left if second is first else _parts(given, layers, rest, second, None, total)
            if left is None or right is None:
                return None
            for one, other in zip(left, right, strict=True):
                gram[first, second] += inner_products(one, other, entries)
            gram[second, first] = gram[first, second].T.clone()
    gram = (gram + gram.T) / 2
    expected, found = sum(float(t.square().sum()) for t in total), float(probe @ gram @ probe)
    if not bool(torch.isfinite(gram).all()):
        raise ValueError("model must have finite gradients, got nan or inf")
    size = max(expected, float(probe.square() @ gram.diagonal()))
    return gram if abs(expected - found) <= torch.finfo(like.dtype).eps ** 0.5 * size else None


def _parts(
    given: Examples,
    layers: list[nn.Module],
    rest: dict[str, nn.Parameter],
    part: slice,
    probe: torch.Tensor | None,
    total: list[torch.Tensor],
) -> list[Part] | None:
    """Return the gradients of some examples in parts, or None where a layer's rule does not fit.

    Args:
        given: the examples.
        layers: those that go by their rules.
        rest: the parameters that do not.
        part: which examples.
        probe: weights of the losses, [m], of whose sum the gradient is added to `total`; None for no such sum.
        total: one tensor a parameter, none to begin with.
    """
    outputs, calls = _calls(given, layers, part)
    if any(not has_rule(layer, [a for a, _ in calls[layer]], len(outputs)) for layer in layers):
        return None
    cotangents = given.cotangents(outputs, part)
    ends = [output for layer in layers for _, output in calls[layer]]
    pulled: Iterator[torch.Tensor] = iter(())
    if ends:
        pulled = iter(
            torch.autograd.grad(outputs, ends, cotangents, retain_graph=True, materialize_grads=True, allow_unused=True)
        )
    if probe is not None:
        weights = probe[part].reshape(-1, *(1,) * (outputs.ndim - 1)) * cotangents
        owned = list(given.parameters.values())
        summed = torch.autograd.grad(outputs, owned, weights, materialize_grads=True, allow_unused=True)
        total[:] = [a + b for a, b in zip(total, summed, strict=True)] if total else summed
    found = [one for layer in layers for one in parts(layer, [(a, next(pulled)) for a, _ in calls[layer]])]
    if rest:
        found.append(stored(_by_func(given.model, rest, given.x[part], cotangents)))
    return found


def _by_func(
    model: nn.Module, parameters: dict[str, nn.Parameter], rows: torch.Tensor, cotangents: torch.Tensor
) -> torch.Tensor:
    """Return the gradients of some parameters, written out, [m, q]; one backward pass a row where vmap cannot."""
    held = {name: p.detach() for name, p in parameters.items()}

    def pulled(values: dict[str, torch.Tensor], row: torch.Tensor, cotangent: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = functional_call(model, values, (row[None],))
        return (outputs[0] * cotangent).sum()

    try:
        with sdpa_kernel(SDPBackend.MATH):
            found = vmap(grad(pulled), (None, 0, 0))(held, rows, cotangents)
        return torch.cat([found[name].detach().flatten(1) for name in held], dim=1)
    except (NotImplementedError, RuntimeError, ValueError):
        owned = list(parameters.values())
        each = []
        for row, cotangent in zip(rows.split(1), cotangents.split(1), strict=True):
            outputs = model(row.clone())
            gradients = torch.autograd.grad(outputs, owned, cotangent, materialize_grads=True, allow_unused=True)
            each.append(torch.cat([g.reshape(-1) for g in gradients]))
        return torch.stack(each)
