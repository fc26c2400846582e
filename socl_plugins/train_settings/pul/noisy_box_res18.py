"""Box-Siam on boxes that are drawn in the wrong place, with the noise-robust loss if ``noise_robust`` is set."""

from __future__ import annotations

from dataclasses import dataclass

from ltr.admin.settings import Settings
from ltr.dataset.defaults import training_videos
from ltr.engine import TrainingResult
from ltr.training.pairs import scheduled
from ltr.training.siamfc import BoxRes18Config, train_on_boxes
from socl_plugins.clicks.noisy_boxes import NoisyBoxes
from socl_plugins.progressive.training import NoiseRobustOptions


@dataclass
class NoisyBoxConfig(NoiseRobustOptions, BoxRes18Config):
    """Box-Siam's hyper-parameters, and the error of its boxes.

    Attributes:
        noise_px: shift of each box in a random direction, in pixels of the frame.
    """

    noise_px: float = 20.0


def run(settings: Settings) -> TrainingResult:
    """Trains as ``siamfc box_siam_res18`` does, on shifted boxes (PUL, supplement, section D, figure 6)."""
    config = settings.configure(scheduled(NoisyBoxConfig(), settings.env))
    boxes = NoisyBoxes(training_videos(settings.env, config.videos), config.noise_px)
    return train_on_boxes(settings, config, boxes)
