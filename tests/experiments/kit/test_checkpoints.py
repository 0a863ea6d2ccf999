from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import nn

from experiments.kit.checkpoints import fitted, load, state_dict


def network() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))


def prefixed(prefix: str) -> dict[str, torch.Tensor]:
    return {prefix + name: value for name, value in network().state_dict().items()}


@pytest.mark.parametrize(
    ("saved", "key"),
    [
        (prefixed(""), None),
        (prefixed("module."), None),
        (prefixed("_orig_mod.module."), None),
        ({"model": prefixed(""), "epoch": 3}, None),
        ({"state_dict": prefixed("model."), "epoch": 3, "hyper_parameters": {"lr": 0.1}}, None),
        ({"model_state_dict": prefixed("module."), "optimizer_state_dict": {"step": 1}}, None),
        ({"ema": prefixed(""), "raw": {"a": torch.ones(1)}}, "ema"),
        ({"nets": {"student": prefixed("module.")}}, "nets.student"),
    ],
    ids=["plain", "data parallel", "compiled", "in a dictionary", "Lightning", "with an optimiser", "by key", "deep"],
)
def test_weights_are_found_however_they_are_wrapped(tmp_path: Path, saved: Any, key: str | None) -> None:
    torch.save(saved, tmp_path / "a.pt")
    other = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    load(other, state_dict(tmp_path / "a.pt", key), tmp_path / "a.pt", "--factory")
    for mine, theirs in zip(other.parameters(), network().parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_safetensors_are_read(tmp_path: Path) -> None:
    safetensors.torch.save_file(prefixed("module."), tmp_path / "a.safetensors")
    found = fitted(state_dict(tmp_path / "a.safetensors"), prefixed("").keys())
    assert all(torch.equal(found[name], value) for name, value in prefixed("").items())
    (tmp_path / "b.safetensors").write_bytes((tmp_path / "a.safetensors").read_bytes()[:-7])
    with pytest.raises(ValueError, match="is not a whole safetensors file"):
        state_dict(tmp_path / "b.safetensors")


def test_names_that_fit_no_way_are_left_as_they_are() -> None:
    state = {"module.a": torch.ones(1), "module.b": torch.ones(1)}
    assert set(fitted(state, {"c"})) == set(state)
    assert set(fitted({"a.x": torch.ones(1), "b.x": torch.ones(1)}, {"x"})) == {"a.x", "b.x"}
    assert fitted({}, {"x"}) == {}


@pytest.mark.parametrize(
    ("saved", "key", "message"),
    [
        (
            {"a": {"w": torch.ones(1)}, "b": {"w": torch.ones(1)}},
            None,
            "must say which of a, b is the state dict: give --key",
        ),
        ({"epoch": 3}, None, "must hold a state dict, names and tensors, got dict"),
        ({"a": {"w": torch.ones(1)}}, "b", "--key: .* has no 'b', it has a"),
        ({"a": {"w": torch.ones(1)}}, "a.w.v", "--key: .* has no 'a.w.v', it has a Tensor"),
        ({"a": {"w": torch.ones(1)}}, "a.w", "must hold a state dict, names and tensors, got Tensor"),
        ([1.0], None, "must hold a state dict, names and tensors, got list"),
    ],
    ids=["two", "no tensors", "no such key", "too deep", "a tensor", "a list"],
)
def test_what_holds_none_is_refused(tmp_path: Path, saved: Any, key: str | None, message: str) -> None:
    torch.save(saved, tmp_path / "a.pt")
    with pytest.raises(ValueError, match=message):
        state_dict(tmp_path / "a.pt", key)


def test_a_state_dict_that_does_not_fit_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"does not fit what --factory returns: .*Missing key"):
        load(network(), {"w": torch.ones(1)}, tmp_path / "a.pt", "--factory")
