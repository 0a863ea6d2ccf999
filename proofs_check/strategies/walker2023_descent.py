"""Instances for the claims of Walker 2023 on gradient descent: losses on the line, robust means, the motivating example."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs_check.strategies.common import small
from theory.checks import rationals
from theory.claim import Instance
from theory.claims import walker2023_descent as descent

whole = st.integers(-3, 3)


@st.composite
def losses_on_the_line(draw: st.DrawFn) -> Instance:
    """Draw two or three losses of one weight with few pieces, step sizes and samples."""
    n, k, t = draw(st.integers(2, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
    m = draw(st.integers(1, 2))
    curves = []
    for _ in range(n):
        knots = sorted(draw(st.lists(st.integers(-6, 6), min_size=k, max_size=k, unique=True)))
        curves.append([knots, [Fraction(draw(whole), 2) for _ in range(k)]])
    sample = draw(st.lists(st.integers(0, n), min_size=m, max_size=m))
    step = st.sampled_from([Fraction(v) for v in (Fraction(1, 2), 1, 2, 10)])
    return Instance(
        {
            "loss_slopes": rationals(curves),
            "step_sizes": rationals([draw(step) for _ in range(t)]),
            "sample": tuple(sample),
            "sample_size": m,
        },
        "drawn",
    )


@st.composite
def walls(draw: st.DrawFn) -> Instance:
    """Draw losses that one step takes to the bottom of a well of their own, far up the walls of the others'."""
    n, lipschitz = draw(st.sampled_from([2, 3, 3])), Fraction(draw(st.sampled_from([1, 2, 4, 4])), 2)
    reach, apart = draw(st.sampled_from([100, 400, 1000])), Fraction(1, draw(st.sampled_from([20, 40])))
    m, tip = draw(st.integers(1, 2)), 1
    curves = []
    for z in range(n):
        share = 1 - z * apart
        # With two examples the weights end up between the wells too.
        bottom = reach * share * lipschitz
        curves.append([[0, 1, bottom - tip, bottom + tip], [-share * lipschitz, -lipschitz, -lipschitz, lipschitz]])
    return Instance(
        {
            "loss_slopes": rationals(curves),
            "step_sizes": rationals([reach]),
            "sample": (0,) * m,
            "sample_size": m,
        },
        "drawn: walls",
    )


@st.composite
def wells(draw: st.DrawFn) -> Instance:
    """Draw losses whose runs are close together after one step, and at the bottom of wells of their own after two."""
    reach, apart = draw(st.sampled_from([10, 20, 40, 100])), Fraction(1, draw(st.sampled_from([6, 10, 20])))
    instance = descent.wells(reach=reach, offset=apart, sample=(draw(st.integers(0, 2)),))
    return Instance(instance.given, "drawn: wells")


on_the_line: SearchStrategy[Instance] = st.one_of(losses_on_the_line(), walls(), walls(), wells())


@st.composite
def coordinates(draw: st.DrawFn) -> Instance:
    """Draw one coordinate of the gradients, some of them outliers, and a level: 0, 50, or just enough for the outliers."""
    m = draw(st.integers(1, 7))
    outliers = sorted(draw(st.sets(st.integers(0, m - 1), max_size=draw(st.sampled_from([1, m // 2, m])))))
    far = st.sampled_from([Fraction(-1000), Fraction(1000)])
    values = [draw(far) if i in outliers else draw(whole) for i in range(m)]
    enough = Fraction(100 * len(outliers), m - 1) if m > 1 else Fraction(0)
    plain = [Fraction(0), Fraction(1, 2), Fraction(50), Fraction(99, 2)]
    level = draw(st.sampled_from([*plain, enough, enough, enough * Fraction(995, 1000)]))
    return Instance(
        {
            "values": rationals(values),
            "level": min(level, Fraction(50)),
            "outliers": tuple(outliers),
            "groups": draw(st.integers(1, m + 1)),
        },
        "drawn",
    )


@st.composite
def barely(draw: st.DrawFn) -> Instance:
    """Draw a coordinate with one outlier or two, and the level that is just enough for them, or half a per cent less."""
    m = draw(st.integers(3, 6))
    outliers = tuple(range(draw(st.integers(1, (m - 1) // 2))))
    far = draw(st.sampled_from([Fraction(-1000), Fraction(1000)]))
    values = [far if i in outliers else Fraction(draw(st.integers(0, 1))) for i in range(m)]
    level = Fraction(100 * len(outliers), m - 1) * draw(st.sampled_from([Fraction(1), Fraction(995, 1000)]))
    return Instance(
        {"values": rationals(values), "level": level, "outliers": outliers, "groups": draw(st.integers(1, m))},
        "drawn: barely",
    )


def _entry(number: int) -> Instance:
    given = {"design": descent.RANDOM, "labels": descent.REAL_LABELS, "entry": number}
    return Instance(given, "drawn")


@st.composite
def motivating(draw: st.DrawFn) -> Instance:
    """Draw data sets like those of the motivating example: of any size, the shared entry of any strength."""
    return Instance(
        {
            "examples": draw(st.integers(1, 5)),
            "strength": draw(st.one_of(st.sampled_from([Fraction(0), Fraction(1)]), small.map(abs))),
            "step_size": draw(st.sampled_from([Fraction(1, 4), Fraction(1, 2), Fraction(4, 5), Fraction(1)])),
            "steps": draw(st.integers(0, 4)),
        },
        "drawn",
    )


INSTANCES: Mapping[str, SearchStrategy[Instance]] = {
    **dict.fromkeys(("W10", "W10.a"), on_the_line),
    **dict.fromkeys(("W12", "W12.a", "W12.b", "W12.c"), st.one_of(coordinates(), coordinates(), barely())),
    "W13": st.integers(0, 5).map(_entry),
    **dict.fromkeys(("W13.a", "W13.b"), motivating()),
}
