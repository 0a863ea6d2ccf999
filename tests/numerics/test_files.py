"""A file is whole or not there, whenever the user interrupts."""

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from numerics.files import write_whole


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    def fails(aside: Path) -> None:
        aside.write_text("half")
        raise ArithmeticError

    file = tmp_path / "rows"
    write_whole(file, lambda aside: aside.write_text("before"))
    with pytest.raises(ArithmeticError):
        write_whole(file, fails)
    assert file.read_text() == "before"


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_is_heard_when_the_file_is_there(tmp_path: Path) -> None:
    def interrupted(aside: Path) -> None:
        signal.raise_signal(signal.SIGINT)
        aside.write_text("whole")

    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "rows", interrupted)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("rows", "whole")]
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_thread_writes_as_well(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as threads:
        threads.submit(write_whole, tmp_path / "rows", lambda aside: aside.write_text("whole")).result()
    assert (tmp_path / "rows").read_text() == "whole"
