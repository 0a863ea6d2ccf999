"""The claims of Volhejn 2020 about its first experiment: initialisation, nested training sets, rank correlation: V10-V12."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from theory.checks import Array, count, data_points, exact_matrix, exact_sequence, positive, rationals
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.enclosure import Enclosure, square_root
from theory.piecewise_linear import PiecewiseLinear
from theory.sources import VOLHEJN2020, Source
from theory.symbols import Symbol
from theory.volhejn2020 import training_proofs
from theory.volhejn2020.labels_bounds import spline_path_length
from theory.volhejn2020.training_bounds import initialization_limit

FANS = (
    Symbol("fan_in", "n_{in}", "units that feed the layer, at least 1", count),
    Symbol("fan_out", "n_{out}", "units of the layer, at least 1", count),
    Symbol("scale", r"\alpha", "initialisation scale, a rational above 0", lambda name, v: Fraction(positive(name, v))),
)


def fans(given: Instance) -> int:
    """Return n_in + n_out."""
    return int(given["fan_in"] + given["fan_out"])


def printed_square(given: Instance) -> Fraction:
    """Return l^2 as eq 4.1 prints it."""
    return Fraction(3 * given["scale"] / fans(given))


def glorot_square(given: Instance) -> Fraction:
    """Return l^2 of Glorot uniform: uniform on [-l, l] with the variance l^2 / 3 = 2 / (n_in + n_out)."""
    return 3 * Fraction(2, fans(given))


def repaired_square(given: Instance) -> Fraction:
    """Return l^2 with which the variance is alpha over the mean of the fans."""
    return Fraction(6 * given["scale"] / fans(given))


def _printed_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return square_root(printed_square(given)), square_root(glorot_square(given))


def _scaled_limits(given: Instance) -> tuple[Enclosure, Enclosure]:
    mean_fan = Fraction(fans(given), 2)
    return square_root(3 * given["scale"] / mean_fan), square_root(repaired_square(given))


def _same_limit(given: Instance) -> tuple[Enclosure, Enclosure]:
    same = printed_square(given) == glorot_square(given)
    return Enclosure.exactly(same), Enclosure.exactly(bool(given["scale"] == 2))


def _fans(fan_in: int, fan_out: int, scale: int) -> Instance:
    return Instance({"fan_in": fan_in, "fan_out": fan_out, "scale": Fraction(scale)}, "named")


def _reads_layer(given: Instance) -> dict[str, Any]:
    return {"n_in": given["fan_in"], "n_out": given["fan_out"], "alpha": given["scale"]}


V10 = Claim(
    id="V10",
    source=Source(VOLHEJN2020, "eq 4.1 and after"),
    statement=r"\alpha = 1:\quad \ell = \sqrt{\tfrac{3\alpha}{n_{in}+n_{out}}} \text{ is the limit of Glorot uniform}",
    form=Form.IDENTITY,
    symbols=FANS,
    assumptions=(Assumption("alpha = 1", lambda given: given["scale"], lambda alpha: alpha == 1),),
    sides=_printed_sides,
    finding=Finding.FALSE,
    note="Glorot's limit is sqrt(6/(n_in + n_out)); the printed one is smaller by sqrt 2, for every layer: at n_in = 1, "
    "n_out = 2 it is 1, Glorot's is sqrt 2. What the prose says is Keras' VarianceScaling(alpha, "
    "'fan_avg', 'uniform') which divides by the mean of the fans, and eq 4.1 by their sum (V10.a).",
    quote="When alpha = 1, the initializer reduces to the widely used Glorot uniform initializer",
    reading="With the l of eq 4.1 as it is printed, and Glorot uniform as Glorot and Bengio and the libraries have it.",
    witness=_fans(1, 2, 1),
    no_extremal="refuted",
)

V10A = Claim(
    id="V10.a",
    amends="V10",
    source=Source(VOLHEJN2020, "eq 4.1, repaired"),
    statement=r"\ell = \sqrt{\tfrac{6\alpha}{n_{in}+n_{out}}}: \text{ weights uniform on } [-\ell, \ell] "
    r"\text{ have variance } \alpha \Big/ \tfrac{n_{in}+n_{out}}2",
    form=Form.IDENTITY,
    symbols=FANS,
    sides=_scaled_limits,
    bound=initialization_limit,
    bound_on=lambda given: initialization_limit(given["fan_in"], given["fan_out"], given["scale"]),
    proof=training_proofs.v10a,
    reads=_reads_layer,
    finding=Finding.OURS,
    note="The sides are the limits. At alpha = 1 this is Glorot uniform; the thesis' alpha = 0.01 is meant in this sense.",
    extremal=_fans(1, 2, 1),
)

V10B = Claim(
    id="V10.b",
    amends="V10",
    source=Source(VOLHEJN2020, "eq 4.1 and after, repaired"),
    statement=r"\sqrt{\tfrac{3\alpha}{n_{in}+n_{out}}} \text{ is the limit of Glorot uniform} \iff \alpha = 2",
    form=Form.EQUIVALENCE,
    symbols=FANS,
    sides=_same_limit,
    proof=training_proofs.v10b,
    reads=_reads_layer,
    finding=Finding.OURS,
    note="As printed, alpha would be twice the scale of the experiments.",
    no_extremal="an equivalence",
)


def _family(name: str, value: Any) -> Array:
    """Return the values of candidate functions, one a row, exactly.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if there is no candidate or no point, or nan or inf.
    """
    values = exact_matrix(name, value)
    if not values.size:
        raise ValueError(f"{name} must hold a value of each candidate at each point, got shape {values.shape}")
    return values


def _sizes(name: str, value: Any) -> tuple[int, int]:
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise ValueError(f"{name} must be two numbers of points, got {value!r}")
    first, second = (count(name, size) for size in value)
    return first, second


SIZES = Symbol("sizes", "(i, j)", "how many points the two training sets hold, i <= j", _sizes)
CANDIDATES = (
    Symbol("values", "(f(x_l))", "the values of the candidates at all points, rationals, [m, N]", _family),
    Symbol("y", "(y_l)", "the targets, rationals, [N]", exact_sequence),
    Symbol(
        "measure", "S(f)", "the smoothness measure of each candidate, rationals, [m]; less is smoother", exact_sequence
    ),
)
FAMILY = (*CANDIDATES, SIZES)
THRESHOLD = Symbol("threshold", r"\varepsilon", "the loss at which training stops, a rational above 0", positive)


def squares(given: Instance, size: int) -> Array:
    """Return each candidate's sum of squared errors over the first `size` points, exactly, [m]."""
    errors = (given["values"] - given["y"])[:, :size]
    sums: Array = (errors**2).sum(axis=1)
    return sums


def smoothest(given: Instance, fits: Array) -> Fraction:
    """Return the least measure among the candidates that fit, [m]."""
    return min(Fraction(s) for s, fit in zip(given["measure"], fits, strict=True) if fit)


def _selected(given: Instance, fits: Any) -> tuple[Enclosure, Enclosure]:
    """S of the smoothest candidate that fits the first i points, and of that which fits the first j."""
    first, second = (Enclosure.exactly(smoothest(given, fits(given, size))) for size in given["sizes"])
    return first, second


def interpolates(given: Instance, size: int) -> Array:
    """Return which candidates meet the first `size` points, [m]."""
    met: Array = squares(given, size) == 0
    return met


def mean_loss_below(given: Instance, size: int) -> Array:
    """Return which candidates have a mean squared error below the threshold on the first `size` points, [m]."""
    below: Array = squares(given, size) < given["threshold"] * size
    return below


def total_loss_below(given: Instance, size: int) -> Array:
    """Return which candidates have a sum of squared errors below the threshold on the first `size` points, [m]."""
    below: Array = squares(given, size) < given["threshold"]
    return below


def _nested() -> Assumption:
    def fit(given: Instance) -> tuple[int, int, int]:
        return (*given["sizes"], len(given["y"]))

    return Assumption("D_i is a part of D_j", fit, lambda sizes: sizes[0] <= sizes[1] <= sizes[2])


def _fitted(name: str, fits: Any) -> Assumption:
    return Assumption(
        name, lambda given: [bool(np.any(fits(given, size))) for size in given["sizes"]], lambda fitted: all(fitted)
    )


def _reads_selected(given: Instance, fits: Any) -> dict[str, Any]:
    """Return the errors and the measures of all candidates, and which is chosen for the one data set and for the other."""
    sizes, measure = given["sizes"], [Fraction(s) for s in given["measure"]]
    chosen = []
    for size in sizes:
        fitting = np.flatnonzero(fits(given, size)).tolist()
        chosen.append(min(fitting, key=lambda candidate: measure[candidate]) + 1)
    return {
        "e": given["values"] - given["y"],
        "S": measure,
        "I": chosen[0],
        "J": chosen[1],
        "s": sizes[0],
        "k": sizes[1] - sizes[0],
    }


def _reads_choice(given: Instance) -> dict[str, Any]:
    return _reads_selected(given, interpolates)


def _reads_choice_below(given: Instance) -> dict[str, Any]:
    return _reads_selected(given, total_loss_below) | {"epsilon": Fraction(given["threshold"])}


V11 = Claim(
    id="V11",
    source=Source(VOLHEJN2020, "eq 4.2"),
    statement=r"i \le j,\ f_i \in \arg\min_{f \in \mathcal F_{D_i}} S(f) \;\Rightarrow\; S(f_i) \le S(f_j)",
    form=Form.AT_MOST,
    symbols=FAMILY,
    assumptions=(_nested(), _fitted("some candidate interpolates D_j", interpolates)),
    sides=lambda given: _selected(given, interpolates),
    proof=training_proofs.v11,
    reads=_reads_choice,
    finding=Finding.AS_PRINTED,
    note="It needs exact interpolation and one and the same S throughout: with a threshold on the mean loss, as the "
    "networks were trained, it fails (V11.a), and so it does if S is an average over the training set itself, as in "
    "eq 3.5 (V11.c).",
    reading="'Minimizes smoothness' is read as: to minimise the measure S.",
    extremal=Instance(
        {"values": rationals([[0, 0], [0, 1]]), "y": rationals([0, 1]), "measure": rationals([1, 1]), "sizes": (1, 2)},
        "named",
    ),
)

V11A = Claim(
    id="V11.a",
    amends="V11",
    source=Source(VOLHEJN2020, "eq 4.2 with the threshold of sections 1.1 and 4.1"),
    statement=r"i \le j,\ f_i \in \arg\min \{S(f): L_{D_i}(f) < \varepsilon\} \;\Rightarrow\; S(f_i) \le S(f_j)",
    form=Form.AT_MOST,
    symbols=(*FAMILY, THRESHOLD),
    assumptions=(_nested(), _fitted("some candidate has a loss below the threshold", mean_loss_below)),
    sides=lambda given: _selected(given, mean_loss_below),
    finding=Finding.CONJECTURE,
    note="What eq 4.2 would say of training to a threshold; the thesis says it of zero loss. A point that is fitted well "
    "lowers the mean loss. Two points and two functions suffice: targets 1, 0, the "
    "threshold 3/4; the constant 0 has loss 1 on the first and 1/2 on both. With lines through (1/2, 1/2), data (0, 0), "
    "(1, 1) and then (1/2, 1/2), the infimum of the slope falls from 1 - 2 sqrt(eps) to 1 - sqrt(6 eps).",
    quote="we train each network until it reaches a training loss of 10^-5",
    reading="Nobody says it: eq 4.2 is of zero loss, and this is what it would say of training to a threshold.",
    witness=Instance(
        {
            "values": rationals([[0, 0], [1, 0]]),
            "y": rationals([1, 0]),
            "measure": rationals([0, 1]),
            "sizes": (1, 2),
            "threshold": Fraction(3, 4),
        },
        "named",
    ),
    no_extremal="refuted",
)

V11B = Claim(
    id="V11.b",
    amends="V11",
    source=Source(VOLHEJN2020, "eq 4.2 with a threshold, repaired"),
    statement=r"i \le j,\ f_i \in \arg\min \{S(f): |D_i|\, L_{D_i}(f) < \varepsilon\} \;\Rightarrow\; S(f_i) \le S(f_j)",
    form=Form.AT_MOST,
    symbols=(*FAMILY, THRESHOLD),
    assumptions=(_nested(), _fitted("some candidate has a total loss below the threshold", total_loss_below)),
    sides=lambda given: _selected(given, total_loss_below),
    proof=training_proofs.v11b,
    reads=_reads_choice_below,
    finding=Finding.OURS,
    note="A threshold on the sum of the squared errors keeps the sets of fits nested; so does one on the largest error.",
    extremal=Instance(
        {
            "values": rationals([[0, 0], [0, 1]]),
            "y": rationals([0, 1]),
            "measure": rationals([1, 1]),
            "sizes": (1, 2),
            "threshold": Fraction(1, 2),
        },
        "named",
    ),
)

GROWING = (
    Symbol("x", "(x_l)", "the points in the order in which they are added, rationals, distinct, [N]", data_points),
    Symbol("y", "(y_l)", "the targets, rationals, [N]", exact_sequence),
    SIZES,
)


def least_path_length(given: Instance, size: int) -> Fraction:
    """Return the least PL0 of all functions through the first `size` points, over the pairs of these (V14.c)."""
    return Fraction(spline_path_length(rationals(given["x"][:size]), given["y"][:size]))


def _reads_splines(given: Instance) -> dict[str, Any]:
    """Return how much the splines through the points of D_i and of D_j vary between any two, and the errors of the latter."""
    x, y, sizes = rationals(given["x"]), given["y"], given["sizes"]
    tables = []
    for size in sizes:
        f = PiecewiseLinear.interpolate(x[:size], y[:size]) if size > 1 else None
        tables.append(
            [
                [Fraction(f.total_variation(min(a, b), max(a, b))) if f is not None and a != b else 0 for a in x[:size]]
                for b in x[:size]
            ]
        )
        errors = f(x[:size]) - y[:size] if f is not None else rationals([0])
    return {"U": tables[0], "T": tables[1], "e": [errors], "J": 1, "s": sizes[0], "k": sizes[1] - sizes[0]}


def _own_measure(given: Instance) -> tuple[Enclosure, Enclosure]:
    first, second = (Enclosure.exactly(least_path_length(given, size)) for size in given["sizes"])
    return first, second


def _own_total(given: Instance) -> tuple[Enclosure, Enclosure]:
    first, second = (Enclosure.exactly(size**2 * least_path_length(given, size)) for size in given["sizes"])
    return first, second


MIDDLE_LAST = Instance(
    {"x": rationals([0, 1, Fraction(1, 2)]), "y": rationals([0, 1, Fraction(1, 2)]), "sizes": (2, 3)}, "named"
)
"""Two points on a line, then the one in the middle between them."""

V11C = Claim(
    id="V11.c",
    amends="V11",
    source=Source(VOLHEJN2020, "eq 4.2 with eq 3.5"),
    statement=r"i \le j,\ S_i(f) = \tfrac1{i^2}\sum_{k,l \le i} TV_{[x_k,x_l]}(f),\ "
    r"f_i \in \arg\min_{f \in \mathcal F_{D_i}} S_i(f) \;\Rightarrow\; S_i(f_i) \le S_j(f_j)",
    form=Form.AT_MOST,
    symbols=GROWING,
    assumptions=(_nested(),),
    sides=_own_measure,
    finding=Finding.CONJECTURE,
    note="What eq 4.2 would say of a measure taken on the training set. Eq 3.5 averages over it, which changes "
    "with i. The line through (0, 0) and (1, 1) minimises PL0 on "
    "them, with 1/2; a third point (1/2, 1/2) leaves it the minimiser, with 4/9. The measure has to be taken over fixed "
    "points, a test set say, as section 4.4.1 does.",
    quote="If the training process minimizes smoothness, then f_i must be at least as smooth as f_j.",
    reading="Nobody says it: these words are of one measure for all sizes, and this is what they would say of one that "
    "is taken on each training set.",
    witness=MIDDLE_LAST,
    no_extremal="refuted",
)

V11D = Claim(
    id="V11.d",
    amends="V11",
    source=Source(VOLHEJN2020, "eq 4.2 with eq 3.5, repaired"),
    statement=r"i \le j,\ S_i(f) = \sum_{k,l \le i} TV_{[x_k,x_l]}(f),\ f_i \in \arg\min_{f \in \mathcal F_{D_i}} S_i(f) "
    r"\;\Rightarrow\; S_i(f_i) \le S_j(f_j)",
    form=Form.AT_MOST,
    symbols=GROWING,
    assumptions=(_nested(),),
    sides=_own_total,
    proof=training_proofs.v11d,
    reads=_reads_splines,
    finding=Finding.OURS,
    note="The sum over pairs in place of the mean; the sides use the minimum in one dimension (V14.c).",
    extremal=Instance({"x": rationals([0, 1]), "y": rationals([0, 1]), "sizes": (2, 2)}, "named"),
)

CLAIMS = (V10, V10A, V10B, V11, V11A, V11B, V11C, V11D)
