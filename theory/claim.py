"""The vocabulary: what a claim is, what it is evaluated on, and what may come out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from fractions import Fraction
from functools import total_ordering
from types import MappingProxyType
from typing import Any

from theory.conditions import AssumptionError as AssumptionError
from theory.conditions import Condition
from theory.enclosure import Enclosure
from theory.proof import Proof
from theory.sources import Source
from theory.symbols import Symbol, check_sizes


class Form(StrEnum):
    """What a claim asserts of its two sides."""

    AT_MOST = "<="
    AT_LEAST = ">="
    IDENTITY = "="
    EQUIVALENCE = "iff"
    IMPLICATION = "implies"


class Ruling(StrEnum):
    """What evaluating a claim on an instance came to."""

    HOLDS = "holds"
    VIOLATED = "violated"
    INCONCLUSIVE = "inconclusive"
    INAPPLICABLE = "inapplicable"


class Finding(StrEnum):
    """What became of a claim as its paper prints it; the last two are not about a paper.

    One run of a paper that does not generalise is not false. A claim that no paper makes, and that fell, is our conjecture;
    `OURS` are those of ours that stand.
    """

    AS_PRINTED = "as printed"
    NEEDS_ASSUMPTION = "needs an assumption"
    PROOF_GAP = "proof gap"
    LOOSE = "loose"
    FALSE = "false"
    ONE_RUN = "does not generalise"
    CONJECTURE = "our conjecture"
    OURS = "ours"

    @property
    def refutable(self) -> bool:
        """Whether it says that the claim, as it is encoded, is violated somewhere."""
        return self in (Finding.NEEDS_ASSUMPTION, Finding.FALSE, Finding.ONE_RUN, Finding.CONJECTURE)

    @property
    def on_print(self) -> bool:
        """Whether it says something against what a paper prints, in the words that `Claim.quote` has."""
        return self not in (Finding.AS_PRINTED, Finding.CONJECTURE, Finding.OURS)


@total_ordering
class Status(Enum):
    """How firmly a claim stands; computed from evidence, never typed. `REFUTED` lies below all others."""

    REFUTED = "refuted"
    CONJECTURED = "conjectured"
    TESTED = "tested"
    CERTIFIED = "certified"
    PROVED = "proved"
    MACHINE_CHECKED = "machine-checked"

    def __lt__(self, other: object) -> bool:
        """Return whether this status is weaker than `other`."""
        if not isinstance(other, Status):
            return NotImplemented
        order = list(Status)
        return order.index(self) < order.index(other)


@dataclass(frozen=True, eq=False)
class Instance(Mapping[str, Any]):
    """A value for every symbol of a claim, and where it came from; a mapping from the names of symbols.

    Attributes:
        given: symbol name to value: arrays, numbers, functions; rationals where the instance is exact.
        origin: "drawn", "trained", "solved" or "named", with a word on how.
    """

    given: Mapping[str, Any]
    origin: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "given", MappingProxyType(dict(self.given)))

    def __getitem__(self, name: str) -> Any:
        """Return the value of a symbol.

        Raises:
            KeyError: if the instance has no value for it, naming those it has.
        """
        if name not in self.given:
            raise KeyError(f"the instance has no value for {name!r}, only for {', '.join(self.given)}")
        return self.given[name]

    def __iter__(self) -> Iterator[str]:
        """Return the names of the symbols that have a value."""
        return iter(self.given)

    def __len__(self) -> int:
        """Return how many symbols have a value."""
        return len(self.given)

    __eq__ = object.__eq__  # values are arrays, which do not compare to one answer
    __hash__ = object.__hash__

    def but(self, **changes: Any) -> Instance:
        """Return the same instance with some values replaced or added."""
        return Instance({**self.given, **changes}, self.origin)


@dataclass(frozen=True)
class Assumption:
    """A condition under which a claim is stated, that can be decided on an instance.

    Attributes:
        name: what the error and the ledger call it.
        measure: the value that decides it, shown to the user where it fails.
        holds: whether that value satisfies the condition.
    """

    name: str
    measure: Callable[[Instance], Any]
    holds: Callable[[Any], bool]

    @classmethod
    def that(cls, condition: Condition, measure: Callable[[Instance], Any]) -> Assumption:
        """Return the assumption that what is measured on an instance satisfies a condition."""
        return cls(condition.name, measure, condition.holds)


@dataclass(frozen=True)
class Verdict:
    """The outcome of evaluating one claim on one instance.

    Attributes:
        claim: the claim's id.
        ruling: holds, violated, inconclusive (the error of the sides hides the answer) or inapplicable.
        lhs: the left side, as an interval that contains it; None where inapplicable.
        rhs: the right side, likewise.
        slack: how far the claim is from being violated, in the units of its sides (negative: violated by that much);
            for identities minus the distance of the sides. None where inapplicable.
        failed: the assumption that fails, and `value` what decided it, where inapplicable.
        value: see `failed`.
    """

    claim: str
    ruling: Ruling
    lhs: Enclosure | None = None
    rhs: Enclosure | None = None
    slack: float | None = None
    failed: str | None = None
    value: Any = None


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A statement of a paper (or of this library), written once; everything else evaluates or shows it.

    Attributes:
        id: the id in the list of claims; a repaired version is `M9.a` with `amends="M9"`.
        source: paper and locator.
        statement: the statement as printed, LaTeX.
        form: what is asserted of the two sides.
        symbols: what the names in `sides` and in `statement` mean.
        sides: both sides on an instance, as intervals; for equivalences and implications, truth values.
        assumptions: the conditions under which it is stated.
        bound: the function that users import, if the claim gives one. It refuses, by an `AssumptionError`, arguments that
            show that an assumption fails which every claim makes whose bound it is; `bound_at` asks for all assumptions.
        bound_on: the right side as that function gives it on an instance, a float, so that the two can be held together.
        proof: builds its steps, if it is proved here; built on demand, so that importing a claim does not wait for it.
        small: the same for proofs that cover small sizes only (two points, one unit), over all reals.
        reads: what the symbols of its proofs are on an instance, by their names: a number, or for an indexed symbol its
            entries, the first at index 1, [m] or [m, m]. Made of the instance's values and not of `sides`. None for an
            instance of a size that the proofs do not speak of.
        finding: what became of it as printed.
        note: the finding in a sentence or two: what is wrong, what follows, what was left out of the check. No number that
            came out of a run: the ledger adds what the kept rows say.
        quote: for what does not stand as printed, the words of the paper that the finding is about, 25 at most: formulas in
            plain letters, ligatures and what the extraction of the text broke mended, ".." for what is left out.
        reading: how these words are read where they can be read otherwise, in a sentence; "Strained" if it must be said.
            Of a conjecture of ours, what was said instead, and by whom. Of what stands as printed, how the statement is read,
            where that is a choice.
        amends: the id of the printed claim that this one repairs.
        witness: an instance that shows the finding: a counterexample, or one on which the printed proof fails; none for what
            is observed, whose witness is a kept row that `proofs_check` stores.
        extremal: an instance on which the two sides meet, or
        no_extremal: the reason there is none.
        study: for what is observed rather than derived, the module of `experiments` that reports on it; the claim is then
            evaluated on the rows that were kept of it.
        again: where others say the same, second sources.
    """

    id: str
    source: Source
    statement: str
    form: Form
    symbols: tuple[Symbol, ...]
    sides: Callable[[Instance], tuple[Enclosure, Enclosure]]
    assumptions: tuple[Assumption, ...] = ()
    bound: Callable[..., Any] | None = None
    bound_on: Callable[[Instance], float] | None = None
    proof: Callable[[], Proof] | None = None
    small: Callable[[], Proof] | None = None
    reads: Callable[[Instance], Mapping[str, Any] | None] | None = None
    finding: Finding
    note: str
    quote: str = ""
    reading: str = ""
    amends: str | None = None
    witness: Instance | None = None
    extremal: Instance | None = None
    no_extremal: str = ""
    study: str = ""
    again: tuple[Source, ...] = ()

    def checked(self, instance: Instance | Mapping[str, Any]) -> Instance:
        """Return the instance with the values of the claim's symbols checked.

        Raises:
            TypeError: if the instance is none, or a value is of the wrong type.
            ValueError: if a symbol has no value, one that is out of its range, or of a size that does not fit the others.
        """
        if not isinstance(instance, (Instance, Mapping)):
            raise TypeError(f"instance must be an Instance or a mapping of symbols to values, got {instance!r}")
        given = instance if isinstance(instance, Instance) else Instance(instance, "given")
        missing = [symbol.name for symbol in self.symbols if symbol.name not in given.given]
        if missing:
            raise ValueError(
                f"{self.id} needs a value for {', '.join(missing)}, got {', '.join(given.given) or 'none'}"
            )
        values = {s.name: s.check(s.name, given[s.name]) for s in self.symbols if s.check is not None}
        checked = given.but(**values) if values else given
        check_sizes(self.symbols, checked.given)
        return checked

    def failing(self, instance: Instance | Mapping[str, Any]) -> tuple[Assumption, Any] | None:
        """Return the first assumption that fails on the instance with the value that decided it, or None."""
        return self._failing(self.checked(instance))

    def _failing(self, given: Instance) -> tuple[Assumption, Any] | None:
        for assumption in self.assumptions:
            value = assumption.measure(given)
            if not assumption.holds(value):
                return assumption, value
        return None

    def require(self, instance: Instance | Mapping[str, Any]) -> None:
        """Do nothing if the claim applies to the instance.

        Raises:
            AssumptionError: if one of the assumptions fails, naming it and the value.
        """
        self._required(self.checked(instance))

    def _required(self, given: Instance) -> None:
        failing = self._failing(given)
        if failing is not None:
            raise AssumptionError(self.id, failing[0].name, failing[1])

    def bound_at(self, instance: Instance | Mapping[str, Any]) -> float:
        """Return the bound on an instance that satisfies all the claim's assumptions.

        Raises:
            AssumptionError: if one of the assumptions fails, naming it and the value.
            TypeError: if a value is of the wrong type.
            ValueError: if a symbol has no value, or one that is out of its range, or the claim gives no bound.
        """
        if self.bound_on is None:
            raise ValueError(f"{self.id} gives no bound, it is evaluated")
        given = self.checked(instance)
        self._required(given)
        return self.bound_on(given)

    def evaluate(self, instance: Instance | Mapping[str, Any]) -> Verdict:
        """Return the verdict on an instance, which has a value for every one of the claim's `symbols`.

        Raises:
            TypeError: if a value is of the wrong type.
            ValueError: if a symbol has no value, or one that is out of its range.
        """
        return self.judged(self.checked(instance))

    def judged(self, given: Instance) -> Verdict:
        """Return the verdict on an instance whose values were checked, see `checked`."""
        failing = self._failing(given)
        if failing is not None:
            return Verdict(self.id, Ruling.INAPPLICABLE, failed=failing[0].name, value=failing[1])
        lhs, rhs = self.sides(given)
        return compare(self.id, self.form, lhs, rhs)


def compare(claim: str, form: Form, lhs: Enclosure, rhs: Enclosure) -> Verdict:
    """Return the verdict on two sides that are known up to an interval each.

    An inequality holds or is violated where the intervals decide it. Floats cannot prove an identity: it is violated
    where the intervals are disjoint, and holds where they overlap, that is, within the stated error. Truth values that
    the error leaves open decide nothing.
    """
    if form is Form.AT_LEAST:
        mirrored = compare(claim, Form.AT_MOST, rhs, lhs)
        return Verdict(claim, mirrored.ruling, lhs, rhs, mirrored.slack)
    if form in (Form.AT_MOST, Form.IMPLICATION):
        ruling = (
            Ruling.HOLDS
            if lhs.upper <= rhs.lower
            else Ruling.VIOLATED
            if lhs.lower > rhs.upper
            else Ruling.INCONCLUSIVE
        )
        return Verdict(claim, ruling, lhs, rhs, _difference(rhs.midpoint, lhs.midpoint))
    apart = lhs.lower > rhs.upper or rhs.lower > lhs.upper
    slack = 0.0 - abs(_difference(lhs.midpoint, rhs.midpoint))
    if form is Form.EQUIVALENCE and not apart and (lhs.lower < lhs.upper or rhs.lower < rhs.upper):
        return Verdict(claim, Ruling.INCONCLUSIVE, lhs, rhs, slack)
    return Verdict(claim, Ruling.VIOLATED if apart else Ruling.HOLDS, lhs, rhs, slack)


def _difference(a: float | Fraction, b: float | Fraction) -> float:
    if a == b:
        return 0.0
    if any(isinstance(end, float) and math.isinf(end) for end in (a, b)):
        return math.inf if a > b else -math.inf
    try:
        return float(Fraction(a) - Fraction(b))
    except OverflowError:
        return math.inf if a > b else -math.inf
