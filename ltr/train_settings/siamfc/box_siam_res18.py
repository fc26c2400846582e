"""Box-Siam: SiamFC on ResNet-18, learned from boxes."""

from __future__ import annotations

from ltr.admin.settings import Settings
from ltr.engine import TrainingResult
from ltr.training.pairs import scheduled
from ltr.training.siamfc import BoxRes18Config, train_on_boxes


def run(settings: Settings) -> TrainingResult:
    """Trains Box-Siam on ResNet-18: SiamFC's loss on boxes, SoCL's crops and schedule (SoCL, section 4.3)."""
    return train_on_boxes(settings, settings.configure(scheduled(BoxRes18Config(), settings.env)))
