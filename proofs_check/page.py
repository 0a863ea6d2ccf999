"""The ledger to read: a line for the terminal, Markdown for the repository, and one page of HTML that needs no network."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import jinja2
from markupsafe import Markup

from proofs_check import readable
from proofs_check.figures import figure
from proofs_check.mathml import FormulaError, formula
from proofs_check.row import (
    CAUGHT,
    CHECKED,
    EQUAL,
    FAILED,
    NOT_RUN,
    SPARED,
    SURVIVES,
    VOID,
    WEAKER,
    Head,
    ProofRow,
    Row,
    TheoremRow,
)
from theory.claim import Finding, Form, Ruling, Status

_COLUMNS = (
    ("id", 6),
    ("source", 30),
    ("finding", 19),
    ("status", 18),
    ("instances", 13),
    ("slack", 18),
    ("mutants", 14),
)
"""The columns of the terminal's table, with their widths; between two stand two spaces, 130 in all at most."""

_NO_DECISION = "no instance"

CONJECTURES = (
    "No paper makes these claims: they were put up here, or read into a paper that says less, and fell. They say nothing "
    "against a paper, and are kept for what can be learned from them"
)
"""What is said of the conjectures of ours that fell."""


def table_header() -> str:
    """Return the header of the terminal's table; instances in brackets are those that the claim does not apply to."""
    return _aligned([name for name, _ in _COLUMNS])


def table_line(row: Row) -> str:
    """Return one claim as a line of the terminal's table, 130 characters at most."""
    cells = (row.id, row.source, row.finding, _status(row), _instances(row), _slack(row), _mutants(row))
    return _aligned(cells)


def _aligned(cells: Sequence[str]) -> str:
    fitted = (
        f"{cell if len(cell) <= width else cell[: width - 1] + '…':<{width}}"
        for cell, (_, width) in zip(cells, _COLUMNS, strict=True)
    )
    return "  ".join(fitted).rstrip()


def _status(row: Row) -> str:
    """Return the status with what Coq adds where it proves not all of the claim, or is not there to be asked, or a crash."""
    outcomes = {theorem.outcome for theorem in row.theorems}
    if row.crashed:
        return "crashed"
    if FAILED in outcomes:
        return f"{row.status.value} (Coq fails)"
    if row.rows_missing and not row.refuted:
        return "rows not here"
    if NOT_RUN in outcomes:
        return f"{row.status.value} (no Coq)"
    if any(theorem.refutes for theorem in row.theorems):
        return f"{row.status.value} (in Coq)"
    if outcomes and row.status is not Status.MACHINE_CHECKED:
        return f"{row.status.value} (Coq part)"
    return row.status.value


def _instances(row: Row) -> str:
    return f"{row.instances} ({row.inapplicable})" if row.instances else "-"


def _slack(row: Row) -> str:
    if row.slack is None:
        return "-"
    origin = re.split(r"[ ,:(]", row.slack_instance["origin"])[0] if row.slack_instance else ""
    return f"{row.slack:.3g} {origin}".rstrip()


def _mutants(row: Row) -> str:
    """Return how many wrong versions are caught, of those written down and, apart, of the changes of the source."""
    written = f"{row.mutants_caught}/{row.mutants_total}" if row.mutants else "-"
    return f"{written} + {row.rewritings_caught}/{row.rewritings_total}" if row.rewritings else written


def rewritings_words(row: Row) -> str:
    """Return what came of the changes of a claim's source, in a sentence, with those that survive by name."""
    counts = Counter(one.outcome for one in row.rewritings)
    found = ", ".join(f"{counts[outcome]} {words}" for outcome, words in _OUTCOMES.items() if counts[outcome])
    every = len(row.rewritings) + row.rewritings_left
    tried = f"all {every}" if not row.rewritings_left else f"{len(row.rewritings)}, a seeded sample of {every},"
    survivors = f" Not refuted: {'; '.join(row.survivors)}." if row.survivors else ""
    return f"Changes of its source in one place: {tried} tried; {found}.{survivors}"


_OUTCOMES = {
    CAUGHT: "refuted",
    SURVIVES: "not refuted though they say more than the claim somewhere",
    WEAKER: "that never say more than the claim on the instances seen",
    EQUAL: "that say the same on all instances seen",
    VOID: "without a value",
    SPARED: "spared",
}


def markdown(rows: Sequence[Row]) -> str:
    """Return the ledger as Markdown, with nothing in it that differs from one run or machine to the next."""
    sums = _sums(rows)
    caught, total, equivalent = (sums[f"mutants_{kind}"] for kind in ("caught", "total", "equivalent"))
    lines = [
        "# The ledger",
        "",
        "Made by `python -m proofs_check`; every line can be replayed. What its words do not mean, how papers are read, and",
        "what must be trusted: [what is not claimed](not_claimed.md).",
        "",
        f"- {len(rows)} claims: {_counts((row.status for row in rows), Status)}",
        f"- findings: {_counts((row.finding for row in rows if not row.fell), Finding)}",
        f"- mutants: {caught} of {total} wrong versions of the claims caught"
        + (f"; {equivalent} more are true after all" if equivalent else ""),
        *_rewritings_line(rows),
    ]
    fallen = [row for row in rows if row.fell]
    if fallen:
        lines.append(f"- {_of('conjecture', len(fallen))} of ours, refuted: a finding about us, in a table of its own")
    lines += ["", *_table([row for row in rows if not row.fell])]
    if fallen:
        lines += ["", f"**Our conjectures, refuted.** {CONJECTURES}.", "", *_table(fallen)]
    for row in rows:
        lines += ["", f"## {row.id}", "", *_section(row)]
    return "\n".join(lines) + "\n"


def _rewritings_line(rows: Sequence[Row]) -> list[str]:
    tried = sum(len(row.rewritings) for row in rows)
    caught, total = (sum(getattr(row, f"rewritings_{kind}") for row in rows) for kind in ("caught", "total"))
    if not tried:
        return []
    every = tried + sum(row.rewritings_left for row in rows)
    counts = Counter(one.outcome for row in rows for one in row.rewritings)
    rest = ", ".join(
        f"{counts[outcome]} {_OUTCOMES[outcome]}" for outcome in (WEAKER, EQUAL, VOID, SPARED) if counts[outcome]
    )
    return [
        f"- changes of the claims' source in one place, made by no hand: {tried} of {every} tried, {caught} of {total} "
        "that say more than the claim somewhere refuted" + (f"; besides, {rest}" if rest else "")
    ]


def _table(rows: Iterable[Row]) -> list[str]:
    lines = ["| claim | source | finding | status | evidence | mutants caught |", "|---|---|---|---|---|---|"]
    for row in rows:
        cells = (plain(row.source), row.finding, row.status.value, plain("; ".join(_evidence(row))), _mutants(row))
        lines.append(f"| [{row.id}](#{slug(row.id)}) | {' | '.join(cells)} |")
    return lines


def _section(row: Row) -> list[str]:
    """Return a claim's section: where it is printed, its statement, the finding, and the instance that shows it."""
    amends = f", amends [{row.amends}](#{slug(row.amends)})" if row.amends else ""
    lines = [f"{plain(row.source)} ({row.finding}, {row.status.value}{amends})", "", f"$`{row.statement}`$", ""]
    if row.assumptions:
        lines += [plain(f"Assumes: {'; '.join(row.assumptions)}."), ""]
    lines += [plain(words), ""] if (words := words_of(row)) else []
    lines.append(plain(row.note))
    if row.survivors:
        lines += ["", plain(rewritings_words(row))]
    for theorem in row.theorems:
        lines += ["", f"{_theorem_name(row, theorem)}: {plain(_theorem_words(theorem))}", "", *_indented(theorem)]
    if row.witness:
        ends = (("left", row.witness_lhs), ("right", row.witness_rhs))
        sides = ", ".join(f"{name} side {_side(row, text)}" for name, text in ends if text)
        given = "; ".join(f"{name} = {readable.value(code)}" for name, code in row.witness["given"].items())
        lines += ["", f"{_witness_name(row)}: {plain(given)}" + (f". {plain(sides).capitalize()}." if sides else ".")]
    return lines


def words_of(row: Row) -> str:
    """Return the words of the paper that a finding is about and how they are read; nothing where neither is said."""
    quoted = f"The words: “{row.quote.rstrip('.')}”." if row.quote else ""
    read = f"How they are read: {row.reading}" if row.quote and row.reading else row.reading
    return " ".join(part for part in (quoted, read) if part)


def _theorem_name(row: Row, theorem: TheoremRow) -> str:
    """Return what a theorem in Coq is to its claim."""
    if theorem.outcome != CHECKED:
        return f"In Coq ({theorem.outcome})"
    if theorem.refutes:
        return "Refuted in Coq"
    return "Machine-checked" if row.status is Status.MACHINE_CHECKED else "Machine-checked in part"


def _theorem_words(theorem: TheoremRow) -> str:
    """Return where a theorem in Coq is, what it covers, leaves out and assumes besides, and the axioms it rests on."""
    words = [f"{theorem.name} in proofs_check/coq/{theorem.file}. Covers: {theorem.covers.rstrip('.')}."]
    if theorem.leaves_out:
        words.append(f"Leaves out: {theorem.leaves_out.rstrip('.')}.")
    if theorem.further:
        words.append(f"Assumes further: {'; '.join(theorem.further)}.")
    if theorem.outcome == CHECKED:
        words.append(f"Axioms: {', '.join(axiom.rsplit('.', 1)[-1] for axiom in theorem.axioms) or 'none'}.")
    return " ".join(words)


def _indented(theorem: TheoremRow) -> list[str]:
    """Return a theorem's statement as Markdown shows code: indented, which nothing in it can end."""
    return [f"    {line}".rstrip() for line in theorem.statement.splitlines()]


def _evidence(row: Row) -> list[str]:
    """Return what the status rests on, in short, without counts of instances."""
    if row.crashed:
        return [row.crashed]
    found = []
    if row.refuted:
        found.append("counterexample" + (f" confirmed in {row.confirmed}" if row.confirmed else ""))
    elif row.witness:
        found.append("witness of the finding")
    for proof, name in ((row.proof, "proof"), (row.small, "proof of small sizes")):
        if proof:
            cited = f", {proof.cited} cited" if proof.cited else ""
            sizes = dict.fromkeys(step.sizes for step in proof.steps if step.sizes)
            only = f", for {'; '.join(sizes)} only" if sizes else ""
            found.append(f"{name}: {_of('step', proof.decided)} decided{cited}{only}")
    names = Counter(_theorem_name(row, theorem) for theorem in row.theorems)
    for name, count in names.items():
        left = [t.leaves_out.rstrip(".") for t in row.theorems if t.leaves_out and not t.refutes]
        leftover = f", leaving out: {'; '.join(left)}" if name == "Machine-checked in part" and left else ""
        found.append(f"{name[0].lower()}{name[1:]}: {_of('theorem', count)}{leftover}")
    if row.status is Status.TESTED:
        found.append("no counterexample found")
    if row.rows_missing:
        found.append("the rows that it is tried on are not here")
    if row.study:
        found.append(f"reported by {row.study}")
    return found


def _of(thing: str, count: int) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def _side(row: Row, text: str | None) -> str | None:
    """Return a side as it is read: truth values as words."""
    return (
        {"0": "false", "1": "true"}.get(text or "", text) if row.form in (Form.EQUIVALENCE, Form.IMPLICATION) else text
    )


def _counts(found: Iterable[Status] | Iterable[Finding], order: Iterable[Status] | Iterable[Finding]) -> str:
    return ", ".join(f"{count} {name}" for name, count in _counted(found, order))


def _counted(
    found: Iterable[Status] | Iterable[Finding], order: Iterable[Status] | Iterable[Finding]
) -> list[tuple[str, int]]:
    """Return the values that occur, in an order, with how often they do."""
    counts = Counter(one.value for one in found)
    return [(one.value, counts[one.value]) for one in order if counts[one.value]]


def _sums(rows: Sequence[Row]) -> Counter[str]:
    """Return what the rows count, added up."""
    return Counter({key: sum(getattr(row, key) for row in rows) for key in _SUMMED})


def plain(text: str) -> str:
    """Return text as Markdown that shows it as it is, in one line."""
    return re.sub(r"([\\`*_\[\]<>|#$~])", r"\\\1", " ".join(text.split()))


def slug(id: str) -> str:
    """Return the anchor that a heading with a claim's id gets on the forges."""
    return id.lower().replace(".", "")


def _witness_name(row: Row) -> str:
    return "Counterexample" if row.witness_ruling is Ruling.VIOLATED else "Witness"


def page(rows: Sequence[Row], head: Head) -> str:
    """Return the ledger as one HTML file that needs nothing beside it.

    Args:
        rows: one a claim, in reading order.
        head: what they share.
    """
    papers: dict[str, str] = {}
    for row in rows:
        papers.setdefault(row.paper, row.title)
    repairs: dict[str, list[str]] = {}
    for row in rows:
        if row.amends:
            repairs.setdefault(row.amends, []).append(row.id)
    return _TEMPLATE.render(
        rows=rows,
        standing=[row for row in rows if not row.fell],
        fallen=[row for row in rows if row.fell],
        head=head,
        papers=papers,
        repairs=repairs,
        ids={row.id for row in rows},
        statuses=_counted((row.status for row in rows), Status),
        findings=_counted((row.finding for row in rows), Finding),
        sums=_sums(rows),
    )


_SUMMED = (
    *("instances", "inapplicable", "inconclusive", "mutants_caught", "mutants_total", "mutants_equivalent"),
    *("rewritings_caught", "rewritings_total"),
)


def _set(latex: str) -> Markup:
    """Return a formula, or its source where the converter cannot set it."""
    try:
        return formula(latex)
    except FormulaError:
        return Markup('<code class="unset">{}</code>').format(latex)


def _steps_word(proof: ProofRow) -> str:
    counted = ((proof.decided, "decided"), (proof.cited, "cited"), (proof.open, "open"))
    return ", ".join(f"{count} {word}" for count, word in counted if count or word == "decided")


def _tied_words(proof: ProofRow) -> str:
    """Return on how many instances a proof was held against its claim, and how many it says nothing of."""
    beyond = f"; {_of('instance', proof.uncovered)} more of sizes that it does not speak of" if proof.uncovered else ""
    return f"Its sides are the claim's on {_of('instance', proof.covered)}{beyond}."


def _replay_code(row: Row) -> str:
    """Return the lines that load the instance that shows the finding and evaluate the claim on it."""
    if row.refuted:
        return (
            "from proofs_check.counterexamples import load\nfrom theory.registry import CLAIMS\n\n"
            f'print(CLAIMS["{row.id}"].evaluate(load("{row.id}")))'
        )
    return f'from theory.registry import CLAIMS\n\nclaim = CLAIMS["{row.id}"]\nprint(claim.evaluate(claim.witness))'


_RELATIONS = {"<=": "≤", ">=": "≥", "=": "=", "iff": "⇔", "implies": "⇒", "observed": ""}

_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters.update(formula=_set, value=readable.value, matrices=readable.matrices, units=readable.units)
_ENVIRONMENT.globals.update(
    figure=figure,
    slack=_slack,
    mutants=_mutants,
    side=_side,
    steps_word=_steps_word,
    tied_words=_tied_words,
    replay_code=_replay_code,
    witness_name=_witness_name,
    theorem_name=_theorem_name,
    theorem_words=_theorem_words,
    words_of=words_of,
    rewritings_words=rewritings_words,
    conjectures=CONJECTURES,
    relations=_RELATIONS,
)
_TEMPLATE = _ENVIRONMENT.get_template("page.html.jinja")
