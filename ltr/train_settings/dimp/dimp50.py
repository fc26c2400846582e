"""DiMP on a ResNet-50: ``dimp18`` with another network."""

from __future__ import annotations

from dataclasses import replace

from ltr.admin.environment import Environment
from ltr.admin.settings import Settings
from ltr.engine import TrainingResult
from ltr.train_settings.dimp import dimp18


def default_config(env: Environment) -> dimp18.DiMPConfig:
    """Returns the configuration of ``dimp dimp18`` for a ResNet-50 whose first layers, if pre-trained, do not learn."""
    config = dimp18.default_config(env)
    frozen = ("conv1", "bn1", "layer1", "layer2") if config.pretrained else ()
    return replace(config, network="dimpnet50", frozen_backbone_layers=frozen, tracker_parameters="dimp/dimp50")


def run(settings: Settings) -> TrainingResult:
    """Trains DiMP-50 on the data sets of ``dimp dimp18``."""
    return dimp18.train(settings, settings.configure(default_config(settings.env)))
