"""Volhejn 2020, Tables 4.2 and 4.3: does the learned function get less smooth with more training images?"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter

from experiments.engine.records import Row
from experiments.engine.study import Printed, Study, Task, main, seed_of
from experiments.kit import images
from experiments.kit.agreement import RULE, Line, PrintedValue, agreement_table, ceilings, rank_correlations, spread
from experiments.kit.images import ALL_PAIRS, EXACT, MEASURES, SMALL, USUAL, SizesSettings, check_sizes
from experiments.kit.plotting import BLACK, BLUE, GREEN, GREY, ORANGE, axes_row, legend_below
from numerics.training import checked_device
from theory.volhejn2020 import tau_b_ceiling

PRINTED = {
    SMALL: {
        "GN": PrintedValue(0.15, 0.30),
        "PL0": PrintedValue(0.06, 0.40),
        "PL1": PrintedValue(0.96),
        "WP": PrintedValue(0.96),
    },
    USUAL: {
        "GN": PrintedValue(0.77, 0.25),
        "PL0": PrintedValue(0.72, 0.14),
        "PL1": PrintedValue(0.91, 0.08),
        "WP": PrintedValue(0.94, 0.03),
    },
}
"""tau_b of training set size and measure, over the 45 pairs (Tables 4.2 and 4.3)."""

RELEASED = {
    SMALL: {
        "GN": PrintedValue(0.871, 0.095),
        "PL0": PrintedValue(0.281, 0.457),
        "PL1": PrintedValue(0.905),
        "WP": PrintedValue(0.905),
    },
    USUAL: {
        "GN": PrintedValue(0.781, 0.140),
        "PL0": PrintedValue(0.519, 0.281),
        "PL1": PrintedValue(0.854, 0.067),
        "WP": PrintedValue(0.871, 0.074),
    },
}
"""The same of the rows that the thesis released, on the pairs and sizes of the preset `cpu` alone.

From thesis_data/increasing_training_set_size_nd.csv and ..._nd_init_scale_1.csv of its repository, whose 1080 rows each give
Tables 4.2 and 4.3 in full.
"""

PAPER_SIZES = (64, 128, 256, 512, 1024, 2048, 4096, 8192)
PAPER_CEILING = tau_b_ceiling(np.repeat(PAPER_SIZES, 3).astype(float))
"""What tau_b cannot exceed with the thesis's three networks for each size (V12.d)."""


@dataclass(frozen=True)
class Config(SizesSettings):
    """What to train.

    Attributes:
        balanced: whether the two digits alternate in the training set; if not, they come in the order of the file.
    """

    balanced: bool = False


@dataclass(frozen=True)
class Cell:
    """Which network: its initialisation scale, pair, size and repeat."""

    alpha: float
    pair: str
    size: int
    repeat: int

    @property
    def key(self) -> str:
        """The name of the task that trains it alone."""
        return f"alpha-{self.alpha:g}-{self.pair}-{self.size}-{self.repeat}".replace(".", "p")


def tasks(config: Config) -> Mapping[str, Task]:
    """Return one task for each network, or on a GPU for each scale and size.

    Raises:
        ValueError: if a setting is out of its range, or the data cannot be had.
    """
    check_sizes(config, config.balanced)
    cells = [
        Cell(alpha, pair, size, repeat)
        for alpha in config.alphas
        for size in sorted(config.sizes)
        for pair in config.pairs
        for repeat in range(config.repeats)
    ]
    if checked_device(config.device).type == "cpu":
        return {cell.key: partial(trained, (cell,), config) for cell in cells}
    together: dict[str, list[Cell]] = {}
    for cell in cells:
        together.setdefault(f"alpha-{cell.alpha:g}-{cell.size}".replace(".", "p"), []).append(cell)
    return {key: partial(trained, tuple(group), config) for key, group in together.items()}


def trained(cells: tuple[Cell, ...], config: Config) -> list[Row]:
    """Train networks and measure them."""
    return images.trained(
        [
            images.Run(
                images.pair_of(cell.pair, config.data_dir, config.balanced),
                cell.size,
                cell.alpha,
                config.step_size,
                config.max_epochs,
                seed_of(STUDY.id, config.seed, cell.alpha, cell.pair, cell.size, cell.repeat),
                None,
                {"alpha": cell.alpha, "pair": cell.pair, "size": cell.size, "repeat": cell.repeat},
            )
            for cell in cells
        ],
        config,
    )


def converged(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of networks that reached the stop loss: only they count."""
    return rows[rows["outcome"] == "interpolated"]


def lines(rows: pd.DataFrame, alpha: float) -> list[Line]:
    """Return the lines of the table for one initialisation scale."""
    fits = converged(rows[rows["alpha"] == alpha])
    ceiling = float(ceilings(fits, by="pair", against="size").mean())
    of = f"alpha = {alpha:g}"
    found = []
    for name in (*MEASURES, *EXACT):
        tau = spread(rank_correlations(fits, name, by="pair", against="size"))
        printed = PRINTED.get(alpha, {}).get(name)
        found.append(Line(of, name, tau, ceiling, printed, PAPER_CEILING))
    return found


def released(rows: pd.DataFrame) -> list[Line]:
    """Return the lines once more beside the released rows, if the pairs and sizes are those of `RELEASED`."""
    if set(rows["pair"]) != set(CPU.pairs) or set(rows["size"]) != set(CPU.sizes):
        return []
    return [
        replace(line, printed=RELEASED[alpha][line.measure], printed_ceiling=math.nan)
        for alpha in RELEASED
        if alpha in set(rows["alpha"])
        for line in lines(rows, alpha)
        if line.measure in MEASURES
    ]


def table(rows: pd.DataFrame) -> str:
    """Return tau_b of training set size and measure beside the printed values, then medians and the discussion."""
    alphas = sorted(rows["alpha"].unique())
    text = agreement_table([line for alpha in alphas for line in lines(rows, alpha)], len(ALL_PAIRS))
    notes = [f"{RULE}."]
    sizes = tuple(sorted(rows["size"].unique()))
    if sizes != PAPER_SIZES:
        notes.append(
            f"The paper's values are for sizes {PAPER_SIZES[0]} to {PAPER_SIZES[-1]}, with a ceiling of {PAPER_CEILING:.3f}; "
            f"these rows end at {sizes[-1]}, so the agreement is that of tau_b over its ceiling."
        )
    parts = [text, "", *notes]
    if same := released(rows):
        parts += ["", "Beside the rows that the thesis released, on the same pairs and sizes:"]
        parts += [agreement_table(same, len(CPU.pairs))]
    return "\n".join([*parts, "", medians(rows), "", *discussion(rows)])


def medians(rows: pd.DataFrame) -> str:
    """Return the medians of what was measured, by initialisation scale and training set size."""
    columns = (*MEASURES, *EXACT[:3], "test_error", "epochs", "train_seconds")
    text = [f"{'medians':>7} {'size':>5} {'fit':>9} " + " ".join(f"{name:>13}" for name in columns)]
    for (alpha, size), group in rows.groupby(["alpha", "size"]):
        fits = converged(group)
        values = [float(fits[name].astype(float).median()) for name in columns]
        count = f"{len(fits)} of {len(group)}"
        text.append(f"{alpha:>7g} {size:>5} {count:>9} " + " ".join(f"{value:>13.4g}" for value in values))
    return "\n".join(text)


def discussion(rows: pd.DataFrame) -> list[str]:
    """Return which of the thesis's conclusions agree with the rows, and what the exact measures add."""
    text = []
    for alpha in sorted(rows["alpha"].unique()):
        fits = converged(rows[rows["alpha"] == alpha])
        tau = {name: spread(rank_correlations(fits, name, by="pair", against="size")) for name in (*MEASURES, *EXACT)}
        low, high = min(tau["PL1"].mean, tau["WP"].mean), max(tau["GN"].mean, tau["PL0"].mean)
        text.append(
            f"alpha = {alpha:g}: {'agrees' if low > high else 'does not agree'} with the printed 'the trend is much stronger "
            f"in second-order measures': tau_b is at least {low:.2f} for PL1 and WP, at most "
            f"{high:.2f} for GN and PL0."
        )
        ceiling = ceilings(fits, by="pair", against="size")
        for name in ("PL1", "WP"):
            reached = rank_correlations(fits, name, by="pair", against="size")
            full = int(np.isclose(reached, ceiling[reached.index]).sum())
            text.append(
                f"alpha = {alpha:g}: {name} rises with every size in all repeats, tau_b at its ceiling, for {full} of "
                f"{len(reached)} pairs."
            )
    fits = converged(rows)
    ratio = fits["PL1 exact"] / fits["WP"]
    seen = fits["PL1"] / fits["PL1 exact"]
    shares = fits["PL1 all pairs"] / fits["WP"]
    text += [
        f"B6 bounds PL1 over all pairs by WP/2. PL1/WP is between {shares.min():.3f} and {shares.max():.3f} over all test "
        f"pairs, {ratio.min():.3f} and {ratio.max():.3f} on the sample of segments: V9's 'PL1 = WP' is about another PL1.",
        f"100 points a segment see between {seen.min():.1%} and {seen.max():.1%} of the exact PL1 of the same segments "
        f"(median {seen.median():.1%}): several units switch between two points, and their jumps cancel in part. For PL0 "
        f"it is at least {(fits['PL0'] / fits['PL0 exact']).min():.2%}.",
        _noise(fits),
    ]
    return text


def _noise(fits: pd.DataFrame) -> str:
    steps = []
    for _, group in fits.groupby(["alpha", "pair"]):
        levels = group.groupby("size")["PL0"].median().to_numpy()
        steps += list(np.abs(np.diff(levels)))
    error, change = float(fits["PL0 s.e."].median()), float(np.median(steps)) if steps else math.nan
    return (
        f"PL0's standard error from 1000 pairs is {error:.4f} at the median, the change of its median from one size to the "
        f"next {change:.4f}: drawn anew for each network, the sample hides that trend; here all networks of a pair share it."
    )


def conclusion(rows: pd.DataFrame) -> str:
    """Return how many networks converged, and how many printed values are met."""
    found = [line for alpha in sorted(rows["alpha"].unique()) for line in lines(rows, alpha) if line.printed]
    met = sum(line.agreement.startswith("inside") for line in found)
    fits = converged(rows)
    same = released(rows)
    again = sum(line.agreement.startswith("inside") for line in same)
    return (
        f"{len(fits)} of {len(rows)} networks converge, on {rows['pair'].nunique()} of the paper's {len(ALL_PAIRS)} pairs "
        f"and sizes up to {rows['size'].max()} of {PAPER_SIZES[-1]}; {met} of {len(found)} mean rank correlations lie inside "
        f"the printed spread"
        + (f", {again} of {len(same)} inside that of the released rows on the same pairs and sizes." if same else ".")
    )


COLOURS = {"GN": ORANGE, "PL0": GREEN, "PL1": BLUE, "WP": BLACK}


def figure(rows: pd.DataFrame) -> Figure:
    """Draw the measures against the training set size, relative to the smallest, and the rank correlations."""
    alphas = sorted(rows["alpha"].unique())
    drawing, axes = axes_row(len(alphas) + 1, 4.4)
    for axis, alpha in zip(axes, alphas, strict=False):
        fits = converged(rows[rows["alpha"] == alpha])
        for name in MEASURES:
            levels = fits.groupby(["pair", "size"])[name].median().unstack("pair")
            relative = levels / levels.iloc[0]
            for pair in relative:
                axis.plot(relative.index, relative[pair], color=COLOURS[name], linewidth=0.6, alpha=0.35)
            axis.plot(relative.index, relative.median(axis=1), "o-", color=COLOURS[name], linewidth=2.2, label=name)
        axis.set_xscale("log", base=2)
        axis.set_yscale("log")
        sizes = sorted(rows["size"].unique())
        axis.set_xticks(sizes, [str(size) for size in sizes])
        axis.yaxis.set_major_formatter(FormatStrFormatter("%g"))
        axis.yaxis.set_minor_formatter(FormatStrFormatter("%g"))
        axis.set(title=rf"$\alpha = {alpha:g}$", xlabel="training images", ylabel="measure / at the smallest size")
        legend_below(axis, 4)
    _draw_tau(axes[-1], rows, alphas)
    drawing.suptitle(
        "MNIST pairs: smoothness against training set size (bold: median over pairs) and its rank correlation",
        fontsize=11,
    )
    return drawing


def _draw_tau(axis: Any, rows: pd.DataFrame, alphas: list[float]) -> None:
    """Draw measured and printed tau_b with their spreads, and the ceilings."""
    markers = "os^v"
    for index, (alpha, marker) in enumerate(zip(alphas, markers, strict=False)):
        found = [line for line in lines(rows, alpha) if line.measure in MEASURES]
        places = np.arange(len(found)) + 0.24 * index - 0.12
        label = rf"measured, $\alpha = {alpha:g}$"
        colour = (BLUE, GREEN)[index % 2]
        axis.errorbar(
            places,
            [f.measured.mean for f in found],
            [f.measured.std for f in found],
            fmt=marker,
            color=colour,
            label=label,
        )
        printed = [(place + 0.09, line.printed) for place, line in zip(places, found, strict=True) if line.printed]
        if printed:
            axis.errorbar(
                [place for place, _ in printed],
                [value.mean for _, value in printed],
                [value.std for _, value in printed],
                fmt=marker,
                color=GREY,
                markerfacecolor="white",
                label=rf"printed, $\alpha = {alpha:g}$",
            )
        axis.axhline(found[0].ceiling, color=colour, linewidth=1, linestyle=":")
    axis.set_xticks(range(len(MEASURES)), MEASURES)
    axis.set(title=r"Kendall's $\tau_b$ (dotted: its ceiling)", ylim=(-0.5, 1.05))
    legend_below(axis)


CPU = Config()

STUDY: Study[Config] = Study(
    id="training_set_size_mnist",
    title="Smoothness of networks trained on more and more images of two digits (volhejn2020, Tables 4.2 and 4.3).",
    claims=("V3", "V6", "V11", "V12", "B6"),
    printed=tuple(
        Printed("V11", locator, "tau_b " + ", ".join(f"{name} {value}" for name, value in PRINTED[alpha].items()) + ".")
        for alpha, locator in ((SMALL, "Table 4.2, alpha = 0.01"), (USUAL, "Table 4.3, alpha = 1"))
    ),
    presets={
        "default": CPU,
        "cpu": CPU,
        "smoke": Config(pairs=("01", "49"), sizes=(16, 32), repeats=2, alphas=(1.0,), batch_size=16, stop_loss=1e-2),
        "paper": Config(pairs=ALL_PAIRS, sizes=PAPER_SIZES),
    },
    tasks=tasks,
    table=table,
    conclusion=conclusion,
    figure=figure,
    identity=images.identity,
    workers_are="processes",
)

if __name__ == "__main__":
    sys.exit(main(STUDY))
