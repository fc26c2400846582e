"""DiMP's learning step where boxes are known of some frames only, and where clicks are off."""

from __future__ import annotations

import torch

from ltr.actors.dimp import DiMPActor, DiMPLossSettings
from ltr.data.tensordict import TensorDict
from ltr.models.tracking import DiMPNet
from ltr.registry import ACTORS
from socl_plugins.dimp.noise_robust import USUAL_SCALE, first_loss, noise_robust_hinge
from socl_plugins.progressive.noise_robust import LabelNoise


@ACTORS.register("weak_dimp")
class WeakDiMPActor(DiMPActor):
    """Learns the classifier from boxes known of clicks, and the box branch from frames that have a box of their own."""

    def answers(self, data: TensorDict) -> tuple[list[torch.Tensor], torch.Tensor]:
        train, test = data["train_images"].float(), data["test_images"].float()
        answers: tuple[list[torch.Tensor], torch.Tensor]
        answers = self.net(train, test, data["train_anno"], data["test_proposals"], data["train_box"])
        return answers

    def iou_loss(self, iou: torch.Tensor, data: TensorDict) -> torch.Tensor:
        """Returns the squared error of predicted overlaps (J, N, P) on the frames with a box; 0 where none has one."""
        error = (iou - data["proposal_iou"]).square().mean(dim=-1)
        known = data["test_has_box"].to(error.dtype)
        return (error * known).sum() / known.sum().clamp(min=1)


@ACTORS.register("noise_robust_dimp")
class NoiseRobustDiMPActor(WeakDiMPActor):
    """The same with the noise-robust loss for the classifier.

    Args:
        net: the network that learns.
        noise: of the test frames' labels; where it gives no scale, that is 1000, or 1 for ``taylor``.
        objective: weights of the loss's parts.
    """

    net: DiMPNet

    def __init__(
        self,
        net: DiMPNet,
        noise: LabelNoise = LabelNoise(),
        objective: DiMPLossSettings = DiMPLossSettings(),
    ) -> None:
        super().__init__(net, objective)
        self.noise = noise

    def classification_losses(self, scores: list[torch.Tensor], data: TensorDict) -> list[torch.Tensor]:
        """Returns the losses; ``test_scale`` (J, N) says how many pixels of the crop one of the frame is.

        Raises:
            ValueError: see :meth:`LabelNoise.check_start`.
        """
        noise, threshold = self.noise, self.objective.hinge_threshold
        maps, label = torch.stack(scores).flatten(1, 2), data["test_label"].flatten(0, 1)
        std = noise.cells(data["test_scale"].flatten(), self.net.stride)
        if noise.expansion == "taylor":
            noise.check_start(first_loss(label, threshold), USUAL_SCALE)
        return list(noise_robust_hinge(maps, label, std, threshold, noise.expansion, noise.factor(USUAL_SCALE)))
