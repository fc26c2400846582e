"""The entry point: importing this module registers what the package adds."""

from ltr.registry import TRAIN_SETTINGS
from pytracking.registry import EXPERIMENTS, PARAMETERS
from socl_plugins.soft_contrastive import actor, processing  # noqa: F401  they register themselves

TRAIN_SETTINGS.search("socl_plugins.train_settings", "run")
PARAMETERS.search("socl_plugins.parameter", "parameters")
EXPERIMENTS.search("socl_plugins.experiments")
