"""Dherin et al. 2022: geometric complexity, the mean squared norm of the Jacobian on the data."""

from theory.dherin2022.complexity_bounds import linear_complexity, lipschitz_complexity_bound
from theory.dherin2022.initialisation_bounds import dead_probability, entry_variances, expected_geometric_complexity
from theory.dherin2022.norms_bounds import (
    norm_product,
    penalty_complexity_bound,
    spectral_complexity_bound,
    spectral_penalty_complexity_bound,
)
from theory.dherin2022.transfer_bounds import geometric_complexity_bound, transfer_bound

__all__ = [
    # geometric complexity of affine maps, and by a Lipschitz constant (D2, D4)
    "linear_complexity",
    "lipschitz_complexity_bound",
    # Lipschitz constant and geometric complexity by norms of the weight matrices (D8, D17, D18)
    "norm_product",
    "penalty_complexity_bound",
    "spectral_complexity_bound",
    "spectral_penalty_complexity_bound",
    # Theorem 5.1 as it holds at a point, and on a data set (D10)
    "transfer_bound",
    "geometric_complexity_bound",
    # the complexity of ReLU networks without biases at initialisation (D16, B24)
    "expected_geometric_complexity",
    "dead_probability",
    "entry_variances",
]
