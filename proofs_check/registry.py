"""The trial of every claim, in reading order."""

from __future__ import annotations

from proofs_check.trial import Trial
from proofs_check.trials.beyond import TRIALS as BEYOND
from proofs_check.trials.dherin2022 import TRIALS as DHERIN2022
from proofs_check.trials.mulayoff2021 import TRIALS as MULAYOFF2021
from proofs_check.trials.neyshabur2017 import TRIALS as NEYSHABUR2017
from proofs_check.trials.volhejn2020 import TRIALS as VOLHEJN2020
from proofs_check.trials.walker2023 import TRIALS as WALKER2023
from theory.registry import ById

TRIALS: ById[Trial] = ById(
    (
        (trial.claim.id, trial)
        for trial in (*VOLHEJN2020, *MULAYOFF2021, *DHERIN2022, *NEYSHABUR2017, *WALKER2023, *BEYOND)
    ),
    "trial",
)
"""Claim id to trial."""
