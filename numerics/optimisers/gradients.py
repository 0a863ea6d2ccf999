"""The gradients of the examples of a batch, a parameter at a time: in parts, so that they need not be stored.

The gradient of an example in the weights of a linear layer is the sum of outer products of what comes back to its outputs
and of its inputs. Both are known after one backward pass of the batch, and any part of any example's gradient is then a
product of small matrices. A convolution's is that of its inputs and of what comes back, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.func import functional_call, grad, vmap
from torch.nn.modules.batchnorm import _BatchNorm

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Of outputs and targets of a batch, a mean over it."""


@dataclass(frozen=True, eq=False)
class StoredGradients:
    """Gradients in a parameter of r rows and c columns, one an example, as they are.

    Attributes:
        values: [m, r, c].
    """

    values: torch.Tensor

    @property
    def dtype(self) -> torch.dtype:
        """Of the entries."""
        return self.values.dtype

    def means(self, groups: int, rows: slice = slice(None), columns: slice = slice(None)) -> torch.Tensor:
        """Return the mean gradients of consecutive groups of examples, [groups, r, c], or a part of each."""
        part = self.values[:, rows, columns]
        return part if groups == len(part) else part.reshape(groups, -1, *part.shape[1:]).mean(1)


@dataclass(frozen=True, eq=False)
class LinearGradients:
    """Gradients in the weights [r, c] of a linear layer, one an example: sums over places of outer products.

    Attributes:
        outputs: the derivative of an example's loss in the outputs of the layer, [m, places, r].
        inputs: of the layer, [m, places, c].
    """

    outputs: torch.Tensor
    inputs: torch.Tensor

    @property
    def shape(self) -> torch.Size:
        """Of all of them, [m, r, c]."""
        return torch.Size((len(self.inputs), self.outputs.shape[2], self.inputs.shape[2]))

    @property
    def dtype(self) -> torch.dtype:
        """Of the entries."""
        return self.outputs.dtype

    @property
    def device(self) -> torch.device:
        """Where they are."""
        return self.outputs.device

    def means(self, groups: int, rows: slice = slice(None), columns: slice = slice(None)) -> torch.Tensor:
        """Return the mean gradients of consecutive groups of examples, [groups, r, c], or a part of each.

        Args:
            groups: how many, a divisor of m; m for each example's own.
            rows: which of the r rows.
            columns: which of the c columns.
        """
        size = len(self.inputs) // groups
        outputs, inputs = self.outputs[:, :, rows], self.inputs[:, :, columns]
        if size * outputs.shape[1] == 1:
            return outputs.transpose(1, 2) * inputs
        outputs, inputs = (t.reshape(groups, size * t.shape[1], t.shape[2]) for t in (outputs, inputs))
        return outputs.transpose(1, 2) @ inputs / size


@dataclass(frozen=True, eq=False)
class ConvolutionGradients:
    """Gradients in the weights [r, ...] of a convolution, one an example.

    Attributes:
        outputs: the derivative of an example's loss in the outputs of the layer, [m, images, r, ...].
        inputs: of the layer, [m, images, channels, ...].
        kernel: the shape of a row of its weights.
        settings: stride, padding and dilation.
    """

    outputs: torch.Tensor
    inputs: torch.Tensor
    kernel: torch.Size
    settings: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]

    @property
    def shape(self) -> torch.Size:
        """Of all of them, [m, r, ...]."""
        return torch.Size((len(self.outputs), self.outputs.shape[2], *self.kernel))

    @property
    def dtype(self) -> torch.dtype:
        """Of the entries."""
        return self.outputs.dtype

    @property
    def device(self) -> torch.device:
        """Where they are."""
        return self.outputs.device

    def means(self, groups: int, rows: slice = slice(None), columns: slice = slice(None)) -> torch.Tensor:
        """Return the mean gradients of consecutive groups of examples, [groups, r, c], or a part of each.

        Args:
            groups: how many, a divisor of m; m for each example's own.
            rows: which of the r output channels.
            columns: which of the c entries of a kernel.
        """
        size, outputs = len(self.inputs) // groups, self.outputs[:, :, rows]
        weights = outputs.new_empty((outputs.shape[2], *self.kernel))
        found = outputs.new_empty((groups, len(weights), self.kernel.numel()))
        for group, (back, values) in enumerate(zip(outputs.split(size), self.inputs.split(size), strict=True)):
            back, values = back.flatten(0, 1), values.flatten(0, 1)
            none = [0] * (back.ndim - 2)
            _, part, _ = torch.ops.aten.convolution_backward(
                back, values, weights, None, *self.settings, False, none, 1, [False, True, False]
            )
            found[group] = part.flatten(1)
        return found[:, :, columns] / size


Gradients = torch.Tensor | LinearGradients | ConvolutionGradients
"""The gradients of m examples in one parameter: [m, *shape of the parameter], stored or found part by part."""


def per_example_gradients(model: nn.Module, x: torch.Tensor, y: torch.Tensor, loss: Loss) -> list[Gradients]:
    """Return the gradients of each example's own loss, for each parameter that requires one, in the model's order.

    Those in the weights of `nn.Linear`, and of convolutions of one group and zero padding, are not stored: one forward and
    one backward pass say what they are made of. All others are stored, [m, ...]. A layer whose weights are used elsewhere
    too, or whose inputs are written over, counts among the others.

    Args:
        model: gives a row of x the same output whatever the other rows are; left in the mode it is in.
        x: inputs, [m, ...], on the device of the model.
        y: targets, [m, ...].
        loss: of outputs and targets of a batch, a mean over it. It and the model are called on batches of one example,
            under `torch.func.vmap`.

    Raises:
        TypeError: if model is no module, or x or y no tensor.
        ValueError: if x and y differ in length or are empty, nothing requires a gradient, the loss is not one number or
            depends on the parameters past the outputs, batch norm is in training mode, or vmap cannot run the model.

    Example:
        >>> import torch
        >>> from numerics.optimisers import per_example_gradients
        >>> model = torch.nn.Linear(1, 1, bias=False)
        >>> torch.nn.init.ones_(model.weight).requires_grad
        True
        >>> x, y = torch.tensor([[1.0], [2.0]]), torch.zeros(2, 1)
        >>> [gradients] = per_example_gradients(model, x, y, torch.nn.functional.mse_loss)
        >>> gradients.means(2).flatten().tolist()
        [2.0, 8.0]
    """
    names = _checked(model, x, y)
    layers = _with_rules(model, x[:1], y[:1], loss)
    ruled = {id(parameter) for layer in layers for parameter in layer.parameters()}
    rest = {name: p.detach() for name, p in names.items() if id(p) not in ruled}
    probes = {layer: [torch.zeros_like(output) for output in outputs] for layer, outputs in layers.items()}

    def one(
        at: tuple[Mapping[str, torch.Tensor], Sequence[Sequence[torch.Tensor]]], row: torch.Tensor, target: Any
    ) -> Any:
        with _watched(dict(zip(layers, at[1], strict=True))) as calls:
            value = loss(functional_call(model, dict(at[0]), (row[None],)), target[None])
        return value, [calls[layer] for layer in layers]

    try:
        with torch.no_grad():  # outside of grad: the parameters need no graph of their own
            (stored, backs), inputs = vmap(grad(one, has_aux=True), in_dims=(None, 0, 0), randomness="different")(
                (rest, list(probes.values())), x, y
            )
    except RuntimeError as error:
        raise ValueError(f"model and loss must run under torch.func.vmap, got {_first_line(error)}") from None
    found: dict[int, Gradients] = {id(names[name]): value for name, value in stored.items()}
    for layer, outputs, values in zip(layers, backs, inputs, strict=True):
        found |= _of_layer(layer, outputs, values)
    return [found[id(parameter)] for parameter in names.values()]


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _checked(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> dict[str, nn.Parameter]:
    """Return the parameters that require a gradient, by their names.

    Raises:
        TypeError: if model is no module, or x or y no tensor.
        ValueError: if x and y differ in length or are empty, nothing requires a gradient, or batch norm uses the batch.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be a torch.nn.Module, got {type(model).__name__}")
    for argument, value in (("x", x), ("y", y)):
        if not isinstance(value, torch.Tensor):
            raise TypeError(f"{argument} must be a torch.Tensor, got {type(value).__name__}")
    if x.ndim == 0 or y.ndim == 0 or len(x) != len(y) or len(x) == 0:
        raise ValueError(
            f"x and y must hold one row an example, at least one, got shapes {tuple(x.shape)} and {tuple(y.shape)}"
        )
    for name, module in model.named_modules():
        if isinstance(module, _BatchNorm) and (module.training or module.running_mean is None):
            raise ValueError(
                f"model must not normalise by the batch, got batch norm in training mode ({name or 'model'}), with which an "
                "example has no gradient of its own: call eval() on it, or give step the gradients of whole batches, one a row"
            )
    names = {name: p for name, p in model.named_parameters() if p.requires_grad}
    if not names:
        raise ValueError("model must have a parameter that requires a gradient, got none")
    return names


def _with_rules(model: nn.Module, x: torch.Tensor, y: torch.Tensor, loss: Loss) -> dict[nn.Module, list[torch.Tensor]]:
    """Return the layers whose gradients are products of inputs and what comes back, with their outputs on one example.

    Raises:
        ValueError: if the model does not return a row, or the loss is not one number, or depends on what it must not.
    """
    calls = {layer: _Calls() for layer in model.modules() if _has_rule(layer)}
    # The generators are left as they are: a look beforehand must not change what dropout draws.
    with (
        torch.random.fork_rng([x.device] if x.device.type == "cuda" else []),
        torch.enable_grad(),
        ExitStack() as hooks,
    ):
        for layer, seen in calls.items():
            hooks.callback(layer.register_forward_hook(seen.see, prepend=True, with_kwargs=True).remove)
        outputs = model(x)
    if not isinstance(outputs, torch.Tensor) or outputs.ndim == 0 or len(outputs) != 1:
        got = f"shape {tuple(outputs.shape)}" if isinstance(outputs, torch.Tensor) else type(outputs).__name__
        raise ValueError(f"model must return a tensor with one row for a batch of one row, got {got}")
    with torch.enable_grad():
        value = loss(outputs, y)
    if not isinstance(value, torch.Tensor) or value.shape != ():
        got = f"shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else type(value).__name__
        raise ValueError(f"loss must return one number for a batch, a mean over it, got {got}")
    elsewhere = _uses(outputs, calls.values())
    if _uses(value, calls.values()) != elsewhere:
        raise ValueError(
            "loss must depend on the parameters of model through its outputs alone, got one that uses them"
        )
    return {
        layer: seen.outputs
        for layer, seen in calls.items()
        if seen.plain(layer) and not any(elsewhere[p] for p in layer.parameters())
    }


class _Calls:
    """What a layer does in a forward pass, an entry a call.

    Attributes:
        inputs: what it was called on.
        before: the node of the graph that each came from, if any.
        versions: how often each had been written to by then.
        outputs: what it returned.
        nodes: the node of the graph that each came from, before anything was written over it.
    """

    def __init__(self) -> None:
        self.inputs: list[torch.Tensor] = []
        self.before: list[Any] = []
        self.nodes: list[Any] = []
        self.versions: list[int] = []
        self.outputs: list[torch.Tensor] = []

    def see(self, layer: nn.Module, given: tuple[Any, ...], named: dict[str, Any], output: torch.Tensor) -> None:
        """Note a call."""
        values = given[0] if given else named["input"]
        self.inputs.append(values)
        self.before.append(values.grad_fn)
        self.nodes.append(output.grad_fn)
        self.versions.append(values._version)
        self.outputs.append(output.detach())

    def plain(self, layer: nn.Module) -> bool:
        """Return whether the layer was called, a convolution once and on batches, on inputs that were not written over."""
        kept = all(values._version == before for values, before in zip(self.inputs, self.versions, strict=True))
        if isinstance(layer, nn.Linear):
            return bool(self.inputs) and kept
        return len(self.inputs) == 1 and kept and self.inputs[0].ndim == len(layer.kernel_size) + 2  # type: ignore[arg-type]


def _has_rule(layer: nn.Module) -> bool:
    """Return whether the gradients in the weights of a layer are a product of its inputs and what comes back."""
    if type(layer) in (nn.Conv1d, nn.Conv2d, nn.Conv3d):
        if layer.groups != 1 or layer.padding_mode != "zeros" or isinstance(layer.padding, str):
            return False
    elif type(layer) is not nn.Linear:
        return False
    # A weight that is made of other parameters (pruned, say) is none itself.
    weight = layer._parameters.get("weight")
    return weight is not None and weight.requires_grad


def _uses(end: torch.Tensor, calls: Iterable[_Calls]) -> Counter[torch.Tensor]:
    """Return how often each parameter is used on the way to a tensor, but for the uses that layers make of their own."""
    through = {
        node: (before, values)
        for seen in calls
        for node, before, values in zip(seen.nodes, seen.before, seen.inputs, strict=True)
    }
    uses: Counter[torch.Tensor] = Counter()
    waiting, met = [end.grad_fn], {end.grad_fn}
    while waiting:
        node = waiting.pop()
        if node in through:
            before, values = through[node]
            following = [before]
            if before is None and values.requires_grad:
                uses[values] += 1
        else:
            following = [following for following, _ in getattr(node, "next_functions", ())]
        for other in following:
            variable = getattr(other, "variable", None)
            if variable is not None:
                uses[variable] += 1
            elif other is not None and other not in met:
                met.add(other)
                waiting.append(other)
    return uses


@contextmanager
def _watched(probes: Mapping[nn.Module, Sequence[torch.Tensor]]) -> Iterator[dict[nn.Module, list[torch.Tensor]]]:
    """Add to the outputs of layers, call by call, zeros that can be differentiated in; yield what they were called on.

    Hooks of others come later: what they, or a ReLU in place, make of an output is not linear in the weights.
    """
    calls: dict[nn.Module, list[torch.Tensor]] = {layer: [] for layer in probes}

    def see(layer: nn.Module, given: tuple[Any, ...], named: dict[str, Any], output: torch.Tensor) -> torch.Tensor:
        calls[layer].append(given[0] if given else named["input"])
        return output + probes[layer][len(calls[layer]) - 1]

    with ExitStack() as hooks:
        for layer in probes:
            hooks.callback(layer.register_forward_hook(see, prepend=True, with_kwargs=True).remove)
        yield calls


def _of_layer(layer: Any, outputs: Sequence[torch.Tensor], inputs: Sequence[torch.Tensor]) -> dict[int, Gradients]:
    """Return the gradients in a layer's weights and bias, by the ids of these."""
    weights: Gradients
    if isinstance(layer, nn.Linear):
        back, values = (torch.cat([t.reshape(len(t), -1, t.shape[-1]) for t in part], 1) for part in (outputs, inputs))
        weights, sums = LinearGradients(back, values), back.sum(1)
    else:
        [back], [values] = outputs, inputs
        settings = (layer.stride, layer.padding, layer.dilation)
        weights, sums = (
            ConvolutionGradients(back, values, layer.weight.shape[1:], settings),
            back.flatten(3).sum((1, 3)),
        )
    return {id(layer.weight): weights} | ({} if layer.bias is None else {id(layer.bias): sums})
