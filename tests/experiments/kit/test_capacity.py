"""Columns on capacity: by hand on a network of four weights, and none where the margin is no margin."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from experiments.kit.capacity import COLUMNS, DIVERGED, LOGS, MEASURED, capacity_columns


def identity_network() -> nn.Module:
    layer = nn.Linear(2, 2, bias=False, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.eye(2))
    return nn.Sequential(layer).eval()


X = torch.tensor([[3.0, 0.0], [0.0, 2.0], [5.0, 1.0]], dtype=torch.float64)


def test_the_columns_of_the_identity_are_those_by_hand() -> None:
    row = capacity_columns(identity_network(), X, torch.tensor([0, 1, 0]), epsilon=0.5)
    # Margins 3, 2, 4: the second smallest is 3, and so is the median.
    assert (row["margin"], row["margin_percentile"], row["smallest_margin"], row["violations"]) == (3.0, 3.0, 2.0, 0)
    assert row["capacity"] == MEASURED
    # Norms of the identity: ||W||_F^2 = 2, the paths 1 + 1, their squares the same, ||W||_2 = 1; factors 4, 2^2, 4 x 2, 2.
    by_hand = {"l2": (2, 4), "l1_path": (4, 4), "l2_path": (2, 8), "spectral": (1, 2)}
    for name, (norm, factor) in by_hand.items():
        assert row[f"log_{name}"] == pytest.approx(math.log(norm / 9), abs=1e-6), name
        assert row[f"log_{name}_factors"] == pytest.approx(math.log(factor * norm / 9), abs=1e-6), name


def test_a_margin_below_zero_is_said_and_gives_no_number() -> None:
    row = capacity_columns(identity_network(), X, torch.tensor([1, 1, 0]))
    assert row["margin"] == -3.0
    assert [row[name] for name in LOGS] == [None] * len(LOGS)
    assert row["capacity"].startswith("no margin: 1 of 3 points, at least 1, have a margin <= 0")
    assert set(row) == set(DIVERGED) == {*COLUMNS, "capacity"}
