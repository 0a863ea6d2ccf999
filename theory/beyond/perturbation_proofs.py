"""The proof of B17."""

from __future__ import annotations

from theory.neyshabur2017.perturbation_proofs import effects
from theory.proof import Proof


def b17() -> Proof:
    """Layer by layer: what comes from below, and the noise of the layer on what it is given."""
    steps, left, right = effects()
    return Proof(
        steps,
        "networks of any depth and widths, any point, and any noise that is independent between layers, of mean 0, with "
        "uncorrelated entries of one variance a layer; activations that move no two values apart",
        lhs=left,
        rhs=right,
    )
