"""The claims of Neyshabur et al. 2017, in reading order."""

from theory.claim import Claim
from theory.neyshabur2017 import capacity, lipschitz, pac_bayes, perturbation, sharpness

CLAIMS: tuple[Claim, ...] = (
    *capacity.CLAIMS,
    *lipschitz.CLAIMS,
    *sharpness.CLAIMS,
    *pac_bayes.CLAIMS,
    *perturbation.CLAIMS,
)
