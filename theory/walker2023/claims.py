"""The claims of Walker 2023, in reading order."""

from theory.claim import Claim
from theory.walker2023 import alignment, coherent_gradients, descent, linear_stability, rademacher, tangent

CLAIMS: tuple[Claim, ...] = (
    *linear_stability.CLAIMS,
    *rademacher.CLAIMS,
    *alignment.CLAIMS,
    *tangent.CLAIMS,
    *coherent_gradients.CLAIMS,
    *descent.CLAIMS,
)
