"""The kl bound with a list of priors, and the expected sharpness of networks whose patterns stay."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from theory.beyond import kl_bound, linear_expected_sharpness
from theory.beyond.pac_bayes import B19, training_sets
from theory.beyond.pac_bayes_bounds import kl, kl_inverse
from theory.checks import rationals
from theory.claim import AssumptionError, Instance
from theory.enclosure import Enclosure


@pytest.mark.parametrize("loss", ["0", "1/100", "1/2", "99/100"], ids=lambda loss: loss.replace("/", "-of-"))
@pytest.mark.parametrize("limit", ["1/1000000", "1/10", "3"], ids=lambda limit: limit.replace("/", "-of-"))
def test_the_inverse_of_kl_lies_between_its_ends(loss: str, limit: str) -> None:
    q, most = Fraction(loss), Fraction(limit)
    found = kl_inverse(q, Enclosure.exactly(most))
    assert found.upper - found.lower < Fraction(1, 10**6)
    assert kl(q, Fraction(found.lower)).upper <= most
    assert found.upper == 1 or kl(q, Fraction(found.upper)).lower >= most


def test_no_training_loss_by_hand() -> None:
    # kl(0 || p) = -ln(1 - p)
    limit = (3.0 + math.log(2 * math.sqrt(100) / 0.05) + math.log(8)) / 100
    assert kl_bound(0, 3, 100, 0.05, priors=8) == pytest.approx(1 - math.exp(-limit), rel=1e-9)


def test_all_wrong_stays_all_wrong() -> None:
    assert kl_bound(1, 0, 1000, 0.05) == 1.0


def test_kl_is_infinite_where_it_is() -> None:
    assert kl(Fraction(1, 2), Fraction(0)).lower == math.inf
    assert kl(Fraction(0), Fraction(1)).lower == math.inf
    assert kl(Fraction(1), Fraction(1)).upper == 0


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"divergence": -1}, "divergence must be finite and at least 0, got -1"),
        ({"samples": 0}, "samples must be at least 1, got 0"),
        ({"delta": 0}, "delta must be finite and above 0, got 0"),
        ({"priors": 0}, "priors must be at least 1, got 0"),
    ],
    ids=["divergence", "samples", "delta", "priors"],
)
def test_what_is_out_of_range_is_named(changed: dict[str, Any], sentence: str) -> None:
    given = {"expected_training_loss": 0.1, "divergence": 1.0, "samples": 100, "delta": 0.05, **changed}
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        kl_bound(**given)


def test_a_loss_beyond_1_is_named() -> None:
    with pytest.raises(AssumptionError, match=r"^B19 does not apply: it assumes the loss is in \[0, 1\], got 2$"):
        kl_bound(2, 1.0, 100, 0.05)


def test_training_sets_have_probability_1_together() -> None:
    given = Instance({"chances": rationals([Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)]), "samples": 3}, "named")
    sets = training_sets(given)
    assert len(sets) == 10
    assert sum(chance for chance, _ in sets) == 1


def test_one_rare_error_by_hand() -> None:
    # m = 1 and one prior: it fails where 1/p > 2/delta, on the rare datum.
    given = {"losses": [[1, 0]], "priors": [[1]], "samples": 1, "delta": Fraction(1, 2)}
    for rare, expected in ((Fraction(24, 100), Fraction(24, 100)), (Fraction(26, 100), 0)):
        verdict = B19.evaluate({**given, "chances": [rare, 1 - rare]})
        assert verdict.lhs == Enclosure.exactly(Fraction(expected))


def test_three_layers_against_gaussian_noise() -> None:
    generator = np.random.default_rng(0)
    layers = [generator.normal(size=shape) for shape in ((3, 2), (4, 3), (2, 4))]
    sizes, x = [0.3, 0.2, 0.4], np.array([1.0, -2.0])
    patterns = [np.array([1.0, 0.0, 1.0]), np.array([1.0, 1.0, 1.0, 0.0])]

    def outputs(matrices: list[np.ndarray]) -> np.ndarray:
        h = np.einsum("...ij,j->...i", matrices[0], x) * patterns[0]
        h = np.einsum("...ij,...j->...i", matrices[1], h) * patterns[1]
        return np.einsum("...ij,...j->...i", matrices[2], h)

    noisy = [w + s * generator.normal(size=(200_000, *w.shape)) for w, s in zip(layers, sizes, strict=True)]
    squares = np.sum((outputs(noisy) - outputs(layers)) ** 2, axis=1)
    spread = float(np.std(squares)) / math.sqrt(len(squares))
    found = linear_expected_sharpness(layers, sizes, x, patterns)
    assert found == pytest.approx(float(np.mean(squares)), abs=5 * spread)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"deviations": [1.0]}, "deviations must be one a layer, 2, got 1"),
        ({"deviations": [1.0, -1.0]}, "deviations must be finite and at least 0, got -1.0"),
        ({"x": [1.0, 2.0]}, "x must have an entry for each of the 1 inputs, got 2"),
        ({"patterns": []}, "patterns must be one a hidden layer, 1, got 0"),
        ({"patterns": [[1.0]]}, r"patterns\[0\] must have an entry a unit, 2, got 1"),
        ({"patterns": [[1.0, 0.5]]}, r"patterns\[0\] must be 0 or 1, got 0.5"),
    ],
    ids=["one deviation", "a negative one", "inputs", "no patterns", "a short pattern", "a half"],
)
def test_what_does_not_fit_is_named(changed: dict[str, Any], sentence: str) -> None:
    given = {"layers": [[[1.0], [1.0]], [[1.0, 2.0]]], "deviations": [1.0, 1.0], "x": [1.0], **changed}
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        linear_expected_sharpness(**given)
