"""A mean-square threshold between two certified bounds, whatever it is the threshold of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from theory.checks import Array

Method = Literal["secular", "sharpness", "zero", "scan", "eigenproblem", "momentum"]
"""How a threshold was found: see `Threshold`."""


@dataclass(frozen=True, eq=False)
class Certificate:
    """What proves the two ends of a threshold; see `verify`.

    For batches drawn anew, vectors q [n]: `stable` > 0 satisfies p n G(t) q <= q at t = 2/lower, and `unstable` gives the Z
    in (1) of `numerics.stability.secular` that bounds lam from below by 2/upper; for p = 0 the eigenvalues of K are enough.

    For reshuffling, matrices U P U^T [n, n], P in the coordinates of the range of K: with M the expected map of an epoch
    P - M(P) is positive definite in both, at `lower` and at `upper`. A positive definite P then proves that the spectral
    radius is below 1; one that is not semidefinite, that it is not, for below 1 P = sum_k M^k(P - M(P)) would be.

    For Hessians, on the range of their mean, [r, r]: P = `stable`, positive definite, has 2 C(P) - eta D(P) >= 0 at `lower`,
    and X = `unstable` has 2 tr(X C(X)) <= eta tr(X D(X)) at `upper`; see `numerics.stability.general_threshold`. With momentum
    likewise, in an eigenbasis of H: see `numerics.stability.momentum`.
    """

    stable: Array
    unstable: Array


@dataclass(frozen=True, eq=False)
class Threshold:
    """The largest step size up to which E ||a||^2 stays bounded, as features or Hessians in float64 give it, between bounds.

    Attributes:
        value: the threshold, > 0; inf where all features or Hessians vanish.
        lower: a certified lower bound. For reshuffling: SGD is stable here.
        upper: a certified upper bound. For reshuffling: SGD is not stable here.
        method: "secular" solved (2) of `numerics.stability.secular`; "sharpness" is 2/h_max, for p = 0; "zero" for features
            that all vanish; "scan" is the first of the scanned step sizes with growth over an epoch, refined by bisection;
            "eigenproblem" is for Hessians, "momentum" for SGD with momentum.
        certificate: what `verify` proves the bounds from.
    """

    value: float
    lower: float
    upper: float
    method: Method
    certificate: Certificate
