"""Tensors as users hand them in: dense and strided, or an error that names what came instead."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.masked import is_masked_tensor

from theory.checks import Array

SMALL_WORK = 2**22
"""Below so many products of a parameter and an example torch's threads cost more than they give, on a busy machine tenfold."""


@contextmanager
def few_threads(work: int) -> Iterator[None]:
    """Let torch compute with one thread meanwhile if there is little to do, `work` parameters times examples."""
    before = torch.get_num_threads()
    if work < SMALL_WORK:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def plain_tensor(name: str, value: torch.Tensor) -> torch.Tensor:
    """Return a tensor without its graph, dense and in memory as it reads.

    Args:
        name: what the argument is called.
        value: a tensor of any layout.

    Raises:
        TypeError: if it is masked, nested or quantized, or holds complex numbers or truth values.
        ValueError: if it is sparse, or on the device meta, where there are no data.
    """
    if is_masked_tensor(value):
        raise TypeError(f"{name} must not be masked, got a torch.masked.MaskedTensor: leave out what is masked")
    if value.is_nested:
        raise TypeError(f"{name} must have rows of one shape, got a nested tensor")
    if value.is_complex() or value.dtype == torch.bool or value.is_quantized:
        raise TypeError(f"{name} must hold real numbers, got a tensor of {value.dtype}")
    if value.layout != torch.strided:
        kind = str(value.layout).removeprefix("torch.")
        raise ValueError(f"{name} must be dense, got a tensor of layout {kind}: give {name}.to_dense()")
    if value.is_meta:
        raise ValueError(f"{name} must hold data, got a tensor on the device meta")
    return value.detach().resolve_conj().resolve_neg()


def norm(values: Array | torch.Tensor) -> float:
    """Return the Euclidean norm of all entries, of any shape; squares that would overflow or underflow are not formed."""
    entries = torch.as_tensor(values).detach().to(torch.float64)
    largest = float(entries.abs().max()) if entries.numel() else 0.0
    return largest * float(torch.linalg.vector_norm(entries / largest)) if 0 < largest < math.inf else largest
