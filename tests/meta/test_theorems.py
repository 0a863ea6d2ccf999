"""What a theorem in Coq assumes is what its claim assumes, or named in the manifest."""

from dataclasses import replace

import pytest

from proofs_check.hypotheses import hypotheses, unmapped
from proofs_check.manifest import FOLDER, Theorem, read_manifest
from theory.registry import CLAIMS

THEOREMS = [theorem for theorem in read_manifest()[0] if not theorem.refutes]


def text_of(theorem: Theorem) -> str:
    return (FOLDER / theorem.file).read_text(encoding="utf-8")


def unlisted(theorem: Theorem, text: str) -> list[str]:
    """Return a sentence for everything that the manifest does not say of what a theorem, in a text, assumes."""
    said = unmapped(CLAIMS[theorem.claim], theorem, hypotheses(text, theorem.name))
    return [f"{theorem.claim}, {theorem}: {sentence}" for sentence in said]


@pytest.mark.parametrize("theorem", THEOREMS, ids=lambda theorem: f"{theorem.claim}-{theorem.name}")
def test_a_theorem_assumes_what_its_claim_assumes_or_what_the_manifest_names(theorem: Theorem) -> None:
    assert unlisted(theorem, text_of(theorem)) == []


def named(name: str) -> Theorem:
    (theorem,) = (theorem for theorem in THEOREMS if theorem.name == name)
    return theorem


TWO_STEPS = "M8.a, two_steps_sharpness (mulayoff2021/switching.v): "


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("is_mode U ->\n    quadratic", "is_mode U -> p = 1%nat ->\n    quadratic", "it assumes 'p = 1%nat', which"),
        ("(p : nat) U v :\n", "(p : nat) U v (few : p = 1%nat) :\n", "it assumes 'few : p = 1%nat', which"),
        ("(p : nat) U v :\n", "(p : nat) U v : forall few : p = 1%nat,\n", "it assumes 'few : p = 1%nat', which"),
        ("no_idle_unit -> gradients", "(no_idle_unit) -> gradients", "it assumes '(no_idle_unit)', which"),
        ("no_idle_unit -> gradients", "gradients", "it does not assume 'no_idle_unit', which the manifest lists"),
    ],
)
def test_a_hypothesis_more_or_less_is_named(old: str, new: str, sentence: str) -> None:
    theorem = named("two_steps_sharpness")
    before, statement = text_of(theorem).split(f"Theorem {theorem.name}")
    assert old in statement
    text = f"{before}Theorem {theorem.name}{statement.replace(old, new, 1)}"
    assert any(said.startswith(TWO_STEPS + sentence) for said in unlisted(theorem, text))


@pytest.mark.parametrize(
    "declared", ["Hypothesis few : p = 1%nat.", "Context (few : p = 1%nat).", "Variable few : False."]
)
def test_a_hypothesis_of_a_section_is_named_in_it_and_not_after_it(declared: str) -> None:
    few = declared.split(" ", 1)[1].strip("(.)")
    text = f"Section S.\nVariable n : nat.\n{declared}\nTheorem inside : n = n -> n = n.\nEnd S.\nLemma after : True.\n"
    assert hypotheses(text, "inside") == [few, "n = n"]
    assert hypotheses(text, "after") == []


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("t : 0 < 1", []),
        (
            "t (x : R) (l : list (R * R)) {A : Type} (f : A -> R) y : 0.5 < x -> y = f x -> x < 1",
            ["0.5 < x", "y = f x"],
        ),
        ("t x : let y := x + 1 in 0 < y -> A <-> B", ["0 < y"]),
        (
            "t : forall x y : R, (0 < x -> 0 < y) -> forall z, z = x -> exists c, c = 1 -> z < c",
            ["(0 < x -> 0 < y)", "z = x"],
        ),
        ("t : (forall x, 0 < x -> 1 < x)", ["0 < x"]),
        ("t x : (* A -> *) 0 < x -> P x /\\ forall y, Q y -> y < x", ["0 < x"]),
    ],
)
def test_premises_are_read_from_the_left(statement: str, found: list[str]) -> None:
    assert hypotheses(f"Theorem {statement}.\nProof. easy. Qed.", "t") == found


def test_an_assumption_that_the_manifest_does_not_map_is_named() -> None:
    theorem = named("two_steps_sharpness")
    bare = replace(theorem, assumes=theorem.assumes[1:])
    assert TWO_STEPS + "'no unit has w1 = b1 = 0', which M8.a assumes, is not among what it assumes" in unlisted(
        bare, text_of(theorem)
    )


def test_typing_is_that_of_a_symbol_of_the_claim() -> None:
    theorem = named("two_steps_sharpness")
    typed = replace(theorem, typing=tuple((text, "momentum") for text, _ in theorem.typing))
    assert any("'0 < eta' must be what a symbol of M8.a is" in said for said in unlisted(typed, text_of(theorem)))


def test_a_theorem_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="there is no theorem absent"):
        hypotheses("Theorem present : True.", "absent")
