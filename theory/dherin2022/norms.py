"""Dherin et al. 2022 on norms of the weight matrices: D8, D17, D18."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp

from theory.assumptions import network_of, off_the_kinks
from theory.checks import Array, exact_vector, rationals
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.dherin2022 import norms_proofs as proofs
from theory.dherin2022.complexity import OTHER_POINT, by_derivatives
from theory.dherin2022.norms_bounds import (
    ONE_LIPSCHITZ,
    norm_product,
    penalty_complexity_bound,
    spectral_complexity_bound,
    spectral_penalty_complexity_bound,
)
from theory.enclosure import Enclosure, length
from theory.relu_network import (
    ReLUNetwork,
    complexity,
    largest_singular_value,
    norms_of_parts,
    square,
    squared_norms_of,
)
from theory.sources import DHERIN2022, RESTATED, Source
from theory.symbols import BIASES, LAYERS, NETWORK_ON_DATA, POINT, Symbol


def _number(name: str, value: Any) -> Fraction:
    """Return a number as a rational."""
    return Fraction(exact_vector(name, [value])[0])


SLOPE = Symbol("slope", "a", "the activation's slope below 0; above it is 1, and at 0 its value is 0", _number)


def multiplied(first: Enclosure, second: Enclosure) -> Enclosure:
    """Return the product of two numbers that are not negative."""
    return Enclosure(Fraction(first.lower) * Fraction(second.lower), Fraction(first.upper) * Fraction(second.upper))


def product_of_norms(layers: tuple[Array, ...]) -> Enclosure:
    """Return the product of the largest singular values of the layers."""
    whole = Enclosure.exactly(Fraction(1))
    for matrix in layers:
        whole = multiplied(whole, largest_singular_value(matrix))
    return whole


def hidden_values(given: Instance, x: Array) -> list[tuple[Array, Array]]:
    """Return what each hidden layer is given at x, and what it gives; last the outputs, twice.

    Raises:
        ValueError: if the layers, the biases and the point do not fit together.
    """
    ReLUNetwork(given["layers"], given["layer_biases"])
    h, found = x, []
    for matrix, bias in zip(given["layers"], given["layer_biases"], strict=False):
        z = matrix @ h + bias
        h = np.where(z > 0, z, given["slope"] * z)
        found.append((z, h))
    outputs = given["layers"][-1] @ h
    return [*found, (outputs, outputs)]


def _lipschitz_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    outputs = [hidden_values(given, given[name])[-1][1] for name in ("point", "other_point")]
    apart = length(given["other_point"] - given["point"])
    return length(outputs[1] - outputs[0]), multiplied(product_of_norms(given["layers"]), apart)


def _root(value: Fraction) -> sp.Expr:
    return sp.sqrt(sp.Rational(value.numerator, value.denominator))


def _reads_lipschitz(given: Instance) -> dict[str, Any]:
    """Return what the symbols of D8's proof are: how far apart two points are before and after each activation."""
    pairs = list(zip(*(hidden_values(given, given[name]) for name in ("point", "other_point")), strict=True))
    start = given["other_point"] - given["point"]
    return {
        "m": len(given["layers"]),
        "sigma": [Fraction(largest_singular_value(matrix).upper) for matrix in given["layers"]],
        "t": [_root(square(there[0] - here[0])) for here, there in pairs],
        "e": [_root(square(start)), *(_root(square(there[1] - here[1])) for here, there in pairs)],
    }


def _printed_norm_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    network, whole = network_of(given), Enclosure.exactly(Fraction(0))
    for x in given["inputs"]:
        whole = whole + length(network.jacobian(x).ravel())
    count = len(given["inputs"])
    return Enclosure.exactly(by_derivatives(network, given["inputs"])), whole.times(Fraction(1, count))


def _penalty_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    norms = squared_norms_of(given["layers"])
    bound = (sum(norms, Fraction(0)) / len(norms)) ** len(norms)
    return Enclosure.exactly(complexity(network_of(given), given["inputs"])), Enclosure.exactly(bound)


def _reads_layers(given: Instance) -> dict[str, Any]:
    return norms_of_parts(network_of(given), given["inputs"])


def least_width(network: ReLUNetwork) -> int:
    """Return min(k, d)."""
    return min(network.inputs, network.outputs)


def _spectral_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    network = network_of(given)
    norm = product_of_norms(given["layers"])
    return (
        Enclosure.exactly(complexity(network, given["inputs"])),
        multiplied(norm, norm).times(Fraction(least_width(network))),
    )


def _spectral_penalty_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    network, total = network_of(given), Enclosure.exactly(Fraction(0))
    for matrix in given["layers"]:
        norm = largest_singular_value(matrix)
        total = total + multiplied(norm, norm)
    depth = len(given["layers"])
    mean = total.times(Fraction(1, depth))
    bound = Enclosure(Fraction(mean.lower) ** depth, Fraction(mean.upper) ** depth)
    return (
        Enclosure.exactly(complexity(network, given["inputs"])),
        bound.times(Fraction(least_width(network))),
    )


def _reads_spectral(given: Instance) -> dict[str, Any]:
    """Return what the symbols of the proofs of D18 and D18.a are: f_L from above by the Jacobians at the data, and the norms.

    e has the lengths of a unit vector's images in the layers, at the first datum, t the same before the masks.
    """
    network, inputs = network_of(given), given["inputs"]
    jacobians = [network.jacobian(x) for x in inputs]
    masks = [z > 0 for z in network.pre_activations(inputs[0])]
    image = rationals([1] + [0] * (network.inputs - 1))
    lengths, before = [_root(square(image))], []
    for number, matrix in enumerate(network.layers):
        image = matrix @ image
        before.append(_root(square(image)))
        if number < len(masks):
            image = image * masks[number]
        lengths.append(_root(square(image)))
    return {
        "m": len(network.layers),
        "sigma": [Fraction(largest_singular_value(matrix).upper) for matrix in network.layers],
        "e": lengths,
        "t": before,
        "n": len(inputs),
        "g": Fraction(1, len(inputs)),
        "d": network.inputs,
        "k": network.outputs,
        "L": max(Fraction(largest_singular_value(jacobian).upper) for jacobian in jacobians),
        "h": Fraction(1),
        "s": [[square(column) for column in jacobian.T] for jacobian in jacobians],
        "z": [[square(row) for row in jacobian] for jacobian in jacobians],
    }


def _layers(*matrices: Any) -> tuple[Array, ...]:
    return tuple(rationals(matrix) for matrix in matrices)


IDENTITIES = Instance(
    {
        "layers": _layers([[2, 0], [0, 2]], [[0, 2], [2, 0]]),
        "layer_biases": (rationals([0, 0]),),
        "inputs": rationals([[1, 2]]),
    },
    "named",
)
"""Two layers that turn and double the plane, and a datum at which all units are active."""

ONE_UNIT = Instance(
    {"layers": _layers([[3]], [[3]]), "layer_biases": (rationals([0]),), "inputs": rationals([[1]])}, "named"
)

D8 = Claim(
    id="D8",
    source=Source(DHERIN2022, "Section 4, Lipschitz regularization"),
    statement=r"f_L \le \sigma_{\max}(W_1) \cdots \sigma_{\max}(W_l):\quad "
    r"\|f(x') - f(x)\| \le \prod_i \sigma_{\max}(W_i)\, \|x' - x\|",
    form=Form.AT_MOST,
    symbols=(LAYERS, BIASES, SLOPE, POINT, OTHER_POINT),
    assumptions=(Assumption.that(ONE_LIPSCHITZ, lambda given: given["slope"]),),
    sides=_lipschitz_sides,
    bound=norm_product,
    bound_on=lambda given: (
        norm_product(given["layers"], given["slope"]) * float(length(given["other_point"] - given["point"]).upper)
    ),
    proof=proofs.d8,
    reads=_reads_lipschitz,
    finding=Finding.AS_PRINTED,
    note="Every activation that is 1-Lipschitz, applied to each unit alone; ELU is so for alpha up to 1 only, its default. The "
    "layers must follow one another: with a skip, x + W x, the norm of W says nothing, and for a convolution it is the norm of "
    "the map and not of its reshaped kernel.",
    extremal=Instance(
        {
            "layers": _layers([[3]], [[3]]),
            "layer_biases": (rationals([0]),),
            "slope": Fraction(0),
            "point": rationals([1]),
            "other_point": rationals([3]),
        },
        "named",
    ),
)

D17 = Claim(
    id="D17",
    source=Source(DHERIN2022, "Section 4, L2 regularization"),
    again=RESTATED,
    statement=r"\langle f, D\rangle_G = \tfrac1{|D|} \sum_{x \in D} \|P_l W_l \cdots P_1 W_1\|_F",
    form=Form.IDENTITY,
    symbols=NETWORK_ON_DATA,
    assumptions=(off_the_kinks(),),
    sides=_printed_norm_sides,
    finding=Finding.FALSE,
    note="It is the mean over the data of the square of that norm, the P_i depending on the datum (D1); in a logit network P_l "
    "is the identity. That an L2 penalty 'is likely to encourage' small products is right as far as D17.a goes: it bounds the "
    "complexity, and no more, for a product of large factors may be 0.",
    quote="Therefore, the GC is just the Frobenius norm of the product of matrices.",
    reading="Strained: as the norm and not its square, against eq 1; of several data as the mean of the norms.",
    witness=Instance({"layers": _layers([[2]]), "layer_biases": (), "inputs": rationals([[0]])}, "named"),
    no_extremal="refuted",
)

D17A = Claim(
    id="D17.a",
    amends="D17",
    source=Source(DHERIN2022, "Section 4, L2 regularization, repaired"),
    statement=r"\langle f, D\rangle_G \le \Big(\tfrac1l \sum_{i=1}^l \|W_i\|_F^2\Big)^l",
    form=Form.AT_MOST,
    symbols=NETWORK_ON_DATA,
    sides=_penalty_sides,
    bound=penalty_complexity_bound,
    bound_on=lambda given: penalty_complexity_bound(given["layers"]),
    proof=proofs.d17a,
    reads=_reads_layers,
    finding=Finding.OURS,
    note="What an L2 penalty on the weights guarantees, on any data; at kinks with the Jacobians of backpropagation. Equality "
    "where all ||W_i||_F are equal, the W_i of rank 1 and aligned, and their units active.",
    extremal=ONE_UNIT,
)

D18 = Claim(
    id="D18",
    source=Source(DHERIN2022, "Section 4, Lipschitz regularization"),
    again=RESTATED,
    statement=r"\langle f, D\rangle_G \le \min(k, d)\, \prod_i \sigma_{\max}(W_i)^2",
    form=Form.AT_MOST,
    symbols=NETWORK_ON_DATA,
    sides=_spectral_sides,
    bound=spectral_complexity_bound,
    bound_on=lambda given: spectral_complexity_bound(given["layers"]),
    proof=proofs.d18,
    reads=_reads_spectral,
    finding=Finding.AS_PRINTED,
    note="By D4 and D8, and at kinks as well, with the Jacobians of backpropagation, where D4 fails. The converse is false: "
    "the complexity bounds no Lipschitz constant (D13). ResNet18, on which it is tried, has skips and convolutions: see D8.",
    reading="'Constrains' as bounds from above, by any bound on the Lipschitz constant, and of these the one that is printed.",
    extremal=IDENTITIES,
)

D18A = Claim(
    id="D18.a",
    amends="D18",
    source=Source(DHERIN2022, "Section 4, the spectral penalty"),
    statement=r"R = \sum_l \sigma_{\max}(W_l)^2:\quad \langle f, D\rangle_G \le \min(k, d)\, (R/l)^l",
    form=Form.AT_MOST,
    symbols=NETWORK_ON_DATA,
    sides=_spectral_penalty_sides,
    bound=spectral_penalty_complexity_bound,
    bound_on=lambda given: spectral_penalty_complexity_bound(given["layers"]),
    proof=proofs.d18a,
    reads=_reads_spectral,
    finding=Finding.OURS,
    note="What the printed penalty, (lambda/2) R, guarantees.",
    extremal=IDENTITIES,
)

CLAIMS = (D8, D17, D17A, D18, D18A)
