"""Weights from a user's file: state dicts however they are wrapped, read without running code."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import nn

from numerics.stability.models import FAILURES

WRAPPED = ("state_dict", "model_state_dict", "model", "module", "net", "network", "weights")
"""Under what names checkpoints have a state dict, the usual first."""

HINT = "save it with torch.save(net.state_dict(), ..)"


def state_dict(path: Path, key: str | None = None) -> dict[str, torch.Tensor]:
    """Return the state dict in a file; only tensors and plain values are read, no code is run.

    Args:
        path: a file as torch.save writes it: a state dict, or a checkpoint with one under a usual name, as Lightning's; or a
            `.safetensors` file.
        key: the name that a checkpoint has it under, with dots for dictionaries in dictionaries; found if not given.

    Raises:
        ValueError: if there is none: no file, half of one, one that would run code, or something else.
    """
    if not path.is_file():
        raise ValueError(f"--model: there is no file {path}")
    loaded = _safetensors(path) if path.suffix == ".safetensors" else _pickled(path)
    if key is not None:
        for part in key.split("."):
            if not isinstance(loaded, Mapping) or part not in loaded:
                names = ", ".join(map(str, loaded)) if isinstance(loaded, Mapping) else f"a {type(loaded).__name__}"
                raise ValueError(f"--key: {path} has no {key!r}, it has {names}")
            loaded = loaded[part]
    elif isinstance(loaded, Mapping) and not _of_tensors(loaded):
        inside = [name for name in WRAPPED if _of_tensors(loaded.get(name)) and loaded[name]]
        if inside:
            loaded = loaded[inside[0]]
        elif held := [name for name, value in loaded.items() if _of_tensors(value) and value]:
            raise ValueError(
                f"--model: {path} must say which of {', '.join(map(str, held))} is the state dict: give --key"
            )
    if not _of_tensors(loaded):
        raise ValueError(
            f"--model: {path} must hold a state dict, names and tensors, got {type(loaded).__name__}: {HINT}"
        )
    return dict(loaded)


def _of_tensors(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(entry, torch.Tensor) for entry in value.values())


def _safetensors(path: Path) -> Any:
    try:
        return safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, OSError) as error:
        raise ValueError(f"--model: {path} is not a whole safetensors file: {error}") from None


def _pickled(path: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a pickle that torch did not write: it is refused below, or is tensors
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise ValueError(
            f"--model: {path} must hold tensors alone: other objects are not read, they can run code"
        ) from None
    except (*FAILURES, EOFError, OSError) as error:
        reason = (str(error).strip() or type(error).__name__).split(". ")[0].splitlines()[0]
        raise ValueError(f"--model: {path} is not a whole file as torch.save writes it: {reason}") from None


def fitted(state: Mapping[str, torch.Tensor], names: Collection[str]) -> dict[str, torch.Tensor]:
    """Return a state dict without what all its names begin with (`module.`, `_orig_mod.`, `model.`), if it fits then.

    Args:
        state: names and tensors.
        names: that a module has.
    """
    found = dict(state)
    while found and set(found) != set(names):
        firsts = {name.partition(".")[0] for name in found}
        if len(firsts) > 1 or not all("." in name for name in found):
            return dict(state)
        found = {name.partition(".")[2]: tensor for name, tensor in found.items()}
    return found or dict(state)


def load(module: nn.Module, state: Mapping[str, torch.Tensor], path: Path, whose: str) -> None:
    """Put a state dict into a module.

    Raises:
        ValueError: if it does not fit.
    """
    try:
        module.load_state_dict(fitted(state, module.state_dict().keys()))
    except RuntimeError as error:
        reasons = " ".join(line.strip() for line in str(error).splitlines())
        raise ValueError(f"--model: {path} does not fit what {whose} returns: {reasons}") from None
