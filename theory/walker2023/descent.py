"""Walker 2023 on gradient descent: W10 on the generalisation gap, W12 on robust means, W13 on the motivating example."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

import numpy as np
import sympy as sp

from theory.checks import Array, count, dot, exact_matrix, exact_vector, nonnegative, positive, rationals, real_array
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.enclosure import Enclosure, square_root
from theory.sources import WALKER2023, Source
from theory.symbols import STEP_SIZE, Symbol
from theory.walker2023 import descent_proofs as proofs
from theory.walker2023.descent_bounds import (
    coherence_gap_bound,
    level_of,
    median_of_means,
    shared_weight,
    winsorised_mean,
)


def _slopes(name: str, value: Any) -> Array:
    """Return gradients of losses on the line, exact: [N, 2, K], the places of K knots in a row, and the values there.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the shape is another, or the knots are not in increasing order.
    """
    curves = rationals(real_array(name, value, ndim=3))
    if curves.shape[1] != 2 or 0 in curves.shape:
        raise ValueError(f"{name} must be knots and values for each loss, [N, 2, K], got shape {curves.shape}")
    if np.any(np.diff(curves[:, 0], axis=1) <= 0):
        raise ValueError(f"{name} must have its knots in increasing order")
    return curves


def _steps(name: str, value: Any) -> Array:
    steps = exact_vector(name, value)
    for step in steps:
        positive(name, step)
    return steps


def _column(name: str, value: Any) -> Array:
    """Return at least one number, exact, [m].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if there is none, or one is not finite.
    """
    numbers = exact_vector(name, value)
    if not len(numbers):
        raise ValueError(f"{name} must hold at least one number, got none")
    return numbers


def _picked(name: str, value: Any) -> tuple[int, ...]:
    """Return numbers of examples, counted from 0.

    Raises:
        TypeError: if one is no integer.
        ValueError: if one is below 0.
    """
    return tuple(count(name, number, fewest=0) for number in value)


LOSS_SLOPES = Symbol(
    "loss_slopes",
    r"(\nabla l_z)",
    "derivatives of equally likely losses of one weight, piecewise linear and constant outside: knots and values, [N, 2, K]",
    _slopes,
)
STEPS = Symbol("step_sizes", r"(\eta_t)", "step sizes, above 0, [T]", _steps)
SAMPLE = Symbol("sample", "S", "the run at hand: the m examples it is trained on, by number, from 0", _picked)
EXAMPLE_COUNT = Symbol("sample_size", "m", "number of independent examples in a sample, at least 1", count)
VALUES = Symbol("values", r"g_i^{(j)}", "one coordinate of the gradients, rationals, [m]", _column)
LEVEL = Symbol("level", "c", "level of winsorization, 0 to 50 per cent", lambda n, v: Fraction(level_of(n, v)))
OUTLIERS = Symbol("outliers", "O", "the examples that may be anything, by number, from 0", _picked)
GROUPS = Symbol("groups", "k", "number of groups, 1 to m", count)
DESIGN = Symbol("design", "X", "inputs of the motivating example, one a row, [n, 6]", exact_matrix)
LABELS = Symbol("labels", "y", "its labels, [n]", _column)
ENTRY = Symbol("entry", "j", "number of an entry of the inputs, from 0", lambda n, v: count(n, v, fewest=0))
EXAMPLES = Symbol("examples", "m", "number of training examples, at least 1", count)
STRENGTH = Symbol("strength", "s", "of the shared entry, at least 0", lambda n, v: Fraction(nonnegative(n, v)))
TIMES = Symbol("steps", "t", "number of steps of gradient descent, at least 0", lambda n, v: count(n, v, fewest=0))

_UNIFORM_NOTE = "Losses of one weight whose gradients are piecewise linear, full-batch steps, all samples enumerated."


def slope_at(curve: Array, w: Fraction) -> Fraction:
    """Return the derivative of a loss at a weight, exactly."""
    knots, values = curve
    i = bisect_left(list(knots), w)
    if i == 0 or i == len(knots):
        return Fraction(values[min(i, len(knots) - 1)])
    share = (w - knots[i - 1]) / (knots[i] - knots[i - 1])
    return Fraction(values[i - 1] + share * (values[i] - values[i - 1]))


def loss_at(curve: Array, w: Fraction) -> Fraction:
    """Return a loss at a weight, exactly, with the value 0 at its first knot: the area under its derivative."""
    start = Fraction(curve[0, 0])
    ends = [start, w] if w < start else [start, *(k for k in curve[0] if start < k < w), w]
    heights = [slope_at(curve, end) for end in ends]
    areas = ((b - a) * (f + g) / 2 for a, b, f, g in zip(ends, ends[1:], heights, heights[1:], strict=False))
    return sum(areas, Fraction(0))


def run(curves: Array, sample: Sequence[int], step_sizes: Array) -> list[Fraction]:
    """Return the weights w_0 = 0, .., w_T of gradient descent on a sample, exactly, [T + 1]."""
    weights = [Fraction(0)]
    for eta in step_sizes:
        slope = sum((slope_at(curves[z], weights[-1]) for z in sample), Fraction(0)) / len(sample)
        weights.append(weights[-1] - Fraction(eta) * slope)
    return weights


def coherence_at(curves: Array, w: Fraction) -> Fraction:
    """Return the coherence of all losses at a weight, exactly; 1 where all gradients are 0 and nothing differs."""
    slopes = [slope_at(curve, w) for curve in curves]
    total = sum((g * g for g in slopes), Fraction(0))
    return sum(slopes, Fraction(0)) ** 2 / (len(slopes) * total) if total else Fraction(1)


def gap(curves: Array, m: int, step_sizes: Array) -> Fraction:
    """Return the expected difference of test and training loss over all samples of m, exactly."""
    total = Fraction(0)
    for sample in product(range(len(curves)), repeat=m):
        end = run(curves, sample, step_sizes)[-1]
        losses = [loss_at(curve, end) for curve in curves]
        total += sum(losses, Fraction(0)) / len(curves) - sum((losses[z] for z in sample), Fraction(0)) / m
    return total / Fraction(len(curves)) ** m


def constants(curves: Array) -> tuple[Fraction, Fraction]:
    """Return L, the largest |derivative| of the losses, and beta, the largest slope of a derivative."""
    rises = np.abs(np.diff(curves[:, 1], axis=1)) / np.diff(curves[:, 0], axis=1)
    return Fraction(np.abs(curves[:, 1]).max()), Fraction(max(rises.ravel(), default=0))


def spread(alpha: Fraction) -> Enclosure:
    """Return sqrt(2 (1 - alpha))."""
    return square_root(2 * (1 - alpha))


def along(spreads: Sequence[Enclosure], step_sizes: Array, growth: Fraction) -> Enclosure:
    """Return sum_t prod_{k > t} (1 + growth eta_k) eta_t spread_t, one step after another."""
    total = Enclosure.exactly(Fraction(0))
    for eta, value in zip(step_sizes, spreads, strict=True):
        factor = 1 + growth * eta
        total = Enclosure(total.lower * factor + eta * value.lower, total.upper * factor + eta * value.upper)
    return total


def one_run(given: Instance) -> tuple[Enclosure, Enclosure]:
    """Return the gap, and the printed bound along the run at hand."""
    curves, steps, sample = given["loss_slopes"], given["step_sizes"], given["sample"]
    lipschitz, beta = constants(curves)
    spreads = [spread(coherence_at(curves, w)) for w in run(curves, sample, steps)[:-1]]
    bound = along(spreads, steps, beta).times(lipschitz**2 / len(sample))
    return Enclosure.exactly(abs(gap(curves, len(sample), steps))), bound


def coherences_of_runs(given: Instance) -> list[list[Fraction]]:
    """Return the coherence before each step, one run a row, over all samples, [N^m, T]."""
    curves, steps, m = given["loss_slopes"], given["step_sizes"], given["sample_size"]
    samples = product(range(len(curves)), repeat=m)
    return [[coherence_at(curves, w) for w in run(curves, sample, steps)[:-1]] for sample in samples]


def expected_bound(given: Instance, growth: Fraction) -> Enclosure:
    """Return (L^2 / m) times the mean over all runs of the sum in which each step grows by `growth` eta."""
    runs, steps = coherences_of_runs(given), given["step_sizes"]
    each = [along([spread(a) for a in alphas], steps, growth) for alphas in runs]
    mean = Enclosure(sum(v.lower for v in each), sum(v.upper for v in each))
    return mean.times(constants(given["loss_slopes"])[0] ** 2 / (given["sample_size"] * len(runs)))


def all_runs(given: Instance) -> tuple[Enclosure, Enclosure]:
    """Return the gap, and the repaired bound."""
    curves, m = given["loss_slopes"], given["sample_size"]
    growth = constants(curves)[1] * Fraction(m + 1, m)
    return Enclosure.exactly(abs(gap(curves, m, given["step_sizes"]))), expected_bound(given, growth)


def _reads_runs(given: Instance) -> dict[str, Any]:
    """Return what the symbols of W10.a's proof are, over all samples and all changes of one of their examples.

    D is the mean distance of the two runs before each step and after the last, d the mean difference of the losses of the
    new example, Q the product of the growths before each step and after the last, r the mean of sqrt(2 (1 - alpha)).
    """
    curves, steps, m = given["loss_slopes"], given["step_sizes"], given["sample_size"]
    lipschitz, beta = constants(curves)
    samples = list(product(range(len(curves)), repeat=m))
    runs = {sample: run(curves, sample, steps) for sample in samples}
    pairs = [(runs[sample], runs[(z, *sample[1:])], curves[z]) for sample in samples for z in range(len(curves))]
    growths = [1 + Fraction(m + 1, m) * Fraction(eta) * beta for eta in steps]
    spreads = [
        sum(sp.sqrt(sp.Rational(2 * (1 - coherence_at(curves, runs[sample][t])))) for sample in samples) / len(samples)
        for t in range(len(steps))
    ]
    return {
        "T": len(steps),
        "m": m,
        "L": lipschitz,
        "eta": steps,
        "Q": [prod(growths[:t], start=Fraction(1)) for t in range(len(steps) + 1)],
        "r": spreads,
        "D": [sum(abs(w[t] - v[t]) for w, v, _ in pairs) / len(pairs) for t in range(len(steps) + 1)],
        "d": sum(loss_at(curve, w[-1]) - loss_at(curve, v[-1]) for w, v, curve in pairs) / len(pairs),
    }


def _gap_bound_on(given: Instance) -> float:
    lipschitz, beta = constants(given["loss_slopes"])
    runs = rationals(coherences_of_runs(given))
    return coherence_gap_bound(runs, given["step_sizes"], lipschitz, beta, given["sample_size"])


def wells(*, reach: int, offset: Fraction, sample: tuple[int, ...]) -> Instance:
    """Return three losses on the line, trained on one example for two steps, whose gap exceeds the bound of one run.

    After the first step, of size 1, the runs are at 1 and, twice, 1 - offset. Seen from the first all three gradients are
    equal. The other two lie a slope of 1 apart from it, one either way, so that after the second step, of size `reach`,
    each run is at the bottom of a well of its own, and far up the walls of the others'.

    Args:
        reach: the second step size, at least 8.
        offset: above 0, less than 1/4.
        sample: the run at hand.
    """
    far, near = 1 - offset, 1 - 2 * offset
    middle, left, right = 1 + reach * far, far + reach * near, far + reach
    curves: list[list[tuple[int | Fraction, int | Fraction]]] = [
        [(0, -1), (1, -far), (3, -1), (middle - 1, -1), (middle + 1, 1)],
        [(0, -far), (far, -near), (1, -far), (left - 2, -far), (left, 1)],
        [(0, -far), (far, -1), (1, -far), (3, -1), (right, -1)],
    ]
    return Instance(
        {
            "loss_slopes": rationals([[[k for k, _ in curve], [v for _, v in curve]] for curve in curves]),
            "step_sizes": rationals([1, reach]),
            "sample": sample,
            "sample_size": len(sample),
        },
        "named",
    )


W10 = Claim(
    id="W10",
    source=Source(WALKER2023, "Theorem 5.4, run by run"),
    statement=r"|\mathrm{gap}(\mathcal D, m)| \le \frac{L^2}{m} \sum_{t=1}^T \prod_{k=t+1}^T (1 + \eta_k\beta)\, \eta_t "
    r"\sqrt{2(1 - \alpha(w_{t-1}))}",
    form=Form.AT_MOST,
    symbols=(LOSS_SLOPES, STEPS, SAMPLE),
    assumptions=(
        Assumption(
            "the sample is of examples there are",
            lambda given: bool(given["sample"]) and set(given["sample"]) <= set(range(len(given["loss_slopes"]))),
            bool,
        ),
    ),
    sides=one_run,
    finding=Finding.CONJECTURE,
    note=f"{_UNIFORM_NOTE} Not a finding on the theorem. The gap is an expectation, the right side depends on the run: three "
    "losses, one example, two steps, and the run whose alpha(w_1) is 1 has a bound of 1.498 below the gap, 1.667. With one "
    "example stochastic and full-batch steps coincide; Remark 5.5 claims the bound for both. With an expectation on the "
    "right we know of no counterexample that is encoded; a construction on paper exceeds that bound too, for about 16 "
    "losses in as many dimensions, m = 1 and T = 2, since alpha is still taken at weights that the changed example has "
    "shaped. W10.a pays for that with a factor 1 + 1/m in the product, and is proved; whether it is needed is open.",
    quote="w_t is the parameter value seen at step t of gradient descent",
    reading="Strained: read run by run, since the right side depends on the run; an expectation on the right is the "
    "fairer reading, and is not refuted here.",
    witness=wells(reach=20, offset=Fraction(1, 10), sample=(0,)),
    no_extremal="refuted",
)

W10A = Claim(
    id="W10.a",
    amends="W10",
    source=Source(WALKER2023, "Theorem 5.4, repaired"),
    statement=r"|\mathrm{gap}(\mathcal D, m)| \le \frac{L^2}{m} \sum_{t=1}^T \prod_{k=t+1}^T "
    r"\big(1 + (1 + \tfrac1m)\eta_k\beta\big)\, \eta_t\, \mathbb E\sqrt{2(1 - \alpha(w_{t-1}))}",
    form=Form.AT_MOST,
    symbols=(LOSS_SLOPES, STEPS, EXAMPLE_COUNT),
    sides=all_runs,
    bound=coherence_gap_bound,
    bound_on=_gap_bound_on,
    proof=proofs.w10a,
    reads=_reads_runs,
    finding=Finding.OURS,
    note=f"{_UNIFORM_NOTE} Where all gradients are 0 nothing moves, and alpha is taken as 1. For one step it is the theorem "
    "as printed: w_0 does not depend on the sample.",
    extremal=Instance(
        {"loss_slopes": rationals([[[0, 1], [-1, 1]]]), "step_sizes": rationals([1]), "sample_size": 1},
        "named: trivial, 0 = 0 for one loss",
    ),
)


def plain_mean(values: Array) -> Fraction:
    """Return the mean, exactly."""
    return Fraction(values.sum()) / len(values)


def median(values: Array) -> Fraction:
    """Return the median, exactly: for an even number the mean of the middle two."""
    ordered, n = np.sort(values), len(values)
    return Fraction(ordered[(n - 1) // 2] + ordered[n // 2]) / 2


def winsorised(given: Instance) -> Fraction:
    """Return the winsorised mean of one coordinate, exactly."""
    return Fraction(winsorised_mean(given["values"][:, None], given["level"])[0])


def robust(given: Instance) -> Fraction:
    """Return the median of means of one coordinate, exactly."""
    return Fraction(median_of_means(given["values"][:, None], given["groups"])[0])


def _no_clipping_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return Enclosure.exactly(plain_mean(given["values"])), Enclosure.exactly(winsorised(given))


def _all_clipping_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return Enclosure.exactly(median(given["values"])), Enclosure.exactly(winsorised(given))


def _percentiles(given: Instance) -> dict[str, Any]:
    """Return the sorted values, and what the proofs of W12 and its kin read of them: l and u, interpolated linearly."""
    ordered, c = sorted(map(Fraction, given["values"])), Fraction(given["level"])
    ends = {}
    for name, level in (("l", c), ("u", 100 - c)):
        place = level * (len(ordered) - 1) / 100
        share, low = place % 1, ordered[int(place)]
        ends[name] = (1 - share) * low + share * ordered[min(int(place) + 1, len(ordered) - 1)]
    return {"m": len(ordered), "x": ordered, **ends}


def _reads_extremes(given: Instance) -> dict[str, Any]:
    """Return what the symbols of W12's proof are: the 0th and the 100th percentile are the extremes."""
    values = [Fraction(value) for value in given["values"]]
    return {"m": len(values), "x": values, "l": min(values), "u": max(values)}


def _reads_middle(given: Instance) -> dict[str, Any]:
    """Return what the symbols of W12.a's proof are: the values about place (m - 1) / 2."""
    known = _percentiles(given)
    ordered, m = known["x"], known["m"]
    place = Fraction(m - 1, 2)
    about = {"f": place % 1, "b": ordered[int(place)], "c": ordered[min(int(place) + 1, m - 1)]}
    return {**known, **about, "y": ordered[(m - 1) // 2], "z": ordered[m // 2]}


def _of_kept(ordered: Sequence[Fraction], kept: Array, spoilt: int) -> dict[str, Any]:
    """Return the range of those that are kept, and the values at places q and, from above, q of all."""
    range_of_kept = {"a": Fraction(min(kept)), "e": Fraction(max(kept))}
    return {**range_of_kept, "x_q": ordered[spoilt], "x_p": ordered[len(ordered) - 1 - spoilt]}


def _reads_clipped(given: Instance) -> dict[str, Any]:
    known = _percentiles(given)
    outliers = len(set(given["outliers"]) & set(range(known["m"])))
    return {**known, **_of_kept(known["x"], inliers(given), outliers)}


def _reads_means(given: Instance) -> dict[str, Any]:
    values, k = given["values"], given["groups"]
    means = sorted(plain_mean(group) for group in np.array_split(values, k))
    kept = untouched_means(given)
    middle = {"b": means[(k - 1) // 2], "c": means[k // 2]}
    return {**middle, **_of_kept(means, kept, k - len(kept))}


def beyond(value: Fraction, kept: Array) -> Enclosure:
    """Return how far a value lies outside the range of others; negative inside."""
    return Enclosure.exactly(Fraction(max(value - max(kept), min(kept) - value)))


def inliers(given: Instance) -> Array:
    """Return the values of all examples but the outliers."""
    outside = set(given["outliers"])
    return rationals([v for i, v in enumerate(given["values"]) if i not in outside])


def untouched_means(given: Instance) -> Array:
    """Return the means of the groups that hold no outlier, exactly."""
    groups = np.array_split(np.arange(len(given["values"])), given["groups"])
    outside = set(given["outliers"])
    return rationals([plain_mean(given["values"][g]) for g in groups if not outside & set(g.tolist())])


_ZERO = Enclosure.exactly(Fraction(0))


def _clipped_share(given: Instance) -> Fraction:
    """Return the number of outliers less c (m - 1) / 100."""
    return len(given["outliers"]) - Fraction(given["level"]) * (len(given["values"]) - 1) / 100


def _spoilt_groups(given: Instance) -> Fraction:
    """Return the number of groups with an outlier, over k / 2."""
    return 2 * Fraction(given["groups"] - len(untouched_means(given)), given["groups"])


def _few_outliers() -> Assumption:
    return Assumption("at most c (m - 1) / 100 outliers", _clipped_share, lambda excess: excess <= 0)


def _some_inlier() -> Assumption:
    return Assumption("some example is no outlier", lambda given: len(inliers(given)), bool)


def _enough_groups() -> Assumption:
    return Assumption("k is at most m", lambda given: given["groups"] <= len(given["values"]), bool)


def _few_spoilt() -> Assumption:
    return Assumption("fewer than k / 2 groups have outliers", _spoilt_groups, lambda share: share < 1)


def with_values(*values: int, **more: Any) -> Instance:
    """Return an instance with values of one coordinate and more."""
    return Instance({"values": rationals(values), **more}, "named")


W12 = Claim(
    id="W12",
    source=Source(WALKER2023, "section 5.5.1, the update rule at c = 0"),
    statement=r"c = 0:\quad \tfrac1m \sum_i \mathrm{clip}\big(g_i^{(j)}, l^{(j)}, u^{(j)}\big) = \tfrac1m \sum_i g_i^{(j)}",
    form=Form.IDENTITY,
    symbols=(VALUES, LEVEL),
    assumptions=(Assumption("c = 0", lambda given: given["level"], lambda c: c == 0),),
    sides=_no_clipping_sides,
    bound=winsorised_mean,
    bound_on=lambda given: float(winsorised(given)),
    proof=proofs.w12,
    reads=_reads_extremes,
    finding=Finding.AS_PRINTED,
    note="The paper prints the update and claims little of it; what it is for is made a statement in W12.b. clip's "
    "first argument is called x in its definition.",
    reading="Percentiles are interpolated linearly here, which the paper leaves open.",
    extremal=with_values(1, 5, -3, level=Fraction(0)),
)

W12A = Claim(
    id="W12.a",
    amends="W12",
    source=Source(WALKER2023, "section 5.5.1, the update rule at c = 50"),
    statement=r"c = 50:\quad \tfrac1m \sum_i \mathrm{clip}\big(g_i^{(j)}, l^{(j)}, u^{(j)}\big) = "
    r"\mathrm{median}_i\, g_i^{(j)}",
    form=Form.IDENTITY,
    symbols=(VALUES, LEVEL),
    assumptions=(Assumption("c = 50", lambda given: given["level"], lambda c: c == 50),),
    sides=_all_clipping_sides,
    bound=winsorised_mean,
    bound_on=lambda given: float(winsorised(given)),
    proof=proofs.w12a,
    reads=_reads_middle,
    finding=Finding.OURS,
    note="The other end of the range of c: what section 5.2 calls 'use the median rather than sample mean', by coordinates.",
    extremal=with_values(1, 5, -3, 4, level=Fraction(50)),
)


def _winsorised_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return beyond(winsorised(given), inliers(given)), _ZERO


W12B = Claim(
    id="W12.b",
    amends="W12",
    source=Source(WALKER2023, "section 5.5.1, 'a threshold as to what to consider an outlier'"),
    statement=r"\#\text{outliers} \le \tfrac{c(m-1)}{100} \;\Rightarrow\; \min_{i \notin O} g_i^{(j)} \le "
    r"\tfrac1m \sum_i \mathrm{clip}\big(g_i^{(j)}, l^{(j)}, u^{(j)}\big) \le \max_{i \notin O} g_i^{(j)}",
    form=Form.AT_MOST,
    symbols=(VALUES, LEVEL, OUTLIERS),
    assumptions=(_few_outliers(), _some_inlier()),
    sides=_winsorised_sides,
    proof=proofs.w12b,
    reads=_reads_clipped,
    finding=Finding.OURS,
    note="What the threshold does: so few examples, whatever their gradients, move no coordinate of the step beyond what the "
    "others span. A coordinate that they alone support stays 0; an oblique direction need not: for (0, 0) three times, "
    "(1, -1), and the outlier (1000, 1000), c = 25 gives the step (2/5, 0).",
    extremal=with_values(1, 1, 9, level=Fraction(50), outliers=(2,)),
)


def _median_of_means_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return beyond(robust(given), untouched_means(given)), _ZERO


W12C = Claim(
    id="W12.c",
    amends="W12",
    source=Source(WALKER2023, "section 5.5.1, median of means"),
    statement=r"\#\{\text{groups with an outlier}\} < \tfrac k2 \;\Rightarrow\; \text{the median of the } k \text{ means "
    r"lies between those of the other groups}",
    form=Form.AT_MOST,
    symbols=(VALUES, GROUPS, OUTLIERS),
    assumptions=(_enough_groups(), _few_spoilt()),
    sides=_median_of_means_sides,
    proof=proofs.w12c,
    reads=_reads_means,
    finding=Finding.OURS,
    note="Fewer than half: with two groups of which one is spoilt, the median, their mean, can be anywhere.",
    extremal=with_values(1, 1, 9, groups=3, outliers=(2,)),
)

REAL = rationals(
    [[1, 0, 0, 0, 0, 1], [0, -1, 0, 0, 0, -1], [0, 0, -1, 0, 0, -1], [0, 0, 0, 1, 0, 1], [0, 0, 0, 0, -1, -1]]
)
"""The inputs of the "real" data set of section 5.1: an entry of its own for each example, and one that all share."""

RANDOM = rationals([[*row[:5], 0] for row in REAL])
"""The inputs of the "random" one: the same without the shared entry."""

REAL_LABELS = rationals([1, -1, -1, 1, -1])
"""The labels of both."""


def _covariance_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    entry, labels = given["design"][:, given["entry"]], given["labels"]
    covariance = Fraction(dot(entry, labels)) / len(labels) - plain_mean(entry) * plain_mean(labels)
    return Enclosure.exactly(covariance), Enclosure.exactly(Fraction(0))


def examples_with_a_shared_entry(m: int, strength: Fraction) -> tuple[Array, Array]:
    """Return inputs [m, m + 1] and labels [m]: y_i on an entry of its own, s y_i on the last one; labels alternate."""
    labels = rationals([(-1) ** i for i in range(m)])
    inputs = np.concatenate([np.diag(labels), (strength * labels)[:, None]], axis=1)
    return inputs, labels


def descend(inputs: Array, labels: Array, step_size: Fraction, steps: int) -> Array:
    """Return the weights of gradient descent from 0 on (1/2m) sum (w.x_i - y_i)^2, exactly, [d]."""
    weights = rationals(np.zeros(inputs.shape[1], dtype=int))
    for _ in range(steps):
        weights = weights - step_size * (inputs.T @ (inputs @ weights - labels)) / Fraction(len(labels))
    return weights


def gradients_at_zero(m: int, strength: Fraction) -> Array:
    """Return the gradients -y_i x_i at w = 0, exactly, [m, m + 1]."""
    inputs, labels = examples_with_a_shared_entry(m, strength)
    return -labels[:, None] * inputs


def _example_coherence_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    m, s = given["examples"], given["strength"]
    gradients = gradients_at_zero(m, s)
    mean = gradients.sum(axis=0) / Fraction(m)
    value = Fraction(dot(mean, mean)) / (Fraction((gradients * gradients).sum()) / m)
    return Enclosure.exactly(value), Enclosure.exactly((1 + m * s**2) / (m * (1 + s**2)))


def _shared_weight_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    m, s, eta = given["examples"], given["strength"], Fraction(given["step_size"])
    reached = Fraction(descend(*examples_with_a_shared_entry(m, s), eta, given["steps"])[-1])
    left = (1 - eta * (1 + m * s**2) / m) ** given["steps"]
    return Enclosure.exactly(reached), Enclosure.exactly(m * s / (1 + m * s**2) * (1 - left))


def _reads_example(given: Instance) -> dict[str, Any]:
    return {"m": given["examples"], "s": given["strength"]}


def _reads_descent(given: Instance) -> dict[str, Any]:
    """Return what the symbols of W13.b's proof are: the shared weight and the first residual of the run, step by step."""
    m, s, eta = given["examples"], given["strength"], Fraction(given["step_size"])
    inputs, labels = examples_with_a_shared_entry(m, s)
    weights = [descend(inputs, labels, eta, t) for t in range(given["steps"] + 1)]
    shared = [Fraction(w[-1]) for w in weights]
    residuals = [Fraction(labels[0] * (labels[0] - dot(w, inputs[0]))) for w in weights]
    return {"m": m, "s": s, "eta": eta, "t": given["steps"], "b": shared, "rho": residuals}


W13 = Claim(
    id="W13",
    source=Source(WALKER2023, "section 5.1, on the 'random' data set"),
    statement=r"\text{there is no correlation between any one entry of the } x_i \text{ with the labels } y_i",
    form=Form.IDENTITY,
    symbols=(DESIGN, LABELS, ENTRY),
    sides=_covariance_sides,
    finding=Finding.FALSE,
    note="Only the sixth entry, which is 0 throughout, has none. The first is 1 on one example, labelled 1: covariance 6/25; "
    "each of the first five has a positive one. What the example shows is W13.a and W13.b.",
    quote="there is no correlation between any one entry of the x_i with the labels y_i",
    reading="'Correlation' is read as covariance over the five examples; as 'no entry that tells every label' the words "
    "are right.",
    witness=Instance(
        {
            "design": RANDOM,
            "labels": REAL_LABELS,
            "entry": 0,
            "examples": 4,
            "strength": Fraction(0),
            "step_size": Fraction(1, 2),
            "steps": 3,
        },
        "named",
    ),
    no_extremal="refuted",
)

W13A = Claim(
    id="W13.a",
    amends="W13",
    source=Source(WALKER2023, "section 5.1, the two data sets at w = 0"),
    statement=r"x_i = y_i (e_i, s),\ y_i = \pm 1,\ w = 0:\quad \alpha_m = \frac{1 + m s^2}{m (1 + s^2)}",
    form=Form.IDENTITY,
    symbols=(EXAMPLES, STRENGTH),
    sides=_example_coherence_sides,
    proof=proofs.w13a,
    reads=_reads_example,
    finding=Finding.OURS,
    note="'Real' is s = 1, with 5/8 on the four training rows; 'random' is s = 0, with the orthogonal limit 1/4.",
    extremal=Instance({"examples": 4, "strength": Fraction(1)}, "named"),
)

W13B = Claim(
    id="W13.b",
    amends="W13",
    source=Source(WALKER2023, "section 5.1, 'a greater change in the 6th component'"),
    statement=r"w_0 = 0:\quad w_t^{(m+1)} = \frac{m s}{1 + m s^2}\Big(1 - \big(1 - \tfrac{\eta(1 + m s^2)}{m}\big)^t\Big)",
    form=Form.IDENTITY,
    symbols=(EXAMPLES, STRENGTH, STEP_SIZE, TIMES),
    sides=_shared_weight_sides,
    bound=shared_weight,
    bound_on=lambda given: float(
        shared_weight(given["examples"], given["strength"], Fraction(given["step_size"]), given["steps"])
    ),
    proof=proofs.w13b,
    reads=_reads_descent,
    finding=Finding.OURS,
    note="So the change is greater on 'real' data than on 'random', where it is 0, from w = 0 and for eta below the limit of "
    "stability 2m / (1 + m s^2); at an interpolating w it is 0 on both. m = 4, s = 1: the limit is 4/5, and the test "
    "example's loss falls from 1/2 to 1/50; on 'random' data it stays.",
    extremal=Instance({"examples": 4, "strength": Fraction(1), "step_size": Fraction(1, 2), "steps": 3}, "named"),
)

CLAIMS = (W13, W13A, W13B, W10, W10A, W12, W12A, W12B, W12C)
