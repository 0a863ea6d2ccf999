"""The claims of Mulayoff, Michaeli and Soudry 2021, in reading order."""

from theory.claim import Claim
from theory.mulayoff2021 import observed, smooth, stability, switching

CLAIMS: tuple[Claim, ...] = (
    *stability.CLAIMS,
    *smooth.CLAIMS,
    *switching.CLAIMS,
    *observed.CLAIMS,
)
