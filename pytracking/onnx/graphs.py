"""Which graph each kind of network becomes: its inputs and outputs, and which of their sides may change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ltr.models.fold import folded
from ltr.models.tracking import DiMPNet
from ltr.models.tracking.dimpnet import BOX_LAYERS
from ltr.models.tracking.siamfcnet import SiamFCNet
from ltr.models.tracking.transt import TransT
from pytracking.onnx.about import KINDS, OnnxError

Axes = Mapping[int, str]
"""Sides of a tensor that may have any length, and what they are called."""


@dataclass(frozen=True)
class Graph:
    """A module to be traced.

    Attributes:
        module: takes the inputs by position.
        inputs: shape of each while it is traced.
        outputs: names, in order.
        axes: of inputs and outputs.
        inner: outputs that become inner tensors of the graph: where a tracker cuts it into parts.
        response_scale: of the correlation that is added to SiamFC's features; None: the mean over the template.
    """

    module: nn.Module
    inputs: Mapping[str, tuple[int, ...]]
    outputs: tuple[str, ...]
    axes: Mapping[str, Axes]
    inner: tuple[str, ...] = ()
    response_scale: float | None = None


class TransTGraph(nn.Module):
    """TransT from images to predictions, and the features on the way."""

    def __init__(self, network: TransT) -> None:
        super().__init__()
        self.network = network

    def forward(self, template: Tensor, search: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Returns logits, boxes, and the features of template and search region."""
        seen, sought = self.network.features(template), self.network.features(search)
        logits, boxes = self.network.predict(seen, sought)
        return logits, boxes, seen, sought


class DiMPGraph(nn.Module):
    """What DiMP computes of a crop that does not depend on the target."""

    def __init__(self, network: DiMPNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Returns the backbone's layers 2 and 3, the classification features, and the IoU features of both strides."""
        near, far = self.network.feature_extractor.extract(images, BOX_LAYERS)
        seen = self.network.classifier.feature_extractor(far)
        return near, far, seen, *self.network.bb_regressor.iou_features((near, far))


def kind_of(network: nn.Module) -> str:
    """Returns the kind of a network, one of :data:`pytracking.onnx.about.KINDS`.

    Raises:
        OnnxError: it is of none.
    """
    for kind, cls in {"siamfc": SiamFCNet, "transt": TransT, "dimp": DiMPNet}.items():
        if isinstance(network, cls):
            return kind
    raise OnnxError(
        f"a {type(network).__name__} cannot be written as ONNX; networks of {', '.join(KINDS.values())} can"
    )


def graph_of(network: nn.Module, template_size: int, search_size: int) -> Graph:
    """Returns the graph of a network, whose batch norms are folded.

    Args:
        network: of a known kind.
        template_size: side of the template crop in pixels; not used by DiMP.
        search_size: side of the search crop in pixels. Only SiamFC's graph takes crops of other sizes, too.

    Raises:
        OnnxError: it is of no known kind.
    """
    kind_of(network)
    own = folded(network).cpu()
    batch = {0: "batch"}
    if isinstance(own, SiamFCNet):
        every = {"images": {**batch, 2: "height", 3: "width"}, "features": {**batch, 2: "rows", 3: "columns"}}
        inputs = {"images": (2, 3, search_size, search_size)}
        return Graph(own, inputs, ("features",), every, response_scale=own.response_scale)
    if isinstance(own, TransT):
        inputs = {"template": (2, 3, template_size, template_size), "search": (2, 3, search_size, search_size)}
        outputs = ("logits", "boxes", "template_features", "search_features")
        one = {name: {0: "targets"} for name in ("template", "template_features")}
        return Graph(
            TransTGraph(own), inputs, outputs, {**dict.fromkeys(("search", *outputs), batch), **one}, outputs[2:]
        )
    assert isinstance(own, DiMPNet)
    names = ("layer2", "layer3", "classification", "iou_stride8", "iou_stride16")
    inputs = {"images": (2, 3, search_size, search_size)}
    return Graph(DiMPGraph(own), inputs, names, dict.fromkeys(("images", *names), batch))


def example_inputs(graph: Graph) -> list[Tensor]:
    """Returns images of noise in 0..255, the same ones every time, to trace and to compare with."""
    generator = torch.Generator().manual_seed(0)
    return [255 * torch.rand(shape, generator=generator) for shape in graph.inputs.values()]
