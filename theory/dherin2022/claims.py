"""The claims of Dherin et al. 2022, in reading order."""

from theory.claim import Claim
from theory.dherin2022 import arc_length, complexity, gradients, initialisation, norms, transfer

CLAIMS: tuple[Claim, ...] = (
    *complexity.CLAIMS,
    *arc_length.CLAIMS,
    *initialisation.CLAIMS,
    *norms.CLAIMS,
    *gradients.CLAIMS,
    *transfer.CLAIMS,
)
