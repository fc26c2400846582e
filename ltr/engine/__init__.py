"""The epoch loop, and the hooks around it: checkpoints, weight average, held-out score, logging, progress.

No loss, network or data set is known here: an actor makes the loss, loaders bring the data, a recipe chooses both.
"""

from ltr.engine.held_out import HeldOutScore
from ltr.engine.hooks import Hook
from ltr.engine.keep_average import KeepAverage
from ltr.engine.ltr_trainer import LTRTrainer
from ltr.engine.result import TrainingError, TrainingInterrupted, TrainingResult
from ltr.engine.weight_average import WeightAverage

__all__ = [
    "HeldOutScore",
    "Hook",
    "KeepAverage",
    "LTRTrainer",
    "TrainingError",
    "TrainingInterrupted",
    "TrainingResult",
    "WeightAverage",
]
