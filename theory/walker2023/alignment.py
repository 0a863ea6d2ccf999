"""Walker 2023 on stiffness: W4, on squared losses of linear models, whose change along a step is a polynomial."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp

from theory.checks import Array, dot, exact_vectors, nonnegative, rationals
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.enclosure import Enclosure, square_root
from theory.sources import WALKER2023, Source
from theory.symbols import Symbol
from theory.walker2023 import alignment_proofs as proofs


def exactly_shaped(rows: int) -> Any:
    """Return a check for vectors, exact, of which there must be so many."""

    def check(name: str, value: Any) -> Array:
        vectors = exact_vectors(name, value)
        if len(vectors) != rows:
            raise ValueError(f"{name} must be {rows} vectors, one a row, got shape {vectors.shape}")
        return vectors

    return check


PAIR = Symbol(
    "pair",
    r"(x_1, w \cdot x_1 - y_1), (x_2, w \cdot x_2 - y_2)",
    "inputs of two examples, each with the model's residual behind it, [2, d + 1]; losses (w.x - y)^2 / 2",
    exactly_shaped(2),
)
RATE = Symbol("rate", r"\epsilon", "length of the step, at least 0", lambda n, v: Fraction(nonnegative(n, v)))
TRIPLE = Symbol("triple", r"g_1, g_2, g_3", "three gradients, one a row, rationals, [3, d]", exactly_shaped(3))


def _gradients(given: Instance) -> tuple[Array, Array]:
    first, second = (row[:-1] * row[-1] for row in given["pair"])
    return first, second


def product_of_gradients(given: Instance) -> Fraction:
    """Return g_1.g_2."""
    return Fraction(dot(*_gradients(given)))


def change(given: Instance, of: int) -> tuple[Fraction, Fraction]:
    """Return the coefficients of eps and eps^2 in the change of one loss along -eps g_1, exactly: there are no others."""
    x, residual = given["pair"][of][:-1], given["pair"][of][-1]
    along = Fraction(dot(x, _gradients(given)[0]))
    return -residual * along, along**2 / 2


def sign_in_the_limit(coefficients: tuple[Fraction, Fraction]) -> int:
    """Return the sign of a eps + b eps^2 for all small eps > 0."""
    leading = next((c for c in coefficients if c), Fraction(0))
    return (leading > 0) - (leading < 0)


def _reads_pair(given: Instance) -> dict[str, Any]:
    """Return what the symbols of the proofs on two examples are; the step of a limit is one that is small enough."""
    x2, r2 = given["pair"][1][:-1], Fraction(given["pair"][1][-1])
    first, second = _gradients(given)
    product, along = Fraction(dot(first, second)), Fraction(dot(x2, first))
    small = abs(product) / along**2 if product else Fraction(1)
    return {
        "m": len(x2),
        "g": first,
        "h": second,
        "epsilon": small,
        "D": ((r2 - small * along) ** 2 - r2**2) / 2,
    }


def _reads_change(given: Instance) -> dict[str, Any]:
    """Return what the symbols of W4.b's proof are: the step, the input and the residual of the second example."""
    (first, _), (x, residual) = _gradients(given), (given["pair"][1][:-1], given["pair"][1][-1])
    return {"m": len(x), "x": x, "g": first, "r": Fraction(residual), "epsilon": given["rate"]}


def _reads_own_loss(given: Instance) -> dict[str, Any]:
    """Return what the symbols of W4.d's proof are: the first example, and a step that is small enough."""
    x, residual = given["pair"][0][:-1], Fraction(given["pair"][0][-1])
    length = Fraction(dot(x, x))
    return {"m": len(x), "x": x, "r": residual, "epsilon": 1 / length if length else Fraction(1)}


def _reads_directions(given: Instance) -> dict[str, Any]:
    """Return what the symbols of W4.f's proof are: the middle one of the unit vectors, and the differences to it."""
    first, middle, last = (
        [sp.Rational(Fraction(v)) / sp.sqrt(sp.Rational(Fraction(dot(row, row)))) for v in row]
        for row in given["triple"]
    )
    return {
        "m": len(middle),
        "v": middle,
        "a": [u - v for u, v in zip(first, middle, strict=True)],
        "b": [v - w for v, w in zip(middle, last, strict=True)],
    }


def _rising_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    rises = sign_in_the_limit(change(given, 1)) > 0
    return Enclosure.exactly(product_of_gradients(given) > 0), Enclosure.exactly(rises)


def _falling_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    falls = sign_in_the_limit(change(given, 1)) < 0
    return Enclosure.exactly(product_of_gradients(given) > 0), Enclosure.exactly(falls)


def _own_loss_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return Enclosure.exactly(True), Enclosure.exactly(sign_in_the_limit(change(given, 0)) < 0)


def second_order(given: Instance) -> Fraction:
    """Return eps^2 beta ||g_1||^2 / 2, beta = ||x_2||^2 the largest eigenvalue of the second loss's Hessian."""
    first, x = _gradients(given)[0], given["pair"][1][:-1]
    return Fraction(given["rate"]) ** 2 * Fraction(dot(x, x)) * Fraction(dot(first, first)) / 2


def _change_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    slope, curvature = change(given, 1)
    rate = given["rate"]
    bound = -rate * product_of_gradients(given) + second_order(given)
    return Enclosure.exactly(rate * slope + rate**2 * curvature), Enclosure.exactly(bound)


def cosine(first: Array, second: Array) -> Enclosure:
    """Return the cosine of the angle between two vectors of rationals, neither of them 0."""
    product = Fraction(dot(first, second))
    root = square_root(product**2 / (Fraction(dot(first, first)) * Fraction(dot(second, second))))
    return root if product >= 0 else Enclosure(-root.upper, -root.lower)


def distance(first: Array, second: Array) -> Enclosure:
    """Return 1 - cos (section 3.4)."""
    c = cosine(first, second)
    return Enclosure(1 - c.upper, 1 - c.lower)


def chord(first: Array, second: Array) -> Enclosure:
    """Return sqrt(2 (1 - cos)), the distance of the two directions on the sphere, as the crow flies."""
    return distance(first, second).times(Fraction(2)).root()


def _triangle_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    a, b, c = given["triple"]
    return distance(a, c), distance(a, b) + distance(b, c)


def _chord_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    a, b, c = given["triple"]
    return chord(a, c), chord(a, b) + chord(b, c)


def _no_zero_gradient() -> Assumption:
    return Assumption("no gradient is 0", lambda given: all(np.any(row != 0) for row in given["triple"]), bool)


def _moves() -> Assumption:
    return Assumption("g_1 is not 0", lambda given: bool(np.any(_gradients(given)[0] != 0)), bool)


def pair(*rows: tuple[int, ...]) -> Instance:
    """Return an instance of two examples, each an input and the residual behind it."""
    return Instance({"pair": rationals(rows)}, "named")


W4 = Claim(
    id="W4",
    source=Source(WALKER2023, "section 3.1, with Definition 3.1"),
    statement=r"\text{positive stiffness } (\bar g_1 \cdot \bar g_2 > 0) \iff \Delta l_2 > 0 \text{ in the limit } "
    r"\epsilon \to 0",
    form=Form.EQUIVALENCE,
    symbols=(PAIR,),
    sides=_rising_sides,
    finding=Finding.FALSE,
    note="The sign is wrong: Delta l_2 = -eps g_1.g_2 + O(eps^2), so at positive stiffness the second loss falls; two "
    "equal examples show it. Definition 3.1 and 'these two points support each other' are right, 'Delta l_2 > 0' is "
    "not (and 'the behaviour of Delta l_1' before it means l_2).",
    quote="We define a positive stiffness to mean that Delta l_2 > 0 in the limit",
    reading="As a definition that is to agree with Definition 3.1 and with 'these two data points support each other'; "
    "with < for > it does.",
    witness=pair((1, 1), (1, 1)).but(rate=Fraction(1), triple=rationals([(1, 0), (1, 0), (7, 24)])),
    no_extremal="refuted",
)

W4A = Claim(
    id="W4.a",
    amends="W4",
    source=Source(WALKER2023, "section 3.1, repaired"),
    statement=r"l_2 \text{ convex}:\quad \bar g_1 \cdot \bar g_2 > 0 \iff \Delta l_2 < 0 \text{ in the limit } "
    r"\epsilon \to 0",
    form=Form.EQUIVALENCE,
    symbols=(PAIR,),
    sides=_falling_sides,
    proof=proofs.w4a,
    reads=_reads_pair,
    finding=Finding.OURS,
    note="Where g_1.g_2 = 0 a convex loss does not fall, and may rise at second order: sign stiffness 0 is not 'no effect'.",
    no_extremal="an equivalence",
)

W4B = Claim(
    id="W4.b",
    amends="W4",
    source=Source(WALKER2023, "section 3.1, the O(eps^2) made a number"),
    statement=r"\Delta l_2 \le -\epsilon\, \bar g_1 \cdot \bar g_2 + \tfrac12 \epsilon^2 \beta \|\bar g_1\|^2",
    form=Form.AT_MOST,
    symbols=(PAIR, RATE),
    sides=_change_sides,
    proof=proofs.w4b,
    reads=_reads_change,
    finding=Finding.OURS,
    note="beta = ||x_2||^2 for a squared loss. So l_2 falls for every eps < 2 g_1.g_2 / (beta ||g_1||^2).",
    extremal=Instance({"pair": rationals([(1, 1), (1, 1)]), "rate": Fraction(1)}, "named"),
)

W4C = Claim(
    id="W4.c",
    amends="W4",
    source=Source(WALKER2023, "section 3.1, 'by construction'"),
    statement=r"\epsilon \to 0 \;\Rightarrow\; \Delta l_1 < 0",
    form=Form.IMPLICATION,
    symbols=(PAIR,),
    sides=_own_loss_sides,
    finding=Finding.NEEDS_ASSUMPTION,
    note="Not at a fitted example, whose gradient is 0; there the cosine of Definition 3.2 has no value either.",
    quote="By construction as epsilon -> 0 it follows that Delta l_1 < 0",
    reading="Of every data point, since nothing is asked of its gradient; where that is not 0 the words are right.",
    witness=pair((1, 0), (1, 1)),
    no_extremal="refuted",
)

W4D = Claim(
    id="W4.d",
    amends="W4",
    source=Source(WALKER2023, "section 3.1, repaired"),
    statement=r"\bar g_1 \ne 0,\ \epsilon \to 0 \;\Rightarrow\; \Delta l_1 < 0",
    form=Form.IMPLICATION,
    symbols=(PAIR,),
    assumptions=(_moves(),),
    sides=_own_loss_sides,
    proof=proofs.w4d,
    reads=_reads_own_loss,
    finding=Finding.OURS,
    note="Where the gradient of the first example is not 0.",
    no_extremal="an implication",
)

W4E = Claim(
    id="W4.e",
    amends="W4",
    source=Source(WALKER2023, "section 3.4, 'distance metric'"),
    statement=r"d(x_1, x_2) = 1 - \cos(\bar g_1, \bar g_2):\quad d(x_1, x_3) \le d(x_1, x_2) + d(x_2, x_3)",
    form=Form.AT_MOST,
    symbols=(TRIPLE,),
    assumptions=(_no_zero_gradient(),),
    sides=_triangle_sides,
    finding=Finding.FALSE,
    note="1 - cos is no metric: for (1, 0), (1, 1), (0, 1) it is 1 > 2 - sqrt(2) = 0.586. It is half the square of a "
    "distance (W4.f), 0 for different gradients of one direction, and has no value at a gradient 0.",
    quote="Defining the distance metric d(x_1, x_2) = 1 - g_1.g_2 / (|g_1| |g_2|) tries to encapsulate this intuition.",
    reading="'Metric' is read as in metric spaces, with the triangle inequality; as 'measure of distance' there is "
    "nothing wrong with it.",
    witness=Instance({"triple": rationals([(1, 0), (1, 1), (0, 1)])}, "named"),
    no_extremal="refuted",
)

W4F = Claim(
    id="W4.f",
    amends="W4",
    source=Source(WALKER2023, "section 3.4, repaired"),
    statement=r"\sqrt{2 d(x_1, x_3)} \le \sqrt{2 d(x_1, x_2)} + \sqrt{2 d(x_2, x_3)}",
    form=Form.AT_MOST,
    symbols=(TRIPLE,),
    assumptions=(_no_zero_gradient(),),
    sides=_chord_sides,
    proof=proofs.w4f,
    reads=_reads_directions,
    finding=Finding.OURS,
    note="A metric on directions; of points it is a pseudometric, since gradients of one direction are at distance 0.",
    extremal=Instance({"triple": rationals([(1, 0), (1, 0), (7, 24)])}, "named"),
)

CLAIMS = (W4, W4A, W4B, W4C, W4D, W4E, W4F)
