"""Mulayoff, Michaeli and Soudry 2021: minima stability and the curvature of one-dimensional ReLU networks.

The loss is (1/2n) sum (f(x_j) - y_j)^2, f'' is a sum of point masses at the knots, X is uniform on the data.
"""

from theory.curvature import curvature_enclosure, weighted_curvature
from theory.mulayoff2021.smooth_bounds import curvature_bound, sharpness_lower_bound
from theory.mulayoff2021.switching_bounds import (
    curvature_excess,
    curvature_excess_as_printed,
    deduced_sharpness_bound,
    eigenvector_residual_bound,
    feature_change_bound,
    sharpness_bound,
    sharpness_bound_as_printed,
)
from theory.stability_weight import population_weight, stability_weight

__all__ = [
    # the curvature of a stable minimum (M6)
    "curvature_bound",
    "weighted_curvature",
    "curvature_enclosure",
    # the weight g in it
    "stability_weight",
    "population_weight",
    # the sharpness of all networks that compute a function (M5)
    "sharpness_lower_bound",
    # minima at which units toggle on data points (M7 to M9, B4)
    "sharpness_bound",
    "curvature_excess",
    "deduced_sharpness_bound",
    "eigenvector_residual_bound",
    "feature_change_bound",
    # true, and loose
    "sharpness_bound_as_printed",
    "curvature_excess_as_printed",
]
