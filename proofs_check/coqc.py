"""Coq's compiler: files compiled by content, never by date, and what Coq says of the theorems in them.

What is made of a file lies in a folder that is named by a hash of the file, of all that it requires and of Coq's version,
and Coq sees that folder and those of the required files only: what was made of another text cannot be loaded.
"""

from __future__ import annotations

import graphlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from proofs_check.coq_sources import LOGICAL, Source, file_of, library_of, needed

BUILD = Path(__file__).parents[1] / "build" / "coq"
"""Where the build products are kept: a folder that git ignores, outside the sources."""

AXIOMS = (
    "Coq.Reals.ClassicalDedekindReals.sig_forall_dec",
    "Coq.Reals.ClassicalDedekindReals.sig_not_dec",
    "Coq.Logic.FunctionalExtensionality.functional_extensionality_dep",
)
"""The axioms that a theorem may rest on: those that the standard library builds the real numbers on."""

LONGEST = 1800
"""Seconds that one call of coqc may take."""

WIDTH = 100
"""The width in which Coq prints a statement."""

_MADE = "made.json"
"""What is noted beside a .vo: its hash, and the seconds that it took."""


@dataclass(frozen=True)
class Compiled:
    """What came of compiling a file.

    Attributes:
        key: the hash of all that it was made from.
        folder: where its .vo is.
        library: the logical name of the folder that its source lies in.
        seconds: what coqc took for it, now or when it was made.
        anew: whether it was compiled now.
        error: why it does not compile; nothing if it does.
        stale: what is wrong with a .vo that was found; nothing if nothing is.
    """

    key: str
    folder: Path
    library: str
    seconds: float = 0.0
    anew: bool = False
    error: str = ""
    stale: str = ""


@dataclass(frozen=True)
class Answer:
    """What Coq says of a theorem: its statement and the axioms that it rests on, or why there is no answer."""

    statement: str = ""
    axioms: tuple[str, ...] = ()
    error: str = ""


def coq_version() -> str:
    """Return the version of the Coq that is installed; nothing where none is, or where it does not run."""
    coqc = shutil.which("coqc")
    if coqc is None:
        return ""
    try:
        run = subprocess.run([coqc, "--version"], capture_output=True, text=True, check=True, timeout=LONGEST)
    except (OSError, subprocess.SubprocessError):
        return ""
    found = re.search(r"version (\S+)", run.stdout)
    return found[1] if found else ""


def compile_all(
    names: Sequence[str],
    sources: Mapping[str, Source],
    version: str,
    *,
    jobs: int,
    build: Path = BUILD,
    say: Callable[[str], object] = lambda line: None,
) -> dict[str, Compiled]:
    """Compile files, each after those that it requires, and return what came of each.

    Args:
        names: the files, as Coq has them; those that they require are compiled too.
        sources: all files.
        version: of Coq.
        jobs: how many to compile at a time; as many as there are processors if 0.
        build: the folder of the build products.
        say: what to do with a line on each file that is compiled now.

    Raises:
        ValueError: if files require each other in a circle.
    """
    wanted = needed(list(names), sources)
    order = graphlib.TopologicalSorter({name: sources[name].requires for name in wanted})
    try:
        order.prepare()
    except graphlib.CycleError as error:
        raise ValueError(f"these files require each other: {', '.join(map(str, error.args[1]))}") from error
    build.mkdir(parents=True, exist_ok=True)
    done: dict[str, Compiled] = {}
    running: dict[Future[Compiled], str] = {}
    with ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
        while order.is_active():
            for name in order.get_ready():
                if name in sources:
                    running[pool.submit(_compiled, name, sources, dict(done), version, build)] = name
                else:
                    order.done(name)
            finished = wait(running, return_when=FIRST_COMPLETED).done if running else ()
            for future in finished:
                name = running.pop(future)
                done[name] = future.result()
                order.done(name)
                if done[name].anew:
                    say(f"coqc {sources[name].file}: {done[name].seconds:.1f} s")
    return done


def _compiled(
    name: str, sources: Mapping[str, Source], done: Mapping[str, Compiled], version: str, build: Path
) -> Compiled:
    source, library = sources[name], library_of(name)
    lacking = [required for required in source.requires if required not in sources]
    failed = [required for required in source.requires if required in done and done[required].error]
    if lacking or failed:
        why = (
            f"{file_of(lacking[0])}, which is not there" if lacking else f"{file_of(failed[0])}, which does not compile"
        )
        return Compiled("", build, library, error=f"requires {why}")
    parts = [version, hashlib.sha256(source.content).hexdigest(), *(done[r].key for r in source.requires)]
    key = _hash("\n".join(parts).encode())
    folder = build / f"{name}-{key[:16]}"
    stale = _stale(folder, name)
    if stale:
        shutil.rmtree(folder)
    if not folder.is_dir():
        loads = load_options([done[required] for required in needed(list(source.requires), sources)])
        made, error = _publish(folder, lambda aside: _make(aside, name, source, loads))
        if error:
            return Compiled(key, folder, library, anew=True, error=error, stale=stale)
        _forget_others(build, name, folder)
    else:
        made = False
    noted = json.loads((folder / _MADE).read_text(encoding="utf-8"))
    return Compiled(key, folder, library, noted["seconds"], made, stale=stale)


def _stale(folder: Path, name: str) -> str:
    """Return what is wrong with the .vo in a folder of the build products; nothing if it is what coqc made."""
    if not folder.is_dir():
        return ""
    made = folder / vo_of(name)
    try:
        noted = json.loads((folder / _MADE).read_text(encoding="utf-8"))["vo"]
        found = file_hash(made)
    except (OSError, ValueError, KeyError, TypeError):
        return f"{made} is not whole; it was compiled anew"
    if found == noted:
        return ""
    return f"{made} is stale: it is not what coqc made of {file_of(name)}; it was compiled anew"


def vo_of(name: str) -> str:
    """Return the name of the file that coqc makes of a file, in the folder that it makes it in."""
    return f"{name.rsplit('.', 1)[-1]}.vo"


def _make(aside: Path, name: str, source: Source, loads: Sequence[str]) -> str:
    """Compile a file in a folder of its own; return why it does not compile."""
    text = aside / Path(source.file).name
    text.write_bytes(source.content)
    start = time.perf_counter()
    error = run_coqc(aside, text.name, [*loads, "-Q", ".", library_of(name)])
    if error:
        return error
    noted = {"vo": file_hash(aside / vo_of(name)), "seconds": time.perf_counter() - start}
    (aside / _MADE).write_text(json.dumps(noted), encoding="utf-8")
    return ""


def _publish(folder: Path, make: Callable[[Path], str]) -> tuple[bool, str]:
    """Let `make` fill a folder and rename it, whole or not at all; return whether it was made, and the error if not.

    Raises:
        OSError: if the folder cannot be renamed.
    """
    with tempfile.TemporaryDirectory(prefix=".making-", dir=folder.parent) as parent:
        aside = Path(parent) / folder.name
        aside.mkdir()
        error = make(aside)
        if error:
            return False, error
        try:
            aside.rename(folder)
        except OSError:  # another process was faster, and made the same
            if not folder.is_dir():
                raise
    return True, ""


def _forget_others(build: Path, name: str, kept: Path) -> None:
    """Remove what was made of earlier texts of a file."""
    for folder in build.glob(f"{name}-*"):
        if folder != kept and re.fullmatch(r"[0-9a-f]{16}(-[0-9a-f]{16})?", folder.name.removeprefix(f"{name}-")):
            shutil.rmtree(folder, ignore_errors=True)


def load_options(made: Sequence[Compiled]) -> list[str]:
    """Return the options by which coqc finds what was made of files."""
    return [word for one in made for word in ("-Q", str(one.folder.resolve()), one.library)]


def run_coqc(folder: Path, file: str, options: Sequence[str]) -> str:
    """Run coqc on a file in a folder; return what it complains of, in a line."""
    environment = {name: value for name, value in os.environ.items() if name != "COQPATH"}
    try:
        run = subprocess.run(
            ["coqc", "-q", *options, file],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST,
        )
    except subprocess.TimeoutExpired:
        return f"coqc did not end within {LONGEST} s"
    except OSError as error:
        return f"coqc cannot be run: {error}"
    return "" if run.returncode == 0 else _complaint(run.stderr or run.stdout) or f"coqc ended with {run.returncode}"


def _complaint(text: str) -> str:
    """Return an error of Coq's with its line in the file, in one line."""
    place = re.findall(r'File "[^"]*", line (\d+)', text)
    said = re.split(r"^Error:?", text, flags=re.M)[-1]
    words = " ".join(said.split())
    return (f"line {place[-1]}: " if place else "") + (words if len(words) <= 300 else f"{words[:299]}…")


def ask(
    name: str,
    theorems: Sequence[str],
    sources: Mapping[str, Source],
    done: Mapping[str, Compiled],
    *,
    build: Path = BUILD,
) -> dict[str, Answer]:
    """Return what Coq says of theorems in a file that compiles.

    Args:
        name: the file, as Coq has it.
        theorems: their names.
        sources: all files.
        done: what came of compiling it and all that it requires.
        build: the folder of the build products.
    """
    asked = sorted(set(theorems))
    required = needed(list(sources[name].requires), sources)
    query = _query(name, required, asked)
    folder = build / f"{name}-{done[name].key[:16]}-{_hash(query.encode())[:16]}"
    loads = load_options([done[one] for one in (*required, name)])
    error = "" if folder.is_dir() else _publish(folder, lambda aside: _answer(aside, query, loads))[1]
    if not error:
        return {theorem: _read_answer(folder, number) for number, theorem in enumerate(asked)}
    if len(asked) == 1:
        return {asked[0]: Answer(error=re.sub(r"^line \d+: ", "", error))}
    return {one: answer for each in asked for one, answer in ask(name, [each], sources, done, build=build).items()}


def _query(name: str, required: Sequence[str], theorems: Sequence[str]) -> str:
    """Return a Coq file that prints each theorem's statement and axioms, and what the names of the axioms stand for."""
    lines = [
        "From Coq Require Import Reals List QArith. From Coq Require ClassicalDedekindReals FunctionalExtensionality.",
        f"From {LOGICAL} Require Import {' '.join((*required, name))}.",
        "Import ListNotations. Open Scope R_scope.",
        f"Set Printing Width {WIDTH}. Set Printing Depth 10000.",
    ]
    lines += [f'Redirect "name{n}" Locate {shown}.' for n, (shown, _) in enumerate(_names())]
    for number, theorem in enumerate(theorems):
        whole = f"{LOGICAL}.{name}.{theorem}"
        lines.append(f"Check (@{whole} : (_ : Prop)).")
        lines.append(f'Redirect "statement{number}" Check @{whole}.')
        lines.append(f'Redirect "rests{number}" Print Assumptions {whole}.')
    return "\n".join(lines) + "\n"


def _names() -> list[tuple[str, str]]:
    """Return the names, whole or cut short, by which Coq may print each of the axioms, and the axiom's whole name."""
    parts = [axiom.split(".") for axiom in AXIOMS]
    return [(".".join(part[start:]), ".".join(part)) for part in parts for start in range(len(part))]


def _answer(aside: Path, query: str, loads: Sequence[str]) -> str:
    (aside / "query.v").write_text(query, encoding="utf-8")
    return run_coqc(aside, "query.v", loads)


def _read_answer(folder: Path, number: int) -> Answer:
    shown = {
        short: axiom
        for n, (short, axiom) in enumerate(_names())
        if (folder / f"name{n}.out").read_text(encoding="utf-8").split("\n")[0] == f"Constant {axiom}"
    }
    said = (folder / f"statement{number}.out").read_text(encoding="utf-8")
    rests = (folder / f"rests{number}.out").read_text(encoding="utf-8")
    return Answer(statement_of(said), axioms_of(rests, shown))


def statement_of(said: str) -> str:
    """Return the statement in what Coq's `Check` printed, without the name and the indent."""
    lines = re.sub(r"^\S+\s*?\n?\s*: ", "", said, count=1).rstrip().split("\n")
    indents = [len(line) - len(line.lstrip()) for line in lines[1:] if line.strip()]
    cut = min(indents, default=0)
    return "\n".join([lines[0].strip(), *(line[cut:].rstrip() for line in lines[1:])])


def axioms_of(rests: str, shown: Mapping[str, str]) -> tuple[str, ...]:
    """Return the axioms in what Coq's `Print Assumptions` printed; anything else that it printed, as it is.

    Args:
        rests: what was printed.
        shown: whole names of the axioms that names, as printed, stand for.
    """
    if rests.strip() == "Closed under the global context":
        return ()
    lines = [line for line in rests.split("\n") if line.strip() and not line.startswith(" ")]
    if lines and lines[0] == "Axioms:":
        lines = lines[1:]
    names = [match[1] if (match := re.match(r"([\w.']+)(?: :|$)", line)) else line for line in lines]
    return tuple(shown.get(name, name) for name in names)


def file_hash(path: Path) -> str:
    """Return a file's SHA-256."""
    return _hash(path.read_bytes())


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
