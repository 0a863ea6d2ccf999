"""The PAC-Bayes measure as printed beside bounds that are valid (neyshabur2017, section 2.4; N7, N20, B19).

`python -m experiments.pac_bayes_mnist`: MLPs on MNIST with its own labels and with labels that are drawn at random, where the
expected loss of every predictor is known, 1 - 1/10. For each of some perturbations: the bound by B19, with a prior around the
initialisation whose standard deviation is one of a fixed list; eqs (5) and (6) with the same prior; and the right side of eq
(8) as the paper uses it, whose prior has the standard deviations of the perturbation. Beside them the loss on the test images.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from experiments.engine.records import Row
from experiments.engine.settings import at_least_one
from experiments.engine.study import Printed, Study, Task, main, seed_of
from experiments.kit import classifiers
from experiments.kit.classifiers import ClassifierSettings
from experiments.kit.plotting import BLACK, BLUE, GREY, ORANGE, axes_row, label_log, legend_below
from numerics.models import mlp
from numerics.pac_bayes import expected_loss, mcallester_bound, network_bounds
from numerics.perturbation import weight_scaled_std
from numerics.training.modules import train_module
from theory.checks import chance

LABELS = ("true", "random")


@dataclass(frozen=True)
class Config(ClassifierSettings):
    """What is trained, and how it is perturbed.

    Attributes:
        network: mlp, with one hidden layer.
        hidden: number of units of the hidden layer.
        sigmas: standard deviations of noise that is the same on all weights, fixed beforehand.
        alphas: of noise with standard deviation alpha (10 |w| + 1), likewise.
        draws: number of draws of each noise.
        batch: training images in the batch of a draw, drawn anew for each.
        delta: the probability that a bound may fail.
        looks: not used here, networks are measured at their end.
        gc_images: not used here, GC is not measured.
        seeds: networks of each kind of labels.
        seed: changes all initialisations, batches, random labels and draws; any integer.
    """

    size: int | None = None
    test_size: int | None = None
    hidden: int = 100
    max_epochs: int = 10
    sigmas: tuple[float, ...] = (0.01, 0.02, 0.03, 0.04, 0.06)
    alphas: tuple[float, ...] = (0.003, 0.01, 0.03)
    draws: int = 1000
    batch: int = 64
    delta: float = 0.05
    seeds: int = 3


def tasks(config: Config) -> Mapping[str, Task]:
    """Return one task for each network.

    Raises:
        ValueError: if a setting is out of its range, or the data cannot be had.
    """
    at_least_one(config, "hidden", "draws", "batch")
    chance("--delta", config.delta)
    for option, sizes in (("--sigmas", config.sigmas), ("--alphas", config.alphas)):
        if not all(0 < size < math.inf for size in sizes):
            raise ValueError(f"{option} must hold numbers above 0, got {sizes}")
    if not (config.sigmas or config.alphas):
        raise ValueError("--sigmas and --alphas must hold at least one number between them, got none")
    if config.network != "mlp":
        raise ValueError(f"--network must be mlp, got {config.network!r}")
    classifiers.check(config)
    return {
        f"{labels}-{index:03d}": partial(trained, labels, index, config)
        for labels in LABELS
        for index in range(config.seeds)
    }


def trained(labels: str, index: int, config: Config) -> list[Row]:
    """Train a network, and return a row for each noise on its weights."""
    data, count = classifiers.classes(config), classifiers.label_count(config)
    seed = seed_of(STUDY.id, config.seed, index)
    y = data.y_train
    if labels == "random":
        y = torch.from_numpy(np.random.default_rng(seed).integers(0, count, len(y))).to(y.device)
    widths = [data.x_train[0].numel(), config.hidden, count]
    model, start = (mlp(widths, seed=seed).to(y.device) for _ in range(2))
    size = min(config.batch_size, len(y))
    run = train_module(
        model,
        data.x_train,
        y,
        step_size=config.step_size,
        max_steps=config.max_epochs * math.ceil(len(y) / size),
        batch_size=size,
        optimiser=config.optimiser,
        momentum=config.momentum,
        stop_loss=config.stop_loss,
        seed=seed,
        checkpoint=config.checkpoints / f"{labels}-{index:03d}.checkpoint" if config.checkpoints else None,
        name=f"{labels}-{index:03d}",
    )
    model.eval()
    common: Row = {
        "labels": labels,
        "seed_index": index,
        "seed": seed,
        "images": len(y),
        "parameters": sum(p.numel() for p in model.parameters()),
        "epochs": run.steps / math.ceil(len(y) / size),
        "outcome": str(run.outcome),
        "delta": config.delta,
        "draws": config.draws,
    }
    if not all(bool(torch.isfinite(p).all()) for p in model.parameters()):
        return [{**common, **dict.fromkeys(MEASURED)}]
    known = 1 - 1 / count if labels == "random" else None
    return [{**common, **row} for row in measured(model, start, data, y, known, config, seed)]


MEASURED = (
    "noise", "size", "training_loss", "training_sharpness", "standard_error", "training_upper", "divergence", "prior",
    "kl_bound", "eq_5", "eq_6", "printed_divergence", "printed", "expected_loss", "expected_loss_error",
)  # fmt: skip
"""What a row has of a noise; None of a network that diverged."""


def measured(
    model: Any, start: Any, data: classifiers.Classes, y: torch.Tensor, known: float | None, config: Config, seed: int
) -> list[Row]:
    """Return the bounds of a network for each noise, the printed measure, and the expected loss on new data.

    Args:
        model: the network.
        start: at its initialisation.
        data: the images.
        y: the training labels.
        known: the expected loss on new data, where it is known; else it is estimated on the test images.
        config: how it is perturbed.
        seed: of the draws.
    """
    sizes = [("sigma", s) for s in config.sigmas] + [("alpha", a) for a in config.alphas]
    noises = [size if kind == "sigma" else weight_scaled_std(model, size) for kind, size in sizes]
    draws: dict[str, Any] = {"draws": config.draws, "batch_size": config.batch, "seed": seed % 2**31}
    found = network_bounds(model, data.x_train, y, noises, start=start, delta=config.delta, **draws)
    rows: list[Row] = []
    for (kind, size), noise, one in zip(sizes, noises, found.noises, strict=True):
        new = None if known is not None else expected_loss(model, data.x_test, data.y_test, noise, **draws)
        rows.append(
            {
                "noise": kind,
                "size": size,
                "training_loss": one.expected.unperturbed,
                "training_sharpness": one.expected.sharpness,
                "standard_error": one.expected.standard_error,
                "training_upper": one.kl.expected_training_loss,
                "divergence": one.divergence.value,
                "prior": one.divergence.prior_deviation,
                "kl_bound": one.kl.value,
                "eq_5": mcallester_bound(one.expected, one.divergence, delta=config.delta, equation=5).value,
                "eq_6": one.mcallester.value,
                "printed_divergence": one.printed.divergence,
                "printed": one.printed.value,
                "expected_loss": known if new is None else new.value,
                "expected_loss_error": 0.0 if new is None else new.standard_error,
            }
        )
    return rows


def kept(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of networks that did not diverge, their measures as floats."""
    found = rows[rows["kl_bound"].notna()]
    return found.astype({name: float for name in MEASURED if name != "noise"})


def least(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return for each network the row with the least value in a column."""
    found = kept(rows)
    return found.loc[found.groupby(["labels", "seed_index"], sort=False)[column].idxmin()]


def table(rows: pd.DataFrame) -> str:
    """Return the means over networks for each noise, and those at the least bound and the least printed measure."""
    columns = ["training_loss", "training_upper", "expected_loss", "divergence", "kl_bound", "eq_5", "eq_6"]
    columns += ["printed_divergence", "printed"]
    shown = {"labels": "labels", "training_loss": "L^(f_w)", "training_upper": "E L^, upper", "expected_loss": "E L"}
    shown |= {"divergence": "KL", "kl_bound": "B19", "eq_5": "eq (5)", "eq_6": "eq (6)"}
    shown |= {"printed_divergence": "KL printed", "printed": "eq (8) printed"}
    found = kept(rows)

    def text(part: pd.DataFrame) -> str:
        return part.rename(columns=shown).to_string(index=False, float_format="{:.4g}".format)

    noises = found.groupby(["labels", "noise", "size"], sort=False)[columns].mean().reset_index()
    best = [
        least(rows, column).groupby("labels", sort=False)[columns].mean().reset_index().assign(least=name)
        for column, name in (("kl_bound", "B19"), ("printed", "printed"))
    ]
    return "\n".join(
        [
            text(noises),
            "",
            "Where each network's bound by B19, or its printed measure, is least:",
            "",
            text(pd.concat(best)),
            "",
            f"Means over {found['seed_index'].nunique()} networks each. Of E L, the expected 0-1 loss of the perturbed network "
            "on new data, which is known for",
            "random labels and else estimated on the test images. From 1 on a number says nothing. B19, eqs (5) and (6): the "
            "prior is around the",
            f"initialisation, its deviation one of a fixed list; valid with probability {1 - found['delta'].iloc[0]:g} for all "
            "noises at once, the draws counted in.",
            "Eq (8) printed: the prior is around 0, with the deviations of the perturbation; no bound where these depend on "
            "the weights (N7.b), nor",
            "for a sigma that is chosen afterwards.",
        ]
    )


def conclusion(rows: pd.DataFrame) -> str:
    """Return in a sentence which number can be believed, and whether the data contradict one."""
    found = kept(rows)
    below = {name: int((found[name] < found["expected_loss"]).sum()) for name in ("kl_bound", "printed")}
    parts = []
    for labels, group in least(rows, "kl_bound").groupby("labels", sort=False):
        lowest = least(rows, "printed")
        printed = lowest[lowest["labels"] == labels]["printed"]
        parts.append(
            f"with {labels} labels the least valid bound is {group['kl_bound'].mean():.3f}, where the expected loss is "
            f"{group['expected_loss'].mean():.3f}, and the least printed measure {printed.mean():.3f}"
        )
    wrong = "Only the valid one can be believed: the prior of the other looks at the training set, whatever its size."
    return (
        f"In the mean over networks, {'; '.join(parts)}. Of {len(found)} pairs of a network and a noise the valid bound is "
        f"below the expected loss in {below['kl_bound']}, the printed measure in {below['printed']}."
        + (f" {wrong}" if below["kl_bound"] == 0 else "")
    )


def figure(rows: pd.DataFrame) -> Figure:
    """Draw bounds and expected losses against the size of the noise, of each kind of labels and noise."""
    found = kept(rows)
    kinds = list(found.groupby(["labels", "noise"], sort=False))
    drawing, axes = axes_row(len(kinds), 4.4)
    for axis, ((labels, noise), group) in zip(axes, kinds, strict=True):
        means = group.groupby("size")[["kl_bound", "eq_6", "printed", "expected_loss"]].mean()
        for column, label, colour, style in (
            ("kl_bound", "valid, B19", BLUE, "-o"),
            ("eq_6", "valid, eq (6)", GREY, "-s"),
            ("printed", "eq (8) as printed", ORANGE, "--^"),
            ("expected_loss", "expected loss", BLACK, ":"),
        ):
            axis.loglog(means.index, means[column], style, color=colour, markersize=4, label=label)
        axis.axhline(1, color=GREY, linewidth=0.8)
        label_log(axis.xaxis)
        formula = r"$\sigma$" if noise == "sigma" else r"$\alpha$, deviation $\alpha (10 |w| + 1)$"
        axis.set(title=f"{labels} labels", xlabel=formula, ylabel="0-1 loss")
        legend_below(axis)
    return drawing


FULL = Config()

STUDY: Study[Config] = Study(
    id="pac_bayes_mnist",
    title="PAC-Bayes on MNIST: valid bounds beside the measure as printed (neyshabur2017, section 2.4).",
    claims=("N7", "N7.b", "N20", "B19"),
    printed=(
        Printed(
            "N7.b",
            "Section 2.4, after eq (8)",
            "the bound holds with standard deviations alpha |w_i| + beta and the divergence from a prior with the same ones.",
        ),
        Printed(None, "Section 2.4", "expected sharpness and norm together provide capacity control."),
    ),
    presets={
        "default": FULL,
        "cpu": FULL,
        "smoke": Config(
            size=300,
            test_size=200,
            hidden=10,
            max_epochs=3,
            sigmas=(0.01, 0.1),
            alphas=(0.01,),
            draws=20,
            batch=50,
            seeds=1,
        ),
        "paper": Config(hidden=1024, max_epochs=100, draws=20_000, seeds=5),
    },
    tasks=tasks,
    table=table,
    conclusion=conclusion,
    figure=figure,
    identity=classifiers.identity,
    workers_are="processes",
)

if __name__ == "__main__":
    sys.exit(main(STUDY))
