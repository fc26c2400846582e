"""DiMP with gradient descent, GD of the paper's table 1: ``dimp18`` with learned step lengths."""

from __future__ import annotations

from dataclasses import replace

from ltr.admin.environment import Environment
from ltr.admin.settings import Settings
from ltr.engine import TrainingResult
from ltr.train_settings.dimp import dimp18


def default_config(env: Environment) -> dimp18.DiMPConfig:
    """Returns the configuration of ``dimp dimp18`` with gradient descent."""
    return replace(dimp18.default_config(env), optimizer="gradient", tracker_parameters="dimp/dimp18_gd")


def run(settings: Settings) -> TrainingResult:
    """Trains DiMP-18 with gradient descent (table 1, GD) on the data sets of ``dimp dimp18``."""
    return dimp18.train(settings, settings.configure(default_config(settings.env)))
