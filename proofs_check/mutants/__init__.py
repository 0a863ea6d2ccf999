"""Wrong versions of every claim, by id: the search that passes a claim must refute them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from proofs_check.mutants import (
    beyond,
    dual_bounds,
    flat_interpolants,
    general_position,
    mean_square,
    mulayoff2021,
    volhejn2020,
    walker2023,
)
from proofs_check.mutants.operators import Mutant

MUTANTS: Mapping[str, tuple[Mutant, ...]] = MappingProxyType(
    {
        **volhejn2020.MUTANTS,
        **mulayoff2021.MUTANTS,
        **general_position.MUTANTS,
        **walker2023.MUTANTS,
        **beyond.MUTANTS,
        **mean_square.MUTANTS,
        **dual_bounds.MUTANTS,
        **flat_interpolants.MUTANTS,
    }
)
"""The mutants of each claim that an instance can decide, by id."""
