"""What the rows of `experiments.sgd_threshold.rows` say: calls and their false-alarm rate, thresholds, a sentence, a figure."""

from __future__ import annotations

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter
from scipy.stats import binom, norm

from experiments.kit.plotting import BLACK, BLUE, GREY, ORANGE
from experiments.kit.verdicts import applies, reasons, ruled, tally
from theory.claim import Ruling

STABLE, UNSTABLE, UNDECIDED = "stable", "unstable", "undecided"
"""What a simulated growth is called: below 1, above 1, or neither at the level asked for."""

LEFT = 1e6
"""A run leaves the minimum if its loss rises to so many times that of its start: its distance a thousandfold."""

BY_CHANCE = 1e-3
"""So many violated calls or more count as due to chance unless that is rarer than this."""

NAMES = {
    "without_replacement": "without replacement",
    "with_replacement": "with replacement",
    "reshuffling": "reshuffling",
}
CASE = ["problem", "sampling", "batch"]


def judged(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows on growth with the chances that B3.l is violated, and that it is inconclusive, if it is true."""
    calls = rows[rows["kind"] == "growth"].copy()
    calls["violated_chance"] = np.where(calls["factor"] < 1, calls["chance_unstable"], calls["chance_stable"])
    calls["inconclusive_chance"] = (1 - calls["chance_stable"] - calls["chance_unstable"]).clip(lower=0)
    return calls


def count(calls: pd.DataFrame, ruling: Ruling) -> int:
    """Return on how many calls this is the ruling on B3.l."""
    return int(ruled(calls, "B3.l", ruling).sum())


def chance_of(violated: int, calls: int, level: float) -> float:
    """Return the chance of so many violated calls or more, if each is violated with chance `level` independently."""
    return float(binom.sf(violated - 1, calls, level))


def beyond(off: pd.Series, bar: float) -> int:
    """Return how many differences, in standard errors, are larger than `bar` in size."""
    return int((off.astype(float).abs() > bar).sum())


def table(rows: pd.DataFrame) -> str:
    """Return the calls, the ensembles, the thresholds, and where the networks leave, as text."""
    calls, level = judged(rows), float(rows["level"].iloc[0])
    text = [
        "Growth of E[a a^T] by simulation, called stable or unstable where it is off 1 by "
        f"{norm.isf(level):.2f} standard errors (level {level:g}).",
        "A call is a verdict of B3.l, that it is at most 1 iff eta <= eta*: violated where it lies on the wrong side.",
        "exp.: expected by the exact growths; |z| > 1.96: of the differences to the exact growth (5 % expected).",
        f"{'problem':<14} {'sampling':<20} {'calls':>5} {'violated':>8} {'exp.':>9} "
        f"{'inconclusive':>12} {'exp.':>5} {'|z| > 1.96':>12}",
    ]
    for _, group in calls.groupby(["problem", "sampling"], sort=False):
        problem, sampling = group[["problem", "sampling"]].iloc[0]
        off = group["off"].dropna()
        text.append(
            f"{problem:<14} {NAMES[sampling]:<20} {len(group):>5} {count(group, Ruling.VIOLATED):>8} "
            f"{group['violated_chance'].sum():>9.2g} {count(group, Ruling.INCONCLUSIVE):>12} "
            f"{group['inconclusive_chance'].sum():>5.1f} "
            f"{f'{beyond(off, 1.96)} of {len(off)}':>12}"
        )
    across = int(((calls["exact_growth"] - 1) * (calls["factor"] - 1) < 0).sum())
    text.append(f"The exact growth lies on the other side of 1 than the threshold says in {across} of {len(calls)}.")
    return "\n".join([*text, "", *_ensembles(rows), "", *_boundaries(rows), *_complexities(rows)])


def _ensembles(rows: pd.DataFrame) -> list[str]:
    """Return the lines on plain averages of ||a||^2: by factor, after the short and the long horizon."""
    text = [
        "Plain averages of ||a||^2 over paths. After the short horizon: differences to the exact mean, in standard errors.",
        "After the long one: medians of the ratio to the exact mean and of the share of paths shorter than at first.",
        f"{'eta/eta*':>8} {'averages':>8} {'|z| > 1.96':>10} {'|z| > 3':>7} {'ratio':>9} {'shorter':>7}",
    ]
    for factor, group in rows[rows["kind"] == "ensemble"].groupby("factor"):
        ratio = group["long_value"].astype(float) / group["long_quotient"].astype(float)
        text.append(
            f"{factor:>8.2f} {len(group):>8} {beyond(group['off'], 1.96):>10} {beyond(group['off'], 3):>7} "
            f"{ratio.median():>9.2g} {group['shrunk'].astype(float).median():>7.1%}"
        )
    return text


def _boundaries(rows: pd.DataFrame) -> list[str]:
    """Return the lines on the thresholds of each batch size, and how many runs of SGD on a network leave."""
    factors = sorted(rows[rows["kind"] == "growth"]["factor"].unique())
    runs = rows[rows["kind"] == "network"]
    text = [
        "Thresholds: eta* of the mean square, in units of gradient descent's; where single paths begin to grow, in units of",
        f"eta*, with error; and the share of runs that leave a network's minimum (loss {LEFT:g} times the first), by eta/eta*:",
        f"{'problem':<14} {'sampling':<20} {'B':>2} {'eta*':>6} {'paths':>14} "
        + " ".join(f"{f:>5.2f}" for f in factors),
    ]
    for _, row in rows[rows["kind"] == "exponent"].iterrows():
        same = runs[(runs[CASE] == row[CASE]).all(axis=1)].sort_values("factor")
        shares = [f"{part['left'] / part['runs']:>5.2f}" for _, part in same.iterrows()]
        paths = "not seen" if pd.isna(row["factor"]) else f"{row['factor']:.3f} +- {row['error']:.3f}"
        text.append(
            f"{row['problem']:<14} {NAMES[row['sampling']]:<20} {row['batch']:>2} "
            f"{row['threshold'] / row['gd_threshold']:>6.3f} {paths:>14} {' '.join(shares)}".rstrip()
        )
    return text


def held_complexities(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows on networks that B25 was evaluated on."""
    networks = rows[rows["kind"] == "network"]
    return networks[networks["gc"].notna()] if "gc" in networks else networks.iloc[:0]


def _complexities(rows: pd.DataFrame) -> list[str]:
    """Return the lines on the geometric complexity of the networks, by batch size, at the largest stable step size."""
    held = held_complexities(rows)
    if held.empty:
        return []
    text = [
        "",
        "Geometric complexity of the networks against what the step size allows it where SGD is stable (B25; batches without",
        "replacement), at the largest step size below eta*; and with n for the number of weights, which B3.h and D22.a give:",
        f"{'problem':<14} {'B':>2} {'eta':>7} {'GC':>7} {'allowed':>8} {'n for P':>8}  verdicts at all step sizes",
    ]
    for _, group in held.groupby(["problem", "batch"], sort=False):
        stable = group[applies(group, "B25")].sort_values("step_size")
        outside = int(ruled(group, "B25", Ruling.INAPPLICABLE).sum())
        words = ", ".join([*filter(None, [tally(group, "B25")]), *([f"inapplicable {outside}"] if outside else [])])
        start = f"{group['problem'].iloc[0]:<14} {group['batch'].iloc[0]:>2}"
        if len(stable):
            at = stable.iloc[-1]
            numbers = f"{at['step_size']:>7.4f} {at['gc']:>7.3f} {at['gc_limit']:>8.2f} {at['gc_limit_points']:>8.2f}"
        else:
            numbers = f"{'-':>7} {group['gc'].iloc[0]:>7.3f} {'-':>8} {'-':>8}"
        text.append(f"{start} {numbers}  {words}")
    return text


def conclusion(rows: pd.DataFrame) -> str:
    """Return the rulings on the calls beside what chance allows, and where single paths and networks leave."""
    calls, level = judged(rows), float(rows["level"].iloc[0])
    violated = count(calls, Ruling.VIOLATED)
    by_chance = chance_of(violated, len(calls), level) >= BY_CHANCE
    distance = (calls["factor"] - 1).abs()
    nearest = calls[distance < distance.min() + 1e-9]
    places = ", ".join(f"{factor:g}" for factor in sorted(nearest["factor"].unique()))
    text = [
        f"Of {len(calls)} calls: {tally(calls, 'B3.l')}. The {violated} violated are {'no ' if by_chance else ''}more than "
        f"chance allows: at level {level:g} at most {level * len(calls):.2g} are expected, by the exact growths "
        f"{calls['violated_chance'].sum():.2g}, and {calls['inconclusive_chance'].sum():.1f} inconclusive. Nearest to the "
        f"threshold, at eta/eta* = {places}: {tally(nearest, 'B3.l')}."
    ]
    exponents = rows[rows["kind"] == "exponent"]
    seen = exponents[exponents["factor"].notna()]
    if len(seen):
        factor = seen["factor"].astype(float)
        early = int((factor + 2 * seen["error"].astype(float) < 1).sum())
        text.append(
            f"Single paths begin to grow at {factor.min():.2f} to {factor.max():.2f} eta* (median {factor.median():.2f}; seen "
            f"in {len(seen)} of {len(exponents)} cases), in {early} cases below eta* by two errors."
        )
    return "\n".join([*text, *_networks(rows), *_held_against_the_step_size(rows)])


def _networks(rows: pd.DataFrame) -> list[str]:
    """Return a sentence on where networks leave their minimum: against eta*, and against where single paths grow."""
    networks = rows[rows["kind"] == "network"]
    if networks.empty:
        return []
    paths = rows[rows["kind"] == "exponent"].set_index(CASE)[["factor", "error"]].astype(float)
    runs = networks.drop(columns="error").join(paths.rename(columns={"factor": "crossing"}), on=CASE)
    apart = runs[(runs["factor"] - runs["crossing"]).abs() > runs["error"]]
    below, past = apart["factor"] < 1, apart["factor"] > apart["crossing"]
    parts = {"below eta*": below & ~past, "between the two": ~below & ~past, "beyond where single paths grow": past}
    counts = ", ".join(
        f"{int(apart['left'][part].sum())} of {int(apart['runs'][part].sum())} runs {name}"
        for name, part in parts.items()
    )
    text = f"SGD leaves a network's minimum in {counts} (step sizes within the error of that place are left out)."
    ends = np.array([end for row in runs["new_factors"] for end in row], dtype=np.float64)
    if len(ends):
        text += (
            f" Of {len(ends)} runs looked at that left and ended below their first loss, {int((ends <= 1).sum())} ended where "
            "the step size is below the mean-square threshold of the weights there."
        )
    return [text]


def _held_against_the_step_size(rows: pd.DataFrame) -> list[str]:
    """Return a sentence on B25: how often it holds, why else not, and how near the networks come to it."""
    held = held_complexities(rows)
    if held.empty:
        return []
    stable = held[applies(held, "B25")]
    outside = "".join(f", inapplicable {part}" for part in reasons(held, "B25"))
    text = f"GC of {held['problem'].nunique()} networks against what the step size allows: "
    text += f"{tally(held, 'B25') or 'B25 applies to none'}{outside}."
    if len(stable):
        share = (stable["gc"] / stable["gc_limit"]).astype(float)
        single = share[stable["batch"] == 1]
        text += f" GC is at most {share.max():.2g} of it"
        text += f", {single.median():.2g} (median) for batches of one point." if len(single) else "."
    return [text]


def figure(rows: pd.DataFrame) -> Figure:
    """Draw step sizes against batch sizes for one problem: calls above, the runs of its network, if any, below.

    Under these is GC against step size of as many networks as fit, with what B25 allows.
    """
    networks = rows[rows["kind"] == "network"]
    problem = (networks if len(networks) else rows)["problem"].iloc[-1]
    shown = rows[rows["problem"] == problem]
    samplings = list(dict.fromkeys(shown["sampling"]))
    held = held_complexities(rows)
    lines = (2 if len(networks) else 1) + (1 if len(held) else 0)
    drawing = Figure(figsize=(4.7 * len(samplings), 0.8 + 4.3 * lines), layout="constrained")
    axes = drawing.subplots(lines, len(samplings), squeeze=False, sharey="row")
    handles: dict[str, Artist] = {}
    for column, sampling in enumerate(samplings):
        part = shown[shown["sampling"] == sampling]
        _draw_calls(axes[0][column], part)
        _draw_lines(axes[0][column], part, "gd_threshold")
        axes[0][column].set_title(f"Linearised SGD, {NAMES[sampling]}", fontsize=11)
        if len(networks):
            cloud = _draw_runs(axes[1][column], part)
            _draw_lines(axes[1][column], part, "threshold")
            axes[1][column].set_title(f"SGD on the network, {NAMES[sampling]}", fontsize=11)
        for axis in axes[: 2 if len(networks) else 1, column]:
            found, labels = axis.get_legend_handles_labels()
            handles |= dict(zip(labels, found, strict=True))
            axis.set_xlabel("batch size $B$")
    axes[0][0].set_ylabel(r"$\eta$ / threshold of gradient descent")
    if len(networks):
        axes[1][0].set_ylabel(r"$\eta$ / mean-square threshold $\eta^*$")
        drawing.colorbar(cloud, ax=list(axes[1]), label="share of runs that leave", pad=0.01)
    if len(held):
        _draw_complexities(list(axes[2]), held)
    drawing.legend(
        list(handles.values()),
        list(handles),
        loc="outside lower center",
        ncols=len(handles),
        fontsize=10,
        frameon=False,
    )
    drawing.suptitle(f"Where SGD is stable: theory and simulation ({problem}, n = {shown['n'].iloc[0]})", fontsize=12)
    return drawing


def _draw_complexities(axes: list[Axes], held: pd.DataFrame) -> None:
    """Draw GC against step size with what B25 allows it, a network a panel and a batch size a line; hide panels left over."""
    problems = list(held["problem"].unique())[-len(axes) :]
    for axis, problem in zip(axes, problems, strict=False):
        part = held[held["problem"] == problem]
        allowed = part[applies(part, "B25")]
        batches = sorted(allowed["batch"].unique())
        colours = matplotlib.colormaps["viridis"](np.linspace(0, 0.9, len(batches)))
        for batch, colour in zip(batches, colours, strict=True):
            line = allowed[allowed["batch"] == batch].sort_values("step_size")
            axis.plot(line["step_size"], line["gc_limit"], "o-", color=colour, markersize=3.5, label=f"$B$ = {batch}")
            axis.plot(line["step_size"], line["gc_limit_points"], ":", color=colour, linewidth=1.2)
        axis.axhline(float(part["gc"].iloc[0]), color=ORANGE, linewidth=2, label="GC")
        axis.set(xscale="log", yscale="log", xlabel=r"step size $\eta$")
        axis.set_title(f"GC and what $\\eta$ allows it (B25), {problem}", fontsize=11)
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
        axis.xaxis.set_major_formatter(FormatStrFormatter("%g"))
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(True, color="#e6e6e6", linewidth=0.6)
        axis.legend(fontsize=8, frameon=False, ncols=3)
    axes[0].set_ylim(top=12 * float(held["gc_limit"].max()))  # room for the legends
    axes[0].set_ylabel("geometric complexity (dotted: $n$ for $P$)")
    for axis in axes[len(problems) :]:
        axis.set_visible(False)


TICKS = [0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0]


def _draw_lines(axis: Axes, part: pd.DataFrame, unit: str) -> None:
    """Draw the threshold of the mean square and that of single paths, in units of a column, and the frame."""
    known = part[part["kind"] == "exponent"].sort_values("batch")
    axis.plot(known["batch"], known["threshold"] / known[unit], color=BLACK, linewidth=1.5, label="mean square: theory")
    seen = known[known["factor"].notna()]
    axis.errorbar(
        seen["batch"],
        seen["step_size"].astype(float) / seen[unit],
        seen["error"].astype(float) * seen["threshold"] / seen[unit],
        color=BLACK,
        linewidth=1.2,
        linestyle=(0, (4, 2)),
        elinewidth=1.0,
        capsize=2.5,
        label="single paths: simulated",
    )
    heights = part["step_size"].dropna().astype(float) / part[unit]
    low, high = 0.93 * float(heights.min()), 1.07 * float(heights.max())
    axis.set_yscale("log")
    axis.set_ylim(min(low, axis.get_ylim()[0]), max(high, axis.get_ylim()[1]))
    ticks = [
        tick for tick in TICKS if low <= tick <= high and (unit == "threshold" or tick not in (0.8, 0.9, 1.1, 1.25))
    ]
    axis.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.minorticks_off()
    axis.set_xticks(sorted(known["batch"].unique()))
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(True, axis="y", color="#e6e6e6", linewidth=0.6)
    axis.set_axisbelow(True)


def _draw_calls(axis: Axes, part: pd.DataFrame) -> None:
    """Draw the step sizes that were simulated, by what they were called."""
    calls = part[part["kind"] == "growth"]
    height = calls["step_size"] / calls["gd_threshold"]
    for call, marker, colour in ((STABLE, "o", BLUE), (UNSTABLE, "^", ORANGE), (UNDECIDED, "s", GREY)):
        of = calls["call"] == call
        if of.any():
            face = "none" if call == STABLE else colour
            axis.plot(
                calls["batch"][of],
                height[of],
                marker,
                color=colour,
                markersize=4.5,
                markerfacecolor=face,
                label=f"called {call}",
            )


def _draw_runs(axis: Axes, part: pd.DataFrame) -> PathCollection:
    """Draw the step sizes of the runs on a network, by the share that leaves; return what the colours are scaled by."""
    runs = part[part["kind"] == "network"]
    return axis.scatter(
        runs["batch"],
        runs["step_size"] / runs["threshold"],
        c=runs["left"] / runs["runs"],
        cmap="cividis",
        vmin=0,
        vmax=1,
        s=40,
        edgecolors=GREY,
        linewidths=0.5,
    )
