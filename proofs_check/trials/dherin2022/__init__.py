"""How the claims of Dherin et al. 2022 are put to the test, in reading order."""

from proofs_check.trial import Trial
from proofs_check.trials.dherin2022 import arc_length, complexity, gradients, initialisation, norms, transfer

TRIALS: tuple[Trial, ...] = (
    *complexity.TRIALS,
    *arc_length.TRIALS,
    *initialisation.TRIALS,
    *norms.TRIALS,
    *gradients.TRIALS,
    *transfer.TRIALS,
)
