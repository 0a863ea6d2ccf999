"""What is observed of gradient descent and of SGD, as claims about one kept row each.

M6 and B7 where a run of gradient descent comes to rest, and B3's and B9's thresholds where linearised SGD is simulated.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from theory.checks import nonnegative, positive, real_array
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.enclosure import Enclosure, square_root
from theory.sources import HOUSE, Source
from theory.symbols import STEP_SIZE, STEP_SIZE_ON_MEAN, Symbol
from theory.two_layer import OFF_THE_DATA

MEASURED = "what runs end in is measured, not derived"


def _number(name: str, value: Any) -> Fraction:
    return Fraction(real_array(name, [value])[0])


ENDS = (
    Symbol("curvature", r"\int|f''|g", "of the function that the run ends in", nonnegative),
    Symbol("curvature_error", r"\varepsilon", "how far the curvature may be off by rounding", nonnegative),
)
LOSS = Symbol("loss", r"\mathcal L", "(1/2n) sum (f-y)^2 where the run ends", nonnegative)
DATA_RADIUS = Symbol("radius", "R", "the largest |x_j|", nonnegative)
MARGIN = Symbol("toggle_margin", r"\mu", "how far, relative to its parts, a pre-activation at a data point is from 0")
TOLERANCE = Symbol("interpolation_tolerance", r"\tau", "the loss below which a run counts as interpolating", positive)
HESSIAN = Symbol(
    "hessian_sharpness", r"\lambda_{\max}(\nabla^2\mathcal L)", "of the loss where the run ends, any number", _number
)


def curvature_side(given: Instance) -> Enclosure:
    """Return int |f''| g with its rounding error."""
    curvature, error = Fraction(given["curvature"]), Fraction(given["curvature_error"])
    return Enclosure(curvature - error, curvature + error)


def limit(given: Instance, edge: Fraction) -> Enclosure:
    """Return what B7 allows a curvature of half a sharpness, `edge`: edge - 1/2 + (R + 1) sqrt(2 L)."""
    term = square_root((Fraction(given["radius"]) + 1) ** 2 * 2 * Fraction(given["loss"]))
    rest = edge - Fraction(1, 2)
    return Enclosure(rest + Fraction(term.lower), rest + Fraction(term.upper))


def at_the_step_size(given: Instance) -> Enclosure:
    """Return 1/eta - 1/2 + (R + 1) sqrt(2 L)."""
    return limit(given, 1 / Fraction(given["step_size"]))


def at_the_hessian(given: Instance) -> Enclosure:
    """Return lambda_max/2 - 1/2 + (R + 1) sqrt(2 L)."""
    return limit(given, Fraction(given["hessian_sharpness"]) / 2)


def off_the_data() -> Assumption:
    """Return the assumption that no unit toggles on a data point."""
    return Assumption.that(OFF_THE_DATA, lambda given: given["toggle_margin"])


def interpolating() -> Assumption:
    """Return the assumption that the loss where the run ends is below the tolerance."""
    return Assumption(
        "the run interpolates: L < tau",
        lambda given: Fraction(given["loss"]) / Fraction(given["interpolation_tolerance"]),
        lambda share: share < 1,
    )


B7B = Claim(
    id="B7.b",
    amends="B7",
    source=Source(HOUSE, "M6 where gradient descent ends"),
    statement=r"\text{GD that interpolates ends where } \int|f''|g \le \tfrac1\eta - \tfrac12 + (R + 1)\sqrt{2\mathcal L}",
    form=Form.AT_MOST,
    symbols=(*ENDS, STEP_SIZE, DATA_RADIUS, LOSS, TOLERANCE, MARGIN),
    assumptions=(off_the_data(), interpolating()),
    sides=lambda given: (curvature_side(given), at_the_step_size(given)),
    finding=Finding.OURS,
    note="M6 with B7's loss term, the sharpness not asked: that gradient descent comes to rest at minima that its step size "
    "allows is what is put to the test. It follows from B7 where eta lambda_max(Hessian) <= 2.",
    no_extremal=MEASURED,
    study="experiments.stability_sweep",
)

B7C = Claim(
    id="B7.c",
    amends="B7",
    source=Source(HOUSE, "B7 where gradient descent ends"),
    statement=r"\text{GD ends where } \int|f''|g \le \tfrac12\lambda_{\max}(\nabla^2\mathcal L) - \tfrac12 "
    r"+ (R + 1)\sqrt{2\mathcal L}",
    form=Form.AT_MOST,
    symbols=(*ENDS, HESSIAN, DATA_RADIUS, LOSS, MARGIN),
    assumptions=(off_the_data(),),
    sides=lambda given: (curvature_side(given), at_the_hessian(given)),
    finding=Finding.OURS,
    note="B7 on what is measured of a run: the theorem holds at all weights, so this tests the measurement. The top eigenvalue "
    "of the Hessian enters without an error.",
    no_extremal=MEASURED,
    study="experiments.stability_sweep",
)

GROWTH = Symbol(
    "growth", r"\hat\rho", "factor by which E[a a^T] grows in a step, or an epoch, as simulated", nonnegative
)
GROWTH_ERROR = Symbol("growth_error", "s", "standard error of the growth", nonnegative)
ERRORS = Symbol("standard_errors", "z", "how many standard errors the growth may be off by chance", positive)
MEAN_SQUARE_THRESHOLD = Symbol(
    "threshold", r"\eta^*", "the mean-square threshold of how the batches are drawn", positive
)


def does_not_grow(given: Instance) -> Enclosure:
    """Return whether the growth is at most 1, as a truth value that its error may leave open."""
    error = Fraction(given["standard_errors"]) * Fraction(given["growth_error"])
    return Enclosure.exactly(Fraction(given["growth"])).widened(error).at_most(1)


def below(given: Instance, *, times: Fraction = Fraction(1)) -> bool:
    """Return whether the step size is at most the threshold, times a factor."""
    return Fraction(given["step_size"]) <= times * Fraction(given["threshold"])


B3L = Claim(
    id="B3.l",
    amends="B3",
    source=Source(HOUSE, "B3 and B9 where SGD is simulated"),
    statement=r"\hat\rho \pm z s \le 1 \iff \eta \le \eta^*",
    form=Form.EQUIVALENCE,
    symbols=(GROWTH, GROWTH_ERROR, ERRORS, STEP_SIZE_ON_MEAN, MEAN_SQUARE_THRESHOLD),
    sides=lambda given: (does_not_grow(given), Enclosure.exactly(below(given))),
    finding=Finding.OURS,
    note="Linearised SGD on batches that are drawn: its growth knows nothing of the threshold. One within z standard errors of "
    "1 decides nothing; one beyond them is on the wrong side by chance as often as a normal number exceeds z, so that a single "
    "violation is no counterexample, and how many there are is. The threshold ends the first range of step sizes "
    "without growth; with reshuffling there may be more of these (B9). It enters without an error.",
    no_extremal=MEASURED,
    study="experiments.sgd_threshold",
)

B11E = Claim(
    id="B11.e",
    amends="B11",
    source=Source(HOUSE, "B11 where SGD with momentum is simulated"),
    statement=r"\hat\rho \pm z s \le 1 \iff \eta \le \eta^*",
    form=Form.EQUIVALENCE,
    symbols=(GROWTH, GROWTH_ERROR, ERRORS, STEP_SIZE_ON_MEAN, MEAN_SQUARE_THRESHOLD),
    sides=lambda given: (does_not_grow(given), Enclosure.exactly(below(given))),
    finding=Finding.OURS,
    note="As B3.l, with momentum, of E[z z^T], z the weights and those of the step before.",
    no_extremal=MEASURED,
    study="experiments.momentum_threshold",
)

CLAIMS = (B7B, B7C, B3L, B11E)
