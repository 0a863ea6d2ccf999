"""Assumptions that several papers share, and what decides them on an instance."""

from __future__ import annotations

import numpy as np

from theory.claim import Assumption, Instance
from theory.enclosure import Enclosure
from theory.linear_stability import mean_square_growth
from theory.piecewise_linear import PiecewiseLinear
from theory.relu_network import ReLUNetwork
from theory.two_layer import OFF_THE_DATA


def implemented(given: Instance) -> PiecewiseLinear:
    """Return the function that the weights of an instance implement, exactly."""
    return PiecewiseLinear.from_weights(given["weights"].rational())


def off_the_data() -> Assumption:
    """Return the assumption that no unit toggles on a data point, so that the loss is smooth in the weights."""
    return Assumption.that(OFF_THE_DATA, lambda given: given["weights"].toggle_margin(given["x"]))


def growth(given: Instance) -> Enclosure:
    """Return the mean-square growth of linearised SGD on the instance."""
    return mean_square_growth(given["hessians"], given["step_size"], given["batch_size"])


def mean_square_stable() -> Assumption:
    """Return the assumption that the expected squared distance goes to 0, which makes a minimum linearly stable."""
    return Assumption("linear stability (mean-square growth below 1)", growth, lambda g: g.upper < 1)


def one_dimension() -> Assumption:
    """Return the assumption that there is one weight, so that the Hessians are numbers."""
    return Assumption("d = 1", lambda given: np.shape(given["hessians"])[1], lambda d: d == 1)


def network_of(given: Instance) -> ReLUNetwork:
    """Return the network of an instance.

    Raises:
        ValueError: if its layers, biases and inputs do not fit together.
    """
    network = ReLUNetwork(given["layers"], given["layer_biases"])
    if network.inputs != given["inputs"].shape[1]:
        raise ValueError(f"inputs must have {network.inputs} coordinates each, got shape {given['inputs'].shape}")
    return network


def off_the_kinks() -> Assumption:
    """Return the assumption that no hidden unit is given exactly 0 at a datum, so that f is affine around each."""
    return Assumption(
        "no datum is on a kink",
        lambda given: [i for i, x in enumerate(given["inputs"]) if network_of(given).is_at_a_kink(x)],
        lambda places: not places,
    )
