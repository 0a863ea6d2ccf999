"""How the claims of `theory.neyshabur2017.pac_bayes` are put to the test."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.common import ratios
from proofs_check.trials.operators import Kind, both_ways, right, stronger, turned
from theory.checks import rationals
from theory.claim import Instance
from theory.enclosure import Enclosure, square_root
from theory.neyshabur2017.pac_bayes import (
    N7,
    N7A,
    N7B,
    N7C,
    N20,
    N20A,
    N20B,
    closed_form,
    figure_deviations,
    half_squares,
    log_ratios,
    weighted_squares,
)
from theory.neyshabur2017.pac_bayes_bounds import complexity

DELTAS = st.sampled_from([Fraction(1, 2), Fraction(99, 100), Fraction(1, 20), Fraction(1, 1000)])

weight = st.one_of(ratios(-4, 4, 3), st.sampled_from([Fraction(v) for v in (-(10**6), 1000, Fraction(1, 1000))]))
deviation = st.one_of(ratios(Fraction(1, 4), 4, 4), st.sampled_from([Fraction(1, 1000), Fraction(100)]))


@st.composite
def bounded_losses(draw: st.DrawFn) -> Instance:
    """Draw losses at a share of what (5) allows, with K below, near and above 1; some beyond (5), and some beyond 1."""
    m, delta = draw(st.sampled_from([2, 3, 6, 20, 100, 10**4])), draw(DELTAS)
    k = draw(st.sampled_from(["1/2", "9/10", "1", "2", "1/1000"]).map(Fraction))
    least = Fraction(complexity(Fraction(0), m, delta).upper)
    divergence = max(Fraction(0), k * (m - 1) / 2 - least)
    k = 2 * Fraction(complexity(divergence, m, delta).lower) / (m - 1)
    trained = draw(st.sampled_from(["0", "0", "1/3", "1/10", "1", "2"]).map(Fraction))
    most = trained + Fraction(square_root(trained * k).lower) + k
    most = draw(st.sampled_from([most, min(most, Fraction(1)), min(most, Fraction(1))]))
    shares = ["1", "1", "1/2", "0", "101/100"]
    loss = draw(st.one_of(st.sampled_from(shares).map(lambda share: Fraction(share) * most), st.just(Fraction(1))))
    before = draw(st.sampled_from(["0", "1/4", "1", "3/2"]).map(Fraction))
    return Instance(
        {
            "samples": m,
            "delta": delta,
            "divergence": divergence,
            "training_loss": before,
            "expected_training_loss": trained,
            "expected_loss": loss,
        },
        "drawn",
    )


def _bound(
    root: Fraction,
    *,
    sharpness: Callable[[Fraction], Fraction] = lambda s: s,
    divergence: Callable[[Fraction], Fraction] = lambda d: d,
) -> Callable[[Instance], Enclosure]:
    """Return (7)'s right side with another factor of the root, another sharpness or another divergence."""

    def side(given: Instance) -> Enclosure:
        m, before = given["samples"], given["training_loss"]
        term = complexity(divergence(given["divergence"]), m, given["delta"]).times(Fraction(1, m)).root()
        apart = sharpness(given["expected_training_loss"] - before)
        return Enclosure.exactly(before + apart) + term.times(root)

    return side


@st.composite
def gaussians(draw: st.DrawFn) -> Instance:
    """Draw weights with a standard deviation each, of the prior, and of the figure's perturbation."""
    pairs = draw(st.lists(st.tuples(weight, deviation), min_size=1, max_size=4))
    return Instance(
        {
            "weights": rationals([w for w, _ in pairs]),
            "deviations": rationals([s for _, s in pairs]),
            "prior_deviation": draw(deviation),
            "alpha": draw(st.sampled_from(["1", "1/2", "1/1000", "3"]).map(Fraction)),
        },
        "drawn",
    )


@st.composite
def lookups(draw: st.DrawFn) -> Instance:
    """Draw a learner that remembers its training set."""
    return Instance(
        {
            "samples": draw(st.sampled_from([2, 100, 10**4, 10**5])),
            "delta": draw(DELTAS),
            "alpha": draw(st.sampled_from(["1/1000", "1/25", "1/10", "1"]).map(Fraction)),
            "beta": draw(st.sampled_from(["0", "1/100", "1"]).map(Fraction)),
            "points": draw(st.sampled_from([1, 10**3, 10**6])),
        },
        "drawn",
    )


def _whole_squares(given: Instance) -> Fraction:
    return 2 * half_squares(given["weights"], given["deviations"])


def _over_deviations(given: Instance) -> Fraction:
    pairs = zip(given["weights"], given["deviations"], strict=True)
    return sum((w**2 / (2 * s) for w, s in pairs), Fraction(0))


def _largest_deviation(given: Instance) -> Fraction:
    return half_squares(given["weights"], rationals([max(given["deviations"])] * len(given["weights"])))


def _fixed_prior(
    *, own: Fraction = Fraction(1), log: int = 1, half: Fraction = Fraction(0)
) -> Callable[[Instance], Enclosure]:
    """Return N7.c's right side with another share of the sigma_i^2, another sign of the logarithms, or more each weight."""

    def side(given: Instance) -> Enclosure:
        less = sum((s**2 for s in given["deviations"]), Fraction(0)) * (1 - own) / (2 * given["prior_deviation"] ** 2)
        logs = log_ratios(given)
        whole = closed_form(given) - less + half * len(given["weights"])
        return Enclosure.exactly(whole) + (logs if log > 0 else -logs)

    return side


def _posterior_for_prior(given: Instance) -> Fraction:
    return half_squares(given["weights"], given["deviations"])


def _one_fewer(given: Instance) -> Fraction:
    return Fraction((len(given["weights"]) - 1) / (200 * given["alpha"] ** 2))


def _without_alpha(given: Instance) -> Fraction:
    return Fraction(weighted_squares(given) * given["alpha"] ** 2 / 2)


def _alpha_alone(given: Instance) -> Fraction:
    return Fraction(weighted_squares(given) * given["alpha"] / 2)


def _by_deviations(given: Instance) -> Fraction:
    """Return N20.a's right side with the standard deviations where their squares stand."""
    pairs = zip(given["weights"], figure_deviations(given), strict=True)
    return sum((w**2 / (2 * s) for w, s in pairs), Fraction(0))


TRIALS = (
    Trial(
        N7,
        instances=bounded_losses(),
        mutants=(
            turned(N7),
            right(N7, "1 for 4", Kind.CONSTANT, _bound(Fraction(1))),
            right(N7, "the sharpness left out", Kind.DROPPED, _bound(Fraction(4), sharpness=lambda s: Fraction(0))),
            right(N7, "min(sharpness, 0)", Kind.MIN_MAX, _bound(Fraction(4), sharpness=lambda s: min(s, Fraction(0)))),
            right(N7, "minus the sharpness", Kind.REVERSED, _bound(Fraction(4), sharpness=lambda s: -s)),
            right(N7, "the divergence left out", Kind.DROPPED, _bound(Fraction(4), divergence=lambda d: Fraction(0))),
        ),
    ),
    Trial(
        N7A,
        instances=gaussians(),
        mutants=(
            *both_ways(N7A),
            right(N7A, "no 1/2", Kind.DROPPED, _whole_squares),
            right(N7A, "sigma_i for sigma_i^2", Kind.NEIGHBOUR, _over_deviations),
            right(N7A, "the largest sigma for each", Kind.EXTREME, _largest_deviation),
        ),
    ),
    Trial(N7B, instances=lookups()),
    Trial(
        N7C,
        instances=gaussians(),
        mutants=(
            *both_ways(N7C),
            right(N7C, "w_i^2 alone over 2 p^2", Kind.DROPPED, _fixed_prior(own=Fraction(0))),
            right(N7C, "no -1/2", Kind.DROPPED, _fixed_prior(half=Fraction(1, 2))),
            right(N7C, "ln(sigma_i/p)", Kind.REVERSED, _fixed_prior(log=-1)),
            right(N7C, "sum w_i^2/(2 sigma_i^2)", Kind.NEIGHBOUR, _posterior_for_prior),
        ),
    ),
    Trial(N20, instances=gaussians()),
    Trial(
        N20A,
        instances=gaussians(),
        mutants=(
            *both_ways(N20A),
            right(N20A, "no 1/2, as printed", Kind.DROPPED, weighted_squares),
            right(N20A, "no 1/alpha^2", Kind.DROPPED, _without_alpha),
            right(N20A, "1/alpha for 1/alpha^2", Kind.NEIGHBOUR, _alpha_alone),
            right(N20A, "sigma_i for sigma_i^2", Kind.NEIGHBOUR, _by_deviations),
        ),
    ),
    Trial(
        N20B,
        instances=gaussians(),
        mutants=(
            stronger(N20B),
            turned(N20B),
            right(N20B, "n - 1 for n", Kind.OFF_BY_ONE, _one_fewer),
        ),
    ),
)
