"""Bounds of our own and of later papers: step sizes of data sets, of SGD and of reshuffling, dual bounds, flat interpolants."""

from theory.beyond.complexity_bounds import batch_complexity_variance
from theory.beyond.critical_step_bounds import critical_step_size, lowest_weight, smallest_curvature
from theory.beyond.dual_bounds import dual_sharpness_bound
from theory.beyond.flat_interpolants_bounds import flattest_range, sample_flattest, varies_least
from theory.beyond.gradients_bounds import expected_squared_gradient, label_noise_pressure
from theory.beyond.lipschitz_bounds import (
    exact_lipschitz_constant,
    fat_shattering_dimension,
    two_layer_lipschitz_bound,
)
from theory.beyond.mean_square_bounds import (
    batch_share_bound,
    direction_bound,
    expansion_bound,
    frobenius_limit,
    norm_bound,
    stability_threshold,
    trace_bound,
    trace_limit,
)
from theory.beyond.momentum_bounds import heavy_ball_threshold, momentum_threshold, nesterov_threshold
from theory.beyond.norms_bounds import (
    frobenius_complexity_bound,
    gaussian_overlap,
    two_layer_complexity,
    unit_complexity_bound,
)
from theory.beyond.pac_bayes_bounds import kl_bound, linear_expected_sharpness
from theory.beyond.perturbation_bounds import perturbation_bound
from theory.beyond.reshuffling_bounds import batch_bound, epoch_growth, orthonormal_reshuffling_threshold
from theory.beyond.training_loss_bounds import curvature_bound_with_loss, loss_term, sharp_loss_term
from theory.beyond.transfer_bounds import stable_complexity_limit

__all__ = [
    # the step size beyond which no interpolating minimum is stable (B1)
    "critical_step_size",
    "smallest_curvature",
    "lowest_weight",
    # curvature at a training loss above 0 (B7)
    "curvature_bound_with_loss",
    "loss_term",
    "sharp_loss_term",
    # step sizes that SGD is stable at (B3) ...
    "stability_threshold",
    "norm_bound",
    "expansion_bound",
    "batch_share_bound",
    # ... or not, and what follows of the Hessian
    "direction_bound",
    "trace_bound",
    "frobenius_limit",
    "trace_limit",
    # with momentum, and gradient descent with it (B11)
    "momentum_threshold",
    "heavy_ball_threshold",
    "nesterov_threshold",
    # the same for reshuffled data (B9)
    "batch_bound",
    "epoch_growth",
    "orthonormal_reshuffling_threshold",
    # the sharpness of all networks that compute a function (B2)
    "dual_sharpness_bound",
    # interpolants whose derivative varies least (B10)
    "varies_least",
    "flattest_range",
    "sample_flattest",
    # the squared gradient of the loss, over batches (B15) and label noise (B16)
    "expected_squared_gradient",
    "label_noise_pressure",
    # the geometric complexity of stable minima (B25)
    "stable_complexity_limit",
    # geometric complexity on a batch (B14)
    "batch_complexity_variance",
    # of two layers, and by norms of the weights (B12, B13)
    "two_layer_complexity",
    "unit_complexity_bound",
    "gaussian_overlap",
    "frobenius_complexity_bound",
    # Lipschitz constants of two layers (B20), and what Lipschitz functions shatter (B21)
    "exact_lipschitz_constant",
    "two_layer_lipschitz_bound",
    "fat_shattering_dimension",
    # PAC-Bayes with a list of priors (B19), and expected sharpness in closed form (B18)
    "kl_bound",
    "linear_expected_sharpness",
    # what noise in the weights does to a network, without conditions (B17)
    "perturbation_bound",
]
