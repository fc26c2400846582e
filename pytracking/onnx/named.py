"""The network that a name stands for, be it a parameter set, a recipe or a file, and what is to be said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from ltr.admin.checkpoint import CheckpointError
from ltr.registry import near_names
from pytracking.evaluation import Tracker
from pytracking.evaluation.run_key import weights_digest
from pytracking.onnx.about import KINDS, About, OnnxError, is_onnx
from pytracking.onnx.graphs import kind_of
from pytracking.parameter.params import TrackerParams
from pytracking.registry import PARAMETERS
from pytracking.tracker.base import tracking_network
from pytracking.tracker.matching import SETS, match_network


@dataclass(frozen=True)
class NamedNetwork:
    """A network, the parameters that it is tracked with, and what its file is to say."""

    network: nn.Module
    params: TrackerParams
    about: About


def named_network(name: str, overrides: Mapping[str, str]) -> NamedNetwork:
    """Returns the network that a name stands for.

    Args:
        name: a parameter set such as ``siamfc/socl_res18``, or else a recipe or file of weights, which finds its set.
        overrides: parameters that differ from the set's, as text.

    Raises:
        OnnxError: there is no such name, or what it stands for has no network that can be written.
        CheckpointError: the checkpoint cannot be read, or was not trained yet.
    """
    tracker, overrides = _found(name, overrides)
    title = f"{tracker.name}/{tracker.parameter_name}"
    params: Any = tracker.parameters()
    if tracker.name not in KINDS or not params.has("network"):
        raise OnnxError(
            f"{title} cannot be written as ONNX: it learns in every frame or has no network. Networks of "
            f"{', '.join(KINDS)} can; pytracking/run_tracker.py --list shows their parameter sets"
        )
    if is_onnx(params.network):
        raise OnnxError(f"{title} tracks with an ONNX file already: {params.network}. Name the network it was made of")
    source = "" if isinstance(params.network, nn.Module) else str(params.network)
    network: Any = tracking_network(params.network)
    stride, kind = int(network.stride), kind_of(network)
    constructor = getattr(network, "constructor", {"network": type(network).__name__})
    about = About(kind, title, source or constructor["network"], weights_digest(network), stride, *_sizes(kind, params))
    return NamedNetwork(network, params, about)


def _found(name: str, overrides: Mapping[str, str]) -> tuple[Tracker, Mapping[str, str]]:
    family, slash, parameters = name.partition("/")
    if name in PARAMETERS:
        return Tracker(family, parameters, overrides=dict(overrides)), overrides
    for known in SETS:
        try:
            match = match_network(known, name)
        except CheckpointError as error:
            near = near_names(name, PARAMETERS.names())
            told = str(error).rstrip(".")
            raise OnnxError(f"{name} is no parameter set (TRACKER/PARAMETERS), and {told}.{near}") from error
        except ValueError:  # of another tracker
            continue
        changed = {**overrides, "network": name}
        return Tracker(known, match.parameters, overrides=changed), changed
    raise OnnxError(
        f"{name} holds a network of none of the kinds that can be written as ONNX: {', '.join(KINDS.values())}"
    )


def _sizes(kind: str, params: Any) -> tuple[int, int]:
    if kind == "siamfc":
        return params.exemplar_size, params.search_size
    if kind == "transt":
        return params.template_size, params.search_size
    return 0, params.image_sample_size


def default_path(about: About, networks: Path) -> Path:
    """Returns where a network is written by default, such as ``networks/siamfc_socl_res18.onnx``."""
    return networks / f"{about.parameters.replace('/', '_')}.onnx"
