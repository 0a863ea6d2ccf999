"""What the benchmarks measure besides the time of the fast routine: memory, and the other way in the same run."""

import os
import statistics
import time
import tracemalloc
from collections.abc import Callable

from pytest_benchmark.fixture import BenchmarkFixture

Work = Callable[[], object]


def seconds(work: Work) -> float:
    """Return how long `work` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def peak_megabytes(work: Work) -> float:
    """Return the most memory that `work` holds in numpy arrays at once, beyond what was there before, in MB."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return (peak - before) / 1e6


def in_a_process(work: Work) -> tuple[float, float]:
    """Return the CPU seconds of `work` in a process of its own, and the most memory in MB that it adds there (Linux)."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        before = _status("VmRSS")
        with open("/proc/self/clear_refs", "w", encoding="ascii") as marks:
            marks.write("5")  # the peak is counted from here
        began = time.process_time()
        work()
        taken = time.process_time() - began
        os.write(writer, f"{taken} {_status('VmHWM') - before}".encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as end:
        taken_there, kilobytes = map(float, end.read().split())
    os.waitpid(child, 0)
    return taken_there, kilobytes / 1e3


def _status(name: str) -> int:
    """Return a line of what the system says of this process, in kB."""
    with open("/proc/self/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def compare(benchmark: BenchmarkFixture, fast: Work, slow: Work, *, other: str = "dense", rounds: int = 7) -> None:
    """Time `fast` and `slow` in turn, in one run, and record both, their ratio and their memory."""
    fast_seconds, slow_seconds = [], []

    def one_round() -> None:
        fast_seconds.append(seconds(fast))
        slow_seconds.append(seconds(slow))

    benchmark.pedantic(one_round, rounds=rounds, warmup_rounds=1)
    benchmark.extra_info["milliseconds"] = 1e3 * statistics.median(fast_seconds)
    benchmark.extra_info[f"milliseconds, {other}"] = 1e3 * statistics.median(slow_seconds)
    benchmark.extra_info["ratio"] = statistics.median(slow_seconds) / statistics.median(fast_seconds)
    benchmark.extra_info["peak MB"] = peak_megabytes(fast)
    benchmark.extra_info[f"peak MB, {other}"] = peak_megabytes(slow)


def timed(benchmark: BenchmarkFixture, ours: Work, theirs: Work, other: str, rounds: int = 3) -> None:
    """Time `ours` and `theirs` in turn, in one run, and record both and their ratio."""
    ours_seconds, their_seconds = [], []

    def one_round() -> None:
        ours_seconds.append(seconds(ours))
        their_seconds.append(seconds(theirs))

    benchmark.pedantic(one_round, rounds=rounds)
    benchmark.extra_info["milliseconds"] = 1e3 * statistics.median(ours_seconds)
    benchmark.extra_info[f"milliseconds, {other}"] = 1e3 * statistics.median(their_seconds)
    benchmark.extra_info["ratio"] = statistics.median(their_seconds) / statistics.median(ours_seconds)
