"""ECO on a ResNet-18 with random weights: what tracking gives without any learning."""

from __future__ import annotations

import torch

from ltr.models.backbone import resnet18
from pytracking.tracker.eco.params import ECOParams

SEED = 0


def parameters() -> ECOParams:
    """Returns ECO's parameters with an untrained ResNet-18, the same one every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        return ECOParams(network=resnet18("layer3", stride=16))
