"""What a regularised loss leaves of the loss (V18)."""

from __future__ import annotations

from theory.checks import positive, sequence
from theory.piecewise_linear import Real


def regularized_loss_bound(strength: Real, least: Real, reached: Real = 0.0) -> float:
    """Return lambda (S* - S(f)), above which the loss of no minimiser f of L + lambda S lies (V18.b).

    Args:
        strength: lambda, above 0.
        least: S*, the least S of what interpolates the data.
        reached: S(f), at most S*; 0 gives the bound lambda S* of any S that is not negative.

    Raises:
        TypeError: if a value is no real number.
        ValueError: if one is not finite, lambda is not above 0, or S* is below S(f).

    Example:
        >>> from theory.volhejn2020 import regularized_loss_bound
        >>> regularized_loss_bound(strength=0.5, least=1.0, reached=0.75)
        0.125
    """
    (goal,), (own,) = (sequence(name, [value], fewest=1) for name, value in (("least", least), ("reached", reached)))
    if goal < own:
        raise ValueError(f"reached must be at most least = {least}, what interpolates is no smoother, got {reached}")
    return float(positive("strength", strength) * (goal - own))
