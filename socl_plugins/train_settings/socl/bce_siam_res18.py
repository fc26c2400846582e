"""BCE-Siam: SiamFC on ResNet-18, learned from pseudo boxes, which TOP maps of single clicks give."""

from __future__ import annotations

from dataclasses import dataclass

from ltr.admin.settings import Settings, SettingsError
from ltr.engine import TrainingResult
from ltr.training.networks import ResNet18Options
from ltr.training.pairs import scheduled
from ltr.training.siamfc import train_on_boxes
from socl_plugins.clicks import dataset_labels
from socl_plugins.clicks.cost_hook import RecordLabelCost
from socl_plugins.progressive.training import NoiseRobustOptions
from socl_plugins.pseudo_label.top_map_boxes import TopMapBoxAnnotated
from socl_plugins.top_map.training_clicks import ClickOptions, training_clicks


@dataclass
class BCESiamConfig(NoiseRobustOptions, ClickOptions):
    """Box-Siam's hyper-parameters, those of the clicks, and the noise-robust loss for clicks that are off.

    Attributes:
        alpha: part of a TOP map's maximum from which on a place belongs to the pseudo box.
    """

    alpha: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.alpha <= 1:
            raise SettingsError(f"alpha is {self.alpha}; it is a part of the map's maximum, in (0, 1]")


@dataclass
class BCERes18Config(ResNet18Options, BCESiamConfig):
    """BCE-Siam on ResNet-18."""


def run(settings: Settings) -> TrainingResult:
    """Trains as ``siamfc box_siam_res18`` does, on pseudo boxes in place of drawn ones (SoCL, figure 8)."""
    return train(settings, settings.configure(scheduled(BCERes18Config(), settings.env)))


def train(settings: Settings, config: BCESiamConfig) -> TrainingResult:
    """Trains a network from pseudo boxes and returns how it tracks held-out videos before and after."""
    clicks = training_clicks(settings.env, config, settings.seed)
    boxes = TopMapBoxAnnotated(clicks, config.alpha)
    return train_on_boxes(settings, config, boxes, [RecordLabelCost(dataset_labels(clicks))])
