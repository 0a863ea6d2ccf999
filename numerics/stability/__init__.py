"""Is this minimum stable? The sharpness, the step sizes that SGD stays at, and a report on a network of one's own."""

from numerics.stability.general_threshold import GeneralThreshold, general_mean_square_threshold, verify_general
from numerics.stability.hessian import (
    Sharpness,
    hessian_sharpness,
    residual_curvature,
    sharpness,
    sharpness_with_error,
)
from numerics.stability.mean_square import Certificate, Sampling, Threshold, mean_square_threshold, verify
from numerics.stability.report_object import Eigenvalue, Report, StepSizes
from numerics.stability.report_on_model import report
from numerics.stability.reshuffling import Estimate, reshuffling_growth
from numerics.stability.strong_stability import StrongStability, strong_stability_threshold

__all__ = [
    "Certificate",
    "Eigenvalue",
    "Estimate",
    "GeneralThreshold",
    "Report",
    "Sampling",
    "Sharpness",
    "StepSizes",
    "StrongStability",
    "Threshold",
    "general_mean_square_threshold",
    "hessian_sharpness",
    "mean_square_threshold",
    "report",
    "reshuffling_growth",
    "residual_curvature",
    "sharpness",
    "sharpness_with_error",
    "strong_stability_threshold",
    "verify",
    "verify_general",
]
