"""Dherin et al. 2022 on initialisation: D7 on ReLU networks without biases, D16 on their complexity in deep networks."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, get_args

import numpy as np

from theory.checks import Array, count, dot, exact_vector, rationals
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.dherin2022 import initialisation_proofs as proofs
from theory.dherin2022.initialisation_bounds import (
    Scheme,
    dead_probability,
    entry_variances,
    expected_geometric_complexity,
)
from theory.enclosure import Enclosure
from theory.random_networks import forward, layer_matrices, layers_fit, rows_of, unit_on_a_plane
from theory.sources import DHERIN2022, RESTATED, Source
from theory.symbols import INPUT, ONE_POINT, ROWS, SUPPORTS, Symbol


def _scheme(name: str, value: Any) -> Any:
    if value not in get_args(Scheme):
        raise ValueError(f"{name} must be one of {', '.join(map(repr, get_args(Scheme)))}, got {value!r}")
    return value


def _hidden_layers(name: str, value: Any) -> int:
    return count(name, value, fewest=1)


BIASLESS_LAYERS = Symbol("layers", "(W_i)", "weight matrices from the inputs on, at least two, exact", layer_matrices)
OUTPUT_DIRECTION = Symbol("direction", "c", "a direction of outputs, [k]", exact_vector)
SCHEME = Symbol("scheme", "s", "an initialiser: 'lecun', 'glorot' or 'he'", _scheme)
INPUT_WIDTH = Symbol("inputs", "d", "number of inputs, at least 1", count)
WIDTH = Symbol("width", "n", "units of each hidden layer, at least 1", count)
OUTPUT_COUNT = Symbol("outputs", "k", "number of outputs, at least 1", count)
HIDDEN_COUNT = Symbol("hidden_layers", "h", "number of hidden layers, at least 1", _hidden_layers)


def _fits(given: Instance) -> bool:
    layers = given["layers"]
    return bool(layers[0].shape[1] == len(given["x"]) and len(layers[-1]) == len(given["direction"]))


def _product_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    outputs, jacobian = forward(given["layers"], given["x"])
    along = dot(given["direction"], outputs)
    return Enclosure.exactly(Fraction(along)), Enclosure.exactly(
        Fraction(dot(given["direction"], jacobian @ given["x"]))
    )


def _reads_product(given: Instance) -> dict[str, Any]:
    """Return c^T W_l, the pre-activations of the last hidden layer, and the diagonal of its P."""
    layers = given["layers"]
    z, _ = forward(layers[:-1], given["x"])
    return {
        "m": len(z),
        "a": given["direction"] @ layers[-1],
        "z": z,
        "p": [Fraction(int(value > 0)) for value in z],
    }


def widths_of(given: Instance) -> list[int]:
    """Return d, the hidden widths, which are all equal, and k."""
    return [given["inputs"], *([given["width"]] * given["hidden_layers"]), given["outputs"]]


def expected(given: Instance) -> Fraction:
    """Return E GC of a network with equally wide hidden layers, exactly."""
    widths = widths_of(given)
    return Fraction(expected_geometric_complexity(widths, entry_variances(given["scheme"], widths)))


def layer_factor(given: Instance) -> Fraction:
    """Return what E GC is multiplied by for one hidden layer more: half of n times the entry variance, n v / 2."""
    n = given["width"]
    return Fraction(n * entry_variances(given["scheme"], [n, n])[0] / 2)


def _vanishing_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return Enclosure.exactly(True), Enclosure.exactly(layer_factor(given) < 1)


def _power_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    one = expected(given.but(hidden_layers=1))
    return Enclosure.exactly(expected(given)), Enclosure.exactly(
        one * layer_factor(given) ** (given["hidden_layers"] - 1)
    )


def _reads_power(given: Instance) -> dict[str, Any]:
    factor, layers = layer_factor(given), given["hidden_layers"]
    return {"m": layers, "E": expected(given.but(hidden_layers=1)) / factor, "q": factor, "c": [factor] * layers}


def random_layers(given: Instance) -> tuple[Any, Any, Array]:
    """Return supports, numbers of rows and input of an instance."""
    return given["supports"], given["rows"], given["x"]


def alive_shares(given: Instance) -> list[Fraction]:
    """Return the share of networks whose first i hidden layers are not 0 at x, for i = 0, 1, .., l - 1, exactly."""
    hidden = list(zip(given["supports"][:-1], given["rows"][:-1], strict=True))
    counts, total = [0] * (len(hidden) + 1), 0
    for network in rows_of([s for s, _ in hidden], [n for _, n in hidden]):
        total += 1
        h, alive = given["x"], True
        counts[0] += 1
        for i, layer in enumerate(network):
            z = layer @ h
            h = z * (z > 0).astype(int)
            alive = alive and bool(np.any(h != 0))
            counts[i + 1] += alive
    return [Fraction(number, total) for number in counts]


def _dead_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return Enclosure.exactly(1 - alive_shares(given)[-1]), Enclosure.exactly(dead_probability(given["rows"][:-1]))


def _reads_dead(given: Instance) -> dict[str, Any]:
    return {
        "m": len(given["rows"]) - 1,
        "E": alive_shares(given),
        "c": [1 - Fraction(1, 2**n) for n in given["rows"][:-1]],
    }


D7 = Claim(
    id="D7",
    source=Source(DHERIN2022, "section 3"),
    again=RESTATED,
    statement=r"f(x) = W_l P_{l-1} W_{l-1} \cdots P_1 W_1\, x,\ P_i \text{ diagonal with 0 and 1};\quad f(0) = 0",
    form=Form.IDENTITY,
    symbols=(BIASLESS_LAYERS, ONE_POINT, OUTPUT_DIRECTION),
    assumptions=(Assumption("x and c are of the sizes of the first and the last layer", _fits, bool),),
    sides=_product_sides,
    proof=proofs.d7,
    reads=_reads_product,
    finding=Finding.AS_PRINTED,
    note="At every x and for all weights, not only near a point and at initialisation; f(c x) = c f(x) for c >= 0. f(0) "
    "= 0 is x = 0.",
    reading="The paper numbers matrices from the output on, with a P before each but the first; here they count from "
    "the input. Logits: no ReLU after the last matrix. Both sides times a direction c, so that they are numbers.",
    extremal=Instance(
        {
            "layers": [rationals([[1, -2], [3, 1]]), rationals([[2, -1]])],
            "x": rationals([1, 1]),
            "direction": rationals([1]),
        },
        "named",
    ),
)

D16 = Claim(
    id="D16",
    source=Source(DHERIN2022, "section 3"),
    again=RESTATED,
    statement=r"s \in \{\text{LeCun}, \text{Glorot}, \text{He}\}:\quad \lim_{h\to\infty} E\, GC = 0",
    form=Form.IMPLICATION,
    symbols=(SCHEME, INPUT_WIDTH, WIDTH, OUTPUT_COUNT),
    sides=_vanishing_sides,
    proof=None,
    finding=Finding.NEEDS_ASSUMPTION,
    note="One hidden layer more multiplies E GC by n v / 2 (B24): 1/2 for LeCun and Glorot, 1 for He, under which E GC "
    "= 2k at every depth, 2000 for k = 1000. In probability the words hold of every scheme at fixed widths (D16.b); how "
    "fast is not evaluated, nor are other activations.",
    quote="GC can be brought close to zero with a sufficient number of layers .. for a number of other common "
    "activation functions and initialization setups",
    reading="Of the mean over weights, with hidden layers of one width; [41], cited for other setups, is taken to be He "
    "et al.",
    witness=Instance(
        {
            "scheme": "he",
            "inputs": 1,
            "width": 1,
            "outputs": 1,
            # The repaired claims speak of a depth, and of weights.
            "hidden_layers": 1,
            "supports": [rationals([[1]]), rationals([[1]])],
            "rows": [1, 1],
            "x": rationals([1]),
        },
        "named",
    ),
    extremal=Instance({"scheme": "lecun", "inputs": 1, "width": 1, "outputs": 1}, "named"),
)

D16A = Claim(
    id="D16.a",
    amends="D16",
    source=Source(DHERIN2022, "section 3, with its assumption"),
    statement=r"E\, GC(h) = E\, GC(1)\, \big(\tfrac{n v}2\big)^{h-1} \to 0 \iff n v < 2",
    form=Form.IDENTITY,
    symbols=(SCHEME, INPUT_WIDTH, WIDTH, OUTPUT_COUNT, HIDDEN_COUNT),
    sides=_power_sides,
    bound=expected_geometric_complexity,
    bound_on=lambda given: float(expected(given)),
    proof=proofs.d16a,
    reads=_reads_power,
    finding=Finding.OURS,
    note="With d inputs, k outputs and hidden layers of n units: LeCun k / 2^h, He 2k, Glorot the latter times d n / "
    "((d + n) (n + k)) / 2^(h - 1), whatever x and the shape of the distribution, if it is symmetric.",
    extremal=Instance({"scheme": "he", "inputs": 3, "width": 2, "outputs": 1, "hidden_layers": 3}, "named"),
)

D16B = Claim(
    id="D16.b",
    amends="D16",
    source=Source(DHERIN2022, "section 3, in probability"),
    statement=r"\Pr(f = 0 \text{ around } x) \ge \Pr(\exists i: h_i(x) = 0) = 1 - \prod_{i<l} \big(1 - 2^{-n_i}\big)",
    form=Form.IDENTITY,
    symbols=(SUPPORTS, ROWS, INPUT),
    assumptions=(
        Assumption("the layers fit each other and the input", lambda given: layers_fit(*random_layers(given)), bool),
        Assumption(
            "w.h != 0 for rows w and inputs h != 0 of a hidden layer",
            lambda given: unit_on_a_plane(*random_layers(given)),
            lambda found: not found,
        ),
    ),
    sides=_dead_sides,
    bound=dead_probability,
    bound_on=lambda given: float(dead_probability(given["rows"][:-1])),
    proof=proofs.d16b,
    reads=_reads_dead,
    finding=Finding.OURS,
    note="For any scheme with independent, symmetric rows, He among them: at fixed widths GC is 0 at x with a "
    "probability that goes to 1 with the depth, though its mean may stay. Only the event in the middle is evaluated.",
    extremal=Instance(
        {"supports": [rationals([[1]]), rationals([[1]])], "rows": [1, 1], "x": rationals([1])},
        "named",
    ),
)

CLAIMS = (D7, D16, D16A, D16B)
