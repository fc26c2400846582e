"""BCE-Siam on SiamFC's AlexNet."""

from __future__ import annotations

from dataclasses import dataclass

from ltr.admin.settings import Settings
from ltr.engine import TrainingResult
from ltr.training.networks import AlexNetOptions
from ltr.training.pairs import scheduled
from socl_plugins.train_settings.socl import bce_siam_res18
from socl_plugins.train_settings.socl.bce_siam_res18 import BCESiamConfig


@dataclass
class BCEAlexNetConfig(AlexNetOptions, BCESiamConfig):
    """BCE-Siam on SiamFC's AlexNet."""


def run(settings: Settings) -> TrainingResult:
    """Trains as ``siamfc box_siam_alexnet`` does, on pseudo boxes in place of drawn ones (SoCL, figure 8)."""
    return bce_siam_res18.train(settings, settings.configure(scheduled(BCEAlexNetConfig(), settings.env)))
