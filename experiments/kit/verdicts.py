"""Verdicts of registered claims in the rows of studies: three columns a claim, named by its id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from experiments.engine.records import Row
from theory.claim import Ruling, Verdict
from theory.registry import CLAIMS

RULING, SLACK, FAILED = "ruling", "slack", "failed"

DECIDING = (Ruling.HOLDS, Ruling.VIOLATED, Ruling.INCONCLUSIVE)
"""The rulings on what a claim applies to."""


def evaluated(id: str, given: Mapping[str, Any]) -> Row:
    """Return the columns on a claim's verdict: its ruling, its slack, and the assumption that fails where it does not apply.

    Args:
        id: the id of a registered claim.
        given: a value for each of its symbols; more do not matter.
    """
    return columns_of(CLAIMS[id].evaluate(given))


def columns_of(verdict: Verdict) -> Row:
    """Return the columns on a verdict."""
    id = verdict.claim
    return {f"{id} {RULING}": str(verdict.ruling), f"{id} {SLACK}": verdict.slack, f"{id} {FAILED}": verdict.failed}


def inapplicable(id: str, failed: str) -> Row:
    """Return the columns of a claim whose statement starts from what is not so of what was measured, which is named."""
    return columns_of(Verdict(id, Ruling.INAPPLICABLE, failed=failed))


def not_evaluated(id: str) -> Row:
    """Return the columns of a claim where there is nothing to evaluate it on."""
    return dict.fromkeys(f"{id} {part}" for part in (RULING, SLACK, FAILED))


def ruled(rows: pd.DataFrame, id: str, *rulings: Ruling) -> pd.Series[bool]:
    """Return in which rows the ruling on a claim is one of these."""
    return rows[f"{id} {RULING}"].isin([str(ruling) for ruling in rulings])


def applies(rows: pd.DataFrame, id: str) -> pd.Series[bool]:
    """Return in which rows a claim applies: it holds, is violated, or the error of its sides hides which."""
    return ruled(rows, id, *DECIDING)


def tally(rows: pd.DataFrame, id: str) -> str:
    """Return how often a claim holds, is violated and inconclusive in rows, those that occur; empty if it never applies."""
    counts = {ruling: int(ruled(rows, id, ruling).sum()) for ruling in DECIDING}
    return ", ".join(f"{id} {ruling} {count}" for ruling, count in counts.items() if count)


def reasons(rows: pd.DataFrame, id: str) -> list[str]:
    """Return in words to how many of some rows a claim does not apply, a part for each assumption that fails there."""
    counts = rows.loc[ruled(rows, id, Ruling.INAPPLICABLE), f"{id} {FAILED}"].value_counts()
    return [f"{count} for want of {reason}" for reason, count in counts.items()]
