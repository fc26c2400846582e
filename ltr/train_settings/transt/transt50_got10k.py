"""TransT trained on GOT-10k alone, as GOT-10k's own test asks for it."""

from __future__ import annotations

from dataclasses import replace

from ltr.admin.environment import Environment
from ltr.admin.settings import Settings
from ltr.dataset.defaults import training_sets
from ltr.engine import TrainingResult
from ltr.train_settings.transt import transt50
from ltr.train_settings.transt.transt50 import TransTConfig


def default_config(env: Environment) -> TransTConfig:
    """Returns that of ``transt transt50`` with half its epochs at twice its learning rate, and no other data."""
    config = transt50.default_config(env, other_sets=())
    if env.got10k_dir is None:
        return config
    rate = 2 * config.learning_rate
    return replace(config, epochs=500, learning_rate=rate, decay_epochs=(250,))


def run(settings: Settings) -> TrainingResult:
    """Trains TransT on GOT-10k, or on the embedded videos."""
    config = settings.configure(default_config(settings.env))
    return transt50.train(settings, config, training_sets(settings.env, config.videos, config.other_sets))
