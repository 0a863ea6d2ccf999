"""How the claims of `theory.beyond.gradients` are put to the test."""

from __future__ import annotations

from fractions import Fraction

from proofs_check.trial import Trial
from proofs_check.trials.dherin2022.common import gradients, noisy_labels
from proofs_check.trials.operators import Kind, both_ways, right
from theory.beyond.gradients import B15, B15A, B16, mean_product, mean_square, moments, noisy, with_share
from theory.claim import Instance
from theory.linear_stability import noise_share


def _share(given: Instance) -> Fraction:
    return noise_share(len(given["gradients"]), given["batch_size"])


def _with_replacement(given: Instance) -> Fraction:
    return with_share(given, Fraction(1, given["batch_size"]))


def _by_n(given: Instance) -> Fraction:
    """Return the right side of B15 with n for n - 1."""
    n = len(given["gradients"])
    return with_share(given, _share(given) * Fraction(n - 1, n))


def _plain(given: Instance) -> Fraction:
    return with_share(given, Fraction(0))


def _one_plus(given: Instance) -> Fraction:
    """Return the right side of B15.a with the pairs counted in full."""
    gradients = given["gradients"]
    return mean_square(gradients) / Fraction(given["batch_size"]) + mean_product(gradients)


def _squares_alone(given: Instance) -> Fraction:
    return mean_square(given["gradients"]) / Fraction(given["batch_size"])


def _variance(given: Instance) -> Fraction:
    return moments(given)[1]


def _over(given: Instance, power: int) -> Fraction:
    return noisy(given, _variance(given) / Fraction(len(given["output_gradients"])) ** power)


TRIALS = (
    Trial(
        B15,
        instances=gradients(),
        mutants=(
            *both_ways(B15),
            right(B15, "1/B for the share", Kind.NEIGHBOUR, _with_replacement),
            right(B15, "n for n - 1", Kind.OFF_BY_ONE, _by_n),
            right(B15, "without the covariance", Kind.DROPPED, _plain),
        ),
    ),
    Trial(
        B15A,
        instances=gradients(),
        mutants=(
            *both_ways(B15A),
            right(B15A, "1 for 1 - 1/B", Kind.DROPPED, _one_plus),
            right(B15A, "without the pairs", Kind.DROPPED, _squares_alone),
        ),
    ),
    Trial(
        B16,
        instances=noisy_labels(),
        mutants=(
            *both_ways(B16),
            right(B16, "1 for 1/B", Kind.DROPPED, lambda given: _over(given, 0)),
            right(B16, "1/B^2 for 1/B", Kind.DROPPED, lambda given: _over(given, 2)),
            right(B16, "without the noise", Kind.DROPPED, lambda given: noisy(given, Fraction(0))),
        ),
    ),
)
