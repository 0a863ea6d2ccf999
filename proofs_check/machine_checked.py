"""The Coq theorems of the claims: compiled, their axioms read, and tied to the ledger. Run: `make prove`.

Where Coq is not installed, what can be seen without it is still checked (that the manifest names claims, files and theorems
that are there, that no proof is left open), and the theorems are reported as not run.
"""

from __future__ import annotations

import argparse
import difflib
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from proofs_check.coq_sources import LOGICAL, Source, name_of, needed, read_sources, text_under
from proofs_check.coqc import AXIOMS, BUILD, Answer, Compiled, ask, axioms_of, compile_all, coq_version, statement_of
from proofs_check.hypotheses import hypotheses, unmapped
from proofs_check.manifest import FOLDER, MANIFEST, Theorem, read_manifest
from proofs_check.row import CHECKED, FAILED, NOT_RUN, TheoremRow
from theory.registry import CLAIMS

INSTALL = "Debian and Ubuntu: apt-get install coq; macOS: brew install coq; elsewhere: https://coq.inria.fr/download"
"""How Coq is installed."""


@dataclass(frozen=True)
class Evidence:
    """What came of the theorems.

    Attributes:
        theorems: rows of the theorems of each claim, by id.
        problems: sentences on what is wrong and is no one theorem's: the manifest, a file that nothing names, a stale .vo.
        version: of Coq; nothing where it is not installed.
        compiled: how many files were compiled anew, and `seconds` how long all took.
        seconds: see `compiled`.
    """

    theorems: Mapping[str, Sequence[TheoremRow]]
    problems: Sequence[str]
    version: str
    compiled: int
    seconds: float

    def summary(self) -> str:
        """Return a line on what came of all theorems."""
        rows = [row for rows in self.theorems.values() for row in rows]
        count = "1 theorem" if len(rows) == 1 else f"{len(rows)} theorems"
        if not self.version:
            were = "was" if len(rows) == 1 else "were"
            return f"Coq is not installed, so {count} in Coq {were} not checked. `make prove` installs it. {INSTALL}."
        accepted = sum(row.outcome == CHECKED for row in rows)
        return (
            f"Coq {self.version} accepts {accepted} of {count} in Coq, on no axioms but those of its real numbers; "
            f"files compiled anew: {self.compiled}; {self.seconds:.0f} s."
        )


def check(
    ids: Iterable[str] | None = None,
    *,
    jobs: int = 0,
    folder: Path = FOLDER,
    build: Path = BUILD,
    say: Callable[[str], object] = lambda line: None,
) -> Evidence:
    """Compile the files that hold theorems of claims, ask Coq for their statements and axioms, and say what is wrong.

    Args:
        ids: the claims; all if None. The manifest is checked as a whole in any case.
        jobs: how many files to compile at a time; as many as there are processors if 0.
        folder: where the files and the manifest are.
        build: the folder of the build products.
        say: what to do with a line on each file that is compiled anew.
    """
    start = time.perf_counter()
    listed, problems = read_manifest(folder)
    sources = read_sources(folder)
    problems += [*_unnamed(listed, sources), *_planted()]
    among = None if ids is None else set(ids)
    theorems = [theorem for theorem in listed if among is None or theorem.claim in among]
    unread = {name for name in sources if any(sources[one].unread for one in needed([name], sources))}
    names = sorted({theorem.module for theorem in theorems if theorem.module in sources} - unread)
    version = coq_version() if theorems else ""
    done: dict[str, Compiled] = {}
    if version:
        try:
            done = compile_all(names, sources, version, jobs=jobs, build=build, say=say)
        except ValueError as error:
            problems.append(str(error))
        problems += [one.stale for one in done.values() if one.stale]
        problems += _stale_beside(folder, sources, done)
    plain = {theorem: _wrong_text(theorem, sources) for theorem in theorems}
    answers = _answers([theorem for theorem in theorems if not plain[theorem]], sources, done, jobs, build)
    rows: dict[str, list[TheoremRow]] = {}
    for theorem in theorems:
        why = plain[theorem] or (_wrong_answer(theorem, sources, done, answers) if version else "")
        row = _row(theorem, why, answers.get(theorem, Answer()), bool(version))
        text = text_under(theorem.module, theorem.name, sources)
        rows.setdefault(theorem.claim, []).append(replace(row, text=text))
    compiled = sum(one.anew for one in done.values())
    return Evidence(rows, problems, version, compiled, time.perf_counter() - start)


def _planted() -> list[str]:
    """Return a sentence if what Coq prints of a false theorem, which rests on an axiom, is not seen to be wrong."""
    theorem = Theorem("planted", "planted/planted.v", "absurd", "a false statement", "")
    answer = Answer(statement_of("absurd\n     : False"), axioms_of("Axioms:\nassumed : False", {}))
    if answer.statement == "False" and _wrong_answer(theorem, {}, {theorem.module: _EMPTY}, {theorem: answer}):
        return []
    return [
        f"a planted theorem passes: {answer.statement or 'no statement'}, on {', '.join(answer.axioms) or 'no axiom'}"
    ]


_EMPTY = Compiled("", Path(), "")


def _unnamed(listed: Sequence[Theorem], sources: Mapping[str, Source]) -> list[str]:
    """Return a sentence for every file that holds no theorem of the manifest and that no such file requires."""
    used = needed([theorem.module for theorem in listed], sources)
    return [
        f"{source.file}: {MANIFEST} names no theorem of it, and no file of such a theorem requires it"
        for name, source in sources.items()
        if name not in used
    ]


def _stale_beside(folder: Path, sources: Mapping[str, Source], done: Mapping[str, Compiled]) -> list[str]:
    """Return a sentence for every .vo beside the sources that is not what coqc makes of the source."""
    found = []
    for path in sorted(folder.rglob("*.vo")):
        file = path.relative_to(folder).with_suffix(".v").as_posix()
        made = done.get(name_of(file))
        if name_of(file) not in sources:
            found.append(f"{path} is stale: there is no {file}; remove it")
        elif made is not None and not made.error and path.read_bytes() != (made.folder / path.name).read_bytes():
            found.append(f"{path} is stale: it is not what coqc makes of {file}; remove it")
    return found


def _wrong_text(theorem: Theorem, sources: Mapping[str, Source]) -> str:
    """Return what is wrong with a theorem that can be seen without Coq."""
    name = theorem.module
    if name not in sources:
        return f"there is no file {theorem.file}"
    for one in needed([name], sources):
        if sources[one].unread:
            return f"{sources[one].file}: {sources[one].unread}"
        if sources[one].open:
            return f"{sources[one].file} leaves a proof open: {', '.join(sources[one].open)}"
    if theorem.name.rsplit(".", 1)[-1] not in sources[name].declares:
        near = difflib.get_close_matches(theorem.name, sources[name].declares, n=1, cutoff=0)
        return f"there is no such theorem; the nearest is {near[0]}" if near else "there is no such theorem"
    if theorem.assumes or theorem.typing or theorem.further:
        found = hypotheses(sources[name].content.decode("utf-8", errors="replace"), theorem.name)
        return "; ".join(unmapped(CLAIMS[theorem.claim], theorem, found))
    return ""


def _answers(
    theorems: Sequence[Theorem],
    sources: Mapping[str, Source],
    done: Mapping[str, Compiled],
    jobs: int,
    build: Path,
) -> dict[Theorem, Answer]:
    """Return what Coq says of the theorems whose files compile."""
    of_file: dict[str, list[Theorem]] = {}
    for theorem in theorems:
        if theorem.module in done and not done[theorem.module].error:
            of_file.setdefault(theorem.module, []).append(theorem)
    with ThreadPoolExecutor(jobs or None) as pool:
        asked = {
            name: pool.submit(ask, name, [theorem.name for theorem in group], sources, done, build=build)
            for name, group in of_file.items()
        }
        found = {name: answer.result() for name, answer in asked.items()}
    return {theorem: found[name][theorem.name] for name, group in of_file.items() for theorem in group}


def _wrong_answer(
    theorem: Theorem,
    sources: Mapping[str, Source],
    done: Mapping[str, Compiled],
    answers: Mapping[Theorem, Answer],
) -> str:
    """Return what is wrong with a theorem by what Coq says; nothing if it accepts it on the axioms allowed."""
    made = done.get(theorem.module)
    if made is None:
        return "its file was not compiled"
    if made.error:
        return f"its file does not compile: {made.error}"
    answer = answers[theorem]
    if answer.error:
        return f"Coq does not accept it as a theorem: {answer.error}"
    extra = [axiom for axiom in answer.axioms if axiom not in AXIOMS]
    if extra:
        return f"it rests on {', '.join(extra)}, which is no axiom of the standard library's real numbers"
    return ""


def _row(theorem: Theorem, why: str, answer: Answer, ran: bool) -> TheoremRow:
    return TheoremRow(
        theorem.name,
        theorem.file,
        theorem.covers,
        theorem.leaves_out,
        theorem.refutes,
        outcome=FAILED if why else CHECKED if ran else NOT_RUN,
        why=f"{theorem}: {why}" if why else "",
        statement=answer.statement,
        axioms=answer.axioms,
        further=tuple(dict.fromkeys(words for _, words in theorem.further)),
    )


def prove_all(rows: Sequence[TheoremRow]) -> bool:
    """Return whether a claim's theorems, all of which Coq accepts, together prove all that it states."""
    accepted = all(row.outcome == CHECKED for row in rows)
    return bool(rows) and accepted and not any(row.refutes or row.leaves_out for row in rows)


def main(argv: Sequence[str] | None = None, *, prog: str = "python -m proofs_check.machine_checked") -> int:
    """Compile all files and list each theorem with its axioms; return the exit status.

    0: Coq accepts all; 1: something is wrong, and it is named; 2: Coq is not installed.

    Args:
        argv: the words after the program; those of this process if not given.
        prog: what --help says it is run by.
    """
    parser = argparse.ArgumentParser(prog=prog, description=__doc__.split("\n")[0])
    parser.add_argument("--jobs", type=int, default=0, help="files compiled at a time; 0: as many as processors")
    jobs: int = parser.parse_args(argv).jobs
    if jobs < 0:
        parser.error(f"--jobs must be at least 0, got {jobs}")
    evidence = check(jobs=jobs, say=print)
    rows = [(id, row) for id, rows in evidence.theorems.items() for row in rows]
    for id, row in rows:
        print("\n".join(_lines(id, row)))
    wrong = [f"{id}: {row.why}" for id, row in rows if row.why] + list(evidence.problems)
    print("\n".join([evidence.summary(), *(f"{line}." for line in wrong)]))
    return 1 if wrong else 0 if evidence.version else 2


def _lines(id: str, row: TheoremRow) -> list[str]:
    """Return the lines on a theorem: what it is of, what it covers, what it rests on."""
    shown = [axiom.split(".")[-1] for axiom in row.axioms]
    rests = f"axioms: {', '.join(shown) or 'none'}" if row.outcome == CHECKED else row.outcome
    kind = "refutes " if row.refutes else ""
    lines = [f"{kind}{id}: {LOGICAL}.{name_of(row.file)}.{row.name}; {rests}"]
    return [*lines, *([f"    leaves out: {row.leaves_out}"] if row.leaves_out else [])]


if __name__ == "__main__":
    sys.exit(main())
