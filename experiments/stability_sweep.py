"""Gradient descent with many step sizes from one start (mulayoff2021, Fig 3; M6, M11), beside the flattest networks (B2).

Run by `python -m experiments.stability_sweep`. The paper gives neither width, data nor step sizes; those of the presets
are chosen here. Step sizes are geometric in units of the data set's critical step size (B1), beyond which no interpolating
function satisfies M6's inequality. Each run ends in a function that other networks compute too: its sharpness is held
against that of the flattest of them, which `numerics.programs.flattest_implementation` finds and encloses, and against
the bound of M5 for all of them. Its geometric complexity is held against what the step size allows a minimum (B25).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter

from experiments.engine.records import Row
from experiments.engine.settings import above_zero, at_least_one
from experiments.engine.study import Printed, Study, Task, main, seed_of
from experiments.kit.datasets import DataSet, chosen
from experiments.kit.measures import (
    FLATTEST_TOLERANCE,
    INTERPOLATES,
    against_flattest,
    against_step_size,
    check_device,
    describe,
    scaled_initialisation,
)
from experiments.kit.plotting import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    YELLOW,
    axes_row,
    draw_curvature,
    draw_functions,
    legend_below,
    literal,
)
from experiments.kit.verdicts import RULING, applies, reasons, ruled, tally
from numerics.training import train
from theory.beyond import critical_step_size
from theory.claim import Ruling
from theory.mulayoff2021.observed import EDGE


@dataclass(frozen=True)
class Config:
    """What is run.

    Attributes:
        data_sets: built-in data sets: sine, hat, step, parabola, gaussian_process, clusters, forbes1857.
        data: CSV file to use in their place; its first line names the columns.
        x: column of the file with the inputs, distinct numbers.
        y: column of the file with the targets.
        standardise: shift and scale the file's columns to mean 0 and variance 1.
        seeds: initialisations for each data set.
        step_sizes: number of step sizes from each initialisation, in a geometric sequence.
        smallest: first step size, in units of the data set's critical step size (B1), which is printed.
        largest: last step size, in the same unit; above 1 no run should interpolate.
        width: hidden units of the network.
        initial_scales: factors on all of torch's default initial weights, taken in turn by the initialisations; smaller
            weights start less sharp, and more runs end near the edge of stability.
        max_steps: steps of gradient descent after which a run is given up.
        stop_loss: loss (1/2n) sum (f - y)^2 at which a run ends, in squared units of y.
        patience: steps without 0.1 % of progress after which a run counts as stalled.
        seed: changes all initialisations; any integer.
        device: where the networks are trained: cpu, or a CUDA device such as cuda:0 (slower for networks this small).
    """

    data_sets: tuple[str, ...] = (*("parabola", "step", "sine", "hat", "gaussian_process", "clusters", "forbes1857"),)
    data: Path | None = None
    x: str = ""
    y: str = ""
    standardise: bool = True
    seeds: int = 8
    step_sizes: int = 14
    smallest: float = 0.02
    largest: float = 1.5
    width: int = 100
    initial_scales: tuple[float, ...] = (1.0, 0.5)
    max_steps: int = 1_000_000
    stop_loss: float = 1e-12
    patience: int = 100_000
    seed: int = 0
    device: str = "cpu"


def tasks(config: Config) -> Mapping[str, Task]:
    """Return one task for each run.

    Raises:
        ValueError: if a setting is out of its range, or the data cannot be used.
    """
    at_least_one(config, "seeds", "step_sizes", "width", "max_steps", "patience")
    above_zero(config, "smallest", "largest", "stop_loss")
    if not config.initial_scales:
        raise ValueError("--initial-scales must hold at least one factor, got none")
    above_zero(config, "initial_scales")
    if config.smallest > config.largest:
        raise ValueError(f"--smallest must not exceed --largest, got {config.smallest} and {config.largest}")
    if config.stop_loss > INTERPOLATES:
        raise ValueError(
            f"--stop-loss must be at most {INTERPOLATES:g}, the loss below which a network counts as interpolating, "
            f"got {config.stop_loss:g}"
        )
    check_device(config.device)
    fractions = np.geomspace(config.smallest, config.largest, config.step_sizes)
    return {
        f"{data.name}-{index:03d}-{place:03d}": partial(one_run, data, index, float(fraction), config)
        for data in data_of(config)
        for index in range(config.seeds)
        for place, fraction in enumerate(fractions)
    }


def data_of(config: Config) -> list[DataSet]:
    """Return the data sets that the configuration asks for."""
    return chosen(config.data_sets, config.data, config.x, config.y, standardise=config.standardise)


def identity(config: Config) -> Mapping[str, Any]:
    """Return the hashes of the data: rows of a file that has changed are rows of another study."""
    return {"data_sha256": {data.name: data.digest for data in data_of(config)}}


def one_run(data: DataSet, index: int, fraction: float, config: Config) -> list[Row]:
    """Train one network from the initialisation of this index, with a step size relative to the critical one."""
    critical = critical_step_size(data.x, data.y)
    step_size = fraction * critical
    seed = seed_of(STUDY.id, config.seed, data.name, index)
    scale = config.initial_scales[index % len(config.initial_scales)]
    run = train(
        scaled_initialisation(config.width, scale, seed),
        data.x,
        data.y,
        step_size=step_size,
        max_steps=config.max_steps,
        stop_loss=config.stop_loss,
        patience=config.patience,
        device=config.device,
    )
    given = {
        "data": data.name,
        "n": len(data.x),
        "seed_index": index,
        "seed": seed,
        "initial_scale": scale,
        "step_size": step_size,
        "critical_step_size": critical,
        "relative_step_size": fraction,
        "beyond_critical": step_size > critical,
    }
    measured = {
        **describe(run, data, step_size),
        **against_flattest(run, data),
        **against_step_size(run, data, step_size),
    }
    return [{**given, **measured, "x": data.x.tolist(), "y": data.y.tolist()}]


def table(rows: pd.DataFrame) -> str:
    """Return what came of each data set and step size as text: medians over initialisations that did not diverge."""
    wide = max([34, *(len(_outcomes(runs)) for _, runs in rows.groupby(["data", "step_size"]))])
    lines = [
        "Medians over initialisations; curvature is int |f''| g. Its bound is that of B7.b, M6 with a loss term,",
        "1/eta - 1/2 + (R + 1) sqrt(2 L), where it applies to a run, and else B7.c's, with lambda_max(Hessian)/2 for 1/eta.",
        "flattest is the sharpness of the flattest network that computes a run's function (B2). GC is the mean of f'(x_j)^2;",
        "beside it what the step size allows it at a minimum with f(x_j) = y_j (B25), of the runs that B25 applies to.",
        f"{'eta/eta*':>8} {'eta':>8} {'outcomes':<{wide}} {'loss':>8} {'sharpness':>9} {'2/eta':>7} {'flattest':>8} "
        f"{'M5 bound':>8} {'curvature':>9} {'bound':>7} {'GC':>6} {'allowed':>8}  verdicts",
    ]
    for data, group in rows.groupby("data", sort=False):
        critical = group["critical_step_size"].iloc[0]
        lines.append(f"{data}: n = {group['n'].iloc[0]}, critical step size eta* = {critical:.4f} (B1)")
        lines += [
            _line(float(runs["relative_step_size"].iloc[0]), runs, wide) for _, runs in group.groupby("step_size")
        ]
    return "\n".join([*lines, "", *notes(rows)])


def _outcomes(runs: pd.DataFrame) -> str:
    """Return how many runs ended how."""
    return ", ".join(f"{count} {outcome}" for outcome, count in runs["outcome"].value_counts().items())


def _line(relative: float, runs: pd.DataFrame, wide: int) -> str:
    """Return the line of the table on the runs with one step size."""
    ends = applies(runs, "B7.b")
    verdicts = [said for said in (tally(runs[ends], "B7.b"), tally(runs[~ends], "B7.c"), tally(runs, "B25")) if said]
    columns = ["loss", "sharpness", "flattest_sharpness", "sharpness_lower_bound", "curvature", "gc", "gc_limit"]
    loss, *middle, complexity, allowed = runs.loc[runs["sharpness"].notna(), columns].astype(float).median()
    bound = (runs["bound_used"] if ends.any() else runs["hessian_bound"]).astype(float).median()
    numbers = (f"{value:.3f}" if np.isfinite(value) else "-" for value in (*middle, bound, complexity))
    sharpness, flattest, lower, curvature, limit, gc = numbers
    shown = f"{loss:.0e}" if np.isfinite(loss) else "-"
    return (
        f"{relative:8.3f} {runs['step_size'].iloc[0]:8.4f} {_outcomes(runs):<{wide}} {shown:>8} {sharpness:>9} "
        f"{runs['stable_sharpness'].iloc[0]:7.2f} {flattest:>8} {lower:>8} {curvature:>9} {limit:>7} "
        f"{gc:>6} {f'{allowed:.1f}' if np.isfinite(allowed) else '-':>8}  "
        f"{', '.join(verdicts) or 'neither applies'}"
    )


def notes(rows: pd.DataFrame) -> list[str]:
    """Return what the table does not show: the edge of stability, toggling units, B7, and how the curvature falls."""
    b7 = rows[applies(rows, "B7.c")]
    return [
        *interpolating_notes(rows),
        *elsewhere_notes(rows),
        f"B7.c, with the Hessian's top eigenvalue and the loss term, applies to {len(b7)} runs: "
        f"{tally(b7, 'B7.c') or 'none'}.",
        f"M11.a, M5's bound <= sharpness <= 2/eta where no unit may toggle: {tally(rows, 'M11.a') or 'applies to none'}.",
        *flattest_notes(rows),
        *complexity_notes(rows),
    ]


def interpolating_notes(rows: pd.DataFrame) -> list[str]:
    """Return what is said of runs that interpolate alone: the edge of stability, B7.b, how the curvature falls."""
    fits, decided = rows[rows["interpolates"]], rows[applies(rows, "B7.b")]
    if not len(fits):
        return [
            "No run interpolates: M11, B7.b and how the curvature falls with the step size have nothing to speak of."
        ]
    bins = pd.cut(fits["relative_step_size"], [0, 0.1, 0.2, 0.4, 0.8, np.inf])
    edges = [f"{_edge(group)} for eta/eta* in {interval}" for interval, group in fits.groupby(bins, observed=True)]
    sharp = decided[decided["sharpness"].astype(float) > decided["stable_sharpness"]]
    excess = (sharp["sharpness"].astype(float) / sharp["stable_sharpness"]).max() - 1 if len(sharp) else 0.0
    tightness = float((decided["curvature"].astype(float) / decided["bound_used"].astype(float)).max())
    near = int((decided["units_within_a_step"].astype(float) > 0).sum())
    starts = [group.sort_values("step_size") for _, group in fits.groupby(["data", "seed_index"]) if len(group) > 1]
    ratios = np.array([group["curvature"].iloc[-1] / group["curvature"].iloc[0] for group in starts], dtype=np.float64)
    fall = f"in {int((ratios < 1).sum())} of {len(ratios)} initialisations"
    return [
        f"M11 holds, sharpness within 5 % of 2/eta, of the runs that interpolate: {', '.join(edges) or 'none'}.",
        f"Sharpness above 2/eta: {len(sharp)} of the {len(decided)} runs that B7.b applies to, by at most {excess:.1%}.",
        f"A unit that may toggle on a data point within a step: {near} of these runs; the minimum that they approach may",
        "lie where the loss is not twice differentiable, though the weights at the end do not.",
        f"int |f''| g falls from the smallest to the largest step size that interpolates {fall}"
        + (f" (median ratio {np.median(ratios):.2f})." if len(ratios) else "."),
        f"int |f''| g is at most {tightness:.2f} of its B7.b bound: where that is small, B7.b is hardly put to the test.",
    ]


def elsewhere_notes(rows: pd.DataFrame) -> list[str]:
    """Return how many of the runs that end without interpolating are at the edge of stability, by their Hessian."""
    ended = rows[~rows["interpolates"] & rows["hessian_sharpness"].notna()]
    if not len(ended):
        return []
    return [
        f"Top eigenvalue of the Hessian within 5 % of 2/eta, of the runs that end above that loss: {_hessian_edge(ended)}."
    ]


def _hessian_edge(runs: pd.DataFrame) -> str:
    """Return how many runs have their Hessian's top eigenvalue as near to 2/eta as M11 asks of the sharpness."""
    away = (runs["hessian_sharpness"].astype(float) / runs["stable_sharpness"] - 1).abs()
    return f"{int((away <= float(EDGE)).sum())} of {len(runs)}"


def flattest_notes(rows: pd.DataFrame) -> list[str]:
    """Return how the runs compare with the flattest networks that compute their functions, and how exact these are."""
    there = rows[rows["flattest_sharpness"].notna()]
    if not len(there):
        return ["B2, the flattest network that computes a run's function: no run has one."]
    ordered, solved = there["in_order"].astype(bool), there["flattest_status"] == "optimal"
    reasons = rows.loc[rows["flattest_sharpness"].isna(), "flattest_status"].value_counts()
    without = ", ".join(f"{reason} in {count}" for reason, count in reasons.items())
    value, sharpness, m5 = (
        there[name].astype(float) for name in ("flattest_sharpness", "sharpness", "sharpness_lower_bound")
    )
    gap = (there["flattest_gap"].astype(float) / value).max()
    measured = (there["flattest_network_sharpness"].astype(float) / value - 1).abs().max()
    fits = there["interpolates"].astype(bool)
    lines = [
        f"B2, the flattest network that computes a run's function: found for {len(there)} of {len(rows)} runs"
        + (f" ({without})" if without else "")
        + f", {int(solved.sum())} of them to {FLATTEST_TOLERANCE:g};",
        f"M5's bound <= certified bound <= flattest <= sharpness, each with its error, in {int(ordered.sum())} of "
        f"{len(there)}. Flattest and certified bound are at most {gap:.0e} apart;",
        f"the networks returned compute the function to {there['flattest_network_error'].astype(float).max():.0e}, and "
        f"their features say the same sharpness to {measured:.0e}.",
    ]
    if fits.any():
        above, tight = (value / m5)[fits], (sharpness / value)[fits]
        lines.append(
            f"Of the runs that interpolate, the flattest is {above.median():.2f} times M5's bound (median; "
            f"{above.min():.2f} to {above.max():.2f}), the sharpness {tight.median():.2f} times the flattest "
            f"({tight.min():.2f} to {tight.max():.1f})."
        )
    return lines


def complexity_notes(rows: pd.DataFrame) -> list[str]:
    """Return how GC compares with what bounds it: B25, the same for n dimensions, and the gradients measured (D10.b)."""
    stable = rows[applies(rows, "B25")]
    lines = [
        f"B25, GC against what the step size allows: {tally(rows, 'B25') or 'applies to none'}; of the others "
        f"{_reasons(rows, 'B25')}.",
        f"D10.b, GC against the gradients in the weights, at any loss: {tally(rows, 'D10.b') or 'applies to none'}; of the "
        f"others {_reasons(rows, 'D10.b')}.",
    ]
    if len(stable):
        gc = stable["gc"].astype(float)
        shares = {
            name: gc / stable[name].astype(float) for name in ("gc_limit", "gc_limit_points", "gc_gradient_bound")
        }
        all_weights, points, gradients = (
            f"{share.median():.2g} (at most {share.max():.2g})" for share in shares.values()
        )
        lines += [
            f"Where B25 applies, GC is at the median {all_weights} of what it allows: with all data in one batch",
            "B25 counts as if each of the P weights could be as sharp as 2/eta, and is hardly put to the test. With n for P,",
            f"which B3.h and D22.a give, GC is {points} of it; and of D10.b's bound {gradients}.",
            "Where a unit may toggle on a data point within a step, f' there, and so GC, is that of the weights at the end.",
        ]
    return lines


def _reasons(rows: pd.DataFrame, id: str) -> str:
    """Return in words why a claim does not apply to rows, and to how many; what diverged has no verdict."""
    gone, without = rows["outcome"] == "diverged", rows[f"{id} {RULING}"].isna()
    rest = {"diverged": int(gone.sum()), "not evaluated": int((without & ~gone).sum())}
    return ", ".join([*reasons(rows, id), *(f"{count} {what}" for what, count in rest.items() if count)]) or "none"


def _edge(runs: pd.DataFrame) -> str:
    return f"{int(ruled(runs, 'M11', Ruling.HOLDS).sum())} of {len(runs)}"


def conclusion(rows: pd.DataFrame) -> str:
    """Return the counts in a sentence, and every run that violates B7.b or B25, interpolates beyond B1, or is out of order."""
    fits, beyond = rows[rows["interpolates"]], rows[rows["beyond_critical"]]
    against = {
        "violates B7.b": ruled(rows, "B7.b", Ruling.VIOLATED),
        "interpolates beyond B1's critical step size": rows["beyond_critical"] & rows["interpolates"],
        "violates B25": ruled(rows, "B25", Ruling.VIOLATED),
        "has M5's bound, the certified one, the flattest and its own sharpness out of order": rows["in_order"].eq(
            False
        ),
    }
    witnesses = [f"\n{key} {what}." for what, which in against.items() for key in rows.loc[which, "key"]]
    open_ones = int(ruled(rows, "B7.b", Ruling.INCONCLUSIVE).sum())
    if not len(fits):
        ended = rows[rows["hessian_sharpness"].notna()]
        return (
            f"Of {len(rows)} runs none interpolates (loss below {INTERPOLATES:g}), and {len(rows) - len(ended)} diverge. Of "
            f"the others {_hessian_edge(ended)} end with the Hessian's top eigenvalue within 5 % of 2/eta; B7.c, the bound "
            f"with that eigenvalue and the loss term, applies to {int(applies(rows, 'B7.c').sum())} runs and is violated in "
            f"{int(ruled(rows, 'B7.c', Ruling.VIOLATED).sum())}." + "".join(witnesses)
        )
    return (
        f"Of {len(rows)} runs {len(fits)} interpolate (loss below {INTERPOLATES:g}): B7.b, M6 with a loss term, applies to "
        f"{int(applies(rows, 'B7.b').sum())} of them, is violated in {int(against['violates B7.b'].sum())} and inconclusive "
        f"in {open_ones}; beyond B1's critical step size {int(beyond['interpolates'].sum())} of {len(beyond)} runs "
        f"interpolate, and {_edge(fits)} end at the edge of stability (M11). B25, GC against what the step size allows, "
        f"applies to {int(applies(rows, 'B25').sum())} and is violated in {int(against['violates B25'].sum())}."
        + "".join(witnesses)
    )


def most_fallen(rows: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    """Return the runs of one initialisation by step size, and the ratio by which int |f''| g falls along them.

    The initialisation is the one whose curvature falls most from the smallest to the largest step size that interpolates.
    """
    found: list[tuple[float, int, pd.DataFrame]] = []
    for _, group in rows.groupby(["data", "seed_index"], sort=False):
        runs = group.sort_values("step_size")
        curvature = runs.loc[runs["interpolates"], "curvature"].astype(float)
        found.append((float(curvature.iloc[-1] / curvature.iloc[0]) if len(curvature) else math.inf, len(found), runs))
    ratio, _, runs = min(found, key=lambda entry: entry[:2])
    return runs, ratio


def halfway(runs: pd.DataFrame) -> int:
    """Return the place of the run whose int |f''| g is closest to the mean of the first and the last one's."""
    curvature = runs["curvature"].astype(float).to_numpy()
    return int(np.argmin(np.abs(curvature - (curvature[0] + curvature[-1]) / 2)))


def figure(rows: pd.DataFrame) -> Figure:
    """Draw the three panels of the paper's Fig 3 for the initialisation whose curvature falls most, and one on its GC."""
    runs, ratio = most_fallen(rows)
    ended = runs[runs["interpolates"]] if runs["interpolates"].any() else runs[runs["sharpness"].notna()]
    shown = ended.iloc[sorted({0, halfway(ended), len(ended) - 1})] if len(ended) else ended
    drawn = [
        (rf"$\eta = {row['step_size']:.3f}$", {str(name): value for name, value in row.items()}, colour)
        for (_, row), colour in zip(shown.iterrows(), (BLACK, BLUE, GREEN), strict=False)
    ]
    drawing, axes = axes_row(4, 4.6)
    draw_functions(axes[0], drawn)
    axes[0].set(title="(a) Functions that gradient descent ends in")
    draw_curvature(axes[1], drawn)
    axes[1].set(title="(b) Smoothed $|f''|$ and the weight $g$")
    draw_sharpness(axes[2], runs)
    draw_complexity(axes[3], runs)
    drawing.suptitle(
        f"{literal(runs['data'].iloc[0])} (n = {runs['n'].iloc[0]}), {len(runs)} step sizes from the "
        + (
            rf"initialisation whose $\int |f''|\,g$ falls most (to {ratio:.0%})"
            if math.isfinite(ratio)
            else "first initialisation; none interpolates"
        ),
        fontsize=11,
    )
    return drawing


def draw_sharpness(axis: Axes, runs: pd.DataFrame) -> None:
    """Draw sharpness, that of the flattest network, the bounds of B2 and M5, and 2/eta, by step size (Fig 3c)."""
    steps = np.geomspace(runs["step_size"].min(), runs["step_size"].max(), 200)
    ended = runs[runs["interpolates"]]
    others = runs[~runs["interpolates"] & runs["sharpness"].notna()]
    axis.loglog(steps, 2 / steps, color=ORANGE, linewidth=2, label=r"$2/\eta$")
    if len(ended):
        axis.loglog(ended["step_size"], ended["sharpness"], "o--", color=YELLOW, markersize=5, label="sharpness")
    solved = ended[ended["flattest_sharpness"].notna()]
    if len(solved):
        flattest, certified = solved["flattest_sharpness"], solved["flattest_lower_bound"]
        axis.loglog(solved["step_size"], flattest, "-", color=BLUE, linewidth=3.5, alpha=0.55, label="flattest (B2)")
        axis.loglog(solved["step_size"], certified, "k:", marker=".", markersize=4, label="certified bound (B2)")
    if len(ended):
        lower = ended["sharpness_lower_bound"]
        axis.loglog(ended["step_size"], lower, "s-", color=PURPLE, markersize=3, linewidth=1, label="lower bound (M5)")
    if len(others):
        axis.loglog(others["step_size"], others["sharpness"], "x", color=GREY, markersize=6, label="sharpness, no fit")
    draw_beyond(axis, runs)
    axis.set(title="(c) Sharpness against step size", ylabel="sharpness")
    legend_below(axis)


def draw_beyond(axis: Axes, runs: pd.DataFrame) -> None:
    """Draw the step sizes of runs that diverged, those beyond the critical one (B1), and ticks on two logarithmic axes."""
    first, last = float(runs["step_size"].min()), float(runs["step_size"].max())
    critical = float(runs["critical_step_size"].iloc[0])
    gone = runs[runs["sharpness"].isna()]
    if len(gone):
        bottom = np.full(len(gone), 0.03)
        axis.plot(gone["step_size"], bottom, "v", color=GREY, transform=axis.get_xaxis_transform(), label="diverged")
    axis.axvline(critical, color=BLACK, linewidth=1, linestyle=":")
    axis.axvspan(critical, max(last, critical) * 1.08, color=GREY, alpha=0.12, linewidth=0, label="beyond B1")
    axis.set_xlim(first / 1.08, max(last, critical) * 1.08)
    axis.set_xlabel(r"step size $\eta$")
    for scale in (axis.xaxis, axis.yaxis):
        scale.set_major_locator(LogLocator(subs=(1, 2, 5)))
        scale.set_major_formatter(FormatStrFormatter("%g"))
        scale.set_minor_formatter(NullFormatter())


def draw_complexity(axis: Axes, runs: pd.DataFrame) -> None:
    """Draw GC by step size, with what the step size allows it (B25), with n for P too, and D10.b's bound."""
    axis.set(xscale="log", yscale="log")
    allowed, ended = runs[applies(runs, "B25")], runs[runs["gc"].notna()]
    fits = ended["interpolates"].astype(bool)
    if len(allowed):
        axis.plot(allowed["step_size"], allowed["gc_limit"], "-", color=ORANGE, linewidth=2, label="allowed (B25)")
        points = allowed["gc_limit_points"]
        axis.plot(allowed["step_size"], points, "--", color=ORANGE, linewidth=1.5, label="allowed, $n$ for $P$")
    bounded = ended[ended["gc_gradient_bound"].notna()]
    if len(bounded):
        bound = bounded["gc_gradient_bound"]
        axis.plot(bounded["step_size"], bound, "s-", color=PURPLE, markersize=3, linewidth=1, label="bound (D10.b)")
    if fits.any():
        axis.plot(ended["step_size"][fits], ended["gc"][fits], "o--", color=YELLOW, markersize=5, label="GC")
    if not fits.all():
        axis.plot(ended["step_size"][~fits], ended["gc"][~fits], "x", color=GREY, markersize=6, label="GC, no fit")
    draw_beyond(axis, runs)
    axis.yaxis.set_major_locator(LogLocator())
    axis.set(title="(d) GC and what the step size allows", ylabel="geometric complexity")
    legend_below(axis)


STUDY: Study[Config] = Study(
    id="stability_sweep",
    title="Gradient descent with many step sizes from one initialisation (mulayoff2021, Fig 3).",
    claims=("M5", "M6", "M11", "M11.a", "B1", "B2", "B7", "B7.b", "B7.c", "B25", "D10.b"),
    printed=(
        Printed("M6", "Theorem 1, eq 21", "int |f''| g <= 1/eta - 1/2 at a stable twice-differentiable solution."),
        Printed(
            "M11", "Fig 3c", "the sharpness at the end lies on 2/eta, and above the lower bound 1 + 2 int |f''| g."
        ),
        Printed("M11", "Fig 3a-b", "the larger the step size, the smoother the function where g is large."),
    ),
    presets={
        "default": Config(),
        "smoke": Config(data_sets=("parabola", "sine"), seeds=1, step_sizes=12, max_steps=300_000, patience=50_000),
        "paper": Config(seeds=20, step_sizes=24, max_steps=3_000_000, patience=300_000),
    },
    tasks=tasks,
    table=table,
    conclusion=conclusion,
    figure=figure,
    identity=identity,
    workers_are="processes",
)

if __name__ == "__main__":
    sys.exit(main(STUDY))
