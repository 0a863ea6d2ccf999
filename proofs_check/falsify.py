"""The search for counterexamples: named and trained instances, Hypothesis steered towards small slack, coincidences, variation.

Every instance that is looked at is kept with its verdict, so that the wrong versions of a claim (`proofs_check.trials`)
can be tried on the very instances that the claim itself has passed.
"""

from __future__ import annotations

import contextlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import hypothesis
import numpy as np
from hypothesis import HealthCheck, Phase, settings
from hypothesis.strategies import SearchStrategy

from proofs_check.coincidences import NO_INSTANCE, Sizes, coincident, edges, free, small_enough
from proofs_check.crash import CrashError, part
from proofs_check.draws import same_draws
from proofs_check.simplify import simplest, variable
from proofs_check.values import Number, numbers, with_numbers
from theory.claim import Claim, Instance, Ruling, Verdict


@dataclass(frozen=True)
class Effort:
    """How hard to search.

    Attributes:
        drawn: instances that Hypothesis draws.
        coincident: instances tried beside those that were drawn, with coincidences of their numbers.
        varied: variations tried of the instances with least slack.
        trained: networks trained, for all claims together.
        shrink: evaluations spent on making a counterexample simpler.
        rewritten: changes of a claim's source that are tried, see `proofs_check.rewritten`.
        shown: instances that each of them is tried on.
        beside: instances tried for each beside these.
    """

    drawn: int
    coincident: int
    varied: int
    trained: int
    shrink: int
    rewritten: int = 0
    shown: int = 0
    beside: int = 0


@dataclass(frozen=True)
class Arena:
    """Where to search.

    Attributes:
        named: instances from the registry: extremal ones, witnesses, stored counterexamples.
        trained: what networks ended in, or rows that were kept of a study.
        drawn: what Hypothesis draws from.
        rows_missing: where kept rows would be that belong to `trained`, if they are not there.
    """

    named: tuple[Instance, ...] = ()
    trained: tuple[Instance, ...] = ()
    drawn: SearchStrategy[Instance] | None = None
    rows_missing: str = ""


Seen = tuple[Verdict, Instance, str]
"""An instance that was looked at: the verdict, the instance, and where it came from."""


@dataclass
class Search:
    """What a search came to.

    Attributes:
        rulings: how many instances came to each ruling (a violation ends the search, so it is the last).
        sources: how many instances came from where: named, trained, drawn, coincident, varied.
        seen: the instances with their verdicts and where they came from.
        tightest: the verdict with the smallest slack relative to its sides among those that held, and the instance.
        counterexample: the violation and its instance; None if none was found.
        source: where the counterexample came from.
    """

    rulings: Counter[Ruling] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    seen: list[Seen] = field(default_factory=list)
    tightest: tuple[Verdict, Instance] | None = None
    counterexample: tuple[Verdict, Instance] | None = None
    source: str = ""

    @property
    def decided(self) -> int:
        """The number of instances on which the claim held or was violated."""
        return self.rulings[Ruling.HOLDS] + self.rulings[Ruling.VIOLATED]

    def look(
        self, claim: Claim, instance: Instance, source: str, none: tuple[type[Exception], ...] = (ValueError,)
    ) -> Verdict:
        """Evaluate the claim on an instance, count it, and return the verdict.

        Args:
            claim: what to evaluate.
            instance: the instance.
            source: where it came from.
            none: what is raised as it is, for it says that the values are no instance of the claim.

        Raises:
            CrashError: if the claim crashes.
        """
        with part(f"its evaluation on a {source} instance", but=none):
            instance = claim.checked(instance)
            verdict = claim.judged(instance)
        self.rulings[verdict.ruling] += 1
        self.sources[source] += 1
        self.seen.append((verdict, instance, source))
        if verdict.ruling is Ruling.VIOLATED:
            self.counterexample, self.source = (verdict, instance), source
        elif verdict.ruling is Ruling.HOLDS and (
            self.tightest is None or relative_slack(verdict) < relative_slack(self.tightest[0])
        ):
            self.tightest = (verdict, instance)
        return verdict

    def closest(self) -> list[Seen]:
        """Return what was seen, the least slack first, instances that the claim does not apply to last."""
        return sorted(self.seen, key=lambda entry: relative_slack(entry[0]))


def relative_slack(verdict: Verdict) -> float:
    """Return the slack divided by the sizes of the sides; inf where there is none."""
    if verdict.slack is None or verdict.lhs is None or verdict.rhs is None:
        return math.inf
    size = abs(float(verdict.lhs.midpoint)) + abs(float(verdict.rhs.midpoint))
    relative = verdict.slack / size if size > 0 else 0.0
    return relative if math.isfinite(relative) else math.inf


VARIED_AT_ONCE = 4
"""Instances whose numbers `vary` changes in turn."""


class _CounterexampleFoundError(Exception):
    """Tells Hypothesis that an instance violates the claim."""


NEAR = 0.5
"""The relative slack below which Hypothesis is told to go for less: farther off it spends its time on failed drawings."""


def falsify(
    claim: Claim,
    instances: SearchStrategy[Instance],
    *,
    examples: int = 200,
    seed: int = 0,
    shrink: bool = True,
    search: Search | None = None,
) -> Search:
    """Draw instances until one violates a claim; shrink it, and return it with what else was seen.

    The slack, relative to the size of the sides, is Hypothesis's target: instances with little of it are varied further.

    Args:
        claim: what to refute.
        instances: where to look.
        examples: how many instances to draw, at least 1.
        seed: of the drawing.
        shrink: whether Hypothesis shrinks a counterexample, which takes longer than to find it.
        search: the search to go on with; a new one if not given.

    Raises:
        CrashError: if the strategy or the claim crashes.
        ValueError: if `examples` is below 1.
    """
    if examples < 1:
        raise ValueError(f"examples must be at least 1, got {examples}")
    found = Search() if search is None else search
    counted = True
    crash: CrashError | None = None

    def look(instance: Instance) -> None:
        nonlocal counted, crash
        if crash is not None:
            raise crash  # Hypothesis would shrink what the claim crashes on, which may take minutes
        # While Hypothesis shrinks, only what replaces the counterexample is of interest.
        try:
            with part("its evaluation on a drawn instance"):
                verdict = found.look(claim, instance, "drawn") if counted else claim.evaluate(instance)
        except CrashError as error:
            crash = error
            raise
        if verdict.ruling is Ruling.VIOLATED:
            counted = False
            found.counterexample, found.source = (verdict, instance), "drawn"
            raise _CounterexampleFoundError
        relative = relative_slack(verdict)
        if relative < NEAR:
            hypothesis.target(-relative)

    run = hypothesis.seed(seed)(
        settings(
            max_examples=examples,
            database=None,
            deadline=None,
            phases=(Phase.generate, Phase.target, *((Phase.shrink,) if shrink else ())),
            suppress_health_check=list(HealthCheck),
            verbosity=hypothesis.Verbosity.quiet,
            print_blob=False,
            report_multiple_bugs=False,
        )(hypothesis.given(instances)(look))
    )
    with (
        contextlib.suppress(_CounterexampleFoundError),
        part("its strategy", but=(_CounterexampleFoundError,)),
        same_draws(),
    ):
        run()
    return found


FROM = ("named", "drawn", "coincident")
"""Where instances come from that coincidences are put in: what was trained has too many numbers for one to matter."""

CLOSE, FOR_AN_EDGE = 16, 40
"""Among how many instances with least slack every other one is chosen, and every which one is taken to an edge."""


def coincide(
    claim: Claim, search: Search, *, steps: int, seed: int = 0, first: Callable[[Instance], bool] | None = None
) -> None:
    """Go on with a search beside what was seen: with coincidences of its numbers, and at the edges of the assumptions.

    Args:
        claim: what to refute.
        search: what was seen so far; what is tried is added to it.
        steps: instances to try.
        seed: of the changes.
        first: where to begin by preference, if not everywhere.
    """
    names = free(claim)
    start = [instance for _, instance, source in search.closest() if source in FROM and small_enough(instance)]
    if not names or not start:
        return
    generator, sizes = np.random.default_rng([seed, 1]), Sizes.of(start)
    preferred = [instance for instance in start if first(instance)] if first is not None else []
    closest = start[:CLOSE]
    waiting: Iterator[Instance] = iter(())
    tried = 0
    for step in range(3 * steps):
        if tried >= steps:
            return
        pool = (preferred or closest, closest, start)[step % 3]
        base = pool[int(generator.integers(len(pool)))]
        try:
            changed = next(waiting, None)
            if changed is None and step % FOR_AN_EDGE == 0:
                waiting = edges(claim, base, names, generator)
                changed = next(waiting, None)
            if changed is None:
                changed = coincident(base, names, generator, sizes.fixed)
            if not sizes.allow(changed):
                continue
            verdict = search.look(claim, changed, "coincident", NO_INSTANCE)
        except NO_INSTANCE:
            continue
        tried += 1
        if verdict.ruling is Ruling.VIOLATED:
            return
        if verdict.ruling is not Ruling.INAPPLICABLE:
            start.append(changed)
            if first is not None and first(changed):
                preferred.append(changed)


def vary(claim: Claim, search: Search, *, steps: int, seed: int = 0) -> None:
    """Go on with a search by changing single numbers of the instances with least slack, downhill in the slack.

    Args:
        claim: what to refute.
        search: what was seen so far; what is tried is added to it.
        steps: variations to try.
        seed: of the variation.
    """
    names = variable(claim)
    best = [(relative_slack(verdict), instance) for verdict, instance, _ in search.closest()[:VARIED_AT_ONCE]]
    best = [pair for pair in best if math.isfinite(pair[0])]
    if not names or not best:
        return
    generator = np.random.default_rng(seed)
    for step in range(steps):
        place = step % len(best)
        slack, instance = best[place]
        changed = _one_changed(instance, names, generator)
        if changed is None:
            continue
        try:
            verdict = search.look(claim, changed, "varied")
        except ValueError:  # equal points, a step size that is not positive: not an instance
            continue
        if verdict.ruling is Ruling.VIOLATED:
            return
        if relative_slack(verdict) < slack:
            best[place] = (relative_slack(verdict), changed)


def _one_changed(instance: Instance, names: Sequence[str], generator: np.random.Generator) -> Instance | None:
    name = str(generator.choice(names))
    values = numbers(instance[name])
    if not values:
        return None
    index = int(generator.integers(len(values)))
    values[index] = _nudged(values[index], generator)
    return Instance({**instance.given, name: with_numbers(instance[name], values)}, "varied")


def _nudged(number: Number, generator: np.random.Generator) -> Number:
    size = 10.0 ** generator.uniform(-4, 0) * float(generator.normal())
    factor = Fraction(1 + size).limit_denominator(10_000)
    if isinstance(number, Fraction):
        nudged = number * factor if number else factor - 1
        return nudged if generator.random() < 0.8 else nudged.limit_denominator(64)
    return number * float(factor) if number else size


def hunt(claim: Claim, arena: Arena, effort: Effort, *, seed: int = 0) -> Search:
    """Search everywhere for a counterexample: among named instances, trained ones, drawn ones, and what lies beside these.

    A counterexample is made as simple as `effort` allows.

    Args:
        claim: what to refute.
        arena: where to look.
        effort: how hard.
        seed: of drawing and variation.
    """
    search = Search()
    first_violated(claim, search, (("named", arena.named), ("trained", arena.trained)))
    if search.counterexample is None and arena.drawn is not None:
        falsify(claim, arena.drawn, examples=effort.drawn, seed=seed, shrink=effort.shrink > 0, search=search)
    if search.counterexample is None and effort.coincident:
        coincide(claim, search, steps=effort.coincident, seed=seed)
    if search.counterexample is None and effort.varied:
        vary(claim, search, steps=effort.varied, seed=seed)
    if search.counterexample is not None and effort.shrink:
        search.counterexample = simplest(claim, search.counterexample, effort.shrink)
    return search


def first_violated(claim: Claim, search: Search, sources: Iterable[tuple[str, Iterable[Instance]]]) -> None:
    """Look at instances one by one until one violates the claim; those made for other claims need not be ones of this."""
    for source, instances in sources:
        for instance in instances:
            try:
                verdict = search.look(claim, instance, source)
            except ValueError:  # a value that a symbol of this claim cannot have
                continue
            if verdict.ruling is Ruling.VIOLATED:
                return
