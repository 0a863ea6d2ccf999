"""What every claim must satisfy, whatever it says."""

import importlib.util
import re
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import Phase, find, settings
from hypothesis.errors import NoSuchExample

from proofs_check.cases import Tendencies
from proofs_check.counterexamples import witness_of
from proofs_check.expected import read_expected
from proofs_check.pins import step_pins
from proofs_check.registry import TRIALS
from theory.claim import AssumptionError, Claim, Finding, Instance, Ruling
from theory.registry import CLAIMS
from theory.sources import HOUSE

MOST_QUOTED = 25
"""How many words of a paper a finding may quote."""

DRAWING = settings(max_examples=100, database=None, derandomize=True, phases=(Phase.generate,))

every_claim = pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
WITNESSES = {id: witness for id, claim in CLAIMS.items() if (witness := witness_of(claim)) is not None}
WITNESSED = [CLAIMS[id] for id in WITNESSES]
EXTREMAL = [claim for claim in CLAIMS.values() if claim.extremal is not None]
PROOFS = {claim.id: claim.proof for claim in CLAIMS.values() if claim.proof is not None}
REFUTED = [claim for claim in WITNESSED if claim.evaluate(WITNESSES[claim.id]).ruling is Ruling.VIOLATED]


def named(claims: list[Claim]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("claim", claims, ids=[claim.id for claim in claims])


def exists(claim: Claim, condition: Callable[[Instance], bool]) -> bool:
    drawn = TRIALS[claim.id].drawn
    assert drawn is not None
    try:
        find(drawn, condition, settings=DRAWING)
    except NoSuchExample:
        return False
    return True


def found(claim: Claim, condition: Callable[[Instance], bool]) -> Instance | None:
    drawn = TRIALS[claim.id].drawn
    assert drawn is not None
    try:
        return find(drawn, condition, settings=DRAWING)
    except NoSuchExample:
        return None


def fails(claim: Claim, assumption: str, given: Instance) -> bool:
    failing = claim.failing(given)
    return failing is not None and failing[0].name == assumption


BOUNDED = [claim for claim in CLAIMS.values() if claim.bound is not None]

STABLE = "linear stability: eta lambda_max <= 2"
IDLE = "no unit has w1 = b1 = 0"
SEMIDEFINITE = "each H_i is positive semidefinite"

DECIDED = [
    ("V12.d", "neither sequence is constant"),
    ("M6", STABLE),
    ("M6.a", STABLE),
    ("D8", "the activation is 1-Lipschitz: |a| <= 1"),
    ("D10.a", "sigma_max(W_i) > 0 and sigma_max(h_i'(x)) > 0"),
    ("D10.b", "sum_i T_i^2 > 0 at each point"),
    ("W6", "A is invertible"),
    ("W7", "each A_t is invertible"),
    ("W8.e", "E[v.v] > 0"),
    ("B3.e", "v^T H v > 0"),
    ("B3.f", "tr H > 0"),
    ("B3.g", "B < n"),
    *((id, name) for id in ("B3.i", "B3.j", "B3.k") for name in (SEMIDEFINITE, "tr H > 0")),
    ("B2", "|nu| <= h_+(t) + h_-(t) at the knots of all units"),
]
"""Assumptions that an importable bound decides from its own arguments."""

RARELY_DRAWN = {
    ("M6", "no knot of f is a data point"),
    ("M7.a", "both are modes around the weights"),
    ("M8", IDLE),
    ("M8.a", IDLE),
    (
        "M9.c",
        "general position: the rows of Phi_m^T and of all x_j dw1_i + db1_i that may change sign are independent",
    ),
    ("B2", "no unit toggles on a data point"),
}
"""Assumptions outside which a hundred instances of a trial need not lie."""


def printed_root(claim: Claim) -> str:
    return claim.id if claim.amends is None else printed_root(CLAIMS[claim.amends])


@every_claim
def test_ids(claim: Claim) -> None:
    assert re.fullmatch(r"[VMDNWB][1-9]\d*(\.[a-z])?", claim.id)
    assert CLAIMS[claim.id] is claim
    assert ("." in claim.id) == (claim.amends is not None)


@every_claim
def test_a_repaired_claim_names_the_one_it_repairs(claim: Claim) -> None:
    if claim.amends is not None:
        assert claim.amends in CLAIMS
        assert claim.amends == claim.id.split(".")[0]
        assert list(CLAIMS).index(claim.amends) < list(CLAIMS).index(claim.id)


@every_claim
def test_sources_name_paper_and_place(claim: Claim) -> None:
    assert claim.source.locator
    assert str(claim.source).startswith(claim.source.paper.key + ", ")
    assert 1900 < claim.source.paper.year < 2100


@every_claim
def test_statements_are_latex(claim: Claim) -> None:
    depth, plain = 0, claim.statement.replace(r"\{", "").replace(r"\}", "")
    assert plain.strip()
    assert "$" not in plain
    for character in plain:
        depth += (character == "{") - (character == "}")
        assert depth >= 0
    assert depth == 0
    assert plain.count(r"\left") == plain.count(r"\right")


@every_claim
def test_symbols_and_assumptions_are_named_once(claim: Claim) -> None:
    assert claim.symbols
    for names in ([symbol.name for symbol in claim.symbols], [assumption.name for assumption in claim.assumptions]):
        assert all(names)
        assert len(set(names)) == len(names)
    assert all(symbol.meaning for symbol in claim.symbols)


@every_claim
def test_notes_are_sentences(claim: Claim) -> None:
    assert claim.note.endswith(".")


@every_claim
def test_a_claim_has_a_place_where_counterexamples_are_looked_for(claim: Claim) -> None:
    # What is derived is tried on drawn instances, what is observed on the rows that were kept of its study.
    assert (TRIALS[claim.id].drawn is None) == bool(claim.study)
    if claim.study:
        assert claim.study.startswith("experiments.")
        assert importlib.util.find_spec(claim.study) is not None
        assert TRIALS[claim.id].kept()


def test_every_claim_has_a_trial_and_every_trial_a_claim() -> None:
    assert list(TRIALS) == list(CLAIMS)
    assert all(trial.claim is CLAIMS[id] for id, trial in TRIALS.items())


@every_claim
def test_a_claim_that_stands_has_mutants_that_would_be_false(claim: Claim) -> None:
    mutants = TRIALS[claim.id].mutants
    false = [mutant for mutant in mutants if not mutant.equivalent]
    assert (claim in REFUTED) == (not false)
    if claim not in REFUTED:
        assert len(false) >= 2
        assert len({mutant.kind for mutant in false}) >= 2
    assert len({mutant.name for mutant in mutants}) == len(mutants)
    assert {mutant.claim.id for mutant in mutants} <= {claim.id}


@every_claim
def test_a_bound_that_can_be_imported_is_held_against_the_claim(claim: Claim) -> None:
    assert (claim.bound is None) == (claim.bound_on is None)


@named(BOUNDED)
def test_a_bound_at_an_instance_asks_for_every_assumption(claim: Claim) -> None:
    assert claim.bound_on is not None
    inside = found(claim, lambda given: claim.failing(given) is None)
    assert inside is not None
    assert claim.bound_at(inside) == claim.bound_on(claim.checked(inside))
    for assumption in claim.assumptions:
        outside = found(claim, partial(fails, claim, assumption.name))
        assert outside is not None or (claim.id, assumption.name) in RARELY_DRAWN, assumption.name
        if outside is not None:
            with pytest.raises(AssumptionError, match=f"^{claim.id} does not apply: it assumes ") as caught:
                claim.bound_at(outside)
            assert caught.value.assumption == assumption.name


@pytest.mark.parametrize(("id", "name"), DECIDED, ids=lambda word: word.replace(" ", "-"))
def test_an_imported_bound_refuses_what_its_arguments_show_to_be_outside(id: str, name: str) -> None:
    claim = CLAIMS[id]
    assert name in [assumption.name for assumption in claim.assumptions]

    def refused(given: Instance) -> bool:
        if not fails(claim, name, given):
            return False
        assert claim.bound_on is not None
        try:
            claim.bound_on(claim.checked(given))
        except AssumptionError as error:
            return error.assumption == name
        return False

    assert found(claim, refused) is not None


def test_what_is_refuted_as_printed_is_imported_under_a_name_that_says_so() -> None:
    refuted = [claim for claim in BOUNDED if claim.finding.refutable]
    names = {claim.id: claim.bound.__name__ for claim in refuted if claim.bound is not None}
    assert {id for id, name in names.items() if not name.endswith("_as_printed")} == set()


@every_claim
def test_an_extremal_instance_or_the_reason_for_none(claim: Claim) -> None:
    assert (claim.extremal is None) == bool(claim.no_extremal)


@named(EXTREMAL)
def test_the_sides_meet_on_the_extremal_instance(claim: Claim) -> None:
    assert claim.extremal is not None
    verdict = claim.evaluate(claim.extremal)
    assert verdict.ruling is Ruling.HOLDS
    assert verdict.slack == 0
    assert verdict.lhs == verdict.rhs


@every_claim
def test_what_is_refuted_has_a_witness(claim: Claim) -> None:
    if claim.finding.refutable or claim.finding is Finding.PROOF_GAP:
        assert claim.id in WITNESSES
    if claim.finding in (Finding.AS_PRINTED, Finding.OURS):
        assert claim.id not in WITNESSES


@every_claim
def test_a_finding_quotes_the_words_it_is_about_and_says_how_they_are_read(claim: Claim) -> None:
    if claim.finding.on_print:
        assert claim.quote
        assert claim.reading
    assert len(claim.quote.split()) <= MOST_QUOTED
    if claim.reading:
        assert claim.reading.endswith(".")


@every_claim
def test_only_what_is_ours_is_said_to_be(claim: Claim) -> None:
    # A conjecture that was read into a paper says which words it goes beyond; one of our own says that nobody made it.
    if claim.source.paper is HOUSE:
        assert claim.finding in (Finding.OURS, Finding.CONJECTURE)
    if claim.finding is Finding.CONJECTURE:
        assert claim.reading
        assert bool(claim.quote) == (claim.source.paper is not HOUSE)
    if claim.finding in (Finding.AS_PRINTED, Finding.OURS):
        assert not claim.quote
    if claim.finding is Finding.OURS:
        assert not claim.reading


STRAINED = (
    "V4",
    "V5",
    "V6",
    "V21",
    "M6",
    "M18",
    "D9.b",
    "D11",
    "D12",
    "D17",
    "D21.b",
    "N10",
    "N10.b",
    "N14.b",
    "W2.b",
    "W10",
    "W11.e",
)
"""Findings whose words hardly say what they are read to say."""


@pytest.mark.parametrize("id", STRAINED)
def test_a_strained_reading_says_so(id: str) -> None:
    assert CLAIMS[id].reading.startswith("Strained: ")


@named(WITNESSED)
def test_the_witness_shows_the_finding(claim: Claim) -> None:
    ruling = claim.evaluate(WITNESSES[claim.id]).ruling
    if claim.finding.refutable:
        assert ruling is Ruling.VIOLATED
    elif claim.finding is Finding.PROOF_GAP:
        assert ruling is Ruling.HOLDS
    else:
        assert ruling in (Ruling.VIOLATED, Ruling.HOLDS)


def witness_for(repaired: Claim, claim: Claim) -> Instance | None:
    """Return a claim's witness with the values that a repaired claim speaks of: of an observation, the same kept row.

    None if that is a test on many rows, and the repaired claim is put to none of this name.
    """
    witness = WITNESSES[claim.id]
    if not claim.study:
        return witness
    rows = [row for row in TRIALS[repaired.id].kept() if f"stored: {row.origin}" == witness.origin]
    assert len(rows) == 1 or isinstance(TRIALS[repaired.id].instances, Tendencies)
    return rows[0] if rows else None


@named(WITNESSED)
def test_the_repaired_claims_survive_the_witness(claim: Claim) -> None:
    for other in CLAIMS.values():
        # What says more of an observation, and fell too, repairs nothing.
        fell_too = bool(claim.study) and other.finding.refutable
        # What is observed of networks repairs no theorem.
        observed = bool(other.study) and not claim.study
        if (
            other.amends == claim.id
            and not fell_too
            and not observed
            and (witness := witness_for(other, claim)) is not None
        ):
            ruling = other.evaluate(witness).ruling
            undecided = isinstance(TRIALS[other.id].instances, Tendencies) and ruling is Ruling.INCONCLUSIVE
            assert undecided or ruling in (Ruling.HOLDS, Ruling.INAPPLICABLE), other.id


def test_the_proof_of_m6_stops_at_its_witness() -> None:
    witness = CLAIMS["M6"].witness
    assert witness is not None
    assert CLAIMS["M6"].failing(witness) is None
    failing = CLAIMS["M6.a"].failing(witness)
    assert failing is not None
    assert failing[0].name == "no unit toggles on a data point"


def test_the_proof_of_v7_stops_at_its_witness() -> None:
    # f' never takes the slope of the spline, on which the printed sketch rests.
    witness = CLAIMS["V7"].witness
    assert witness is not None
    f, (a, b) = witness["f"], witness["x"]
    assert (f(b) - f(a)) / (b - a) not in set(f.slopes)


@named([claim for claim in CLAIMS.values() if not claim.study])
def test_instances_lie_inside_the_assumptions_and_outside(claim: Claim) -> None:
    assert exists(claim, lambda instance: claim.failing(instance) is None)
    if claim.assumptions:
        assert exists(claim, lambda instance: claim.failing(instance) is not None)


@named([claim for claim in CLAIMS.values() if claim.finding.refutable])
def test_what_is_false_is_repaired(claim: Claim) -> None:
    root = printed_root(claim)
    repairs = [other for other in CLAIMS.values() if other.amends == root and not other.finding.refutable]
    # What says more of an observation than is printed may fall alone.
    assert repairs or (claim.study and not CLAIMS[root].finding.refutable)


@pytest.mark.parametrize("id", PROOFS)
def test_every_proof_is_the_one_that_was_replayed(id: str) -> None:
    """The ledger replays them, which takes minutes, and keeps a hash of each step."""
    recorded, pins = read_expected().records[id].pins, step_pins(PROOFS[id]())
    assert [recorded.get(f"step {number} of its proof") for number, _ in enumerate(pins)] == list(pins)
    assert f"step {len(pins)} of its proof" not in recorded


@every_claim
def test_what_stands_is_proved_and_what_does_not_is_not(claim: Claim) -> None:
    # That every proof which is there replays is shown above.
    if claim.study:
        assert claim.proof is None
    elif claim.finding in (Finding.AS_PRINTED, Finding.OURS):
        assert claim.proof is not None
    elif claim.finding.refutable:
        assert claim.proof is None


@named([claim for claim in CLAIMS.values() if claim.finding is Finding.PROOF_GAP and claim.proof is None])
def test_an_open_gap_has_a_proved_repair(claim: Claim) -> None:
    assert any(other.amends == claim.id and other.proof is not None for other in CLAIMS.values())
