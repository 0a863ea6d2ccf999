"""The smoke preset of a study is run once for all tests that look at it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from experiments.engine.study import Study, main


@pytest.fixture(scope="session")
def smoke_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Study[Any]], Path]:
    """Return what runs the smoke preset of a study, in this process, when it is first asked for, and returns its folder."""
    folders: dict[str, Path] = {}

    def folder_of(study: Study[Any]) -> Path:
        if study.id not in folders:
            folder = tmp_path_factory.mktemp(study.id) / "smoke"
            words = ["--workers", "1", "--preset", "smoke", "--out", str(folder)]
            assert main(replace(study, workers_are="threads"), words) == 0
            folders[study.id] = folder
        return folders[study.id]

    return folder_of
