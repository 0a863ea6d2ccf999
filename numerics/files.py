"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import secrets
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

    Of several writers at once each writes whole, and the last one stays. A link is followed, and what is no regular file (a
    device, a pipe) is written to as it is.

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
    path = path.resolve()  # the file that a link leads to, not the link
    if path.exists() and not path.is_file():  # a device or a pipe cannot be replaced, and keeps nothing
        write(path)
        return
    aside = path.with_name(f"{ASIDE}{secrets.token_hex(4)}-{path.name}")  # of this writer alone
    try:
        write(aside)
        with aside.open("rb+") as file:
            os.fsync(file.fileno())
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    if os.name != "posix":  # elsewhere a folder cannot be synced
        return
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
