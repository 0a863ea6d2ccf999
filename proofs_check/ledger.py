"""The ledger: for each claim what the evidence comes to, as one row of values, computed and never typed."""

from __future__ import annotations

import sys
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from proofs_check.arena import arena_of
from proofs_check.coincidences import NO_INSTANCE
from proofs_check.counterexamples import load, stored, witness_of
from proofs_check.exact import Confirmation, DisagreementError, confirm, enclosure
from proofs_check.falsify import Arena, Effort, Search, coincide, first_violated, hunt
from proofs_check.kept import kept_in_words
from proofs_check.machine_checked import prove_all
from proofs_check.registry import TRIALS
from proofs_check.remembered import OPEN, forgiving, recalled_if_known, remembering
from proofs_check.row import (
    CAUGHT,
    EQUIVALENT,
    MISSED,
    SPARED,
    VOID,
    MutantRow,
    ProofRow,
    Row,
    Stored,
    SymbolRow,
    TheoremRow,
)
from proofs_check.symbolic import report
from proofs_check.trials.generated import of_assumptions
from proofs_check.trials.operators import Mutant
from proofs_check.values import encoded_instance
from theory.claim import Claim, Finding, Instance, Ruling, Status, Verdict
from theory.enclosure import Enclosure
from theory.proof import Proof
from theory.registry import CLAIMS

BUDGETS: Mapping[str, Effort] = {
    "quick": Effort(drawn=120, coincident=160, varied=60, trained=24, shrink=200),
    "full": Effort(drawn=3000, coincident=3000, varied=1500, trained=300, shrink=2000),
}
"""How hard to search, by name."""

SOURCES = ("named", "trained", "drawn", "coincident", "varied")
"""Where instances come from, in the order in which they are looked at."""

REFUTABLE = (Finding.FALSE, Finding.NEEDS_ASSUMPTION)
"""Findings that say that the claim as printed is violated somewhere."""

ORACLE_CHECKS, ORACLE_BITS = 10, 256
"""On how many instances the second implementation of a claim is held against the first, and its precision."""

BOUND_CHECKS, BOUND_ERROR = 20, 1e-9
"""On how many instances an importable bound is held against the claim's right side, and how far apart they may be."""


def effort_of(budget: str) -> Effort:
    """Return the effort of a budget: "quick", "full", or the number of instances to draw for each claim.

    Raises:
        ValueError: if it is neither a name nor a whole number above 0.
    """
    if budget in BUDGETS:
        return BUDGETS[budget]
    try:
        drawn = int(budget)
    except ValueError:
        drawn = 0
    if drawn < 1:
        names = ", ".join(BUDGETS)
        raise ValueError(f"--budget must be {names}, or a whole number of instances above 0, got {budget!r}")
    return Effort(drawn, drawn, drawn // 2, min(300, max(8, drawn // 8)), drawn)


def row_of(
    claim: Claim, trained: Sequence[Instance], effort: Effort, *, seed: int = 0, theorems: Sequence[TheoremRow] = ()
) -> Row:
    """Return what the evidence on one claim comes to.

    Args:
        claim: the claim.
        trained: what trained networks ended in.
        effort: how hard to search.
        seed: of the search; every claim has its own, made from this one and its id.
        theorems: what Coq says of the claim's theorems, see `machine_checked.check`.
    """
    start = time.perf_counter()
    claim = remembering(claim)
    own_seed = zlib.crc32(f"{seed}/{claim.id}".encode())
    shows = witness_of(claim)
    witness = None if shows is None else (claim.evaluate(shows), shows)
    arena = arena_of(claim, trained, searching=_violated(witness))
    search = hunt(claim, arena, effort, seed=own_seed)
    proof, small = _replayed(claim.proof), _replayed(claim.small)
    untried = search.counterexample or arena.rows_missing
    mutants = () if untried else tuple(tried(claim, mutants_of(claim), arena, search, effort, own_seed))
    shown = witness if _violated(witness) else search.counterexample or witness
    confirmed = _confirmed(claim, shown)
    found = _confirmed_code(claim, search)
    without = _status(refuted=confirmed.ruling is Ruling.VIOLATED, proof=proof, small=small, decided=search.decided)
    whole = without is not Status.REFUTED and prove_all(theorems)
    bound_checked, bound_problems = _bound_agrees(claim, search, untried=bool(arena.rows_missing))
    oracle_checked, oracle_problems = _oracle_agrees(claim, search)
    tightest = search.tightest
    (lhs, rhs), (witness_lhs, witness_rhs) = (_side_texts(case and case[0]) for case in (tightest, shown))
    row = Row(
        id=claim.id,
        source=str(claim.source),
        paper=claim.source.paper.key,
        title=_citation(claim),
        locator=claim.source.locator,
        amends=claim.amends,
        form=claim.form,
        finding=claim.finding,
        status=Status.MACHINE_CHECKED if whole else without,
        status_without_coq=without,
        statement=claim.statement,
        note=" ".join([claim.note, *kept_in_words(claim, TRIALS[claim.id].kept())]),
        assumptions=tuple(assumption.name for assumption in claim.assumptions),
        symbols=tuple(SymbolRow(symbol.name, symbol.latex, symbol.meaning) for symbol in claim.symbols),
        holds=search.rulings[Ruling.HOLDS],
        violated=search.rulings[Ruling.VIOLATED],
        inconclusive=search.rulings[Ruling.INCONCLUSIVE],
        inapplicable=search.rulings[Ruling.INAPPLICABLE],
        origins={source: search.sources[source] for source in SOURCES},
        found_by=search.source,
        slack=tightest[0].slack if tightest else None,
        slack_instance=encoded_instance(tightest[1]) if tightest else None,
        lhs=lhs,
        rhs=rhs,
        counterexample=found,
        witness=encoded_instance(shown[1]) if shown else None,
        witness_ruling=shown[0].ruling if shown else None,
        witness_slack=shown[0].slack if shown else None,
        witness_lhs=witness_lhs,
        witness_rhs=witness_rhs,
        confirmed=confirmed.method if confirmed.ruling is Ruling.VIOLATED else "",
        extremal=encoded_instance(claim.extremal) if claim.extremal else None,
        no_extremal=claim.no_extremal,
        proof=proof,
        small=small,
        theorems=tuple(theorems),
        mutants=mutants,
        import_line=_import_line(claim),
        bound_checked=bound_checked,
        oracle_checked=oracle_checked,
        study=claim.study,
        rows_missing=arena.rows_missing,
    )
    problems = (*_contradictions(claim, row, search), *bound_problems, *oracle_problems)
    return replace(row, problems=problems, seconds=time.perf_counter() - start)


def _citation(claim: Claim) -> str:
    paper = claim.source.paper
    return f"{paper.authors}. {paper.title}. {paper.venue}, {paper.year}"


def _import_line(claim: Claim) -> str:
    """Return how the claim's bound is imported: from its paper's package, or from another paper's that exports it."""
    bound = claim.bound
    if bound is None:
        return ""
    own = f"theory.{claim.source.paper.key}"
    packages = {
        name: module
        for name, module in sorted(sys.modules.items(), key=lambda item: item[0] != own)
        if name.rpartition(".")[0] == "theory" and hasattr(module, "__path__")
    }
    faces = [name for name, module in packages.items() if getattr(module, bound.__name__, None) is bound]
    return f"from {faces[0] if faces else bound.__module__} import {bound.__name__}"


def _side_texts(verdict: Verdict | None) -> tuple[str | None, str | None]:
    return (None, None) if verdict is None else (_text(verdict.lhs), _text(verdict.rhs))


def _text(side: Enclosure | None) -> str | None:
    if side is None:
        return None
    if side.lower == side.upper:
        exact = str(side.lower)
        return exact if len(exact) <= 16 else f"{float(side.lower):.10g}"
    lower, upper = float(side.lower), float(side.upper)
    return f"{lower:.10g}" if f"{lower:.10g}" == f"{upper:.10g}" else f"[{lower:.10g}, {upper:.10g}]"


def _replayed(proof: Callable[[], Proof] | None) -> ProofRow | None:
    """Return the proof as a row, each step with whether it was decided."""
    if proof is None:
        return None
    built = proof()
    return ProofRow(built.covers, report(built))


def _status(*, refuted: bool, proof: ProofRow | None, small: ProofRow | None, decided: int) -> Status:
    if refuted:
        return Status.REFUTED
    if proof is not None and proof.holds:
        return Status.PROVED
    if small is not None and small.holds:
        return Status.CERTIFIED
    return Status.TESTED if decided else Status.CONJECTURED


def _confirmed(claim: Claim, case: tuple[Verdict, Instance] | None) -> Confirmation:
    """Return what exact arithmetic says of a counterexample; that two implementations disagree confirms nothing."""
    if not _violated(case) or case is None:
        return Confirmation("", Ruling.INCONCLUSIVE)
    try:
        return confirm(claim, case[1])
    except DisagreementError:
        return Confirmation("", Ruling.INCONCLUSIVE)


def _confirmed_code(claim: Claim, search: Search) -> Stored | None:
    """Return the counterexample that the search found, as it is stored, if exact arithmetic confirms it."""
    if search.counterexample is None or _confirmed(claim, search.counterexample).ruling is not Ruling.VIOLATED:
        return None
    return encoded_instance(search.counterexample[1])


def _violated(case: tuple[Verdict, Instance] | None) -> bool:
    return case is not None and case[0].ruling is Ruling.VIOLATED


def tried(
    claim: Claim, mutants: Sequence[Mutant], arena: Arena, passed: Search, effort: Effort, seed: int
) -> list[MutantRow]:
    """Return what came of wrong versions of a claim, each tried until an instance refutes it.

    Args:
        claim: the claim.
        mutants: the wrong versions.
        arena: where instances are drawn.
        passed: the instances that the claim has passed; all mutants are tried on these.
        effort: how hard to search further for those that pass them too.
        seed: of the search.
    """
    return [_tried_one(claim, mutant, arena, passed, effort, seed) for mutant in mutants]


def _tried_one(claim: Claim, mutant: Mutant, arena: Arena, passed: Search, effort: Effort, seed: int) -> MutantRow:
    """Try a mutant on the instances that the claim has passed, then beside these, then in a search of its own."""
    row = MutantRow(mutant.name, mutant.kind.value, mutant.equivalent, by="", outcome=EQUIVALENT)
    if mutant.equivalent:
        return row
    if mutant.name in TRIALS[claim.id].spared:
        return replace(row, outcome=SPARED, because=TRIALS[claim.id].spared[mutant.name])
    wrong = forgiving(_measuring(mutant.claim))
    search = Search()
    for _, instance, source in passed.closest():
        first_violated(wrong, search, [(source, [instance])])
        if search.counterexample:
            return replace(row, outcome=CAUGHT, by=source)
    coincide(
        wrong, search, steps=2 * effort.coincident, seed=seed + 2, first=lambda given: _only_to(wrong, claim, given)
    )
    if search.counterexample:
        return replace(row, outcome=CAUGHT, by=search.source)
    if _void(wrong, claim, search):
        return replace(row, outcome=VOID, because=NO_SIDES)
    own = replace(effort, trained=0, shrink=0)
    search = hunt(wrong, Arena(drawn=arena.drawn), own, seed=seed + 1)
    return replace(row, outcome=CAUGHT if search.counterexample else MISSED, by=search.source)


NO_SIDES = "where only the mutant applies its sides have no value, on all instances seen"
"""Why a mutant is void that lacks an assumption without which there is nothing to compare."""


def _void(wrong: Claim, claim: Claim, search: Search) -> bool:
    """Return whether there are instances that a mutant alone applies to, and its sides have a value on none of them."""
    alone = [verdict for verdict, given, _ in search.seen if _only_to(wrong, claim, given)]
    return bool(alone) and all(verdict.lhs == verdict.rhs == OPEN for verdict in alone)


def _measuring(claim: Claim) -> Claim:
    """Return a claim that shares what its assumptions measure with others; sides are shared where they are the same."""
    assumptions = tuple(replace(a, measure=recalled_if_known(a.measure)) for a in claim.assumptions)
    return replace(claim, assumptions=assumptions, sides=recalled_if_known(claim.sides))


def mutants_of(claim: Claim) -> list[Mutant]:
    """Return the wrong versions of a claim: those written down, and those made of its assumptions, each name once."""
    trial = TRIALS[claim.id]
    written = {mutant.name for mutant in trial.mutants}
    made = (mutant for mutant in of_assumptions(claim) if mutant.name not in written)
    return [*trial.mutants, *made]


def _only_to(first: Claim, second: Claim, given: Instance) -> bool:
    """Return whether an instance is one that the first claim applies to, and the second does not."""
    try:
        return first.failing(given) is None and second.failing(given) is not None
    except NO_INSTANCE:
        return False


def _decided(search: Search, most: int) -> list[tuple[Verdict, Instance]]:
    """Return instances that a claim holds on, from the tightest to those with most slack, evenly spread."""
    cases = [(verdict, instance) for verdict, instance, _ in search.closest() if verdict.ruling is Ruling.HOLDS]
    return cases[:: max(1, len(cases) // most)][:most]


def _bound_agrees(claim: Claim, search: Search, *, untried: bool) -> tuple[int, list[str]]:
    """Hold the importable bound against the claim's right side, on instances that the claim holds on.

    There must be such instances, unless the rows that the claim is tried on are not there.
    """
    if claim.bound_on is None:
        return 0, []
    cases = _decided(search, BOUND_CHECKS)
    for right, instance in ((verdict.rhs, instance) for verdict, instance in cases):
        value = claim.bound_on(instance)
        room = BOUND_ERROR * (1 + abs(value))
        if right is None or not float(right.lower) - room <= value <= float(right.upper) + room:
            return len(cases), [f"the importable bound gives {value:.10g} where the right side is {_text(right)}"]
    return len(cases), [] if cases or untried else ["the importable bound was held against nothing"]


def _oracle_agrees(claim: Claim, search: Search) -> tuple[int, list[str]]:
    """Hold the second implementation of both sides against the first, where there is one."""
    oracle = TRIALS[claim.id].oracle
    if oracle is None:
        return 0, []
    cases = _decided(search, ORACLE_CHECKS)
    for verdict, instance in cases:
        second = oracle(instance, ORACLE_BITS)
        for name, first, other in zip(("left", "right"), (verdict.lhs, verdict.rhs), second, strict=True):
            ends = enclosure(other)
            if first is None or ends.lower > first.upper or ends.upper < first.lower:
                said = f"its {name} side is {_text(first)}, by its second implementation {_text(ends)}"
                return len(cases), [f"{said}, on a {instance.origin} instance"]
    return len(cases), []


def _contradictions(claim: Claim, row: Row, search: Search) -> list[str]:
    """Return a sentence for everything that the evidence says against the claim as it is recorded in the registry."""
    found = []
    if search.counterexample and row.counterexample is None:
        found.append("the search found a counterexample that exact arithmetic does not confirm")
    if claim.finding in REFUTABLE and not row.refuted:
        found.append(f"its finding is '{claim.finding.value}', but nothing refutes it")
    if row.refuted and claim.finding in (Finding.AS_PRINTED, Finding.OURS, Finding.PROOF_GAP):
        found.append(
            f"it is refuted (by a {row.found_by or 'named'} instance), but its finding is '{claim.finding.value}'"
        )
    if claim.finding is Finding.PROOF_GAP and row.witness_ruling not in (Ruling.HOLDS, None):
        found.append(f"the witness of its gap is {row.witness_ruling}")
    for name, proof in (("proof", row.proof), ("small", row.small)):
        for number, step in enumerate(proof.steps if proof else ()):
            if not (step.decided or step.cited):
                found.append(f"step {number} of its {name} does not follow: {step.why}")
    if claim.extremal is not None:
        verdict = claim.evaluate(claim.extremal)
        if verdict.ruling is not Ruling.HOLDS or verdict.slack != 0:
            found.append(
                f"its sides do not meet on its extremal instance: {verdict.ruling.value}, slack {verdict.slack}"
            )
    if claim.id in stored():
        verdict = claim.evaluate(load(claim.id))
        if verdict.ruling is not Ruling.VIOLATED:
            found.append(f"its stored counterexample is none: {verdict.ruling.value}")
    found += _theorems_against(row)
    found += [f"a mutant was missed: {mutant.name}" for mutant in row.mutants if mutant.outcome == MISSED]
    return found


def _theorems_against(row: Row) -> list[str]:
    """Return a sentence for every theorem in Coq that fails, or that contradicts the rest of the evidence."""
    found = [theorem.why for theorem in row.theorems if theorem.why]
    if row.refuted and prove_all(row.theorems):
        found.append("it is refuted, but its theorems in Coq are said to prove all of it")
    if not row.refuted:
        said = f"in Coq is said to refute it, but its status is '{row.status.value}'"
        found += [f"{theorem.name} {said}" for theorem in row.theorems if theorem.refutes]
    return found


def chosen(ids: Sequence[str]) -> list[Claim]:
    """Return the claims of these ids, in reading order; all for none.

    Raises:
        ValueError: if there is no such claim, suggesting the nearest ids.
    """
    for id in ids:
        if id not in CLAIMS:
            raise ValueError(f"there is no claim {id!r}; the nearest are {', '.join(CLAIMS.nearest(id))}")
    return [claim for claim in CLAIMS.values() if not ids or claim.id in ids]
