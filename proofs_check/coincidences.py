"""Instances beside others: numbers on one another or next to each other, rows repeated or dropped, units at one place, edges.

A strategy draws where the claim applies, and rarely where two of its numbers coincide. A claim that was weakened by mistake
fails exactly there: a knot on an end, two units at one place, equal points, one mode unlike the others, a step size just
beyond the edge. What is done here knows the types of the values, and nothing of any claim.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from proofs_check.simplify import PRINTED
from proofs_check.values import changed, numbers, with_numbers
from theory.checks import Array
from theory.claim import Claim, Form, Instance
from theory.piecewise_linear import PiecewiseLinear
from theory.two_layer import Weights

Generator = np.random.Generator

NO_INSTANCE = (ValueError, TypeError, ArithmeticError, IndexError, np.linalg.LinAlgError)
"""What a claim raises on values that cannot be meant: two points in one, a step size of 0, a unit that is not there."""

FACTORS = tuple(Fraction(p, 100) for p in (0, 1, 50, 90, 99, 101, 110, 200, 300, 1000, -100))
"""What a number, a row or a unit is multiplied by."""

BESIDE = tuple(Fraction(p, 100) for p in (-100, -1, 1, 100))
"""How far beside another a number is put, if not on it."""

COARSE = 64
"""The largest denominator of a number that was a float: coincidences are exact."""

REACH = tuple(Fraction(2) ** p for p in range(-5, 6))
"""How many times as large a number is made in the search for an edge."""

PAST_THE_EDGE = tuple(Fraction(p, 1000) for p in (1000, 999, 1001, 995, 1005, 950, 1050))
"""At, and beside, an edge."""


def free(claim: Claim) -> list[str]:
    """Return the claim's symbols whose values may be changed; none of what was printed or observed."""
    names = [symbol.name for symbol in claim.symbols]
    return [] if claim.study or set(names) & PRINTED else names


def coarse(instance: Instance) -> Instance:
    """Return the instance with a rational of small denominator for every float."""

    def exact(number: float | Fraction) -> Fraction:
        return number if isinstance(number, Fraction) else Fraction(number).limit_denominator(COARSE)

    return Instance({name: changed(value, exact) for name, value in instance.given.items()}, instance.origin)


def coincident(instance: Instance, names: Sequence[str], generator: Generator, fixed: Collection[str] = ()) -> Instance:
    """Return an instance with one to three coincidences that the given one may lack.

    Args:
        instance: where to begin.
        names: the symbols whose values may be changed, at least one.
        generator: what decides.
        fixed: the symbols whose values always have as many rows.

    Raises:
        ValueError: if a value does not bear the change, or any of `NO_INSTANCE`.
    """
    given = {name: value for name, value in coarse(instance).given.items() if name in names}
    for _ in range(int(generator.choice(3, p=(0.5, 0.3, 0.2))) + 1):
        given = _as_active(_changed(given, generator, fixed), generator)
    return Instance({**instance.given, **given}, "coincident")


def _changed(given: dict[str, Any], generator: Generator, fixed: Collection[str]) -> dict[str, Any]:
    whole = generator.random()
    arrays = {name: value for name, value in given.items() if isinstance(value, np.ndarray) and len(value)}
    if whole < 0.25 and set(arrays) - set(fixed):
        return _rows_chosen(given, {name: value for name, value in arrays.items() if name not in fixed}, generator)
    if whole < 0.45 and any(isinstance(value, Weights) for value in given.values()):
        return _units_chosen(given, generator)
    name = _one_of(list(given), generator)
    return {**given, name: _value_changed(given[name], given, generator)}


def _as_active(given: dict[str, Any], generator: Generator) -> dict[str, Any]:
    """Return the values with every mode as the network has it, where its units do not toggle; at times as it is."""
    network = next((value for value in given.values() if isinstance(value, Weights)), None)
    x = given.get("x")
    if network is None or not isinstance(x, np.ndarray) or generator.random() < 0.1:
        return given
    modes = {name: v for name, v in given.items() if isinstance(v, np.ndarray) and v.dtype.kind in "bi" and v.ndim == 2}
    if not modes:
        return given
    z = network.pre_activations(x)
    kept = {
        name: np.where(z == 0, mode, z > 0).astype(mode.dtype) for name, mode in modes.items() if mode.shape == z.shape
    }
    return {**given, **kept}


def _one_of(values: Sequence[Any], generator: Generator) -> Any:
    if not len(values):
        raise ValueError("there is nothing to choose from")
    return values[int(generator.integers(len(values)))]


def places(given: dict[str, Any]) -> list[Fraction]:
    """Return the numbers of an instance that lie on the line of its inputs: ends, data points, knots."""
    found: list[Fraction] = []
    for name, value in given.items():
        if name in ("x", "interval", "place"):
            found += [Fraction(v) for v in numbers(value)]
        elif isinstance(value, Weights):
            found += [Fraction(-b / w) for w, b in zip(value.w1, value.b1, strict=True) if w != 0]
        elif isinstance(value, PiecewiseLinear):
            found += [Fraction(v) for v in value.knots]
    return found


def _sizes(given: dict[str, Any]) -> list[int]:
    return [len(value) for value in given.values() if isinstance(value, (np.ndarray, tuple, list)) and len(value)]


def _value_changed(value: Any, given: dict[str, Any], generator: Generator) -> Any:
    if isinstance(value, (bool, np.bool_)):
        return value
    if isinstance(value, (int, np.integer)):
        counts = [int(v) for v in given.values() if isinstance(v, (int, np.integer))]
        near = [n + shift for n in (*counts, *_sizes(given)) for shift in (-1, 0, 1)]
        return int(_one_of([1, value + 1, value - 1, *near], generator))
    if isinstance(value, Weights) and value.width and generator.random() < 0.8:
        return _unit_changed(value, given, generator)
    if isinstance(value, np.ndarray) and value.dtype.kind in "bi":
        return _flipped(value, generator)
    if isinstance(value, (tuple, list)) and value and all(isinstance(v, (int, np.integer)) for v in value):
        return _counts_changed(tuple(int(v) for v in value), given, generator)
    if isinstance(value, (tuple, list)) and value and all(isinstance(v, (tuple, list)) for v in value):
        return _part_copied(value, generator)
    if isinstance(value, np.ndarray) and value.ndim > 1 and generator.random() < 0.5:
        return _row_changed(value, generator)
    return _number_changed(value, given, generator)


def _number_changed(value: Any, given: dict[str, Any], generator: Generator) -> Any:
    """Return the value with one number set on another, or beside it, or to a multiple of itself.

    Raises:
        ValueError: if there is none.
    """
    own = numbers(value)
    if not own:
        raise ValueError("there is no number to change")
    index = int(generator.integers(len(own)))
    others = own if generator.random() < 0.6 else [v for part in given.values() for v in numbers(part)]
    kind = generator.random() if len(own) > 1 else generator.uniform(0.2, 1.3)
    if kind < 0.35:
        new = Fraction(_one_of(others, generator))
    elif kind < 0.5:
        new = Fraction(_one_of(others, generator)) + _one_of(BESIDE, generator)
    elif kind < 0.6:
        new = Fraction(_one_of(places(given) or others, generator))
    elif kind < 0.7:
        new = Fraction(_one_of((-1, 0, 1), generator))
    else:
        new = Fraction(own[index]) * _one_of(FACTORS if len(own) > 1 else FACTORS[1:-1], generator)
    return _of_the_same_kind(value, with_numbers(value, [*own[:index], new, *own[index + 1 :]]))


def _of_the_same_kind(before: Any, after: Any) -> Any:
    """Return an array that is symmetric, a distribution or of trace 1 where it was so before."""
    if not isinstance(before, np.ndarray):
        return after
    if before.ndim > 1 and before.shape[-1] == before.shape[-2] and np.all(before == np.swapaxes(before, -1, -2)):
        mirrored = np.swapaxes(after, -1, -2)
        after = np.where(np.swapaxes(before, -1, -2) != mirrored, mirrored, after)
        if before.ndim == 2 and np.trace(before) == 1 and np.trace(after) > 0:
            after = after / np.trace(after)
    elif before.ndim == 1 and len(before) and before.sum() == 1 and np.all(before >= 0):
        after = np.abs(after) / np.abs(after).sum()
    return after


def _row_changed(value: Array, generator: Generator) -> Array:
    """Return an array with one row a multiple of another, or of itself."""
    to, source = (int(i) for i in generator.integers(len(value), size=2))
    rows = value.copy()
    rows[to] = value[source] * (Fraction(1) if generator.random() < 0.4 else _one_of(FACTORS, generator))
    return rows


def _part_copied(value: Sequence[Any], generator: Generator) -> tuple[Any, ...]:
    """Return a sequence of tuples with one part of one of them a multiple of that of another, or of itself."""
    to, source = (int(i) for i in generator.integers(len(value), size=2))
    source = to if generator.random() < 0.5 else source
    place = int(generator.integers(len(value[source])))
    factor = Fraction(1) if generator.random() < 0.3 else _one_of(FACTORS, generator)
    part = changed(value[source][place], lambda number: number * factor)
    if len(numbers(part)) > 1 and generator.random() < 0.5:  # one of its numbers alone
        entries, index = numbers(value[to][place]), int(generator.integers(len(numbers(part))))
        entries[index] = numbers(part)[index]
        part = _of_the_same_kind(value[to][place], with_numbers(value[to][place], entries))
    renewed = list(value[to])
    renewed[place] = part
    return (*value[:to], tuple(renewed), *value[to + 1 :])


def _flipped(value: Array, generator: Generator) -> Array:
    if not value.size:
        raise ValueError("there is nothing to change")
    turned = value.copy()
    place = np.unravel_index(int(generator.integers(value.size)), value.shape)
    turned[place] = 1 - turned[place]
    return turned


def _counts_changed(value: tuple[int, ...], given: dict[str, Any], generator: Generator) -> tuple[int, ...]:
    index, kind = int(generator.integers(len(value))), generator.random()
    if kind < 0.2:
        return value[::-1]
    if kind < 0.4:
        return (*value, int(_one_of([*value, *(n - 1 for n in _sizes(given))], generator)))
    if kind < 0.5 and len(value) > 1:
        return (*value[:index], *value[index + 1 :])
    shifted = value[index] + int(_one_of((-1, 1), generator))
    return (*value[:index], shifted, *value[index + 1 :])


def _unit_changed(weights: Weights, given: dict[str, Any], generator: Generator) -> Weights:
    """Return weights with one unit's knot on another place, the unit turned, scaled or idle, or made like another."""
    w1, b1, w2 = (part.copy() for part in (weights.w1, weights.b1, weights.w2))
    i, j = (int(v) for v in generator.integers(len(w1), size=2))
    kind = generator.random()
    if kind < 0.4 and w1[i] != 0:
        off = Fraction(0) if generator.random() < 0.8 else _one_of(BESIDE, generator)
        b1[i] = -w1[i] * (_one_of(places(given), generator) + off)
    elif kind < 0.55:
        w1[i], b1[i], w2[i] = w1[j], b1[j], w2[j] * _one_of((1, 1, -1), generator)
    elif kind < 0.65:
        w1[i], b1[i] = -w1[i], -b1[i]
    elif kind < 0.75:
        w1[i] = b1[i] = Fraction(0)
    elif kind < 0.9:
        w2[i] = w2[i] * _one_of(FACTORS, generator)
    else:
        w1[i], b1[i] = w1[i] + (w1[i] == 0), b1[i] * _one_of(FACTORS, generator)
    return Weights(w1, b1, w2, weights.b2)


def _selection(size: int, generator: Generator) -> list[int]:
    """Return places, from 0 to size - 1: all, but one repeated, put in another's place, left out, or in another order."""
    every, kind = list(range(size)), generator.random()
    i, j = (int(v) for v in generator.integers(size, size=2))
    if kind < 0.25:
        return [j if place == i else place for place in every]
    if kind < 0.45:
        return [*every, i]
    if kind < 0.65 and size > 1:
        return [place for place in every if place != i]
    if kind < 0.8:
        return [int(v) for v in generator.permutation(size)]
    if kind < 0.9:
        return [*every, *every] if size < 4 else every[:2]
    return [i] * size


def _rows_chosen(given: dict[str, Any], arrays: dict[str, Array], generator: Generator) -> dict[str, Any]:
    """Return the values with the rows of all arrays of one length chosen anew, or those of one array."""
    first = _one_of(list(arrays), generator)
    size = len(arrays[first])
    chosen = _selection(size, generator)
    alone = len(chosen) == size and generator.random() < 0.3
    picked = [first] if alone else [name for name, value in arrays.items() if len(value) == size]
    renewed = {name: _rows(arrays[name], chosen) for name in picked}
    if len(chosen) > size and "x" in renewed and generator.random() < 0.7:  # a point of its own
        x = renewed["x"].copy()
        x[size:] = [_one_of(places(given), generator) + _one_of((0, *BESIDE), generator) for _ in x[size:]]
        renewed["x"] = x
    return {**given, **renewed}


def _rows(array: Array, chosen: list[int]) -> Array:
    numeric = array.dtype == object and array.ndim == 2  # a mode has units on its other axis
    square = numeric and array.shape[0] == array.shape[1] and np.all(array == array.T)
    renewed: Array = array[chosen][:, chosen] if square else array[chosen]
    if square and np.trace(array) == 1 and np.trace(renewed) > 0:
        renewed = renewed / np.trace(renewed)
    if array.ndim == 1 and array.dtype == object and array.sum() == 1 and np.all(array >= 0) and renewed.sum() > 0:
        renewed = renewed / renewed.sum()
    return renewed


def _units_chosen(given: dict[str, Any], generator: Generator) -> dict[str, Any]:
    """Return the values with the units of a network chosen anew, in all that has an entry for each; one turned at times.

    Raises:
        ValueError: if there is none.
    """
    name, weights = next((name, value) for name, value in given.items() if isinstance(value, Weights))
    if not weights.width:
        raise ValueError("there is no unit to choose")
    width, chosen = weights.width, _selection(weights.width, generator)
    w1, b1, w2 = (part[chosen] for part in (weights.w1, weights.b1, weights.w2))
    copies = [place for place, unit in enumerate(chosen) if unit in chosen[:place]]
    if copies and generator.random() < 0.7:  # a copy that cancels its unit, or faces the other way
        last = copies[-1]
        w2[last] = w2[last] * _one_of((1, -1, -1, *FACTORS), generator)
        if generator.random() < 0.5:
            w1[last], b1[last] = -w1[last], -b1[last]
    renewed = {**given, name: Weights(w1, b1, w2, weights.b2)}
    for other, value in given.items():
        if isinstance(value, np.ndarray) and value.ndim == 2 and value.shape[1] == width and value.dtype.kind in "bi":
            renewed[other] = value[:, chosen]
        elif isinstance(value, np.ndarray) and value.shape == (3 * width + 1,):
            parts = [value[part * width : (part + 1) * width][chosen] for part in range(3)]
            renewed[other] = np.concatenate([*parts, value[3 * width :]])
    return renewed


def _state(claim: Claim, instance: Instance) -> object:
    """Return what changes at an edge: which assumption fails, and where none does, which of two truth values hold."""
    given = claim.checked(instance)
    failing = claim.failing(given)
    if failing is not None:
        return failing[0].name
    if claim.form in (Form.EQUIVALENCE, Form.IMPLICATION):
        lhs, rhs = claim.sides(given)
        return (lhs.lower, rhs.lower)
    return None


def edges(claim: Claim, instance: Instance, names: Sequence[str], generator: Generator) -> Iterator[Instance]:
    """Yield instances at, and on both sides of, the place where an assumption begins or ceases to hold.

    One symbol is made larger or smaller by a factor, a number by preference; the edge is the simplest factor there.

    Args:
        claim: whose assumptions, or truth values, change there.
        instance: where to begin.
        names: the symbols whose values may be changed, at least one.
        generator: what decides which.
    """
    start = coarse(instance)
    single = [name for name in names if isinstance(start[name], Fraction) and start[name]]
    scalable = [name for name in names if numbers(start[name])]
    if not scalable:
        return
    name = _one_of(single if single and generator.random() < 0.8 else scalable, generator)

    def at(factor: Fraction) -> Instance:
        value = changed(start[name], lambda number: number * factor)
        return Instance({**start.given, name: value}, "coincident")

    factor = _edge(lambda factor: _state(claim, at(factor)), generator)
    if factor is not None:
        yield from (at(factor * share) for share in PAST_THE_EDGE)


def _edge(state: Callable[[Fraction], object], generator: Generator) -> Fraction | None:
    """Return the simplest factor next to a change of state, if there is one within `REACH`."""
    found = []
    for factor in REACH:
        try:
            found.append((factor, state(factor)))
        except NO_INSTANCE:
            continue
    steps = [(a, b) for a, b in pairwise(found) if a[1] != b[1]]
    if not steps:
        return None
    (low, before), (high, _) = steps[int(generator.integers(len(steps)))]
    for _ in range(14):
        middle = (low + high) / 2
        try:
            low, high = (middle, high) if state(middle) == before else (low, middle)
        except NO_INSTANCE:
            return None
    denominator = 1
    while not low <= (simple := high.limit_denominator(denominator)) <= high:
        denominator *= 2
    return simple


COUNTED = 12
"""The largest count of an instance that coincidences are put in: what is enumerated grows with it, and with the rows."""


def small_enough(instance: Instance) -> bool:
    """Return whether nothing in an instance counts so far that a row more would be too many."""
    return all(_count_of(value) <= COUNTED for value in instance.given.values())


@dataclass(frozen=True)
class Sizes:
    """How large the values of instances are: no coincidence makes one larger than a strategy draws.

    Attributes:
        rows: the most rows, units or entries of each symbol.
        counts: the largest number of each symbol that counts something.
        fixed: the symbols that have as many rows in all.
    """

    rows: Mapping[str, int]
    counts: Mapping[str, int]
    fixed: Collection[str]

    @classmethod
    def of(cls, instances: Sequence[Instance]) -> Sizes:
        """Return the sizes of the largest of some instances."""
        rows: dict[str, int] = {}
        counts: dict[str, int] = {}
        lengths: dict[str, set[int]] = {}
        for instance in instances:
            for name, value in instance.given.items():
                rows[name] = max(rows.get(name, 0), _rows_of(value))
                counts[name] = max(counts.get(name, 0), _count_of(value))
                lengths.setdefault(name, set()).add(_rows_of(value))
        return cls(rows, counts, {name for name, found in lengths.items() if len(found) == 1})

    def allow(self, instance: Instance) -> bool:
        """Return whether no value has more rows, or counts more than one further."""
        return all(
            _rows_of(value) <= self.rows.get(name, 0) and _count_of(value) <= self.counts.get(name, 0) + 1
            for name, value in instance.given.items()
        )


def _rows_of(value: Any) -> int:
    if isinstance(value, Weights):
        return value.width
    return len(value) if isinstance(value, (np.ndarray, tuple, list)) else 0


def _count_of(value: Any) -> int:
    if isinstance(value, (bool, np.bool_)):
        return 0
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (tuple, list)):
        return max((_count_of(v) for v in value), default=0)
    return 0
