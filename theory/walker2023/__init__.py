"""Walker 2023: measures of generalisation made of gradients: coherence, stiffness, tangent features, robust means.

Vectors are per-example gradients, one a row, [m, d]. Functions take floats or rationals, and are exact where they say so.
"""

from theory.walker2023.alignment_bounds import stiffness
from theory.walker2023.coherent_gradients_bounds import batch_coherence, coherence, example_coherence, orthogonal_limit
from theory.walker2023.descent_bounds import coherence_gap_bound, median_of_means, shared_weight, winsorised_mean
from theory.walker2023.rademacher_bounds import empirical_rademacher_margin, rademacher_margin
from theory.walker2023.tangent_bounds import path_rademacher_bound, rademacher_bound, tangent_complexity

__all__ = [
    # how far gradients agree (W4, W8, W9, W11)
    "coherence",
    "stiffness",
    "batch_coherence",
    "example_coherence",
    "orthogonal_limit",
    # robust means of gradients (W12)
    "winsorised_mean",
    "median_of_means",
    # bounds on the generalisation gap (W3, W5 to W7, W10)
    "coherence_gap_bound",
    "rademacher_bound",
    "path_rademacher_bound",
    "tangent_complexity",
    "rademacher_margin",
    "empirical_rademacher_margin",
    # the example of a feature that all data share (W13)
    "shared_weight",
]
