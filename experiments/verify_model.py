"""Is my minimum stable? A saved model on a CSV file: `python -m experiments.verify_model`."""

from __future__ import annotations

import dataclasses
import json as json_format
import math
import os
import pkgutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from torch import nn

from experiments.kit.checkpoints import fitted, load, state_dict
from experiments.kit.tables import read_parts
from numerics.files import write_whole
from numerics.networks import TwoLayerReLU
from numerics.stability import Report, report
from numerics.stability.models import FAILURES
from theory.checks import Array
from theory.symbols import ModelLoss

LAYERS = ("hidden.weight", "hidden.bias", "output.weight", "output.bias")
"""What the state dict of a `TwoLayerReLU` holds."""

STATUS = {"stable": 0, "unstable": 3, "undecided": 4, "no minimum": 5}
"""The exit status for each answer; 2 is that of input that cannot be used, 1 Python's own for an accident."""

DESCRIPTION = """\
Says whether gradient descent and SGD are stable at the weights of a model: its sharpness, the largest stable step sizes, and
the claims that speak of it. Exit status 0 if training with this step size and batch size is stable there, 3 if it is
unstable, 4 if that is undecided, 5 if the weights are no minimum, 2 if the input cannot be used."""


@dataclass(frozen=True)
class Arguments:
    """What is looked at.

    Attributes:
        data: a CSV file that begins with a line of column names, a .parquet file, or an .npz file of arrays.
        x: the columns of the inputs.
        y: the columns of the targets; for cross_entropy one of labels 0, 1, ..
        step_size: of gradient descent on the loss, above 0.
        model: a state dict, as torch.save(net.state_dict(), ..) writes it: of a TwoLayerReLU, or of what --factory returns.
            A checkpoint that has one under a usual name will do, so will .safetensors; prefixes of all names, such as
            module., are passed over. Files with objects of other kinds in them are refused.
        factory: package.module:function, called without arguments for the torch module; it is imported from the working
            folder or where Python finds it, and run. Without
            --model its weights are taken as they are.
        key: the name that a checkpoint has the state dict under, with dots for dictionaries in dictionaries.
        sep: what stands between the columns of a CSV file; seen in its header, and said, if not given.
        decimal: . or , in its numbers; likewise.
        batch_size: of SGD, without replacement; all rows if not given, which is gradient descent.
        momentum: of either, from 0 to below 1, as of torch.optim.SGD.
        loss: half_mean is (1/2n) sum |f - y|^2, mean is (1/n) sum |f - y|^2, mse_loss averages over the outputs too, as
            torch.nn.MSELoss, cross_entropy is of the softmax.
        interpolation_tolerance: the loss, relative to that of f = 0, up to which the model counts as interpolating.
        gradient_tolerance: the gradient norm, relative to sharpness times |weights|, up to which the model counts as at a
            critical point.
        tolerance: the residual, relative to the eigenvalue, at which the iteration for eigenvalues stops.
        json: a file for all numbers of the report; infinite ones are written as "inf".
    """

    data: Path
    x: tuple[str, ...]
    y: tuple[str, ...]
    step_size: float
    model: Path | None = None
    factory: str | None = None
    key: str | None = None
    sep: str | None = None
    decimal: str | None = None
    batch_size: int | None = None
    momentum: float = 0.0
    loss: ModelLoss = "half_mean"
    interpolation_tolerance: float = 1e-10
    gradient_tolerance: float = 1e-6
    tolerance: float = 1e-8
    json: Path | None = None


def labels(path: Path, values: Array, lines: Sequence[int], column: str) -> Array:
    """Return labels [n] as integers.

    Raises:
        ValueError: if one is none.
    """
    for value, line in zip(values, lines, strict=True):
        if value != round(value):
            raise ValueError(f"{path}, line {line}, column {column!r}: expected a label 0, 1, .., got {value}")
    return values.astype(np.int64)


def two_layer(path: Path, key: str | None = None) -> TwoLayerReLU:
    """Return the two-layer network whose state dict a file holds, as wide as its weights are.

    Raises:
        ValueError: if it holds none.
    """
    state = fitted(state_dict(path, key), LAYERS)
    shapes = {name: tuple(state[name].shape) for name in LAYERS if name in state}
    if set(state) != set(LAYERS) or len(shapes["hidden.weight"]) != 2:
        raise ValueError(
            f"--model: {path} must hold the state dict of a TwoLayerReLU, {', '.join(LAYERS)}, got "
            f"{', '.join(map(str, state)) or 'nothing'}: give --factory for another module"
        )
    k, d = shapes["hidden.weight"]
    expected = {"hidden.weight": (k, d), "hidden.bias": (k,), "output.weight": (1, k), "output.bias": (1,)}
    wrong = [name for name in LAYERS if shapes[name] != expected[name] or not state[name].is_floating_point()]
    if wrong or d < 1:
        name = wrong[0] if wrong else "hidden.weight"
        raise ValueError(
            f"--model: {path} must hold {name} of shape {expected[name]} in floating point, got "
            f"{tuple(state[name].shape)} of {state[name].dtype}"
        )
    network = TwoLayerReLU(k, d, dtype=state["hidden.weight"].dtype)
    network.load_state_dict(state)
    return network


def built(factory: str, path: Path | None, key: str | None = None) -> nn.Module:
    """Return the module that a factory makes, with the weights in a file if one is given.

    Raises:
        ValueError: if there is no such factory, it fails or returns no module, or the file does not fit.
    """
    if ":" not in factory:
        raise ValueError(f"--factory must be package.module:function, got {factory!r}")
    try:
        if os.getcwd() not in sys.path:  # as it is, first, under `python -m`
            sys.path.insert(0, os.getcwd())
        make = pkgutil.resolve_name(factory)
        module = make()
    except SystemExit as error:
        raise ValueError(f"--factory {factory} ended the program (sys.exit), it must return a module") from error
    except (*FAILURES, ImportError) as error:
        raise ValueError(f"--factory {factory} failed: {type(error).__name__}: {error}") from error
    if not isinstance(module, nn.Module):
        raise ValueError(f"--factory {factory} must return a torch.nn.Module, got {type(module).__name__}")
    if path is not None:
        load(module, state_dict(path, key), path, "--factory")
    return module


def model_of(arguments: Arguments) -> nn.Module:
    """Return the model that a command line names.

    Raises:
        ValueError: if it names none, or one that cannot be had.
    """
    if arguments.factory is not None:
        return built(arguments.factory, arguments.model, arguments.key)
    if arguments.model is None:
        raise ValueError("--model or --factory must say what the model is, got neither")
    return two_layer(arguments.model, arguments.key)


def plain(value: Any) -> Any:
    """Return a report as what JSON has: dictionaries, lists, texts and numbers, an infinite one as text."""
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, (tuple, list)):
        return [plain(entry) for entry in value]
    if value is None or isinstance(value, (str, bool, int)):
        return str(value) if isinstance(value, str) else value
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value)
    return number if math.isfinite(number) else str(number)


def verified(arguments: Arguments) -> Report:
    """Return the report on the model and the data that a command line names.

    Raises:
        TypeError: if the model does not return real numbers.
        ValueError: if something cannot be used.
        RuntimeError: if an iteration does not converge.
    """
    model = model_of(arguments)
    wanted = {"--x": arguments.x, "--y": arguments.y}
    (x, y), lines = read_parts(
        arguments.data,
        wanted,
        separator=arguments.sep,
        decimal=arguments.decimal,
        say=lambda text: print(text, file=sys.stderr),
    )
    if arguments.loss == "cross_entropy":
        if y.shape[1] != 1:
            raise ValueError(f"--y must name one column for cross_entropy, of labels, got {', '.join(arguments.y)}")
        y = labels(arguments.data, y[:, 0], lines, arguments.y[0])
    return report(
        model,
        x,
        y,
        arguments.step_size,
        len(x) if arguments.batch_size is None else arguments.batch_size,
        arguments.loss,
        momentum=arguments.momentum,
        interpolation_tolerance=arguments.interpolation_tolerance,
        gradient_tolerance=arguments.gradient_tolerance,
        tolerance=arguments.tolerance,
    )


def main(argv: Sequence[str] | None = None, *, prog: str = "python -m experiments.verify_model") -> int:
    """Print a report from the command line.

    Args:
        argv: the words of the command line after the program; those of this process if not given.
        prog: what --help says it is run by.

    Returns:
        0 if training is stable at the model, else what `STATUS` says, 2 if the input cannot be used.
    """
    arguments = tyro.cli(
        Arguments,
        prog=prog,
        description=DESCRIPTION,
        args=sys.argv[1:] if argv is None else list(argv),
    )
    try:
        found = verified(arguments)
        if arguments.json is not None:
            text = json_format.dumps({**plain(found), "stable": found.stable}, indent=1, allow_nan=False)
            write_whole(arguments.json, lambda aside: aside.write_text(text + "\n", encoding="utf-8"))
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(found)
    return STATUS[found.stable]


if __name__ == "__main__":
    sys.exit(main())
