"""The claims of the registry that speak of a model that is reported on."""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np

from numerics.networks import TwoLayerReLU
from numerics.stability.module_loss import ModuleLoss
from theory.beyond import critical_step_size
from theory.checks import Array
from theory.claim import Claim, Finding, Verdict
from theory.enclosure import EPS
from theory.mulayoff2021.smooth_bounds import sharpness_lower_bound
from theory.registry import CLAIMS
from theory.symbols import half_mean_step_size, loss_scale, of_one_output

HESSIANS_POINTS = 12
"""Claims are evaluated on the Hessians of up to so many examples: they build maps on matrices of their span."""

CLAIM_PARAMETERS, CLAIM_POINTS = 1000, 1000
"""B7 and M6 are evaluated for networks of up to so many parameters, on up to so many points."""


REPORTED = ("linear stability", "no unit toggles on a data point", "no knot of f is a data point")
"""How the assumptions begin that a report is about: stability in the linearisation, and a loss that is smooth."""


def claims_about(what: str, given: Collection[str]) -> list[Claim]:
    """Return the claims of the registry on stable smooth minima that can be evaluated on what is given, in its order.

    They have a symbol `what` and none that is not given, assume stability or smoothness and nothing else, and are derived
    rather than observed; those that are false as printed, or fell as conjectures of ours, are left out.
    """
    return [
        claim
        for claim in CLAIMS.values()
        if what in (names := {symbol.name for symbol in claim.symbols})
        and names <= set(given)
        and claim.assumptions
        and all(assumption.name.startswith(REPORTED) for assumption in claim.assumptions)
        and claim.finding not in (Finding.FALSE, Finding.CONJECTURE)
        and not claim.study
    ]


def on_line(problem: ModuleLoss) -> tuple[TwoLayerReLU, Array, Array] | None:
    """Return a two-layer ReLU network of one input whose weights are all trained, with x [n] and y [n]."""
    net = problem.model
    if type(net) is not TwoLayerReLU or net.hidden.in_features != 1 or len(problem.parameters) < 4:
        return None
    return net, problem.x.reshape(-1).cpu().numpy(), problem.y.reshape(-1).cpu().numpy()


def verdicts_of(
    problem: ModuleLoss, net: TwoLayerReLU, x: Array, y: Array, eta: float, batch: int, root: Array | None
) -> tuple[float | None, float | None, tuple[Verdict, ...], tuple[str, ...]]:
    """Return M5's bound, B1.a's step size, the verdicts of the claims, and what to say of those that are left out.

    `root` is given at interpolation only: M1 is about the Hessians there.
    """
    n = len(x)
    if problem.loss == "cross_entropy":  # one output has no classes
        return None, None, (), ()
    if len(np.unique(x)) < n:
        return None, None, (), ("Two inputs are equal: M5, M6, B1 and B7 are about distinct ones.",)
    loss = of_one_output(problem.loss)
    weights, half_mean = net.weights(), half_mean_step_size(eta, loss)
    critical_step = critical_step_size(x, y, loss=loss) if n >= 2 else None
    flattest = sharpness_lower_bound(net.piecewise_linear(), x) * loss_scale(loss)
    if problem.dimension > CLAIM_PARAMETERS or n > CLAIM_POINTS:
        size = f"{CLAIM_PARAMETERS} parameters and {CLAIM_POINTS} points"
        return flattest, critical_step, (), (f"M6 and B7 are evaluated for up to {size} only.",)
    verdicts = []
    if root is not None and n <= HESSIANS_POINTS:
        # In coordinates of the span of the features: nothing moves across it.
        kept = root[:, np.sum(root**2, axis=0) > n * EPS * np.sum(root**2)] / math.sqrt(half_mean / eta)
        hessians = kept[:, :, None] * kept[:, None, :]
        of_hessians = {"hessians": hessians, "step_size": half_mean, "batch_size": batch}
        verdicts += [claim.evaluate(of_hessians) for claim in claims_about("hessians", of_hessians)]
    given = {"weights": weights, "x": x, "y": y, "step_size": half_mean}
    verdicts += [claim.evaluate(given) for claim in claims_about("weights", given)]
    return flattest, critical_step, tuple(verdicts), ()
