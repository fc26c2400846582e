"""Checkpoints that pytracking published: pickles of its own classes, read without any class of it, or any code.

Such a file holds, beside the weights, an object that says how the network was built, and the settings and statistics of
its training. Each of these objects becomes a stand-in, which keeps the object's attributes and does nothing. A file
that names anything else, such as a function, is refused by torch before anything in it runs.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

FOREIGN = re.compile(r"(ltr|dlframework)(\.\w+)+")  # the package, and its name before it was published

# Arguments of pytracking's networks that are no arguments here, and the only values that this project builds.
ONLY: dict[str, Any] = {
    "classification_layer": "layer3",
    "clf_feat_norm": True,
    "feat_stride": 16,
    "final_conv": True,
    "init_filter_norm": False,
    "target_mask_act": "sigmoid",
}
STARTING_POINT = ("backbone_pretrained",)  # the weights in the file replace it
# What weights do not tell, and pytracking's own defaults for it, which are not the paper's.
DEFAULTS: dict[str, dict[str, Any]] = {
    name: {"filter_size": 1, "bin_displacement": 1.0, "num_dist_bins": 5} for name in ("dimpnet18", "dimpnet50")
}


# Families of pytracking's networks that are not built here, by how the names of their constructors begin.
FAMILIES = {
    "atom": "ATOM",
    "klce": "PrDiMP",
    "kys": "KYS",
    "tomp": "ToMP",
    "target_candidate": "KeepTrack",
    "steepest_descent": "LWL",
    "rts": "RTS",
    "tamos": "TaMOs",
    "dimpnet50_simple": "SuperDiMP-Simple",
}
# What TransT's settings call the arguments of its network.
TRANST = {
    "hidden_dim": "channels",
    "nheads": "heads",
    "dim_feedforward": "hidden",
    "featurefusion_layers": "fusion_layers",
    "dropout": "dropout",
}


class StandIn:
    """An object of a class that is not loaded: its attributes, and nothing that it could do."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments


def read(path: Path, map_location: torch.device | str) -> Any:
    """Returns what a file of ``torch.save`` holds, with stand-ins for objects of pytracking's classes.

    Raises:
        pickle.UnpicklingError: the file holds anything else than these, tensors and plain data.
    """
    stand_ins: dict[str, Any] = {}
    while True:
        try:
            return _load(path, map_location, stand_ins)
        except pickle.UnpicklingError as error:
            name = refused_name(str(error))
            if name is None or name in stand_ins or not FOREIGN.fullmatch(name):
                raise
            module, _, cls = name.rpartition(".")
            stand_ins[name] = type(cls, (StandIn,), {"__module__": module})


def refused_name(message: str) -> str | None:
    """Returns the dotted name that torch refuses to load, from the message of its error, or None."""
    found = re.search(r"(?:GLOBAL|global) (\w+(?:\.\w+)+)", message)
    return found[1] if found else None


def network_of(constructor: StandIn, settings: Any = None) -> dict[str, Any]:
    """Returns ``network`` and ``kwargs``, as this project's checkpoints hold them, of a published constructor.

    Args:
        constructor: DiMP's, SuperDiMP's or TransT's.
        settings: of the training, if the checkpoint has them: those of SuperDiMP tell it from DiMP.

    Raises:
        ValueError: it says something that this project does not build.
    """
    attributes = vars(constructor)
    name, arguments = attributes.get("fun_name"), attributes.get("kwds")
    family = next((family for start, family in FAMILIES.items() if str(name).startswith(start)), None)
    if family is not None:
        raise ValueError(f"it holds {family} ({name}), which is not part of this project; DiMP and SuperDiMP are")
    if name == "transt_resnet50":
        return {"network": "transt50", "kwargs": _transt_arguments(attributes.get("args"))}
    if not isinstance(name, str) or not isinstance(arguments, dict) or attributes.get("args"):
        raise ValueError(
            f"the constructor has the attributes {', '.join(attributes)}: not those of a published network"
        )
    kwargs = {**DEFAULTS.get(name, {}), **arguments}
    if is_super_dimp(arguments, settings):
        kwargs["box_branch"] = "density"
    for key in STARTING_POINT:
        kwargs.pop(key, None)
    for key, value in ONLY.items():
        if kwargs.pop(key, value) != value:
            raise ValueError(f"{name} was built with {key} = {arguments[key]!r}, but only {value!r} is known here")
    return {"network": name, "kwargs": kwargs}


def is_super_dimp(arguments: Mapping[str, Any], settings: Any) -> bool:
    """Returns whether it is a SuperDiMP, which is built by DiMP-50's constructor, that these describe.

    The name of its recipe says so, if it is there. Else it is known by the backbone's first layers: of all published
    DiMPs, only SuperDiMP's did not learn.

    Args:
        arguments: of the constructor.
        settings: of the training: a stand-in, or none.
    """
    recipe = getattr(settings, "script_name", None)
    return "super_dimp" in recipe if isinstance(recipe, str) else bool(arguments.get("frozen_backbone_layers"))


def _transt_arguments(given: Any) -> dict[str, Any]:
    """Returns the arguments of TransT's network, of what its constructor was called with: its settings."""
    settings = vars(given[0]) if isinstance(given, tuple) and given and isinstance(given[0], StandIn) else {}
    return {ours: settings[theirs] for theirs, ours in TRANST.items() if theirs in settings}


def _load(path: Path, map_location: torch.device | str, stand_ins: dict[str, Any]) -> Any:
    with torch.serialization.safe_globals([*stand_ins.values(), *_NUMPY]):
        return torch.load(path, map_location=map_location, weights_only=True)


class _NumberType:
    """The type of a NumPy number, as a pickle describes it: of NumPy's own class, nothing is called."""

    def __init__(self, code: str, align: bool = False, copy: bool = True) -> None:
        if code not in ("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"):
            raise pickle.UnpicklingError(f"a NumPy number of the type {code!r}")
        self.code, self.order = code, "<"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = ">" if state[1] == ">" else "<"


def _number(kind: _NumberType, content: bytes) -> bool | int | float:
    number: bool | int | float = np.frombuffer(content, f"{kind.order}{kind.code}", 1)[0].item()
    return number


_NUMPY: list[Any] = [
    (_NumberType, "numpy.dtype"),
    (_number, "numpy._core.multiarray.scalar"),
    (_number, "numpy.core.multiarray.scalar"),  # up to NumPy 1
]
"""What stands for a NumPy number, such as a loss that was never made a float."""
