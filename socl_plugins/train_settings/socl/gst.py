"""A row of SoCL's Table 1: global soft templates alone."""

from __future__ import annotations

from ltr.admin.settings import Settings
from ltr.engine import TrainingResult
from socl_plugins.soft_contrastive.training import train_with


def run(settings: Settings) -> TrainingResult:
    """Trains as ``socl socl_res18`` does, with fewer kinds of samples."""
    return train_with(settings, use_negatives=False, use_mixing=False, use_local=False)
