"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

ASIDE = ".writing-"
"""What the name of a file begins with while it is written."""


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file beside `path`, sync it to disk, and rename it to `path`: whole or not at all.

    Ctrl-C is heard when the file is there: what was computed for it is not lost to an impatient moment.

    Raises:
        KeyboardInterrupt: if the user interrupted meanwhile; the file is written.
    """
    with _uninterrupted():
        _write_whole(path, write)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Put off Ctrl-C, which Python hears in its main thread, to the end of the block."""
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    heard: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda *call: heard.append(call))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if heard:
            handler(*heard[0])


def _write_whole(path: Path, write: Callable[[Path], object]) -> None:
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
