"""SiamFC on a ResNet-18 with random weights: what tracking gives without any learning."""

from __future__ import annotations

import torch

from ltr.models.builder import build_network
from pytracking.tracker.siamfc import SiamFCParams

SEED = 0


def parameters() -> SiamFCParams:
    """Returns SiamFC's own parameters with an untrained ResNet-18, the same one every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        network = build_network("siamfc_resnet18")
    return SiamFCParams(network=network)
