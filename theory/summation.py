"""Running sums that do not lose what their additions round away."""

from __future__ import annotations

import numpy as np

from theory.checks import Array


def running_sums(terms: Array) -> Array:
    """Return the partial sums of the terms, [n]; exact for rationals, for floats to one rounding and (n eps)^2 sum |t|.

    What each addition of a plain running sum loses is known without error (Knuth's two-sum), so it is added back. Sums
    beyond the range of floats are returned as they overflow.
    """
    sums: Array = np.cumsum(terms)
    if terms.dtype == object or not len(terms) or not np.isfinite(sums).all():
        return sums
    before, after = sums[:-1], sums[1:]
    added = after - before
    lost = (before - (after - added)) + (terms[1:] - added)
    sums[1:] = after + np.cumsum(lost)
    return sums
