"""The weight g of populations and of samples (mulayoff2021, Fig 2; M10): `python -m experiments.weight_function`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.engine.records import Row
from experiments.engine.study import Printed, Study, Task, main, seed_of
from experiments.kit.datasets import standardised
from experiments.kit.plotting import BLACK, BLUE, GREEN, ORANGE, axes_row
from experiments.kit.verdicts import evaluated, tally
from theory.checks import Array
from theory.mulayoff2021 import population_weight, stability_weight
from theory.stability_weight import Distribution

DISTRIBUTIONS: tuple[Distribution, ...] = ("uniform", "gaussian", "laplace")
GRID = np.linspace(-6.0, 6.0, 1201)
SHOWN_POINTS = 20


@dataclass(frozen=True)
class Config:
    """What is run.

    Attributes:
        sample_sizes: numbers n of points in a sample; 20 is the paper's, and drawn in the figure.
        samples: samples of each size from each distribution.
        seed: changes all samples; any integer.
    """

    sample_sizes: tuple[int, ...] = (20, 100, 1_000, 10_000, 100_000)
    samples: int = 20
    seed: int = 0


def tasks(config: Config) -> Mapping[str, Task]:
    """Return one task for each distribution and sample size.

    Raises:
        ValueError: if a sample size is below 2 or there are no samples.
    """
    for n in config.sample_sizes:
        if n < 2:
            raise ValueError(f"--sample-sizes must be at least 2, got {n}")
    if config.samples < 1:
        raise ValueError(f"--samples must be at least 1, got {config.samples}")
    return {
        f"{distribution}-{n}": partial(compare_samples, distribution, n, config)
        for distribution in DISTRIBUTIONS
        for n in sorted(set(config.sample_sizes))
    }


def draw(distribution: Distribution, n: int, seed: int) -> Array:
    """Return n points drawn from the distribution, standardised to mean 0 and variance 1, increasing."""
    generator = np.random.default_rng(seed)
    if distribution == "uniform":
        points = generator.uniform(-1.0, 1.0, n)
    else:
        points = generator.standard_normal(n) if distribution == "gaussian" else generator.laplace(size=n)
    return np.sort(standardised(points))


def compare_samples(distribution: Distribution, n: int, config: Config) -> list[Row]:
    """Return a row for each sample: the largest distance of its g from the population's, and where it is."""
    on_grid = population_weight(GRID, distribution)
    rows: list[Row] = []
    for index in range(config.samples):
        seed = seed_of(STUDY.id, config.seed, distribution, n, index)
        x = draw(distribution, n, seed)
        at_data = population_weight(x, distribution)
        places = np.concatenate([GRID, x, x])
        gaps = np.abs(
            np.concatenate(
                [
                    stability_weight(GRID, x) - on_grid,
                    stability_weight(x, x, side="left") - at_data,
                    stability_weight(x, x, side="right") - at_data,
                ]
            )
        )
        row: Row = {
            "distribution": distribution,
            "n": n,
            "sample": index,
            "seed": seed,
            "distance": float(np.max(gaps)),
            "distance_at": float(places[np.argmax(gaps)]),
            "population_peak": float(np.max(on_grid)),
            "x": x.tolist() if n <= SHOWN_POINTS else [],
        }
        rows.append({**row, **evaluated("M10", row)})
    return rows


def decay(rows: pd.DataFrame) -> dict[str, float]:
    """Return for each distribution the exponent p of the median distance ~ n^p, by least squares on logarithms."""
    medians = rows.groupby(["distribution", "n"])["distance"].median()
    exponents = {}
    for distribution in rows["distribution"].unique():
        of_n = medians[distribution]
        if len(of_n) > 1:
            exponents[distribution] = float(np.polyfit(np.log(of_n.index.to_numpy(float)), np.log(of_n), 1)[0])
    return exponents


def table(rows: pd.DataFrame) -> str:
    """Return the distances by distribution and sample size as text."""
    grouped = rows.groupby(["distribution", "n"], sort=False)["distance"]
    summary = grouped.agg(samples="count", median="median", smallest="min", largest="max").reset_index()
    heading = (
        "Largest |g of the sample - g of the population|, over 1201 points in [-6, 6] and both sides of the data:\n"
    )
    return heading + summary.to_string(index=False, float_format=lambda value: f"{value:.4f}")


def conclusion(rows: pd.DataFrame) -> str:
    """Return the decay of the distances as a sentence."""
    exponents = ", ".join(f"n^{p:.2f} ({name})" for name, p in decay(rows).items()) or "unknown from one size"
    n = rows["n"].min()
    relative = (rows["distance"] / rows["population_peak"])[rows["n"] == n].median()
    return (
        f"In {len(rows)} samples the largest distance of g from the population's decays as {exponents}; "
        f"at n = {n} its median is {relative:.0%} of the peak of g. {tally(rows, 'M10')}."
    )


def figure(rows: pd.DataFrame) -> Figure:
    """Draw a sample of 20 points of each distribution against the population, and the decay of the distances."""
    names = list(rows["distribution"].unique())
    drawing, axes = axes_row(len(names) + 1)
    for axis, name, letter in zip(axes, names, "abc", strict=False):
        axis.plot(GRID, population_weight(GRID, name), color=BLUE, linewidth=2, label="population")
        shown = rows[(rows["distribution"] == name) & (rows["x"].map(len) > 0)]
        if len(shown):
            x = np.asarray(shown.iloc[0]["x"], dtype=np.float64)
            t = np.sort(np.concatenate([np.linspace(-4, 4, 2001), x, np.nextafter(x, -9), np.nextafter(x, 9)]))
            axis.plot(t, stability_weight(t, x), color=ORANGE, linewidth=1.2, label=f"sample of n = {len(x)}")
            axis.plot(x, np.zeros_like(x), "|", color=BLACK, markersize=9, label="its points")
        axis.set(title=f"({letter}) {name.capitalize()}", xlabel="$x$", ylabel="$g(x)$", xlim=(-4, 4))
        axis.set_ylim(-0.02, None)
        axis.legend(loc="upper right", fontsize=8)
    last = axes[-1]
    for name, colour, marker in zip(names, (BLUE, ORANGE, GREEN), "os^", strict=False):
        distances = rows[rows["distribution"] == name].groupby("n")["distance"]
        last.loglog(distances.median(), color=colour, marker=marker, label=name)
        last.fill_between(distances.median().index, distances.min(), distances.max(), color=colour, alpha=0.15)
    sizes = np.array([rows["n"].min(), rows["n"].max()], dtype=np.float64)
    start = float(rows[rows["n"] == rows["n"].min()]["distance"].median())
    last.loglog(sizes, start * np.sqrt(sizes[0] / sizes), color=BLACK, linestyle=":", label="$n^{-1/2}$")
    last.set(title="(d) Distance from the population", xlabel="sample size $n$", ylabel="largest $|g_n - g|$")
    last.legend(loc="lower left", fontsize=8)
    return drawing


STUDY: Study[Config] = Study(
    id="weight_function",
    title="The stability weight g of populations against that of standardised samples (mulayoff2021, Fig 2).",
    claims=("M10",),
    printed=(
        Printed("M10", "Fig 2", "g of n = 20 standardised samples follows the population's; it peaks at the centre."),
    ),
    presets={
        "default": Config(),
        "smoke": Config(sample_sizes=(20, 100, 1_000), samples=3),
        "paper": Config(samples=200),
    },
    tasks=tasks,
    table=table,
    conclusion=conclusion,
    figure=figure,
)

if __name__ == "__main__":
    sys.exit(main(STUDY))
