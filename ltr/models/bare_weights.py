"""Weights that other projects publish as they are, without saying of which network: their names tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ltr.models.tracking.siamfcnet import weights_for_rgb

MARKS = {
    "siamfc_alexnet": "backbone.conv5.0.weight",
    "siamfc_resnet22": "features.layer2.4.bn3.weight",
    "transt50": "featurefusion_network.encoder.layers.3.self_attn1.in_proj_weight",
}
"""A registered network, and the name of a weight that no other one has: of siamfc-pytorch, SiamDW and TransT."""
HOLDERS = ("net", "state_dict", "model")  # what a file can call its weights
WRAPPER = "module."  # what training on several GPUs puts before the names


def recognised(content: Any) -> dict[str, Any] | None:
    """Returns ``net`` and ``constructor``, as a checkpoint of this project holds them, or None.

    Args:
        content: of a file: weights by name, or a dict that holds such.
    """
    if not isinstance(content, Mapping):
        return None
    weights = next((content[name] for name in HOLDERS if isinstance(content.get(name), Mapping)), content)
    weights = {str(name).removeprefix(WRAPPER): value for name, value in weights.items()}
    for network, mark in MARKS.items():
        if mark in weights:
            if network == "siamfc_resnet22":
                weights = weights_for_rgb(weights)
            return {"net": weights, "constructor": {"network": network, "kwargs": {}}}
    return None
