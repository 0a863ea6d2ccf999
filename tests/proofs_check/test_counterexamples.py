from fractions import Fraction
from pathlib import Path

import pytest

from proofs_check.counterexamples import keep, load, stored
from theory.claim import Instance, Ruling
from theory.registry import CLAIMS


def test_what_is_kept_is_loaded(tmp_path: Path) -> None:
    file = keep("T1", Instance({"n": Fraction(1, 3)}, "drawn"), tmp_path)
    assert file.read_text(encoding="utf-8").endswith("}\n")
    assert stored(tmp_path) == ["T1"]
    again = load("T1", tmp_path)
    assert again["n"] == Fraction(1, 3)
    assert again.origin == "stored: drawn"


def test_what_has_no_stored_form_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown kind of value 'text'"):
        keep("T1", Instance({"n": object()}, "drawn"), tmp_path)
    assert stored(tmp_path) == []


def test_an_id_without_one_is_refused(tmp_path: Path) -> None:
    keep("T1", Instance({"n": 1}, "drawn"), tmp_path)
    with pytest.raises(ValueError, match=r"^no counterexample to 'T2' is stored, only to T1$"):
        load("T2", tmp_path)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"origin": "drawn", "given": {"n": {"int": 1.5}}}', "\x00"],
    ids=["empty", "cut", "a list", "no integer", "a null byte"],
)
def test_a_corrupted_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "T1.json").write_text(text)
    with pytest.raises(ValueError, match=r"^the stored counterexample .*T1\.json cannot be read: "):
        load("T1", tmp_path)


@pytest.mark.parametrize("id", stored())
def test_stored_counterexamples_are_counterexamples(id: str) -> None:
    assert CLAIMS[id].evaluate(load(id)).ruling is Ruling.VIOLATED
