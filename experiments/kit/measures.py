"""What the studies report of a trained network: its function, its sharpness, and the bounds it is held against."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from experiments.engine.records import Row
from experiments.kit.datasets import DataSet
from experiments.kit.verdicts import columns_of, evaluated, inapplicable, not_evaluated
from numerics.geometric_complexity import complexity_at_minimum
from numerics.networks import initialise
from numerics.programs.certificates import check_certificate
from numerics.programs.flattest_implementation import flattest_implementation
from numerics.stability import hessian_sharpness, sharpness, sharpness_with_error
from numerics.training import Outcome, Run, train
from theory.beyond import loss_term, trace_limit
from theory.checks import Array
from theory.curvature import curvature_with_error
from theory.mulayoff2021 import sharpness_lower_bound
from theory.piecewise_linear import PiecewiseLinear
from theory.two_layer import OFF_THE_DATA, TOGGLE_MARGIN, Weights

INTERPOLATES = 1e-10
"""The loss (1/2n) sum (f - y)^2 below which a network counts as interpolating; targets are of the order of 1."""

MEASURED = (
    *("sharpness", "hessian_sharpness", "sharpness_lower_bound", "curvature", "curvature_error", "loss_term"),
    *("bound_used", "toggle_margin", "units_within_a_step", "hessian_bound"),
    *("knots", "jumps", "slope", "value", "anchor"),
)
"""The columns that a run has only if it did not diverge."""

FLATTEST = (
    *("flattest_lower_bound", "flattest_sharpness", "flattest_gap", "flattest_network_error"),
    *("flattest_network_sharpness", "in_order"),
)
"""The columns on the flattest network that computes a run's function, which it has unless a knot lies on a data point."""

FLATTEST_TOLERANCE = 1e-5
"""The gap between that network and its certified bound, relative to its sharpness, for which the program is solved."""

RULED = ("M11", "M11.a", "B7.b", "B7.c")
"""The claims that each run is held against: the edge of stability, and M6 and B7 where gradient descent ends."""

COMPLEXITY = ("gc", "gc_gradient_bound", "gc_limit", "gc_limit_points")
"""The columns on geometric complexity, which a run that diverged has not; the last two are where B25 applies."""

EXACTLY = "f(x_j) = y_j, to the loss that counts as interpolating"
"""What B25 starts from: the minimum is one of zero loss, for all that floats tell."""

ON_DATA = "a knot lies on a data point"


def scaled_initialisation(width: int, scale: float, seed: int) -> Weights:
    """Return the default initial weights of torch (uniform within 1/sqrt(fan in) of 0), all multiplied by `scale`."""
    drawn = initialise(width, seed=seed)
    return Weights(scale * drawn.w1, scale * drawn.b1, scale * drawn.w2, scale * drawn.b2)


def check_device(device: str) -> None:
    """Take one step on the device, which compiles what has to be compiled.

    Raises:
        ValueError: if training cannot run there.
    """
    train(scaled_initialisation(1, 1.0, 0), [0.0, 1.0], [0.0, 1.0], step_size=0.1, max_steps=1, device=device)


def units_within_a_step(weights: Weights, data: DataSet, step_size: float) -> int:
    """Return how many units toggle on a data point for all that one step of gradient descent can tell.

    A step of size eta on (1/2n) sum r_l^2 moves the pre-activation w1_i x_j + b1_i by at most
    eta |w2_i| (1/n) sum_l |r_l| (1 + |x_l x_j|). A unit counts if it has a pre-activation that is no larger: in the
    limit that the run approaches its knot may lie on the data point, where the loss is not twice differentiable.
    """
    residuals = np.abs(weights(data.x) - data.y)
    reach = step_size * np.mean(residuals * (1 + np.abs(np.multiply.outer(data.x, data.x))), axis=1)
    near = np.abs(weights.pre_activations(data.x)) <= np.multiply.outer(reach, np.abs(weights.w2))
    return int(np.sum(np.any(near & (weights.w2 != 0), axis=0)))


def describe(run: Run, data: DataSet, step_size: float) -> Row:
    """Return the columns on a run of gradient descent on (1/2n) sum (f - y)^2: outcome, sharpness, curvature, verdicts.

    For a diverged run there is nothing to measure, and the columns from `sharpness` on hold None. `curvature_bound` is the
    right side of M6 at any step size: it is negative beyond 2, where no minimum is stable and M6 has no bound.
    """
    weights = run.weights
    row: Row = {
        "steps": run.steps,
        "loss": run.loss,
        "outcome": str(run.outcome),
        "interpolates": run.outcome != Outcome.DIVERGED and run.loss < INTERPOLATES,
        "stable_sharpness": 2 / step_size,
        "curvature_bound": 1 / step_size - 0.5,
        "interpolation_tolerance": INTERPOLATES,
        "radius": float(np.max(np.abs(data.x))),
    }
    if run.outcome == Outcome.DIVERGED:
        return {**row, **dict.fromkeys(MEASURED), **verdicts(None)}
    f = PiecewiseLinear.from_weights(weights)
    term = loss_term(data.x, run.loss)
    curvature, error = curvature_with_error(f, data.x)
    top, hessian = sharpness(weights, data.x), hessian_sharpness(weights, data.x, data.y)
    row |= {
        "sharpness": top,
        "hessian_sharpness": hessian,
        "sharpness_lower_bound": sharpness_lower_bound(f, data.x),
        "curvature": curvature,
        "curvature_error": error,
        "loss_term": term,
        "bound_used": row["curvature_bound"] + term,
        "toggle_margin": weights.toggle_margin(data.x),
        "units_within_a_step": units_within_a_step(weights, data, step_size),
        "hessian_bound": hessian / 2 - 0.5 + term,
        "knots": f.knots.tolist(),
        "jumps": f.jumps.tolist(),
        "slope": float(f.slope),
        "value": float(f.value),
        "anchor": float(f.anchor),
    }
    return {**row, **verdicts({**row, "step_size": step_size})}


def verdicts(measured: Row | None) -> Row:
    """Return the columns on the verdicts of what was measured of a run, without values if nothing was."""
    columns: Row = {}
    for id in RULED:
        columns |= not_evaluated(id) if measured is None else evaluated(id, measured)
    return columns


def against_flattest(run: Run, data: DataSet) -> Row:
    """Return the columns on the flattest network that computes a run's function (B2), and whether all is in order.

    In order are M5's bound, the certified bound of B2, checked again without the solver, the sharpness of the flattest
    network, and that of the run's own, which may lie below the flattest one's by `FLATTEST_TOLERANCE`. The sharpness is
    lambda_max(Phi^T Phi/n) also where the data are not interpolated. What is said of the network is worked out from its
    weights by other means than those of the program: its sharpness from all its features, written out, and how far it
    is from the function at the data and at all knots, relative to the function where that exceeds 1.
    """
    weights, x = run.weights, data.x
    if run.outcome == Outcome.DIVERGED or weights.toggle_margin(x) <= TOGGLE_MARGIN:
        reason = "the run diverged" if run.outcome == Outcome.DIVERGED else ON_DATA
        return {**dict.fromkeys(FLATTEST), "flattest_status": reason}
    f = PiecewiseLinear.from_weights(weights)
    found = flattest_implementation(f, x, tolerance=FLATTEST_TOLERANCE)
    bound = check_certificate(f, x, found.certificate)
    network, own = found.network.weights(), sharpness_with_error(weights, x)
    knots = np.concatenate([x, f.knots, -network.b1 / network.w1])
    outputs = np.asarray(f(knots))
    top = float(np.linalg.norm(network.tangent_features(x), 2)) ** 2 / len(x)
    steps = (sharpness_lower_bound(f, x), bound, found.primal, (own.value + own.error) * (1 + FLATTEST_TOLERANCE))
    return {
        "flattest_status": found.status,
        "flattest_lower_bound": bound,
        "flattest_sharpness": found.primal,
        "flattest_gap": found.gap,
        "flattest_network_error": float(np.max(np.abs(network(knots) - outputs) / np.maximum(1, np.abs(outputs)))),
        "flattest_network_sharpness": top,
        "in_order": all(low <= high for low, high in pairwise(steps)),
    }


def against_step_size(run: Run, data: DataSet, step_size: float) -> Row:
    """Return the columns on geometric complexity, the mean of f'(x_j)^2, and on what bounds it.

    `gc_gradient_bound` is D10.b's, which holds at all weights: the mean of |grad_theta f(x_j)|^2 over the least sum of
    squared transfer functions. `gc_limit` is what B25 says that this step size of gradient descent allows,
    2 P/(eta min_j sum_i T_i^2) for P parameters. `gc_limit_points` has n for P: there are no more than n eigenvalues above
    0, so that B3.h gives tr H <= 2 n/eta, and D22.a the rest. B25 is of minima where f(x_j) = y_j and the loss is smooth.
    """
    if run.outcome == Outcome.DIVERGED:
        return {**dict.fromkeys(COMPLEXITY), **not_evaluated("D10.b"), **not_evaluated("B25")}
    n, found = len(data.x), complexity_at_minimum(run.weights, data.x)
    gradient = found.gradient_verdict()
    row: Row = {**dict.fromkeys(COMPLEXITY), "gc": float(found.complexity)}
    if gradient.rhs is not None:
        row["gc_gradient_bound"] = float(gradient.rhs.midpoint)
    if run.loss >= INTERPOLATES:
        stable = inapplicable("B25", EXACTLY)
    elif run.weights.toggle_margin(data.x) <= TOGGLE_MARGIN:
        stable = inapplicable("B25", OFF_THE_DATA.name)
    else:
        verdict = found.stable_verdict(step_size, n)
        stable = columns_of(verdict)
        if verdict.rhs is not None and found.least_transfer is not None:
            row["gc_limit"] = float(verdict.rhs.midpoint)
            row["gc_limit_points"] = trace_limit(step_size, n, n, n) / float(found.least_transfer)
    return {**row, **columns_of(gradient), **stable}


def function_of(row: Row) -> PiecewiseLinear:
    """Return the function that a row describes by its knots, jumps, slope, value and anchor."""
    return PiecewiseLinear(row["knots"], row["jumps"], row["slope"], row["value"], row["anchor"])


def smoothed_curvature(row: Row, t: Array, width: float) -> Array:
    """Return |f''| at t [m], its point masses smoothed by a Gaussian of standard deviation `width`."""
    bumps = np.exp(-0.5 * ((t[:, None] - np.asarray(row["knots"])) / width) ** 2) / (width * np.sqrt(2 * np.pi))
    density: Array = bumps @ np.abs(np.asarray(row["jumps"], dtype=np.float64))
    return density
