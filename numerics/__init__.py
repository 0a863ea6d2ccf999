"""How it is computed: networks, training, sharpness, and slow oracles beside the fast routines.

What most users need is here. Each package has more; `numerics.programs` has the flattest networks, and waits for cvxpy.
"""

from theory.extras import need

need("numerics", "numerics", ("scipy", "torch"))

from numerics.capacity import (
    capacity_measures,
    fold_batch_norm,
    frobenius_product,
    group_norm,
    least_product,
    lipschitz_bounds,
    margin,
    path_norm,
    rescaled,
    spectral_product,
)
from numerics.fleet import train_fleet
from numerics.geometric_complexity import arc_length, dirichlet_energy, lipschitz_bound, operator_norm, transfer_bound
from numerics.networks import TwoLayerReLU, glorot_network, initialise
from numerics.penalties import Penalty
from numerics.smoothness import (
    derivative_variation,
    function_path_length,
    gradient_norm,
    gradient_path_length,
    sample_pairs,
    total_variation,
    weights_product,
)
from numerics.stability import (
    Report,
    Threshold,
    hessian_sharpness,
    mean_square_threshold,
    report,
    reshuffling_growth,
    sharpness,
    strong_stability_threshold,
)
from numerics.training import Member, Outcome, Run, train, train_many

__all__ = [
    # is this minimum stable?
    "report",
    "Report",
    "sharpness",
    "hessian_sharpness",
    "mean_square_threshold",
    "Threshold",
    "strong_stability_threshold",
    "reshuffling_growth",
    # how smooth is this function?
    "gradient_norm",
    "function_path_length",
    "gradient_path_length",
    "sample_pairs",
    "weights_product",
    "total_variation",
    "derivative_variation",
    "dirichlet_energy",
    "arc_length",
    # how much can it stretch? (`numerics.geometric_complexity` has the measure of that name)
    "operator_norm",
    "lipschitz_bound",
    "transfer_bound",
    "lipschitz_bounds",
    # what could it fit? (norms over margins)
    "margin",
    "capacity_measures",
    "path_norm",
    "frobenius_product",
    "spectral_product",
    "group_norm",
    "least_product",
    "rescaled",
    "fold_batch_norm",
    # networks
    "TwoLayerReLU",
    "initialise",
    "glorot_network",
    # training one of them, or many
    "train",
    "train_many",
    "train_fleet",
    "Member",
    "Penalty",
    "Run",
    "Outcome",
]
