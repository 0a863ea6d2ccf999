"""The claims of Mulayoff, Michaeli and Soudry 2021, in reading order."""

from theory.claim import Claim
from theory.mulayoff2021 import (
    descent,
    duplicates,
    implementations,
    observed,
    smooth,
    stability,
    switching,
    tendencies,
)

CLAIMS: tuple[Claim, ...] = (
    *stability.CLAIMS,
    *smooth.CLAIMS,
    *switching.CLAIMS,
    *observed.CLAIMS,
    *tendencies.CLAIMS,
    *implementations.CLAIMS,
    *descent.CLAIMS,
    *duplicates.CLAIMS,
)
