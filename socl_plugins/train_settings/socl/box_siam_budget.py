"""Box-Siam that counts what its boxes cost, and learns from as many as a budget is enough for."""

from __future__ import annotations

from dataclasses import dataclass

from ltr.admin.settings import Settings
from ltr.dataset.defaults import training_videos
from ltr.engine import TrainingResult
from ltr.training.pairs import scheduled
from ltr.training.siamfc import BoxRes18Config, train_on_boxes
from socl_plugins.clicks.budget import BudgetOptions


@dataclass
class BoxBudgetConfig(BoxRes18Config, BudgetOptions):
    """Box-Siam on ResNet-18, and how many boxes it learns from."""


def run(settings: Settings) -> TrainingResult:
    """Trains as ``siamfc box_siam_res18`` does, on boxes that are paid for (SoCL, sections 4.3 and I)."""
    config = settings.configure(scheduled(BoxBudgetConfig(), settings.env))
    boxes = config.within_budget(training_videos(settings.env, config.videos), settings.seed)
    return train_on_boxes(settings, config, boxes)
