"""What Mulayoff, Michaeli and Soudry 2021 observe in their experiments, M10 to M12, as claims about one kept row each."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from theory.checks import nonnegative, positive
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.enclosure import Enclosure
from theory.sources import MULAYOFF2021, Source
from theory.symbols import Symbol

MEASURED = "what runs end in is measured, not derived"

LARGEST_DISTANCE = Fraction(1)
"""How far g of a sample may lie from g of its population, times sqrt(n), to resemble it."""

EDGE = Fraction(1, 20)
"""How far from 2/eta, relative to it, a sharpness may lie and still be read off a plot as 2/eta."""

LEFT = 2
"""How often the loss at the switch must be exceeded for the minimum to count as left."""


def _truth(name: str, value: Any) -> bool:
    """Return `value` if it is a truth value.

    Raises:
        TypeError: if it is not.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be true or false, got {value!r} of type {type(value).__name__}")
    return bool(value)


def _exact(given: Instance, name: str) -> Fraction:
    return Fraction(given[name])


def _interpolates(name: str = "interpolates") -> Assumption:
    return Assumption("the run ends at zero loss, for all that floats tell", lambda given: given[name], bool)


SHARPNESS = Symbol("sharpness", r"\lambda_{\max}", "of Phi Phi^T / n where the run ends", positive)
STABLE = Symbol("stable_sharpness", r"2/\eta", "what the step size allows", positive)
INTERPOLATES = Symbol("interpolates", r"\mathcal L = 0", "whether the run ends at zero loss", _truth)
RISE = Symbol("rise", "r", "the largest loss after the switch, relative to that at the switch", positive)
FACTOR = Symbol("factor", "c", "what the step size is multiplied by at the switch", positive)


M10 = Claim(
    id="M10",
    source=Source(MULAYOFF2021, "Fig 2"),
    statement=r"\text{the empirical } g \text{ of } n = 20 \text{ standardised samples resembles the population's}",
    form=Form.AT_MOST,
    symbols=(
        Symbol(
            "distance", r"\max |\hat g - g|", "largest distance of the sample's g from the population's", nonnegative
        ),
        Symbol("n", "n", "number of standardised samples", positive),
    ),
    sides=lambda given: (
        Enclosure.exactly(_exact(given, "distance") ** 2 * _exact(given, "n")),
        Enclosure.exactly(LARGEST_DISTANCE**2),
    ),
    finding=Finding.AS_PRINTED,
    note="At n = 20 it may still be a large part of the peak of g. 'Most of its mass is at the centre' is true of the "
    "populations looked at and not of every data set: g is not translation invariant and may have several peaks.",
    reading="Read as: the largest distance is at most n^(-1/2), the rate of sample means; the sides are squared.",
    no_extremal=MEASURED,
    study="experiments.weight_function",
)


def _edge_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    stable = _exact(given, "stable_sharpness")
    return Enclosure.exactly(_exact(given, "sharpness")), Enclosure((1 - EDGE) * stable, (1 + EDGE) * stable)


M11 = Claim(
    id="M11",
    source=Source(MULAYOFF2021, "section 5, Fig 3c"),
    statement=r"1 + 2\int|f''|g \le \min_{\Omega(f)}\lambda_{\max} \le \lambda_{\max} \le \tfrac2\eta,"
    r"\ \text{and GD ends at } \lambda_{\max} = \tfrac2\eta",
    form=Form.IDENTITY,
    symbols=(SHARPNESS, STABLE, INTERPOLATES),
    assumptions=(_interpolates(),),
    sides=_edge_sides,
    finding=Finding.ONE_RUN,
    note="Read as: within 5 % of 2/eta. 'Here the two lines coincide' is true of the paper's network. GD ends far below at "
    "small steps, and at larger ones it often jumps to a minimum that is much flatter. The inequalities are M11.a.",
    quote="Here the two lines coincide, indicating that GD converged on the edge of the stable region.",
    reading="The words are of one network, and not doubted of it; held here against other data and "
    "initialisations, with 'coincide' as within 5 %.",
    no_extremal="refuted",
    study="experiments.stability_sweep",
)

M11A = Claim(
    id="M11.a",
    amends="M11",
    source=Source(MULAYOFF2021, "Fig 3c, the order of the curves"),
    statement=r"1 + 2\int|f''|g \le \lambda_{\max} \le \tfrac2\eta \text{ where GD ends, if no unit may still toggle}",
    form=Form.AT_MOST,
    symbols=(
        SHARPNESS,
        STABLE,
        INTERPOLATES,
        Symbol("sharpness_lower_bound", r"1 + 2\int|f''|g", "M5's bound where the run ends", positive),
        Symbol(
            "units_within_a_step",
            "p",
            "number of units that one more step may, for all its size tells, make toggle on a data point",
            nonnegative,
        ),
    ),
    assumptions=(
        _interpolates(),
        Assumption(
            "no unit is within a step of toggling on a data point", lambda g: g["units_within_a_step"], lambda p: p == 0
        ),
    ),
    sides=lambda given: (
        Enclosure.exactly(
            max(
                _exact(given, "sharpness_lower_bound") / _exact(given, "sharpness"),
                _exact(given, "sharpness") / _exact(given, "stable_sharpness"),
            )
        ),
        Enclosure.exactly(Fraction(1)),
    ),
    finding=Finding.OURS,
    note="The order is M5 and M1; the larger of the two ratios is compared with 1. The sharpness of the flattest "
    "implementation is not measured. Without the second assumption some runs end slightly above 2/eta: all of them "
    "approach minima at which units toggle on data points, where M1 does not apply.",
    no_extremal=MEASURED,
    study="experiments.stability_sweep",
)

CURVATURE = (
    Symbol("raised_curvature", r"\int|f''|g", "where the run with the raised step size ends", nonnegative),
    Symbol("constant_curvature", r"\int|f_0''|g", "where the run with the constant step size ends", nonnegative),
)

M12 = Claim(
    id="M12",
    source=Source(MULAYOFF2021, "Fig 1"),
    statement=r"\text{GD near a minimum, its step size raised to } 3\eta,\ \text{leaves it and ends in a smoother function}",
    form=Form.IMPLICATION,
    symbols=(FACTOR, RISE, *CURVATURE),
    assumptions=(Assumption("the step size is tripled", lambda given: given["factor"], lambda factor: factor == 3),),
    sides=lambda given: (
        Enclosure.exactly(True),
        Enclosure.exactly(bool(given["rise"] > LEFT and given["raised_curvature"] < given["constant_curvature"])),
    ),
    finding=Finding.ONE_RUN,
    note="In the witness GD leaves, fits the data again, and ends in a function with a larger int |f''| g than the constant "
    "step size ends with. It leaves exactly if the raised step size is above 2/lambda_max at the minimum (M12.a), and "
    "can end in another minimum only if some interpolating function is stable at 3 eta (B1). Where it does it ends flatter "
    "(M12.b), but often not with the smaller int |f''| g.",
    quote="The function obtained with the large step size is smoother, in line with our main result (1).",
    reading="The words are of one run, and not doubted of it; held here against other runs, with 'smoother' as a "
    "smaller int |f''| g.",
    no_extremal="refuted",
    study="experiments.step_size_jump",
)

M12A = Claim(
    id="M12.a",
    amends="M12",
    source=Source(MULAYOFF2021, "Fig 1a, repaired"),
    statement=r"\text{GD near a minimum, its step size raised to } c\eta,\ \text{leaves it} \iff "
    r"\lambda_{\max} > \tfrac{2}{c\eta}",
    form=Form.EQUIVALENCE,
    symbols=(
        SHARPNESS,
        Symbol("stable_sharpness", r"2/(c\eta)", "what the raised step size allows", positive),
        RISE,
    ),
    sides=lambda given: (
        Enclosure.exactly(bool(given["rise"] > LEFT)),
        Enclosure.exactly(bool(given["sharpness"] > given["stable_sharpness"])),
    ),
    finding=Finding.OURS,
    note="The sharpness is that at the switch. Where the raised step size makes the minimum unstable the loss grows by "
    "orders of magnitude, and elsewhere it hardly rises.",
    no_extremal=MEASURED,
    study="experiments.step_size_jump",
)

M12B = Claim(
    id="M12.b",
    amends="M12",
    source=Source(MULAYOFF2021, "Fig 1b, repaired"),
    statement=r"\text{GD that leaves a minimum when its step size is raised, and does not diverge, ends flatter}",
    form=Form.AT_MOST,
    symbols=(
        RISE,
        Symbol("raised_sharpness", r"\lambda_{\max}", "where the run with the raised step size ends", positive),
        Symbol("constant_sharpness", r"\lambda_0", "where the run with the constant step size ends", positive),
    ),
    assumptions=(Assumption("GD leaves the minimum", lambda given: given["rise"], lambda rise: rise > LEFT),),
    sides=lambda given: (
        Enclosure.exactly(_exact(given, "raised_sharpness")),
        Enclosure.exactly(_exact(given, "constant_sharpness")),
    ),
    finding=Finding.OURS,
    note="Whether or not the run fits the data again. Of those that do most end with the smaller int |f''| g, not all (M12).",
    no_extremal=MEASURED,
    study="experiments.step_size_jump",
)

CLAIMS = (M10, M11, M11A, M12, M12A, M12B)
