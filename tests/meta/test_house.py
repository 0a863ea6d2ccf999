"""What stands in two places of the repository says the same in both."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES: list[str] = PYPROJECT["tool"]["setuptools"]["packages"]


def requirements(pyproject: dict[str, Any]) -> list[Requirement]:
    """Return every requirement of the base install and the extras, but for the project's own name."""
    project = pyproject["project"]
    texts = [*project["dependencies"], *(text for extra in project["optional-dependencies"].values() for text in extra)]
    return [requirement for text in texts if (requirement := Requirement(text)).name != project["name"]]


def pins(text: str) -> dict[str, Version]:
    """Return the versions that a constraints file pins, one NAME==VERSION a line between comments."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    found = {}
    for line in lines:
        name, separator, version = line.partition("==")
        assert separator, f"{line!r} pins no version"
        found[re.sub("[-_.]+", "-", name).lower()] = Version(version)
    return found


def unsatisfied(pyproject: dict[str, Any], constraints: str) -> list[str]:
    """Return a sentence for every requirement that the constraints leave open or contradict."""
    versions = pins(constraints)
    found = []
    for requirement in requirements(pyproject):
        version = versions.get(requirement.name)
        if version is None:
            found.append(f"{requirement.name} has no pin")
        elif version not in requirement.specifier:
            found.append(f"{requirement.name}=={version} is outside {requirement.specifier}")
    return found


def make_targets(makefile: str) -> set[str]:
    """Return the targets that a Makefile declares phony."""
    return {target for line in re.findall(r"^\.PHONY:(.*)$", makefile, flags=re.M) for target in line.split()}


def named_targets(markdown: str) -> set[str]:
    """Return the targets that a page asks its reader to make, in `make x` spans and at the start of code lines."""
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```", markdown, flags=re.M | re.S)
    commands = [line for block in blocks for line in re.findall(r"^\s*(?:\$ )?make (.+)$", block, flags=re.M)]
    commands += re.findall(r"`make ([^`]+)`", markdown)
    words = (word for command in commands for word in command.split("#")[0].split())
    return {word for word in words if re.fullmatch(r"[a-z][a-z_-]*", word)}


def test_the_version_is_the_same_in_both_files() -> None:
    cited = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), flags=re.M)
    assert cited is not None
    assert cited[1] == PYPROJECT["project"]["version"]


def test_the_licence_is_the_same_in_all_files() -> None:
    assert PYPROJECT["project"]["license"] == "Apache-2.0"
    assert "\nlicense: Apache-2.0\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert "Apache License\n                           Version 2.0" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_every_package_is_installed() -> None:
    tops = {package.split(".")[0] for package in PACKAGES}
    assert tops >= {"implicit_smoothness", "theory", "numerics", "experiments", "proofs_check"}
    folders = {".".join(file.parent.relative_to(ROOT).parts) for top in tops for file in (ROOT / top).rglob("*.py")}
    assert folders == set(PACKAGES)


@pytest.mark.parametrize("package", sorted({package.split(".")[0] for package in PACKAGES}))
def test_every_package_ships_its_annotations(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()
    assert "py.typed" in PYPROJECT["tool"]["setuptools"]["package-data"][package]


def test_every_package_is_type_checked() -> None:
    assert set(PYPROJECT["tool"]["mypy"]["packages"]) == {package.split(".")[0] for package in PACKAGES}


def test_the_pinned_versions_lie_in_the_ranges() -> None:
    assert unsatisfied(PYPROJECT, (ROOT / "constraints.txt").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("pinned", "expected"),
    [
        ("numpy==2.4.6\n", []),
        ("# numpy==2.4.6\n", ["numpy has no pin"]),
        ("numpy==1.26.4\n", ["numpy==1.26.4 is outside >=2.0"]),
    ],
)
def test_a_pin_outside_its_range_is_caught(pinned: str, expected: list[str]) -> None:
    pyproject = {"project": {"name": "x", "dependencies": ["numpy>=2.0"], "optional-dependencies": {"a": ["x[b]"]}}}
    assert unsatisfied(pyproject, pinned) == expected


@pytest.mark.parametrize(("name", "version"), [("numpy", "2.5.0"), ("torch", "2.11.0"), ("torch", "2.13.0+cu130")])
def test_a_newer_or_a_cuda_machine_lies_in_the_ranges(name: str, version: str) -> None:
    ranges = [requirement.specifier for requirement in requirements(PYPROJECT) if requirement.name == name]
    assert ranges
    assert all(Version(version) in specifier for specifier in ranges)


@pytest.mark.parametrize("version", ["3.11.0", "3.12.0", "3.13.0"])
def test_a_classified_python_lies_in_the_range(version: str) -> None:
    assert Version(version) in SpecifierSet(PYPROJECT["project"]["requires-python"])
    assert f"Programming Language :: Python :: {version[:-2]}" in PYPROJECT["project"]["classifiers"]


def test_the_readme_names_targets_of_the_makefile() -> None:
    named = named_targets((ROOT / "README.md").read_text(encoding="utf-8"))
    assert {"test", "sweep"} <= named
    assert named <= make_targets((ROOT / "Makefile").read_text(encoding="utf-8"))


def test_the_targets_that_a_page_names_are_found() -> None:
    page = "Run `make sweep ARGS=1` and make sure.\n```sh\n$ make test  # lint too\nmake clean types\n```\n"
    assert named_targets(page) == {"sweep", "test", "clean", "types"}


def test_every_target_is_explained() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    explained = set(re.findall(r"^([a-z]+):.*## \S", makefile, flags=re.M))
    assert explained == make_targets(makefile)


def test_continuous_integration_runs_the_command_of_the_readme() -> None:
    run = ROOT / ".ci" / "run"
    assert run.stat().st_mode & 0o111
    assert run.read_text(encoding="utf-8").rstrip().endswith("make test")
    assert "make test" in (ROOT / "README.md").read_text(encoding="utf-8")
