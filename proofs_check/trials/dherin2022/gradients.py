"""How the claims of `theory.dherin2022.gradients` are put to the test."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.common import ratios, small, whole
from proofs_check.trials.dherin2022.common import arrays, gradients, networks, noisy_labels, turning
from proofs_check.trials.operators import Kind, Mutant, both_ways, bounds, left, right
from theory.batch_gradients import batch_alignment, label_alignment, label_parts, own_squares
from theory.checks import Array
from theory.claim import Claim, Instance
from theory.dense_network import mean_gradient, quotient, squared_transfer, sum_of
from theory.dherin2022 import gradients as chapter
from theory.dherin2022.gradients import (
    D9,
    D9A,
    D9B,
    D19,
    D19A,
    D19B,
    D20,
    D20A,
    D20B,
    D21,
    D21A,
    D21B,
    D21C,
    modified_loss,
    softmax,
    step_of,
)
from theory.dherin2022.transfer import on_the_data
from theory.enclosure import Enclosure

steps = st.sampled_from([Fraction(1, 4), Fraction(1, 2), Fraction(1), Fraction(2), Fraction(3)])


@st.composite
def batches(draw: st.DrawFn) -> Instance:
    """Draw outputs of a batch, their targets (of sum 1 or not) and gradients; residuals that are small, equal or 0 at times."""
    n, k, p = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
    kind = draw(st.sampled_from(["labels", "labels", "smoothed", "any"]))
    targets = arrays(draw, n, k)
    if kind != "any":
        for row in targets:
            row[:] = 0
            row[draw(st.integers(0, k - 1))] = 1
    if kind == "smoothed":
        targets = targets * Fraction(1, 2) + Fraction(1, 2 * k)
    residuals = arrays(draw, n, k)
    if draw(st.booleans()):
        residuals = residuals * 0 + draw(whole)
    return Instance(
        {
            "odds": arrays(draw, n, k, entry=st.integers(1, 4)),
            "class_targets": targets,
            "outputs": arrays(draw, n, k),
            "values": arrays(draw, n, k),
            "residuals": residuals,
            "output_gradients": arrays(draw, n, k, p),
            "step_size": draw(steps),
        },
        "drawn",
    )


@st.composite
def quadratics(draw: st.DrawFn) -> Instance:
    """Draw curvatures of either sign, weights, and step sizes at, within and beyond 2 over the largest curvature."""
    d = draw(st.integers(1, 3))
    curvatures = arrays(draw, d, entry=ratios(-4, 4, 2))
    most = max(map(abs, curvatures))
    share = draw(st.sampled_from([Fraction(v, 100) for v in (1, 10, 50, 99, 100, 100, 101, 150, 300)]))
    step_size = 2 * share / most if most else share
    return Instance({"curvatures": curvatures, "start": arrays(draw, d, entry=small), "step_size": step_size}, "drawn")


Parts = Callable[[Array, Fraction], Fraction]


def _changed(own: Fraction, labels: Fraction, batch: Fraction) -> Parts:
    """Return the regulariser with its three terms times factors."""

    def value(parts: Array, step_size: Fraction) -> Fraction:
        share = step_size / 4
        first = share / len(parts) * own_squares(parts)
        return (
            own * first + labels * share * label_alignment(parts) + batch * share * batch_alignment(parts.sum(axis=1))
        )

    return value


def _regulariser(claim: Claim, parts: Callable[[Instance], Array]) -> tuple[Mutant, ...]:
    """Return mutants of eq 6."""

    def with_factors(name: str, kind: Kind, *factors: Fraction | int) -> Mutant:
        value = _changed(*map(Fraction, factors))
        return right(claim, name, kind, lambda given: value(parts(given), step_of(given)))

    return (
        *both_ways(claim),
        with_factors("without A_B", Kind.DROPPED, 1, 0, 1),
        with_factors("without C_B", Kind.DROPPED, 1, 1, 0),
        with_factors("each pair of labels once", Kind.CONSTANT, 1, Fraction(1, 2), 1),
        with_factors("each pair of examples once", Kind.CONSTANT, 1, 1, Fraction(1, 2)),
        with_factors("- C_B", Kind.REVERSED, 1, 1, -1),
        right(
            claim,
            "1/B for 1/B^2",
            Kind.DROPPED,
            lambda given: (
                len(parts(given)) * _changed(Fraction(1), Fraction(1), Fraction(1))(parts(given), step_of(given))
            ),
        ),
    )


def _of_softmax(given: Instance) -> Array:
    return label_parts(softmax(given["odds"]) - given["class_targets"], given["output_gradients"])


def _after(factor: Fraction) -> Callable[[Instance], Fraction]:
    """Return the modified loss after a step, with another factor of its second term."""

    def side(given: Instance) -> Fraction:
        curvatures, h = given["curvatures"], step_of(given)
        after = given["start"] - h * curvatures * given["start"]
        plain = modified_loss(curvatures, after, Fraction(0))
        return plain + factor * (modified_loss(curvatures, after, h) - plain)

    return side


def _largest_residual(given: Instance) -> Fraction:
    """Return the left side of D21.a with the largest residual."""
    slopes = given["output_gradients"]
    most = Fraction(max((given["residuals"] ** 2).ravel()))
    return most * Fraction((slopes * slopes).sum()) / len(slopes) ** 2


def _one_over_b(given: Instance) -> Fraction:
    """Return the left side of D21.a with 1/B for 1/B^2."""
    slopes = given["output_gradients"]
    return chapter.smallest_residual(given) * Fraction((slopes * slopes).sum()) / len(slopes)


def _flow_of(rates: Callable[[Fraction], Fraction]) -> Callable[[Instance], Enclosure]:
    """Return the left side of D20.b with another modified flow."""
    return lambda given: chapter.distance(given, [rates(z) for z in chapter.ratios(given)])


def _over(
    given: Instance, transfers: Callable[[list[Enclosure]], Enclosure], *, biases: bool | None = None
) -> Enclosure:
    """Return the right side of D19.b with other transfer functions, or another choice for the least of their sums."""
    points = on_the_data(given)
    sums = [sum_of(squared_transfer(given["dense_layers"], at, biases=biases)) for at in points]
    return quotient(mean_gradient(given["dense_layers"], points), transfers(sums))


def _mean_transfer(given: Instance) -> Enclosure:
    return _over(given, lambda sums: sum_of(sums).times(Fraction(1, len(sums))))


def _all_biases(given: Instance) -> Enclosure:
    return _over(given, lambda sums: Enclosure(min(s.lower for s in sums), min(s.upper for s in sums)), biases=True)


TRIALS = (
    Trial(D9, instances=batches(), mutants=_regulariser(D9, _of_softmax)),
    Trial(D9A, instances=batches(), mutants=_regulariser(D9A, chapter.parts_of)),
    Trial(D9B, instances=batches()),
    Trial(D19, instances=noisy_labels()),
    Trial(D19A, instances=networks()),
    Trial(
        D19B,
        instances=st.one_of(networks(widest=2, deepest=2, points=2), turning()),
        mutants=(
            *bounds(D19B),
            right(D19B, "the mean of the sums of T_i^2", Kind.MIN_MAX, _mean_transfer),
            right(D19B, "1 for c_i", Kind.DROPPED, _all_biases),
        ),
    ),
    Trial(D20, instances=quadratics()),
    Trial(
        D20A,
        instances=quadratics(),
        mutants=(
            *bounds(D20A),
            left(D20A, "h/2 for h/4", Kind.CONSTANT, _after(Fraction(2))),
        ),
    ),
    Trial(
        D20B,
        instances=quadratics(),
        mutants=(
            *bounds(D20B),
            left(D20B, "h/2 for h/4", Kind.CONSTANT, _flow_of(lambda z: z + z**2)),
            left(D20B, "- h/4", Kind.REVERSED, _flow_of(lambda z: z - z**2 / 2)),
        ),
    ),
    Trial(D21, instances=batches()),
    Trial(
        D21A,
        instances=batches(),
        mutants=(
            *bounds(D21A),
            left(D21A, "the largest residual", Kind.MIN_MAX, _largest_residual),
            left(D21A, "1/B for 1/B^2", Kind.DROPPED, _one_over_b),
        ),
    ),
    Trial(D21B, instances=gradients()),
    Trial(D21C, instances=gradients(), mutants=(*bounds(D21C),)),
)
