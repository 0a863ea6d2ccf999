"""The source of functions of `theory`: their trees, what they call, and copies in which one of them is another."""

from __future__ import annotations

import ast
import functools
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from fractions import Fraction
from types import CellType, CodeType, FunctionType, ModuleType, SimpleNamespace
from typing import Any

Node = ast.FunctionDef | ast.Lambda

ARITHMETIC = frozenset(
    ("checks", "claim", "conditions", "enclosure", "extremes", "proof", "registry", "sources", "summation", "symbols")
)
"""The modules of `theory` that say how to compute, and nothing of any claim."""


def of_theory(value: Any) -> FunctionType | None:
    """Return the function behind a value, which may have a cache, if it says what a claim speaks of; else nothing."""
    found = getattr(value, "__wrapped__", value)
    if not isinstance(found, FunctionType):
        return None
    package, _, module = found.__module__.removeprefix("implicit_smoothness.").partition(".")
    last = module.rpartition(".")[2]
    return found if package == "theory" and last not in ARITHMETIC and not last.endswith("_proofs") else None


@functools.cache
def _module_tree(name: str) -> ast.Module:
    return ast.parse(inspect.getsource(sys.modules[name]))


@functools.cache
def tree_of(function: FunctionType) -> Node | None:
    """Return the tree of a function, a lambda found by its place; nothing where there is no source."""
    code = function.__code__
    try:
        module = _module_tree(function.__module__)
    except (OSError, TypeError, KeyError):
        return None
    found: list[ast.Lambda] = []
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef) and node.name == code.co_name:
            if min([node.lineno, *(d.lineno for d in node.decorator_list)]) == code.co_firstlineno:
                return node
        elif isinstance(node, ast.Lambda) and code.co_name == "<lambda>" and _is_at(code, node):
            found.append(node)
    return min(found, key=lambda node: len(ast.dump(node)), default=None)


def _is_at(code: CodeType, node: ast.Lambda) -> bool:
    """Return whether the instructions of a lambda stand in the body of a node, and its arguments are called alike."""
    if node.lineno != code.co_firstlineno:
        return False
    body, names = node.body, tuple(argument.arg for argument in node.args.args)
    ends = (body.end_lineno or body.lineno, body.end_col_offset or 0)
    for line, end_line, column, end_column in code.co_positions():
        if line is None or end_line is None or column is None or end_column is None or column == end_column:
            continue
        if not (body.lineno, body.col_offset) <= (line, column) <= (end_line, end_column) <= ends:
            return False
    return names == code.co_varnames[: code.co_argcount]


def cells(function: FunctionType) -> dict[str, Any]:
    """Return what a function has in its closure, by name."""
    contents = (cell.cell_contents for cell in function.__closure__ or ())
    return dict(zip(function.__code__.co_freevars, contents, strict=True))


def known(function: FunctionType) -> dict[str, Any]:
    """Return what the names in a function stand for, its own apart."""
    return {**function.__globals__, **cells(function)}


@functools.cache
def _names(function: FunctionType) -> tuple[str, ...]:
    tree = tree_of(function)
    found = ast.walk(tree) if tree is not None else ()
    return tuple(sorted({node.id for node in found if isinstance(node, ast.Name)}))


@functools.cache
def _parts(function: FunctionType) -> tuple[tuple[str, str], ...]:
    """Return the names in a function with an attribute: modules and what is taken from them, among others."""
    tree = tree_of(function)
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)] if tree is not None else []
    return tuple(sorted({(node.value.id, node.attr) for node in found if isinstance(node.value, ast.Name)}))


@functools.cache
def calls(function: FunctionType) -> tuple[FunctionType, ...]:
    """Return the functions of `theory` that a function refers to, in the order of their names."""
    values = known(function)
    modules = [(values[first], part) for first, part in _parts(function) if isinstance(values.get(first), ModuleType)]
    referred = [values.get(name) for name in _names(function)] + [getattr(m, part, None) for m, part in modules]
    plain = (of_theory(value) for value in referred)
    return tuple(dict.fromkeys(one for one in plain if one is not None and one is not function))


@functools.cache
def reached(function: FunctionType) -> tuple[FunctionType, ...]:
    """Return a function and all that it leads to."""
    found = [function]
    for one in found:
        found += [called for called in calls(one) if called not in found]
    return tuple(found)


_PLAIN = (bool, int, float, str, Fraction, Enum)
"""Of what type a name's value is to be told with the function that uses it."""

_UNSAID = frozenset(("decorator_list", "returns", "annotation", "ctx", "kind", "type_comment", "type_params"))
"""Fields of a tree that say nothing of what a function computes, or that only some versions of Python have."""


def told(function: Callable[..., Any]) -> list[Any]:
    """Return what a function computes, as nested lists of words: its tree, the values it names, and all that it leads to.

    Where it has no source here, its name. Comments, docstrings, annotations and layout count for nothing.
    """
    found = getattr(function, "__wrapped__", function)
    if not isinstance(found, FunctionType) or tree_of(found) is None:
        return [getattr(found, "__qualname__", type(found).__name__)]
    names: list[Any] = []
    trees: list[Any] = []
    for one in reached(found):
        tree = tree_of(one)
        trees.append(_tree_told(tree) if tree is not None else one.__qualname__)
        names += [[name, repr(known(one)[name])] for name in _names(one) if isinstance(known(one).get(name), _PLAIN)]
    return [*trees, *names]


def _tree_told(node: Any) -> Any:
    if isinstance(node, list):
        return [_tree_told(one) for one in node if not _is_docstring(one)]
    if not isinstance(node, ast.AST):
        return repr(node)
    said = ((name, part) for name, part in ast.iter_fields(node) if name not in _UNSAID)
    return [type(node).__name__, *([name, _tree_told(part)] for name, part in said if part not in (None, []))]


def _is_docstring(node: Any) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def compiled(tree: Node, free: Sequence[str], name: str) -> CodeType:
    """Return the code of a function's tree, whose decorators, annotations and defaults count for nothing.

    Args:
        tree: the tree.
        free: the names that it takes from a closure.
        name: the file that tracebacks name.
    """
    inner: ast.stmt = ast.Expr(tree) if isinstance(tree, ast.Lambda) else _bare(tree)
    outer = ast.parse("\n".join(["def outer():", *(f"    {name} = None" for name in free), "    pass"]))
    function = outer.body[0]
    assert isinstance(function, ast.FunctionDef)
    function.body.append(inner)
    code = compile(ast.fix_missing_locations(outer), name, "exec")
    for _ in range(2):
        code = next(constant for constant in code.co_consts if isinstance(constant, CodeType))
    return code


def _bare(tree: ast.FunctionDef) -> ast.FunctionDef:
    given = tree.args
    arguments = ast.arguments(
        posonlyargs=[ast.arg(a.arg) for a in given.posonlyargs],
        args=[ast.arg(a.arg) for a in given.args],
        vararg=ast.arg(given.vararg.arg) if given.vararg else None,
        kwonlyargs=[ast.arg(a.arg) for a in given.kwonlyargs],
        kw_defaults=[None for _ in given.kw_defaults],
        kwarg=ast.arg(given.kwarg.arg) if given.kwarg else None,
        defaults=[],
    )
    return ast.FunctionDef(tree.name, arguments, tree.body, [], None)


def with_another(root: FunctionType, changed: FunctionType, code: CodeType, more: Mapping[str, Any]) -> FunctionType:
    """Return a copy of a function that runs other code wherever it comes to one of the functions that it leads to.

    Args:
        root: the function.
        changed: the function whose code is another, `root` or one that it leads to.
        code: what it runs.
        more: what further names in that code stand for.
    """
    made: dict[FunctionType, FunctionType] = {}

    def copied(function: FunctionType) -> FunctionType:
        if function in made:
            return made[function]
        own = dict(function.__globals__)
        inner = {name: renewed(value) for name, value in cells(function).items()}
        runs = code if function is changed else function.__code__
        closure = tuple(CellType(inner[name]) for name in runs.co_freevars)
        copy = FunctionType(runs, own, function.__name__, function.__defaults__, closure or None)
        copy.__kwdefaults__ = function.__kwdefaults__
        made[function] = copy
        for name in _names(function):
            if name in own:
                own[name] = renewed(own[name])
        for first, part in _parts(function):
            module = function.__globals__.get(first)
            if isinstance(module, ModuleType) and leads(getattr(module, part, None)):
                if own[first] is module:
                    own[first] = SimpleNamespace(**vars(module))
                setattr(own[first], part, renewed(getattr(module, part)))
        if function is changed:
            own.update(more)
        return copy

    def leads(value: Any) -> bool:
        plain = of_theory(value)
        return plain is not None and changed in reached(plain)

    def renewed(value: Any) -> Any:
        plain = of_theory(value)
        if plain is None or changed not in reached(plain):
            return value
        return copied(plain) if plain is value else functools.cache(copied(plain))

    return copied(root)
