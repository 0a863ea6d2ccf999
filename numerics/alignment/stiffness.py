"""Stiffness: how far a step that lowers the loss of one example lowers those of others (walker2023, section 3)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np

from theory.checks import Array, count, real_array
from theory.walker2023.alignment_bounds import Stiffness

ROUNDING = 1e-4
"""An inner product of float32 may be so much more than the product of the lengths."""

Distance = Literal["euclidean", "cosine"]
"""|x - x'|, or 1 - x.x' / (|x| |x'|)."""


@dataclass(frozen=True)
class MeanStiffness:
    """The mean over pairs of different examples.

    Attributes:
        value: the mean, from -1 to 1.
        pairs: how many it is over.
        zero_gradients: how many gradients are 0. Their sign is 0, and counts; their cosine has no value, and is left out.
    """

    value: float
    pairs: int
    zero_gradients: int


@dataclass(frozen=True, eq=False)
class ClassStiffness:
    """The class stiffness matrix (Definition 3.4), with its means (Definitions 3.5 and 3.6).

    Attributes:
        classes: the labels that occur, in order, [n].
        matrix: the mean over pairs of different examples, one of each class, [n, n]; masked where there is no pair. Rows are
            the classes of the first set, where there are two.
        pairs: how many ordered pairs each is over, [n, n].
        between: the mean of the entries off the diagonal that have a value.
        within: the mean of those on it.
        zero_gradients: how many gradients are 0; for cosines they are left out.
    """

    classes: Array
    matrix: np.ma.MaskedArray[Any, Any] = field(repr=False)
    pairs: Array = field(repr=False)
    between: float
    within: float
    zero_gradients: int

    @property
    def without_value(self) -> list[tuple[int, int]]:
        """The pairs of classes without a pair of examples, which no mean counts."""
        return [(int(self.classes[i]), int(self.classes[j])) for i, j in np.argwhere(self.pairs == 0)]


@dataclass(frozen=True, eq=False)
class StiffnessByDistance:
    """The mean stiffness of pairs by the distance of their inputs, in groups of about equally many pairs.

    Attributes:
        distances: the mean distance of the pairs of each group, increasing, [b].
        stiffness: their mean stiffness, [b].
        pairs: how many they are, [b].
        zero_gradients: how many gradients are 0; for cosines they are left out.
    """

    distances: Array
    stiffness: Array
    pairs: Array
    zero_gradients: int

    @property
    def critical_length(self) -> float:
        """Where the mean stiffness, linear between the groups, first falls to 0.

        0 if that of the nearest group is no more than 0; inf if none is: then it is longer than the distances seen.
        """
        below = np.flatnonzero(self.stiffness <= 0)
        if not len(below):
            return math.inf
        end = int(below[0])
        if end == 0:
            return 0.0
        (near, far), (high, low) = self.distances[end - 1 : end + 1], self.stiffness[end - 1 : end + 1]
        return float(near + (far - near) * high / (high - low))


def sign_stiffness(gram: Any, *, split: int | None = None) -> MeanStiffness:
    """Return the mean of sign(g.g') over pairs of different examples (Definition 3.1).

    Args:
        gram: inner products of gradients, [m, m], m >= 2.
        split: if given, pairs are of one of the first so many rows and one of the others, as of training and validation
            data; the Gram matrix of each set alone is a block of `gram`.

    Raises:
        TypeError: if an entry is no real number, or `split` no integer.
        ValueError: if it is no Gram matrix, or there is no pair.

    Example:
        >>> from numerics.alignment import sign_stiffness
        >>> round(sign_stiffness([[1, 0, 1], [0, 1, 1], [1, 1, 2]]).value, 4)
        0.6667
    """
    return _mean(gram, "sign", split)


def cosine_stiffness(gram: Any, *, split: int | None = None) -> MeanStiffness:
    """Return the mean of the cosine of the angle of g and g' over pairs of different examples (Definition 3.2).

    Args:
        gram: inner products of gradients, [m, m], m >= 2.
        split: as for `sign_stiffness`.

    Raises:
        TypeError: if an entry is no real number, or `split` no integer.
        ValueError: if it is no Gram matrix, or there is no pair of gradients that are not 0.

    Example:
        >>> from numerics.alignment import cosine_stiffness
        >>> round(cosine_stiffness([[1, 0, 1], [0, 1, 1], [1, 1, 2]]).value, 4)
        0.4714
    """
    return _mean(gram, "cosine", split)


def class_stiffness(gram: Any, labels: Any, kind: Stiffness = "cosine", *, split: int | None = None) -> ClassStiffness:
    """Return the class stiffness matrix and its means within and between classes (Definitions 3.4 to 3.6).

    Args:
        gram: inner products of gradients, [m, m].
        labels: the classes, integers, [m].
        kind: "sign", or "cosine".
        split: as for `sign_stiffness`; the matrix is then that of the classes of both sets, and not symmetric.

    Raises:
        TypeError: if an entry of `gram` is no real number, of `labels` no integer, or `split` is none.
        ValueError: if it is no Gram matrix, `labels` are not m, of one class, `kind` is unknown, or no pair of examples of
            one class, or of different ones, has a value.

    Example:
        >>> from numerics.alignment import class_stiffness
        >>> found = class_stiffness([[1, 1, 0], [1, 1, 0], [0, 0, 1]], [0, 0, 1])
        >>> found.within, found.between, found.without_value
        (1.0, 0.0, [(1, 1)])
    """
    matrix = gram_matrix(gram)
    wanted = integers("labels", labels, len(matrix))
    classes, place = np.unique(wanted, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(f"labels must hold at least two classes, for pairs between classes, got {classes[0]} alone")
    values, counted, zero = _pairs(matrix, kind, split)
    member = np.eye(len(classes))[place]
    pairs = member.T @ counted @ member
    means = np.ma.masked_array(member.T @ values @ member, pairs == 0) / np.where(pairs == 0, 1, pairs)
    same = np.eye(len(classes), dtype=bool)
    for where, words in ((same, "of one class"), (~same, "of different classes")):
        if not np.any(pairs[where]):
            raise ValueError(f"gram must have a pair of examples {words} whose stiffness has a value, got none")
    return ClassStiffness(
        classes, means, pairs.astype(np.int64), float(means[~same].mean()), float(means[same].mean()), zero
    )


def stiffness_by_distance(
    gram: Any,
    x: Any,
    kind: Stiffness = "cosine",
    *,
    distance: Distance = "euclidean",
    bins: int = 10,
    labels: Any = None,
    split: int | None = None,
) -> StiffnessByDistance:
    """Return the mean stiffness of pairs by the distance of their inputs, and its critical length.

    The report names the "dynamical critical length" (section 3.1) and has no formula; see `critical_length` for what is
    taken here. Groups end at quantiles of the distances, so pairs at one distance are in one group.

    Args:
        gram: inner products of gradients, [m, m].
        x: the inputs, [m, ...].
        kind: "sign", or "cosine".
        distance: "euclidean", or "cosine", which has no value at an input 0.
        bins: how many groups at most, at least 1.
        labels: if given, [m], only pairs of one class are looked at.
        split: as for `sign_stiffness`.

    Raises:
        TypeError: if an entry of `gram` or x is no real number, of `labels` no integer, or `bins` or `split` is none.
        ValueError: if it is no Gram matrix, x or `labels` are not m, `kind` or `distance` is unknown, a distance has no value,
            or no pair has a stiffness.

    Example:
        >>> from numerics.alignment import stiffness_by_distance
        >>> x = [[0.0], [1.0], [4.0]]
        >>> found = stiffness_by_distance([[1, 0.5, -0.5], [0.5, 1, 0], [-0.5, 0, 1]], x, bins=3)
        >>> found.stiffness.tolist(), found.critical_length
        ([0.5, 0.0, -0.5], 3.0)
    """
    matrix, groups = gram_matrix(gram), count("bins", bins)
    values, counted, zero = _pairs(matrix, kind, split)
    apart = _distances(x, len(matrix), distance)
    if labels is not None:
        wanted = integers("labels", labels, len(matrix))
        counted = counted & (wanted[:, None] == wanted)
    if not np.any(counted):
        raise ValueError("gram must have a pair of examples whose stiffness has a value, got none")
    lengths, found = apart[counted], values[counted]
    ends = np.unique(np.quantile(lengths, np.linspace(0, 1, groups + 1)[1:], method="inverted_cdf"))
    group = np.searchsorted(ends, lengths)
    sizes = np.bincount(group, minlength=len(ends))
    return StiffnessByDistance(np.bincount(group, lengths) / sizes, np.bincount(group, found) / sizes, sizes, zero)


def gram_matrix(gram: Any, name: str = "gram") -> Array:
    """Return a Gram matrix of at least one vector, [m, m].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if it is not square, not symmetric, or an entry is not finite or larger than lengths allow.
    """
    matrix = real_array(name, gram, ndim=2).astype(np.float64)
    if matrix.shape[0] != matrix.shape[1] or not len(matrix):
        raise ValueError(f"{name} must be square, the inner products of m gradients, got shape {matrix.shape}")
    diagonal = matrix.diagonal()
    if np.any(diagonal < 0):
        first = int(np.flatnonzero(diagonal < 0)[0])
        raise ValueError(f"{name} must have squares of lengths on its diagonal, got {diagonal[first]} at index {first}")
    lengths = np.sqrt(diagonal)
    allowed = (1 + ROUNDING) * np.outer(lengths, lengths)
    for wrong, words in (
        (np.abs(matrix - matrix.T) > ROUNDING * allowed, "be symmetric"),
        (np.abs(matrix) > allowed, "hold inner products, no larger than the product of the lengths"),
    ):
        if np.any(wrong):
            i, j = (int(v) for v in np.argwhere(wrong)[0])
            raise ValueError(f"{name} must {words}, got {matrix[i, j]} at ({i}, {j}) and {matrix[j, i]} at ({j}, {i})")
    return matrix


def integers(name: str, values: Any, m: int) -> Array:
    """Return m integers, [m].

    Raises:
        TypeError: if one is no integer.
        ValueError: if they are not m.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} must hold integers, got {array.dtype}")
    if array.shape != (m,):
        raise ValueError(f"{name} must have shape [{m}], one for each row of gram, got shape {array.shape}")
    return array


def _mean(gram: Any, kind: Stiffness, split: int | None) -> MeanStiffness:
    values, counted, zero = _pairs(gram_matrix(gram), kind, split)
    pairs = int(counted.sum())
    if not pairs:
        raise ValueError(f"gram must have a pair of gradients that are not 0, for a cosine, got {zero} that are 0")
    ordered = 1 if split is not None else 2
    return MeanStiffness(float(values.sum()) / pairs, pairs // ordered, zero)


def _pairs(matrix: Array, kind: Stiffness, split: int | None) -> tuple[Array, Array, int]:
    """Return the stiffness of each ordered pair, [m, m], 0 where it is not counted, which are, and how many gradients are 0.

    Raises:
        TypeError: if `split` is no integer.
        ValueError: if there are fewer than two rows, `kind` is unknown, or `split` leaves a set without a row.
    """
    m = len(matrix)
    if kind not in get_args(Stiffness):
        raise ValueError(f"kind must be one of {', '.join(map(repr, get_args(Stiffness)))}, got {kind!r}")
    if m < 2:
        raise ValueError(f"gram must be of at least two gradients, to have a pair of different ones, got {m}")
    counted = ~np.eye(m, dtype=bool)
    if split is not None:
        if count("split", split) >= m:
            raise ValueError(f"split must be below the number of rows, {m}, got {split}")
        counted = (np.arange(m) < split)[:, None] & (np.arange(m) >= split)
    lengths = np.sqrt(matrix.diagonal())
    nonzero = lengths > 0
    if kind == "sign":
        values = np.sign(matrix)
    else:
        counted = counted & nonzero[:, None] & nonzero
        safe = np.where(nonzero, lengths, 1.0)
        values = np.clip(matrix / safe / safe[:, None], -1.0, 1.0)
    return np.where(counted, values, 0.0), counted, int(m - nonzero.sum())


def _distances(x: Any, m: int, kind: Distance) -> Array:
    """Return the distances of inputs, [m, m].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if there are not m, one is not finite, `kind` is unknown, or a cosine has no value.
    """
    if kind not in get_args(Distance):
        raise ValueError(f"distance must be one of {', '.join(map(repr, get_args(Distance)))}, got {kind!r}")
    array = np.asarray(x)
    rows = real_array("x", array.reshape(len(array), -1) if array.ndim else array, ndim=2)
    if len(rows) != m:
        raise ValueError(f"x must hold one input for each of the {m} rows of gram, got {len(rows)}")
    if kind == "cosine":
        lengths = np.linalg.norm(rows, axis=1)
        if np.any(lengths == 0):
            first = int(np.flatnonzero(lengths == 0)[0])
            raise ValueError(f"x must hold no input 0, whose cosine distance has no value, got one at index {first}")
        directions = rows / lengths[:, None]
        cosines: Array = 1 - directions @ directions.T
        return cosines
    squares = (rows * rows).sum(axis=1)
    distances: Array = np.sqrt(np.maximum(squares[:, None] + squares - 2 * (rows @ rows.T), 0.0))
    return distances
