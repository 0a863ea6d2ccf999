"""Claims on the transfer functions beyond dherin2022: B5, Theorem 5.1 without min(d, k), and B25 at stable minima."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from theory.beyond import mean_square_bounds
from theory.beyond import transfer_proofs as proofs
from theory.beyond.transfer_bounds import stable_complexity_limit
from theory.checks import Array, rationals
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.dense_network import (
    Derivatives,
    Layers,
    at_one_point,
    at_points,
    derivatives,
    finite_transfer,
    layer_norms,
    least_size,
    least_sum,
    least_transfer,
    mean_jacobian,
    parameter_gradients,
    quotient,
    squared_transfer,
    sum_of,
)
from theory.dherin2022.transfer_bounds import POSITIVE_NORMS, POSITIVE_TRANSFER
from theory.enclosure import Enclosure
from theory.linear_stability import noise_share
from theory.relu_network import square
from theory.sources import HOUSE, Source
from theory.symbols import BATCH, DATA_ROWS, DENSE_LAYERS, LEAK, ONE_POINT, STEP_SIZE


def at_the_point(given: Instance) -> Derivatives:
    """Return what the network does to x."""
    return derivatives(given["dense_layers"], given["leak"], given["x"])


def on_the_data(given: Instance) -> list[Derivatives]:
    """Return what the network does to each data point."""
    return at_points(given["dense_layers"], given["leak"], given["inputs"])


def _sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    at = at_the_point(given)
    gradient = square(parameter_gradients(given["dense_layers"], at))
    return Enclosure.exactly(square(at.jacobian)), quotient(
        gradient, sum_of(squared_transfer(given["dense_layers"], at))
    )


def hessians(given: Instance) -> Array:
    """Return H_j = sum_r grad f^r(x_j) grad f^r(x_j)^T, the Hessians of |f(x_j) - y_j|^2 / 2 where f(x_j) = y_j, [n, P, P]."""
    rows = (parameter_gradients(given["dense_layers"], at) for at in on_the_data(given))
    return np.array([features.T @ features for features in rows], dtype=object)


def parameters(layers: Layers) -> int:
    """Return the number of weights and biases."""
    return sum(weights.size + len(biases) for weights, biases in layers)


def trace_limit(given: Instance, share: Fraction, outputs: int) -> Fraction:
    """Return what tr H does not exceed for a share p of the noise and so many outputs."""
    kept = share / outputs + (1 - share) / parameters(given["dense_layers"])
    return 2 / (Fraction(given["step_size"]) * kept)


def share_of(given: Instance) -> Fraction:
    """Return p = (n - B)/(B (n - 1))."""
    return noise_share(len(given["inputs"]), given["batch_size"])


def outputs_of(given: Instance) -> int:
    """Return k."""
    return len(given["dense_layers"][-1][0])


def stable_sides(given: Instance, limit: Fraction) -> tuple[Enclosure, Enclosure]:
    """Return GC, and a limit on tr H over the least sum of squared transfer functions."""
    points = on_the_data(given)
    return Enclosure.exactly(mean_jacobian(points)), quotient(limit, least_transfer(given["dense_layers"], points))


def _stable_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return stable_sides(given, trace_limit(given, share_of(given), outputs_of(given)))


def is_stable(given: Instance) -> bool:
    """Return whether SGD is stable in mean square at the minimum (B3)."""
    return mean_square_bounds.is_stable(hessians(given), Fraction(given["step_size"]), given["batch_size"])


def _reads_point(given: Instance) -> dict[str, Any]:
    return at_one_point(layer_norms(given["dense_layers"], [at_the_point(given)]))


def _reads_stable(given: Instance) -> dict[str, Any]:
    each = hessians(given)
    norms = layer_norms(given["dense_layers"], on_the_data(given))
    mean = each.sum(axis=0) / Fraction(len(each))
    return {
        **norms,
        "l": least_sum(norms),
        "t": Fraction(np.trace(mean)),
        "F": square(mean),
        "M": square(each) / len(each),
        "eta": Fraction(given["step_size"]),
        "s": share_of(given),
        "k": outputs_of(given),
        "d": parameters(given["dense_layers"]),
    }


def _limit_on(given: Instance) -> float:
    return stable_complexity_limit(
        float(given["step_size"]),
        len(given["inputs"]),
        given["batch_size"],
        parameters(given["dense_layers"]),
        float(least_transfer(given["dense_layers"], on_the_data(given)).lower),
        outputs_of(given),
    )


ONE_UNIT = ((rationals([[3, 4]]), rationals([1])),)
"""One layer of one unit with a bias, of norm 5."""

WITHOUT_BIAS = ((rationals([[2]]), rationals([])),)
"""f(x) = 2 x."""

B5 = Claim(
    id="B5",
    source=Source(HOUSE, "dherin2022, Theorem 5.1, without min(d, k)"),
    statement=r"\text{dense layers with weights of their own}:\quad \|\nabla_x f\|_F^2 \le \frac{\|\nabla_\theta f\|_F^2}"
    r"{\sum_i T_i^2},\quad T_i^2 = \frac{c_i + \|h_i(x)\|^2}{\sigma_{\max}^2(W_i)\,\sigma_{\max}^2(h_i'(x))},\ "
    r"c_i = 1 \text{ with biases, else } 0",
    form=Form.AT_MOST,
    symbols=(DENSE_LAYERS, LEAK, ONE_POINT),
    assumptions=(
        Assumption.that(POSITIVE_NORMS, lambda given: finite_transfer(given["dense_layers"], at_the_point(given))),
        Assumption.that(POSITIVE_TRANSFER, lambda given: least_size(given["dense_layers"], [at_the_point(given)])),
    ),
    sides=_sides,
    proof=proofs.b5,
    reads=_reads_point,
    finding=Finding.OURS,
    note="Sharper than the printed bound by min(d, k), and for layers with or without biases. Each layer has "
    "||grad_theta_i f||_F^2 = ||J||_F^2 (c_i + |h_i|^2), J the Jacobian of f in what it puts out, and grad_x f = J W_i h_i'. "
    "Equality where every layer attains it: one layer whose rows are orthogonal and of one length. With c_i = 1 the bound is "
    "`theory.dherin2022.transfer_bound`. Any activation will do whose slopes are known at x.",
    extremal=Instance(
        {
            "dense_layers": ((rationals([[3, 4], [4, -3]]), rationals([1, 0])),),
            "leak": Fraction(0),
            "x": rationals([1, 2]),
        },
        "named",
    ),
)

B25 = Claim(
    id="B25",
    source=Source(HOUSE, "D10.b with B3"),
    statement=r"f(x_j) = y_j,\ \text{SGD stable in mean square}:\quad \mathrm{GC} \le "
    r"\frac{2}{\eta\,(p/k + (1 - p)/P)\, \min_j \sum_i T_i^2(x_j)},\quad p = \tfrac{n - B}{B(n - 1)}",
    form=Form.AT_MOST,
    symbols=(DENSE_LAYERS, LEAK, DATA_ROWS, STEP_SIZE, BATCH),
    assumptions=(
        Assumption.that(
            POSITIVE_NORMS, lambda given: all(finite_transfer(given["dense_layers"], at) for at in on_the_data(given))
        ),
        Assumption.that(POSITIVE_TRANSFER, lambda given: least_size(given["dense_layers"], on_the_data(given))),
        Assumption("stability (B3): 2 C - eta D >= 0", is_stable, bool),
    ),
    sides=_stable_sides,
    bound=stable_complexity_limit,
    bound_on=_limit_on,
    proof=proofs.b25,
    reads=_reads_stable,
    finding=Finding.OURS,
    note="k outputs and P parameters; for B = 1 and one output 2/(eta min_j sum_i T_i^2), whatever P. A stable minimum has "
    "tr H <= 2/(eta (p/k + (1 - p)/P)), and by D22.a GC is at most tr H over the least sum of squared transfer functions: the "
    "step size bounds GC as far as these are bounded below. At a minimum off the kinks, where H_j = sum grad f grad f^T; dense "
    "layers with weights of their own.",
    extremal=Instance(
        {
            "dense_layers": WITHOUT_BIAS,
            "leak": Fraction(0),
            "inputs": rationals([[1]]),
            "step_size": Fraction(2),
            "batch_size": 1,
        },
        "named",
    ),
)

CLAIMS = (B5, B25)
