"""The counterexamples that were found, shrunk and confirmed: named instances that anyone can load and replay."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from numerics.files import write_whole
from proofs_check.strict_json import read_json, shown
from proofs_check.values import decoded_instance, encoded_instance
from theory.claim import Claim, Instance
from theory.registry import CLAIMS

STORED = Path(__file__).parent / "stored"
"""One JSON file a claim, written by `python -m proofs_check --record`."""

MOST_BYTES = 100_000
"""The bytes that a stored counterexample may have."""


def load(id: str, folder: Path = STORED) -> Instance:
    """Return the stored counterexample to a claim.

    Raises:
        ValueError: if there is none for this id, naming those that there are, or its file cannot be read: it is larger than
            `MOST_BYTES`, no JSON, nested too deeply, holds a number beyond the limits of `values.decoded`, or is no
            instance.
    """
    file = folder / f"{id}.json"
    if id not in stored(folder):
        raise ValueError(f"no counterexample to {id!r} is stored, only to {', '.join(stored(folder)) or 'none'}")
    try:
        instance = decoded_instance(read_json(file, MOST_BYTES))
    except ValueError as error:
        raise ValueError(f"the stored counterexample {file} cannot be read: {error}") from error
    return Instance(instance.given, f"stored: {instance.origin}")


def stored(folder: Path = STORED) -> list[str]:
    """Return the ids of the claims with a stored counterexample, sorted."""
    return sorted(file.stem for file in folder.glob("*.json"))


def stored_sha256(folder: Path = STORED) -> dict[str, str]:
    """Return the hash of each stored counterexample's file, by id; nothing for a file that cannot be read."""
    return {id: _sha256(folder / f"{id}.json") for id in stored(folder)}


def _sha256(file: Path) -> str:
    if not file.is_file():
        return ""
    try:
        with file.open("rb") as opened:
            return hashlib.sha256(opened.read(MOST_BYTES + 1)).hexdigest()
    except OSError:
        return ""


def damaged(recorded: Mapping[str, str] | None = None, folder: Path = STORED) -> dict[str, str]:
    """Return a sentence on each stored counterexample with which something is wrong, by id.

    None of these is to be evaluated: what was changed by hand may take for ever.

    Args:
        recorded: the hashes that the files of claims had when they were recorded, by id, nothing for a claim without a
            file; a claim that is not in it may have any. None where nothing is known.
        folder: where the files are.
    """
    found = {}
    for id, now in stored_sha256(folder).items():
        wrong = _wrong(id, folder)
        before = now if recorded is None else recorded.get(id, now)
        if not wrong and before != now:
            wrong = (
                "its stored counterexample is not the recorded one" if before else "its stored counterexample is new"
            )
        if wrong:
            found[id] = wrong
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.suffix != ".json" and not path.name.startswith("."):
            found[path.name] = f"{path} is no stored counterexample: their names end in .json"
    gone = [id for id, before in (recorded or {}).items() if before and id not in stored(folder)]
    return found | {id: f"its stored counterexample {folder / f'{id}.json'} is gone" for id in gone}


def _wrong(id: str, folder: Path) -> str:
    """Return what is wrong with a stored counterexample, whatever was recorded of it."""
    if id not in CLAIMS:
        nearest = ", ".join(CLAIMS.nearest(id))
        return f"the stored counterexample {folder / f'{id}.json'} is of no claim; the nearest are {nearest}"
    try:
        given = set(load(id, folder).given)
    except ValueError as error:
        return str(error)
    symbols = {symbol.name for symbol in CLAIMS[id].symbols}
    for problem, names in (("lacks a value for", symbols - given), ("has a value too many, for", given - symbols)):
        if names:
            return f"its stored counterexample {problem} {', '.join(map(shown, sorted(names)))}"
    return ""


def witness_of(claim: Claim, folder: Path = STORED) -> Instance | None:
    """Return the instance that shows a claim's finding: its own, or for what was observed the row that is stored.

    Raises:
        ValueError: if the stored one cannot be read.
    """
    if claim.study and claim.id in stored(folder):
        return load(claim.id, folder)
    return claim.witness


def keep(id: str, instance: Instance, folder: Path = STORED) -> Path:
    """Write a counterexample to its file, whole or not at all, and return the file.

    Of a claim's counterexample the values of the claim's symbols are kept: the search may have found it among instances
    that have more.

    Raises:
        ValueError: if a value of the instance has no stored form.
    """
    names = [symbol.name for symbol in CLAIMS[id].symbols] if id in CLAIMS else list(instance.given)
    code = encoded_instance(Instance({name: instance[name] for name in names}, instance.origin))
    decoded_instance(code)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{id}.json"
    text = json.dumps(code, indent=1) + "\n"
    write_whole(file, lambda aside: aside.write_text(text, encoding="utf-8"))
    return file
