"""The claims of this library and of later papers, in reading order."""

from theory.beyond import (
    critical_step,
    dual,
    flat_interpolants,
    mean_square,
    observed,
    pair_variation,
    reshuffling,
    training_loss,
)
from theory.claim import Claim

CLAIMS: tuple[Claim, ...] = (
    *critical_step.CLAIMS,
    *training_loss.CLAIMS,
    *mean_square.CLAIMS,
    *reshuffling.CLAIMS,
    *observed.CLAIMS,
    *dual.CLAIMS,
    *pair_variation.CLAIMS,
    *flat_interpolants.CLAIMS,
)
