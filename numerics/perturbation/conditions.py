"""Conditions C1 to C3 of neyshabur2017, section 4, at points of any ReLU network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from numerics.perturbation.relu_layers import ReLULayers, relu_layers
from theory.checks import Array, positive, real_array


@dataclass(frozen=True)
class Undefined:
    """What stands for a number where nothing defines one.

    Attributes:
        reason: why, in words.
    """

    reason: str


@dataclass(frozen=True, eq=False)
class Conditions:
    """C1, C2 and C3 of a network at m points.

    The network has d layers of weights, h_i units in layer i, h_0 the entries of a point. A model with biases is taken for
    the network without that computes the same: each hidden layer and each point has one unit more, that is always 1, and
    h_i counts it.

    Attributes:
        widths: h_0 to h_d.
        triples: (a, c, b), 0 <= a <= c < b <= d, [t, 3]. There are (d + 2)(d + 1) d/6.
        ratios: sqrt(h_c) ||prod_a^b|| / (||prod_{c+1}^b|| ||prod_a^c||), the largest mu with which C1 holds for a triple at a
            point, [m, t]; inf where the right side of C1 is 0 for every mu. Products are of D_i W_i, with W_0 = x.
        sizes: |z| of the units of each hidden layer, z what a unit is given, [m, h_i] each.
        peaks: sqrt(h_i) ||W_i||_{2,inf} / ||D_i W_i||_F of each layer, [m, d]: the least C_3 there; inf where D_i W_i is 0
            and W_i is not.
        unit_norms: norms of the incoming weights of the units of each layer, [h_i] each.
        output_norms: |f(x)|, [m].
        input_norms: |x| of the points as they were taken, [m].
    """

    widths: tuple[int, ...]
    triples: Array
    ratios: Array
    sizes: tuple[Array, ...]
    peaks: Array
    unit_norms: tuple[Array, ...]
    output_norms: Array
    input_norms: Array

    @property
    def mu(self) -> float | Undefined:
        """The largest mu with which C1 holds at all points, triples as in Figure 6, a <= c (N15.a); 0 if with none.

        It may be above 1, up to the root of a width; the bounds of the paper need one of at most 1.
        """
        return self._least_ratio(np.ones(len(self.triples), dtype=bool))

    @property
    def mu_as_printed(self) -> float | Undefined:
        """The same with a < c, as the text of C1 has it: no less, and not enough for Lemma 1 (N15)."""
        return self._least_ratio(self.triples[:, 0] < self.triples[:, 1])

    def _least_ratio(self, chosen: Array) -> float | Undefined:
        ratios = self.ratios[:, chosen]
        if not ratios.size:
            return Undefined("a network of one layer has no triple with a < c")
        least = float(ratios.min())
        return least if least < math.inf else Undefined("both sides of C1 are 0 for every triple: no unit is active")

    def small_share(self, delta: Any) -> Array:
        """Return the largest share of units of a hidden layer at a point with |z| <= delta, as many as there are deltas.

        Noise that moves what each unit is given by at most delta switches no larger share of a layer.

        Args:
            delta: thresholds, above 0; one or [r].

        Raises:
            TypeError: if one is no real number.
            ValueError: if one is not finite and above 0.
        """
        given = np.asarray(delta)
        numbers = real_array("delta", given.reshape(-1)).astype(np.float64)
        for number in numbers:
            positive("delta", float(number))
        shares: Array = np.zeros(len(numbers))
        for size in self._sorted:
            for row in size:
                shares = np.maximum(shares, np.searchsorted(row, numbers, side="right") / len(row))
        result: Array = shares.reshape(given.shape)
        return result

    def c2(self, delta: Any) -> Array:
        """Return the least C_2 with which C2, of absolute values, holds at all points for this delta alone: share/delta.

        As printed, without absolute values, C2 holds with no C_2 where a unit is inactive (N8).

        Args:
            delta: thresholds, above 0; one or [r].

        Raises:
            TypeError: if one is no real number.
            ValueError: if one is not finite and above 0.
        """
        shares = self.small_share(delta)
        result: Array = shares / np.asarray(delta, dtype=np.float64)
        return result

    @property
    def least_c2(self) -> float:
        """The least C_2 with which C2 holds at all points for every delta > 0 (N8.a); inf if a hidden unit is given 0."""
        return max([0.0, *(float(part.max()) for part in self._needed)])

    @cached_property
    def least_c2_of_points(self) -> Array:
        """The same of each point, [m]."""
        result: Array = np.max([np.zeros(len(self.peaks)), *(part.max(axis=1) for part in self._needed)], axis=0)
        return result

    @property
    def _sorted(self) -> list[Array]:
        return [np.sort(size, axis=1) for size in self.sizes]

    @property
    def _needed(self) -> list[Array]:
        """j/(h |z|_(j)) of each hidden layer, point and j, |z|_(j) the j-th smallest."""
        with np.errstate(divide="ignore"):
            return [np.arange(1, size.shape[1] + 1) / (size.shape[1] * size) for size in self._sorted]

    @property
    def c3(self) -> float:
        """The least C_3 with which C3 holds at all points; inf if a layer has weights and no active unit."""
        return float(self.peaks.max())

    @property
    def largest_unit_norm_ratio(self) -> float:
        """The largest norm of incoming weights of a unit over the mean in its layer, which Figures 5 and 8 show for C_3.

        It is smaller than `c3`: that is over the root of the mean square, of which inactive units are left out. Layers of
        zeros alone do not count.
        """
        return max((float(norms.max() / norms.mean()) for norms in self.unit_norms if norms.any()), default=0.0)

    @property
    def dead(self) -> tuple[tuple[int, int], ...]:
        """At which point, from 0 on, D_i W_i is 0 of which layer, from 1 on, that is not 0 itself."""
        return tuple((int(point), int(layer) + 1) for point, layer in np.argwhere(np.isinf(self.peaks)))


def conditions(model: Any, x: Any, *, input_norm: float | None = 1.0) -> Conditions:
    """Return what conditions C1, C2 and C3 of neyshabur2017 ask for, of a ReLU network at points.

    C1 takes the norms of all products of successive D_i W_i: for each first layer the products are made one from the other,
    d(d - 1)/2 matrix products for d layers, without inactive units: a quarter of the work for half of them. Beside the
    network memory is for its active part and for two products, of the active units of one layer by the inputs of another.

    Args:
        model: linear layers with a ReLU between, in eval mode; dropout then does nothing, batch norm is folded, and biases
            are weights of a unit that is always 1.
        x: the points, [m, ...], floats.
        input_norm: the Euclidean norm that each point is scaled to, 1 as in Theorem 1; None leaves them as they are. Without
            biases only C2 depends on it: C_2 is over the norm.

    Raises:
        TypeError: if `model` is no module, x holds no floats, or `input_norm` is no real number.
        ValueError: if x is empty or not finite, a point that is to be scaled is 0, or the model has a layer without units,
            uses a parameter twice, is not in eval mode, or fails on x.
        UnsupportedLayerError: if the model has another layer, or others in their place.

    Example:
        >>> import torch
        >>> from numerics.perturbation import conditions
        >>> model = torch.nn.Sequential(
        ...     torch.nn.Linear(1, 2, bias=False), torch.nn.ReLU(), torch.nn.Linear(2, 1, bias=False)
        ... )
        >>> _ = model[0].weight.data.copy_(torch.tensor([[4.0], [-2.0]]))
        >>> _ = model[2].weight.data.fill_(1.0)
        >>> found = conditions(model, torch.tensor([[3.0]]))
        >>> round(found.mu, 6), found.least_c2, found.c2([2.0, 1.0]).tolist(), round(found.c3, 6)
        (1.0, 0.25, [0.25, 0.0], 1.414214)
    """
    return measured(relu_layers(model, x, input_norm))


def triples_of(layers: int) -> Array:
    """Return (a, c, b), 0 <= a <= c < b <= d, [t, 3], of d layers of weights in the order of `Conditions.ratios`."""
    return np.array(
        [(a, c, b) for a in range(layers + 1) for b in range(a + 1, layers + 1) for c in range(a, b)], dtype=int
    )


def measured(network: ReLULayers) -> Conditions:
    """Return the conditions of layers at points; see `conditions`."""
    given = network.pre_activations()
    widths, d = network.widths, len(network.weights)
    triples = triples_of(d)
    a, c, b = triples.T
    roots = np.log(widths)[c] / 2
    ratios, peaks, ends = [], [], []
    rows = [weight.norm(dim=1) for weight in network.weights]
    for point in range(len(network.points)):
        logs = point_norms(network, [z[point] for z in given], point).logs
        parts = logs[c + 1, b] + logs[a, c]
        asked = parts > -np.inf
        here = np.full(len(triples), np.inf)
        here[asked] = np.exp(roots[asked] + logs[a, b][asked] - parts[asked])
        ratios.append(here)
        ends.append(math.exp(logs[0, d]))
        peaks.append([_peak(norms, logs[i, i]) for i, norms in enumerate(rows, 1)])
    return Conditions(
        widths,
        triples,
        np.stack(ratios),
        tuple(z.abs().cpu().numpy() for z in given[:-1]),
        np.array(peaks),
        tuple(norms.cpu().numpy() for norms in rows),
        np.array(ends),
        network.points.norm(dim=1).cpu().numpy(),
    )


def _peak(norms: torch.Tensor, log: float) -> float:
    """Return sqrt(h) max / exp(log), 0 where the maximum is 0."""
    largest = float(norms.max())
    if not largest:
        return 0.0
    return math.inf if log == -math.inf else math.sqrt(len(norms)) * largest / math.exp(log)


@dataclass(frozen=True, eq=False)
class PointNorms:
    """Norms at one point, in logarithms, -inf of 0.

    Attributes:
        logs: of the product of D_a W_a to D_b W_b, at [a, b], with D_0 W_0 = x, 0 <= a <= b <= d.
        seen: of the product of D_{a+1} W_{a+1} to D_b W_b times D_a, of the active units of layer a that noise reaches, at
            [a, b], 1 <= a <= b <= d: what one output of layer b gets of noise on layer a.
    """

    logs: Array
    seen: Array


def point_norms(network: ReLULayers, given: Sequence[torch.Tensor], point: int) -> PointNorms:
    """Return the norms of all products of successive D_i W_i at a point.

    Args:
        network: the layers.
        given: what the units of layers 1 to d are given at the point, [h_i] each.
        point: which.
    """
    d = len(network.weights)
    active = [z > 0 for z in given[:-1]] + [torch.ones_like(given[-1], dtype=torch.bool)]
    first = [weight[on] for weight, on in zip(network.weights, active, strict=True)]
    inner = [None, *(weight[:, on] for weight, on in zip(first[1:], active, strict=False))]
    logs, seen = np.full((d + 1, d + 1), -np.inf), np.full((d + 1, d + 1), -np.inf)
    logs[0] = [_log_norm(network.points[point]), *(_log_norm(z[on]) for z, on in zip(given, active, strict=True))]
    for i in range(1, d + 1):
        seen[i, i] = _log(active[i - 1][network.noisy(i)].sum().double()) / 2
    for start in range(1, d + 1):
        whole, log = first[start - 1], 0.0
        reached = None if start == 1 else active[start - 2].clone()
        if reached is not None and network.added:
            reached[-1] = False
        for end in range(start, d + 1):
            factor = inner[end - 1]
            if end > start and factor is not None:
                whole = factor @ whole
            columns = torch.linalg.vector_norm(whole, dim=0)
            size = columns.norm()
            logs[start, end] = log + _log(size)
            if not float(size):
                break
            if reached is not None:
                seen[start - 1, end] = log + _log(columns[reached].norm())
            whole, log = whole / size, logs[start, end]  # a long product may be beyond the range of floats
    return PointNorms(logs, seen)


def _log_norm(vector: torch.Tensor) -> float:
    """Return the logarithm of a norm, the squares of whose entries may be below the range of floats."""
    largest = vector.abs().max() if len(vector) else vector.sum()
    return _log(largest) + _log((vector / largest).norm()) if float(largest) else -math.inf


def _log(value: torch.Tensor) -> float:
    number = float(value)
    return math.log(number) if number > 0 else -math.inf
