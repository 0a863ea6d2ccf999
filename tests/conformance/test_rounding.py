"""Sides that are evaluated on floats hold those of the rationals that the floats are, whatever the claim says."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from proofs_check.registry import TRIALS
from proofs_check.values import Number, changed, exactly
from theory.claim import Claim, Instance
from theory.enclosure import Enclosure
from theory.registry import CLAIMS

FEW = settings(
    max_examples=5,
    database=None,
    derandomize=True,
    phases=(Phase.generate,),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
CHANGES: tuple[Callable[[Number], Number], ...] = (float, lambda number: float(number) * 0.1)
"""Floats near the drawn numbers: these themselves, and a tenth of them, which has no short fraction."""


def missed(claim: Claim, instance: Instance) -> list[str]:
    """What of a claim comes out on an instance of floats as it cannot on the rationals that they are."""
    found = []
    for change in CHANGES:
        floats = Instance({name: changed(value, change) for name, value in instance.given.items()}, instance.origin)
        try:
            floats, exact = claim.checked(floats), claim.checked(exactly(floats))
            inapplicable, beyond = claim.failing(floats), claim.failing(exact)
        except (ValueError, TypeError):  # sums that are 1 no more, an orthogonal matrix that is none
            continue
        if inapplicable is None and beyond is not None:
            found.append(f"applies, though not: {beyond[0].name}")
        if inapplicable is None and beyond is None:
            for name, ours, theirs in zip(("left", "right"), claim.sides(floats), claim.sides(exact), strict=True):
                if not (ours.lower <= theirs.upper and theirs.lower <= ours.upper):
                    found.append(f"its {name} side is {ours}, and {theirs} of the same numbers")
    return found


@pytest.mark.parametrize("id", [id for id, trial in TRIALS.items() if trial.drawn is not None])
def test_sides_of_floats_hold_those_of_the_rationals_they_are(id: str) -> None:
    @FEW
    @given(TRIALS[id].drawn)
    def compare(instance: Instance) -> None:
        assert missed(CLAIMS[id], instance) == []

    compare()


def test_a_side_in_single_precision_is_named() -> None:
    claim = CLAIMS["M1"]

    def single(given: Instance) -> tuple[Enclosure, Enclosure]:
        left, right = claim.sides(given)
        exact = given["hessians"].dtype == object
        return left if exact else Enclosure.exactly(float(np.float32(left.midpoint))), right

    found: list[str] = []

    @FEW
    @given(TRIALS["M1"].drawn)
    def look(instance: Instance) -> None:
        found.extend(missed(replace(claim, assumptions=(), sides=single), instance))

    look()
    assert any(sentence.startswith("its left side is") for sentence in found)
