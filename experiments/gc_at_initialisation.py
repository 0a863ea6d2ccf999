"""Networks before training (dherin2022, Fig 2; D7, D16, B24): `python -m experiments.gc_at_initialisation`.

MLPs from R^150528 to R^1000 with 500 units a hidden layer and zero biases, evaluated on the diagonal of [-1, 1]^d. All
inputs are c (1, .., 1), so that a first matrix W counts by its row sums and by W W^T alone: it is formed once a seed,
in float32, for all depths; the other layers are drawn afresh for each depth. For ReLU the function is linear on each
half of the diagonal, and the Jacobian at two points is that at all; for other activations GC is the mean over some of
the points. Depth counts hidden layers. The exact law is that of ReLU networks, in expectation (B24).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import get_args

import numpy as np
import pandas as pd
import scipy.special
import scipy.stats
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.engine.records import Row
from experiments.engine.settings import at_least_one
from experiments.engine.study import Printed, Study, Task, main, seed_of
from experiments.kit.plotting import BLACK, BLUE, GREEN, ORANGE, PURPLE, axes_row, legend_below
from experiments.kit.trends import LEVEL, Trend, tally, trend, trends_table
from numerics.models import Activation, Initialiser, draw_weights, entry_variance
from theory.checks import Array
from theory.dherin2022 import expected_geometric_complexity

Pointwise = Callable[[Array], Array]


def _normal_density(z: Array) -> Array:
    density: Array = np.exp(-z * z / 2) / np.float32(math.sqrt(2 * math.pi))
    return density


FUNCTIONS: Mapping[str, tuple[Pointwise, Pointwise]] = {
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(z.dtype)),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "gelu": (
        lambda z: z * scipy.special.ndtr(z),
        lambda z: scipy.special.ndtr(z) + z * _normal_density(z),
    ),
    "softplus": (lambda z: np.logaddexp(z, np.float32(0)), scipy.special.expit),
}
"""Each activation and its derivative."""

LAW = ("GC/E", "|f|^2/E")
"""What is held against the exact law: GC and the mean square of the outputs, over their expectations."""

COLOURS = {"lecun": BLUE, "lecun_uncorrected": PURPLE, "glorot": GREEN, "he": ORANGE}
LINES = {"relu": "-", "tanh": "--", "gelu": ":", "softplus": "-."}


@dataclass(frozen=True)
class Config:
    """Which networks.

    Attributes:
        inputs: d, the number of entries of an input.
        outputs: k, the number of outputs of a network.
        width: units of each hidden layer.
        largest_depth: ReLU networks have 1 to so many hidden layers.
        points: inputs on the diagonal, evenly from one end to the other; an even number, so that 0 is none of them.
        schemes: initialisers: lecun and lecun_uncorrected (truncated normals), glorot, he.
        activations: beside ReLU: tanh, gelu, softplus.
        other_depths: hidden layers of the networks with these.
        other_points: how many of the points their GC is a mean over.
        seeds: how many networks of each kind.
        seed: changes all weights; any integer.
    """

    inputs: int = 150_528
    outputs: int = 1000
    width: int = 500
    largest_depth: int = 30
    points: int = 100
    schemes: tuple[Initialiser, ...] = ("lecun", "glorot", "he")
    activations: tuple[Activation, ...] = ("tanh", "gelu")
    other_depths: tuple[int, ...] = (1, 2, 4, 8, 16, 30)
    other_points: int = 4
    seeds: int = 5
    seed: int = 0


def tasks(config: Config) -> Mapping[str, Task]:
    """Return one task for each initialiser and seed.

    Raises:
        ValueError: if a setting is out of its range.
    """
    at_least_one(config, "inputs", "outputs", "width", "largest_depth", "points", "other_points", "seeds")
    for option, chosen, known in (
        ("--schemes", config.schemes, get_args(Initialiser)),
        ("--activations", ("relu", *config.activations), get_args(Activation)),
    ):
        if not set(chosen) <= set(known) or len(set(chosen)) < len(chosen) or not chosen:
            raise ValueError(
                f"{option} must name some of {', '.join(known)}, each once, got {' '.join(chosen) or 'none'}"
            )
    if config.points % 2:
        raise ValueError(f"--points must be even, got {config.points}")
    if not 2 <= config.other_points <= config.points:
        raise ValueError(f"--other-points must be between 2 and --points, {config.points}, got {config.other_points}")
    if min(config.other_depths, default=1) < 1:
        raise ValueError(f"--other-depths must be at least 1, got {min(config.other_depths)}")
    return {
        f"{scheme}-{index:03d}": partial(networks, scheme, index, config)
        for scheme in config.schemes
        for index in range(config.seeds)
    }


def networks(scheme: Initialiser, index: int, config: Config) -> list[Row]:
    """Return a row for each network that begins with one first matrix."""
    seed = seed_of(STUDY.id, config.seed, scheme, index)
    generator = np.random.default_rng(seed)
    sums, factor = first_layer(scheme, generator, config)
    depths = {"relu": range(1, config.largest_depth + 1), **dict.fromkeys(config.activations, config.other_depths)}
    rows: list[Row] = []
    for activation, chosen in depths.items():
        for depth in chosen:
            shapes = [(config.width, config.width)] * (depth - 1) + [(config.outputs, config.width)]
            layers = [draw_weights(shape, scheme, generator, dtype=np.float32) for shape in shapes]
            widths = (config.inputs, *[config.width] * depth, config.outputs)
            expected = expected_complexity(widths, scheme) if activation == "relu" else None
            c = np.linspace(-1, 1, config.points)
            rows.append(
                {
                    "scheme": scheme,
                    "activation": activation,
                    "depth": depth,
                    "seed_index": index,
                    "seed": seed,
                    "d": config.inputs,
                    "k": config.outputs,
                    "width": config.width,
                    **(
                        of_relu(sums, factor, layers, c)
                        if activation == "relu"
                        else of_points(activation, sums, factor, layers, c, config.other_points)
                    ),
                    "expected_gc": expected,
                    "expected_square": None if expected is None else expected * float(np.mean(c**2)),
                }
            )
    return rows


def expected_complexity(widths: tuple[int, ...], scheme: Initialiser) -> float:
    """Return E GC of a ReLU network of these widths (B24); E |f(x)|^2 is |x|^2 / d times as large."""
    variances = [entry_variance(scheme, inputs, outputs) for inputs, outputs in pairwise(widths)]
    return float(expected_geometric_complexity(widths, variances))


def first_layer(scheme: Initialiser, generator: np.random.Generator, config: Config) -> tuple[Array, Array]:
    """Return the row sums of a first matrix W, [width], and A with A A^T = W W^T, [width, at most width]."""
    weight = draw_weights((config.width, config.inputs), scheme, generator, dtype=np.float32)
    sums = weight.sum(axis=1, dtype=np.float64).astype(np.float32)
    if config.inputs <= config.width:
        return sums, weight
    gram = (weight @ weight.T).astype(np.float64)
    return sums, np.linalg.cholesky(gram).astype(np.float32)


def of_relu(sums: Array, factor: Array, layers: list[Array], c: Array) -> Row:
    """Return outputs and GC of a ReLU network at c (1, .., 1), c [points] without 0: two halves on which it is linear."""
    sides, norms = [], []
    for side in (-1.0, 1.0):
        z, jacobian = np.float32(side) * sums, factor
        for layer in layers:
            active = z > 0
            part = layer[:, active]
            z, jacobian = part @ z[active], part @ jacobian[active]
        sides.append(z.astype(np.float64))
        norms.append(float(np.sum(jacobian.astype(np.float64) ** 2)))
    outputs = np.where(c[:, None] > 0, c[:, None] * sides[1], -c[:, None] * sides[0])
    return {**size_of(outputs), "gc": float(np.mean(np.where(c > 0, norms[1], norms[0]))), "gc_points": len(c)}


def of_points(activation: str, sums: Array, factor: Array, layers: list[Array], c: Array, count: int) -> Row:
    """Return outputs at c (1, .., 1), c [points], of a network with any activation, and GC over `count` of them."""
    function, derivative = FUNCTIONS[activation]
    z = sums[:, None] * c.astype(np.float32)
    chosen = np.linspace(0, len(c) - 1, count).round().astype(int)
    jacobians = [factor] * count
    for layer in layers:
        slopes = derivative(z[:, chosen]).astype(np.float32)
        jacobians = [layer @ (slopes[:, j, None] * jacobian) for j, jacobian in enumerate(jacobians)]
        z = layer @ function(z).astype(np.float32)
    norms = [float(np.sum(jacobian.astype(np.float64) ** 2)) for jacobian in jacobians]
    return {**size_of(z.T.astype(np.float64)), "gc": float(np.mean(norms)), "gc_points": count}


def size_of(outputs: Array) -> Row:
    """Return the columns on outputs [points, k]: largest, mean and mean square."""
    return {
        "mean_abs_output": float(np.mean(np.abs(outputs))),
        "max_abs_output": float(np.max(np.abs(outputs))),
        "mean_output": float(np.mean(outputs)),
        "max_output": float(np.max(outputs)),
        "mean_square": float(np.mean(np.sum(outputs**2, axis=1))),
    }


def trends(rows: pd.DataFrame) -> list[Trend]:
    """Return what the paper states: outputs and GC fall with depth, whatever the initialiser and the activation."""
    found = []
    for (activation, scheme), group in rows.groupby(["activation", "scheme"], sort=False):
        for column, name in (("gc", "GC"), ("mean_abs_output", "mean |f|"), ("max_abs_output", "max |f|")):
            says = f"{activation}, {scheme}: {name} falls with depth"
            found.append(trend(group, says, setting="depth", value=column, direction="falls"))
    return found


def against_law(rows: pd.DataFrame) -> pd.DataFrame:
    """Return for each initialiser GC and |f|^2 over their expectations, and what is expected and found at the ends.

    Means over depths and seeds, standard errors over seeds, and p of a mean of 1 by a t test over seeds, which share no
    weights.
    """
    found = []
    relu = rows[rows["activation"] == "relu"]
    for scheme, group in relu.groupby("scheme", sort=False):
        first, last = (group[group["depth"] == depth] for depth in (group["depth"].min(), group["depth"].max()))
        found.append(
            {
                "scheme": scheme,
                **_ratio(group, "gc", "expected_gc", "GC/E"),
                **_ratio(group, "mean_square", "expected_square", "|f|^2/E"),
                f"E GC at {group['depth'].min()}": float(first["expected_gc"].iloc[0]),
                f"at {group['depth'].max()}": float(last["expected_gc"].iloc[0]),
                "median GC there": float(last["gc"].median()),
            }
        )
    return pd.DataFrame(found)


def _ratio(group: pd.DataFrame, column: str, expected: str, name: str) -> Row:
    """Return the mean of a column over what is expected of it, its standard error over seeds, and p of 1 (t test)."""
    ratios = (group[column] / group[expected]).groupby(group["seed_index"]).mean().to_numpy(np.float64)
    several = len(ratios) > 1
    error = float(np.std(ratios, ddof=1) / math.sqrt(len(ratios))) if several else math.nan
    p = float(scipy.stats.ttest_1samp(ratios, 1.0).pvalue) if several else math.nan
    return {name: float(np.mean(ratios)), f"s.e. {name}": error, f"p {name}": p}


def table(rows: pd.DataFrame) -> str:
    """Return the stated trends, and GC against its exact expectation, as text."""
    return "\n".join(
        [
            trends_table(trends(rows)),
            "",
            "ReLU: GC and |f|^2 over their expectations (B24), means over depths and seeds; s.e. and p (t test) over seeds.",
            against_law(rows).to_string(index=False, float_format="{:.4g}".format, na_rep="-"),
        ]
    )


def conclusion(rows: pd.DataFrame) -> str:
    """Return how many trends hold, and whether the exact law does."""
    law = against_law(rows)
    tests = [(str(one["scheme"]), name) for _, one in law.iterrows() for name in LAW if one[f"p {name}"] <= level(law)]
    said = "GC and |f|^2 are as expected for all"
    if tests:
        said = f"Not as expected are {', '.join(f'{name} of {scheme}' for scheme, name in tests)}, among"
    return f"{tally(trends(rows))}. {said} {len(law)} initialisers (p <= {LEVEL} / {len(LAW) * len(law)} each)."


def level(law: pd.DataFrame) -> float:
    """Return the level of each test against the law, for all of them to have that of a trend."""
    return LEVEL / (len(LAW) * len(law))


def figure(rows: pd.DataFrame) -> Figure:
    """Draw the paper's Fig 2: mean and largest output and GC against depth, and GC of other activations."""
    drawing, axes = axes_row(4, 4.4)
    relu, others = rows[rows["activation"] == "relu"], rows[rows["activation"] != "relu"]
    panels: tuple[tuple[Axes, str, str], ...] = (
        (axes[0], "mean_abs_output", "(a) ReLU: mean $|f|$ on the diagonal"),
        (axes[1], "max_abs_output", "(b) ReLU: largest $|f|$ on the diagonal"),
        (axes[2], "gc", "(c) ReLU: GC; dashed: $E\\,$GC"),
    )
    for axis, column, title in panels:
        _draw(axis, relu, column)
        axis.set(title=title)
    for _, group in relu[relu["seed_index"] == 0].groupby("scheme", sort=False):
        axes[2].semilogy(group["depth"], group["expected_gc"], "--", color=BLACK, linewidth=1)
    _draw(axes[3], others, "gc")
    axes[3].set(title="(d) GC, other activations")
    drawing.suptitle(
        f"MLPs at initialisation, d = {rows['d'].iloc[0]}, k = {rows['k'].iloc[0]}, {rows['width'].iloc[0]} units a layer "
        f"(lines: median over {rows['seed_index'].nunique()} seeds; shaded: all)",
        fontsize=11,
    )
    return drawing


def _draw(axis: Axes, rows: pd.DataFrame, column: str) -> None:
    """Draw the median over seeds of a column against depth, and the range of all seeds, logarithmically."""
    for (activation, scheme), group in rows.groupby(["activation", "scheme"], sort=False):
        found = group.groupby("depth")[column].agg(["min", "median", "max"])
        label = str(scheme) if activation == "relu" else f"{activation}, {scheme}"
        axis.semilogy(found.index, found["median"], LINES[str(activation)], color=COLOURS[str(scheme)], label=label)
        axis.fill_between(found.index, found["min"], found["max"], color=COLOURS[str(scheme)], alpha=0.2, linewidth=0)
    axis.set(xlabel="hidden layers")
    legend_below(axis, 3)


FULL = Config()

STUDY: Study[Config] = Study(
    id="gc_at_initialisation",
    title="Outputs and geometric complexity at initialisation against depth (dherin2022, Fig 2).",
    claims=("D7", "D16", "D16.a", "B24", "B24.a"),
    printed=(
        Printed(
            "D7",
            "Fig 2",
            "initialised networks are close to the zero function, and become closer as the number of layers increases.",
        ),
        Printed(
            "D16",
            "section 3",
            "the GC can be brought close to zero with enough layers, for other activations and initialisers as well.",
        ),
    ),
    presets={
        "default": FULL,
        "cpu": FULL,
        "smoke": Config(inputs=60, outputs=12, width=24, largest_depth=6, points=10, other_depths=(1, 3, 6), seeds=3),
        "paper": FULL,
    },
    tasks=tasks,
    table=table,
    conclusion=conclusion,
    figure=figure,
    workers_are="processes",
)

if __name__ == "__main__":
    sys.exit(main(STUDY))
