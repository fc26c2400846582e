"""SoCL-CF: a ResNet-18 that learns from single clicks, through a projection head, for a correlation-filter tracker."""

from __future__ import annotations

from dataclasses import replace

from ltr.admin.settings import Settings
from ltr.engine import TrainingResult
from socl_plugins.soft_contrastive.training import SoCLRes18Config, default_config, train


def run(settings: Settings) -> TrainingResult:
    """Trains SoCL-CF (SoCL, sections 4.1 and J): the whole ResNet-18 with its last layer at stride 16, and a head.

    The tracker takes Conv1 and Layer3 of what is learned, and not the head. The paper's schedule has 500 epochs, with a
    tenth of the learning rate after 50. Of our choosing is that one cell is dropped on each side: at this stride a
    third of a 192-pixel crop would go with two. The held-out score tracks with SiamFC on the last layer, which
    compares checkpoints, and says little of how a correlation filter tracks.
    """
    config = SoCLRes18Config(output_layer="layer4", stride=16, border=1, projection=True)
    config = default_config(config, settings.env)
    if settings.env.got10k_dir is not None:
        config = replace(config, epochs=500, decay_epochs=(50,))
    return train(settings, settings.configure(config))
