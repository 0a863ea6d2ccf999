"""Mutants of the claims in theory.claims.beyond and its neighbours."""

from __future__ import annotations

from collections.abc import Mapping

from proofs_check.mutants.operators import Mutant

MUTANTS: Mapping[str, tuple[Mutant, ...]] = {}
