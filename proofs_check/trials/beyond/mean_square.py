"""How the claims of `theory.beyond.mean_square` are put to the test."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs_check import oracles
from proofs_check.trial import Trial
from proofs_check.trials.beyond.common import ONE, TWO, indefinite, near, rows, systems
from proofs_check.trials.operators import (
    LESS,
    MORE,
    Kind,
    Mutant,
    bounds,
    left,
    moved,
    negated,
    on,
    right,
    turned,
    without,
)
from theory.beyond import mean_square
from theory.beyond.mean_square import B3, B3A, B3B, B3C, B3D, B3E, B3F, B3G, B3H, B3I, B3J, B3K
from theory.beyond.mean_square_bounds import expansion_forms, gram_forms, largest_step
from theory.claim import Claim, Instance
from theory.enclosure import Enclosure, positive_semidefinite
from theory.linear_stability import outer_products


@st.composite
def featured(draw: st.DrawFn) -> Instance:
    """Draw features, a batch size and a step size near the threshold."""
    features = draw(rows())
    batch = draw(st.one_of(st.just(1), st.integers(1, len(features))))
    step_size = near(draw, outer_products(*features), batch)
    return Instance({"features": features, "step_size": step_size, "batch_size": batch}, "drawn")


EVERY: SearchStrategy[Instance] = st.one_of(systems(), systems(), systems(), indefinite())


STABLE = "stability (B3): 2 C - eta D >= 0"


Shares = Callable[[Instance], Fraction]


def _points(given: Instance) -> int:
    return len(given["hessians"] if "hessians" in given.given else given["features"])


def _of_n(given: Instance) -> Fraction:
    """Return p with n for n - 1."""
    n = _points(given)
    return mean_square.share_of(given) * Fraction(max(n - 1, 1), n)


def _over_b(given: Instance) -> Fraction:
    """Return 1/B, which is p for batches drawn with replacement."""
    return Fraction(1, given["batch_size"])


def _none(given: Instance) -> Fraction:
    return Fraction(0)


def _wrong_shares(claim: Claim, side: Callable[[Shares], Callable[[Instance], Enclosure]]) -> tuple[Mutant, ...]:
    """Return the claim with the other side taken at three wrong values of p, as a change of its right side."""
    return (
        right(claim, "no noise: p = 0", Kind.DROPPED, side(_none)),
        right(claim, "n for n - 1 in p", Kind.OFF_BY_ONE, side(_of_n)),
    )


def _condition(share: Shares, first: Fraction = TWO) -> Callable[[Instance], bool]:
    return lambda given: mean_square.form_is_semidefinite(given, share(given), first=first)


def _gram(share: Shares, first: Fraction = TWO) -> Callable[[Instance], bool]:
    return lambda given: mean_square.gram_condition(given, share(given), first=first)


def _gram_off_diagonal(given: Instance) -> bool:
    """Return the condition by the Gram matrix with sum_ij (G Y G)_ij^2 for the diagonal's."""
    gram, share, n = given["features"] @ given["features"].T, mean_square.share_of(given), len(given["features"])
    c, d = gram_forms(gram, share)
    spread = gram_forms(gram, Fraction(0))[1]
    return positive_semidefinite(2 * c - Fraction(given["step_size"]) * (d + share * n * spread))


def _strictly(given: Instance) -> bool:
    """Return whether the condition holds at a step size one part in a million larger."""
    return mean_square.stable(given, times=1 + Fraction(1, 10**6))


def _ratio(
    values: Callable[[Instance], tuple[Fraction, Fraction, Fraction]],
) -> Callable[[Shares], Callable[[Instance], Enclosure]]:
    """Return 2 first/((1 - p) whole + p parts) as a function of p."""

    def side(share: Shares) -> Callable[[Instance], Enclosure]:
        return lambda given: Enclosure.exactly(mean_square.ratio(*values(given), share(given)))

    return side


def _along(given: Instance) -> tuple[Fraction, Fraction, Fraction]:
    length, mean, square = mean_square.along(given)
    return length * mean, mean**2, square


def _parts_only(given: Instance) -> Enclosure:
    """Return B3.e's bound with the noise for the whole."""
    return Enclosure.exactly(mean_square.ratio(*_along(given), ONE))


def _unit_length(given: Instance) -> Enclosure:
    """Return B3.e's bound without |v|^2."""
    _, mean, square = mean_square.along(given)
    return Enclosure.exactly(mean_square.ratio(mean, mean**2, square, mean_square.share_of(given)))


def _traces(given: Instance) -> tuple[Fraction, Fraction, Fraction]:
    return mean_square.trace(given), *mean_square.squares(given)


def _squared_trace(given: Instance) -> Enclosure:
    """Return B3.f's bound with (tr H)^2 for tr H^2."""
    trace, _, parts = _traces(given)
    return Enclosure.exactly(mean_square.ratio(trace, trace**2, parts, mean_square.share_of(given)))


def _second_branch(given: Instance) -> Enclosure:
    """Return B3.g's limit of p >= 1/2 for all p."""
    return Enclosure.exactly(4 / Fraction(given["step_size"]) ** 2)


def _without_the_rest(given: Instance) -> Enclosure:
    """Return B3.g's limit with 1/p for 1/(p (1 - p))."""
    share = mean_square.share_of(given)
    limit = Fraction(4) if share >= Fraction(1, 2) else 1 / share
    return Enclosure.exactly(limit / Fraction(given["step_size"]) ** 2)


def _trace_limit(share: Shares, more: int = 0) -> Callable[[Instance], Enclosure]:
    def side(given: Instance) -> Enclosure:
        return mean_square.trace_sides(given, share(given), given["features"].shape[1] - more)[1]

    return side


def _one_dimension_fewer(given: Instance) -> Enclosure:
    """Return B3.h's limit with d - 1 for d where d is above 1."""
    fewer = 1 if given["features"].shape[1] > 1 else 0
    return _trace_limit(mean_square.share_of, fewer)(given)


def _norms(share: Shares) -> Callable[[Instance], Enclosure]:
    return lambda given: mean_square.weighted_norm(given, share(given), mean_square.norms(given))


def _least_norm(given: Instance) -> Enclosure:
    """Return B3.i's bound with min for max, over the H_i that are not 0."""
    norms = [norm for norm in mean_square.norms(given) if norm.upper > 0]
    return mean_square.weighted_norm(given, mean_square.share_of(given), norms, pick=min)


def _expansion(share: Shares) -> Callable[[Instance], Enclosure]:
    return lambda given: largest_step(*expansion_forms(mean_square.exact_hessians(given), share(given)))


def _share_and_one(given: Instance) -> Enclosure:
    """Return B3.k's bound with (B + 1)/n for B/n."""
    return mean_square.scaled_edge(given, mean_square.share_of_data(given) + Fraction(1, _points(given)))


def _edge(given: Instance) -> Enclosure:
    return mean_square.scaled_edge(given, ONE)


def _one_fewer(given: Instance) -> bool:
    """Return whether the second moments are bounded at B = n - 1."""
    return mean_square.stable(given, batch=max(len(given["hessians"]) - 1, 1))


TRIALS = (
    Trial(
        B3,
        instances=EVERY,
        mutants=(
            left(B3, "1.98 C for 2 C", Kind.CONSTANT, _condition(mean_square.share_of, 2 * LESS)),
            left(B3, "2.02 C for 2 C", Kind.CONSTANT, _condition(mean_square.share_of, 2 * MORE)),
            left(B3, "no noise: p = 0", Kind.DROPPED, _condition(_none)),
            left(B3, "n for n - 1 in p", Kind.OFF_BY_ONE, _condition(_of_n)),
            left(B3, "1/B for p", Kind.DROPPED, _condition(_over_b)),
            left(B3, "eta D < 2 C", Kind.BOUNDARY, _strictly),
            negated(B3),
        ),
        oracle=oracles.b3,
    ),
    Trial(
        B3A,
        instances=EVERY,
        mutants=(
            on(B3A, "at 1.01 times the step", Kind.CONSTANT, lambda given: given.but(share=given["share"] * MORE)),
            turned(B3A),
            negated(B3A),
            right(
                B3A,
                "eta D < 2 C",
                Kind.BOUNDARY,
                lambda given: _strictly(given.but(step_size=given["share"] * given["step_size"])),
            ),
        ),
        oracle=oracles.b3a,
    ),
    Trial(
        B3B,
        instances=EVERY,
        mutants=(
            *bounds(B3B),
            without(B3B, "B' >= B"),
            moved(B3B, "B' >= B", lambda more: more >= -1, "B' >= B - 1", Kind.OFF_BY_ONE),
        ),
        oracle=oracles.b3b,
    ),
    Trial(
        B3C,
        instances=EVERY,
        mutants=(
            left(B3C, "eta lambda_max <= 1.98", Kind.CONSTANT, lambda given: mean_square.edge(given, 2 * LESS)),
            left(B3C, "eta lambda_max <= 2.02", Kind.CONSTANT, lambda given: mean_square.edge(given, 2 * MORE)),
            right(B3C, "at B = n - 1", Kind.OFF_BY_ONE, _one_fewer),
            negated(B3C),
            without(B3C, "each H_i is positive semidefinite"),
        ),
        oracle=oracles.b3c,
    ),
    Trial(
        B3D,
        instances=featured(),
        mutants=(
            left(B3D, "1.98 for 2", Kind.CONSTANT, _gram(mean_square.share_of, 2 * LESS)),
            left(B3D, "2.02 for 2", Kind.CONSTANT, _gram(mean_square.share_of, 2 * MORE)),
            left(B3D, "no noise: p = 0", Kind.DROPPED, _gram(_none)),
            left(B3D, "n for n - 1 in p", Kind.OFF_BY_ONE, _gram(_of_n)),
            left(B3D, "all entries for the diagonal", Kind.DROPPED, _gram_off_diagonal),
            negated(B3D),
        ),
        oracle=oracles.b3d,
    ),
    Trial(
        B3E,
        instances=EVERY,
        mutants=(
            *bounds(B3E),
            right(B3E, "p = 1", Kind.DROPPED, _parts_only),
            right(B3E, "without |v|^2", Kind.DROPPED, _unit_length),
            without(B3E, STABLE),
        ),
        oracle=oracles.b3e,
    ),
    Trial(
        B3F,
        instances=EVERY,
        mutants=(
            *bounds(B3F),
            right(B3F, "(tr H)^2 for tr H^2", Kind.DROPPED, _squared_trace),
            right(B3F, "p = 1", Kind.DROPPED, _ratio(_traces)(lambda given: ONE)),
            without(B3F, STABLE),
        ),
        oracle=oracles.b3f,
    ),
    Trial(
        B3G,
        instances=featured(),
        mutants=(
            *bounds(B3G),
            right(B3G, "2/eta for every p", Kind.MIN_MAX, _second_branch),
            right(B3G, "1/p for 1/(p (1 - p))", Kind.DROPPED, _without_the_rest),
            without(B3G, STABLE),
        ),
    ),
    Trial(
        B3H,
        instances=featured(),
        mutants=(
            *bounds(B3H),
            right(B3H, "1/B for p", Kind.DROPPED, _trace_limit(_over_b)),
            right(B3H, "d - 1 for d", Kind.OFF_BY_ONE, _one_dimension_fewer),
            without(B3H, STABLE),
        ),
    ),
    Trial(
        B3I,
        instances=EVERY,
        mutants=(
            *bounds(B3I),
            *_wrong_shares(B3I, _norms),
            right(B3I, "min for max", Kind.MIN_MAX, _least_norm),
        ),
        oracle=oracles.b3i,
    ),
    Trial(
        B3J,
        instances=EVERY,
        mutants=(*bounds(B3J), *_wrong_shares(B3J, _expansion)),
        oracle=oracles.b3j,
        spared={"without: tr H > 0": "true: every H_i is 0 then, and on both sides no step size is too large"},
    ),
    Trial(
        B3K,
        instances=EVERY,
        mutants=(
            *bounds(B3K),
            right(B3K, "(B + 1)/n for B/n", Kind.OFF_BY_ONE, _share_and_one),
            right(B3K, "without B/n", Kind.DROPPED, _edge),
        ),
        oracle=oracles.b3k,
    ),
)
