"""What the studies report of a trained network: its function, its sharpness, and the bounds it is held against."""

from __future__ import annotations

import numpy as np

from experiments.datasets import DataSet
from experiments.records import Row
from numerics.networks import initialise
from numerics.stability import hessian_sharpness, sharpness
from numerics.training import Outcome, Run, train
from theory.beyond import curvature_bound_with_loss, loss_term
from theory.checks import Array
from theory.mulayoff2021 import curvature_bound, sharpness_lower_bound, weighted_curvature
from theory.piecewise_linear import PiecewiseLinear
from theory.two_layer import TOGGLE_MARGIN, Weights

INTERPOLATES = 1e-10
"""The loss (1/2n) sum (f - y)^2 below which a network counts as interpolating; targets are of the order of 1."""

EDGE = 0.05
"""How far, relative to 2/eta, the sharpness may lie from it at the edge of stability."""

MEASURED = (
    *("sharpness", "hessian_sharpness", "sharpness_lower_bound", "curvature", "loss_term", "bound_used"),
    *("toggle_margin", "units_within_a_step", "at_edge", "hessian_bound", "knots", "jumps", "slope", "value", "anchor"),
)
"""The columns that a run has only if it did not diverge."""

HOLDS, VIOLATED = "holds", "violated"


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

    For a diverged run there is nothing to measure, and the columns from `sharpness` on hold None.
    """
    weights = run.weights
    row: Row = {
        "steps": run.steps,
        "loss": run.loss,
        "outcome": str(run.outcome),
        "interpolates": run.outcome != Outcome.DIVERGED and run.loss < INTERPOLATES,
        "stable_sharpness": 2 / step_size,
        "curvature_bound": curvature_bound(step_size),
    }
    if run.outcome == Outcome.DIVERGED:
        reason = "the run diverged"
        return {**row, **dict.fromkeys(MEASURED), "verdict_m6": reason, "verdict_b7": reason}
    f = PiecewiseLinear.from_weights(weights)
    term = loss_term(data.x, run.loss)
    top, hessian = sharpness(weights, data.x), hessian_sharpness(weights, data.x, data.y)
    row |= {
        "sharpness": top,
        "hessian_sharpness": hessian,
        "sharpness_lower_bound": sharpness_lower_bound(f, data.x),
        "curvature": weighted_curvature(f, data.x),
        "loss_term": term,
        "bound_used": curvature_bound_with_loss(step_size, data.x, run.loss),
        "toggle_margin": weights.toggle_margin(data.x),
        "units_within_a_step": units_within_a_step(weights, data, step_size),
        "at_edge": abs(top * step_size / 2 - 1) <= EDGE,
        "hessian_bound": hessian / 2 - 0.5 + term,
        "knots": f.knots.tolist(),
        "jumps": f.jumps.tolist(),
        "slope": float(f.slope),
        "value": float(f.value),
        "anchor": float(f.anchor),
    }
    return {**row, "verdict_m6": verdict_m6(row), "verdict_b7": verdict_b7(row)}


def verdict_m6(row: Row) -> str:
    """Return whether int |f''| g <= 1/eta - 1/2 + (R + 1) sqrt(2 L), or the assumption of M6 that fails.

    That gradient descent came to a stable minimum is what is put to the test: the sharpness is not asked.
    """
    if row["toggle_margin"] <= TOGGLE_MARGIN:
        return "a knot lies on a data point"
    if not row["interpolates"]:
        return "the data are not interpolated"
    return HOLDS if row["curvature"] <= row["bound_used"] else VIOLATED


def verdict_b7(row: Row) -> str:
    """Return whether int |f''| g <= lambda_max(Hessian)/2 - 1/2 + (R + 1) sqrt(2 L), or the assumption that fails."""
    if row["toggle_margin"] <= TOGGLE_MARGIN:
        return "a knot lies on a data point"
    return HOLDS if row["curvature"] <= row["hessian_bound"] else VIOLATED


def function_of(row: Row) -> PiecewiseLinear:
    """Return the function that a row describes by its knots, jumps, slope, value and anchor."""
    return PiecewiseLinear(row["knots"], row["jumps"], row["slope"], row["value"], row["anchor"])


def smoothed_curvature(row: Row, t: Array, width: float) -> Array:
    """Return |f''| at t [m], its point masses smoothed by a Gaussian of standard deviation `width`."""
    bumps = np.exp(-0.5 * ((t[:, None] - np.asarray(row["knots"])) / width) ** 2) / (width * np.sqrt(2 * np.pi))
    density: Array = bumps @ np.abs(np.asarray(row["jumps"], dtype=np.float64))
    return density
