"""What was recorded of every claim in expected.json, and what in a row is not that, be it worse or better."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from proofs_check.pins import pins, statement_of
from proofs_check.row import CHECKED, NOT_RUN, Row
from proofs_check.strict_json import read_json, shown
from theory.claim import Finding, Status
from theory.registry import CLAIMS

EXPECTED = Path(__file__).parent / "expected.json"
"""What was recorded of every claim; written by `python -m proofs_check --record`."""

MOST_BYTES = 10_000_000
"""The bytes that expected.json may have."""


@dataclass(frozen=True)
class Rewritten:
    """What is recorded of the changes of a claim's source; another seed or budget tries others, or on other instances.

    Attributes:
        seed: of the search.
        tried: how many were tried.
        caught: how many of these were refuted.
        survivors: those that say more than the claim somewhere and were not refuted, by name.
    """

    seed: int
    tried: int
    caught: int
    survivors: tuple[str, ...]


@dataclass(frozen=True)
class Recorded:
    """What is recorded of a claim's row: what must not get worse unnoticed, and what must not become another thing.

    Attributes:
        finding: what became of the claim as it is printed.
        status: how firmly it stands.
        without_coq: how firmly it stands where Coq is not there; the same unless it is machine-checked.
        mutants_caught: how many mutants its search refutes.
        statement_sha256: the hash of what it says and where it is printed.
        stored_sha256: the hash of its stored counterexample's file; nothing where none is stored.
        pins: hashes of all else that it rests on, by name, see `pins.pins`: form, symbols, assumptions, each step of its
            proofs and what they cover, its theorems in Coq and their statements.
        rewritten: what came of the changes of its source; None where none was tried.
    """

    finding: Finding
    status: Status
    without_coq: Status
    mutants_caught: int
    statement_sha256: str
    stored_sha256: str = ""
    pins: Mapping[str, str] = field(default_factory=dict)
    rewritten: Rewritten | None = None


def recorded(row: Row, stored_sha256: str = "") -> Recorded:
    """Return what is recorded of a row.

    Args:
        row: the row.
        stored_sha256: the hash of the claim's stored counterexample.
    """
    whole = row.status is Status.MACHINE_CHECKED
    return Recorded(
        row.finding,
        row.status,
        row.status_without_coq if whole else row.status,
        row.mutants_caught,
        hashlib.sha256(f"{row.source}\n{row.statement}".encode()).hexdigest(),
        stored_sha256,
        pins(row),
        Rewritten(row.seed, len(row.rewritings), row.rewritings_caught, row.survivors) if row.rewritings else None,
    )


def recorded_json(record: Recorded) -> dict[str, Any]:
    """Return what is recorded of a claim as JSON; what is optional is in it where there is something to say."""
    without = {} if record.without_coq is record.status else {"status_without_coq": record.without_coq.value}
    stored = {"stored_sha256": record.stored_sha256} if record.stored_sha256 else {}
    return {
        "finding": record.finding.value,
        "status": record.status.value,
        **without,
        "mutants_caught": record.mutants_caught,
        "statement_sha256": record.statement_sha256,
        **stored,
        "pins": dict(record.pins),
        **({"rewritten": asdict(record.rewritten)} if record.rewritten else {}),
    }


_REQUIRED = ("finding", "status", "mutants_caught", "statement_sha256", "pins")
_OPTIONAL = ("status_without_coq", "stored_sha256", "rewritten")


def read_recorded(code: Any) -> Recorded:
    """Return what was recorded of a claim, from its JSON.

    Raises:
        ValueError: if it is none, saying what in it is missing, too many, or of the wrong type.
    """
    if not isinstance(code, Mapping):
        raise ValueError(f"it must be an object, got {shown(code)}")
    missing = [name for name in _REQUIRED if name not in code]
    if missing:
        raise ValueError(f"it lacks {', '.join(missing)}")
    unknown = [name for name in code if name not in (*_REQUIRED, *_OPTIONAL)]
    if unknown:
        raise ValueError(f"there is no {shown(repr(unknown[0]))}, only {', '.join((*_REQUIRED, *_OPTIONAL))}")
    caught, named = _count("mutants_caught", code["mutants_caught"]), code["pins"]
    if not isinstance(named, Mapping):
        raise ValueError(f"pins must be an object, got {shown(repr(named))}")
    status = _one_of(Status, "status", code["status"])
    return Recorded(
        _one_of(Finding, "finding", code["finding"]),
        status,
        _one_of(Status, "status_without_coq", code.get("status_without_coq", status)),
        caught,
        _sha256("statement_sha256", code["statement_sha256"]),
        _sha256("stored_sha256", code["stored_sha256"]) if "stored_sha256" in code else "",
        {name: _sha256(f"pins: {shown(name)}", value) for name, value in named.items()},
        _read_rewritten(code["rewritten"]) if "rewritten" in code else None,
    )


def _read_rewritten(code: Any) -> Rewritten:
    names = [one.name for one in fields(Rewritten)]
    if not isinstance(code, Mapping) or sorted(code) != sorted(names):
        raise ValueError(f"rewritten must be an object with {', '.join(names)}, got {shown(repr(code))}")
    seed, tried, caught = (_count(f"rewritten: {name}", code[name]) for name in ("seed", "tried", "caught"))
    survivors = code["survivors"]
    if not isinstance(survivors, list) or not all(isinstance(name, str) for name in survivors):
        raise ValueError(f"rewritten: survivors must be a list of names, got {shown(repr(survivors))}")
    return Rewritten(seed, tried, caught, tuple(survivors))


def _count(name: str, value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{name} must be a whole number from 0, got {shown(repr(value))}")
    return value


Kind = TypeVar("Kind", Finding, Status)


def _one_of(kind: type[Kind], name: str, value: Any) -> Kind:
    try:
        return kind(value)
    except ValueError as error:
        known = ", ".join(one.value for one in kind)
        raise ValueError(f"{name} must be one of {known}, got {shown(repr(value))}") from error


def _sha256(name: str, value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9a-f]{64}", value):
        raise ValueError(f"{name} must be a SHA-256 in hexadecimal, got {shown(repr(value))}")
    return value


@dataclass(frozen=True)
class Expected:
    """What expected.json says.

    Attributes:
        records: what was recorded of claims, by id.
        unreadable: why what was recorded of a claim cannot be read, a sentence, by id.
        problems: sentences on what is wrong with the file and is no one claim's.
        whole: whether the file could be read; if not, nothing is known of any claim, which is said once.
    """

    records: Mapping[str, Recorded]
    unreadable: Mapping[str, str] = field(default_factory=dict)
    problems: Sequence[str] = ()
    whole: bool = True

    def stored_sha256(self) -> dict[str, str]:
        """Return the hash of the stored counterexample of each claim of which something was recorded, nothing for none."""
        return {id: record.stored_sha256 for id, record in self.records.items() if id in CLAIMS}

    def fallen(self, row: Row) -> list[str]:
        """Return a sentence for all in a row that is not what was recorded; see `fallen`."""
        if not self.whole:
            return []
        return [self.unreadable[row.id]] if row.id in self.unreadable else fallen(row, self.records)


def read_expected(path: Path = EXPECTED) -> Expected:
    """Return what was recorded of every claim, and what is wrong with the file: that it is not there, to begin with."""
    try:
        codes = _object(read_json(path, MOST_BYTES))
    except ValueError as error:
        return Expected({}, problems=[f"{path} cannot be read: {error}; `--record` writes it anew"], whole=False)
    records, unreadable = {}, {}
    for id, code in codes.items():
        try:
            records[id] = read_recorded(code)
        except ValueError as error:
            unreadable[id] = f"what is recorded of it cannot be read: {error}; `--record` writes it anew"
    problems = [
        f"{path}: there is no claim {shown(repr(id))}, of which something is recorded; the nearest are "
        f"{', '.join(CLAIMS.nearest(id))}"
        for id in codes
        if id not in CLAIMS
    ]
    return Expected(records, unreadable, problems)


def _object(code: Any) -> Mapping[str, Any]:
    if not isinstance(code, Mapping):
        raise ValueError(f"it must be an object with a claim's record under each id, got {shown(code)}")
    return code


def expected_text(rows: Sequence[Row], stored_sha256: Mapping[str, str] | None = None) -> str:
    """Return the text of expected.json by which these rows are what is expected.

    Args:
        rows: the rows.
        stored_sha256: the hashes of the stored counterexamples, by id.
    """
    stored = stored_sha256 or {}
    return json.dumps({row.id: recorded_json(recorded(row, stored.get(row.id, ""))) for row in rows}, indent=1)


def fallen(row: Row, expected: Mapping[str, Recorded]) -> list[str]:
    """Return a sentence for everything in a row that is not what was recorded of the claim, be it worse or better.

    What is better is to be recorded too: a record that somebody made worse would hide a fall. A claim that is tried on
    kept rows which are not there is not worse for it, and of one that crashed nothing is known. Where Coq did not check
    a theorem, its statement has not changed. The changes of the source are compared where as many were tried with the same
    seed, so under the budget that was recorded. Stored counterexamples are held against what was recorded before they are
    used, see `counterexamples.damaged`.
    """
    if row.id not in expected:
        return ["nothing is recorded of it: run with --record"]
    if row.crashed:
        return []
    before, now = expected[row.id], recorded(row)
    found = []
    not_run = any(theorem.outcome == NOT_RUN for theorem in row.theorems)
    least = before.without_coq if not_run else before.status
    untried = bool(row.rows_missing) and now.status is Status.CONJECTURED
    if now.status is not least and not untried:
        moved = "fell" if now.status < least else "rose"
        found.append(f"its status {moved} from {least.value} to {now.status.value}")
    if not not_run and now.status is before.status and now.without_coq is not before.without_coq and not untried:
        found.append(f"its status without Coq was '{before.without_coq.value}' and is '{now.without_coq.value}'")
    if now.finding is not before.finding:
        found.append(f"its finding was '{before.finding.value}' and is '{now.finding.value}'")
    if now.mutants_caught != before.mutants_caught and not row.refuted and not row.rows_missing:
        found.append(f"its search catches {now.mutants_caught} mutants and caught {before.mutants_caught}")
    if now.statement_sha256 != before.statement_sha256:
        found.append("its statement or source is not the recorded one")
    found += _rewritten_worse(before.rewritten, now.rewritten)
    return found + _changed(row, before.pins, now.pins)


def _rewritten_worse(before: Rewritten | None, now: Rewritten | None) -> list[str]:
    """Return sentences on changes of the source that survive and did not when it was recorded, or are no longer refuted."""
    if now is None:
        return []
    if before is None:
        return ["nothing is recorded of the changes of its source: run with --record"]
    if (before.seed, before.tried) != (now.seed, now.tried):
        return []
    found = [
        f"its search does not refute a change of its source that says more: {shown(name, 200)}"
        for name in now.survivors
        if name not in before.survivors
    ]
    if now.caught != before.caught and not found:
        found.append(
            f"its search refutes {now.caught} of {now.tried} changes of its source, and refuted {before.caught}"
        )
    return found


def _changed(row: Row, before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return sentences that name the pins which differ."""
    unasked = {statement_of(theorem) for theorem in row.theorems if theorem.outcome != CHECKED}
    gone = [name for name in before if name not in now and name not in unasked]
    sorts = {
        "changed since it was recorded": [name for name in now if name in before and before[name] != now[name]],
        "there, but not recorded": [name for name in now if name not in before],
        "recorded, but gone": gone,
    }
    return [f"{said}: {', '.join(map(shown, names))}" for said, names in sorts.items() if names]
