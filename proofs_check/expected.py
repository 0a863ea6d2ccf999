"""What was recorded of every claim in expected.json, and what in a row is worse than that."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proofs_check.row import NOT_RUN, Row
from theory.claim import Finding, Status

EXPECTED = Path(__file__).parent / "expected.json"
"""What was recorded of every claim; written by `python -m proofs_check --record`."""


@dataclass(frozen=True)
class Recorded:
    """What is recorded of a claim's row: what must not get worse unnoticed.

    Attributes:
        finding: what became of the claim as it is printed.
        status: how firmly it stands.
        without_coq: how firmly it stands where Coq is not there; the same unless it is machine-checked.
        mutants_caught: how many mutants its search refutes.
        statement_sha256: the hash of what it says and where it is printed.
    """

    finding: Finding
    status: Status
    without_coq: Status
    mutants_caught: int
    statement_sha256: str


def recorded(row: Row) -> Recorded:
    """Return what is recorded of a row."""
    whole = row.status is Status.MACHINE_CHECKED
    return Recorded(
        row.finding,
        row.status,
        row.status_without_coq if whole else row.status,
        row.mutants_caught,
        hashlib.sha256(f"{row.source}\n{row.statement}".encode()).hexdigest(),
    )


def recorded_json(record: Recorded) -> dict[str, Any]:
    """Return what is recorded of a claim as JSON; the status without Coq is in it where it is another."""
    without = {} if record.without_coq is record.status else {"status_without_coq": record.without_coq.value}
    return {
        "finding": record.finding.value,
        "status": record.status.value,
        **without,
        "mutants_caught": record.mutants_caught,
        "statement_sha256": record.statement_sha256,
    }


def read_recorded(code: Any) -> Recorded:
    """Return what was recorded of a claim, from its JSON.

    Raises:
        ValueError: if it is none.
    """
    try:
        status = Status(code["status"])
        return Recorded(
            Finding(code["finding"]),
            status,
            Status(code.get("status_without_coq", status)),
            int(code["mutants_caught"]),
            str(code["statement_sha256"]),
        )
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"nothing of a claim is recorded in {str(code)[:80]}") from error


def read_expected(path: Path = EXPECTED) -> dict[str, Recorded]:
    """Return what was recorded of every claim, by id; nothing if nothing was.

    Raises:
        ValueError: if the file cannot be read, or a status or a finding in it is unknown.
    """
    if not path.is_file():
        return {}
    try:
        codes: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return {id: read_recorded(code) for id, code in codes.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise ValueError(f"{path} cannot be read: {error}; `--record` writes it anew") from error


def expected_text(rows: Sequence[Row]) -> str:
    """Return the text of expected.json by which these rows are what is expected."""
    return json.dumps({row.id: recorded_json(recorded(row)) for row in rows}, indent=1)


def fallen(row: Row, expected: Mapping[str, Recorded]) -> list[str]:
    """Return a sentence for everything in a row that is worse than what was recorded of the claim.

    A claim that is tried on kept rows which are not there is not worse for it.
    """
    if row.id not in expected:
        return ["nothing is recorded of it: run with --record"]
    before, now = expected[row.id], recorded(row)
    found = []
    not_run = any(theorem.outcome == NOT_RUN for theorem in row.theorems)
    least = before.without_coq if not_run else before.status
    untried = bool(row.rows_missing) and now.status is Status.CONJECTURED
    if now.status < least and not untried:
        found.append(f"its status fell from {least.value} to {now.status.value}")
    if now.finding is not before.finding:
        found.append(f"its finding was '{before.finding.value}' and is '{now.finding.value}'")
    if now.mutants_caught < before.mutants_caught and not row.refuted and not row.rows_missing:
        found.append(f"its search catches {now.mutants_caught} mutants and caught {before.mutants_caught}")
    if now.statement_sha256 != before.statement_sha256:
        found.append("its statement or source is not the recorded one")
    return found
