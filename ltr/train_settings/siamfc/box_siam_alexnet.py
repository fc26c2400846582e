"""Box-Siam: SiamFC on AlexNet, learned from boxes."""

from __future__ import annotations

from ltr.admin.settings import Settings
from ltr.engine import TrainingResult
from ltr.training.pairs import scheduled
from ltr.training.siamfc import BoxAlexNetConfig, train_on_boxes


def run(settings: Settings) -> TrainingResult:
    """Trains Box-Siam on AlexNet: SiamFC's loss on boxes, SoCL's crops and schedule (SoCL, section 4.3)."""
    return train_on_boxes(settings, settings.configure(scheduled(BoxAlexNetConfig(), settings.env)))
