"""What every test runs under: one thread a process, repeatable examples, no GPU test without a GPU."""

import os
import signal
from collections.abc import Iterator

# Before numpy and torch come in; the processes that tests start inherit it.
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

import pytest
import torch
from hypothesis import HealthCheck, settings

from proofs_check.draws import same_draws

torch.set_num_threads(1)

# Float arithmetic of a first call (a compiled kernel, a solver's set-up) is slow, so no example has a deadline.
settings.register_profile(
    "default", derandomize=True, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
# HYPOTHESIS_PROFILE=thorough pytest: new examples every time, and twenty times as many.
settings.register_profile("thorough", settings.get_profile("default"), derandomize=False, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session", autouse=True)
def _same_draws() -> Iterator[None]:
    """Draw the same examples whichever tests run, and in whichever process."""
    if not settings.default.derandomize:
        yield
        return
    with same_draws():
        yield


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Let this process and those that it starts hear Ctrl-C, which a shell without job control has its jobs ignore."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that is marked `gpu` where there is no CUDA device."""
    if item.get_closest_marker("gpu") is not None and not torch.cuda.is_available():
        pytest.skip("no CUDA device")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests measured: a bound that holds says more with how close it came."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"measured: {name}: {value}")
