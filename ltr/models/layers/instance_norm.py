"""Normalisation of whole feature maps."""

from __future__ import annotations

from torch import Tensor, nn


class InstanceL2Norm(nn.Module):
    """Scales each feature map (C, H, W) to a root mean square of ``scale``. Computed in float32, whatever comes in."""

    def __init__(self, scale: float = 1.0, eps: float = 1e-5) -> None:
        super().__init__()
        self.scale = scale
        self.eps = eps

    def forward(self, features: Tensor) -> Tensor:
        """Returns features (N, C, H, W), scaled."""
        features = features.float()  # the sum of squares of a whole map does not fit into float16
        energy = features.square().sum(dim=(1, 2, 3), keepdim=True)
        return features * (self.scale * (features[0].numel() / (energy + self.eps)).sqrt())
