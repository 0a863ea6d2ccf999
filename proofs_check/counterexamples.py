"""The counterexamples that were found, shrunk and confirmed: named instances that anyone can load and replay."""

from __future__ import annotations

import json
from pathlib import Path

from numerics.files import write_whole
from proofs_check.values import EncodingError, decoded_instance, encoded_instance
from theory.claim import Claim, Instance

STORED = Path(__file__).parent / "stored"
"""One JSON file a claim, written by `python -m proofs_check --record`."""


def load(id: str, folder: Path = STORED) -> Instance:
    """Return the stored counterexample to a claim.

    Raises:
        ValueError: if there is none for this id, naming those that there are, or its file cannot be read.
    """
    file = folder / f"{id}.json"
    if not file.is_file():
        raise ValueError(f"no counterexample to {id!r} is stored, only to {', '.join(stored(folder)) or 'none'}")
    try:
        instance = decoded_instance(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, EncodingError) as error:
        raise ValueError(f"the stored counterexample {file} cannot be read: {error}") from error
    return Instance(instance.given, f"stored: {instance.origin}")


def stored(folder: Path = STORED) -> list[str]:
    """Return the ids of the claims with a stored counterexample, sorted."""
    return sorted(file.stem for file in folder.glob("*.json"))


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

    Raises:
        ValueError: if a value of the instance has no stored form.
    """
    code = encoded_instance(instance)
    decoded_instance(code)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{id}.json"
    text = json.dumps(code, indent=1) + "\n"
    write_whole(file, lambda aside: aside.write_text(text, encoding="utf-8"))
    return file
