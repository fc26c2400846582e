"""The target classification branch: samples of a target in, a filter out, and its scores on other images."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ltr.models.target_classifier.filter import apply_filter
from ltr.models.target_classifier.initializer import FilterInitializer, NoInitializer
from ltr.models.target_classifier.optimizer import FilterPath, SteepestDescent


class TargetClassifier(nn.Module):
    """The model predictor D of DiMP (figure 2), and the features that it works on.

    Args:
        filter_initializer: makes the first filter.
        filter_optimizer: makes it discriminative.
        feature_extractor: backbone features to classification features.
    """

    def __init__(
        self,
        filter_initializer: FilterInitializer | NoInitializer,
        filter_optimizer: SteepestDescent,
        feature_extractor: nn.Module,
    ) -> None:
        super().__init__()
        self.filter_initializer = filter_initializer
        self.filter_optimizer = filter_optimizer
        self.feature_extractor = feature_extractor

    def extract(self, backbone_features: Tensor) -> Tensor:
        """Returns classification features for backbone features, both (..., C, H, W)."""
        shape = backbone_features.shape
        features = self.feature_extractor(backbone_features.flatten(0, -4))
        return features.view(*shape[:-3], *features.shape[-3:])

    def get_filter(
        self,
        features: Tensor,
        boxes: Tensor,
        sample_weight: Tensor | None = None,
        iterations: int | None = None,
    ) -> FilterPath:
        """Returns the initial filter and each iterate, (S, C, k, k), for features (I, S, C, H, W) and boxes (I, S, 4).

        Args:
            features: classification features.
            boxes: x, y, w, h in crop pixels.
            sample_weight: (I, S), weight of each image's squared residuals; none: 1 / I.
            iterations: descent steps; none: the optimizer's own number; with 0 the filter is the initializer's.
        """
        first = self.filter_initializer(features, boxes).float()
        path: FilterPath = self.filter_optimizer(first, features, boxes, sample_weight, iterations)
        return path

    def classify(self, filters: Tensor, features: Tensor) -> Tensor:
        """Returns the scores (I, S, H', W') of filters (S, C, k, k) on classification features (I, S, C, H, W)."""
        with torch.autocast(features.device.type, enabled=False):
            return apply_filter(features, filters)

    def forward(self, train_features: Tensor, test_features: Tensor, train_boxes: Tensor) -> list[Tensor]:
        """Returns the scores (J, S, H', W') on J test images of the initial filter and of each iterate.

        Args:
            train_features: backbone features (I, S, C, H, W).
            test_features: backbone features (J, S, C, H, W).
            train_boxes: (I, S, 4) x, y, w, h in crop pixels.
        """
        train, test = self.extract(train_features), self.extract(test_features)
        return [self.classify(filters, test) for filters in self.get_filter(train, train_boxes).filters]
