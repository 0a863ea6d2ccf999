"""Growing training sets of Gaussian-process samples (volhejn2020, Table 4.1): the rows of `experiments.training_set_size_1d`.

If training picked the smoothest function through the data, no measure that it minimises would fall as points are added
(V11). Networks are trained on nested training sets, and Kendall's tau_b tells how far a measure rises with their size.
What rises with the networks may rise with the data alone: two interpolations without any training stand beside them, the
polynomial of the thesis and the linear spline, which by V7 has the least variation of f and of f' of all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from scipy.interpolate import BarycentricInterpolator

from experiments.engine.records import Row
from experiments.engine.settings import above_zero, at_least_one
from experiments.engine.study import Task, seed_of
from experiments.training_set_size_1d.report import (
    PRINTED_SIZES,
)
from numerics.gaussian_process import GRID, farthest_point_order, gaussian_process, longest_gap_order
from numerics.networks import initialise
from numerics.smoothness import sample_pairs
from numerics.training import Member, Outcome, Precision, Run, train_many
from theory.checks import Array
from theory.piecewise_linear import PiecewiseLinear
from theory.two_layer import Weights
from theory.volhejn2020 import function_path_length, gradient_path_length, initialization_limit, weights_product

Paths = Literal["thesis", "fresh"]
Initialiser = Literal["as_coded", "as_printed"]
Order = Literal["longest_gap", "farthest_point"]

VARIANCE: Mapping[Initialiser, float] = {"as_coded": 1.0, "as_printed": 0.5}
"""The factor on alpha: eq 4.1 prints the sum of the fans where the code has their mean (V10)."""

ORDERS = {"longest_gap": longest_gap_order, "farthest_point": farthest_point_order}

THESIS_SIGNS = np.array([-1, -1, -1, -1, -1, 1, 1, 1, 1, -1, -1, -1, 1])
"""On which side of 0 the leading singular vectors of the thesis begin: see `thesis_path`."""


ID = "training_set_size_1d"
"""The study: the name of its folder, and what its seeds begin with."""


@dataclass(frozen=True)
class Config:
    """What is run.

    Attributes:
        paths: sample paths of the Gaussian process: those of the thesis, drawn again from its seeds, or fresh ones.
        data_sets: how many of each.
        seeds: networks for each data set and training set size.
        sizes: training set sizes, from 2 to 100, the points of the grid.
        order: how points are added: by bisecting the longest gap, as the released code of the thesis does, or always the
            farthest point, as its text says; the orders part at the sixth point.
        initialisers: limit of the initial weights, sqrt(6 alpha / (fan in + fan out)) as coded or, as eq 4.1 prints it,
            with 3 for 6.
        scale: alpha, the initialisation scale; alpha = 1 as coded is Glorot uniform.
        width: hidden units of the networks.
        step_size: step size of gradient descent on the mean of (f - y)^2.
        stop_loss: mean of (f - y)^2 at which a network counts as converged, in squared units of y.
        max_steps: steps after which a network is given up.
        precision: what the networks are trained in; float32 is the thesis's.
        pairs: random pairs of test points for the sampled path lengths; the exact ones are over all pairs.
        seed: changes all fresh sample paths and all initialisations; any integer.
    """

    paths: tuple[Paths, ...] = ("thesis",)
    data_sets: int = 20
    seeds: int = 10
    sizes: tuple[int, ...] = tuple(PRINTED_SIZES)
    order: Order = "longest_gap"
    initialisers: tuple[Initialiser, ...] = ("as_coded",)
    scale: float = 0.01
    width: int = 256
    step_size: float = 0.1
    stop_loss: float = 1e-3
    max_steps: int = 50_000
    precision: Precision = "float32"
    pairs: int = 1000
    seed: int = 0


def tasks(config: Config) -> Mapping[str, Task]:
    """Return one task for each data set and initialiser, and one for the interpolations of each data set.

    Raises:
        ValueError: if a setting is out of its range.
    """
    at_least_one(config, "data_sets", "seeds", "width", "max_steps", "pairs")
    above_zero(config, "scale", "step_size", "stop_loss")
    for n in config.sizes:
        if not 2 <= n <= len(GRID):
            raise ValueError(f"--sizes must be between 2 and {len(GRID)}, the points of the grid, got {n}")
    if len(set(config.sizes)) < 2:
        raise ValueError(f"--sizes must hold at least two sizes to be compared, got {len(set(config.sizes))}")
    for name in ("paths", "initialisers"):
        if not getattr(config, name):
            raise ValueError(f"--{name} must name at least one, got none")
    parts: dict[str, Task] = {}
    for paths in dict.fromkeys(config.paths):
        for index in range(config.data_sets):
            parts[f"{paths}-interpolations-{index:02d}"] = partial(interpolations, paths, index, config)
            for initialiser in dict.fromkeys(config.initialisers):
                parts[f"{paths}-{initialiser}-{index:02d}"] = partial(networks, paths, index, initialiser, config)
    return parts


def thesis_path(seed: int) -> Array:
    """Return the sample path of the thesis that has this seed, 1 to 20 there, on `GRID`, [100].

    Its code lets numpy's legacy generator draw from the posterior of the process given f(0) = 0: singular vectors of the
    covariance, each times a standard normal number and the root of its singular value. Their signs, which differ between
    libraries of linear algebra, are those with which the published rows of single networks come out. Vectors after the
    thirteenth, whose roots are below 1e-4, count as rounding errors.
    """
    at_zero = np.exp(-2 * GRID**2)
    covariance = np.exp(-2 * (GRID[:, None] - GRID) ** 2) - np.multiply.outer(at_zero, at_zero)
    values, vectors = (part[..., ::-1][..., : len(THESIS_SIGNS)] for part in np.linalg.eigh(covariance))
    normal = np.random.RandomState(seed).standard_normal(len(GRID))[: len(THESIS_SIGNS)]
    path: Array = vectors @ (np.sign(vectors[0]) * THESIS_SIGNS * np.sqrt(values) * normal)
    return path


@dataclass(frozen=True)
class Data:
    """A sample path on the grid and the order in which its points are added.

    Attributes:
        paths: where the path is from.
        index: which of them.
        seed: of the path.
        path: its values on `GRID`, [100].
        order: indices into the grid, up to the largest training set.
        sizes: training set sizes, increasing.
    """

    paths: Paths
    index: int
    seed: int
    path: Array
    order: Array
    sizes: tuple[int, ...]

    @classmethod
    def of(cls, paths: Paths, index: int, config: Config) -> Data:
        """Return the data set of this index."""
        seed = index + 1 if paths == "thesis" else seed_of(ID, config.seed, "data", index)
        path = thesis_path(seed) if paths == "thesis" else gaussian_process(seed)
        sizes = tuple(sorted(set(config.sizes)))
        return cls(paths, index, seed, path, ORDERS[config.order](GRID, sizes[-1]), sizes)

    def first(self, n: int) -> tuple[Array, Array]:
        """Return the training set of the first n points, increasing: x [n] and y [n]."""
        chosen = np.sort(self.order[:n])
        return GRID[chosen], self.path[chosen]

    def row(self, model: str, n: int) -> Row:
        """Return the columns that say on what a row was measured."""
        return {"paths": self.paths, "model": model, "data_set": self.index, "data_seed": self.seed, "n": n}


def interpolations(paths: Paths, index: int, config: Config) -> list[Row]:
    """Return a row for each polynomial and linear spline through the training sets of a data set."""
    data, rows = Data.of(paths, index, config), []
    for n in data.sizes:
        x, y = data.first(n)
        for model, f in (("polynomial", polynomial(x, y)), ("spline", PiecewiseLinear.interpolate(x, y))):
            bend = float(f.derivative_variation())
            rows.append(
                {
                    **data.row(model, n),
                    "initialiser": "",
                    "seed_index": 0,
                    "seed": data.seed,
                    "loss": float(np.mean((np.asarray(f(x)) - y) ** 2)),
                    "steps": 0,
                    "outcome": "interpolated",
                    "converged": True,
                    "gn": float(np.mean(np.abs(slopes_at(f, GRID)))),
                    "wp": bend,
                    "wp_with_linear": bend + abs(float(f.slope)),
                    **path_lengths(f, config.pairs, seed_of(ID, config.seed, "pairs", paths, model, index, n)),
                    **beside(f, x, data.path),
                    "values": np.asarray(f(GRID)).tolist(),
                    "path": data.path.tolist(),
                    "order": data.order[:n].tolist(),
                }
            )
    return rows


def polynomial(x: Array, y: Array) -> PiecewiseLinear:
    """Return the interpolant on the grid of the polynomial of degree n - 1 through n of its points.

    scipy permutes these at random, and rounding with them: the order is fixed.
    """
    values = np.atleast_1d(BarycentricInterpolator(x, y, rng=0)(GRID))
    return PiecewiseLinear.interpolate(GRID, values)


def slopes_at(f: PiecewiseLinear, x: Array) -> Array:
    """Return f' at x [n], at a knot that of the piece right of it."""
    slopes: Array = f.slopes[np.searchsorted(f.knots, x, side="right")]
    return slopes


def networks(paths: Paths, index: int, initialiser: Initialiser, config: Config) -> list[Row]:
    """Train networks on the training sets of a data set; return a row for each."""
    data, scale = Data.of(paths, index, config), config.scale * VARIANCE[initialiser]
    named = partial(seed_of, ID, config.seed)
    # The initialisers share their seeds, so that one is a multiple of the other.
    starts = [(n, k, named("network", paths, index, n, k)) for n in data.sizes for k in range(config.seeds)]
    runs = train_many(
        [
            Member(
                initialise(config.width, seed=seed, scheme="glorot_uniform", scale=scale),
                *data.first(n),
                config.step_size,
                config.max_steps,
                config.stop_loss,
            )
            for n, _, seed in starts
        ],
        loss="mean",
        patience=config.max_steps + 1,
        dwell=0,
        precision=config.precision,
    )
    return [
        {
            **data.row("network", n),
            "initialiser": initialiser,
            "initial_limit": initialization_limit(1, config.width, scale),
            "seed_index": k,
            "seed": seed,
            "loss": run.loss,
            "steps": run.steps,
            "outcome": str(run.outcome),
            "converged": run.outcome == Outcome.INTERPOLATED,
            **measured(
                run,
                data.first(n)[0],
                data.path,
                config.pairs,
                named("pairs", paths, initialiser, index, n, k),
                keep=k == 0,
            ),
        }
        for (n, k, seed), run in zip(starts, runs, strict=True)
    ]


BESIDE = ("least_variation", "least_derivative_variation", "test_loss")
"""The columns with what the data allow, and the test loss: see `beside`."""

MEASURED = (
    *("gn", "wp", "pl0", "pl1", "sampled_pl0", "sampled_pl1", "variation", "derivative_variation", "bend"),
    *BESIDE,
)
"""The columns that a network has only if it did not diverge."""


def measured(run: Run, x: Array, path: Array, pairs: int, seed: int, *, keep: bool) -> Row:
    """Return the measures of a network trained at x [n], and its values on the grid if they are to be kept."""
    if run.outcome == Outcome.DIVERGED:
        return {**dict.fromkeys(MEASURED), "values": []}
    f, weights = PiecewiseLinear.from_weights(run.weights), run.weights
    return {
        "gn": gradient_norm(weights, GRID),
        "wp": weights_product(weights.w1[:, None], weights.w2),
        **path_lengths(f, pairs, seed),
        **beside(f, x, path),
        "bend": float(f.derivative_variation()),
        "values": np.asarray(f(GRID)).tolist() if keep else [],
    }


def beside(f: PiecewiseLinear, x: Array, path: Array) -> Row:
    """Return the least variations that f could have with the values it has at x [n] (V7), and its test loss.

    With its own values, not the targets: training stops above loss 0, and what is nearer to a constant varies less.
    """
    least = PiecewiseLinear.interpolate(x, np.asarray(f(x), dtype=np.float64))
    variations = (least.total_variation(x[0], x[-1]), least.derivative_variation())
    loss = np.mean((np.asarray(f(GRID)) - path) ** 2)
    return {name: float(value) for name, value in zip(BESIDE, (*variations, loss), strict=True)}


def gradient_norm(weights: Weights, x: Array) -> float:
    """Return the mean |f'| of a network at x [n]; a unit with pre-activation 0 counts as active (after eq 3.1)."""
    active = weights.pre_activations(x) >= 0
    return float(np.mean(np.abs(active @ (weights.w1 * weights.w2))))


def path_lengths(f: PiecewiseLinear, pairs: int, seed: int) -> Row:
    """Return the path lengths of f over all pairs of the grid and over some, and its variations on [-1, 1]."""
    chosen = sample_pairs(np.arange(len(GRID))[:, None], pairs, seed=seed)[:, :, 0].long().numpy()
    sampled = [float(np.mean(between[chosen[:, 0], chosen[:, 1]])) for between in variations_between(f, GRID)]
    return {
        "pl0": float(function_path_length(f, GRID)),
        "pl1": float(gradient_path_length(f, GRID)),
        "sampled_pl0": sampled[0],
        "sampled_pl1": sampled[1],
        "variation": float(f.total_variation(GRID[0], GRID[-1])),
        "derivative_variation": float(f.derivative_variation(GRID[0], GRID[-1])),
    }


def variations_between(f: PiecewiseLinear, x: Array) -> tuple[Array, Array]:
    """Return the variations of f and of f' between any two of the points x [n], increasing: two arrays [n, n].

    That of f' is over the open segment, as in `theory.path_lengths.gradient_path_length`.
    """
    inside = f.knots[(f.knots > x[0]) & (f.knots < x[-1])]
    ends = np.union1d(x, inside)
    climbed = np.append(0.0, np.cumsum(np.abs(slopes_at(f, ends[:-1])) * np.diff(ends)))[np.searchsorted(ends, x)]
    turned = np.append(0.0, np.cumsum(np.abs(f.jumps)))
    before, upto = (turned[np.searchsorted(f.knots, x, side=side)] for side in ("left", "right"))
    turns = np.triu(np.maximum(before - upto[:, None], 0.0), 1)
    return np.abs(climbed - climbed[:, None]), turns + turns.T
