"""DiMP without its optimizer module, Init of the paper's table 1: ``dimp18`` whose filter is the initializer's."""

from __future__ import annotations

from dataclasses import replace

from ltr.admin.environment import Environment
from ltr.admin.settings import Settings
from ltr.engine import TrainingResult
from ltr.train_settings.dimp import dimp18


def default_config(env: Environment) -> dimp18.DiMPConfig:
    """Returns the configuration of ``dimp dimp18`` whose filter is predicted from the target alone."""
    return replace(dimp18.default_config(env), optim_iter=0, tracker_parameters="dimp/dimp18_init")


def run(settings: Settings) -> TrainingResult:
    """Trains DiMP-18 without its optimizer module (table 1, Init) on the data sets of ``dimp dimp18``."""
    return dimp18.train(settings, settings.configure(default_config(settings.env)))
