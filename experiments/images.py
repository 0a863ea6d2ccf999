"""What the studies on pairs of digits share: their data, their networks, and what is measured of each."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import torch

from experiments.records import Row
from experiments.study import seed_of
from numerics import smoothness
from numerics.data import DIGIT_PAIRS, DigitPair, Images, digit_pair, mnist
from numerics.fleet import FleetRun
from numerics.networks import TwoLayerReLU, glorot_network
from numerics.training import Outcome

MEASURES = ("GN", "PL0", "PL1", "WP")
"""The measures of the thesis, as it took them: on test points, the path lengths on a sample of segments."""

EXACT = ("PL0 exact", "PL1 exact", "PL1 all pairs", "PL1 all training pairs")
"""Measures that need no points on segments; the last two no sample of pairs either (B6)."""

MISSING = (*MEASURES, *(f"{name} s.e." for name in ("GN", "PL0", "PL1")), *EXACT, "test_loss", "test_error")
"""The columns that a network has only if it did not diverge."""

SAMPLES = 1000
"""Test points for GN, and ordered pairs of test points for PL0 and PL1."""

ALL_PAIRS = tuple(f"{a}{b}" for a, b in DIGIT_PAIRS)
"""The names of the 45 pairs of digits."""


@lru_cache(maxsize=1)
def images(data_dir: Path | None) -> Images:
    """Return MNIST, read once a process.

    Raises:
        DataError: if it is not there and cannot be had.
    """
    return mnist(data_dir)


@lru_cache(maxsize=4)
def pair_of(name: str, data_dir: Path | None, balanced: bool) -> DigitPair:
    """Return the data set of a pair of digits such as "38"."""
    return digit_pair(images(data_dir), int(name[0]), int(name[1]), balanced=balanced)


def check_pairs(names: tuple[str, ...]) -> None:
    """Check names of pairs.

    Raises:
        ValueError: if there is none, one is no pair of two digits in order, or one is named twice.
    """
    for name in names:
        if name not in ALL_PAIRS:
            raise ValueError(f"--pairs must name two digits in increasing order, such as 38, got {name!r}")
    if not names or len(set(names)) < len(names):
        raise ValueError(f"--pairs must name at least one pair, each once, got {' '.join(names) or 'none'}")


def initial(width: int, alpha: float, seed: int) -> TwoLayerReLU:
    """Return a network for images of 28 x 28 pixels, in float32, with the initialiser that the thesis ran (V10)."""
    return glorot_network(width, 784, seed=seed, scale=alpha)


def measured(run: FleetRun, data: DigitPair, train_size: int) -> Row:
    """Return the columns on a trained network; those in `MISSING` hold None if it diverged."""
    row: Row = {"steps": run.steps, "loss": run.loss, "outcome": str(run.outcome), "train_seconds": run.seconds}
    if run.outcome == Outcome.DIVERGED:
        return {**row, **dict.fromkeys(MISSING)}
    network = run.network
    points, targets = torch.from_numpy(data.x_test), torch.from_numpy(data.y_test)
    # The same pairs for all networks of a data set: what differs between them is not the sample.
    pairs = smoothness.sample_pairs(points, SAMPLES, seed=seed_of("pairs", data.name))
    norm = smoothness.gradient_norm(network, points[:SAMPLES])
    first = smoothness.function_path_length(network, pairs)
    second = smoothness.gradient_path_length(network, pairs)
    with torch.no_grad():
        outputs = network(points)[:, 0]
    return {
        **row,
        "GN": norm.value,
        "GN s.e.": norm.standard_error,
        "PL0": first.value,
        "PL0 s.e.": first.standard_error,
        "PL1": second.value,
        "PL1 s.e.": second.standard_error,
        "WP": smoothness.weights_product(network),
        "PL0 exact": smoothness.exact_function_path_length(network, pairs).value,
        "PL1 exact": smoothness.exact_gradient_path_length(network, pairs).value,
        "PL1 all pairs": smoothness.gradient_path_length_all_pairs(network, points),
        "PL1 all training pairs": smoothness.gradient_path_length_all_pairs(
            network, torch.from_numpy(data.x_train[:train_size])
        ),
        "test_loss": float(torch.mean((outputs - targets) ** 2)),
        "test_error": float(torch.mean((outputs * targets <= 0).double())),
    }
