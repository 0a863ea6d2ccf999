"""Whether a trend that a paper states holds in rows: Kendall's tau over seeds, with a level that is fixed beforehand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from theory.checks import Array
from theory.volhejn2020 import kendall_tau_b

LEVEL = 0.01
"""The false-alarm rate of each trend: what a permutation of the settings, seed by seed, reaches as often says nothing."""

PERMUTATIONS = 20_000
"""How many of them are drawn, always the same ones; the smallest p is one over one more."""

HOLDS, OPPOSITE, UNDECIDED = "holds", "the opposite holds", "not decided"

Direction = Literal["rises", "falls"]


@dataclass(frozen=True)
class Trend:
    """A stated trend and what rows say of it.

    Attributes:
        says: the trend in words.
        direction: which way it is stated.
        tau: mean over seeds of Kendall's tau_b of setting and value; nan if no seed has two settings.
        p: how often permuted settings have a concordance as large in the stated direction.
        opposite: the same for the other direction.
        least: the least p that these rows could have in either direction, were they in perfect order.
        seeds: how many seeds there are.
        count: how many rows there are.
    """

    says: str
    direction: Direction
    tau: float
    p: float
    opposite: float
    least: float
    seeds: int
    count: int

    @property
    def verdict(self) -> str:
        """Whether it holds at the level, its opposite does, or neither."""
        if self.p <= LEVEL:
            return HOLDS
        return OPPOSITE if self.opposite <= LEVEL else UNDECIDED

    @property
    def too_few(self) -> bool:
        """Whether no order of these rows could have decided it."""
        return self.least > LEVEL


def trend(
    rows: pd.DataFrame,
    says: str,
    *,
    setting: str,
    value: str,
    direction: Direction,
    by: str = "seed_index",
    within: str | None = None,
) -> Trend:
    """Return what rows say of a trend of a value in a setting.

    The statistic is the number of concordant less that of discordant pairs of rows with the same seed, summed over
    seeds. Its null distribution is that of values permuted within each seed: exact for runs whose order would not
    matter if the setting did not, also where runs of a seed share their initialisation and data. Where runs of a seed
    are compared at several values of another column, settings are relabelled in all of them alike: these are not
    independent.

    Args:
        rows: one for each run; those without a finite value are left out.
        says: the trend in words.
        setting: the column that is varied.
        value: the column that is said to rise or to fall with it.
        direction: which.
        by: the column that names the seed.
        within: a column that is held fixed: pairs of rows that differ in it are not compared.
    """
    finite = rows[np.isfinite(rows[value].astype(float)) & np.isfinite(rows[setting].astype(float))]
    generator = np.random.default_rng(0)
    sign = 1 if direction == "rises" else -1
    taus, total, null = [], 0.0, np.zeros(PERMUTATIONS)
    for _, group in finite.groupby(by):
        x, y = group[setting].to_numpy(np.float64), group[value].to_numpy(np.float64)
        if len(set(x)) < 2:
            continue
        cells = np.zeros(len(x)) if within is None else group[within].to_numpy(np.float64)
        comparable = cells[:, None] == cells
        if within is None:
            order = np.sign(x[:, None] - x)
            null += sign * concordance(order, generator.permuted(np.tile(y, (PERMUTATIONS, 1)), axis=1))
        else:
            order = np.sign(y[:, None] - y) * comparable
            names, which = np.unique(x, return_inverse=True)
            null += sign * concordance(order, generator.permuted(np.tile(names, (PERMUTATIONS, 1)), axis=1)[:, which])
        total += sign * concordance(np.sign(x[:, None] - x) * comparable, y[None])[0]
        inside = [kendall_tau_b(x[cells == c], y[cells == c]) for c in np.unique(cells) if _both_vary(x, y, cells == c)]
        taus.append(float(np.mean(inside)) if inside else 0.0)
    if not taus:
        return Trend(says, direction, math.nan, 1.0, 1.0, 1.0, 0, len(finite))
    p, opposite, least = (
        (1 + float(np.sum(beyond))) / (1 + PERMUTATIONS)
        for beyond in (null >= total, null <= total, null == null.max())
    )
    return Trend(says, direction, float(np.mean(taus)), p, opposite, least, len(taus), len(finite))


def _both_vary(x: Array, y: Array, chosen: Array) -> bool:
    return len(set(x[chosen])) > 1 and len(set(y[chosen])) > 1


def concordance(order: Array, y: Array) -> Array:
    """Return concordant less discordant pairs of each row of y, [m, n], with the signs of x_i - x_j, [n, n]."""
    found = np.zeros(len(y))
    for i in range(y.shape[1]):
        found += np.sign(y[:, i, None] - y[:, i + 1 :]) @ order[i, i + 1 :]
    return found


def sign_test(says: str, direction: Direction, taus: Sequence[float], count: int) -> Trend:
    """Return a trend through training: one tau a run, and how likely as many of one sign are if both are as likely.

    The steps of a run follow from each other, so that only whole runs can be permuted.

    Args:
        says: the trend in words.
        direction: which way it is stated.
        taus: Kendall's tau_b of step and value of each run, [runs].
        count: how many rows they are of.
    """
    runs, sign = len(taus), 1 if direction == "rises" else -1
    with_it, against = (
        sum(math.comb(runs, j) for j in range(k, runs + 1)) / 2**runs
        for k in (sum(sign * tau > 0 for tau in taus), sum(sign * tau < 0 for tau in taus))
    )
    tau = float(np.mean(taus)) if taus else math.nan
    return Trend(says, direction, tau, with_it, against, 2.0**-runs, runs, count)


def trends_table(trends: Sequence[Trend]) -> str:
    """Return trends as text: what is stated, tau, p, and whether it holds."""
    width = max([len("stated trend"), *(len(one.says) for one in trends)])
    text = [f"{'stated trend':<{width}}  {'tau_b':>6} {'seeds':>5} {'rows':>5} {'p':>8}  verdict"]
    text += [
        f"{one.says:<{width}}  {shown(one.tau):>6} {one.seeds:>5} {one.count:>5} {one.p:>8.2g}  {one.verdict}"
        + (" (too few rows)" if one.too_few else "")
        for one in trends
    ]
    few = (
        [f"Too few rows: even in perfect order they would have p > {LEVEL}."] if any(o.too_few for o in trends) else []
    )
    return "\n".join(
        [
            *text,
            "",
            f"tau_b: mean over seeds. A trend holds if p <= {LEVEL}, its opposite if p of the opposite is, one-sided; p by",
            f"{PERMUTATIONS:,} permutations within seeds, or, of a trend through training, by the sign test over runs.",
            *few,
        ]
    )


def shown(tau: float) -> str:
    """Return a tau with two decimals, or a dash."""
    return f"{tau:+.2f}" if math.isfinite(tau) else "-"


def tally(trends: Sequence[Trend]) -> str:
    """Return in a sentence how many of some trends hold, and of which the opposite does."""
    counts = {verdict: sum(one.verdict == verdict for one in trends) for verdict in (HOLDS, OPPOSITE, UNDECIDED)}
    opposite = "; ".join(one.says for one in trends if one.verdict == OPPOSITE)
    return (
        f"At p <= {LEVEL}, {counts[HOLDS]} of {len(trends)} stated trends hold and {counts[UNDECIDED]} are not decided"
        + (f"; the opposite holds of {counts[OPPOSITE]} ({opposite})" if opposite else "")
    )
