import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from numerics.capacity import margin
from tests.numerics.capacity.networks import dense, drawn
from theory.checks import Array


class Scores(nn.Module):
    """Two logits whose difference is the input, and a third far below: with label 0 the margin of x is x."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, torch.zeros_like(x), torch.full_like(x, -1e3)], dim=1)


def of(margins: Any, epsilon: float = 0.05) -> Any:
    values = np.asarray(margins, dtype=float)
    return margin(Scores(), values[:, None], np.zeros(len(values), dtype=int), epsilon)


def test_margins_by_the_definition() -> None:
    model = drawn(lambda: dense(3, 6, 4), 0)
    generator = np.random.default_rng(0)
    x, y = generator.standard_normal((30, 3)), generator.integers(0, 4, 30)
    with torch.no_grad():
        scores: Array = model(torch.from_numpy(x)).numpy()
    expected = [
        row[label] - max(s for j, s in enumerate(row) if j != label) for row, label in zip(scores, y, strict=True)
    ]
    found = margin(model, x, y, epsilon=0.1)
    assert found.margins == pytest.approx(expected, rel=1e-12)
    assert found.smallest == min(found.margins)
    assert found.order_statistic == sorted(found.margins)[2]
    assert found.percentile == pytest.approx(np.percentile(expected, 10))
    assert found.violations == sum(one <= 0 for one in expected)


@pytest.mark.parametrize("epsilon", [0.01, 0.07, 0.1, 0.3, pytest.param(1 / 3, id="a third"), 0.5, 1.0])
@pytest.mark.parametrize("m", [1, 7, 100])
def test_the_order_statistic_is_the_infimum_of_the_definition(epsilon: float, m: int) -> None:
    margins = np.random.default_rng(m).permutation(m).astype(float) + 1
    wanted = math.ceil(Fraction(str(epsilon)) * m)
    value = of(margins, epsilon).order_statistic
    assert (margins < value).sum() < wanted  # gamma itself is not one of those asked for
    assert (margins < np.nextafter(value, np.inf)).sum() >= wanted  # all above it are


def test_epsilon_is_the_decimal_that_it_prints_as() -> None:
    assert 0.07 * 100 > 7
    assert of(range(1, 101), 0.07).order_statistic == 7


def test_the_hard_margin_is_where_epsilon_is_0() -> None:
    found = of([3.0, 1.0, 2.0], 0)
    assert found.order_statistic == found.percentile == found.smallest == 1.0


@pytest.mark.parametrize("share", [1e-3, 1e-9])
def test_it_tends_to_the_smallest(share: float) -> None:
    assert of([3.0, 1.0, 2.0], share).value == 1.0


def test_the_definitions_differ_either_way() -> None:
    higher = of([1.0, 2.0, 3.0], 0.5)  # rank 2 both: between no two
    assert (higher.order_statistic, higher.percentile) == (2.0, 2.0)
    between = of([1.0, 2.0, 3.0, 4.0], 0.5)
    assert (between.order_statistic, between.percentile) == (2.0, 2.5)
    lower = of([-1.0, 1.0, 2.0], 0.4)
    assert lower.order_statistic == 1.0
    assert lower.percentile == pytest.approx(0.6)


def test_a_margin_above_0_says_how_many_are_right() -> None:
    assert of([1.0, 2.0, 3.0, 4.0], 0.5).meaning == (
        "at least 3 of 4 points are classified right with a margin of 2 or more"
    )


def test_a_margin_of_0_or_less_says_what_it_means() -> None:
    found = of([-1.0, 0.0, 3.0, 4.0], 0.5)
    assert found.value == 0.0
    assert found.violations == 2
    assert found.meaning.startswith("2 of 4 points, at least 2, have a margin <= 0: they are misclassified or tied")


def test_the_other_rows_are_put_through_in_parts() -> None:
    margins = np.random.default_rng(0).standard_normal(3000)
    assert of(margins).smallest == margins.min()


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        ([0, 3], ValueError, "y must hold labels from 0 to 2, .* got 3 at index 1"),
        ([0, -1], ValueError, "y must hold labels from 0 to 2, .* got -1 at index 1"),
        ([0], ValueError, r"y must have shape \[2\], one label for each row of x, got shape \(1,\)"),
        ([0.0, 1.0], TypeError, "y must hold integers"),
        ([True, False], TypeError, "y must hold integers"),
    ],
    ids=["high", "negative", "few", "floats", "booleans"],
)
def test_labels_that_are_none_are_refused(y: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        margin(Scores(), np.ones((2, 1)), y)


@pytest.mark.parametrize(
    ("epsilon", "error"), [(-0.1, ValueError), (1.5, ValueError), (math.nan, ValueError), ("a", TypeError), (True, TypeError)],
    ids=["negative", "above", "nan", "text", "boolean"],
)  # fmt: skip
def test_a_share_that_is_none_is_refused(epsilon: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="epsilon must be"):
        of([1.0], epsilon)


def test_integers_for_inputs_are_refused() -> None:
    with pytest.raises(TypeError, match="x must hold floats"):
        margin(Scores(), np.ones((2, 1), dtype=int), [0, 1])


def test_one_logit_is_refused() -> None:
    with pytest.raises(ValueError, match="a logit for each label, got k = 1"):
        margin(nn.Linear(1, 1), np.ones((2, 1)), [0, 0])


def test_probabilities_are_refused() -> None:
    with pytest.raises(ValueError, match="model must return logits"):
        margin(nn.Sequential(nn.Linear(1, 2), nn.Softmax(dim=1)), np.ones((2, 1)), [0, 0])
