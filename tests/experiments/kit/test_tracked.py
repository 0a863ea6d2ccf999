import pytest

from experiments.kit.tracked import stability_figure
from numerics.stability import TrackedStep

ROWS = [TrackedStep(step, 1 / (1 + step), 0.1, 2.0 + step, 1e-9, 4.0, 1.5 + step, 3.0, 0.1) for step in range(3)]


def test_a_figure_shows_what_was_kept() -> None:
    left, right = stability_figure(ROWS).axes
    assert [line.get_label() for line in left.lines] == ["sharpness", "Gauss-Newton", "batch sharpness", "limit"]
    assert list(left.lines[0].get_ydata()) == [2.0, 3.0, 4.0]
    assert list(right.lines[0].get_ydata()) == [row.loss for row in ROWS]


def test_no_rows_are_no_figure() -> None:
    with pytest.raises(ValueError, match="rows must hold at least one step, got none"):
        stability_figure([])
