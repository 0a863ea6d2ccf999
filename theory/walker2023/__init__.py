"""Walker 2023: measures of generalisation made of gradients: coherence, stiffness, tangent features, robust means.

Vectors are per-example gradients, one a row, [m, d]. Functions take floats or rationals, and are exact where they say so.
"""

from theory.walker2023.alignment_bounds import stiffness
from theory.walker2023.coherent_gradients_bounds import batch_coherence, coherence, example_coherence, orthogonal_limit
from theory.walker2023.descent_bounds import coherence_gap_bound, median_of_means, shared_weight, winsorised_mean
from theory.walker2023.rademacher_bounds import empirical_rademacher_margin, rademacher_margin
from theory.walker2023.tangent_bounds import path_rademacher_bound, rademacher_bound, tangent_complexity

__all__ = [
    "batch_coherence",
    "coherence",
    "coherence_gap_bound",
    "empirical_rademacher_margin",
    "example_coherence",
    "median_of_means",
    "orthogonal_limit",
    "path_rademacher_bound",
    "rademacher_bound",
    "rademacher_margin",
    "shared_weight",
    "stiffness",
    "tangent_complexity",
    "winsorised_mean",
]
