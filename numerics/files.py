"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

ASIDE = ".writing-"
"""What the name of a file begins with while it is written."""


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file beside `path`, sync it to disk, and rename it to `path`: whole or not at all."""
    aside = path.with_name(f"{ASIDE}{path.name}")
    write(aside)
    with aside.open("rb+") as file:
        os.fsync(file.fileno())
    aside.replace(path)
    if os.name != "posix":  # elsewhere a folder cannot be synced
        return
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
