"""SoCL-Siam: a ResNet-18 that learns from single clicks what a Siamese tracker compares."""

from __future__ import annotations

from ltr.admin.settings import Settings
from ltr.engine import TrainingResult
from socl_plugins.soft_contrastive.training import train_with


def run(settings: Settings) -> TrainingResult:
    """Trains SoCL-Siam (SoCL, section 4.1), from clicks on GOT-10k, or on the embedded videos where it is not set."""
    return train_with(settings)
