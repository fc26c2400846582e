"""The epoch loop, and the hooks around it: checkpoints, weight average, held-out score, logging, progress.

No loss, network or data set is known here: an actor makes the loss, loaders bring the data, a recipe chooses both.
"""

from ltr.trainers.held_out import HeldOutScore
from ltr.trainers.hooks import Hook
from ltr.trainers.ltr_trainer import LTRTrainer
from ltr.trainers.result import TrainingError, TrainingInterrupted, TrainingResult
from ltr.trainers.weight_average import WeightAverage

__all__ = [
    "HeldOutScore",
    "Hook",
    "LTRTrainer",
    "TrainingError",
    "TrainingInterrupted",
    "TrainingResult",
    "WeightAverage",
]
