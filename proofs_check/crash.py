"""What crashes while a claim is looked at, named by its part: the row says so, and the other claims are looked at."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from proofs_check.strict_json import shown


class CrashError(RuntimeError):
    """A part of the evidence on a claim crashed: a sentence says which, and on what exception."""


@contextlib.contextmanager
def part(name: str, *, but: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Name what crashes inside, unless a part inside has named it.

    Args:
        name: the part, as the sentence begins.
        but: exceptions that are no crash, and go through.

    Raises:
        CrashError: if anything inside raises, a call of `sys.exit` among it.
    """
    through: tuple[type[Exception], ...] = (CrashError, *but)
    try:
        yield
    except through:
        raise
    except (Exception, SystemExit) as error:
        raise CrashError(f"{name} crashes with {said(error)}") from error


def said(error: BaseException) -> str:
    """Return an exception in a few words, in one line."""
    words = shown(" ".join(str(error).split()), 200)
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
