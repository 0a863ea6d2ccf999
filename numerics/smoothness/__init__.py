"""The smoothness measures of Volhejn 2020: sampled for any module, exact for two-layer ReLU networks, as penalties.

GN is the mean norm of the gradient over points, PL0 the mean variation of f along the segment between two points, PL1
that of its gradient, WP the sum of |w2_i| ||w1_i||. The derivative of the ReLU at 0 is postulated to be 1 (after eqs 3.1
and 3.7), where torch takes 0; what is sampled can be had with any value between.
"""

from numerics.smoothness.exact import (
    derivative_variation,
    exact_function_path_length,
    exact_gradient_path_length,
    function_path_length_all_pairs,
    gradient_path_length_all_pairs,
    total_variation,
    weights_product,
)
from numerics.smoothness.penalties import (
    function_path_length_penalty,
    gradient_norm_penalty,
    gradient_path_length_penalty,
    weights_product_penalty,
)
from numerics.smoothness.points import Estimate, Points, sample_pairs
from numerics.smoothness.sampled import function_path_length, gradient_norm, gradient_path_length

__all__ = [
    # sampled, for any torch module
    "gradient_norm",
    "function_path_length",
    "gradient_path_length",
    "sample_pairs",
    "Estimate",
    "Points",
    # exact, for two-layer ReLU networks: along pairs, over all pairs, on the line
    "weights_product",
    "exact_function_path_length",
    "exact_gradient_path_length",
    "function_path_length_all_pairs",
    "gradient_path_length_all_pairs",
    "total_variation",
    "derivative_variation",
    # as penalties that autograd can differentiate
    "gradient_norm_penalty",
    "function_path_length_penalty",
    "gradient_path_length_penalty",
    "weights_product_penalty",
]
