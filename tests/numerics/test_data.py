import gzip
import hashlib
import io
import math
import os
import pickle
import struct
import tarfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pooch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerics import data
from numerics.data import (
    DATA_VARIABLE,
    DIGIT_PAIRS,
    Checksum,
    DataError,
    Images,
    cifar10,
    digit_pair,
    mnist,
    read_idx,
)
from theory.checks import Array
from theory.claim import Ruling
from theory.registry import CLAIMS

REAL = os.environ.get(DATA_VARIABLE, "")


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No network, and no folder of the user's."""

    def refuse(url: str, *_: object, **__: object) -> str:
        raise AssertionError(f"a test asked for {url}")

    monkeypatch.setattr(pooch, "retrieve", refuse)
    monkeypatch.delenv(DATA_VARIABLE, raising=False)


# The Gaussian process.


def idx(array: Array) -> bytes:
    return struct.pack(f">{1 + array.ndim}I", 0x0800 + array.ndim, *array.shape) + array.tobytes()


def pixels(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("shape", [(3, 4, 5), (7,), (2, 3), (1, 1, 1), (0,), (0, 4, 5)])
@pytest.mark.parametrize("packed", [True, False])
def test_read_idx_reads_what_was_written(tmp_path: Path, shape: tuple[int, ...], packed: bool) -> None:
    expected = pixels(*shape)
    (tmp_path / "array").write_bytes(gzip.compress(idx(expected)) if packed else idx(expected))
    found = read_idx(tmp_path / "array", len(shape))
    assert found.dtype == np.uint8
    assert found.flags.writeable  # torch.from_numpy warns of arrays that are not
    np.testing.assert_array_equal(found, expected)


WHOLE = idx(pixels(3, 4, 5))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must begin with an IDX header of 16 bytes, got 0"),
        (WHOLE[:10], "must begin with an IDX header of 16 bytes, got 10"),
        (WHOLE[:-1], "must hold 3 x 4 x 5 bytes after its header, got 59"),
        (WHOLE + b"x", "must hold 3 x 4 x 5 bytes after its header, got 61"),
        (idx(pixels(60)) + b"12345678", "must begin with the number 2051, .* got 2049"),
        (struct.pack(">4I", 0x0D03, 1, 1, 1) + b"1234", "must begin with the number 2051"),  # of floats
        (b"\0\0" + WHOLE, "must begin with the number 2051"),
        (struct.pack(">4I", 2051, 2**32 - 1, 2**32 - 1, 2**32 - 1), "must hold 4294967295 x"),
        (gzip.compress(WHOLE)[:-1], "is no whole gzip file"),
        (gzip.compress(WHOLE)[:20], "is no whole gzip file"),
        (gzip.compress(WHOLE)[:-8] + bytes(8), "is no whole gzip file"),
        (gzip.compress(WHOLE) + b"tail", "is no whole gzip file"),
        (b"\x1f\x8b" + bytes(100), "is no whole gzip file"),
        (gzip.compress(WHOLE)[:10] + b"\xff" * 30, "is no whole gzip file"),
        (gzip.compress(b""), "must begin with an IDX header"),
    ],
    ids=[
        "empty",
        "header cut",
        "pixels cut",
        "one byte more",
        "labels",
        "floats",
        "shifted",
        "sizes beyond the file",
        "gzip cut",
        "gzip cut early",
        "gzip with a wrong checksum",
        "gzip with a tail",
        "gzip by its first bytes alone",
        "gzip of rubbish",
        "gzip of nothing",
    ],
)
def test_malformed_idx_files_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "bad").write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_idx(tmp_path / "bad", 3)
    assert str(tmp_path / "bad") in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None  # no traceback of gzip


def test_unreadable_files_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(DataError, match="cannot be read"):
            read_idx(path, 3)


# MNIST from files: small ones in its format, whose checksums take the place of the official ones.

NAMES = list(data.MNIST_AXES)
SMALL = dict(
    zip(NAMES, [pixels(6, 4, 4), pixels(6) % 10, pixels(3, 4, 4, seed=1), pixels(3, seed=1) % 10], strict=True)
)


def checksum(content: bytes) -> Checksum:
    return Checksum(len(content), hashlib.sha256(content).hexdigest())


@pytest.fixture
def small_mnist(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The files, packed and unpacked, by name."""
    unpacked = {name: idx(array) for name, array in SMALL.items()}
    files = {**unpacked, **{f"{name}.gz": gzip.compress(content) for name, content in unpacked.items()}}
    monkeypatch.setattr(data, "MNIST_FILES", {name: checksum(content) for name, content in files.items()})
    return files


def put(folder: Path, files: dict[str, bytes], *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(files[name])
    return folder


def assert_small_mnist(images: Images) -> None:
    assert images.name == "mnist"
    for found, expected in zip(
        (images.x_train, images.y_train, images.x_test, images.y_test), SMALL.values(), strict=True
    ):
        np.testing.assert_array_equal(found, expected)
        assert found.flags.writeable


@pytest.mark.parametrize("inside", ["", "mnist"])
@pytest.mark.parametrize("ending", [".gz", ""])
def test_mnist_is_read_from_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_mnist: dict[str, bytes], inside: str, ending: str
) -> None:
    put(tmp_path / inside, small_mnist, *(name + ending for name in NAMES))
    assert_small_mnist(mnist(tmp_path))
    assert_small_mnist(mnist(str(tmp_path)))
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    assert_small_mnist(mnist())


def test_the_argument_goes_before_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_mnist: dict[str, bytes]
) -> None:
    put(tmp_path / "given", small_mnist, *NAMES)
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "absent"))
    assert_small_mnist(mnist(tmp_path / "given"))
    with pytest.raises(DataError, match=f"the environment variable {DATA_VARIABLE} must name a folder, got .*absent"):
        mnist()
    with pytest.raises(DataError, match="data_dir must name a folder, got"):
        mnist(tmp_path / "given" / NAMES[0])


def test_packed_and_unpacked_files_may_stand_side_by_side(tmp_path: Path, small_mnist: dict[str, bytes]) -> None:
    assert_small_mnist(mnist(put(tmp_path, small_mnist, NAMES[0], NAMES[1] + ".gz", NAMES[2], NAMES[3] + ".gz")))


def test_missing_files_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_mnist: dict[str, bytes]
) -> None:
    put(tmp_path, small_mnist, NAMES[0], NAMES[3])
    with pytest.raises(DataError, match=f"put {NAMES[1]}, {NAMES[2]}, packed .* or give no data_dir") as caught:
        mnist(tmp_path)
    assert str(tmp_path) in str(caught.value)
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    with pytest.raises(DataError, match=f", or unset the environment variable {DATA_VARIABLE}"):
        mnist()


@pytest.mark.parametrize("ending", [".gz", ""])
def test_half_written_and_corrupted_files_are_refused(
    tmp_path: Path, small_mnist: dict[str, bytes], ending: str
) -> None:
    folder = put(tmp_path, small_mnist, *(name + ending for name in NAMES))
    path = folder / (NAMES[2] + ending)
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    with pytest.raises(DataError, match=rf"half-written, {len(whole) - 3} of {len(whole)} bytes: remove it"):
        mnist(folder)
    path.write_bytes(b"")
    with pytest.raises(DataError, match=rf"half-written, 0 of {len(whole)} bytes: remove it"):
        mnist(folder)
    for bad in (whole[:-1] + bytes([whole[-1] ^ 1]), whole + b"x"):
        path.write_bytes(bad)
        expected, found = (hashlib.sha256(content).hexdigest() for content in (whole, bad))
        with pytest.raises(
            DataError, match=f"corrupted, expected SHA-256 {expected}, found {found}: remove it"
        ) as caught:
            mnist(folder)
        assert str(path) in str(caught.value)


def test_a_folder_in_place_of_a_file_is_refused(tmp_path: Path, small_mnist: dict[str, bytes]) -> None:
    folder = put(tmp_path, small_mnist, *NAMES[1:])
    (folder / NAMES[0]).mkdir()
    with pytest.raises(DataError, match="cannot be read"):
        mnist(folder)


# Downloads, with pooch replaced.

Retrieve = Callable[..., str]


def serve(files: dict[str, bytes], cache: Path, asked: list[str], refusing: str = "nobody") -> Retrieve:
    """Return what takes the place of pooch.retrieve and copies `files`, except from a mirror that is refusing."""

    def retrieve(url: str, known_hash: str, *, fname: str, path: Path, progressbar: bool) -> str:
        asked.append(url)
        if refusing in url:
            raise ConnectionError("HTTPSConnectionPool: a text of many lines")
        content = files[url.rsplit("/", 1)[1]]
        if known_hash != f"sha256:{hashlib.sha256(content).hexdigest()}":
            raise ValueError("SHA256 hash of downloaded file does not match the known hash")
        assert path == cache
        cache.mkdir(exist_ok=True)
        (cache / fname).write_bytes(content)
        return str(cache / fname)

    return retrieve


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / name)
    return tmp_path / "implicit-smoothness"


@pytest.mark.parametrize("variable", [None, ""])
def test_without_a_folder_mnist_is_downloaded(
    cache: Path, monkeypatch: pytest.MonkeyPatch, small_mnist: dict[str, bytes], variable: str | None
) -> None:
    if variable is not None:
        monkeypatch.setenv(DATA_VARIABLE, variable)
    asked: list[str] = []
    monkeypatch.setattr(pooch, "retrieve", serve(small_mnist, cache, asked))
    assert_small_mnist(mnist())
    assert asked == [f"{data.MNIST_MIRRORS[0]}{name}.gz" for name in NAMES]


def test_the_next_mirror_is_tried(cache: Path, monkeypatch: pytest.MonkeyPatch, small_mnist: dict[str, bytes]) -> None:
    asked: list[str] = []
    monkeypatch.setattr(pooch, "retrieve", serve(small_mnist, cache, asked, refusing="amazonaws"))
    assert_small_mnist(mnist())
    assert len(asked) == 8


def test_offline_the_mirrors_and_the_way_by_hand_are_named(
    cache: Path, monkeypatch: pytest.MonkeyPatch, small_mnist: dict[str, bytes]
) -> None:
    monkeypatch.setattr(pooch, "retrieve", serve(small_mnist, cache, [], refusing="https"))
    with pytest.raises(DataError) as caught:
        mnist()
    message = str(caught.value)
    for mirror in data.MNIST_MIRRORS:
        assert f"{mirror}{NAMES[0]}.gz (ConnectionError)" in message
    assert f"put {', '.join(f'{name}.gz' for name in NAMES)} into a folder by hand" in message
    assert DATA_VARIABLE in message
    assert "\n" not in message
    assert "HTTPSConnectionPool" not in message
    assert caught.value.__suppress_context__ or caught.value.__context__ is None  # no traceback of requests
    with pytest.raises(
        DataError, match=r"cs.toronto.edu/~kriz/cifar-10-python.tar.gz \(ConnectionError\): put cifar-10"
    ):
        cifar10()


def test_a_mirror_that_sends_something_else_is_refused(
    cache: Path, monkeypatch: pytest.MonkeyPatch, small_mnist: dict[str, bytes]
) -> None:
    pages = dict.fromkeys(small_mnist, b"<html>")
    monkeypatch.setattr(pooch, "retrieve", serve(pages, cache, []))
    with pytest.raises(DataError, match="what came has another SHA-256"):
        mnist()


# CIFAR-10 from files.


def python2_pickle(x: Array, labels: list[int], module: str = "numpy.core.multiarray") -> bytes:
    """A pickle as Python 2 wrote the official batches, opcode by opcode."""
    numbers = b"".join(b"K" + bytes([label]) for label in labels)
    dtype = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    array = b"c" + module.encode() + b"\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    shape = b"M" + struct.pack("<H", x.shape[0]) + b"M" + struct.pack("<H", x.shape[1]) + b"\x86"
    content = b"T" + struct.pack("<I", x.size) + x.tobytes()
    names = b"](U\x05a.pngU\x05b.pnge"
    return (
        b"\x80\x02}(U\x0bbatch_labelU\x06a testU\x06labels](" + numbers + b"eU\x04data" + array
        + b"(K\x01" + shape + dtype + b"\x89" + content + b"tbU\x09filenames" + names + b"u."
    )  # fmt: skip


COUNTS = dict.fromkeys(data.CIFAR10_BATCHES, 2) | {"test_batch": 3}
PLANES = {name: pixels(count, 3072, seed=i) for i, (name, count) in enumerate(COUNTS.items())}
LABELS = {name: [(3 * i + j) % 10 for j in range(count)] for i, (name, count) in enumerate(COUNTS.items())}


def archive_of(batches: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for name, content in reversed(batches.items()):  # in no particular order
            member = tarfile.TarInfo(f"{data.CIFAR10_FOLDER}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return file.getvalue()


@pytest.fixture
def small_cifar10(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Batches, archive and subset, by name."""
    batches = {name: python2_pickle(PLANES[name], LABELS[name]) for name in COUNTS}
    monkeypatch.setattr(data, "CIFAR10_BATCHES", {name: checksum(content) for name, content in batches.items()})
    file = io.BytesIO()
    np.savez_compressed(
        file, x_train=pixels(4, 32, 32, 3), y_train=pixels(4) % 10, x_test=pixels(2, 32, 32, 3), y_test=pixels(2) % 10
    )
    packed = {data.CIFAR10_ARCHIVE: archive_of(batches), data.CIFAR10_SUBSET: file.getvalue()}
    monkeypatch.setattr(data, "CIFAR10_FILES", {name: checksum(content) for name, content in packed.items()})
    return batches | packed


def assert_small_cifar10(images: Images) -> None:
    assert images.name == "cifar10"
    assert images.x_train.shape == (10, 32, 32, 3)
    assert images.x_test.shape == (3, 32, 32, 3)
    names = list(COUNTS)
    assert images.y_train.tolist() == [label for name in names[:5] for label in LABELS[name]]
    assert images.y_test.tolist() == LABELS["test_batch"]
    for i, row, column, channel in [(0, 0, 0, 0), (3, 5, 31, 1), (9, 31, 0, 2), (4, 17, 8, 2)]:
        plane = PLANES[names[i // 2]][i % 2]
        assert images.x_train[i, row, column, channel] == plane[1024 * channel + 32 * row + column]
    assert images.x_test[2, 1, 2, 1] == PLANES["test_batch"][2, 1024 + 32 + 2]
    assert images.x_train.flags.writeable
    assert images.x_test.flags.writeable


@pytest.mark.parametrize("inside", ["", "cifar10", "cifar-10-batches-py", "cifar10/cifar-10-batches-py"])
def test_cifar10_is_read_from_its_batches(tmp_path: Path, small_cifar10: dict[str, bytes], inside: str) -> None:
    put(tmp_path / inside, small_cifar10, *COUNTS)
    put(tmp_path, small_cifar10, data.CIFAR10_SUBSET)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_small_cifar10(cifar10(tmp_path))


@pytest.mark.parametrize("inside", ["", "cifar10"])
def test_cifar10_is_read_from_its_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_cifar10: dict[str, bytes], inside: str
) -> None:
    put(tmp_path / inside, small_cifar10, data.CIFAR10_ARCHIVE, data.CIFAR10_SUBSET, "data_batch_3")
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    assert_small_cifar10(cifar10())


def test_without_a_folder_cifar10_is_downloaded(
    cache: Path, monkeypatch: pytest.MonkeyPatch, small_cifar10: dict[str, bytes]
) -> None:
    monkeypatch.setattr(pooch, "retrieve", serve(small_cifar10, cache, []))
    assert_small_cifar10(cifar10())


@pytest.mark.parametrize("inside", ["", "cifar10"])
def test_the_subset_of_cifar10_says_so(tmp_path: Path, small_cifar10: dict[str, bytes], inside: str) -> None:
    put(tmp_path / inside, small_cifar10, data.CIFAR10_SUBSET)
    images = cifar10(tmp_path)
    assert images.name == "cifar10-subset"
    assert images.x_train.shape == (4, 32, 32, 3)
    np.testing.assert_array_equal(images.x_train, pixels(4, 32, 32, 3))


def test_a_part_of_the_batches_is_no_data_set(tmp_path: Path, small_cifar10: dict[str, bytes]) -> None:
    put(tmp_path, small_cifar10, *list(COUNTS)[1:-1], data.CIFAR10_SUBSET)
    with pytest.raises(DataError, match=r"put data_batch_1, test_batch, or the archive cifar-10-python\.tar\.gz, into"):
        cifar10(tmp_path)
    with pytest.raises(DataError, match=r"put data_batch_1, data_batch_2, .*, test_batch, or the archive"):
        cifar10(put(tmp_path / "empty", {}))


@pytest.mark.parametrize("name", ["data_batch_4", data.CIFAR10_ARCHIVE, data.CIFAR10_SUBSET])
def test_corrupted_files_of_cifar10_are_refused_before_they_are_opened(
    tmp_path: Path, small_cifar10: dict[str, bytes], name: str
) -> None:
    put(tmp_path, small_cifar10, *(COUNTS if name in COUNTS else [name]))
    whole = small_cifar10[name]
    (tmp_path / name).write_bytes(b"cos\nabort\n(tR." + whole[14:])
    with pytest.raises(DataError, match=f"{name} is corrupted, expected SHA-256"):
        cifar10(tmp_path)
    (tmp_path / name).write_bytes(whole[:-1])
    with pytest.raises(DataError, match=f"{name} is half-written"):
        cifar10(tmp_path)


def test_members_of_the_archive_are_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_cifar10: dict[str, bytes]
) -> None:
    batches = {name: small_cifar10[name] for name in COUNTS}
    archive = archive_of(batches | {"data_batch_2": b"cos\nabort\n(tR." + batches["data_batch_2"][14:]})
    monkeypatch.setitem(data.CIFAR10_FILES, data.CIFAR10_ARCHIVE, checksum(archive))
    put(tmp_path, {data.CIFAR10_ARCHIVE: archive}, data.CIFAR10_ARCHIVE)
    with pytest.raises(DataError, match=r"tar\.gz, data_batch_2 is corrupted"):
        cifar10(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"cos\nsystem\n(U\x04trueItR.", "asks for os.system"),
        (pickle.dumps(print), "asks for builtins.print"),
        (pickle.dumps(np.zeros(3)), "asks for numpy"),
        (python2_pickle(pixels(2, 3072), [1, 2]).replace(b"U\x02u1", b"U\x02O8"), "asks for an array of b'O8'"),
        (python2_pickle(pixels(2, 3072), [1, 2])[:100], "fails"),
        (b"", "fails"),
    ],
    ids=["a call", "a function", "an array of numpy 2", "an array of objects", "cut", "empty"],
)
def test_pickles_of_anything_else_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_cifar10: dict[str, bytes], content: bytes, message: str
) -> None:
    put(tmp_path, small_cifar10, *COUNTS)
    (tmp_path / "data_batch_1").write_bytes(content)
    monkeypatch.setitem(data.CIFAR10_BATCHES, "data_batch_1", checksum(content))
    with pytest.raises(DataError, match=message):
        cifar10(tmp_path)


def test_a_subset_with_a_pickle_inside_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_cifar10: dict[str, bytes]
) -> None:
    np.savez(tmp_path / data.CIFAR10_SUBSET, x_train=np.array([{}], dtype=object))
    content = (tmp_path / data.CIFAR10_SUBSET).read_bytes()
    monkeypatch.setitem(data.CIFAR10_FILES, data.CIFAR10_SUBSET, checksum(content))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        cifar10(tmp_path)


# Pairs of digits.

TRAIN = np.array([3, 0, 7, 3, 3, 7, 0, 3, 7, 3, 0, 7], dtype=np.uint8)
TEST = np.array([7, 7, 0, 3, 7], dtype=np.uint8)
DIGITS = Images("digits", pixels(12, 2, 3), TRAIN, pixels(5, 2, 3, seed=1), TEST)


def rows(indices: list[int], x: Array = DIGITS.x_train) -> Array:
    return x[indices].reshape(len(indices), 6) / 255


def test_digit_pair_takes_the_first_images_in_file_order() -> None:
    pair = digit_pair(DIGITS, 3, 7, size=6)
    assert pair.name == "digits-3-7"
    np.testing.assert_allclose(pair.x_train, rows([0, 2, 3, 4, 5, 7]), rtol=1e-7)
    assert pair.y_train.tolist() == [-1, 1, -1, -1, 1, -1]
    np.testing.assert_allclose(pair.x_test, rows([0, 1, 3, 4], DIGITS.x_test), rtol=1e-7)
    assert pair.y_test.tolist() == [1, 1, -1, 1]
    assert {array.dtype for array in (pair.x_train, pair.y_train, pair.x_test, pair.y_test)} == {np.dtype(np.float32)}
    assert len(digit_pair(DIGITS, 3, 7, size=9).y_train) == 9


def test_a_balanced_digit_pair_takes_both_by_turns() -> None:
    pair = digit_pair(DIGITS, 3, 7, size=6, balanced=True)
    assert pair.name == "digits-3-7-balanced"
    np.testing.assert_allclose(pair.x_train, rows([0, 2, 3, 5, 4, 8]), rtol=1e-7)
    assert pair.y_train.tolist() == [-1, 1] * 3
    np.testing.assert_array_equal(pair.x_test, digit_pair(DIGITS, 3, 7, size=2).x_test)


@pytest.mark.parametrize("balanced", [True, False])
@given(
    labels=st.lists(st.integers(0, 3), min_size=8, max_size=40).map(lambda free: [1, 2, 1, 2, *free]),
    share=st.floats(0, 1),
    swap=st.booleans(),
)
def test_digit_pairs_are_nested_and_swap(balanced: bool, labels: list[int], share: float, swap: bool) -> None:
    y = np.array(labels, dtype=np.uint8)
    images = Images("random", np.arange(len(y), dtype=np.uint8).reshape(-1, 1, 1), y, pixels(2, 1, 1), y[:2])
    a, b = (2, 1) if swap else (1, 2)
    most = 2 * min(labels.count(1), labels.count(2)) if balanced else labels.count(1) + labels.count(2)
    size = 2 * max(1, int(share * most / 2))
    whole, part = (digit_pair(images, a, b, size=n, balanced=balanced) for n in (most, size))
    np.testing.assert_array_equal(part.x_train, whole.x_train[:size])
    np.testing.assert_array_equal(part.y_train, whole.y_train[:size])
    taken = np.rint(whole.x_train[:, 0] * 255).astype(int)
    np.testing.assert_array_equal(whole.y_train, np.where(y[taken] == b, 1, -1))
    assert len(set(taken)) == most
    for target in (-1, 1):
        assert np.all(np.diff(taken[whole.y_train == target]) > 0)
    if balanced:
        assert np.sum(part.y_train) == 0
    else:
        assert np.all(np.diff(taken) > 0)
        np.testing.assert_array_equal(digit_pair(images, b, a, size=size).y_train, -part.y_train)


def test_pixels_become_shares_of_one() -> None:
    x = np.array([0, 255, 51, 128], dtype=np.uint8).reshape(4, 1, 1)
    y = np.array([0, 1, 0, 1], dtype=np.uint8)
    pair = digit_pair(Images("four", x, y, x, y), 0, 1, size=4)
    assert pair.x_train[:, 0].tolist() == [0.0, 1.0, np.float32(0.2), np.float32(128 / 255)]


def test_digit_pairs_are_the_45() -> None:
    assert len(DIGIT_PAIRS) == len(set(DIGIT_PAIRS)) == math.comb(10, 2) == 45
    assert all(0 <= a < b <= 9 for a, b in DIGIT_PAIRS)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"a": 4}, ValueError, "a must be one of the labels of digits, 0, 3, 7, got 4"),
        ({"b": 11}, ValueError, "b must be one of the labels of digits, 0, 3, 7, got 11"),
        ({"b": -1}, ValueError, "b must be one of"),
        ({"a": 7}, ValueError, "a and b must differ, got 7 twice"),
        ({"a": 3.0}, TypeError, "a must be an integer"),
        ({"b": True}, TypeError, "b must be an integer"),
        ({"size": 4.0}, TypeError, "size must be an integer"),
        ({"size": 1}, ValueError, "size must be at least 2, got 1"),
        ({"size": 0, "balanced": True}, ValueError, "size must be even and at least 2, got 0"),
        ({"size": 3, "balanced": True}, ValueError, "size must be even and at least 2, got 3"),
        ({"size": 10}, ValueError, "size must be at most 9, the training images of 3 and 7 in digits, got 10"),
        ({"size": 10, "balanced": True}, ValueError, "size must be at most 8, the balanced training images of 3 and 7"),
        ({}, ValueError, "size must be at most 9, .* got 10000"),
    ],
)
def test_digit_pair_says_what_is_wrong(arguments: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        digit_pair(DIGITS, **{"a": 3, "b": 7, **arguments})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"x_train": np.zeros((12, 2, 3))}, "x_train and y_train must be uint8, got float64 and uint8"),
        ({"y_test": TEST.astype(np.int64)}, "x_test and y_test must be uint8, got uint8 and int64"),
        ({"y_train": TRAIN[1:]}, "y_train must hold one label for each image"),
        ({"y_test": TEST[:, None]}, "y_test must hold one label for each image"),
        ({"x_test": pixels(5, 3, 2)}, "x_train and x_test must hold images of one shape"),
    ],
)
def test_images_that_do_not_fit_are_refused(changed: dict[str, Array], message: str) -> None:
    arrays = {"x_train": DIGITS.x_train, "y_train": TRAIN, "x_test": DIGITS.x_test, "y_test": TEST}
    with pytest.raises(ValueError, match=message):
        Images("bad", **(arrays | changed))


# The real data, where there are any.

needs_real_data = pytest.mark.skipif(
    not Path(REAL).is_dir() or not REAL, reason=f"{DATA_VARIABLE} names no folder with the real images"
)


def real(load: Callable[[str], Images]) -> Images:
    """The images in the user's folder; skip if they are not there, fail if they are broken."""
    try:
        return load(REAL)
    except DataError as error:
        if "is not whole" in str(error):
            pytest.skip(str(error))
        raise


@needs_real_data
def test_the_real_mnist() -> None:
    images = real(mnist)
    assert images.x_train.shape == (60_000, 28, 28)
    assert images.x_test.shape == (10_000, 28, 28)
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(images.y_train).tolist() == counts
    assert np.bincount(images.y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert round(float(np.mean(images.x_train)) / 255, 5) == 0.13066
    assert round(float(np.mean(images.x_test)) / 255, 5) == 0.13251
    assert images.y_train[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    for a, b in DIGIT_PAIRS:
        assert counts[a] + counts[b] >= 11_263  # as digit_pair says
    for balanced in (False, True):
        pair = digit_pair(images, 4, 5, balanced=balanced)
        assert pair.x_train.shape == (10_000, 784)
        assert len(pair.x_test) == 982 + 892
        assert np.min(pair.x_train) == 0
        assert np.max(pair.x_train) == 1
    assert len(digit_pair(images, 4, 5, size=10_842, balanced=True).x_train) == 2 * min(counts)
    of_all = np.bincount(np.concatenate([images.y_train, images.y_test]))
    assert np.max(of_all) < 8_000  # as V26 says
    for a, b in DIGIT_PAIRS:
        for of_each, ruling in ((10_000, Ruling.VIOLATED), (5_000, Ruling.HOLDS)):
            found = {"first_count": counts[a], "second_count": counts[b], "limit": of_each}
            assert CLAIMS["V26"].evaluate(found).ruling is ruling


@needs_real_data
def test_the_real_cifar10() -> None:
    images = real(cifar10)
    if images.name == "cifar10":
        assert np.bincount(images.y_train).tolist() == [5_000] * 10
        assert np.bincount(images.y_test).tolist() == [1_000] * 10
        channels = np.mean(images.x_train, axis=(0, 1, 2)) / 255
        np.testing.assert_allclose(channels, [0.49140, 0.48216, 0.44653], rtol=0, atol=5.1e-6)
        kept = []
        for y, most in ((images.y_train, 1_000), (images.y_test, 200)):
            rank = np.array([np.sum(y[: i + 1] == label) for i, label in enumerate(y[:11_000])])
            kept.append(np.flatnonzero(rank <= most))
        train, test = kept
        images = Images(
            "cifar10-subset", images.x_train[train], images.y_train[train], images.x_test[test], images.y_test[test]
        )
    digests = {
        "x_train": "2f36aac721d9bc8dfa4fe788f951685e47e5c0a3cbe784a9f55ec7e438b91b0a",
        "y_train": "c48dd114744b9f3299cb76e5e88e51d4eb6053678aefc6dfb3ba17410781c233",
        "x_test": "2604dccd3d4c3aa0e6504b43cdf8a5f3f5e37f783ec0922625192b99368b2a9d",
        "y_test": "0eeebe13288931f8d9ed333b8d958eaf07ea15867049ff228eae05409d183da2",
    }
    assert np.bincount(images.y_train).tolist() == [1_000] * 10
    for name, digest in digests.items():
        assert hashlib.sha256(getattr(images, name).tobytes()).hexdigest() == digest
