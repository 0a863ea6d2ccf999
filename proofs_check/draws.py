"""Draws of Hypothesis that depend on the seed alone, and not on what else a process has imported."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis.internal.conjecture import providers


@contextmanager
def same_draws() -> Iterator[None]:
    """Let Hypothesis draw no constant out of the source of the modules that happen to be imported.

    It does so since 6.131, and a seed, or `derandomize`, does not fix it: one more module imported, or one number changed
    in any, changes all draws, so that a claim is searched elsewhere alone than among others, and a test passes in one run
    and fails in another. No setting turns it off; of what could be replaced, this one function is the least.
    """
    name = "_get_local_constants"
    found = getattr(providers, name, None)
    if found is None:  # an older Hypothesis, or one that does it otherwise: a test says so
        yield
        return
    none = type(providers._local_constants)()
    setattr(providers, name, lambda: none)
    providers.CONSTANTS_CACHE.cache.clear()  # it holds constants of both kinds
    try:
        yield
    finally:
        setattr(providers, name, found)
        providers.CONSTANTS_CACHE.cache.clear()
