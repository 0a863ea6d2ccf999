"""Norms and margins of neyshabur2017 for any feed-forward module: in logarithms, with what each counts said.

Layers without a rule raise `UnsupportedLayerError`. Batch norm is folded before anything is measured.
"""

from numerics.capacity.balance import LeastFrobeniusProduct, least_frobenius_product
from numerics.capacity.folding import fold_batch_norm
from numerics.capacity.group_norms import group_norm
from numerics.capacity.least import LeastProduct, least_product
from numerics.capacity.lipschitz import (
    LipschitzBounds,
    SteepestPiece,
    TwoLayerLipschitz,
    lipschitz_bounds,
    steepest_piece,
    two_layer_lipschitz,
)
from numerics.capacity.margins import Margin, margin
from numerics.capacity.measures import CapacityMeasures, capacity_measures
from numerics.capacity.path_norms import PathNorm, path_norm
from numerics.capacity.products import NormProduct, frobenius_product, spectral_product
from numerics.capacity.rescaling import rescaled
from numerics.capacity.semidefinite import SemidefiniteLipschitz, check_lipschitz_certificate, semidefinite_lipschitz
from numerics.geometric_complexity.graph import UnsupportedLayerError

__all__ = [
    # the four measures over the square of the margin
    "capacity_measures",
    "CapacityMeasures",
    "margin",
    "Margin",
    # norms
    "path_norm",
    "PathNorm",
    "frobenius_product",
    "spectral_product",
    "NormProduct",
    "group_norm",
    # the same function with other weights
    "least_product",
    "LeastProduct",
    "least_frobenius_product",
    "LeastFrobeniusProduct",
    "rescaled",
    "fold_batch_norm",
    # how much can it stretch?
    "lipschitz_bounds",
    "LipschitzBounds",
    "two_layer_lipschitz",
    "TwoLayerLipschitz",
    "steepest_piece",
    "SteepestPiece",
    "semidefinite_lipschitz",
    "SemidefiniteLipschitz",
    "check_lipschitz_certificate",
    "UnsupportedLayerError",
]
