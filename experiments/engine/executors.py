"""Where the tasks of a study are computed: processes of this machine, or the workers of a Dask cluster.

Both are executors of `concurrent.futures`, as threads are; one that cannot go on raises its `BrokenExecutor`.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import pickle
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

try:
    import distributed
    from distributed.scheduler import KilledWorker

    Client: Any = distributed.Client  # these have no annotations
    rpc: Any = distributed.rpc
    dumps: Any = distributed.protocol.pickle.dumps
    HAS_DISTRIBUTED = True
except ImportError:
    HAS_DISTRIBUTED = False

T = TypeVar("T")
PATIENCE = 30.0
"""Seconds that a cluster has to answer, and then to have a worker: as long as Dask itself waits for a connection."""

ADDRESS = re.compile(r"(tcp|tls|ws|wss)://(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+):(?P<port>\d{1,5})")
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


class ClusterError(ValueError):
    """A cluster that cannot be used, in one sentence that says what was found and what to do."""


class LostError(BrokenExecutor):
    """A cluster that is gone, or gives a task up, in one sentence."""


def loss(error: BrokenExecutor) -> str:
    """Return in a sentence what happened to an executor that does not go on."""
    if isinstance(error, LostError):
        return str(error)
    if not _guarded():
        return (
            "a worker process ended as it began: the script that starts the study is run again by each of them, so what it "
            "does must stand under `if __name__ == '__main__':`"
        )
    return "a worker process died, as they do for lack of memory; fewer --workers need less"


def _guarded() -> bool:
    """Return whether a process that is started afresh can import the program again without running it."""
    main = sys.modules["__main__"]
    file = getattr(main, "__file__", None)
    if file is None or getattr(main, "__spec__", None) is not None:  # nothing that is imported again; or `python -m`
        return True
    try:
        return "__name__" in Path(file).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True


class Processes(ProcessPoolExecutor):
    """Processes of this machine that compute with one thread each, so that N of them use N cores.

    They are started afresh rather than forked, leave Ctrl-C to the process that started them, and end when it ends,
    however it ends.
    """

    def __init__(self, workers: int) -> None:
        super().__init__(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_begin)

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Submit a call; processes are started here, and inherit what is set meanwhile."""
        with _inherited():
            return super().submit(fn, *args, **kwargs)


@contextmanager
def _inherited() -> Iterator[None]:
    """Let the processes that are started meanwhile compute with one thread, and not be interrupted as they begin."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    masked = os.name == "posix"
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if masked else set()
    os.environ.update(ONE_THREAD)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        if masked:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _begin() -> None:
    """Prepare a worker process: it does not hear Ctrl-C, and does not outlive its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class Cluster(Executor):
    """The workers of a Dask cluster, through a client that is connected to its scheduler.

    A task whose worker dies is computed again by another one; the scheduler gives it up when more workers have died with
    it than `distributed.scheduler.allowed-failures`, 3 unless configured. Unlike those of `Client.get_executor`, futures
    have an end when the scheduler is lost while a result is fetched, and what has begun can be waited for.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._pending: dict[str, tuple[Any, Future[Any]]] = {}

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Submit a call, that is computed even if the cluster knows the result of an equal one."""
        remote = self._client.submit(fn, *args, pure=False, **kwargs)
        future: Future[T] = Future()
        self._pending[remote.key] = (remote, future)
        self._client.loop.add_callback(self._hand_over, remote, future)
        return future

    async def _hand_over(self, remote: Any, future: Future[Any]) -> None:
        """Give a future the outcome of its remote one, in the thread of the client.

        The remote one is then released: as long as it is held, the scheduler computes a result again that was on a
        worker that dies.
        """
        outcome: Any
        [outcome] = await asyncio.gather(self._client.gather(remote, asynchronous=True), return_exceptions=True)
        del self._pending[remote.key]
        if not isinstance(outcome, BaseException):
            future.set_result(outcome)
        elif isinstance(outcome, KilledWorker):
            workers = outcome.allowed_failures + 1
            future.set_exception(
                LostError(f"{workers} workers of the cluster died with the same task, as they do for lack of memory")
            )
        elif remote.status == "error":  # raised by the task
            future.set_exception(outcome)
        else:
            future.set_exception(LostError("the connection to the cluster's scheduler is lost"))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Cancel the calls that no worker has, if asked to, and wait for the others."""
        pending = dict(self._pending)
        if cancel_futures and self._client.status == "running":  # else the client has cancelled them all
            try:
                begun = {key for keys in self._client.processing().values() for key in keys}
                self._client.cancel([remote for key, (remote, _) in pending.items() if key not in begun])
            except OSError:
                pass  # the scheduler has just gone
        if wait:
            wait_for(future for _, future in pending.values())


@contextmanager
def cluster(address: str, code: Callable[..., Any]) -> Iterator[Executor]:
    """Connect to a Dask cluster.

    Args:
        address: of its scheduler, as tcp://host:port.
        code: a function of the module whose functions are to be computed.

    Yields:
        What computes on its workers.

    Raises:
        ClusterError: if distributed is not installed, the address is none, no scheduler answers there, it has no worker,
            or the cluster runs where the code is not.
    """
    if not HAS_DISTRIBUTED:
        raise ClusterError("--cluster needs distributed: pip install 'implicit-smoothness[cluster]'")
    found = ADDRESS.fullmatch(address)
    if found is None or not 0 < int(found["port"]) < 65536:
        raise ClusterError(f"--cluster must be the address of a Dask scheduler, as tcp://host:8786, got {address!r}")
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # what it logs is said here in a sentence
    client = _connected(address)
    try:
        _check(client, address, code)
        yield Cluster(client)
    finally:
        client.close()


def _connected(address: str) -> Any:
    """Return a client of the scheduler at this address.

    Raises:
        ClusterError: if there is none.
    """
    try:
        kind = asyncio.run(_kind(address))
        if kind == "Scheduler":
            return Client(address, timeout=PATIENCE, set_as_default=False)
    except OSError as error:
        raise ClusterError(f"--cluster: no Dask scheduler answers at {address} within {PATIENCE:g} s") from error
    except Exception as error:  # what else listens there may answer anything
        raise ClusterError(
            f"--cluster: what answers at {address} is no Dask scheduler, or needs TLS: {error}"
        ) from error
    raise ClusterError(f"--cluster must be the address of a Dask scheduler, at {address} is a {kind}")


async def _kind(address: str) -> str:
    """Ask what is at this address; unlike a client this ends in time whatever is there."""
    async with asyncio.timeout(PATIENCE):
        async with rpc(address) as server:
            return str((await server.identity())["type"])


def _check(client: Any, address: str, code: Callable[..., Any]) -> None:
    """Wait for a worker; let the scheduler and the workers that are there import the module of a function.

    A worker that gets a task of a module that it does not have ends, and the study would wait for ever.

    Raises:
        ClusterError: if there is no worker, or the module is not found.
    """
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
        pickled = dumps(code)
        client.run_on_scheduler(pickle.loads, pickled)
        client.run(pickle.loads, pickled)
    except TimeoutError as error:
        raise ClusterError(
            f"--cluster: the scheduler at {address} has no worker; start some by dask worker {address}"
        ) from error
    except (ImportError, AttributeError) as error:
        raise ClusterError(
            f"--cluster: its scheduler and workers must have this library installed as it is here ({error})"
        ) from error
    except OSError as error:
        raise ClusterError(f"--cluster: the scheduler or a worker at {address} ends as it is asked") from error
