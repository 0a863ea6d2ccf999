"""Imports go one way, stand at the top of their file, and name only what the package is installed with."""

import ast
import graphlib
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]

MAY_IMPORT = {
    "theory": set[str](),
    "numerics": {"theory"},
    "experiments": {"theory", "numerics"},
    "proofs_check": {"theory", "numerics"},
    "implicit_smoothness": {"theory"},
    "benchmarks": {"theory", "numerics", "experiments", "proofs_check"},
    "tests": {"theory", "numerics", "experiments", "proofs_check", "implicit_smoothness"},
}
"""For each folder the other folders of this project that it may import."""

EXTRAS = {
    "theory": [],
    "numerics": ["numerics"],
    "experiments": ["studies"],
    "proofs_check": ["proofs"],
    "implicit_smoothness": [],
    "benchmarks": ["dev"],
    "tests": ["dev"],
}
"""For each folder the extras of pyproject.toml that whoever runs it has installed."""

AT_THE_TOP = {
    "setup.py": {"setuptools"},
    "implicit_smoothness_names.py": {"?"},  # every Python loads it as it starts; it imports by names that it computes
}
"""The files beside these folders, and what they may import beyond the standard library."""

TOP_MODULES = {"implicit_smoothness": {"implicit_smoothness_names"}, "tests": {"setup"}}
"""The files beside the folders that a folder may import."""

MODULE_OF = {
    "python-flint": "flint",
    "pytest-benchmark": "pytest_benchmark",
    "z3-solver": "z3",
}
"""The module of a distribution that has another name."""

COMPARED = {"jax"}
"""What a benchmark may try to import, to compare with it where it is installed."""

LONGEST_IMPORT = 1.0
"""Seconds that `import theory` may take beyond numpy's and sympy's own import."""


class Import(NamedTuple):
    """An import: `hidden` in a function, a class or a call; `optional` if the file goes on without the module."""

    line: int
    module: str
    hidden: bool = False
    optional: bool = False


def imports(tree: ast.Module) -> Iterator[Import]:
    """Yield every import of a module; a relative one with its dots, one by a name that is computed as "?"."""
    hiding = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
    hidden = {id(inner) for node in ast.walk(tree) if isinstance(node, hiding) for inner in ast.walk(node)}
    optional = {
        id(inner)
        for node in tree.body
        if isinstance(node, ast.Try)
        if any(handler.type and "ImportError" in ast.unparse(handler.type) for handler in node.handlers)
        for inner in node.body
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(node.lineno, alias.name, id(node) in hidden, id(node) in optional)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield Import(node.lineno, module, id(node) in hidden, id(node) in optional)
        elif isinstance(node, ast.Call) and called(node.func) in {"import_module", "__import__"}:
            argument = node.args[0] if node.args else None
            constant = argument.value if isinstance(argument, ast.Constant) else None
            yield Import(node.lineno, constant if isinstance(constant, str) else "?", hidden=True)


def called(function: ast.expr) -> str:
    """Return the last name of a function that is called by name; nothing for another."""
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )


def distributions(pyproject: dict[str, Any], extras: list[str]) -> set[str]:
    """Return the names of the distributions that come with the base install and `extras`, themselves resolved."""
    project = pyproject["project"]
    names, waiting = set[str](), [Requirement(f"{project['name']}[{','.join(extras)}]")]
    waiting += map(Requirement, project["dependencies"])
    while waiting:
        requirement = waiting.pop()
        if requirement.name == project["name"]:
            waiting += [
                Requirement(text) for extra in requirement.extras for text in project["optional-dependencies"][extra]
            ]
        else:
            names.add(requirement.name)
    return names


def third_party(pyproject: dict[str, Any], extras: list[str]) -> set[str]:
    """Return the top-level modules of the distributions that come with the base install and `extras`."""
    return {MODULE_OF.get(name, name.replace("-", "_")) for name in distributions(pyproject, extras)}


def violations(root: Path) -> list[str]:
    """Return a sentence for every import under `root` that the tables above forbid."""
    pyproject = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    found = []
    for folder, below in MAY_IMPORT.items():
        # Beyond what a package is installed with it may try for a library of another extra; theory may not.
        installed = {"numpy", "sympy"} if folder == "theory" else third_party(pyproject, EXTRAS[folder])
        offered = installed if folder == "theory" else third_party(pyproject, ["dev", "cluster"])
        offered |= COMPARED if folder == "benchmarks" else set()
        for file in sorted((root / folder).rglob("*.py")):
            where = file.relative_to(root)
            for line, module, hidden, optional in imports(ast.parse(file.read_text(encoding="utf-8"))):
                top = module.split(".")[0]
                if hidden:
                    found.append(f"{where}:{line}: the import of {module} is hidden")
                if module.startswith("."):
                    found.append(f"{where}:{line}: the import of {module} is relative")
                elif top in TOP_MODULES.get(folder, set()):
                    continue
                elif top in MAY_IMPORT:
                    if top not in below | {folder}:
                        found.append(f"{where}:{line}: {folder} imports {top}, against the flow")
                elif top not in sys.stdlib_module_names | (offered if optional else installed) | {"?"}:
                    found.append(f"{where}:{line}: {folder} imports {top}, which it is not installed with")
    return found


def violations_at_the_top(root: Path) -> list[str]:
    """Return a sentence for every import, in a file beside the folders, that the table above forbids."""
    return [
        f"{name}:{line}: the import of {module} is hidden, relative, or not for this file"
        for name, installed in AT_THE_TOP.items()
        for line, module, hidden, _ in imports(ast.parse((root / name).read_text(encoding="utf-8")))
        if (hidden and module != "?") or module.split(".")[0] not in sys.stdlib_module_names | installed
    ]


def needed(root: Path, folder: str) -> tuple[str, list[str]]:
    """Return what the `__init__` of a folder says that it needs: the extra, and the modules."""
    tree = ast.parse((root / folder / "__init__.py").read_text(encoding="utf-8"))
    [call] = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "need"]
    _, extra, modules = (ast.literal_eval(argument) for argument in call.args)
    return extra, sorted(modules)


def imported(root: Path, *folders: str) -> set[str]:
    """Return the modules outside the standard library and the base install that folders do not go on without."""
    pyproject = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    known = sys.stdlib_module_names | set(MAY_IMPORT) | third_party(pyproject, [])
    trees = [ast.parse(file.read_text(encoding="utf-8")) for name in folders for file in (root / name).rglob("*.py")]
    tops = {found.module.split(".")[0] for tree in trees for found in imports(tree) if not found.optional}
    return tops - known


def modules_beyond(cwd: Path, statement: str) -> set[str]:
    """Return the top-level modules outside the standard library that `statement` loads and numpy and sympy do not."""
    code = f"import json, sys\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    loaded, base = (
        {name.split(".")[0] for name in json.loads(run_python(cwd, text))}
        for text in (code, code.replace(statement, "import numpy, sympy"))
    )
    return {name for name in loaded - base - set(sys.stdlib_module_names) if not name.startswith("_")}


def import_seconds(cwd: Path, module: str, repeats: int) -> float:
    """Return the CPU seconds that importing `module` takes once numpy and sympy are there: the least of `repeats`.

    CPU time rather than wall time, so that other tests on the same cores do not count; and the least of some, since
    they take the caches.
    """
    code = (
        f"import time, numpy, sympy\nstart = time.process_time()\nimport {module}\nprint(time.process_time() - start)"
    )
    return min(float(run_python(cwd, code)) for _ in range(repeats))


def run_python(cwd: Path, code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=True).stdout


def tree_with(root: Path, file: str, source: str) -> Path:
    """Return `root` with one file in it, under this project's own pyproject.toml."""
    (root / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text(encoding="utf-8"), encoding="utf-8")
    (root / file).parent.mkdir(parents=True)
    (root / file).write_text(source, encoding="utf-8")
    return root


def test_no_import_of_this_project_is_forbidden() -> None:
    assert violations(ROOT) == []


def test_every_folder_that_is_checked_holds_python_files() -> None:
    empty = [folder for folder in MAY_IMPORT if not any((ROOT / folder).rglob("*.py"))]
    assert empty == []


def test_every_python_file_lies_in_a_folder_that_is_checked() -> None:
    outside = [
        path.relative_to(ROOT).as_posix()
        for top in ROOT.iterdir()
        if not top.name.startswith(".") and top.name not in {*MAY_IMPORT, "build", "dist"}
        for path in ([top] if top.is_file() else top.rglob("*"))
        if path.suffix == ".py"
    ]
    assert sorted(outside) == sorted(AT_THE_TOP)


def test_no_import_of_a_file_beside_the_folders_is_forbidden(tmp_path: Path) -> None:
    assert violations_at_the_top(ROOT) == []
    for name in AT_THE_TOP:
        (tmp_path / name).write_text("import numpy\n", encoding="utf-8")
    assert len(violations_at_the_top(tmp_path)) == len(AT_THE_TOP)


@pytest.mark.parametrize("folder", ["experiments", "proofs_check"])
def test_a_folder_says_what_it_needs(folder: str) -> None:
    extra, modules = needed(ROOT, folder)
    assert [extra] == EXTRAS[folder]
    assert modules == sorted(imported(ROOT, folder, "numerics"))


def test_numerics_says_what_most_of_it_needs() -> None:
    extra, modules = needed(ROOT, "numerics")
    assert [extra] == EXTRAS["numerics"]
    assert {"torch"} <= set(modules) <= imported(ROOT, "numerics")


def test_the_flow_has_no_cycle() -> None:
    order = list(graphlib.TopologicalSorter(MAY_IMPORT).static_order())
    assert order[:2] == ["theory", "numerics"]


@pytest.mark.parametrize("target", MAY_IMPORT)
@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_an_arrow_is_caught_exactly_if_it_points_backwards(tmp_path: Path, folder: str, target: str) -> None:
    root = tree_with(tmp_path, f"{folder}/module.py", f"import {target}.thing\n")
    allowed = target == folder or target in MAY_IMPORT[folder]
    expected = [] if allowed else [f"{folder}/module.py:1: {folder} imports {target}, against the flow"]
    assert violations(root) == expected


@pytest.mark.parametrize(
    ("file", "source", "expected"),
    [
        ("theory/a.py", "import torch\n", "theory/a.py:1: theory imports torch, which it is not installed with"),
        (
            "theory/a.py",
            "from scipy.optimize import linprog\n",
            "theory/a.py:1: theory imports scipy, which it is not installed with",
        ),
        (
            "theory/a.py",
            "if True:\n    from numerics import b\n",
            "theory/a.py:2: theory imports numerics, against the flow",
        ),
        (
            "numerics/programs/a.py",
            "from ...theory import b\n",
            "numerics/programs/a.py:1: the import of ...theory is relative",
        ),
        (
            "numerics/a.py",
            "import pandas\n",
            "numerics/a.py:1: numerics imports pandas, which it is not installed with",
        ),
        (
            "proofs_check/a.py",
            "import jax\n",
            "proofs_check/a.py:1: proofs_check imports jax, which it is not installed with",
        ),
        ("numerics/a.py", "def f():\n    import scipy\n", "numerics/a.py:2: the import of scipy is hidden"),
        ("tests/a.py", "async def f():\n    import scipy\n", "tests/a.py:2: the import of scipy is hidden"),
        ("theory/a.py", "class C:\n    import sympy\n", "theory/a.py:2: the import of sympy is hidden"),
        (
            "theory/a.py",
            "import importlib\nimportlib.import_module('sympy')\n",
            "theory/a.py:2: the import of sympy is hidden",
        ),
        ("theory/a.py", "n = 'x'\n__import__(n)\n", "theory/a.py:2: the import of ? is hidden"),
        (
            "theory/a.py",
            "try:\n    import torch\nexcept ImportError:\n    torch = None\n",
            "theory/a.py:2: theory imports torch, which it is not installed with",
        ),
        (
            "numerics/a.py",
            "try:\n    import jax\nexcept ImportError:\n    jax = None\n",
            "numerics/a.py:2: numerics imports jax, which it is not installed with",
        ),
        (
            "numerics/a.py",
            "try:\n    import numba\nexcept ValueError:\n    numba = None\n",
            "numerics/a.py:2: numerics imports numba, which it is not installed with",
        ),
    ],
)
def test_a_forbidden_import_is_caught(tmp_path: Path, file: str, source: str, expected: str) -> None:
    assert violations(tree_with(tmp_path, file, source)) == [expected]


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("theory/a.py", "import math\nimport numpy.typing as npt\nfrom sympy import Symbol\nfrom theory.b import c\n"),
        ("numerics/programs/a.py", "import cvxpy\nfrom numerics import b\nfrom theory.c import d\n"),
        ("numerics/a.py", "try:\n    import numba\nexcept ImportError:\n    numba = None\n"),
        ("proofs_check/a.py", "import flint\nfrom hypothesis import given\n"),
        ("experiments/a.py", "try:\n    import distributed\nexcept ImportError:\n    distributed = None\n"),
    ],
)
def test_a_permitted_import_is_not_caught(tmp_path: Path, file: str, source: str) -> None:
    assert violations(tree_with(tmp_path, file, source)) == []


def test_theory_loads_nothing_but_numpy_and_sympy() -> None:
    modules = [
        ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for file in sorted((ROOT / "theory").rglob("*.py"))
        if file.name != "__init__.py"
    ]
    assert "theory.registry" in modules
    assert modules_beyond(ROOT, f"import {', '.join(modules)}") == {"theory"}


def test_a_module_that_loads_scipy_is_caught(tmp_path: Path) -> None:
    (tmp_path / "heavy.py").write_text("import scipy\n", encoding="utf-8")
    assert {"heavy", "scipy"} <= modules_beyond(tmp_path, "import heavy")


def test_importing_theory_is_quick() -> None:
    assert import_seconds(ROOT, "theory", repeats=3) < LONGEST_IMPORT


def test_a_slow_import_is_caught(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(
        f"import time\nstart = time.process_time()\nwhile time.process_time() < start + {LONGEST_IMPORT}:\n    pass\n",
        encoding="utf-8",
    )
    assert import_seconds(tmp_path, "slow", repeats=1) >= LONGEST_IMPORT
