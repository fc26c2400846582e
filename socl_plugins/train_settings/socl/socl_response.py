"""SoCL-Siam with a term on the tracker's response, which the paper does not have: from clicks, what boxes are worth."""

from __future__ import annotations

from ltr.admin.settings import Settings
from ltr.engine import TrainingResult
from socl_plugins.soft_contrastive.response import ResponseSettings
from socl_plugins.soft_contrastive.training import SoCLRes18Config, default_config, train


def run(settings: Settings) -> TrainingResult:
    """Trains as ``socl socl_res18`` does, the response weighed far above the pooled vectors.

    The frames of a pair share their augmentation, as Box-Siam's do. The weight was chosen on held-out videos.
    """
    config = default_config(SoCLRes18Config(response=ResponseSettings(weight=20.0)), settings.env)
    config.augment_apart = 0.0
    return train(settings, settings.configure(config))
