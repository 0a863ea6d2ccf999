"""What the studies of classifiers share: labelled images as tensors, networks, their training, what is measured of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import nn
from torch.func import functional_call, grad, vmap
from torch.nn import functional

from experiments.engine.records import Row
from experiments.engine.settings import above_zero, at_least_one
from numerics.data import Images, cifar10, mnist
from numerics.geometric_complexity import geometric_complexity
from numerics.models import ResNet18, mlp, vgg
from numerics.training import checked_device
from numerics.training.modules import Optimiser, Relabel, Term, TrainedModule, train_module

Data = Literal["mnist", "cifar10"]
Kind = Literal["mlp", "resnet18", "vgg"]

AT_ONCE = 1000
"""Images in a forward pass where nothing is differentiated."""

AtEnd = Callable[[nn.Module, torch.Tensor, torch.Tensor], Row]
"""What else is measured at the end: of the network in evaluation mode, training images and the labels trained on."""

COLUMNS = ("train_loss", "train_accuracy", "test_loss", "test_accuracy", "gc")
"""What is measured of a network."""


@dataclass(frozen=True)
class ClassifierSettings:
    """What the studies of classifiers can all be told; each adds settings of its own, and says where one means more.

    Attributes:
        data: mnist or cifar10.
        data_dir: folder with the files; if not given, that of IMPLICIT_SMOOTHNESS_DATA, or a download.
        size: number of training images, the first ones; all if not given.
        test_size: number of test images, likewise.
        shrink: images are averaged over squares of so many pixels a side, 1 for the images as they are.
        network: mlp, resnet18, or vgg.
        step_size: of the optimiser.
        batch_size: images in a batch; reshuffled every epoch.
        max_epochs: epochs of each network.
        stop_loss: mean batch loss of an epoch, penalties apart, below which training ends earlier; 0 for none.
        optimiser: sgd, or adam with the defaults of torch.
        momentum: of SGD, from 0 to below 1; 0 is plain SGD, as in the paper.
        looks: how often, at most, a network is measured in training, evenly in the logarithm of the epoch.
        gc_images: on how many training images GC is measured; 0 for none.
        seeds: networks of each kind; those of one seed start alike.
        seed: changes all that is drawn; any integer.
        checkpoints: folder for the states of networks in training, so that a run that is stopped goes on; none if not
            given.
        device: where the networks are trained: cpu, or a CUDA device such as cuda:0.
    """

    data: Data = "mnist"
    data_dir: Path | None = None
    size: int | None = 1000
    test_size: int | None = 2000
    shrink: int = 1
    network: Kind = "mlp"
    step_size: float = 0.1
    batch_size: int = 50
    max_epochs: int = 60
    stop_loss: float = 0.0
    optimiser: Optimiser = "sgd"
    momentum: float = 0.0
    looks: int = 20
    gc_images: int = 256
    seeds: int = 3
    seed: int = 0
    checkpoints: Path | None = None
    device: str = "cpu"


@lru_cache(maxsize=1)
def loaded(data: Data, data_dir: Path | None) -> Images:
    """Return images, read once a process.

    Raises:
        DataError: if they are not there and cannot be had.
    """
    return mnist(data_dir) if data == "mnist" else cifar10(data_dir)


@dataclass(frozen=True, eq=False)
class Classes:
    """Labelled images as tensors: from 0 to 1, float32 [n, channels, height, width], with int64 labels [n]."""

    x_train: torch.Tensor
    y_train: torch.Tensor
    x_test: torch.Tensor
    y_test: torch.Tensor


def classes(config: ClassifierSettings) -> Classes:
    """Return the first images of a data set, in the order of its files."""
    found, device = loaded(config.data, config.data_dir), checked_device(config.device)

    def part(x: Any, y: Any, size: int | None) -> tuple[torch.Tensor, torch.Tensor]:
        images = torch.from_numpy(x[:size]).float() / 255
        images = images[:, None] if images.ndim == 3 else images.permute(0, 3, 1, 2)
        images = functional.avg_pool2d(images, config.shrink) if config.shrink > 1 else images
        return images.contiguous().to(device), torch.from_numpy(y[:size]).long().to(device)

    return Classes(
        *part(found.x_train, found.y_train, config.size), *part(found.x_test, found.y_test, config.test_size)
    )


def label_count(config: ClassifierSettings) -> int:
    """Return how many labels there are: one more than the largest."""
    return int(loaded(config.data, config.data_dir).y_train.max()) + 1


def identity(config: ClassifierSettings) -> Mapping[str, Any]:
    """Return what the data are, wherever they lie, and wherever checkpoints and the device are."""
    return {"data": loaded(config.data, config.data_dir).name, "data_dir": None, "checkpoints": None, "device": None}


def check(config: ClassifierSettings) -> None:
    """Check the settings that these studies share.

    Raises:
        ValueError: if one is out of its range, or the data cannot be had.
    """
    at_least_one(config, "batch_size", "max_epochs", "looks", "seeds", "shrink")
    if config.gc_images < 0:
        raise ValueError(f"--gc-images must be at least 0, got {config.gc_images}")
    above_zero(config, "step_size")
    if not 0 <= config.momentum < 1:
        raise ValueError(f"--momentum must be from 0 to below 1, got {config.momentum}")
    if config.stop_loss != 0:
        above_zero(config, "stop_loss")
    for option, value, known in (
        ("--data", config.data, get_args(Data)),
        ("--network", config.network, get_args(Kind)),
        ("--optimiser", config.optimiser, get_args(Optimiser)),
    ):
        if value not in known:
            raise ValueError(f"{option} must be one of {', '.join(known)}, got {value!r}")
    if config.optimiser == "adam" and config.momentum:
        raise ValueError(f"--momentum must be 0 with --optimiser adam, got {config.momentum}")
    checked_device(config.device)
    there = loaded(config.data, config.data_dir)
    for option, size, images in (
        ("--size", config.size, there.x_train),
        ("--test-size", config.test_size, there.x_test),
    ):
        if size is not None and not 1 <= size <= len(images):
            raise ValueError(f"{option} must be between 1 and the number of images, {len(images)}, got {size}")
    if min(there.x_train.shape[1:3]) % config.shrink:
        raise ValueError(
            f"--shrink must divide the images' {min(there.x_train.shape[1:3])} pixels, got {config.shrink}"
        )


def with_wrong_labels(labels: torch.Tensor, share: float, count: int, seed: int) -> torch.Tensor:
    """Return labels [n] of which round(share n), drawn once, are another of the `count` labels, each as likely."""
    generator = np.random.default_rng(seed)
    wrong = torch.from_numpy(generator.choice(len(labels), round(share * len(labels)), replace=False)).to(labels.device)
    shift = torch.from_numpy(generator.integers(1, count, len(wrong))).to(labels.device)
    noisy = labels.clone()
    noisy[wrong] = (labels[wrong] + shift) % count
    return noisy


def with_random_labels(labels: torch.Tensor, start: int, count: int, seed: int) -> torch.Tensor:
    """Return labels [n] of which those from place `start` on, drawn once, are any of the `count` labels, each as likely.

    A label depends on its place and the seed alone, so that a random label is the same in every set that has it.
    """
    drawn = torch.from_numpy(np.random.default_rng(seed).integers(0, count, len(labels))).to(labels.device)
    return torch.cat([labels[:start], drawn[start:]])


def freshly_wrong(share: float, count: int) -> Relabel:
    """Return what gives each label of a batch, with this chance and anew in every step, another of `count` labels."""

    def relabel(labels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        wrong = torch.rand(labels.shape, generator=generator, device=labels.device) < share
        shift = torch.randint(1, count, labels.shape, generator=generator, device=labels.device)
        return torch.where(wrong, (labels + shift) % count, labels)

    return relabel


@dataclass(frozen=True, eq=False)
class Task:
    """One network to train.

    Attributes:
        key: names it, and its checkpoint.
        seed: of its initialisation and its batches.
        step_size: of the optimiser.
        batch_size: images in a batch; reshuffled every epoch.
        hidden: units of each hidden layer of an MLP.
        width: channels of a ResNet's stem, or of the first stack of a VGG.
        dropout: the chance of a VGG's dropout.
        images: how many of the training images it is trained on, the first ones; all if None.
        random_from: the place from which on their labels are drawn at random, once; None for none.
        penalties: what is added to the cross-entropy.
        relabel: noise on the labels that is drawn anew.
        noise: share of the training labels that are wrong, drawn once.
        noise_of_gradients: whether the looks measure the gradient and its variance.
        at_end: columns that are added to the row of a network that has not diverged.
    """

    key: str
    seed: int
    step_size: float
    batch_size: int
    hidden: Sequence[int] = ()
    width: int = 0
    dropout: float = 0.0
    images: int | None = None
    random_from: int | None = None
    penalties: Sequence[Term] = ()
    relabel: Relabel | None = None
    noise: float = 0.0
    noise_of_gradients: bool = False
    at_end: AtEnd | None = None


def trained(task: Task, config: ClassifierSettings) -> Row:
    """Train a network, and return what it ends in and where its test accuracy is best.

    Columns: those of `COLUMNS`, at the end, and with "best_" before at the look with the best test accuracy, the first of
    equal ones; "epochs", "outcome", "best_epoch"; for gradients the means over looks; what `at_end` measures. The looks are
    after epochs that are even in the logarithm, and at the end.
    """
    data = classes(config)
    labels = label_count(config)
    y = with_wrong_labels(data.y_train, task.noise, labels, task.seed) if task.noise else data.y_train
    if task.random_from is not None:
        y = with_random_labels(y, task.random_from, labels, task.seed)
    x, y = data.x_train[: task.images], y[: task.images]
    model = network(task, config, x, labels)
    size = min(task.batch_size, len(y))
    per_epoch = math.ceil(len(y) / size)
    measure = partial(measured, data=data, x=x, y=y, config=config, gradients=task.noise_of_gradients)
    epochs = sorted({int(epoch) for epoch in np.geomspace(1, config.max_epochs, config.looks).round()})
    run = train_module(
        model,
        x,
        y,
        step_size=task.step_size,
        max_steps=config.max_epochs * per_epoch,
        penalties=task.penalties,
        relabel=task.relabel,
        batch_size=size,
        optimiser=config.optimiser,
        momentum=config.momentum,
        stop_loss=config.stop_loss,
        seed=task.seed,
        measure=measure,
        measure_at=[epoch * per_epoch for epoch in epochs],
        checkpoint=config.checkpoints / f"{task.key}.checkpoint" if config.checkpoints else None,
        checkpoint_every=10 * per_epoch,
        name=task.key,
    )
    model.eval()
    end = ended(run, measure(model), per_epoch)
    more = {} if task.at_end is None or end["train_loss"] is None else task.at_end(model, x, y)
    return {
        "seed": task.seed,
        "network": config.network,
        "images": len(y),
        "parameters": sum(p.numel() for p in model.parameters()),
        "step_size": task.step_size,
        "batch_size": size,
        "epochs": run.steps / per_epoch,
        "outcome": str(run.outcome),
        "last_loss": run.loss,
        "train_seconds": run.seconds,
        **end,
        **more,
    }


def network(task: Task, config: ClassifierSettings, x: torch.Tensor, labels: int) -> nn.Module:
    """Return the network at its start."""
    if config.network == "mlp":
        return mlp([x[0].numel(), *task.hidden, labels], seed=task.seed).to(x.device)
    if config.network == "vgg":
        made = vgg(labels, width=task.width, channels=x.shape[1], dropout=task.dropout, seed=task.seed)
        # Channels last: a third less time for so few channels.
        return made.to(x.device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
    return ResNet18(labels, width=task.width, channels=x.shape[1], seed=task.seed).to(x.device)


def ended(run: TrainedModule, last: Mapping[str, float], per_epoch: int) -> Row:
    """Return the columns on the end of a run, on its best look, and the means of the gradients over the looks."""
    looks = [*run.records, {"step": run.steps, **last}]
    if not all(math.isfinite(last.get(name, 0.0)) for name in COLUMNS):
        names = (*COLUMNS, *(f"best_{name}" for name in COLUMNS), "best_epoch", "gradient_square", "gradient_trace")
        return dict.fromkeys(names)
    best = max(looks, key=lambda look: (look["test_accuracy"], -look["step"]))
    row: Row = {**{name: last.get(name) for name in COLUMNS}, **{f"best_{name}": best.get(name) for name in COLUMNS}}
    row["best_epoch"] = best["step"] / per_epoch
    for name in ("gradient_square", "gradient_trace"):
        row[name] = float(np.mean([look[name] for look in looks])) if name in last else None
    return row


def measured(
    model: nn.Module, data: Classes, x: torch.Tensor, y: torch.Tensor, config: ClassifierSettings, gradients: bool
) -> dict[str, float]:
    """Return what is measured of a network in evaluation mode; nan where its weights are not finite.

    On the training images x with the labels y, and on the test images. There is no "gc" where it is measured on none.
    """
    if not all(bool(torch.isfinite(p).all()) for p in model.parameters()):
        return dict.fromkeys((*COLUMNS, "gradient_square", "gradient_trace"), math.nan)
    train_loss, train_accuracy = on(model, x, y)
    test_loss, test_accuracy = on(model, data.x_test, data.y_test)
    values = (train_loss, train_accuracy, test_loss, test_accuracy)
    found = dict(zip(COLUMNS, values, strict=False))
    if config.gc_images:
        found["gc"] = geometric_complexity(model, x[: config.gc_images]).value
    return found | gradient_noise(model, x, y, config.gc_images) if gradients else found


@torch.no_grad()
def on(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> tuple[float, float]:
    """Return mean cross-entropy and accuracy on images."""
    logits = torch.cat([model(part) for part in x.split(AT_ONCE)])
    return float(functional.cross_entropy(logits, y)), float((logits.argmax(1) == y).double().mean())


def gradient_noise(model: nn.Module, x: torch.Tensor, y: torch.Tensor, sample: int) -> dict[str, float]:
    """Return |grad L|^2 on images [n], and the trace of the covariance of the gradients of single images (B15).

    The trace is the mean of |grad l_i|^2 over the first `sample` images less |grad L|^2, an estimate if these are not all.
    """
    weights = {name: p.detach() for name, p in model.named_parameters()}
    buffers = dict(model.named_buffers())

    def loss(at: dict[str, torch.Tensor], inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(functional_call(model, (at, buffers), (inputs[None],)), labels[None])

    squares = []
    for images, labels in zip(x[:sample].split(32), y[:sample].split(32), strict=True):
        each = vmap(grad(loss), in_dims=(None, 0, 0))(weights, images, labels)
        squares.append(torch.stack([g.flatten(1).square().sum(1) for g in each.values()]).sum(0))
    total = {name: torch.zeros_like(p) for name, p in weights.items()}
    for images, labels in zip(x.split(AT_ONCE), y.split(AT_ONCE), strict=True):
        parts = torch.autograd.grad(
            functional.cross_entropy(model(images), labels, reduction="sum"), list(model.parameters())
        )
        for name, part in zip(weights, parts, strict=True):
            total[name] += part / len(y)
    square = float(torch.stack([g.square().sum() for g in total.values()]).sum())
    return {"gradient_square": square, "gradient_trace": max(float(torch.cat(squares).mean()) - square, 0.0)}
