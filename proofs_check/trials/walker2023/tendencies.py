"""How the claims of `theory.walker2023.tendencies` are put to the test: a network's start is a case."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from fractions import Fraction
from functools import partial

import numpy as np
import pandas as pd

from proofs_check.cases import Cases, Effects, Tendencies, middle, tau
from proofs_check.trial import Trial
from proofs_check.trials.operators import limits
from theory.claim import Claim
from theory.walker2023.tendencies import (
    CLEAR,
    HALF,
    NOTHING,
    W4G,
    W5A,
    W12D,
    W12E,
    W14,
    W14A,
    W14B,
    W15B,
    W15C,
    W16,
    W16A,
    W16B,
)

CASE = "network's start, with the labels and batches of its seed"


def _test(
    claim: Claim,
    study: str,
    effects: Callable[[pd.DataFrame], Effects],
    columns: tuple[str, ...],
    *,
    name: str,
    among: Mapping[str, object] | None = None,
    label: str = "",
    measures: tuple[str, ...] = (),
) -> Tendencies:
    """Return the one test of a claim on the rows of a study."""
    cases = Cases(
        name, study, CASE, effects, ("seed_index", *columns), "cpu", among=among or {}, label=label, measures=measures
    )
    return Tendencies(claim.symbols[0].name, (cases,))


def _of_depths(
    claim: Claim, effects: Callable[[pd.DataFrame], Effects], columns: tuple[str, ...], measures: tuple[str, ...]
) -> Tendencies:
    """Return two tests of a claim on networks with true labels: of one hidden layer, and of six."""
    return Tendencies(
        claim.symbols[0].name,
        tuple(
            Cases(
                f"true labels, {words}", "stiffness", CASE, effects, ("seed_index", *columns), "cpu",
                among={**TRUE, "hidden_layers": layers}, measures=measures,
            )
            for layers, words in DEPTHS.items()
        ),
    )  # fmt: skip


def _by_start(rows: pd.DataFrame, effect: Callable[[pd.DataFrame], float | None]) -> Effects:
    found: dict[Hashable, float | None] = {name: effect(run) for name, run in rows.groupby("seed_index")}
    return found


def ratio(rows: pd.DataFrame, large: str, small: str) -> Effects:
    """Return the median over moments of one column over another."""
    return _by_start(rows, lambda run: middle(run[large].astype(float) / run[small].astype(float)))


def difference(rows: pd.DataFrame, more: str, less: str) -> Effects:
    """Return the mean over moments of one column less another."""
    return _by_start(rows, lambda run: float((run[more].astype(float) - run[less].astype(float)).mean()))


def below_one(rows: pd.DataFrame, column: str) -> Effects:
    """Return by how much a column of the one row of each start is below 1."""
    return _by_start(rows, lambda run: 1 - float(run[column].iloc[0]))


def together(rows: pd.DataFrame, first: str, second: str) -> Effects:
    """Return tau_b of two columns over the moments of a training."""
    return _by_start(rows, lambda run: tau(run[first], run[second]))


def looseness(rows: pd.DataFrame) -> Effects:
    """Return log10 of bound over gap, the least over the networks of a start that have one below the range of floats."""

    def least(run: pd.DataFrame) -> float | None:
        there = run[run["gap_bound_log10"].notna() & (run["gap"].astype(float) > 0)]
        logs = there["gap_bound_log10"].astype(float) - np.log10(there["gap"].astype(float))
        return float(logs.min()) if len(logs) else None

    return _by_start(rows, least)


def early_trend(rows: pd.DataFrame) -> Effects:
    """Return tau_b of the coherence after the first epoch and the gap at the end, over the networks of a start."""

    def trend(run: pd.DataFrame) -> float | None:
        networks = [network.sort_values("epoch") for _, network in run.groupby("random")]
        early = [network.loc[network["epoch"] > 0, "alpha"].iloc[0] for network in networks]
        return tau(early, [network["gap"].iloc[-1] for network in networks])

    return _by_start(rows, trend)


def level_trend(rows: pd.DataFrame, column: str, *, least: float = 0.0) -> Effects:
    """Return tau_b of level and a column over levels from `least` on, the mean over shares of wrong labels."""
    chosen = rows[(rows["level"] >= least) & rows[column].notna()]

    def trend(run: pd.DataFrame) -> float | None:
        found = [tau(part["level"], part[column]) for _, part in run.groupby("noise")]
        told = [entry for entry in found if entry is not None]
        return round(float(np.mean(told)), 12) if told else None

    return _by_start(chosen, trend)


def noisy_trend(rows: pd.DataFrame, column: str) -> Effects:
    """Return the same where there are wrong labels."""
    return level_trend(rows[rows["noise"] > 0], column)


BEST = {"chosen": True, "winsorised": True}
"""The networks with the best step size of each level."""

TRUE, RANDOM = {"random": 0.0}, {"random": 1.0}

DEPTHS = {1: "one hidden layer", 6: "six hidden layers"}

BETWEEN = ("sign_resolves_between", "cosine_resolves_between")

WITHIN = ("sign_resolves_within", "cosine_resolves_within")

SHALLOW, DEEP = ({"hidden_layers": layers} for layers in DEPTHS)

TRIALS = (
    Trial(
        W4G,
        instances=_test(
            W4G, "stiffness", partial(ratio, large="w4_error", small="w4_error_at_tenth"), ("w4_error", "w4_error_at_tenth"),
            name="true labels", among={**TRUE, **SHALLOW}, measures=("w4_error", "w4_error_at_tenth"),
        ),
        mutants=limits(W4G, 100),
    ),
    Trial(
        W5A,
        instances=_test(
            W5A, "stiffness", partial(ratio, large="w5_error", small="w5_error_at_half"), ("w5_error", "w5_error_at_half"),
            name="true labels", among={**TRUE, **SHALLOW}, measures=("w5_error", "w5_error_at_half"),
        ),
        mutants=limits(W5A, 4),
    ),
    Trial(
        W14,
        instances=Tendencies(
            W14.symbols[0].name,
            tuple(
                Cases(
                    f"six hidden layers, {words} labels", "stiffness", CASE,
                    partial(together, first="sign_within_across", second="gap"),
                    ("seed_index", "sign_within_across", "gap"), "cpu", among={**labels, **DEEP},
                    label="gap", measures=("sign_within_across",),
                )
                for words, labels in (("true", TRUE), ("random", RANDOM))
            ),
        ),
        mutants=limits(W14, Fraction(-99, 100)),
    ),
    Trial(
        W14A,
        instances=_test(
            W14A, "stiffness", partial(below_one, column="sign_within"), ("sign_within",),
            name="random labels that are fitted", among={**RANDOM, **SHALLOW, "last": True}, measures=("sign_within",),
        ),
        mutants=limits(W14A, turned_at=(CLEAR, HALF)),
    ),
    Trial(
        W14B,
        instances=_of_depths(
            W14B, partial(difference, more="cosine_within", less="cosine_between"), ("cosine_within", "cosine_between"),
            ("cosine_within", "cosine_between"),
        ),
        mutants=limits(W14B, 1),
    ),
    Trial(
        W15B,
        instances=_test(
            W15B, "tangent_complexity", looseness, ("gap_bound_log10", "gap"), name="all networks",
            measures=("gap_bound_log10",),
        ),
        mutants=limits(W15B, 1000),
    ),
    Trial(
        W15C,
        instances=_test(
            W15C, "coherence", early_trend, ("random", "epoch", "alpha", "gap"), name="shares of random labels",
            label="alpha", measures=("alpha",),
        ),
        mutants=limits(W15C, turned_at=(NOTHING, -HALF)),
    ),
    Trial(
        W16,
        instances=_of_depths(
            W16, partial(difference, more="sign_resolves_between", less="cosine_resolves_between"), BETWEEN, BETWEEN
        ),
    ),
    Trial(
        W16A,
        instances=_of_depths(
            W16A, partial(difference, more="cosine_resolves_within", less="sign_resolves_within"), WITHIN, WITHIN
        ),
        mutants=limits(W16A, 10),
    ),
    Trial(
        W16B,
        instances=_test(
            W16B, "winsorized", partial(level_trend, column="train_accuracy", least=10.0), ("level", "noise", "train_accuracy"),
            name="levels from 10 on", among=BEST, label="level", measures=("train_accuracy",),
        ),
        mutants=limits(W16B, turned_at=(NOTHING, -HALF)),
    ),
    Trial(
        W12D,
        instances=_test(
            W12D, "winsorized", partial(noisy_trend, column="fitted_noise"), ("level", "noise", "fitted_noise"),
            name="wrong labels", among=BEST, label="level", measures=("fitted_noise",),
        ),
        mutants=limits(W12D, Fraction(-99, 100)),
    ),
    Trial(
        W12E,
        instances=_test(
            W12E, "winsorized", partial(noisy_trend, column="test_accuracy"), ("level", "noise", "test_accuracy"),
            name="wrong labels", among=BEST, label="level", measures=("test_accuracy",),
        ),
    ),
)  # fmt: skip
