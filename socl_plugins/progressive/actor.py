"""The learning steps: SiamFC's on labels that may be off, and with contrastive learning of patches beside it."""

from __future__ import annotations

import torch

from ltr.actors.siamfc import SiamFCActor
from ltr.config.errors import SettingsError
from ltr.data.tensordict import TensorDict
from ltr.models.tracking import SiamFCNet
from ltr.registry import ACTORS
from socl_plugins.progressive.noise_robust import START, LabelNoise, noise_robust_loss
from socl_plugins.progressive.patches import embedding
from socl_plugins.soft_contrastive.actor import number_videos
from socl_plugins.soft_contrastive.loss import SoftSamples, soft_contrastive_loss


@ACTORS.register("noise_robust")
class NoiseRobustActor(SiamFCActor):
    """SiamFC's learning step with the noise-robust loss in place of the cross-entropy.

    Args:
        net: the network that learns.
        noise: of the labels.
        radius: see :class:`ltr.actors.siamfc.SiamFCActor`.
        frozen_norm: see :class:`ltr.actors.base_actor.BaseActor`.

    Raises:
        ValueError: see :meth:`LabelNoise.check_start`.
    """

    def __init__(
        self, net: SiamFCNet, noise: LabelNoise = LabelNoise(), radius: float = 2.0, frozen_norm: bool = False
    ) -> None:
        super().__init__(net, radius, frozen_norm)
        noise.check_start(START)
        self.noise = noise

    def loss(self, logits: torch.Tensor, centers: torch.Tensor, data: TensorDict) -> torch.Tensor:
        """Returns the loss; ``test_scale`` (N,) of the data says how many pixels of the crop one of the frame is."""
        noise = self.noise
        std = noise.cells(data["test_scale"], self.net.stride)
        return noise_robust_loss(logits, centers, std, self.radius, noise.shifts, noise.expansion, noise.factor())


@ACTORS.register("progressive")
class ProgressiveActor(NoiseRobustActor):
    """Tells patches apart, and, once pairs have been mined, learns where they are found again.

    The first part contrasts the templates of a mini-batch: one and its counterpart against those of other videos (PUL,
    supplement, sections C and F). The second is the noise-robust loss.

    Args:
        net: the network that learns.
        noise: of the mined places.
        radius: see :class:`ltr.actors.siamfc.SiamFCActor`.
        tau: temperature of the contrastive loss.
        contrast: weight of the contrastive loss beside the other.
        frozen_norm: see :class:`ltr.actors.base_actor.BaseActor`.
    """

    leaves_parameters_unused = True  # telling patches apart uses no calibration

    def __init__(
        self,
        net: SiamFCNet,
        noise: LabelNoise = LabelNoise(crop_px=8.0),
        radius: float = 2.0,
        tau: float = 0.1,
        contrast: float = 1.0,
        frozen_norm: bool = False,
    ) -> None:
        super().__init__(net, noise, radius, frozen_norm)
        if not tau > 0:
            raise SettingsError(f"actor.tau is {tau}, but must be positive")
        if not contrast >= 0:
            raise SettingsError(f"actor.contrast is {contrast}, but must not be negative")
        self.tau = tau
        self.contrast = contrast
        self.correspond = False
        """Whether to learn from mined pairs, too."""

    def __call__(self, data: TensorDict) -> tuple[torch.Tensor, dict[str, float]]:
        """Returns the loss, and it and its parts as numbers.

        Args:
            data: as for SiamFC's; ``positive_images`` (N, 3, Z, Z), the templates' counterparts; ``dataset`` and
                ``seq_id``, which say what video each is of.
        """
        images = torch.cat([data["train_images"], data["positive_images"]])
        features = self.net.embed(images.float().contiguous(memory_format=torch.channels_last))
        # In mixed precision only the network is computed coarsely: a contrastive loss is a difference of large numbers.
        with torch.autocast(features.device.type, enabled=False):
            patches = SoftSamples(embedding(features.float()), None, None, None)
            loss, _ = soft_contrastive_loss(patches, self.tau, include_positive=True, videos=number_videos(data))
        stats = {"Loss/contrastive": loss.item()}
        if self.correspond:
            correspondence, found = super().__call__(data)
            loss = correspondence + self.contrast * loss
            stats |= {"Loss/correspondence": correspondence.item(), "Hits/search": found["Hits/search"]}
        return loss, {"Loss/total": loss.item(), **stats}
