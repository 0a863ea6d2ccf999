"""How the claims of `theory.beyond.perturbation` are put to the test."""

from __future__ import annotations

from proofs_check.trial import Trial
from proofs_check.trials.neyshabur2017.perturbation import effect, noisy
from proofs_check.trials.operators import Kind, bounds, right
from theory.beyond.perturbation import B17

TRIALS = (
    Trial(
        B17,
        instances=noisy(),
        mutants=(
            *bounds(B17),
            right(B17, "without a_{i-1} beside f", Kind.DROPPED, lambda g: effect(g, g["point"], "alone")),
            right(B17, "without h_i", Kind.DROPPED, lambda g: effect(g, g["point"], "narrow")),
            right(B17, "h_{i-1} for h_i", Kind.OFF_BY_ONE, lambda g: effect(g, g["point"], "before")),
            right(B17, "without ||W_i||", Kind.DROPPED, lambda g: effect(g, g["point"], "kept")),
        ),
    ),
)
