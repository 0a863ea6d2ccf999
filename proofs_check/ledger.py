"""The ledger: for each claim what the evidence comes to, as one row of values, computed and never typed."""

from __future__ import annotations

import sys
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from proofs_check import planted
from proofs_check.arena import arena_of
from proofs_check.coincidences import NO_INSTANCE
from proofs_check.conclusion import tie
from proofs_check.counterexamples import damaged, load, stored, witness_of
from proofs_check.crash import CrashError, part
from proofs_check.exact import Confirmation, DisagreementError, confirm, enclosure
from proofs_check.falsify import Arena, Effort, Search, Seen, coincide, first_violated, hunt
from proofs_check.kept import kept_in_words
from proofs_check.machine_checked import prove_all
from proofs_check.pins import sha256_of, sides_pin, step_pins
from proofs_check.registry import TRIALS
from proofs_check.remembered import OPEN, forgiving, recalled_if_known, remembering
from proofs_check.rewritten import tried_rewritings
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
from proofs_check.trials.source import told
from proofs_check.values import encoded_instance
from theory.claim import Assumption, Claim, Finding, Instance, Ruling, Status, Verdict
from theory.enclosure import Enclosure
from theory.proof import Proof
from theory.registry import CLAIMS

BUDGETS: Mapping[str, Effort] = {
    "quick": Effort(drawn=120, coincident=160, varied=60, trained=24, shrink=200, rewritten=6, shown=40),
    "full": Effort(
        drawn=3000, coincident=3000, varied=1500, trained=300, shrink=2000, rewritten=10_000, shown=100, beside=60
    ),
}
"""How hard to search, by name."""

SOURCES = ("named", "trained", "drawn", "coincident", "varied")
"""Where instances come from, in the order in which they are looked at."""

ORACLE_CHECKS, ORACLE_BITS = 10, 256
"""On how many instances the second implementation of a claim is held against the first, and its precision."""

TIE_CHECKS = 12
"""On how many instances a proof is held against the claim."""

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
    trained = min(300, max(8, drawn // 8))
    return Effort(drawn, drawn, drawn // 2, trained, drawn, rewritten=max(1, drawn // 8), shown=max(1, drawn // 2))


def row_of(
    claim: Claim,
    trained: Sequence[Instance],
    effort: Effort,
    *,
    seed: int = 0,
    theorems: Sequence[TheoremRow] = (),
    unread: Mapping[str, str] | None = None,
) -> Row:
    """Return what the evidence on one claim comes to.

    A claim of which a part crashes (its evaluation, its strategy, a proof, a mutant, its oracle, its kept rows) has a row
    that says which and nothing else.

    Args:
        claim: the claim.
        trained: what trained networks ended in.
        effort: how hard to search.
        seed: of the search; every claim has its own, made from this one and its id.
        theorems: what Coq says of the claim's theorems, see `machine_checked.check`.
        unread: what is wrong with stored counterexamples, by id, see `counterexamples.damaged`: these are left out. What
            is found to be wrong with them if not given.
    """
    start = time.perf_counter()
    left_out = damaged() if unread is None else unread
    stored_wrong = (left_out[claim.id],) if claim.id in left_out else ()
    try:
        with part("its row"):
            row = _whole_row(claim, trained, effort, seed, theorems, left_out)
    except CrashError as error:
        return crashed_row(claim, str(error), theorems, more=stored_wrong)
    return replace(row, seed=seed, problems=(*stored_wrong, *row.problems), seconds=time.perf_counter() - start)


def crashed_row(claim: Claim, crashed: str, theorems: Sequence[TheoremRow] = (), *, more: Sequence[str] = ()) -> Row:
    """Return the row of a claim on which there is no evidence, for something crashed.

    Args:
        claim: the claim.
        crashed: the sentence that says what.
        theorems: what Coq says of the claim's theorems.
        more: further sentences on what is wrong.
    """
    wrong = (theorem.why for theorem in theorems if theorem.why)
    nothing = Search()
    return Row(
        **_stated(claim),
        **_searched(nothing),
        status=Status.CONJECTURED,
        status_without_coq=Status.CONJECTURED,
        note=claim.note,
        counterexample=None,
        **_shown(None),
        confirmed="",
        extremal=None,
        proof=None,
        small=None,
        theorems=tuple(theorems),
        mutants=(),
        import_line="",
        bound_checked=0,
        oracle_checked=0,
        problems=(crashed, *more, *wrong),
        crashed=crashed,
    )


def _whole_row(
    claim: Claim,
    trained: Sequence[Instance],
    effort: Effort,
    seed: int,
    theorems: Sequence[TheoremRow],
    left_out: Mapping[str, str],
) -> Row:
    registered, claim = claim, remembering(claim)
    own_seed = zlib.crc32(f"{seed}/{claim.id}".encode())
    with part("its evaluation on its witness"):
        shows = claim.witness if claim.id in left_out else witness_of(claim)
        witness = None if shows is None else (claim.evaluate(shows), shows)
    arena = arena_of(claim, trained, searching=_violated(witness), left_out=frozenset(left_out))
    with part("its search"):
        search = hunt(claim, arena, effort, seed=own_seed)
    with part("its proof"):
        proof = _replayed(claim, claim.proof, search)
    with part("its proof of small sizes"):
        small = _replayed(claim, claim.small, search)
    untried = search.counterexample or arena.rows_missing
    mutants = () if untried else tuple(tried(claim, mutants_of(claim), arena, search, effort, own_seed))
    with part("the changes of its source"):
        spared = TRIALS[claim.id].spared
        rewritings, left = ([], 0) if untried else tried_rewritings(registered, search, effort, own_seed, spared)
    shown = witness if _violated(witness) else search.counterexample or witness
    with part("its confirmation in exact arithmetic"):
        confirmed = _confirmed(claim, shown)
        found = _confirmed_code(claim, search)
    without = _status(refuted=confirmed.ruling is Ruling.VIOLATED, proof=proof, small=small, decided=search.decided)
    whole = without is not Status.REFUTED and prove_all(theorems)
    with part("its importable bound"):
        bound_checked, bound_problems = _bound_agrees(claim, search, untried=bool(arena.rows_missing))
    with part("its oracle"):
        oracle_checked, oracle_problems = _oracle_agrees(claim, search)
    with part("the count of its kept rows"):
        in_words = kept_in_words(claim, TRIALS[claim.id].kept(), TRIALS[claim.id].kept_noun)
    row = Row(
        **_stated(claim),
        **_searched(search),
        status=Status.MACHINE_CHECKED if whole else without,
        status_without_coq=without,
        note=" ".join([claim.note, *in_words]),
        counterexample=found,
        **_shown(shown),
        confirmed=confirmed.method if confirmed.ruling is Ruling.VIOLATED else "",
        extremal=encoded_instance(claim.extremal) if claim.extremal else None,
        proof=proof,
        small=small,
        theorems=tuple(theorems),
        mutants=mutants,
        rewritings=tuple(rewritings),
        rewritings_left=left,
        import_line=_import_line(claim),
        bound_checked=bound_checked,
        oracle_checked=oracle_checked,
        rows_missing=arena.rows_missing,
        quote=claim.quote,
        reading=claim.reading,
    )
    problems = (*_contradictions(claim, row, search, left_out), *bound_problems, *oracle_problems)
    problems += tuple(planted.faults(replayed=bool(proof or small)))
    return replace(row, problems=problems)


def _stated(claim: Claim) -> dict[str, Any]:
    """Return what a row says of a claim as it is stated, whatever the evidence."""
    return {
        "id": claim.id,
        "source": "; again ".join(str(source) for source in (claim.source, *claim.again)),
        "paper": claim.source.paper.key,
        "title": _citation(claim),
        "locator": claim.source.locator,
        "amends": claim.amends,
        "form": claim.form,
        "finding": claim.finding,
        "statement": claim.statement,
        "assumptions": tuple(assumption.name for assumption in claim.assumptions),
        "decisions": tuple(sha256_of([told(a.measure), told(a.holds)]) for a in claim.assumptions),
        "symbols": tuple(SymbolRow(symbol.name, symbol.latex, symbol.meaning) for symbol in claim.symbols),
        "no_extremal": claim.no_extremal,
        "study": claim.study,
    }


def _searched(search: Search) -> dict[str, Any]:
    """Return what a row says of a search."""
    tightest = search.tightest
    lhs, rhs = _side_texts(tightest and tightest[0])
    return {
        "holds": search.rulings[Ruling.HOLDS],
        "violated": search.rulings[Ruling.VIOLATED],
        "inconclusive": search.rulings[Ruling.INCONCLUSIVE],
        "inapplicable": search.rulings[Ruling.INAPPLICABLE],
        "origins": {source: search.sources[source] for source in SOURCES},
        "found_by": search.source,
        "slack": tightest[0].slack if tightest else None,
        "slack_instance": encoded_instance(tightest[1]) if tightest else None,
        "lhs": lhs,
        "rhs": rhs,
    }


def _shown(case: tuple[Verdict, Instance] | None) -> dict[str, Any]:
    """Return what a row says of the instance that shows the finding."""
    lhs, rhs = _side_texts(case and case[0])
    return {
        "witness": encoded_instance(case[1]) if case else None,
        "witness_ruling": case[0].ruling if case else None,
        "witness_slack": case[0].slack if case else None,
        "witness_lhs": lhs,
        "witness_rhs": rhs,
    }


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


def _replayed(claim: Claim, proof: Callable[[], Proof] | None, search: Search) -> ProofRow | None:
    """Return the proof as a row, each step with whether it was decided, and whether it is one of the claim."""
    if proof is None:
        return None
    built = proof()
    tied = tie(claim, built, _decided(search, TIE_CHECKS))
    return ProofRow(
        built.covers,
        report(built),
        pins=step_pins(built),
        comes_to=sides_pin(built),
        why=tied.why,
        covered=tied.covered,
        uncovered=tied.uncovered,
    )


def _status(*, refuted: bool, proof: ProofRow | None, small: ProofRow | None, decided: int) -> Status:
    if refuted:
        return Status.REFUTED
    if proof is not None and proof.whole:
        return Status.PROVED
    if any(one is not None and one.holds for one in (proof, small)):
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
    order = sorted(passed.closest(), key=lambda seen: seen[2] == "trained")  # the largest by far last
    return [_tried_one(claim, mutant, arena, order, effort, seed) for mutant in mutants]


def _tried_one(claim: Claim, mutant: Mutant, arena: Arena, order: list[Seen], effort: Effort, seed: int) -> MutantRow:
    """Try a mutant on the instances that the claim has passed, then beside these, then in a search of its own.

    Raises:
        CrashError: if it crashes, naming it.
    """
    try:
        with part("its search"):
            return _mutant_row(claim, mutant, arena, order, effort, seed)
    except CrashError as error:
        raise CrashError(f"its mutant '{mutant.name}': {error}") from error


def _mutant_row(claim: Claim, mutant: Mutant, arena: Arena, order: list[Seen], effort: Effort, seed: int) -> MutantRow:
    """Try a mutant; the instance that refutes it comes first for the next one, which it often refutes too."""
    row = MutantRow(mutant.name, mutant.kind.value, mutant.equivalent, by="", outcome=EQUIVALENT)
    if mutant.equivalent:
        return row
    if mutant.name in TRIALS[claim.id].spared:
        return replace(row, outcome=SPARED, because=TRIALS[claim.id].spared[mutant.name])
    wrong = forgiving(_outside(_measuring(mutant.claim), claim))
    search = Search()
    for place, (_, instance, source) in enumerate(order):
        first_violated(wrong, search, [(source, [instance])])
        if search.counterexample:
            order.insert(0, order.pop(place))
            return replace(row, outcome=CAUGHT, by=source)
    if _void(wrong, claim, search, least=VALUELESS):
        return replace(row, outcome=VOID, because=NO_SIDES)
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


VALUELESS = 8
"""On how many instances a mutant has no value before it is looked for no further."""


def _void(wrong: Claim, claim: Claim, search: Search, least: int = 1) -> bool:
    """Return whether there are so many instances that a mutant alone applies to, and its sides have a value on none."""
    alone = [verdict for verdict, given, _ in search.seen if _only_to(wrong, claim, given)]
    return len(alone) >= least and all(verdict.lhs == verdict.rhs == OPEN for verdict in alone)


def _measuring(claim: Claim) -> Claim:
    """Return a claim that shares what its assumptions measure with others; sides are shared where they are the same."""
    assumptions = tuple(replace(a, measure=recalled_if_known(a.measure)) for a in claim.assumptions)
    return replace(claim, assumptions=assumptions, sides=recalled_if_known(claim.sides))


def _outside(wrong: Claim, claim: Claim) -> Claim:
    """Return a wrong version that differs in its assumptions alone so that it applies only where the claim does not.

    Where the claim applies, it says what the claim says: its sides need not be evaluated there.
    """
    if wrong.sides is not claim.sides or wrong.form is not claim.form:
        return wrong
    outside = Assumption("the claim itself does not apply", claim.failing, lambda failing: failing is not None)
    return replace(wrong, assumptions=(*wrong.assumptions, outside))


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
    return _spread(_holding(search), most)


def _holding(search: Search) -> list[tuple[Verdict, Instance]]:
    return [(verdict, instance) for verdict, instance, _ in search.closest() if verdict.ruling is Ruling.HOLDS]


def _spread(cases: Sequence[tuple[Verdict, Instance]], most: int) -> list[tuple[Verdict, Instance]]:
    return list(cases[:: max(1, len(cases) // most)][:most])


def _unlike(search: Search, most: int) -> list[tuple[Verdict, Instance]]:
    """Return instances that a claim holds on, as many with sides that no other has as there are, and then any.

    Many are those on which it is tight, where the data are as symmetric as they can be: of these few say anything new.
    """
    cases = _holding(search)
    first = {(verdict.lhs, verdict.rhs): k for k, (verdict, _) in reversed(list(enumerate(cases)))}
    new = set(first.values())
    chosen = _spread([case for k, case in enumerate(cases) if k in new], most)
    return chosen + _spread([case for k, case in enumerate(cases) if k not in new], most)[: most - len(chosen)]


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
    cases = _unlike(search, ORACLE_CHECKS)
    for verdict, instance in cases:
        second = oracle(instance, ORACLE_BITS)
        for name, first, other in zip(("left", "right"), (verdict.lhs, verdict.rhs), second, strict=True):
            ends = enclosure(other)
            if first is None or ends.lower > first.upper or ends.upper < first.lower:
                said = f"its {name} side is {_text(first)}, by its second implementation {_text(ends)}"
                return len(cases), [f"{said}, on a {instance.origin} instance"]
    return len(cases), []


def _contradictions(claim: Claim, row: Row, search: Search, left_out: Mapping[str, str]) -> list[str]:
    """Return a sentence for everything that the evidence says against the claim as it is recorded in the registry."""
    found = []
    if search.counterexample and row.counterexample is None:
        found.append("the search found a counterexample that exact arithmetic does not confirm")
    if claim.finding.refutable and not row.refuted:
        found.append(f"its finding is '{claim.finding.value}', but nothing refutes it")
    # One of ours that falls is named too, until the registry says that it fell: Finding.CONJECTURE.
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
        if proof is not None and proof.why:
            found.append(f"its {name} is not one of the claim: {proof.why}")
    if claim.extremal is not None:
        with part("its evaluation on its extremal instance"):
            verdict = claim.evaluate(claim.extremal)
        if verdict.ruling is not Ruling.HOLDS or verdict.slack != 0:
            found.append(
                f"its sides do not meet on its extremal instance: {verdict.ruling.value}, slack {verdict.slack}"
            )
    if claim.id in stored() and claim.id not in left_out:
        with part("its evaluation on its stored counterexample"):
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
