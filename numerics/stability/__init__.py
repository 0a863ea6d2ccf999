"""Is this minimum stable? The sharpness, the step sizes that SGD stays at, and a report on a network of one's own."""

from numerics.stability.hessian import (
    Sharpness,
    hessian_sharpness,
    residual_curvature,
    sharpness,
    sharpness_with_error,
)
from numerics.stability.mean_square import Certificate, Sampling, Threshold, mean_square_threshold, verify
from numerics.stability.reshuffling import Estimate, reshuffling_growth

__all__ = [
    "Certificate",
    "Estimate",
    "Sampling",
    "Sharpness",
    "Threshold",
    "hessian_sharpness",
    "mean_square_threshold",
    "reshuffling_growth",
    "residual_curvature",
    "sharpness",
    "sharpness_with_error",
    "verify",
]
