"""BCE-Siam: SiamFC on ResNet-18, learned from pseudo boxes, which TOP maps of single clicks give."""

from __future__ import annotations

from dataclasses import dataclass

from ltr.admin.settings import Settings
from ltr.trainers import TrainingResult
from ltr.training.pairs import scheduled
from ltr.training.siamfc import BoxRes18Config, train_on_boxes
from socl_plugins.labels import dataset_labels
from socl_plugins.labels.cost_hook import LabelCost
from socl_plugins.progressive.training import NoiseRobustOptions
from socl_plugins.pseudo_label.top_map_boxes import TopMapBoxAnnotated
from socl_plugins.top_map.training_clicks import ClickOptions, training_clicks


@dataclass
class BCESiamConfig(NoiseRobustOptions, BoxRes18Config, ClickOptions):
    """Box-Siam's hyper-parameters, those of the clicks, and the noise-robust loss for clicks that are off.

    Attributes:
        alpha: part of a TOP map's maximum from which on a place belongs to the pseudo box.
    """

    alpha: float = 0.5


def run(settings: Settings) -> TrainingResult:
    """Trains as ``siamfc box_siam_res18`` does, on pseudo boxes in place of drawn ones (SoCL, figure 8)."""
    config = settings.configure(scheduled(BCESiamConfig(), settings.env))
    clicks = training_clicks(settings.env, config)
    boxes = TopMapBoxAnnotated(clicks, config.alpha)
    return train_on_boxes(settings, config, boxes, [LabelCost(dataset_labels(clicks))])
