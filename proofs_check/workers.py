"""Rows of the ledger, computed in several processes."""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from types import MappingProxyType
from typing import Any

from proofs_check.crash import said
from proofs_check.ledger import crashed_row, effort_of, row_of
from proofs_check.row import Row, TheoremRow
from proofs_check.trained import networks
from proofs_check.values import decoded_instance, encoded_instance
from theory.claim import Instance
from theory.registry import CLAIMS


class _Worker:
    """What a process knows: networks, how hard to search, what Coq says, which stored counterexamples are damaged."""

    trained: Sequence[Instance] = ()
    budget = "quick"
    seed = 0
    theorems: Mapping[str, Sequence[TheoremRow]] = MappingProxyType({})
    unread: Mapping[str, str] = MappingProxyType({})

    @classmethod
    def begin(
        cls,
        trained: Sequence[Mapping[str, Any]],
        budget: str,
        seed: int,
        theorems: Mapping[str, Sequence[TheoremRow]],
        unread: Mapping[str, str],
    ) -> None:
        cls.trained = [decoded_instance(code) for code in trained]
        cls.budget, cls.seed, cls.theorems, cls.unread = budget, seed, theorems, unread
        gc.freeze()  # a twentieth of the time went into looking through sympy's caches, which stay, for what may go
        gc.set_threshold(100_000, 20, 100)

    @classmethod
    def row(cls, id: str) -> Row:
        theorems = cls.theorems.get(id, ())
        effort = effort_of(cls.budget)
        return row_of(CLAIMS[id], cls.trained, effort, seed=cls.seed, theorems=theorems, unread=cls.unread)


def examined(
    ids: Sequence[str],
    *,
    budget: str,
    seed: int,
    device: str,
    jobs: int,
    theorems: Mapping[str, Sequence[TheoremRow]] = MappingProxyType({}),
    unread: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Row]:
    """Yield the rows of claims, in the order of their ids, each as soon as it and those before it are there.

    A claim whose process dies has a row that says so, and the others are examined in another one. One process alone is
    this one, with which all dies.

    Args:
        ids: the claims.
        budget: how hard to search, see `ledger.effort_of`.
        seed: of data, networks and searches.
        device: where the networks are trained: "cpu", or a CUDA device.
        jobs: processes; as many as there are processors if 0.
        theorems: what Coq says of the theorems of each claim, by id.
        unread: what is wrong with stored counterexamples, by id, which are left out.

    Raises:
        ValueError: if the budget or the device cannot be used.
    """
    trained = networks(effort_of(budget).trained, seed=seed, device=device)
    begin = ([encoded_instance(instance) for instance in trained], budget, seed, dict(theorems), dict(unread))
    processes = min(jobs or os.cpu_count() or 1, len(ids))
    if processes == 1:
        _Worker.begin(*begin)
        yield from map(_Worker.row, ids)
        return
    yield from _in_processes(ids, processes, begin)


def _in_processes(ids: Sequence[str], processes: int, begin: tuple[Any, ...]) -> Iterator[Row]:
    """Yield the rows of claims; each process is a pool of its own, so that it is known which claim it died of."""

    def started() -> ProcessPoolExecutor:
        return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _Worker.begin, begin)

    ahead = deque(ids)
    idle = [started() for _ in range(processes)]
    running: dict[Future[Row], tuple[str, ProcessPoolExecutor]] = {}
    done: dict[str, Row] = {}
    try:
        for id in ids:
            while id not in done:
                while idle and ahead:
                    pool, next_id = idle.pop(), ahead.popleft()
                    try:
                        future = pool.submit(_Worker.row, next_id)
                    except BrokenProcessPool:  # it died with nothing to do
                        pool = started()
                        future = pool.submit(_Worker.row, next_id)
                    running[future] = next_id, pool
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    finished, pool = running.pop(future)
                    done[finished], died = _row_of(future, finished)
                    if died:
                        pool.shutdown(wait=False)
                    idle.append(started() if died else pool)
            yield done.pop(id)
    finally:
        for pool in (*idle, *(pool for _, pool in running.values())):
            pool.shutdown(wait=False, cancel_futures=True)


def _row_of(future: Future[Row], id: str) -> tuple[Row, bool]:
    """Return the row that a process came to, and whether the process died of it."""
    try:
        return future.result(), False
    except BrokenProcessPool:
        return crashed_row(CLAIMS[id], "its process died while it was looked at, killed or out of memory"), True
    except (Exception, SystemExit) as error:  # noqa: BLE001 (a row that cannot be sent back costs one row and not the run)
        return crashed_row(CLAIMS[id], f"its row cannot be handed on: {said(error)}"), False
