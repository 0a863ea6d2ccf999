"""What noise in the weights does to a ReLU network, without conditions on it: B17."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy as sp

from theory.beyond import perturbation_proofs as proofs
from theory.beyond.perturbation_bounds import perturbation_bound
from theory.checks import rationals
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.enclosure import Enclosure, square_root
from theory.layer_noise import centred, noisy_networks, variances
from theory.neyshabur2017.perturbation_bounds import activations, squared_effects
from theory.relu_network import square, squared_spectral_norm
from theory.sources import HOUSE, Source
from theory.symbols import LAYER_NOISES, LAYERS, POINT


def mean_squares(given: Instance) -> list[Fraction]:
    """Return E|f~^i - f^i|^2 for i = 0, .., d, over all combinations of the noises, one by one."""
    networks = noisy_networks(given["layers"], given["layer_noises"])
    plain = activations(given["layers"], given["point"])
    totals = [Fraction(0)] * len(plain)
    for layers in networks:
        moved = activations(layers, given["point"])
        totals = [t + square(a - b) for t, a, b in zip(totals, moved, plain, strict=True)]
    return [total / len(networks) for total in totals]


def _effect_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    bound = squared_effects(given["layers"], given["point"], variances(given["layer_noises"]))[-1]
    return Enclosure.exactly(mean_squares(given)[-1]), bound


def _root(value: Fraction) -> sp.Expr:
    return sp.sqrt(sp.Rational(value.numerator, value.denominator))


def _reads_effect(given: Instance) -> dict[str, Any]:
    """Return what the symbols of B17's proof are, from i = 0 on at index 1; k is 1/(a + x)."""
    layers, noise = given["layers"], variances(given["layer_noises"])
    bounds = [_root(Fraction(effect.upper)) for effect in squared_effects(layers, given["point"], noise)]
    roots = [_root(value) for value in mean_squares(given)]
    sums = [a + x for a, x in zip(bounds, roots, strict=True)]
    zero = Fraction(0)
    hidden = activations(layers, given["point"])[:-1]
    return {
        "m": len(layers) + 1,
        "a": bounds,
        "x": roots,
        "q": [zero, *(Fraction(squared_spectral_norm(matrix).upper) for matrix in layers)],
        "n": [zero, *(v * len(matrix) for v, matrix in zip(noise, layers, strict=True))],
        "p": [zero, *(_root(square(h)) for h in hidden)],
        "k": [1 / total if total != 0 else zero for total in sums],
    }


B17 = Claim(
    id="B17",
    source=Source(HOUSE, "B17"),
    statement=r"a_0 = 0,\ a_i^2 = \|W_i\|_2^2\, a_{i-1}^2 + s_i^2 h_i \big(|f^{i-1}(x)| + a_{i-1}\big)^2:\quad "
    r"\mathbb E|f_{w+\nu}(x) - f_w(x)|^2 \le a_d^2",
    form=Form.AT_MOST,
    symbols=(LAYERS, POINT, LAYER_NOISES),
    assumptions=(
        Assumption(
            "the noise has mean 0 and uncorrelated entries of variance s_i^2",
            lambda given: centred(given["layer_noises"]),
            bool,
        ),
    ),
    sides=_effect_sides,
    bound=perturbation_bound,
    bound_on=lambda given: perturbation_bound(
        given["layers"],
        given["point"],
        [Fraction(square_root(v).upper) for v in variances(given["layer_noises"])],
    ),
    proof=proofs.b17,
    reads=_reads_effect,
    finding=Finding.OURS,
    note="At any point, whichever units switch, and without C1 to C3. f^i are the activations of layer i, h_i its units. The "
    "noises of the layers are independent; normal noise is among what the proof is about. Equality needs layers that stretch "
    "all changes by their norms, and changes along the activations.",
    extremal=Instance(
        {
            "layers": (rationals([[2]]),),
            "point": rationals([3]),
            "layer_noises": (rationals([[[1]], [[-1]]]),),
        },
        "named",
    ),
)

CLAIMS = (B17,)
