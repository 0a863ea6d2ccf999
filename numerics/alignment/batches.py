"""The coherence of the gradients of examples, from the gradients of batches (walker2023, section 5.4)."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import nn

from numerics.alignment.coherence import coherence
from numerics.alignment.examples import Loss, checked_loss, inputs_for, loss_of, loss_sum, targets_for, trained
from numerics.alignment.stiffness import gram_matrix
from numerics.geometric_complexity.modules import PROBED, check_rows, checked_module, logits
from theory.checks import Array, batch_size, count, positive
from theory.walker2023 import example_coherence, orthogonal_limit
from theory.walker2023.coherent_gradients import without_replacement

FEWEST = 4
"""The scatter over partitions shows from so many batches on."""

AGREEMENT = 1e-3
"""How far, relative to its size, the loss of a batch may be from the mean of its examples', in float32."""


@dataclass(frozen=True)
class BatchCoherence:
    """The coherence alpha_m of m examples, estimated from one random partition into n batches of k.

    The sample and the weights are held fixed: bias and error are over random partitions.

    Attributes:
        value: (m - k) A / (k (m - 1) - (k - 1) m A) for the coherence A of the batches (W11.f); 1/value is without bias.
        standard_error: of `value`, to first order; 0 for k = 1, and inf for fewer than four batches, which do not show it.
        bias: of `value`, to second order, since 1/value and not value has none; inf likewise.
        printed: A / (k - (k - 1) A), as steps 1 to 3 of section 5.4 have it from Theorem 5.6: for independent batches, and too
            large for the batches of one sample (W11.e), the more so the fewer they are.
        batch_coherence: A.
        examples: m = n k.
        batches: n.
        batch_size: k.
        of_examples: whether the gradient of a batch is the mean of its examples'. Where batch norm takes statistics of the
            batch, examples have no gradients; `batch_coherence` is then all that is measured, and the rest mere arithmetic.
    """

    value: float
    standard_error: float
    bias: float
    printed: float
    batch_coherence: float
    examples: int
    batches: int
    batch_size: int
    of_examples: bool = True

    @property
    def ratio(self) -> float:
        """alpha_m / alpha_m^perp, m times `value`."""
        return self.value / float(orthogonal_limit(self.examples))


def random_batches(x: Any, y: Any, batch_size: int, *, seed: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Return a random partition of m examples into batches (x [k, ...], y [k, ...]), for `coherence_from_batches`.

    Args:
        x: the inputs, [m, ...].
        y: the targets, [m, ...].
        batch_size: k, a divisor of m.
        seed: for `numpy.random.default_rng`, at least 0.

    Raises:
        TypeError: if `batch_size` or `seed` is no integer.
        ValueError: if x and y differ in length, k is not from 1 to m or does not divide m, or `seed` is negative.

    Example:
        >>> from numerics.alignment import random_batches
        >>> [x.tolist() for x, y in random_batches([0, 1, 2, 3], [1, 1, 0, 0], 2, seed=0)]
        [[2, 0], [1, 3]]
    """
    inputs, targets = torch.as_tensor(x), torch.as_tensor(y)
    if inputs.ndim == 0 or targets.ndim == 0 or len(inputs) != len(targets):
        raise ValueError(f"x and y must hold one row an example, got {tuple(inputs.shape)} and {tuple(targets.shape)}")
    k = _divisor(batch_size, len(inputs))
    order = torch.from_numpy(np.random.default_rng(count("seed", seed, fewest=0)).permutation(len(inputs)))
    return [(inputs[part.to(inputs.device)], targets[part.to(targets.device)]) for part in order.split(k)]


def _divisor(k: int, m: int) -> int:
    size = batch_size(k, m)
    if m % size:
        raise ValueError(f"batch_size must divide the number of examples, {m}, got {size}")
    return size


def coherence_from_batches(model: Any, batches: Any, loss: Any, *, megabytes: float = 256.0) -> BatchCoherence:
    """Return the coherence of the gradients of examples from those of batches, at fixed weights (walker2023, section 5.4).

    For models and data that gradients of single examples are too dear for. The batches must be a random partition of the
    sample, as `random_batches` makes; those of sorted data have another coherence. They are gone through at least twice, and
    must be the same every time: data that are drawn anew at every access, and weights that move meanwhile, are refused.

    Args:
        model: in eval mode gives each row of x its outputs, whatever else is in the batch. Batch norm may be in training
            mode, see `BatchCoherence.of_examples`; its running statistics are put back.
        batches: pairs (x, y), at least two, of one size, that can be gone through repeatedly: a list, or a data loader without
            shuffling.
        loss: "cross_entropy", "mean" for the mean of |f - y|^2, "half_mean" for half of that, or a function of outputs and
            targets of a batch, a mean over it.
        megabytes: the memory to aim at; if the gradients of all batches take more, so many at a time are held, and the batches
            gone through again for the next.

    Raises:
        TypeError: if `model` is no module, `batches` can be gone through but once or are no pairs, or numbers are no numbers.
        ValueError: if the loss is unknown, fails or is no mean over its batch; if dropout is in training mode; if batches are
            fewer than two, of several sizes, or not the same at every pass; if the weights move; or if the model fails,
            returns nan, or in eval mode outputs that depend on other rows.
        AssumptionError: if the gradients of all batches are 0.

    Example:
        >>> import torch
        >>> from numerics.alignment import coherence_from_batches, random_batches
        >>> x = torch.randn(60, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        >>> model = torch.nn.Linear(3, 1, dtype=torch.float64)
        >>> _ = model.weight.data.zero_(), model.bias.data.zero_()
        >>> found = coherence_from_batches(model, random_batches(x, x.sum(1), 5, seed=0), "half_mean")
        >>> print(f"{found.value:.3f} +- {found.standard_error:.3f}")
        0.171 +- 0.028
    """
    budget, known = int(1e6 * positive("megabytes", megabytes)), checked_loss(loss)
    checked = checked_module(model, statistics_of_batch=True)
    trained(checked)
    if not isinstance(batches, Iterable) or iter(batches) is batches:
        raise TypeError(
            "batches must be something that can be gone through repeatedly, such as a list or a data loader, got "
            f"{type(batches).__name__}"
        )
    alone = not any(isinstance(m, nn.modules.batchnorm._BatchNorm) and _of_batch(m) for m in checked.modules())
    with torch.inference_mode(False), torch.enable_grad(), _buffers_kept(checked):
        given = _Batches(checked, batches, known, alone)
        gram = given.gram(budget)
    return coherence_of_batches(gram, given.size, of_examples=alone)


def coherence_of_batches(gram: Any, batch_size: int, *, of_examples: bool = True) -> BatchCoherence:
    """Return the coherence of the gradients of examples from the inner products of those of batches of one random partition.

    Args:
        gram: inner products of the batches' mean gradients, [n, n], n >= 2.
        batch_size: k, how many examples are in a batch, not how many batches there are.
        of_examples: whether a batch's gradient is the mean of its examples'.

    Raises:
        TypeError: if an entry is no real number, or `batch_size` no integer.
        ValueError: if it is no Gram matrix, of one batch, or k is below 1.
        AssumptionError: if all gradients are 0.

    Example:
        >>> from numerics.alignment import coherence_of_batches
        >>> found = coherence_of_batches([[1, 0], [0, 1]], batch_size=1)
        >>> found.value, found.standard_error
        (0.5, 0.0)
    """
    matrix, k = gram_matrix(gram), count("batch_size", batch_size)
    n = len(matrix)
    if n < 2:
        raise ValueError(
            "batches must be at least two, since a single one has coherence 1 whatever its examples are (W11.e), got 1"
        )
    m, a = n * k, coherence(matrix).value
    value = float(without_replacement(Fraction(a), k, m))
    error, bias = math.inf, math.inf
    if k == 1 or value == 0:
        error, bias = 0.0, 0.0
    elif n >= FEWEST:
        # value = 1 / (1 + r) with r = (k (m - 1) / (m - k)) R / |g|^2, and R the mean of |w - g|^2 over the batches
        spread = k * (m - 1) / (m - k) * math.sqrt(variance_over_partitions(matrix, k)) / float(matrix.mean())
        error, bias = value**2 * spread, value**3 * spread**2
    printed = float(example_coherence(a, k))
    return BatchCoherence(value, error, bias, printed, a, m, n, k, of_examples)


def variance_over_partitions(gram: Array, k: int) -> float:
    """Return an estimate, without bias, of the variance of R = mean_a |w_a - g|^2 over random partitions into batches of k.

    With d_i = g_i - g, and h_ij = d_i.d_j less its additive parts for i != j, R is a constant and (2 / (n k^2)) times the sum X
    of h over pairs within a batch. All rows of h sum to 0, so Var X is the sum of h_ij^2 over pairs times a number that only
    depends on m and k: the chance that a pair is within a batch, less twice that of two pairs with one example in common,
    plus that of two pairs apart. In the same way the inner products of different batches, less their additive parts, have
    sums of squares in proportion to it.
    """
    n = len(gram)
    m = n * k
    one = (k - 1) / (m - 1)
    common = one * (k - 2) / (m - 2)
    apart = common * (k - 3) / (m - 3)
    square_of_sum = one - 2 * common + apart + one * (m - k) * (k - 1) / ((m - 2) * (m - 3))
    sum_of_squares = one - 2 * common + apart
    across = (m - k) / (m - 1) * (1 - 2 * (k - 1) / (m - 2) + 2 * (k - 1) ** 2 / ((m - 2) * (m - 3)))
    additive = 2 * square_of_sum / (n * (n - 1)) + 4 * (sum_of_squares - square_of_sum / n) / (n - 2)
    off = np.where(np.eye(n, dtype=bool), 0.0, gram)
    mean = off.sum() / (n * (n - 1))
    rows = (off.sum(axis=1) - (n - 1) * mean) / (n - 2)
    rest = np.where(np.eye(n, dtype=bool), 0.0, gram - mean - rows[:, None] - rows)
    return float(4 / n**2 * square_of_sum / (across - additive) * (rest**2).sum() / 2)


def _of_batch(layer: nn.modules.batchnorm._BatchNorm) -> bool:
    return layer.training or layer.running_mean is None


@contextmanager
def _buffers_kept(model: nn.Module) -> Iterator[None]:
    kept = {name: buffer.clone() for name, buffer in model.named_buffers()}
    try:
        yield
    finally:
        with torch.no_grad():
            for name, buffer in model.named_buffers():
                buffer.copy_(kept[name])


class _Batches:
    """Batches that are gone through, again and again, and the weights, both of which must not change meanwhile."""

    def __init__(self, model: nn.Module, batches: Iterable[Any], loss: Loss, alone: bool) -> None:
        self.model, self.batches, self.loss, self.alone = model, batches, loss, alone
        self.parameters = trained(model)
        self.weights = {name: p.detach().clone() for name, p in self.parameters.items()}
        self.seen: list[tuple[str, str]] = []
        self.size = 0

    def gram(self, budget: int) -> Array:
        """Return the inner products of the gradients of the batches, [n, n].

        Raises:
            ValueError: if a batch or the weights change, or a gradient is not finite.
        """
        like = next(iter(self.weights.values()))
        bytes_of_one = like.element_size() * sum(w.numel() for w in self.weights.values())
        together, start, products = max(1, budget // (2 * bytes_of_one)), 0, dict[tuple[int, int], float]()
        while True:
            held: list[torch.Tensor] = []
            for place, (x, y) in enumerate(self._once()):
                if place < start:
                    continue
                gradient = self._gradient(x, y, place)
                if len(held) < together:
                    held.append(gradient)
                for other, one in enumerate(held, start):
                    products[other, place] = products[place, other] = float(one @ gradient)
            start += len(held)
            if start >= len(self.seen):
                break
        if len(held) == start:  # gone through once
            for _ in self._once():
                pass
        n = len(self.seen)
        found = np.array([[products[i, j] for j in range(n)] for i in range(n)])
        if not np.all(np.isfinite(found)):
            raise ValueError("model must have finite gradients, got nan or inf")
        return found

    def _once(self) -> Iterator[tuple[torch.Tensor, Any]]:
        """Yield the inputs and targets of each batch, checked.

        Raises:
            TypeError: if a batch is no pair.
            ValueError: if batches differ in size, a batch or the weights change, or there are none.
        """
        again, place = bool(self.seen), -1
        for place, pair in enumerate(self.batches):
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                raise TypeError(f"batches must hold pairs of inputs and targets, got {type(pair).__name__}")
            x, y = inputs_for(self.model, pair[0]), pair[1]
            self._check_weights(place)
            self.size = self.size or len(x)
            if len(x) != self.size:
                raise ValueError(
                    f"batches must all be of one size, a divisor of the number of examples, got {self.size} and, in batch "
                    f"{place}, {len(x)}: leave out what is left over"
                )
            found = (_digest(x), _digest(y))
            if again:
                self._compare(place, found)
            else:
                self.seen.append(found)
            yield x, y
        self._check_weights(place)
        if again and place + 1 != len(self.seen):
            raise ValueError(f"batches must be the same at every pass, got {len(self.seen)} and then {place + 1}")
        if not self.seen:
            raise ValueError("batches must be at least two, got none")

    def _compare(self, place: int, found: tuple[str, str]) -> None:
        """Compare a batch with what it was at the first pass.

        Raises:
            ValueError: if it is another.
        """
        first = self.seen[place] if place < len(self.seen) else ("", "")
        for what, before, now, hint in (
            ("inputs", first[0], found[0], "shuffle and augment once, and keep the batches in a list"),
            ("targets", first[1], found[1], "are labels drawn anew at every access? Draw them once"),
        ):
            if before != now:
                raise ValueError(
                    f"batches must be the same at every pass, got other {what} in batch {place} at a later pass: {hint}"
                )

    def _check_weights(self, place: int) -> None:
        for name, p in self.parameters.items():
            if not torch.equal(p.detach(), self.weights[name]):
                raise ValueError(
                    f"model must keep its weights while batches are gone through, got another {name} by batch {place}"
                )

    def _gradient(self, x: torch.Tensor, y: Any, place: int) -> torch.Tensor:
        """Return the gradient of the loss of a batch, [p].

        Raises:
            ValueError: if the model or the loss fails, or in the first batch the loss is no mean over it.
        """
        flat = logits(self.model, x) if place == 0 else None
        if flat is not None and self.alone:
            check_rows(self.model, x[:PROBED], flat[:PROBED].detach())
        outputs = self.model(x.clone())
        targets = targets_for(self.loss, y, len(x), outputs[0].numel(), outputs)
        if isinstance(self.loss, str):
            value = loss_sum(self.loss, outputs, targets) / len(x)
        else:
            value = loss_of(self.loss, outputs, targets)
        if place == 0 and not isinstance(self.loss, str):
            pairs = zip(outputs.detach().split(1), targets.split(1), strict=True)
            each = [float(loss_of(self.loss, row, target)) for row, target in pairs]
            mean, whole = math.fsum(each) / len(each), float(value.detach())
            if abs(whole - mean) > AGREEMENT * (abs(mean) + max(map(abs, each))):
                raise ValueError(
                    f"loss must be a mean over its batch, got {whole:.6g} where its examples have {mean:.6g}"
                )
        owned = list(self.parameters.values())
        found = torch.autograd.grad(value, owned, allow_unused=True, materialize_grads=True)
        return torch.cat([g.reshape(-1) for g in found])


def _digest(values: Any) -> str:
    """Return what tells two tensors apart."""
    tensor = torch.as_tensor(values).detach().cpu().contiguous()
    numbers = tensor.reshape(-1).view(torch.uint8)  # numpy has no bfloat16
    return hashlib.sha256(f"{tensor.dtype} {tuple(tensor.shape)}".encode() + numbers.numpy().tobytes()).hexdigest()
