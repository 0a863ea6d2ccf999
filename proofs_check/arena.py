"""Where each claim is tried: named instances of the whole registry, stored counterexamples, trained networks, kept rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from proofs_check.counterexamples import load, stored
from proofs_check.crash import part
from proofs_check.falsify import Arena
from proofs_check.registry import TRIALS
from theory.claim import Claim, Instance
from theory.registry import CLAIMS


@cache
def named(left_out: frozenset[str] = frozenset()) -> tuple[tuple[str, Instance], ...]:
    """Return the named instances of the registry and the stored counterexamples, each with the id of its claim.

    Args:
        left_out: ids of claims whose stored counterexample is not to be read.
    """
    found = []
    for claim in CLAIMS.values():
        for role, instance in (("extremal", claim.extremal), ("witness", claim.witness)):
            if instance is not None:
                found.append((claim.id, Instance(instance.given, f"named: {role} instance of {claim.id}")))
    return *found, *((id, load(id)) for id in stored() if id in CLAIMS and id not in left_out)


def fitting(claim: Claim, instances: Sequence[Instance]) -> tuple[Instance, ...]:
    """Return the instances that have a value for every symbol of a claim, cut down to these."""
    names = [symbol.name for symbol in claim.symbols]
    return tuple(
        Instance({name: instance[name] for name in names}, instance.origin)
        for instance in instances
        if names and set(names) <= set(instance.given)
    )


def arena_of(
    claim: Claim, trained: Sequence[Instance], *, searching: bool, left_out: frozenset[str] = frozenset()
) -> Arena:
    """Return where a claim is tried.

    A claim that stands is tried on every named instance of the registry that fits, so that two claims that contradict
    each other on one do not both stand.

    Args:
        claim: the claim.
        trained: what trained networks ended in.
        searching: leave the named instances out, so that a counterexample has to be found.
        left_out: ids of claims whose stored counterexample is not to be read.

    Raises:
        CrashError: if the rows that were kept for it cannot be read.
    """
    own = () if claim.extremal is None else (claim.extremal,)
    others = [instance for id, instance in named(left_out) if id != claim.id]
    trial = TRIALS[claim.id]
    with part("the reading of its kept rows"):
        kept = trial.kept()
    return Arena(
        () if searching else (*own, *fitting(claim, others)),
        (*kept, *fitting(claim, trained)),
        trial.drawn,
        trial.rows_missing,
    )
