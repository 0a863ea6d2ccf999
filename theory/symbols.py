"""The dictionary of symbols: where two papers disagree, this file says what a name means here.

Features, Phi: the gradients of f(x_j) in the weights, one example a row, [n, d], as arrays are everywhere, and as Phi is in
walker2023 and in `numerics`: K = Phi Phi^T / n is the kernel, [n, n], and Phi^T Phi / n the Gauss-Newton matrix, [d, d]. In
mulayoff2021 the examples are the columns of Phi (eq 28); statements and proofs of that paper, and of claims of ours that
carry it on (B2, B4, B7), keep its letter, so that there Phi Phi^T / n is the Hessian.

A symbol of one chapter stands in that chapter; one that two papers share, or two chapters of `theory.beyond`, stands here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np

from theory.checks import Array, data_points, exact_matrix, exact_vector, floats, positive, rationals, real_array
from theory.linear_stability import hessians_array
from theory.piecewise_linear import PiecewiseLinear
from theory.two_layer import check_weights

Loss = Literal["half_mean", "mean"]
"""How the squared loss is normalised.

`half_mean` is (1/2n) sum (f(x_j) - y_j)^2 (mulayoff2021, eq 19); `mean` is (1/n) sum (f(x_j) - y_j)^2
(volhejn2020, eq 1.1; `torch.nn.MSELoss`). A step size means nothing without it: gradients and Hessians of `mean` are
twice those of `half_mean`, so gradient descent with step size s on `mean` is gradient descent with 2 s on `half_mean`.
An argument `loss` names one of these everywhere; the number that a loss has is a `training_loss`, or an attribute `loss`
of what was trained.
"""

ModelLoss = Literal[Loss, "cross_entropy"]
"""The losses of models with any outputs: these with |f(x_j) - y_j|^2, or (1/n) sum_j -log softmax(f(x_j))[y_j]."""

Sampling = Literal["without_replacement", "with_replacement", "reshuffling"]
"""How batches are drawn: anew each step, without or with replacement, or from a new random order each epoch."""


@dataclass(frozen=True)
class Symbol:
    """A symbol of a claim.

    Attributes:
        name: its name in code.
        latex: its name in LaTeX.
        meaning: what it stands for, with unit or range, and the shape of an array: "[n, d]" names its axes by letters, and
            axes of one letter are equally long in all symbols of a claim; "[3k+1]" and "[2, d + 1]" are sizes too.
        check: name and value to the value as claims use it; raises TypeError or ValueError for one that cannot be meant.
    """

    name: str
    latex: str
    meaning: str
    check: Callable[[str, Any], Any] | None = None

    @cached_property
    def axes(self) -> tuple[tuple[int, str, int], ...]:
        """The sizes of the axes that the meaning gives, each so many times a letter, if any, and a number more."""
        for brackets in _BRACKETS.findall(self.meaning):
            found = [_AXIS.fullmatch(part) for part in brackets.replace(" ", "").split(",")]
            if all(found):
                return tuple(
                    (int(a["times"] or 1), a["letter"] or "", int(a["more"] or a["number"] or 0)) for a in found if a
                )
        return ()


_BRACKETS = re.compile(r"\[([^\]]*)\]")
_AXIS = re.compile(r"(?:(?P<times>\d*)(?P<letter>[A-Za-z])(?:\+(?P<more>\d+))?)|(?P<number>\d+)")


def check_sizes(symbols: Sequence[Symbol], values: Mapping[str, Any]) -> None:
    """Do nothing if values have the shapes that their symbols say, axes of one letter being equally long in all.

    Numpy would repeat one row, or one entry, as often as another value has some, and no claim means that.

    Args:
        symbols: the symbols.
        values: by name; those without a shape count as numbers.

    Raises:
        ValueError: if one has another shape, naming the symbol that says how long an axis is.
    """
    sizes: dict[str, tuple[int, str]] = {}
    for symbol in symbols:
        shape = getattr(values[symbol.name], "shape", ())
        if not symbol.axes or not shape:
            continue
        words = ", ".join(_written(axis) for axis in symbol.axes)
        if len(shape) != len(symbol.axes):
            raise ValueError(f"{symbol.name} must be [{words}], got shape {tuple(shape)}")
        for axis, size in zip(symbol.axes, shape, strict=True):
            times, letter, more = axis
            if not letter:
                if size != more:
                    raise ValueError(f"{symbol.name} must be [{words}], got shape {tuple(shape)}")
                continue
            length, rest = divmod(size - more, times)
            known, where = sizes.setdefault(letter, (length, symbol.name))
            if rest or length != known:
                said = f", {letter} = {known} as in {where}" if where != symbol.name else ""
                raise ValueError(f"{symbol.name} must be [{words}]{said}, got shape {tuple(shape)}")


def _written(axis: tuple[int, str, int]) -> str:
    times, letter, more = axis
    if not letter:
        return str(more)
    return f"{times if times > 1 else ''}{letter}{f'+{more}' if more else ''}"


def loss_scale(loss: Loss) -> int:
    """Return the factor that takes `half_mean` losses, gradients and Hessians to those of `loss`: 1 or 2.

    Raises:
        ValueError: if `loss` is neither "half_mean" nor "mean".
    """
    if loss not in get_args(Loss):
        raise ValueError(f"loss must be one of {', '.join(map(repr, get_args(Loss)))}, got {loss!r}")
    return 1 if loss == "half_mean" else 2


def half_mean_step_size(step_size: float, loss: Loss) -> float:
    """Return the step size on (1/2n) sum (f-y)^2 that makes the same steps as `step_size` does on `loss`.

    Raises:
        TypeError: if `step_size` is no real number.
        ValueError: if `step_size` is not finite and above 0 as a float, or `loss` is unknown.
    """
    (eta,) = floats("step_size", np.array([positive("step_size", step_size)], dtype=object))
    return float(positive("step_size", eta)) * loss_scale(loss)


def exact_function(name: str, value: Any) -> PiecewiseLinear:
    """Return a piecewise-linear function, exactly: floats are taken as the rationals they are.

    Raises:
        TypeError: if it is none.
    """
    if not isinstance(value, PiecewiseLinear):
        kind = type(value).__name__
        raise TypeError(f"{name} must be a PiecewiseLinear, got {kind}: see its interpolate and from_weights")
    numbers = rationals([value.slope, value.value, value.anchor])
    return PiecewiseLinear(rationals(value.knots), rationals(value.jumps), *numbers)


def exact_data(name: str, value: Any) -> Array:
    """Return the inputs of a data set, [n], n >= 2, distinct, increasing and exact.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if there are fewer than two points, two equal ones, nan or inf.
    """
    return rationals(sorted(data_points(name, value, fewest=2)))


def step_share(name: str, value: Any) -> Fraction:
    """Return a share of the step size.

    Raises:
        ValueError: if it is not above 0 and at most 1.
    """
    if not 0 < value <= 1:
        raise ValueError(f"{name} must be above 0 and at most 1, got {value}")
    return Fraction(value)


def symmetric_matrix(name: str, value: object) -> Array:
    """Return a symmetric matrix of rationals, [d, d].

    Raises:
        ValueError: if it is not symmetric.
    """
    matrix = exact_matrix(name, value)
    if matrix.shape[0] != matrix.shape[1] or np.any(matrix != matrix.T):
        raise ValueError(f"{name} must be a symmetric matrix")
    return matrix


WEIGHTS = Symbol(
    "weights", r"\theta", "weights of a two-layer ReLU network with one input and [k] units", check_weights
)
"""Floats or rationals; the claims that need rationals say so by `RATIONAL_WEIGHTS`."""

RATIONAL_WEIGHTS = Symbol(
    "weights", r"\theta", "weights of a two-layer ReLU network with one input and [k] units, rationals", check_weights
)
"""What `WEIGHTS` is, where the sides are exact."""

HIDDEN_LAYER = (
    Symbol("hidden", "w^{(1)}", "input weights, rationals, [k, d]", exact_matrix),
    Symbol("biases", "b^{(1)}", "biases, [k]", exact_vector),
    Symbol("outputs", "w^{(2)}", "output weights, [k]", exact_vector),
)
"""A two-layer ReLU network with d inputs, array by array."""

X = Symbol("x", r"(x_j)", "distinct data points, [n]; X is uniform on them", data_points)
"""In the order given, floats or rationals."""

POINTS = Symbol("x", "(x_j)", "at least 2 distinct data points, [n]; X is uniform on them", exact_data)
"""What `X` is, in increasing order and exact."""

Y = Symbol("y", r"(y_j)", "targets, [n]", real_array)

F = Symbol("f", "f", "a continuous piecewise-linear function, exact; the data are (x, f(x))", exact_function)

STEP_SIZE = Symbol("step_size", r"\eta", "step size on (1/2n) sum (f-y)^2, above 0", positive)
"""A step size on `half_mean`; where the loss is a mean of any losses l_i it is `STEP_SIZE_ON_MEAN`."""

STEP_SIZE_ON_MEAN = Symbol("step_size", r"\eta", "step size on (1/n) sum l_i, above 0", positive)
"""A step size on a mean of losses, whose Hessians are the H_i."""

HESSIANS = Symbol(
    "hessians", r"(H_i)", "per-sample Hessians at the minimum, symmetric, [n, d, d]; their mean is H", hessians_array
)

BATCH = Symbol("batch_size", "B", "batch size, 1 to n, drawn without replacement")

SYSTEM = (HESSIANS, STEP_SIZE_ON_MEAN, BATCH)
"""SGD, linearised at a minimum."""

SHARE = Symbol("share", "s", "a smaller step's share of the step size, above 0, at most 1", step_share)

FIRST = Symbol("first", "X", "a symmetric matrix, [d, d]", symmetric_matrix)

SECOND = Symbol("second", "Y", "a symmetric matrix, [d, d]", symmetric_matrix)
