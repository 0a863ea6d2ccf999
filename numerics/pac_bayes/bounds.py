"""PAC-Bayes bounds on the loss of a network with noise on its weights: neyshabur2017, eqs (5) to (8), and one in the kl form.

Each says what it bounds and what it rests on, and names the assumption that fails.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from numerics.pac_bayes.divergences import DATA_FREE, Divergence
from numerics.pac_bayes.losses import ExpectedLoss
from theory import beyond, neyshabur2017
from theory.beyond.pac_bayes_bounds import LOSS_IN_UNIT_INTERVAL
from theory.checks import chance, count, nonnegative
from theory.conditions import AssumptionError
from theory.enclosure import Enclosure, rounded
from theory.neyshabur2017.pac_bayes_bounds import complexity

Basis = Literal["holds", "as far as seen", "taken from the caller"]
"""How an assumption is known to hold."""


@dataclass(frozen=True)
class Assumption:
    """What a bound rests on.

    Attributes:
        name: the assumption.
        basis: how it is known: it "holds", by definition or by what was computed; it held "as far as seen"; or no computation
            on a network can tell, and it is "taken from the caller".
    """

    name: str
    basis: Basis


@dataclass(frozen=True)
class PacBayesBound:
    """An upper bound on an expected loss, and all that it rests on.

    Attributes:
        value: the bound, rounded up; from 1 on it says nothing.
        claim: the id of the claim that it is, B19 or N7.
        bounds: what it bounds, in words.
        delta: the probability that it may fail, over the training set and the draws of the noise together.
        expected_training_loss: what went in for E L^(f_{w+nu}): a number as it came, of draws an upper bound.
        divergence: what went in for KL.
        samples: the number m of training data.
        priors: the number G of priors that were fixed beforehand.
        assumptions: what it rests on.
    """

    value: float
    claim: str
    bounds: str
    delta: float
    expected_training_loss: float
    divergence: float
    samples: int
    priors: int
    assumptions: tuple[Assumption, ...]

    @property
    def vacuous(self) -> bool:
        """Whether it says no more than that the loss is at most 1."""
        return self.value >= 1


@dataclass(frozen=True)
class _Terms:
    """What goes into a formula, after all checks; `delta` is what is left for the training set."""

    loss: Fraction
    divergence: Fraction
    samples: int
    delta: Fraction
    priors: int
    bounds: str
    assumptions: tuple[Assumption, ...]

    def bound(self, value: float, claim: str, delta: Any) -> PacBayesBound:
        """Return the bound of a value."""
        return PacBayesBound(
            value,
            claim,
            self.bounds,
            float(delta),
            float(self.loss),
            float(self.divergence),
            self.samples,
            self.priors,
            self.assumptions,
        )


def kl_bound(
    expected_training_loss: Any,
    divergence: Any,
    samples: int | None = None,
    delta: Any = 0.05,
    *,
    priors: int | None = None,
    draws_share: Any = 0.2,
) -> PacBayesBound:
    """Return the largest p with kl(E L^ || p) <= (KL + ln(2 sqrt(m)/delta) + ln G)/m (B19, `theory.beyond.kl_bound`).

    It bounds the expected loss of f_{w+nu}, not that of f_w, for every perturbation at once. Where E L^ is known by draws, it
    is replaced by its upper bound `ExpectedLoss.upper` at `draws_share` of delta, and the formula gets the rest: the two
    fail with probability delta together at most, as in Langford and Caruana 2001 and Dziugaite and Roy 2017. A mean of
    draws in its place would give no bound.

    Args:
        expected_training_loss: E L^(f_{w+nu}) of a loss in [0, 1], exactly or an upper bound of it; or an `ExpectedLoss`.
        divergence: KL of the perturbed weights from the prior, at least 0; or a `Divergence`.
        samples: the number m of training data, at least 1; that of the `ExpectedLoss` if there is one.
        delta: the probability that the bound may fail, between 0 and 1.
        priors: G, how many priors were fixed beforehand; that of the `Divergence` if there is one, else 1.
        draws_share: the share of delta that the draws get, between 0 and 1.

    Raises:
        TypeError: if an argument is of the wrong type.
        ValueError: if an argument is missing, given twice or out of its range.
        AssumptionError: if the loss is not in [0, 1], or the prior depends on the training set.

    Example:
        >>> from numerics.pac_bayes import kl_bound
        >>> bound = kl_bound(0.05, 500.0, 60_000, 0.05, priors=100)
        >>> round(bound.value, 3), bound.vacuous
        (0.084, False)
    """
    terms = _terms("B19", expected_training_loss, divergence, samples, delta, priors, draws_share, fewest=1)
    value = beyond.kl_bound(terms.loss, terms.divergence, terms.samples, terms.delta, priors=terms.priors)
    return terms.bound(value, "B19", delta)


def mcallester_bound(
    expected_training_loss: Any,
    divergence: Any,
    samples: int | None = None,
    delta: Any = 0.05,
    *,
    priors: int | None = None,
    equation: Literal[5, 6] = 6,
    draws_share: Any = 0.2,
) -> PacBayesBound:
    """Return q + sqrt(q K) + K, eq (5), or q + 4 sqrt((KL + ln(2m/delta))/m), eq (6).

    q is E L^(f_{w+nu}) and K = 2 (KL + ln(2m/delta))/(m - 1). Eq (5) is McAllester's; it follows from B19 as well.

    Eq (7) is (6) with E L^(f_{w+nu}) written as L^(f_w) and the expected sharpness, `ExpectedLoss.sharpness`. Eq (8) is that
    with the divergence from N(0, s^2 I) of noise of one s that is fixed beforehand: `divergence_from_prior(model, s, s)`.
    Of G priors each gets delta/G. All bound the expected loss of f_{w+nu}, not that of f_w; `kl_bound` is smaller. For E L^
    by draws see there.

    Args:
        expected_training_loss: E L^(f_{w+nu}) of a loss in [0, 1], exactly or an upper bound of it; or an `ExpectedLoss`.
        divergence: KL of the perturbed weights from the prior, at least 0; or a `Divergence`.
        samples: the number m of training data, at least 2; that of the `ExpectedLoss` if there is one.
        delta: the probability that the bound may fail, between 0 and 1.
        priors: G, how many priors were fixed beforehand; that of the `Divergence` if there is one, else 1.
        equation: 5, or the weaker 6.
        draws_share: the share of delta that the draws get, between 0 and 1.

    Raises:
        TypeError: if an argument is of the wrong type.
        ValueError: if an argument is missing, given twice or out of its range.
        AssumptionError: if the loss is not in [0, 1], or the prior depends on the training set.

    Example:
        >>> from numerics.pac_bayes import mcallester_bound
        >>> [round(mcallester_bound(0.05, 500.0, 60_000, 0.05, equation=e).value, 3) for e in (5, 6)]
        [0.096, 0.42]
    """
    if equation not in (5, 6):
        raise ValueError(f"equation must be 5 or 6, got {equation!r}")
    terms = _terms("N7", expected_training_loss, divergence, samples, delta, priors, draws_share, fewest=2)
    each = terms.delta / terms.priors
    if equation == 6:
        value = neyshabur2017.mcallester_bound(terms.loss, terms.divergence, terms.samples, each)
        return terms.bound(value, "N7", delta)
    loss = terms.loss
    k = complexity(terms.divergence, terms.samples, each).times(Fraction(2, terms.samples - 1))
    total = Enclosure.exactly(loss) + k.times(loss).root() + k
    return terms.bound(rounded(Fraction(total.upper), math.inf), "N7", delta)


def _terms(
    claim: str, loss: Any, divergence: Any, samples: Any, delta: Any, priors: Any, draws_share: Any, *, fewest: int
) -> _Terms:
    """Return what goes into a formula.

    Raises:
        TypeError: if an argument is of the wrong type.
        ValueError: if an argument is missing, given twice or out of its range.
        AssumptionError: if the loss is not in [0, 1], or the prior depends on the training set.
    """
    allowed, share = _exact(chance("delta", delta)), _exact(chance("draws_share", draws_share))
    if isinstance(divergence, Divergence):
        if divergence.failing:
            raise AssumptionError(claim, DATA_FREE, divergence.failing)
        if priors is not None and priors != divergence.priors:
            raise ValueError(f"priors must be the number of those of divergence, {divergence.priors}, got {priors}")
        kl, of = divergence.value, divergence.priors
    else:
        kl, of = nonnegative("divergence", divergence), 1 if priors is None else count("priors", priors)
    known: tuple[Assumption, ...]
    if isinstance(loss, ExpectedLoss):
        if samples is not None and samples != loss.samples:
            raise ValueError(f"samples must be the number of data of the expected loss, {loss.samples}, got {samples}")
        m = count("samples", loss.samples, fewest=fewest)
        loss.require_unit_interval(claim)
        drawn = allowed * share
        value, what = loss.upper(drawn), f"the expected {loss.loss} loss"
        known = (
            Assumption(LOSS_IN_UNIT_INTERVAL.name, "holds" if loss.loss == "zero_one" else "as far as seen"),
            Assumption(f"the draws of the noise are independent, {len(loss.draws)} of them", "holds"),
        )
        if loss.choices > 1:
            many = f"the perturbation is chosen among {loss.choices}, fixed before the draws"
            known = (*known, Assumption(many, "taken from the caller"))
        allowed -= drawn
    else:
        if isinstance(loss, (int, float, Fraction, np.number)) and not isinstance(loss, bool):
            LOSS_IN_UNIT_INTERVAL.require(claim, loss)
        value, what = nonnegative("expected_training_loss", loss), "the expected loss"
        if samples is None:
            raise ValueError("samples must be given where the expected loss is a number, got None")
        m = count("samples", samples, fewest=fewest)
        known = (
            Assumption(f"{LOSS_IN_UNIT_INTERVAL.name}, of each datum", "taken from the caller"),
            Assumption("the expected training loss is known, or bounded from above", "taken from the caller"),
        )
    fixed = f"one of {of} priors, fixed beforehand" if of > 1 else "one prior, fixed beforehand"
    return _Terms(
        _exact(value),
        _exact(kl),
        m,
        allowed,
        of,
        f"{what} of f_(w+nu) on new data, not that of f_w",
        (
            *known,
            Assumption(f"{DATA_FREE}: {fixed}", "taken from the caller"),
            Assumption("the training data are independent draws of what the new data are drawn of", "taken from the caller"),
        ),
    )  # fmt: skip


def _exact(number: Any) -> Fraction:
    """Return a real number as a rational, one of numpy's too."""
    return number if isinstance(number, Fraction) else Fraction(float(number))
