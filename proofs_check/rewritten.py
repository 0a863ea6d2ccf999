"""Claims whose source was changed in one place, tried on the instances that the claim itself has passed.

Nobody wrote these to be caught, and not all of them are wrong. Each has one outcome:

- caught: an instance refutes it;
- weaker: it says less than the claim on all instances seen, and more on none: it applies to fewer, or its sides leave more
  room. It cannot be refuted where the claim is not;
- equal: it says the same as the claim on all instances seen;
- void: it has no value on any of them;
- spared: nobody claims it to be wrong, for a reason that the trial gives;
- survives: it says something else than the claim, more somewhere, and no instance refutes it.

What both sides come to is changed on one side at a time: the same change of both is a claim about something else, which
may well be true. One that is refuted on one side is caught.
"""

from __future__ import annotations

import math
import warnings
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from proofs_check.falsify import Effort, Search, coincide
from proofs_check.remembered import forgiving, remembering
from proofs_check.row import CAUGHT, EQUAL, SPARED, SURVIVES, VOID, WEAKER, MutantRow
from proofs_check.trials.generated import Rewriting, of_source
from proofs_check.trials.operators import without
from theory.claim import Claim, Form, Instance, Ruling, Verdict, compare
from theory.enclosure import Enclosure

Case = tuple[Verdict, Instance, str]

ALIKE = Fraction(1, 10**9)
"""Sides are the same whose middles are no farther apart than this share of the sides' sizes: sums in another order are."""


def sample(id: str, rewritings: Sequence[Rewriting], most: int) -> list[Rewriting]:
    """Return some of the changes of a claim, the same ones each time, in their order: those with the smallest hashes."""
    smallest = sorted(rewritings, key=lambda one: zlib.crc32(f"{id}/{one.name}".encode()))[:most]
    names = {one.name for one in smallest}
    return [one for one in rewritings if one.name in names]


def tried_rewritings(
    claim: Claim, passed: Search, effort: Effort, seed: int, spared: Mapping[str, str]
) -> tuple[list[MutantRow], int]:
    """Return what came of changes of a claim's source, and how many more there are.

    Args:
        claim: the claim as it is registered: what remembers its values has no source.
        passed: the instances that it has passed.
        effort: how many changes are tried, on how many instances, and on how many beside these where they do not say less.
        seed: of the search beside these.
        spared: why changes need not be refuted, by name.
    """
    every = of_source(claim) if effort.rewritten else []
    chosen = sample(claim.id, every, effort.rewritten)
    cases = _Cases.of(passed, effort.shown)
    known = remembering(claim)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy's, of numbers that the claim itself never meets
        rows = [_tried(known, one, cases, effort, seed, spared) for one in chosen]
    return rows, len(every) - len(chosen)


@dataclass(frozen=True)
class _Cases:
    """Instances to try changes on.

    Attributes:
        decided: those that the claim applies to: of the first `most` half are those with least slack, and the others are
            spread over the rest, which come after them.
        failing: those where an assumption fails, by its name.
        most: how many of a sort a change is tried on that has not been seen to say more than the claim.
    """

    decided: list[Case]
    failing: dict[str, list[Case]]
    most: int

    @classmethod
    def of(cls, passed: Search, most: int) -> _Cases:
        """Return the instances that a claim has passed, without trained networks: these differ a little between machines."""
        seen = [case for case in passed.closest() if case[2] != "trained"]
        decided = [case for case in seen if case[0].ruling is not Ruling.INAPPLICABLE]
        failing: dict[str, list[Case]] = {}
        for case in seen:
            if case[0].failed is not None:
                failing.setdefault(case[0].failed, []).append(case)
        half = most // 2
        return cls(
            [*decided[:half], *_spread_first(decided[half:], most - half)],
            {name: _spread_first(cases, most) for name, cases in failing.items()},
            most,
        )

    def until(self, found: _Found, cases: list[Case]) -> Iterator[Case]:
        """Yield instances: the first of them, and ten times as many once the change was seen to say more than the claim."""
        for number, case in enumerate(cases[: 10 * self.most]):
            if number >= self.most and not found.more:
                return
            yield case


def _spread_first(cases: list[Case], most: int) -> list[Case]:
    """Return instances in another order: so many, evenly spread, before the others."""
    step = max(1, -(-len(cases) // max(1, most)))
    return [*cases[::step], *(case for place, case in enumerate(cases) if place % step)]


def _tried(
    claim: Claim, one: Rewriting, cases: _Cases, effort: Effort, seed: int, spared: Mapping[str, str]
) -> MutantRow:
    row = MutantRow(one.name, one.kind.value, because="", by="", outcome=SPARED)
    whole = "" if one.assumption is None else without(claim, claim.assumptions[one.assumption].name).name
    for name in (one.name, whole):  # what is true without an assumption is true with any other in its place
        if name in spared:
            return replace(row, because=spared[name])
    wrong = one.make()
    found = (
        _on_sides(claim, wrong, cases)
        if one.assumption is None
        else _on_assumption(claim, wrong, one.assumption, cases)
    )
    if found.by:
        return replace(row, outcome=CAUGHT, by=found.by)
    if not found.valued:
        return replace(row, outcome=VOID, because=f"it has no value on any of {found.seen} instances")
    if effort.beside and (found.more or not found.other):
        for version in _versions(claim, wrong, one.assumption):
            search = Search(seen=[*cases.decided, *(case for some in cases.failing.values() for case in some)])
            coincide(version, search, steps=effort.beside, seed=seed + 3)
            if search.counterexample:
                return replace(row, outcome=CAUGHT, by=search.source)
    outcome = EQUAL if not found.other else SURVIVES if found.more else WEAKER
    return replace(row, outcome=outcome, because=f"{_WORDS[outcome]} {found.seen} instances seen")


_WORDS = {
    EQUAL: "it says the same as the claim on all",
    WEAKER: "it never says more than the claim, on all",
    SURVIVES: "it says more than the claim, and is refuted by none of",
}


@dataclass
class _Found:
    """What was found of a changed claim: on how many instances it was tried, whether it has a value, is another, says more."""

    seen: int = 0
    valued: bool = False
    other: bool = False
    more: bool = False
    by: str = ""


def _on_sides(claim: Claim, wrong: Claim, cases: _Cases) -> _Found:
    found = _Found()
    for verdict, given, source in cases.until(found, cases.decided):
        found.seen += 1
        before = claim.sides(given)
        try:
            after = wrong.sides(given)
            size = sum((abs(Fraction(side.midpoint)) for side in before if _finite(side)), Fraction(0))
            changed = [place for place in (0, 1) if _apart(before[place], after[place], size)]
        except Exception:  # noqa: BLE001 (a changed function may raise anything, and has no value then)
            continue
        found.valued = True
        for place in changed:
            lhs, rhs = (after[0], before[1]) if place == 0 else (before[0], after[1])
            now = compare(claim.id, claim.form, lhs, rhs)
            found.other = True
            found.more = found.more or _says_more(claim.form, verdict, now, size)
            if now.ruling is Ruling.VIOLATED:
                found.by = source
                return found
    return found


def _says_more(form: Form, before: Verdict, now: Verdict, size: Fraction) -> bool:
    """Return whether there is less room than before; other sides of an identity or an equivalence always say more."""
    if form in (Form.IDENTITY, Form.EQUIVALENCE) or now.slack is None or before.slack is None:
        return True
    return now.slack < before.slack - ALIKE * size


def _finite(side: Enclosure) -> bool:
    return math.isfinite(side.lower) and math.isfinite(side.upper)


def _apart(before: Enclosure, after: Enclosure, size: Fraction) -> bool:
    first, second = before.midpoint, after.midpoint
    if first == second or not (_finite(before) and _finite(after)):
        return first != second
    return abs(Fraction(first) - Fraction(second)) > ALIKE * size


def _on_assumption(claim: Claim, wrong: Claim, place: int, cases: _Cases) -> _Found:
    """Try a claim with another assumption: on instances where that one fails, and the others need not."""
    found = _Found()
    before, after = claim.assumptions[place], wrong.assumptions[place]
    others = [one for i, one in enumerate(claim.assumptions) if i != place]
    for _, given, source in cases.until(found, cases.failing.get(before.name, [])):
        found.seen += 1
        try:
            applies = after.holds(after.measure(given))
            found.valued = True
            if not applies or not all(one.holds(one.measure(given)) for one in others):
                continue
            ruling = compare(claim.id, claim.form, *claim.sides(given)).ruling
        except Exception:  # noqa: BLE001 (see above; the sides need not have a value where the assumption fails)
            continue
        found.other = found.more = True
        if ruling is Ruling.VIOLATED:
            found.by = source
            return found
    for _, given, _ in cases.decided[: cases.most]:
        found.seen += 1
        try:
            found.other = found.other or not after.holds(after.measure(given))
        except Exception:  # noqa: BLE001 (see above)
            continue
        found.valued = True
    return found


def _versions(claim: Claim, wrong: Claim, assumption: int | None) -> list[Claim]:
    """Return the changed claim as it is searched beside what was seen: with one side changed, and with the other."""
    if assumption is not None:
        changed = wrong.assumptions[assumption]
        kept = (*claim.assumptions[:assumption], changed, *claim.assumptions[assumption + 1 :])
        return [forgiving(replace(claim, assumptions=kept), (Exception,))]

    def left(given: Instance) -> tuple[Enclosure, Enclosure]:
        return wrong.sides(given)[0], claim.sides(given)[1]

    def right(given: Instance) -> tuple[Enclosure, Enclosure]:
        return claim.sides(given)[0], wrong.sides(given)[1]

    return [forgiving(replace(claim, sides=sides), (Exception,)) for sides in (left, right)]
