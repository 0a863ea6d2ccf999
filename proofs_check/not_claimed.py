"""What the ledger does not claim, as a page of the repository: made of its rows, the trials and the manifest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import jinja2

from proofs_check.ledger import BOUND_CHECKS, ORACLE_CHECKS, TIE_CHECKS
from proofs_check.manifest import DEFINED, NOT_NEEDED, Theorem, read_manifest
from proofs_check.page import plain, slug
from proofs_check.registry import TRIALS
from proofs_check.row import EQUIVALENT, SPARED, VOID, ProofRow, Row
from proofs_check.trusted import (
    PACKAGES,
    PARTS,
    ROOT,
    lines,
    lines_outside_proofs,
    pinned,
    roughly,
    size_of,
    size_of_coq,
)
from theory.claim import Finding, Status
from theory.proof import Rule
from theory.sources import HOUSE

STATUSES: Mapping[Status, tuple[str, str]] = {
    Status.MACHINE_CHECKED: (
        "Coq accepts theorems that leave out nothing of the claim.",
        "That Coq's definitions are the paper's, or that a theorem is the claim: a reader decides that, with the two "
        "statements side by side in the ledger. Hypotheses that the claim does not show are listed below.",
    ),
    Status.PROVED: (
        "Steps lead from one side of the claim to the other, for all sizes; each is decided by sympy or z3, or cites a "
        f"theorem. On {TIE_CHECKS} instances at most the sides of the proof are those of the claim.",
        "That a cited theorem is right, or applies: only that what it says is true on these instances. That the symbols of the "
        "proof are the claim's beyond these instances, or what it assumes of them true there: their signs, and the conditions "
        "that no step shows. No kernel checks the replay, no certificate sympy or z3.",
    ),
    Status.CERTIFIED: (
        "The same, for small sizes only, or for some of the sizes that instances have.",
        "Anything of other sizes. What carries the proof there is prose, which nothing here decides.",
    ),
    Status.TESTED: (
        "No counterexample was found among the instances that were tried; the search refutes the claim's mutants.",
        "That there is none. Instances are small, and drawn from strategies written for the claim; no probability is "
        "attached. Of an observation: that it is so in other runs than those kept.",
    ),
    Status.CONJECTURED: (
        "Nothing: no instance decides the claim.",
        "That it is false, or true.",
    ),
    Status.REFUTED: (
        "The claim as it is encoded is violated on an instance, in rational arithmetic; in Arb too where there is a second "
        "implementation. Of what was seen in one run: on a row that was kept of another.",
        "That the paper means what was refuted: see the words and how they are read. That its theorems fail which rest on it, "
        "or that the counterexample is typical.",
    ),
}
"""What each status shows, and what it does not."""

FINDINGS: Mapping[Finding, str] = {
    Finding.AS_PRINTED: "That the paper's own proof is right: it was not replayed, and the proof here may be another one. That "
    "the claim is new, sharp or useful. How firmly it stands is its status.",
    Finding.NEEDS_ASSUMPTION: "That the paper leaves the assumption out on purpose, or does not make it elsewhere; that the "
    "assumption of the repaired claim is the weakest that will do.",
    Finding.PROOF_GAP: "That the claim is false: nothing refutes it here. That the gap cannot be closed as the paper meant; "
    "appendices were not looked at where the reading says so.",
    Finding.LOOSE: "That it is wrong to print it: an approximation is held to the equality that it stands in for, or a bound "
    "could be sharper.",
    Finding.FALSE: "That no reading makes it true; that what the paper does with it fails.",
    Finding.ONE_RUN: "Anything against the run that the paper shows: other runs differ.",
    Finding.CONJECTURE: "Anything against a paper: no paper claims it.",
    Finding.OURS: "That it is new: the literature was not searched for each.",
}
"""What each finding does not show."""

RULES: Mapping[Rule, str] = {
    Rule.IDENTITY: "sympy; z3, of two conditions",
    Rule.NONNEGATIVE: "sympy, and the signs of its symbols",
    Rule.POLYNOMIAL: "z3",
    Rule.SUM: "sympy, from an earlier step",
    Rule.INDUCTION: "sympy; z3 and its symbols' signs, for what is not negative",
    Rule.SCALED: "sympy; z3 and its symbols' signs, for the factor",
    Rule.CITED: "nothing here",
}
"""What decides a step of each rule."""


def not_claimed(rows: Sequence[Row], coq: str = "") -> str:
    """Return the page of what is not claimed, as Markdown.

    Args:
        rows: those of all claims, in reading order.
        coq: the version of Coq that checked the theorems.
    """
    theorems = read_manifest()[0]
    steps = [step for row in rows for _, proof in _proofs(row) for step in proof.steps]
    uncertain = [row for row in rows if row.status in (Status.TESTED, Status.CONJECTURED)]
    text: str = _TEMPLATE.render(
        claims=len(rows),
        statuses=_statuses(rows),
        findings=_findings(rows),
        papers=_readings(rows),
        printed=sum(row.finding is Finding.AS_PRINTED for row in rows),
        printed_read=sum(row.finding is Finding.AS_PRINTED and bool(row.reading) for row in rows),
        abstracts=_links(row for row in rows if "abstract" in row.note),
        steps=len(steps),
        cited_steps=sum(step.cited for step in steps),
        cited=_cited(rows),
        citing=_links(row for row in rows if any(proof.cited for _, proof in _proofs(row))),
        rules=_rules(step.rule for step in steps),
        small=_small(rows),
        uncertain=_links(uncertain),
        observed=_observed(rows),
        oracles=_oracles(rows),
        alone=_links(_refuted_alone(rows)),
        mutants=_mutants(rows),
        rewritings=sum(len(row.rewritings) for row in rows),
        rewritings_left=sum(row.rewritings_left for row in rows),
        refuted=sum(row.rewritings_caught for row in rows),
        more=sum(row.rewritings_total for row in rows),
        survivors=_survivors(rows),
        theorems=len(theorems),
        in_part=_in_part(theorems),
        further=_further(theorems),
        without=_without(theorems),
        defined=_defined(theorems),
        typed=sum(not why.startswith(BY_DEFINITION) for theorem in theorems for _, why in theorem.typing),
        axioms=_axioms(rows),
        trusted=_trusted(),
        packages=_packages(coq),
        oracle_checks=ORACLE_CHECKS,
        bound_checks=BOUND_CHECKS,
    )
    return text.rstrip() + "\n"


BY_DEFINITION = "by definition: "
"""How the manifest begins what it says of a hypothesis that holds by what its symbols stand for."""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown, "None." if it has no rows."""
    lines_of = [f"| {' | '.join(cells)} |" for cells in rows]
    if not lines_of:
        return "None."
    return "\n".join([f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *lines_of])


def link(id: str) -> str:
    """Return a link from a page beside the ledger to what it says of a claim."""
    return f"[{id}](ledger.md#{slug(id)})"


def _links(rows: Iterable[Row]) -> str:
    return ", ".join(link(row.id) for row in rows)


def _proofs(row: Row) -> list[tuple[str, ProofRow]]:
    found = (("proof", row.proof), ("proof of small sizes", row.small))
    return [(name, proof) for name, proof in found if proof is not None]


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the ids that come with each text, both in the order in which they come first."""
    found: dict[str, dict[str, None]] = {}
    for text, id in pairs:
        found.setdefault(text, {})[id] = None
    return {text: list(ids) for text, ids in found.items()}


def _statuses(rows: Sequence[Row]) -> str:
    counts = {status: sum(row.status is status for row in rows) for status in Status}
    head = ("status", "claims", "it shows", "it does not show")
    return table(head, ((status.value, str(counts[status]), *STATUSES[status]) for status in STATUSES))


def _findings(rows: Sequence[Row]) -> str:
    counts = {finding: sum(row.finding is finding for row in rows) for finding in Finding}
    head = ("finding", "claims", "it does not show")
    return table(head, ((finding.value, str(counts[finding]), FINDINGS[finding]) for finding in FINDINGS))


def _readings(rows: Sequence[Row]) -> list[tuple[str, str]]:
    """Return each paper's citation with the table of how it is read."""
    head = ("claim", "finding", "the words", "how they are read")
    papers = _grouped((row.title, row.paper) for row in rows if row.reading)
    return [
        (
            "This library" if HOUSE.key in keys else plain(title),
            table(
                head,
                (
                    (link(row.id), row.finding.value, plain(row.quote) or "(the statement)", plain(row.reading))
                    for row in rows
                    if row.paper in keys and row.reading
                ),
            ),
        )
        for title, keys in papers.items()
    ]


def _cited(rows: Sequence[Row]) -> str:
    steps = ((s.because, row.id) for row in rows for _, proof in _proofs(row) for s in proof.steps if s.cited)
    return table(("cited", "by"), ((plain(text), ", ".join(map(link, ids))) for text, ids in _grouped(steps).items()))


def _rules(found: Iterable[str]) -> str:
    rules = list(found)
    return table(("rule", "steps", "decided by"), ((r.value, str(rules.count(r.value)), RULES[r]) for r in RULES))


def _small(rows: Sequence[Row]) -> str:
    """Return the proofs that decide some sizes only: so they say, or instances have others."""
    found = []
    for row in rows:
        for name, proof in _proofs(row):
            sizes = list(dict.fromkeys(step.sizes for step in proof.steps if step.sizes))
            if sizes or proof.uncovered or name != "proof":
                said = "; ".join(sizes) or "those of its words, instances have others"
                found.append((link(row.id), row.status.value, plain(said), plain(proof.covers)))
    return table(("claim", "status", "sizes", "what the proof covers"), found)


def _observed(rows: Sequence[Row]) -> str:
    found = ((link(row.id), row.finding.value, row.status.value, f"`{row.study}`") for row in rows if row.study)
    return table(("claim", "finding", "status", "study"), found)


def _oracles(rows: Sequence[Row]) -> str:
    cells = []
    for status in STATUSES:
        own = [row for row in rows if row.status is status]
        none = [row for row in own if TRIALS[row.id].oracle is None]
        cells.append((status.value, str(len(own) - len(none)), str(len(none)), _links(none)))
    return table(("status", "with one", "without", "those without"), (cell for cell in cells if cell[2] != "0"))


def _refuted_alone(rows: Sequence[Row]) -> list[Row]:
    """Return the claims whose counterexample has neither a second implementation nor a theorem behind it."""
    return [
        row
        for row in rows
        if row.refuted and TRIALS[row.id].oracle is None and not any(theorem.refutes for theorem in row.theorems)
    ]


def _mutants(rows: Sequence[Row]) -> str:
    said = {EQUIVALENT: "true after all", SPARED: "not asked", VOID: "void"}
    return table(
        ("claim", "wrong version", "", "why"),
        (
            (link(row.id), plain(mutant.name), said[mutant.outcome], plain(mutant.because))
            for row in rows
            for mutant in row.mutants
            if mutant.outcome in said
        ),
    )


def _survivors(rows: Sequence[Row]) -> str:
    found = ((link(row.id), plain(name)) for row in rows for name in row.survivors)
    return table(("claim", "change that says more somewhere, and is not refuted"), found)


def _in_part(theorems: Sequence[Theorem]) -> str:
    found = ((link(t.claim), f"`{t.name}`", plain(t.leaves_out)) for t in theorems if t.leaves_out)
    return table(("claim", "theorem", "leaves out"), found)


def _further(theorems: Sequence[Theorem]) -> str:
    return table(
        ("claim", "theorem", "hypothesis", "what it means"),
        ((link(t.claim), f"`{t.name}`", f"`{text}`", plain(words)) for t in theorems for text, words in t.further),
    )


def _without(theorems: Sequence[Theorem]) -> str:
    """Return the assumptions of claims that are no hypothesis of their theorem, with what the manifest says instead."""
    return table(
        ("claim", "theorem", "assumption", "in the theorem"),
        (
            (link(t.claim), f"`{t.name}`", plain(name), texts[0])
            for t in theorems
            for name, texts in t.assumes
            if texts[0] in (NOT_NEEDED, DEFINED)
        ),
    )


def _defined(theorems: Sequence[Theorem]) -> str:
    said = (
        (why.removeprefix(BY_DEFINITION), theorem.claim)
        for theorem in theorems
        for _, why in theorem.typing
        if why.startswith(BY_DEFINITION)
    )
    return table(
        ("said to hold by definition", "in"),
        ((plain(text), ", ".join(map(link, ids))) for text, ids in _grouped(said).items()),
    )


def _axioms(rows: Sequence[Row]) -> str:
    on = [theorem.axioms for row in rows for theorem in row.theorems]
    names = sorted({axiom for axioms in on for axiom in axioms})
    found = ((f"`{name}`", str(sum(name in axioms for axioms in on))) for name in names)
    return table(("axiom", "theorems on it"), (*found, ("none", str(sum(not axioms for axioms in on)))))


def _trusted() -> str:
    return table(
        ("part", "files", "lines", "wrong if it is wrong", "what would notice"),
        (
            (part.name, str(len(paths)), _size(paths), plain(part.rests), _paths(part.checked))
            for part, paths in ((part, part.files()) for part in PARTS)
        ),
    )


def _size(paths: Sequence[Path]) -> str:
    size = roughly(lines(paths))
    if all(path.suffix == ".v" for path in paths):
        return f"{size}; {roughly(lines_outside_proofs(paths))} outside proofs"
    return size


def _packages(coq: str) -> str:
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    named = [
        (package.name, pinned(package.name, constraints), size_of(package.name), package.rests, package.checked)
        for package in PACKAGES
    ]
    kernel = "its kernel, compiled"
    library = f"; standard library: {size}" if (size := size_of_coq()) else ""
    named.append(("Coq", coq, kernel + library, "machine-checked", "planted and broken theorems"))
    head = ("package", "version", "size", "wrong if it is wrong", "what would notice")
    return table(head, ((name, *cells, _paths(checked)) for name, *cells, checked in named))


def _paths(text: str) -> str:
    """Return words in which the paths of tests are set as code."""
    return " ".join(_as_code(word) if word.lstrip("(").startswith("tests/") else plain(word) for word in text.split())


def _as_code(word: str) -> str:
    bare = word.strip("(),;")
    return word.replace(bare, f"`{bare}`")


_TEMPLATE = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    autoescape=False,
).get_template("not_claimed.md.jinja")
