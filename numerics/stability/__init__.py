"""Is this minimum stable? The sharpness, the step sizes that SGD stays at, and a report on a network of one's own."""

from numerics.stability.curvature import (
    Eigenpairs,
    SpectralDensity,
    curvature,
    sharpness,
    spectral_density,
    top_eigenvalues,
    trace,
)
from numerics.stability.hessian import (
    Sharpness,
    hessian_sharpness,
    residual_curvature,
    sharpness_with_error,
)
from numerics.stability.mean_square import mean_square_threshold, verify
from numerics.stability.optimiser import (
    BatchSharpness,
    PreconditionedSharpness,
    batch_sharpness,
    preconditioned_sharpness,
)
from numerics.stability.report_object import Eigenvalue, Report, StepSizes
from numerics.stability.report_on_model import report
from numerics.stability.reshuffling import Estimate, reshuffling_growth
from numerics.stability.strong_stability import StrongStability, strong_stability_threshold
from numerics.stability.threshold import Certificate, Threshold
from numerics.stability.tracker import StabilityTracker, TrackedStep, TrackerCallback

__all__ = [
    # everything at once, for any torch module
    "report",
    "Report",
    "StepSizes",
    "Eigenvalue",
    # of any torch module: eigenvalues, trace and spectrum of the Hessian and the Gauss-Newton matrix
    "top_eigenvalues",
    "Eigenpairs",
    "trace",
    "spectral_density",
    "SpectralDensity",
    "curvature",
    # the top eigenvalue, at zero loss and elsewhere
    "sharpness",
    "hessian_sharpness",
    "sharpness_with_error",
    "Sharpness",
    "residual_curvature",
    # step sizes that SGD stays at
    "mean_square_threshold",
    "Threshold",
    "verify",
    "Certificate",
    "reshuffling_growth",
    "Estimate",
    # through an optimiser's preconditioner, and along the gradients of batches
    "preconditioned_sharpness",
    "PreconditionedSharpness",
    "batch_sharpness",
    "BatchSharpness",
    # along a training
    "StabilityTracker",
    "TrackedStep",
    "TrackerCallback",
    # minima at which units toggle on data points
    "strong_stability_threshold",
    "StrongStability",
]
