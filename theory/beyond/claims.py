"""The claims of this library and of later papers, in reading order."""

from theory.beyond import (
    arc_length,
    capacity,
    complexity,
    critical_step,
    dual,
    flat_interpolants,
    gradients,
    initialisation,
    lipschitz,
    mean_square,
    norms,
    observed,
    pac_bayes,
    pair_variation,
    perturbation,
    reshuffling,
    training_loss,
    transfer,
)
from theory.claim import Claim

CLAIMS: tuple[Claim, ...] = (
    *critical_step.CLAIMS,
    *training_loss.CLAIMS,
    *mean_square.CLAIMS,
    *reshuffling.CLAIMS,
    *observed.CLAIMS,
    *dual.CLAIMS,
    *pair_variation.CLAIMS,
    *flat_interpolants.CLAIMS,
    *complexity.CLAIMS,
    *arc_length.CLAIMS,
    *initialisation.CLAIMS,
    *norms.CLAIMS,
    *gradients.CLAIMS,
    *transfer.CLAIMS,
    *capacity.CLAIMS,
    *lipschitz.CLAIMS,
    *pac_bayes.CLAIMS,
    *perturbation.CLAIMS,
)
