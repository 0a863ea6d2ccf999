"""Where a number was computed: versions, machine, processor."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

LIBRARY = "implicit-smoothness"


def versions() -> dict[str, str]:
    """Return the versions of Python, of the libraries that the numbers come from, and of this library."""
    found = {"python": platform.python_version()}
    for name in ("numpy", "torch", "numba", LIBRARY):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _processor() -> str:
    """Return the processor's name; Linux tells it in a file only."""
    named = Path("/proc/cpuinfo")
    lines = named.read_text().splitlines() if named.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or "unknown"


@cache
def provenance() -> Mapping[str, Any]:
    """Return the columns that say where a row was computed: versions, machine, processor and number of CPUs."""
    columns = {f"version_{name.replace('-', '_')}": number for name, number in versions().items()}
    return {**columns, "machine": platform.machine(), "processor": _processor(), "cpus": os.cpu_count()}
