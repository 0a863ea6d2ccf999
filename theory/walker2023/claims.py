"""The claims of Walker 2023, in reading order."""

from theory.claim import Claim
from theory.walker2023 import (
    alignment,
    coherent_gradients,
    descent,
    early_coherence,
    linear_stability,
    rademacher,
    tangent,
    tendencies,
)

CLAIMS: tuple[Claim, ...] = (
    *linear_stability.CLAIMS,
    *rademacher.CLAIMS,
    *alignment.CLAIMS,
    *tangent.CLAIMS,
    *coherent_gradients.CLAIMS,
    *descent.CLAIMS,
    *early_coherence.CLAIMS,
    *tendencies.CLAIMS,
)
