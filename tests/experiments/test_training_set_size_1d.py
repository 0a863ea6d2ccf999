"""Growing training sets: rows against independent oracles, networks that the thesis published, and a report made of rows."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.interpolate import lagrange
from scipy.stats import kendalltau

from experiments.engine.records import read_rows
from experiments.engine.study import Study, main
from experiments.kit.agreement import (
    INSIDE,
    OUTSIDE,
    Line,
    PrintedValue,
    Spread,
    agreement,
    agreement_table,
    ceilings,
    rank_correlations,
    spread,
    standard_errors,
)
from experiments.training_set_size_1d import STUDY
from experiments.training_set_size_1d.report import MEASURES, NETWORKS, VARIATIONS, Results, discussion, lines
from experiments.training_set_size_1d.rows import (
    Config,
    Data,
    gradient_norm,
    interpolations,
    measured,
    networks,
    path_lengths,
    polynomial,
    thesis_path,
    variations_between,
)
from numerics import smoothness
from numerics.gaussian_process import GRID, farthest_point_order, longest_gap_order
from numerics.networks import TwoLayerReLU, initialise
from numerics.provenance import provenance
from numerics.training import Outcome, Run
from theory.piecewise_linear import PiecewiseLinear
from theory.two_layer import Weights
from theory.volhejn2020 import function_path_length, initialization_limit, spline_path_length

SIZES = (2, 3, 4, 6, 9)


@pytest.fixture(scope="module")
def smoke(smoke_of: Callable[[Study[Any]], Path]) -> Path:
    """Return the folder of the smoke preset."""
    return smoke_of(STUDY)


@pytest.fixture(scope="module")
def rows(smoke: Path) -> pd.DataFrame:
    return read_rows(smoke)


@pytest.fixture(scope="module")
def interpolated() -> pd.DataFrame:
    """Polynomials and splines on six fresh data sets."""
    config = Config(sizes=SIZES)
    return pd.DataFrame([row for index in range(6) for row in interpolations("fresh", index, config)])


def drawn_weights(seed: int, width: int = 40) -> Weights:
    generator = np.random.default_rng(seed)
    return Weights(*generator.normal(size=(3, width)), 0.3)


# The agreement with printed values.


def test_a_spread_is_mean_and_sample_standard_deviation() -> None:
    assert spread([1.0, 2.0, 6.0]) == Spread(3.0, math.sqrt(7.0), 3)
    assert str(spread([1.0, 2.0, 6.0])) == "3.00 +- 2.65"
    assert str(spread([0.5])) == "0.50"
    assert str(spread([])) == "-"


@pytest.mark.parametrize(
    ("mean", "printed", "expected"),
    [
        (0.53, PrintedValue(0.72, 0.19), INSIDE),
        (0.52, PrintedValue(0.72, 0.19), OUTSIDE),
        (0.92, PrintedValue(0.72, 0.19), OUTSIDE),
        (0.9555, PrintedValue(0.96), INSIDE),
        (0.9545, PrintedValue(0.96), OUTSIDE),
    ],
)
def test_agreement_goes_by_the_printed_spread(mean: float, printed: PrintedValue, expected: str) -> None:
    assert agreement(Spread(mean, 0.1, 20), printed) == expected


def test_nothing_measured_has_no_agreement() -> None:
    assert agreement(spread([]), PrintedValue(0.5, 0.1)) == "-"


def test_standard_errors_are_those_of_a_difference_of_means() -> None:
    measured_spread, printed = Spread(0.8, 0.2, 16), PrintedValue(0.7, 0.3)
    assert standard_errors(measured_spread, printed, 25) == pytest.approx(0.1 / math.hypot(0.2 / 4, 0.3 / 5))
    assert math.isnan(standard_errors(Spread(0.8, math.nan, 1), printed, 25))
    assert math.isnan(standard_errors(Spread(0.8, 0.0, 3), PrintedValue(0.8), 25))


def test_rank_correlations_are_those_of_scipy() -> None:
    generator = np.random.default_rng(5)
    frame = pd.DataFrame({"data_set": np.repeat([0, 1, 2], 30), "n": np.tile(np.repeat([2, 3, 4], 10), 3)})
    frame["measure"] = (frame["n"] + generator.normal(0, 2, 90)).round(1)
    frame.loc[7, "measure"] = np.nan
    found = rank_correlations(frame, "measure", by="data_set", against="n")
    for name, group in frame.dropna().groupby("data_set"):
        assert found[name] == pytest.approx(kendalltau(group["n"], group["measure"]).statistic)


def test_rank_correlations_do_not_count_rounding_errors() -> None:
    frame = pd.DataFrame({"data_set": 0, "n": [2, 3, 4, 5], "measure": [0.3, 0.1 + 0.2, 0.3, 0.7]})
    assert rank_correlations(frame, "measure", by="data_set", against="n")[0] == pytest.approx(3 / math.sqrt(6 * 3))


def test_data_sets_of_one_size_or_one_value_have_no_rank_correlation() -> None:
    frame = pd.DataFrame({"data_set": [0, 0, 1, 1], "n": [2, 2, 2, 3], "measure": [1.0, 2.0, 1.0, 1.0]})
    assert rank_correlations(frame, "measure", by="data_set", against="n").empty
    assert list(ceilings(frame, by="data_set", against="n").index) == [1]


def test_the_ceiling_of_the_thesis_is_that_of_its_ties() -> None:
    frame = pd.DataFrame({"data_set": 0, "n": np.repeat(range(2, 11), 10), "measure": np.arange(90.0)})
    ceiling = ceilings(frame, by="data_set", against="n")[0]
    assert ceiling == pytest.approx(math.sqrt(10 * 8 / 89))
    assert rank_correlations(frame, "measure", by="data_set", against="n")[0] == pytest.approx(ceiling)


def test_the_table_has_a_line_for_each_measure() -> None:
    found = [
        Line("networks", "GN", Spread(0.7, 0.2, 20), 0.948, PrintedValue(0.72, 0.19)),
        Line("networks", "TV(f)", Spread(0.65, 0.2, 20), 0.948),
        Line("spline", "GN", spread([])),
    ]
    text = [" ".join(line.split()) for line in agreement_table(found, 20).splitlines()]
    assert text == [
        "measured on measure tau_b sets ceiling printed off/s.e. agreement",
        "networks GN 0.70 +- 0.20 20 0.948 0.72 +- 0.19 -0.3 inside the printed spread",
        "TV(f) 0.65 +- 0.20 20 0.948",
        "spline GN - 0 -",
    ]


# The data.


def legacy_basis() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return the covariance given f(0) = 0 and its singular vectors, as rows."""
    kernel = np.exp(-((GRID[:, None] - GRID) ** 2) / (2 * 0.5**2))
    to_zero = np.exp(-(GRID**2) / (2 * 0.5**2))
    covariance = kernel - np.outer(to_zero, to_zero)
    return covariance, np.linalg.svd(covariance)[2]


@pytest.mark.parametrize("seed", [1, 7, 20])
def test_a_path_of_the_thesis_is_numpys_but_for_the_signs_of_singular_vectors(seed: int) -> None:
    covariance, basis = legacy_basis()
    numpys = np.random.RandomState(seed).multivariate_normal(np.zeros(100), covariance)
    np.testing.assert_allclose(np.abs(basis @ thesis_path(seed)), np.abs(basis @ numpys), atol=3e-4)


# Of the published rows of single networks (Table 4.1's data): size, seed of the path, GN, WP and epochs.
PUBLISHED = [
    (2, 2, 1.25399, 1.32680, 28),
    (3, 5, 1.22551, 1.49390, 75),
    (3, 12, 0.74387, 1.58885, 357),
    (3, 18, 1.32152, 2.67192, 165),
    (4, 4, 0.62064, 2.18327, 408),
    (4, 12, 0.76372, 2.27807, 375),
    (5, 10, 2.01969, 8.38347, 978),
    (6, 8, 2.26422, 9.65073, 947),
    (8, 10, 2.13807, 10.50867, 1123),
]


def published(initialiser: Any, n: int, seed: int) -> pd.DataFrame:
    config = Config(sizes=(n, n + 1), seeds=6)
    trained = pd.DataFrame(networks("thesis", seed - 1, initialiser, config))
    return trained[trained["n"] == n]


@pytest.mark.parametrize(("n", "seed", "gn", "wp", "epochs"), PUBLISHED)
def test_networks_that_the_thesis_published_come_out_again(
    n: int, seed: int, gn: float, wp: float, epochs: int
) -> None:
    again = published("as_coded", n, seed)
    for column, value in (("gn", gn), ("wp", wp)):
        assert again[column].min() * 0.985 <= value <= again[column].max() * 1.015
    assert again["steps"].min() * 0.95 <= epochs <= again["steps"].max() * 1.05


def test_the_published_epochs_are_those_of_the_initialiser_as_coded() -> None:
    ratios = {
        initialiser: np.median(
            [epochs / published(initialiser, n, seed)["steps"].median() for n, seed, *_, epochs in PUBLISHED[:6]]
        )
        for initialiser in ("as_coded", "as_printed")
    }
    assert ratios["as_coded"] == pytest.approx(1, abs=0.03)
    assert ratios["as_printed"] < 0.95


def test_training_sets_are_nested_and_in_the_order_asked_for() -> None:
    for order, indices in (("longest_gap", longest_gap_order), ("farthest_point", farthest_point_order)):
        data = Data.of("fresh", 1, Config(order=order))
        np.testing.assert_array_equal(data.order, indices(GRID, 10))
        for n in (2, 6, 10):
            x, y = data.first(n)
            np.testing.assert_array_equal(x, np.sort(GRID[data.order[:n]]))
            np.testing.assert_array_equal(y, [data.path[list(GRID).index(point)] for point in x])


def test_fresh_paths_change_with_the_seed_and_those_of_the_thesis_do_not() -> None:
    fresh, thesis = ([Data.of(paths, 0, Config(seed=seed)).path for seed in (0, 1)] for paths in ("fresh", "thesis"))
    assert not np.array_equal(*fresh)
    assert np.array_equal(*thesis)


# The measures.


@pytest.mark.parametrize("n", [2, 3, 6, 10])
def test_a_polynomial_is_lagranges(n: int) -> None:
    x, y = Data.of("fresh", 3, Config()).first(n)
    f = polynomial(x, y)
    np.testing.assert_allclose(f(GRID), lagrange(x, y)(GRID), atol=1e-8)
    np.testing.assert_allclose(f(GRID), np.polyval(np.polyfit(x, y, n - 1), GRID), atol=1e-8)
    np.testing.assert_allclose(f(x), y, atol=1e-12)


def test_a_spline_is_that_of_numpy(interpolated: pd.DataFrame) -> None:
    for _, row in interpolated[interpolated["model"] == "spline"].iterrows():
        chosen = np.sort(row["order"])
        x, y = GRID[chosen], np.array(row["path"])[chosen]
        np.testing.assert_allclose(row["values"], np.interp(GRID, x, y), atol=1e-12)
        assert row["variation"] == pytest.approx(np.sum(np.abs(np.diff(y))))
        assert row["derivative_variation"] == row["wp"]
        assert row["wp"] == pytest.approx(np.sum(np.abs(np.diff(np.diff(y) / np.diff(x)))), abs=1e-12)
        assert row["wp_with_linear"] == pytest.approx(row["wp"] + abs(y[1] - y[0]) / (x[1] - x[0]))
        on_training_points = function_path_length(PiecewiseLinear.interpolate(x, y), x)
        assert float(on_training_points) == pytest.approx(float(spline_path_length(x, y)))


def test_the_variations_of_splines_never_fall(interpolated: pd.DataFrame) -> None:
    splines = interpolated[interpolated["model"] == "spline"].sort_values("n")
    for _, group in splines.groupby("data_set"):
        assert len(group) == len(SIZES)
        for column in VARIATIONS:
            assert (np.diff(group[column]) >= -1e-12).all()


def test_no_interpolation_varies_less_than_the_spline(interpolated: pd.DataFrame) -> None:
    by_model = interpolated.pivot_table(index=["data_set", "n"], columns="model", values=list(VARIATIONS))
    for column in VARIATIONS:
        assert (by_model[column]["polynomial"] >= by_model[column]["spline"] - 1e-9).all()


def test_path_lengths_are_those_of_all_pairs_and_of_the_sampled_ones() -> None:
    weights = drawn_weights(1)
    f, seed = PiecewiseLinear.from_weights(weights), 3
    found = path_lengths(f, 200, seed)
    pairs = smoothness.sample_pairs(GRID[:, None], 200, seed=seed)
    assert found["sampled_pl0"] == pytest.approx(smoothness.exact_function_path_length(weights, pairs).value)
    assert found["sampled_pl1"] == pytest.approx(smoothness.exact_gradient_path_length(weights, pairs).value)
    along = smoothness.gradient_path_length(TwoLayerReLU.from_weights(weights), pairs, points_per_segment=2000)
    assert found["sampled_pl1"] == pytest.approx(along.value, rel=1e-3)
    assert found["pl1"] == pytest.approx(smoothness.gradient_path_length_all_pairs(weights, GRID[:, None]))
    function, derivative = variations_between(f, GRID)
    assert found["pl0"] == pytest.approx(function.mean())
    assert found["pl1"] == pytest.approx(derivative.mean())


def test_variations_between_points_are_those_of_the_function() -> None:
    x = np.array([-1.0, -0.25, 0.0, 0.5, 1.0])
    f = PiecewiseLinear([-1.0, -0.5, 0.0, 0.25, 0.75, 1.0], [1.0, -3.0, 2.0, -1.0, 4.0, 2.0], -0.5, 0.2, 0.0)
    function, derivative = variations_between(f, x)
    for i, a in enumerate(x):
        for j, b in enumerate(x):
            expected = (
                (f.total_variation(min(a, b), max(a, b)), f.derivative_variation(min(a, b), max(a, b)))
                if i != j
                else (0, 0)
            )
            assert (function[i, j], derivative[i, j]) == pytest.approx(expected)


def test_the_gradient_norm_counts_a_unit_on_its_kink_as_active() -> None:
    weights = drawn_weights(2)
    by_autograd = smoothness.gradient_norm(TwoLayerReLU.from_weights(weights), GRID[:, None])
    assert gradient_norm(weights, GRID) == pytest.approx(by_autograd.value)
    assert gradient_norm(Weights([1.0, -1.0], [0.0, 0.0], [2.0, 5.0], 0.0), np.array([0.0])) == 3.0


def test_a_network_that_diverged_is_a_row_without_measures() -> None:
    run = Run(drawn_weights(3), math.inf, 5, Outcome.DIVERGED, np.zeros(0), 0.1)
    row = measured(run, GRID[:3], np.zeros(len(GRID)), 10, 0, keep=True)
    assert row["values"] == []
    assert all(row[name] is None for name in row if name != "values")


def test_the_initialisers_differ_by_the_root_of_two(rows: pd.DataFrame) -> None:
    trained = rows[rows["model"] == "network"]
    limits = trained.groupby("initialiser")["initial_limit"].unique()
    assert list(limits["as_coded"]) == [initialization_limit(1, 256, 0.01)]
    assert limits["as_printed"][0] == pytest.approx(math.sqrt(3 * 0.01 / (1 + 256)))
    coded, printed = (initialise(256, seed=4, scheme="glorot_uniform", scale=scale) for scale in (0.01, 0.005))
    np.testing.assert_allclose(coded.w1, math.sqrt(2) * printed.w1)
    seeds = trained.pivot_table(index=["data_set", "n", "seed_index"], columns="initialiser", values="seed")
    assert (seeds["as_coded"] == seeds["as_printed"]).all()


# The rows and what is made of them.


def test_every_row_says_where_it_is_from(rows: pd.DataFrame) -> None:
    assert len(rows) == 3 * 4 * (2 * 2 + 2)
    assert (
        not rows[["key", "seed", "seconds", "paths", "model", "data_seed", "n", "outcome", *provenance()]]
        .isna()
        .any(axis=None)
    )
    trained = rows[rows["model"] == "network"]
    assert trained["seed"].nunique() == len(trained) / 2
    assert (trained["converged"] == (trained["loss"] < 1e-3)).all()
    assert (trained["converged"] == (trained["outcome"] == "interpolated")).all()
    assert trained["converged"].any()
    assert not trained["converged"].all()


def test_networks_are_within_the_bounds_of_the_theory(rows: pd.DataFrame) -> None:
    trained = rows[rows["model"] == "network"]
    assert (trained["pl1"] <= trained["wp"] / 2 * (1 + 1e-12)).all()
    assert (trained["derivative_variation"] <= trained["bend"] * (1 + 1e-12)).all()
    assert (trained["bend"] <= trained["wp"] * (1 + 1e-12)).all()
    assert (trained["pl0"] <= trained["variation"] / 2 * (1 + 1e-12)).all()


def test_the_table_shows_taus_of_scipy(rows: pd.DataFrame) -> None:
    shown, text = {(line.of, line.measure): line for line in lines(Results(rows))}, STUDY.table(rows)
    chosen = rows[(rows["model"] == "network") & (rows["initialiser"] == "as_printed") & rows["converged"].astype(bool)]
    for column, label in MEASURES.items():
        found = [kendalltau(g["n"], g[column].astype(float)).statistic for _, g in chosen.groupby("data_set")]
        line = shown["networks, as printed", label]
        assert line.measured.mean == pytest.approx(np.mean(found))
        assert line.measured.std == pytest.approx(np.std(found, ddof=1), abs=1e-12)
        assert line.printed == NETWORKS[column]
        assert f"  {label:<15}  {line.measured!s:<14} {line.measured.count:>4} {line.ceiling:>7.3f}" in text
    medians = rows[(rows["model"] == "network") & (rows["initialiser"] == "as_coded") & rows["converged"].astype(bool)]
    middle = medians.groupby(["data_set", "n"])["pl1"].median().reset_index()
    found = [kendalltau(g["n"], g["pl1"]).statistic for _, g in middle.groupby("data_set")]
    assert shown["medians, as coded", "PL1"].measured.mean == pytest.approx(np.mean(found))


def test_interpolations_on_the_networks_data_leave_out_what_no_network_fits(rows: pd.DataFrame) -> None:
    changed = rows.copy()
    which = (changed["model"] == "network") & (changed["n"] == 7) & (changed["data_set"] == 1)
    changed.loc[which, "converged"] = False
    results = Results(changed)
    for model in ("polynomial", "spline"):
        kept = results.interpolations(model, fitted=True)
        assert len(kept) == len(results.interpolations(model)) - 1
        assert not ((kept["n"] == 7) & (kept["data_set"] == 1)).any()
    assert results.failed("as_coded") == (1, 12)
    assert "No network converged in 1 of 12 configurations (printed: 23 of 180)." in flat(changed)


def flat(rows: pd.DataFrame) -> str:
    """Return the discussion in one line."""
    return " ".join(discussion(Results(rows)))


def test_conclusions_are_read_off_the_rows(rows: pd.DataFrame) -> None:
    text = flat(rows)
    assert "All rise: 4 of 4 means are positive, and tau_b is 0 or less in 0 of the 12 cases" in text
    assert "the networks fall short of it by more in none" in text
    falling = rows.copy()
    which = falling["model"] == "network"
    for column in MEASURES:
        falling.loc[which, column] = 1 / falling.loc[which, column].astype(float)
    turned = flat(falling)
    assert "Networks above polynomials: for 0 of 4 measures" in turned
    assert "All rise: 0 of 4 means are positive, and tau_b is 0 or less in 12 of the 12 cases" in turned
    assert "the networks fall short of it by more in GN and PL0 and PL1 and WP" in turned
    assert re.search(r"V11, .* GN 0 and \d, PL0 0 and \d, PL1 0 and 3, WP 0 and 3, ", turned)


def test_a_violated_bound_would_be_seen(rows: pd.DataFrame) -> None:
    ratio = float(re.search(r"PL1/WP is at most (0\.\d+)", flat(rows))[1])
    fits = rows[(rows["model"] == "network") & (rows["initialiser"] == "as_coded") & rows["converged"].astype(bool)]
    assert ratio == pytest.approx((fits["pl1"] / fits["wp"]).max(), abs=1e-4)
    broken = rows.copy()
    broken.loc[fits.index[0], "pl1"] = 0.75 * broken.loc[fits.index[0], "wp"]
    assert "PL1/WP is at most 0.7500" in flat(broken)


def test_the_conclusion_counts_the_means_inside(rows: pd.DataFrame) -> None:
    shown = [line for line in lines(Results(rows)) if line.of == "networks, as coded"]
    inside = sum(line.agreement == INSIDE for line in shown)
    off = max(abs(line.measured.mean - line.printed.mean) for line in shown if line.printed)
    said = " ".join(STUDY.conclusion(rows).split())
    assert f"inside the printed spread, {inside} of 4 (off by at most {off:.2f}) for networks, as coded;" in said


def png(rows: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    STUDY.figure(rows).savefig(buffer, format="png", dpi=160)
    return buffer.getvalue()


def test_the_report_is_a_function_of_the_rows_alone(smoke: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere.parquet"
    moved.write_bytes((smoke / "rows.parquet").read_bytes())
    rows = pd.read_parquet(moved)
    before = rows.copy(deep=True)
    summary = (smoke / "summary.txt").read_text()
    assert STUDY.table(rows) in summary
    assert STUDY.conclusion(rows) in summary
    assert png(rows) == (smoke / "figure.png").read_bytes()
    pd.testing.assert_frame_equal(rows, before)


@pytest.mark.parametrize("words", [["--max-steps", "1"], ["--step-size", "1000"]])
def test_a_run_in_which_nothing_converges_says_so(words: list[str], tmp_path: Path) -> None:
    small = ["--preset", "smoke", "--data-sets", "1", "--sizes", "2", "3", *words]
    assert main(STUDY, [*small, "--out", str(tmp_path / "out")]) == 0
    summary = (tmp_path / "out" / "summary.txt").read_text()
    assert "In no data set did networks of two sizes converge: nothing can be said." in summary
    assert "none measured for networks, as coded" in summary


def test_both_origins_of_paths_have_their_part_of_the_table(rows: pd.DataFrame) -> None:
    both = pd.concat([rows, rows.assign(paths="fresh")], ignore_index=True)
    text = STUDY.table(both)
    first, second = (
        text.index("\nThe thesis's sample paths: 3 data sets"),
        text.index("\nFresh sample paths: 3 data sets"),
    )
    assert first < second
    assert len(STUDY.conclusion(both).split("means of Table 4.1")) == 3
    assert png(both) == png(rows)


def test_the_presets_are_what_they_are_called() -> None:
    default, paper, everything = (STUDY.presets[name] for name in ("default", "paper", "all"))
    assert default == Config()
    assert len(STUDY.tasks(default)) == 20 * 2
    assert paper == Config(initialisers=("as_coded", "as_printed"))
    assert everything == Config(paths=("thesis", "fresh"), initialisers=("as_coded", "as_printed"))
    assert len(STUDY.tasks(everything)) == 2 * 20 * 3
    assert list(STUDY.tasks(STUDY.presets["smoke"]))[:3] == [
        "thesis-interpolations-00",
        "thesis-as_coded-00",
        "thesis-as_printed-00",
    ]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--data-sets", "0"], "--data-sets must be at least 1, got 0"),
        (["--seeds", "0"], "--seeds must be at least 1, got 0"),
        (["--width", "0"], "--width must be at least 1, got 0"),
        (["--pairs", "0"], "--pairs must be at least 1, got 0"),
        (["--max-steps", "-1"], "--max-steps must be at least 1, got -1"),
        (["--stop-loss", "0"], "--stop-loss must be finite and above 0, got 0.0"),
        (["--scale", "nan"], "--scale must be finite and above 0, got nan"),
        (["--step-size", "-1"], "--step-size must be finite and above 0, got -1.0"),
        (["--sizes", "1", "2"], "--sizes must be between 2 and 100, the points of the grid, got 1"),
        (["--sizes", "2", "101"], "--sizes must be between 2 and 100, the points of the grid, got 101"),
        (["--sizes", "3", "3"], "--sizes must hold at least two sizes to be compared, got 1"),
    ],
)
def test_settings_out_of_range_are_refused(
    words: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(STUDY, [*words, "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err == f"error: {sentence}\n"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["paths", "initialisers"])
def test_something_must_be_run(name: str) -> None:
    with pytest.raises(ValueError, match=f"--{name} must name at least one, got none"):
        STUDY.tasks(Config(**{name: ()}))


def test_every_option_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(STUDY, ["--help"])
    text = " ".join(capsys.readouterr().out.replace("│", " ").split())
    for name in Config.__dataclass_fields__:
        found = re.search(rf"--{name.replace('_', '-')}\b(.*?)\(default", text)
        assert found is not None, f"--{name} is there"
        assert len(found[1].split()) > 3, f"--{name} is explained"
