"""The studies through their own commands: smoke presets, a kill, real data, and figures made from rows alone."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from experiments import (
    coherence,
    confusion_set,
    explicit_regularization,
    gc_double_descent,
    gc_explicit,
    gc_implicit,
    interpolant_example,
    network_size,
    pac_bayes_mnist,
    sharpness_conditions,
    smoothest_on_digits,
    stability_sweep,
    step_size_jump,
    stiffness,
    tangent_complexity,
    training_set_size_mnist,
    true_vs_random_labels,
    weight_function,
    winsorized,
)
from experiments.__main__ import STUDIES, listing
from experiments.engine.records import read_rows
from experiments.engine.study import Study, main
from experiments.kit.datasets import FORBES, named
from experiments.kit.verdicts import applies
from numerics.data import DATA_VARIABLE, cifar10
from numerics.provenance import provenance
from theory.beyond import critical_step_size
from theory.mulayoff2021 import population_weight, stability_weight

ROOT = Path(__file__).parents[2]
OF_IMAGES = {
    module.STUDY.id
    for module in (
        training_set_size_mnist,
        explicit_regularization,
        smoothest_on_digits,
        gc_implicit,
        gc_double_descent,
        gc_explicit,
        sharpness_conditions,
        true_vs_random_labels,
        confusion_set,
        network_size,
        pac_bayes_mnist,
        stiffness,
        coherence,
        winsorized,
        tangent_complexity,
    )
}
OF_ALL_CIFAR10 = {true_vs_random_labels.STUDY.id, confusion_set.STUDY.id}
"""Of more images, in their paper preset, than the subset of CIFAR-10 has."""
HAS_IMAGES = DATA_VARIABLE in os.environ

NEEDS_IMAGES = pytest.mark.skipif(not HAS_IMAGES, reason=f"{DATA_VARIABLE} names no folder with MNIST")
EACH = [pytest.param(study, id=study.id, marks=NEEDS_IMAGES if study.id in OF_IMAGES else ()) for study in STUDIES]


def run_here(study: Study[Any], *words: str) -> int:
    """Run a study in this process: what others compute is what it computes, and they take seconds to start."""
    return main(replace(study, workers_are="threads"), ["--workers", "1", *words])


def png(drawing: Figure) -> bytes:
    buffer = io.BytesIO()
    drawing.savefig(buffer, format="png", dpi=160)
    return buffer.getvalue()


@pytest.mark.parametrize("study", EACH)
def test_a_smoke_preset_ends_with_rows_table_and_figure(
    study: Study[Any], smoke_of: Callable[[Study[Any]], Path]
) -> None:
    folder = smoke_of(study)
    rows = read_rows(folder)
    assert set(rows["study"]) == {study.id}
    assert set(rows["preset"]) == {"smoke"}
    assert {"key", "seed", "seconds", *provenance()} <= set(rows.columns)
    assert not rows[["key", "seed", "seconds", *provenance()]].isna().any(axis=None)
    summary = (folder / "summary.txt").read_text()
    assert study.conclusion(rows) in summary
    assert study.table(rows) in summary
    assert (folder / "animation.gif").exists() == (study.animation is not None)


@pytest.mark.parametrize("study", EACH)
def test_a_figure_is_a_function_of_the_rows_alone(
    study: Study[Any], smoke_of: Callable[[Study[Any]], Path], tmp_path: Path
) -> None:
    moved = tmp_path / "elsewhere.parquet"
    moved.write_bytes((smoke_of(study) / "rows.parquet").read_bytes())
    rows = pd.read_parquet(moved)
    before = rows.copy(deep=True)
    assert png(study.figure(rows)) == (smoke_of(study) / "figure.png").read_bytes()
    pd.testing.assert_frame_equal(rows, before)


@pytest.mark.parametrize("study", EACH)
def test_a_study_names_its_claims_and_presets(study: Study[Any]) -> None:
    assert {"smoke", "default", "paper"} <= set(study.presets)
    assert study.printed
    assert {printed.claim for printed in study.printed} - {None} <= set(study.claims)
    assert study.id in listing()
    for name, preset in study.presets.items():
        if name == "paper" and study.id in OF_ALL_CIFAR10 and cifar10().name != "cifar10":
            with pytest.raises(ValueError, match="the number of images, 10000"):
                study.tasks(preset)
            continue
        keys = list(study.tasks(preset))
        assert keys
        assert all(set(key) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-") for key in keys)


def test_the_sweep_holds_what_it_should_and_counts_it(smoke_of: Callable[[Study[Any]], Path]) -> None:
    rows = read_rows(smoke_of(stability_sweep.STUDY))
    critical = {name: critical_step_size(named(name).x, named(name).y) for name in rows["data"].unique()}
    assert (rows["beyond_critical"] == (rows["step_size"] > rows["data"].map(critical))).all()
    ends = applies(rows, "B7.b")
    assert ends.sum() >= 5
    holds = rows["curvature"].astype(float) <= 1 / rows["step_size"] - 0.5 + rows["loss_term"].astype(float)
    assert (rows["B7.b ruling"][ends] == np.where(holds[ends], "holds", "violated")).all()
    assert (ends <= (rows["loss"] < 1e-10)).all()
    said = stability_sweep.conclusion(rows)
    assert said.startswith(
        f"Of {len(rows)} runs {int((rows['loss'] < 1e-10).sum())} interpolate (loss below 1e-10): B7.b"
    )
    assert f"applies to {ends.sum()} of them, is violated in 0 and inconclusive in 0; beyond B1's critical step" in said


def test_the_sweep_does_not_hide_a_contradiction(smoke_of: Callable[[Study[Any]], Path]) -> None:
    rows = read_rows(smoke_of(stability_sweep.STUDY))
    first, last = rows.index[0], rows.index[-1]
    rows.loc[first, "B7.b ruling"] = "violated"
    rows.loc[last, ["beyond_critical", "interpolates"]] = True
    rows.loc[first, "in_order"] = False
    rows.loc[first, "B25 ruling"] = "violated"
    said = stability_sweep.conclusion(rows).splitlines()
    assert "is violated in 1 and inconclusive in 0; beyond B1's critical step size 1 of " in said[0]
    assert said[1:] == [
        f"{rows['key'][first]} violates B7.b.",
        f"{rows['key'][last]} interpolates beyond B1's critical step size.",
        f"{rows['key'][first]} violates B25.",
        f"{rows['key'][first]} has M5's bound, the certified one, the flattest and its own sharpness out of order.",
    ]


def test_the_sweep_holds_its_runs_against_the_flattest_networks(smoke_of: Callable[[Study[Any]], Path]) -> None:
    rows = read_rows(smoke_of(stability_sweep.STUDY))
    there = rows["flattest_sharpness"].notna()
    assert (there == (rows["outcome"] != "diverged")).all()
    assert set(rows["flattest_status"][~there]) == {"the run diverged"}
    found = rows[there]
    columns = ["sharpness_lower_bound", "flattest_lower_bound", "flattest_sharpness", "sharpness"]
    m5, certified, flattest, sharpness = (found[name].astype(float) for name in columns)
    assert (m5 <= certified).all()
    assert (certified <= flattest).all()
    assert (flattest <= sharpness * (1 + 1e-5)).all()
    assert (flattest - certified <= 1e-5 * flattest).all()
    np.testing.assert_allclose(found["flattest_network_sharpness"].astype(float), flattest, rtol=1e-9)
    assert found["flattest_network_error"].astype(float).max() <= 1e-9
    assert f"in {len(found)} of {len(found)}." in stability_sweep.table(rows)


def test_the_sweep_holds_complexity_against_the_step_size(smoke_of: Callable[[Study[Any]], Path]) -> None:
    rows = read_rows(smoke_of(stability_sweep.STUDY))
    ended = rows[rows["outcome"] != "diverged"]
    assert (rows["gc"].notna() == (rows["outcome"] != "diverged")).all()
    fits = ended["interpolates"].astype(bool)
    assert set(ended["B25 failed"][~fits]) == {"f(x_j) = y_j, to the loss that counts as interpolating"}
    sharp = ended["sharpness"].astype(float) > ended["stable_sharpness"]
    assert (applies(ended, "B25") == (fits & ~sharp)).all()
    stable = ended[applies(ended, "B25")]
    gc, bound, points, limit = (
        stable[name].astype(float) for name in ("gc", "gc_gradient_bound", "gc_limit_points", "gc_limit")
    )
    assert (stable["B25 ruling"] == "holds").all()
    assert (gc <= bound).all()
    assert (bound <= points).all()  # tr H is at most n sharpness, and sharpness 2/eta
    np.testing.assert_allclose(limit * stable["n"], points * (3 * 100 + 1), rtol=1e-12)
    text = stability_sweep.table(rows)
    assert f"B25, GC against what the step size allows: B25 holds {len(stable)}; of the others " in text
    assert f"applies to {len(stable)} and is violated in 0." in stability_sweep.conclusion(rows)


def test_the_sweep_starts_every_step_size_at_one_initialisation(smoke_of: Callable[[Study[Any]], Path]) -> None:
    rows = read_rows(smoke_of(stability_sweep.STUDY))
    assert (rows.groupby(["data", "seed_index"])["seed"].nunique() == 1).all()
    assert rows.groupby("data")["step_size"].nunique().min() == len(rows[rows["data"] == rows["data"][0]])


def test_a_jump_leaves_where_the_raised_step_size_is_unstable(smoke_of: Callable[[Study[Any]], Path]) -> None:
    rows = read_rows(smoke_of(step_size_jump.STUDY))
    assert rows["arrived"].any()
    arrived = rows[rows["arrived"]]
    unstable = arrived["switch_sharpness"].astype(float) * arrived["step_size"] * arrived["factor"] > 2
    assert (arrived["unstable"].astype(bool) == unstable).all()
    counted = step_size_jump.counts(rows)
    assert counted["runs"].sum() == len(arrived)
    assert counted["left"].sum() == arrived["left"].astype(bool).sum()


def test_the_distance_of_a_sample_of_g_is_the_largest_one(smoke_of: Callable[[Study[Any]], Path]) -> None:
    rows = read_rows(smoke_of(weight_function.STUDY))
    row = rows[(rows["n"] == 20) & (rows["distribution"] == "gaussian")].iloc[0]
    x = np.asarray(row["x"])
    t = np.concatenate([np.linspace(-6, 6, 50_001), x - 1e-12, x + 1e-12])
    gap = np.abs(stability_weight(t, x) - population_weight(t, "gaussian"))
    assert row["distance"] <= np.max(gap) + 1e-9
    assert row["distance"] == pytest.approx(float(np.max(gap)), rel=0.02)


def test_the_example_has_the_printed_values(smoke_of: Callable[[Study[Any]], Path]) -> None:
    rows = read_rows(smoke_of(interpolant_example.STUDY))
    example = rows[(rows["data"] == "example") & (rows["kind"] != "network")].set_index("kind")
    assert example.loc["linear spline", ["PL0", "PL1"]].tolist() == [2.0, 2.0]
    assert (example.loc["polygon", "PL0"] == 3.0).all()
    assert (example.loc["polygon", "PL1"] == 2.0).all()
    converse = rows[rows["data"] == "converse"].set_index("kind")
    assert converse.loc["linear spline", ["PL0", "PL1"]].tolist() == [1.0, 0.0]
    assert converse.loc["[2 t - 1]_+", ["PL0", "PL1"]].tolist() == [1.0, 2.0]
    for measure in ("PL0", "PL1"):
        assert set(rows[f"{measure}_V7 ruling"]) == {"holds"}
        assert set(example[f"{measure}_V8 ruling"]) == set(converse[f"{measure}_V8.a ruling"]) == {"holds"}
        assert rows.loc[rows["data"] == "converse", f"{measure}_V8 ruling"].isna().all()
        assert (
            rows.loc[rows["kind"] == "network", [f"{measure}_{id} ruling" for id in ("V8", "V8.a")]]
            .isna()
            .all(axis=None)
        )
    assert "V8 holds 6, V8.a holds 4, and, networks included, V7 holds 18. Least" in interpolant_example.conclusion(
        rows
    )
    networks = rows[(rows["kind"] == "network") & (rows["outcome"] == "interpolated")]
    assert len(networks)
    assert (networks["PL1"] <= networks["WP"] * (1 + 1e-12)).all()


def test_a_function_with_other_values_than_printed_violates_the_claim() -> None:
    bent = interpolant_example.bent()
    row = interpolant_example.held(bent, "converse", "linear spline")
    assert (row["PL0_V8.a ruling"], row["PL1_V8.a ruling"], row["PL1_V8.a slack"]) == ("holds", "violated", -2.0)
    assert (row["PL1_V7 ruling"], row["PL1_V7 slack"], row["PL1_V8 ruling"]) == ("holds", 2.0, None)


SEVERAL = ["--preset", "smoke", "--seeds", "5", "--step-sizes", "3", "--max-steps", "60000", "--patience", "20000"]
"""Settings of a sweep with 30 short tasks."""


def start(out: Path) -> subprocess.Popen[str]:
    """Start the sweep in another process."""
    command = [sys.executable, "-m", "experiments.stability_sweep", *SEVERAL, "--workers", "1", "--out", str(out)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_shards(process: subprocess.Popen[str], out: Path, count: int) -> None:
    while len(list(out.glob("shards/[!.]*.parquet"))) < count:  # the process and its worker have to start first
        assert process.poll() is None, "the sweep ended before it could be stopped"
        time.sleep(0.01)


def same_but_for_time(a: pd.DataFrame, b: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(a.drop(columns="seconds"), b.drop(columns="seconds"), check_exact=True)


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.usefixtures("ctrl_c")
def test_a_sweep_that_is_killed_or_interrupted_ends_with_the_same_rows(tmp_path: Path) -> None:
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    process = start(killed)
    wait_for_shards(process, killed, 1)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not (killed / "rows.parquet").exists()

    there = len(list(killed.glob("shards/[!.]*.parquet")))
    process = start(killed)
    wait_for_shards(process, killed, there + 1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130, errors
    kept = len(list(killed.glob("shards/*.parquet")))
    assert there < kept < 30
    assert f"the rows of {kept} of 30 tasks are kept in {killed}; start the same command again to resume." in errors

    for out in (killed, whole):
        assert run_here(stability_sweep.STUDY, *SEVERAL, "--out", str(out)) == 0
    same_but_for_time(read_rows(killed), read_rows(whole))
    assert (killed / "figure.png").read_bytes() == (whole / "figure.png").read_bytes()


FILE = ["--data", str(FORBES), "--x", "boiling_point_F", "--y", "pressure_inHg"]
SMALL = ["--preset", "smoke", "--step-sizes", "3", "--max-steps", "2000"]


def test_the_users_data_take_the_place_of_the_built_in_ones(tmp_path: Path) -> None:
    assert run_here(stability_sweep.STUDY, *SMALL, *FILE, "--out", str(tmp_path)) == 0
    rows = read_rows(tmp_path)
    assert set(rows["data"]) == {"forbes1857"}
    np.testing.assert_array_equal(rows["x"][0], named("forbes1857").x)
    noisy = rows[rows["outcome"] == "budget spent"]
    assert len(noisy)
    assert set(noisy["B7.b failed"]) == {"the run interpolates: L < tau"}
    assert set(noisy["B7.c ruling"]) == {"holds"}


def test_a_sweep_in_which_nothing_interpolates_counts_what_is_there(smoke_of: Callable[[Study[Any]], Path]) -> None:
    rows = read_rows(smoke_of(stability_sweep.STUDY))
    above = rows[~rows["interpolates"]].copy()
    ended = above["hessian_sharpness"].notna()
    assert ended.sum() >= 3
    above.loc[ended, "hessian_sharpness"] = above.loc[ended, "stable_sharpness"] * 1.1
    above.loc[above.index[ended][:2], "hessian_sharpness"] *= 1.049 / 1.1
    said = stability_sweep.conclusion(above)
    assert said.startswith(f"Of {len(above)} runs none interpolates")
    assert f"Of the others 2 of {ended.sum()} end with the Hessian's top eigenvalue within 5 % of 2/eta" in said
    for text in (said, stability_sweep.table(above)):
        assert "0 of 0" not in text
        assert "nan" not in text
    assert "of the runs that end above that loss: 0 of 0" not in stability_sweep.table(rows[rows["interpolates"]])


def test_a_table_of_a_sweep_is_in_columns(smoke_of: Callable[[Study[Any]], Path]) -> None:
    rows = read_rows(smoke_of(stability_sweep.STUDY))
    one = rows["step_size"] == rows["step_size"].iloc[0]
    many = pd.concat(
        [rows[one].assign(outcome=name) for name in ("diverged", "stalled", "budget spent", "interpolated")]
    )
    lines = stability_sweep.table(pd.concat([rows[~one], many])).splitlines()
    ends = lines[4].index(" loss") + len(" loss")
    shown = [line for line in lines[5:] if re.match(r" +[0-9.]+ +[0-9.]+ [0-9]+ [a-z]", line)]
    assert len(shown) >= 10
    assert all(re.fullmatch(r"\S+", line[:ends].rsplit(" ", 1)[-1]) and line[ends] == " " for line in shown)


def test_a_file_that_changed_is_another_study(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.csv"
    words = [*SMALL, "--data", str(file), "--x", "a", "--y", "b", "--no-standardise", "--out", str(tmp_path / "out")]
    file.write_text("a,b\n0,1\n1,0\n2,1\n")
    assert run_here(stability_sweep.STUDY, *words) == 0
    file.write_text("a,b\n0,1\n1,0\n2,2\n")
    capsys.readouterr()
    assert main(stability_sweep.STUDY, words) == 2
    assert f"error: {tmp_path / 'out'} holds rows with data_sha256 = " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("study", "words", "sentence"),
    [
        (stability_sweep.STUDY, ["--seeds", "0"], "--seeds must be at least 1, got 0"),
        (stability_sweep.STUDY, ["--step-sizes", "0"], "--step-sizes must be at least 1, got 0"),
        (stability_sweep.STUDY, ["--smallest", "2"], "--smallest must not exceed --largest, got 2.0 and 1.5"),
        (
            stability_sweep.STUDY,
            ["--stop-loss", "1"],
            "--stop-loss must be at most 1e-10, the loss below which a network counts as interpolating, got 1",
        ),
        (stability_sweep.STUDY, ["--smallest", "-1"], "--smallest must be finite and above 0, got -1.0"),
        (
            stability_sweep.STUDY,
            ["--device", "tpu"],
            "device must be 'cpu' or a CUDA device such as 'cuda' or 'cuda:0', got 'tpu'",
        ),
        (stability_sweep.STUDY, ["--data", "no.csv", "--x", "a", "--y", "b"], "--data: there is no file no.csv"),
        (step_size_jump.STUDY, ["--factors", "0.5"], "--factors must be above 1, got 0.5"),
        (step_size_jump.STUDY, ["--step-sizes", "0"], "--step-sizes must be finite and above 0, got 0.0"),
        (weight_function.STUDY, ["--sample-sizes", "1"], "--sample-sizes must be at least 2, got 1"),
        (weight_function.STUDY, ["--samples", "0"], "--samples must be at least 1, got 0"),
        (interpolant_example.STUDY, ["--pieces", "3"], "--pieces must be even and at least 2, got 3"),
        (interpolant_example.STUDY, ["--scales", "0"], "--scales must be finite and above 0, got 0.0"),
        (
            training_set_size_mnist.STUDY,
            ["--pairs", "83"],
            "--pairs must name two digits in increasing order, such as 38, got '83'",
        ),
    ],
)
def test_settings_out_of_range_are_refused(
    study: Study[Any], words: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(study, [*words, "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err == f"error: {sentence}\n"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.id)
def test_every_option_is_explained(study: Study[Any], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(study, ["--help"])
    text = " ".join(capsys.readouterr().out.replace("│", " ").split())
    for name in study.presets["default"].__dataclass_fields__:
        found = re.search(rf"--{name.replace('_', '-')}\b(.*?)\(default", text)
        assert found is not None, f"--{name} is there"
        assert len(found[1].split()) > 3, f"--{name} is explained"
