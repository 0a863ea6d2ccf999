"""What users import: each package's public names, with an example that runs and arguments that are described."""

import dataclasses
import doctest
import inspect
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from types import FunctionType, ModuleType
from typing import Any

import pytest

import numerics
import theory
from numerics import programs
from theory.claim import Claim
from theory.registry import CLAIMS

ROOMS = (theory, numerics)
"""What users import from."""

ARRAYS = re.compile(r"\b(Array|Reals|Matrix|Tensor|Points)\b")
"""What an annotation says of arrays."""

SHAPE = re.compile(r"\[(?=[^]]*[A-Za-z])[\w(][\w ()+*^.,/-]*\]|\ba scalar\b")
"""How a docstring says what shape an array has: [n], [n, d], [3k + 1], a scalar. (From 0 to 1, [0, 1], is a range.)"""

MANY = 3
"""From so many parameters on each of them is described."""


def faces_of(room: ModuleType) -> Iterator[ModuleType]:
    """Yield a folder's package and those in it."""
    yield room
    for found in list(pkgutil.walk_packages(room.__path__, f"{room.__name__}.")):  # which imports them
        if found.ispkg:
            yield sys.modules[found.name]


FACES = {face.__name__: face for room in ROOMS for face in faces_of(room)}
PUBLIC: dict[str, Any] = {}
"""What is exported, by one of its names."""

for name, face in FACES.items():
    for public in face.__all__:
        value = getattr(face, public)
        if not any(value is other for other in PUBLIC.values()):
            PUBLIC[f"{name}.{public}"] = value

FUNCTIONS = {name: value for name, value in PUBLIC.items() if inspect.isfunction(value)}
CLASSES = {
    name: value
    for name, value in PUBLIC.items()
    if inspect.isclass(value) and not issubclass(value, Enum | BaseException)
}
RECORDS = {
    name: value for name, value in CLASSES.items() if dataclasses.is_dataclass(value) or hasattr(value, "_fields")
}
METHODS = {
    f"{name}.{word}": method
    for name, value in CLASSES.items()
    for word, method in vars(value).items()
    if isinstance(method, FunctionType) and not word.startswith("_")
}
every_function = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)


def entries(docstring: str | None, section: str) -> dict[str, str]:
    """Return what a section of a docstring says, name by name in the order there; empty without the section."""
    text = inspect.cleandoc(docstring or "")
    found = re.search(rf"^{section}:\n((?:(?:    .*)?\n)*)", text + "\n", flags=re.M)
    parts = re.split(r"^    (\w+): ", found[1], flags=re.M) if found else [""]
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def parameters(function: Callable[..., Any]) -> dict[str, str]:
    """Return the parameters of a function or method, but for `self`, with their annotations as text."""
    given = inspect.signature(function).parameters.values()
    return {p.name: str(p.annotation) for p in given if p.name not in ("self", "cls")}


def undescribed(expected: Mapping[str, str], docstring: str | None, section: str) -> str:
    """Return what is wrong with a section that describes names with annotations; empty if nothing is."""
    described = entries(docstring, section)
    if (described or len(expected) >= MANY) and list(described) != list(expected):
        return f"{section} describe {', '.join(described) or 'nothing'}, where there are {', '.join(expected)}"
    told = (docstring or "").partition("Example:")[0]
    shapeless = [
        name
        for name, annotation in expected.items()
        if ARRAYS.search(annotation) and not SHAPE.search(described[name] if described else told)
    ]
    return f"no shape is given of {', '.join(shapeless)}" if shapeless else ""


def fields(kind: type[Any]) -> dict[str, str]:
    """Return the fields of a dataclass or a named tuple with their annotations."""
    if dataclasses.is_dataclass(kind):
        return {field.name: str(field.type) for field in dataclasses.fields(kind)}
    return {name: str(kind.__annotations__[name]) for name in kind._fields}


def failures(function: Callable[..., Any]) -> str:
    """Run the examples in a docstring, each docstring by itself, and return how they fail."""
    said: list[str] = []
    runner = doctest.DocTestRunner(verbose=False)
    for test in doctest.DocTestFinder(recurse=False).find(function, globs={}):
        runner.run(test, out=said.append)
    return "".join(said)


def examples(function: Callable[..., Any]) -> list[doctest.Example]:
    return doctest.DocTestParser().get_examples(function.__doc__ or "")


@pytest.mark.parametrize("face", FACES.values(), ids=FACES)
def test_a_face_names_what_is_there(face: ModuleType) -> None:
    names = face.__all__
    assert names
    assert len(set(names)) == len(names)
    for name in names:
        assert not name.startswith("_")
        assert hasattr(face, name)


def test_the_papers_and_the_packages_have_faces() -> None:
    assert {"theory", "theory.beyond", "numerics", programs.__name__} <= set(FACES)


@pytest.mark.parametrize("claim", [c for c in CLAIMS.values() if c.bound is not None], ids=lambda claim: claim.id)
def test_the_bound_of_a_claim_is_imported_from_a_paper(claim: Claim) -> None:
    assert claim.bound is not None
    papers = [face for face in faces_of(theory) if face is not theory]
    assert [face for face in papers if getattr(face, claim.bound.__name__, None) is claim.bound]


@every_function
def test_a_function_has_an_example_that_shows_what_comes_out(function: Callable[..., Any]) -> None:
    assert "Example:\n" in (function.__doc__ or "")
    shown = [example.want for example in examples(function) if example.want]
    assert shown
    assert sum(want.count("\n") for want in shown) <= 4


@every_function
def test_the_example_of_a_function_is_true(function: Callable[..., Any]) -> None:
    assert failures(function) == ""


@pytest.mark.parametrize("kind", CLASSES.values(), ids=CLASSES)
def test_the_examples_of_a_class_are_true(kind: type[Any]) -> None:
    assert failures(kind) == ""


@pytest.mark.parametrize("function", [*FUNCTIONS.values(), *METHODS.values()], ids=[*FUNCTIONS, *METHODS])
def test_arguments_are_described_in_order_with_their_shapes(function: Callable[..., Any]) -> None:
    assert undescribed(parameters(function), function.__doc__, "Args") == ""


@every_function
def test_the_shape_of_an_array_that_comes_out_is_given(function: Callable[..., Any]) -> None:
    if ARRAYS.search(str(inspect.signature(function).return_annotation)):
        head, _, _ = inspect.cleandoc(function.__doc__ or "").partition("Args:\n")
        _, _, tail = (function.__doc__ or "").partition("Returns:\n")
        assert SHAPE.search(head) or SHAPE.search(tail.partition("Raises:\n")[0])


@pytest.mark.parametrize("kind", RECORDS.values(), ids=RECORDS)
def test_attributes_are_described_in_order_with_their_shapes(kind: type[Any]) -> None:
    assert undescribed(fields(kind), kind.__doc__, "Attributes") == ""


def test_an_argument_out_of_order_or_without_a_shape_is_caught() -> None:
    expected = {"x": "Reals", "y": "Reals", "loss": "Loss"}
    told = (
        "Return it.\n\n    Args:\n        x: points, [n].\n        y: targets{}.\n        loss: which.\n\n    Raises:\n"
    )
    assert undescribed(expected, told.format(", [n]"), "Args") == ""
    assert undescribed(expected, told.format(""), "Args") == "no shape is given of y"
    assert undescribed(expected, "Return it, [n].", "Args") == "Args describe nothing, where there are x, y, loss"
    assert undescribed({"x": "Reals"}, "Return it.", "Args") == "no shape is given of x"
    assert undescribed({"x": "Reals"}, "Return it, for x [n].", "Args") == ""
    swapped = dict(reversed(expected.items()))
    assert undescribed(swapped, told.format(", [n]"), "Args").startswith("Args describe x, y, loss, where")


def test_an_example_that_is_no_longer_true_is_caught() -> None:
    def wrong() -> None:
        """Return nothing.

        Example:
            >>> 1 + 1
            3
        """

    assert "Expected:\n    3\nGot:\n    2" in failures(wrong)
    assert [example.want for example in examples(wrong)] == ["3\n"]
