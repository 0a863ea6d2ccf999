"""The data of the studies: paths of a Gaussian process and orders in which to add points, MNIST, CIFAR-10."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import io
import math
import os
import pickle
import tarfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pooch

from theory.checks import Array

DATA_VARIABLE = "IMPLICIT_SMOOTHNESS_DATA"
"""The environment variable that names the folder of the images."""

DIGIT_PAIRS = tuple(combinations(range(10), 2))
"""The 45 pairs of digits a < b (volhejn2020, section 4.3.2)."""


class DataError(ValueError):
    """Files of images are missing, half-written or corrupted, or cannot be downloaded; one sentence says what to do."""


@dataclass(frozen=True)
class Checksum:
    """What a file must be: its length in bytes and its SHA-256, in hexadecimal digits."""

    size: int
    sha256: str


MNIST_AXES = {
    "train-images-idx3-ubyte": 3,
    "train-labels-idx1-ubyte": 1,
    "t10k-images-idx3-ubyte": 3,
    "t10k-labels-idx1-ubyte": 1,
}
"""The files of MNIST, in the order of the arrays of `Images`, and the axes of each."""
MNIST_FILES = {
    "train-images-idx3-ubyte.gz": Checksum(
        9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
    ),
    "train-labels-idx1-ubyte.gz": Checksum(28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
    "t10k-images-idx3-ubyte.gz": Checksum(
        1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"
    ),
    "t10k-labels-idx1-ubyte.gz": Checksum(4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    "train-images-idx3-ubyte": Checksum(47_040_016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    "train-labels-idx1-ubyte": Checksum(60_008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    "t10k-images-idx3-ubyte": Checksum(7_840_016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    "t10k-labels-idx1-ubyte": Checksum(10_008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
}
"""The same, by Y. LeCun, C. Cortes, C. Burges; packed by gzip, as they are distributed, and unpacked."""
MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)

CIFAR10_BATCHES = {
    "data_batch_1": Checksum(31_035_704, "54636561a3ce25bd3e19253c6b0d8538147b0ae398331ac4a2d86c6d987368cd"),
    "data_batch_2": Checksum(31_035_320, "766b2cef9fbc745cf056b3152224f7cf77163b330ea9a15f9392beb8b89bc5a8"),
    "data_batch_3": Checksum(31_035_999, "0f00d98ebfb30b3ec0ad19f9756dc2630b89003e10525f5e148445e82aa6a1f9"),
    "data_batch_4": Checksum(31_035_696, "3f7bb240661948b8f4d53e36ec720d8306f5668bd0071dcb4e6c947f78e9682b"),
    "data_batch_5": Checksum(31_035_623, "d91802434d8376bbaeeadf58a737e3a1b12ac839077e931237e0dcd43adcb154"),
    "test_batch": Checksum(31_035_526, "f53d8d457504f7cff4ea9e021afcf0e0ad8e24a91f3fc42091b8adef61157831"),
}
"""The members of the archive by A. Krizhevsky, V. Nair, G. Hinton; the test batch last."""
CIFAR10_FOLDER = "cifar-10-batches-py"
CIFAR10_ARCHIVE = "cifar-10-python.tar.gz"
CIFAR10_SUBSET = "cifar10-subset.npz"
CIFAR10_FILES = {
    CIFAR10_ARCHIVE: Checksum(170_498_071, "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"),
    CIFAR10_SUBSET: Checksum(33_924_998, "f9ca5f39945c90c177586c2910afb0a22405d4c6f26e11ac83153fd5fa5c1fff"),
}
CIFAR10_MIRRORS = ("https://www.cs.toronto.edu/~kriz/",)


@dataclass(frozen=True, eq=False)
class Images:
    """Labelled images, in the order of their files.

    Attributes:
        name: "mnist", "cifar10", or "cifar10-subset", results on which are not results on CIFAR-10.
        x_train: training images, uint8 [n, height, width], or [n, height, width, 3] for red, green and blue.
        y_train: their labels, uint8 [n].
        x_test: test images, uint8 [m, ...].
        y_test: their labels, uint8 [m].
    """

    name: str
    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array

    def __post_init__(self) -> None:
        """Check types and shapes.

        Raises:
            ValueError: if an array is not of bytes, or the shapes do not fit each other.
        """
        for part in ("train", "test"):
            x, y = getattr(self, f"x_{part}"), getattr(self, f"y_{part}")
            if x.dtype != np.uint8 or y.dtype != np.uint8:
                raise ValueError(f"x_{part} and y_{part} must be uint8, got {x.dtype} and {y.dtype}")
            if x.ndim < 2 or y.shape != x.shape[:1]:
                raise ValueError(f"y_{part} must hold one label for each image, got shapes {x.shape} and {y.shape}")
        if self.x_train.shape[1:] != self.x_test.shape[1:]:
            shapes = f"{self.x_train.shape[1:]} and {self.x_test.shape[1:]}"
            raise ValueError(f"x_train and x_test must hold images of one shape, got {shapes}")


def mnist(data_dir: Path | str | None = None) -> Images:
    """Return MNIST: 60,000 training and 10,000 test images of digits, [28, 28], 0 the background.

    Each file is verified by SHA-256 before it is opened.

    Args:
        data_dir: a folder that holds the four files, packed (.gz) or not, itself or in its sub-folder "mnist". None
            takes the folder that the environment variable IMPLICIT_SMOOTHNESS_DATA names; where there is none, the
            files are downloaded, once, into the user's cache.

    Raises:
        DataError: if there is no such folder, or a file is missing from it, half-written, corrupted or unreadable, or
            cannot be downloaded.
    """
    folder = _folder(data_dir)
    if folder is None:
        paths = _downloaded([f"{name}.gz" for name in MNIST_AXES], MNIST_FILES, MNIST_MIRRORS)
    else:
        found = {name: _first(folder, ("", "mnist"), (f"{name}.gz", name)) for name in MNIST_AXES}
        paths = [path for path in found.values() if path is not None]
        missing = [name for name, path in found.items() if path is None]
        if missing:
            raise DataError(
                f"MNIST is not whole: put {', '.join(missing)}, packed (.gz) or not, into {folder} or {folder / 'mnist'}"
                f"{_otherwise(data_dir)}"
            )
    arrays = [
        _parse_idx(_verified(path, MNIST_FILES[path.name]), path, axes)
        for path, axes in zip(paths, MNIST_AXES.values(), strict=True)
    ]
    return Images("mnist", *arrays)


def cifar10(data_dir: Path | str | None = None) -> Images:
    """Return CIFAR-10: 50,000 training and 10,000 test images, [32, 32, 3], or a subset of it, as the name says.

    Each file, and each member of the archive, is verified by SHA-256 before it is opened; the pickles inside may make
    nothing but arrays of bytes.

    Args:
        data_dir: a folder that holds the six official batches, itself or in its sub-folder "cifar10" or
            "cifar-10-batches-py", or else the official archive "cifar-10-python.tar.gz", or else the balanced subset of
            10,000 training and 2,000 test images, "cifar10-subset.npz". None takes the folder that the environment
            variable IMPLICIT_SMOOTHNESS_DATA names; where there is none, the archive is downloaded, once, into the
            user's cache.

    Raises:
        DataError: if there is no such folder, or a file is missing from it, half-written, corrupted or unreadable, or
            cannot be downloaded.
    """
    folder = _folder(data_dir)
    if folder is None:
        return _cifar10(_members(*_downloaded([CIFAR10_ARCHIVE], CIFAR10_FILES, CIFAR10_MIRRORS)))
    inside = ("", "cifar10", CIFAR10_FOLDER, f"cifar10/{CIFAR10_FOLDER}")
    found = {name: _first(folder, inside, (name,)) for name in CIFAR10_BATCHES}
    missing = [name for name, path in found.items() if path is None]
    if not missing:
        return _cifar10((path, _verified(path, CIFAR10_BATCHES[name])) for name, path in found.items() if path)
    archive = _first(folder, ("", "cifar10"), (CIFAR10_ARCHIVE,))
    if archive is not None:
        return _cifar10(_members(archive))
    subset = _first(folder, ("", "cifar10"), (CIFAR10_SUBSET,))
    if subset is not None and len(missing) == len(found):
        content = _verified(subset, CIFAR10_FILES[CIFAR10_SUBSET])
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return Images("cifar10-subset", *(arrays[name] for name in ("x_train", "y_train", "x_test", "y_test")))
    raise DataError(
        f"CIFAR-10 is not whole: put {', '.join(missing)}, or the archive {CIFAR10_ARCHIVE}, into {folder} or "
        f"{folder / 'cifar10'}{_otherwise(data_dir)}"
    )


def read_idx(path: Path | str, axes: int) -> Array:
    """Return the bytes in a file of the IDX format, the format of MNIST, packed by gzip or not: uint8, writable.

    The format is a big-endian number 0x0800 + axes (2051 for images, 2049 for labels), the length of each axis as a
    big-endian uint32, and the bytes in C order.

    Args:
        path: the file.
        axes: how many axes the array has: 3 for images, 1 for labels.

    Raises:
        DataError: if the file cannot be read, or is malformed: not whole, too long, or of another type or shape.
    """
    return _parse_idx(_bytes(Path(path)), path, axes)


@dataclass(frozen=True, eq=False)
class DigitPair:
    """Two digits to tell apart by regression.

    Attributes:
        name: what rows call it: the images and the digits, a before b.
        x_train: training images, float32 [n, d], from 0 to 1; d = 784 for MNIST.
        y_train: their targets, float32 [n], -1 for a and +1 for b.
        x_test: test images, float32 [m, d].
        y_test: their targets, float32 [m].
    """

    name: str
    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array


def digit_pair(images: Images, a: int, b: int, *, size: int = 10_000, balanced: bool = False) -> DigitPair:
    """Return the images of two digits with targets -1 for a and +1 for b (volhejn2020, section 4.3.2).

    The test set is that of all test images of the two digits, in the order of the file.

    Args:
        images: MNIST, or other images with labels.
        a: the digit, or label, with target -1.
        b: that with target +1.
        size: how many training images to take, at least 2. Any two digits of MNIST have at least 11,263, and 10,842 if
            as many of each are wanted.
        balanced: False takes the first `size` images of the two digits in the order of the file, as the released code
            of volhejn2020 does, so that a beginning of the training set holds more of one than of the other. True
            takes the first size/2 of each, a and b by turns: a beginning of even length holds as many of each.

    Raises:
        TypeError: if a, b or `size` is no integer.
        ValueError: if a or b is no label of a training image, a = b, or `size` is below 2, odd though `balanced`, or
            more than there are.
    """
    for name, value in (("a", a), ("b", b), ("size", size)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
            raise TypeError(f"{name} must be an integer, got {value!r} of type {type(value).__name__}")
    labels = [int(label) for label in np.unique(images.y_train)]
    for name, value in (("a", a), ("b", b)):
        if value not in labels:
            raise ValueError(
                f"{name} must be one of the labels of {images.name}, {', '.join(map(str, labels))}, got {value}"
            )
    if a == b:
        raise ValueError(f"a and b must differ, got {a} twice")
    if size < 2 or (balanced and size % 2):
        raise ValueError(f"size must be {'even and ' if balanced else ''}at least 2, got {size}")
    of_a, of_b = np.flatnonzero(images.y_train == a), np.flatnonzero(images.y_train == b)
    available = 2 * min(len(of_a), len(of_b)) if balanced else len(of_a) + len(of_b)
    if size > available:
        kind = "balanced training images" if balanced else "training images"
        raise ValueError(f"size must be at most {available}, the {kind} of {a} and {b} in {images.name}, got {size}")
    if balanced:
        train = np.column_stack([of_a[: size // 2], of_b[: size // 2]]).ravel()
    else:
        train = np.sort(np.concatenate([of_a, of_b]))[:size]
    test = np.flatnonzero((images.y_test == a) | (images.y_test == b))
    return DigitPair(
        f"{images.name}-{a}-{b}{'-balanced' if balanced else ''}",
        *_regression(images.x_train[train], images.y_train[train] == b),
        *_regression(images.x_test[test], images.y_test[test] == b),
    )


def _regression(x: Array, positive_label: Array) -> tuple[Array, Array]:
    """Return bytes [n, ...] as float32 [n, d] from 0 to 1, and truth values [n] as float32 -1 or +1."""
    flat = x.reshape(len(x), math.prod(x.shape[1:])).astype(np.float32)
    return flat / np.float32(255), np.where(positive_label, np.float32(1), np.float32(-1))


def _folder(data_dir: Path | str | None) -> Path | None:
    """Return the folder given, or else that of the environment variable, or None.

    Raises:
        DataError: if it is no folder.
    """
    named = data_dir if data_dir is not None else os.environ.get(DATA_VARIABLE) or None
    if named is None:
        return None
    folder = Path(named).expanduser()
    if not folder.is_dir():
        source = "data_dir" if data_dir is not None else f"the environment variable {DATA_VARIABLE}"
        raise DataError(f"{source} must name a folder, got {str(named)!r}")
    return folder


def _otherwise(data_dir: Path | str | None) -> str:
    """Return what else a user can do whose folder, given or of the environment, lacks files."""
    given = "" if data_dir is None else "give no data_dir and "
    return f", or {given}unset the environment variable {DATA_VARIABLE} to have it downloaded"


def _first(folder: Path, inside: Iterable[str], names: Iterable[str]) -> Path | None:
    """Return the first file of one of these names in one of these sub-folders, or None."""
    candidates = (folder / part / name for part in inside for name in names)
    return next((path for path in candidates if path.exists()), None)


def _downloaded(names: Sequence[str], files: dict[str, Checksum], mirrors: Sequence[str]) -> list[Path]:
    """Return where files lie in the user's cache, after downloading each from the first mirror that has it.

    Raises:
        DataError: if there is one that no mirror has.
    """
    cache = Path(pooch.os_cache("implicit-smoothness"))
    bar = importlib.util.find_spec("tqdm") is not None
    paths = []
    for name in names:
        tried = []
        for mirror in mirrors:
            address, known = f"{mirror}{name}", f"sha256:{files[name].sha256}"
            try:
                paths.append(Path(pooch.retrieve(address, known, fname=name, path=cache, progressbar=bar)))
                break
            except OSError as error:  # of the network or of the disk
                tried.append(f"{address} ({type(error).__name__})")
            except ValueError:
                tried.append(f"{address} (what came has another SHA-256)")
        else:
            raise DataError(
                f"{name} could not be downloaded to {cache}, tried {', '.join(tried)}: put {', '.join(names)} into a folder "
                f"by hand and name it as data_dir or in the environment variable {DATA_VARIABLE}"
            )
    return paths


def _bytes(path: Path) -> bytes:
    """Return what a file holds.

    Raises:
        DataError: if it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None


def _verified(path: Path, expected: Checksum) -> bytes:
    """Return what a file holds; see `_check`.

    Raises:
        DataError: if it cannot be read, or is not the file expected.
    """
    content = _bytes(path)
    _check(content, path, expected)
    return content


def _check(content: bytes, source: object, expected: Checksum) -> None:
    """Raise unless the content is what is expected.

    Raises:
        DataError: if it is not.
    """
    again = "remove it and copy or download it again"
    if len(content) < expected.size:
        raise DataError(f"{source} is half-written, {len(content):,} of {expected.size:,} bytes: {again}")
    found = hashlib.sha256(content).hexdigest()
    if found != expected.sha256:
        raise DataError(f"{source} is corrupted, expected SHA-256 {expected.sha256}, found {found}: {again}")


def _parse_idx(content: bytes, source: object, axes: int) -> Array:
    """Return the array in bytes of the IDX format, packed by gzip or not; see `read_idx`.

    Raises:
        DataError: if they are malformed.
    """
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (EOFError, OSError, zlib.error):
            raise DataError(f"{source} is no whole gzip file: remove it and copy or download it again") from None
    header = 4 * (1 + axes)
    if len(content) < header:
        raise DataError(f"{source} must begin with an IDX header of {header} bytes, got {len(content)} bytes in all")
    magic, *shape = (int(number) for number in np.frombuffer(content[:header], dtype=">u4"))
    if magic != 0x0800 + axes:
        raise DataError(f"{source} must begin with the number {0x0800 + axes}, for bytes with axes {axes}, got {magic}")
    if len(content) - header != math.prod(shape):
        size = " x ".join(map(str, shape))
        raise DataError(f"{source} must hold {size} bytes after its header, got {len(content) - header}")
    return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(shape).copy()


def _members(archive: Path) -> Iterable[tuple[str, bytes]]:
    """Yield name and content of the batches in the official archive of CIFAR-10, in the order of `CIFAR10_BATCHES`.

    Raises:
        DataError: if the archive or a member is not as expected.
    """
    content = gzip.decompress(_verified(archive, CIFAR10_FILES[CIFAR10_ARCHIVE]))
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as tar:
        for name, checksum in CIFAR10_BATCHES.items():
            file = tar.extractfile(f"{CIFAR10_FOLDER}/{name}")
            batch = file.read() if file is not None else b""
            _check(batch, f"{archive}, {name}", checksum)
            yield f"{archive}, {name}", batch


def _cifar10(batches: Iterable[tuple[object, bytes]]) -> Images:
    """Return the images in verified batches, the last of them the test set."""
    *train, test = [_parse_batch(content, source) for source, content in batches]
    x_train, y_train = (np.concatenate(parts) for parts in zip(*train, strict=True))
    return Images("cifar10", x_train, y_train, *test)


def _parse_batch(content: bytes, source: object) -> tuple[Array, Array]:
    """Return the images [n, 32, 32, 3] and labels [n] of a batch: a pickle, by Python 2, of a dictionary.

    Raises:
        DataError: if the pickle asks for anything but an array of bytes, or holds something else.
    """
    try:
        batch = _ArraysOnly(io.BytesIO(content), encoding="bytes").load()
    except (pickle.UnpicklingError, EOFError) as error:
        raise DataError(f"{source} must be a pickle of an array and lists, got one that fails: {error}") from None
    x, labels = batch[b"data"], np.array(batch[b"labels"], dtype=np.uint8)
    planes = x.reshape(len(labels), 3, 32, 32)  # red, green, blue
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), labels


def _byte_type(code: bytes, *_: int) -> Any:
    """Return the type of bytes, which is all that a batch of CIFAR-10 asks for.

    Raises:
        UnpicklingError: if another type is asked for.
    """
    if code != b"u1":
        raise pickle.UnpicklingError(f"it asks for an array of {code!r}")
    return np.dtype(np.uint8)


class _ArraysOnly(pickle.Unpickler):
    """Unpickles arrays of bytes, numbers, text, lists and dictionaries, and refuses everything else."""

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        """Return what makes an array.

        Raises:
            UnpicklingError: if anything else is asked for.
        """
        makers: dict[tuple[str, str], Any] = {
            ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
            ("numpy", "ndarray"): np.ndarray,
            ("numpy", "dtype"): _byte_type,
        }
        if (module, name) not in makers:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        maker: Callable[..., Any] = makers[module, name]
        return maker
