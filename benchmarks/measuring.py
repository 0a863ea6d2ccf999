"""What the benchmarks measure besides the time of the fast routine: memory, and the other way in the same run."""

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
