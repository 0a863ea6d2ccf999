"""The claims of Volhejn 2020, in reading order."""

from theory.claim import Claim
from theory.volhejn2020 import estimators, labels, rank_correlation, spline, training, variation

CLAIMS: tuple[Claim, ...] = (
    *variation.CLAIMS,
    *spline.CLAIMS,
    *training.CLAIMS,
    *rank_correlation.CLAIMS,
    *estimators.CLAIMS,
    *labels.CLAIMS,
)
