"""Volhejn 2020, Fig 3.1: the least curved interpolant need not be the least varying one, nor the other way round."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.engine.records import Row
from experiments.engine.settings import above_zero, at_least_one
from experiments.engine.study import Printed, Study, Task, main, seed_of
from experiments.kit.measures import check_device, function_of
from experiments.kit.plotting import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, axes_row, legend_below
from experiments.kit.verdicts import RULING, evaluated, not_evaluated, tally
from numerics.networks import initialise
from numerics.training import Outcome, train
from theory.checks import rationals
from theory.piecewise_linear import PiecewiseLinear
from theory.symbols import exact_function
from theory.volhejn2020 import function_path_length, gradient_path_length, weights_product
from theory.volhejn2020.spline import PRINTED_EXAMPLES, pieces_of

X, Y = rationals([-2, -1, 1, 2]), rationals([1, 0, 0, 1])
"""The data set of eq 3.14."""

CONVERSE_X, CONVERSE_Y = rationals([0, 1]), rationals([0, 1])
"""The data set of V8.a, the converse that the thesis leaves to the reader."""

ORDERS = {"PL0": 0, "PL1": 1}
"""Of which derivative a measure is the variation."""

_values = {example["name"]: example["printed"] for example in PRINTED_EXAMPLES}
PRINTED = {
    "V8": {
        kind: {measure: _values[f"{measure}({f})"] for measure in ORDERS}
        for kind, f in {"linear spline": "f_L", "polygon": "f"}.items()
    },
    "V8.a": {"linear spline": {"PL0": 1, "PL1": 0}, "[2 t - 1]_+": {"PL0": 1, "PL1": 2}},
}
"""What the two claims say of each kind of function on their data: V8 of f, of which every polygon is a copy cut straight."""

LEAST = PRINTED["V8"]["linear spline"]
"""The least TV(f) and the least TV(f') of interpolants of the data set, attained by its linear spline (V7)."""

AT_LEAST = 1e-3
"""How far, relative to the least value, a trained network may lie above it and count as a minimiser: its fit is not exact."""


@dataclass(frozen=True)
class Config:
    """What to look at.

    Attributes:
        pieces: numbers of linear pieces, each even, by which the parabola of the example is replaced on [-1, 1].
        scales: initialisation scales alpha of the networks; the variance of the weights is 2 alpha / (fan in + fan out).
        repeats: networks for each scale.
        width: hidden units of the network.
        step_size: of gradient descent on the loss (1/n) sum (f - y)^2.
        stop_loss: loss below which a network counts as interpolating.
        max_steps: steps after which a network is given up.
        seed: changes all initialisations; any integer.
        device: where the networks are trained: cpu, or a CUDA device such as cuda:0 (slower for networks this small).
    """

    pieces: tuple[int, ...] = (2, 4, 8, 16, 32, 64)
    scales: tuple[float, ...] = (0.001, 0.01, 0.1, 1.0)
    repeats: int = 20
    width: int = 256
    step_size: float = 0.05
    stop_loss: float = 1e-8
    max_steps: int = 400_000
    seed: int = 0
    device: str = "cpu"


def spline() -> PiecewiseLinear:
    """Return the linear spline f_L through the data, exact."""
    return PiecewiseLinear.interpolate(X, Y)


def polygon(pieces: int) -> PiecewiseLinear:
    """Return the example f of the thesis, |t| - 1 outside [-1, 1], with its parabola cut into equal linear pieces."""
    t = rationals([Fraction(2 * i, pieces) - 1 for i in range(pieces + 1)])
    return PiecewiseLinear.interpolate(rationals([-2, *t, 2]), rationals([1, *((t**2 - 1) / 2), 1]))


def bent() -> PiecewiseLinear:
    """Return [2 t - 1]_+, which rises from 0 to 1 on the converse's data."""
    return PiecewiseLinear.interpolate(rationals([0, Fraction(1, 2), 1]), rationals([0, 0, 1]))


def tasks(config: Config) -> Mapping[str, Task]:
    """Return a task for the exact functions and one for the networks of each scale and repeat.

    Raises:
        ValueError: if a setting is out of its range.
    """
    at_least_one(config, "repeats", "width", "max_steps")
    above_zero(config, "step_size", "stop_loss")
    above_zero(config, "scales")
    for pieces in config.pieces:
        if pieces < 2 or pieces % 2:
            raise ValueError(f"--pieces must be even and at least 2, got {pieces}")
    if not config.pieces:
        raise ValueError("--pieces must hold at least one number, got none")
    check_device(config.device)
    runs: dict[str, Task] = {"functions": partial(functions, config)}
    for alpha in config.scales:
        for repeat in range(config.repeats):
            runs[f"network-{alpha:g}-{repeat:03d}".replace(".", "p")] = partial(network, alpha, repeat, config)
    return runs


def described(f: PiecewiseLinear, data: str, kind: str) -> Row:
    """Return the columns on a function: its variations between the outermost points of a data set, and itself."""
    x = X if data == "example" else CONVERSE_X
    a, b = x[0], x[-1]
    return {
        "data": data,
        "kind": kind,
        "PL0": float(f.total_variation(a, b)),
        "PL1": float(f.derivative_variation(a, b)),
        "PL0 all pairs": float(function_path_length(f, x)),
        "PL1 all pairs": float(gradient_path_length(f, x)),
        **held(f, data, kind),
        "knots": [float(knot) for knot in f.knots],
        "jumps": [float(jump) for jump in f.jumps],
        "slope": float(f.slope),
        "value": float(f.value),
        "anchor": float(f.anchor),
        "x": [float(value) for value in x],
        "y": [float(value) for value in (Y if data == "example" else CONVERSE_Y)],
    }


def held(f: PiecewiseLinear, data: str, kind: str) -> Row:
    """Return the columns on the verdicts of V7, V8 and V8.a on both variations of a function, exactly as it is."""
    exact, x = exact_function("f", f), X if data == "example" else CONVERSE_X
    said = {"V8" if data == "example" else "V8.a"}
    columns: Row = {}
    for measure, order in ORDERS.items():
        found = evaluated("V7", {"f": exact, "x": x, "order": order})
        for id, values in PRINTED.items():
            found |= not_evaluated(id)
            if id in said and kind in values:
                pieces, value = pieces_of(exact, x[0], x[-1]), Fraction(values[kind][measure])
                found |= evaluated(id, {"pieces": pieces, "order": order, "printed": value, "name": kind})
        columns |= {f"{measure}_{name}": value for name, value in found.items()}
    return columns


def functions(config: Config) -> list[Row]:
    """Return rows on the spline, the thesis's f, the polygons that approach it, and the converse's two functions."""
    line = PiecewiseLinear.interpolate(CONVERSE_X, CONVERSE_Y)
    rows = [described(spline(), "example", "linear spline")]
    rows += [{**described(polygon(pieces), "example", "polygon"), "pieces": pieces} for pieces in config.pieces]
    rows += [described(line, "converse", "linear spline"), described(bent(), "converse", "[2 t - 1]_+")]
    return [{**row, "seed": config.seed, "outcome": "exact"} for row in rows]


def network(alpha: float, repeat: int, config: Config) -> list[Row]:
    """Train a network on the example's data."""
    seed = seed_of(STUDY.id, config.seed, alpha, repeat)
    x, y = X.astype(np.float64), Y.astype(np.float64)
    run = train(
        initialise(config.width, seed=seed, scheme="glorot_uniform", scale=alpha),
        x,
        y,
        step_size=config.step_size,
        loss="mean",
        max_steps=config.max_steps,
        stop_loss=config.stop_loss,
        dwell=0,
        device=config.device,
    )
    given = {
        "alpha": alpha,
        "repeat": repeat,
        "step_size": config.step_size,
        "seed": seed,
        "outcome": str(run.outcome),
        "loss": run.loss,
    }
    if run.outcome == Outcome.DIVERGED:
        return [{**given, "data": "example", "kind": "network"}]
    wp = weights_product(run.weights.w1[:, None], run.weights.w2)
    row = described(PiecewiseLinear.from_weights(run.weights), "example", "network")
    if repeat:  # the figure shows the first
        row |= dict.fromkeys(("knots", "jumps"))
    return [{**row, **given, "WP": wp, "steps": run.steps}]


def trained(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of networks that interpolate."""
    return rows[(rows["kind"] == "network") & (rows["outcome"] == "interpolated")]


def rulings(rows: pd.DataFrame, id: str) -> str:
    """Return how often a claim holds and is violated, of both variations of all functions."""
    both = pd.concat([rows[f"{measure}_{id} {RULING}"] for measure in ORDERS])
    return tally(both.to_frame(f"{id} {RULING}"), id)


def table(rows: pd.DataFrame) -> str:
    """Return the two measures of each function, exact, and their spread over the trained networks."""
    exact = rows[rows["kind"] != "network"]
    text = [f"{'data':<9} {'function':<28} {'TV(f)':>8} {'TV(f^)':>8} {'PL0':>8} {'PL1':>8}".replace("^", "'")]
    for _, row in exact.iterrows():
        name = row["kind"] if row["kind"] != "polygon" else f"f, parabola in {int(row['pieces'])} pieces"
        values = " ".join(f"{row[column]:>8.4f}" for column in ("PL0", "PL1", "PL0 all pairs", "PL1 all pairs"))
        text.append(f"{row['data']:<9} {name:<28} {values}")
    text += [
        "TV(f) and TV(f') are the thesis's PL0^(1) and PL1^(1), between the outermost points; PL0 and PL1 are means over all",
        "ordered pairs of data points (B6). Printed for the example: f_L has 2 and 2, f has 3 and 2.",
        "",
        f"{'networks':>8} {'alpha':>6} {'fit':>9} {'TV(f)':>8} {'largest':>8} {'TV(f^)':>8} {'largest':>8} {'WP':>8} "
        "least TV(f) least TV(f^)".replace("^", "'"),
    ]
    text[-1] = text[-1].replace("^", "'")
    networks = rows[rows["kind"] == "network"]
    for alpha, group in networks.groupby("alpha"):
        fits = trained(group)
        if fits.empty:
            text.append(f"{'':>8} {alpha:>6g} {f'0 of {len(group)}':>9}")
            continue
        least = [int((fits[name] <= float(LEAST[name]) * (1 + AT_LEAST)).sum()) for name in ("PL0", "PL1")]
        text.append(
            f"{'':>8} {alpha:>6g} {f'{len(fits)} of {len(group)}':>9} {fits['PL0'].median():>8.4f} {fits['PL0'].max():>8.4f} "
            f"{fits['PL1'].median():>8.4f} {fits['PL1'].max():>8.4f} {fits['WP'].median():>8.3f} {least[0]:>11} {least[1]:>12}"
        )
    return "\n".join(text)


def conclusion(rows: pd.DataFrame) -> str:
    """Return what the functions show, and whether trained networks take the spline."""
    polygons = rows[rows["kind"] == "polygon"]
    same = bool((polygons["PL1"] == float(LEAST["PL1"])).all())
    converse = rows[rows["data"] == "converse"].set_index("kind")
    fits = trained(rows)
    both = fits[
        (fits["PL0"] <= float(LEAST["PL0"]) * (1 + AT_LEAST)) & (fits["PL1"] <= float(LEAST["PL1"]) * (1 + AT_LEAST))
    ]
    return (
        f"On TV(f) and TV(f') of each function {rulings(rows, 'V8')}, {rulings(rows, 'V8.a')}, and, networks included, "
        f"{rulings(rows, 'V7')}. Least TV(f') does not give least TV(f): every polygon "
        f"{'has' if same else 'does not have'} TV(f') = 2, and TV(f) of "
        f"up to {polygons['PL0'].max():g}. Least TV(f) does not give least TV(f'): on two points the line and [2 t - 1]_+ vary "
        f"by {converse['PL0'].iloc[0]:g} and {converse['PL0'].iloc[1]:g}, their slopes by {converse['PL1'].iloc[0]:g} and "
        f"{converse['PL1'].iloc[1]:g}. Of {len(fits)} networks that interpolate the example, {len(both)} are within "
        f"{AT_LEAST:.1%} of least in both; TV(f') exceeds its least value by at most {(fits['PL1'].max() / 2 - 1):.1%}, "
        f"TV(f) by {(fits['PL0'].max() / 2 - 1):.1%}."
    )


def figure(rows: pd.DataFrame) -> Figure:
    """Draw Fig 3.1, the converse, and where the trained networks lie between the two measures."""
    drawing, axes = axes_row(3, 4.4)
    exact, fits = rows[rows["kind"] != "network"], trained(rows)
    example = exact[exact["data"] == "example"]
    finest = example[example["kind"] == "polygon"].sort_values("pieces").iloc[-1]
    line = example[example["kind"] == "linear spline"].iloc[0]
    if len(fits):
        row = fits.sort_values("alpha").iloc[0]
        _draw(axes[0], row, GREY, rf"a network, $\alpha = {row['alpha']:g}$", 1.4)
    _draw(axes[0], line, BLUE, "linear spline: 2, 2", 2.6)
    _draw(axes[0], finest, ORANGE, "the thesis's $f$: 3, 2", 1.8)
    axes[0].plot(line["x"], line["y"], "x", color=BLACK, markersize=9, markeredgewidth=2, label="data")
    axes[0].set(title="(a) The same $TV(f')$, another $TV(f)$", xlabel="$t$", ylabel="$f(t)$")
    converse = exact[exact["data"] == "converse"]
    for (_, row), colour, label in zip(
        converse.iterrows(), (BLUE, GREEN), ("linear spline: 1, 0", "$[2t - 1]_+$: 1, 2"), strict=True
    ):
        _draw(axes[1], row, colour, label, 2.2)
    axes[1].plot(converse["x"].iloc[0], converse["y"].iloc[0], "x", color=BLACK, markersize=9, markeredgewidth=2)
    axes[1].set(title="(b) The same $TV(f)$, another $TV(f')$", xlabel="$t$", ylabel="$f(t)$")
    for alpha, colour in zip(sorted(fits["alpha"].unique()), (BLUE, GREEN, PURPLE, ORANGE), strict=False):
        group = fits[fits["alpha"] == alpha]
        axes[2].plot(
            group["PL0"], group["PL1"], "o", color=colour, markersize=4, alpha=0.7, label=rf"$\alpha = {alpha:g}$"
        )
    axes[2].plot([2], [2], "*", color=BLACK, markersize=13, label="spline")
    axes[2].plot(example["PL0"].iloc[1:], example["PL1"].iloc[1:], "s", color=GREY, markersize=5, label="polygons")
    axes[2].set(title="(c) Trained networks", xlabel="$TV(f)$ on $[-2, 2]$", ylabel="$TV(f')$ on $[-2, 2]$")
    for axis in axes:
        legend_below(axis, 3)
    drawing.suptitle("$TV(f)$ and $TV(f')$ of interpolants (the two numbers in the legends)", fontsize=11)
    return drawing


def _draw(axis: Axes, row: pd.Series, colour: str, label: str, width: float) -> None:
    f = function_of({str(name): value for name, value in row.items()})
    t = np.linspace(row["x"][0] - 0.15, row["x"][-1] + 0.15, 1201)
    axis.plot(t, np.asarray(f(t)), color=colour, linewidth=width, label=label)


STUDY: Study[Config] = Study(
    id="interpolant_example",
    title="Two measures of an interpolant that are not minimised together (volhejn2020, Fig 3.1).",
    claims=("V7", "V8", "V8.a"),
    printed=(
        Printed("V8", "eq 3.14, Fig 3.1", "PL1 is 2 for the spline and for f; PL0 is 2 for the spline and 3 for f."),
        Printed("V8.a", "after eq 3.14", "that least PL0 does not give least PL1 is left to the reader."),
    ),
    presets={
        "default": Config(),
        "smoke": Config(pieces=(2, 8), scales=(0.01, 1.0), repeats=2, stop_loss=1e-4, max_steps=20_000),
        "paper": Config(repeats=100),
    },
    tasks=tasks,
    table=table,
    conclusion=conclusion,
    figure=figure,
)

if __name__ == "__main__":
    sys.exit(main(STUDY))
