"""How far the weights lie from zero at the start (V10)."""

from __future__ import annotations

import math
from typing import Any

from theory.checks import count, positive


def initialization_limit(fan_in: int, fan_out: int, scale: Any = 1) -> float:
    """Return l = sqrt(6 alpha / (fan_in + fan_out)): weights uniform on [-l, l] (V10.a; eq 4.1 prints 3 for 6).

    The variance is 2 alpha / (fan_in + fan_out), which at alpha = 1 is Glorot's. It is what the experiments ran:
    Keras' VarianceScaling(alpha, "fan_avg", "uniform").

    Args:
        fan_in: units that feed the layer, at least 1.
        fan_out: units of the layer, at least 1.
        scale: alpha, above 0.

    Raises:
        TypeError: if a value is no real number, or a fan no integer.
        ValueError: if a fan is below 1, or alpha not finite and above 0.

    Example:
        >>> from theory.volhejn2020 import initialization_limit
        >>> round(initialization_limit(fan_in=784, fan_out=256, scale=0.01), 4)
        0.0076
    """
    fans = count("fan_in", fan_in) + count("fan_out", fan_out)
    return math.sqrt(6 * positive("scale", scale) / fans)
