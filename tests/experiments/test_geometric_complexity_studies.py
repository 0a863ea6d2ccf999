"""The studies of dherin2022: what they compute, against slow ways to it, and what their tables say of made-up rows."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from experiments import gc_at_initialisation, gc_double_descent, gc_explicit, gc_implicit, gc_through_training
from experiments.engine.study import Study
from experiments.kit import classifiers
from numerics.data import Images
from numerics.models import draw_weights, entry_variance, mlp


def all_rows(study: Study[Any], config: Any) -> pd.DataFrame:
    rows = [{"key": key, **row} for key, task in study.tasks(config).items() for row in task()]
    return pd.DataFrame(rows)


SMALL = gc_at_initialisation.Config(
    inputs=40, outputs=5, width=12, largest_depth=3, points=6, activations=("tanh", "gelu", "softplus"),
    other_depths=(1, 3), other_points=4, seeds=2,
)  # fmt: skip
ACTIVATIONS = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "gelu": torch.nn.functional.gelu,
    "softplus": torch.nn.functional.softplus,
}


@pytest.mark.parametrize("activation", list(ACTIVATIONS))
@pytest.mark.parametrize("inputs", [40, 8], ids=["wider than the layers", "narrower"])
def test_outputs_and_gc_on_the_diagonal_are_those_of_autograd(activation: str, inputs: int) -> None:
    config = gc_at_initialisation.Config(inputs=inputs, width=12)
    sums, factor = gc_at_initialisation.first_layer("he", np.random.default_rng(0), config)
    first = draw_weights((12, inputs), "he", np.random.default_rng(0), dtype=np.float32)
    generator = np.random.default_rng(1)
    layers = [draw_weights(shape, "he", generator, dtype=np.float32) for shape in ((12, 12), (12, 12), (5, 12))]
    weights = [torch.from_numpy(layer).double() for layer in (first, *layers)]

    def network(x: torch.Tensor) -> torch.Tensor:
        for weight in weights[:-1]:
            x = ACTIVATIONS[activation](weight @ x)
        return weights[-1] @ x

    c = np.linspace(-1, 1, 6)
    points = [torch.full((inputs,), float(value), dtype=torch.float64) for value in c]
    outputs = torch.stack([network(x) for x in points])
    jacobian = torch.autograd.functional.jacobian
    norms = [float(jacobian(network, x).square().sum()) for x in points]
    if activation == "relu":
        found = gc_at_initialisation.of_relu(sums, factor, layers, c)
    else:
        found = gc_at_initialisation.of_points(activation, sums, factor, layers, c, 6)
    assert found["gc"] == pytest.approx(np.mean(norms), rel=1e-4)
    assert found["max_abs_output"] == pytest.approx(float(outputs.abs().max()), rel=1e-4)
    assert found["mean_abs_output"] == pytest.approx(float(outputs.abs().mean()), rel=1e-4)
    assert found["mean_square"] == pytest.approx(float(outputs.square().sum(1).mean()), rel=1e-4)


def test_the_law_is_that_of_products_of_variances() -> None:
    v = [entry_variance("glorot", a, b) for a, b in ((40, 12), (12, 12), (12, 5))]
    by_hand = 5 * 40 * v[0] * (12 * v[1] / 2) * (12 * v[2] / 2)
    assert gc_at_initialisation.expected_complexity((40, 12, 12, 5), "glorot") == pytest.approx(by_hand, rel=1e-14)


def test_every_network_at_initialisation_is_a_row() -> None:
    rows = all_rows(gc_at_initialisation.STUDY, SMALL)
    assert len(rows) == 3 * 2 * (3 + 3 * 2)
    assert (rows["expected_gc"].notna() == (rows["activation"] == "relu")).all()
    assert rows.groupby(["scheme", "seed_index"])["seed"].nunique().eq(1).all()


def test_the_law_is_held_against_the_rows() -> None:
    rows = all_rows(gc_at_initialisation.STUDY, gc_at_initialisation.Config(
        inputs=40, outputs=5, width=12, largest_depth=3, points=6, activations=(), seeds=4
    ))  # fmt: skip
    near = 1 + 0.01 * (rows["seed_index"] - 1.5)
    exact = rows.assign(gc=rows["expected_gc"] * near, mean_square=rows["expected_square"] * near)
    said = "GC and |f|^2 are as expected for all 3 initialisers (p <= 0.01 / 6 each)."
    assert gc_at_initialisation.conclusion(exact).endswith(said)
    twice = exact["gc"].where(exact["scheme"] != "he", 2 * exact["gc"])
    said = "Not as expected are GC/E of he, among 3 initialisers (p <= 0.01 / 6 each)."
    assert gc_at_initialisation.conclusion(exact.assign(gc=twice)).endswith(said)


@pytest.fixture(scope="module")
def training() -> pd.DataFrame:
    return all_rows(gc_through_training.STUDY, gc_through_training.Config(width=20, max_steps=60, snapshots=6, seeds=2))


def test_no_function_is_shorter_or_of_less_energy_than_the_least(training: pd.DataFrame) -> None:
    assert len(training) >= 2 * 5
    assert (training["arc_length"] >= training["least_arc_length"] * (1 - 1e-12)).all()
    assert (training["energy"] >= training["least_energy"] * (1 - 1e-12)).all()
    assert (training["least_arc_length"] >= 2 * (1 - 1e-12)).all()
    assert (training["least_gap"] <= 1e-6).all()
    errors = [np.mean((np.asarray(row["shortest"]) - row["y"]) ** 2) for _, row in training.iterrows()]
    assert (errors <= training["training_error"] * (1 + 1e-9)).all()


def test_rows_keep_the_function_that_they_measure(training: pd.DataFrame) -> None:
    row = training.iloc[-1]
    at_data = np.interp(row["x"], gc_through_training.GRID, row["values"])
    assert np.mean((at_data - row["y"]) ** 2) == pytest.approx(row["training_error"], rel=0.05)
    assert row["step"] == 60


def test_a_function_that_is_too_long_once_is_not_minimal(training: pd.DataFrame) -> None:
    short = training.assign(arc_length=training["least_arc_length"] * 1.02, energy=training["least_energy"] * 1.1)
    assert gc_through_training.minimal(short) == (2, 2)
    assert "minimal for the training error, within 5%, holds: so in 2 of 2" in gc_through_training.conclusion(short)
    long = short.copy()
    long.loc[3, "arc_length"] = 1.06 * long.loc[3, "least_arc_length"]
    assert gc_through_training.minimal(long) == (1, 2)
    assert "does not hold: so in 1 of 2 networks" in gc_through_training.conclusion(long)


def test_the_animation_has_a_frame_a_look(training: pd.DataFrame, tmp_path: Path) -> None:
    gc_through_training.animation(training, tmp_path / "x.gif")
    content = (tmp_path / "x.gif").read_bytes()
    assert content.startswith(b"GIF89a")
    frame = b"\x21\xf9\x04"  # begins the control block of each
    assert content.count(frame) == (training["seed_index"] == 0).sum()


IMPLICIT = gc_implicit.Config(
    size=48, test_size=None, hidden=(12,), step_size=0.2, batch_size=8, factors=(0.5, 1.0, 2.0), max_epochs=60,
    stop_loss=0.3, looks=3, gc_images=48, seeds=2,
)  # fmt: skip
DESCENT = gc_double_descent.Config(
    size=48, test_size=None, widths=(1, 3, 40), batch_size=8, max_epochs=40, looks=2, gc_images=16, seeds=2
)
EXPLICIT = gc_explicit.Config(
    size=48, test_size=None, hidden=(8,), strengths=1, batch_size=16, max_epochs=4, looks=2, gc_images=16, seeds=2
)


@pytest.fixture(scope="module")
def implicit(made_up_digits: Images) -> pd.DataFrame:
    return all_rows(gc_implicit.STUDY, IMPLICIT)


@pytest.fixture(scope="module")
def descent(made_up_digits: Images) -> pd.DataFrame:
    return all_rows(gc_double_descent.STUDY, DESCENT)


@pytest.fixture(scope="module")
def explicit(made_up_digits: Images) -> pd.DataFrame:
    return all_rows(gc_explicit.STUDY, EXPLICIT)


def test_wrong_labels_are_as_many_as_asked_for_and_all_wrong() -> None:
    labels = torch.arange(1000) % 10
    noisy = classifiers.with_wrong_labels(labels, 0.2, 10, seed=0)
    assert int((noisy != labels).sum()) == 200
    shift = (noisy - labels)[noisy != labels] % 10
    assert set(shift.tolist()) == set(range(1, 10))
    assert torch.equal(noisy, classifiers.with_wrong_labels(labels, 0.2, 10, seed=0))
    fresh = classifiers.freshly_wrong(0.3, 10)(labels, torch.Generator().manual_seed(0))
    # Five standard errors of a binomial share.
    assert abs(float((fresh != labels).double().mean()) - 0.3) < 5 * math.sqrt(0.21 / 1000)


def test_the_gradients_of_single_images_are_those_of_a_loop() -> None:
    model = mlp([6, 5, 3], seed=0, dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    x, y = torch.rand(40, 6, dtype=torch.float64, generator=generator), torch.arange(40) % 3
    each = []
    for i in range(40):
        loss = torch.nn.functional.cross_entropy(model(x[i : i + 1]), y[i : i + 1])
        each.append(torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(model.parameters()))]))
    gradients = torch.stack(each)
    found = classifiers.gradient_noise(model, x, y, 40)
    assert found["gradient_square"] == pytest.approx(float(gradients.mean(0).square().sum()), rel=1e-10)
    trace = float(gradients.var(0, correction=0).sum())
    assert found["gradient_trace"] == pytest.approx(trace, rel=1e-10)
    # B15: the mean of |grad L_B|^2 over all batches of 2, written out.
    pairs = [(i, j) for i in range(40) for j in range(i)]
    squares = [float(((gradients[i] + gradients[j]) / 2).square().sum()) for i, j in pairs]
    row = {"step_size": 4.0, "batch_size": 2, "images": 40, **found}
    parts = gc_implicit.regulariser(row)
    assert parts["regulariser_of_h"] + parts["regulariser_of_h_over_b"] == pytest.approx(np.mean(squares), rel=1e-10)


def test_both_sweeps_have_the_same_ratios_and_starts(implicit: pd.DataFrame) -> None:
    assert len(implicit) == 2 * 3 * 2
    ratios = implicit.groupby("sweep")["ratio"].apply(lambda found: sorted(set(found)))
    assert ratios["step_size"] == pytest.approx(ratios["batch_size"])
    assert implicit.groupby("seed_index")["seed"].nunique().eq(1).all()
    fits = gc_implicit.fitting(implicit)
    assert len(fits) >= 8
    assert (fits["last_loss"] < 0.3).all()
    assert fits[["gc", "test_accuracy", "regulariser_of_h", "regulariser_of_h_over_b"]].notna().all(axis=None)


def test_a_network_that_diverges_is_a_row_without_measures(made_up_digits: Images) -> None:
    wild = replace(IMPLICIT, step_size=1e30, factors=(1.0, 2.0), seeds=1)
    rows = all_rows(gc_implicit.STUDY, wild)
    assert set(rows["outcome"]) == {"diverged"}
    assert rows["gc"].isna().all()
    assert gc_implicit.conclusion(rows).startswith("0 of 4 networks converge.")
    gc_implicit.table(rows)
    gc_implicit.figure(rows)


def test_a_study_that_is_stopped_goes_on_from_its_checkpoints(made_up_digits: Images, tmp_path: Path) -> None:
    config = replace(IMPLICIT, checkpoints=tmp_path, stop_loss=0.0, max_epochs=4, looks=2)
    key, task = next(iter(gc_implicit.tasks(config).items()))
    [first] = task()
    assert (tmp_path / f"{key}.checkpoint").exists()
    [again] = task()
    names = [name for name in first if name != "train_seconds"]
    assert {name: first[name] for name in names} == {name: again[name] for name in names}
    [without] = gc_implicit.tasks(replace(config, checkpoints=None))[key]()
    assert without["gc"] == first["gc"]


def test_what_the_paper_states_of_both_sweeps_is_asked(implicit: pd.DataFrame) -> None:
    made = implicit.assign(outcome="interpolated", gc=1 / implicit["ratio"], test_accuracy=implicit["ratio"])
    assert [one.tau for one in gc_implicit.trends(made)] == pytest.approx([-1, 1, 1, -1, -1])
    assert gc_implicit.at_equal_ratio(made).tolist() == pytest.approx([1.0] * 4)
    assert "At equal h/B the GC with another step size is 1.00 times" in gc_implicit.conclusion(made)
    apart = made.assign(ratio=made["ratio"].where(made["sweep"] == "batch_size", 1.1 * made["ratio"]))
    assert gc_implicit.at_equal_ratio(apart).empty
    larger = made.assign(gc=made["gc"].where((made["sweep"] != "step_size") | (made["factor"] <= 1), made["gc"] / 2))
    assert gc_implicit.at_equal_ratio(larger).groupby("ratio").median().tolist() == pytest.approx([1.0, 0.5])
    assert [line.split()[1:] for line in gc_implicit.table(larger).splitlines()[-2:]] == [
        ["1", "1", "1", "2"],
        ["0.5", "0.5", "0.5", "2"],
    ]


def test_the_threshold_is_where_labels_are_first_fitted(descent: pd.DataFrame) -> None:
    assert len(descent) == 3 * 2
    made = descent.assign(train_accuracy=np.where(descent["width"] >= 3, 1.0, 0.5))
    made["gc"] = made["width"].map({1: 1.0, 3: 9.0, 40: 4.0}) + 0.1 * made["seed_index"]
    made["test_loss"] = made["width"].map({1: 2.0, 3: 3.0, 40: 1.0})
    assert gc_double_descent.threshold(made) == 3
    assert gc_double_descent.peak(made, "gc") == 3
    found = {one.says: one.tau for one in gc_double_descent.trends(made)}
    assert found["GC rises with the width up to 3"] == pytest.approx(1)
    assert found["GC falls with the width from 3 on"] == pytest.approx(-1)
    assert found["test loss falls with GC below the best GC"] == pytest.approx(-1)
    assert found["test loss rises with GC above the best GC"] == pytest.approx(1)
    none = made.assign(train_accuracy=0.5)
    assert gc_double_descent.threshold(none) is None
    assert "no width fits the labels" in gc_double_descent.conclusion(none)
    gc_double_descent.table(none)
    gc_double_descent.figure(none)


def test_a_network_that_has_become_constant_is_drawn_nowhere_and_kept(descent: pd.DataFrame) -> None:
    many = pd.concat([descent.assign(gc=descent["gc"] * factor) for factor in (1.0, 2.0, 3.0)], ignore_index=True)
    many.loc[0, "gc"] = 0.0
    drawing = gc_double_descent.figure(many)
    [points] = [line for line in drawing.axes[1].lines if str(line.get_label()).startswith("a network")]
    assert len(points.get_xdata()) == len(many) - 1
    assert points.get_label() == "a network (1 of GC 0 not drawn)"
    assert len(gc_double_descent.measured(many)) == len(many)


def test_no_seed_chooses_its_own_best_gc(descent: pd.DataFrame) -> None:
    made = descent.assign(gc=np.arange(6.0), test_loss=[3.0, 9.0, 1.0, 9.0, 2.0, 0.5], seed_index=[0, 1, 0, 1, 0, 1])
    less, more = gc_double_descent.beside_best(made)
    assert sorted(less.loc[less["seed_index"] == 0, "gc"]) == [0.0, 2.0, 4.0]  # best of seed 1 is at 5
    assert sorted(less.loc[less["seed_index"] == 1, "gc"]) == [1.0]  # best of seed 0 is at 2
    assert sorted(more["gc"]) == [3.0, 5.0]


def test_every_regulariser_is_tried_beside_none(explicit: pd.DataFrame) -> None:
    assert set(explicit["regulariser"]) == {"none", *gc_explicit.NAMES}
    assert len(explicit) == 7 * 2
    assert explicit.groupby("seed_index")["seed"].nunique().eq(1).all()
    none = explicit[explicit["regulariser"] == "none"].set_index("seed_index")["gc"]
    for kind in gc_explicit.NAMES:
        assert (explicit[explicit["regulariser"] == kind].set_index("seed_index")["gc"] != none).all()


def test_a_fall_of_gc_is_found_for_the_regulariser_that_has_it(explicit: pd.DataFrame) -> None:
    made = explicit.assign(gc=1.0, best_gc=1.0)
    made.loc[made["regulariser"] == "l2", "best_gc"] = 0.5
    found = {one.says: one.tau for one in gc_explicit.trends(made)}
    assert found["GC at best accuracy falls with L2"] == pytest.approx(-1)
    assert found["GC at best accuracy falls with spectral"] == 0
    assert found["GC at the end falls with L2"] == 0
    spoiled = made.assign(gc=made["gc"].where(made["regulariser"] != "l2"))
    assert "2 of 14 networks diverge" in gc_explicit.conclusion(spoiled)
    gc_explicit.figure(spoiled)


@pytest.mark.usefixtures("made_up_digits")
@pytest.mark.parametrize(
    ("module", "settings", "message"),
    [
        (gc_implicit, {"factors": (16.0, 256.0)}, "--factors must be at most --batch-size, 32, got 256.0"),
        (gc_implicit, {"factors": (1.0,)}, "--factors must hold at least two numbers, got (1.0,)"),
        (gc_implicit, {"size": 65}, "--size must be between 1 and the number of images, 64, got 65"),
        (gc_implicit, {"network": "cnn"}, "--network must be one of mlp, resnet18, vgg, got 'cnn'"),
        (gc_implicit, {"gc_images": 0}, "--gc-images must be at least 1, got 0"),
        (gc_implicit, {"gc_images": -1}, "--gc-images must be at least 1, got -1"),
        (gc_implicit, {"shrink": 3}, "--shrink must divide the images' 28 pixels, got 3"),
        (gc_implicit, {"momentum": 1.0}, "--momentum must be from 0 to below 1, got 1.0"),
        (
            gc_implicit,
            {"momentum": 0.5, "optimiser": "adam"},
            "--momentum must be 0 with --optimiser adam, got 0.5",
        ),
        (
            gc_double_descent,
            {"widths": (4, 4)},
            "--widths must hold at least two numbers above 0, each once, got (4, 4)",
        ),
        (gc_double_descent, {"stop_loss": -1.0}, "--stop-loss must be finite and above 0, got -1.0"),
        (gc_explicit, {"strengths": 5}, "--strengths must be at most 4, got 5"),
        (
            gc_explicit,
            {"regularisers": ("dropout",)},
            "--regularisers must name some of l2, spectral, flatness, gc, noise_fixed, noise_fresh, each once, got dropout",
        ),
    ],
)
def test_settings_of_classifiers_out_of_range_are_refused(module: Any, settings: dict[str, Any], message: str) -> None:
    fitting = {"size": 48, "test_size": None}
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        module.tasks(module.Config(**(fitting | settings)))
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("module", "settings", "message"),
    [
        (gc_at_initialisation, {"points": 7}, "--points must be even, got 7"),
        (gc_at_initialisation, {"other_points": 1}, "--other-points must be between 2 and --points, 100, got 1"),
        (
            gc_at_initialisation,
            {"schemes": ("he", "he")},
            "--schemes must name some of lecun, lecun_uncorrected, glorot, he, each once, got he he",
        ),
        (
            gc_at_initialisation,
            {"activations": ("relu",)},
            "--activations must name some of relu, tanh, gelu, softplus, each once, got relu relu",
        ),
        (gc_at_initialisation, {"other_depths": (0,)}, "--other-depths must be at least 1, got 0"),
        (gc_through_training, {"points": 1}, "--points must be at least 2, got 1"),
        (gc_through_training, {"step_size": 0.0}, "--step-size must be finite and above 0, got 0.0"),
        (
            gc_through_training,
            {"scheme": "xavier"},
            "--scheme must be one of lecun, lecun_uncorrected, glorot, he, got 'xavier'",
        ),
    ],
)
def test_settings_out_of_range_are_refused(module: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        module.tasks(module.Config(**settings))
    assert str(raised.value) == message
