"""What the rows of `training_set_size_1d` say: the table beside the printed one, what follows from it, and the figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.kit.agreement import (
    FLAT,
    INSIDE,
    RULE,
    Line,
    PrintedValue,
    Spread,
    agreement_table,
    ceilings,
    rank_correlations,
    rounded,
    spread,
)
from experiments.kit.plotting import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, axes_row, legend_below

GRID = np.linspace(-1.0, 1.0, 100)
"""The points of the interval that the values in the rows are taken at."""

MEASURES = {"gn": "GN", "pl0": "PL0", "pl1": "PL1", "wp": "WP"}
"""The columns of Table 4.1 and what the thesis calls them."""

FIRST, SECOND = ("gn", "pl0"), ("pl1", "wp")
"""Measures of f' and of f''."""

VARIATIONS = {"variation": "TV(f)", "derivative_variation": "TV(f')"}
"""What the linear spline makes smallest (V7), on [-1, 1]."""

NETWORKS = {
    "gn": PrintedValue(0.72, 0.19),
    "pl0": PrintedValue(0.62, 0.31),
    "pl1": PrintedValue(0.79, 0.12),
    "wp": PrintedValue(0.82, 0.13),
}
POLYNOMIALS = {
    "gn": PrintedValue(0.36, 0.20),
    "pl0": PrintedValue(0.44, 0.22),
    "pl1": PrintedValue(0.51, 0.14),
    "wp": PrintedValue(0.38, 0.15),
}
PRINTED_SIZES = range(2, 11)
PRINTED_SETS, PRINTED_FAILED, PRINTED_SKEW = 20, "23 of 180", 0.05
"""What the thesis ran; its configurations without a network that fits, and by how much such networks skew tau."""


@dataclass(frozen=True)
class Results:
    """The rows on the sample paths of one origin, and what the report asks of them.

    Attributes:
        rows: the rows.
    """

    rows: pd.DataFrame

    @cached_property
    def initialisers(self) -> list[str]:
        """The initialisers, in the order of the rows; the first is the one that the report is about."""
        return list(self.trained["initialiser"].unique())

    @cached_property
    def trained(self) -> pd.DataFrame:
        """All networks."""
        return self.rows[self.rows["model"] == "network"]

    def networks(self, initialiser: str, *, unconverged: bool = False) -> pd.DataFrame:
        """Return the networks with this initialiser that converged, or all that have measures."""
        chosen = self.trained[self.trained["initialiser"] == initialiser]
        return chosen[chosen["gn"].notna()] if unconverged else chosen[chosen["converged"].astype(bool)]

    def medians(self) -> pd.DataFrame:
        """Return a row for each configuration in which a network converged: medians over initialisations."""
        networks = self.networks(self.initialisers[0])
        columns = [*MEASURES, *VARIATIONS]
        return networks.astype(dict.fromkeys(columns, float)).groupby(["data_set", "n"])[columns].median().reset_index()

    def interpolations(self, model: str, *, fitted: bool = False) -> pd.DataFrame:
        """Return the polynomials or splines; if asked for, only where a network converged, in the order of `medians`."""
        chosen = self.rows[self.rows["model"] == model]
        return self.medians()[["data_set", "n"]].merge(chosen, on=["data_set", "n"]) if fitted else chosen

    def failed(self, initialiser: str) -> tuple[int, int]:
        """Return in how many configurations no network converged, and how many there are."""
        networks = self.trained[self.trained["initialiser"] == initialiser]
        fits = networks.groupby(["data_set", "n"])["converged"].any()
        return int((~fits.astype(bool)).sum()), len(fits)


MARGIN = 0.05
"""By how much two means of tau differ before the report says so."""


def taus(frame: pd.DataFrame, measure: str) -> pd.Series[float]:
    """Return Kendall's tau_b of training set size and a measure for each data set."""
    return rank_correlations(frame, measure, by="data_set", against="n")


def lines(results: Results) -> list[Line]:
    """Return the lines of the table on the sample paths of one origin."""
    with_line = {**MEASURES, "wp_with_linear": "WP, line a unit"}
    parts: list[tuple[str, pd.DataFrame, Mapping[str, str], Mapping[str, PrintedValue]]] = [
        (f"networks, {name.replace('_', ' ')}", results.networks(name), MEASURES, NETWORKS)
        for name in results.initialisers
    ]
    parts += [
        (f"medians, {results.initialisers[0].replace('_', ' ')}", results.medians(), {**MEASURES, **VARIATIONS}, {}),
        ("polynomials, all", results.interpolations("polynomial"), with_line, POLYNOMIALS),
        ("polynomials, networks' data", results.interpolations("polynomial", fitted=True), with_line, POLYNOMIALS),
        ("linear spline, all", results.interpolations("spline"), {**MEASURES, **VARIATIONS}, {}),
        ("linear spline, networks' data", results.interpolations("spline", fitted=True), MEASURES, {}),
    ]
    return [
        Line(
            of,
            label,
            spread(taus(frame, measure)),
            spread(ceilings(frame, by="data_set", against="n")).mean,
            printed.get(measure.removesuffix("_with_linear")),
        )
        for of, frame, measures, printed in parts
        for measure, label in measures.items()
    ]


ORIGINS = {"thesis": "The thesis's sample paths", "fresh": "Fresh sample paths"}

WRAP = 120
"""Columns of the text."""


def table(rows: pd.DataFrame) -> str:
    """Return tau_b of all measures beside what Table 4.1 prints, then what follows from the rows, as text."""
    text = [
        "Kendall's tau_b of training set size and measure, mean +- std over data sets; GN at the 100 test points, PL0 and",
        "PL1 exactly over all their pairs. The ceiling is what ties in size leave of 1 (V12.d). Networks that did not",
        "converge are left out. Medians are over initialisations, and without ties, as the interpolations are. off/s.e.",
        "is the difference from the printed mean in standard errors of independent data sets; on the thesis's own paths the",
        "data sets are the same, and it should be smaller.",
        f"{RULE}; Table 4.1 has {PRINTED_SETS} data sets",
        f"and sizes {PRINTED_SIZES[0]} to {PRINTED_SIZES[-1]}.",
    ]
    for origin, group in rows.groupby("paths", sort=False):
        results = Results(group)
        text += [
            "",
            f"{ORIGINS[str(origin)]}: {group['data_set'].nunique()} data sets, sizes {group['n'].min()} to "
            f"{group['n'].max()}, {len(results.trained)} networks",
            agreement_table(lines(results), PRINTED_SETS),
            "",
            *(fill(sentence, WRAP, subsequent_indent="  ") for sentence in discussion(results)),
        ]
    return "\n".join(text)


def discussion(results: Results) -> list[str]:
    """Return what the rows on the sample paths of one origin say about the conclusions of the thesis, a line each."""
    if not (results.medians().groupby("data_set")["n"].nunique() > 1).any():
        return ["In no data set did networks of two sizes converge: nothing can be said."]
    return [
        *against_polynomials(results),
        by_order(results),
        *against_spline(results),
        rising(results),
        exactness(results),
        sampling(results),
        convergence(results),
        *initialisation(results),
    ]


def each(measures: Mapping[str, str] | tuple[str, ...], say: Mapping[str, str]) -> str:
    """Return what is said of each measure, with its name, separated by commas."""
    return ", ".join(f"{(MEASURES | VARIATIONS)[measure]} {say[measure]}" for measure in measures)


def against_polynomials(results: Results) -> list[str]:
    """Return whether tau is higher for networks than for polynomials, as the thesis has it and on equal terms."""
    raw, medians = results.networks(results.initialisers[0]), results.medians()
    everywhere, fitted = (results.interpolations("polynomial", fitted=choice) for choice in (False, True))
    above = {m: spread(taus(raw, m)).mean > spread(taus(everywhere, m)).mean for m in MEASURES}
    fair, say = {}, {}
    for measure in MEASURES:
        ours, theirs = taus(medians, measure), taus(fitted, measure)
        higher, fair[measure] = (ours > theirs).sum(), ours.mean() > theirs.mean()
        say[measure] = f"{ours.mean():.2f} against {theirs.mean():.2f} (higher in {higher} of {len(ours)} data sets)"
    return [
        f"Networks above polynomials: for {sum(above.values())} of {len(MEASURES)} measures as the thesis compares them, "
        f"polynomials on all data and networks without those that did not converge.",
        f"On equal terms, medians and the same data: for {sum(fair.values())} of {len(MEASURES)}; {each(MEASURES, say)}.",
    ]


def by_order(results: Results) -> str:
    """Return whether measures of f'' rise more reliably than those of f', and whether all rise."""
    found = {m: taus(results.networks(results.initialisers[0]), m) for m in MEASURES}
    first, second = (max(FIRST, key=lambda m: found[m].mean()), min(SECOND, key=lambda m: found[m].mean()))
    agrees = found[second].mean() > found[first].mean()
    higher = int((found[second] > found[first]).sum())
    negative = sum(int((values <= 0).sum()) for values in found.values())
    return (
        f"Second-order above first-order: the means {'agree' if agrees else 'do not agree'} with it, the lower of "
        f"{MEASURES[second]} {found[second].mean():.2f} and the higher of {MEASURES[first]} {found[first].mean():.2f}; "
        f"for these two in {higher} of {len(found[first])} data sets. All rise: "
        f"{sum(v.mean() > 0 for v in found.values())} of {len(MEASURES)} means are positive, and tau_b is 0 or less in "
        f"{negative} of the {sum(map(len, found.values()))} cases of a measure and a data set."
    )


def against_spline(results: Results) -> list[str]:
    """Return how the networks' tau and measures compare with those of the linear spline through the same data."""
    medians, spline = results.medians(), results.interpolations("spline", fitted=True)
    say, limited, short = {}, [], []
    for measure, label in MEASURES.items():
        ours, theirs = taus(medians, measure), taus(spline, measure)
        alike = f", correlation {ours.corr(theirs):.2f}" if min(ours.std(), theirs.std()) > FLAT else ""
        say[measure] = f"{ours.mean():.2f} against {theirs.mean():.2f}{alike}"
        limited += [label] if theirs.mean() < 1 - MARGIN else []
        short += [label] if ours.mean() < theirs.mean() - MARGIN else []
    merged = medians.merge(spline, on=["data_set", "n"], suffixes=("", "_spline"))
    bent = merged[merged["derivative_variation_spline"] > 0]
    ratios = {m: bent[m] / bent[f"{m}_spline"] for m in ("pl0", "pl1", *VARIATIONS)}
    shown = {m: f"{values.median():.2f}" if len(values) else "-" for m, values in ratios.items()}
    below = int((ratios["derivative_variation"] < 1).sum())
    return [
        f"Linear spline, the exact minimiser of TV(f) and TV(f') (V7), on the same data: tau of the networks' medians "
        f"against its, {each(MEASURES, say)}. Its own tau is more than {MARGIN} below 1 in {' and '.join(limited) or 'none'}, "
        f"where the limit is the data's, not the training's; the networks fall short of it by more in "
        f"{' and '.join(short) or 'none'}.",
        f"The networks' measures over the spline's, medians over configurations: "
        f"{each(tuple(ratios), shown)}; TV(f') is below the "
        f"spline's, which fits exactly, in {below} of {len(bent)}: V7 leaves room for that because the loss is not 0.",
    ]


def rising(results: Results) -> str:
    """Return in how many data sets a measure never falls, as eq 4.2 has it, for the medians and for the spline."""
    say = {}
    for measure in (*MEASURES, *VARIATIONS):
        counts = [
            f"{sum(never_falls(group, measure) for _, group in frame.groupby('data_set'))}"
            for frame in (results.medians(), results.interpolations("spline"))
        ]
        say[measure] = f"{counts[0]} and {counts[1]}"
    sets = results.rows["data_set"].nunique()
    return (
        f"V11, S(f_1) <= S(f_2) <= ...: measures of the networks' medians and of the spline never fall in so many of {sets} "
        f"data sets: {each((*MEASURES, *VARIATIONS), say)}. The spline minimises the last two, so there it must."
    )


def never_falls(group: pd.DataFrame, measure: str) -> bool:
    """Return whether a measure never falls from one training set size to the next."""
    values = rounded(group.sort_values("n")[measure].to_numpy(np.float64))
    return bool(np.all(np.diff(values) >= 0))


def exactness(results: Results) -> str:
    """Return what the exact measures say of B6.b and V9."""
    networks = results.networks(results.initialisers[0]).astype({"bend": float})
    wp, inside = networks["wp"].astype(float), networks["derivative_variation"].astype(float)
    ratio = (networks["pl1"].astype(float) / wp).max()
    outside = networks["bend"] - inside > 1e-9 * wp
    merged = int((wp - networks["bend"] > 1e-9 * wp).sum())
    excess = (wp / inside - 1)[outside]
    by = f", by {excess.median():.2%} in the median and {excess.max():.2%} at most" if len(excess) else ""
    return (
        f"B6.b, PL1 <= WP/2: PL1/WP is at most {ratio:.4f}. V9, TV(f') = WP: of {len(networks)} networks {int(outside.sum())} "
        f"have knots outside (-1, 1), so that WP exceeds TV(f'){by}; {merged} have units whose knots coincide and cancel."
    )


def sampling(results: Results) -> str:
    """Return how much the sampling of pairs adds to what is measured, and what it costs."""
    networks = results.networks(results.initialisers[0])
    medians, spline = results.medians(), results.interpolations("spline")
    parts = []
    for measure in ("pl0", "pl1"):
        bent = networks[networks[measure] > 0]
        exact, drawn = bent[measure].astype(float), bent[f"sampled_{measure}"].astype(float)
        error = float(np.sqrt(np.mean((drawn / exact - 1) ** 2)))
        steps = medians.sort_values(["data_set", "n"]).groupby("data_set")[measure].pct_change().abs().dropna()
        means = [taus(frame, name).mean() for frame in (networks, spline) for name in (measure, f"sampled_{measure}")]
        parts.append(
            f"{MEASURES[measure]} by {error:.1%} (root mean square), more than it changes from one size to the next in "
            f"{int((steps < error).sum())} of {len(steps)} cases; mean tau {means[1]:.2f} for {means[0]:.2f} of the "
            f"networks and {means[3]:.2f} for {means[2]:.2f} of the spline"
        )
    return f"Sampled pairs miss the exact {'; '.join(parts)}."


def convergence(results: Results) -> str:
    """Return how many configurations no network fits, and what leaving such networks out does to tau."""
    first = results.initialisers[0]
    failed, configurations = results.failed(first)
    skews = {
        m: spread(taus(results.networks(first, unconverged=True), m)).mean
        - spread(taus(results.networks(first), m)).mean
        for m in MEASURES
    }
    return (
        f"No network converged in {failed} of {configurations} configurations (printed: {PRINTED_FAILED}). With the networks "
        f"that did not, mean tau changes by {each(MEASURES, {m: f'{skew:+.3f}' for m, skew in skews.items()})} "
        f"(printed: by at most {PRINTED_SKEW})."
    )


def initialisation(results: Results) -> list[str]:
    """Return what eq 4.1's limit as printed changes, if both initialisers were run."""
    if len(results.initialisers) < 2:
        return []
    first, second = results.initialisers[:2]
    changes = {m: taus(results.networks(second), m).mean() - taus(results.networks(first), m).mean() for m in MEASURES}
    pair = results.trained.pivot_table(index=["data_set", "n", "seed_index"], columns="initialiser", values="steps")
    slower = float((pair[second] / pair[first]).median())
    return [
        f"V10: {second.replace('_', ' ')} for {first.replace('_', ' ')} changes mean tau by "
        f"{each(MEASURES, {m: f'{change:+.3f}' for m, change in changes.items()})}; the steps by the factor {slower:.2f} in "
        f"the median; {results.failed(second)[0]} configurations without convergence."
    ]


def conclusion(rows: pd.DataFrame) -> str:
    """Return in a sentence for each origin of sample paths how many printed means are met, and how closely."""
    sentences = []
    for origin, group in rows.groupby("paths", sort=False):
        parts = []
        found = [line for line in lines(Results(group)) if line.printed and line.measure in MEASURES.values()]
        for of in dict.fromkeys(line.of for line in found):
            shown = [line for line in found if line.of == of]
            off = [
                abs(line.measured.mean - line.printed.mean) for line in shown if line.printed and line.measured.count
            ]
            met = f"{sum(line.agreement == INSIDE for line in shown)} of {len(off)} (off by at most {max(off, default=0):.2f})"
            parts.append(f"{met if off else 'none measured'} for {of}")
        sentences.append(f"{ORIGINS[str(origin)]}: means of Table 4.1 inside the printed spread, {'; '.join(parts)}.")
    return "\n".join(fill(sentence, WRAP, subsequent_indent="  ") for sentence in sentences)


SHOWN = 3
"""Sample paths in the figure."""


def figure(rows: pd.DataFrame) -> Figure:
    """Draw sample paths with networks, two measures against training set size, and tau_b beside Table 4.1."""
    origin = str(rows["paths"].iloc[0])
    results = Results(rows[rows["paths"] == origin])
    drawing, axes = axes_row(4, 4.6)
    draw_paths(axes[0], results)
    draw_growth(axes[1], results, "pl0")
    draw_growth(axes[2], results, "pl1")
    draw_taus(axes[3], results)
    axes[0].set(title="(a) Sample paths, and networks on one of them")
    axes[1].set(title="(b) PL0 against training set size")
    axes[2].set(title="(c) PL1 against training set size")
    axes[3].set(title=r"(d) Kendall's $\tau_b$ of size and measure")
    sets = results.rows["data_set"].nunique()
    drawing.suptitle(
        f"{ORIGINS[origin]}, {sets} data sets; networks {results.initialisers[0].replace('_', ' ')}", fontsize=11
    )
    return drawing


def draw_paths(axis: Axes, results: Results) -> None:
    """Draw three sample paths (Fig 4.1), and networks of three sizes on the widest of those that are fitted most often."""
    splines = results.interpolations("spline").sort_values("n")
    paths = {int(row["data_set"]): np.asarray(row["path"]) for _, row in splines.iterrows()}
    kept = results.trained[results.trained["initialiser"] == results.initialisers[0]].sort_values("n")
    kept = kept[kept["values"].map(len) > 0]
    fitted = {index: kept[(kept["data_set"] == index) & kept["converged"].astype(bool)] for index in paths}
    chosen = max(paths, key=lambda index: (len(fitted[index]), float(np.ptp(paths[index]))))
    for place, index in enumerate([index for index in paths if index != chosen][: SHOWN - 1]):
        axis.plot(GRID, paths[index], color=GREY, linewidth=1, label="" if place else "two other paths")
    axis.plot(GRID, paths[chosen], color=BLACK, linewidth=2.6, label="sample path")
    networks = fitted[chosen]
    last = len(networks) - 1
    chosen_rows = networks.iloc[sorted({0, min(2, last), last})] if last >= 0 else networks
    styles = zip((ORANGE, GREEN, BLUE), (9, 6, 3.5), strict=True)
    for (_, row), (colour, size) in zip(chosen_rows.iterrows(), styles, strict=False):
        points = splines[(splines["data_set"] == chosen) & (splines["n"] == row["n"])].iloc[0]["order"]
        axis.plot(GRID, row["values"], color=colour, linewidth=1.4, label=f"network, n = {row['n']}")
        axis.plot(GRID[points], paths[chosen][points], "o", color=colour, markersize=size)
    axis.set(xlabel="$x$", ylabel="$f(x)$")
    legend_below(axis)


def draw_growth(axis: Axes, results: Results, measure: str) -> None:
    """Draw the median of a measure against training set size, with quartiles, over data sets that are fitted throughout.

    If there are none, over all data sets as far as they are fitted.
    """
    medians = results.medians()
    sizes = medians.groupby("data_set")["n"].nunique()
    whole = sizes.index[sizes == results.trained["n"].nunique()]
    frames = (
        ("networks (medians)", medians, BLUE, "o"),
        ("linear spline", results.interpolations("spline", fitted=True), ORANGE, "s"),
        ("polynomials", results.interpolations("polynomial", fitted=True), PURPLE, "^"),
    )
    for label, frame, colour, marker in frames:
        values = (frame[frame["data_set"].isin(whole)] if len(whole) else frame).groupby("n")[measure]
        middle, low, high = values.median(), values.quantile(0.25), values.quantile(0.75)
        axis.plot(middle.index, middle, color=colour, marker=marker, markersize=5, label=label)
        axis.fill_between(middle.index, low, high, color=colour, alpha=0.13, linewidth=0)
    shown = f"{len(whole)} data sets fitted at every size" if len(whole) else "data sets as far as fitted"
    axis.set(xlabel=f"training set size $n$; {shown}", ylabel=f"{MEASURES[measure]}, median and quartiles")
    axis.set_ylim(bottom=0)
    legend_below(axis)


def draw_taus(axis: Axes, results: Results) -> None:
    """Draw the means of tau_b with standard deviations, measured and printed, and the ceiling."""
    networks = results.networks(results.initialisers[0])
    drawn: list[tuple[str, Sequence[Spread | PrintedValue], str, str, str]] = []
    for label, frame, colour, marker, printed in (
        ("networks", networks, BLUE, "o", NETWORKS),
        ("linear spline", results.interpolations("spline"), ORANGE, "s", {}),
        ("polynomials", results.interpolations("polynomial"), PURPLE, "^", POLYNOMIALS),
    ):
        drawn.append((label, [spread(taus(frame, measure)) for measure in MEASURES], colour, marker, colour))
        if printed:
            drawn.append((f"{label}, printed", list(printed.values()), colour, marker, "white"))
    places = np.arange(len(MEASURES))
    for (label, values, colour, marker, filling), offset in zip(
        drawn, np.linspace(-0.28, 0.28, len(drawn)), strict=True
    ):
        axis.errorbar(
            places + offset,
            [value.mean for value in values],
            np.nan_to_num([value.std for value in values]),
            color=colour,
            marker=marker,
            markerfacecolor=filling,
            linestyle="none",
            capsize=2,
            label=label,
        )
    ceiling = spread(ceilings(networks, by="data_set", against="n")).mean
    axis.axhline(ceiling, color=BLACK, linestyle=":", linewidth=1, label="networks' ceiling")
    axis.axhline(0, color=BLACK, linewidth=0.8)
    axis.set_xticks(places, list(MEASURES.values()))
    axis.set(ylabel=r"mean $\tau_b$ and standard deviation")
    legend_below(axis)
