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

from theory.checks import (
    Array,
    count,
    data_points,
    exact_matrix,
    exact_sequence,
    exact_vector,
    exact_vectors,
    floats,
    nonnegative,
    positive,
    rationals,
    real_array,
)
from theory.dense_network import check_layers
from theory.finite_metric import metric
from theory.layer_noise import noise_lists
from theory.linear_stability import hessians_array
from theory.piecewise_linear import PiecewiseLinear
from theory.random_networks import exact_input, layer_supports, row_counts
from theory.relu_network import exact_biases, exact_layers
from theory.two_layer import check_weights

Loss = Literal["half_mean", "mean"]
"""How the squared loss is normalised.

`half_mean` is (1/2n) sum (f(x_j) - y_j)^2 (mulayoff2021, eq 19); `mean` is (1/n) sum (f(x_j) - y_j)^2 (volhejn2020, eq
1.1; `torch.nn.MSELoss` where there is one output). A step size means nothing without it: gradients and Hessians of `mean`
are twice those of `half_mean`, so gradient descent with step size s on `mean` is gradient descent with 2 s on `half_mean`.
An argument `loss` names one of these everywhere; the number that a loss has is a `training_loss`, or an attribute `loss`
of what was trained.
"""

ModelLoss = Literal[Loss, "mse_loss", "cross_entropy"]
"""The losses of models with c outputs.

"half_mean" and "mean" are those of |f(x_j) - y_j|^2, summed over the outputs; "mse_loss" averages over them too, (1/(n c))
sum_j |f(x_j) - y_j|^2, as `torch.nn.MSELoss` does; "cross_entropy" is (1/n) sum_j -log softmax(f(x_j))[y_j].
"""

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


def output_scale(loss: ModelLoss, outputs: int) -> float:
    """Return the factor of |f(x_j) - y_j|^2 in the squared loss of an example, for the number c of outputs.

    Raises:
        ValueError: if `loss` is no squared loss.
    """
    factors = {"half_mean": 0.5, "mean": 1.0, "mse_loss": 1 / outputs}
    if loss not in factors:
        raise ValueError(f"loss must be one of {', '.join(map(repr, factors))}, got {loss!r}")
    return factors[loss]


def of_one_output(loss: ModelLoss) -> Loss:
    """Return the name that a squared loss of one output has beside "mse_loss".

    Raises:
        ValueError: if `loss` is no squared loss.
    """
    output_scale(loss, 1)
    return "half_mean" if loss == "half_mean" else "mean"


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


def increasing(name: str, value: object) -> Array:
    """Return at least two increasing numbers, exact.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if there are fewer, or they do not increase.
    """
    points = exact_vector(name, value)
    if len(points) < 2 or np.any(np.diff(points) <= 0):
        raise ValueError(f"{name} must be at least two increasing numbers, got {[float(v) for v in points]}")
    return points


def exact_heights(name: str, value: object) -> Array:
    """Return numbers that are at least 0, exact.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if one is below 0.
    """
    heights = exact_vector(name, value)
    if np.any(heights < 0):
        raise ValueError(f"{name} must be at least 0, got {float(min(heights))}")
    return heights


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


def exact_stack(name: str, value: object) -> Array:
    """Return rationals, [n, k, p], none of the axes empty.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if it has not three axes, one is empty, or an entry is not finite.
    """
    array = rationals(real_array(name, value, ndim=3))
    if 0 in array.shape:
        raise ValueError(f"{name} must have entries on all three axes, got shape {array.shape}")
    return array


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

LOSS_GRADIENTS = Symbol(
    "gradients", r"\nabla L_i", "gradients of the losses of the examples as rows, [n, d]", exact_vectors
)

OTHER_BATCH = Symbol("other_batch_size", "B'", "another batch size, 1 to n")

OUTPUT_GRADIENTS = Symbol(
    "output_gradients", r"\nabla_\theta f^i(x)", "gradients of the k outputs in the weights, [n, k, p]", exact_stack
)

RESIDUALS = Symbol(
    "residuals", r"\epsilon_x^i", "derivatives of the loss of each example in its outputs, [n, k]", exact_vectors
)

DENSE_LAYERS = Symbol(
    "dense_layers",
    r"(W_i, b_i)",
    "weights and biases of a dense network, layer by layer; no biases where empty",
    check_layers,
)

LEAK = Symbol(
    "leak",
    "a",
    "slope of phi below 0: 0 for ReLU, 1 for a linear network",
    lambda n, v: Fraction(exact_vector(n, [v])[0]),
)

DATA_ROWS = Symbol("inputs", "(x_j)", "data points as rows, [n, d]", exact_vectors)

LABEL_NOISE = Symbol("noise", r"\xi", "equally likely label noises of the batch, [m, n, k]", exact_stack)

ONE_POINT = Symbol("x", "x", "a point, [d]", exact_vector)


def squared_norms(name: str, value: object) -> Array:
    """Return squared norms as rationals, at least one, [n].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if there is none, or one is negative or not finite.
    """
    numbers = exact_sequence(name, value)
    for number in numbers:
        nonnegative(name, number)
    return numbers


def sample_norms(name: str, value: object) -> Array:
    """Return squared norms as rationals, at least two, [n].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if there are fewer, or one is negative or not finite.
    """
    numbers = squared_norms(name, value)
    if len(numbers) < 2:
        raise ValueError(f"{name} must be at least two numbers, got {len(numbers)}")
    return numbers


LAYERS = Symbol("layers", "(W_i)", "weight matrices of a ReLU network, first to last, rationals", exact_layers)
BIASES = Symbol("layer_biases", "(b_i)", "biases of its hidden layers, in their order", exact_biases)
NETWORK_INPUTS = Symbol("inputs", "D", "the data, one a row, rationals, [n, d]", exact_vectors)
POINT = Symbol("point", "x", "a point, rationals, [d]", exact_vector)

NETWORK_ON_DATA = (LAYERS, BIASES, NETWORK_INPUTS)
"""A ReLU network of any depth, and data of as many coordinates as it has inputs."""

SQUARED_NORMS = Symbol(
    "squared_norms", r"\|\nabla f(x)\|_F^2", "of the Jacobian at each of the data, at least 0, [n]", squared_norms
)

SAMPLE_NORMS = Symbol(
    "squared_norms",
    r"\|\nabla f(x)\|_F^2",
    "of the Jacobian at each of at least two data, at least 0, [n]",
    sample_norms,
)
"""What `SQUARED_NORMS` is, where there is a sample variance."""

BATCH_OF_NORMS = Symbol("batch_size", "B", "batch size, 1 to n, drawn without replacement", count)
INCREASING = Symbol("x", "(x_i)", "at least 2 data points, increasing, exact, [n]", increasing)
"""What `POINTS` is, for data with targets apart: they must come in order."""

EXACT_TARGETS = Symbol("y", "(y_i)", "targets, exact, [n]", exact_vector)

FITTED = Symbol("z", "(z_i)", "values of f at the data points, exact, [n]; f is linear between them", exact_vector)

EDGES = Symbol("edges", "(e_j)", "where a density p may change, increasing, exact, [m+1]", increasing)

HEIGHTS = Symbol(
    "heights", "(p_j)", "p between neighbouring edges, at least 0, exact, [m]; 0 beyond them", exact_heights
)

SUPPORTS = Symbol(
    "supports",
    "(U_i)",
    "rows of W_i are +-u, u among the rows of U_i, all equally likely; at least two",
    layer_supports,
)

ROWS = Symbol("rows", "(n_i)", "numbers of rows of W_1, .., W_l", row_counts)

INPUT = Symbol("x", "x", "an input other than 0, exact, [d]", exact_input)


def exact_positive(name: str, value: Any) -> Fraction:
    """Return a number above 0 as a rational.

    Raises:
        TypeError: if it is no real number.
        ValueError: if it is not finite or not above 0.
    """
    return Fraction(exact_vector(name, [positive(name, value)])[0])


DISTANCES = Symbol("distances", "d", "of a finite metric space, rationals, [n, n]", metric)

LIPSCHITZ_CONSTANT = Symbol("constant", "C", "a Lipschitz constant, above 0", exact_positive)

FUNCTION_MARGIN = Symbol("margin", r"\gamma", "a margin, in the unit of the functions' values, above 0", exact_positive)

LIPSCHITZ_ON_A_SPACE = (DISTANCES, LIPSCHITZ_CONSTANT, FUNCTION_MARGIN)
"""The functions of a Lipschitz constant on a finite space, and how far from a level they are to be."""
LAYER_NOISES = Symbol(
    "layer_noises", r"(\nu_i)", "equally likely noises of each layer, independent of those of others", noise_lists
)
