"""`python -m proofs_check`: what the evidence on every claim comes to, a line a claim.

Replays the proofs, has Coq check its theorems, searches for counterexamples, tries the wrong versions of every claim, and
says what came of it. Exit status 0: all is as it was recorded; 1: something is not, be it worse or better, or a claim
crashes, or a stored counterexample, expected.json, a theorem or the manifest of the theorems is broken, and it is named,
and all other claims are looked at; 2: the command cannot run; 130: it was interrupted. A claim on rows that studies keep,
where these are not installed, is not tried: it is named, and counts as no worse.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import tyro
from tqdm import tqdm

from numerics.files import write_whole
from numerics.provenance import provenance, versions
from proofs_check.coqc import coq_version
from proofs_check.counterexamples import damaged, keep, stored, stored_sha256
from proofs_check.crash import CrashError, part, said
from proofs_check.expected import EXPECTED, Expected, expected_text, read_expected
from proofs_check.ledger import chosen, effort_of
from proofs_check.machine_checked import INSTALL, Evidence, check
from proofs_check.not_claimed import not_claimed
from proofs_check.page import markdown, page, table_header, table_line
from proofs_check.registry import TRIALS
from proofs_check.row import Head, Row, row_json
from proofs_check.values import decoded_instance
from proofs_check.workers import examined

LEDGER = Path(__file__).parents[1] / "docs" / "ledger.md"
"""The ledger as a page of the repository, made from the recorded rows; beside it stands what is not claimed."""

NOT_CLAIMED = "not_claimed.md"


@dataclass(frozen=True)
class Options:
    """Replay the proofs, search for counterexamples, try the wrong versions: what the evidence on each claim comes to.

    Attributes:
        ids: claims to look at, such as M6 V9.a; all if none is named.
        budget: how hard to search: quick, full, or a number of instances to draw for each claim.
        seed: of data, networks and searches; any whole number from 0.
        json: file for the rows, one object a claim.
        html: file for the page, which needs nothing beside it.
        jobs: processes; as many as there are processors if 0.
        device: where the networks are trained: cpu, or a CUDA device such as cuda:0.
        record: write down what came out as what is expected from now on: expected.json, stored counterexamples,
            docs/ledger.md and docs/not_claimed.md. Only for all claims together.
    """

    ids: Annotated[tuple[str, ...], tyro.conf.Positional] = ()
    budget: str = "quick"
    seed: int = 0
    json: Path | None = None
    html: Path | None = None
    jobs: int = 0
    device: str = "cpu"
    record: bool = False


def checked(options: Options) -> list[str]:
    """Return the ids of the claims to look at, after checking everything that the run needs in the end.

    Raises:
        ValueError: if an id, the budget, the seed or the number of processes cannot be used, a file cannot be written, or
            it is to be recorded anew where Coq or kept rows are not installed.
    """
    claims = chosen(options.ids)
    effort_of(options.budget)
    for name, value in (("seed", options.seed), ("jobs", options.jobs)):
        if value < 0:
            raise ValueError(f"--{name} must be at least 0, got {value}")
    if options.record and options.ids:
        raise ValueError(f"--record is for all claims together, got {', '.join(options.ids)}")
    if options.record and not LEDGER.is_file():
        raise ValueError(f"--record is for a clone of the repository: there is no {LEDGER}")
    if options.record and not coq_version():  # what is machine-checked would be recorded as less
        raise ValueError(f"--record needs Coq, which is not installed. {INSTALL}")
    missing = sorted({trial.rows_missing for trial in TRIALS.values() if trial.rows_missing})
    if options.record and missing:
        raise ValueError(f"--record needs the rows that studies keep, and there are none at {', '.join(missing)}")
    for name, path in (("json", options.json), ("html", options.html)):
        if path is not None:
            _check_writable(f"--{name}", path)
    return [claim.id for claim in claims]


def _check_writable(name: str, path: Path) -> None:
    """Raise unless a file can be written there.

    Raises:
        ValueError: if it cannot.
    """
    if path.is_dir():
        raise ValueError(f"{name} must be a file, got the folder {path}")
    if not path.parent.is_dir():
        raise ValueError(f"{name}: there is no folder {path.parent}")
    trial = path.with_name(f".trial-{path.name}")
    try:
        trial.touch()
        trial.unlink()
    except OSError as error:
        raise ValueError(f"{name} cannot be written: {path}: {error.strerror}") from error


def head_of(options: Options, seconds: float, coq: str = "") -> Head:
    """Return what the rows share: seed, budget, time, versions (Coq's where it ran), machine."""
    facts = provenance()
    return Head(
        options.seed,
        options.budget,
        seconds,
        date=datetime.now(UTC).date().isoformat(),
        versions={**versions(), **({"coq": coq} if coq else {})},
        machine=f"{facts['processor']}, {facts['cpus']} CPUs, {platform.system()}",
    )


def write(rows: Sequence[Row], head: Head, options: Options) -> list[Path]:
    """Write the files that were asked for, each whole, and return them."""
    texts: dict[Path, str] = {}
    if options.json is not None:
        codes = [row_json(row) | {"budget": head.budget, "seed": head.seed} for row in rows]
        texts[options.json] = json.dumps(codes, indent=1)
    if options.html is not None:
        texts[options.html] = page(rows, head)
    for path, text in texts.items():
        _write_text(path, text)
    return list(texts)


def _write_text(path: Path, text: str) -> None:
    write_whole(path, lambda aside: aside.write_text(text.rstrip() + "\n", encoding="utf-8"))


def record(rows: Sequence[Row], coq: str) -> list[Path]:
    """Write down what came out: what is expected from now on, counterexamples that are new, and the pages in docs.

    Args:
        rows: those of all claims.
        coq: the version of Coq that checked the theorems.
    """
    whole = set(stored()) - set(damaged())
    new = [row for row in rows if row.counterexample and row.id not in whole]
    kept = [keep(row.id, decoded_instance(row.counterexample)) for row in new]
    _write_text(EXPECTED, expected_text(rows, stored_sha256()))
    beside = LEDGER.with_name(NOT_CLAIMED)
    _write_text(LEDGER, markdown(rows))
    _write_text(beside, not_claimed(rows, coq))
    return [EXPECTED, LEDGER, beside, *kept]


def _fallen(row: Row, expected: Expected) -> list[str]:
    """Return what in a row is not as it was recorded; if that cannot be said, why not."""
    try:
        with part("its comparison with what was recorded"):
            return expected.fallen(row)
    except CrashError as error:
        return [str(error)]


def _not_recordable(rows: Sequence[Row], evidence: Evidence) -> list[str]:
    """Return a sentence if what came out is not to be recorded, for something crashed and would be recorded as less."""
    crashed = [row.id for row in rows if row.crashed] + (
        [] if evidence.version else ["the check of the theorems in Coq"]
    )
    return [f"nothing is recorded: {', '.join(crashed)} crashed"] if crashed else []


def _evidence(options: Options, ids: Sequence[str]) -> Evidence:
    """Return what came of the theorems in Coq; if that crashes, that it did."""
    try:
        return check(ids, jobs=options.jobs, say=lambda line: print(line, file=sys.stderr))
    except Exception as error:  # noqa: BLE001 (whatever it is, the claims are looked at without Coq)
        return Evidence({}, [f"the theorems could not be checked, {said(error)}"], "", 0, 0.0)


def conclusion(rows: Sequence[Row], seconds: float, evidence: Evidence, wrong: Sequence[str] = ()) -> str:
    """Return the last lines: counts, what came of Coq's theorems, and all that is wrong, with the claim it is about.

    Args:
        rows: one a claim.
        seconds: what all took.
        evidence: what came of the theorems.
        wrong: what is wrong with expected.json and stored counterexamples, and stands in no row.
    """
    counts = Counter("crashed" if row.crashed else row.status.value for row in rows)
    caught, total = sum(row.mutants_caught for row in rows), sum(row.mutants_total for row in rows)
    refuted, more = sum(row.rewritings_caught for row in rows), sum(row.rewritings_total for row in rows)
    instances = sum(row.instances for row in rows)
    summary = ", ".join(f"{number} {status}" for status, number in counts.items())
    lines = [
        f"{len(rows)} claims: {summary}. {instances} instances, {caught} of {total} mutants caught, "
        f"{refuted} of {more} changes of the source, {seconds:.0f} s."
    ]
    lines += [evidence.summary()] if evidence.theorems else []
    lines += [f"Coq: {problem}." for problem in evidence.problems]
    lines += [f"{problem}." for problem in wrong]
    lines += [f"{row.id}: {problem}." for row in rows for problem in row.problems]
    lines += [f"{ids}: not tried, for the rows are not here; they would be in {file}." for ids, file in _untried(rows)]
    return "\n".join(lines)


def _untried(rows: Sequence[Row]) -> list[tuple[str, str]]:
    """Return each file of kept rows that is not there, after the claims that are tried on it."""
    files = dict.fromkeys(row.rows_missing for row in rows if row.rows_missing)
    return [(", ".join(row.id for row in rows if row.rows_missing == file), file) for file in files]


def main(argv: Sequence[str] | None = None, *, prog: str = "python -m proofs_check") -> int:
    """Run from the command line; return the exit status.

    Args:
        argv: the words after the program; those of this process if not given.
        prog: what --help says it is run by.
    """
    options = tyro.cli(Options, prog=prog, args=argv)
    start = time.perf_counter()
    rows: list[Row] = []
    try:
        ids = checked(options)
        expected = read_expected()
        unread = damaged(None if options.record else expected.stored_sha256())
        wrong = [] if options.record else list(expected.problems)
        wrong += [f"{id}: {problem}" for id, problem in unread.items() if id not in ids]
        evidence = _evidence(options, ids)
        print(table_header())
        bar: tqdm[Any]
        with tqdm(total=len(ids), unit="claim", mininterval=0.2 if sys.stderr.isatty() else 10.0) as bar:
            rows_in_order = examined(
                ids,
                budget=options.budget,
                seed=options.seed,
                device=options.device,
                jobs=options.jobs,
                theorems=evidence.theorems,
                unread=unread,
            )
            for row in rows_in_order:
                worse = [] if options.record else _fallen(row, expected)
                rows.append(replace(row, problems=(*row.problems, *worse)))
                tqdm.write(table_line(row), file=sys.stdout)
                bar.update()
        seconds = time.perf_counter() - start
        files = write(rows, head_of(options, seconds, evidence.version), options)
        if options.record:
            wrong += _not_recordable(rows, evidence)
            files += [] if wrong else record(rows, evidence.version)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        kept = write(rows, head_of(options, time.perf_counter() - start), options)
        where = f"; their rows are in {', '.join(map(str, kept))}" if kept else ""
        print(f"\nInterrupted after {len(rows)} claims{where}.", file=sys.stderr)
        return 130
    print("\n" + conclusion(rows, seconds, evidence, wrong))
    for file in files:
        print(f"wrote {file}")
    return 1 if wrong or evidence.problems or any(row.problems for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
