"""Volhejn 2020: path lengths over all pairs of the data, without sampling, and what the experiments rest on.

PL0 is the mean total variation of f along the segment between two points, PL1 that of its gradient; the mean is over
all n^2 ordered pairs of the data, a point with itself included (eqs 3.5 and 3.7).
"""

from theory.path_lengths import function_path_length, gradient_path_length, network_path_length, weights_product
from theory.volhejn2020.interpolants_bounds import spline_gradient_path_length
from theory.volhejn2020.labels_bounds import label_path_length, path_length_bound, spline_path_length
from theory.volhejn2020.rank_correlation_bounds import PairCounts, kendall_tau_b, pair_counts, tau_b_ceiling
from theory.volhejn2020.regularization_bounds import regularized_loss_bound
from theory.volhejn2020.training_bounds import initialization_limit
from theory.volhejn2020.variation_bounds import sampling_error_bound

__all__ = [
    # path lengths over all pairs of the data, of functions and of networks
    "function_path_length",
    "gradient_path_length",
    "network_path_length",
    "weights_product",
    # what the labels alone say of them (V14)
    "path_length_bound",
    "label_path_length",
    "spline_path_length",
    # the least gradient path length on a line, and what regularising leaves of the loss (V21, V18)
    "spline_gradient_path_length",
    "regularized_loss_bound",
    # rank correlation with ties (V12)
    "kendall_tau_b",
    "tau_b_ceiling",
    "pair_counts",
    "PairCounts",
    # how the experiments initialise and sample (V10, V4)
    "initialization_limit",
    "sampling_error_bound",
]
