"""SiamFC on a ResNet-18 that was trained to classify ImageNet, whose features are compared by cosine similarity."""

from __future__ import annotations

from ltr.models.builder import build_network
from pytracking.tracker.siamfc import SiamFCParams


def parameters() -> SiamFCParams:
    """Returns SiamFC's own parameters with ImageNet's features as unit vectors: where recipes start that learn such.

    Raises:
        OSError: there is no file ``resnet18_imagenet.pth`` in ``network_dir``, and nothing can be downloaded.
    """
    return SiamFCParams(network=build_network("siamfc_resnet18", pretrained="imagenet"))
