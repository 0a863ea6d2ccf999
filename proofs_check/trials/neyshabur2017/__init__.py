"""How the claims of Neyshabur et al. 2017 are put to the test, in reading order."""

from proofs_check.trial import Trial
from proofs_check.trials.neyshabur2017 import capacity, lipschitz, pac_bayes, perturbation, sharpness

TRIALS: tuple[Trial, ...] = (
    *capacity.TRIALS,
    *lipschitz.TRIALS,
    *sharpness.TRIALS,
    *pac_bayes.TRIALS,
    *perturbation.TRIALS,
)
