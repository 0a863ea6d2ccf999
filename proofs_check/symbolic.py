"""Replay of proofs: each step is decided by sympy on its own, from what the step itself says."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from theory.claim import Claim
from theory.proof import Proof, Rule, Step


class StepError(ValueError):
    """A step of a proof does not follow by its rule."""


@dataclass(frozen=True)
class Replay:
    """What replaying a proof came to: how many steps were decided, and which theorems the rest cites."""

    decided: int
    cited: tuple[str, ...]


def _vanishes(expression: sp.Expr) -> bool:
    """Whether sympy shows that an expression is zero; that it cannot refute it does not count."""
    whole = expression.doit()
    # |a b| = |a| |b|, which sympy leaves alone where the sign of neither is known.
    split = whole.replace(
        lambda e: isinstance(e, sp.Abs), lambda e: sp.Mul(*(sp.Abs(factor) for factor in sp.Mul.make_args(e.args[0])))
    )
    return any(bool(sp.simplify(form) == 0) for form in (sp.expand(split), whole, expression))


def _term_of(expression: sp.Expr) -> tuple[sp.Expr, sp.Sum]:
    """Split constant + Sum(term) into the constant and the sum.

    Raises:
        StepError: if there is not exactly one sum.
    """
    sums = [part for part in sp.Add.make_args(expression) if isinstance(part, sp.Sum)]
    if len(sums) != 1:
        raise StepError(f"a step by the rule {Rule.SUM.value} needs one sum on either side, got {expression}")
    return expression - sums[0], sums[0]


def _plain(total: sp.Sum) -> sp.Expr:
    """Return the term of a sum over i with every indexed symbol w[i] replaced by a plain symbol of its name.

    Raises:
        StepError: if a symbol has another index, w[k - i] say, which is another number than w[i].
    """
    term, (index, *_) = total.function, total.limits[0]
    entries = term.atoms(sp.Indexed)
    for entry in entries:
        if entry.indices != (index,):
            raise StepError(f"sum: {entry} does not belong to term {index}")
    return term.xreplace({entry: sp.Symbol(entry.base.name) for entry in entries})


def _bare(expression: sp.Expr) -> sp.Expr:
    return expression.xreplace({symbol: sp.Symbol(symbol.name) for symbol in expression.free_symbols})


def replay_step(step: Step, earlier: tuple[Step, ...] = ()) -> None:
    """Return if the step follows by its rule.

    Raises:
        StepError: if it does not, naming the rule and what is left over.
    """
    if step.rule is Rule.CITED:
        return
    if step.before == step.after:
        raise StepError(f"{step.rule.value}: both sides are {step.before}, which decides nothing")
    if step.rule is Rule.IDENTITY:
        if not _vanishes(step.before - step.after):
            raise StepError(
                f"identity: {step.before} and {step.after} differ by {sp.simplify(step.before - step.after)}"
            )
        return
    if step.rule is Rule.NONNEGATIVE:
        left_over = step.before - step.after - sum(step.certificate, sp.Integer(0))
        if not step.certificate or not _vanishes(left_over):
            raise StepError(f"nonnegative: the certificate leaves {sp.simplify(left_over)}")
        for term in step.certificate:
            if term.is_nonnegative is not True:
                raise StepError(f"nonnegative: nothing shows that {term} is not negative")
        return
    if step.term is None or not 0 <= step.term < len(earlier):
        raise StepError("sum: the step must name an earlier one that speaks of one term")
    (constant, before), (constant_after, after) = _term_of(step.before), _term_of(step.after)
    if before.limits != after.limits or not _vanishes(constant - constant_after):
        raise StepError("sum: the two sums run over different terms, or differ in what stands beside them")
    one = earlier[step.term]
    if one.rule is Rule.CITED:
        raise StepError(f"sum: step {step.term} is cited, which shows nothing of the terms")
    replay_step(one, earlier[: step.term])
    for side, claimed in ((before, one.before), (after, one.after)):
        if not _vanishes(_bare(_plain(side)) - _bare(claimed)):
            raise StepError(f"sum: the term {side.function} is not that of step {step.term}, {claimed}")


def replay(proof: Proof) -> Replay:
    """Replay every step of a proof.

    Raises:
        StepError: at the first step that does not follow, with its number.
    """
    for number, step in enumerate(proof.steps):
        try:
            replay_step(step, proof.steps[:number])
        except StepError as error:
            raise StepError(f"step {number}: {error}") from error
    cited = tuple(step.because for step in proof.steps if step.rule is Rule.CITED)
    return Replay(len(proof.steps) - len(cited), cited)


def proved(claim: Claim) -> bool:
    """Whether a claim has a proof with at least one decided step, all of which replay.

    Raises:
        StepError: if a step does not follow.
    """
    return claim.proof is not None and replay(claim.proof()).decided > 0
