from dataclasses import replace
from fractions import Fraction

import flint
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from proofs_check.exact import Confirmation, DisagreementError, by_oracle, confirm, enclosure
from proofs_check.oracles import ball, top_eigenvalue, weight
from proofs_check.registry import TRIALS
from proofs_check.values import exactly
from theory.claim import Claim, Form, Instance, Ruling
from theory.enclosure import Enclosure
from theory.registry import CLAIMS

few = settings(
    max_examples=30,
    database=None,
    derandomize=True,
    phases=(Phase.generate,),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
WITH_ORACLE = [id for id, trial in TRIALS.items() if trial.oracle is not None]
MOVED = 1 + Fraction(1, 10**6)


def overlap(first: Enclosure, second: Enclosure, *, factor: Fraction = Fraction(1)) -> bool:
    return first.lower <= second.upper * factor and second.lower * factor <= first.upper


def both(id: str, instance: Instance) -> list[tuple[Enclosure, Enclosure]] | None:
    """Each side of a claim as theory encloses it and as the oracle does; None where the claim does not apply."""
    claim, exact = CLAIMS[id], exactly(instance)
    if claim.failing(exact) is not None or claim.sides is None:
        return None
    sides, balls = claim.sides(claim.checked(exact)), TRIALS[id].oracle(exact, 256)
    return [(side, enclosure(ball)) for side, ball in zip(sides, balls, strict=True)]


@pytest.mark.parametrize("id", WITH_ORACLE)
def test_oracles_agree_with_theory_and_see_a_constant_that_moves_by_a_millionth(id: str) -> None:
    seen = [False, False]

    @few
    @given(TRIALS[id].drawn)
    def compare(instance: Instance) -> None:
        for place, (ours, theirs) in enumerate(both(id, instance) or ()):
            assert overlap(ours, theirs)
            seen[place] |= not overlap(ours, theirs, factor=MOVED)

    compare()
    if CLAIMS[id].form not in (Form.EQUIVALENCE, Form.IMPLICATION):
        assert seen == [True, True]


@pytest.mark.parametrize("id", WITH_ORACLE)
def test_oracles_agree_on_named_instances(id: str) -> None:
    for instance in (CLAIMS[id].extremal, CLAIMS[id].witness):
        if instance is not None:
            assert all(overlap(*pair) for pair in both(id, instance) or ())


def test_balls_hold_the_rationals_they_are_made_of() -> None:
    for value in (Fraction(1, 3), 0.1, np.float64(1e-300), 7, Fraction(-(10**40), 3)):
        ends = enclosure(ball(value))
        assert ends.lower <= Fraction(float(value) if isinstance(value, np.floating) else value) <= ends.upper
    assert enclosure(ball(Fraction(1, 4))) == Enclosure.exactly(Fraction(1, 4))


def test_precision_is_left_as_it_was_and_does_what_it_says() -> None:
    before = flint.ctx.prec
    instance = CLAIMS["V1"].extremal
    assert instance is not None
    crooked = instance.but(curve=[[0, 0], [1, 1], [1, 3]])
    widths = [enclosure(TRIALS["V1"].oracle(crooked, bits)[0]) for bits in (64, 256)]
    assert float(widths[1].upper - widths[1].lower) < 1e-70 < float(widths[0].upper - widths[0].lower) < 1e-15
    assert flint.ctx.prec == before


def test_the_weight_of_three_points() -> None:
    # g-(0) with X in {-1} below: P = 1/3, distance 1, sqrt(1 + 1); g+ is its mirror image.
    x = [Fraction(-1), Fraction(0), Fraction(1)]
    assert (weight(Fraction(0), x) - ball(2).sqrt() / 9).contains(0)
    assert weight(Fraction(2), x) == 0
    assert weight(Fraction(1), x) == 0


def test_top_eigenvalues() -> None:
    assert (top_eigenvalue([[Fraction(2), Fraction(1)], [Fraction(1), Fraction(1)]]) * 2 - 3 - ball(5).sqrt()).contains(
        0
    )
    assert top_eigenvalue([[Fraction(0)] * 3] * 3).contains(0)
    third = enclosure(top_eigenvalue([[Fraction(1, 3)]]))
    assert third.lower <= Fraction(1, 3) <= third.upper


def extremal(id: str) -> tuple[Claim, Instance]:
    instance = CLAIMS[id].extremal
    assert instance is not None
    return CLAIMS[id], instance


def test_a_violation_is_confirmed_in_rationals_and_in_arb() -> None:
    claim = CLAIMS["W2"]
    assert claim.witness is not None
    assert confirm(claim, claim.witness) == Confirmation("rational arithmetic and Arb at 128 bits", Ruling.VIOLATED)


def test_equality_is_known_in_rationals_only() -> None:
    claim, instance = extremal("M5")
    assert by_oracle(claim, instance).ruling is Ruling.INCONCLUSIVE
    assert confirm(claim, instance) == Confirmation("rational arithmetic", Ruling.HOLDS)


def test_floats_are_taken_as_the_rationals_they_are() -> None:
    claim, instance = extremal("M6.a")
    floats = instance.but(step_size=1.6)  # above 8/5, so linear stability fails
    assert confirm(claim, floats).ruling is Ruling.INAPPLICABLE


def test_sides_that_stay_floats_confirm_nothing() -> None:
    claim, instance = extremal("V1")
    floating = replace(claim, sides=lambda given: (Enclosure.exactly(0.5), Enclosure.exactly(1.0)))
    assert confirm(floating, instance) == Confirmation("", Ruling.INCONCLUSIVE)


def test_a_changed_claim_has_no_second_implementation() -> None:
    claim, instance = extremal("V1")
    changed = replace(claim, sides=lambda given: (Enclosure.exactly(Fraction(1)), Enclosure.exactly(Fraction(2))))
    assert confirm(changed, instance) == Confirmation("rational arithmetic", Ruling.VIOLATED)


def test_disagreement_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    claim, instance = extremal("V1")
    wrong = replace(TRIALS["V1"], oracle=lambda given, bits: (flint.arb(0), flint.arb(1)))
    monkeypatch.setattr("proofs_check.exact.TRIALS", {"V1": wrong})
    with pytest.raises(
        DisagreementError, match=r"^V1: rational arithmetic says that it holds, Arb at 128 bits that it viol"
    ):
        confirm(claim, instance)
