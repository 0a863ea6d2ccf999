"""Assumptions that several papers share, and what decides them on an instance."""

from __future__ import annotations

import numpy as np

from theory.claim import Assumption, Instance
from theory.enclosure import Enclosure
from theory.linear_stability import mean_square_growth
from theory.piecewise_linear import PiecewiseLinear
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
