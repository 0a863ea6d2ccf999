"""How the claims of Volhejn 2020 are put to the test, in reading order."""

from proofs_check.trial import Trial
from proofs_check.trials.volhejn2020 import (
    estimators,
    ideals,
    interpolants,
    labels,
    rank_correlation,
    regularization,
    spline,
    tendencies,
    training,
    variation,
)

TRIALS: tuple[Trial, ...] = (
    *variation.TRIALS,
    *spline.TRIALS,
    *training.TRIALS,
    *rank_correlation.TRIALS,
    *estimators.TRIALS,
    *labels.TRIALS,
    *tendencies.TRIALS,
    *ideals.TRIALS,
    *interpolants.TRIALS,
    *regularization.TRIALS,
)
