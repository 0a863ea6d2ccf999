"""What a study is, and how it is run: tasks to an executor, rows to a folder; then a table, a sentence and a figure."""

from __future__ import annotations

import hashlib
import json
import os
import pkgutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, Protocol, TypeVar

import pandas as pd
import tyro
from matplotlib.figure import Figure
from tqdm import tqdm

from experiments.engine.executors import Processes, cluster, loss
from experiments.engine.records import Folder, RecordsError, Row, opened
from numerics.files import write_whole
from numerics.provenance import provenance


class Dataclass(Protocol):
    """Any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


C = TypeVar("C", bound=Dataclass)
Task = Callable[[], list[Row]]
"""A piece of a study that is computed in one go: no arguments, its rows as result."""


@dataclass(frozen=True)
class Printed:
    """What a paper reports and a study is held against: the claim, where it stands, and what it says.

    The claim is None where the paper reports what was seen, and no claim that is registered says it.
    """

    claim: str | None
    locator: str
    reported: str


@dataclass(frozen=True, kw_only=True)
class Study(Generic[C]):
    """An experiment of a paper, that can be run again.

    Its tasks are partial functions of its module and their arguments, so that another process can be told of them; one
    that is run by `python -m` is called STUDY in its module.

    Attributes:
        id: the name of its module.
        title: what it does, in a line.
        claims: ids of the claims it bears on; none if it only repeats what a paper saw.
        printed: what the paper reports.
        presets: name to configuration; "smoke" is the same code in seconds, "paper" the whole study.
        tasks: configuration to tasks by key, in the order of the rows. It checks what the user asked for, and raises
            ValueError with a sentence; a task itself raises for bugs only.
        table: rows to a text that a person can read.
        conclusion: rows to one sentence.
        figure: rows to the figure; nothing else goes into it.
        identity: what else, beside its configuration, a run must share with the rows already in its folder.
        workers_are: what computes its tasks on this machine: threads, where the time goes into compiled loops that
            release the interpreter, or processes of one thread each, where it goes into Python and torch.
        animation: writes an animation of rows into a file, a GIF, where there is something to see in motion.
    """

    id: str
    title: str
    claims: tuple[str, ...]
    printed: tuple[Printed, ...]
    presets: Mapping[str, C]
    tasks: Callable[[C], Mapping[str, Task]]
    table: Callable[[pd.DataFrame], str]
    conclusion: Callable[[pd.DataFrame], str]
    figure: Callable[[pd.DataFrame], Figure]
    identity: Callable[[C], Mapping[str, Any]] = lambda config: {}
    workers_are: Literal["threads", "processes"] = "threads"
    animation: Callable[[pd.DataFrame, Path], object] | None = None


@dataclass(frozen=True)
class Options:
    """How to run a study; none of it changes a row.

    Attributes:
        preset: the configuration to start from; the options of the study below change single settings of it.
        out: folder for the rows, the table and the figure; runs/STUDY/PRESET if not given. A folder with rows of the
            same study and settings is resumed.
        workers: number of tasks computed at the same time on this machine.
        cluster: address of a Dask scheduler, as tcp://host:8786, whose workers compute the tasks instead.
    """

    preset: str = "default"
    out: Path | None = None
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    cluster: str | None = None


def seed_of(*names: object) -> int:
    """Return a seed below 2^63 that is a hash of names: SHA-256 of their texts, joined by '/'."""
    return int.from_bytes(hashlib.sha256("/".join(map(str, names)).encode()).digest()[:8], "big") >> 1


def computed(task: Task, common: Mapping[str, Any]) -> list[Row]:
    """Compute a task; add to each of its rows the common columns, versions, machine, and the seconds the task took."""
    start = time.perf_counter()
    rows = task()
    seconds = time.perf_counter() - start
    return [{**common, **row, **provenance(), "seconds": seconds} for row in rows]


def run(folder: Folder, tasks: Mapping[str, Task], common: Mapping[str, Any], executor: Executor) -> pd.DataFrame:
    """Compute the tasks whose rows are not in the folder yet, and return all rows.

    Args:
        folder: where the rows are kept.
        tasks: the tasks by key, in the order of the rows.
        common: columns that all rows share.
        executor: what computes them.

    Returns:
        The rows.

    Raises:
        KeyboardInterrupt: if the user interrupts. Then, and if a task fails, the rows of tasks that had begun are kept.
        BrokenExecutor: if what computes them is gone; the rows that are there are kept.
    """
    futures: dict[Future[list[Row]], str] = {}
    try:
        for key in folder.missing(list(tasks)):
            futures[executor.submit(computed, tasks[key], common)] = key
        interval = 0.2 if sys.stderr.isatty() else 10.0
        bar: tqdm[Any]
        with tqdm(total=len(tasks), initial=len(tasks) - len(futures), unit="task", mininterval=interval) as bar:
            for future in as_completed(futures):
                folder.add(futures[future], future.result())
                bar.update()
    except BaseException:
        keep_begun(folder, futures, executor)
        raise
    return folder.finish(list(tasks))


def keep_begun(folder: Folder, futures: Mapping[Future[list[Row]], str], executor: Executor) -> None:
    """Cancel the tasks that have not begun, wait for those that have, and keep their rows."""
    print("\nStopping: waiting for the tasks that have begun ...", file=sys.stderr)
    executor.shutdown(cancel_futures=True)
    there = folder.keys()
    for future, key in futures.items():
        if key not in there and not future.cancelled() and future.exception() is None:
            folder.add(key, future.result())


@dataclass(frozen=True)
class Arguments(Generic[C]):
    """What a command line says: how to run, and what."""

    run: tyro.conf.OmitArgPrefixes[Options]
    study: tyro.conf.OmitArgPrefixes[C]


def parse(study: Study[C], argv: Sequence[str], prog: str = "") -> tuple[Options, C]:
    """Return the options and the configuration that a command line asks for, the preset's where it says nothing.

    Args:
        study: the study.
        argv: the words of the command line.
        prog: what --help says the study is run by; `python -m` and its module if not given.

    Raises:
        ValueError: if there is no such preset, or no worker.
        SystemExit: after --help, or if the command line cannot be read.
    """
    chosen = preset_of(argv)
    if chosen not in study.presets:
        raise ValueError(f"--preset must be one of {', '.join(study.presets)}, got {chosen!r}")
    preset = study.presets[chosen]
    form: Any = Arguments
    parsed: Arguments[C] = tyro.cli(
        form[type(preset)],
        prog=prog or f"python -m experiments.{study.id}",
        description=f"{study.title} Presets: {', '.join(study.presets)}; the defaults shown are those of '{chosen}'.",
        default=Arguments(Options(chosen), preset),
        args=list(argv),
    )
    if parsed.run.preset != chosen:
        raise ValueError(f"--preset must be given once, got {chosen!r} and {parsed.run.preset!r}")
    if parsed.run.workers < 1:
        raise ValueError(f"--workers must be at least 1, got {parsed.run.workers}")
    return parsed.run, parsed.study


def preset_of(argv: Sequence[str]) -> str:
    """Return the preset that a command line names last, "default" if none: it is read first, for the defaults hang on it."""
    chosen = "default"
    for place, word in enumerate(argv):
        name, equals, value = word.partition("=")
        if name == "--preset":
            chosen = value if equals else "".join(argv[place + 1 : place + 2])
    return chosen


def write_results(folder: Folder, rows: pd.DataFrame, text: str, figure: Figure) -> list[Path]:
    """Write the table as text and the figure as PNG and PDF into the folder, each whole; return all files."""
    files = [folder.path / name for name in ("summary.txt", "figure.png", "figure.pdf")]
    write_whole(files[0], lambda aside: aside.write_text(text + "\n"))
    for file in files[1:]:
        write_whole(file, partial(figure.savefig, format=file.suffix[1:], dpi=160))
    return [folder.rows_file, folder.path / "config.json", *files]


def importable(study: Study[C]) -> Study[C]:
    """Return a study as other processes know it: that of `python -m experiments.NAME` as experiments.NAME's STUDY.

    What is defined in `__main__` is not found there by the workers of a cluster, which run another program.
    """
    module = getattr(sys.modules["__main__"], "__spec__", None)
    if module is None or study.tasks.__module__ != "__main__":
        return study
    known: Study[C] = pkgutil.resolve_name(f"{module.name}:STUDY")
    return known


def executor_of(study: Study[Any], options: Options) -> AbstractContextManager[Executor]:
    """Return what computes the tasks of a study: threads, processes, or a cluster.

    Raises:
        ClusterError: when it is entered, if the cluster cannot be used.
    """
    if options.cluster is not None:
        return cluster(options.cluster, study.tasks)
    return Processes(options.workers) if study.workers_are == "processes" else ThreadPoolExecutor(options.workers)


def main(study: Study[C], argv: Sequence[str] | None = None, *, prog: str = "") -> int:
    """Run a study from the command line.

    Args:
        study: the study.
        argv: the words of the command line after the program; those of this process if not given.
        prog: what --help says the study is run by.

    Returns:
        0 if it ended, 2 if it could not begin or lost its workers, 130 if it was interrupted.
    """
    study = importable(study)
    with ExitStack() as stack:
        try:
            options, config = parse(study, sys.argv[1:] if argv is None else argv, prog)
            tasks = study.tasks(config)
            path = options.out or Path("runs") / study.id / options.preset
            identity = json.loads(json.dumps({**asdict(config), **study.identity(config)}, default=str))
            executor = stack.enter_context(executor_of(study, options))
            folder = stack.enter_context(opened(path, study.id, identity))
        except ValueError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            print("Interrupted before the first task.", file=sys.stderr)
            return 130
        changed = "" if config == study.presets[options.preset] else ", changed"
        common = {"study": study.id, "preset": options.preset + changed}
        try:
            rows = run(folder, tasks, common, executor)
            heading = f"{study.title} Preset {common['preset']}: {len(tasks)} tasks, {len(rows)} rows."
            text = f"{heading}\n\n{study.table(rows)}\n\n{study.conclusion(rows)}"
            print(text)
            files = write_results(folder, rows, text, study.figure(rows))
            if study.animation is not None:
                files.append(folder.path / "animation.gif")
                write_whole(files[-1], partial(study.animation, rows))
        except KeyboardInterrupt:
            print(f"Interrupted: {kept(folder, tasks)}", file=sys.stderr)
            return 130
        except BrokenExecutor as error:
            print(f"error: {loss(error)}: {kept(folder, tasks)}", file=sys.stderr)
            return 2
        except RecordsError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
    print("\n" + "\n".join(f"wrote {file}" for file in files))
    return 0


def kept(folder: Folder, tasks: Mapping[str, Task]) -> str:
    """Return what to say when a study stops before its end."""
    there = len(folder.keys() & set(tasks))
    return (
        f"the rows of {there} of {len(tasks)} tasks are kept in {folder.path}; start the same command again to resume."
    )
