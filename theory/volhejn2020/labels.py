"""What the labels say of the function path length (V14), and how many there are of each (V26)."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, pairwise
from typing import Any

import numpy as np

from theory.assumptions import implemented
from theory.checks import Array, count, data_points, exact_sequence, rationals
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.enclosure import Enclosure, square_root
from theory.path_lengths import function_path_length, mean_over_pairs
from theory.piecewise_linear import PiecewiseLinear
from theory.sources import VOLHEJN2020, Source
from theory.symbols import RATIONAL_WEIGHTS, Symbol
from theory.two_layer import Weights
from theory.volhejn2020 import labels_proofs as proofs
from theory.volhejn2020.estimators import mean
from theory.volhejn2020.labels_bounds import label_path_length, path_length_bound, spline_path_length
from theory.volhejn2020.variation import breakpoints, in_rows


def residuals(given: Instance) -> Array:
    """Return f(x_i) - y_i, exactly, [n]."""
    gaps: Array = given["weights"].rational()(given["x"]) - given["y"]
    return gaps


def mean_loss(given: Instance) -> Fraction:
    """Return (1/n) sum (f(x_i) - y_i)^2, exactly."""
    return mean(residuals(given) ** 2)


def _interpolates() -> Assumption:
    return Assumption("zero loss", mean_loss, lambda loss: loss == 0)


def pair_gaps(given: Instance) -> Array:
    """Return |y_i - y_j|, exactly, [n, n]."""
    gaps: Array = np.abs(np.subtract.outer(given["y"], given["y"]))
    return gaps


def label_gap(given: Instance) -> Fraction:
    """Return (1/n^2) sum_ij |y_i - y_j|, exactly."""
    return mean(pair_gaps(given).ravel())


def measured(given: Instance) -> Enclosure:
    """Return PL0 of the network over the pairs of the data, exactly."""
    return Enclosure.exactly(mean_over_pairs(given["x"], implemented(given).total_variation))


def spline(given: Instance) -> PiecewiseLinear:
    """Return the linear spline through the data; a constant through one point."""
    x, y = given["x"], given["y"]
    if len(x) == 1:
        return PiecewiseLinear([], [], Fraction(0), Fraction(y[0]), Fraction(x[0]))
    return PiecewiseLinear.interpolate(x, y)


def gap_changes(given: Instance) -> list[tuple[Fraction, int]]:
    """Return |y_{j+1} - y_j| along the sorted data, and j, the number of points to the left."""
    y = [given["y"][index] for index in np.argsort(given["x"], kind="stable")]
    return [(Fraction(abs(b - a)), j + 1) for j, (a, b) in enumerate(pairwise(y))]


def least(given: Instance) -> Fraction:
    """Return sum_j |y_{j+1} - y_j| 2 (j/n) (1 - j/n), exactly."""
    n = len(given["y"])
    return sum((change * 2 * j * (n - j) for change, j in gap_changes(given)), Fraction(0)) / n**2


def _reads_outputs(given: Instance) -> dict[str, Any]:
    """Return by how much f changes along its pieces from one data point to another, for the pairs in one order."""
    f = given["weights"].rational()
    changes = []
    for b, a in combinations(given["x"].tolist(), 2):
        points = breakpoints(given["weights"], min(a, b), max(a, b))
        changes.append(np.diff(f(points) if a < b else f(points)[::-1]).tolist())
    table = in_rows(changes)
    return {"e": table, "r": len(table), "k": table.shape[1], "n": len(given["x"])}


def _reads_labels(given: Instance) -> dict[str, Any]:
    n = len(given["y"])
    return {"y": given["y"], "z": given["y"], "r": n, "k": n, "n": n}


def _reads_line(given: Instance) -> dict[str, Any]:
    """Return the labels along the line, and what f varies by from the first point to each."""
    order = np.argsort(given["x"], kind="stable")
    x, f = given["x"][order], implemented(given)
    so_far = [Fraction(0), *(Fraction(f.total_variation(x[0], end)) for end in x[1:])]
    return {"F": so_far, "y": given["y"][order], "g": len(x) - 1, "n": len(x)}


def _reads_residuals(given: Instance) -> dict[str, Any]:
    """Return what `_reads_outputs` does, with the differences of the labels and the residuals of each pair."""
    off, n = residuals(given), len(given["y"])
    pairs = list(combinations(range(n), 2))
    return _reads_outputs(given) | {
        "d": [given["y"][i] - given["y"][j] for j, i in pairs],
        "s": [off[i] for _, i in pairs],
        "t": [off[j] for j, _ in pairs],
        "R": off,
        "m": n,
    }


def _loss_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    n = len(given["y"])
    root, gap = square_root(mean_loss(given)), label_gap(given)
    factor = 2 * Fraction(n - 1, n)
    return measured(given), Enclosure(gap - factor * root.upper, gap - factor * root.lower)


def _balanced() -> Assumption:
    def labels(given: Instance) -> list[int]:
        y = given["y"].tolist()
        return [y.count(-1), y.count(1), len(y)]

    return Assumption("half of the labels are -1, half 1", labels, lambda c: c[0] == c[1] and c[0] + c[1] == c[2])


INPUTS = Symbol(
    "x", "(x_i)", "the training data, rationals, [n], distinct", lambda name, value: rationals(data_points(name, value))
)


TARGETS = Symbol("y", "(y_i)", "labels, rationals, [n]", exact_sequence)


_RAMP = Weights([Fraction(1)], [Fraction(0)], [Fraction(1)], Fraction(0))


_DATA = (RATIONAL_WEIGHTS, INPUTS, TARGETS)


V14 = Claim(
    id="V14",
    source=Source(VOLHEJN2020, "eq 4.8"),
    statement=r"f^*(x_i) = y_i \ \forall i:\quad PL_0(f^*) \ge \tfrac1{n^2} \sum_{i,j} |y_i - y_j|",
    form=Form.AT_LEAST,
    symbols=_DATA,
    assumptions=(_interpolates(),),
    sides=lambda given: (measured(given), Enclosure.exactly(label_gap(given))),
    bound=label_path_length,
    bound_on=lambda given: float(label_path_length(given["y"])),
    proof=proofs.v14,
    reads=_reads_outputs,
    finding=Finding.AS_PRINTED,
    note="With equality iff f is monotone on every segment between two data points. A mean over pairs of distinct "
    "points has n/(n - 1) times the bound. It says nothing of PL0 over a test set, where the thesis measures it "
    "(section 4.4.1): values below 1 in Fig 4.3 need not come from the approximation alone.",
    reading="Read for eq 3.5, over the training data with a point and itself among the pairs.",
    extremal=Instance({"weights": _RAMP, "x": rationals([0, 1]), "y": rationals([0, 1])}, "named"),
)


V14A = Claim(
    id="V14.a",
    amends="V14",
    source=Source(VOLHEJN2020, "after eq 4.8"),
    statement=r"y_i = \pm 1, \text{ half of each}:\quad \tfrac1{n^2} \sum_{i,j} |y_i - y_j| = 1",
    form=Form.IDENTITY,
    symbols=(TARGETS,),
    assumptions=(_balanced(),),
    sides=lambda given: (Enclosure.exactly(label_gap(given)), Enclosure.exactly(Fraction(1))),
    proof=proofs.v14a,
    reads=_reads_labels,
    finding=Finding.AS_PRINTED,
    note="For a share p of labels 1 it is 4 p (1 - p).",
    extremal=Instance({"y": rationals([-1, 1])}, "named"),
)


V14B = Claim(
    id="V14.b",
    amends="V14",
    source=Source(VOLHEJN2020, "after eq 4.8, for any data"),
    statement=r"y_i = \pm 1, \text{ half of each}:\quad \min\{PL_0(f): f(x_i) = y_i \ \forall i\} = 1",
    form=Form.IDENTITY,
    symbols=(INPUTS, TARGETS),
    assumptions=(_balanced(),),
    sides=lambda given: (
        Enclosure.exactly(Fraction(function_path_length(spline(given), given["x"]))),
        Enclosure.exactly(Fraction(1)),
    ),
    finding=Finding.CONJECTURE,
    note="1 is attained only if f can be monotone on all segments at once. On a line it cannot once "
    "labels change twice: for x = 0, 1, 2, 3 and y = -1, 1, 1, -1 the least PL0 is 3/2 (V14.c). Where segments meet in data "
    "points only, as almost surely in three and more dimensions, a continuous f attains 1.",
    quote="Since 1 is the lowest achievable value of PL_0 as opposed to 0 in other measures",
    reading="The words are of 'this specific case', MNIST-binary, against which nothing here speaks; of data in any "
    "dimension nobody says it.",
    witness=Instance(
        {
            "weights": Weights([1, 1, 1], [0, -1, -2], [2, -2, -2], Fraction(-1)),
            "x": rationals([0, 1, 2, 3]),
            "y": rationals([-1, 1, 1, -1]),
        },
        "named",
    ),
    no_extremal="refuted",
)


V14C = Claim(
    id="V14.c",
    amends="V14",
    source=Source(VOLHEJN2020, "eq 4.8, in one dimension"),
    statement=r"x_1 < \dots < x_n,\ f(x_i) = y_i \ \forall i:\quad PL_0(f) \ge PL_0(f_L) = "
    r"\sum_{j=1}^{n-1} |y_{j+1} - y_j|\; 2 \tfrac jn \big(1 - \tfrac jn\big)",
    form=Form.AT_LEAST,
    symbols=_DATA,
    assumptions=(_interpolates(),),
    sides=lambda given: (measured(given), Enclosure.exactly(least(given))),
    bound=spline_path_length,
    bound_on=lambda given: float(spline_path_length(given["x"], given["y"])),
    proof=proofs.v14c,
    reads=_reads_line,
    finding=Finding.OURS,
    note="The least PL0 on a line, attained by every f that is monotone between neighbouring data points; never below eq "
    "4.8, and equal to it iff y is monotone in x.",
    extremal=Instance({"weights": _RAMP, "x": rationals([0, 1]), "y": rationals([0, 1])}, "named"),
)


V14D = Claim(
    id="V14.d",
    amends="V14",
    source=Source(VOLHEJN2020, "eq 4.8 with the threshold of section 4.1"),
    statement=r"PL_0(f) \ge \tfrac1{n^2} \sum_{i,j} |y_i - y_j| - 2\big(1 - \tfrac1n\big) \sqrt{L(f)}",
    form=Form.AT_LEAST,
    symbols=_DATA,
    sides=_loss_sides,
    bound=path_length_bound,
    bound_on=lambda given: path_length_bound(given["y"], float(mean_loss(given))),
    proof=proofs.v14d,
    reads=_reads_residuals,
    finding=Finding.OURS,
    note="Zero loss is never reached in floats: networks were trained to L = 1e-5, where the bound is lower than eq 4.8 by up "
    "to 0.0063. With equality for n = 2 if f is monotone and both residuals shorten the step by the same amount, not "
    "past each other; for n >= 3 it is weaker than need be.",
    extremal=Instance(
        {
            "weights": Weights([1], [0], [Fraction(1, 2)], Fraction(1, 4)),
            "x": rationals([0, 1]),
            "y": rationals([0, 1]),
        },
        "named",
    ),
)

COUNTS = (
    Symbol("first_count", "n_a", "examples of one class, at least 1", count),
    Symbol("second_count", "n_b", "examples of the other, at least 1", count),
    Symbol("limit", "m", "how many of each are kept at most, at least 1", count),
)


def truncated(given: Instance) -> tuple[int, int]:
    """Return how many examples are left of either class, of the first so many."""
    first, second = (min(given[name], given["limit"]) for name in ("first_count", "second_count"))
    return first, second


def _truncated_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    first, second = (Enclosure.exactly(Fraction(left)) for left in truncated(given))
    return first, second


def _balanced_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    first, second = truncated(given)
    fewest, equal = min(given["first_count"], given["second_count"]), given["first_count"] == given["second_count"]
    return Enclosure.exactly(first == second), Enclosure.exactly(bool(equal or given["limit"] <= fewest))


V26 = Claim(
    id="V26",
    source=Source(VOLHEJN2020, "section 4.3.2"),
    statement=r"\min(n_a, m) = \min(n_b, m)",
    form=Form.IDENTITY,
    symbols=COUNTS,
    sides=_truncated_sides,
    finding=Finding.FALSE,
    note="MNIST has no two digits with as many training images, and fewer than 8000 of any digit, the test images among them: "
    "10000 of each leaves all of them and nothing balanced; 5000 of each, 10000 in all, would be there and balanced. The "
    "released code takes the first 10000 of the two digits together, which balances nothing either. The bound of eq 4.8 is "
    "then 4 p (1 - p), p the share of a digit, in place of 1 (V14.a): little less, as digits are about as frequent.",
    quote="we balance the classes by truncating the datasets to 10000 examples of each digit",
    reading="As printed, 10000 of each digit; if 10000 of both is meant, 5000 of each, the words are right.",
    witness=Instance({"first_count": 1, "second_count": 2, "limit": 3}, "named"),
    no_extremal="refuted",
)

V26A = Claim(
    id="V26.a",
    amends="V26",
    source=Source(VOLHEJN2020, "section 4.3.2, repaired"),
    statement=r"\min(n_a, m) = \min(n_b, m) \iff n_a = n_b \text{ or } m \le \min(n_a, n_b)",
    form=Form.EQUIVALENCE,
    symbols=COUNTS,
    sides=_balanced_sides,
    proof=proofs.v26a,
    reads=lambda given: {"a": given["first_count"], "b": given["second_count"], "l": given["limit"]},
    finding=Finding.OURS,
    note="Truncation balances classes of different sizes if it reaches into the smaller one.",
    no_extremal="an equivalence",
)

CLAIMS = (V14, V14A, V14B, V14C, V14D, V26, V26A)
