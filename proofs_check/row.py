"""The ledger's row of a claim, in values, and the one place where it becomes JSON.

What a row says the claim rests on (statement, form, symbols, assumptions, proofs, theorems in Coq) is pinned in expected.json
by hashes, see `pins.pins`: what changed since it was recorded is a problem of the row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from theory.claim import Finding, Form, Ruling, Status

Stored = Mapping[str, Any]
"""An instance as it is stored, see `values.encoded_instance`: its origin, and the values of its symbols."""

CHECKED, FAILED, NOT_RUN = "checked", "failed", "not run"
"""What may come of a theorem in Coq: Coq accepts it, something is wrong with it, or there is no Coq to ask."""

CAUGHT, MISSED, EQUIVALENT, VOID, SPARED = "caught", "missed", "equivalent", "void", "spared"
"""What may come of a mutant: the search refutes it, it does not, or the mutant is true after all; the last two say nothing.

Void is one that lacks an assumption without which the claim, as it is encoded, has no sides to compare; spared is one that
nobody claims to be wrong, for a reason that its trial gives.
"""

WEAKER, EQUAL, SURVIVES = "weaker", "equal", "survives"
"""What else may come of a change of a claim's source, see `proofs_check.rewritten`."""


@dataclass(frozen=True)
class SymbolRow:
    """A symbol of a claim.

    Attributes:
        name: its name in instances.
        latex: its formula; nothing where it has none.
        meaning: what it stands for.
    """

    name: str
    latex: str
    meaning: str


@dataclass(frozen=True)
class StepRow:
    """A step of a proof, and what replaying it came to.

    Attributes:
        rule: its rule.
        before: its left side, LaTeX.
        after: its right side, LaTeX.
        relation: what it says of them: "=", ">=" or, of conditions, "if" or "iff"; nothing where it is cited.
        because: the reason that it gives, in words.
        decided: whether it was replayed and follows.
        cited: whether it rests on a theorem and is not replayed.
        sizes: the sizes for which it is decided, where these are not all.
        why: the reason why it does not follow; empty if it does, or is cited.
    """

    rule: str
    before: str
    after: str
    relation: str
    because: str
    decided: bool
    cited: bool
    sizes: str = ""
    why: str = ""


@dataclass(frozen=True)
class ProofRow:
    """A proof that was replayed.

    Attributes:
        covers: what of the claim it proves.
        steps: its steps.
        pins: the hash of each step, see `pins.step_pins`.
        comes_to: the hash of the two sides that it comes to, see `pins.sides_pin`.
        why: the reason why it is no proof of the claim, whatever its steps show; nothing if it is one.
        covered: on how many instances it was held against the claim's sides.
        uncovered: how many more have a size that it does not speak of.
    """

    covers: str
    steps: tuple[StepRow, ...]
    pins: tuple[str, ...] = ()
    comes_to: str = ""
    why: str = ""
    covered: int = 0
    uncovered: int = 0

    @property
    def decided(self) -> int:
        """How many steps were replayed and follow."""
        return sum(step.decided for step in self.steps)

    @property
    def cited(self) -> int:
        """How many steps rest on a theorem."""
        return sum(step.cited for step in self.steps)

    @property
    def open(self) -> int:
        """How many steps do not follow."""
        return sum(not (step.decided or step.cited) for step in self.steps)

    @property
    def holds(self) -> bool:
        """Whether it stands: every step is decided or cited, at least one is decided, and what they show is the claim."""
        return self.open == 0 and self.decided > 0 and not self.why

    @property
    def whole(self) -> bool:
        """Whether it stands for all sizes that the claim speaks of."""
        return self.holds and not self.uncovered and not any(step.sizes for step in self.steps)


@dataclass(frozen=True)
class TheoremRow:
    """A theorem in Coq: its entry in the manifest, see `manifest.Theorem`, and what came of it.

    Attributes:
        name: its name.
        file: the Coq file, by its path in the folder of all.
        covers: what of the claim it proves.
        leaves_out: what of the claim it does not prove.
        refutes: whether it proves the contrary.
        outcome: "checked", "failed" or "not run".
        why: why it failed, with the theorem's name and file; nothing if it did not.
        statement: as Coq prints it.
        axioms: those that it rests on.
        text: its statement and the definitions under it, as the files have them; see `coq_sources.text_under`.
        further: what it assumes that the claim does not show, in words.
    """

    name: str
    file: str
    covers: str
    leaves_out: str
    refutes: bool
    outcome: str
    why: str
    statement: str
    axioms: tuple[str, ...]
    text: tuple[str, ...] = ()
    further: tuple[str, ...] = ()


@dataclass(frozen=True)
class MutantRow:
    """A wrong version of a claim, or a change of its source, and what came of it.

    Attributes:
        name: what was changed.
        kind: what sort of mistake it is.
        because: why it is not caught, nor missed.
        by: where the instance that refutes it came from.
        outcome: "caught", "missed", "equivalent", "void" or "spared"; of a change of the source also "weaker", "equal" or
            "survives", and not "missed" or "equivalent".
    """

    name: str
    kind: str
    because: str
    by: str
    outcome: str


@dataclass(frozen=True)
class Row:
    """What the evidence on one claim comes to.

    Attributes:
        id: the claim's id.
        source: its paper and where it is printed there, in short.
        paper: the paper's key.
        title: the paper's citation.
        locator: where in the paper it is printed.
        amends: the id of the claim that it amends.
        form: what it asserts of its two sides.
        finding: what became of it as it is printed.
        status: how firmly it stands.
        status_without_coq: how firmly it stands where Coq is not asked.
        statement: what it says, LaTeX.
        note: what is to be said of it.
        assumptions: names of its assumptions.
        decisions: a hash of how each of them is decided, see `trials.source.told`.
        symbols: its symbols.
        holds: on how many instances it holds.
        violated: on how many it is violated.
        inconclusive: how many rounding leaves open.
        inapplicable: to how many it does not apply.
        origins: how many instances came from where: named, trained, drawn, coincident, varied.
        found_by: where the counterexample of the search came from.
        slack: the slack on the instance where it holds with least slack relative to its sides.
        slack_instance: that instance.
        lhs: its left side there, as text.
        rhs: its right side there.
        counterexample: what the search found, if exact arithmetic confirms it.
        witness: the instance that shows the finding.
        witness_ruling: what the claim comes to on it.
        witness_slack: its slack there.
        witness_lhs: its left side there, as text.
        witness_rhs: its right side there.
        confirmed: the arithmetic that confirms that the witness violates it.
        extremal: the instance on which its sides meet.
        no_extremal: why there is none.
        proof: its proof, replayed.
        small: the proof of its small sizes.
        theorems: its theorems in Coq.
        mutants: wrong versions of it, those written down and those without an assumption.
        rewritings: changes of its source that were tried.
        rewritings_left: how many more there are, which were not.
        seed: of the run.
        import_line: how its bound is imported.
        bound_checked: on how many instances that bound was held against its right side.
        oracle_checked: on how many instances its second implementation was held against the first.
        study: what reports on it.
        problems: sentences on what speaks against it as it is recorded.
        seconds: what all this took.
        rows_missing: where the kept rows would be that it is tried on, if they are not there.
        crashed: what crashed, a sentence; there is then no other evidence, and the status says nothing.
        quote: the words of the paper that its finding is about.
        reading: how they are read.
    """

    id: str
    source: str
    paper: str
    title: str
    locator: str
    amends: str | None
    form: Form
    finding: Finding
    status: Status
    status_without_coq: Status
    statement: str
    note: str
    assumptions: tuple[str, ...]
    symbols: tuple[SymbolRow, ...]
    holds: int
    violated: int
    inconclusive: int
    inapplicable: int
    origins: Mapping[str, int]
    found_by: str
    slack: float | None
    slack_instance: Stored | None
    lhs: str | None
    rhs: str | None
    counterexample: Stored | None
    witness: Stored | None
    witness_ruling: Ruling | None
    witness_slack: float | None
    witness_lhs: str | None
    witness_rhs: str | None
    confirmed: str
    extremal: Stored | None
    no_extremal: str
    proof: ProofRow | None
    small: ProofRow | None
    theorems: tuple[TheoremRow, ...]
    mutants: tuple[MutantRow, ...]
    import_line: str
    bound_checked: int
    oracle_checked: int
    study: str
    problems: tuple[str, ...] = ()
    seconds: float = 0.0
    rows_missing: str = ""
    crashed: str = ""
    quote: str = ""
    reading: str = ""
    rewritings: tuple[MutantRow, ...] = ()
    rewritings_left: int = 0
    seed: int = 0
    decisions: tuple[str, ...] = ()

    @property
    def instances(self) -> int:
        """How many instances it was evaluated on."""
        return self.holds + self.violated + self.inconclusive + self.inapplicable

    @property
    def refuted(self) -> bool:
        """Whether a counterexample is confirmed."""
        return self.status is Status.REFUTED

    @property
    def fell(self) -> bool:
        """Whether it is a conjecture of ours that fell, and so no finding on a paper."""
        return self.finding is Finding.CONJECTURE

    @property
    def mutants_caught(self) -> int:
        """How many mutants the search refutes."""
        return sum(mutant.outcome == CAUGHT for mutant in self.mutants)

    @property
    def mutants_total(self) -> int:
        """How many mutants are wrong."""
        return sum(mutant.outcome in (CAUGHT, MISSED) for mutant in self.mutants)

    @property
    def mutants_equivalent(self) -> int:
        """How many mutants are true after all."""
        return sum(mutant.outcome == EQUIVALENT for mutant in self.mutants)

    @property
    def rewritings_caught(self) -> int:
        """How many changes of the source the search refutes."""
        return sum(one.outcome == CAUGHT for one in self.rewritings)

    @property
    def rewritings_total(self) -> int:
        """How many changes of the source say more than the claim somewhere: those caught, and those that survive."""
        return self.rewritings_caught + len(self.survivors)

    @property
    def survivors(self) -> tuple[str, ...]:
        """The changes of the source that say more than the claim somewhere and are not refuted, by name."""
        return tuple(one.name for one in self.rewritings if one.outcome == SURVIVES)


_COUNTED = (
    *("instances", "mutants_caught", "mutants_total", "mutants_equivalent"),
    *("rewritings_caught", "rewritings_total", "survivors"),
)
"""What a row counts, which its JSON says too."""


def row_json(row: Row) -> dict[str, Any]:
    """Return a row as JSON; `rows_missing` is in it where they are, `crashed` where something did."""
    code = asdict(row) | {name: getattr(row, name) for name in _COUNTED}
    code |= {"status": row.status.value, "status_without_coq": row.status_without_coq.value}
    code["import"] = code.pop("import_line")
    return {name: value for name, value in code.items() if value or name not in ("rows_missing", "crashed")}


@dataclass(frozen=True)
class Head:
    """What the rows of a run share.

    Attributes:
        seed: of data, networks and searches.
        budget: how hard was searched.
        seconds: what it took.
        date: of the run, ISO 8601.
        versions: of what it ran with.
        machine: what it ran on, in words.
    """

    seed: int
    budget: str
    seconds: float
    date: str
    versions: Mapping[str, str]
    machine: str
