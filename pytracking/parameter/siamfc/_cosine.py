"""What SiamFC needs to change on networks whose features are L2-normalised at each location."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from pytracking.tracker.siamfc import SiamFCParams

# SiamFC takes a margin of half the target's size. Its features make background weak by their length; normalised ones
# cannot, and a template of background that has moved on would be compared as if it were target.
CONTEXT = 0.25


def cosine_params(network: str | Path | nn.Module) -> SiamFCParams:
    """Returns SiamFC's own parameters with a smaller margin around the target, for a network of cosine features."""
    return SiamFCParams(network=network, context=CONTEXT)
