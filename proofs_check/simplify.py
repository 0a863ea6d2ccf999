"""Making a counterexample simple: fewer units and points, then rounder numbers, as long as it stays one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from proofs_check.values import Number, exactly, numbers, with_numbers
from theory.claim import Claim, Instance, Ruling, Verdict
from theory.piecewise_linear import PiecewiseLinear
from theory.two_layer import Weights

Found = tuple[Verdict, Instance]

VARIABLE = frozenset(
    {"weights", "x", "y", "step_size", "f", "interval", "curve", "start", "epsilon", "direction", "gradients"}
)
"""Symbols whose numbers may be changed one by one without leaving what the symbol stands for."""

PRINTED = frozenset({"printed", "squared"})
"""Symbols for a value that a paper prints: an instance with one is an example, and stands as it is."""


def variable(claim: Claim) -> list[str]:
    """Return the claim's symbols whose numbers may be changed one by one; none of what was observed, for nobody saw it so."""
    names = {symbol.name for symbol in claim.symbols}
    return [] if claim.study or names & PRINTED else sorted(names & VARIABLE)


def simplest(claim: Claim, found: Found, evaluations: int) -> Found:
    """Return a counterexample that is as simple as so many evaluations of the claim can make it.

    First its floats become the rationals that they are; then units, knots and data points are dropped, and numbers
    replaced by rounder ones, one after the other, over and over until nothing changes.

    Args:
        claim: what it violates.
        found: the verdict and the instance.
        evaluations: how often the claim may be evaluated.
    """
    shrinking = _Shrinking(claim, found, evaluations)
    shrinking.tries(exactly(found[1]))
    while shrinking.shorter() or shrinking.rounder():
        pass
    return shrinking.best


@dataclass
class _Shrinking:
    claim: Claim
    best: Found
    left: int

    def tries(self, candidate: Instance) -> bool:
        """Evaluate the claim on a candidate, and take it if it is a counterexample too."""
        if self.left <= 0:
            return False
        self.left -= 1
        try:
            verdict = self.claim.evaluate(candidate)
        except (ValueError, TypeError, ArithmeticError, IndexError):
            return False  # two points became one, a step size zero, a unit's place was lost: not an instance
        if verdict.ruling is not Ruling.VIOLATED:
            return False
        self.best = (verdict, candidate)
        return True

    def shorter(self) -> bool:
        """Drop one unit, knot or data point, if any can be dropped."""
        return bool(variable(self.claim)) and any(self.tries(candidate) for candidate in _shorter(self.best[1]))

    def rounder(self) -> bool:
        """Round every number that can be rounded; return whether one was."""
        progress = False
        for name in variable(self.claim):
            for index in range(len(numbers(self.best[1][name]))):
                progress = self._rounds(name, index) or progress
        return progress

    def _rounds(self, name: str, index: int) -> bool:
        instance = self.best[1]
        values = numbers(instance[name])
        for candidate in rounder(values[index]):
            changed = with_numbers(instance[name], [*values[:index], candidate, *values[index + 1 :]])
            if self.tries(instance.but(**{name: changed})):
                return True
        return False


def _shorter(instance: Instance) -> Iterator[Instance]:
    """Yield the instance without one of its units, its knots, or its data points."""
    for name, value in instance.given.items():
        if isinstance(value, Weights):
            for i in range(value.width):
                w1, b1, w2 = (np.delete(part, i) for part in (value.w1, value.b1, value.w2))
                yield instance.but(**{name: Weights(w1, b1, w2, value.b2)})
        if isinstance(value, PiecewiseLinear):
            for i in range(len(value.knots)):
                knots, jumps = np.delete(value.knots, i), np.delete(value.jumps, i)
                yield instance.but(**{name: PiecewiseLinear(knots, jumps, value.slope, value.value, value.anchor)})
    x = instance.given.get("x")
    if isinstance(x, np.ndarray):
        for i in range(len(x)):
            shorter = {"x": np.delete(x, i)}
            if "y" in instance.given:
                shorter["y"] = np.delete(instance["y"], i)
            yield instance.but(**shorter)


def rounder(number: Number) -> list[Number]:
    """Return simpler numbers near a number, the simplest first; none if it is as simple as can be."""
    exact = Fraction(number)
    candidates = [Fraction(0), Fraction(1 if exact > 0 else -1), Fraction(round(exact))]
    candidates += [exact.limit_denominator(2**power) for power in (1, 2, 3, 5, 8, 12)]
    kept: list[Number] = []
    for candidate in candidates:
        if _size(candidate) < _size(exact) and candidate not in kept:
            kept.append(candidate)
    return kept


def _size(number: Fraction) -> tuple[int, int]:
    return number.denominator.bit_length() + abs(number.numerator).bit_length(), int(number < 0)
