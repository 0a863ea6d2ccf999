"""The studies on pairs of digits, on small made-up digits: rows, tables and sentences; the real ones where they are."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from experiments import explicit_regularization, smoothest_on_digits, training_set_size_mnist
from experiments.engine.study import Study
from experiments.kit import images
from experiments.kit.images import ALL_PAIRS, EXACT, MEASURES
from experiments.kit.trends import HOLDS, OPPOSITE, UNDECIDED
from numerics.data import DATA_VARIABLE, Images, digit_pair
from theory.volhejn2020 import tau_b_ceiling

STUDIES: tuple[Study[Any], ...] = (
    training_set_size_mnist.STUDY,
    explicit_regularization.STUDY,
    smoothest_on_digits.STUDY,
)


@pytest.fixture(scope="module", autouse=True)
def made_up_digits() -> Iterator[Images]:
    """Put noisy prototypes of ten digits in the place of MNIST."""
    generator = np.random.default_rng(0)
    prototypes = generator.uniform(0, 255, (10, 28, 28)) * (generator.uniform(size=(10, 28, 28)) < 0.2)

    def drawn(count: int) -> tuple[Any, Any]:
        labels = generator.integers(0, 10, count).astype(np.uint8)
        noisy = prototypes[labels] + generator.normal(0, 40, (count, 28, 28)) * (prototypes[labels] > 0)
        return np.clip(noisy, 0, 255).astype(np.uint8), labels

    made_up = Images("made up", *drawn(800), *drawn(400))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(images, "images", lambda data_dir: made_up)
        patch.setattr(
            images,
            "pair_of",
            lambda name, data_dir, balanced: digit_pair(
                made_up, int(name[0]), int(name[1]), size=96, balanced=balanced
            ),
        )
        patch.setattr(images, "SAMPLES", 60)
        yield made_up


def all_rows(study: Study[Any], config: Any) -> pd.DataFrame:
    rows = [{"key": key, **row} for key, task in study.tasks(config).items() for row in task()]
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def sizes(made_up_digits: Images) -> pd.DataFrame:
    config = training_set_size_mnist.Config(
        pairs=("01", "49"), sizes=(16, 32, 64), repeats=2, batch_size=16, stop_loss=1e-3, max_epochs=3000, width=32
    )
    return all_rows(training_set_size_mnist.STUDY, config)


@pytest.fixture(scope="module")
def penalties(made_up_digits: Images) -> pd.DataFrame:
    config = explicit_regularization.Config(
        pairs=("01", "49"), size=32, batch_size=16, stop_loss=1e-2, width=32, alpha=1.0, epoch_factor=0.05
    )
    return all_rows(explicit_regularization.STUDY, config)


def test_every_network_is_a_row(sizes: pd.DataFrame) -> None:
    cells = sizes[["alpha", "pair", "size", "repeat"]].drop_duplicates()
    assert len(sizes) == len(cells) == 2 * 2 * 3 * 2
    assert (sizes["outcome"] == "interpolated").all()
    assert sizes["seed"].nunique() == len(sizes)
    assert (sizes["loss"] < 2e-3).all()
    assert not sizes[list(MEASURES)].isna().any(axis=None)


def test_exact_measures_bound_the_sampled_ones(sizes: pd.DataFrame) -> None:
    assert (sizes["PL1"] <= sizes["PL1 exact"] * (1 + 1e-6)).all()
    assert (sizes["PL0"] <= sizes["PL0 exact"] * (1 + 1e-6)).all()
    assert (sizes["PL1 all pairs"] <= sizes["WP"] / 2).all()


def test_rank_correlations_are_those_of_scipy(sizes: pd.DataFrame) -> None:
    for alpha in (0.01, 1.0):
        found = {line.measure: line for line in training_set_size_mnist.lines(sizes, alpha)}
        chosen = sizes[sizes["alpha"] == alpha]
        for name in (*MEASURES, *EXACT):
            taus = [scipy.stats.kendalltau(g["size"], g[name]).statistic for _, g in chosen.groupby("pair")]
            assert found[name].measured.mean == pytest.approx(np.mean(taus), abs=1e-12)
            assert found[name].measured.std == pytest.approx(np.std(taus, ddof=1), abs=1e-12)
            assert found[name].ceiling == pytest.approx(tau_b_ceiling([16, 16, 32, 32, 64, 64]))


def test_networks_that_do_not_converge_do_not_count(sizes: pd.DataFrame) -> None:
    spoiled = sizes.copy()
    last = spoiled.index[-1]
    spoiled.loc[last, "outcome"] = "diverged"
    spoiled.loc[last, list(images.MISSING)] = np.nan
    assert training_set_size_mnist.conclusion(spoiled).startswith("23 of 24 networks converge, on 2 of the paper's 45")
    assert "23 of 24" not in training_set_size_mnist.conclusion(sizes)
    training_set_size_mnist.table(spoiled)
    training_set_size_mnist.figure(spoiled)


def test_the_discussion_follows_the_rows(sizes: pd.DataFrame) -> None:
    made = sizes.copy()
    made["WP"], made["PL1"] = made["size"].astype(float) + made["repeat"], made["size"] * 2.0 + made["repeat"]
    made["GN"], made["PL0"] = -made["size"].astype(float), -made["size"].astype(float) - made["repeat"]
    text = training_set_size_mnist.table(made)
    assert ": agrees with the printed 'the trend is much stronger in second-order measures': " in text
    assert "WP rises with every size in all repeats, tau_b at its ceiling, for 2 of 2 pairs." in text
    made["GN"], made["WP"] = -made["GN"], -made["WP"]
    assert ": does not agree with the printed 'the trend is much" in training_set_size_mnist.table(made)


def test_released_rows_stand_beside_the_same_pairs_and_sizes_only(sizes: pd.DataFrame) -> None:
    assert training_set_size_mnist.released(sizes) == []
    cells = [
        (a, p, n, r)
        for a in (0.01, 1.0)
        for p in training_set_size_mnist.CPU.pairs
        for n in (64, 128, 256, 512)
        for r in (0, 1)
    ]
    made = pd.DataFrame(cells, columns=["alpha", "pair", "size", "repeat"]).assign(outcome="interpolated")
    for name in (*MEASURES, *EXACT):
        made[name] = made["size"] + 0.1 * made["repeat"]
    found = training_set_size_mnist.released(made)
    assert [line.printed.mean for line in found if line.printed][:4] == [0.871, 0.281, 0.905, 0.905]
    assert len(found) == 8


def test_networks_with_and_without_penalty_start_alike(penalties: pd.DataFrame) -> None:
    assert penalties.groupby("pair")["seed"].nunique().eq(1).all()
    assert len(penalties) == 2 * (2 + 3 + 1 + 1 + 2)
    assert penalties["pair"].nunique() == 2


def test_a_path_length_penalty_counts_once_a_pair_of_the_batch(penalties: pd.DataFrame) -> None:
    paths = penalties[penalties["penalty"].isin(["PL0", "PL1"])]
    np.testing.assert_allclose(paths["effective_lambda"], 8 * paths["lambda"])
    others = penalties[penalties["penalty"].isin(["GN", "WP"])]
    np.testing.assert_allclose(others["effective_lambda"], others["lambda"])
    cell = explicit_regularization.Cell("PL0", 1e-4, 0.1, 10)
    mean = explicit_regularization.penalty_of(cell, explicit_regularization.Config(sum_over_pairs=False))
    assert mean is not None
    assert mean.coefficient == 1e-4


def test_values_are_normalised_by_the_network_without_penalty(penalties: pd.DataFrame) -> None:
    made = penalties.copy()
    made["outcome"] = "interpolated"
    none = made["penalty"] == "none"
    made.loc[none, ["GN", "PL0"]] = [2.0, 1.5]
    made.loc[made["penalty"] == "GN", "GN"] = 0.5
    made.loc[made["penalty"] == "PL0", "PL0"] = 1.2
    for measure, expected in (("GN", 0.25), ("PL0", 0.4)):
        base, value, normalised, largest = explicit_regularization.summary(made, measure) or pytest.fail(
            "nothing found"
        )
        assert base.mean == {"GN": 2.0, "PL0": 1.5}[measure]
        assert value.mean == {"GN": 0.5, "PL0": 1.2}[measure]
        assert normalised.mean == pytest.approx(expected)
        assert largest == {"GN": 1e-3, "PL0": 1e-4}[measure]


def test_a_pair_where_a_network_of_the_measure_fails_is_left_out(penalties: pd.DataFrame) -> None:
    made = penalties.copy()
    made["outcome"] = "interpolated"
    spoiled = (made["penalty"] == "WP") & (made["pair"] == "49") & (made["lambda"] == 1e-5)
    made.loc[spoiled, "outcome"] = "budget spent"
    assert explicit_regularization.usable(made, "WP") == [3e-5]
    made.loc[spoiled, "outcome"] = "interpolated"
    made.loc[(made["step_size"] == 0.01) & (made["penalty"] == "none") & (made["pair"] == "49"), "outcome"] = "diverged"
    assert set(explicit_regularization.compared(made, "WP")["pair"]) == {"01"}
    made["outcome"] = "interpolated"
    made.loc[spoiled, "outcome"] = "budget spent"
    assert set(explicit_regularization.compared(made, "GN")["pair"]) == {"01", "49"}
    made.loc[made["penalty"] == "WP", "outcome"] = "interpolated"
    assert explicit_regularization.usable(made, "WP") == [1e-5, 3e-5]
    made.loc[(made["penalty"] == "WP") & (made["lambda"] == 3e-5), "outcome"] = "diverged"
    assert explicit_regularization.usable(made, "WP") == [1e-5]
    assert set(explicit_regularization.compared(made, "WP")["lambda"]) == {0.0, 1e-5}
    made["outcome"] = "budget spent"
    assert explicit_regularization.compared(made, "WP").empty
    assert explicit_regularization.summary(made, "WP") is None
    assert "0 of 18 networks converge" in explicit_regularization.conclusion(made)
    explicit_regularization.table(made)
    explicit_regularization.figure(made)


def test_a_larger_step_size_is_compared_pair_by_pair(penalties: pd.DataFrame) -> None:
    made = penalties.copy()
    made["outcome"] = "interpolated"
    made["WP"] = np.where(made["step_size"] == 0.1, 3.0, 2.0)
    assert "step size 0.1 instead of 0.01 multiplies WP by 1.50 at the median" in explicit_regularization.table(made)


@pytest.fixture(scope="module")
def smoothest(made_up_digits: Images) -> pd.DataFrame:
    config = smoothest_on_digits.Config(
        pairs=("01", "49"),
        sizes=(16, 32),
        alphas=(1.0,),
        batch_size=16,
        stop_loss=1e-2,
        max_epochs=3000,
        width=32,
        rounds=1,
    )
    return all_rows(smoothest_on_digits.STUDY, config)


def test_what_is_found_fits_and_lies_between_the_bound_and_what_training_ends_in(smoothest: pd.DataFrame) -> None:
    assert (smoothest["outcome"] == "interpolated").all()
    found = smoothest[smoothest["network"] == "found"]
    assert found.groupby(["pair", "size"])["least"].agg(set).eq({"PL1", "WP"}).all()
    assert (found["loss"] < 1e-9).all()
    for measure, column in smoothest_on_digits.COLUMN.items():
        mine = found[found["least"] == measure]
        assert (mine["bound"] <= mine[column] * (1 + 1e-6)).all()
        assert (smoothest_on_digits.shares(smoothest, measure, 1.0) < 1).all()


@pytest.mark.parametrize(("share", "verdict"), [(0.5, HOLDS), (0.95, OPPOSITE)])
def test_a_smoother_network_is_seen_and_none_is_not(share: float, verdict: str) -> None:
    columns = {"size": 64, "outcome": "interpolated", "test_loss": 0.1, "repeat": 0}
    rows = [
        {**columns, "pair": pair, "network": name, "alpha": alpha, "least": least, "WP": value,
         "PL1 all training pairs": value}
        for pair in ALL_PAIRS[:10]
        for name, alpha, least, value in (
            ("trained", 1.0, None, 2.0), ("found", None, "PL1", 2 * share), ("found", None, "WP", 2 * share),
        )
    ]  # fmt: skip
    smoother, better = smoothest_on_digits.trends(pd.DataFrame(rows))[:2]
    assert (smoother.verdict, smoother.seeds) == (verdict, 10)
    assert better.verdict == UNDECIDED


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.id)
def test_the_presets_are_there(study: Study[Any]) -> None:
    assert set(study.presets) == {"default", "cpu", "smoke", "paper"}
    assert study.presets["default"] == study.presets["cpu"]
    assert study.presets["paper"].pairs == ALL_PAIRS
    assert len(ALL_PAIRS) == 45


def test_on_a_gpu_networks_are_stacked(monkeypatch: pytest.MonkeyPatch) -> None:
    for study, config, count in (
        (training_set_size_mnist.STUDY, training_set_size_mnist.Config(device="cuda", sizes=(64, 96)), 4),
        (explicit_regularization.STUDY, explicit_regularization.Config(device="cuda", size=96), 9),
    ):
        monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
        assert len(study.tasks(config)) == count  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("study", "settings", "message"),
    [
        (0, {"pairs": ("38", "83")}, "--pairs must name two digits in increasing order, such as 38, got '83'"),
        (0, {"pairs": ()}, "--pairs must name at least one pair, each once, got none"),
        (0, {"pairs": ("38", "38")}, "--pairs must name at least one pair, each once, got 38 38"),
        (0, {"sizes": (64, 97)}, "--sizes must be between 2 and the number of training images, 96, got 97"),
        (0, {"sizes": (32, 64)}, "--batch-size must not exceed the smallest of --sizes, 32, got 64"),
        (0, {"sizes": ()}, "--alphas and --sizes must hold at least one number each, got none"),
        (0, {"repeats": 0}, "--repeats must be at least 1, got 0"),
        (0, {"step_size": -0.1}, "--step-size must be finite and above 0, got -0.1"),
        (0, {"stop_loss": math.nan}, "--stop-loss must be finite and above 0, got nan"),
        (0, {"alphas": (0.0,)}, "--alphas must be finite and above 0, got 0.0"),
        (0, {"device": "tpu"}, "device must be 'cpu' or a CUDA device such as 'cuda' or 'cuda:0', got 'tpu'"),
        (2, {"sizes": (32, 64)}, "--batch-size must not exceed the smallest of --sizes, 32, got 64"),
        (2, {"rounds": 0}, "--rounds must be at least 1, got 0"),
        (1, {"pairs": ("00",)}, "--pairs must name two digits in increasing order, such as 38, got '00'"),
        (1, {"measures": ()}, "--measures must name some of GN, PL0, PL1, WP, each once"),
        (1, {"size": 32}, "--batch-size must not exceed --size, 32, got 64"),
        (1, {"multiples": (1.0,)}, "--multiples must be above 1, got 1.0"),
        (1, {"epoch_factor": 0.0}, "--epoch-factor must be finite and above 0, got 0.0"),
    ],
)
def test_settings_out_of_range_are_refused(study: int, settings: dict[str, Any], message: str) -> None:
    module: Any = (training_set_size_mnist, explicit_regularization, smoothest_on_digits)[study]
    fitting = {"size": 96} if study == 1 else {"sizes": (64, 96)}
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        module.tasks(module.Config(**(fitting | settings)))
    assert str(raised.value) == message


@pytest.mark.skipif(DATA_VARIABLE not in os.environ, reason=f"{DATA_VARIABLE} names no folder with MNIST")
def test_the_real_digits_are_those_of_the_thesis() -> None:
    data = images.digit_pair(images.mnist(None), 3, 8)
    assert data.x_train.shape == (10_000, 784)
    assert set(np.unique(data.y_train)) == {-1.0, 1.0}
