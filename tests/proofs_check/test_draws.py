"""What Hypothesis draws is the same whatever is imported, here and in another process."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st

from proofs_check.draws import same_draws

ROOT = Path(__file__).parents[2]
PROBE = """
import json
from contextlib import nullcontext
from proofs_check.draws import same_draws
from tests.proofs_check.test_draws import integers
import {module}

with {context}():
    print(json.dumps(integers()))
"""


def integers() -> list[int]:
    """What Hypothesis draws here, of one seed."""
    seen: list[int] = []

    @seed(0)
    @settings(max_examples=300, database=None, phases=[Phase.generate])
    @given(st.integers())
    def look(number: int) -> None:
        seen.append(number)

    look()
    return seen


def drawn(folder: Path, module: str, context: str) -> list[int]:
    """What another process draws once it has imported a module of a folder."""
    code = PROBE.format(module=module, context=context)
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(folder)!r}]\n{code}"]
    found: list[int] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return found


@pytest.fixture
def local(tmp_path: Path) -> Path:
    """A folder with modules of the user's: one of many constants, and one of none."""
    (tmp_path / "many.py").write_text(f"NUMBERS = {list(range(1_000_003, 1_000_400))}\n", encoding="utf-8")
    (tmp_path / "none.py").write_text("", encoding="utf-8")
    return tmp_path


@pytest.mark.skipif(not settings.default.derandomize, reason="examples are new every time under this profile")
def test_draws_do_not_depend_on_what_is_imported(local: Path) -> None:
    here = integers()
    assert len(here) >= 300
    assert drawn(local, "none", same_draws.__name__) == drawn(local, "many", same_draws.__name__) == here


def test_without_it_they_would(local: Path) -> None:
    assert set(drawn(local, "many", "nullcontext")) & set(range(1_000_003, 1_000_400))
