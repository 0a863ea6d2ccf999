"""ReLU networks of any depth with rational weights: values, derivatives, linear pieces and Lipschitz constants, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product
from typing import Any

import numpy as np

from theory.checks import Array, exact_vector, exact_vectors, rationals
from theory.enclosure import Enclosure, top_eigenvalue


@dataclass(frozen=True, eq=False)
class ReLUNetwork:
    """f(x) = W_l [.. [W_1 x + b_1]_+ ..]_+, of rationals; a bias of the output would change no derivative.

    Attributes:
        layers: W_1 to W_l, each [width of its outputs, width of its inputs].
        biases: b_1 to b_(l - 1), one a hidden layer.

    Raises:
        ValueError: if a layer does not take what the one before gives, or a bias does not fit its layer.
    """

    layers: tuple[Array, ...]
    biases: tuple[Array, ...]

    def __post_init__(self) -> None:
        if len(self.biases) != len(self.layers) - 1:
            raise ValueError(f"biases must be one a hidden layer, {len(self.layers) - 1}, got {len(self.biases)}")
        chain(self.layers)
        for number, (matrix, bias) in enumerate(zip(self.layers, self.biases, strict=False), 1):
            if len(bias) != len(matrix):
                raise ValueError(f"bias {number} must have an entry a unit, {len(matrix)}, got {len(bias)}")

    @property
    def inputs(self) -> int:
        """The number d of inputs."""
        return int(self.layers[0].shape[1])

    @property
    def outputs(self) -> int:
        """The number k of outputs."""
        return int(self.layers[-1].shape[0])

    def __call__(self, x: Array) -> Array:
        """Return f(x), [k], for one input x, [d]."""
        h = x
        for matrix, bias in zip(self.layers, self.biases, strict=False):
            h = _positive(matrix @ h + bias)
        outputs: Array = self.layers[-1] @ h
        return outputs

    def pre_activations(self, x: Array) -> list[Array]:
        """Return what the hidden units of each layer are given at one input x, [d]."""
        h, found = x, []
        for matrix, bias in zip(self.layers, self.biases, strict=False):
            z = matrix @ h + bias
            found.append(z)
            h = _positive(z)
        return found

    def jacobian(self, x: Array) -> Array:
        """Return the Jacobian at x as backpropagation has it, with 0 for the derivative of a unit at its kink, [k, d]."""
        whole = self.layers[-1]
        for matrix, z in zip(self.layers[-2::-1], self.pre_activations(x)[::-1], strict=True):
            whole = (whole * (z > 0)) @ matrix
        return rationals(whole)

    def derivative(self, x: Array, direction: Array) -> Array:
        """Return the one-sided derivative of f along a direction, lim (f(x + h v) - f(x)) / h for h > 0, [k]."""
        slope = direction
        for matrix, z in zip(self.layers, self.pre_activations(x), strict=False):
            change = matrix @ slope
            slope = np.where((z > 0) | ((z == 0) & (change > 0)), change, 0 * change)
        moved: Array = self.layers[-1] @ slope
        return moved

    def is_at_a_kink(self, x: Array) -> bool:
        """Return whether a hidden unit is given exactly 0 at x."""
        return any(bool(np.any(z == 0)) for z in self.pre_activations(x))

    def step_within(self, x: Array, direction: Array) -> Fraction:
        """Return a step h > 0 such that f is affine from x to x + h v, for x at no kink.

        Raises:
            ValueError: if x is at a kink.
        """
        if self.is_at_a_kink(x):
            raise ValueError(f"x must be at no kink of the network, got {x}")
        step = Fraction(1)
        while any(
            np.any((z > 0) != (moved > 0))
            for z, moved in zip(self.pre_activations(x), self.pre_activations(x + step * direction), strict=True)
        ):
            step /= 2
        return step

    def pieces(self) -> list[Array]:
        """Return the Jacobians of f on its linear pieces, distinct, [k, d] each: those of the patterns on open sets.

        All patterns of the hidden units are tried, so few units are wanted.
        """
        start = rationals(np.eye(self.inputs, self.inputs + 1, dtype=int))
        found = {tuple(piece.ravel()): piece for piece in _pieces_from(self, 0, start, [])}
        return list(found.values())


def _pieces_from(network: ReLUNetwork, depth: int, affine: Array, open_set: list[Array]) -> list[Array]:
    """Return the Jacobians of the pieces within an open set, given what enters a layer there as an affine map.

    Args:
        network: the network.
        depth: how many layers have been passed.
        affine: the matrix of the map beside its constants, [width, d + 1].
        open_set: rows (a, b) for a.x + b > 0.
    """
    matrix = network.layers[depth]
    if depth == len(network.biases):
        return [rationals((matrix @ affine)[:, :-1])]
    z = matrix @ affine
    z[:, -1] = z[:, -1] + network.biases[depth]
    turning = np.flatnonzero(np.any(z[:, :-1] != 0, axis=1))
    found: list[Array] = []
    for pattern in product((1, -1), repeat=len(turning)):
        on = z[:, -1] > 0
        on[turning] = np.array(pattern) > 0
        within = [*open_set, *(sign * z[unit] for sign, unit in zip(pattern, turning, strict=True))]
        if _has_points(within):
            found += _pieces_from(network, depth + 1, z * on[:, None], within)
    return found


def _has_points(rows: list[Array]) -> bool:
    """Return whether there is an x with a.x + b > 0 for all rows (a, b), by Fourier and Motzkin's elimination."""
    for place in range(len(rows[0]) - 1 if rows else 0):
        above = [row / row[place] for row in rows if row[place] > 0]
        below = [row / -row[place] for row in rows if row[place] < 0]
        rows = [row for row in rows if row[place] == 0] + [first + second for first in above for second in below]
    return all(row[-1] > 0 for row in rows)


def _positive(z: Array) -> Array:
    """Return max(z, 0), entry by entry."""
    kept: Array = np.where(z > 0, z, 0 * z)
    return kept


def chain(layers: tuple[Array, ...]) -> tuple[Array, ...]:
    """Return the weight matrices of a network, if each takes what the one before gives.

    Raises:
        ValueError: if there is none, or one does not.
    """
    if not layers:
        raise ValueError("layers must be at least one weight matrix, got none")
    for number, (before, after) in enumerate(pairwise(layers), 2):
        if after.shape[1] != before.shape[0]:
            raise ValueError(
                f"layer {number} must have a column for each of the {before.shape[0]} outputs of the one before, "
                f"got shape {after.shape}"
            )
    return layers


def exact_layers(name: str, value: Any) -> tuple[Array, ...]:
    """Return weight matrices W_1 to W_l of rationals.

    Raises:
        TypeError: if it is no sequence of matrices, or an entry is no real number.
        ValueError: if there is none, one does not take what the one before gives, or an entry is not finite.
    """
    return chain(tuple(exact_vectors(f"{name}[{i}]", matrix) for i, matrix in enumerate(_parts(name, value))))


def exact_biases(name: str, value: Any) -> tuple[Array, ...]:
    """Return biases of rationals, a vector each hidden layer.

    Raises:
        TypeError: if it is no sequence of vectors, or an entry is no real number.
        ValueError: if an entry is not finite.
    """
    return tuple(exact_vector(f"{name}[{i}]", bias) for i, bias in enumerate(_parts(name, value)))


def _parts(name: str, value: Any) -> tuple[Any, ...]:
    if not isinstance(value, (tuple, list)):
        raise TypeError(f"{name} must be a sequence of arrays, one a layer, got {type(value).__name__}")
    return tuple(value)


def square(matrix: Array) -> Fraction:
    """Return the squared Frobenius norm of a matrix, or of a vector the squared Euclidean one, of rationals."""
    return Fraction((matrix * matrix).sum())


def squared_spectral_norm(matrix: Array) -> Enclosure:
    """Return the square of the spectral norm of a matrix of rationals."""
    gram = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    return top_eigenvalue(rationals(gram))


def largest_singular_value(matrix: Array) -> Enclosure:
    """Return the spectral norm of a matrix of rationals."""
    return squared_spectral_norm(matrix).root()


def lipschitz_constant(network: ReLUNetwork) -> Enclosure:
    """Return the Lipschitz constant of a network on all of R^d: the largest spectral norm of its pieces."""
    norms = [largest_singular_value(piece) for piece in network.pieces()]
    return Enclosure(max(norm.lower for norm in norms), max(norm.upper for norm in norms))


def complexity(network: ReLUNetwork, inputs: Array) -> Fraction:
    """Return the geometric complexity on inputs [n, d], with Jacobians as backpropagation has them."""
    return sum((square(network.jacobian(x)) for x in inputs), Fraction(0)) / len(inputs)


def squared_norms_of(layers: tuple[Array, ...]) -> list[Fraction]:
    """Return the squared Frobenius norms of the layers."""
    return [square(matrix) for matrix in layers]


def norms_of_parts(network: ReLUNetwork, inputs: Array) -> dict[str, Any]:
    """Return what the symbols of the proofs on Frobenius norms are: those of the layers, and of the Jacobians at the data.

    E has the squared norms of the Jacobians at the first datum of the subnetworks to each layer.

    Args:
        network: the network.
        inputs: the data, [n, d].
    """
    masks = [z > 0 for z in network.pre_activations(inputs[0])]
    part, parts = rationals(np.eye(network.inputs, dtype=int)), []
    for number, matrix in enumerate(network.layers):
        part = matrix @ part
        if number < len(masks):
            part = part * masks[number][:, None]
        parts.append(square(part))
    return {
        "m": len(network.layers),
        "F": squared_norms_of(network.layers),
        "E": parts,
        "n": len(inputs),
        "g": Fraction(1, len(inputs)),
        "q": [square(network.jacobian(x)) for x in inputs],
    }
