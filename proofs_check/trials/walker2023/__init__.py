"""How the claims of Walker 2023 are put to the test, in reading order."""

from proofs_check.trial import Trial
from proofs_check.trials.walker2023 import (
    alignment,
    coherent_gradients,
    descent,
    early_coherence,
    linear_stability,
    rademacher,
    tangent,
    tendencies,
)

TRIALS: tuple[Trial, ...] = (
    *linear_stability.TRIALS,
    *rademacher.TRIALS,
    *alignment.TRIALS,
    *tangent.TRIALS,
    *coherent_gradients.TRIALS,
    *descent.TRIALS,
    *early_coherence.TRIALS,
    *tendencies.TRIALS,
)
