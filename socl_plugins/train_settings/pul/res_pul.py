"""ResPUL: SiamDW's ResNet-22, learned from video without any label."""

from __future__ import annotations

from dataclasses import dataclass

from ltr.admin.settings import Settings
from ltr.engine import TrainingResult
from ltr.training.networks import ResNet22Options
from socl_plugins.progressive.training import ProgressiveConfig, default_config, train_progressively


@dataclass
class ResPulConfig(ResNet22Options, ProgressiveConfig):
    """Progressive learning of SiamDW's ResNet-22."""


def run(settings: Settings) -> TrainingResult:
    """Trains SiamDW's ResNet-22 as PUL does: patches are told apart first, then found again (PUL, supplement)."""
    return train_progressively(settings, settings.configure(default_config(ResPulConfig(), settings.env)))
