"""SoCL-SiamFC: SiamFC's AlexNet that learns from single clicks, from random weights."""

from __future__ import annotations

from ltr.admin.settings import Settings
from ltr.engine import TrainingResult
from socl_plugins.soft_contrastive.training import SoCLAlexNetConfig, default_config, train


def run(settings: Settings) -> TrainingResult:
    """Trains SoCL-SiamFC (SoCL, section 4.1) as ``socl socl_res18`` is trained."""
    return train(settings, settings.configure(default_config(SoCLAlexNetConfig(), settings.env)))
