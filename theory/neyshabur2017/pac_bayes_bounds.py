"""The PAC-Bayes bound of Neyshabur et al. 2017, eq (6), and the divergences of Gaussians that it is used with."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from theory.checks import Reals, chance, count, exact_sequence, nonnegative, positive
from theory.conditions import Condition
from theory.enclosure import Enclosure, logarithm, rounded

IN_UNIT_INTERVAL = Condition("the loss is in [0, 1]", lambda losses: all(0 <= loss <= 1 for loss in losses))
"""Of mean losses that the claims name, all of one loss."""


def log_of(value: Fraction) -> Enclosure:
    """Return rationals around the natural logarithm of a rational above 0."""
    return logarithm(value) if value >= 1 else -logarithm(1 / value)


def complexity(divergence: Fraction, samples: int, delta: Fraction) -> Enclosure:
    """Return KL + ln(2 m / delta)."""
    return Enclosure.exactly(divergence) + log_of(Fraction(2 * samples) / delta)


def mcallester_bound(expected_training_loss: Any, divergence: Any, samples: int, delta: Any) -> float:
    """Return E L^(f_{w+nu}) + 4 sqrt((KL + ln(2m/delta))/m), rounded up: eq (6), and with the sharpness apart eq (7) (N7).

    With probability 1 - delta over the training set it bounds the expected loss of the perturbed predictor, not that of f_w, if
    the divergence is from a prior that does not depend on the training set: not one with the variances of a perturbation
    that depends on the weights (N7.b). `theory.beyond.kl_bound` is smaller.

    Args:
        expected_training_loss: E L^(f_{w+nu}), of a loss in [0, 1].
        divergence: KL(w + nu || P), at least 0.
        samples: the number m of training data, at least 2.
        delta: the probability that the bound may fail, between 0 and 1.

    Raises:
        TypeError: if an argument is of the wrong type.
        ValueError: if an argument is out of its range.
        AssumptionError: if the loss is not in [0, 1].

    Example:
        >>> from theory.neyshabur2017 import mcallester_bound
        >>> round(mcallester_bound(0.05, 500.0, 60_000, 0.05), 3)
        0.42
    """
    loss = nonnegative("expected_training_loss", expected_training_loss)
    m = count("samples", samples, fewest=2)
    term = complexity(Fraction(nonnegative("divergence", divergence)), m, Fraction(chance("delta", delta)))
    IN_UNIT_INTERVAL.require("N7", (loss,), loss)
    root = term.times(Fraction(1, m)).root().times(Fraction(4))
    return rounded(Fraction(loss) + Fraction(root.upper), math.inf)


def gaussian_divergence(mean: Reals, standard_deviations: Reals, prior_standard_deviation: Any) -> float:
    """Return KL(N(mean, diag s_i^2) || N(0, p^2 I)), rounded up: sum_i (mean_i^2 + s_i^2)/(2 p^2) - 1/2 + ln(p/s_i) (N7.c).

    With s_i = p for all i it is |mean|^2/(2 p^2), the term of eq (8).

    Args:
        mean: how far the weights are from the mean of the prior, [n]: w, or w - w_init.
        standard_deviations: s_i of the perturbation, above 0, [n]; they may depend on the weights.
        prior_standard_deviation: p, above 0; it must not depend on the training set.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if there is none, their numbers differ, one is not finite, or a standard deviation is not above 0.

    Example:
        >>> from theory.neyshabur2017 import gaussian_divergence
        >>> gaussian_divergence([3.0, 4.0], [0.5, 0.5], 0.5)
        50.0
    """
    means = exact_sequence("mean", mean)
    deviations = exact_sequence("standard_deviations", standard_deviations)
    if len(means) != len(deviations):
        raise ValueError(f"standard_deviations must be one an entry of mean, {len(means)}, got {len(deviations)}")
    for deviation in deviations:
        positive("standard_deviations", deviation)
    prior = Fraction(positive("prior_standard_deviation", prior_standard_deviation))
    total = Enclosure.exactly(Fraction(0))
    for entry, deviation in zip(means, deviations, strict=True):
        total = total + Enclosure.exactly((entry**2 + deviation**2) / (2 * prior**2) - Fraction(1, 2))
        total = total + log_of(prior / deviation)
    return rounded(Fraction(total.upper), math.inf)
