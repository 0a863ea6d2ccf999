"""A module as the graph of the layers that an input goes through, with the shape of what each passes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx, nn

from numerics.networks import TwoLayerReLU
from numerics.stability.models import FAILURES


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

    def tensors(self, node: fx.Node) -> list[fx.Node]:
        """Return the nodes whose tensors a node takes and that depend on the input."""
        return [given for given in node.all_input_nodes if given in self.shapes and given in self.moving]

    @property
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


def traced(model: nn.Module, row: torch.Tensor) -> Traced:
    """Return the graph of a module, with shapes for one row [1, ...] of its input.

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


def _leaf(model: nn.Module) -> bool:
    """Return whether a module is one of torch's own layers, which tracing looks at from outside only."""
    return type(model).__module__.startswith("torch.nn") and not isinstance(model, nn.Sequential)
