"""ECO on histograms of gradients and a ResNet-18 that was trained to classify ImageNet (Res18-CF of SoCL's Table 3)."""

from __future__ import annotations

from ltr.models.backbone import resnet18
from pytracking.tracker.eco.params import ECOParams


def parameters() -> ECOParams:
    """Returns ECO's parameters with histograms, conv1 and layer3 as features, from a file or downloaded.

    SoCL's footnote names the tracker: ECO's public Python implementation on histograms and a network, without colour
    names.

    Raises:
        OSError: there is no file ``resnet18_imagenet.pth`` in ``network_dir``, and nothing can be downloaded.
    """
    return ECOParams(network=resnet18("layer3", stride=16, pretrained="imagenet"), hand_crafted=("fhog",))
