"""PAC-Bayes bounds of neyshabur2017 and one that is tighter, on numbers or on networks; each names the assumption that fails.

They bound the expected loss of a network with noise on its weights, and need a prior that does not look at the data. What the
paper measures, with standard deviations that depend on the weights, is beside them, and is no bound (N7.b).
"""

from numerics.pac_bayes.bounds import Assumption, PacBayesBound, kl_bound, mcallester_bound
from numerics.pac_bayes.divergences import (
    PRIOR_DEVIATIONS,
    Divergence,
    divergence_as_printed,
    divergence_from_prior,
)
from numerics.pac_bayes.losses import ExpectedLoss, expected_loss
from numerics.pac_bayes.networks import (
    CurvePoint,
    NetworkBounds,
    PerturbedNetwork,
    PrintedMeasure,
    bicriteria_curve,
    network_bounds,
    printed_measure,
)
from numerics.pac_bayes.unconditional import PerturbationBound, perturbation_bound
from theory.conditions import AssumptionError

__all__ = [
    # bounds, on numbers or on what follows
    "kl_bound",
    "mcallester_bound",
    "PacBayesBound",
    "Assumption",
    "AssumptionError",
    # what goes in: the expected loss, the divergence
    "expected_loss",
    "ExpectedLoss",
    "divergence_from_prior",
    "divergence_as_printed",
    "Divergence",
    "PRIOR_DEVIATIONS",
    # a network's bounds beside the printed measure
    "network_bounds",
    "NetworkBounds",
    "PerturbedNetwork",
    "printed_measure",
    "PrintedMeasure",
    # sharpness against divergence
    "bicriteria_curve",
    "CurvePoint",
    # what noise does to a ReLU network, without conditions
    "perturbation_bound",
    "PerturbationBound",
]
