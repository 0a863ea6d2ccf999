"""The command on a saved model: what it prints, writes and returns, and the sentences with which it refuses a file."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from experiments.kit.tables import read_columns
from experiments.verify_model import main, state_dict, two_layer
from numerics.networks import TwoLayerReLU
from numerics.stability import report
from theory.two_layer import Weights

WEIGHTS = Weights([1.0, -1.0], [-0.4, -0.4], [0.5, 0.5], 0.1)
X = np.array([-1.5, -0.5, 0.5, 1.5])


def classifier() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 3))


def wide_classifier() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 3))


def no_module() -> int:
    return 3


def failing() -> nn.Module:
    raise RuntimeError("out of luck")


class Trap:
    """What, once unpickled, writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the state dict and the data of an interpolating network."""
    torch.save(TwoLayerReLU.from_weights(WEIGHTS).state_dict(), tmp_path / "model.pt")
    lines = [f"{float(x)!r},{float(y)!r}" for x, y in zip(X, WEIGHTS(X), strict=True)]
    (tmp_path / "data.csv").write_text("\n".join(["t,v", *lines]) + "\n", encoding="utf-8")
    return tmp_path


def words(folder: Path, *more: str, model: str = "model.pt", data: str = "data.csv") -> list[str]:
    return ["--model", str(folder / model), "--data", str(folder / data), "--x", "t", "--y", "v", *more]


def said(capsys: pytest.CaptureFixture[str], argv: Sequence[str]) -> tuple[int, str, str]:
    status = main(argv)
    out, err = capsys.readouterr()
    return status, out, err


@pytest.mark.parametrize(
    ("options", "status", "answer"),
    [
        (["--step-size", "0.5"], 0, "GD stable, SGD stable"),
        (["--step-size", "0.5", "--batch-size", "1"], 0, "GD stable, SGD stable"),
        (["--step-size", "1", "--batch-size", "1"], 3, "GD stable, SGD unstable"),
        (["--step-size", "0.5", "--batch-size", "1", "--loss", "mean"], 3, "GD stable, SGD unstable"),
        (["--step-size", "1.5"], 3, "GD unstable, SGD unstable"),
    ],
)
def test_the_status_is_the_answer(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], status: int, answer: str
) -> None:
    found, out, err = said(capsys, words(folder, *options))
    assert (found, err) == (status, "")
    assert answer in out


def test_it_prints_the_report_and_writes_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "report.json"
    status, out, _ = said(capsys, words(folder, "--step-size", "0.5", "--batch-size", "2", "--json", str(file)))
    expected = report(WEIGHTS, X, WEIGHTS(X), 0.5, 2)
    assert (status, out) == (0, f"{expected}\n")
    written = json.loads(file.read_text(encoding="utf-8"))
    assert written["sharpness"] == {"value": expected.sharpness.value, "error": expected.sharpness.error}
    assert written["sgd_step_sizes"]["upper"] == expected.sgd_step_sizes.upper
    assert written["stable"] == "stable"
    assert [v["claim"] for v in written["verdicts"]] == [v.claim for v in expected.verdicts]
    assert [v["ruling"] for v in written["verdicts"]] == ["holds"] * 6


def test_weights_that_do_not_fit_the_data_are_no_minimum(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "data.csv").write_text("t,v\n-1,5\n1,7\n", encoding="utf-8")
    status, out, _ = said(capsys, words(folder, "--step-size", "0.1"))
    assert status == 5
    assert "GD no minimum, SGD no minimum" in out


def test_infinite_numbers_are_texts(folder: Path) -> None:
    state = {**TwoLayerReLU(0).state_dict()}
    torch.save(state, folder / "empty.pt")
    file = folder / "report.json"
    assert main(words(folder, "--step-size", "0.5", "--json", str(file), model="empty.pt")) == 5
    # f is a constant, whose sharpness is 1
    assert json.loads(file.read_text(encoding="utf-8"))["sharpness"]["value"] == pytest.approx(1, rel=1e-12)
    (folder / "zeros.csv").write_text("a,b,c\n0,0,0\n0,0,1\n", encoding="utf-8")
    torch.save(nn.Linear(2, 3, bias=False).state_dict(), folder / "linear.pt")
    argv = ["--factory", f"{__name__}:without_bias", "--data", str(folder / "zeros.csv"), "--x", "a", "b", "--y", "c"]
    assert main([*argv, "--step-size", "5", "--loss", "cross_entropy", "--json", str(file)]) == 0
    assert json.loads(file.read_text(encoding="utf-8"))["gd_step_size"] == "inf"


def without_bias() -> nn.Module:
    return nn.Linear(2, 3, bias=False)


@pytest.mark.parametrize("in_features", [1, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_width_is_that_of_the_file(tmp_path: Path, in_features: int, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    network = TwoLayerReLU(7, in_features, dtype=dtype)
    torch.save(network.state_dict(), tmp_path / "model.pt")
    loaded = two_layer(tmp_path / "model.pt")
    assert (loaded.hidden.out_features, loaded.hidden.in_features, loaded.hidden.weight.dtype) == (
        7,
        in_features,
        dtype,
    )
    for name, value in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)


def factory_words(folder: Path, *more: str) -> list[str]:
    generator = np.random.default_rng(0)
    rows = [
        f"{a!r},{b!r},{c},{c % 2}"
        for a, b, c in zip(*generator.standard_normal((2, 6)).tolist(), range(6), strict=True)
    ]
    (folder / "classes.csv").write_text("\n".join(["a,b,id,odd", *rows]) + "\n", encoding="utf-8")
    return ["--data", str(folder / "classes.csv"), "--x", "a", "b", "--y", "odd", "--step-size", "0.1", *more]


def test_a_factory_makes_any_module(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make = ["--factory", f"{__name__}:classifier", "--loss", "cross_entropy", "--batch-size", "2"]
    status, fresh, err = said(capsys, factory_words(folder, *make))
    assert (status, err) == (5, "")
    assert fresh.startswith("Sequential: 27 parameters, 6 points, 3 outputs; loss (1/n) sum_j -log softmax")
    torch.manual_seed(1)
    torch.save(nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 3)).state_dict(), folder / "net.pt")
    _, loaded, _ = said(capsys, factory_words(folder, *make, "--model", str(folder / "net.pt")))
    assert loaded.splitlines()[0] == fresh.splitlines()[0]
    assert loaded != fresh
    squared = ["--factory", f"{__name__}:classifier", "--y", "a", "b", "odd"]
    _, out, _ = said(capsys, [word for word in factory_words(folder) if word not in {"--y", "odd"}] + squared)
    assert "3 outputs; loss (1/2n) sum_j |f(x_j) - y_j|^2" in out


# Files that are refused


def test_a_pickle_with_code_is_not_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sprung = folder / "sprung"
    for name, write in (("zip.pt", torch.save), ("plain.pt", lambda trap, path: path.write_bytes(pickle.dumps(trap)))):
        write({"hidden.weight": Trap(sprung)}, folder / name)
        status, out, err = said(capsys, words(folder, "--step-size", "0.5", model=name))
        assert (status, out) == (2, "")
        assert err == (
            f"error: --model: {folder / name} must hold tensors alone: other objects are not read, they can run code\n"
        )
        assert not sprung.exists()
    pickle.loads((folder / "plain.pt").read_bytes())
    assert sprung.exists()  # it would have


def test_a_whole_module_is_not_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(TwoLayerReLU.from_weights(WEIGHTS), folder / "whole.pt")
    status, _, err = said(capsys, words(folder, "--step-size", "0.5", model="whole.pt"))
    assert status == 2
    assert "must hold tensors alone" in err


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_half_a_file_is_refused(folder: Path, capsys: pytest.CaptureFixture[str], share: float) -> None:
    content = (folder / "model.pt").read_bytes()
    (folder / "half.pt").write_bytes(content[: int(share * len(content))])
    status, out, err = said(capsys, words(folder, "--step-size", "0.5", model="half.pt"))
    assert (status, out) == (2, "")
    assert err.startswith(f"error: --model: {folder / 'half.pt'} ")
    assert err.count("\n") == 1


NAMES = "hidden.weight, hidden.bias, output.weight, output.bias"
GOOD = TwoLayerReLU.from_weights(WEIGHTS).state_dict()

BAD_STATES: list[tuple[Any, str]] = [
    ([1.0, 2.0], "must hold a state dict, names and tensors, got list: save it with torch.save(net.state_dict(), ..)"),
    (
        {"epoch": 3},
        "must hold a state dict, names and tensors, got dict: save it with torch.save(net.state_dict(), ..)",
    ),
    ({}, f"must hold the state dict of a TwoLayerReLU, {NAMES}, got nothing: give --factory for another module"),
    (
        {"weight": torch.ones(1)},
        f"must hold the state dict of a TwoLayerReLU, {NAMES}, got weight: give --factory for another module",
    ),
    (
        {**GOOD, "hidden.bias": torch.ones(3).double()},
        "must hold hidden.bias of shape (2,) in floating point, got (3,) of torch.float64",
    ),
    (
        {**GOOD, "output.weight": torch.ones(3, 2).double()},
        "must hold output.weight of shape (1, 2) in floating point, got (3, 2) of torch.float64",
    ),
    (
        {**GOOD, "output.bias": torch.ones(1).long()},
        "must hold output.bias of shape (1,) in floating point, got (1,) of torch.int64",
    ),
]


@pytest.mark.parametrize(("state", "sentence"), BAD_STATES)
def test_a_file_of_something_else_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str], state: Any, sentence: str
) -> None:
    torch.save(state, folder / "other.pt")
    status, out, err = said(capsys, words(folder, "--step-size", "0.5", model="other.pt"))
    assert (status, out) == (2, "")
    assert err == f"error: --model: {folder / 'other.pt'} {sentence}\n"


def test_a_file_that_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(ValueError, match=f"^--model: there is no file {re.escape(str(folder / 'none.pt'))}$"):
        state_dict(folder / "none.pt")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "{} is empty: expected a line of column names and rows of numbers"),
        ("t,w\n1,2\n", "{} has no column 'v': its columns are t, w"),
        ("t,v\n", "{} must hold at least 1 row of data, got 0"),
        ("t,v\n1,2\n3,x\n", "{}, line 3, column 'v': expected a number, got 'x'"),
        ("t,v\n1,2\n3\n", "{}, line 3, column 'v': expected a number, got ''"),
        ("t,v\n1,nan\n", "{}, line 2, column 'v': expected a finite number, got 'nan'"),
        ("t,v\n1,2,3\n", "{}, line 2: expected 2 values, got more"),
    ],
)
def test_bad_data_are_named(folder: Path, capsys: pytest.CaptureFixture[str], text: str, sentence: str) -> None:
    file = folder / "bad.csv"
    file.write_text(text, encoding="utf-8")
    status, out, err = said(capsys, words(folder, "--step-size", "0.5", data="bad.csv"))
    assert (status, out, err) == (2, "", f"error: {sentence.format(file)}\n")


def test_columns_are_read_in_the_order_they_are_named(tmp_path: Path) -> None:
    file = tmp_path / "data.csv"
    file.write_text("\ufeffa,b,name,c\n1,2,x,3\n4,5,y,6\n", encoding="utf-8")
    values, lines = read_columns(file, {"--x": ("c", "a"), "--y": ("b",)})
    assert (values.tolist(), lines) == ([[3, 1, 2], [6, 4, 5]], [2, 3])
    with pytest.raises(ValueError, match=r"^--y must name a column of .*: its columns are a, b, name, c$"):
        read_columns(file, {"--x": ("a",), "--y": ()})
    with pytest.raises(ValueError, match=r"^--data: there is no file "):
        read_columns(tmp_path / "none.csv", {"--x": ("a",)})
    file.write_bytes(b"a,b\n\xff\xfe,1\n")
    with pytest.raises(ValueError, match=r"is not a CSV file in UTF-8: "):
        read_columns(file, {"--x": ("a",)})


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--step-size", "0"], "step_size must be finite and above 0, got 0.0"),
        (["--step-size", "nan"], "step_size must be finite and above 0, got nan"),
        (
            ["--step-size", "1", "--batch-size", "0"],
            "batch_size must be between 1 and the number of data points, 4, got 0",
        ),
        (
            ["--step-size", "1", "--batch-size", "5"],
            "batch_size must be between 1 and the number of data points, 4, got 5",
        ),
        (
            ["--step-size", "1", "--interpolation-tolerance", "-1"],
            "interpolation_tolerance must be finite and at least 0, got -1.0",
        ),
    ],
)
def test_bad_options_are_named(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], sentence: str
) -> None:
    assert said(capsys, words(folder, *options)) == (2, "", f"error: {sentence}\n")


def test_a_network_on_more_inputs_than_columns_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(TwoLayerReLU(2, 3).state_dict(), folder / "three.pt")
    status, _, err = said(capsys, words(folder, "--step-size", "1", model="three.pt"))
    assert status == 2
    assert "x must have shape (n, 3), got (4, 1)" in err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], r"--model or --factory must say what the model is, got neither"),
        (["--factory", "nowhere"], r"--factory must be package.module:function, got 'nowhere'"),
        (["--factory", "no.such:thing"], r"--factory no.such:thing failed: ModuleNotFoundError: No module named 'no'"),
        (["--factory", f"{__name__}:absent"], r"--factory .*:absent failed: AttributeError: .*"),
        (["--factory", f"{__name__}:failing"], r"--factory .*:failing failed: RuntimeError: out of luck"),
        (["--factory", f"{__name__}:no_module"], r"--factory .*:no_module must return a torch.nn.Module, got int"),
        (
            ["--factory", f"{__name__}:classifier", "--y", "id", "--loss", "cross_entropy"],
            r"y must hold labels from 0 to 2, the outputs of model less one, got 3 at index 3",
        ),
        (
            ["--factory", f"{__name__}:classifier", "--y", "a", "--loss", "cross_entropy"],
            r".*classes.csv, line 2, column 'a': expected a label 0, 1, .., got -?0\.\d+",
        ),
        (
            ["--factory", f"{__name__}:classifier", "--y", "id", "odd", "--loss", "cross_entropy"],
            r"--y must name one column for cross_entropy, of labels, got id, odd",
        ),
        (
            ["--factory", f"{__name__}:classifier"],
            r"y must have shape \[6, 3\], the outputs of model on the 6 rows of x, got shape \(6, 1\)",
        ),
    ],
)
def test_bad_factories_and_labels_are_named(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], sentence: str
) -> None:
    status, out, err = said(capsys, factory_words(folder, *options))
    assert (status, out) == (2, "")
    assert re.fullmatch(f"error: {sentence}\n", err)


def test_weights_that_do_not_fit_a_factory_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(wide_classifier().state_dict(), folder / "wide.pt")
    make = ["--factory", f"{__name__}:classifier", "--model", str(folder / "wide.pt")]
    status, _, err = said(capsys, factory_words(folder, *make, "--loss", "cross_entropy"))
    assert status == 2
    assert err.startswith(
        f"error: --model: {folder / 'wide.pt'} does not fit what --factory returns: Error(s) in loading"
    )
    assert err.count("\n") == 1


def test_a_file_that_cannot_be_written_is_an_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = said(capsys, words(folder, "--step-size", "0.5", "--json", str(folder / "no" / "report.json")))
    assert (status, out) == (2, "")
    assert err.startswith("error: ")


def test_help_says_what_the_status_means(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    assert "Exit status 0 if" in " ".join(capsys.readouterr().out.split())
    with pytest.raises(SystemExit) as stopped:
        main(["--step-size", "much"])
    assert stopped.value.code == 2
