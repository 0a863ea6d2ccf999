"""What the studies on pairs of digits share: their data, their networks, and what is measured of each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import torch

from experiments.engine.records import Row
from experiments.engine.settings import above_zero, at_least_one
from experiments.engine.study import seed_of
from numerics import smoothness
from numerics.data import DIGIT_PAIRS, DigitPair, Images, digit_pair, mnist
from numerics.fleet import Member, train_fleet
from numerics.fleet import Run as TrainedRun
from numerics.networks import TwoLayerReLU, glorot_network
from numerics.penalties import Penalty
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


SMALL, USUAL = 0.01, 1.0
"""The two initialisation scales alpha of the thesis."""


@dataclass(frozen=True)
class SizesSettings:
    """What the studies of training sets of several sizes can all be told.

    Attributes:
        pairs: pairs of digits, each two digits in increasing order, such as 38.
        sizes: numbers of training images, nested: the first ones of the pair.
        repeats: networks for each pair and size, each with its own initialisation and batches.
        alphas: initialisation scales; the variance of the weights is 2 alpha / (fan in + fan out).
        width: hidden units of the network.
        step_size: of SGD on the loss (1/n) sum (f - y)^2.
        batch_size: images in a batch; reshuffled every epoch, the last batch may be shorter.
        stop_loss: mean of the batch losses of an epoch below which a network has converged, as Keras reports it.
        max_epochs: epochs after which a network is given up.
        data_dir: folder with the files of MNIST; if not given, that of IMPLICIT_SMOOTHNESS_DATA, or a download.
        seed: changes all initialisations and batches; any integer.
        device: where the networks are trained: cpu, or a CUDA device such as cuda:0, where all networks of a size are
            stacked.
    """

    pairs: tuple[str, ...] = ("01", "14", "17", "23", "25", "35", "38", "47", "49", "68")
    sizes: tuple[int, ...] = (64, 128, 256, 512)
    repeats: int = 3
    alphas: tuple[float, ...] = (SMALL, USUAL)
    width: int = 256
    step_size: float = 0.01
    batch_size: int = 64
    stop_loss: float = 1e-5
    max_epochs: int = 25_000
    data_dir: Path | None = None
    seed: int = 0
    device: str = "cpu"


def check_sizes(config: SizesSettings, balanced: bool) -> None:
    """Check the settings that these studies share, and that the data are there.

    Raises:
        ValueError: if one is out of its range, or the data cannot be had.
    """
    check_pairs(config.pairs)
    at_least_one(config, "repeats", "width", "batch_size", "max_epochs")
    above_zero(config, "step_size", "stop_loss")
    if not config.alphas or not config.sizes:
        raise ValueError("--alphas and --sizes must hold at least one number each, got none")
    above_zero(config, "alphas")
    there = len(pair_of(config.pairs[0], config.data_dir, balanced).x_train)
    for size in config.sizes:
        if not 2 <= size <= there:
            raise ValueError(f"--sizes must be between 2 and the number of training images, {there}, got {size}")
    batch = config.batch_size
    if batch > min(config.sizes):
        raise ValueError(f"--batch-size must not exceed the smallest of --sizes, {min(config.sizes)}, got {batch}")


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


class Settings(Protocol):
    """What the configurations of these studies have in common."""

    @property
    def data_dir(self) -> Path | None:
        """The folder of MNIST, None for the usual one."""

    @property
    def width(self) -> int:
        """Hidden units."""

    @property
    def batch_size(self) -> int:
        """Images in a batch."""

    @property
    def stop_loss(self) -> float:
        """The loss below which a network has converged."""

    @property
    def device(self) -> str:
        """Where networks are trained."""


def identity(config: Settings) -> Mapping[str, Any]:
    """Return what the data are, wherever they lie."""
    return {"data": images(config.data_dir).name, "data_dir": None}


@dataclass(frozen=True, eq=False)
class Run:
    """One network to train.

    Attributes:
        data: its data set, of which it sees the first `size` images.
        size: how many.
        alpha: its initialisation scale.
        step_size: of SGD on the loss (1/n) sum (f - y)^2.
        max_epochs: epochs after which it is given up.
        seed: of its initialisation and its batches.
        penalty: what is added to its loss.
        given: the columns that say which network it is.
    """

    data: DigitPair
    size: int
    alpha: float
    step_size: float
    max_epochs: int
    seed: int
    penalty: Penalty | None
    given: Row


def trained(runs: Sequence[Run], config: Settings) -> list[Row]:
    """Train networks for images of 28 x 28 pixels, in float32, from the thesis's initialiser (V10), and measure them."""
    per_epoch = [math.ceil(run.size / config.batch_size) for run in runs]
    members = [
        Member(
            glorot_network(config.width, 784, seed=run.seed, scale=run.alpha),
            run.data.x_train[: run.size],
            run.data.y_train[: run.size],
            run.step_size,
            run.max_epochs * steps,
            config.stop_loss,
            config.batch_size,
            run.seed,
            run.penalty,
        )
        for run, steps in zip(runs, per_epoch, strict=True)
    ]
    ended = train_fleet(
        members,
        loss="mean",
        sampling="reshuffling",
        watched="epoch mean",
        patience=None,
        dwell=0,
        device=config.device,
    )
    return [
        {**run.given, "seed": run.seed, "epochs": end.steps / steps, **measured(end, run.data, run.size)}
        for run, end, steps in zip(runs, ended, per_epoch, strict=True)
    ]


def measured(run: TrainedRun, data: DigitPair, train_size: int) -> Row:
    """Return the columns on a trained network; those in `MISSING` hold None if it diverged."""
    row: Row = {"steps": run.steps, "loss": run.loss, "outcome": str(run.outcome), "train_seconds": run.seconds}
    if run.outcome == Outcome.DIVERGED:
        return {**row, **dict.fromkeys(MISSING)}
    return {**row, **measures_of(run.module, data, train_size)}


def measures_of(network: TwoLayerReLU, data: DigitPair, train_size: int) -> Row:
    """Return what is measured of a network for images of a pair, of which it was made with the first `train_size`."""
    points, targets = torch.from_numpy(data.x_test), torch.from_numpy(data.y_test)
    # The same pairs for all networks of a data set: what differs between them is not the sample.
    pairs = smoothness.sample_pairs(points, SAMPLES, seed=seed_of("pairs", data.name))
    norm = smoothness.gradient_norm(network, points[:SAMPLES])
    first = smoothness.function_path_length(network, pairs)
    second = smoothness.gradient_path_length(network, pairs)
    with torch.no_grad():
        outputs = network(points)[:, 0]
    return {
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
