"""Neyshabur et al. 2017: norms, margins, sharpness and PAC-Bayes as measures of capacity."""

from theory.neyshabur2017.lipschitz_bounds import (
    l1_inf_norm_product,
    l1_path_lipschitz_bound,
    output_path_lipschitz_bound,
)
from theory.neyshabur2017.pac_bayes_bounds import gaussian_divergence, mcallester_bound
from theory.neyshabur2017.perturbation_bounds import (
    activation_constant,
    expected_sharpness_bound,
    fixed_pattern_bound,
    interaction_constant,
)

__all__ = [
    # bounds on the l_inf Lipschitz constant (N5)
    "l1_inf_norm_product",
    "l1_path_lipschitz_bound",
    "output_path_lipschitz_bound",
    # the PAC-Bayes bound, and the divergence of Gaussians in it (N7)
    "mcallester_bound",
    "gaussian_divergence",
    # conditions C1 and C2, the effect of noise while no unit switches, and expected sharpness (N8, N15, N18)
    "activation_constant",
    "expected_sharpness_bound",
    "fixed_pattern_bound",
    "interaction_constant",
]
