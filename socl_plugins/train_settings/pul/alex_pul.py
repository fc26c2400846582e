"""AlexPUL: SiamFC's AlexNet, learned from video without any label."""

from __future__ import annotations

from dataclasses import dataclass

from ltr.admin.settings import Settings
from ltr.engine import TrainingResult
from ltr.training.networks import AlexNetOptions
from socl_plugins.progressive.training import ProgressiveConfig, default_config, train_progressively


@dataclass
class AlexPulConfig(AlexNetOptions, ProgressiveConfig):
    """Progressive learning of SiamFC's AlexNet."""


def run(settings: Settings) -> TrainingResult:
    """Trains SiamFC's AlexNet as PUL does: patches are told apart first, then found again (PUL, supplement)."""
    return train_progressively(settings, settings.configure(default_config(AlexPulConfig(), settings.env)))
