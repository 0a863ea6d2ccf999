"""The ledger to read: a line for the terminal, Markdown for the repository, and one page of HTML that needs no network."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from proofs_check import readable
from proofs_check.figures import figure
from proofs_check.machine_checked import CHECKED, FAILED, NOT_RUN
from proofs_check.mathml import FormulaError, formula
from theory.claim import Finding, Form, Status

Row = Mapping[str, Any]
"""What the ledger says of one claim, in values that JSON has."""

_STATUSES = tuple(status.value for status in Status)
_FINDINGS = tuple(finding.value for finding in Finding)

_COLUMNS = (
    ("id", 6),
    ("source", 35),
    ("finding", 19),
    ("status", 18),
    ("instances", 13),
    ("slack", 18),
    ("mutants", 9),
)
"""The columns of the terminal's table, with their widths; between two stand two spaces, 130 in all at most."""

_NO_DECISION = "no instance"


def table_header() -> str:
    """Return the header of the terminal's table; instances in brackets are those that the claim does not apply to."""
    return _aligned([name for name, _ in _COLUMNS])


def table_line(row: Row) -> str:
    """Return one claim as a line of the terminal's table, 130 characters at most."""
    cells = (row["id"], row["source"], row["finding"], _status(row), _instances(row), _slack(row), _mutants(row))
    return _aligned(cells)


def _aligned(cells: Sequence[str]) -> str:
    fitted = (
        f"{cell if len(cell) <= width else cell[: width - 1] + '…':<{width}}"
        for cell, (_, width) in zip(cells, _COLUMNS, strict=True)
    )
    return "  ".join(fitted).rstrip()


def _status(row: Row) -> str:
    """Return the status with what Coq adds where it proves not all of the claim, or is not there to be asked."""
    outcomes = {theorem["outcome"] for theorem in row["theorems"]}
    if FAILED in outcomes:
        return f"{row['status']} (Coq fails)"
    if NOT_RUN in outcomes:
        return f"{row['status']} (no Coq)"
    if any(theorem["refutes"] for theorem in row["theorems"]):
        return f"{row['status']} (in Coq)"
    if outcomes and row["status"] != Status.MACHINE_CHECKED.value:
        return f"{row['status']} (Coq part)"
    return str(row["status"])


def _instances(row: Row) -> str:
    return f"{row['instances']} ({row['inapplicable']})" if row["instances"] else "-"


def _slack(row: Row) -> str:
    if row["slack"] is None:
        return "-"
    origin = re.split(r"[ ,:(]", row["slack_instance"]["origin"])[0] if row["slack_instance"] else ""
    return f"{row['slack']:.3g} {origin}".rstrip()


def _mutants(row: Row) -> str:
    return f"{row['mutants_caught']}/{row['mutants_total']}" if row["mutants"] else "-"


def markdown(rows: Sequence[Row]) -> str:
    """Return the ledger as Markdown, with nothing in it that differs from one run or machine to the next."""
    caught, total, equivalent = (
        sum(row[f"mutants_{kind}"] for row in rows) for kind in ("caught", "total", "equivalent")
    )
    lines = [
        "# The ledger",
        "",
        "Made by `python -m proofs_check`; every line can be replayed.",
        "",
        f"- {len(rows)} claims: {_counts(rows, 'status', _STATUSES)}",
        f"- findings: {_counts(rows, 'finding', _FINDINGS)}",
        f"- mutants: {caught} of {total} wrong versions of the claims caught"
        + (f"; {equivalent} more are true after all" if equivalent else ""),
        "",
        "| claim | source | finding | status | evidence | mutants caught |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = (_plain(row["source"]), row["finding"], row["status"], _plain("; ".join(_evidence(row))), _mutants(row))
        lines.append(f"| [{row['id']}](#{_slug(row['id'])}) | {' | '.join(cells)} |")
    for row in rows:
        lines += ["", f"## {row['id']}", "", *_section(row)]
    return "\n".join(lines) + "\n"


def _section(row: Row) -> list[str]:
    """Return a claim's section: where it is printed, its statement, the finding, and the instance that shows it."""
    amends = f", amends [{row['amends']}](#{_slug(row['amends'])})" if row["amends"] else ""
    lines = [f"{_plain(row['source'])} ({row['finding']}, {row['status']}{amends})", "", f"$`{row['statement']}`$", ""]
    if row["assumptions"]:
        lines += [_plain(f"Assumes: {'; '.join(row['assumptions'])}."), ""]
    lines.append(_plain(row["note"]))
    for theorem in row["theorems"]:
        lines += ["", f"{_theorem_name(row, theorem)}: {_plain(_theorem_words(theorem))}", "", *_indented(theorem)]
    if row["witness"]:
        ends = (("left", row["witness_lhs"]), ("right", row["witness_rhs"]))
        sides = ", ".join(f"{name} side {_side(row, text)}" for name, text in ends if text)
        given = "; ".join(f"{name} = {readable.value(code)}" for name, code in row["witness"]["given"].items())
        lines += ["", f"{_witness_name(row)}: {_plain(given)}" + (f". {_plain(sides).capitalize()}." if sides else ".")]
    return lines


def _theorem_name(row: Row, theorem: Row) -> str:
    """Return what a theorem in Coq is to its claim."""
    if theorem["outcome"] != CHECKED:
        return f"In Coq ({theorem['outcome']})"
    if theorem["refutes"]:
        return "Refuted in Coq"
    return "Machine-checked" if row["status"] == Status.MACHINE_CHECKED.value else "Machine-checked in part"


def _theorem_words(theorem: Row) -> str:
    """Return where a theorem in Coq is, what it covers and what it leaves out, and the axioms that it rests on."""
    words = [f"{theorem['name']} in proofs_check/coq/{theorem['file']}. Covers: {theorem['covers'].rstrip('.')}."]
    if theorem["leaves_out"]:
        words.append(f"Leaves out: {theorem['leaves_out'].rstrip('.')}.")
    if theorem["outcome"] == CHECKED:
        words.append(f"Axioms: {', '.join(axiom.rsplit('.', 1)[-1] for axiom in theorem['axioms']) or 'none'}.")
    return " ".join(words)


def _indented(theorem: Row) -> list[str]:
    """Return a theorem's statement as Markdown shows code: indented, which nothing in it can end."""
    return [f"    {line}".rstrip() for line in theorem["statement"].splitlines()]


def _evidence(row: Row) -> list[str]:
    """Return what the status rests on, in short, without counts of instances."""
    found = []
    if row["status"] == Status.REFUTED.value:
        found.append("counterexample" + (f" confirmed in {row['confirmed']}" if row["confirmed"] else ""))
    elif row["witness"]:
        found.append("witness of the finding")
    for key, name in (("proof", "proof"), ("small", "proof of small sizes")):
        if row[key]:
            steps = row[key]["steps"]
            decided, cited = (sum(bool(step[kind]) for step in steps) for kind in ("decided", "cited"))
            found.append(f"{name}: {_of('step', decided)} decided" + (f", {cited} cited" if cited else ""))
    names = Counter(_theorem_name(row, theorem) for theorem in row["theorems"])
    for name, count in names.items():
        left = [t["leaves_out"].rstrip(".") for t in row["theorems"] if t["leaves_out"] and not t["refutes"]]
        leftover = f", leaving out: {'; '.join(left)}" if name == "Machine-checked in part" and left else ""
        found.append(f"{name[0].lower()}{name[1:]}: {_of('theorem', count)}{leftover}")
    if row["status"] == Status.TESTED.value:
        found.append("no counterexample found")
    if row["study"]:
        found.append(f"reported by {row['study']}")
    return found


def _of(thing: str, count: int) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def _side(row: Row, text: str | None) -> str | None:
    """Return a side as it is read: truth values as words."""
    return (
        {"0": "false", "1": "true"}.get(text or "", text)
        if row["form"] in (Form.EQUIVALENCE, Form.IMPLICATION)
        else text
    )


def _counts(rows: Sequence[Row], key: str, order: Sequence[str]) -> str:
    counts = Counter(row[key] for row in rows)
    return ", ".join(f"{counts[name]} {name}" for name in order if counts[name])


def _plain(text: str) -> str:
    """Return text as Markdown that shows it as it is, in one line."""
    return re.sub(r"([\\`*_\[\]<>|#$~])", r"\\\1", " ".join(text.split()))


def _slug(id: str) -> str:
    """Return the anchor that a heading with a claim's id gets on the forges."""
    return id.lower().replace(".", "")


def _witness_name(row: Row) -> str:
    return "Counterexample" if row["witness_ruling"] == "violated" else "Witness"


def page(rows: Sequence[Row], head: Mapping[str, Any]) -> str:
    """Return the ledger as one HTML file that needs nothing beside it.

    Args:
        rows: one a claim, in reading order.
        head: seed, budget, seconds, date, versions and machine of the run.
    """
    papers: dict[str, str] = {}
    for row in rows:
        papers.setdefault(row["paper"], row["title"])
    repairs: dict[str, list[str]] = {}
    for row in rows:
        if row["amends"]:
            repairs.setdefault(row["amends"], []).append(row["id"])
    return _TEMPLATE.render(
        rows=rows,
        head=head,
        papers=papers,
        repairs=repairs,
        ids={row["id"] for row in rows},
        statuses=[(name, count) for name in _STATUSES if (count := sum(r["status"] == name for r in rows))],
        findings=[(name, count) for name in _FINDINGS if (count := sum(r["finding"] == name for r in rows))],
        sums=Counter({key: sum(row[key] for row in rows) for key in _SUMMED}),
    )


_SUMMED = ("instances", "inapplicable", "inconclusive", "mutants_caught", "mutants_total", "mutants_equivalent")


def _set(latex: str) -> Markup:
    """Return a formula, or its source where the converter cannot set it."""
    try:
        return formula(latex)
    except FormulaError:
        return Markup('<code class="unset">{}</code>').format(latex)


def _steps_word(proof: Row) -> str:
    decided, cited = (sum(bool(step[kind]) for step in proof["steps"]) for kind in ("decided", "cited"))
    failed = len(proof["steps"]) - sum(bool(step["decided"] or step["cited"]) for step in proof["steps"])
    words = [f"{decided} decided", *([f"{cited} cited"] if cited else []), *([f"{failed} open"] if failed else [])]
    return ", ".join(words)


def _replay_code(row: Row) -> str:
    """Return the lines that load the instance that shows the finding and evaluate the claim on it."""
    if row["status"] == Status.REFUTED.value:
        return (
            "from proofs_check.counterexamples import load\nfrom theory.registry import CLAIMS\n\n"
            f'print(CLAIMS["{row["id"]}"].evaluate(load("{row["id"]}")))'
        )
    return f'from theory.registry import CLAIMS\n\nclaim = CLAIMS["{row["id"]}"]\nprint(claim.evaluate(claim.witness))'


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
    replay_code=_replay_code,
    witness_name=_witness_name,
    theorem_name=_theorem_name,
    theorem_words=_theorem_words,
    relations=_RELATIONS,
)
_TEMPLATE = _ENVIRONMENT.get_template("page.html.jinja")
