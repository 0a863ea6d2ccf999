"""How the claims of `theory.mulayoff2021.tendencies` are put to the test: on each data set, and on all of them together."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from proofs_check.cases import Cases, Effects, Tendencies, apart, middle, tau, taus
from proofs_check.trial import Trial
from proofs_check.trials.operators import limits
from theory.claim import Claim
from theory.mulayoff2021.tendencies import M13, M13A, M13B, M15, M15A, M21, M21A, NEAR

DATA_SETS = ("parabola", "step", "sine", "hat", "gaussian_process", "clusters", "forbes1857")
"""The built-in data sets of the study."""

START = ["data", "seed_index"]
"""What a case is: an initialisation, on a data set."""

FUNCTION = ("knots", "jumps", "x")
"""The columns that say where a function bends, and on which data."""


def _starts(rows: pd.DataFrame) -> list[tuple[Hashable, pd.DataFrame]]:
    """Return the runs that interpolate from each initialisation, the smallest step size first."""
    return [(name, runs.sort_values("step_size")) for name, runs in rows.groupby(START)]


def regions(knots: Any, jumps: Any, x: Any) -> dict[str, float]:
    """Return int |f''| between the quartiles of the data, between these and its ends, in its whole range, and outside."""
    places, sizes, points = (np.asarray(values, dtype=np.float64) for values in (knots, jumps, x))
    low, high = np.quantile(points, [0.25, 0.75])
    inside = (places >= points.min()) & (places <= points.max())
    centre = (places >= low) & (places <= high)
    parts = {"centre": centre, "edges": inside & ~centre, "inside": inside, "outside": ~inside}
    return {name: float(np.abs(sizes[where]).sum()) for name, where in parts.items()}


def share_on_data(knots: Any, jumps: Any, x: Any) -> float:
    """Return which share of int |f''| in the range of the data lies near a data point; nan if there is none there."""
    places, sizes, points = (np.asarray(values, dtype=np.float64) for values in (knots, jumps, np.sort(x)))
    inside = (places >= points[0]) & (places <= points[-1])
    places, sizes = places[inside], np.abs(sizes[inside])
    after = np.clip(np.searchsorted(points, places, side="right"), 1, len(points) - 1)
    left, right_end = points[after - 1], points[after]
    near = np.minimum(places - left, right_end - places) <= float(NEAR) * (right_end - left)
    return float(sizes[near].sum() / sizes.sum()) if sizes.sum() > 0 else float("nan")


def _of(function: Callable[[Any, Any, Any], Any], runs: pd.DataFrame) -> list[Any]:
    return [function(*bends) for bends in zip(*(runs[column] for column in FUNCTION), strict=True)]


def falls(rows: pd.DataFrame, *, first: str, second: str) -> Effects:
    """Return how much more int |f''| falls in one region than in another, from the smallest step size to the largest."""
    found: dict[Hashable, float | None] = {}
    for name, runs in _starts(rows):
        start, *_, end = [*_of(regions, runs.iloc[[0]]), *_of(regions, runs.iloc[[-1]])]
        told = len(runs) > 1 and start[first] > 0 and start[second] > 0
        found[name] = end[first] / start[first] - end[second] / start[second] if told else None
    return found


def tightness(rows: pd.DataFrame) -> Effects:
    """Return how far the sharpness of the flattest implementation and its bound are apart, at the median step size."""
    ratio = (rows["flattest_sharpness"] / rows["sharpness_lower_bound"]).dropna().map(apart)
    return {name: middle(values) for name, values in ratio.groupby([rows[name] for name in START])}


def closeness(rows: pd.DataFrame) -> Effects:
    """Return how far the sharpness and its bound are apart at the largest step size."""
    ends = ((name, runs.iloc[-1]) for name, runs in _starts(rows))
    return {name: apart(end["sharpness"] / end["sharpness_lower_bound"]) for name, end in ends}


def smoothest(rows: pd.DataFrame) -> Effects:
    """Return the share near data points of the smoothest function from each initialisation."""
    found: dict[Hashable, float | None] = {}
    for name, runs in _starts(rows):
        inside = [parts["inside"] for parts in _of(regions, runs)]
        (found[name],) = _of(share_on_data, runs.iloc[[int(np.argmin(inside))]])
    return found


def share_trend(rows: pd.DataFrame) -> Effects:
    """Return tau_b of int |f''| and its share near data points for each initialisation."""
    found: dict[Hashable, float | None] = {}
    for name, runs in _starts(rows):
        pairs = [
            (parts["inside"], share)
            for parts, share in zip(_of(regions, runs), _of(share_on_data, runs), strict=True)
            if np.isfinite(share)
        ]
        found[name] = tau(*zip(*pairs, strict=True)) if pairs else None
    return found


def _tests(
    claim: Claim,
    effects: Callable[[pd.DataFrame], Effects],
    columns: tuple[str, ...],
    *,
    label: str = "",
    measures: tuple[str, ...],
) -> Tendencies:
    """Return a test for each data set of the sweep, and one for all of them."""
    return Tendencies(
        claim.symbols[0].name,
        tuple(
            Cases(
                data or "all data sets",
                "stability_sweep",
                f"initialisation, on {'the same data' if data else 'one of the data sets'}",
                effects,
                (*START, "step_size", *columns),
                "paper",
                among={"interpolates": True, **({"data": data} if data else {})},
                sizes={"step_size": 2},
                label=label,
                measures=measures,
            )
            for data in (*DATA_SETS, "")
        ),
    )


TRIALS = (
    Trial(
        M13,
        instances=_tests(
            M13,
            partial(taus, x="step_size", y="curvature", by=START),
            ("curvature",),
            label="step_size",
            measures=("curvature",),
        ),
        mutants=limits(M13, Fraction(-99, 100)),
    ),
    Trial(
        M13A,
        instances=_tests(
            M13A, partial(falls, first="centre", second="edges"), FUNCTION, label="step_size", measures=FUNCTION[:2]
        ),
    ),
    Trial(
        M13B,
        instances=_tests(
            M13B, partial(falls, first="inside", second="outside"), FUNCTION, label="step_size", measures=FUNCTION[:2]
        ),
        mutants=limits(M13B, -1000),
    ),
    Trial(
        M15,
        instances=_tests(
            M15,
            tightness,
            ("flattest_sharpness", "sharpness_lower_bound"),
            measures=("flattest_sharpness", "sharpness_lower_bound"),
        ),
        mutants=limits(M15, Fraction(101, 100)),
    ),
    Trial(
        M15A,
        instances=_tests(
            M15A,
            closeness,
            ("sharpness", "sharpness_lower_bound"),
            measures=("sharpness", "sharpness_lower_bound"),
        ),
    ),
    Trial(
        M21,
        instances=_tests(M21, smoothest, FUNCTION, measures=FUNCTION[:2]),
    ),
    Trial(
        M21A,
        instances=_tests(M21A, share_trend, FUNCTION, measures=FUNCTION[:2]),
        mutants=limits(M21A, Fraction(-99, 100)),
    ),
)
