"""Mutants of the claims of Volhejn 2020, and of B6, the closed forms of its path lengths."""

from __future__ import annotations

from collections.abc import Mapping

from proofs_check.mutants import pair_variation, volhejn2020_experiments, volhejn2020_measures
from proofs_check.mutants.operators import Mutant

MUTANTS: Mapping[str, tuple[Mutant, ...]] = {
    **volhejn2020_measures.MUTANTS,
    **volhejn2020_experiments.MUTANTS,
    **pair_variation.MUTANTS,
}
