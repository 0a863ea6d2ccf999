"""Where to look for counterexamples: instances to try claims on, as Hypothesis strategies, by paper."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hypothesis.strategies import SearchStrategy

from proofs_check.strategies import (
    beyond,
    dual_bounds,
    flat_interpolants,
    general_position,
    mean_square,
    mulayoff2021,
    volhejn2020,
    walker2023,
)
from theory.claim import Instance

INSTANCES: Mapping[str, SearchStrategy[Instance]] = MappingProxyType(
    {
        **volhejn2020.INSTANCES,
        **mulayoff2021.INSTANCES,
        **general_position.INSTANCES,
        **walker2023.INSTANCES,
        **beyond.INSTANCES,
        **mean_square.INSTANCES,
        **dual_bounds.INSTANCES,
        **flat_interpolants.INSTANCES,
    }
)
"""Where to look for counterexamples to each claim, by id."""
