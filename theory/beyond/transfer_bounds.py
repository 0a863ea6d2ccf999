"""What a step size allows the geometric complexity of a minimum to be (B25)."""

from __future__ import annotations

from theory.checks import count, positive
from theory.linear_stability import noise_share


def stable_complexity_limit(
    step_size: float, n: int, batch: int, parameters: int, least_transfer: float, outputs: int = 1
) -> float:
    """Return what GC does not exceed at an interpolating minimum that SGD is stable at, > 0 (B25).

    2/(eta (p/k + (1 - p)/P) min_j sum_i T_i^2(x_j)), p = (n - B)/(B (n - 1)); for B = 1 it is 2 k/(eta min_j sum_i T_i^2).

    Args:
        step_size: eta > 0 on (1/2n) sum |f(x_j) - y_j|^2.
        n: the number of points.
        batch: B from 1 to n, drawn without replacement.
        parameters: P, the number of parameters.
        least_transfer: the least over the data of sum_i T_i^2, without the factor 1/min(d, k), above 0.
        outputs: k.

    Raises:
        TypeError: if a number is no real one, or a count no integer.
        ValueError: if step_size or least_transfer is not above 0, a count below 1, or B not between 1 and n.

    Example:
        >>> from theory.beyond import stable_complexity_limit
        >>> round(stable_complexity_limit(step_size=0.25, n=50, batch=1, parameters=101, least_transfer=0.5), 4)
        16.0
    """
    eta, share = float(positive("step_size", step_size)), float(noise_share(count("n", n), batch))
    least = float(positive("least_transfer", least_transfer))
    kept = share / count("outputs", outputs) + (1 - share) / count("parameters", parameters)
    return 2 / (eta * kept * least)
