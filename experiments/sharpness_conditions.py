"""Conditions C1 to C3 of trained and initial networks (neyshabur2017, Figs 5-8): `python -m experiments.sharpness_conditions`.

A perceptron with ten hidden layers of 1000 units on MNIST, without biases, as the paper's f_w is. It is measured at
initialisation and each time that the mean loss of an epoch is first below a level: the paper's level, 1e-4, is that of its
`paper` preset. Points are the first training images, scaled to norm 1, as in Theorem 1. By N8 condition C2 holds with no C_2
as it is printed; what is measured has absolute values, as the proof has. What no figure of the paper says is chosen: He's
initialisation, and "10 layer" as ten hidden ones (N21).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import nn

from experiments.engine.records import Row
from experiments.engine.settings import above_zero, at_least_one
from experiments.engine.study import Printed, Study, Task, main, seed_of
from experiments.kit import classifiers
from experiments.kit.classifiers import ClassifierSettings
from experiments.kit.plotting import BLACK, BLUE, GREY, ORANGE, PURPLE, axes_grid, legend_below
from experiments.kit.trends import Trend, tally, trend, trends_table
from numerics.models import Initialiser, mlp
from numerics.perturbation import Conditions, NoiseEffect, Undefined, conditions, noise_effects
from numerics.perturbation.conditions import triples_of
from numerics.training.members import Outcome
from numerics.training.modules import train_module
from theory.checks import Array

INITIAL = "initial"

DELTAS = np.geomspace(1e-4, 1.0, 41)
"""Sizes of pre-activations up to which units are counted, at inputs of norm 1."""

LIMITS = {"mu": 0.25, "least_c2": 5.0, "c2_0.1": 5.0, "c3": 3.0}
"""What is printed: mu is at least, C_2 and C_3 at most so large."""

SHOWN = {0.01: 20, 0.1: 30}
"""Of these sizes C_2 is in the table, with their places among all."""

OTHER_NORM = 10.0
"""About the norm of an image of MNIST with pixels from 0 to 1."""

QUANTILES = np.linspace(0, 1, 101)

COLOURS = (GREY, BLUE, ORANGE, PURPLE, BLACK)


@dataclass(frozen=True)
class Config(ClassifierSettings):
    """What is trained.

    Attributes:
        network: mlp; there is no other here.
        hidden_layers: how many hidden layers there are.
        width: units of each of them.
        scheme: how the weights are drawn: lecun, lecun_uncorrected, glorot or he.
        stops: mean batch losses of an epoch, falling; the network is measured when each is first reached.
        stop_loss: unused, 0: the last of the stops ends training.
        max_epochs: epochs after which a network is given up, all stops together.
        points: how many training images C1 to C3 are measured at.
        noise: standard deviations of the noise over the root mean square of the weights of each layer.
        draws: of the noise.
        looks: not used here, networks are measured at the stops.
        gc_images: not used here, GC is not measured.
        seeds: how many networks.
    """

    size: int | None = 2000
    step_size: float = 0.01
    batch_size: int = 64
    momentum: float = 0.9
    hidden_layers: int = 10
    width: int = 1000
    scheme: Initialiser = "he"
    stops: tuple[float, ...] = (0.1, 0.01)
    max_epochs: int = 40
    points: int = 5
    noise: float = 0.01
    draws: int = 100


def tasks(config: Config) -> Mapping[str, Task]:
    """Return one task for each network.

    Raises:
        ValueError: if a setting is out of its range, or the data cannot be had.
    """
    at_least_one(config, "hidden_layers", "width", "points")
    above_zero(config, "stops", "noise")
    if not config.stops or list(config.stops) != sorted(set(config.stops), reverse=True):
        raise ValueError(f"--stops must hold at least one loss, falling, got {config.stops}")
    for option, value, known in (
        ("--network", config.network, ("mlp",)),
        ("--scheme", config.scheme, get_args(Initialiser)),
    ):
        if value not in known:
            raise ValueError(f"{option} must be one of {', '.join(known)}, got {value!r}")
    if config.stop_loss:
        raise ValueError(f"--stop-loss must be 0, as --stops end training, got {config.stop_loss}")
    if config.draws < 2:
        raise ValueError(f"--draws must be at least 2, got {config.draws}")
    classifiers.check(config)
    images = config.size or len(classifiers.loaded(config.data, config.data_dir).x_train)
    if config.points > images:
        raise ValueError(f"--points must be at most the number of training images, {images}, got {config.points}")
    return {f"{index:03d}": partial(trained, index, config) for index in range(config.seeds)}


def trained(index: int, config: Config) -> list[Row]:
    """Train a network, and return a row for its start and one for each stop, reached or not."""
    seed, data = seed_of(STUDY.id, config.seed, index), classifiers.classes(config)
    labels = classifiers.label_count(config)
    widths = [data.x_train[0].numel(), *[config.width] * config.hidden_layers, labels]
    model = mlp(widths, seed=seed, scheme=config.scheme, bias=False).to(data.x_train.device)
    size = min(config.batch_size, len(data.y_train))
    per_epoch = math.ceil(len(data.y_train) / size)
    common = {
        "seed_index": index,
        "seed": seed,
        "images": len(data.y_train),
        "hidden_layers": config.hidden_layers,
        "width": config.width,
        "scheme": config.scheme,
        "parameters": sum(p.numel() for p in model.parameters()),
        "points": config.points,
        "noise": config.noise,
    }
    rows = [
        {**common, "state": INITIAL, "place": 0, **ended(0.0, "not trained"), **measured(model, data, config, seed)}
    ]
    steps, lost = 0, False
    for place, stop in enumerate(config.stops, 1):
        left, run = config.max_epochs * per_epoch - steps, None
        if left > 0 and (place == 1 or rows[-1]["outcome"] == "interpolated"):
            run = train_module(
                model,
                data.x_train,
                data.y_train,
                step_size=config.step_size,
                max_steps=left,
                batch_size=size,
                optimiser=config.optimiser,
                momentum=config.momentum,
                stop_loss=stop,
                seed=(seed + place) % 2**63,  # a stop begins anew, its batches and its momentum too
                checkpoint=config.checkpoints / f"{index:03d}-{place}.checkpoint" if config.checkpoints else None,
                checkpoint_every=10 * per_epoch,
                name=f"{index:03d}-{place}",
            )
            steps += run.steps
            lost = run.outcome == Outcome.DIVERGED
        outcome = ended(steps / per_epoch, "not begun" if run is None else str(run.outcome))
        model.eval()
        rows.append(
            {
                **common,
                "state": f"loss {stop:g}",
                "place": place,
                **outcome,
                **({"mu": None} if lost else measured(model, data, config, seed)),
            }
        )
    return rows


def ended(epochs: float, outcome: str) -> Row:
    """Return the columns on how far a network was trained: "interpolated" if it reached the stop."""
    return {"epochs": epochs, "outcome": outcome}


def measured(model: nn.Module, data: classifiers.Classes, config: Config, seed: int) -> Row:
    """Return losses, C1 to C3 and what noise does."""
    train_loss, train_accuracy = classifiers.on(model, data.x_train, data.y_train)
    test_loss, test_accuracy = classifiers.on(model, data.x_test, data.y_test)
    x = data.x_train[: config.points]
    found = conditions(model, x)
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
    deviations = [config.noise * float(layer.weight.detach().square().mean().sqrt()) for layer in layers]
    [effect] = noise_effects(model, x[:1], deviations, draws=config.draws, seed=seed % 2**32)
    return {
        "train_loss": train_loss,
        "train_accuracy": train_accuracy,
        "test_loss": test_loss,
        "test_accuracy": test_accuracy,
        **of_conditions(found),
        **of_noise(effect, float(found.output_norms[0])),
        "output_norms": _rounded(found.output_norms),
    }


def of_conditions(found: Conditions) -> Row:
    """Return the columns on C1 to C3."""
    shares = np.mean([[np.mean(level <= delta) for delta in DELTAS] for level in found.sizes], axis=0)
    norms = np.concatenate([norms / norms.mean() for norms in found.unit_norms])
    return {
        "mu": _number(found.mu),
        "mu_as_printed": _number(found.mu_as_printed),
        "least_c2": found.least_c2,
        "c3": found.c3,
        "unit_norm_ratio": found.largest_unit_norm_ratio,
        "ratios": _rounded(found.ratios.ravel()),
        "largest_shares": _rounded(found.small_share(DELTAS)),
        "mean_shares": _rounded(shares),
        "peaks": _rounded(found.peaks.max(axis=0)),
        "unit_norm_quantiles": _rounded(np.quantile(norms, QUANTILES)),
    }


def of_noise(effect: NoiseEffect | Undefined, size: float) -> Row:
    """Return the columns on noise at the first point: what it does, and what is said of it, over |f|."""
    if isinstance(effect, Undefined):
        return {"undefined": effect.reason}
    return {
        "undefined": None,
        "change": float(effect.theorem_1.left) / size,
        "change_error": float(effect.theorem_1.error) / size,
        "theorem_1": float(effect.theorem_1.right) / size,
        "unconditional": effect.unconditional / size,
        "root_mean_square": effect.root_mean_square / size,
        "lemma_1": float(effect.lemma_1.right) / size,
        "lemma_2_failures": effect.lemma_2_failures,
    }


def _number(value: float | Undefined) -> float | None:
    return None if isinstance(value, Undefined) else value


def _rounded(values: Array) -> list[float]:
    """Return numbers with five digits, which a figure needs no more of."""
    return [float(f"{value:.5g}") for value in values]


def finite(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of networks whose weights are finite, with C_2 for single sizes as columns."""
    found = rows[rows["mu"].notna()].copy()
    found["median_ratio"] = [float(np.median(ratios)) for ratios in found["ratios"]]
    for delta, place in SHOWN.items():
        found[f"c2_{delta}"] = [shares[place] / DELTAS[place] for shares in found["largest_shares"]]
    return found


def reached(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the networks at the start and where they reached a stop."""
    found = finite(rows)
    return found[(found["place"] == 0) | (found["outcome"] == "interpolated")]


def trends(rows: pd.DataFrame) -> list[Trend]:
    """Return whether training, from stop to stop, makes the conditions ask for more: what the paper does not see."""
    there = reached(rows)
    stated = (
        ("mu", "mu falls through training", "falls"),
        ("c2_0.01", "C_2 at 0.01 rises through training", "rises"),
        ("least_c2", "C_2 for every delta rises through training", "rises"),
        ("c3", "C_3 rises through training", "rises"),
    )
    return [trend(there, says, setting="place", value=value, direction=way) for value, says, way in stated]  # type: ignore[arg-type]


COLUMNS = {
    "mu": "mu",
    "mu_as_printed": "mu, a<c",
    "median_ratio": "median",
    "least_c2": "C2",
    "c2_0.01": "C2(0.01)",
    "c2_0.1": "C2(0.1)",
    "c3": "C3",
    "unit_norm_ratio": "Fig 8",
}


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Return for each state how far it is trained and the constants, medians over networks."""
    found = []
    good = finite(rows)
    for _, group in good.groupby("place", sort=True):
        got = int((group["outcome"] == "interpolated").sum())
        found.append(
            {
                "state": group["state"].iloc[0],
                "reached": "-" if group["place"].iloc[0] == 0 else f"{got}/{len(group)}",
                "epochs": group["epochs"].median(),
                "loss": group["train_loss"].median(),
                "test acc": group["test_accuracy"].median(),
                **{name: group[column].median() for column, name in COLUMNS.items()},
            }
        )
    return pd.DataFrame(found)


def holding(rows: pd.DataFrame, column: str) -> str:
    """Return in how many networks of each state a constant is within what is printed."""
    parts = []
    for _, group in finite(rows).groupby("place", sort=True):
        limit = LIMITS[column]
        within = group[column] >= limit if column == "mu" else group[column] <= limit
        parts.append(f"{int(within.sum())} of {len(group)} ({group['state'].iloc[0]})")
    good = finite(rows)[column]
    return f"{', '.join(parts)}; {'least' if column == 'mu' else 'largest'} {good.min() if column == 'mu' else good.max():.3g}"


def spans(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each constant after training over that at initialisation: median, least and largest over networks."""
    good, found = reached(rows), []
    start = good[good["place"] == 0].set_index("seed_index")
    for _, group in good[good["place"] > 0].groupby("place", sort=True):
        later = group.set_index("seed_index")
        row: Row = {"state": group["state"].iloc[0]}
        for column in ("mu", "c2_0.01", "least_c2", "c3"):
            ratio = (later[column] / start[column].reindex(later.index)).astype(float)
            row[COLUMNS[column]] = f"{ratio.median():.3g} ({ratio.min():.3g} to {ratio.max():.3g})"
        found.append(row)
    return pd.DataFrame(found)


def at_other_norm(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the same rows with C_2 for 0.1 at inputs of the other norm r, the share of units at 0.1/r over 0.1."""
    found = finite(rows)
    place = int(np.argmin(np.abs(np.log(DELTAS * OTHER_NORM / 0.1))))
    found["c2_0.1"] = [shares[place] / 0.1 for shares in found["largest_shares"]]
    return found


def needed_norm(rows: pd.DataFrame) -> float:
    """Return the least norm of inputs for which C_2 is at most what is printed, for every delta and in every row."""
    return float(finite(rows)["least_c2"].max() / LIMITS["least_c2"])


def table(rows: pd.DataFrame) -> str:
    """Return constants, what is printed of them, and what noise does, as text."""
    good = finite(rows)
    first = rows.iloc[0]
    shape: dict[str, Any] = {"index": False, "float_format": "{:.4g}".format, "na_rep": "-"}
    ratios = spans(rows)
    noise = good[good["undefined"].isna()] if "change" in good else good.iloc[:0]
    columns = ["change", "theorem_1", "unconditional", "root_mean_square", "lemma_1", "lemma_2_failures"]
    text = [
        f"{first['hidden_layers']} hidden layers of {first['width']} units, {first['parameters']:,} parameters, no biases;"
        f" {first['images']} images, C1 to C3 at {first['points']} of them, of norm 1. Medians over networks.",
        "",
        summary(rows).to_string(**shape),
        "",
        "mu: largest of C1, a <= c as in Fig 6, over all triples and points; median: of the largest mu of each. C2: least for",
        "every delta, of absolute values; C2(t): for delta = t alone. C3: least of C3. Fig 8: largest norm of a unit's weights",
        "over the mean of its layer.",
        "",
        f"mu >= 1/4:  {holding(rows, 'mu')}",
        f"C_2 <= 5:   {holding(rows, 'least_c2')}",
        f"C_3 <= 3:   {holding(rows, 'c3')}",
        f"C_2(0.1) <= 5 at norm {OTHER_NORM:g}: {_within(at_other_norm(rows), 'c2_0.1')} rows, largest "
        f"{at_other_norm(rows)['c2_0.1'].max():.3g}; for every delta from norm {needed_norm(rows):.3g} on.",
    ]
    if len(ratios):
        text += ["", "Over the value at initialisation, networks that reached the stop: median (least to largest)"]
        text += [ratios.to_string(index=False)]
    text += ["", trends_table(trends(rows)).replace("stated trend", "trend       ")]
    if len(noise):
        means = noise.groupby(["place", "state"])[columns].median().reset_index("place", drop=True).reset_index()
        text += [
            "",
            f"Noise of {first['noise']:.2g} times the root mean square weight of each layer, at a point, over |f|; medians:",
            means.to_string(**shape),
            "",
            "change: E|f_(w+nu) - f|; theorem_1: its bound there with 1 for O(.); unconditional: B17; root_mean_square: of",
            "f~ - f, no unit switching; lemma_1: its bound; lemma_2_failures: draws with more switching than Lemma 2 has.",
        ]
    return "\n".join(text)


def conclusion(rows: pd.DataFrame) -> str:
    """Return whether what is printed holds, and whether trained networks are like initial ones."""
    good, lost = finite(rows), int(rows["mu"].isna().sum())
    last = rows[rows["place"] == rows["place"].max()]
    reach = int((last["outcome"] == "interpolated").sum())
    diverged = f" {lost} of {len(rows)} rows have no numbers." if lost else ""
    return (
        f"mu >= 1/4 in {_within(good, 'mu')} rows, C_3 <= 3 in {_within(good, 'c3')}, C_2 <= 5 for every delta in "
        f"{_within(good, 'least_c2')} at inputs of norm 1, C_2 <= 5 for delta = 0.1 at inputs of norm {OTHER_NORM:g} in "
        f"{_within(at_other_norm(rows), 'c2_0.1')}. {reach} of {len(last)} networks reach the last stop. "
        f"{tally(trends(rows)).replace('stated trends', 'trends through training')}.{diverged}"
    )


def _within(good: pd.DataFrame, column: str) -> str:
    within = good[column] >= LIMITS[column] if column == "mu" else good[column] <= LIMITS[column]
    return f"{int(within.sum())} of {len(good)}"


def figure(rows: pd.DataFrame) -> Figure:
    """Draw Figs 5 to 8: 1/mu over all triples and of both kinds, units near 0, norms of units, and sizes of outputs."""
    drawing, axes = axes_grid(6, 3, 4.0)
    good = finite(rows)
    first = rows.iloc[0]
    a, c, b = triples_of(int(first["hidden_layers"]) + 1).T
    ends = (c == a) | (c == b - 1)
    kinds: tuple[tuple[Axes, str, Any], ...] = (
        (axes[0], "C1, Fig 6: all $a \\leq c \\leq b-1$", np.ones(len(a), dtype=bool)),
        (axes[1], "$a < c < b-1$", ~ends),
        (axes[2], "$c = a$ or $c = b-1$", ends),
    )
    states = list(good.groupby("place", sort=True))
    most = max([1 / LIMITS["mu"], *(float(_inverses(row).max(initial=0)) for row in good["ratios"])])
    bins = list(np.linspace(0, 1.05 * most, 81))
    for axis, title, chosen in kinds:
        for (_, group), colour in zip(states, COLOURS, strict=False):
            values = [_inverses(np.reshape(row, (-1, len(a)))[:, chosen]) for row in group["ratios"]]
            if chosen.any():
                drawn = np.concatenate(values)
                weights = np.full(len(drawn), 1 / len(drawn))
                axis.hist(drawn, bins, weights=weights, histtype="step", color=colour, label=group["state"].iloc[0])
        axis.axvline(1 / LIMITS["mu"], color=BLACK, linestyle=":", linewidth=1)
        axis.set(title=title, xlabel="$1/\\mu$ (dotted: printed limit)", ylabel="share of triples and points")
        legend_below(axis, 3)
    for (_, group), colour in zip(states, COLOURS, strict=False):
        state = group["state"].iloc[0]
        for _, row in group.iterrows():
            first_of_state = row["seed_index"] == group["seed_index"].iloc[0]
            label = state if first_of_state else None
            axes[3].loglog(DELTAS, _drawable(row["largest_shares"]), color=colour, label=label)
            axes[3].loglog(DELTAS, _drawable(row["mean_shares"]), "--", color=colour, linewidth=1)
            axes[4].plot(row["unit_norm_quantiles"], QUANTILES, color=colour, label=label)
            axes[5].plot(range(1, len(row["peaks"]) + 1), row["peaks"], "o-", color=colour, markersize=3, label=label)
    axes[3].loglog(
        DELTAS, np.minimum(LIMITS["least_c2"] * DELTAS, 1), color=BLACK, linestyle=":", label="$5\\,\\delta$"
    )
    axes[3].set(
        title="C2: units with $|z| \\leq \\delta$, largest; dashed: mean",
        xlabel="$\\delta$ (inputs of norm 1)",
        ylabel="share",
    )
    axes[4].set(
        title="Fig 8: norm of a unit's weights over the mean", xlabel="over the mean of its layer", ylabel="share"
    )
    axes[5].axhline(LIMITS["c3"], color=BLACK, linestyle=":", linewidth=1)
    axes[5].set(title="C3: least $C_3$ of each layer (dotted: printed)", xlabel="layer", ylabel="$C_3$")
    axes[5].xaxis.set_major_locator(MaxNLocator(integer=True))
    axes[5].set_ylim(bottom=0)
    for axis in axes[3:]:
        legend_below(axis, 4)
    drawing.suptitle(
        f"{first['hidden_layers']} hidden layers of {first['width']} units, {first['images']} images, "
        f"{rows['seed_index'].nunique()} networks (lines: each network)",
        fontsize=11,
    )
    return drawing


def _inverses(ratios: Any) -> Array:
    """Return 1/mu of triples at points, 0 where C1 asks nothing; without those for which it fails with any mu."""
    values = np.ravel(np.asarray(ratios, dtype=np.float64))
    result: Array = 1 / values[values > 0]
    return result


def _drawable(shares: Any) -> Array:
    """Return shares without those that are 0, which have no place on a logarithmic axis."""
    values = np.asarray(shares, dtype=np.float64)
    return np.where(values > 0, values, np.nan)


CPU = Config()

STUDY: Study[Config] = Study(
    id="sharpness_conditions",
    title="Conditions C1 to C3 of trained and initial networks (neyshabur2017, Figs 5-8).",
    claims=("N8", "N8.a", "N15.a", "N18", "N21"),
    printed=(
        Printed(None, "section 4, Fig 5", "mu >= 1/4, C_2 <= 5 and C_3 <= 3 for networks trained in practice."),
        Printed(None, "appendix D, Figs 6-8", "the network with learned weights is very similar to its initialisation."),
        Printed("N21", "Fig 5", "10 layers of 1000 hidden units, i.e. more than 10,000,000 parameters."),
    ),
    presets={
        "default": CPU,
        "cpu": CPU,
        "smoke": Config(
            size=100, test_size=100, batch_size=10, hidden_layers=3, width=30, stops=(1.0, 0.3), max_epochs=30, points=3,
            draws=20, seeds=2,
        ),
        "paper": Config(
            size=None, test_size=None, stops=(1e-1, 1e-2, 1e-3, 1e-4), max_epochs=500, points=1000, draws=1000, seeds=5
        ),
    },
    tasks=tasks,
    table=table,
    conclusion=conclusion,
    figure=figure,
    identity=classifiers.identity,
    workers_are="processes",
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(main(STUDY))
