"""How the claims of `theory.volhejn2020.tendencies` are put to the test: on sample paths, and on pairs of digits."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from proofs_check.cases import Cases, Effects, Tendencies, apart, middle, taus
from proofs_check.trial import Trial
from proofs_check.trials.operators import limits
from theory.claim import Claim
from theory.volhejn2020.tendencies import (
    NEAR,
    V15,
    V15A,
    V16,
    V16A,
    V16B,
    V17,
    V17A,
    V17B,
    V19,
    V19A,
    V19B,
    V19C,
    V20,
    V20A,
    V20B,
    V20C,
    V22,
    V24,
    V24A,
)

MEASURES = ("GN", "PL0", "PL1", "WP")
FIRST, SECOND = MEASURES[:2], MEASURES[2:]

SCALES = (0.01, 1.0)
"""The initialisation scales of the study on digits."""

COLUMN = {"PL1": "PL1 all training pairs", "WP": "WP"}
"""The columns of what a program makes small."""

LEAST_PL0 = 1.0
"""The least PL0 of functions that fit balanced labels 1 and -1 (V14)."""

STEP_SIZES = {0.005: ("step-0p005",), 0.05: (), 0.2: ("step-0p2",)}
"""The step sizes beside the initialisation scales in one dimension, and the folders of their rows."""

LARGER_STEP = "step-0p1"
"""Where the rows of digits at the larger step size lie; the others are at a tenth of it."""

PENALISED_FOLDERS = ("01-14", "01-14-wp", "35-58")
"""Where the rows of further pairs with penalties lie."""

FURTHER = "further"
"""Where the rows of further pairs beside what a program finds lie, made after what is tested on them was set."""

PATH = "sample path"
PAIR = "pair of digits, the images given: pairs share digits, but no two networks a seed"
TRAINING_SET = "training set, the images given: those of a pair are nested, but no two networks share a seed"
"""What an independent case is."""


def one_d(
    name: str,
    effects: Callable[[pd.DataFrame], Effects],
    columns: tuple[str, ...],
    *,
    model: str = "network",
    **more: Any,
) -> tuple[Cases, ...]:
    """Return a test on the thesis's sample paths, and one on fresh ones, of networks that converge."""
    networks = {"initialiser": "as_coded", "converged": True} if model == "network" else {}
    return tuple(
        Cases(
            f"{name}, 1-D, {said}",
            "training_set_size_1d",
            PATH,
            effects,
            ("data_set", *columns),
            "all",
            among={"paths": paths, **({"model": model} if model else {}), **networks},
            sizes={"n": 2},
            **more,
        )
        for paths, said in (("thesis", "the thesis's paths"), ("fresh", "fresh paths"))
    )


def digits(
    name: str,
    effects: Callable[[pd.DataFrame], Effects],
    columns: tuple[str, ...],
    *,
    scales: tuple[float, ...] = SCALES,
    case: str = PAIR,
    sizes: Mapping[str, int] | None = None,
    **more: Any,
) -> tuple[Cases, ...]:
    """Return a test on pairs of digits for each initialisation scale; one over all scales if none is given."""
    return tuple(
        Cases(
            f"{name}, digits, " + (f"alpha = {alpha:g}" if alpha else "both alpha"),
            "training_set_size_mnist",
            case,
            effects,
            ("pair", *columns),
            "cpu",
            among={"outcome": "interpolated", **({"alpha": alpha} if alpha else {})},
            sizes=sizes or {"size": 2, **({} if alpha else {"alpha": 2})},
            **more,
        )
        for alpha in scales or (0.0,)
    )


def example(measure: str, alpha: float) -> tuple[Cases, ...]:
    """Return a test on the four points of eq 3.14, through which least TV(f') does not mean least TV(f)."""
    derivative = {"PL0": "f", "PL1": "f'"}[measure]
    return (
        Cases(
            f"TV({derivative}), 1-D, the points of eq 3.14, alpha = {alpha:g}",
            "interpolant_example",
            "initialisation, on the same four points",
            lambda rows: above_spline(rows[(rows["alpha"] == alpha) | rows["alpha"].isna()], measure=measure),
            ("kind", "data", "alpha", "repeat", measure),
            "paper",
            sizes={"kind": 2},
            measures=(measure,),
        ),
    )


def program(effects: Callable[..., Effects], measure: str, column: str, alpha: float) -> tuple[Cases, ...]:
    """Return tests of trained networks beside those that a program finds for a measure, the further pairs by themselves."""
    return tuple(
        Cases(
            f"{measure}, {words}digits, alpha = {alpha:g}",
            "smoothest_on_digits",
            PAIR,
            partial(effects, measure=measure, column=column, alpha=alpha),
            ("pair", "size", "network", "alpha", "least", column),
            "cpu",
            among={"outcome": "interpolated", "folder": folder},
            sizes={"network": 2},
            folders=(FURTHER,),
            label="least",
            measures=(column,),
        )
        for folder, words in (("", ""), (FURTHER, "further pairs of "))
    )


def penalised(
    name: str, effects: Callable[[pd.DataFrame], Effects], columns: tuple[str, ...], **more: Any
) -> tuple[Cases, ...]:
    """Return a test on networks with and without penalties."""
    return (
        Cases(
            f"{name}, digits",
            "explicit_regularization",
            PAIR,
            effects,
            ("pair", "penalty", "lambda", "step_size", "outcome", *columns),
            "cpu",
            folders=PENALISED_FOLDERS,
            sizes={"penalty": 2},
            **more,
        ),
    )


# What is kept low: 1-D against the least variation with a function's own values, digits against what is known to be lower.


def above_least(rows: pd.DataFrame, *, value: str, least: str) -> Effects:
    """Return how far above the least value a measure is, the median over the networks of each data set."""
    ratio = (rows[value] / rows[least])[rows[least] > 0].map(apart)
    return {name: middle(values) for name, values in ratio.groupby(rows["data_set"])}


def above_spline(rows: pd.DataFrame, *, measure: str) -> Effects:
    """Return how far above the linear spline's variation, the least (V7), that of each network is; rows hold both."""
    (least,) = rows.loc[(rows["kind"] == "linear spline") & (rows["data"] == "example"), measure]
    networks = rows[rows["kind"] == "network"]
    return {name: apart(value / least) for name, value in zip(networks["repeat"], networks[measure], strict=True)}


def above_small_weights(rows: pd.DataFrame, *, measure: str) -> Effects:
    """Return how far above networks from small weights those from the usual ones are, over the sizes of each pair."""
    level = rows.groupby(["pair", "size", "alpha"])[measure].median().unstack("alpha")
    ratio = level[max(level.columns)] / level[min(level.columns)]
    return {name: middle(values.map(apart)) for name, values in ratio.dropna().groupby(level="pair")}


def above_bound(rows: pd.DataFrame) -> Effects:
    """Return how far PL0 is above its lower bound on balanced labels, the median over the networks of each pair."""
    ratio = (rows["PL0 exact"] / LEAST_PL0).map(apart)
    return {name: middle(values) for name, values in ratio.groupby(rows["pair"])}


def _plain(fits: pd.DataFrame, step_size: float, measure: str) -> pd.Series[float]:
    """Return a measure of the networks without a penalty at a step size, by pair."""
    chosen = fits[(fits["penalty"] == "none") & (fits["step_size"] == step_size)]
    return chosen.groupby("pair")[measure].median()


def _above_floor(value: Any, measure: str) -> Any:
    """Return numbers, or columns of them, less the lower bound of their measure, where it has one above 0."""
    return value - LEAST_PL0 if measure == "PL0" else value


def by_penalty(rows: pd.DataFrame, *, measure: str) -> Effects:
    """Return the part of a measure that the largest penalty on it with which a pair's network converges takes off.

    Pairs where no network with, or the one without, reaches the training loss are left out, as in the thesis.
    """
    fits = rows[rows["outcome"] == "interpolated"]
    tried = fits[fits["penalty"] == measure]
    found: dict[Hashable, float | None] = {}
    for pair, networks in tried.groupby("pair"):
        largest = networks.sort_values("lambda").iloc[-1]
        base = _plain(fits, float(largest["step_size"]), measure)
        if pair in base.index:
            part = _above_floor(float(largest[measure]), measure) / _above_floor(float(base[pair]), measure)
            found[pair] = 1 - part if np.isfinite(part) else None
    return found


def _trained_and_found(rows: pd.DataFrame, measure: str, column: str, alpha: float) -> pd.DataFrame:
    """Return a column of networks trained from a scale, and of the one found for a measure, by pair and size."""
    chosen = {"trained": rows[rows["alpha"] == alpha], "found": rows[rows["least"] == measure]}
    return pd.DataFrame(
        {name: part.groupby(["pair", "size"])[column].median() for name, part in chosen.items()}
    ).dropna()


def by_program(rows: pd.DataFrame, *, measure: str, column: str, alpha: float) -> Effects:
    """Return the part of a measure that a network found for it is without, the median over the sizes of each pair."""
    both = _trained_and_found(rows, measure, column, alpha)
    return {pair: middle(values) for pair, values in (1 - both["found"] / both["trained"]).groupby(level="pair")}


def gained(rows: pd.DataFrame, *, measure: str, column: str, alpha: float) -> Effects:
    """Return by how much a column of the network found for a measure is below that of trained ones, likewise."""
    both = _trained_and_found(rows, measure, column, alpha)
    return {pair: middle(values) for pair, values in (both["trained"] - both["found"]).groupby(level="pair")}


def by_step_size(rows: pd.DataFrame, *, measure: str) -> Effects:
    """Return the part of a measure that the larger step size takes off without any penalty, by pair."""
    level = rows.groupby(["pair", "folder"])[measure].median().unstack("folder").dropna()
    part = _above_floor(level[LARGER_STEP], measure) / _above_floor(level[""], measure)
    return {pair: 1 - ratio if np.isfinite(ratio) else None for pair, ratio in part.items()}


def falls_more(rows: pd.DataFrame, *, first: str, second: str) -> Effects:
    """Return the part that a penalty takes off a first-order measure less that off a second-order one, by pair."""
    one, other = (by_penalty(rows, measure=measure) for measure in (first, second))
    found: dict[Hashable, float | None] = {}
    for pair in [pair for pair in one if pair in other]:
        less, more = other[pair], one[pair]
        found[pair] = None if less is None or more is None else more - less
    return found


# Scales, sizes, polynomials.


def larger_scale(rows: pd.DataFrame, *, measure: str, by: str, alike: list[str]) -> Effects:
    """Return the mean logarithm of a measure at the largest scale over that at the smallest, of networks otherwise alike."""
    level = rows.groupby([*alike, "alpha"])[measure].median().unstack("alpha")
    ratio = (level[max(level.columns)] / level[min(level.columns)]).dropna()
    return {name: float(np.log(values).mean()) for name, values in ratio.groupby(level=by)}


def above_polynomials(rows: pd.DataFrame, *, measure: str) -> Effects:
    """Return tau_b of size and a measure of the networks' medians less that of the polynomials, by data set."""
    networks = rows[(rows["initialiser"] == "as_coded") & rows["converged"].astype(bool)]
    medians = networks.groupby(["data_set", "n"])[measure].median().reset_index()
    same = medians.merge(rows[rows["model"] == "polynomial"], on=["data_set", "n"], suffixes=("", " of the polynomial"))
    ours, theirs = (taus(same, "n", column, by="data_set") for column in (measure, f"{measure} of the polynomial"))
    return {
        name: None if ours[name] is None or theirs[name] is None else ours[name] - theirs[name]  # type: ignore[operator]
        for name in ours
    }


def three_ways(rows: pd.DataFrame) -> Effects:
    """Return tau_b of TV(f') and the test loss of polynomial, linear spline and median network, averaged over sizes."""
    networks = rows[(rows["initialiser"] == "as_coded") & rows["converged"].astype(bool)]
    columns = ["derivative_variation", "test_loss"]
    medians = networks.groupby(["data_set", "n"])[columns].median().reset_index()
    others = rows[rows["model"] != "network"].merge(medians[["data_set", "n"]], on=["data_set", "n"])
    together = pd.concat([others[["data_set", "n", *columns]], medians])
    return taus(together[together["n"] > 2], *columns, by="data_set", within=["n"])


def _lower(measure: str) -> str:
    """Return the column of a measure in one dimension."""
    return measure.lower()


def _tendencies(claim: Claim, *parts: tuple[Cases, ...]) -> Tendencies:
    return Tendencies(claim.symbols[0].name, tuple(cases for part in parts for cases in part))


def _pairs(within: bool, orders: tuple[tuple[str, str], ...] = (FIRST, SECOND)) -> list[tuple[Cases, ...]]:
    """Return the tests of how two measures of a category go together, with the training set fixed or not."""
    found = []
    for one, other in orders:
        name, low = f"{one} and {other}", (_lower(one), _lower(other))
        among = partial(taus, x=low[0], y=low[1], by="data_set", within=["n"] if within else None)
        found.append(one_d(name, among, (*low, "n"), measures=low))
        among = partial(taus, x=one, y=other, by=["pair", "size"] if within else "pair")
        case = TRAINING_SET if within else PAIR
        found.append(digits(name, among, (one, other, "size"), case=case, measures=(one, other)))
    return found


def _on_test(of: str, said: str) -> list[tuple[Cases, ...]]:
    """Return the tests of smoothness against the test loss, or error, of networks with one training set of digits."""
    return [
        digits(
            f"{measure} and {said}",
            partial(taus, x=measure, y=of, by=["pair", "size"]),
            (measure, of, "size"),
            scales=scales,
            case=TRAINING_SET,
            label=of,
            measures=(measure,),
        )
        for measure in MEASURES
        for scales in (SCALES, ())
    ]


def _falls(claim: Claim, measures: tuple[str, ...]) -> Tendencies:
    """Return the tests of how much of each measure a penalty on it takes off."""
    return _tendencies(
        claim,
        *(
            penalised(measure, partial(by_penalty, measure=measure), (measure,), measures=(measure,))
            for measure in measures
        ),
    )


def _falls_by_step(claim: Claim, measures: tuple[str, ...]) -> Tendencies:
    """Return the tests of how much of each measure a larger step size takes off, with 256 images."""
    return _tendencies(
        claim,
        *(
            tuple(
                replace(cases, among={**cases.among, "size": 256})
                for cases in digits(
                    measure,
                    partial(by_step_size, measure=measure),
                    (measure, "folder"),
                    sizes={"folder": 2},
                    scales=(alpha,),
                    folders=(LARGER_STEP,),
                    label="folder",
                    measures=(measure,),
                )
            )
            for measure in measures
            for alpha in SCALES
        ),
    )


TRIALS = (
    Trial(
        V15,
        instances=_tendencies(
            V15,
            one_d(
                "TV(f')",
                partial(above_least, value="derivative_variation", least="least_derivative_variation"),
                ("derivative_variation", "least_derivative_variation"),
                measures=("derivative_variation", "least_derivative_variation"),
            ),
            example("PL1", SCALES[0]),
        ),
        mutants=limits(V15, turned_at=(NEAR, 2)),
    ),
    Trial(
        V15A,
        instances=_tendencies(
            V15A,
            example("PL1", 1.0),
            *(
                digits(
                    measure,
                    partial(above_small_weights, measure=measure),
                    (measure, "alpha", "size"),
                    scales=(),
                    measures=(measure,),
                )
                for measure in SECOND
            ),
        ),
    ),
    Trial(
        V16,
        instances=_tendencies(
            V16,
            *(
                one_d(
                    f"{measure} and test loss",
                    partial(taus, x=_lower(measure), y="test_loss", by="data_set", within=["n"]),
                    (_lower(measure), "test_loss"),
                    label="test_loss",
                    measures=(_lower(measure),),
                )
                for measure in MEASURES
            ),
            one_d(
                "TV(f') and test loss of polynomial, spline, network",
                three_ways,
                ("model", "initialiser", "converged", "derivative_variation", "test_loss"),
                model="",
                label="test_loss",
                measures=("derivative_variation",),
            ),
            *_on_test("test_loss", "test loss"),
            *_on_test("test_error", "test error"),
        ),
        mutants=limits(V16, Fraction(99, 100)),
    ),
    Trial(
        V16A,
        instances=_tendencies(V16A, *(program(gained, "WP", "test_loss", alpha) for alpha in SCALES)),
        mutants=limits(V16A, Fraction(1, 2)),
    ),
    Trial(V16B, instances=_tendencies(V16B, *(program(gained, "PL1", "test_loss", alpha) for alpha in SCALES))),
    Trial(
        V17,
        instances=_tendencies(V17, *_pairs(within=False)),
        mutants=limits(V17, Fraction(99, 100)),
    ),
    Trial(V17A, instances=_tendencies(V17A, *_pairs(within=True))),
    Trial(
        V17B,
        instances=_tendencies(V17B, *_pairs(within=True, orders=(("WP", "PL1"),))),
        mutants=limits(V17B, Fraction(99, 100)),
    ),
    Trial(V19, instances=_falls(V19, SECOND)),
    Trial(V19A, instances=_falls_by_step(V19A, SECOND)),
    Trial(V19B, instances=_falls(V19B, SECOND), mutants=limits(V19B, -1)),
    Trial(
        V19C,
        instances=_tendencies(V19C, *(program(by_program, measure, COLUMN[measure], SCALES[0]) for measure in SECOND)),
    ),
    Trial(V20, instances=_falls(V20, FIRST), mutants=limits(V20, Fraction(99, 100), turned_at=(-1,))),
    Trial(V20C, instances=_falls_by_step(V20C, FIRST), mutants=limits(V20C, Fraction(99, 100))),
    Trial(
        V20A,
        instances=_tendencies(
            V20A,
            *(
                penalised(
                    f"{first} against {second}",
                    partial(falls_more, first=first, second=second),
                    (first, second),
                    measures=(first, second),
                )
                for first, second in (("PL0", "PL1"), ("GN", "WP"))
            ),
        ),
        mutants=limits(V20A, 1, turned_at=(-1,)),
    ),
    Trial(
        V20B,
        instances=_tendencies(
            V20B,
            one_d(
                "TV(f)",
                partial(above_least, value="variation", least="least_variation"),
                ("variation", "least_variation"),
                measures=("variation", "least_variation"),
            ),
            example("PL0", SCALES[0]),
            digits("PL0", above_bound, ("PL0 exact", "size"), measures=("PL0 exact",)),
        ),
    ),
    Trial(
        V22,
        instances=_tendencies(
            V22,
            *(
                digits(
                    measure,
                    partial(larger_scale, measure=measure, by="pair", alike=["pair", "size", "repeat"]),
                    (measure, "alpha", "size", "repeat"),
                    scales=(),
                    label="alpha",
                    measures=(measure,),
                )
                for measure in MEASURES
            ),
            *(
                (
                    Cases(
                        f"{measure}, 1-D, the points of eq 3.14, step size {step_size:g}",
                        "interpolant_example",
                        "initialisation, on the same four points",
                        partial(larger_scale, measure=measure, by="repeat", alike=["repeat"]),
                        ("repeat", measure),
                        "paper",
                        among={"kind": "network", "outcome": "interpolated", "step_size": step_size},
                        sizes={"alpha": 2},
                        folders=STEP_SIZES[step_size],
                        label="alpha",
                        measures=(measure,),
                    ),
                )
                for step_size in STEP_SIZES
                for measure in MEASURES[1:]
            ),
        ),
        mutants=limits(V22, 100),
    ),
    Trial(
        V24,
        instances=_tendencies(
            V24,
            *(
                make(
                    measure,
                    partial(taus, x=size, y=column(measure), by=case),
                    (size, column(measure)),
                    label=size,
                    measures=(column(measure),),
                )
                for measure in MEASURES
                for make, column, case, size in ((one_d, _lower, "data_set", "n"), (digits, str, "pair", "size"))
            ),
        ),
        mutants=limits(V24, Fraction(99, 100)),
    ),
    Trial(
        V24A,
        instances=_tendencies(
            V24A,
            *(
                one_d(
                    measure,
                    partial(above_polynomials, measure=_lower(measure)),
                    ("model", "initialiser", "converged", _lower(measure)),
                    model="",
                    label="n",
                    measures=(_lower(measure),),
                )
                for measure in MEASURES
            ),
        ),
        mutants=limits(V24A, Fraction(3, 2)),
    ),
)
