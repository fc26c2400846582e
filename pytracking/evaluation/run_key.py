"""What tells a run's results from those of another: digests of the parameters and of the checkpoint's content."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pytracking.parameter.params import TrackerParams

if TYPE_CHECKING:
    from torch import nn

    from pytracking.evaluation.tracker import Tracker

UNIMPORTANT = {"device"}  # parameters that do not make other results


def content_key(tracker: Tracker, params: TrackerParams) -> tuple[str, dict[str, Any]]:
    """Returns a key that changes with the parameters or a checkpoint's content, and the parameters as plain data.

    The device is not part of it, nor is what is done with lost targets while that is the default. A parameter whose
    value has no stable text form counts by its type alone.
    """
    usual = {field.name for field in dataclasses.fields(params) if getattr(params, field.name) == field.default}
    left_out = UNIMPORTANT | (usual & set(params.names_when_lost()))
    plain = {
        field.name: _plain(field.name, getattr(params, field.name))
        for field in dataclasses.fields(params)
        if field.name not in left_out
    }
    text = json.dumps([tracker.name, type(params).__name__, plain], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16], plain


def changed_settings(usual: TrackerParams, params: TrackerParams) -> dict[str, Any]:
    """Returns as plain data the parameters whose values differ from those of the parameter set.

    A checkpoint counts by its name, so that the results of a network that is trained again keep their place.
    """
    names = [field.name for field in dataclasses.fields(params) if field.name not in UNIMPORTANT]
    pairs = {name: (getattr(usual, name), getattr(params, name)) for name in names}
    return {
        name: _plain("", now) for name, (before, now) in pairs.items() if now is not before and _differ(before, now)
    }


def settings_digest(changed: dict[str, Any]) -> str:
    """Returns eight characters that stand for changed settings, or an empty text if there are none."""
    return hashlib.sha256(json.dumps(changed, sort_keys=True).encode()).hexdigest()[:8] if changed else ""


def _differ(before: Any, now: Any) -> bool:
    return bool(_plain("", before) != _plain("", now))


def _plain(name: str, value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    torch = sys.modules.get("torch")  # where it was not imported, nothing is one of its objects
    if torch is not None and isinstance(value, torch.nn.Module):
        return {"module": type(value).__name__, "digest": weights_digest(value)}
    if name == "network" and isinstance(value, (str, Path)):
        from ltr.admin.checkpoint import content_digest, find_checkpoint
        from pytracking.onnx.about import find_onnx, is_onnx

        file = find_onnx(value) if is_onnx(value) else find_checkpoint(value)
        return {"checkpoint": str(value), "digest": content_digest(file)}
    if isinstance(value, (str, Path)) or (torch is not None and isinstance(value, (torch.device, torch.dtype))):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [_plain("", item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain("", item) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(field.name, getattr(value, field.name)) for field in dataclasses.fields(value)}
    if torch is not None and isinstance(value, torch.Tensor):
        value = value.detach().cpu().numpy()
    if isinstance(value, np.ndarray):
        return hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()[:16]
    return type(value).__name__


def weights_digest(module: nn.Module) -> str:
    """Returns sixteen characters that stand for a network: how it was built, and its weights."""
    digest = hashlib.sha256(repr(getattr(module, "constructor", "")).encode())
    for key, tensor in module.state_dict().items():
        digest.update(key.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
