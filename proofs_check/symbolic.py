"""Replay of proofs: each step is decided on its own, by sympy or z3, from what the step itself says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sympy as sp
import z3
from sympy.tensor.indexed import Indexed

from proofs_check.meaning import (
    MeaninglessError,
    free,
    is_about_numbers,
    is_meaningful,
    one_thing_a_name,
    running,
)
from proofs_check.notation import latex
from proofs_check.points import refutation
from proofs_check.polynomial import (
    UndecidedError,
    decide,
    decide_equivalence,
    ends_of,
    is_condition,
    nonnegative,
    satisfiable,
)
from proofs_check.row import StepRow
from theory.proof import Proof, Rule, Step

ZERO = sp.Integer(0)


class StepError(ValueError):
    """A step of a proof does not follow by its rule."""


@dataclass(frozen=True)
class Replay:
    """What replaying a proof came to: how many steps were decided, and which theorems the rest cites."""

    decided: int
    cited: tuple[str, ...]


def _left_over(expression: sp.Expr, conditions: tuple[sp.Basic, ...] = ()) -> str:
    """Return nothing if sympy shows that an expression is zero, else what is left: at a point, or as sympy simplifies it."""
    at_a_point = refutation(expression, conditions)
    if at_a_point:
        return at_a_point
    # Most vanish term by term once each sum holds what depends on its index and no more.
    if sp.expand(_same_indices(sp.expand(_constants_apart(sp.expand(expression))))) == 0:
        return ""
    # More are decided with their sums as they stand; to look for closed forms of these takes sympy longer than all else.
    if sp.simplify(_same_indices(sp.expand(expression)), doit=False) == 0:
        return ""
    whole = expression.doit()
    # |a b| = |a| |b|, which sympy leaves alone where the sign of neither is known.
    split = whole.replace(
        lambda e: isinstance(e, sp.Abs), lambda e: sp.Mul(*(sp.Abs(factor) for factor in sp.Mul.make_args(e.args[0])))
    )
    simple: dict[sp.Expr, sp.Expr] = {}  # two of the forms are often one, and sympy takes its time
    for form in (_same_indices(sp.expand(split)), whole, expression):
        if form not in simple:
            simple[form] = sp.simplify(form)
        if simple[form] == 0:
            return ""
    return str(simple[expression])


def _constants_apart(expression: sp.Expr) -> sp.Expr:
    """Return an expression with the factors of each summand that do not depend on the index in front of the sum."""

    def apart(one: sp.Sum) -> sp.Expr:
        if len(one.limits) != 1:
            return one
        ((index, first, last),) = one.limits
        constant, rest = one.function.as_independent(index, as_Add=False)
        return constant * (last - first + 1 if rest == 1 else sp.Sum(rest, (index, first, last)))

    whole: sp.Expr = expression.replace(lambda e: isinstance(e, sp.Sum), apart)
    return whole


def _same_indices(expression: sp.Basic) -> sp.Basic:
    """Return an expression whose sums run over one index each depth: sympy does not see that its name does not matter."""
    if not expression.has(sp.Sum):
        return expression
    whole = expression.func(*map(_same_indices, expression.args))
    if not isinstance(whole, sp.Sum) or len(whole.limits) != 1:
        return whole
    ((index, first, last),) = whole.limits
    assumed = {name: True for name, value in index.assumptions0.items() if value}
    same = sp.Symbol(f"index {_depth(whole.function)}", **assumed)
    return sp.Sum(whole.function.xreplace({index: same}), (same, first, last))


def _depth(expression: sp.Basic) -> int:
    """Return how many sums stand within each other in an expression."""
    return max(map(_depth, expression.args), default=0) + isinstance(expression, sp.Sum)


def _vanishes(expression: sp.Expr) -> bool:
    """Whether sympy shows that an expression is zero; that it cannot refute it does not count."""
    return not _left_over(expression)


def _expressions(step: Step) -> tuple[sp.Expr, ...]:
    """Return the numbers that a step speaks of; of its conditions what they compare."""
    sides = (part for side in (step.before, step.after) for part in ends_of(side))
    return (*sides, *step.certificate, step.factor)


def _given(step: Step) -> tuple[sp.Basic, ...]:
    """Return what is known where a step speaks: its conditions, and for an induction that it has begun."""
    begun = (sp.Ge(_variable(step), step.base),) if step.rule is Rule.INDUCTION else ()
    return (*step.conditions, *begun)


def _has_meaning(step: Step) -> None:
    """Return if a step speaks of real numbers, in names that stand for one thing each, and of some at least.

    Raises:
        StepError: naming what may be no number, the name, or what is wrong with the conditions.
    """
    rule = step.rule.value
    try:
        expressions = (*_expressions(step), *((_variable(step),) if step.rule is Rule.INDUCTION else ()))
        one_thing_a_name(expressions, step.conditions)
        for expression in _expressions(step):
            is_meaningful(expression, _given(step))
        for condition in step.conditions:
            is_about_numbers(condition)
        satisfiable(_of_one_term(step))
    except (MeaninglessError, UndecidedError) as error:
        raise StepError(f"{rule}: {error}") from error


def _of_one_term(step: Step) -> tuple[sp.Basic, ...]:
    """Return the conditions of a step, those on every term with one number for all entries of a sequence.

    If a number can be chosen for each, then sequences can be whose entries are all the same.

    Raises:
        StepError: if one is a condition on what runs: it cannot hold of every term.
    """
    runs = running(*_expressions(step))
    if step.rule is Rule.INDUCTION:
        runs |= {_variable(step)}
    elif step.rule is not Rule.SUM:
        for symbol in free(*step.conditions) & runs:
            raise StepError(f"{step.rule.value}: a condition on {symbol}, which runs")
        return step.conditions
    entries = {entry for condition in step.conditions for entry in condition.atoms(Indexed)}
    conditions = tuple(condition.xreplace({entry: _entry(entry) for entry in entries}) for condition in step.conditions)
    if step.rule is Rule.INDUCTION and free(*conditions) & runs:  # sums up to the variable: of nothing they do not grow
        nothing = {entry: sp.Integer(0 if entry.is_zero is None else 1) for entry in entries}
        conditions = tuple(condition.xreplace(nothing).doit() for condition in step.conditions)
    for symbol in free(*conditions) & runs:
        raise StepError(f"{step.rule.value}: a condition on {symbol} itself, which takes every value of its range")
    return conditions


def _entry(entry: Indexed) -> sp.Symbol:
    """Return a symbol for all entries of a sequence."""
    return sp.Symbol(str(entry.base), **{name: value for name, value in entry.assumptions0.items() if value})


def replay_step(step: Step, earlier: tuple[Step, ...] = ()) -> None:
    """Return if the step follows by its rule.

    Raises:
        StepError: if it does not, naming the rule and what is left over.
    """
    if step.rule is Rule.CITED:
        return
    try:
        if step.before == step.after:
            raise StepError(f"{step.rule.value}: both sides are {step.before}, which decides nothing")
        _are_conditions(step)
        _has_meaning(step)
        _RULES[step.rule](step, earlier)
    except StepError:
        raise
    except (*_FAILURES, z3.Z3Exception) as error:
        raise StepError(f"{step.rule.value}: {type(error).__name__}: {error}") from error


def _are_conditions(step: Step) -> bool:
    """Return whether the sides of a step are conditions, not numbers.

    Raises:
        StepError: if one is and the other is not, or its rule speaks of numbers only.
    """
    both = {is_condition(side) for side in (step.before, step.after)}
    if both == {True, False}:
        raise StepError(f"{step.rule.value}: one side is a condition, and the other a number")
    if True in both and step.rule not in (Rule.IDENTITY, Rule.POLYNOMIAL):
        raise StepError(f"{step.rule.value}: its sides are conditions, and it is about numbers")
    return True in both


def _identity(step: Step, earlier: tuple[Step, ...]) -> None:
    if is_condition(step.before):
        try:
            decide_equivalence(step.before, step.after, step.conditions)
        except UndecidedError as error:
            raise StepError(f"identity: {error}") from error
        return
    left_over = _left_over(step.before - step.after, step.conditions)
    if left_over:
        raise StepError(f"identity: {step.before} and {step.after} differ by {left_over}")


def _nonnegative(step: Step, earlier: tuple[Step, ...]) -> None:
    left_over = _left_over(step.before - step.after - sum(step.certificate, ZERO), step.conditions)
    if not step.certificate or left_over:
        raise StepError(f"nonnegative: the certificate leaves {left_over}")
    for term in step.certificate:
        if term.is_nonnegative is not True:
            raise StepError(f"nonnegative: nothing shows that {term} is not negative")


def _polynomial(step: Step, earlier: tuple[Step, ...]) -> None:
    try:
        decide(step.before, step.after, step.conditions)
    except UndecidedError as error:
        raise StepError(f"polynomial: {error}") from error


def _earlier(step: Step, earlier: tuple[Step, ...]) -> Step:
    """Return the step that another one names, after replaying it.

    Raises:
        StepError: if there is none, it is cited, does not follow, or is an induction that says less than one term needs.
    """
    rule = step.rule.value
    if step.term is None or not 0 <= step.term < len(earlier):
        raise StepError(f"{rule}: the step must name an earlier one that speaks of one term")
    one = earlier[step.term]
    if one.rule is Rule.CITED:
        raise StepError(f"{rule}: step {step.term} is cited, which shows nothing of the terms")
    replay_step(one, earlier[: step.term])
    if one.rule is Rule.INDUCTION:
        m = _variable(one)
        if not sp.Add(m, -one.base).is_nonnegative:
            raise StepError(f"{rule}: step {step.term} holds from {m} = {one.base} on only")
        if one.conditions and (step.rule, step.variable, step.base) != (one.rule, m, one.base):
            raise StepError(f"{rule}: step {step.term} assumes its conditions of every {m}, not of one")
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


def _stand_ins(term: sp.Basic, indices: list[sp.Symbol], one: Step) -> dict[sp.Symbol, Indexed]:
    """Return the entry w[i], w[i, j] or w[k, i] that each symbol w of the earlier step stands for.

    Raises:
        StepError: if an entry has other indices, w[k - i] say, which is another number than w[i].
    """
    names = {symbol.name: symbol for symbol in free(*_expressions(one), *one.conditions)}
    own = set().union(*(expression.atoms(Indexed) for expression in (*_expressions(one), *one.conditions)))
    stand_ins: dict[sp.Symbol, Indexed] = {}
    for entry in term.atoms(Indexed) - own:
        if any(place.has(*indices) and place not in indices for place in entry.indices):
            raise StepError(f"sum: {entry} does not belong to term {', '.join(map(str, indices))}")
        if str(entry.base) in names and stand_ins.setdefault(names[str(entry.base)], entry) != entry:
            raise StepError(f"sum: {entry.base} stands for two entries")
    return stand_ins


def _is_as_assumed(stand_ins: dict[sp.Symbol, Indexed]) -> None:
    """Return if what is assumed of the symbols of the earlier step is known of the entries that they stand for.

    Raises:
        StepError: naming a symbol of which it is not.
    """
    for symbol, entry in stand_ins.items():
        lacking = [name for name, v in symbol.assumptions0.items() if getattr(entry, f"is_{name}") is not v]
        if lacking:
            plainest = min(lacking, key=lambda name: (not symbol.assumptions0[name], name.startswith("extended"), name))
            raise StepError(f"sum: the earlier step assumes that {symbol} is {plainest}, which {entry} may not be")


def _sum(step: Step, earlier: tuple[Step, ...]) -> None:
    one = _earlier(step, earlier)
    (constant, before), (constant_after, after) = _term_of(step.before), _term_of(step.after)
    if before.limits != after.limits or not _vanishes(constant - constant_after):
        raise StepError("sum: the two sums run over different terms, or differ in what stands beside them")
    for index in set(before.variables) & running(*_expressions(one)):
        raise StepError(f"sum: {index} runs within step {step.term} already")
    stand_ins = _stand_ins(sp.Tuple(before.function, after.function, *step.conditions), before.variables, one)
    for side, claimed in ((before, one.before), (after, one.after)):
        if not _vanishes(side.function - claimed.xreplace(stand_ins)):
            raise StepError(f"sum: the term {side.function} is not that of step {step.term}, {claimed}")
    _is_as_assumed(stand_ins)
    for condition in one.conditions:
        if condition.xreplace(stand_ins) not in step.conditions:
            raise StepError(f"sum: step {step.term} needs {condition}, which the sum does not assume of every term")


def _last_term_apart(expression: sp.Expr, m: sp.Symbol, base: int) -> sp.Expr:
    """Return an expression in m + 1 with the last term of every sum and product that ends there taken out.

    Raises:
        StepError: if one of them may end before it begins.
    """

    def apart(whole: sp.Expr) -> sp.Expr:
        *inner, (index, first, last) = whole.limits  # the last limits are those of the outer sum
        function = apart(whole.func(whole.function, *inner)) if inner else whole.function
        if sp.simplify(last - last.subs(m, m - 1)) != 1 or first.has(m):
            return whole.func(function, (index, first, last))
        if not (last.subs(m, base) - first).is_nonnegative:
            raise StepError(f"induction: {whole} may end before it begins")
        shorter, end = whole.func(function, (index, first, last - 1)), function.subs(index, last)
        return shorter + end if isinstance(whole, sp.Sum) else shorter * end

    return expression.replace(lambda e: isinstance(e, (sp.Sum, sp.Product)), apart)


def _variable(step: Step) -> sp.Symbol:
    """Return the variable of an induction, which takes every integer from its base on.

    Raises:
        StepError: if it does not, or there is none.
    """
    m, base = step.variable, step.base
    if not isinstance(m, sp.Symbol) or not m.is_integer or not isinstance(base, int):
        raise StepError("induction: the step must name the integer that it runs over")
    assumed = {name: True for name in ("positive", "nonnegative") if getattr(m, f"is_{name}")}
    more = m.assumptions0 != sp.Symbol(m.name, integer=True, **assumed).assumptions0
    if more or (m.is_positive and base < 1) or (m.is_nonnegative and base < 0):
        raise StepError(f"induction: {m} is assumed to be more than an integer of at least {base}")
    return m


def _without_empty_sums(expression: sp.Expr) -> sp.Expr:
    """Return an expression with 0 for sums over nothing, whose terms sympy would work out first."""
    return expression.replace(
        lambda e: isinstance(e, sp.Sum) and e.limits[-1][2] - e.limits[-1][1] == -1, lambda e: ZERO
    )


def _induction(step: Step, earlier: tuple[Step, ...]) -> None:
    m, base, given, difference = _variable(step), step.base, _given(step), step.before - step.after
    if not difference.has(m):
        raise StepError(f"induction: neither side depends on {m}")
    start = _without_empty_sums(difference.subs(m, base)).doit()
    if not _vanishes(start) and not (step.certificate and nonnegative(start, step.conditions)):
        raise StepError(f"induction: at {m} = {base} the difference is {sp.simplify(start)}")
    grown = _last_term_apart(difference.subs(m, m + 1), m, base)
    left_over = _left_over(grown - step.factor * difference - sum(step.certificate, ZERO))
    if left_over:
        raise StepError(f"induction: from {m} to {m + 1} the certificate leaves {left_over}")
    if not step.certificate:
        return
    one = None if step.term is None else _earlier(step, earlier)
    if one is not None and not set(one.conditions) <= set(step.conditions):
        raise StepError(f"induction: step {step.term} has conditions that the induction does not assume")
    if not nonnegative(step.factor, given):
        raise StepError(f"induction: nothing shows that the factor {step.factor} is not negative")
    for term in step.certificate:
        shown = one is not None and _vanishes(term - (one.before - one.after))
        if not shown and not nonnegative(term, given):
            raise StepError(f"induction: nothing shows that {term} is not negative")


def _scaled(step: Step, earlier: tuple[Step, ...]) -> None:
    one = _earlier(step, earlier)
    try:
        one_thing_a_name((*_expressions(step), *_expressions(one)), step.conditions)
    except MeaninglessError as error:
        raise StepError(f"scaled: {error}") from error
    left_over = _left_over(step.before - step.after - step.factor * (one.before - one.after), step.conditions)
    if left_over:
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
    if step.rule in (Rule.SUM, Rule.SCALED) and step.term is not None and 0 <= step.term < len(earlier):
        return _relation(earlier[step.term], earlier[: step.term])
    if is_condition(step.before):
        return "iff" if step.rule is Rule.IDENTITY else "if"
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
