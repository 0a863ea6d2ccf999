"""Measured values beside printed ones: spreads over data sets, rank correlations, agreement, and the table of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from theory.checks import Array
from theory.volhejn2020 import kendall_tau_b, tau_b_ceiling

INSIDE, OUTSIDE = "inside the printed spread", "outside"

ROUNDING = 0.005
"""Half a unit of the last digit of values printed with two decimals."""

FLAT = 1e-9
"""Standard errors below are rounding errors."""

RULE = "A mean is inside the printed spread if it differs from the printed mean by at most the printed std"
"""What `agreement` goes by, in words, for standard deviations that are not 0."""


@dataclass(frozen=True)
class PrintedValue:
    """A mean with its standard deviation as a paper prints them, with two decimals.

    Attributes:
        mean: the mean.
        std: the standard deviation, 0 where the paper says that all values are the same.
    """

    mean: float
    std: float = 0.0

    def __str__(self) -> str:
        return f"{self.mean:.2f} +- {self.std:.2f}" if self.std else f"{self.mean:.2f}"


@dataclass(frozen=True)
class Spread:
    """A mean over data sets, with the sample standard deviation.

    Attributes:
        mean: the mean; nan of no values.
        std: the sample standard deviation; nan of fewer than two values.
        count: how many values there are.
    """

    mean: float
    std: float
    count: int

    def __str__(self) -> str:
        if not self.count:
            return "-"
        return f"{self.mean:.2f} +- {self.std:.2f}" if self.count > 1 else f"{self.mean:.2f}"


def spread(values: Iterable[float]) -> Spread:
    """Return mean and sample standard deviation of values, each of one data set."""
    array = np.array(list(values), dtype=np.float64)
    mean = float(np.mean(array)) if len(array) else math.nan
    return Spread(mean, float(np.std(array, ddof=1)) if len(array) > 1 else math.nan, len(array))


def agreement(measured: Spread, printed: PrintedValue) -> str:
    """Return whether the measured mean is inside the printed spread, or "-" if nothing was measured.

    It is if it differs from the printed mean by at most the printed standard deviation, or, if that is smaller, by at
    most half a unit of the last printed digit.
    """
    if not measured.count:
        return "-"
    return INSIDE if abs(measured.mean - printed.mean) <= max(printed.std, ROUNDING) else OUTSIDE


def standard_errors(measured: Spread, printed: PrintedValue, count: int) -> float:
    """Return measured less printed mean, over the standard error of the difference of independent means.

    A sharper question than that of `agreement`: means over many data sets lie closer together than the data sets do.

    Args:
        measured: over our data sets.
        printed: over the paper's.
        count: how many data sets the paper has.

    Returns:
        The ratio; nan with fewer than two values, or if neither spreads but for rounding errors.
    """
    if measured.count < 2:
        return math.nan
    error = math.sqrt(measured.std**2 / measured.count + printed.std**2 / count)
    return (measured.mean - printed.mean) / error if error > FLAT else math.nan


def rounded(values: Array) -> Array:
    """Return values [n] to 12 significant digits: what differs by less is the same but for rounding errors."""
    return np.array([float(f"{value:.12g}") for value in values])


def rank_correlations(rows: pd.DataFrame, measure: str, *, by: str, against: str) -> pd.Series[float]:
    """Return Kendall's tau_b of two columns for each data set in which neither is constant.

    Args:
        rows: one for each trained network, or for each training set.
        measure: one column; rows without a value are left out, values are taken to 12 significant digits.
        by: the column that names the data set.
        against: the other column, the training set size.

    Returns:
        tau_b by data set.
    """
    found = {}
    columns = list(dict.fromkeys((by, against, measure)))  # groups of all columns take longer than their taus
    for name, group in rows.loc[rows[measure].notna(), columns].groupby(by):
        x, y = group[against].to_numpy(np.float64), rounded(group[measure].to_numpy(np.float64))
        if len(set(x)) > 1 and len(set(y)) > 1:
            found[name] = kendall_tau_b(x, y)
    return pd.Series(found, dtype=np.float64)


def ceilings(rows: pd.DataFrame, *, by: str, against: str) -> pd.Series[float]:
    """Return for each data set what tau_b cannot exceed if no two values of a measure are equal (V12.d).

    Args:
        rows: one for each trained network, or for each training set.
        by: the column that names the data set.
        against: the training set size.

    Returns:
        The ceiling by data set, where there is more than one size.
    """
    sizes = {name: group[against].to_numpy(np.float64) for name, group in rows[[by, against]].groupby(by)}
    return pd.Series({name: tau_b_ceiling(x) for name, x in sizes.items() if len(set(x)) > 1}, dtype=np.float64)


@dataclass(frozen=True)
class Line:
    """A line of the table.

    Attributes:
        of: what was measured on.
        measure: the measure.
        measured: its rank correlation over data sets.
        ceiling: the mean of what it cannot exceed; nan if unknown.
        printed: what the paper prints, if it does.
        printed_ceiling: what the paper's rank correlation cannot exceed, if it has another ceiling; the agreement is then
            that of the correlation over its ceiling.
    """

    of: str
    measure: str
    measured: Spread
    ceiling: float = math.nan
    printed: PrintedValue | None = None
    printed_ceiling: float = math.nan

    @property
    def comparable(self) -> Spread:
        """What is measured, had it the paper's ceiling."""
        factor = self.printed_ceiling / self.ceiling
        if not math.isfinite(factor):
            return self.measured
        return Spread(self.measured.mean * factor, self.measured.std * factor, self.measured.count)

    @property
    def agreement(self) -> str:
        """Whether the measured mean is inside the printed spread; empty if nothing is printed."""
        return agreement(self.comparable, self.printed) if self.printed else ""


def agreement_table(lines: Sequence[Line], count: int) -> str:
    """Return lines as text: tau_b, number of data sets, ceiling, printed value, difference, agreement.

    Args:
        lines: the lines; `of` is shown where it changes.
        count: over how many data sets the printed values are.

    Returns:
        The text, a heading included.
    """
    width = max([len("measured on"), *(len(line.of) for line in lines)])
    label = max([len("measure"), *(len(line.measure) for line in lines)])
    text = [
        f"{'measured on':<{width}}  {'measure':<{label}}  {'tau_b':<14} {'sets':>4} {'ceiling':>7}  {'printed':<14}"
        f" {'off/s.e.':>8}  agreement"
    ]
    before = ""
    for line in lines:
        shown = f"{line.ceiling:.3f}" if math.isfinite(line.ceiling) else "-"
        off = standard_errors(line.comparable, line.printed, count) if line.printed else math.nan
        parts = [
            f"{line.of if line.of != before else '':<{width}}  {line.measure:<{label}}  {line.measured!s:<14}",
            f"{line.measured.count:>4} {shown:>7}  {line.printed or ''!s:<14}",
            f"{f'{off:+.1f}' if math.isfinite(off) else '':>8}  {line.agreement}",
        ]
        text.append(" ".join(parts).rstrip())
        before = line.of
    return "\n".join(text)
