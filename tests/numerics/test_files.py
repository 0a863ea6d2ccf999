"""A file is whole or not there, whenever the user interrupts."""

import os
import signal
import threading
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


def test_a_write_that_fails_leaves_nothing_aside(tmp_path: Path) -> None:
    def fails(aside: Path) -> None:
        aside.write_text("half")
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space left"):
        write_whole(tmp_path / "rows", fails)
    assert list(tmp_path.iterdir()) == []


def test_of_several_writers_each_writes_whole(tmp_path: Path) -> None:
    def write(letter: str) -> None:
        for _ in range(50):
            write_whole(tmp_path / "rows", lambda aside: aside.write_text(letter * 50_000))
            text = (tmp_path / "rows").read_text()
            assert len(text) == 50_000
            assert len(set(text)) == 1

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(write, letter) for letter in "abcd"]:
            done.result()
    assert [path.name for path in tmp_path.iterdir()] == ["rows"]


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    target = tmp_path / "folder" / "target"
    for there in (False, True):
        link = tmp_path / f"link-{there}"
        target.unlink(missing_ok=True)
        if there:
            target.write_text("before")
        link.symlink_to(target)
        write_whole(link, lambda aside: aside.write_text("whole"))
        assert link.is_symlink()
        assert target.read_text() == "whole"


@pytest.mark.skipif(os.name != "posix", reason="no devices and pipes as files")
def test_devices_and_pipes_are_written_to_and_stay(tmp_path: Path) -> None:
    write_whole(Path(os.devnull), lambda aside: aside.write_text("nothing"))
    assert Path(os.devnull).is_char_device()
    pipe, heard = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: heard.append(pipe.read_text()))
    reader.start()
    write_whole(pipe, lambda aside: aside.write_text("said"))
    reader.join()
    assert heard == ["said"]
    assert pipe.is_fifo()
