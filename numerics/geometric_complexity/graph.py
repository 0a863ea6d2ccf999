"""A module as the graph of the layers that an input goes through, with the shape of what each passes on."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional

from numerics.networks import TwoLayerReLU
from numerics.stability.models import FAILURES

SUMS = {operator.add, operator.iadd, operator.sub, operator.isub, torch.add, torch.sub, "add", "add_", "sub", "sub_"}
"""Where tensors meet in a sum."""

JOINS = {torch.cat, torch.concat}
"""Where they are joined end to end."""

POOLING: dict[Any, type[nn.Module]] = {
    functional.avg_pool2d: nn.AvgPool2d, functional.avg_pool1d: nn.AvgPool1d,
    functional.adaptive_avg_pool2d: nn.AdaptiveAvgPool2d, functional.max_pool2d: nn.MaxPool2d,
    torch.max_pool2d: nn.MaxPool2d,
}  # fmt: skip
"""Functions that pool, as layers."""


class UnsupportedLayerError(ValueError):
    """A layer that no rule is known for, named, with what is supported."""


@dataclass(frozen=True, eq=False)
class Traced:
    """A module and its graph.

    Attributes:
        module: its layers by name, and what is called in which order.
        shapes: of the tensor that each node passes on, for one row of the input; other nodes are not in it.
        values: what these pass on.
    """

    module: fx.GraphModule
    shapes: dict[fx.Node, tuple[int, ...]]
    values: dict[fx.Node, Any]

    @property
    def nodes(self) -> fx.graph._node_list:
        """All nodes, in the order of the calls."""
        return self.module.graph.nodes

    @property
    def input(self) -> fx.Node:
        """Where the input comes in."""
        found: fx.Node = next(node for node in self.module.graph.nodes if node.op == "placeholder")
        return found

    @property
    def output(self) -> fx.Node:
        """What is returned."""
        end = next(node for node in self.module.graph.nodes if node.op == "output")
        result: fx.Node
        [result] = end.all_input_nodes
        return result

    def layer(self, node: fx.Node) -> nn.Module | None:
        """Return the layer that a node calls, if it calls one."""
        return self.module.get_submodule(str(node.target)) if node.op == "call_module" else None

    def function(self, node: fx.Node) -> Any:
        """Return the function that a node calls, or the name of the method, None for a layer, whatever it is named."""
        return node.target if node.op in ("call_function", "call_method") else None

    def tensors(self, node: fx.Node) -> list[fx.Node]:
        """Return the nodes whose tensors a node takes and that depend on the input."""
        return [given for given in node.all_input_nodes if given in self.shapes and given in self.moving]

    @cached_property
    def moving(self) -> set[fx.Node]:
        """The nodes whose tensors depend on the input."""
        found = {self.input}
        for node in self.module.graph.nodes:
            if node.op != "output" and node in self.shapes and any(given in found for given in node.all_input_nodes):
                found.add(node)
        return found

    def parts(self, left_out: fx.Node) -> bool:
        """Return whether nothing of the input reaches the output but through a node."""
        reached = {self.input} - {left_out}
        for node in self.module.graph.nodes:
            if node is not left_out and any(given in reached for given in node.all_input_nodes):
                reached.add(node)
        return self.output not in reached

    def name(self, node: fx.Node) -> str:
        """Return what a node calls, in words."""
        layer = self.layer(node)
        kind = getattr(node.target, "__name__", str(node.target))
        return f"{type(layer).__name__} {node.target!r}" if layer is not None else f"the function {kind}"

    def called(self, node: fx.Node) -> nn.Module | None:
        """Return the layer that a node calls, or that does what the function does that it calls; None for neither."""
        if self.function(node) not in POOLING:
            return self.layer(node)
        arguments = fx.node.map_arg((node.args[1:], node.kwargs), lambda one: self.values.get(one, one))
        pool: nn.Module = POOLING[self.function(node)](*arguments[0], **arguments[1])
        return pool

    def adds(self, node: fx.Node) -> bool:
        """Return whether a node adds or subtracts tensors of its own shape that depend on the input, and no more."""
        given = self.tensors(node)
        alike = all(self.shapes[one] == self.shapes[node] for one in given)
        return self.function(node) in SUMS and not node.kwargs and alike and all(one in given for one in node.args)

    def shared(self) -> str:
        """Return what parameters are used more than once, in words; "" if none are."""
        owners: dict[int, str] = {}
        for name, module in self.module.named_modules():
            for parameter in module.parameters(recurse=False):
                other = owners.setdefault(id(parameter), name)
                if other != name:
                    return f"one that {other!r} and {name!r} share"
        calls = Counter(node.target for node in self.nodes if node.op == "call_module")
        used = [str(node.target) for node in self.nodes if node.op == "get_attr"]
        for node in self.nodes:
            layer = self.layer(node)
            again = calls[node.target] > 1 or any(name.startswith(f"{node.target}.") for name in used)
            if layer is not None and again and [*layer.parameters(), *layer.buffers()]:
                return f"those of {type(layer).__name__} {node.target!r}, that is used again"
        return ""

    def __iter__(self) -> Iterator[fx.Node]:
        """Yield the nodes whose tensors depend on the input, in the order of the calls."""
        moving = self.moving
        return iter([node for node in self.module.graph.nodes if node in moving])


class _Shapes(fx.Interpreter):
    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.found: dict[fx.Node, tuple[int, ...]] = {}
        self.values: dict[fx.Node, Any] = {}

    def run_node(self, n: fx.Node) -> Any:
        """Run a node and note the shape of its tensor."""
        result = super().run_node(n)
        if isinstance(result, torch.Tensor):
            self.found[n] = tuple(result.shape)
        else:
            self.values[n] = result
        return result


def traced(model: nn.Module, row: torch.Tensor | None) -> Traced:
    """Return the graph of a module, with shapes for one row [1, ...] of its input; without them if there is none.

    Raises:
        ValueError: if torch.fx cannot trace it, or it takes more than one input or fails on the row.
    """
    if isinstance(model, TwoLayerReLU):  # it looks at its input, which tracing has none of
        model = nn.Sequential(model.hidden, nn.ReLU(), model.output)
    try:
        tracer = fx.Tracer()
        holder = model if not _leaf(model) else nn.Sequential(model)
        module = fx.GraphModule(holder, tracer.trace(holder))
        shapes = _Shapes(module)
        if row is not None:
            with torch.no_grad():
                shapes.run(row.clone())
        found = Traced(module, shapes.found, shapes.values)
        _ = found.output
    except (*FAILURES, NotImplementedError) as error:
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise ValueError(
            f"model must be one that torch.fx can trace, for its layers to be known, got {reason}"
        ) from None
    return found


def times(arguments: Any, given: fx.Node) -> int:
    """Return how often a node is among arguments."""
    return sum(argument is given for argument in arguments)


def _leaf(model: nn.Module) -> bool:
    """Return whether a module is one of torch's own layers, which tracing looks at from outside only."""
    return type(model).__module__.startswith("torch.nn") and not isinstance(model, nn.Sequential)
