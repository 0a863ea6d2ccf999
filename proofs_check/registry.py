"""The trial of every claim, in reading order."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from proofs_check.trial import Trial
from proofs_check.trials.beyond import TRIALS as BEYOND
from proofs_check.trials.mulayoff2021 import TRIALS as MULAYOFF2021
from proofs_check.trials.volhejn2020 import TRIALS as VOLHEJN2020
from proofs_check.trials.walker2023 import TRIALS as WALKER2023


def _by_id(trials: tuple[Trial, ...]) -> Mapping[str, Trial]:
    ids = [trial.claim.id for trial in trials]
    twice = sorted({id for id in ids if ids.count(id) > 1})
    if twice:
        raise ValueError(f"a claim must have one trial, got {', '.join(twice)} twice")
    return MappingProxyType({trial.claim.id: trial for trial in trials})


TRIALS: Mapping[str, Trial] = _by_id((*VOLHEJN2020, *MULAYOFF2021, *WALKER2023, *BEYOND))
"""Claim id to trial."""
