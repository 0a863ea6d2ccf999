"""The search for counterexamples: Hypothesis, steered towards small slack."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.strategies import SearchStrategy

from theory.claim import Claim, Instance, Ruling, Verdict


@dataclass(frozen=True)
class Search:
    """What a search came to.

    Attributes:
        rulings: how many instances came to each ruling (a violation ends the drawing, so it is the last).
        tightest: the verdict with the smallest slack among those that held, and the instance.
        counterexample: the violation, after shrinking if that was asked for, and its instance; None if none was found.
    """

    rulings: dict[Ruling, int]
    tightest: tuple[Verdict, Instance] | None
    counterexample: tuple[Verdict, Instance] | None

    @property
    def decided(self) -> int:
        """The number of instances on which the claim held or was violated."""
        return self.rulings.get(Ruling.HOLDS, 0) + self.rulings.get(Ruling.VIOLATED, 0)


class _CounterexampleFoundError(Exception):
    """Tells Hypothesis that an instance violates the claim."""


def falsify(
    claim: Claim, instances: SearchStrategy[Instance], *, examples: int = 200, seed: int = 0, shrink: bool = True
) -> Search:
    """Look for an instance that violates a claim, shrink it, and return it with what else was seen.

    The slack, relative to the size of the sides, is Hypothesis's target: instances with little of it are varied further.

    Args:
        claim: what to refute.
        instances: where to look.
        examples: how many instances to draw, at least 1.
        seed: of the drawing.
        shrink: whether to shrink a counterexample, which takes longer than to find it.

    Raises:
        ValueError: if `examples` is below 1.
    """
    if examples < 1:
        raise ValueError(f"examples must be at least 1, got {examples}")
    rulings: Counter[Ruling] = Counter()
    best: dict[str, tuple[Verdict, Instance]] = {}

    def look(instance: Instance) -> None:
        verdict = claim.evaluate(instance)
        if verdict.ruling is Ruling.VIOLATED:
            best["counterexample"] = (verdict, instance)
            raise _CounterexampleFoundError
        rulings[verdict.ruling] += 1
        if verdict.slack is None or verdict.lhs is None or verdict.rhs is None:
            return
        tighter = "tightest" not in best or verdict.slack < (best["tightest"][0].slack or 0.0)
        if verdict.ruling is Ruling.HOLDS and tighter:
            best["tightest"] = (verdict, instance)
        size = abs(float(verdict.lhs.midpoint)) + abs(float(verdict.rhs.midpoint))
        relative = verdict.slack / size if size > 0 else 0.0
        if math.isfinite(relative):
            hypothesis.target(-relative)

    search = hypothesis.seed(seed)(
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
    try:
        search()
    except _CounterexampleFoundError:
        rulings[Ruling.VIOLATED] += 1
    return Search(dict(rulings), best.get("tightest"), best.get("counterexample"))
