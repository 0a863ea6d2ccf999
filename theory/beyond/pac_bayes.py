"""PAC-Bayes that holds, and expected sharpness in closed form: B18 on networks of fixed patterns, B19 on a list of priors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import combinations_with_replacement, product
from math import factorial, prod
from typing import Any

import numpy as np

from theory.beyond import pac_bayes_proofs as proofs
from theory.beyond.pac_bayes_bounds import (
    expected_change,
    kl,
    kl_bound,
    kl_inverse,
    kl_limit,
    linear_expected_sharpness,
    log_of,
)
from theory.checks import (
    Array,
    chance,
    count,
    exact_sequence,
    exact_vector,
    exact_vectors,
    nonnegative,
    rationals,
    share,
)
from theory.claim import Claim, Finding, Form, Instance
from theory.enclosure import Enclosure, exponential
from theory.relu_network import square
from theory.sources import HOUSE, Source
from theory.symbols import LAYERS, POINT, Symbol


def noise_sizes(name: str, value: object) -> Array:
    """Return standard deviations as rationals, at least one, [n].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if there is none, or one is negative or not finite.
    """
    numbers = exact_sequence(name, value)
    for number in numbers:
        nonnegative(name, number)
    return numbers


def patterns_of(name: str, value: Any) -> tuple[Array, ...]:
    """Return patterns, one a hidden layer, of zeros and ones.

    Raises:
        TypeError: if it is no sequence of vectors, or an entry is no real number.
        ValueError: if an entry is neither 0 nor 1.
    """
    if not isinstance(value, (tuple, list)):
        raise TypeError(f"{name} must be a sequence of arrays, one a hidden layer, got {type(value).__name__}")
    found = tuple(exact_vector(f"{name}[{i}]", pattern) for i, pattern in enumerate(value))
    for entry in (entry for pattern in found for entry in pattern):
        if entry not in (0, 1):
            raise ValueError(f"{name} must be 0 or 1, got {entry}")
    return found


def unit_losses(name: str, value: object) -> Array:
    """Return losses from 0 to 1 as rationals, one predictor a row, [h, z].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the shape is another, or one is not from 0 to 1.
    """
    rows = exact_vectors(name, value)
    for entry in rows.ravel():
        share(name, entry)
    return rows


def chances(name: str, value: object) -> Array:
    """Return probabilities as rationals with sum 1, [z].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if one is negative, or the sum is another.
    """
    numbers = noise_sizes(name, value)
    if sum(numbers) != 1:
        raise ValueError(f"{name} must sum to 1, got {sum(numbers)}")
    return numbers


def prior_rows(name: str, value: object) -> Array:
    """Return distributions as rationals, one a row, [g, h].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if one is negative, or the sum of a row is not 1.
    """
    rows = exact_vectors(name, value)
    for row in rows:
        chances(name, row)
    return rows


NOISE_SIZES = Symbol(
    "deviations", "s_i", "standard deviations of the noise on the weights of each layer, [l]", noise_sizes
)
PATTERNS = Symbol("patterns", "D_i", "diagonals of 0 and 1 behind each hidden layer, held", patterns_of)
LOSS_TARGET = Symbol("target", "y", "the target, [k]", exact_vector)
LOSS_TABLE = Symbol("losses", r"\ell", "losses from 0 to 1, one predictor a row, [h, z]", unit_losses)
POINT_CHANCES = Symbol("chances", "(p_z)", "probabilities of the data, [z]", chances)
PRIOR_LIST = Symbol("priors", "(P_g)", "distributions over the predictors, fixed, one a row, [g, h]", prior_rows)
DATA_COUNT = Symbol("samples", "m", "the number of training data", count)
FAILURE = Symbol("delta", r"\delta", "between 0 and 1", lambda n, v: Fraction(chance(n, v)))
PRIOR_COUNT = Symbol("prior_count", "G", "how many priors are fixed beforehand", count)
TRAINING_SHARE = Symbol("expected_training_loss", "q", "from 0 to 1", lambda n, v: Fraction(share(n, v)))
KL_TERM = Symbol("divergence", "KL", "at least 0", lambda n, v: Fraction(nonnegative(n, v)))


def noisy_layers(given: Instance) -> Iterator[tuple[Array, ...]]:
    """Yield the layers with all noises of entries +-s_i, equally likely: independent, of mean 0 and variance s_i^2.

    The output is affine in each entry, so that its second moments are those under any such noise.

    Raises:
        ValueError: if the layers, the deviations, the patterns and the point do not fit together.
    """
    layers, sizes = given["layers"], given["deviations"]
    if len(sizes) != len(layers) or len(given["patterns"]) != len(layers) - 1:
        raise ValueError(f"deviations must be one a layer and patterns one a hidden layer, {len(layers)} layers")
    for signs in product((-1, 1), repeat=sum(matrix.size for matrix in layers)):
        rest, found = rationals(signs), []
        for matrix, size in zip(layers, sizes, strict=True):
            found.append(matrix + size * rest[: matrix.size].reshape(matrix.shape))
            rest = rest[matrix.size :]
        yield tuple(found)


def output_of(layers: tuple[Array, ...], patterns: tuple[Array, ...], x: Array) -> Array:
    """Return W_l D_{l-1} W_{l-1} .. D_1 W_1 x."""
    for matrix, pattern in zip(layers, patterns, strict=False):
        x = pattern * (matrix @ x)
    outputs: Array = layers[-1] @ x
    return outputs


def all_masks(given: Instance) -> list[Array]:
    """Return the diagonals of the D_i, with ones for the outputs."""
    return [*given["patterns"], rationals([1] * len(given["layers"][-1]))]


def changes(given: Instance) -> list[Array]:
    """Return f_{w+nu}(x) - f_w(x) for all noises."""
    here = output_of(given["layers"], given["patterns"], given["point"])
    return [output_of(noisy, given["patterns"], given["point"]) - here for noisy in noisy_layers(given)]


def _change_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    residual = output_of(given["layers"], given["patterns"], given["point"]) - given["target"]
    found = changes(given)
    after = sum((square(residual + change) for change in found), Fraction(0)) / len(found)
    closed = expected_change(given["layers"], given["deviations"], given["point"], all_masks(given))
    return Enclosure.exactly(after - square(residual)), Enclosure.exactly(Fraction(closed))


def _reads_change(given: Instance) -> dict[str, Any] | None:
    """Return what the symbols of B18's proof are; it speaks of two layers."""
    if len(given["layers"]) != 2:
        return None
    (first, second), (pattern,), x = given["layers"], given["patterns"], given["point"]
    found = changes(given)
    return {
        "m": len(found),
        "k": len(second),
        "h": len(first),
        "f": output_of(given["layers"], given["patterns"], x) - given["target"],
        "z": np.array(found),
        "V": second,
        "D": pattern,
        "p": first @ x,
        "X": square(x),
        "a": given["deviations"][0] ** 2,
        "b": given["deviations"][1] ** 2,
    }


def training_sets(given: Instance) -> list[tuple[Fraction, Array]]:
    """Return all training sets of m data up to order, each with its probability, above 0, and how often it has each point."""
    points, m, found = len(given["chances"]), given["samples"], []
    for chosen in combinations_with_replacement(range(points), m):
        counts = [chosen.count(point) for point in range(points)]
        ways = factorial(m) // prod(factorial(number) for number in counts)
        chance_of = ways * prod(
            (p**number for p, number in zip(given["chances"], counts, strict=True)), start=Fraction(1)
        )
        if chance_of > 0:
            found.append((chance_of, rationals(counts)))
    return found


def posteriors(predictors: int) -> Iterator[Array]:
    """Yield distributions over the predictors: all of one predictor, and the uniform one."""
    yield from rationals(np.eye(predictors, dtype=int))
    yield rationals([Fraction(1, predictors)] * predictors)


# The same few numbers come again for every training set.
_log, _kl = lru_cache(maxsize=4096)(log_of), lru_cache(maxsize=4096)(kl)
_exponential = lru_cache(maxsize=4096)(exponential)


@lru_cache(maxsize=4096)
def _limit_of(samples: int, delta: Fraction, priors: int) -> Enclosure:
    return kl_limit(Fraction(0), samples, delta, priors)


def divergence_of(posterior: Array, prior: Array) -> Enclosure | None:
    """Return KL(Q || P) of two distributions over the predictors; None where it is infinite."""
    total = Enclosure.exactly(Fraction(0))
    for q, p in zip(posterior, prior, strict=True):
        if q > 0 and p == 0:
            return None
        if q > 0:
            total = total + _log(q / p).times(q)
    return total


def failures(
    given: Instance, counts: Array, *, priors: int | None = None, own: bool = False
) -> list[tuple[bool, bool]]:
    """Return for each prior whether on a training set the bound fails for some posterior: for certain, and possibly.

    Args:
        given: the instance.
        counts: how often each point is in the training set.
        priors: what stands for their number in the bound; the number that it is if None.
        own: whether the divergence counts as 0.
    """
    table, m = given["losses"], given["samples"]
    trained, true = table @ counts / Fraction(m), table @ given["chances"]
    logs = _limit_of(m, given["delta"], priors or len(given["priors"]))
    gaps = [(q, _kl(Fraction(q @ trained), Fraction(q @ true))) for q in posteriors(len(table))]
    found = []
    for prior in given["priors"]:
        certain = possible = False
        for posterior, gap in gaps:
            divergence = Enclosure.exactly(Fraction(0)) if own else divergence_of(posterior, prior)
            if divergence is None:
                continue
            allowed = logs + divergence.times(Fraction(1, m))
            certain, possible = certain or gap.lower > allowed.upper, possible or gap.upper > allowed.lower
        found.append((bool(certain), bool(possible)))
    return found


def failure_probability(
    given: Instance, failing: Callable[[Instance, Array], list[tuple[bool, bool]]] = failures
) -> Enclosure:
    """Return the probability of a training set on which the bound fails for some prior and posterior."""
    ends = [Fraction(0), Fraction(0)]
    for chance_of, counts in training_sets(given):
        for place, any_of in enumerate(zip(*failing(given, counts), strict=True)):
            ends[place] += chance_of * int(any(any_of))
    return Enclosure(*ends)


def _failure_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return failure_probability(given), Enclosure.exactly(given["delta"])


def _reads_failure(given: Instance) -> dict[str, Any]:
    """Return what the symbols of B19's proof are, the mean exponentials from below, to many digits."""
    sets, table, m = training_sets(given), given["losses"], given["samples"]
    true = table @ given["chances"]
    fails = [[int(possible) for _, possible in failures(given, counts)] for _, counts in sets]
    powers = []
    for _, counts in sets:
        gaps = [_kl(Fraction(q), Fraction(p)) for q, p in zip(table @ counts / Fraction(m), true, strict=True)]
        exponentials = [Fraction(_exponential(Fraction(gap.lower) * m).lower) for gap in gaps]
        powers.append([Fraction(prior @ rationals(exponentials)) for prior in given["priors"]])
    weights = [chance_of for chance_of, _ in sets]
    count_of = len(given["priors"])
    return {
        "n": len(sets),
        "G": count_of,
        "m": m,
        "d": given["delta"],
        "s": given["delta"] / count_of,
        "w": weights,
        "F": [int(any(row)) for row in fails],
        "I": fails,
        "X": powers,
        "P": [sum((w * row[g] for w, row in zip(weights, fails, strict=True)), Fraction(0)) for g in range(count_of)],
        "Z": [sum((w * row[g] for w, row in zip(weights, powers, strict=True)), Fraction(0)) for g in range(count_of)],
    }


def _limit(given: Instance) -> Enclosure:
    return kl_limit(given["divergence"], given["samples"], given["delta"], given["prior_count"])


def by_root(given: Instance, factor: Fraction) -> Enclosure:
    """Return q + sqrt(factor C)."""
    return Enclosure.exactly(given["expected_training_loss"]) + _limit(given).times(factor).root()


def _root_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return by_root(given, Fraction(1, 2)), kl_inverse(given["expected_training_loss"], _limit(given))


def _reads_root(given: Instance) -> dict[str, Any]:
    limit = _limit(given)
    found = kl_inverse(given["expected_training_loss"], limit)
    return {"q": given["expected_training_loss"], "C": Fraction(limit.upper), "p": Fraction(found.lower)}


B18 = Claim(
    id="B18",
    source=Source(HOUSE, "expected sharpness of networks of fixed patterns"),
    statement=r"S_0 = x x^T,\ S_i = D_i (W_i S_{i-1} W_i^T + s_i^2 \operatorname{tr}(S_{i-1}) I) D_i:\quad "
    r"\mathbb E |f_{w+\nu}(x) - y|^2 - |f_w(x) - y|^2 = \operatorname{tr} S_l - |f_w(x)|^2",
    form=Form.IDENTITY,
    symbols=(LAYERS, NOISE_SIZES, PATTERNS, POINT, LOSS_TARGET),
    sides=_change_sides,
    bound=linear_expected_sharpness,
    bound_on=lambda given: linear_expected_sharpness(
        given["layers"], given["deviations"], given["point"], given["patterns"]
    ),
    proof=proofs.b18,
    reads=_reads_change,
    finding=Finding.OURS,
    note="Independent noise of mean 0 and variance s_i^2 on the weights of layer i, whatever its law. Of linear "
    "networks, and of ReLU networks as long as the noise switches no unit; the target drops out. At two layers it is "
    "s_1^2 |x|^2 ||V D||_F^2 + s_2^2 k (|D W x|^2 + s_1^2 |x|^2 tr D): the interaction V D W x is not in it.",
    extremal=Instance(
        {
            "layers": (rationals([[1], [1]]), rationals([[1, 2]])),
            "deviations": rationals([Fraction(1, 2), Fraction(1, 2)]),
            "patterns": (rationals([1, 1]),),
            "point": rationals([1]),
            "target": rationals([0]),
        },
        "named",
    ),
)

B19 = Claim(
    id="B19",
    source=Source(HOUSE, "after Maurer 2004 and Langford and Caruana 2001: a list of priors"),
    statement=r"\mathbb P\Big(\exists\, g, Q:\ \operatorname{kl}(\mathbb E_Q \hat L \,\|\, \mathbb E_Q L) > "
    r"\tfrac1m \big(KL(Q \| P_g) + \ln\tfrac{2 \sqrt m}\delta + \ln G\big)\Big) \le \delta",
    form=Form.AT_MOST,
    symbols=(LOSS_TABLE, POINT_CHANCES, PRIOR_LIST, DATA_COUNT, FAILURE),
    sides=_failure_sides,
    proof=proofs.b19,
    reads=_reads_failure,
    finding=Finding.OURS,
    note="Losses in [0, 1], independent data, G priors that do not depend on them: the standard deviation of the prior may be "
    "chosen among G after training, which is what sigma_i = alpha |w_i| + beta needs and N7.b lacks. Tried by all "
    "training sets of small problems, with Q on one predictor or uniform; `kl_bound` is the bound on E L that it gives.",
    no_extremal="Markov's inequality is strict: where the bound holds exp(m kl) is above 0",
)

B19A = Claim(
    id="B19.a",
    amends="B19",
    source=Source(HOUSE, "the kl form against a root"),
    statement=r"C = \tfrac1m \big(KL + \ln\tfrac{2 \sqrt m}\delta + \ln G\big):\quad "
    r"q + \sqrt{C/2} \ge \max \{p : \operatorname{kl}(q \| p) \le C\}",
    form=Form.AT_LEAST,
    symbols=(TRAINING_SHARE, KL_TERM, DATA_COUNT, FAILURE, PRIOR_COUNT),
    sides=_root_sides,
    bound=kl_bound,
    bound_on=lambda given: kl_bound(
        given["expected_training_loss"],
        given["divergence"],
        given["samples"],
        given["delta"],
        priors=given["prior_count"],
    ),
    proof=proofs.b19a,
    reads=_reads_root,
    finding=Finding.OURS,
    note="So eq (6) of neyshabur2017 holds with 1/sqrt 2 for its 4. What can be imported is the right side.",
    no_extremal="approached at q near 1/2 as C falls",
)

CLAIMS = (B18, B19, B19A)
