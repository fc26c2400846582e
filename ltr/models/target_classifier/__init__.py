"""DiMP's target classifier: features for it, a first filter, and the optimizer that learns the filter from samples.

What lives here follows Bhat et al., Learning Discriminative Model Prediction for Tracking, ICCV 2019 (DiMP). Backbones
and the estimation of boxes do not.
"""

from ltr.models.target_classifier.classifier import TargetClassifier
from ltr.models.target_classifier.features import classification_features
from ltr.models.target_classifier.initializer import FilterInitializer, NoInitializer
from ltr.models.target_classifier.optimizer import FilterPath, GradientDescent, LossMaps, SteepestDescent

__all__ = [
    "FilterInitializer",
    "FilterPath",
    "GradientDescent",
    "LossMaps",
    "NoInitializer",
    "SteepestDescent",
    "TargetClassifier",
    "classification_features",
]
