"""Neyshabur et al. 2017 on sharpness: N6, eq (4) under rescaling, and N14, what it depends on."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import product
from typing import Any

from theory.checks import Array, exact_sequence, exact_vector, exact_vectors, positive, rationals
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.enclosure import Enclosure
from theory.neyshabur2017 import sharpness_proofs as proofs
from theory.relu_network import square
from theory.sources import NEYSHABUR2017, Source
from theory.symbols import Symbol


def positive_inputs(name: str, value: object) -> Array:
    """Return inputs above 0 as rationals, at least one, [n].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if there is none, or one is not finite or not above 0.
    """
    numbers = exact_sequence(name, value)
    for number in numbers:
        positive(name, number)
    return numbers


def _positive(name: str, value: object) -> Fraction:
    return Fraction(positive(name, value))


UNIT_INCOMING = Symbol(
    "incoming", "u", "weights into the hidden units of f(x) = sum v_j [u_j x]_+, [k]", exact_sequence
)
UNIT_OUTGOING = Symbol("outgoing", "v", "weights out of them, [k]", exact_sequence)
OTHER_INCOMING = Symbol("other_incoming", "u'", "the same of another network, [k]", exact_sequence)
OTHER_OUTGOING = Symbol("other_outgoing", "v'", "likewise, [k]", exact_sequence)
POSITIVE_INPUTS = Symbol("inputs", "(x_i)", "inputs, numbers above 0, [n]", positive_inputs)
SCALAR_TARGETS = Symbol("targets", "(y_i)", "targets, [n]", exact_vector)
BOX_SIZE = Symbol("alpha", r"\alpha", "size of the perturbation, above 0", _positive)
UNIT_SCALE = Symbol("scale", "c", "u_1 is multiplied and v_1 divided by it, above 0", _positive)
INPUT_ROWS = Symbol("inputs", "(x_i)", "inputs, one a row, [n, d]", exact_vectors)
LINEAR_PREDICTOR = Symbol("predictor", "w", "a linear predictor, [d]", exact_vector)
OTHER_LINEAR_PREDICTOR = Symbol("other_predictor", "w'", "another, [d]", exact_vector)
SPHERICAL_NOISE = Symbol("noise", r"\sigma", "standard deviation of the perturbation, above 0", _positive)

UNITS_ON_DATA = (UNIT_INCOMING, UNIT_OUTGOING, POSITIVE_INPUTS, SCALAR_TARGETS)

Slopes = tuple[Fraction, Fraction]


def printed_box(alpha: Fraction, weight: Fraction) -> Fraction:
    """Return alpha (|w| + 1)."""
    return alpha * (abs(weight) + 1)


def relative_box(alpha: Fraction, weight: Fraction) -> Fraction:
    """Return alpha |w|."""
    return alpha * abs(weight)


def slope_of(incoming: Array, outgoing: Array) -> Fraction:
    """Return s with f(x) = s x for x > 0."""
    return sum((v * max(u, Fraction(0)) for u, v in zip(incoming, outgoing, strict=True)), Fraction(0))


def slopes_within(
    incoming: Array, outgoing: Array, alpha: Fraction, box: Callable[[Fraction, Fraction], Fraction] = printed_box
) -> Slopes:
    """Return the least and the greatest slope of f(x), x > 0, of the weights in a box: each weight occurs in one unit."""
    least, most = Fraction(0), Fraction(0)
    for u, v in zip(incoming, outgoing, strict=True):
        values = [max(u + sign * box(alpha, u), Fraction(0)) for sign in (-1, 1)]
        most += max((v + box(alpha, v)) * value for value in values)
        least += min((v - box(alpha, v)) * value for value in values)
    return least, most


def mean_square(slope: Fraction, inputs: Array, targets: Array) -> Fraction:
    """Return the mean of (s x - y)^2."""
    return square(slope * inputs - targets) / len(inputs)


def box_sharpness(
    given: Instance, incoming: Array, outgoing: Array, box: Callable[[Fraction, Fraction], Fraction] = printed_box
) -> Fraction:
    """Return eq (4) for the squared loss, exactly: a convex function of the slope, greatest at an end."""
    x, y = given["inputs"], given["targets"]
    here = mean_square(slope_of(incoming, outgoing), x, y)
    ends = (mean_square(slope, x, y) for slope in slopes_within(incoming, outgoing, given["alpha"], box))
    return (max(ends) - here) / (1 + here)


def rescaled(given: Instance) -> tuple[Array, Array]:
    """Return u and v with u_1 times the scale and v_1 over it."""
    u, v = given["incoming"].copy(), given["outgoing"].copy()
    u[0], v[0] = u[0] * given["scale"], v[0] / given["scale"]
    return u, v


def growth(given: Instance) -> Fraction:
    """Return mean(x^2) (alpha c u_1)^2 / (1 + L^)."""
    x, y = given["inputs"], given["targets"]
    here = mean_square(slope_of(given["incoming"], given["outgoing"]), x, y)
    return Fraction(square(x) / len(x) * (given["alpha"] * given["scale"] * given["incoming"][0]) ** 2 / (1 + here))


def _growth_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return Enclosure.exactly(box_sharpness(given, *rescaled(given))), Enclosure.exactly(growth(given))


def floor(given: Instance) -> Fraction:
    """Return max over s = (1 + alpha)^2, (1 - alpha)^2 of (L^(s f) - L^(f))/(1 + L^(f))."""
    x, y, slope = given["inputs"], given["targets"], slope_of(given["incoming"], given["outgoing"])
    here = mean_square(slope, x, y)
    ends = (mean_square((1 + sign * given["alpha"]) ** 2 * slope, x, y) for sign in (1, -1))
    return (max(ends) - here) / (1 + here)


def _floor_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return Enclosure.exactly(box_sharpness(given, *rescaled(given))), Enclosure.exactly(floor(given))


def _relative_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    before = box_sharpness(given, given["incoming"], given["outgoing"], relative_box)
    return Enclosure.exactly(box_sharpness(given, *rescaled(given), relative_box)), Enclosure.exactly(before)


def _reads_loss(given: Instance, incoming: Array, outgoing: Array, box: Any) -> dict[str, Any]:
    """Return what the symbols of N6's proofs are that speak of the loss, for the weights of all units."""
    x, y = given["inputs"], given["targets"]
    slope = slope_of(incoming, outgoing)
    least, most = slopes_within(incoming, outgoing, given["alpha"], box)
    return {
        "n": len(x),
        "g": Fraction(1, len(x)),
        "x": x,
        "y": y,
        "Q": square(x) / len(x),
        "R": Fraction(x @ y) / len(x),
        "c": given["scale"],
        "t": given["alpha"],
        "e": mean_square(slope, x, y),
        "H": most,
        "L": least,
        "S": slope,
    }


def _first_apart(given: Instance) -> dict[str, Any]:
    """Return the weights of the first unit, and those of the others in sequences."""
    u, v = given["incoming"], given["outgoing"]
    return {"r": len(u) - 1, "u": u[1:], "v": v[1:], "a": u[0], "b": v[0]}


def _reads_growth(given: Instance) -> dict[str, Any]:
    return _first_apart(given) | _reads_loss(given, *rescaled(given), printed_box)


def _reads_floor(given: Instance) -> dict[str, Any]:
    u, v = rescaled(given)
    return {"r": len(u), "u": u, "v": v} | _reads_loss(given, u, v, printed_box)


def _reads_relative(given: Instance) -> dict[str, Any]:
    return _first_apart(given) | _reads_loss(given, given["incoming"], given["outgoing"], relative_box)


def _linear_loss(given: Instance, predictor: Array) -> Fraction:
    return square(given["inputs"] @ predictor - given["targets"]) / len(given["targets"])


def linear_sharpness(given: Instance, predictor: Array) -> Fraction:
    """Return eq (4) of a linear predictor for the squared loss, exactly: a convex function, greatest at a vertex."""
    here = _linear_loss(given, predictor)
    sides = [printed_box(given["alpha"], weight) for weight in predictor]
    moves = (
        rationals([s * e for s, e in zip(signs, sides, strict=True)]) for signs in product((-1, 1), repeat=len(sides))
    )
    return (max(_linear_loss(given, predictor + move) for move in moves) - here) / (1 + here)


def _linear_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    ends = (linear_sharpness(given, given[name]) for name in ("predictor", "other_predictor"))
    first, second = (Enclosure.exactly(end) for end in ends)
    return first, second


def sign_noise(given: Instance) -> Array:
    """Return all perturbations of entries +-sigma, [2^d, d]: mean 0, covariance sigma^2 I, as a Gaussian has."""
    signs = rationals(list(product((-1, 1), repeat=len(given["predictor"]))))
    noise: Array = given["noise"] * signs
    return noise


def _expected_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    x, noise = given["inputs"], sign_noise(given)
    here = _linear_loss(given, given["predictor"])
    after = sum((_linear_loss(given, given["predictor"] + move) for move in noise), Fraction(0)) / len(noise)
    return Enclosure.exactly(after - here), Enclosure.exactly(given["noise"] ** 2 * square(x) / len(x))


def _reads_linear(given: Instance) -> dict[str, Any]:
    x, noise = given["inputs"], sign_noise(given)
    return {
        "m": len(noise),
        "n": len(x),
        "d": x.shape[1],
        "g": Fraction(1, len(x)),
        "f": x @ given["predictor"] - given["targets"],
        "z": noise @ x.T,
        "x": x,
        "s": given["noise"],
    }


def _own_targets(given: Instance, names: tuple[str, str]) -> Fraction:
    """Return eq (4) of a network at x = 1 that fits its target."""
    u, v = (given[name] for name in names)
    slope = slope_of(u, v)
    return max((end - slope) ** 2 for end in slopes_within(u, v, given["alpha"]))


def _interaction_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    weak = _own_targets(given, ("incoming", "outgoing"))
    return Enclosure.exactly(weak), Enclosure.exactly(_own_targets(given, ("other_incoming", "other_outgoing")))


def norm_differences(given: Instance) -> tuple[Fraction, Fraction]:
    """Return by how much the squared norms of the layers of two networks differ."""
    names = (("incoming", "other_incoming"), ("outgoing", "other_outgoing"))
    first, second = (square(given[one]) - square(given[other]) for one, other in names)
    return first, second


def interactions(given: Instance) -> tuple[Fraction, Fraction]:
    """Return |W_2 D_1 W_1 x| of two networks at x = 1."""
    names = (("incoming", "outgoing"), ("other_incoming", "other_outgoing"))
    first, second = (abs(slope_of(*(given[name] for name in pair))) for pair in names)
    return first, second


N6 = Claim(
    id="N6",
    source=Source(NEYSHABUR2017, "Section 2.4, eq (4)"),
    statement=r"u_1 > 0,\ (u_1, v_1) \to (c u_1, v_1/c):\quad \zeta_\alpha \ge "
    r"\frac{\tfrac1n \sum_i x_i^2\, (\alpha c u_1)^2}{1 + \hat L(f)}",
    form=Form.AT_LEAST,
    symbols=(*UNITS_ON_DATA, BOX_SIZE, UNIT_SCALE),
    assumptions=(Assumption("the first unit is active: u_1 > 0", lambda given: given["incoming"][0], lambda u: u > 0),),
    sides=_growth_sides,
    proof=proofs.n6,
    reads=_reads_growth,
    finding=Finding.AS_PRINTED,
    note="Shown where the maximum can be had exactly: one hidden layer, inputs x > 0, the squared loss. The function "
    "stays, and the sharpness grows as c^2, without limit; so it falls where the scale goes back, but never below N6.a's "
    "right side, which is above 0 unless f is 0 on all data. The cause is the 1 in |w_i| + 1 (N6.b).",
    reading="'Changing the scale of the parameters' as rescaling a unit, which leaves the function.",
    no_extremal="approached for one unit with v = 0 as alpha falls and c grows",
)

N6A = Claim(
    id="N6.a",
    amends="N6",
    source=Source(NEYSHABUR2017, "Section 2.4, eq (4), how far it can be decreased"),
    statement=r"\zeta_\alpha \ge \max_{s = (1 \pm \alpha)^2} \frac{\hat L(s f) - \hat L(f)}{1 + \hat L(f)}",
    form=Form.AT_LEAST,
    symbols=(*UNITS_ON_DATA, BOX_SIZE, UNIT_SCALE),
    sides=_floor_sides,
    proof=proofs.n6a,
    reads=_reads_floor,
    finding=Finding.OURS,
    note="The right side depends on the function alone: no rescaling of its units takes the sharpness below it. Of d "
    "layers without biases s = (1 +- alpha)^d, by the perturbation +-alpha w, which the box allows. Equality "
    "for units that stay dead. The ratio of both goes to 1 as all weights grow, in and out, which no rescaling makes them do: "
    "for u = v = 1 and the target 1 at x = 1 the least over c is ((1 + 2 alpha)^2 - 1)^2, at c = 1, and the right side "
    "((1 + alpha)^2 - 1)^2.",
    extremal=Instance(
        {
            "incoming": rationals([-3]),
            "outgoing": rationals([1]),
            "inputs": rationals([1]),
            "targets": rationals([0]),
            "alpha": Fraction(1, 2),
            "scale": Fraction(1),
        },
        "named",
    ),
)

N6B = Claim(
    id="N6.b",
    amends="N6",
    source=Source(NEYSHABUR2017, "Section 2.4, eq (4), with |nu_i| <= alpha |w_i|"),
    statement=r"|\nu_i| \le \alpha |w_i|,\ (u_1, v_1) \to (c u_1, v_1/c):\quad \zeta_\alpha \text{ stays}",
    form=Form.IDENTITY,
    symbols=(*UNITS_ON_DATA, BOX_SIZE, UNIT_SCALE),
    sides=_relative_sides,
    proof=proofs.n6b,
    reads=_reads_relative,
    finding=Finding.OURS,
    note="Without the 1 in |w_i| + 1 the box is rescaled with the weights.",
    extremal=Instance(
        {
            "incoming": rationals([1]),
            "outgoing": rationals([1]),
            "inputs": rationals([1]),
            "targets": rationals([1]),
            "alpha": Fraction(1),
            "scale": Fraction(2),
        },
        "named",
    ),
)

N14 = Claim(
    id="N14",
    source=Source(NEYSHABUR2017, "Section 4, of linear predictors"),
    statement=r"f(x) = w \cdot x,\ |w| = |w'|:\quad \zeta_\alpha(w) = \zeta_\alpha(w')",
    form=Form.IDENTITY,
    symbols=(INPUT_ROWS, SCALAR_TARGETS, LINEAR_PREDICTOR, OTHER_LINEAR_PREDICTOR, BOX_SIZE),
    assumptions=(
        Assumption(
            "equal l_2 norms",
            lambda given: square(given["predictor"]) - square(given["other_predictor"]),
            lambda difference: difference == 0,
        ),
    ),
    sides=_linear_sides,
    finding=Finding.FALSE,
    note="The witness: one datum, which both predictors fit, of one norm. The box follows the axes, and the sharpness has "
    "sum |w_i| |x_i|. The expected sharpness under N(0, sigma^2 I) depends for the squared loss on nothing of w (N14.a), and "
    "for any loss on w through its outputs on the data alone.",
    quote="For the case of linear predictors, sharpness only depends on the norm of the predictor.",
    reading="Of sharpness as eq (4) has it, on given data, for the squared loss; the norm as the l_2 norm.",
    witness=Instance(
        {
            "inputs": rationals([[2, 1]]),
            "targets": rationals([1]),
            "predictor": rationals([0, 1]),
            "other_predictor": rationals([Fraction(4, 5), Fraction(-3, 5)]),
            "alpha": Fraction(1),
            "noise": Fraction(1),
            "incoming": rationals([1]),
            "outgoing": rationals([1]),
            "other_incoming": rationals([1]),
            "other_outgoing": rationals([1]),
        },
        "named",
    ),
    no_extremal="refuted",
)

N14A = Claim(
    id="N14.a",
    amends="N14",
    source=Source(NEYSHABUR2017, "Section 4, of linear predictors, repaired"),
    statement=r"\mathbb E \nu = 0,\ \operatorname{Cov} \nu = \sigma^2 I:\quad "
    r"\mathbb E \hat L(w + \nu) - \hat L(w) = \sigma^2\, \tfrac1n \sum_i |x_i|^2",
    form=Form.IDENTITY,
    symbols=(INPUT_ROWS, SCALAR_TARGETS, LINEAR_PREDICTOR, SPHERICAL_NOISE),
    sides=_expected_sides,
    proof=proofs.n14a,
    reads=_reads_linear,
    finding=Finding.OURS,
    note="Of the squared loss, any w and any targets: it depends on the data, and on neither norm nor direction of w. "
    "Evaluated by noise of independent signs; a quadratic loss sees no more of a Gaussian than these two moments.",
    extremal=Instance(
        {
            "inputs": rationals([[1, 2]]),
            "targets": rationals([3]),
            "predictor": rationals([1, 0]),
            "noise": Fraction(2),
        },
        "named",
    ),
)

N14B = Claim(
    id="N14.b",
    amends="N14",
    source=Source(NEYSHABUR2017, "Section 4, of layers that interact weakly"),
    statement=r"\|W_i\|_F = \|W_i'\|_F,\ |W_2 D_1 W_1 x| \le |W_2' D_1' W_1' x|:\quad \zeta_\alpha(w) \ge \zeta_\alpha(w')",
    form=Form.AT_LEAST,
    symbols=(UNIT_INCOMING, UNIT_OUTGOING, OTHER_INCOMING, OTHER_OUTGOING, BOX_SIZE),
    assumptions=(
        Assumption("layers of equal norms", norm_differences, lambda differences: differences == (0, 0)),
        Assumption("the layers of w interact no more", interactions, lambda sizes: sizes[0] <= sizes[1]),
    ),
    sides=_interaction_sides,
    finding=Finding.FALSE,
    note="It is the other way round: at equal norms the network of the witness whose layers interact strongly is the "
    "sharper one. For linear networks and spherical noise the expected squared change of the output is the larger the "
    "more the layers pass on, and at two layers their interaction is not in it (B18). Relative to |f|^2 the sentence is right "
    "by that formula, for equal ||V D||_F and |D W x|, and so where the size of the output is given.",
    quote="Such a network will have very high sharpness value compared to a network where the neighboring layers "
    "interact strongly.",
    reading="Strained: of two networks 'with the same norm' in each layer, each with targets that it fits, by eq (4) and the "
    "squared loss; not relative to the size of the outputs, as section 1 would have measures compared.",
    witness=Instance(
        {
            "incoming": rationals([1, 0]),
            "outgoing": rationals([0, 1]),
            "other_incoming": rationals([1, 0]),
            "other_outgoing": rationals([1, 0]),
            "alpha": Fraction(1, 2),
        },
        "named",
    ),
    no_extremal="refuted",
)

CLAIMS = (N6, N6A, N6B, N14, N14A, N14B)
