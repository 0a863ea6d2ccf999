"""Replay of proofs: each step is decided on its own, by sympy or z3, from what the step itself says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sympy as sp
import z3
from sympy.logic.boolalg import Boolean
from sympy.tensor.indexed import Indexed

from proofs_check.notation import latex
from proofs_check.polynomial import UndecidedError, decide, decide_equivalence, nonnegative, nonzero
from proofs_check.row import StepRow
from theory.claim import Claim
from theory.proof import Proof, Rule, Step

ZERO = sp.Integer(0)


class StepError(ValueError):
    """A step of a proof does not follow by its rule."""


@dataclass(frozen=True)
class Replay:
    """What replaying a proof came to: how many steps were decided, and which theorems the rest cites."""

    decided: int
    cited: tuple[str, ...]


def _left_over(expression: sp.Expr) -> sp.Expr:
    """Return 0 if sympy shows that an expression is zero, else the expression as simple as sympy makes it."""
    whole = expression.doit()
    # |a b| = |a| |b|, which sympy leaves alone where the sign of neither is known.
    split = whole.replace(
        lambda e: isinstance(e, sp.Abs), lambda e: sp.Mul(*(sp.Abs(factor) for factor in sp.Mul.make_args(e.args[0])))
    )
    simple: dict[sp.Expr, sp.Expr] = {}  # two of the forms are often one, and sympy takes its time
    for form in (sp.expand(split), whole, expression):
        if form not in simple:
            simple[form] = sp.simplify(form)
        if simple[form] == 0:
            return ZERO
    return simple[expression]


def _vanishes(expression: sp.Expr) -> bool:
    """Whether sympy shows that an expression is zero; that it cannot refute it does not count."""
    return bool(_left_over(expression) == 0)


def _expressions(step: Step) -> tuple[sp.Expr, ...]:
    return (step.before, step.after, *step.certificate, step.factor)


def _has_meaning(step: Step) -> None:
    """Return if every quotient, root and logarithm of a step exists under the assumptions on its symbols.

    Raises:
        StepError: naming the one that may not.
    """
    for expression in _expressions(step):
        if expression.has(sp.nan, sp.zoo, sp.oo, -sp.oo):
            raise StepError(f"{step.rule.value}: {expression} is not finite")
        for part in sp.preorder_traversal(expression):
            lacking = _lacks_meaning(part, step)
            if lacking:
                raise StepError(f"{step.rule.value}: {lacking}")


def _lacks_meaning(part: sp.Basic, step: Step) -> str:
    if isinstance(part, sp.log) and not (
        nonnegative(part.args[0], step.conditions) and nonzero(part.args[0], step.conditions)
    ):
        return f"the logarithm of {part.args[0]}, which may not be positive"
    if not isinstance(part, sp.Pow):
        return ""
    integer = bool(part.exp.is_integer)
    if not integer and not nonnegative(part.base, step.conditions):
        return f"the root of {part.base}, which may be negative"
    if not part.exp.is_nonnegative and not nonzero(part.base, step.conditions):
        return f"a division by {part.base}, which may be 0"
    return ""


def replay_step(step: Step, earlier: tuple[Step, ...] = ()) -> None:
    """Return if the step follows by its rule.

    Raises:
        StepError: if it does not, naming the rule and what is left over.
    """
    if step.rule is Rule.CITED:
        return
    if step.before == step.after:
        raise StepError(f"{step.rule.value}: both sides are {step.before}, which decides nothing")
    _has_meaning(step)
    _RULES[step.rule](step, earlier)


def _identity(step: Step, earlier: tuple[Step, ...]) -> None:
    left_over = _left_over(step.before - step.after)
    if left_over != 0:
        raise StepError(f"identity: {step.before} and {step.after} differ by {left_over}")


def _nonnegative(step: Step, earlier: tuple[Step, ...]) -> None:
    left_over = _left_over(step.before - step.after - sum(step.certificate, ZERO))
    if not step.certificate or left_over != 0:
        raise StepError(f"nonnegative: the certificate leaves {left_over}")
    for term in step.certificate:
        if term.is_nonnegative is not True:
            raise StepError(f"nonnegative: nothing shows that {term} is not negative")


def _polynomial(step: Step, earlier: tuple[Step, ...]) -> None:
    try:
        if isinstance(step.before, Boolean) and isinstance(step.after, Boolean):
            decide_equivalence(step.before, step.after, step.conditions)
        else:
            decide(step.before, step.after, step.conditions)
    except UndecidedError as error:
        raise StepError(f"polynomial: {error}") from error


def _earlier(step: Step, earlier: tuple[Step, ...]) -> Step:
    """Return the step that another one names, after replaying it.

    Raises:
        StepError: if there is none, it is cited, or does not follow.
    """
    rule = step.rule.value
    if step.term is None or not 0 <= step.term < len(earlier):
        raise StepError(f"{rule}: the step must name an earlier one that speaks of one term")
    one = earlier[step.term]
    if one.rule is Rule.CITED:
        raise StepError(f"{rule}: step {step.term} is cited, which shows nothing of the terms")
    replay_step(one, earlier[: step.term])
    return one


def _term_of(expression: sp.Expr) -> tuple[sp.Expr, sp.Sum]:
    """Split constant + Sum(term) into the constant and the sum.

    Raises:
        StepError: if there is not exactly one sum.
    """
    sums = [part for part in sp.Add.make_args(expression) if isinstance(part, sp.Sum)]
    if len(sums) != 1:
        raise StepError(f"a step by the rule {Rule.SUM.value} needs one sum on either side, got {expression}")
    return expression - sums[0], sums[0]


def _plain(expression: sp.Basic, index: sp.Symbol) -> sp.Basic:
    """Return an expression with every indexed symbol w[index] replaced by a plain symbol of its name.

    Raises:
        StepError: if a symbol has another index, w[k - i] say, which is another number than w[i].
    """
    entries = expression.atoms(Indexed)
    for entry in entries:
        if entry.indices != (index,):
            raise StepError(f"sum: {entry} does not belong to term {index}")
    return expression.xreplace({entry: sp.Symbol(entry.base.name) for entry in entries})


def _bare(expression: sp.Basic) -> sp.Basic:
    return expression.xreplace({symbol: sp.Symbol(symbol.name) for symbol in expression.free_symbols})


def _stands_for(term: sp.Expr, one: Step) -> None:
    """Return if what is assumed of the symbols of the earlier step is known of those of the sum.

    Raises:
        StepError: naming a symbol of which it is not.
    """
    known: dict[str, sp.Expr] = {entry.base.name: entry for entry in term.atoms(Indexed)}
    known = {symbol.name: symbol for symbol in term.atoms(sp.Symbol)} | known
    for symbol in set().union(*(e.free_symbols for e in _expressions(one))):
        stand_in = known.get(symbol.name)
        if stand_in is None:
            continue  # it has dropped out of the sides
        lacking = [name for name, v in symbol.assumptions0.items() if getattr(stand_in, f"is_{name}") is not v]
        if lacking:
            plainest = min(lacking, key=lambda name: (not symbol.assumptions0[name], name.startswith("extended"), name))
            raise StepError(f"sum: the earlier step assumes that {symbol} is {plainest}, which {stand_in} may not be")


def _sum(step: Step, earlier: tuple[Step, ...]) -> None:
    one = _earlier(step, earlier)
    (constant, before), (constant_after, after) = _term_of(step.before), _term_of(step.after)
    if before.limits != after.limits or not _vanishes(constant - constant_after):
        raise StepError("sum: the two sums run over different terms, or differ in what stands beside them")
    index = before.limits[0][0]
    for side, claimed in ((before, one.before), (after, one.after)):
        if not _vanishes(_bare(_plain(side.function, index)) - _bare(claimed)):
            raise StepError(f"sum: the term {side.function} is not that of step {step.term}, {claimed}")
    _stands_for(before.function + after.function, one)
    given = {_bare(_plain(condition, index)) for condition in step.conditions}
    for condition in one.conditions:
        if _bare(condition) not in given:
            raise StepError(f"sum: step {step.term} needs {condition}, which the sum does not assume of every term")


def _last_term_apart(expression: sp.Expr, m: sp.Symbol, base: int) -> sp.Expr:
    """Return an expression in m + 1 with the last term of every sum and product that ends there taken out.

    Raises:
        StepError: if one of them may end before it begins.
    """

    def apart(whole: sp.Expr) -> sp.Expr:
        *inner, (index, first, last) = whole.limits  # the last of them is the outermost
        function = apart(whole.func(whole.function, *inner)) if inner else whole.function
        if sp.simplify(last - last.subs(m, m - 1)) != 1 or first.has(m):
            return whole.func(function, (index, first, last))
        if not (last.subs(m, base) - first).is_nonnegative:
            raise StepError(f"induction: {whole} may end before it begins")
        shorter, end = whole.func(function, (index, first, last - 1)), function.subs(index, last)
        return shorter + end if isinstance(whole, sp.Sum) else shorter * end

    return expression.replace(lambda e: isinstance(e, (sp.Sum, sp.Product)), apart)


def _without_empty_sums(expression: sp.Expr) -> sp.Expr:
    """Return an expression with 0 for sums over nothing, whose terms sympy would work out first."""
    return expression.replace(
        lambda e: isinstance(e, sp.Sum) and e.limits[-1][2] - e.limits[-1][1] == -1, lambda e: ZERO
    )


def _induction(step: Step, earlier: tuple[Step, ...]) -> None:
    m, base, difference = step.variable, step.base, step.before - step.after
    if m is None or not m.is_integer:
        raise StepError("induction: the step must name the integer that it runs over")
    if (m.is_positive and base < 1) or (m.is_nonnegative and base < 0) or m.is_nonpositive or m.is_even or m.is_odd:
        raise StepError(f"induction: {m} is assumed to be more than an integer of at least {base}")
    if not difference.has(m):
        raise StepError(f"induction: neither side depends on {m}")
    start = _without_empty_sums(difference.subs(m, base)).doit()
    if not _vanishes(start) and not (step.certificate and nonnegative(start, step.conditions)):
        raise StepError(f"induction: at {m} = {base} the difference is {sp.simplify(start)}")
    grown = _last_term_apart(difference.subs(m, m + 1), m, base)
    left_over = _left_over(grown - step.factor * difference - sum(step.certificate, ZERO))
    if left_over != 0:
        raise StepError(f"induction: from {m} to {m + 1} the certificate leaves {left_over}")
    if not step.certificate:
        return
    one = None if step.term is None else _earlier(step, earlier)
    if one is not None and not set(one.conditions) <= set(step.conditions):
        raise StepError(f"induction: step {step.term} has conditions that the induction does not assume")
    if not nonnegative(step.factor, step.conditions):
        raise StepError(f"induction: nothing shows that the factor {step.factor} is not negative")
    for term in step.certificate:
        shown = one is not None and _vanishes(term - (one.before - one.after))
        if not shown and not nonnegative(term, step.conditions):
            raise StepError(f"induction: nothing shows that {term} is not negative")


def _scaled(step: Step, earlier: tuple[Step, ...]) -> None:
    one = _earlier(step, earlier)
    left_over = _left_over(step.before - step.after - step.factor * (one.before - one.after))
    if left_over != 0:
        raise StepError(f"scaled: {step.factor} times the difference of step {step.term} leaves {left_over}")
    if not set(one.conditions) <= set(step.conditions):
        raise StepError(f"scaled: step {step.term} has conditions that this one does not assume")
    if not nonnegative(step.factor, step.conditions):
        raise StepError(f"scaled: nothing shows that the factor {step.factor} is not negative")


_RULES: dict[Rule, Callable[[Step, tuple[Step, ...]], None]] = {
    Rule.IDENTITY: _identity,
    Rule.NONNEGATIVE: _nonnegative,
    Rule.POLYNOMIAL: _polynomial,
    Rule.SUM: _sum,
    Rule.INDUCTION: _induction,
    Rule.SCALED: _scaled,
}

_FAILURES = (ValueError, TypeError, AttributeError, ArithmeticError, LookupError, NotImplementedError, RecursionError)


def _why_not(step: Step, earlier: tuple[Step, ...]) -> str:
    """Return why a step does not follow, or nothing if it does."""
    try:
        replay_step(step, earlier)
    except StepError as error:
        return str(error)
    except (*_FAILURES, z3.Z3Exception) as error:
        return f"{step.rule.value}: {type(error).__name__}: {error}"
    return ""


def report(proof: Proof) -> tuple[StepRow, ...]:
    """Return what replaying each step came to, with both sides as LaTeX; a step that does not follow says why."""
    return tuple(_reports(proof))


def _reports(proof: Proof) -> Iterator[StepRow]:
    for number, step in enumerate(proof.steps):
        cited, why = step.rule is Rule.CITED, _why_not(step, proof.steps[:number])
        decided = not cited and not why
        relation = _relation(step, proof.steps[:number])
        sides = (latex(step.before), latex(step.after))
        yield StepRow(step.rule.value, *sides, relation, step.because, decided, cited, step.sizes, why)


def _relation(step: Step, earlier: tuple[Step, ...]) -> str:
    if step.rule is Rule.CITED:
        return ""
    if isinstance(step.before, Boolean):
        return "iff"
    if step.rule in (Rule.SUM, Rule.SCALED) and step.term is not None and 0 <= step.term < len(earlier):
        return _relation(earlier[step.term], earlier[: step.term])
    equal = step.rule is Rule.IDENTITY or (step.rule is Rule.INDUCTION and not step.certificate)
    return "=" if equal else ">="


def replay(proof: Proof) -> Replay:
    """Replay every step of a proof.

    Raises:
        StepError: at the first step that does not follow, with its number.
    """
    for number, step in enumerate(proof.steps):
        why = _why_not(step, proof.steps[:number])
        if why:
            raise StepError(f"step {number}: {why}")
    cited = tuple(step.because for step in proof.steps if step.rule is Rule.CITED)
    return Replay(len(proof.steps) - len(cited), cited)


def proved(claim: Claim) -> bool:
    """Whether a claim has a proof with at least one decided step, all of which replay.

    Raises:
        StepError: if a step does not follow.
    """
    return claim.proof is not None and replay(claim.proof()).decided > 0


def certified(claim: Claim) -> bool:
    """Whether a claim has a proof of its small sizes with at least one decided step, all of which replay.

    Raises:
        StepError: if a step does not follow.
    """
    return claim.small is not None and replay(claim.small()).decided > 0
