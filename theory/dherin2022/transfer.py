"""Dherin et al. 2022 on the transfer functions: D10, Theorem 5.1, and D22 on flat regions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from theory.checks import Array, exact_vectors, rationals
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.dense_network import (
    Derivatives,
    at_one_point,
    at_points,
    check_layers,
    derivatives,
    finite_transfer,
    layer_norms,
    least_size,
    least_sum,
    least_transfer,
    mean_gradient,
    mean_jacobian,
    parameter_gradients,
    quotient,
    squared_transfer,
    sum_of,
)
from theory.dherin2022 import transfer_proofs as proofs
from theory.dherin2022.transfer_bounds import (
    POSITIVE_NORMS,
    POSITIVE_TRANSFER,
    geometric_complexity_bound,
    transfer_bound,
)
from theory.enclosure import Enclosure
from theory.relu_network import square, squared_spectral_norm
from theory.sources import DHERIN2022, HOUSE, RESTATED, Source
from theory.symbols import DATA_ROWS, DENSE_LAYERS, LEAK, ONE_POINT, Symbol

TIED = Symbol("tied", r"\theta", "whether all layers share their weights and biases, so that theta is those of one")
OTHER_LAYERS = Symbol("other_layers", "(W'_i, b'_i)", "weights and biases of another dense network", check_layers)
TARGET_ROWS = Symbol("targets", "(y_j)", "targets as rows, [n, k]", exact_vectors)


def at_the_point(given: Instance) -> Derivatives:
    """Return what the network does to x."""
    return derivatives(given["dense_layers"], given["leak"], given["x"])


def on_the_data(given: Instance, layers: str = "dense_layers") -> list[Derivatives]:
    """Return what the network does to each data point."""
    return at_points(given[layers], given["leak"], given["inputs"])


def smaller_side(given: Instance) -> int:
    """Return min(d, k)."""
    return min(len(given["x"]), len(given["dense_layers"][-1][0]))


def _sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    at = at_the_point(given)
    gradient = square(parameter_gradients(given["dense_layers"], at, tied=bool(given["tied"])))
    transfer = sum_of(squared_transfer(given["dense_layers"], at, biases=True))
    return Enclosure.exactly(square(at.jacobian)), quotient(gradient * smaller_side(given), transfer)


def _data_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    points = on_the_data(given)
    layers = given["dense_layers"]
    return Enclosure.exactly(mean_jacobian(points)), quotient(
        mean_gradient(layers, points), least_transfer(layers, points)
    )


def _gauss_newton(given: Instance) -> Array:
    """Return H = (1/n) sum of grad f^r grad f^r^T over data and outputs, the Hessian where all residuals are 0."""
    features = np.concatenate([parameter_gradients(given["dense_layers"], at) for at in on_the_data(given)])
    matrix: Array = features.T @ features / Fraction(len(given["inputs"]))
    return matrix


def _trace_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    points, trace = on_the_data(given), Fraction(np.trace(_gauss_newton(given)))
    return Enclosure.exactly(mean_jacobian(points)), quotient(trace, least_transfer(given["dense_layers"], points))


def loss_gradient(given: Instance, layers: str) -> Fraction:
    """Return |grad L|^2 of L = (1/2n) sum |f(x_j) - y_j|^2.

    Raises:
        ValueError: if a target has not one entry for each output.
    """
    points, total = on_the_data(given, layers), Fraction(0)
    for at, target in zip(points, given["targets"], strict=True):
        if len(target) != len(at.output):
            raise ValueError(f"targets must have {len(at.output)} entries each, got {len(target)}")
        total = total + (at.output - target) @ parameter_gradients(given[layers], at)
    return square(np.asarray(total)) / len(points) ** 2


def _flat_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    smoother = mean_jacobian(on_the_data(given)) <= mean_jacobian(on_the_data(given, "other_layers"))
    flatter = loss_gradient(given, "dense_layers") <= loss_gradient(given, "other_layers")
    return Enclosure.exactly(flatter), Enclosure.exactly(smoother)


def _reads_point(given: Instance) -> dict[str, Any]:
    norms = layer_norms(given["dense_layers"], [at_the_point(given)])
    return {**at_one_point(norms), "k": smaller_side(given)}


def reads_data(given: Instance) -> dict[str, Any]:
    """Return what the proofs on a data set speak of; l is the least sum of squared transfer functions, t the trace of H."""
    norms = layer_norms(given["dense_layers"], on_the_data(given))
    return {**norms, "l": least_sum(norms), "t": Fraction(np.trace(_gauss_newton(given)))}


def _norms_are_positive() -> Assumption:
    return Assumption.that(POSITIVE_NORMS, lambda given: finite_transfer(given["dense_layers"], at_the_point(given)))


def norms_on_the_data() -> Assumption:
    """Return the assumption that no transfer function divides by 0 at a data point."""
    return Assumption.that(
        POSITIVE_NORMS, lambda given: all(finite_transfer(given["dense_layers"], at) for at in on_the_data(given))
    )


def some_transfer() -> Assumption:
    """Return the assumption that at each data point some transfer function is above 0: biases, or an input that is not 0."""
    return Assumption.that(POSITIVE_TRANSFER, lambda given: least_size(given["dense_layers"], on_the_data(given)))


def _own_weights() -> Assumption:
    return Assumption("each layer has weights of its own", lambda given: bool(given["tied"]), lambda tied: not tied)


def _all_biases() -> Assumption:
    return Assumption("each layer has biases", lambda given: all(len(b) for _, b in given["dense_layers"]), bool)


def dense(*layers: tuple[list[list[Any]], list[Any]]) -> tuple[tuple[Array, Array], ...]:
    """Return layers from lists of rationals."""
    return tuple((rationals(weights), rationals(biases)) for weights, biases in layers)


RELU = Fraction(0)

ONE_WEIGHT = Instance(
    {
        "dense_layers": dense(([[1]], [])),
        "leak": RELU,
        "x": rationals([0]),
        "tied": False,
        "inputs": rationals([[1]]),
    },
    "named",
)
"""f(x) = w x without a bias, at w = 1 and x = 0, where its gradient in w is 0; for the data set x = 1."""

D10 = Claim(
    id="D10",
    source=Source(DHERIN2022, "Theorem 5.1, eqs 9 and 10"),
    statement=r"\|\nabla_x f_\theta(x)\|_F^2 \le \frac{\|\nabla_\theta f_\theta(x)\|_F^2}{T_1^2(x) + \dots + T_l^2(x)},\quad "
    r"T_i(x, \theta) = \frac{1}{\sqrt{\min(d, k)}} \frac{\sqrt{1 + "
    r"\|h_i(x)\|_2^2}}{\sigma_{\max}(W_i)\,\sigma_{\max}(h_i'(x))}",
    form=Form.AT_MOST,
    symbols=(DENSE_LAYERS, LEAK, ONE_POINT, TIED),
    assumptions=(_norms_are_positive(),),
    sides=_sides,
    finding=Finding.NEEDS_ASSUMPTION,
    note="True of dense layers that each have biases and weights of their own (D10.a), there without min(d, k) (B5). Without "
    "biases it fails at f = w x, x = 0. Where two layers share their weights, as w (w x + b) + b does, grad_theta f can be 0 "
    "(w = -1, b = 2 x) where f' = 1: no such bound holds, and a convolution shares its weights likewise; figure 4 is on "
    "ResNet-18, which has convolutions, skips and batch norm. At a kink both derivatives take one slope, as in automatic "
    "differentiation.",
    quote="Consider a logit network f_theta: R^d -> R^k with l layers, then we have the following inequality",
    reading="Of any network whose layers are affine maps, with or without biases, with weights of their own or shared; h_i is "
    "what layer i is given, h_1(x) = x. Section 8 says that the arguments focus on DNNs, not that a layer needs biases.",
    witness=ONE_WEIGHT,
    no_extremal="refuted",
)

D10A = Claim(
    id="D10.a",
    amends="D10",
    source=Source(HOUSE, "D10, dense layers with biases"),
    statement=r"\text{dense layers, each with } W_i, b_i \text{ of its own}:\quad \|\nabla_x f\|_F^2 \le "
    r"\frac{\|\nabla_\theta f\|_F^2}{T_1^2 + \dots + T_l^2}",
    form=Form.AT_MOST,
    symbols=(DENSE_LAYERS, LEAK, ONE_POINT, TIED),
    assumptions=(_norms_are_positive(), _own_weights(), _all_biases()),
    sides=_sides,
    bound=transfer_bound,
    bound_on=lambda given: _bound_on(given),
    proof=proofs.d10a,
    reads=_reads_point,
    finding=Finding.OURS,
    note="Theorem 5.1 with what it needs. Loose by min(d, k) at least (B5); with one output or one input the printed factor is "
    "1. Equality for one layer and one output.",
    extremal=Instance(
        {"dense_layers": dense(([[3, 4]], [1])), "leak": RELU, "x": rationals([1, 2]), "tied": False}, "named"
    ),
)


def _bound_on(given: Instance) -> float:
    at = at_the_point(given)
    return transfer_bound(
        float(square(parameter_gradients(given["dense_layers"], at))),
        [float(square(h)) for h in at.inputs],
        [float(squared_spectral_norm(weights).upper) for weights, _ in given["dense_layers"]],
        [float(squared_spectral_norm(before).upper) for before in at.before],
        smaller_side(given),
    )


def _data_bound_on(given: Instance) -> float:
    points = on_the_data(given)
    return geometric_complexity_bound(
        [float(square(parameter_gradients(given["dense_layers"], at))) for at in points],
        [float(sum_of(squared_transfer(given["dense_layers"], at)).lower) for at in points],
    )


D10B = Claim(
    id="D10.b",
    amends="D10",
    source=Source(HOUSE, "D10 on a data set"),
    statement=r"\mathrm{GC} \le \frac{\frac1n \sum_j \|\nabla_\theta f(x_j)\|_F^2}{\min_j \sum_i T_i^2(x_j)},\quad "
    r"T_i^2 = \frac{c_i + \|h_i\|^2}{\sigma_{\max}^2(W_i)\,\sigma_{\max}^2(h_i')},\ c_i = 1 \text{ with biases, else } 0",
    form=Form.AT_MOST,
    symbols=(DENSE_LAYERS, LEAK, DATA_ROWS),
    assumptions=(norms_on_the_data(), some_transfer()),
    sides=_data_sides,
    bound=geometric_complexity_bound,
    bound_on=_data_bound_on,
    proof=proofs.d10b,
    reads=reads_data,
    finding=Finding.OURS,
    note="What Theorem 5.1 says of GC: the least of the sums of T_i^2 over the data counts, not their mean, for a mean of "
    "quotients is not the quotient of means. All layers are dense, each with weights of its own.",
    extremal=Instance({"dense_layers": dense(([[3, 4]], [1])), "leak": RELU, "inputs": rationals([[1, 2]])}, "named"),
)

INTERPOLATING = Instance(
    {
        "dense_layers": dense(([[1]], [0])),
        "other_layers": dense(([[0]], [0])),
        "leak": RELU,
        "inputs": rationals([[1], [2]]),
        "targets": rationals([[1], [2]]),
    },
    "named",
)
"""Two points on the line of slope 1: f = x meets them, with no loss gradient; f = 0 does not, and has GC 0."""

D22 = Claim(
    id="D22",
    source=Source(DHERIN2022, "section 7"),
    again=RESTATED,
    statement=r"\|\nabla L(\theta)\| \le \|\nabla L(\theta')\| \;\Rightarrow\; \mathrm{GC}(\theta) \le \mathrm{GC}(\theta')",
    form=Form.IMPLICATION,
    symbols=(DENSE_LAYERS, OTHER_LAYERS, LEAK, DATA_ROWS, TARGET_ROWS),
    sides=_flat_sides,
    finding=Finding.FALSE,
    note="Every interpolating function has loss gradient 0, whatever its GC: through points on a line of slope w, f = w x + b "
    "has GC w^2, and the loss of a linear model is as flat everywhere. The Transfer Theorem bounds GC by grad_theta f, not by "
    "grad L = residual times grad_theta f. Where the residuals are 0, tr H takes its place (D22.a).",
    quote="for neural networks these flat regions are also the regions of low loss gradient and thus of low GC, as explained "
    "by "
    "the Transfer Theorem",
    reading="As: where the loss gradient is no larger, GC is not. A squared loss, as section 8 names it; data and architecture "
    "the same.",
    witness=INTERPOLATING,
    no_extremal="refuted",
)

D22A = Claim(
    id="D22.a",
    amends="D22",
    source=Source(HOUSE, "D22 with the Hessian"),
    statement=r"f(x_j) = y_j\ \forall j,\ L = \tfrac1{2n} \textstyle\sum_j |f(x_j) - y_j|^2:\quad "
    r"\mathrm{GC} \le \frac{\operatorname{tr} \nabla^2 L}{\min_j \sum_i T_i^2(x_j)}",
    form=Form.AT_MOST,
    symbols=(DENSE_LAYERS, LEAK, DATA_ROWS),
    assumptions=(norms_on_the_data(), some_transfer()),
    sides=_trace_sides,
    proof=proofs.d22a,
    reads=reads_data,
    finding=Finding.OURS,
    note="Flat by the trace of the Hessian, and only where the transfer functions are bounded below: they fall as the weights "
    "grow, as between rescalings of one function. The Hessian at an interpolating minimum off the kinks is "
    "(1/n) sum grad f grad f^T.",
    extremal=Instance({"dense_layers": dense(([[3, 4]], [1])), "leak": RELU, "inputs": rationals([[1, 2]])}, "named"),
)

CLAIMS = (D10, D10A, D10B, D22, D22A)
