"""Studies on processes and on a Dask cluster: what ends a worker, a scheduler or a study costs no row and doubles none.

Run by `python -m tests.experiments.engine.test_cluster` this file is a study itself, whose workers are processes.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import pkgutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

from experiments.engine import executors
from experiments.engine.records import Row, read_rows
from experiments.engine.study import Study, Task, main

ROOT = Path(__file__).parents[3]
ADDRESS = "tcp://127.0.0.1:8786"

posix = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
dask = pytest.mark.skipif(not executors.HAS_DISTRIBUTED, reason="distributed is not installed")


@dataclass(frozen=True)
class Config:
    """What is run.

    Attributes:
        log: file that gets a line for each call, with the process and the number of the task.
        count: number of tasks.
        seconds: that a task takes while the study is slow.
        dies_at: the task that ends its process when it is called first.
    """

    log: str = ""
    count: int = 40
    seconds: float = 0.3
    dies_at: int = -1


def calls(log: Path) -> list[tuple[int, int]]:
    """Return process and task of every call."""
    lines = log.read_text().splitlines() if log.exists() else []
    return [(int(process), int(number)) for process, number in map(str.split, lines)]


def slow(log: Path) -> Path:
    """The file that is there while tasks take long enough for a test to come in between, however busy the machine."""
    return log.with_suffix(".slow")


@cache
def here() -> int:
    """Return the number of this process; a function that is pickled by name or not at all."""
    return os.getpid()


def compute(number: int, config: Config) -> list[Row]:
    with open(config.log, "a") as log:
        log.write(f"{here()} {number}\n")
    if slow(Path(config.log)).exists():
        time.sleep(config.seconds)
    if number == config.dies_at and [called for _, called in calls(Path(config.log))].count(number) == 1:
        os.kill(here(), signal.SIGKILL)
    return [{"number": number}]


def tasks(config: Config) -> Mapping[str, Task]:
    return {f"task-{number}": partial(compute, number, config) for number in range(config.count)}


STUDY: Study[Config] = Study(
    id="toy",
    title="A toy.",
    claims=("M1",),
    printed=(),
    presets={"default": Config()},
    tasks=tasks,
    table=lambda rows: f"sum {rows['number'].sum()}",
    conclusion=lambda rows: f"{len(rows)} rows.",
    figure=lambda rows: Figure(),
    workers_are="processes",
)
LOCAL = replace(STUDY, workers_are="threads")
"""The same study in this process."""


def until(condition: Callable[[], bool], what: str, process: subprocess.Popen[str] | None = None) -> None:
    """Wait for a condition, as long as a process runs; what never comes true ends with the test."""
    while not condition():
        assert process is None or process.poll() is None, f"the process ended before {what}"
        time.sleep(0.02)


def running(process: int) -> bool:
    """Whether there is a process with this number that has not ended."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def is_whole(file: Path) -> bool:
    """Whether a file holds JSON to its end; the scheduler does not write it aside."""
    try:
        json.loads(file.read_text())
    except (OSError, json.JSONDecodeError):
        return False
    return True


STARTED: list[subprocess.Popen[str]] = []


@pytest.fixture(autouse=True)
def _none_goes_on() -> Iterator[None]:
    """Leave no process behind, whatever a test ends with."""
    yield
    while STARTED:
        with STARTED.pop() as process:
            process.kill()


def shards(out: Path) -> int:
    return len(list(out.glob("shards/[!.]*.parquet")))


def start(module: str, out: Path, *words: str) -> subprocess.Popen[str]:
    """Start a study in a process group of its own."""
    STARTED.append(
        process := subprocess.Popen(
            [sys.executable, "-m", module, "--out", str(out), *words],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    )
    return process


def start_toy(out: Path, *words: str) -> subprocess.Popen[str]:
    return start("tests.experiments.engine.test_cluster", out, "--log", str(log_of(out)), *words)


def log_of(out: Path) -> Path:
    return out.with_suffix(".log")


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Return exit status and what was said as an error, without the progress bar."""
    _, errors = process.communicate()
    assert "Traceback" not in errors, errors
    return process.returncode, errors.replace("\r", "\n").strip().splitlines()[-1] if errors.strip() else ""


def kept(count: int, out: Path) -> str:
    return f"the rows of {shards(out)} of {count} tasks are kept in {out}; start the same command again to resume."


@dataclass(frozen=True)
class Cluster:
    """Processes of a Dask cluster: no nanny starts a worker anew that was killed."""

    address: str
    scheduler: ForkServerProcess
    workers: list[ForkServerProcess]


NODES = ("distributed.cli.dask_scheduler", "distributed.cli.dask_worker")
NEEDED = [*NODES, "tests.experiments.engine.test_cluster", "experiments.stability_sweep"]
"""What the processes of a cluster import, once for all of them: it takes longer than what they compute."""


def be_node(module: str, words: list[str], log: Path) -> None:
    """Be what `python -m` makes of a module of Dask's, with a log."""
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.chdir(ROOT)
    pkgutil.resolve_name(f"{module}:main")(words)


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[Cluster]:
    """Start a scheduler on a free port and workers of one thread each; stop them at the end."""
    folder.mkdir()
    file = folder / "scheduler.json"
    processes: list[ForkServerProcess] = []
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(NEEDED)

    def begin(module: str, *words: str) -> None:
        given = [*words, "--scheduler-file", str(file), "--no-dashboard"]
        log = folder / f"{len(processes)}.log"
        log.touch()
        processes.append(server.Process(target=be_node, args=(module, given, log)))
        processes[-1].start()

    try:
        begin(NODES[0], "--host", "127.0.0.1", "--port", "0")
        until(lambda: is_whole(file), "the scheduler listens")
        for _ in range(workers):
            begin(NODES[1], "--nthreads", "1", "--no-nanny", "--local-directory", str(folder))
        log = folder / "0.log"
        until(lambda: log.read_text().count("Register worker ") == workers, "the workers are there")
        yield Cluster(json.loads(file.read_text())["address"], processes[0], processes[1:])
    finally:
        for process in reversed(processes):
            process.kill()
            process.join()


def same_but_for_time_and_place(a: pd.DataFrame, b: pd.DataFrame) -> None:
    elsewhere = ["seconds", "machine", "processor", "cpus"]
    pd.testing.assert_frame_equal(a.drop(columns=elsewhere), b.drop(columns=elsewhere), check_exact=True)


@dask
@posix
@pytest.mark.slow
def test_a_sweep_on_a_cluster_ends_with_the_same_rows_though_a_worker_is_killed(tmp_path: Path) -> None:
    words = ["--preset", "smoke", "--seeds", "5", "--step-sizes", "3", "--max-steps", "60000", "--patience", "20000"]
    with cluster(tmp_path / "cluster", workers=2) as dask_cluster:
        process = start("experiments.stability_sweep", tmp_path / "out", *words, "--cluster", dask_cluster.address)
        until(lambda: shards(tmp_path / "out") >= 1, "there are rows", process)
        dask_cluster.workers[0].kill()
        assert shards(tmp_path / "out") < 30, "the sweep had not ended"
        code, error = ended(process)
        assert code == 0, error
        assert dask_cluster.workers[1].is_alive()
    rows = read_rows(tmp_path / "out")
    assert len(rows) == 30
    assert rows["key"].is_unique
    sweep = pkgutil.resolve_name("experiments.stability_sweep:STUDY")  # the toy's processes need not import it
    assert main(replace(sweep, workers_are="threads"), ["--out", str(tmp_path / "local"), *words]) == 0
    same_but_for_time_and_place(rows, read_rows(tmp_path / "local"))


@dask
@posix
@pytest.mark.slow
def test_a_study_goes_on_without_a_worker_and_resumes_after_the_end_of_the_scheduler(tmp_path: Path) -> None:
    out = tmp_path / "out"
    slow(log_of(out)).touch()
    with cluster(tmp_path / "cluster", workers=2) as dask_cluster:
        process = start_toy(out, "--cluster", dask_cluster.address)
        first = dask_cluster.workers[0]
        until(lambda: [who for who, _ in calls(log_of(out))].count(first.pid) >= 2, "the worker has worked", process)
        first.kill()
        there = shards(out)
        until(lambda: shards(out) >= there + 4, "the other worker goes on", process)
        dask_cluster.scheduler.kill()
        code, error = ended(process)
    assert (code, error) == (2, f"error: the connection to the cluster's scheduler is lost: {kept(40, out)}")
    assert there + 4 <= shards(out) < 40
    slow(log_of(out)).unlink()
    assert main(LOCAL, ["--out", str(out), "--log", str(log_of(out))]) == 0
    assert read_rows(out)["number"].tolist() == list(range(40))


@dask
def test_a_cluster_computes_each_call_and_is_not_asked_for_it_again(tmp_path: Path) -> None:
    log = tmp_path / "calls.log"
    with cluster(tmp_path / "cluster", 1) as dask_cluster, executors.cluster(dask_cluster.address, compute) as executor:
        twice = [executor.submit(compute, 7, Config(str(log))) for _ in range(2)]
        assert [future.result() for future in twice] == [[{"number": 7}]] * 2
        assert [number for _, number in calls(log)] == [7, 7]
        until(lambda: not executor._client.futures, "the cluster may forget the results, though the futures are there")
        with pytest.raises(ValueError, match="invalid literal"):
            executor.submit(int, "seven").result()


@dask
def test_a_cluster_that_cannot_be_used_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, connected = tmp_path / "out", executors._connected

    def impatient(address: str) -> object:
        client = connected(address)
        monkeypatch.setattr(executors, "PATIENCE", 0.5)  # from here on: a busy scheduler may take longer to answer
        return client

    monkeypatch.setattr(executors, "_connected", impatient)

    def refused(address: str) -> str:
        assert main(STUDY, ["--out", str(out), "--cluster", address]) == 2
        assert not out.exists()
        return capsys.readouterr().err

    with cluster(tmp_path / "empty", workers=0) as dask_cluster:
        assert refused(dask_cluster.address) == (
            f"error: --cluster: the scheduler at {dask_cluster.address} has no worker; "
            f"start some by dask worker {dask_cluster.address}\n"
        )
    assert refused(dask_cluster.address) == (
        f"error: --cluster: no Dask scheduler answers at {dask_cluster.address} within 0.5 s\n"
    )


@dask
@pytest.mark.parametrize(
    "address", ["", "host", "host:8786", "tcp://host", "tcp://host:x", "tcp://:1", "tcp://h:70000"]
)
def test_what_is_no_address_is_refused(address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(STUDY, ["--out", str(tmp_path / "out"), "--cluster", address]) == 2
    assert capsys.readouterr().err == (
        f"error: --cluster must be the address of a Dask scheduler, as tcp://host:8786, got {address!r}\n"
    )
    assert not (tmp_path / "out").exists()


def test_a_cluster_without_distributed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(executors, "HAS_DISTRIBUTED", False)
    assert main(STUDY, ["--out", str(tmp_path / "out"), "--cluster", ADDRESS]) == 2
    assert capsys.readouterr().err == (
        "error: --cluster needs distributed: pip install 'implicit-smoothness[cluster]'\n"
    )


@posix
@pytest.mark.slow
@pytest.mark.usefixtures("ctrl_c")
def test_processes_end_with_the_study_that_is_killed_or_interrupted_and_it_resumes(tmp_path: Path) -> None:
    out = tmp_path / "out"
    slow(log_of(out)).touch()
    process = start_toy(out, "--workers", "2")
    until(lambda: shards(out) >= 4, "there are rows", process)
    process.kill()
    process.communicate()
    workers = {worker for worker, _ in calls(log_of(out))}
    assert process.pid not in workers
    until(lambda: not any(map(running, workers)), "the workers end")

    before, called = shards(out), len(calls(log_of(out)))
    process = start_toy(out, "--workers", "1")
    until(lambda: shards(out) > before, "it resumes", process)
    os.killpg(process.pid, signal.SIGINT)
    assert ended(process) == (130, f"Interrupted: {kept(40, out)}")
    begun = calls(log_of(out))[called:]
    assert shards(out) == before + len(begun), "a process ends what it has begun"
    until(lambda: not any(running(worker) for worker, _ in calls(log_of(out))), "the workers end")

    slow(log_of(out)).unlink()
    assert main(LOCAL, ["--out", str(out), "--log", str(log_of(out))]) == 0
    assert read_rows(out)["number"].tolist() == list(range(40))


@posix
def test_a_process_that_dies_ends_the_study_in_a_sentence(tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["--count", "12", "--dies-at", "9", "--workers", "1"]
    assert ended(start_toy(out, *words)) == (
        2,
        "error: a worker process died, as they do for lack of memory; fewer --workers need less: " + kept(12, out),
    )
    assert shards(out) == 9
    assert main(LOCAL, ["--out", str(out), "--log", str(log_of(out)), *words]) == 0
    assert read_rows(out)["number"].tolist() == list(range(12))


if __name__ == "__main__":
    sys.exit(main(STUDY))
