"""Rows of the ledger, computed in several processes."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from types import MappingProxyType
from typing import Any

from proofs_check.ledger import effort_of, row_of
from proofs_check.row import Row, TheoremRow
from proofs_check.trained import networks
from proofs_check.values import decoded_instance, encoded_instance
from theory.claim import Instance
from theory.registry import CLAIMS


class _Worker:
    """What a process knows: the trained networks, how hard to search, and what Coq says of the theorems."""

    trained: Sequence[Instance] = ()
    budget = "quick"
    seed = 0
    theorems: Mapping[str, Sequence[TheoremRow]] = MappingProxyType({})

    @classmethod
    def begin(
        cls, trained: Sequence[Mapping[str, Any]], budget: str, seed: int, theorems: Mapping[str, Sequence[TheoremRow]]
    ) -> None:
        cls.trained = [decoded_instance(code) for code in trained]
        cls.budget, cls.seed, cls.theorems = budget, seed, theorems

    @classmethod
    def row(cls, id: str) -> Row:
        theorems = cls.theorems.get(id, ())
        return row_of(CLAIMS[id], cls.trained, effort_of(cls.budget), seed=cls.seed, theorems=theorems)


def examined(
    ids: Sequence[str],
    *,
    budget: str,
    seed: int,
    device: str,
    jobs: int,
    theorems: Mapping[str, Sequence[TheoremRow]] = MappingProxyType({}),
) -> Iterator[Row]:
    """Yield the rows of claims, in the order of their ids, each as soon as it and those before it are there.

    Args:
        ids: the claims.
        budget: how hard to search, see `ledger.effort_of`.
        seed: of data, networks and searches.
        device: where the networks are trained: "cpu", or a CUDA device.
        jobs: processes; as many as there are processors if 0.
        theorems: what Coq says of the theorems of each claim, by id.

    Raises:
        ValueError: if the budget or the device cannot be used.
    """
    trained = networks(effort_of(budget).trained, seed=seed, device=device)
    begin = ([encoded_instance(instance) for instance in trained], budget, seed, dict(theorems))
    processes = min(jobs or os.cpu_count() or 1, len(ids))
    if processes == 1:
        _Worker.begin(*begin)
        yield from map(_Worker.row, ids)
        return
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), _Worker.begin, begin) as pool:
        try:
            yield from pool.map(_Worker.row, ids)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
