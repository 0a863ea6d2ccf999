"""Tests are named alike by every process that collects them: pytest-xdist refuses to run them otherwise."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NO_NAME = re.compile(r"\\x|\\u|\b0x|object at|<function|\d\.\d{7,}|\d{18,}")
"""Bytes, letters beyond ASCII, addresses, and numbers with more digits than a name has."""

CLOCK = """
import time
year = 365 * 86400
time.time, time.time_ns = (lambda now=time.time: now() + year), (lambda now=time.time_ns: now() + year * 10**9)
"""


def ill_named(ids: list[str]) -> list[str]:
    """The ids that hold a value where a name should be."""
    return [name for name in ids if NO_NAME.search(name) or not (name.isascii() and name.isprintable())]


def collected(root: Path, files: list[str], plugins: Path) -> list[str]:
    """The ids that pytest collects out of files below a folder, a year later and with another order of sets."""
    (plugins / "a_year_later.py").write_text(CLOCK, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(plugins), "PYTHONHASHSEED": "12345"}
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "a_year_later", "-p", "no:cacheprovider"]
    command += ["-n", "0", "--rootdir", ".", *files]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if "::" in line]


def test_tests_are_called_by_names(request: pytest.FixtureRequest) -> None:
    assert ill_named([item.nodeid for item in request.session.items]) == []


@pytest.mark.slow
def test_tests_are_called_the_same_at_another_time_and_place(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    here = [item.nodeid for item in request.session.items if item.nodeid.startswith("tests/")]
    elsewhere, plugins = tmp_path / "elsewhere", tmp_path / "plugins"
    plugins.mkdir()
    # What was compiled comes along: a file's copy has its date, and compiling all of them takes longer than to collect.
    ignored = shutil.ignore_patterns(".*", "*.egg-info", "build", "dist", "runs")
    shutil.copytree(ROOT, elsewhere, ignore=ignored)
    there = collected(elsewhere, list(dict.fromkeys(name.split("::")[0] for name in here)), plugins)
    assert [name for name in there if name in set(here)] == here


def test_an_id_with_the_time_in_it_is_caught(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import gzip, time, pytest\n"
        "@pytest.mark.parametrize('value', [gzip.compress(b''), int(time.time()) // 86400, 'name'])\n"
        "def test_it(value): pass\n",
        encoding="utf-8",
    )
    mine = [f"test_it.py::test_it[{value}]" for value in ("\\x1f\\x8b\\x08", "20000", "name")]
    there = collected(tmp_path, ["test_it.py"], tmp_path)
    assert len(there) == 3
    assert [name for name in mine if name in there] == mine[2:]
    assert ill_named(there) == there[:1]
    assert ill_named(["a[<object object at 0x7f]", "a[0.3333333333333333]", "a[0.25]", "a[t\u00e9]"]) == [
        "a[<object object at 0x7f]",
        "a[0.3333333333333333]",
        "a[t\u00e9]",
    ]
