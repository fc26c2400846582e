"""Which parameter set a network is tracked with, where only its file is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytracking.parameter.params import ParameterError
from pytracking.registry import PARAMETERS

if TYPE_CHECKING:
    from torch import nn

SETS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "dimp": {
        "dimpnet18": ("dimp18", "DiMP-18"),
        "dimpnet50": ("dimp50", "DiMP-50"),
    },
    "siamfc": {
        "siamfc_alexnet": ("siamfc_pytorch", "SiamFC on AlexNet"),
        "siamfc_resnet18": ("box_siam_res18", "SiamFC on a ResNet-18"),
        "siamfc_resnet22": ("siamdw_res22", "SiamFC on SiamDW's ResNet-22"),
    },
    "transt": {
        "transt50": ("transt50", "TransT on a ResNet-50"),
        "transt18": ("transt50", "TransT on a ResNet-18"),
    },
}
"""For each tracker and registered network: the parameter set, and what people call it."""


@dataclass(frozen=True)
class Match:
    """The parameter set that fits a network, and a sentence that says why."""

    parameters: str
    reason: str


def match_network(tracker: str, network: str | Path) -> Match:
    """Returns the parameter set of a tracker that a network is meant to be tracked with.

    Args:
        tracker: its name, such as ``dimp``.
        network: the path or name of a checkpoint, of published weights, or of an ONNX file.

    Raises:
        ParameterError: no parameter set of this tracker is known to fit it; the message says what it is.
        CheckpointError: there is no such file, or it cannot be read.
        OnnxError: the same of an ONNX file.
    """
    from ltr.admin.checkpoint import load_network
    from pytracking.onnx.about import is_onnx

    if is_onnx(network):
        return _match_onnx(tracker, network)
    loaded = load_network(network)
    constructor: Any = loaded.constructor
    name = constructor["network"]
    found = SETS.get(tracker, {}).get(name)
    if found is None:
        fits = [f"{other} {sets[name][0]}" for other, sets in SETS.items() if name in sets]
        known = f"Its network fits {' and '.join(fits)}." if fits else "Name a parameter set yourself."
        raise ParameterError(f"{network} was built by {name}, for which {tracker} has no set of parameters. {known}")
    return _said_by_folder(tracker, network) or _of_variant(loaded, name, *found)


def _said_by_folder(tracker: str, network: str | Path) -> Match | None:
    """Returns the parameter set that a shared folder names for its network, if it is one of this tracker."""
    from ltr.admin.checkpoint import find_checkpoint
    from ltr.sharing.folder import looks_shared, read_config

    folder = find_checkpoint(network)
    said = str(read_config(folder).get("tracker") or "") if looks_shared(folder) else ""
    family, _, parameters = said.partition("/")
    if family != tracker or said not in PARAMETERS:
        return None
    return Match(parameters, f"the folder {folder} names {said}")


def _match_onnx(tracker: str, network: str | Path) -> Match:
    from pytracking.onnx.about import KINDS, OnnxError, read_onnx

    about = read_onnx(network)[1]
    family, _, parameters = about.parameters.partition("/")
    if family != tracker:
        raise OnnxError(f"{network} holds the network of {about.parameters}: {tracker} cannot track with it")
    return Match(parameters, f"{KINDS.get(about.kind, about.kind)} as an ONNX file, written from {about.parameters}")


def _of_variant(network: nn.Module, name: str, parameters: str, title: str) -> Match:
    constructor: Any = network.constructor
    if getattr(network, "box_branch", "overlap") == "density":
        frozen = ", ".join(constructor["kwargs"].get("frozen_backbone_layers", ())) or "none"
        return Match(
            "super_dimp",
            f"SuperDiMP: built by {name} as DiMP-50 is, but its box branch learned a density (frozen layers: {frozen})",
        )
    if name == "siamfc_resnet22" and getattr(network, "normalise", False):
        return Match("res_pul", f"{title}, which compares by cosine similarity, as this project trains it")
    return Match(parameters, f"{title}: built by {name}")
