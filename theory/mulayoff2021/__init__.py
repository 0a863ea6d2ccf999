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
    "curvature_bound",
    "curvature_enclosure",
    "curvature_excess",
    "curvature_excess_as_printed",
    "deduced_sharpness_bound",
    "eigenvector_residual_bound",
    "feature_change_bound",
    "population_weight",
    "sharpness_bound",
    "sharpness_bound_as_printed",
    "sharpness_lower_bound",
    "stability_weight",
    "weighted_curvature",
]
