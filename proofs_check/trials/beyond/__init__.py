"""How the claims of this library and of later papers are put to the test, in reading order."""

from proofs_check.trial import Trial
from proofs_check.trials.beyond import (
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

TRIALS: tuple[Trial, ...] = (
    *critical_step.TRIALS,
    *training_loss.TRIALS,
    *mean_square.TRIALS,
    *reshuffling.TRIALS,
    *observed.TRIALS,
    *dual.TRIALS,
    *pair_variation.TRIALS,
    *flat_interpolants.TRIALS,
    *complexity.TRIALS,
    *arc_length.TRIALS,
    *initialisation.TRIALS,
    *norms.TRIALS,
    *gradients.TRIALS,
    *transfer.TRIALS,
    *capacity.TRIALS,
    *lipschitz.TRIALS,
    *pac_bayes.TRIALS,
    *perturbation.TRIALS,
)
