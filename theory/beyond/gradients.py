"""Claims on the mean of |grad L_B|^2: over batches (B15), and over label noise that is drawn afresh (B16)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from theory.batch_gradients import covariance_trace, expected_square, label_parts, squared_length
from theory.batches import batch_means, mean_of
from theory.beyond import gradients_proofs as proofs
from theory.beyond.gradients_bounds import expected_squared_gradient, label_noise_pressure
from theory.checks import Array, batch_size, rationals
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.enclosure import Enclosure
from theory.linear_stability import noise_share
from theory.sources import HOUSE, Source
from theory.symbols import BATCH, LABEL_NOISE, LOSS_GRADIENTS, OUTPUT_GRADIENTS, RESIDUALS


def expected(given: Instance) -> Enclosure:
    """Return the mean of |grad L_B|^2 over all batches, one by one."""
    return Enclosure.exactly(expected_square(given["gradients"], given["batch_size"]))


def with_share(given: Instance, share: Fraction) -> Fraction:
    """Return |grad L|^2 and a share of tr Cov."""
    gradients = given["gradients"]
    return squared_length(mean_of(gradients)) + share * covariance_trace(gradients)


def _batch_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    share = noise_share(len(given["gradients"]), given["batch_size"])
    return expected(given), Enclosure.exactly(with_share(given, share))


def mean_square(gradients: Array) -> Fraction:
    """Return the mean of |g|^2."""
    return Fraction((gradients * gradients).sum()) / len(gradients)


def mean_product(gradients: Array) -> Fraction:
    """Return the mean of <g, g'> over ordered pairs of two examples."""
    n = len(gradients)
    pairs = (gradients[a] @ gradients[b] for a in range(n) for b in range(n) if a != b)
    return sum((Fraction(v) for v in pairs), Fraction(0)) / (n * (n - 1))


def _pair_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    share = Fraction(1, batch_size(given["batch_size"], len(given["gradients"])))
    gradients = given["gradients"]
    whole = share * mean_square(gradients) + (1 - share) * mean_product(gradients)
    return expected(given), Enclosure.exactly(whole)


def _reads_batches(given: Instance) -> dict[str, Any]:
    gradients, batch = given["gradients"], given["batch_size"]
    means = batch_means(gradients, batch)
    return {
        "n": len(gradients),
        "k": len(gradients) - 1,
        "p": gradients.shape[1],
        "m": len(means),
        "g": gradients,
        "u": np.array(means),
        "B": batch,
        "q": noise_share(len(gradients), batch),
    }


def moments(given: Instance) -> tuple[bool, Fraction]:
    """Return whether the noise has mean 0 and uncorrelated entries of one variance, and that variance."""
    rows = given["noise"].reshape(len(given["noise"]), -1)
    second = rows.T @ rows / Fraction(len(rows))
    variance = Fraction(np.trace(second)) / len(second)
    alone = np.all(second == variance * np.eye(len(second), dtype=int))
    return bool(np.all(rows.sum(axis=0) == 0) and alone), variance


def batch_gradient(residuals: Array, slopes: Array) -> Array:
    """Return grad L_B of L_B = (1/2B) sum |f - y|^2, [p]."""
    gradient: Array = mean_of(label_parts(residuals, slopes).sum(axis=1))
    return gradient


def noisy_square(given: Instance) -> Fraction:
    """Return the mean of |grad L_B|^2 over the noises, one by one."""
    residuals, slopes = given["residuals"], given["output_gradients"]
    squares = (squared_length(batch_gradient(residuals - noise, slopes)) for noise in given["noise"])
    return sum(squares, Fraction(0)) / len(given["noise"])


def noisy(given: Instance, pressure: Fraction) -> Fraction:
    """Return |grad L_B|^2 without noise, and pressure times the mean of ||grad_theta f||_F^2 over the batch."""
    slopes = given["output_gradients"]
    plain = squared_length(batch_gradient(given["residuals"], slopes))
    return plain + pressure * Fraction((slopes * slopes).sum()) / len(slopes)


def _noise_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    pressure = moments(given)[1] / len(given["output_gradients"])
    return Enclosure.exactly(noisy_square(given)), Enclosure.exactly(noisy(given, pressure))


def _reads_noise(given: Instance) -> dict[str, Any]:
    slopes, noise = given["output_gradients"], given["noise"]
    drawn = rationals([-batch_gradient(one, slopes) for one in noise])
    return {
        "m": len(noise),
        "B": len(slopes),
        "p": slopes.shape[2],
        "r": slopes.shape[0] * slopes.shape[1],
        "G": batch_gradient(given["residuals"], slopes),
        "w": drawn,
        "v": slopes.reshape(-1, slopes.shape[2]),
        "s": moments(given)[1],
    }


def _bound_with_noise(given: Instance) -> float:
    plain = float(squared_length(batch_gradient(given["residuals"], given["output_gradients"])))
    return plain + label_noise_pressure(given["output_gradients"], float(moments(given)[1]))


TWO_EXAMPLES = rationals([[1, 0], [0, 1]])

B15 = Claim(
    id="B15",
    source=Source(HOUSE, "the implicit regulariser over batches"),
    statement=r"\mathbb E_B \|\nabla L_B\|^2 = \|\nabla L\|^2 + \frac{n - B}{B (n - 1)} \operatorname{tr} \operatorname{Cov}",
    form=Form.IDENTITY,
    symbols=(LOSS_GRADIENTS, BATCH),
    sides=_batch_sides,
    bound=expected_squared_gradient,
    bound_on=lambda given: expected_squared_gradient(given["gradients"], given["batch_size"]),
    proof=proofs.b15,
    reads=_reads_batches,
    finding=Finding.OURS,
    note="Cov is that of the gradients of all n examples, by n. Of the regulariser (h/4) E|grad L_B|^2 the full-batch part "
    "goes "
    "as h alone; the rest as h/B times (n - B)/(n - 1), about h/B for small batches and 0 for B = n. For n = 1, 0 for the "
    "share. With replacement the share is 1/B.",
    extremal=Instance({"gradients": TWO_EXAMPLES, "batch_size": 1}, "named"),
)

B15A = Claim(
    id="B15.a",
    amends="B15",
    source=Source(HOUSE, "B15 in the terms of dherin2022, eq 6"),
    statement=r"\mathbb E_B \|\nabla L_B\|^2 = \tfrac1B \cdot \tfrac1n \sum_x \|\nabla L_x\|^2 + \big(1 - \tfrac1B\big) "
    r"\tfrac{1}{n(n-1)} \sum_{x \ne x'} \langle \nabla L_x, \nabla L_{x'} \rangle",
    form=Form.IDENTITY,
    symbols=(LOSS_GRADIENTS, BATCH),
    assumptions=(Assumption("n >= 2", lambda given: len(given["gradients"]), lambda n: n >= 2),),
    sides=_pair_sides,
    proof=proofs.b15a,
    reads=_reads_batches,
    finding=Finding.OURS,
    note="Of dherin2022's eq 6 the first two terms, squares of the gradients of one example, go exactly as h/B on average; the "
    "batch alignment C_B goes as h (1 - 1/B).",
    extremal=Instance({"gradients": TWO_EXAMPLES, "batch_size": 2}, "named"),
)

B16 = Claim(
    id="B16",
    source=Source(HOUSE, "label noise drawn afresh; after Blanc et al., COLT 2020"),
    statement=r"L_B = \tfrac1{2B} \sum_x |f(x) - y - \xi_x|^2,\ \mathbb E \xi = 0,\ \operatorname{Cov} \xi = s^2 I:\quad "
    r"\mathbb E_\xi \|\nabla L_B\|^2 = \|\nabla L_B|_{\xi = 0}\|^2 + \tfrac{s^2}{B} \cdot \tfrac1B \sum_x "
    r"\|\nabla_\theta f(x)\|_F^2",
    form=Form.IDENTITY,
    symbols=(LABEL_NOISE, RESIDUALS, OUTPUT_GRADIENTS),
    assumptions=(Assumption("the noise has mean 0 and covariance s^2 I", lambda given: moments(given)[0], bool),),
    sides=_noise_sides,
    bound=label_noise_pressure,
    bound_on=_bound_with_noise,
    proof=proofs.b16,
    reads=_reads_noise,
    finding=Finding.OURS,
    note="The weights are given before the noise is drawn, so that residuals and gradients do not depend on it: with labels "
    "drawn "
    "once this fails (D19). It is about one step: what the pressure does to the weights over many is not in it. What "
    "can be imported is the second term.",
    extremal=Instance(
        {
            "noise": rationals([[[1]], [[-1]]]),
            "residuals": rationals([[2]]),
            "output_gradients": rationals([[[1, 2]]]),
        },
        "named",
    ),
)

CLAIMS = (B15, B15A, B16)
