"""What moving the weights does to any module: sharpness, greatest and expected, and the conditions of neyshabur2017 on it."""

from numerics.perturbation.condition_bounds import NoiseEffect, Sides, noise_effects
from numerics.perturbation.conditions import Conditions, Undefined, conditions
from numerics.perturbation.expected import ExpectedSharpness, expected_sharpness, weight_scaled_std
from numerics.perturbation.maximum import MaxSharpness, max_sharpness

__all__ = [
    "max_sharpness",
    "MaxSharpness",
    "expected_sharpness",
    "ExpectedSharpness",
    "weight_scaled_std",
    # C1 to C3 at points of a ReLU network, and both sides of what is said to follow from them
    "conditions",
    "Conditions",
    "noise_effects",
    "NoiseEffect",
    "Sides",
    "Undefined",
]
