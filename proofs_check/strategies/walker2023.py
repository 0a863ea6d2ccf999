"""Instances for the claims of Walker 2023."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis.strategies import SearchStrategy

from proofs_check.strategies.common import linearised
from theory.claim import Instance

INSTANCES: Mapping[str, SearchStrategy[Instance]] = {
    "W1": linearised(),
    "W1.a": linearised(dimensions=(1, 1)),
    "W2": linearised(),
    "W2.a": linearised(),
    "W2.b": linearised(),
}
