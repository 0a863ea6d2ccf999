"""The geometric complexity of a two-layer network on the line beside what bounds it at a minimum, exactly (D10.b, B25).

With s_ij whether unit i is active at x_j, h_j its activations there and G the Gram matrix of the gradients in the weights,

    f'(x_j) = sum_i s_ij w1_i w2_i,   |h'(x_j)|^2 = sum_i s_ij w1_i^2,
    T_1^2 = (1 + x_j^2)/|w1|^2,   T_2^2 = (1 + |h_j|^2)/(|w2|^2 |h'(x_j)|^2),
    G_jl = 1 + h_j . h_l + (1 + x_j x_l) sum_i s_ij s_il w2_i^2.

The claims' own sides are these for networks of any depth, in fractions, and stability there is decided on matrices of
the order of the square of the number of parameters, which cannot be done for hundreds. Here it is integers over one
denominator, and matrices of the Gram matrix's size. The assumptions, the limit and the verdicts are the claims'.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from theory.beyond.mean_square_bounds import gram_forms
from theory.beyond.transfer import B25, trace_limit
from theory.checks import Array, Reals, batch_size, exact_vector, over, over_one_denominator, positive, rationals
from theory.claim import Claim, Instance, Ruling, Verdict, compare
from theory.dherin2022.transfer import D10B
from theory.enclosure import Enclosure, positive_semidefinite
from theory.linear_stability import noise_share
from theory.two_layer import Weights


@dataclass(frozen=True, eq=False)
class ComplexityAtMinimum:
    """What B25 and D10.b speak of, for a two-layer ReLU network with one input and the data (x_j, f(x_j)), in rationals.

    Attributes:
        weights: the network, exact.
        complexity: the geometric complexity, the mean of f'(x_j)^2, >= 0; at a kink f' is the slope of automatic
            differentiation, which counts the unit as inactive.
        mean_gradient: the mean of |grad_theta f(x_j)|^2: tr H of the loss (1/2n) sum (f(x_j) - y_j)^2 where f(x_j) = y_j.
        least_transfer: min_j sum_i T_i^2(x_j), > 0; None if a sigma_max is 0, where T_i has no value.
        gram: the inner products of the grad_theta f(x_j), [n, n].
    """

    weights: Weights
    complexity: Fraction
    mean_gradient: Fraction
    least_transfer: Fraction | None
    gram: Array

    @property
    def points(self) -> int:
        """The number n of points."""
        return len(self.gram)

    @property
    def parameters(self) -> int:
        """The number P of weights and biases."""
        return 3 * self.weights.width + 1

    @cached_property
    def _layers(self) -> tuple[tuple[Array, Array], ...]:
        weights = self.weights
        return (weights.w1[:, None], weights.b1), (weights.w2[None, :], rationals([weights.b2]))

    def limit(self, step_size: float | Fraction, batch: int) -> Fraction | None:
        """Return what GC does not exceed if SGD is stable in mean square (B25), > 0; None if a T_i has no value.

        Args:
            step_size: eta > 0 on (1/2n) sum (f - y)^2.
            batch: B from 1 to n, drawn without replacement.

        Raises:
            TypeError: if `step_size` is no real number, or `batch` no integer.
            ValueError: if step_size <= 0, or B is not between 1 and n.
        """
        given = Instance({"dense_layers": self._layers, "step_size": positive("step_size", step_size)}, "given")
        allowed = trace_limit(given, noise_share(self.points, batch), 1)
        return None if self.least_transfer is None else allowed / self.least_transfer

    def is_stable(self, step_size: float | Fraction, batch: int) -> bool:
        """Return whether SGD is stable in mean square at the minimum (B3), by exact elimination.

        For B = n the condition is eta lambda_max(G)/n <= 2: where the noise has no share, 2 C - eta D >= 0 says
        lambda_a + lambda_b >= eta lambda_a lambda_b of the eigenvalues of H, hardest at the largest. Else it is that of
        B3.d on matrices of n (n + 1)/2 rows, which takes seconds for ten points.

        Args:
            step_size: as in `limit`.
            batch: as in `limit`.

        Raises:
            TypeError: as `limit`.
            ValueError: as `limit`.
        """
        eta, size = Fraction(positive("step_size", step_size)), batch_size(batch, self.points)
        if size == self.points:
            edge: Array = rationals(2 * size * np.eye(size, dtype=int)) - eta * self.gram
            return positive_semidefinite(edge)
        c, d = gram_forms(self.gram, noise_share(self.points, size))
        return positive_semidefinite(2 * c - eta * d)

    def stable_verdict(self, step_size: float | Fraction, batch: int) -> Verdict:
        """Return the verdict of B25 on the network and the data (x_j, f(x_j)), which it interpolates.

        Args:
            step_size: as in `limit`.
            batch: as in `limit`.

        Raises:
            TypeError: as `limit`.
            ValueError: as `limit`.
        """
        [verdict] = self.stable_verdicts([step_size], batch)
        return verdict

    def stable_verdicts(self, step_sizes: Sequence[float | Fraction], batch: int) -> list[Verdict]:
        """Return the verdicts of B25 at several step sizes, in their order.

        Where SGD is stable it is so at smaller step sizes, for D >= 0: few of them need the elimination of `is_stable`.

        Args:
            step_sizes: each as in `limit`.
            batch: as in `limit`.

        Raises:
            TypeError: as `limit`.
            ValueError: as `limit`.
        """
        limits = [self.limit(step_size, batch) for step_size in step_sizes]
        if self.least_transfer is None:
            return [self._verdict(B25, (False, False, False), None) for _ in limits]
        increasing = sorted(step_sizes)
        stable = bisect_left(increasing, True, key=lambda step_size: not self.is_stable(step_size, batch))
        fits = set(increasing[:stable])
        # With biases sum_i c_i + |h_i|^2 is at least 2.
        return [self._verdict(B25, (True, 2, s in fits), at) for s, at in zip(step_sizes, limits, strict=True)]

    def gradient_verdict(self) -> Verdict:
        """Return the verdict of D10.b: GC is at most the mean of |grad_theta f|^2 over the least transfer, at all weights."""
        if self.least_transfer is None:
            return self._verdict(D10B, (False, False), None)
        return self._verdict(D10B, (True, 2), self.mean_gradient / self.least_transfer)

    def _verdict(self, claim: Claim, decided: Iterable[Any], bound: Fraction | None) -> Verdict:
        """Return a claim's verdict, given what decides each of its assumptions, and its right side if it has one."""
        for assumption, value in zip(claim.assumptions, decided, strict=True):
            if not assumption.holds(value):
                return Verdict(claim.id, Ruling.INAPPLICABLE, failed=assumption.name, value=value)
        assert bound is not None
        return compare(claim.id, claim.form, Enclosure.exactly(self.complexity), Enclosure.exactly(bound))


def complexity_at_minimum(weights: Weights, x: Reals) -> ComplexityAtMinimum:
    """Return the geometric complexity of a two-layer ReLU network on the line, and what B25 and D10.b bound it by.

    Args:
        weights: the network; floats count as the rationals they are.
        x: inputs, [n].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if x holds no point, or an entry that is not finite.

    Example:
        >>> from numerics.geometric_complexity import complexity_at_minimum
        >>> from theory.two_layer import Weights
        >>> found = complexity_at_minimum(Weights([1, -1], [0, 0], [1, 1], 0), [-1, 1])  # f = |x|
        >>> print(found.complexity, found.mean_gradient, found.least_transfer)
        1 4 2
        >>> print(found.limit(step_size=0.25, batch=1), found.stable_verdict(step_size=0.25, batch=1).ruling)
        4 holds
    """
    points = exact_vector("x", x)
    if not len(points):
        raise ValueError("x must hold at least one point, got none")
    exact = weights.rational()
    k, (whole, q), (at, r) = weights.width, over_one_denominator(exact.vector), over_one_denominator(points)
    w1, b1, w2 = (whole[part * k : (part + 1) * k] for part in range(3))
    z = np.multiply.outer(at, w1) + r * b1  # over q r
    active = (z > 0).astype(int).astype(object)
    h = active * z
    slopes, squares = active @ (w1 * w2), active @ (w1 * w1)  # over q^2
    shared = (active * (w2 * w2)) @ active.T  # over q^2
    inner = h @ h.T  # over (q r)^2
    gram = (q * r) ** 2 + inner + (r * r + np.multiply.outer(at, at)) * shared
    complexity = Fraction(int(slopes @ slopes), len(at) * q**4)
    exactly = over(gram, (q * r) ** 2)
    trace = Fraction(int(np.trace(gram)), len(at) * (q * r) ** 2)
    return ComplexityAtMinimum(
        exact, complexity, trace, _least_transfer(w1, w2, squares, np.diagonal(inner), at, q, r), exactly
    )


def _least_transfer(
    w1: Array, w2: Array, squares: Array, activations: Array, at: Array, q: int, r: int
) -> Fraction | None:
    """Return min_j sum_i T_i^2(x_j), None where it has no value; all in integers over powers of q and r."""
    first, second = int(w1 @ w1), int(w2 @ w2)  # over q^2
    if not (first and second and all(squares)):
        return None
    return min(
        Fraction(int(r * r + x * x) * q * q, r * r * first)
        + Fraction(int((q * r) ** 2 + a) * q * q, r * r * second * int(moved))
        for x, a, moved in zip(at, activations, squares, strict=True)
    )
