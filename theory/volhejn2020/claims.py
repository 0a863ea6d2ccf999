"""The claims of Volhejn 2020, in reading order."""

from theory.claim import Claim
from theory.volhejn2020 import (
    estimators,
    ideals,
    interpolants,
    labels,
    rank_correlation,
    regularization,
    spline,
    tendencies,
    training,
    variation,
)

CLAIMS: tuple[Claim, ...] = (
    *variation.CLAIMS,
    *spline.CLAIMS,
    *training.CLAIMS,
    *rank_correlation.CLAIMS,
    *estimators.CLAIMS,
    *labels.CLAIMS,
    *tendencies.CLAIMS,
    *ideals.CLAIMS,
    *interpolants.CLAIMS,
    *regularization.CLAIMS,
)
