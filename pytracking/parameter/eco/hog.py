"""ECO on histograms of oriented gradients alone: it needs no network."""

from __future__ import annotations

from pytracking.tracker.eco.params import ECOParams


def parameters() -> ECOParams:
    """Returns ECO's parameters with histograms in cells of 4 pixels."""
    return ECOParams(hand_crafted=("fhog",))
