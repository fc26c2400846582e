"""The learning step of SiamFC on labels that may be off."""

from __future__ import annotations

import torch

from ltr.actors.siamfc import SiamFCActor
from ltr.data.tensordict import TensorDict
from ltr.models.tracking import SiamFCNet
from ltr.registry import ACTORS
from socl_plugins.progressive.noise_robust import LabelNoise, noise_robust_loss


@ACTORS.register("noise_robust")
class NoiseRobustActor(SiamFCActor):
    """SiamFC's learning step with the noise-robust loss in place of the cross-entropy.

    Args:
        net: the network that learns.
        noise: of the labels.
        radius: see :class:`ltr.actors.siamfc.SiamFCActor`.
        frozen_norm: see :class:`ltr.actors.base_actor.BaseActor`.
    """

    def __init__(self, net: SiamFCNet, noise: LabelNoise, radius: float = 2.0, frozen_norm: bool = False) -> None:
        super().__init__(net, radius, frozen_norm)
        self.noise = noise

    def loss(self, logits: torch.Tensor, centers: torch.Tensor, data: TensorDict) -> torch.Tensor:
        """Returns the loss; ``test_scale`` (N,) of the data says how many pixels of the crop one of the frame is."""
        noise = self.noise
        scale = data["test_scale"].float()
        std = torch.hypot(noise.frame_px * scale, torch.full_like(scale, noise.crop_px)) / self.net.stride
        return noise_robust_loss(logits, centers, std, self.radius, noise.shifts, noise.expansion, noise.scale)
