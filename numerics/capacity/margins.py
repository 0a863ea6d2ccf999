"""The margin of a classifier over a data set (neyshabur2017, section 2.2 and appendix A)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import torch

from numerics.geometric_complexity.modules import logits, subject
from numerics.smoothness.modules import ROWS
from numerics.stability.models import labels_of
from theory.checks import Array


@dataclass(frozen=True, eq=False)
class Margin:
    """The margins f(x)[y] - max_{j != y} f(x)[j] of some points, and what stands for them all.

    Attributes:
        margins: of each point, [m].
        epsilon: the share of points that may violate the margin.
        order_statistic: the ceil(epsilon m)-th smallest margin, the smallest where that is 0. Section 2.2 asks for "the
            lowest value of gamma such that ceil(epsilon m) data points have margin lower than gamma": of such gamma this is
            the infimum, and it is not one of them.
        percentile: the quantile at epsilon with linear interpolation between order statistics, numpy's: appendix A's
            "5th-percentile". Either may be the larger, and positive where the other is not.
        smallest: the smallest margin, section 2.2's "hard margin".
    """

    margins: Array
    epsilon: float
    order_statistic: float
    percentile: float
    smallest: float

    @property
    def value(self) -> float:
        """The order statistic, which section 2.2 defines."""
        return self.order_statistic

    @property
    def violations(self) -> int:
        """How many points have a margin <= 0: they are misclassified, or tied with another label."""
        return int((self.margins <= 0).sum())

    @property
    def meaning(self) -> str:
        """What can be said of the points by the order statistic, in a sentence."""
        m, rank = len(self.margins), _rank(self.epsilon, len(self.margins))
        if self.order_statistic > 0:
            return (
                f"at least {m - rank + 1} of {m} points are classified right with a margin of {self.order_statistic:.6g} or "
                "more"
            )
        return (
            f"{self.violations} of {m} points, at least {rank}, have a margin <= 0: they are misclassified or tied, no "
            "gamma > 0 is a margin that all but these few have, and a norm over gamma^2 bounds nothing"
        )


def margin(model: Any, x: Any, y: Any, epsilon: float = 0.05) -> Margin:
    """Return the margin of a classifier on labelled points, by each definition of neyshabur2017.

    Args:
        model: gives each row of x its k >= 2 logits; in eval mode.
        x: the inputs, [m, ...], floats.
        y: the labels, [m], integers from 0 to k - 1.
        epsilon: the share of points that may violate the margin, from 0 (the hard margin, by both definitions) to 1; it is
            taken as the decimal that it prints as, so that ceil(0.07 x 100) is 7.

    Raises:
        TypeError: if `model` is no module, x holds no floats, y no integers, or epsilon is no real number.
        ValueError: if x is empty or not finite; if the model is not in eval mode, fails on x, returns nan, probabilities, one
            logit, or an output that depends on other rows; if a label is out of range; or if epsilon is not from 0 to 1.

    Example:
        >>> import torch
        >>> from numerics.capacity import margin
        >>> model = torch.nn.Linear(1, 2, bias=False, dtype=torch.float64)
        >>> _ = model.weight.data.copy_(torch.tensor([[1.0], [-1.0]]))
        >>> found = margin(model, torch.tensor([[1.0], [2.0], [3.0], [-0.5]]), [0, 0, 0, 0], epsilon=0.5)
        >>> found.order_statistic, found.percentile, found.smallest, found.violations
        (2.0, 3.0, -1.0, 1)
    """
    share = _share(epsilon)
    given = subject(model, x)
    if given.outputs < 2:
        raise ValueError(f"model must return [m, k] with k >= 2, a logit for each label, got k = {given.outputs}")
    labels = labels_of(y, len(given.x), given.outputs).to(given.x.device)
    parts = []
    with torch.no_grad():
        for rows, wanted in zip(given.x.split(ROWS), labels.split(ROWS), strict=True):
            scores = logits(given.model, rows).to(torch.float64)
            right = scores.gather(1, wanted[:, None])
            others = scores.scatter(1, wanted[:, None], -math.inf)
            parts.append((right[:, 0] - others.amax(dim=1)).cpu())
    margins: Array = torch.cat(parts).numpy()
    rank = _rank(share, len(margins))
    return Margin(
        margins,
        share,
        float(np.partition(margins, rank - 1)[rank - 1]),
        float(np.quantile(margins, share)),
        float(margins.min()),
    )


def _share(epsilon: object) -> float:
    """Return a share.

    Raises:
        TypeError: if it is no real number.
        ValueError: if it is not from 0 to 1.
    """
    if isinstance(epsilon, bool) or not isinstance(epsilon, (int, float, np.integer, np.floating)):
        raise TypeError(f"epsilon must be a real number, got {epsilon!r} of type {type(epsilon).__name__}")
    if not 0 <= epsilon <= 1:
        raise ValueError(f"epsilon must be from 0 to 1, got {epsilon}")
    return float(epsilon)


def _rank(share: float, m: int) -> int:
    return max(1, math.ceil(Fraction(repr(share)) * m))
