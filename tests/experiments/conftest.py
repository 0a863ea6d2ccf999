"""The smoke preset of a study is run once for all tests that look at it; images for the studies of classifiers."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock

from experiments.engine.study import Study, main
from experiments.kit import classifiers
from numerics.data import Images


@pytest.fixture(scope="session")
def smoke_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Study[Any]], Path]:
    """Return what runs the smoke preset of a study, in this process, when it is first asked for, and returns its folder.

    Of several test processes, the first that asks runs it, and the others wait.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "smoke"
    folder.mkdir(exist_ok=True)

    def folder_of(study: Study[Any]) -> Path:
        found, ended = folder / study.id, folder / f"{study.id}.ended"
        with FileLock(folder / f"{study.id}.lock"):
            if not ended.exists():
                words = ["--workers", "1", "--preset", "smoke", "--out", str(found)]
                assert main(replace(study, workers_are="threads"), words) == 0
                ended.touch()
        return found

    return folder_of


@pytest.fixture(scope="module")
def made_up_digits() -> Iterator[Images]:
    """Put images that can be told apart in the place of MNIST."""
    generator = np.random.default_rng(0)
    prototypes = generator.uniform(0, 255, (4, 28, 28)) * (generator.uniform(size=(4, 28, 28)) < 0.2)

    def drawn(count: int) -> tuple[Any, Any]:
        labels = generator.integers(0, 4, count).astype(np.uint8)
        noisy = prototypes[labels] + generator.normal(0, 40, (count, 28, 28)) * (prototypes[labels] > 0)
        return np.clip(noisy, 0, 255).astype(np.uint8), labels

    images = Images("made up", *drawn(64), *drawn(40))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classifiers, "loaded", lambda data, data_dir: images)
        yield images


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put fifty black images in the place of all data sets."""
    none = np.zeros((50, 28, 28), np.uint8)
    images = Images("made up", none, none[:, 0, 0], none, none[:, 0, 0])
    monkeypatch.setattr(classifiers, "loaded", lambda data, data_dir: images)
