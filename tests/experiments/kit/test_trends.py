"""Trends over seeds: the statistic by scipy, the level by simulation, the sign test by counting."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from experiments.kit.trends import HOLDS, LEVEL, OPPOSITE, UNDECIDED, Trend, sign_test, tally, trend, trends_table


def made(seeds: int, settings: int, slope: float, noise: float, seed: int) -> pd.DataFrame:
    """Return rows with a linear trend, an effect of each seed, and noise."""
    generator = np.random.default_rng(seed)
    return pd.DataFrame(
        [
            {"seed_index": s, "x": float(x), "y": slope * x + 10 * s + noise * generator.standard_normal()}
            for s in range(seeds)
            for x in range(settings)
        ]
    )


def found(rows: pd.DataFrame, direction: str = "rises"):  # type: ignore[no-untyped-def]
    return trend(rows, "y rises with x", setting="x", value="y", direction=direction)  # type: ignore[arg-type]


def test_tau_is_the_mean_of_those_of_scipy() -> None:
    rows = made(4, 6, 0.3, 1.0, 0)
    taus = [scipy.stats.kendalltau(group["x"], group["y"]).statistic for _, group in rows.groupby("seed_index")]
    assert found(rows).tau == pytest.approx(np.mean(taus), abs=1e-12)


def test_p_of_one_seed_is_the_exact_one_of_scipy() -> None:
    rows = made(1, 6, 0.3, 1.0, 1)
    exact = scipy.stats.kendalltau(rows["x"], rows["y"], method="exact", alternative="greater").pvalue
    # Five standard errors of 20,000 permutations.
    assert abs(found(rows).p - exact) < 5 * math.sqrt(exact * (1 - exact) / 20_000) + 1e-4


def test_a_clear_trend_holds_and_its_reverse_does_not() -> None:
    rows = made(3, 5, 1.0, 0.1, 0)
    assert found(rows).verdict == HOLDS
    assert found(rows, "falls").verdict == OPPOSITE
    assert found(rows.assign(y=-rows["y"])).verdict == OPPOSITE


def test_an_effect_of_the_seed_is_no_trend() -> None:
    alarms = sum(found(made(3, 5, 0.0, 1.0, seed)).p <= 0.05 for seed in range(200))
    # Binomial(200, 0.05) exceeds 24 less than once in ten thousand.
    assert alarms <= 24


def within(rows: pd.DataFrame) -> Trend:
    return trend(rows, "y rises with x", setting="x", value="y", direction="rises", within="cell")


def test_cells_of_a_seed_that_repeat_each_other_say_no_more_than_one() -> None:
    rows = made(4, 2, 1.0, 0.1, 0).assign(cell=0.0)
    repeated = pd.concat([rows.assign(cell=float(cell), y=rows["y"] + 100 * cell) for cell in range(5)])
    assert (within(repeated).tau, within(repeated).seeds) == (1.0, 4)
    # Exactly 1/16, within five standard errors of 20,000 permutations.
    assert within(repeated).p == pytest.approx(1 / 16, abs=5 * math.sqrt(1 / 16 / 20_000))
    assert within(repeated).least == within(repeated).p


def test_pairs_of_different_cells_are_not_compared() -> None:
    rows = made(3, 5, 1.0, 0.1, 0)
    cells = pd.concat([rows.assign(cell=float(cell), y=rows["y"] - 100 * rows["x"] * cell) for cell in (0, 1)])
    assert within(cells).tau == 0
    unequal = pd.concat([rows.assign(cell=0.0), rows[rows["x"] > 2].assign(cell=1.0, y=-1e6)])
    assert within(unequal).tau == 1
    assert within(unequal).verdict == HOLDS


def test_rows_without_a_value_are_left_out_and_few_settings_decide_nothing() -> None:
    rows = made(2, 4, 1.0, 0.1, 0)
    rows.loc[0, "y"] = math.nan
    assert found(rows).count == 7
    alone = found(rows[rows["x"] == 1])
    assert (alone.seeds, alone.verdict) == (0, UNDECIDED)
    assert "-" in trends_table([alone])
    assert found(rows.assign(y=0.0)).verdict == UNDECIDED


@pytest.mark.parametrize(("seeds", "settings"), [(1, 3), (1, 5), (2, 3), (3, 3), (2, 2), (6, 2)])
def test_rows_too_few_to_decide_anything_are_said_to_be(seeds: int, settings: int) -> None:
    perfect, random = found(made(seeds, settings, 1.0, 0.0, 0)), found(made(seeds, settings, 0.0, 1.0, 1))
    in_order = math.factorial(settings) ** -float(seeds)
    for one in (perfect, random):
        assert abs(one.least - in_order) < 5 * math.sqrt(in_order / 20_000) + 1e-4
    assert perfect.p == perfect.least
    assert perfect.too_few == (in_order > LEVEL)
    assert ("Too few rows" in trends_table([perfect])) == perfect.too_few
    assert random.too_few == perfect.too_few
    runs = sign_test("GC rises", "rises", [0.5] * seeds, 10)
    assert (runs.least, runs.too_few) == (runs.p, True)


def test_whole_runs_are_counted_by_the_sign_test() -> None:
    seven = sign_test("GC rises", "rises", [0.5] * 7, 70)
    assert (seven.p, seven.verdict) == (2**-7, HOLDS)
    assert sign_test("GC falls", "falls", [0.5] * 7, 70).verdict == OPPOSITE
    mixed = sign_test("GC rises", "rises", [0.5] * 6 + [-0.5], 70)
    assert (mixed.p, mixed.verdict) == (8 / 128, UNDECIDED)


def test_a_tally_names_what_is_the_other_way_round() -> None:
    rows = made(3, 5, 1.0, 0.1, 0)
    alone = found(rows[rows["x"] == 1])
    assert tally([found(rows), found(rows, "falls"), alone]) == (
        f"At p <= {LEVEL}, 1 of 3 stated trends hold and 1 are not decided; the opposite holds of 1 (y rises with x)"
    )
