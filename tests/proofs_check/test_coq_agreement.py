"""The definitions in Coq say what those in Python say: on drawn rational instances, by theorems that Coq proves of each.

Coq's real numbers cannot be computed with, so what Python computes is stated as an example, and Coq proves it. With each
goes one that says that the definition differs from the value moved a little: a wrong value would not pass.
"""

from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from proofs_check.coq_sources import needed, read_sources
from proofs_check.coqc import compile_all, coq_version, load_options, run_coqc
from proofs_check.manifest import FOLDER
from theory.checks import Array, rationals
from theory.claim import Instance
from theory.graphs import chord_energy, energy, excess_energy, gaps
from theory.linear_stability import mean_square_condition, noise_share, second_moment_step
from theory.piecewise_linear import PiecewiseLinear
from theory.registry import CLAIMS
from theory.stability_weight import weight_enclosure
from theory.two_layer import Weights
from theory.volhejn2020 import label_path_length, pair_counts
from theory.walker2023.coherent_gradients import alpha

MODULES = (
    "batches",
    "beyond.critical_step_exchange",
    "dherin2022.arc_length",
    "mulayoff2021.smooth",
    "volhejn2020.labels",
    "volhejn2020.rank_correlation",
    "volhejn2020.spline",
    "volhejn2020.variation",
    "walker2023.coherent_gradients",
    "walker2023.linear_stability_counterexample",
    "walker2023.linear_stability",
)
"""The files whose definitions are compared."""

DRAWN = 3
"""Instances of each definition."""

MOVED = Fraction(1, 7)
"""By how much a wrong value is wrong."""

UNFOLDED = """
  two_layer.output two_layer.relu two_layer.pre_activation two_layer.w1 two_layer.b1 two_layer.w2 two_layer.b2
  two_layer.neurons two_layer.jump two_layer.unit_jump variation.weight_product variation.path
  variation.distance spline.spline spline.slope spline.slopes
  critical_step_exchange.spline_curvature critical_step_exchange.slope_between labels.label_path_length
  labels.label segments.mean_over_pairs coherent_gradients.coherence coherent_gradients.pairwise
  coherent_gradients.size coherent_gradients.E vectors.dot linear_stability.growth
  linear_stability.variance batches.noise_share rank_correlation.balance
  rank_correlation.first_ties rank_correlation.second_ties rank_correlation.tied
  rank_correlation.sign rank_correlation.first_sign rank_correlation.second_sign
  arc_length.energy arc_length.chord_energy arc_length.excess_energy arc_length.span arc_length.over_pieces
  arc_length.width arc_length.change arc_length.slope
  pairs.over_pairs pairs.pairs Sums.sum Sums.mean
"""
"""The definitions, and those that they rest on."""

PREAMBLE = """
From Coq Require Import Reals Lra List QArith.
From ImplicitSmoothness Require {modules}.
Import ListNotations.
Open Scope R_scope.

(* Put in the numbers, decide each comparison, and prove what is left. *)
Ltac put_in := cbv beta iota zeta delta [{unfolded}
  length map filter app fst snd seq nth INR pow Rmax Rmin Rabs Rdiv Rminus].
Ltac put_in_data := cbv beta iota zeta delta [smooth.g_minus smooth.g_plus
  smooth.share smooth.below smooth.above Sums.sum Sums.mean
  length filter INR pow Rdiv Rminus].
Ltac impossible H := try (exfalso; first [lra | field_simplify in H; lra]).
Ltac decide_by put := put; repeat (match goal with
  | |- context [Rlt_dec ?a ?b] => let H := fresh in destruct (Rlt_dec a b) as [H|H]; impossible H
  | |- context [Rle_dec ?a ?b] => let H := fresh in destruct (Rle_dec a b) as [H|H]; impossible H
  | |- context [Req_EM_T ?a ?b] => let H := fresh in destruct (Req_EM_T a b) as [H|H]; impossible H
  | |- context [Rcase_abs ?a] => let H := fresh in destruct (Rcase_abs a) as [H|H]; impossible H
  end; put).
Ltac same := decide_by put_in; first [lra | field; lra | field].
Ltac different := decide_by put_in; let H := fresh in intros H; first [lra | field_simplify in H; lra].

(* g between rationals: c sqrt s is compared through its square. *)
Lemma root_at_least lo c s : 0 <= c -> 0 <= s -> 0 <= lo -> lo * lo <= c * c * s -> lo <= c * sqrt s.
Proof.
  intros Hc Hs Hlo H. apply Rsqr_incr_0_var; [|apply Rmult_le_pos; [easy|apply sqrt_pos]].
  unfold Rsqr. replace (c * sqrt s * (c * sqrt s)) with (c * c * (sqrt s * sqrt s)) by ring. now rewrite sqrt_sqrt.
Qed.
Lemma root_at_most hi c s : 0 <= c -> 0 <= s -> 0 <= hi -> c * c * s <= hi * hi -> c * sqrt s <= hi.
Proof.
  intros Hc Hs Hhi H. apply Rsqr_incr_0_var; [|easy].
  unfold Rsqr. replace (c * sqrt s * (c * sqrt s)) with (c * c * (sqrt s * sqrt s)) by ring. now rewrite sqrt_sqrt.
Qed.
Ltac number := first [lra | field_simplify; lra].
Ltac at_least := decide_by put_in_data; apply root_at_least; number.
Ltac at_most := decide_by put_in_data; apply root_at_most; number.
Ltac weight := unfold smooth.g; split;
  [apply Rmin_glb; at_least | first [eapply Rle_trans; [apply Rmin_l|at_most] | eapply Rle_trans; [apply Rmin_r|at_most]]].
"""


def real(value: float | Fraction) -> str:
    """Return a rational as Coq reads it, a real number."""
    fraction = Fraction(value)
    return f"({fraction.numerator} / {fraction.denominator})"


def several(values: Array | list[Fraction]) -> str:
    """Return a list of reals."""
    return f"[{'; '.join(map(real, values))}]"


def points(x: Iterable[Any], y: Iterable[Any]) -> str:
    """Return a list of pairs of reals."""
    return f"[{'; '.join(f'({real(a)}, {real(b)})' for a, b in zip(x, y, strict=True))}]"


def network(w: Weights) -> str:
    """Return a network."""
    units = (f"two_layer.Neuron {real(a)} {real(b)} {real(c)}" for a, b, c in zip(w.w1, w.b1, w.w2, strict=True))
    return f"(two_layer.Network [{'; '.join(units)}] {real(w.b2)})"


def equal(term: str, value: float | Fraction) -> str:
    """Return two proofs: that a term has a value, and that it has not another."""
    wrong = real(Fraction(value) + MOVED)
    return f"Goal {term} = {real(value)}. Proof. same. Qed.\nGoal {term} <> {wrong}. Proof. different. Qed.\n"


def within(name: str, term: str, lower: Fraction, upper: Fraction, proof: str) -> str:
    """Return two proofs: that a term lies between two numbers, and that it does not if these are moved."""
    assert lower <= upper < lower + MOVED
    wrong = f"{real(lower + MOVED)} <= {term} <= {real(upper + MOVED)}"
    return (
        f"Lemma {name} : {real(lower)} <= {term} <= {real(upper)}. Proof. {proof} Qed.\n"
        f"Goal ~ ({wrong}). Proof. pose proof {name}. lra. Qed.\n"
    )


SMALL = st.fractions(-5, 5, max_denominator=6)
NONZERO = SMALL.filter(bool)
ANY = st.lists(SMALL, min_size=2, max_size=4).map(rationals)
DISTINCT = st.lists(SMALL, min_size=3, max_size=4, unique=True).map(lambda x: np.sort(rationals(x)))


@st.composite
def weights(draw: st.DrawFn, most: int = 3) -> Weights:
    k = draw(st.integers(1, most))
    w1, b1, w2 = (draw(st.lists(entry, min_size=k, max_size=k)) for entry in (NONZERO, SMALL, NONZERO))
    return Weights(w1, b1, w2, draw(SMALL))


def output(draw: st.DataObject, _: int) -> str:
    w, t = draw.draw(weights()), draw.draw(SMALL)
    return equal(f"two_layer.output {network(w)} {real(t)}", w(rationals([t]))[0])


def weight_product(draw: st.DataObject, _: int) -> str:
    w = draw.draw(weights())
    right = CLAIMS["V9.b"].sides(Instance({"weights": w, "interval": (Fraction(-9), Fraction(9))}, "drawn"))[1]
    return equal(f"variation.weight_product {network(w)}", Fraction(right.lower))


def spline(draw: st.DataObject, _: int) -> str:
    x = draw.draw(DISTINCT)
    y = rationals([draw.draw(SMALL) for _ in x])
    t = x[0] + (x[-1] - x[0]) * draw.draw(st.fractions(0, 1, max_denominator=9))
    f, data = PiecewiseLinear.interpolate(x, y), points(x, y)
    return (
        equal(f"spline.spline {data} {real(t)}", f(t))
        + equal(
            f"variation.path variation.distance (spline.slopes {data})",
            f.derivative_variation(),
        )
        + equal(
            f"critical_step_exchange.spline_curvature (fun t => t * t) {data}", f.weighted_curvature(lambda t: t * t)
        )
    )


def energies(draw: st.DataObject, _: int) -> str:
    x, knots = draw.draw(DISTINCT), draw.draw(st.lists(SMALL, max_size=2))
    found = gaps(PiecewiseLinear(knots, [draw.draw(NONZERO) for _ in knots], draw.draw(SMALL), Fraction(1)), x)
    cut = f"[{'; '.join(points(gap.widths, gap.changes) for gap in found)}]"
    values = {"energy": energy(found), "chord_energy": chord_energy(found), "excess_energy": excess_energy(found)}
    values["span"] = x[-1] - x[0]
    return "".join(equal(f"arc_length.{name} {cut}", value) for name, value in values.items())


def labels(draw: st.DataObject, _: int) -> str:
    y = draw.draw(ANY)
    samples = f"(map (fun y => (fun _ : nat => 0, y)) {several(y)})"
    return equal(f"labels.label_path_length {samples}", label_path_length(y))


def coherence(draw: st.DataObject, _: int) -> str:
    m, d = draw.draw(st.integers(1, 3)), draw.draw(st.integers(1, 2))
    rows = [[draw.draw(NONZERO) for _ in range(d)] for _ in range(m)]
    shares = [draw.draw(st.integers(1, 5)) for _ in range(m)]
    p = [Fraction(share, sum(shares)) for share in shares]
    outcomes = (f"({real(q)}, fun i => nth i {several(row)} 0)" for q, row in zip(p, rows, strict=True))
    term = f"coherent_gradients.coherence {d} [{'; '.join(outcomes)}]"
    return equal(term, alpha(np.array(rows, dtype=object), rationals(p)))


def line_growth(draw: st.DataObject, _: int) -> str:
    h, eta = draw.draw(ANY), draw.draw(st.fractions(Fraction(1, 9), 3, max_denominator=9))
    batch = draw.draw(st.integers(1, len(h)))
    condition = mean_square_condition(h.reshape(-1, 1, 1), eta, batch)[0, 0]
    return equal(f"linear_stability.growth {real(eta)} {batch} {several(h)}", condition) + equal(
        f"batches.noise_share {len(h)} {batch}", noise_share(len(h), batch)
    )


def counts(draw: st.DataObject, _: int) -> str:
    pair = st.tuples(st.integers(0, 2), st.integers(0, 2))
    runs = rationals([Fraction(v) for run in draw.draw(st.lists(pair, min_size=3, max_size=4)) for v in run])
    x, y = runs[::2], runs[1::2]
    found, data, module = pair_counts(x, y), points(x, y), "rank_correlation"
    named = (("balance", found.balance), ("first_ties", found.first_ties), ("second_ties", found.second_ties))
    return "".join(equal(f"{module}.{name} {data}", value) for name, value in named)


def weight(draw: st.DataObject, number: int) -> str:
    x, t = draw.draw(DISTINCT), draw.draw(SMALL)
    (lower,), (upper,) = weight_enclosure(rationals([t]), x)
    return within(f"weight_{number}", f"smooth.g {several(x)} {real(t)}", lower, upper, "weight.")


def sharpness_bound(draw: st.DataObject, number: int) -> str:
    """Return M5's right side, in Coq the sum over the network's kinks, with g of each kink between its bounds first."""
    x, w = draw.draw(DISTINCT), draw.draw(weights(2))
    knots = PiecewiseLinear.from_weights(w).knots
    right = CLAIMS["M5"].sides(Instance({"weights": w, "x": x}, "drawn"))[1]
    g = f"smooth.g {several(x)}"
    bounds = list(zip(knots, *weight_enclosure(knots, x), strict=True))
    names = [f"kink_{number}_{k}" for k in range(len(knots))]
    first = "".join(
        within(name, f"{g} {real(t)}", lower, upper, "weight.")
        for name, (t, lower, upper) in zip(names, bounds, strict=True)
    )
    term = f"1 + 2 * Sums.sum (fun c => Rabs (two_layer.jump {network(w)} c) * {g} c) {several(knots)}"
    proof = f"{' '.join(f'pose proof {name}.' for name in names)} decide_by put_in; lra."
    return first + within(f"bound_{number}", term, Fraction(right.lower), Fraction(right.upper), proof)


def second_moment(draw: st.DataObject, _: int) -> str:
    """Return E[A P A] over all batches, which Coq computes over the rationals."""
    n, d = draw.draw(st.integers(2, 3)), 2
    entries = [[draw.draw(SMALL) for _ in range(3)] for _ in range(n + 1)]
    hessians = np.array([[[a, b], [b, c]] for a, b, c in entries], dtype=object)
    eta, batch = draw.draw(st.fractions(Fraction(1, 9), 2, max_denominator=9)), draw.draw(st.integers(1, n))
    stepped = second_moment_step(hessians[-1], hessians[:-1], eta, batch)

    def rational(value: Any) -> str:
        return f"({value.numerator} # {value.denominator})%Q"

    def matrix(h: Array) -> str:
        rows = "; ".join(f"[{'; '.join(map(rational, row))}]" for row in h)
        return f"(fun p q => nth q (nth p [{rows}] []) 0%Q)"

    given = f"{d} {rational(eta)} {batch} [{'; '.join(map(matrix, hessians[:-1]))}] {matrix(hessians[-1])}"
    proofs = []
    for p, q in np.ndindex(d, d):
        entry = f"linear_stability_counterexample.expected_q {given} {p} {q}"
        for value, same in ((stepped[p, q], "true"), (stepped[p, q] + MOVED, "false")):
            proofs.append(f"Goal Qeq_bool ({entry}) {rational(value)} = {same}. Proof. now vm_compute. Qed.\n")
    return "".join(proofs)


DEFINITIONS: tuple[Callable[[st.DataObject, int], str], ...] = (
    output,
    weight_product,
    spline,
    energies,
    labels,
    coherence,
    line_growth,
    counts,
    weight,
    sharpness_bound,
    second_moment,
)


def drawn() -> str:
    """Return proofs on instances of every definition, the same in every run."""
    texts: list[str] = []

    @settings(max_examples=DRAWN, derandomize=True, database=None, deadline=None, phases=(Phase.generate,))
    @given(st.data())
    def draw(data: st.DataObject) -> None:
        texts.extend(f"(* {one.__name__} *)\n{one(data, len(texts))}" for one in DEFINITIONS)

    draw()
    return "\n".join(texts)


@pytest.fixture(scope="module")
def loads() -> list[str]:
    """The options by which coqc finds what it compares."""
    version, sources = coq_version(), read_sources(FOLDER)
    if not version:
        pytest.skip("Coq is not installed")
    done = compile_all(MODULES, sources, version, jobs=2)
    assert {name: one.error for name, one in done.items() if one.error} == {}
    return load_options([done[name] for name in needed(list(MODULES), sources)])


def complaint(text: str, loads: list[str], folder: Path) -> str:
    """Return what coqc complains of in proofs; nothing if it accepts them."""
    required = " ".join((*MODULES, "two_layer", "segments", "vectors", "pairs", "Sums"))
    preamble = PREAMBLE.replace("{modules}", required).replace("{unfolded}", UNFOLDED)
    (folder / "agreement.v").write_text(preamble + text, encoding="utf-8")
    return run_coqc(folder, "agreement.v", loads)


@pytest.mark.slow
def test_definitions_in_coq_agree_with_those_in_python(loads: list[str], tmp_path: Path) -> None:
    text = drawn()
    assert all(f"(* {one.__name__} *)" in text for one in DEFINITIONS)
    assert text.count("Qed.") >= 2 * DRAWN * len(DEFINITIONS)
    assert complaint(text, loads, tmp_path) == ""


@pytest.mark.parametrize(
    "wrong",
    [
        "Goal Sums.mean (fun a => a) [1; 2] = 2. Proof. same. Qed.",
        "Goal Sums.mean (fun a => a) [1; 2] <> 3 / 2. Proof. different. Qed.",
        "Goal 1 / 2 <= smooth.g [-1; 1] 0 <= 1. Proof. weight. Qed.",
    ],
)
def test_what_is_wrong_is_not_proved(wrong: str, loads: list[str], tmp_path: Path) -> None:
    assert complaint(wrong, loads, tmp_path)
