"""How the claims of Mulayoff, Michaeli and Soudry 2021 are put to the test, in reading order."""

from proofs_check.trial import Trial
from proofs_check.trials.mulayoff2021 import (
    descent,
    duplicates,
    implementations,
    observed,
    smooth,
    stability,
    switching,
    tendencies,
)

TRIALS: tuple[Trial, ...] = (
    *stability.TRIALS,
    *smooth.TRIALS,
    *switching.TRIALS,
    *observed.TRIALS,
    *tendencies.TRIALS,
    *implementations.TRIALS,
    *descent.TRIALS,
    *duplicates.TRIALS,
)
