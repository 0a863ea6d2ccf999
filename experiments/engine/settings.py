"""Checks of settings that studies share; an error names the option, as it is typed, and the value."""

from __future__ import annotations

from theory.checks import positive


def option(name: str) -> str:
    """Return the option that sets a field of a configuration."""
    return f"--{name.replace('_', '-')}"


def at_least_one(config: object, *names: str) -> None:
    """Check that these integers of a configuration are at least 1.

    Raises:
        ValueError: if one is not.
    """
    for name in names:
        if getattr(config, name) < 1:
            raise ValueError(f"{option(name)} must be at least 1, got {getattr(config, name)}")


def above_zero(config: object, *names: str) -> None:
    """Check that these numbers of a configuration, or all of a tuple of them, are finite and above 0.

    Raises:
        ValueError: if one is not.
    """
    for name in names:
        value = getattr(config, name)
        for number in value if isinstance(value, tuple) else (value,):
            positive(option(name), number)
