"""Each routine that many verdicts rest on is broken in turn, and the row of one claim says that something is wrong."""

import functools
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import pytest
import z3

from proofs_check import exact, ledger, machine_checked, polynomial, symbolic
from proofs_check.falsify import Effort
from proofs_check.ledger import row_of
from proofs_check.row import Row
from theory import curvature, enclosure, linear_stability, sharpness, stability_weight
from theory.beyond import mean_square_bounds
from theory.claim import Ruling
from theory.enclosure import Enclosure
from theory.piecewise_linear import PiecewiseLinear
from theory.registry import CLAIMS
from theory.two_layer import Weights

LITTLE = Effort(drawn=25, coincident=40, varied=0, trained=0, shrink=0)

Broken = Callable[[Any], Any]
"""A routine to a wrong version of it."""


@dataclass(frozen=True)
class Sabotage:
    name: str
    owner: Any
    routine: str
    broken: Broken
    claim: str
    proof: bool = False


def off(end: float | Fraction, factor: float) -> Fraction:
    return Fraction(end) * Fraction(factor)


def times(factor: float) -> Broken:
    """An interval, or a pair of arrays, that many times too large."""

    def broken(routine: Any) -> Any:
        @functools.wraps(routine)
        def wrong(*args: Any, **more: Any) -> Any:
            found = routine(*args, **more)
            if isinstance(found, Enclosure):
                return Enclosure(*(end if math.isinf(end) else off(end, factor) for end in (found.lower, found.upper)))
            return tuple(part * Fraction(factor) for part in found)

        return wrong

    return broken


def always(answer: Any) -> Broken:
    return lambda routine: lambda *args, **more: answer


def first_pivots_only(routine: Any) -> Any:
    return lambda matrix: routine(matrix[:-1, :-1]) if len(matrix) > 1 else routine(matrix)


def not_where_singular(routine: Any) -> Any:
    def wrong(matrix: Any) -> tuple[bool, bool]:
        definite, singular = routine(matrix)
        return definite and not singular, singular

    return wrong


def of_indefinite_too(routine: Any) -> Any:
    """A rank of 0 for what has none."""
    return lambda matrix: routine(matrix) or 0


def mirrored(routine: Any) -> Any:
    return lambda t, x, **more: routine(-t, x, **more)


def without_last_unit(routine: Any) -> Any:
    def wrong(self: Weights, x: Any) -> Any:
        found = routine(self, x).copy()
        if self.width:
            found[:, self.width - 1] = 0 * found[:, self.width - 1]
        return found

    return wrong


def knots_on_the_other_side(routine: Any) -> Any:
    def wrong(cls: type[PiecewiseLinear], weights: Weights) -> PiecewiseLinear:
        found: PiecewiseLinear = routine.__func__(cls, Weights(weights.w1, 0 - weights.b1, weights.w2, weights.b2))
        return found

    return classmethod(wrong)


def inward(routine: Any) -> Any:
    def wrong(*args: Any, **more: Any) -> Any:
        found = routine(*args, **more)
        if found.lower == found.upper:
            return found
        third = (Fraction(found.upper) - Fraction(found.lower)) / 3
        return Enclosure(Fraction(found.lower) + third, Fraction(found.upper) - third)

    return wrong


def rounds_to_nearest(routine: Any) -> Any:
    return lambda value, towards: float(value)


def refutes_every_negation(routine: Any) -> Any:
    return lambda self, *formulas: z3.unsat if formulas else z3.sat


def refutes_none(routine: Any) -> Any:
    return lambda self, *formulas: z3.sat


def half_the_factor(routine: Any) -> Any:
    return lambda self, factor: routine(self, factor / 2)


def one_point_fewer(routine: Any) -> Any:
    return lambda n, batch: Fraction(0) if n == 1 else Fraction(n - batch, batch * n)


def at_half_the_step(routine: Any) -> Any:
    return lambda x, hessians, eta, batch: routine(x, hessians, eta / 2, batch)


def over_one_more(routine: Any) -> Any:
    return lambda factor, n: routine(factor, n + 1)


def without_error(routine: Any) -> Any:
    return lambda matrix: (routine(matrix)[0], 0.0)


HOLDS, VIOLATED = (exact.Confirmation("rational arithmetic", ruling) for ruling in (Ruling.HOLDS, Ruling.VIOLATED))

SABOTAGES = (
    Sabotage("elimination finds everything definite", enclosure, "_eliminate", always((True, False)), "B3"),
    Sabotage("elimination finds nothing definite", enclosure, "_eliminate", always((False, False)), "B3"),
    Sabotage("elimination leaves out the last pivot", enclosure, "_eliminate", first_pivots_only, "B3"),
    Sabotage("elimination finds what is singular indefinite", enclosure, "_eliminate", not_where_singular, "B3.a"),
    Sabotage("everything is semidefinite", enclosure, "positive_semidefinite", always(True), "B3.c"),
    Sabotage(
        "everything is semidefinite, by the Gram matrix", enclosure, "positive_semidefinite", always(True), "B3.d"
    ),
    Sabotage("indefinite matrices have a rank", mean_square_bounds, "rank", of_indefinite_too, "B3.k"),
    Sabotage("the largest step is 1 % too large", mean_square_bounds, "largest_step", times(1.01), "B3.j"),
    Sabotage("top eigenvalues are 1 % too large", enclosure, "top_eigenvalue", times(1.01), "B3.b"),
    Sabotage(
        "top eigenvalues in floats are a billionth too large", enclosure, "top_in_floats", times(1 + 2**-30), "M5"
    ),
    Sabotage("the error of LAPACK is dropped", enclosure, "near_top", without_error, "M5"),
    Sabotage("the noise counts n for n - 1", linear_stability, "noise_share", one_point_fewer, "B3.e"),
    Sabotage(
        "the step of second moments keeps all",
        linear_stability,
        "second_moment_step",
        at_half_the_step,
        "B3.b",
    ),
    Sabotage("the curvature is 1 % too small", curvature, "curvature_enclosure", times(0.99), "M5"),
    Sabotage("the weight is 1 % too small", stability_weight, "weight_enclosure", times(0.99), "M6"),
    Sabotage("the weight is mirrored", stability_weight, "weight_enclosure", mirrored, "M5"),
    Sabotage("a gradient lacks an entry", Weights, "tangent_features", without_last_unit, "M5"),
    Sabotage(
        "the Gram matrix is divided by n + 1",
        sharpness,
        "_squared",
        over_one_more,
        "M5",
    ),
    Sabotage("knots are mirrored", PiecewiseLinear, "from_weights", knots_on_the_other_side, "M5"),
    Sabotage("square roots are rounded inwards", enclosure, "square_root", inward, "M6.a"),
    Sabotage("square roots lose a millionth", enclosure, "square_root", times(1 - 1e-6), "V1"),
    Sabotage("floats are rounded to nearest", enclosure, "rounded", rounds_to_nearest, "M5"),
    Sabotage("multiples are of half the factor", Enclosure, "times", half_the_factor, "W3.a"),
    Sabotage("sums drop a term", Enclosure, "__add__", lambda routine: lambda self, other: self, "M9.a"),
    Sabotage("sums are rounded inwards", Enclosure, "__add__", inward, "M9.a"),
    Sabotage("logarithms lose a hundredth", enclosure, "logarithm", times(0.99), "W3.a"),
    Sabotage("nothing is confirmed", exact, "confirm", always(exact.Confirmation("", Ruling.INCONCLUSIVE)), "W2"),
    Sabotage(
        "everything is confirmed as a violation",
        exact,
        "confirm",
        always(VIOLATED),
        "V1",
    ),
    Sabotage(
        "what holds is confirmed as such, always",
        exact,
        "confirm",
        always(HOLDS),
        "W2",
    ),
    Sabotage("second implementations are not asked", ledger, "_oracle_agrees", always((0, [])), "B3"),
    Sabotage("z3 refutes every negation", polynomial.Reals, "ask", refutes_every_negation, "V3", True),
    Sabotage("z3 refutes none", polynomial.Reals, "ask", refutes_none, "V9.a", True),
    Sabotage("polynomials are not decided", polynomial, "decide", always(None), "V3", True),
    Sabotage("everything simplifies to 0", symbolic, "_left_over", always(symbolic.ZERO), "V3", True),
    Sabotage("nothing simplifies to 0", symbolic, "_left_over", always(symbolic.ZERO + 1), "V3", True),
    Sabotage("no step is replayed", symbolic, "replay_step", always(None), "V3", True),
)


def sabotaged(monkeypatch: pytest.MonkeyPatch, sabotage: Sabotage) -> None:
    """Break the routine wherever it is called by its name."""
    whole = (
        vars(sabotage.owner)[sabotage.routine]
        if isinstance(sabotage.owner, type)
        else getattr(sabotage.owner, sabotage.routine)
    )
    wrong = sabotage.broken(whole)
    monkeypatch.setattr(sabotage.owner, sabotage.routine, wrong)
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] in ("theory", "proofs_check") and vars(module).get(sabotage.routine) is whole:
            monkeypatch.setattr(module, sabotage.routine, wrong)


def row(sabotage: Sabotage) -> Row:
    claim = CLAIMS[sabotage.claim]
    return row_of(claim if sabotage.proof else replace(claim, proof=None, small=None), [], LITTLE)


@functools.cache
def sound(claim: str, proof: bool) -> Row:
    return row(Sabotage("", None, "", always(None), claim, proof))


def noticed(sabotage: Sabotage) -> str:
    """What the row of a claim says against it, or how it fell."""
    before = sound(sabotage.claim, sabotage.proof)
    try:
        after = row(sabotage)
    except (ValueError, ArithmeticError, RuntimeError) as error:
        return f"{type(error).__name__}: {error}"
    fell = [f"its status fell from {before.status} to {after.status}"] if after.status < before.status else []
    fell += ["fewer mutants are caught"] if after.mutants_caught < before.mutants_caught else []
    fell += ["fewer second opinions"] if after.oracle_checked < before.oracle_checked else []
    return "; ".join([*after.problems, *fell])


@pytest.mark.parametrize("sabotage", SABOTAGES, ids=[sabotage.name for sabotage in SABOTAGES])
def test_a_broken_routine_is_noticed(sabotage: Sabotage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sound(sabotage.claim, sabotage.proof).problems == ()
    sabotaged(monkeypatch, sabotage)
    assert noticed(sabotage)


@pytest.mark.parametrize(
    ("routine", "broken"),
    [
        ("axioms_of", always(())),
        ("statement_of", always("")),
        ("_wrong_answer", always("")),
    ],
)
def test_a_broken_reading_of_what_coq_says_is_noticed(
    routine: str, broken: Broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert machine_checked.check([]).problems == []
    monkeypatch.setattr(machine_checked, routine, broken(None))
    assert any("a planted theorem passes" in problem for problem in machine_checked.check([]).problems)
