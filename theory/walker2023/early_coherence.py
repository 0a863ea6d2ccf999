"""Walker 2023, Remark 5.5 on the bound of Theorem 5.4: when in training coherence counts most (W15)."""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import Any

import numpy as np
import sympy as sp

from theory.checks import Array, count, exact_vector, nonnegative
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.enclosure import Enclosure, square_root
from theory.proof import Proof, Rule, Step
from theory.sources import WALKER2023, Source
from theory.symbols import Symbol
from theory.walker2023.descent import STEPS


def _shares(name: str, value: Any) -> Array:
    """Return numbers from 0 to 1, exactly.

    Raises:
        ValueError: if there is none, or one is out of this range.
    """
    numbers = exact_vector(name, value)
    if not len(numbers) or np.any((numbers < 0) | (numbers > 1)):
        raise ValueError(f"{name} must hold at least one number from 0 to 1, and no others, got {value}")
    return numbers


COHERENCES = Symbol("coherences", r"\alpha(w_{t-1})", "before each step, from 0 to 1, [T]", _shares)
SMOOTHNESS = Symbol(
    "smoothness", r"\beta", "Lipschitz constant of the gradients, at least 0", lambda n, v: Fraction(nonnegative(n, v))
)
EARLIER = Symbol("earlier", "s", "a step, from 1", count)
LATER = Symbol("later", "t", "another, from 1", count)

_STATEMENT = (
    r"\alpha(w_{s-1}) > \alpha(w_{t-1}),\ s < t:\quad (c_s - c_t) \sqrt{2(1 - \alpha(w_{s-1}))} \le "
    r"(c_s - c_t) \sqrt{2(1 - \alpha(w_{t-1}))},\quad c_k = \eta_k \textstyle\prod_{j > k} (1 + \eta_j \beta)"
)
"""That the sum of the bound is no larger than with the coherences of steps s and t exchanged, which are all that differ."""


def weights(given: Instance) -> list[Fraction]:
    """Return c_k, what the bound weighs the k-th step with."""
    steps, beta = [Fraction(step) for step in given["step_sizes"]], Fraction(given["smoothness"])
    return [
        step * prod((1 + later * beta for later in steps[k + 1 :]), start=Fraction(1)) for k, step in enumerate(steps)
    ]


def spread(alpha: Any) -> Enclosure:
    """Return sqrt(2 (1 - alpha))."""
    return square_root(2 * (1 - Fraction(alpha)))


def both(given: Instance, apart: Fraction) -> tuple[Enclosure, Enclosure]:
    """Return a factor times what coherence leaves at the earlier and at the later step."""

    def side(alpha: Any) -> Enclosure:
        size = spread(alpha).times(abs(apart))
        return size if apart >= 0 else -size

    return side(given["coherences"][given["earlier"] - 1]), side(given["coherences"][given["later"] - 1])


def _both(given: Instance) -> tuple[Enclosure, Enclosure]:
    """Return what the bound has over that with the two coherences exchanged, in two parts."""
    c = weights(given)
    return both(given, c[given["earlier"] - 1] - c[given["later"] - 1])


def _in_training(given: Instance) -> bool:
    steps = len(given["step_sizes"])
    return len(given["coherences"]) == steps and given["earlier"] < given["later"] <= steps


_TIMES = Assumption("a coherence and a step size for each step, and s before t", _in_training, bool)
_HIGHER = Assumption(
    "coherence is higher at the earlier step",
    lambda given: given["coherences"][given["earlier"] - 1] - given["coherences"][given["later"] - 1],
    lambda excess: excess > 0,
)
_NO_WARM_UP = Assumption(
    "the later step size is no larger",
    lambda given: given["step_sizes"][given["earlier"] - 1] - given["step_sizes"][given["later"] - 1],
    lambda excess: excess >= 0,
)


def _w15a() -> Proof:
    later, excess, growth, rest, low, more = sp.symbols("b d e P x f", nonnegative=True)
    apart = rest * ((later + excess) * (1 + growth) - later)
    return Proof(
        (
            Step(
                apart * (low + more),
                apart * low,
                Rule.NONNEGATIVE,
                "eta_s = b + d, the product over j from s + 1 to t is 1 + e, that over j > t is P, and "
                "sqrt(2 (1 - alpha)) is x at the earlier step, x + f at the later",
                (rest * excess * more, rest * later * growth * more, rest * excess * growth * more),
            ),
        ),
        "any number of steps",
        lhs=apart * low,
        rhs=apart * (low + more),
    )


def _reads(given: Instance) -> dict[str, Any]:
    """Return what the symbols of the proof are."""
    s, t = given["earlier"] - 1, given["later"] - 1
    steps, beta = [Fraction(step) for step in given["step_sizes"]], Fraction(given["smoothness"])
    factors = [1 + step * beta for step in steps]
    early, late = (sp.sqrt(sp.Rational(2 * (1 - Fraction(given["coherences"][k])))) for k in (s, t))
    return {
        "b": steps[t],
        "d": steps[s] - steps[t],
        "e": prod(factors[s + 1 : t + 1], start=Fraction(1)) - 1,
        "P": prod(factors[t + 1 :], start=Fraction(1)),
        "x": early,
        "f": late - early,
    }


W15 = Claim(
    id="W15",
    source=Source(WALKER2023, "Remark 5.5, of the bound of Theorem 5.4"),
    statement=_STATEMENT,
    form=Form.AT_MOST,
    symbols=(COHERENCES, STEPS, SMOOTHNESS, EARLIER, LATER),
    assumptions=(_TIMES, _HIGHER),
    sides=_both,
    finding=Finding.NEEDS_ASSUMPTION,
    note="The theorem lets step sizes be anything. Where they grow, as in a warm-up, an early step may count less than a late "
    "one: eta = 1/10, 1 and beta = 0, a coherence of 1 at the first step and 0 at the second gives ten times the bound of the "
    "reverse. W15.a has the assumption; what matters is c_s >= c_t.",
    quote="high coherence early on in training is better than high coherence later on",
    reading="Of two trainings that differ in when they are coherent, the one that is so earlier has the smaller bound.",
    witness=Instance(
        {
            "coherences": [Fraction(1), Fraction(0)],
            "step_sizes": [Fraction(1, 10), Fraction(1)],
            "smoothness": Fraction(0),
            "earlier": 1,
            "later": 2,
        },
        "named",
    ),
    no_extremal="refuted",
)

W15A = Claim(
    id="W15.a",
    amends="W15",
    source=Source(WALKER2023, "Remark 5.5, repaired"),
    statement=r"\eta_s \ge \eta_t,\ " + _STATEMENT,
    form=Form.AT_MOST,
    symbols=(COHERENCES, STEPS, SMOOTHNESS, EARLIER, LATER),
    assumptions=(_TIMES, _HIGHER, _NO_WARM_UP),
    sides=_both,
    proof=_w15a,
    reads=_reads,
    finding=Finding.OURS,
    note="The same for W10.a, with (1 + 1/m) beta for beta.",
    extremal=Instance(
        {
            "coherences": [Fraction(1), Fraction(0)],
            "step_sizes": [Fraction(1), Fraction(1)],
            "smoothness": Fraction(0),
            "earlier": 1,
            "later": 2,
        },
        "named",
    ),
)

CLAIMS = (W15, W15A)
