"""Bounds of our own and of later papers: the critical step size of a data set, and M6 away from interpolation."""

from theory.beyond.critical_step_bounds import critical_step_size, lowest_weight, smallest_curvature
from theory.beyond.training_loss_bounds import curvature_bound_with_loss, loss_term, sharp_loss_term

__all__ = [
    "critical_step_size",
    "curvature_bound_with_loss",
    "loss_term",
    "lowest_weight",
    "sharp_loss_term",
    "smallest_curvature",
]
