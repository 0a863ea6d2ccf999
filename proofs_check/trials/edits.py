"""What may be wrong in one place of a function: an order, a constant, a range, max for min, some for all, another quantity.

Only what says something of the claim is changed. These rules leave out the rest:

- how far an interval is widened: what is taken from its lower end and added to its upper one, what `widened` and `around`
  are given for it, and whatever a function computes for that alone;
- one end of an interval: both are changed alike, or neither is;
- what is rounded, and to how many digits;
- errors and when they are raised, types and how arrays are stored, texts, keywords;
- a function that calls itself or has a loop with a condition, which need not end if it is changed.
"""

from __future__ import annotations

import ast
import copy
import functools
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from types import CodeType, FunctionType, ModuleType
from typing import Any

from proofs_check.trials.operators import Kind
from proofs_check.trials.source import Node, compiled, known, of_theory, tree_of
from theory.piecewise_linear import PiecewiseLinear
from theory.symbols import Symbol
from theory.two_layer import Weights

Path = tuple[tuple[str, int | None], ...]
"""The way from the root of a tree to a node: fields, each with a place where it is a list."""

Choice = tuple[str, Kind, ast.expr]
"""What may stand in the place of an expression: the change in words, its kind, and what stands there."""


@dataclass(frozen=True)
class Edit:
    """A function with one thing changed.

    Attributes:
        function: the function.
        put: what stands where instead: in one place of its tree, or at both ends of an interval.
        said: the change, in words.
        kind: what sort of mistake it is.
    """

    function: FunctionType
    put: tuple[tuple[Path, ast.expr], ...]
    said: str
    kind: Kind

    def tree(self) -> Node:
        """Return the changed function's tree."""
        tree: Any = tree_of(self.function)
        for path, expression in self.put:
            tree = _with(tree, path, expression)
        changed: Node = tree
        return changed

    def code(self) -> CodeType:
        """Return the changed function's code; it refers to `names`."""
        return compiled(self.tree(), self.function.__code__.co_freevars, self.function.__code__.co_filename)

    def names(self) -> Mapping[str, Any]:
        """Return what the further names in the changed function's code stand for."""
        used = {node.id for _, put in self.put for node in ast.walk(put) if isinstance(node, ast.Name)}
        homes = {_home(name): module for name, module in sys.modules.items() if name.startswith("theory.")}
        return {name: value for name, value in {**HELPERS, **homes}.items() if name in used}


def _home(module: str) -> str:
    return f"_of_{module.replace('.', '_')}"


def _mean(*values: Any, default: Any = 0) -> Any:
    found = list(values[0]) if len(values) == 1 else list(values)
    return sum(found[1:], found[0]) / Fraction(len(found)) if found else default


def _total(*values: Any, default: Any = 0) -> Any:
    found = list(values[0]) if len(values) == 1 else list(values)
    return sum(found[1:], found[0]) if found else default


def _windows(values: Any, count: int) -> list[tuple[Any, ...]]:
    found = list(values)
    return [tuple(found[i : i + count]) for i in range(len(found) - count + 1)]


def _turns(values: Any) -> list[tuple[Any, ...]]:
    found = list(values)
    return [(*found[i:], *found[:i]) for i in range(len(found))]


HELPERS: Mapping[str, Any] = {
    "_fraction": Fraction,
    "_mean": _mean,
    "_total": _total,
    "_largest_from": lambda values, start=0: max(values, default=start),
    "_mean_from": lambda values, start=0: _mean(values, default=start),
    "_but_first": lambda values: list(values)[1:],
    "_but_last": lambda values: list(values)[:-1],
    "_windows": _windows,
    "_turns": _turns,
}
"""What changed functions call besides what they called before."""

HUNDREDTHS = (90, 99, 101, 110)
"""What a constant or a split is multiplied by: 1 % and 10 % both ways."""

BESIDE_0 = (-10, -1, 1, 10)
"""How many hundredths beside it a split at 0 is moved to."""

EXTREMES = ("max", "min", "sum", "mean")

_SIGNS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
_ORDERS: Mapping[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE,),
    ast.LtE: (ast.Lt,),
    ast.Gt: (ast.GtE,),
    ast.GtE: (ast.Gt,),
    ast.Eq: (ast.LtE, ast.GtE),
    ast.NotEq: (ast.Lt, ast.Gt),
}
_OPPOSITES = {
    "any": "all",
    "all": "any",
    "maximum": "minimum",
    "minimum": "maximum",
    "argmax": "argmin",
    "argmin": "argmax",
}

_COUNTING = frozenset(
    (
        *("range", "zeros", "ones", "eye", "full", "reshape", "repeat", "arange", "tile", "take", "split", "count"),
        *("combinations", "combinations_with_replacement", "enumerate", "islice", "triu_indices", "factorial", "comb"),
        *("swapaxes", "moveaxis"),
    )
)
"""Functions whose arguments are counts or places, of which a hundredth means nothing."""

_ROUNDING = frozenset(["round", "around", "limit_denominator", "widened", "nextafter", "frexp", "ldexp", "astype"])
"""Functions whose arguments are left alone: what they round, and how far."""


@functools.cache
def edits(function: FunctionType, symbols: tuple[Symbol, ...]) -> tuple[Edit, ...]:
    """Return all changes of a function, in the order of its source.

    Args:
        function: the function; nothing is changed where its source is not known.
        symbols: of the claim that it speaks of: one stands for another where their values are checked alike.
    """
    tree = tree_of(function)
    if tree is None or _need_not_end(tree):
        return ()
    alike = {
        one.name: [s.name for s in symbols if s.name != one.name and s.check is one.check and s.check is not None]
        for one in symbols
    }
    return tuple(_Finder(function, tree, alike).found())


def _need_not_end(tree: Node) -> bool:
    own = tree.name if isinstance(tree, ast.FunctionDef) else None
    return any(isinstance(n, ast.While) or (isinstance(n, ast.Name) and n.id == own) for n in ast.walk(tree))


class _Finder:
    """Goes through a function's tree."""

    def __init__(self, function: FunctionType, tree: Node, alike: Mapping[str, Sequence[str]]) -> None:
        self.function, self.tree, self.alike = function, tree, alike
        self.known = known(function)
        self.widths = _widths(tree)

    def found(self) -> Iterator[Edit]:
        """Yield all changes."""
        if isinstance(self.tree, ast.Lambda):
            yield from self.inside(self.tree.body, (("body", None),), counting=False)
        else:
            for place, statement in enumerate(self.tree.body):
                yield from self.inside(statement, (("body", place),), counting=False)

    def inside(self, node: ast.AST, path: Path, *, counting: bool) -> Iterator[Edit]:
        """Yield the changes of a node and of all in it; `counting` says that it is a count or a place."""
        if self.left_out(node):
            return
        if isinstance(node, ast.expr):
            for said, kind, put in self.choices(node, counting=counting):
                yield Edit(self.function, ((path, put),), said, kind)
        if isinstance(node, ast.Call) and _called(node) == "Enclosure" and len(node.args) == 2:
            yield from self.at_both_ends(node, path)
            return
        for step, child in _children(node):
            yield from self.inside(child, (*path, step), counting=_counts(node, step, counting))

    def at_both_ends(self, node: ast.Call, path: Path) -> Iterator[Edit]:
        """Yield the changes of an interval whose ends are computed alike."""
        first, second = node.args
        if _both_lower(first) != _both_lower(second):
            return
        for edit in self.inside(first, (*path, ("args", 0)), counting=False):
            ((at, put),) = edit.put
            other = (*path, ("args", 1), *at[len(path) + 1 :])
            yield Edit(self.function, ((at, put), (other, _Turned().visit(copy.deepcopy(put)))), edit.said, edit.kind)

    def left_out(self, node: ast.AST) -> bool:
        """Return whether a node says nothing of the claim."""
        if isinstance(node, (ast.Raise, ast.Assert, ast.JoinedStr, ast.FunctionDef)):
            return True
        if isinstance(node, ast.If):
            return any(isinstance(statement, ast.Raise) for statement in node.body)
        if isinstance(node, ast.Compare):
            return any(
                isinstance(part, ast.Attribute) and part.attr == "dtype" for part in (node.left, *node.comparators)
            )
        if isinstance(node, ast.Assign):
            return all(isinstance(target, ast.Name) and target.id in self.widths for target in node.targets)
        if isinstance(node, ast.Call):
            return _called(node) in _ROUNDING or _called(node) == "isinstance"
        return isinstance(node, ast.Name) and node.id in self.widths

    def choices(self, node: ast.expr, *, counting: bool) -> Iterator[Choice]:
        """Yield what may stand in the place of an expression."""
        match node:
            case ast.Compare():
                yield from _comparisons(node)
            case ast.BoolOp():
                for i, one in enumerate(node.values):
                    kept = [value for j, value in enumerate(node.values) if j != i]
                    put = kept[0] if len(kept) == 1 else ast.BoolOp(node.op, kept)
                    yield f"without '{_text(one)}'", Kind.SPLIT, put
            case ast.Call():
                yield from self.calls(node)
            case ast.Subscript():
                yield from self.entries(node)
            case ast.Attribute():
                for other in _fields_alike().get(node.attr, ()):
                    yield f"{other} for {_text(node)}", Kind.NEIGHBOUR, ast.Attribute(node.value, other, node.ctx)
                if isinstance(node.value, ast.Name):
                    yield from self.neighbours(node.attr, _taken(self.known.get(node.value.id), node.attr))
            case ast.BinOp():
                yield from _off_by_one(node)
            case ast.ListComp() | ast.GeneratorExp() | ast.SetComp():
                yield from _of_comprehension(node)
            case ast.Constant(value=int() | float() as value) if value and not isinstance(value, bool) and not counting:
                for percent in HUNDREDTHS:
                    yield f"{percent / 100} x {value}", Kind.MOVED, _hundredths(value, percent)
            case ast.Name(ctx=ast.Load()):
                yield from self.neighbours(node.id, self.known.get(node.id))

    def neighbours(self, name: str, value: Any) -> Iterator[Choice]:
        """Yield the functions that may stand in the place of one."""
        plain = of_theory(value)
        if plain is None or plain.__name__ != name:
            return
        home = ast.Name(_home(plain.__module__), ast.Load())
        for other in beside(plain):
            yield f"{other} for {name}", Kind.NEIGHBOUR, ast.Attribute(home, other, ast.Load())

    def calls(self, node: ast.Call) -> Iterator[Choice]:
        """Yield what may stand in the place of a call."""
        called, name, said = node.func, _called(node), _text(node)
        keywords = {keyword.arg for keyword in node.keywords}

        def of(helper: str) -> ast.Call:
            return ast.Call(ast.Name(helper, ast.Load()), node.args, node.keywords)

        if isinstance(called, ast.Attribute):
            others = [other for other in EXTREMES if other != name] if name in EXTREMES else []
            for other in [*others, *([_OPPOSITES[name]] if name in _OPPOSITES else [])]:
                kind = Kind.SOME if name in ("any", "all") else Kind.EXTREME
                put = ast.Call(ast.Attribute(called.value, other, called.ctx), node.args, node.keywords)
                yield f"{other} for {name} in '{said}'", kind, put
        if not isinstance(called, ast.Name) or (name in self.known and name not in _FROM_ITERTOOLS):
            return
        if name in ("max", "min"):
            helpers = {"max": "max", "min": "min"} | (
                {} if keywords - {"default"} else {"sum": "_total", "mean": "_mean"}
            )
        else:
            helpers = {"max": "_largest_from", "mean": "_mean_from"} if name == "sum" and not keywords else {}
        for other, helper in helpers.items():
            if other != name:
                yield f"{other} for {name} in '{said}'", Kind.EXTREME, of(helper)
        if name in ("any", "all"):
            yield f"{_OPPOSITES[name]} for {name} in '{said}'", Kind.SOME, of(_OPPOSITES[name])
        if name in _FROM_ITERTOOLS and len(node.args) == _FROM_ITERTOOLS[name][0] and not keywords:
            _, helper, words = _FROM_ITERTOOLS[name]
            yield f"{words} in '{said}'", Kind.SOME, of(helper)
        if name == "range" and len(node.args) < 3:
            yield from _ranges(node)

    def entries(self, node: ast.Subscript) -> Iterator[Choice]:
        """Yield what may stand in the place of an entry or a part: another symbol of the claim, another place."""
        index = node.slice
        if isinstance(index, ast.Constant) and isinstance(index.value, str):
            for other in self.alike.get(index.value, ()):
                put = ast.Subscript(node.value, ast.Constant(other), node.ctx)
                yield f"{other} for {index.value}", Kind.NEIGHBOUR, put
            return
        parts = list(index.elts) if isinstance(index, ast.Tuple) else [index]
        for i, one in enumerate(parts):
            for new in _places_beside(one):
                renewed = [new if j == i else part for j, part in enumerate(parts)]
                put = ast.Subscript(
                    node.value, ast.Tuple(renewed, ast.Load()) if isinstance(index, ast.Tuple) else new, node.ctx
                )
                yield f"{_text(put)} for {_text(node)}", Kind.RANGE, put


_FROM_ITERTOOLS = {
    "combinations": (2, "_windows", "neighbours only"),
    "combinations_with_replacement": (2, "_windows", "neighbours only"),
    "product": (2, "zip", "pairs of one place only"),
    "permutations": (1, "_turns", "turns only"),
}
"""What goes through all, with how many arguments, what goes through some in its place, and how that is called."""


def _children(node: ast.AST) -> Iterator[tuple[tuple[str, int | None], ast.AST]]:
    """Yield the parts of a node that may be changed, with the way to them."""
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "keywords", "targets", "target", "args") and not (
            field == "args" and isinstance(node, ast.Call)
        ):
            continue
        parts: list[tuple[int | None, Any]] = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
        for place, child in parts:
            if isinstance(child, ast.AST):
                yield (field, place), child


def _counts(node: ast.AST, step: tuple[str, int | None], counting: bool) -> bool:
    """Return whether a part of a node is a count or a place, given whether the node is."""
    field, place = step
    match node:
        case ast.Subscript():
            return counting if field == "value" else True
        case ast.Slice():
            return True
        case ast.Call():
            if field == "func":
                return False
            name = _called(node)
            # The second of two constants moves the same fraction as the first.
            if name == "Fraction":
                return place == 1 and isinstance(node.args[0], ast.Constant)
            return counting or name in _COUNTING
        case ast.BinOp(op=ast.Pow()):
            return True if field == "right" else counting
        case ast.BinOp(op=ast.Mod() | ast.FloorDiv()):
            return True
        case ast.Compare(ops=[ast.Eq() | ast.NotEq()]):
            return True  # a number a little beside is another number, and no split that is moved
        case ast.Compare():
            return False
    return counting


def _called(node: ast.AST) -> str:
    match node:
        case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)):
            return name
    return ""


def _taken(module: Any, name: str) -> Any:
    return getattr(module, name, None) if isinstance(module, ModuleType) else None


def _text(node: ast.AST, most: int = 48) -> str:
    text = ast.unparse(node)
    return text if len(text) <= most else f"{text[: most // 2 - 1]}..{text[1 - most // 2 :]}"


def _integer(node: ast.AST | None) -> int | None:
    match node:
        case ast.Constant(value=int() as value) if not isinstance(value, bool):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            size = _integer(operand)
            return -size if size is not None else None
    return None


def _is_zero(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="Fraction"), args=[only]):
            return _is_zero(only)
        case ast.Constant(value=int() | float() as value):
            return value == 0 and not isinstance(value, bool)
    return False


def _hundredths(value: float, count: int) -> ast.expr:
    if isinstance(value, float):
        return ast.Constant(value * count / 100)
    return ast.Call(ast.Name("_fraction", ast.Load()), [ast.Constant(value * count), ast.Constant(100)], [])


def _shifted(node: ast.expr, by: int) -> ast.expr:
    start = _integer(node)
    if start is not None:
        return ast.Constant(start + by)
    return ast.BinOp(node, ast.Add() if by > 0 else ast.Sub(), ast.Constant(abs(by)))


def _comparisons(node: ast.Compare) -> Iterator[Choice]:
    """Yield each comparison strict for weak and weak for strict, and with its right side moved."""
    for i, (order, bound) in enumerate(zip(node.ops, node.comparators, strict=True)):
        if type(order) not in _ORDERS or isinstance(bound, (ast.Tuple, ast.List)):
            continue
        if isinstance(bound, ast.Constant) and not isinstance(bound.value, (int, float)):
            continue
        said = _text(ast.Compare((node.left, *node.comparators)[i], [order], [bound]))
        for new in _ORDERS[type(order)]:
            orders = [new() if j == i else old for j, old in enumerate(node.ops)]
            words = f"{_SIGNS[new]} for {_SIGNS[type(order)]} in '{said}'"
            yield words, Kind.EDGE, ast.Compare(node.left, orders, node.comparators)
        for words, kind, put in _bounds_beside(bound, equal=isinstance(order, (ast.Eq, ast.NotEq))):
            bounds = [put if j == i else old for j, old in enumerate(node.comparators)]
            yield f"{words} in '{said}'", kind, ast.Compare(node.left, node.ops, bounds)


def _bounds_beside(bound: ast.expr, *, equal: bool) -> Iterator[Choice]:
    """Yield what may stand for the right side of a comparison; constants but 0 are moved as all constants are."""
    if _is_zero(bound) and not equal:
        for count in BESIDE_0:
            yield f"{count / 100} for {_text(bound)}", Kind.SPLIT, _hundredths(1, count)
    elif not isinstance(bound, ast.Constant) and not equal:
        for percent in HUNDREDTHS:
            yield f"{percent / 100} x {_text(bound)}", Kind.SPLIT, ast.BinOp(bound, ast.Mult(), _hundredths(1, percent))
    value = _integer(bound)
    for new in (value - 1, value + 1) if value is not None else ():
        yield f"{new} for {value}", Kind.OFF_BY_ONE, ast.Constant(new)


def _off_by_one(node: ast.BinOp) -> Iterator[Choice]:
    """Yield n for n - 1 and for n + 1, and other exponents."""
    if isinstance(node.op, (ast.Add, ast.Sub)) and _integer(node.right) == 1:
        yield f"{_text(node.left)} for {_text(node)}", Kind.OFF_BY_ONE, node.left
    power = _integer(node.right)
    if isinstance(node.op, ast.Pow) and power is not None:
        for new in (power - 1, power + 1):
            moved = ast.BinOp(node.left, node.op, ast.Constant(new))
            yield f"{_text(moved)} for {_text(node)}", Kind.MOVED, moved


def _of_comprehension(node: ast.ListComp | ast.GeneratorExp | ast.SetComp) -> Iterator[Choice]:
    """Yield a comprehension without its first or last, or without a condition."""

    def with_part(place: int, new: ast.comprehension) -> ast.expr:
        parts = [new if i == place else old for i, old in enumerate(node.generators)]
        return type(node)(node.elt, parts)

    for i, part in enumerate(node.generators):
        if not isinstance(part.iter, (ast.Tuple, ast.List)) and _called(part.iter) != "range":
            for which in ("first", "last"):
                short = ast.Call(ast.Name(f"_but_{which}", ast.Load()), [part.iter], [])
                put = with_part(i, ast.comprehension(part.target, short, part.ifs, part.is_async))
                yield f"without the {which} of {_text(part.iter)}", Kind.RANGE, put
        for j, test in enumerate(part.ifs):
            rest = [other for k, other in enumerate(part.ifs) if k != j]
            put = with_part(i, ast.comprehension(part.target, part.iter, rest, part.is_async))
            yield f"without 'if {_text(test)}'", Kind.SPLIT, put


def _ranges(node: ast.Call) -> Iterator[Choice]:
    """Yield a range that begins or ends one earlier or later."""
    first, last = node.args if len(node.args) == 2 else (ast.Constant(0), node.args[0])
    beside = [(1, 0), (0, -1), (0, 1), (1, 1), *([] if _integer(first) == 0 else [(-1, 0)])]
    for earlier, later in beside:
        ends = [_shifted(first, earlier) if earlier else first, _shifted(last, later) if later else last]
        put = ast.Call(node.func, ends, [])
        yield f"{_text(put)} for {_text(node)}", Kind.RANGE, put


def _places_beside(index: ast.expr) -> Iterator[ast.expr]:
    """Yield places beside a place, and slices that begin or end one earlier or later."""
    if isinstance(index, ast.Slice):
        if index.step is None and index.lower is not None:
            yield ast.Slice(_shifted(index.lower, 1), index.upper)
            yield ast.Slice(None if _integer(index.lower) == 1 else _shifted(index.lower, -1), index.upper)
        if index.step is None and index.upper is not None:
            yield ast.Slice(index.lower, _shifted(index.upper, -1))
            yield ast.Slice(index.lower, None if _integer(index.upper) == -1 else _shifted(index.upper, 1))
        return
    value = _integer(index)
    if value is not None:
        yield ast.Constant(value + 1 if value >= 0 else value - 1)
        if value > 0:
            yield ast.Constant(value - 1)


@functools.cache
def _fields_alike() -> dict[str, tuple[str, ...]]:
    """Return for each part of a network, or of a function, the other parts of the same type."""
    parts = [(kind, field) for kind in (Weights, PiecewiseLinear) for field in fields(kind)]
    return {
        field.name: tuple(f.name for f in fields(kind) if f.type == field.type and f.name != field.name)
        for kind, field in parts
    }


@functools.cache
def beside(function: FunctionType) -> tuple[str, ...]:
    """Return the functions before and after one in its module that take and return the same types, by name."""
    if "return" not in function.__annotations__:
        return ()
    module = vars(sys.modules[function.__module__])
    alike = [
        name
        for name, value in module.items()
        if (plain := of_theory(value)) is not None
        and plain.__module__ == function.__module__
        and plain.__name__ == name
        and not name.startswith("_reads")
        and _types(plain) == _types(function)
    ]
    if function.__name__ not in alike:
        return ()
    place = alike.index(function.__name__)
    return (*alike[max(place - 1, 0) : place], *alike[place + 1 : place + 2])


def _types(function: FunctionType) -> tuple[Any, ...]:
    code = function.__code__
    taken = [function.__annotations__.get(name) for name in code.co_varnames[: code.co_argcount]]
    return (*taken, function.__annotations__.get("return"), len(function.__defaults__ or ()))


class _Turned(ast.NodeTransformer):
    """Makes of what stands at the lower end of an interval what stands at its upper end."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.Attribute:
        self.generic_visit(node)
        return ast.Attribute(node.value, {"lower": "upper", "upper": "lower"}.get(node.attr, node.attr), node.ctx)


def _both_lower(node: ast.expr) -> str:
    return ast.dump(node).replace("'upper'", "'lower'")


def _widths(tree: Node) -> frozenset[str]:
    """Return the names in a function that say how far an interval is widened, and nothing else."""
    widening: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) == "Enclosure" and len(node.args) == 2:
            taken, added = _right_of(node.args[0], ast.Sub), _right_of(node.args[1], ast.Add)
            same = {ast.dump(part) for part in taken} & {ast.dump(part) for part in added}
            for part in (*taken, *added):
                if ast.dump(part) in same:
                    widening |= _loads(part)
        elif isinstance(node, ast.Call) and _called(node) in ("widened", "around"):
            for part in node.args[-1:]:
                widening |= _loads(part)
    assigned = [
        s for s in ast.walk(tree) if isinstance(s, ast.Assign) and all(isinstance(t, ast.Name) for t in s.targets)
    ]
    found: set[str] = set()
    for _ in assigned:  # what is computed for a width may be computed for that alone
        for statement in assigned:
            name = next(target.id for target in statement.targets if isinstance(target, ast.Name))
            loads = _loads(tree, name)
            if loads and loads <= widening:
                found.add(name)
                widening |= _loads(statement.value)
    return frozenset(found)


def _right_of(node: ast.expr, order: type[ast.operator]) -> list[ast.expr]:
    return [n.right for n in ast.walk(node) if isinstance(n, ast.BinOp) and isinstance(n.op, order)]


def _loads(tree: ast.AST, name: str | None = None) -> set[int]:
    """Return where names are read in a tree, all or one of them, as ids of nodes."""
    return {
        id(n)
        for n in ast.walk(tree)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load) and name in (None, n.id)
    }


def _with(node: Any, path: Path, put: ast.expr) -> Any:
    """Return a copy of a tree with something else in one place; what is not on the way there is shared."""
    if not path:
        return put
    (field, place), rest = path[0], path[1:]
    values = dict(ast.iter_fields(node))
    old = values[field]
    values[field] = (
        _with(old, rest, put) if place is None else [*old[:place], _with(old[place], rest, put), *old[place + 1 :]]
    )
    return ast.copy_location(type(node)(**values), node)
